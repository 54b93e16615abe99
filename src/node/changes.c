/* Key changes, folded into the roster: each is found in a committee member's log, and counts once it stands there. The roster is always
   worked out anew from the charter, so that every node with the same entries and receipts has the same one. */
#include <stdio.h>
#include <stdlib.h>

#include "circle/change.h"
#include "crypto/sha256.h"
#include "node/state.h"

static const char view[] = "change";
enum { KEY_BYTES = 40, VALUE_BYTES = 48 };

int change_note(struct node *node, struct held_log *log, uint64_t index, const struct statement *s)
{
    uint8_t key[KEY_BYTES], value[VALUE_BYTES];
    struct store *store = node->env.store;
    memcpy(key, s->id.b, 32);
    u64_put(key + 32, (uint64_t)(log - node->logs));
    memcpy(value, key + 32, 8);
    u64_put(value + 8, index);
    memcpy(value + 16, s->document.b, 32);
    node->changes_due = true;
    return store->ops->view_put(store, span_str(view), span_of(key, sizeof key), span_of(value, sizeof value));
}

struct candidate {
    struct held_log *log;
    uint64_t index;
    bool spent;    /* applied, or of no use */
    uint64_t size; /* of the checkpoint under which it stood first */
    struct hash id, document;
};
struct candidates {
    struct node *node;
    size_t count;
    struct candidate list[ROSTER_CHANGES_MAX];
};

static int candidate_visit(void *ctx, struct span key, struct span value)
{
    struct candidates *all = ctx;
    if (key.len != KEY_BYTES || value.len != VALUE_BYTES || all->count == ROSTER_CHANGES_MAX)
        return 0;
    uint64_t log = u64_get(value.data);
    if (log >= all->node->log_count)
        return 0;
    struct candidate *c = &all->list[all->count++];
    *c = (struct candidate){.log = &all->node->logs[log], .index = u64_get(value.data + 8)};
    memcpy(c->id.b, key.data, 32);
    memcpy(c->document.b, value.data + 16, 32);
    return 0;
}

static void roster_reset(struct node *node)
{
    for (size_t i = 0; i < node->roster->count; i++)
        node->roster->parties[i] = node->charter->parties[i];
    node->roster->epoch = node->charter->epoch;
    node->change_count = 0;
    arena_free(&node->change_arena);
    arena_init(&node->change_arena, 64 << 20);
}

static int standing_anew(struct node *node)
{
    int rc = 0;
    for (size_t i = 0; i < node->log_count && rc == 0; i++) {
        node->logs[i].standing_size = 0;
        rc = standing_refresh(node, &node->logs[i]);
    }
    return rc;
}

/* Order = (instant, origin, index). */
static bool before(const struct candidate *a, int64_t at, const struct candidate *b, int64_t bt)
{
    int origins = strcmp(a->log->party->origin, b->log->party->origin);
    return at != bt ? at < bt : origins ? origins < 0 : a->index < b->index;
}

static int candidate_pick(struct node *node, struct candidates *all, struct candidate **best, int64_t *best_instant)
{
    *best = NULL;
    for (size_t i = 0; i < all->count; i++) {
        struct candidate *c = &all->list[i];
        struct support support;
        if (c->spent || document_missing(node, &c->document))
            continue;
        int rc = support_find(node, c->log, c->index, true, &support);
        if (rc)
            return rc;
        c->size = support.size;
        if (support.size && (!*best || before(c, support.instant, *best, *best_instant))) {
            *best = c;
            *best_instant = support.instant;
        }
    }
    return 0;
}

/* 0 also when it is refused: then it is of no use, now or later in this round. */
static int candidate_apply(struct node *node, struct candidate *c, int64_t instant)
{
    struct store *store = node->env.store;
    struct buf entry, document;
    struct statement s;
    struct span text;
    buf_init(&entry, STATEMENT_BYTES_MAX);
    buf_init(&document, KEY_CHANGE_BYTES_MAX);
    int rc = store->ops->entry_get(store, c->log->id, c->index, &entry);
    rc = rc ? rc : store->ops->document_get(store, &c->document, &document);
    rc = rc == E_LIMIT ? 0 : rc; /* then the document does not parse either */
    text = arena_copy(&node->change_arena,
                      buf_view(&document)); /* the card's strings are copied, the rest may point here */
    c->spent = true;
    if (rc == 0 && statement_parse(&s, buf_view(&entry), NULL) == 0 &&
        key_change_screen(node->roster, &s, c->log->party, NULL) == 0 &&
        key_change_apply(node->roster, &s, text, instant, &node->change_arena, NULL) == 0)
        node->changes[node->change_count++] = (struct applied_change){
            .id = c->id, .log = (size_t)(c->log - node->logs), .index = c->index, .size = c->size};
    buf_free(&entry);
    buf_free(&document);
    return rc;
}

/* A pending checkpoint by a replaced key past its cut is void: the mirror is back at what it has cosigned. */
static void pending_check(struct node *node, struct held_log *log)
{
    struct store *store = node->env.store;
    struct checkpoint checkpoint;
    struct note note;
    struct buf bytes;
    uint64_t found;
    buf_init(&bytes, NOTE_BYTES_MAX);
    if (log->pending_size > log->mirrored_size &&
        store->ops->note_at_least(store, log->id, NOTE_PENDING, log->pending_size, &found, &bytes) == 0 &&
        checkpoint_parse(&checkpoint, &note, buf_view(&bytes), NULL) == 0 &&
        party_log_signed(log->party, &note, &checkpoint, 0) != 0) {
        log->pending_size = log->mirrored_size;
        log->pending_root = log->mirrored_root;
    }
    buf_free(&bytes);
}

static int changes_apply(struct node *node, struct candidates *all)
{
    struct candidate *best;
    int64_t instant = 0;
    roster_reset(node);
    int rc = standing_anew(node);
    while (rc == 0 && (rc = candidate_pick(node, all, &best, &instant)) == 0 && best) {
        rc = candidate_apply(node, best, instant);
        rc = rc ? rc : standing_anew(node);
    }
    for (size_t i = 0; i < node->log_count; i++)
        pending_check(node, &node->logs[i]);
    node->changes_due = false;
    return rc;
}

static bool same_changes(const struct node *node, const struct applied_change *old, size_t count)
{
    bool same = count == node->change_count;
    for (size_t i = 0; i < count && same; i++)
        same = hash_eq(&old[i].id, &node->changes[i].id);
    return same;
}

int changes_refresh(struct node *node, bool refold)
{
    struct candidates *all = calloc(1, sizeof *all);
    struct applied_change *old = NULL;
    size_t old_count = node->change_count;
    node->changes_due = false;
    if (!all)
        return E_NOMEM;
    all->node = node;
    int rc = node->env.store->ops->view_scan(node->env.store, span_str(view), span_of(NULL, 0), candidate_visit, all);
    if (rc == 0 && (all->count || old_count) && (old = calloc(old_count + 1, sizeof *old)) == NULL)
        rc = E_NOMEM;
    if (rc == 0 && old) {
        memcpy(old, node->changes, old_count * sizeof *old);
        rc = changes_apply(node, all);
        if (rc == 0 && refold && !same_changes(node, old, old_count))
            rc = views_fold(node);
        node->changes_due = false; /* the same entries as before */
    }
    free(old);
    free(all);
    /* Our own keys were replaced: whoever did it has a node of its own, and this one must sign no more. */
    bool replaced = node->self->former_count > node->charter->parties[node->self->number].former_count;
    return rc < 0 ? rc : replaced ? E_KEY : 0;
}

/* POST /key-change: two bytes of length, the statement, its document. Only its own recovery key can have signed it, so anybody may bring
   it; this committee member takes it into its own log. */
int change_offered(struct node *node, const struct event *event)
{
    struct statement s;
    struct fault fault = {0};
    struct hash hash;
    struct span body = event->body, document = {0};
    log_id log;
    uint64_t index;
    size_t len = body.len < 2 ? 0 : (size_t)body.data[0] << 8 | body.data[1];
    int rc =
        body.len < 2 || body.len - 2 < len ? fail(&fault, E_TRUNCATED, "two bytes of length, statement, document") : 0;
    if (rc == 0) {
        document = span_from(body, 2 + len);
        rc = statement_parse(&s, span_of(body.data + 2, len), &fault);
    }
    rc = rc ? rc : key_change_screen(node->roster, &s, node->self, &fault);
    if (rc == 0) {
        const struct party *party = roster_party(node->roster, s.issuer);
        struct roster trial;
        struct arena arena;
        arena_init(&arena, 16 << 20);
        rc = roster_copy(&trial, node->roster, &arena);
        rc = rc ? rc : key_change_apply(&trial, &s, document, now_seconds(node), &arena, &fault);
        arena_free(&arena);
        sha256(document, &hash);
        if (rc && party->former_count && hash_eq(&party->former[party->former_count - 1].change, &s.id))
            rc = 0; /* it stands already */
    }
    if (rc == 0 && node->recovering)
        rc = fail(&fault, E_RECOVERING, "this committee member is starting; ask again, or another one");
    if (rc == 0 && node->own->left)
        rc = fail(&fault, E_LEFT, "this committee member has left, its log is closed; ask another one");
    if (rc) {
        fault.code = rc;
        reply_error(node, event->token, rc == E_RECOVERING ? 503 : 400, &fault);
        return 0;
    }
    if (node->env.store->ops->entry_find(node->env.store, &s.id, &log, &index) == 0 && log == node->own->id) {
        reply(node, event->token, 200, "text/plain", "");
        return 0;
    }
    return entry_ready(node, s.bytes, &hash, document, event->token);
}

/* What a verifier needs offline: the charter as this node was given it, with the changes that it has learned since. */
int node_bundle(struct node *node, struct buf *out, struct fault *fault)
{
    struct bundle_change *changes = calloc(node->change_count + 1, sizeof *changes);
    struct buf *bytes = calloc(2 * node->change_count + 1, sizeof *bytes);
    int rc = !changes || !bytes ? E_NOMEM : 0;
    if (rc == 0 && !node->charter_text.len)
        rc = fail(fault, E_STATE, "this node is in no circle yet: accede to a charter first");
    for (size_t i = 0; rc == 0 && i < node->change_count; i++) {
        const struct applied_change *change = &node->changes[i];
        struct held_log *log = &node->logs[change->log];
        struct statement s;
        struct buf entry;
        buf_init(&bytes[2 * i], RECEIPT_BYTES_MAX);
        buf_init(&bytes[2 * i + 1], KEY_CHANGE_BYTES_MAX);
        buf_init(&entry, STATEMENT_BYTES_MAX);
        rc = receipt_at(node, log, change->index, change->size, &bytes[2 * i]);
        rc = rc ? rc : node->env.store->ops->entry_get(node->env.store, log->id, change->index, &entry);
        rc = rc ? rc : statement_parse(&s, buf_view(&entry), fault);
        rc = rc ? rc : node->env.store->ops->document_get(node->env.store, &s.document, &bytes[2 * i + 1]);
        buf_free(&entry);
        changes[i] =
            (struct bundle_change){.receipt = buf_view(&bytes[2 * i]), .document = buf_view(&bytes[2 * i + 1])};
    }
    rc = rc ? rc : bundle_extend(out, node->charter_text, changes, node->change_count, fault);
    for (size_t i = 0; bytes && i < 2 * node->change_count; i++)
        buf_free(&bytes[i]);
    free(bytes);
    free(changes);
    return rc;
}
