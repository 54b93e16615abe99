/* Package URLs (purl-spec): enough to identify Debian and SemVer packages; decoded parts live in the arena. */
#ifndef COMITY_FORMAT_PURL_H
#define COMITY_FORMAT_PURL_H

#include "base/arena.h"
#include "base/error.h"

struct purl {
    struct span type, namespace, name, version, qualifiers,
        subpath; /* decoded; type lower case; qualifiers as written */
};
int purl_parse(struct purl *out, struct span text, struct arena *arena, struct fault *fault);
/* A qualifier's decoded value; empty when absent. */
struct span purl_qualifier(const struct purl *purl, const char *key, struct arena *arena);
/* Ecosystem and name as OSV writes them: pkg:deb/debian/xz-utils -> "Debian", "xz-utils"; pkg:golang/a/b -> "Go", "a/b".
   A release told by the qualifier "distro" is kept: "Debian:12". A type that OSV does not know is its own ecosystem, with the
   namespace in the name. */
void purl_ecosystem(const struct purl *purl, struct span *ecosystem, struct span *name, struct arena *arena);

#endif
