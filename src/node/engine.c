#include "circle/change.h"
#include "node/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "node/matching.h"
#include "node/state.h"

int64_t now_seconds(const struct node *node)
{
    return node->env.clock ? node->env.clock(node->env.ctx) : node->now_ms / 1000;
}

int write_begin(struct node *node)
{
    if (node->writing)
        return 0;
    int rc = node->env.store->ops->begin(node->env.store);
    node->writing = rc == 0;
    return rc;
}

/* Memory that ran out, or an error of the disk that was passed over while reading: what was decided since may be wrong. */
int node_sound(const struct node *node)
{
    int rc = node->env.store->ops->health(node->env.store);
    return rc ? rc : node->failed;
}

int write_commit(struct node *node)
{
    int rc = node_sound(node);
    if (rc || !node->writing)
        return rc;
    rc = quotas_keep(node);
    if (rc)
        return rc;
    node->writing = false;
    return node->env.store->ops->commit(node->env.store);
}

void actions_clear(struct actions *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        buf_free(&actions->list[i].body);
    free(actions->list);
    *actions = (struct actions){0};
}

/* Without memory for an action the step ends with E_NOMEM, and nothing of it goes out; until then this one stands in. */
static struct action *action_spare(struct node *node, enum action_kind kind)
{
    node->failed = E_NOMEM;
    node->spare = (struct action){.kind = kind}; /* its body takes no bytes */
    return &node->spare;
}

struct action *action_add(struct node *node, enum action_kind kind)
{
    struct actions *all = node->actions;
    if (all->count == all->cap) {
        size_t cap = all->cap ? all->cap * 2 : 16;
        struct action *list = realloc(all->list, cap * sizeof *list);
        if (!list)
            return action_spare(node, kind);
        all->list = list;
        all->cap = cap;
    }
    struct action *action = &all->list[all->count++];
    *action = (struct action){.kind = kind};
    buf_init(&action->body, HTTP_BODY_MAX);
    return action;
}

struct action *send_add(struct node *node, enum call_kind kind, size_t peer, size_t log, const char *method)
{
    if (node->call_count == node->call_cap) {
        size_t cap = node->call_cap ? node->call_cap * 2 : 64;
        struct call *calls = realloc(node->calls, cap * sizeof *calls);
        if (!calls) {
            node->spare_call = (struct call){.kind = kind};
            return action_spare(node, ACTION_SEND);
        }
        node->calls = calls;
        node->call_cap = cap;
    }
    node->calls[node->call_count++] =
        (struct call){.token = ++node->next_token, .kind = kind, .peer = peer, .log = log};
    struct action *action = action_add(node, ACTION_SEND);
    action->token = node->next_token;
    action->peer = node->peers[peer].party;
    action->method = method;
    action->content_type = "application/octet-stream";
    action->body_max = NOTE_BYTES_MAX;
    action->timeout_ms = CALL_TIMEOUT_MS;
    return action;
}

struct call *call_last(struct node *node)
{
    return node->failed ? &node->spare_call : &node->calls[node->call_count - 1];
}

void reply(struct node *node, uint64_t token, int status, const char *content_type, const char *text)
{
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = token;
    action->status = status;
    action->content_type = content_type;
    buf_text(&action->body, text);
}

void reply_error(struct node *node, uint64_t token, int status, const struct fault *fault)
{
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = token;
    action->status = status;
    action->content_type = "application/json";
    fault_json(&action->body, fault, fault->code);
}

void retry_failed(struct node *node, struct retry *retry)
{
    unsigned shift = retry->failures < 20 ? retry->failures : 20;
    int64_t wait = (int64_t)BACKOFF_MS_MIN << shift;
    wait = wait > 2 * node->poll_ms ? 2 * node->poll_ms : wait;
    uint64_t jitter = node->env.random ? node->env.random(node->env.ctx) : 0;
    retry->at_ms = node->now_ms + wait / 2 + (int64_t)(jitter % (uint64_t)(wait / 2 + 1));
    retry->at_ms += MUTANT(RETRY_NEVER) ? INT64_MAX / 4 : 0;
    retry->failures++;
}

void retry_ok(struct retry *retry)
{
    *retry = (struct retry){0};
}

bool retry_due(const struct node *node, const struct retry *retry)
{
    return retry->at_ms <= node->now_ms;
}

size_t peer_index(const struct node *node, const struct party *party)
{
    for (size_t i = 0; i < node->peer_count; i++)
        if (node->peers[i].party == party)
            return i;
    return SIZE_MAX;
}

struct held_log *log_of(struct node *node, const struct party *party)
{
    return party && node->roster ? &node->logs[party - node->roster->parties] : NULL;
}

struct tile_reader log_tiles(struct node *node, struct held_log *log, struct store_tiles *space)
{
    *space = (struct store_tiles){.store = node->env.store, .log = log->id};
    return store_tile_reader(space);
}

void mirror_key_name(char out[static ORIGIN_BYTES_MAX + 8], const struct party *party)
{
    (void)snprintf(out, ORIGIN_BYTES_MAX + 8, "%s/mirror", party->origin);
}

/* Opening */

/* 0 and an empty note when there is none. */
static int note_load(struct node *node, struct held_log *log, enum note_kind kind, uint64_t *size, struct hash *root)
{
    struct checkpoint checkpoint;
    struct note parsed;
    struct buf note;
    *size = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = node->env.store->ops->note_latest(node->env.store, log->id, kind, size, &note);
    if (rc == 0 && (rc = checkpoint_parse(&checkpoint, &parsed, buf_view(&note), NULL)) == 0)
        *root = checkpoint.root;
    buf_free(&note);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int log_notes_load(struct node *node, struct held_log *log)
{
    struct hash root;
    int rc = note_load(node, log, NOTE_PENDING, &log->pending_size, &log->pending_root);
    rc = rc ? rc : note_load(node, log, NOTE_MIRRORED, &log->mirrored_size, &log->mirrored_root);
    return rc ? rc : note_load(node, log, NOTE_SIGNED, &log->signed_size, &root);
}

static int log_load(struct node *node, struct held_log *log)
{
    struct store *store = node->env.store;
    struct store_tiles space;
    int rc = store->ops->log_open(store, span_str(log->party->origin), true, &log->id);
    if (rc == 0)
        rc = store->ops->log_size(store, log->id, &log->size);
    if (rc)
        return rc;
    struct tile_reader tiles = log_tiles(node, log, &space);
    rc = tree_frontier(&tiles, log->size, &log->frontier);
    if (rc)
        return rc;
    buf_init(&log->composed_from, NOTE_BYTES_MAX);
    buf_init(&log->composed, NOTE_BYTES_MAX);
    buf_init(&log->pull.note, NOTE_BYTES_MAX);
    buf_init(&log->pull.hashes, 64 * 1024 * 1024);
    buf_init(&log->pull.partial, BUNDLE_BYTES_MAX);
    buf_init(&log->pull.staged, 4 * BUNDLE_BYTES_MAX);
    rc = log_notes_load(node, log);
    rc = rc ? rc : quota_load(node, log);
    return rc ? rc : standing_refresh(node, log);
}

static int circle_load(struct node *node, const struct node_config *config, struct fault *fault)
{
    node->self = roster_party(node->roster, config->party);
    if (!node->self)
        return fail(fault, E_KEY, "party %s does not stand in the charter", node->party_name);
    size_t n = node->roster->count;
    node->peers = calloc(n ? n : 1, sizeof *node->peers);
    node->logs = calloc(n ? n : 1, sizeof *node->logs);
    if (!node->peers || !node->logs)
        return fail(fault, E_NOMEM, "%zu parties", n);
    node->log_count = n;
    int rc = write_begin(node);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct party *party = &node->roster->parties[i];
        node->logs[i].party = party;
        node->logs[i].own = party == node->self;
        if (party != node->self)
            node->peers[node->peer_count++] = (struct peer){.party = party, .is_mirror = party->committee};
        rc = log_load(node, &node->logs[i]);
    }
    node->own = log_of(node, node->self);
    if (rc == 0)
        rc = write_commit(node);
    return rc ? fail(fault, rc, "the logs in the database cannot be opened") : 0;
}

static int roster_own(struct node *node)
{
    node->roster = arena_alloc(&node->roster_arena, sizeof *node->roster);
    return node->roster ? roster_copy(node->roster, node->charter, &node->roster_arena) : E_NOMEM;
}

const struct roster *node_roster(const struct node *node)
{
    return node->roster;
}

int node_open(struct node **out, const struct env *env, const struct node_config *config, struct fault *fault)
{
    struct node *node = calloc(1, sizeof *node);
    if (!node)
        return fail(fault, E_NOMEM, "node");
    node->env = *env;
    node->env.parser = env->parser ? env->parser : parser_here();
    node->charter = config->roster;
    node->charter_text = config->charter;
    arena_init(&node->roster_arena, 64 << 20);
    arena_init(&node->change_arena, 64 << 20);
    node->channels = config->channels;
    node->state_followed = config->state_followed;
    node->witness_logs = config->witness_logs;
    node->recover_alone = config->recover_alone;
    node->poll_ms = config->poll_ms ? config->poll_ms : POLL_MS;
    (void)snprintf(node->party_name, sizeof node->party_name, "%.*s", (int)config->party.len,
                   (const char *)config->party.data);
    buf_init(&node->own_note, NOTE_BYTES_MAX);
    document_pulls_open(node);
    int rc = node->charter ? roster_own(node) : 0;
    if (rc)
        (void)fail(fault, rc, "roster");
    rc = rc || !node->charter ? rc : circle_load(node, config, fault);
    if (rc == 0 && (rc = views_check(node)) != 0)
        (void)fail(fault, rc, "the views that an earlier release derived cannot be derived anew");
    if (rc == 0 && node->roster && (rc = changes_refresh(node, false)) != 0)
        (void)fail(fault, rc,
                   rc == E_KEY ? "a key change has replaced this node's keys: they must sign no more"
                               : "the key changes that stand cannot be read");
    if (rc == 0 && node->roster && (rc = leaves_load(node)) != 0)
        (void)fail(fault, rc, "who has left cannot be read");
    if (rc == 0 && node->roster)
        rc = faces_load(node);
    if (rc == 0)
        rc = hosting_load(node);
    if (rc == 0)
        rc = inventories_load(node);
    if (rc == 0 && (rc = feeds_load(node)) != 0)
        (void)fail(fault, rc, "the feeds that are followed cannot be read");
    if (rc == 0 && !config->reader && (rc = matching_open(node)) != 0)
        (void)fail(fault, rc, "inventories and advisories cannot be matched");
    if (rc == 0)
        rc = messages_open(node, config->routes);
    if (rc) {
        node_close(node);
        return rc;
    }
    if (node->roster && (rc = recover_begin(node)) != 0) {
        node_close(node);
        return fail(fault, rc, "what the node knows of its own state cannot be read");
    }
    *out = node;
    return 0;
}

void node_close(struct node *node)
{
    if (!node)
        return;
    if (node->writing)
        (void)node->env.store->ops->rollback(node->env.store);
    for (size_t i = 0; i < node->log_count; i++) {
        struct held_log *log = &node->logs[i];
        buf_free(&log->composed_from);
        buf_free(&log->composed);
        buf_free(&log->pull.note);
        buf_free(&log->pull.hashes);
        buf_free(&log->pull.partial);
        buf_free(&log->pull.staged);
    }
    for (size_t i = 0; i < node->pending_count; i++)
        pending_free(&node->pending[i]);
    for (size_t i = 0; i < node->early_count; i++)
        buf_free(&node->early[i].bytes);
    document_pulls_close(node);
    inventories_free(node);
    feeds_free(node);
    hosting_free(node);
    matching_close(node);
    messages_close(node);
    free(node->replaced.list);
    buf_free(&node->own_note);
    arena_free(&node->roster_arena);
    arena_free(&node->change_arena);
    free(node->pending);
    free(node->calls);
    free(node->peers);
    free(node->logs);
    free(node);
}

/* Events */

static int request(struct node *node, const struct event *event)
{
    static int (*const handlers[])(struct node *, const struct event *) = {
        [REQ_MIRROR_ADD_CHECKPOINT] = mirror_add_checkpoint,
        [REQ_MIRROR_ADD_ENTRIES] = mirror_add_entries,
        [REQ_WITNESS_ADD_CHECKPOINT] = witness_add_checkpoint,
        [REQ_PUT_DOCUMENT] = document_offered,
        [REQ_ANNOUNCE] = announced,
        [REQ_KEY_CHANGE] = change_offered,
    };
    if (!node->roster) {
        reply(node, event->token, 404, "text/plain", "this node is in no circle\n");
        return 0;
    }
    return handlers[event->request](node, event);
}

static int response(struct node *node, const struct event *event)
{
    struct call call = {0};
    for (size_t i = 0; i < node->call_count; i++)
        if (node->calls[i].token == event->token) {
            call = node->calls[i];
            node->calls[i] = node->calls[--node->call_count];
            break;
        }
    if (call.kind != CALL_NONE) {
        struct peer *peer = &node->peers[call.peer];
        peer->missing_since_ms = event->status != 0       ? 0
                                 : peer->missing_since_ms ? peer->missing_since_ms
                                                          : node->now_ms;
    }
    switch (call.kind) {
    case CALL_NONE:
        return 0; /* a call that was given up */
    case CALL_RECOVER:
        return recover_response(node, &call, event);
    case CALL_COMPARE:
        return compare_response(node, event);
    case CALL_POLL:
    case CALL_PULL_TILE:
    case CALL_PULL_BUNDLE:
    case CALL_PULL_DOCUMENT:
        return follow_response(node, &call, event);
    default:
        return push_response(node, &call, event);
    }
}

static int absent(struct node *node, const struct event *event)
{
    const struct party *party = node->roster ? roster_party(node->roster, event->name) : NULL;
    size_t peer = party ? peer_index(node, party) : SIZE_MAX;
    struct fault fault = {0};
    if (peer == SIZE_MAX || !party->committee) {
        (void)fail(&fault, E_NOTFOUND, "no other committee member has this name");
        reply_error(node, event->token, 404, &fault);
        return 0;
    }
    node->peers[peer].absent = true;
    reply(node, event->token, 200, "application/json", "{\"absent\":true}\n");
    return recover_check(node);
}

static int started(struct node *node)
{
    int rc = notices_undelivered(node);
    return rc ? rc : messages_start(node);
}

static int dispatch(struct node *node, const struct event *event)
{
    switch (event->kind) {
    case EVENT_START:
        return started(node);
    case EVENT_TICK:
    case EVENT_FLUSH:
        return 0;
    case EVENT_SUBMIT:
        return submission_take(node, event);
    case EVENT_REQUEST:
        return request(node, event);
    case EVENT_RESPONSE:
        return response(node, event);
    case EVENT_INVENTORY:
        return inventory_take(node, event);
    case EVENT_DELIVERED:
        return notice_delivered(node, event);
    case EVENT_ACK:
        return notice_acknowledge(node, event);
    case EVENT_ABSENT:
        return absent(node, event);
    case EVENT_LEAVE:
        return leave(node, event);
    case EVENT_BACKED_UP:
        return backed_up(node, event);
    case EVENT_HOSTING:
        return hosting_change(node, event);
    case EVENT_HOSTED:
        return hosted_upload(node, event);
    case EVENT_LISTED:
        return hosted_listed(node);
    case EVENT_CARRIED:
        return carried(node, event);
    case EVENT_FETCHED:
        return feeds_fetched(node, event);
    case EVENT_FEED_ADD:
        return feed_add_take(node, event);
    case EVENT_FEED_REMOVE:
        return feed_remove_take(node, event);
    case EVENT_FEED_RUN:
        return feed_run_take(node, event);
    case EVENT_FEED_IMPORT:
        return feed_import_take(node, event);
    }
    return E_STATE;
}

/* What is due now, whatever the event was. */
static int go_on(struct node *node, bool flush)
{
    int rc = feeds_go_on(node);
    if (rc || !node->roster)
        return rc;
    rc = node->recovering ? recover_start(node) : 0;
    if (rc)
        return rc;
    if (flush && node->pending_count && !node->recovering) {
        rc = own_log_flush(node);
        if (rc)
            return rc;
    }
    if (!recover_silent(node)) {
        push_start(node);
        announce_start(node);
        compare_start(node);
    }
    return follow_start(node);
}

/* An answer that lacks its end must not go out. */
static int actions_check(const struct actions *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->list[i].body.error == E_NOMEM)
            return E_NOMEM;
    return 0;
}

int node_step(struct node *node, const struct event *event, int64_t now_ms, struct actions *actions)
{
    node->now_ms = now_ms > node->now_ms ? now_ms : node->now_ms; /* a clock that jumps back does not move us back */
    node->actions = actions;
    node->handed = 0;
    int rc = dispatch(node, event);
    if (rc == 0 && node->changes_due && node->roster)
        rc = changes_refresh(node, true);
    if (rc == 0)
        rc = go_on(node, event->kind == EVENT_FLUSH);
    if (rc == 0)
        rc = notices_hand(node);
    if (rc == 0)
        rc = messages_step(node);
    if (rc == 0)
        rc = actions_check(actions);
    if (rc == 0)
        rc = write_commit(node);
    if (rc == 0 && snapshot_due(node))
        rc = snapshot_save(node);
    node->actions = NULL;
    if (rc == E_IO) /* it may know better what it was */
        rc = node_sound(node) ? node_sound(node) : rc;
    if (rc)
        actions_clear(actions); /* nothing goes out that is not durable */
    return rc;
}

bool node_wants_flush(const struct node *node)
{
    return node->pending_count > 0 && !node->recovering;
}

static void due_min(int64_t *due, int64_t at)
{
    if (at < *due)
        *due = at;
}

int64_t node_due(const struct node *node)
{
    int64_t due = node->now_ms + node->poll_ms;
    if (node->roster && node->self->committee && !node->compare_token && !recover_silent(node))
        due_min(&due, node->compare_at_ms);
    for (size_t i = 0; i < node->peer_count; i++) {
        const struct peer *peer = &node->peers[i];
        if (!peer->push_token && peer->push.at_ms)
            due_min(&due, peer->push.at_ms);
        if (!peer->announce_token && peer->announce.at_ms)
            due_min(&due, peer->announce.at_ms);
        if (!peer->poll_token)
            due_min(&due, peer->poll.at_ms);
        if (node->recovering && !peer->recover_token && recover_asks(node, peer))
            due_min(&due, peer->recover.at_ms);
    }
    for (size_t i = 0; i < node->log_count; i++) {
        const struct held_log *log = &node->logs[i];
        if (log->pull.target && !log->pull.token && (!log->own || node->recovering))
            due_min(&due, log->pull.retry.at_ms);
    }
    due_min(&due, documents_due(node));
    due_min(&due, feeds_due(node));
    due_min(&due, node->hand_more ? node->now_ms : due);
    due_min(&due, messages_due(node));
    return due > node->now_ms ? due : node->now_ms + 1;
}
