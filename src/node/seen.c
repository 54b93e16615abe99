/* What was seen at the feeds is stated in the own log, so that a silent change at a source shows to whoever compares: document and time of
   each new or changed or vanished document, after the runs that brought it. The journal has all of it; small state "feeds-stated" has the
   position up to which it is stated. It moves once the statement is in the log, so that after a crash the same may be stated twice, and
   never not at all. What was seen outside of a circle, or while the owner wants nothing stated, is not stated later. */
#include <stdio.h>

#include "format/json.h"
#include "node/feeds.h"

enum { SEEN_ROWS_MAX = 1000, SEEN_BYTES_MAX = SEEN_ROWS_MAX * 8192 };

struct seen {
    struct node *node;
    struct buf *out;
    int64_t last;
    size_t count;
    bool more;
};

static int row_visit(void *ctx, const struct journal_row *row)
{
    struct seen *seen = ctx;
    struct sighting s;
    struct arena arena;
    char hex[65], at[21];
    if (seen->count == SEEN_ROWS_MAX) {
        seen->more = true;
        return 1;
    }
    arena_init(&arena, 1 << 20);
    int rc = sighting_parse(row, &s, &arena);
    if (rc == 0 && seen->out && span_starts(s.url, "http")) {
        hash_hex(&s.document, hex);
        time_format(s.seen, at);
        buf_text(seen->out, seen->count++ ? ",\n{" : "{");
        buf_member(seen->out, "feed", s.feed);
        buf_member(seen->out, "url", s.url);
        buf_member(seen->out, "sha256", span_str(hex));
        buf_member(seen->out, "at", span_str(at));
        buf_printf(seen->out, "\"state\":\"%s\"}", s.gone ? "gone" : "seen");
        rc = seen->out->error;
    }
    seen->last = row->seq;
    arena_free(&arena);
    return rc == E_CORRUPT ? 0 : rc;
}

static int stated_save(struct node *node, int64_t seq)
{
    uint8_t value[8];
    u64_put(value, (uint64_t)seq);
    node->feeds->stated = seq;
    int rc = write_begin(node);
    return rc ? rc
              : node->env.store->ops->state_put(node->env.store, span_str("feeds-stated"),
                                                span_of(value, sizeof value));
}

static bool a_run_goes_on(const struct node *node)
{
    for (size_t i = 0; i < node->feeds->count; i++)
        if (node->feeds->list[i]->run)
            return true;
    return false;
}

static int statement_make(struct node *node, struct seen *seen)
{
    struct buf document;
    buf_init(&document, SEEN_BYTES_MAX);
    buf_text(&document, "{\"comity\":\"seen/1\",\"documents\":[");
    seen->out = &document;
    int rc = followed_scan(node, node->feeds->stated, row_visit, seen);
    buf_text(&document, "]}\n");
    rc = rc < 0 ? rc : document.error;
    if (rc == 0 && seen->count)
        rc = submit_internal(node, "application/vnd.comity.seen+json", "feeds", buf_view(&document));
    buf_free(&document);
    return rc;
}

int seen_state(struct node *node)
{
    struct feeds *feeds = node->feeds;
    struct seen seen = {.node = node};
    bool stated = node->roster && node->state_followed && !node->own->left;
    int rc = 0;
    if (feeds->stating) {
        if (node->pending_count)
            return 0;
        rc = stated_save(node, feeds->stating);
        feeds->stating = 0;
    }
    if (rc || !feeds->unstated || a_run_goes_on(node) || (stated && (node->recovering || node->pending_count)))
        return rc;
    seen.last = feeds->stated;
    if (stated) {
        rc = statement_make(node, &seen);
        feeds->unstated = seen.more;
        feeds->stating = rc == 0 && seen.count ? seen.last : 0;
        return rc || seen.count || seen.last == feeds->stated ? rc : stated_save(node, seen.last);
    }
    rc = followed_scan(node, feeds->stated, row_visit, &seen);
    feeds->unstated = false;
    return rc < 0 || seen.last == feeds->stated ? (rc < 0 ? rc : 0) : stated_save(node, seen.last);
}
