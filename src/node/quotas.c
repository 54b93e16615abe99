/* The charter's quotas: what one log may put on its mirrors in one UTC day. Counted is what a mirror takes, entries with their documents,
   and the count is durable with what it counts. What stands was let in by a quorum and costs nothing, so that a mirror which was away
   catches up, however long that was. */
#include <stdio.h>

#include "node/state.h"

enum { DAY_SECONDS = 86400, VALUE_BYTES = 24 };

static uint64_t today(const struct node *node)
{
    return (uint64_t)now_seconds(node) / DAY_SECONDS;
}

static void state_key(char out[static 80], const struct held_log *log)
{
    char hex[65];
    hash_hex(&log->party->origin_hash, hex);
    (void)snprintf(out, 80, "quota/%s", hex);
}

int quota_load(struct node *node, struct held_log *log)
{
    char key[80];
    struct buf value;
    buf_init(&value, VALUE_BYTES);
    state_key(key, log);
    int rc = node->env.store->ops->state_get(node->env.store, span_str(key), &value);
    if (rc == 0 && value.len == VALUE_BYTES)
        log->quota = (struct quota_use){
            .day = u64_get(value.data), .entries = u64_get(value.data + 8), .bytes = u64_get(value.data + 16)};
    else if (rc == 0)
        rc = E_CORRUPT;
    buf_free(&value);
    return rc == E_NOTFOUND ? 0 : rc;
}

int quotas_keep(struct node *node)
{
    int rc = 0;
    for (size_t i = 0; i < node->log_count && rc == 0; i++) {
        struct held_log *log = &node->logs[i];
        uint8_t value[VALUE_BYTES];
        char key[80];
        if (!log->quota.changed)
            continue;
        state_key(key, log);
        u64_put(value, log->quota.day);
        u64_put(value + 8, log->quota.entries);
        u64_put(value + 16, log->quota.bytes);
        rc = node->env.store->ops->state_put(node->env.store, span_str(key), span_of(value, sizeof value));
        log->quota.changed = false;
    }
    return rc;
}

static struct quota_use use_today(const struct node *node, const struct held_log *log)
{
    uint64_t day = today(node);
    return log->quota.day == day ? log->quota : (struct quota_use){.day = day};
}

void quota_count(struct node *node, struct held_log *log, uint64_t index, uint64_t entries, uint64_t bytes)
{
    if (log->own || !node->self->committee || index < log->standing_size)
        return;
    log->quota = use_today(node, log);
    log->quota.entries += entries;
    log->quota.bytes += bytes;
    log->quota.changed = true;
}

static bool used_up(uint64_t used, uint64_t limit)
{
    return limit && used >= limit;
}

bool quota_bytes_spent(const struct node *node, const struct held_log *log)
{
    return !log->own && node->self->committee && used_up(use_today(node, log).bytes, node->roster->quota_bytes_day);
}

bool quota_spent(const struct node *node, const struct held_log *log)
{
    return !log->own && node->self->committee &&
           (quota_bytes_spent(node, log) || used_up(use_today(node, log).entries, node->roster->quota_entries_day));
}

bool quota_allows(const struct node *node, const struct held_log *log, uint64_t size)
{
    uint64_t limit = node->roster->quota_entries_day, used = use_today(node, log).entries;
    uint64_t from = log->size > log->standing_size ? log->size : log->standing_size;
    if (log->own || !node->self->committee || size <= from)
        return true;
    return !quota_spent(node, log) && (!limit || size - from <= limit - used);
}

struct wanting {
    const struct node *node;
    const struct hash *document;
    struct held_log *refuses;
    bool taken;
};

static int wanting_visit(void *ctx, struct span key, struct span value)
{
    struct wanting *w = ctx;
    if (key.len < 32 || memcmp(key.data, w->document->b, 32) != 0)
        return 1;
    if (value.len != WANTED_BYTES || u64_get(value.data) >= w->node->log_count)
        return E_CORRUPT;
    struct held_log *log = &w->node->logs[u64_get(value.data)];
    if (u64_get(value.data + 8) >= log->standing_size && quota_bytes_spent(w->node, log))
        w->refuses = log;
    else
        w->taken = true;
    return w->taken;
}

int quota_document(struct node *node, const struct hash *document, struct held_log **refuses)
{
    struct wanting w = {.node = node, .document = document};
    int rc =
        node->env.store->ops->view_scan(node->env.store, span_str("wanted"), span_hash(document), wanting_visit, &w);
    *refuses = w.taken ? NULL : w.refuses;
    return rc < 0 ? rc : 0;
}

static void part(struct buf *out, const char *what, uint64_t used, uint64_t limit)
{
    buf_printf(out, "%llu ", (unsigned long long)used);
    if (limit)
        buf_printf(out, "of %llu %s", (unsigned long long)limit, what);
    else
        buf_printf(out, "%s (no limit)", what);
}

void quota_refuse(struct node *node, uint64_t token, const struct held_log *log)
{
    struct quota_use use = use_today(node, log);
    char at[21];
    struct action *action = action_add(node, ACTION_REPLY);
    int64_t next = (int64_t)(use.day + 1) * DAY_SECONDS;
    time_format(next, at);
    action->token = token;
    action->status = 429;
    action->content_type = "text/plain; charset=utf-8";
    action->retry_after = (unsigned)(next - now_seconds(node));
    buf_printf(&action->body, "the quota of %s is used up for this UTC day: ", log->party->card.name);
    part(&action->body, "entries", use.entries, node->roster->quota_entries_day);
    buf_text(&action->body, ", ");
    part(&action->body, "bytes", use.bytes, node->roster->quota_bytes_day);
    buf_printf(&action->body, "; the next begins at %s\n", at);
}

void quota_json(const struct node *node, const struct held_log *log, struct buf *out)
{
    struct quota_use use = use_today(node, log);
    char at[21];
    time_format((int64_t)use.day * DAY_SECONDS, at);
    at[10] = 0;
    if (!node->self->committee)
        return;
    buf_printf(out,
               ",\"quota\":{\"day\":\"%s\",\"entries\":%llu,\"entries_limit\":%llu,\"bytes\":%llu,\"bytes_limit\":%llu,"
               "\"spent\":%s}",
               at, (unsigned long long)use.entries, (unsigned long long)node->roster->quota_entries_day,
               (unsigned long long)use.bytes, (unsigned long long)node->roster->quota_bytes_day,
               quota_spent(node, log) ? "true" : "false");
}

struct quota_use quota_used(const struct node *node, const struct held_log *log)
{
    return use_today(node, log);
}
