/* Orders of version strings: one for each family of ecosystems, as its own documents say (docs/formats.md). Pure, no allocation. */
#ifndef COMITY_FORMAT_VERSION_H
#define COMITY_FORMAT_VERSION_H

#include "base/span.h"
#include "format/advisory.h"

/* <0, 0, >0 through `*result`; false when either is not a version of that order (then nothing may be concluded). O(length), but
   Maven's and PyPI's, which look from both ends, refuse more than 64 parts. */
bool version_compare(enum order order, struct span a, struct span b, int *result);

const char *order_name(enum order order); /* "Debian" */
/* "Debian:12" -> DEBIAN; Go, npm, crates.io, SemVer -> SEMVER. UNKNOWN for others. Without regard to case. */
enum order order_of_ecosystem(struct span ecosystem);
/* Every ecosystem that has an order, and the plain names of orders that belong to none. */
void order_ecosystems(void (*visit)(void *ctx, const char *ecosystem, enum order order), void *ctx);
enum order order_of_scheme(struct span scheme); /* of a vers range: "deb", "npm" */

#endif
