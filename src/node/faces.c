/* Two faces: two checkpoints that one log signed and that no tree can satisfy. The proof is kept, and stated. */
#include "base/mutant.h"
#include "circle/faces.h"
#include "node/state.h"

#include <stdlib.h>

/* The first face: the note that we accepted at this very size, if its root is another; else a signed one at or above it, whose tree
   we hold. A signed one above says nothing by itself against a pending note that it does not continue. */
static int face_held(struct node *node, struct held_log *log, const struct checkpoint *other, uint64_t *found,
                     struct buf *out)
{
    static const enum note_kind exact[] = {NOTE_PENDING, NOTE_SIGNED};
    struct store *store = node->env.store;
    struct checkpoint held;
    struct note note;
    for (size_t i = 0; i < 2; i++) {
        buf_reset(out);
        if (store->ops->note_at_least(store, log->id, exact[i], other->size, found, out) == 0 &&
            *found == other->size && checkpoint_parse(&held, &note, buf_view(out), NULL) == 0 &&
            !hash_eq(&held.root, &other->root))
            return 0;
    }
    buf_reset(out);
    return store->ops->note_at_least(store, log->id, NOTE_SIGNED, other->size, found, out);
}

/* The party that this convicts, or NULL; errors are the reader's alone. */
static int judge(struct node *node, const struct faces_proof *proof, const struct party **party)
{
    struct face *faces = calloc(2, sizeof *faces);
    int rc = faces ? 0 : E_NOMEM;
    *party = NULL;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = body_checkpoint(node, i ? proof->second : proof->first, &faces[i].checkpoint, &faces[i].note);
    if (rc == 0 && faces_judge(node->roster, proof, faces, party, NULL) != 0)
        *party = NULL;
    free(faces);
    return rc == E_NOMEM || rc == E_IO ? rc : 0;
}

/* Nobody is accused by what we compute from our own copy unless it proves itself: if it does not, then a bit of that copy has flipped,
   and E_CORRUPT ends the process before it says so. */
static int conflict_record(struct node *node, struct held_log *log, const struct faces_proof *proof)
{
    const struct party *party = NULL;
    struct buf body;
    int64_t seq;
    buf_init(&body, 4 * NOTE_BYTES_MAX);
    int rc = faces_write(&body, proof);
    rc = rc ? rc : judge(node, proof, &party);
    if (rc == 0 && !party && !MUTANT(FACES_UNPROVEN))
        rc = E_CORRUPT;
    if (rc == 0)
        rc = write_begin(node);
    log->two_faces = log->two_faces || rc == 0;
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), span_str("two-faces"),
                                                  span_str(log->party->origin), buf_view(&body), &seq);
    if (rc == 0 && !node->recovering && !log->own)
        rc = submit_internal(node, MEDIA_TWO_FACES, log->party->origin, buf_view(&body));
    buf_free(&body);
    return rc == E_EXISTS ? 0 : rc;
}

static int conflict_keep(struct node *node, struct held_log *log, const struct checkpoint *other,
                         struct span note_bytes)
{
    struct hash hashes[PROOF_HASHES_MAX], older;
    struct faces_proof proof = {.second = note_bytes, .proof = hashes};
    struct buf held;
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    uint64_t found = 0;
    buf_init(&held, NOTE_BYTES_MAX);
    int rc = face_held(node, log, other, &found, &held);
    if (rc == E_NOTFOUND && log->own &&
        node->own_note_size >= other->size) { /* the newest is stored with the next batch */
        found = node->own_note_size;
        buf_span(&held, buf_view(&node->own_note));
        rc = held.error;
    }
    proof.first = buf_view(&held);
    if (rc == 0 && found > other->size && found <= log->size) {
        proof.older_root = &older;
        rc = tree_consistency(&tiles, other->size, found, hashes, &proof.count);
        rc = rc ? rc : tree_root(&tiles, other->size, &older);
    }
    if (rc == 0)
        rc = conflict_record(node, log, &proof);
    buf_free(&held);
    return rc == E_NOTFOUND ? 0 : rc;
}

/* A two-faces document that somebody stated: it convicts by itself, whoever says so. */
int faces_told(struct node *node, const struct hash *hash, struct span document)
{
    const struct party *party = NULL;
    struct faces_proof proof;
    struct arena arena;
    bool readable;
    arena_init(&arena, 16 * (size_t)NOTE_BYTES_MAX);
    int rc = document_faces(node, hash, document, &proof, &arena, &readable);
    if (rc == 0 && readable && (rc = judge(node, &proof, &party)) == 0 && party)
        log_of(node, party)->two_faces = true;
    arena_free(&arena);
    return rc;
}

static int faces_reload(void *ctx, const struct journal_row *row)
{
    return faces_told(ctx, NULL, row->body);
}

int faces_load(struct node *node)
{
    return node->env.store->ops->journal_scan(node->env.store, span_str("two-faces"), 0, faces_reload, node);
}

/* The writer itself proved that its new tree has another root than the one which it signed at the size that we accepted. At a power of
   two its proof leaves out the older root, and convicts nobody: such a face is found when mirrors compare what they hold. */
int faces_proven(struct node *node, struct held_log *log, uint64_t old_size, const struct hash *old_root,
                 const struct add_checkpoint *request)
{
    static const enum note_kind kinds[] = {NOTE_PENDING, NOTE_SIGNED};
    struct store *store = node->env.store;
    struct hash old, root;
    struct checkpoint held;
    struct note note;
    struct buf bytes;
    uint64_t found;
    bool signed_old = false;
    int rc = 0;
    if (log->two_faces || !old_size || old_size >= request->checkpoint.size ||
        tree_consistency_roots(old_size, request->checkpoint.size, old_root, request->proof, request->count, &old,
                               &root) != 0 ||
        !hash_eq(&root, &request->checkpoint.root) || hash_eq(&old, old_root))
        return 0; /* only a bad proof */
    buf_init(&bytes, NOTE_BYTES_MAX);
    for (size_t i = 0; i < 2 && !signed_old; i++) {
        buf_reset(&bytes);
        if (store->ops->note_at_least(store, log->id, kinds[i], old_size, &found, &bytes) == 0 && found == old_size &&
            checkpoint_parse(&held, &note, buf_view(&bytes), NULL) == 0 && hash_eq(&held.root, old_root))
            signed_old = true;
    }
    struct faces_proof proof = {.first = buf_view(&bytes),
                                .second = request->note_bytes,
                                .older_root = &old,
                                .proof = request->proof,
                                .count = request->count};
    if (signed_old)
        rc = conflict_record(node, log, &proof);
    buf_free(&bytes);
    return rc;
}

int faces_pending(struct node *node, struct held_log *log)
{
    struct store *store = node->env.store;
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    struct checkpoint checkpoint;
    struct note note;
    struct hash root;
    struct buf bytes;
    uint64_t found = 0;
    if (log->two_faces || !log->pending_size || log->pending_size > log->size || MUTANT(FACES_UNSEEN))
        return 0;
    int rc = tree_root(&tiles, log->pending_size, &root);
    if (rc || hash_eq(&root, &log->pending_root))
        return rc;
    buf_init(&bytes, NOTE_BYTES_MAX);
    rc = store->ops->note_at_least(store, log->id, NOTE_PENDING, log->pending_size, &found, &bytes);
    if (rc == 0 && found == log->pending_size && checkpoint_parse(&checkpoint, &note, buf_view(&bytes), NULL) == 0)
        rc = conflict_keep(node, log, &checkpoint, buf_view(&bytes));
    buf_free(&bytes);
    return rc == E_NOTFOUND ? 0 : rc;
}

int faces_check(struct node *node, struct held_log *log, const struct checkpoint *checkpoint, struct span note_bytes,
                bool *conflict)
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
    if (!*conflict || MUTANT(FACES_UNSEEN))
        return 0;
    return conflict_keep(node, log, checkpoint, note_bytes);
}
