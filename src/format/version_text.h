/* Versions as people write them in product trees: "< V3.1", ">=2.0 | <=2.4", "All versions prior to 7.4 SP1", "1.1 and earlier". Only
   forms that can be read in one way; everything else is left as the text that it is. */
#ifndef COMITY_FORMAT_VERSION_TEXT_H
#define COMITY_FORMAT_VERSION_TEXT_H

#include "format/advisory.h"

/* Sets ranges, versions and fixed_versions of `package`. False, and the package unchanged, when the text may be read in two ways, or in
   none. `single`: a text without a comparison names one version (CSAF's product_version), else it says nothing. */
bool version_text_read(struct span text, bool single, struct affected_package *package, struct arena *arena);

#endif
