/* Version ranges as "vers:deb/>=1.0|<2.0" (vers-spec): their constraints as the ranges and versions of a package. */
#ifndef COMITY_FORMAT_VERS_H
#define COMITY_FORMAT_VERS_H

#include "format/advisory.h"

/* Sets ranges and versions of `package`, whose ecosystem and order are known; an unknown order may be learned from the
   scheme. False, and the package unchanged, when the text is no vers, contradicts the ecosystem's order, is not sorted,
   or says what our events cannot: then nothing may be concluded from it. */
bool vers_read(struct span text, struct affected_package *package, struct arena *arena);

#endif
