/* Package URLs (the purl specification, with its registered types); decoded parts live in the arena. */
#ifndef COMITY_FORMAT_PURL_H
#define COMITY_FORMAT_PURL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

struct purl {
    struct span type, namespace, name, version, qualifiers,
        subpath; /* decoded; type lower case; qualifiers as written */
};
/* Takes apart and decodes; parts are folded as the type has it. Lenient where real inventories are: what a type demands further is
   purl_check's. E_SYNTAX, E_LIMIT, E_NOMEM. */
int purl_parse(struct purl *out, struct span text, struct arena *arena, struct fault *fault);
/* Does it meet its type's definition: namespace wanted or none, wanted qualifiers, characters; and is no qualifier twice? E_MISSING,
   E_SYNTAX, E_DUPLICATE, E_LIMIT. Of a type that is not registered only the last is asked. */
int purl_check(const struct purl *purl, struct arena *arena, struct fault *fault);
bool purl_registered(const struct purl *purl);
/* The canonical form: encoded as the specification has it, qualifiers in the order of their keys, empty ones left out. */
int purl_write(struct buf *out, const struct purl *purl, struct arena *arena);

enum { PURL_QUALIFIERS_MAX = 64 };
struct purl_pair {
    struct span key, value; /* key in lower case, value decoded */
};
/* Those with a value, in the order of their keys. E_DUPLICATE, E_LIMIT, E_NOMEM. */
int purl_qualifiers(const struct purl *purl, struct purl_pair out[static PURL_QUALIFIERS_MAX], size_t *count,
                    struct arena *arena, struct fault *fault);
/* For purl_parse: folds the parts as the type has it. */
int purl_fold(struct purl *purl, struct arena *arena);
/* A qualifier's decoded value; empty when absent. */
struct span purl_qualifier(const struct purl *purl, const char *key, struct arena *arena);
/* Ecosystem and name as OSV writes them: pkg:deb/debian/xz-utils -> "Debian", "xz-utils"; pkg:golang/a/b -> "Go", "a/b".
   A release told by the qualifier "distro" is kept: "Debian:12". A type that OSV does not know is its own ecosystem, with the
   namespace in the name. */
void purl_ecosystem(const struct purl *purl, struct span *ecosystem, struct span *name, struct arena *arena);

#endif
