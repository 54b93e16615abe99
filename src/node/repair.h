/* Repairing a stopped node's database: a new one is made of what the damaged one still tells and of what peers have. Nothing enters it that
   does not verify: entries by a signed root, checkpoints and cosignatures by their keys, documents by their hashes. */
#ifndef COMITY_NODE_REPAIR_H
#define COMITY_NODE_REPAIR_H

#include "base/findings.h"
#include "node/engine.h"
#include "store/check.h"

struct repair {
    struct salvage *old;          /* old->store is NULL when nothing of it can be read */
    struct store *made;           /* the new database, empty */
    const struct roster *charter; /* NULL outside a circle */
    const struct roster *roster;  /* the same with the key changes that are known; `self` is in it */
    const struct party *self;
    struct signer_position own; /* what signer.state says of the own log; of size 0 when it says nothing */
    bool record_damaged;        /* checkpoints or cosignatures: peers are asked for what they hold of these */
    /* GET of a path under the peer's base URL: 0 and the whole body, or an error. */
    int (*get)(void *ctx, const struct party *peer, const char *path, struct buf *out);
    /* By our own mirror key, over the COSE receipt of a checkpoint that this key has cosigned; false when the key does not open. */
    bool (*sign)(void *ctx, struct span message, struct signature *out);
    void *ctx;
    struct findings *lost; /* gets what nobody has, by place */
};
/* 0 when the new database is as whole as it can be; what is missing stands in `lost`. An error: nothing was made. */
int store_repair(struct repair *repair, struct fault *fault);

#endif
