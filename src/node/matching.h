/* Between matching.c and snapshot.c. */
#ifndef COMITY_NODE_MATCHING_H
#define COMITY_NODE_MATCHING_H

#include "affected/catalogue.h"
#include "node/state.h"

struct bits { /* a set of small numbers */
    uint64_t *words;
    size_t count;
};

int matching_start(struct matching *m); /* an empty one */
bool number_find(const struct matching *m, const uint8_t part[static TOLD_PART_BYTES], uint32_t *number);
int number_put(struct matching *m, const struct hash *identity, uint32_t *number);
/* Into the catalogue. An advisory that is too much for it is written down as unread. */
int advisory_enter(struct node *node, uint32_t number, const struct notice_source *source, finding_visit *visit,
                   void *ctx);
int asset_enter(struct node *node, uint32_t number);

#endif
