/* Documents that statements name and that we do not hold: pulled from the log's owner or any mirror, several at once. The memory is
   bounded: DOCUMENT_PULLS_MAX small ones, and one large one. A source that fails is left alone for a while and the others go on; one
   that is slow holds the calls that it has, and gets no more. What a cut leaves behind is resumed by Range, from any source. */
#include <stdio.h>

#include "crypto/sha256.h"
#include "node/state.h"

enum { WANTED_SCANNED_MAX = 1024 /* rows looked at in one step */ };

void document_pulls_open(struct node *node)
{
    for (size_t i = 0; i < DOCUMENT_PULLS_MAX; i++)
        buf_init(&node->documents.pulls[i].partial, DOCUMENT_BYTES_MAX);
}

void document_pulls_close(struct node *node)
{
    for (size_t i = 0; i < DOCUMENT_PULLS_MAX; i++)
        buf_free(&node->documents.pulls[i].partial);
}

static void pull_free(struct document_pull *pull)
{
    struct buf kept = pull->partial;
    buf_reset(&kept);
    *pull = (struct document_pull){.partial = kept};
}

static struct document_pull *pull_of(struct document_pulls *all, const struct hash *hash)
{
    for (size_t i = 0; i < DOCUMENT_PULLS_MAX; i++)
        if (all->pulls[i].log && hash_eq(&all->pulls[i].hash, hash))
            return &all->pulls[i];
    return NULL;
}

static struct document_pull *pull_unused(struct document_pulls *all)
{
    for (size_t i = 0; i < DOCUMENT_PULLS_MAX; i++)
        if (!all->pulls[i].log)
            return &all->pulls[i];
    return NULL;
}

static bool large_known(const struct document_pulls *all, const struct hash *hash)
{
    for (size_t i = 0; i < LARGE_KNOWN_MAX; i++)
        if (hash_eq(&all->large_known[i], hash))
            return true;
    return false;
}

static bool large_under_way(const struct document_pulls *all)
{
    for (size_t i = 0; i < DOCUMENT_PULLS_MAX; i++)
        if (all->pulls[i].log && all->pulls[i].large)
            return true;
    return false;
}

/* Who may have the documents of a log: its owner, and the mirrors of the committee; our own past, after a restore, anybody. */
static bool is_source(const struct node *node, const struct peer *peer, const struct held_log *log)
{
    return peer->is_mirror || peer->party == log->party || (log->own && node->restored);
}

static bool can_be_asked(const struct node *node, const struct peer *peer)
{
    return peer->fetching < DOCUMENT_PULLS_PER_SOURCE && retry_due(node, &peer->fetch);
}

static bool was_asked(const struct document_pull *pull, size_t peer)
{
    return pull->asked[peer / 64] >> peer % 64 & 1;
}

/* The owner while it has a call to spare, then the mirrors in turn. NULL when none can be asked now; `exhausted` when that is so
   because all have been. */
static struct peer *source_next(struct node *node, const struct held_log *log, const struct document_pull *pull,
                                bool *exhausted)
{
    struct peer *found = NULL;
    size_t n = node->peer_count, turn = node->documents.turn++;
    *exhausted = true;
    for (size_t i = 0; i < n; i++) {
        size_t at = (turn + i) % n;
        struct peer *peer = &node->peers[at];
        if (!is_source(node, peer, log) || (pull && was_asked(pull, at)))
            continue;
        *exhausted = false;
        if (!can_be_asked(node, peer))
            continue;
        if (peer->party == log->party)
            return peer;
        found = found ? found : peer;
    }
    return found;
}

static void pull_send(struct node *node, struct document_pull *pull, struct peer *peer)
{
    char hex[65];
    size_t number = (size_t)(peer - node->peers);
    struct action *action = send_add(node, CALL_PULL_DOCUMENT, number, (size_t)(pull->log - node->logs), "GET");
    hash_hex(&pull->hash, hex);
    (void)snprintf(action->path, sizeof action->path, "/documents/%s", hex);
    call_last(node)->hash = pull->hash;
    action->range_from = pull->partial.len;
    action->body_max = pull->large ? DOCUMENT_BYTES_MAX : DOCUMENT_PULL_SMALL_MAX;
    pull->token = action->token;
    pull->asked[number / 64] |= (uint64_t)1 << number % 64;
    peer->fetching++;
}

/* Asks the next source. Without one the place is given up: the row is met again when the scan comes round. */
static void pull_go_on(struct node *node, struct document_pull *pull)
{
    bool exhausted;
    struct peer *peer = source_next(node, pull->log, pull, &exhausted);
    if (peer) {
        pull_send(node, pull, peer);
        return;
    }
    if (exhausted)
        retry_failed(node, &pull->log->document_retry); /* nobody has it now */
    pull_free(pull);
}

struct wanted_scan {
    struct node *node;
    unsigned rows;
    bool from_start;
};

static int wanted_visit(void *ctx, struct span key, struct span value)
{
    struct wanted_scan *scan = ctx;
    struct node *node = scan->node;
    struct document_pulls *all = &node->documents;
    struct hash hash;
    uint64_t number = value.len == WANTED_BYTES ? u64_get(value.data) : UINT64_MAX;
    bool exhausted;
    if (key.len != 64 || number >= node->log_count)
        return E_CORRUPT;
    struct held_log *log = &node->logs[number];
    struct document_pull *unused = pull_unused(all);
    if (!unused || scan->rows++ == WANTED_SCANNED_MAX)
        return 1;
    log->wanted_seen = true;
    memcpy(hash.b, key.data, sizeof hash.b);
    memcpy(all->cursor, key.data, sizeof all->cursor);
    all->cursor_set = true;
    if (!retry_due(node, &log->document_retry) || pull_of(all, &hash))
        return 0;
    if (quota_bytes_spent(node, log) && u64_get(value.data + 8) >= log->standing_size) {
        log->quota_waits = true;
        return 0;
    }
    bool large = large_known(all, &hash);
    struct peer *peer = large && large_under_way(all) ? NULL : source_next(node, log, NULL, &exhausted);
    if (!peer)
        return 0;
    unused->log = log;
    unused->hash = hash;
    unused->large = large;
    pull_send(node, unused, peer);
    return 0;
}

/* The scan has come to the end: logs of which it has met no row want nothing any more. */
static void scan_round(struct node *node)
{
    node->documents.cursor_set = false;
    for (size_t i = 0; i < node->log_count; i++) {
        struct held_log *log = &node->logs[i];
        log->wanted = log->wanted && log->wanted_seen;
        log->wanted_seen = false;
        if (log->quota_waits) /* until the next day, or until they stand */
            log->document_retry.at_ms = node->now_ms + node->poll_ms;
        log->quota_waits = false;
        if (!log->wanted)
            retry_ok(&log->document_retry); /* the clock has nothing to wait for */
    }
}

static int scan_run(struct node *node, struct wanted_scan *scan)
{
    struct document_pulls *all = &node->documents;
    uint8_t from[sizeof all->cursor + 1] = {0}; /* just behind the cursor */
    memcpy(from, all->cursor, sizeof all->cursor);
    scan->from_start = !all->cursor_set;
    int rc = node->env.store->ops->view_scan(node->env.store, span_str("wanted"),
                                             all->cursor_set ? span_of(from, sizeof from) : span_of(NULL, 0),
                                             wanted_visit, scan);
    if (rc == 0)
        scan_round(node);
    return rc;
}

static bool scan_is_due(const struct node *node)
{
    for (size_t i = 0; i < node->log_count; i++)
        for (size_t j = 0;
             node->logs[i].wanted && retry_due(node, &node->logs[i].document_retry) && j < node->peer_count; j++)
            if (is_source(node, &node->peers[j], &node->logs[i]) && can_be_asked(node, &node->peers[j]))
                return true;
    return false;
}

int documents_start(struct node *node)
{
    struct wanted_scan scan = {.node = node};
    node->documents.more = false;
    if (!pull_unused(&node->documents) || !scan_is_due(node))
        return 0;
    int rc = scan_run(node, &scan);
    if (rc == 0 && !scan.from_start && pull_unused(&node->documents))
        rc = scan_run(node, &scan);
    node->documents.more = rc == 1 && pull_unused(&node->documents); /* it stopped for the number of rows alone */
    return rc < 0 ? rc : 0;
}

int64_t documents_due(const struct node *node)
{
    int64_t due = INT64_MAX;
    if (node->documents.more)
        return node->now_ms;
    for (size_t i = 0; i < node->log_count; i++) {
        const struct held_log *log = &node->logs[i];
        if (log->wanted && !retry_due(node, &log->document_retry) && log->document_retry.at_ms < due)
            due = log->document_retry.at_ms;
    }
    bool wanted = false;
    for (size_t i = 0; i < node->log_count; i++)
        wanted = wanted || node->logs[i].wanted;
    for (size_t i = 0; wanted && i < node->peer_count; i++)
        if (!retry_due(node, &node->peers[i].fetch) && node->peers[i].fetch.at_ms < due)
            due = node->peers[i].fetch.at_ms;
    return due;
}

/* It is larger than a small one may be: it goes on as the large one, or waits until that is free. */
static void pull_is_large(struct node *node, struct document_pull *pull, struct peer *peer)
{
    struct document_pulls *all = &node->documents;
    if (!large_known(all, &pull->hash))
        all->large_known[all->large_next++ % LARGE_KNOWN_MAX] = pull->hash;
    if (large_under_way(all)) {
        pull_free(pull);
        return;
    }
    pull->large = true;
    pull_send(node, pull, peer);
}

static int pull_done(struct node *node, struct document_pull *pull)
{
    struct hash hash = pull->hash;
    retry_ok(&pull->log->document_retry);
    int rc = document_missing(node, &hash) ? document_take(node, &hash, LABEL_CLOSED, buf_view(&pull->partial)) : 0;
    pull_free(pull);
    return rc;
}

int document_came(struct node *node, const struct call *call, const struct event *event)
{
    struct document_pull *pull = pull_of(&node->documents, &call->hash);
    struct peer *peer = &node->peers[call->peer];
    struct hash hash;
    peer->fetching--;
    if (!pull || pull->token != call->token)
        return 0;
    pull->token = 0;
    if (event->status == RESPONSE_TOO_LARGE && !pull->large) {
        buf_reset(&pull->partial);
        pull_is_large(node, pull, peer);
        return 0;
    }
    bool whole = response_join(&pull->partial, event);
    sha256(buf_view(&pull->partial), &hash);
    if (whole && hash_eq(&hash, &call->hash)) {
        retry_ok(&peer->fetch);
        return pull_done(node, pull);
    }
    if (event->status == RESPONSE_CUT && event->body.len) { /* a cut with progress is no failure: ask on at once */
        if (!pull->large && pull->partial.len > DOCUMENT_PULL_SMALL_MAX)
            pull_is_large(node, pull, peer);
        else
            pull_send(node, pull, peer);
        return 0;
    }
    bool has_not = event->status == 403 || event->status == 404 || event->status == 410;
    if (!has_not && retry_due(node, &peer->fetch)) /* calls that fail together are one failure */
        retry_failed(node, &peer->fetch);
    if (!has_not || whole)
        buf_reset(&pull->partial);
    pull_go_on(node, pull);
    return 0;
}
