/* What peers may ask of us: to accept a checkpoint, to hold entries and documents, to cosign, and to hear of something new.
   c2sp tlog-mirror and tlog-witness to the letter: 404, 403, 400, 409, 422; 503 while a document is missing. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "crypto/sha256.h"
#include "node/state.h"
#include "publish/publish.h"

static void reply_size(struct node *node, uint64_t token, uint64_t size)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%llu\n", (unsigned long long)size);
    reply(node, token, 409, "text/x.tlog.size", text);
}

/* Checks that both services share: form, known log, the log's signature, sizes. Returns an HTTP status, 200 to go on. */
static int checkpoint_screen(struct node *node, const struct add_checkpoint *request, struct held_log **log)
{
    const struct party *party = roster_origin(node->roster, request->checkpoint.origin);
    *log = log_of(node, party);
    if (!*log || (*log)->own)
        return 404;
    if (party_log_signed(party, &request->note, &request->checkpoint, 0) != 0)
        return 403;
    /* What we cosign has no extension lines: logs of this circle write none. */
    return request->old_size > request->checkpoint.size || request->checkpoint.extensions.len ? 400 : 200;
}

static bool root_is_empty(const struct hash *root)
{
    struct hash empty;
    tree_empty(&empty);
    return hash_eq(root, &empty);
}

int consistency_screen(uint64_t old_size, const struct hash *old_root, const struct add_checkpoint *request)
{
    const struct checkpoint *c = &request->checkpoint;
    if (c->size == 0 && !root_is_empty(&c->root))
        return 422;
    if (old_size == 0)
        return request->count ? 422 : 200;
    return tree_verify_consistency(old_size, old_root, c->size, &c->root, request->proof, request->count) == 0 ||
                   MUTANT(PROOF_UNCHECKED)
               ? 200
               : 422;
}

/* What we have accepted for a log already: the pending checkpoint, or what we hold by following, whichever is longer. */
static int accepted(struct node *node, struct held_log *log, uint64_t *size, struct hash *root)
{
    *size = log->pending_size;
    *root = log->pending_root;
    if (log->signed_size <= *size)
        return 0;
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    *size = log->signed_size;
    return tree_root(&tiles, *size, root);
}

int mirror_add_checkpoint(struct node *node, const struct event *event)
{
    struct add_checkpoint *request = malloc(sizeof *request);
    struct held_log *log = NULL;
    struct hash root;
    uint64_t size = 0;
    bool conflict = false;
    if (!request)
        return E_NOMEM;
    int read = body_add_checkpoint(node, event->body, request), rc = read == E_NOMEM ? read : 0;
    int status = body_status(read);
    if (status == 200)
        status = checkpoint_screen(node, request, &log);
    if (status == 200)
        rc = accepted(node, log, &size, &root);
    if (status == 200 && rc == 0)
        rc = faces_check(node, log, &request->checkpoint, request->note_bytes, &conflict);
    if (status == 200 && rc == 0 && conflict)
        status = 422;
    if (status == 200 && rc == 0 && request->old_size != size) {
        reply_size(node, event->token, size);
        free(request);
        return 0;
    }
    if (status == 200 && rc == 0)
        status = consistency_screen(size, &root, request);
    if (status == 422 && rc == 0 && !conflict)
        rc = faces_proven(node, log, size, &root, request);
    if (status == 200 && rc == 0 && request->checkpoint.size > log->pending_size) {
        rc = write_begin(node);
        if (rc == 0)
            rc = node->env.store->ops->note_put(node->env.store, log->id, NOTE_PENDING, request->checkpoint.size,
                                                request->note_bytes);
        if (rc == 0) {
            log->pending_size = request->checkpoint.size;
            log->pending_root = request->checkpoint.root;
        }
    }
    if (rc == 0)
        reply(node, event->token, status, "text/plain; charset=utf-8", body_reason(read));
    free(request);
    return rc;
}

/* add-entries */

static void reply_info(struct node *node, uint64_t token, int status, uint64_t size, uint64_t next)
{
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = token;
    action->status = status;
    action->content_type = "text/x.tlog.mirror-info";
    mirror_info_write(&action->body, size, next, span_of(NULL, 0));
}

/* The root of a pending checkpoint that we accepted at `size`; E_NOTFOUND when there was none. */
static int pending_root_at(struct node *node, struct held_log *log, uint64_t size, struct hash *root)
{
    struct buf note;
    struct checkpoint checkpoint;
    struct note parsed;
    uint64_t found = 0;
    if (size == log->pending_size) {
        *root = log->pending_root;
        return 0;
    }
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = node->env.store->ops->note_at_least(node->env.store, log->id, NOTE_PENDING, size, &found, &note);
    if (rc == 0 && found != size)
        rc = E_NOTFOUND;
    if (rc == 0)
        rc = checkpoint_parse(&checkpoint, &parsed, buf_view(&note), NULL);
    if (rc == 0)
        *root = checkpoint.root;
    buf_free(&note);
    return rc;
}

/* Leaf hashes of the package's subtree: what we hold before its start, then what was sent. */
static int package_leaves(struct node *node, struct held_log *log, const struct entry_package *package,
                          struct hash leaves[TILE_WIDTH], size_t *count)
{
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    unsigned before = (unsigned)(package->start % TILE_WIDTH);
    int rc = before ? tiles.read(tiles.ctx, 0, package->start / TILE_WIDTH, before, leaves) : 0;
    for (size_t i = 0; i < package->count && rc == 0; i++)
        tree_leaf(package->entries[i], &leaves[before + i]);
    *count = before + package->count;
    return rc;
}

/* 0, E_PROOF, or a fatal error. Entries that are held already are skipped: both copies are proven equal. */
static int package_take(struct node *node, struct held_log *log, const struct entry_package *package,
                        uint64_t upload_end, const struct hash *root)
{
    struct hash leaves[TILE_WIDTH], subtree;
    struct frontier frontier = {0};
    size_t count;
    int rc = package_leaves(node, log, package, leaves, &count);
    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++)
        frontier_append(&frontier, &leaves[i]);
    frontier_root(&frontier, &subtree);
    uint64_t rounded = package->start / TILE_WIDTH * TILE_WIDTH;
    if (tree_verify_subtree(rounded, package->end, &subtree, upload_end, root, package->proof, package->proof_count) !=
        0)
        return E_PROOF;
    size_t skip = log->size > package->start ? (size_t)(log->size - package->start) : 0;
    if (skip >= package->count)
        return 0;
    size_t held = (size_t)(package->start % TILE_WIDTH) + skip;
    return entries_take(node, log, package->entries + skip, leaves + held, package->count - skip);
}

struct missing {
    struct node *node;
    struct buf *out;
    unsigned count;
};

static int missing_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct missing *missing = ctx;
    struct statement statement;
    char hex[65];
    (void)index;
    /* Not of a statement that does not count (a copy, another circle's): nobody would ever take its document. */
    if (statement_parse(&statement, bytes, NULL) != 0 || !document_wanted(missing->node, &statement.document))
        return 0;
    hash_hex(&statement.document, hex);
    buf_printf(missing->out, "%s\n", hex);
    return ++missing->count >= 64;
}

/* Everything up to `size` is held and durable: cosign. */
static int mirror_cosign(struct node *node, struct held_log *log, uint64_t size, const struct hash *root,
                         struct cosigned *cosigned)
{
    struct sign_cosignature request = {.size = size, .root = *root};
    struct signer_position position = {0};
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    struct signer *signer = node->env.signer;
    size_t count = 0;
    (void)snprintf(request.origin, sizeof request.origin, "%s", log->party->origin);
    int rc = signer->ops->position(signer, KEY_MIRROR, span_str(log->party->origin), &position);
    if (rc == E_NOTFOUND)
        rc = 0;
    if (rc == 0 && position.size && position.size < size)
        rc = tree_consistency(&tiles, position.size, size, request.proof, &count);
    request.proof_count = (uint32_t)count;
    return rc ? rc : signer->ops->cosign(signer, KEY_MIRROR, &request, cosigned);
}

static int cosignature_keep(struct node *node, struct held_log *log, uint64_t size, const struct hash *root,
                            const struct cosigned *cosigned)
{
    struct store *store = node->env.store;
    struct stored_cosignature c = {.size = size,
                                   .root = *root,
                                   .kid = node->self->kids[KEY_MIRROR],
                                   .timestamp = cosigned->timestamp,
                                   .signature = cosigned->signature,
                                   .has_cose = true,
                                   .cose = cosigned->cose};
    struct buf note;
    uint64_t found;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = write_begin(node);
    if (rc == 0)
        rc = store->ops->cosignature_put(store, log->id, &c);
    composed_forget(log);
    if (rc == 0 && store->ops->note_at_least(store, log->id, NOTE_PENDING, size, &found, &note) == 0 && found == size) {
        rc = store->ops->note_put(store, log->id, NOTE_MIRRORED, size, buf_view(&note));
        if (rc == 0)
            rc = store->ops->note_put(store, log->id, NOTE_SIGNED, size, buf_view(&note));
        if (size > log->signed_size)
            log->signed_size = size;
    }
    buf_free(&note);
    log->mirrored_size = size;
    log->mirrored_root = *root;
    return rc ? rc : standing_refresh(node, log);
}

static void reply_cosigned(struct node *node, uint64_t token, const struct cosigned *cosigned)
{
    struct action *action = action_add(node, ACTION_REPLY);
    char name[ORIGIN_BYTES_MAX + 8];
    struct buf cose;
    action->token = token;
    action->status = 200;
    action->content_type = "text/plain; charset=utf-8";
    mirror_key_name(name, node->self);
    note_cosignature_write(&action->body, span_str(name), &node->self->card.keys[KEY_MIRROR], cosigned->timestamp,
                           &cosigned->signature);
    buf_init(&cose, sizeof action->header);
    buf_base64(&cose, span_of(cosigned->cose.b, sizeof cosigned->cose.b));
    (void)snprintf(action->header, sizeof action->header, "%.*s", (int)cose.len, (const char *)cose.data);
    buf_free(&cose);
}

static int upload_finish(struct node *node, struct held_log *log, uint64_t end, const struct hash *root, uint64_t token)
{
    struct buf wanted;
    struct missing missing = {.node = node, .out = &wanted};
    struct cosigned cosigned;
    buf_init(&wanted, NOTE_BYTES_MAX);
    int rc = entries_read(node, log, log->mirrored_size, end, missing_visit, &missing);
    rc = rc < 0 ? rc : 0;
    bool waits = recover_silent(node) || end < log->must_hold || log->two_faces;
    if (rc == 0 && ((missing.count && !MUTANT(MIRROR_NO_DOCUMENT)) || waits)) {
        struct action *action = action_add(node, ACTION_REPLY);
        action->token = token;
        action->status = 503;
        action->content_type = "text/plain; charset=utf-8";
        buf_span(&action->body, waits ? span_of(NULL, 0) : buf_view(&wanted));
        buf_free(&wanted);
        return 0;
    }
    buf_free(&wanted);
    if (rc == 0 && !MUTANT(MIRROR_NOT_DURABLE))
        rc = write_commit(node); /* durable before the signature */
    if (rc == 0)
        rc = mirror_cosign(node, log, end, root, &cosigned);
    if (rc == E_PROOF || rc == E_TWO_FACES || rc == E_BACKWARDS) {
        reply(node, token, 422, "text/plain", "this does not continue what this mirror has cosigned\n");
        return 0;
    }
    if (rc == 0)
        rc = cosignature_keep(node, log, end, root, &cosigned);
    if (rc == 0)
        reply_cosigned(node, token, &cosigned);
    return rc;
}

/* Status by the order of the specification; 200 means go on. */
static int upload_screen(struct node *node, const struct add_entries *request, struct held_log **log, struct hash *root)
{
    *log = log_of(node, roster_origin(node->roster, request->origin));
    if (!*log || (*log)->own)
        return 404;
    if (!(*log)->pending_size)
        return 422;
    uint64_t next = (*log)->size;
    if (pending_root_at(node, *log, request->upload_end, root) != 0 || request->upload_end < (*log)->mirrored_size ||
        request->upload_start > next)
        return 409;
    uint64_t have = request->upload_end < next ? request->upload_end : next;
    return have - request->upload_start > (uint64_t)TILE_WIDTH * PACKAGES_PER_REQUEST_MAX ? 409 : 200;
}

/* What is held already, and what stands, is none of the quota's business. */
static bool quota_stops(const struct node *node, const struct held_log *log, uint64_t end)
{
    return end > log->size && end > log->standing_size && quota_spent(node, log);
}

/* Authenticates and saves package after package. `done` counts them; ends with 0 or the code that stopped it. */
static int packages_take(struct node *node, struct held_log *log, struct add_entries *request, const struct hash *root,
                         unsigned *done)
{
    struct entry_package *package = malloc(sizeof *package);
    int rc = package ? 0 : E_NOMEM;
    while (rc == 0 &&
           (rc = quota_stops(node, log, request->upload_end) ? E_BUSY : add_entries_package(request, package)) == 0) {
        rc = package_take(node, log, package, request->upload_end, root);
        *done += rc == 0;
    }
    free(package);
    return rc;
}

int mirror_add_entries(struct node *node, const struct event *event)
{
    struct add_entries request;
    struct held_log *log = NULL;
    struct hash root;
    unsigned done = 0;
    int status = add_entries_parse(&request, event->body, NULL) == 0 ? upload_screen(node, &request, &log, &root) : 400;
    if (status == 200 && quota_stops(node, log, request.upload_end)) {
        quota_refuse(node, event->token, log);
        return 0;
    }
    if (status == 409) {
        reply_info(node, event->token, 409, log->pending_size, log->size);
        return 0;
    }
    if (status != 200) {
        reply(node, event->token, status, "text/plain; charset=utf-8", "");
        return 0;
    }
    int rc = packages_take(node, log, &request, &root, &done);
    if (rc == E_PROOF) {
        reply(node, event->token, 422, "text/plain", "a package does not lead to the pending checkpoint\n");
        return 0;
    }
    if (rc != E_NOTFOUND && rc != E_TRUNCATED && rc != E_SYNTAX && rc != E_LIMIT && rc != E_TRAILING && rc != E_BUSY)
        return rc; /* the store's */
    if (log->size >= request.upload_end && (rc == E_NOTFOUND || done))
        return upload_finish(node, log, request.upload_end, &root, event->token);
    if (!done)
        reply(node, event->token, 400, "text/plain", "no whole package\n");
    else
        reply_info(node, event->token, 202, request.upload_end, log->size);
    return 0;
}

/* Documents */

int document_offered(struct node *node, const struct event *event)
{
    struct hash hash;
    sha256(event->body, &hash);
    if (!hash_eq(&hash, &event->hash) || event->body.len > DOCUMENT_BYTES_MAX) {
        reply(node, event->token, 400, "text/plain", "the body does not hash to the name in the path\n");
        return 0;
    }
    if (!document_missing(node, &hash)) {
        reply(node, event->token, 200, "text/plain", "");
        return 0;
    }
    if (document_wanted(node, &hash)) {
        struct held_log *refuses;
        int rc = quota_document(node, &hash, &refuses);
        if (rc == 0 && refuses) {
            quota_refuse(node, event->token, refuses);
            return 0;
        }
        rc = rc ? rc : document_take(node, &hash, LABEL_CLOSED, event->body);
        if (rc == 0)
            reply(node, event->token, 201, "text/plain", "");
        return rc;
    }
    /* Not stated yet as far as we know: it may come ahead of its entry. Kept in memory for a moment, first in, first out. */
    while (node->early_count &&
           (node->early_count == EARLY_COUNT_MAX || node->early_bytes + event->body.len > EARLY_BYTES_MAX))
        early_drop(node, &node->early[0]);
    if (event->body.len > EARLY_BYTES_MAX) {
        reply(node, event->token, 503, "text/plain", "state it first: then it is taken\n");
        return 0;
    }
    struct early_document *early = &node->early[node->early_count];
    *early = (struct early_document){.hash = hash};
    buf_init(&early->bytes, DOCUMENT_BYTES_MAX);
    buf_span(&early->bytes, event->body);
    if (early->bytes.error) {
        buf_free(&early->bytes);
        reply(node, event->token, 503, "text/plain", "no memory\n");
        return 0;
    }
    node->early_count++;
    node->early_bytes += event->body.len;
    reply(node, event->token, 202, "text/plain", "");
    return 0;
}

/* Is this, byte for byte, the note of its log that we have checked and kept last, and hold the entries of? Most polls bring that one. */
static bool heard_already(struct node *node, struct span note_bytes, struct hash *told)
{
    struct span origin, rest = note_bytes;
    struct held_log *log = span_line(&rest, &origin) ? log_of(node, roster_origin(node->roster, origin)) : NULL;
    sha256(note_bytes, told);
    return log && hash_eq(told, &log->told) && log->told_epoch == node->roster->epoch && log->told_size <= log->size &&
           log->told_size <= log->signed_size;
}

int checkpoint_heard(struct node *node, struct span note_bytes, int *status)
{
    struct note note;
    struct checkpoint checkpoint;
    struct hash told;
    bool conflict = false;
    *status = 200;
    if (heard_already(node, note_bytes, &told))
        return 0;
    int rc = body_checkpoint(node, note_bytes, &checkpoint, &note);
    *status = body_status(rc);
    if (rc)
        return rc == E_NOMEM ? rc : 0;
    *status = 404;
    const struct party *party = roster_origin(node->roster, checkpoint.origin);
    struct held_log *log = log_of(node, party);
    if (!log)
        return 0;
    *status = 403;
    if (!MUTANT(NOTE_UNCHECKED) && party_log_signed(party, &note, &checkpoint, 0) != 0)
        return 0;
    *status = 200;
    rc = faces_check(node, log, &checkpoint, note_bytes, &conflict);
    if (rc == 0 && !conflict) {
        rc = cosignatures_take(node, log, &note, &checkpoint, NULL, span_of(NULL, 0));
        if (rc == 0 && note.count > 1)
            rc = note_heard(node, log, checkpoint.size, note_bytes);
        log->told = told;
        log->told_epoch = node->roster->epoch;
        log->told_size = checkpoint.size;
    }
    return rc || conflict || log->own ? rc : follow_target(node, log, note_bytes, &checkpoint);
}

int announced(struct node *node, const struct event *event)
{
    static const struct {
        int status;
        const char *text;
    } answers[] = {{400, "not a checkpoint\n"},
                   {503, "it could not be read now; ask again\n"},
                   {404, "no log of this circle\n"},
                   {403, "not signed by that log\n"}};
    const char *text = "";
    int status, rc = checkpoint_heard(node, event->body, &status);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (answers[i].status == status)
            text = answers[i].text;
    reply(node, event->token, status, "text/plain", text);
    return rc;
}
