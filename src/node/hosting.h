/* Hosting other organisations' inventories: what the shell asks of it. Opt-in: nothing is hosted until the owner adds an organisation. */
#ifndef COMITY_NODE_HOSTING_H
#define COMITY_NODE_HOSTING_H

#include "node/engine.h"

/* The key by which an organisation signs its requests; false: none of this name is hosted. */
bool hosting_key(const struct node *node, struct span organization, struct public_key *key);
/* JSON for the owner: who is hosted, since when, how many inventories. Never what is in them. */
void hosting_json(struct node *node, struct buf *out);
/* JSON for the organisation itself: each access to what it has entrusted, behind journal position `after`. */
/* Its notices behind that position, in order: {"notices": [{seq, notice}], "after", "more"}. */
int hosted_notices(struct node *node, struct span organization, int64_t after, struct buf *out);
int hosted_accesses(struct node *node, struct span organization, int64_t after, struct buf *out);

#endif
