/* Does an advisory affect a component? Pure. Unknown never reads as safe: what cannot be decided is said to be undecided. */
#ifndef COMITY_AFFECTED_MATCH_H
#define COMITY_AFFECTED_MATCH_H

#include "format/advisory.h"
#include "format/inventory.h"

enum verdict { VERDICT_NONE /* not about this component */, VERDICT_NOT_AFFECTED, VERDICT_AFFECTED, VERDICT_UNDECIDED };
extern const char *const verdict_names[4];

struct evidence {
    const struct affected_package *package; /* the row of the advisory */
    const struct component *component;
    struct span version;  /* the component's version that was compared */
    enum order order;
    char reason[160];     /* "5.6.0-0.2 is in [5.6.0-0.1, 5.6.1+really5.4.5-1) by Debian order" */
};
/* The verdict over all rows of the advisory: affected beats undecided beats not affected. O(rows of the same name). */
enum verdict match_component(const struct advisory *advisory, const struct component *component, struct evidence *evidence);

/* Visits every component with a verdict other than NONE. An index over the inventory's names: O(packages + matches) a run. */
typedef int match_visit(void *ctx, enum verdict verdict, const struct evidence *evidence);
int match_inventory(const struct advisory *advisory, const struct inventory *inventory, match_visit *visit, void *ctx);

#endif
