/* Auditing a whole log: every entry parsed, in its issuer's log, in order; every statement's signature; the tree recomputed from
   entries and compared with the tiles and the checkpoint. Constant memory: one bundle and a frontier. O(n) hashes and verifications. */
#ifndef COMITY_RECORD_AUDIT_H
#define COMITY_RECORD_AUDIT_H

#include "record/checkpoint.h"
#include "record/statement.h"
#include "record/tree.h"

/* Where the log comes from: a directory, a URL, a database. `get` fills `out` with the resource at a path relative to the prefix
   ("checkpoint", "tile/entries/000.p/7"). */
struct audit_source {
    int (*get)(void *ctx, const char *path, struct buf *out, struct fault *fault);
    void *ctx;
};
/* Answers with the key that `kid` named for `issuer` at `index`, or NULL: from a roster, or a fixed key. */
typedef const struct public_key *audit_key(void *ctx, const struct hash *kid, struct span issuer, uint64_t index);

struct audit_result {
    uint64_t size, verified;
    struct hash root;
};
/* `log_key` signed the checkpoint. `circle` may be NULL (any). `progress(ctx, done, total)` may be NULL; false stops with E_STATE. */
struct audit_options {
    const struct public_key *log_key;
    /* Instead of log_key, for a log whose key has changed: 0 when the checkpoint has the log's own signature. NULL: log_key. */
    int (*log_signed)(void *ctx, const struct note *note, const struct checkpoint *checkpoint);
    void *log_ctx;
    struct span log_name; /* note key name = origin */
    const struct hash *circle;
    struct span issuer; /* the log's party */
    audit_key *key;
    void *key_ctx;
    bool (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    bool skip_tiles; /* recompute from entries only, do not compare level tiles */
};
int audit_log(const struct audit_source *source, const struct audit_options *options, struct audit_result *result,
              struct fault *fault);

#endif
