/* What the owner sees of the notices: filtered, with what became of each since; and who has said that they take care. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "format/json.h"
#include "node/state.h"
#include "notify/message.h"

static const struct span kind_notice = {(const uint8_t *)"notice", 6}, kind_ack = {(const uint8_t *)"ack", 3};

/* Notices that a later one replaces: read once, and then kept up. */

static int replaced_add(struct replaced *replaced, const struct hash *id)
{
    if (replaced->count == replaced->cap) {
        size_t cap = replaced->cap ? replaced->cap * 2 : 64;
        struct hash *list = realloc(replaced->list, cap * sizeof *list);
        if (!list)
            return E_NOMEM;
        replaced->list = list;
        replaced->cap = cap;
    }
    replaced->list[replaced->count++] = *id;
    replaced->sorted = false;
    return 0;
}

int notice_replaced(struct node *node, const struct hash *id)
{
    return node->replaced.loaded ? replaced_add(&node->replaced, id) : 0;
}

static int replaced_visit(void *ctx, const struct journal_row *row)
{
    struct node *node = ctx;
    struct notice notice;
    struct arena arena;
    struct hash id;
    arena_init(&arena, 4 << 20);
    int rc = notice_read(&notice, row->body, &arena);
    if (rc == 0 && hash_parse(notice.replaces, &id))
        rc = replaced_add(&node->replaced, &id);
    arena_free(&arena);
    return rc;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash));
}

static int replaced_load(struct node *node)
{
    struct replaced *replaced = &node->replaced;
    int rc = 0;
    if (!replaced->loaded) {
        replaced->count = 0;
        rc = node->env.store->ops->journal_scan(node->env.store, kind_notice, 0, replaced_visit, node);
        replaced->loaded = rc == 0;
    }
    if (rc == 0 && !replaced->sorted && replaced->count)
        qsort(replaced->list, replaced->count, sizeof *replaced->list, by_bytes);
    replaced->sorted = rc == 0;
    return rc;
}

static bool is_replaced(const struct node *node, const struct hash *id)
{
    const struct replaced *replaced = &node->replaced;
    return replaced->count && bsearch(id, replaced->list, replaced->count, sizeof *id, by_bytes);
}

/* Listing */

const struct notice_filter notice_filter_all = {.verdict = -1};

struct notice_list {
    struct node *node;
    const struct notice_filter *filter;
    struct buf *out;
    uint64_t count;
    struct hash statement; /* of the row before: one advisory's notices stand together */
    struct support standing;
};

/* What the statement is now: it may have come to stand since the notice was made. */
static int listing_standing(struct notice_list *listing, const struct notice *notice)
{
    struct node *node = listing->node;
    struct hash id;
    log_id number = 0;
    uint64_t index = 0;
    if (!hash_parse(notice->advisory.statement, &id))
        return E_CORRUPT;
    if (hash_eq(&id, &listing->statement))
        return 0;
    listing->standing = (struct support){0};
    listing->statement = id;
    int rc = node->env.store->ops->entry_find(node->env.store, &id, &number, &index);
    for (size_t i = 0; rc == 0 && i < node->log_count; i++)
        if (node->logs[i].id == number)
            return support_find(node, &node->logs[i], index, false, &listing->standing);
    return rc == E_NOTFOUND ? 0 : rc;
}

/* What the feed has now where it had the document. */
static int listing_followed(struct notice_list *l, const struct notice *n)
{
    int64_t gone = 0;
    char at[21] = "";
    int rc = followed_gone_since(l->node, span_from(n->advisory.source, 5), n->advisory.url, &gone);
    if (gone)
        time_format(gone, at);
    notice_standing_write(&(struct support){0}, true, l->out);
    buf_printf(l->out, ",\"gone_since\":\"%s\"", at);
    return rc;
}

/* As the catalogues are now. */
static void listing_exploited(struct notice_list *l, const struct notice *n)
{
    struct span ids[NOTICE_CVES_MAX];
    size_t count = 0;
    for (uint32_t i = 0; n->cves && n->cves->type == JSON_ARRAY && i < n->cves->count && count < NOTICE_CVES_MAX; i++)
        if (n->cves->child[i].type == JSON_STRING)
            ids[count++] = n->cves->child[i].text;
    if (exploited_json(l->node, ids, count, l->out))
        buf_byte(l->out, ',');
}

static int listing_now(struct notice_list *l, const struct notice *n)
{
    listing_exploited(l, n);
    if (span_starts(n->advisory.source, "feed:"))
        return listing_followed(l, n);
    int rc = listing_standing(l, n);
    notice_standing_write(&l->standing, false, l->out);
    return rc;
}

static int ack_visit(void *ctx, const struct journal_row *row)
{
    struct buf *out = ctx;
    char at[21];
    time_format(row->at, at);
    buf_printf(out, "{\"at\":\"%s\",", at);
    buf_span(out, span_from(row->body, 1)); /* without its brace */
    return 0;
}

/* The object of an acknowledgement, or null. */
static int ack_write(struct node *node, const struct hash *id, struct buf *out)
{
    char hex[65];
    hash_hex(id, hex);
    int rc = node->env.store->ops->journal_find(node->env.store, kind_ack, span_str(hex), ack_visit, out);
    if (rc == E_NOTFOUND)
        buf_text(out, "null");
    return rc == E_NOTFOUND ? 0 : rc;
}

static bool is_acknowledged(struct node *node, const struct hash *id)
{
    char hex[65];
    hash_hex(id, hex);
    return node->env.store->ops->journal_find(node->env.store, kind_ack, span_str(hex), NULL, NULL) == 0;
}

static bool wanted(const struct notice_list *l, const struct journal_row *row, const struct notice *n)
{
    const struct notice_filter *f = l->filter;
    return row->at >= f->since && (!f->inventory.len || span_eq(f->inventory, n->inventory)) &&
           (!f->advisory.len || span_eq(f->advisory, n->advisory.id)) &&
           (f->verdict < 0 || f->verdict == (int)n->verdict) &&
           (!f->open || (!is_replaced(l->node, &n->id) && !is_acknowledged(l->node, &n->id)));
}

static int row_write(struct notice_list *l, const struct journal_row *row, const struct notice *n)
{
    struct hash group;
    char hex[65];
    buf_printf(l->out, "%s{\"seq\":%lld,", l->count++ ? ",\n" : "", (long long)row->seq);
    int rc = listing_now(l, n);
    notice_group(n, &group);
    hash_hex(&group, hex);
    buf_printf(l->out, ",\"group\":\"%s\",\"replaced\":%s,\"acknowledged\":", hex,
               is_replaced(l->node, &n->id) ? "true" : "false");
    rc = rc ? rc : ack_write(l->node, &n->id, l->out);
    buf_text(l->out, ",\"notice\":");
    buf_span(l->out, row->body);
    buf_byte(l->out, '}');
    return rc ? rc : l->out->error;
}

static int listing_visit(void *ctx, const struct journal_row *row)
{
    struct notice_list *listing = ctx;
    struct notice notice;
    struct arena arena;
    if (listing->filter->limit && listing->count == listing->filter->limit)
        return 1; /* enough */
    arena_init(&arena, 4 << 20);
    int rc = notice_read(&notice, row->body, &arena);
    if (rc == 0 && wanted(listing, row, &notice))
        rc = row_write(listing, row, &notice);
    arena_free(&arena);
    return rc;
}

int node_notices_json(struct node *node, const struct notice_filter *filter, struct buf *out)
{
    struct notice_list listing = {.node = node, .filter = filter, .out = out};
    int rc = replaced_load(node);
    buf_byte(out, '[');
    if (rc == 0)
        rc = node->env.store->ops->journal_scan(node->env.store, kind_notice, filter->after, listing_visit, &listing);
    buf_text(out, "]\n");
    return rc < 0 ? rc : out->error;
}

/* The feed: the newest at the end of the journal */

struct newest {
    int64_t seqs[ATOM_ENTRIES_MAX + 1];
    size_t count;
};

static int newest_visit(void *ctx, const struct journal_row *row)
{
    struct newest *newest = ctx;
    newest->seqs[newest->count++ % (ATOM_ENTRIES_MAX + 1)] = row->seq;
    return 0;
}

struct feed {
    struct buf *out, entries;
    int64_t updated;
};

static int feed_visit(void *ctx, const struct journal_row *row)
{
    struct feed *feed = ctx;
    struct notice notice;
    struct arena arena;
    arena_init(&arena, 4 << 20);
    int rc = notice_read(&notice, row->body, &arena);
    if (rc == 0)
        atom_entry(&feed->entries, &notice);
    feed->updated = row->at;
    arena_free(&arena);
    return rc ? rc : feed->entries.error;
}

int node_notices_atom(struct node *node, struct buf *out)
{
    struct newest newest = {0};
    struct feed feed = {.out = out};
    buf_init(&feed.entries, out->max);
    int rc = node->env.store->ops->journal_scan(node->env.store, kind_notice, 0, newest_visit, &newest);
    int64_t after =
        newest.count > ATOM_ENTRIES_MAX ? newest.seqs[newest.count % (ATOM_ENTRIES_MAX + 1)] : 0; /* the one before */
    rc = rc ? rc : node->env.store->ops->journal_scan(node->env.store, kind_notice, after, feed_visit, &feed);
    atom_begin(out, node->party_name, feed.updated);
    buf_span(out, buf_view(&feed.entries));
    atom_end(out);
    buf_free(&feed.entries);
    return rc ? rc : out->error;
}

/* Acknowledging */

static int ack_append(struct node *node, const struct hash *id, struct span body, unsigned *fresh)
{
    char hex[65];
    hash_hex(id, hex);
    int rc = write_begin(node);
    rc = rc ? rc
            : node->env.store->ops->journal_append(node->env.store, now_seconds(node), kind_ack, span_str(hex), body,
                                                   NULL);
    *fresh += rc == 0;
    return rc == E_EXISTS ? 0 : rc;
}

/* The notice itself, or those of the message. */
static int acknowledged_list(struct node *node, const struct hash *id, struct hash out[static MESSAGE_NOTICES_MAX],
                             size_t *count)
{
    *count = 1;
    out[0] = *id;
    return notice_exists(node, id) ? 0 : node_message_notices(node, id, out, count);
}

int notice_acknowledge(struct node *node, const struct event *event)
{
    struct hash *ids = calloc(MESSAGE_NOTICES_MAX, sizeof *ids);
    struct fault fault = {0};
    struct buf body;
    size_t count = 0;
    unsigned fresh = 0;
    if (!ids)
        return E_NOMEM;
    int rc = acknowledged_list(node, &event->hash, ids, &count);
    if (rc == E_NOTFOUND || !text_is_line(event->body) || event->body.len > NOTE_ACK_BYTES_MAX) {
        (void)(rc == E_NOTFOUND ? fail(&fault, E_NOTFOUND, "no notice and no message has this id")
                                : fail(&fault, E_SYNTAX, "a note is one line of at most %d bytes", NOTE_ACK_BYTES_MAX));
        reply_error(node, event->token, rc == E_NOTFOUND ? 404 : 400, &fault);
        free(ids);
        return 0;
    }
    buf_init(&body, 8 * NOTE_ACK_BYTES_MAX + 256);
    buf_byte(&body, '{');
    buf_member(&body, "by", event->name);
    buf_text(&body, "\"note\":");
    buf_json(&body, event->body);
    buf_byte(&body, '}');
    rc = rc ? rc : body.error;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = ack_append(node, &ids[i], buf_view(&body), &fresh);
    if (rc == 0) {
        struct action *action = action_add(node, ACTION_REPLY);
        action->token = event->token;
        action->status = 200;
        action->content_type = "application/json";
        buf_printf(&action->body, "{\"notices\":%zu,\"newly\":%u,\"acknowledged\":", count, fresh);
        rc = ack_write(node, &ids[0], &action->body);
        buf_text(&action->body, "}\n");
    }
    buf_free(&body);
    free(ids);
    return rc;
}
