/* Two faces: two checkpoints that one log signed and that no tree can satisfy. The proof is kept, and stated. */
#include <stdio.h>

#include "node/state.h"

static int proof_write(struct buf *out, struct span held, struct span other, const struct hash *proof, size_t count)
{
    buf_text(out, "{\"comity\":\"two-faces/1\",\"first\":");
    buf_json(out, held);
    buf_text(out, ",\"second\":");
    buf_json(out, other);
    buf_text(out, ",\"consistency\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i ? ",\"" : "\"");
        buf_base64(out, span_hash(&proof[i]));
        buf_byte(out, '"');
    }
    buf_text(out, "]}\n");
    return out->error;
}

/* Our newest signed note of this log, at or above `size`: the first face. */
static int face_held(struct node *node, struct held_log *log, uint64_t size, uint64_t *found, struct buf *out)
{
    struct store *store = node->env.store;
    int rc = store->ops->note_at_least(store, log->id, NOTE_SIGNED, size, found, out);
    if (rc == E_NOTFOUND)
        rc = store->ops->note_at_least(store, log->id, NOTE_PENDING, size, found, out);
    return rc;
}

static int conflict_keep(struct node *node, struct held_log *log, uint64_t size, struct span note_bytes)
{
    struct hash proof[PROOF_HASHES_MAX];
    struct buf held, body;
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    uint64_t found = 0;
    size_t count = 0;
    int64_t seq;
    buf_init(&held, NOTE_BYTES_MAX);
    buf_init(&body, 4 * NOTE_BYTES_MAX);
    int rc = face_held(node, log, size, &found, &held);
    if (rc == 0 && found > size && found <= log->size)
        rc = tree_consistency(&tiles, size, found, proof, &count);
    if (rc == 0)
        rc = proof_write(&body, buf_view(&held), note_bytes, proof, count);
    if (rc == 0)
        rc = write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), span_str("two-faces"),
                                                  span_str(log->party->origin), buf_view(&body), &seq);
    if (rc == 0 && !node->recovering && !log->own)
        rc = submit_internal(node, "application/vnd.comity.two-faces+json", log->party->origin, buf_view(&body));
    buf_free(&held);
    buf_free(&body);
    return rc == E_EXISTS || rc == E_NOTFOUND ? 0 : rc;
}

int faces_check(struct node *node, struct held_log *log, const struct checkpoint *checkpoint, struct span note_bytes, bool *conflict)
{
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    struct hash root;
    bool same_pending = checkpoint->size == log->pending_size && log->pending_size;
    *conflict = same_pending && !hash_eq(&checkpoint->root, &log->pending_root);
    uint64_t longest = log->signed_size > log->mirrored_size ? log->signed_size : log->mirrored_size;
    if (!*conflict && checkpoint->size && checkpoint->size <= longest) {
        int rc = tree_root(&tiles, checkpoint->size, &root);
        if (rc)
            return rc;
        *conflict = !hash_eq(&checkpoint->root, &root);
    }
    if (!*conflict)
        return 0;
    log->two_faces = true;
    return conflict_keep(node, log, checkpoint->size, note_bytes);
}
