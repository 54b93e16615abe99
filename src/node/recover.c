/* A node that starts signs nothing until the committee has told it the newest checkpoint of its own log, pending ones included, and
   what it has cosigned as a mirror. So a node restored from an old backup catches up instead of convicting itself. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "node/state.h"

enum { OTHERS_TRIES_MAX = 3 };

/* Set in a folder that `comity restore` wrote, until its node has recovered once. */
static const char restored_key[] = "restored";

/* What stands in the folder itself: it was restored by command, its signer's state was put back by hand, or the signer remembers more than
   the database. */
static int restored_read(struct node *node)
{
    struct signer *signer = node->env.signer;
    struct signer_position position = {0}, start = {0};
    struct span origin = span_str(node->self->origin);
    struct buf mark;
    buf_init(&mark, 256);
    int rc = node->env.store->ops->state_get(node->env.store, span_str(restored_key), &mark);
    node->restored = rc == 0 && mark.len;
    buf_free(&mark);
    if (rc && rc != E_NOTFOUND)
        return rc;
    rc = signer ? signer->ops->position(signer, KEY_LOG, origin, &position) : E_NOTFOUND;
    if (signer && (rc == 0 || rc == E_NOTFOUND))
        rc = signer->ops->position(signer, KEY_RECOVERY, origin, &start);
    node->restored = node->restored || start.size || position.size > node->own->size;
    return rc == E_NOTFOUND ? 0 : rc;
}

static int restored_done(struct node *node)
{
    struct buf mark;
    buf_init(&mark, 256);
    struct store *store = node->env.store;
    int rc = store->ops->state_get(store, span_str(restored_key), &mark);
    if (rc == 0 && mark.len && (rc = write_begin(node)) == 0)
        rc = store->ops->state_put(store, span_str(restored_key), span_of(NULL, 0));
    buf_free(&mark);
    return rc == E_NOTFOUND ? 0 : rc;
}

int recover_begin(struct node *node)
{
    struct quorum quorum = quorum_for(node->roster, node->self);
    node->recovering = true;
    node->recover_needed = quorum.m && !node->recover_alone ? quorum.m - quorum.k + quorum.f + 1 : 0;
    if (MUTANT(RECOVERY_HASTY) || MUTANT(RECOVERY_NONE))
        node->recover_needed = MUTANT(RECOVERY_HASTY);
    for (size_t i = 0; i < node->log_count; i++)
        node->logs[i].wanted = true;
    return restored_read(node);
}

/* Who must be heard: enough mirrors, or all of them after a restore, and then the others too, who may have been told of a checkpoint
   that no mirror has heard of; but of them only those who can be reached. */
bool recover_asks(const struct node *node, const struct peer *peer)
{
    return !peer->answered && (peer->is_mirror || (node->restored && peer->recover.failures < OTHERS_TRIES_MAX));
}

int recover_start(struct node *node)
{
    int rc = node->recover_needed ? 0 : recover_check(node);
    if (rc || !node->recovering)
        return rc;
    for (size_t i = 0; i < node->peer_count; i++) {
        struct peer *peer = &node->peers[i];
        if (!recover_asks(node, peer) || peer->recover_token || !retry_due(node, &peer->recover))
            continue;
        struct action *action = send_add(node, CALL_RECOVER, i, 0, "GET");
        (void)snprintf(action->path, sizeof action->path, "/recovery/%s", node->self->card.name);
        action->body_max = 1 << 20;
        peer->recover_token = action->token;
    }
    return 0;
}

/* Ours: by the present key or one within its cut. And what a replaced key signed past its cut, if a mirror holds it: whoever did that,
   those entries are in our log now, and the tree goes on from there. */
static bool own_note_counts(struct node *node, const struct note *note, const struct checkpoint *checkpoint)
{
    struct cosigner cosigners[COMMITTEE_MAX];
    size_t count = 0;
    bool ever = false;
    if (party_log_signed(node->self, note, checkpoint, 0) == 0)
        return true;
    for (uint32_t e = 0; e < node->self->former_count; e++)
        ever = ever || note_verify(note, span_str(node->self->origin), &node->self->former[e].keys[KEY_LOG]) == 0;
    return ever && roster_cosigners(node->roster, node->self, note, checkpoint, cosigners, &count) == 0 && count;
}

static int own_note_told(struct node *node, struct span text)
{
    struct note note;
    struct checkpoint checkpoint;
    int rc = body_checkpoint(node, text, &checkpoint, &note);
    if (rc == E_NOMEM || rc == E_IO)
        return rc;
    if (rc || !span_is(checkpoint.origin, node->self->origin) || !own_note_counts(node, &note, &checkpoint))
        return 0; /* not ours: a liar cannot make us wait */
    if (checkpoint.size <= node->own->size && checkpoint.size <= node->recovered_size)
        return 0;
    if (checkpoint.size <= node->own->size) {
        struct store_tiles space;
        struct tile_reader tiles = log_tiles(node, node->own, &space);
        struct hash root;
        rc = tree_root(&tiles, checkpoint.size, &root);
        return rc ? rc : hash_eq(&root, &checkpoint.root) ? 0 : E_TWO_FACES;
    }
    if (checkpoint.size <= node->recovered_size)
        return 0;
    uint32_t id = note_key_id(span_str(node->self->origin), NOTE_ED25519, &node->self->card.keys[KEY_LOG]);
    node->restored = true;
    node->recovered_size = checkpoint.size;
    node->recovered_root = checkpoint.root;
    node->recovered_signed = false;
    for (size_t i = 0; i < note.count; i++)
        if (note.signatures[i].id == id && note.signatures[i].len == SIGN_BYTES &&
            span_is(note.signatures[i].name, node->self->origin)) {
            memcpy(node->recovered_signature.b, note.signatures[i].bytes, SIGN_BYTES);
            node->recovered_signed = true;
        }
    return follow_target(node, node->own, text, &checkpoint);
}

static int cosigned_told(struct node *node, struct span text)
{
    struct note note;
    struct checkpoint checkpoint;
    char name[ORIGIN_BYTES_MAX + 8];
    int64_t timestamp;
    mirror_key_name(name, node->self);
    int rc = body_checkpoint(node, text, &checkpoint, &note);
    if (rc)
        return rc == E_NOMEM || rc == E_IO ? rc : 0;
    const struct party *party = roster_origin(node->roster, checkpoint.origin);
    struct held_log *log = log_of(node, party);
    if (!log || log->own || party_log_signed(party, &note, &checkpoint, 0) != 0)
        return 0;
    bool ours =
        note_verify_cosignature(&note, span_str(name), &node->self->card.keys[KEY_MIRROR], &timestamp, NULL) == 0;
    for (uint32_t e = 0; e < node->self->former_count; e++)
        ours = ours || note_verify_cosignature(&note, span_str(name), &node->self->former[e].keys[KEY_MIRROR],
                                               &timestamp, NULL) == 0;
    if (!ours)
        return 0;
    if (checkpoint.size > log->mirrored_size && checkpoint.size > log->must_hold) {
        log->must_hold = checkpoint.size;
        log->must_root = checkpoint.root;
        if (checkpoint.size > log->size)
            node->restored = true;
        return follow_target(node, log, text, &checkpoint);
    }
    return 0;
}

int recover_response(struct node *node, const struct call *call, const struct event *event)
{
    struct peer *peer = &node->peers[call->peer];
    struct arena arena;
    struct texts own, cosigned;
    peer->recover_token = 0;
    arena_init(&arena, 16 << 20);
    int rc = event->status == 200 ? body_texts(node, event->body, "log", &own, &arena) : E_PEER;
    rc = rc ? rc : body_texts(node, event->body, "cosigned", &cosigned, &arena);
    if (rc == E_NOMEM) {
        arena_free(&arena);
        return rc;
    }
    if (rc) {
        arena_free(&arena);
        retry_failed(node, &peer->recover);
        return recover_check(node); /* that may have been the last try */
    }
    retry_ok(&peer->recover);
    peer->answered = true;
    if (own.count && own.list[0].len)
        rc = own_note_told(node, own.list[0]);
    for (size_t i = 0; rc == 0 && i < cosigned.count; i++)
        rc = cosigned_told(node, cosigned.list[i]);
    arena_free(&arena);
    return rc ? rc : recover_check(node);
}

/* The signer stands where the backup stood: bring it to what it had signed itself, by its own signature. */
static int signer_advance(struct node *node)
{
    struct signer *signer = node->env.signer;
    struct signer_position position = {0};
    int rc = signer->ops->position(signer, KEY_LOG, span_str(node->self->origin), &position);
    if (rc == E_NOTFOUND)
        rc = 0;
    if (rc || position.size >= node->recovered_size || !node->recovered_size || !node->recovered_signed)
        return rc; /* a new signer, with new keys, begins at the first entry */
    for (uint64_t at = position.size, end; rc == 0 && at < node->recovered_size; at = end) {
        struct hash *leaves = NULL;
        end = at + FEED_LEAVES_MAX < node->recovered_size ? at + FEED_LEAVES_MAX : node->recovered_size;
        rc = own_leaves(node, at, end, &leaves);
        rc = rc ? rc : signer->ops->feed(signer, at, leaves, (size_t)(end - at));
        free(leaves);
    }
    return rc ? rc
              : signer->ops->advance(signer, node->recovered_size, &node->recovered_root, &node->recovered_signature);
}

/* The first statement of every log: this party accedes to this charter. */
static int accede(struct node *node)
{
    struct buf body;
    char circle[65];
    hash_hex(&node->roster->circle, circle);
    buf_init(&body, 4096);
    buf_printf(&body, "{\"comity\":\"accession/1\",\"party\":\"%s\",\"circle\":\"%s\"}\n", node->self->card.name,
               circle);
    int rc = body.error ? body.error
                        : submit_internal(node, "application/vnd.comity.accession+json", circle, buf_view(&body));
    buf_free(&body);
    return rc;
}

/* The signer has signed what neither the database nor anybody who was asked holds: its own log gets no further statement, for that would
   be a second tree. The node stays alive: it serves, follows, cosigns, pushes what it holds, and asks again for what is missing. */
static int ahead_begin(struct node *node)
{
    struct store *store = node->env.store;
    struct buf note;
    uint64_t size = 0;
    for (size_t i = 0; i < node->peer_count; i++) {
        struct peer *peer = &node->peers[i];
        if (peer->answered || peer->recover.failures >= OTHERS_TRIES_MAX)
            peer->recover = (struct retry){.at_ms = node->now_ms + node->poll_ms};
        peer->answered = false;
    }
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = store->ops->note_latest(store, node->own->id, NOTE_SIGNED, &size, &note);
    if (rc == 0)
        rc = own_note_take(node, &note);
    buf_free(&note);
    return rc == E_NOTFOUND ? 0 : rc;
}

/* What the signer has signed beyond what is held. */
static int ahead_read(struct node *node)
{
    struct signer *signer = node->env.signer;
    struct signer_position position = {0};
    int rc = signer->ops->position(signer, KEY_LOG, span_str(node->self->origin), &position);
    node->ahead = rc == 0 && position.size > node->own->size ? position : (struct signer_position){0};
    return rc == E_NOTFOUND ? 0 : rc;
}

bool recover_silent(const struct node *node)
{
    return node->recovering && !node->ahead.size;
}

int recover_check(struct node *node)
{
    if (!node->recovering)
        return 0;
    size_t answered = 0, absent = 0, all = 0, others = 0;
    for (size_t i = 0; i < node->peer_count; i++) {
        all += node->peers[i].is_mirror;
        answered += node->peers[i].is_mirror && node->peers[i].answered;
        absent += node->peers[i].is_mirror && node->peers[i].absent && !node->peers[i].answered;
        others += !node->peers[i].is_mirror && recover_asks(node, &node->peers[i]);
    }
    size_t needed = node->restored && node->recover_needed ? all : node->recover_needed;
    node->recover_needed = needed;
    if (answered + absent < needed || (node->restored && (others || node->own->size < node->recovered_size)))
        return 0;
    int rc = write_commit(node); /* what was caught up is durable before anything is signed */
    if (rc == 0)
        rc = signer_advance(node);
    if (rc == 0)
        rc = ahead_read(node);
    if (rc == 0 && node->ahead.size)
        return ahead_begin(node);
    if (rc == 0)
        rc = own_log_open(node);
    if (rc == 0)
        rc = own_leave_close(node);
    if (rc == 0)
        rc = restored_done(node);
    if (rc)
        return rc;
    node->recovering = false;
    return node->own->size == 0 ? accede(node) : 0;
}

/* Answering: the newest checkpoint of the asker's log that we know, and what of others' logs it has cosigned. */

/* Appends the note if there is one. */
static int note_json(struct node *node, struct held_log *log, enum note_kind kind, uint64_t at_least, struct buf *out,
                     bool comma)
{
    struct buf note, whole;
    uint64_t size;
    buf_init(&note, NOTE_BYTES_MAX);
    buf_init(&whole, NOTE_BYTES_MAX);
    struct store *store = node->env.store;
    int rc = at_least ? store->ops->note_at_least(store, log->id, kind, at_least, &size, &note)
                      : store->ops->note_latest(store, log->id, kind, &size, &note);
    bool there = rc == 0 && (!at_least || size == at_least);
    if (there && (rc = note_with_cosignatures(node, log, buf_view(&note), &whole)) == 0) {
        buf_text(out, comma ? "," : "");
        buf_json(out, buf_view(&whole));
    }
    buf_free(&note);
    buf_free(&whole);
    return rc == E_NOTFOUND ? 0 : rc;
}

struct greatest {
    const struct party *asker;
    uint64_t size;
};

static int greatest_visit(void *ctx, const struct stored_cosignature *c)
{
    struct greatest *greatest = ctx;
    bool ours = hash_eq(&c->kid, &greatest->asker->kids[KEY_MIRROR]);
    for (uint32_t e = 0; e < greatest->asker->former_count; e++)
        ours = ours || hash_eq(&c->kid, &greatest->asker->former[e].kids[KEY_MIRROR]);
    if (ours && c->size > greatest->size)
        greatest->size = c->size;
    return 0;
}

/* An error, rather than an answer that leaves out what cannot be read: the asker would take it for all that is known. */
int recover_answer(struct node *node, struct span name, struct buf *out)
{
    const struct party *asker = roster_party(node->roster, name);
    struct held_log *log = log_of(node, asker);
    int rc = 0;
    buf_text(out, "{\"log\":");
    size_t mark = out->len;
    if (log && !log->own)
        rc = note_json(node, log, log->pending_size > log->signed_size ? NOTE_PENDING : NOTE_SIGNED, 0, out, false);
    if (out->len == mark)
        buf_text(out, "\"\"");
    buf_text(out, ",\"cosigned\":[");
    mark = out->len;
    for (size_t i = 0; asker && asker->committee && i < node->log_count && rc == 0; i++) {
        struct greatest greatest = {.asker = asker};
        struct held_log *other = &node->logs[i];
        if (other == log)
            continue;
        rc = node->env.store->ops->cosignatures(node->env.store, other->id, 1, greatest_visit, &greatest);
        if (rc == 0 && greatest.size)
            rc = note_json(node, other, NOTE_SIGNED, greatest.size, out, out->len > mark);
    }
    buf_text(out, "]}\n");
    return rc;
}
