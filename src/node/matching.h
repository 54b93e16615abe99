/* Between matching.c and snapshot.c. */
#ifndef COMITY_NODE_MATCHING_H
#define COMITY_NODE_MATCHING_H

#include "affected/catalogue.h"
#include "node/state.h"

struct bits { /* a set of small numbers */
    uint64_t *words;
    size_t count;
};

void matching_key(struct matching *m); /* for numbers, before the first */
bool number_find(const struct matching *m, const uint8_t part[static TOLD_PART_BYTES], uint32_t *number);
int number_put(struct matching *m, const struct hash *identity, uint32_t *number);
/* Into the catalogue. An advisory that is too much for it is written down as unread. */
int advisory_enter(struct node *node, uint32_t number, const struct notice_source *source, finding_visit *visit,
                   void *ctx);
int asset_enter(struct node *node, uint32_t number);
int identity_enter(struct node *node, const struct hash *identity); /* its revision that counts */

/* snapshot.c */
int snapshot_load(
    struct node *node); /* E_CORRUPT: there is none, or it is in doubt; then the matching is to be closed */
int snapshot_save(struct node *node); /* commits */
int snapshot_drop(struct node *node);
bool snapshot_due(const struct node *node);
/* 'a' and an identity, or 'i' and an inventory's name: in the catalogue it is another than in the snapshot. */
int snapshot_changed(struct node *node, char kind, struct span name);

#endif
