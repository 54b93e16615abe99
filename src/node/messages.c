/* What goes out by routes: the notices of one revision, inventory and verdict in one message, or what waited for a digest. A message is
   written down, with exactly its notices, before it is handed out, so that it is the same under the same id however often it is tried;
   what comes later makes a further one. When a digest is due follows from its oldest notice: nothing else decides.
   Journal: `channel` (name -> text; it gets what is recorded after this), `message` (id -> notices), `queued` (channel name, id),
   `delivered` (channel name, id of the message and of each notice). State: "notify/from": every notice up to this position has been
   considered, and waits for no digest; "notify/queued": every message queued up to this position was delivered. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "format/json.h"
#include "node/state.h"
#include "notify/message.h"

static const struct span kind_notice = {(const uint8_t *)"notice", 6}, kind_channel = {(const uint8_t *)"channel", 7},
                         kind_message = {(const uint8_t *)"message", 7}, kind_queued = {(const uint8_t *)"queued", 6},
                         kind_delivered = {(const uint8_t *)"delivered", 9};
static const char state_from[] = "notify/from", state_queued[] = "notify/queued";

#define NO_CHANNEL UINT32_MAX
enum { KEY_BYTES = 128 };

struct entry { /* a notice for a channel */
    uint32_t channel;
    enum notice_verdict verdict;
    bool urgent;
    struct hash group, notice;
    int64_t seq, at;
};
struct entries {
    struct entry *list;
    size_t count, cap;
};
struct outgoing { /* queued, and not delivered */
    struct hash id;
    uint32_t channel; /* NO_CHANNEL: none of the present configuration */
    int64_t seq;
};
struct given { /* a notice that stands in such a message */
    uint32_t channel;
    struct hash notice;
};
struct messages {
    const struct routes *routes;
    int64_t *starts; /* by channel: what was recorded up to this journal position is none of its */
    struct entries waiting, fresh;
    struct outgoing *out; /* in order */
    size_t out_count, out_cap;
    struct given *given; /* sorted; while a start is considered */
    size_t given_count, given_cap;
    int64_t considered;
};

static bool grow(void **list, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return true;
    size_t wanted = *cap ? *cap * 2 : 64;
    void *more = realloc(*list, wanted * size);
    if (!more)
        return false;
    *list = more;
    *cap = wanted;
    return true;
}

static int entry_add(struct entries *entries, const struct entry *entry)
{
    if (!grow((void **)&entries->list, &entries->cap, entries->count, sizeof *entries->list))
        return E_NOMEM;
    entries->list[entries->count++] = *entry;
    return 0;
}

static void key_write(char out[static KEY_BYTES], const char *channel, const struct hash *id)
{
    char hex[65];
    hash_hex(id, hex);
    (void)snprintf(out, KEY_BYTES, "%s %s", channel, hex);
}

static bool is_delivered(struct node *node, const char *channel, const struct hash *id)
{
    char key[KEY_BYTES];
    key_write(key, channel, id);
    return node->env.store->ops->journal_find(node->env.store, kind_delivered, span_str(key), NULL, NULL) == 0;
}

static int append(struct node *node, struct span kind, const char *key, struct span body, int64_t *seq)
{
    int rc = write_begin(node);
    return rc ? rc
              : node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind, span_str(key), body,
                                                     seq);
}

/* Small state */

static int position_get(struct node *node, const char *key, int64_t *out)
{
    struct buf value;
    buf_init(&value, 8);
    int rc = node->env.store->ops->state_get(node->env.store, span_str(key), &value);
    if (rc == 0)
        *out = value.len == 8 ? (int64_t)u64_get(value.data) : 0;
    buf_free(&value);
    return rc;
}

static int position_put(struct node *node, const char *key, int64_t position)
{
    uint8_t value[8];
    u64_put(value, (uint64_t)position);
    int rc = write_begin(node);
    return rc ? rc : node->env.store->ops->state_put(node->env.store, span_str(key), span_of(value, sizeof value));
}

/* Messages */

static int out_add(struct messages *m, const struct hash *id, uint32_t channel, int64_t seq)
{
    if (!grow((void **)&m->out, &m->out_cap, m->out_count, sizeof *m->out))
        return E_NOMEM;
    m->out[m->out_count++] = (struct outgoing){.id = *id, .channel = channel, .seq = seq};
    return 0;
}

static void hand_out(struct node *node, const struct outgoing *out)
{
    if (out->channel == NO_CHANNEL || !node->actions)
        return;
    struct action *action = action_add(node, ACTION_MESSAGE);
    action->hash = out->id;
    action->channel = out->channel;
}

static void body_write(const struct entry *entries, size_t count, const struct notify_channel *digest, struct buf *out)
{
    char hex[65];
    hash_hex(&entries->group, hex);
    buf_printf(out, "{\"kind\":\"%s\",\"group\":\"%s\",\"notices\":[", digest ? "digest" : "group", digest ? "" : hex);
    for (size_t i = 0; i < count; i++) {
        hash_hex(&entries[i].notice, hex);
        buf_printf(out, "%s\"%s\"", i ? "," : "", hex);
    }
    buf_text(out, "]}");
}

/* What another channel got as well is one message, under one id; a digest is its channel's own. */
static int message_add(struct node *node, const struct entry *entries, size_t count, bool digest)
{
    struct messages *m = node->messages;
    const struct notify_channel *channel = &m->routes->channels[entries->channel];
    struct hash ids[MESSAGE_NOTICES_MAX], id;
    struct buf body;
    char hex[65], key[KEY_BYTES];
    int64_t seq = 0;
    for (size_t i = 0; i < count; i++)
        ids[i] = entries[i].notice;
    int rc = message_id(ids, count, &entries->group, digest ? channel->text : NULL, &id);
    if (rc)
        return rc;
    buf_init(&body, 128 + (size_t)MESSAGE_NOTICES_MAX * 67);
    body_write(entries, count, digest ? channel : NULL, &body);
    hash_hex(&id, hex);
    key_write(key, channel->name, &id);
    rc = body.error ? body.error : append(node, kind_message, hex, buf_view(&body), NULL);
    buf_free(&body);
    if (rc == 0 || rc == E_EXISTS)
        rc = append(node, kind_queued, key, span_str(channel->text), &seq);
    if (rc == E_EXISTS)
        return 0;
    rc = rc ? rc : out_add(m, &id, entries->channel, seq);
    if (rc == 0)
        hand_out(node, &m->out[m->out_count - 1]);
    return rc;
}

static int by_group(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = memcmp(&a->group, &b->group, sizeof a->group);
    if (a->channel != b->channel)
        return a->channel < b->channel ? -1 : 1;
    if (a->urgent != b->urgent)
        return a->urgent ? -1 : 1;
    if (a->verdict != b->verdict)
        return a->verdict < b->verdict ? -1 : 1;
    return order ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

static bool belongs(const struct entry *a, const struct entry *b, bool digest)
{
    return a->channel == b->channel && (digest || (a->urgent == b->urgent && hash_eq(&a->group, &b->group)));
}

static int entries_send(struct node *node, struct entries *entries, bool digest)
{
    int rc = 0;
    if (entries->count)
        qsort(entries->list, entries->count, sizeof *entries->list, by_group);
    for (size_t i = 0, n; i < entries->count && rc == 0; i += n) {
        for (n = 1; i + n < entries->count && n < MESSAGE_NOTICES_MAX; n++)
            if (!belongs(&entries->list[i], &entries->list[i + n], digest))
                break;
        rc = message_add(node, &entries->list[i], n, digest);
    }
    entries->count = 0;
    return rc;
}

/* Which notices go where */

static int given_order(const void *left, const void *right)
{
    const struct given *a = left, *b = right;
    return a->channel != b->channel ? (a->channel > b->channel) - (a->channel < b->channel)
                                    : memcmp(&a->notice, &b->notice, sizeof a->notice);
}

static bool has_it(struct node *node, uint32_t channel, const struct hash *notice)
{
    const struct messages *m = node->messages;
    const struct given key = {.channel = channel, .notice = *notice};
    if (!m->given)
        return false; /* what was recorded just now */
    return bsearch(&key, m->given, m->given_count, sizeof key, given_order) ||
           is_delivered(node, m->routes->channels[channel].name, notice);
}

static int consider_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    struct messages *m = node->messages;
    struct notice notice;
    struct arena arena;
    uint32_t channels[CHANNELS_OF_NOTICE_MAX];
    arena_init(&arena, 4 << 20);
    int rc = notice_read(&notice, row->body, &arena);
    size_t count = rc ? 0 : routes_match(m->routes, &notice, channels);
    struct entry entry = {.verdict = notice.verdict, .notice = notice.id, .seq = row->seq, .at = row->at};
    if (rc == 0) {
        entry.urgent = notice_urgent(&notice);
        notice_group(&notice, &entry.group);
    }
    for (size_t i = 0; i < count && rc == 0; i++) {
        entry.channel = channels[i];
        bool waits = m->routes->channels[channels[i]].digest.kind != DIGEST_NONE && !entry.urgent;
        if (row->seq > m->starts[channels[i]] && !has_it(node, channels[i], &notice.id))
            rc = entry_add(waits ? &m->waiting : &m->fresh, &entry);
    }
    arena_free(&arena);
    m->considered = row->seq;
    return rc;
}

static int from_put(struct node *node)
{
    const struct messages *m = node->messages;
    int64_t from = m->considered;
    for (size_t i = 0; i < m->waiting.count; i++)
        if (m->waiting.list[i].seq <= from)
            from = m->waiting.list[i].seq - 1;
    return position_put(node, state_from, from);
}

static int consider(struct node *node)
{
    struct messages *m = node->messages;
    int64_t before = m->considered;
    int rc = node->env.store->ops->journal_scan(node->env.store, kind_notice, m->considered, consider_visit, node);
    rc = rc ? rc : entries_send(node, &m->fresh, false);
    return rc || m->considered == before ? rc : from_put(node);
}

/* Digests */

/* INT64_MAX: nothing waits for it. */
static int64_t channel_due(const struct messages *m, uint32_t channel)
{
    int64_t since = INT64_MAX;
    for (size_t i = 0; i < m->waiting.count; i++)
        if (m->waiting.list[i].channel == channel && m->waiting.list[i].at < since)
            since = m->waiting.list[i].at;
    return since == INT64_MAX ? since : digest_due(&m->routes->channels[channel].digest, since);
}

static int digest_send(struct node *node, uint32_t channel)
{
    struct messages *m = node->messages;
    size_t kept = 0;
    int rc = 0;
    for (size_t i = 0; i < m->waiting.count && rc == 0; i++) {
        if (m->waiting.list[i].channel == channel)
            rc = entry_add(&m->fresh, &m->waiting.list[i]);
        else
            m->waiting.list[kept++] = m->waiting.list[i];
    }
    if (rc)
        return rc;
    m->waiting.count = kept;
    rc = entries_send(node, &m->fresh, true);
    return rc ? rc : from_put(node);
}

static int digests_send(struct node *node)
{
    struct messages *m = node->messages;
    int64_t now = now_seconds(node);
    int rc = 0;
    for (uint32_t i = 0; m->waiting.count && i < m->routes->channel_count && rc == 0; i++)
        if (channel_due(m, i) <= now)
            rc = digest_send(node, i);
    return rc;
}

int64_t messages_due(const struct node *node)
{
    const struct messages *m = node->messages;
    int64_t due = INT64_MAX, now = now_seconds(node);
    for (uint32_t i = 0; m && m->waiting.count && i < m->routes->channel_count; i++) {
        int64_t at = channel_due(m, i);
        if (at < due)
            due = at;
    }
    return due == INT64_MAX ? due : node->now_ms + (due > now ? (due - now) * 1000 : 0);
}

int messages_step(struct node *node)
{
    if (!node->messages)
        return 0;
    int rc = node->notices_fresh ? consider(node) : 0;
    node->notices_fresh = false;
    return rc ? rc : digests_send(node);
}

/* Starting */

static uint32_t channel_of(const struct routes *routes, struct span name)
{
    for (uint32_t i = 0; i < routes->channel_count; i++)
        if (span_is(name, routes->channels[i].name))
            return i;
    return NO_CHANNEL;
}

struct content { /* of a message */
    struct hash ids[MESSAGE_NOTICES_MAX];
    size_t count;
    bool digest;
    int64_t made_at;
};

static int content_visit(void *ctx, const struct journal_row *row)
{
    struct content *content = ctx;
    const struct json *root = NULL;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    int rc = json_parse(&root, row->body, 1 << 20, &arena, NULL);
    const struct json *list = json_get(root, "notices");
    content->made_at = row->at;
    content->digest = span_is(json_text(root, "kind"), "digest");
    content->count = 0;
    rc = rc == E_NOMEM ? rc : list && list->type == JSON_ARRAY && list->count <= MESSAGE_NOTICES_MAX ? 0 : E_CORRUPT;
    for (uint32_t i = 0; rc == 0 && i < list->count; i++)
        rc = list->child[i].type == JSON_STRING && hash_parse(list->child[i].text, &content->ids[content->count++])
                 ? 0
                 : E_CORRUPT;
    arena_free(&arena);
    return rc;
}

static int content_read(struct node *node, const struct hash *id, struct content *content)
{
    char hex[65];
    hash_hex(id, hex);
    return node->env.store->ops->journal_find(node->env.store, kind_message, span_str(hex), content_visit, content);
}

static int queued_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    struct hash id;
    const uint8_t *space = row->key.len ? memchr(row->key.data, ' ', row->key.len) : NULL;
    size_t at = space ? (size_t)(space - row->key.data) : 0;
    if (!space || !hash_parse(span_from(row->key, at + 1), &id))
        return E_CORRUPT;
    if (node->env.store->ops->journal_find(node->env.store, kind_delivered, row->key, NULL, NULL) == 0)
        return 0;
    return out_add(node->messages, &id, channel_of(node->messages->routes, span_of(row->key.data, at)), row->seq);
}

static int given_list(struct node *node, const struct outgoing *out, struct content *content)
{
    struct messages *m = node->messages;
    int rc = content_read(node, &out->id, content);
    for (size_t i = 0; rc == 0 && i < content->count; i++) {
        if (!grow((void **)&m->given, &m->given_cap, m->given_count, sizeof *m->given))
            return E_NOMEM;
        m->given[m->given_count++] = (struct given){.channel = out->channel, .notice = content->ids[i]};
    }
    return rc;
}

/* Whatever was queued and not taken is handed out again; what was recorded and not yet considered is considered. */
int messages_start(struct node *node)
{
    struct messages *m = node->messages;
    struct content *content = m ? malloc(sizeof *content) : NULL;
    int64_t from = 0;
    if (!m || !content)
        return m ? E_NOMEM : 0;
    m->out_count = 0;
    m->waiting.count = 0;
    int rc = position_get(node, state_queued, &from);
    rc = rc && rc != E_NOTFOUND
             ? rc
             : node->env.store->ops->journal_scan(node->env.store, kind_queued, from, queued_visit, node);
    if (rc == 0 && !grow((void **)&m->given, &m->given_cap, m->given_count, sizeof *m->given))
        rc = E_NOMEM;
    for (size_t i = 0; i < m->out_count && rc == 0; i++) {
        rc = given_list(node, &m->out[i], content);
        hand_out(node, &m->out[i]);
    }
    if (rc == 0)
        qsort(m->given, m->given_count, sizeof *m->given, given_order);
    rc = rc ? rc : consider(node);
    free(content);
    free(m->given);
    m->given = NULL;
    m->given_count = m->given_cap = 0;
    node->notices_fresh = false;
    return rc;
}

static int seq_visit(void *ctx, const struct journal_row *row)
{
    *(int64_t *)ctx = row->seq;
    return 0;
}

/* A channel begins where it was first configured: nobody wants all of the past in his mail. */
static int channel_open(struct node *node, uint32_t which, int64_t *start)
{
    const struct notify_channel *channel = &node->messages->routes->channels[which];
    int rc = append(node, kind_channel, channel->name, span_str(channel->text), start);
    if (rc == E_EXISTS)
        rc = node->env.store->ops->journal_find(node->env.store, kind_channel, span_str(channel->name), seq_visit,
                                                start);
    return rc;
}

int messages_open(struct node *node, const struct routes *routes)
{
    if (!routes || !routes->count)
        return 0;
    struct messages *m = node->messages = calloc(1, sizeof *m);
    if (!m || !(m->starts = calloc(routes->channel_count, sizeof *m->starts)))
        return E_NOMEM;
    m->routes = routes;
    int rc = 0;
    for (uint32_t i = 0; i < routes->channel_count && rc == 0; i++)
        rc = channel_open(node, i, &m->starts[i]);
    if (rc == 0 && (rc = position_get(node, state_from, &m->considered)) == E_NOTFOUND) {
        m->considered = m->starts[0]; /* the first configured is the oldest */
        rc = from_put(node);
    }
    return rc ? rc : write_commit(node);
}

void messages_close(struct node *node)
{
    struct messages *m = node->messages;
    if (!m)
        return;
    free(m->starts);
    free(m->waiting.list);
    free(m->fresh.list);
    free(m->out);
    free(m->given);
    free(m);
    node->messages = NULL;
}

/* Delivery */

static int queued_put(struct node *node)
{
    const struct messages *m = node->messages;
    return m->out_count ? position_put(node, state_queued, m->out[0].seq - 1) : 0;
}

static int delivered_put(struct node *node, const struct notify_channel *channel, const struct hash *id)
{
    struct content *content = malloc(sizeof *content);
    char key[KEY_BYTES], hex[65];
    int rc = content ? content_read(node, id, content) : E_NOMEM;
    hash_hex(id, hex);
    for (size_t i = 0; rc == 0 && i < content->count; i++) {
        key_write(key, channel->name, &content->ids[i]);
        rc = append(node, kind_delivered, key, span_str(hex), NULL);
        rc = rc == E_EXISTS ? 0 : rc;
    }
    if (rc == 0) {
        key_write(key, channel->name, id);
        rc = append(node, kind_delivered, key, span_of(NULL, 0), NULL);
    }
    free(content);
    return rc == E_EXISTS ? 0 : rc;
}

bool message_delivered(struct node *node, const struct event *event, int *rc)
{
    struct messages *m = node->messages;
    uint32_t channel = m ? channel_of(m->routes, event->name) : NO_CHANNEL;
    if (channel == NO_CHANNEL)
        return false;
    size_t at = 0;
    while (at < m->out_count && (m->out[at].channel != channel || !hash_eq(&m->out[at].id, &event->hash)))
        at++;
    *rc = 0;
    if (at == m->out_count)
        return true;
    *rc = delivered_put(node, &m->routes->channels[channel], &event->hash);
    m->out_count--;
    memmove(&m->out[at], &m->out[at + 1], (m->out_count - at) * sizeof *m->out);
    if (*rc == 0 && at == 0)
        *rc = queued_put(node);
    return true;
}

/* Writing one */

struct composing {
    struct notice *notices;
    size_t count;
    struct arena arena;
};

static int notice_visit(void *ctx, const struct journal_row *row)
{
    struct composing *c = ctx;
    struct span kept = arena_copy(&c->arena, row->body);
    return kept.data ? notice_read(&c->notices[c->count++], kept, &c->arena) : E_NOMEM;
}

int node_message_notices(struct node *node, const struct hash *id, struct hash out[static MESSAGE_NOTICES_MAX],
                         size_t *count)
{
    struct content *content = malloc(sizeof *content);
    int rc = content ? content_read(node, id, content) : E_NOMEM;
    *count = rc ? 0 : content->count;
    if (rc == 0)
        memcpy(out, content->ids, content->count * sizeof *out);
    free(content);
    return rc;
}

int node_message_write(struct node *node, const struct hash *id, uint32_t channel, const char *mail_from,
                       struct buf *out)
{
    struct content *content = malloc(sizeof *content);
    struct composing c = {0};
    char hex[65];
    arena_init(&c.arena, (size_t)8 * NOTICE_MESSAGE_BYTES_MAX);
    c.notices = arena_array(&c.arena, MESSAGE_NOTICES_MAX, sizeof *c.notices);
    int rc = content && c.notices ? content_read(node, id, content) : E_NOMEM;
    for (size_t i = 0; rc == 0 && i < content->count; i++) {
        hash_hex(&content->ids[i], hex);
        rc = node->env.store->ops->journal_find(node->env.store, kind_notice, span_str(hex), notice_visit, &c);
    }
    if (rc == 0) {
        const struct notify_channel *to = &node->messages->routes->channels[channel];
        const struct message message = {.id = *id,
                                        .made_at = content->made_at,
                                        .party = node->party_name,
                                        .digest = content->digest,
                                        .count = c.count,
                                        .notices = c.notices};
        if (to->kind == CHANNEL_MAIL)
            message_mail(&message, mail_from, channel_address(to), out);
        else
            message_json(&message, out);
    }
    free(content);
    arena_free(&c.arena);
    return rc ? rc : out->error;
}
