/* Feeds as the API shows them. */
#include <stdio.h>

#include "format/json.h"
#include "node/feeds.h"

enum { PAGE_DOCUMENTS = 1000 };

static void instant(struct buf *out, const char *name, int64_t seconds)
{
    char at[21] = "";
    if (seconds > 0)
        time_format(seconds, at);
    buf_member(out, name, span_str(at));
}

static void counts_json(struct buf *out, const char *name, const struct feed_counts *c)
{
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {{"listed", c->listed}, {"asked", c->asked},     {"taken", c->taken},   {"same", c->same},
                {"gone", c->gone},     {"refused", c->refused}, {"failed", c->failed}, {"problems", c->problems}};
    buf_printf(out, "\"%s\":{", name);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        buf_printf(out, "%s\"%s\":%llu", i ? "," : "", rows[i].name, (unsigned long long)rows[i].count);
    buf_text(out, "},");
}

static void settings_json(const struct feed *feed, struct buf *out)
{
    buf_member(out, "url", span_str(feed->url));
    buf_member(out, "kind", span_str(feed->kind == LISTING_UNKNOWN ? "" : listing_names[feed->kind]));
    buf_member(out, "title", span_str(feed->title));
    buf_member(out, "key", span_str(feed->fingerprint));
    instant(out, "added", feed->added);
    instant(out, "tried", feed->tried);
    instant(out, "succeeded", feed->succeeded);
    instant(out, "due", feed->run ? 0 : feed->due);
    buf_member(out, "problem", span_str(feed->run && feed->run->problem[0] ? feed->run->problem : feed->problem));
    buf_printf(out, "\"every\":%lld,\"inside\":%s,\"running\":%s,\"failures\":%u,\"taken\":%llu,\"refused\":%llu,",
               (long long)feed->every_s, feed->inside ? "true" : "false", feed->run ? "true" : "false", feed->failures,
               (unsigned long long)feed->taken, (unsigned long long)feed->refused);
    counts_json(out, feed->run ? "run" : "last_run", feed->run ? &feed->run->counts : &feed->last);
}

/* `feed`: NULL when it is not followed (any more), but documents of it are here. */
static void feed_json(const struct feed *feed, struct span name, const struct feed_totals *totals, struct buf *out)
{
    buf_byte(out, '{');
    buf_member(out, "name", name);
    buf_printf(out, "\"followed\":%s,", feed ? "true" : "false");
    if (feed)
        settings_json(feed, out);
    buf_printf(out, "\"documents\":%llu,\"unreadable\":%llu,\"gone\":%llu,\"silent\":%llu}",
               (unsigned long long)totals->documents, (unsigned long long)totals->unreadable,
               (unsigned long long)totals->gone, (unsigned long long)totals->silent);
}

struct others {
    struct node *node;
    struct buf *out;
    bool more;
};

static int others_visit(void *ctx, struct span name, const struct feed_totals *totals)
{
    struct others *others = ctx;
    if (feed_of(others->node, name))
        return 0;
    buf_text(others->out, others->more ? ",\n" : "");
    feed_json(NULL, name, totals, others->out);
    others->more = true;
    return others->out->error;
}

void feeds_json(struct node *node, struct buf *out)
{
    struct others others = {.node = node, .out = out};
    buf_byte(out, '[');
    for (size_t i = 0; i < node->feeds->count; i++) {
        const struct feed *feed = node->feeds->list[i];
        struct feed_totals totals;
        feed_totals(node, span_str(feed->name), &totals);
        buf_text(out, others.more ? ",\n" : "");
        feed_json(feed, span_str(feed->name), &totals, out);
        others.more = true;
    }
    (void)feed_totals_scan(node, others_visit, &others);
    buf_byte(out, ']');
}

void node_feeds_json(struct node *node, struct buf *out)
{
    feeds_json(node, out);
    buf_byte(out, '\n');
}

struct page {
    struct buf *out;
    struct span after;
    char last[FOLLOWED_URL_MAX + 1];
    unsigned count;
    bool more;
};

static int page_visit(void *ctx, struct span url, const struct place *place)
{
    struct page *page = ctx;
    char hex[65];
    if (span_eq(url, page->after))
        return 0;
    if (page->count == PAGE_DOCUMENTS) {
        page->more = true;
        return 1;
    }
    hash_hex(&place->document, hex);
    buf_text(page->out, page->count++ ? ",\n{" : "{");
    buf_member(page->out, "url", url);
    buf_member(page->out, "document", span_str(hex));
    instant(page->out, "gone_since", place->gone);
    instant(page->out, "silent_change", place->silent);
    buf_printf(page->out, "\"seq\":%lld,\"readable\":%s}", (long long)place->seq, place->readable ? "true" : "false");
    (void)snprintf(page->last, sizeof page->last, "%.*s", (int)url.len, (const char *)url.data);
    return page->out->error;
}

int node_feed_json(struct node *node, struct span name, struct span after, struct buf *out, struct fault *fault)
{
    const struct feed *feed = feed_of(node, name);
    struct page page = {.out = out, .after = after};
    struct feed_totals totals;
    if (!name_valid(name) || (feed_totals(node, name, &totals) != 0 && !feed))
        return fail(fault, E_NOTFOUND, "no feed of this name is, or was, followed");
    buf_text(out, "{\"feed\":");
    feed_json(feed, name, &totals, out);
    buf_text(out, ",\"documents\":[");
    int rc = places_scan(node, name, after, page_visit, &page);
    buf_text(out, "],");
    buf_member(out, "after", span_str(page.more ? page.last : ""));
    buf_text(out, "\"refusals\":");
    rc = rc ? rc : feed_refusals_json(node, name, out);
    buf_text(out, "}\n");
    return rc ? fail(fault, rc, "reading what the feed had") : out->error;
}
