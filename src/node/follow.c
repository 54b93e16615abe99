/* Following a log by pulling it, from its owner or any mirror. A short pull stages at most two bundles and checks the root once; a long
   one first fetches the level-1 hashes that lead to the root, and then commits bundle by bundle, so that it resumes anywhere. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "node/state.h"

static void pull_drop(struct pull *pull)
{
    pull->target = 0;
    pull->checked = false;
    pull->staged_count = 0;
    buf_reset(&pull->note);
    buf_reset(&pull->hashes);
    buf_reset(&pull->partial);
    buf_reset(&pull->staged);
}

static bool pull_is_short(const struct held_log *log)
{
    return log->pull.target / TILE_WIDTH <= log->size / TILE_WIDTH + 1;
}

int follow_target(struct node *node, struct held_log *log, struct span note_bytes, const struct checkpoint *checkpoint)
{
    struct pull *pull = &log->pull;
    if (checkpoint->size <= log->size) {
        if (checkpoint->size <= log->signed_size || checkpoint->size < log->pending_size)
            return 0;
        int rc = write_begin(node); /* held already by mirroring: only the note is new */
        if (rc == 0)
            rc = node->env.store->ops->note_put(node->env.store, log->id, NOTE_SIGNED, checkpoint->size, note_bytes);
        log->signed_size = checkpoint->size;
        return rc;
    }
    if (checkpoint->size <= pull->target ||
        (checkpoint->size > log->must_hold && !quota_allows(node, log, checkpoint->size)))
        return 0;
    if (!pull->token) {
        pull_drop(pull);
    } else if (pull->checked || !pull_is_short(log)) {
        return 0; /* a long pull under way ends first; the next poll tells of this again */
    }
    pull->target = checkpoint->size;
    pull->root = checkpoint->root;
    buf_reset(&pull->note);
    buf_span(&pull->note, note_bytes);
    pull->staged_count = 0;
    buf_reset(&pull->staged);
    if (!pull->retry.at_ms && node->self->committee && !node->recovering && !log->own)
        pull->retry.at_ms = node->now_ms + PULL_GRACE_MS; /* the writer pushes to its mirrors */
    return 0;
}

/* Whom to ask: the owner first, then the mirrors, in turn; never ourselves. NULL when there is nobody. */
static struct peer *source_pick(struct node *node, const struct held_log *log, size_t turn, char prefix[static 80])
{
    char hex[65];
    size_t n = node->peer_count;
    for (size_t i = 0; i < n + 1; i++) {
        size_t at = (turn + i) % (n + 1);
        if (at == 0 && !log->own) {
            prefix[0] = 0;
            return &node->peers[peer_index(node, log->party)];
        }
        struct peer *peer = at ? &node->peers[at - 1] : NULL;
        bool may =
            peer && (peer->is_mirror || (log->own && node->restored)); /* our own past is taken from whoever has it */
        if (!may || peer->party == log->party)
            continue;
        hash_hex(&log->party->origin_hash, hex);
        (void)snprintf(prefix, 80, "/mirror/%s", hex);
        return peer;
    }
    return NULL;
}

/* What a pull needs next. */
struct resource {
    enum call_kind kind;
    int level;
    uint64_t index;
    unsigned width;
};

static struct resource resource_of(enum call_kind kind, int level, uint64_t from, uint64_t count)
{
    uint64_t left = count - from / TILE_WIDTH * TILE_WIDTH;
    return (struct resource){kind, level, from / TILE_WIDTH, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH};
}

/* Long pull: level-1 tiles from the first bundle on, then the last level-0 tile; hashes.len tells how far we are. Then, and in a short
   pull at once, the bundles. */
static struct resource resource_next(struct held_log *log)
{
    struct pull *pull = &log->pull;
    uint64_t full = pull->target / TILE_WIDTH;
    if (pull->checked || pull_is_short(log))
        return resource_of(CALL_PULL_BUNDLE, -1, log->size + pull->staged_count, pull->target);
    pull->first = log->size / TILE_WIDTH;
    uint64_t have =
        pull->first / TILE_WIDTH * TILE_WIDTH + pull->hashes.len / 32; /* level-1 tiles are fetched from their start */
    return have < full ? resource_of(CALL_PULL_TILE, 1, have, full)
                       : resource_of(CALL_PULL_TILE, 0, full * TILE_WIDTH, pull->target);
}

static void resource_send(struct node *node, struct held_log *log)
{
    char prefix[80], path[64];
    struct resource next = resource_next(log);
    struct peer *peer = source_pick(node, log, log->pull.source, prefix);
    if (!peer)
        return;
    struct action *action = send_add(node, next.kind, (size_t)(peer - node->peers), (size_t)(log - node->logs), "GET");
    tile_path(path, next.level, next.index, next.width);
    (void)snprintf(action->path, sizeof action->path, "%s/%s", prefix, path);
    action->range_from = log->pull.partial.len;
    action->body_max = BUNDLE_BYTES_MAX;
    log->pull.token = action->token;
}

static const struct hash *pull_hash(const struct pull *pull, uint64_t n)
{
    return (const struct hash *)(const void *)(pull->hashes.data + n * 32);
}

/* Do the level-1 hashes and the last leaves continue what we hold, up to the root? */
static bool hashes_check(struct node *node, struct held_log *log)
{
    struct pull *pull = &log->pull;
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    struct frontier frontier;
    struct hash root;
    uint64_t full = pull->target / TILE_WIDTH, base = pull->first / TILE_WIDTH * TILE_WIDTH;
    if (tree_frontier(&tiles, pull->first * TILE_WIDTH, &frontier) != 0)
        return false;
    frontier.size = pull->first; /* the same subtrees, counted in bundles */
    for (uint64_t b = pull->first; b < full; b++)
        frontier_append(&frontier, pull_hash(pull, b - base));
    frontier.size = full * TILE_WIDTH;
    for (uint64_t i = 0; i < pull->target % TILE_WIDTH; i++)
        frontier_append(&frontier, pull_hash(pull, full - base + i));
    frontier_root(&frontier, &root);
    return hash_eq(&root, &pull->root);
}

static void pull_failed(struct node *node, struct held_log *log, bool lied)
{
    struct pull *pull = &log->pull;
    pull->token = 0;
    pull->source++;
    pull->staged_count = 0;
    buf_reset(&pull->staged);
    buf_reset(&pull->partial);
    if (lied) {
        pull->checked = false;
        buf_reset(&pull->hashes);
    }
    retry_failed(node, &pull->retry);
}

static int pull_done(struct node *node, struct held_log *log)
{
    struct pull *pull = &log->pull;
    struct store *store = node->env.store;
    struct checkpoint checkpoint;
    struct note note;
    int rc = store->ops->note_put(store, log->id, NOTE_SIGNED, pull->target, buf_view(&pull->note));
    if (pull->target > log->signed_size)
        log->signed_size = pull->target;
    if (rc == 0 && checkpoint_parse(&checkpoint, &note, buf_view(&pull->note), NULL) == 0)
        rc = cosignatures_take(node, log, &note, &checkpoint, NULL, span_of(NULL, 0));
    rc = rc ? rc : faces_pending(node, log);
    retry_ok(&pull->retry);
    pull_drop(pull);
    return rc == 0 && node->recovering ? recover_check(node) : rc;
}

/* Before a source is called a liar: is the frontier that was read at the start still what the tiles say? A bit that was read wrong
   then would make every true bundle look false. */
static int frontier_check(struct node *node, struct held_log *log)
{
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(node, log, &space);
    struct hash root, kept;
    int rc = tree_root(&tiles, log->size, &root);
    frontier_root(&log->frontier, &kept);
    return rc == 0 && !hash_eq(&root, &kept) ? E_CORRUPT : rc;
}

/* Short pull: after the last staged bundle, the root must be the checkpoint's. */
static int staged_commit(struct node *node, struct held_log *log)
{
    struct pull *pull = &log->pull;
    size_t count = 0, max = 2 * TILE_WIDTH;
    struct span *entries = calloc(max, sizeof *entries);
    struct hash *ids = calloc(max, sizeof *ids), root;
    struct frontier frontier = log->frontier;
    int rc = entries && ids ? bundle_parse(buf_view(&pull->staged), entries, max, &count) : E_NOMEM;
    for (size_t i = 0; i < count && rc == 0; i++) {
        tree_leaf(entries[i], &ids[i]);
        frontier_append(&frontier, &ids[i]);
    }
    frontier_root(&frontier, &root);
    bool good = rc == 0 && hash_eq(&root, &pull->root);
    if (good)
        rc = entries_take(node, log, entries, ids, count);
    free(entries);
    free(ids);
    if (rc == E_NOMEM || (good && rc))
        return rc;
    if (good)
        return pull_done(node, log);
    pull_failed(node, log, true);
    return frontier_check(node, log);
}

struct bundle {
    size_t count;
    struct span entries[TILE_WIDTH];
    struct hash ids[TILE_WIDTH];
};

static bool bundle_check(const struct held_log *log, uint64_t number, const struct bundle *bundle)
{
    const struct pull *pull = &log->pull;
    uint64_t base = pull->first / TILE_WIDTH * TILE_WIDTH;
    struct frontier frontier = {0};
    struct hash root;
    if (number >= pull->target / TILE_WIDTH)
        return bundle->count == pull->target % TILE_WIDTH &&
               memcmp(bundle->ids, pull_hash(pull, number - base), bundle->count * 32) == 0;
    for (size_t i = 0; i < bundle->count; i++)
        frontier_append(&frontier, &bundle->ids[i]);
    frontier_root(&frontier, &root);
    return bundle->count == TILE_WIDTH && hash_eq(&root, pull_hash(pull, number - base));
}

static int bundle_arrived(struct node *node, struct held_log *log, struct span bytes)
{
    struct pull *pull = &log->pull;
    uint64_t at = log->size + pull->staged_count, number = at / TILE_WIDTH;
    size_t skip = (size_t)(at % TILE_WIDTH);
    struct bundle *bundle = calloc(1, sizeof *bundle);
    int rc = bundle ? bundle_parse(bytes, bundle->entries, TILE_WIDTH, &bundle->count) : E_NOMEM;
    if (rc == 0 && bundle->count > skip && !pull->checked) {
        for (size_t i = skip; i < bundle->count; i++)
            bundle_add(&pull->staged, bundle->entries[i]);
        pull->staged_count += bundle->count - skip;
        bool all = log->size + pull->staged_count >= pull->target;
        pull->token = 0;
        free(bundle);
        return pull->staged.error ? pull->staged.error : all ? staged_commit(node, log) : 0;
    }
    for (size_t i = 0; rc == 0 && i < bundle->count; i++)
        tree_leaf(bundle->entries[i], &bundle->ids[i]);
    bool good = rc == 0 && bundle->count > skip && bundle_check(log, number, bundle);
    if (good)
        rc = entries_take(node, log, bundle->entries + skip, bundle->ids + skip, bundle->count - skip);
    free(bundle);
    pull->token = 0;
    if (rc == E_NOMEM || (good && rc))
        return rc;
    if (!good)
        pull_failed(node, log, true);
    else
        retry_ok(&pull->retry);
    return good && log->size == pull->target ? pull_done(node, log) : 0;
}

static int tile_arrived(struct node *node, struct held_log *log, struct span bytes)
{
    struct pull *pull = &log->pull;
    uint64_t base = pull->first / TILE_WIDTH * TILE_WIDTH;
    uint64_t want = pull->target / TILE_WIDTH - base + pull->target % TILE_WIDTH;
    pull->token = 0;
    if (bytes.len % 32 || !bytes.len) {
        pull_failed(node, log, true);
        return 0;
    }
    buf_span(&pull->hashes, bytes);
    if (pull->hashes.len / 32 < want)
        return 0;
    pull->checked = pull->hashes.len / 32 == want && hashes_check(node, log);
    if (!pull->checked)
        pull_failed(node, log, true);
    return 0;
}

/* Joins what arrived to what had arrived before the cut. True when it is whole now. */
bool response_join(struct buf *partial, const struct event *event)
{
    if (event->status == 200)
        buf_reset(partial); /* the server sent all of it, whatever we asked for */
    if (event->status == 200 || event->status == 206 || event->status == RESPONSE_CUT)
        buf_span(partial, event->body);
    return (event->status == 200 || event->status == 206) && !partial->error;
}

static int resource_take(struct node *node, struct held_log *log, enum call_kind kind, struct span bytes)
{
    return kind == CALL_PULL_TILE ? tile_arrived(node, log, bytes) : bundle_arrived(node, log, bytes);
}

bool follow_wants(const struct node *node, struct held_log *log, char path[static 64])
{
    if (!log->pull.target || log->pull.target <= log->size || (log->own && !node->recovering))
        return false;
    struct resource next = resource_next(log);
    tile_path(path, next.level, next.index, next.width);
    return true;
}

int follow_carried(struct node *node, struct held_log *log, struct span path, struct span bytes, bool *taken)
{
    char wanted[64];
    unsigned failures = log->pull.retry.failures;
    *taken = follow_wants(node, log, wanted) && span_is(path, wanted);
    if (!*taken)
        return 0;
    log->pull.token = 0; /* whoever was asked may answer; it is no more waited for */
    buf_reset(&log->pull.partial);
    int rc = resource_take(node, log, resource_next(log).kind, bytes);
    *taken = log->pull.retry.failures <= failures;
    return rc;
}

static int resource_came(struct node *node, struct held_log *log, const struct call *call, const struct event *event)
{
    struct pull *pull = &log->pull;
    if (pull->token != call->token)
        return 0;
    if (event->status == RESPONSE_CUT && event->body.len) {
        (void)response_join(&pull->partial, event);
        pull->token = 0;
        return 0;
    }
    if (!response_join(&pull->partial, event)) {
        pull_failed(node, log, false);
        return 0;
    }
    struct buf whole = pull->partial; /* taken out, so that the handlers may start the next one */
    buf_init(&pull->partial, BUNDLE_BYTES_MAX);
    int rc = resource_take(node, log, call->kind, buf_view(&whole));
    buf_free(&whole);
    return rc;
}

static int polled(struct node *node, struct peer *peer, const struct event *event)
{
    const char *origin = log_of(node, peer->party)->party->origin;
    int status = 0, rc = 0;
    peer->poll_token = 0;
    if (event->status == 404 && !peer->poll.failures) {
        peer->poll = (struct retry){.at_ms = node->now_ms + node->poll_ms};
        return 0;
    }
    if (event->status == 200 && span_starts(event->body, origin) && event->body.len > strlen(origin) &&
        event->body.data[strlen(origin)] == '\n')
        rc = checkpoint_heard(node, event->body, &status);
    if (status == 200) {
        uint64_t jitter = node->env.random ? node->env.random(node->env.ctx) % ((uint64_t)node->poll_ms / 2) : 0;
        peer->poll = (struct retry){.at_ms = node->now_ms + node->poll_ms / 2 + (int64_t)jitter};
    } else {
        retry_failed(node, &peer->poll);
    }
    return rc;
}

/* Each party's newest checkpoint: from itself, and after a failure from the mirrors in turn, so that a log is followed while its
   writer is away. */
static void poll_start(struct node *node)
{
    for (size_t i = 0; i < node->peer_count; i++) {
        struct peer *peer = &node->peers[i];
        struct held_log *log = log_of(node, peer->party);
        char prefix[80];
        if (peer->poll_token || !retry_due(node, &peer->poll))
            continue;
        struct peer *source = source_pick(node, log, peer->poll.failures, prefix);
        if (!source)
            continue;
        struct action *action =
            send_add(node, CALL_POLL, (size_t)(source - node->peers), (size_t)(log - node->logs), "GET");
        (void)snprintf(action->path, sizeof action->path, "%s/checkpoint", prefix);
        peer->poll_token = action->token;
    }
}

int follow_start(struct node *node)
{
    int rc = 0;
    poll_start(node);
    for (size_t i = 0; i < node->log_count && rc == 0; i++) {
        struct held_log *log = &node->logs[i];
        struct pull *pull = &log->pull;
        if (pull->target && pull->target <= log->size && !pull->token) { /* pushed to us meanwhile */
            rc = write_begin(node);
            rc = rc ? rc : pull_done(node, log);
        }
        if (rc == 0 && pull->target && !pull->token && retry_due(node, &pull->retry) && (!log->own || node->recovering))
            resource_send(node, log);
    }
    return rc ? rc : documents_start(node);
}

int follow_response(struct node *node, const struct call *call, const struct event *event)
{
    if (call->kind == CALL_POLL)
        return polled(node, &node->peers[peer_index(node, node->logs[call->log].party)], event);
    return call->kind == CALL_PULL_DOCUMENT ? document_came(node, call, event)
                                            : resource_came(node, &node->logs[call->log], call, event);
}
