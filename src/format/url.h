/* Absolute http and https URLs as feeds name them, and what a reference in a list means beside one. Stricter than RFC 3986: printable ASCII,
   no user, no fragment, no "." or ".." segments, so that what was checked is what is asked for. */
#ifndef COMITY_FORMAT_URL_H
#define COMITY_FORMAT_URL_H

#include "base/buf.h"
#include "base/error.h"

struct url {
    bool tls; /* https */
    struct span host,
        path; /* host: as written, an IPv6 address in its brackets; path: with the query, empty or from its "/" on */
    unsigned port; /* the scheme's own when none is written */
};
/* E_SYNTAX, E_LIMIT (FOLLOWED_URL_MAX). Spans point into `text`. */
int url_parse(struct url *out, struct span text, struct fault *fault);
/* What `reference` (a whole URL, a path from "/" on, or one beside the base's) means where `base` is a good URL. Appends a good URL. */
int url_join(struct buf *out, struct span base, struct span reference, struct fault *fault);
/* The same scheme, host and port? */
bool url_same_host(const struct url *a, const struct url *b);
/* An address of this machine or of a private network, written as such, or "localhost". A name is none, whatever it resolves to. */
bool url_host_is_private(struct span host);
/* RFC 6890 and its registry: is this address (4 or 16 bytes) of no use outside one machine or network? */
bool address_is_private(struct span address);

#endif
