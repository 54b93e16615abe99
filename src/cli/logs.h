/* Logs as files, as their URLs would answer: C2SP tlog-tiles, and every checkpoint that a quorum has cosigned. What exports and bundles
   share. The database is read at one point, beside the running node or without it, by the same engine that serves it to peers. */
#ifndef COMITY_CLI_LOGS_H
#define COMITY_CLI_LOGS_H

#include "cli/folder.h"
#include "cli/party.h"
#include "node/engine.h"

struct logs_out {
    struct party_folder party;
    struct folder folder;
    struct node *node;
    struct buf fresh; /* the own log's checkpoint, from the running node: newer than the stored one for a moment */
    struct fault *fault;
    bool begun; /* the folder */
};
/* Opens the party at `dir` and begins the folder `target`. After it, failed or not, logs_close. */
int logs_open(struct logs_out *out, const char *dir, const char *target, struct fault *fault);
void logs_close(struct logs_out *out); /* what was written is gone, unless folder_end had come */

struct log_out {
    struct logs_out *out;
    const struct party *party;
    char prefix[96], folder[96]; /* of its paths at the node; below the folder */
    log_id id;
    uint64_t held, size; /* entries; size of the checkpoint that was written */
    struct progress progress;
};
/* Checkpoint, tiles and cosigned checkpoints of one log, into logs/PARTY. `from`: what somebody already has of it; then only the tiles are
   written that continue from there. E_NOTFOUND when nothing of it is held. Progress goes on until progress_end. */
int log_write(struct log_out *log, struct logs_out *out, const struct party *party, uint64_t from);
/* The circle's bundle: what a verifier needs. */
int logs_bundle_put(struct logs_out *out);
/* The document, when it is held and its label is `most` or below: to documents/ab/HASH, once. `info` and `held` may tell it is not. */
int logs_document_put(struct logs_out *out, const struct hash *hash, enum label most, struct stored_document *info,
                      bool *held);

#endif
