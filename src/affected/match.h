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
    struct span version; /* the component's version that was compared */
    enum order order;
    enum lane lane;                   /* by what they met: the verdict's grade */
    enum justification justification; /* of a verdict "not affected" that the advisory states */
    char reason[240];                 /* "5.6.0-0.2 is in [5.6.0-0.1, 5.6.1+really5.4.5-1) by Debian order" */
};
/* The verdict over all rows of the advisory: affected beats undecided beats not affected. Names and ecosystems meet without regard
   to case; an ecosystem without release meets every release of it, and a component without ecosystem every one (then undecided).
   Ranges are evaluated as the OSV schema says; in a row, a version listed as affected is, then one stated as fixed is not, then the
   ranges count. A row that lists versions but no ranges is exhaustive in OSV; in CSAF (known by its tracking revision) other versions stay
   undecided. A withdrawn advisory affects nothing. `evidence` may be NULL. O(rows). */
enum verdict match_component(const struct advisory *advisory, const struct component *component,
                             struct evidence *evidence);

/* Called for every component with a verdict other than NONE, in the inventory's order; other than 0 stops and is returned. */
typedef int match_visit(void *ctx, enum verdict verdict, const struct evidence *evidence);

/* A keyed hash index over an inventory's names, to run many advisories against: O(rows + rows meeting components) a run. It points
   into the inventory; one run at a time. */
struct match_index;
int match_index_new(struct match_index **out, const struct inventory *inventory); /* E_NOMEM, E_LIMIT */
void match_index_free(struct match_index *index);                                 /* accepts NULL */
int match_index_run(struct match_index *index, const struct advisory *advisory, match_visit *visit, void *ctx);

/* The same, with an index for this one run: O(components + rows). */
int match_inventory(const struct advisory *advisory, const struct inventory *inventory, match_visit *visit, void *ctx);

#endif
