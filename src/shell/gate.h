/* The gate: what of a request's head is let in, before a byte of its body is kept. Pure. It refuses every request that two servers
   could read in two ways (RFC 9112 sections 3.2, 6.1 to 6.3, 11.2), and whatever is over a limit. */
#ifndef COMITY_SHELL_GATE_H
#define COMITY_SHELL_GATE_H

#include "base/span.h"

struct gate_head { /* as the library hands it over; counts are of header lines */
    struct span method, version;
    struct span target; /* as it came, with its query */
    unsigned hosts, lengths, encodings, headers;
    size_t header_bytes;          /* of all lines, were each "Name: value" and its end */
    size_t bytes;                 /* of the whole head, as they came */
    struct span length, encoding; /* the last Content-Length and Transfer-Encoding */
    bool empty;                   /* a header without a value */
};
struct gate_verdict {
    int status;       /* 0: let in */
    const char *text; /* why not, as a line */
    bool has_body;    /* some is coming, let in or not */
    uint64_t length;  /* of the body; UINT64_MAX: it does not say (chunks) */
};
/* `body_max`: the largest body that this route takes. */
struct gate_verdict gate_check(const struct gate_head *head, uint64_t body_max);
/* The target without its query. */
struct span gate_path(struct span target);

#endif
