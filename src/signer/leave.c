/* A party that has left signs no more statements in that circle, whatever its node asks. What is remembered is one more record in
   signer.state, under the statement role and the own log's origin: root = the leaf hash of the leaving statement, size = the log's last
   size once that leaf is in the tree, 0 before. */
#include "signer/state.h"

static const struct signer_record *left(const struct signer_state *state, struct span origin)
{
    return state_find(state, KEY_STATEMENT, origin);
}

/* Until it is in the log, another one may replace it: the node may have died before it kept the first. */
int leave_asked(const struct signer_state *state, struct span origin, const struct sign_statement *requests,
                size_t count)
{
    const struct signer_record *record = left(state, origin);
    bool leaves = false;
    for (size_t i = 0; i < count; i++)
        leaves = leaves || strcmp(requests[i].media, MEDIA_LEAVE) == 0;
    if (leaves && count > 1)
        return E_REFUSED; /* nothing is signed beside it */
    return record && (record->size || !leaves) ? E_LEFT : 0;
}

static int leave_save(struct signer_state *state, struct span origin, uint64_t size, const struct hash *leaf)
{
    struct signer_record record;
    state_blank(&record, KEY_STATEMENT, origin);
    record.size = size;
    record.root = *leaf;
    return state_save(state, &record);
}

int leave_signed(struct signer_state *state, struct span origin, const struct signed_statement *made)
{
    struct hash leaf;
    tree_leaf(span_of(made->bytes, made->len), &leaf);
    return leave_save(state, origin, 0, &leaf);
}

/* Called before the longer tree is saved. The same leaves may come again after a crash in between. */
int leave_append(struct signer_state *state, struct span origin, uint64_t old_size, const struct hash *leaves,
                 size_t count)
{
    const struct signer_record *record = left(state, origin);
    bool closes = false;
    if (!record || !count)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (closes)
            return E_LEFT;
        closes = hash_eq(&leaves[i], &record->root);
    }
    uint64_t size = old_size + count;
    if (record->size && (size > record->size || closes != (size == record->size)))
        return E_LEFT;
    return closes && !record->size ? leave_save(state, origin, size, &record->root) : 0;
}

int leave_close(struct signer_state *state, struct span origin, const struct hash *leaf)
{
    const struct signer_record *record = left(state, origin), *log = state_find(state, KEY_LOG, origin);
    if (record && record->size)
        return 0;
    return log && log->size ? leave_save(state, origin, log->size, leaf) : E_STATE;
}
