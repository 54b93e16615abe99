/* Orders of version strings. Pure, no allocation, O(length). */
#ifndef COMITY_FORMAT_VERSION_H
#define COMITY_FORMAT_VERSION_H

#include "base/span.h"
#include "format/advisory.h"

/* <0, 0, >0 through `*order`; false when either is not a version of that order (then nothing may be concluded). */
bool version_compare(enum order order, struct span a, struct span b, int *result);
bool version_compare_debian(struct span a, struct span b, int *result); /* deb-version(7) */
bool version_compare_semver(struct span a, struct span b,
                            int *result);             /* semver.org 2.0.0; a leading "v" and missing parts allowed */
enum order order_of_ecosystem(struct span ecosystem); /* "Debian:12" -> DEBIAN; Go, npm, crates.io, SemVer -> SEMVER */

#endif
