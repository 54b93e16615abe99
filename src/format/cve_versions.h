/* Between the files of the CVE reader: what an "affected" object says of versions. */
#ifndef COMITY_FORMAT_CVE_VERSIONS_H
#define COMITY_FORMAT_CVE_VERSIONS_H

#include "format/advisory.h"

struct claimed { /* what is claimed alike */
    const struct range *ranges;
    const struct span *versions;
    size_t range_count, version_count;
};
struct cve_versions {
    struct claimed claims[CLAIM_COUNT];
    const struct span *excluded; /* in a range of what is affected, and yet not */
    size_t excluded_count;
    enum order order;
    bool open;        /* of other versions nothing is said */
    bool vague;       /* something of it could not be read: no version is safe by it */
    struct span text; /* of the first that could not */
};
/* `order`: of the package, or ORDER_UNKNOWN to take it from the version types. E_TYPE, E_NOMEM. */
int cve_versions_read(struct cve_versions *out, const struct json *affected, enum order order, struct arena *arena,
                      struct fault *fault);

#endif
