/* Whether parties answer at their URLs, what time it is there, and how long their certificates last. All at once. */
#ifndef COMITY_CLI_PROBE_H
#define COMITY_CLI_PROBE_H

#include "cli/cli.h"

struct probe {
    const char *url; /* base URL */
    bool answered;   /* with any HTTP status: a proxy that answers for a dead node has none of 200 */
    long status;
    char error[160];         /* why there was no answer */
    bool has_time;           /* the answer had a date */
    double ahead_s;          /* how far that clock is ahead of ours; a date has whole seconds */
    bool has_certificate;    /* https */
    int64_t certificate_end; /* not after */
    bool certificate_refused;
    bool trust_missing; /* refused because there are no trusted authorities on this machine */
};
void probes_run(struct probe *probes, size_t count);

#endif
