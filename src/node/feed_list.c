/* What a list leads to: further lists, hosts, documents; which of these are wanted; and, at the end, what is gone. */
#include <stdio.h>
#include <stdlib.h>

#include "format/json.h"
#include "node/feeds.h"

enum { DEPTH_MAX = 3 /* aggregator, provider, its list */ };

static struct span url_made(struct feed_run *run, struct span base, struct span reference)
{
    struct buf url;
    struct fault fault = {0};
    buf_init(&url, FOLLOWED_URL_MAX);
    struct span made = span_of(NULL, 0);
    if (reference.len && url_join(&url, base, reference, &fault) == 0)
        made = arena_copy(&run->arena, buf_view(&url));
    buf_free(&url);
    return made;
}

/* Whoever the metadata names may be asked. From a feed under TLS nothing leads to a host without. */
static bool host_add(struct feed *feed, struct span text)
{
    struct feed_run *run = feed->run;
    struct url url, own;
    if (url_parse(&url, text, NULL) != 0 || url_parse(&own, span_str(feed->url), NULL) != 0 || (own.tls && !url.tls))
        return false;
    if (feed_host_allowed(feed, &url))
        return true;
    if (run->host_count == FEED_HOSTS_MAX)
        return false;
    run->hosts[run->host_count++] = url;
    return true;
}

static struct feed_source *source_add(struct feed *feed, unsigned depth, bool trusted)
{
    struct feed_run *run = feed->run;
    if (run->source_count == FEED_SOURCES_MAX || depth > DEPTH_MAX)
        return NULL;
    struct feed_source *source = &run->sources[run->source_count++];
    *source = (struct feed_source){.depth = depth, .trusted = trusted, .kind = LISTING_UNKNOWN};
    return source;
}

static void try_add(struct feed_run *run, struct feed_source *source, struct span base, const char *reference)
{
    struct span url = url_made(run, base, span_str(reference));
    if (url.len && source->try_count < sizeof source->tries / sizeof source->tries[0])
        source->tries[source->try_count++] = url;
}

/* "/a/b" as the folder "/a/b/". */
static void directory_tries(struct feed_run *run, struct feed_source *source, struct span url)
{
    struct buf folder;
    buf_init(&folder, FOLLOWED_URL_MAX);
    buf_span(&folder, url);
    if (url.len && url.data[url.len - 1] != '/')
        buf_byte(&folder, '/');
    struct span base = folder.error ? url : arena_copy(&run->arena, buf_view(&folder));
    try_add(run, source, base, "changes.csv");
    try_add(run, source, base, "index.txt");
    buf_free(&folder);
}

/* Where the owner's own URL leads (CSAF 2.0 section 7.3.1): a host alone, a folder, or the thing itself. */
int feed_root_add(struct feed *feed)
{
    struct feed_run *run = feed->run;
    struct span url = arena_copy(&run->arena, span_str(feed->url));
    struct feed_source *source = source_add(feed, 0, false);
    struct url parts;
    if (!url.data || url_parse(&parts, url, NULL) != 0)
        return E_NOMEM;
    (void)host_add(feed, url);
    run->hosts[0] = parts;
    run->host_count = 1;
    if (!parts.path.len || span_is(parts.path, "/")) {
        try_add(run, source, url, "/.well-known/csaf/provider-metadata.json");
        try_add(run, source, url, "/.well-known/security.txt");
    }
    if (!parts.path.len || url.data[url.len - 1] == '/')
        directory_tries(run, source, url);
    else
        source->tries[source->try_count++] = url;
    return 0;
}

static void further_add(struct feed *feed, const struct feed_source *from, struct span base, const struct listed *item)
{
    struct feed_run *run = feed->run;
    struct span url = url_made(run, base, item->url), mirror = url_made(run, base, item->mirror);
    if (!url.len || !host_add(feed, url)) {
        feed_problem(run, item->url, "it leads to what may not be asked");
        run->counts.refused++;
        return;
    }
    struct feed_source *source = source_add(feed, from->depth + 1, from->trusted);
    if (!source) {
        feed_problem(run, url, "too many lists, or too deep");
        run->broken = true;
        return;
    }
    if (item->what == LISTED_DIRECTORY)
        directory_tries(run, source, url);
    else
        source->tries[source->try_count++] = url;
    if (mirror.len && host_add(feed, mirror))
        source->tries[source->try_count++] = mirror;
}

static int document_add(struct node *node, struct feed *feed, size_t source, struct span base,
                        const struct listed *item)
{
    struct feed_run *run = feed->run;
    struct url parts;
    struct span url = url_made(run, base, item->url);
    if (!url.len || url_parse(&parts, url, NULL) != 0 || !feed_host_allowed(feed, &parts)) {
        feed_problem(run, item->url, "the list names a document on a host that the feed's metadata does not");
        run->counts.refused++;
        return feed_refuse(node, span_str(feed->name), item->url.len && text_is_line(item->url) ? item->url : base,
                           NULL, E_REFUSED, "the list names a document on a host that the feed's metadata does not");
    }
    struct feed_item *to = feed_item_add(run);
    if (!to)
        return run->item_count == FEED_DOCUMENTS_MAX ? 0 : E_NOMEM;
    *to = (struct feed_item){.url = url,
                             .hash_url = url_made(run, base, item->hash_url),
                             .signature_url = url_made(run, base, item->signature_url),
                             .stamp = item->updated == LISTED_NEVER ? 0 : (uint64_t)item->updated,
                             .source = (uint32_t)source};
    int kind = run->sources[source].kind;
    to->guess_hash = kind == LISTING_CHANGES || kind == LISTING_INDEX;
    return 0;
}

static void keys_match(struct feed *feed, struct span base, const struct listing *listing)
{
    bool named = false;
    for (size_t i = 0; i < listing->key_count; i++)
        named = named || span_is(listing->keys[i].fingerprint, feed->fingerprint);
    if (feed->fingerprint[0] && listing->key_count && !named)
        feed_problem(feed->run, base, "its metadata does not name the key %s that was given for it", feed->fingerprint);
}

static int listing_take(struct node *node, struct feed *feed, struct span base, const struct listing *listing)
{
    struct feed_run *run = feed->run;
    size_t number = run->source_at;
    struct feed_source *source = &run->sources[number];
    int rc = 0;
    source->kind = (int)listing->kind;
    source->trusted = source->trusted || listing->trusted;
    if (!source->depth) {
        feed->kind = (int)listing->kind;
        struct span title = text_cut(listing->title, sizeof feed->title - 1);
        if (text_is_line(title))
            (void)snprintf(feed->title, sizeof feed->title, "%.*s", (int)title.len,
                           title.len ? (const char *)title.data : "");
    }
    keys_match(feed, base, listing);
    run->counts.problems += listing->problem_count;
    if (listing->problem_count)
        feed_problem(run, base, "%zu rows cannot be read; the first: %.*s", listing->problem_count,
                     (int)(listing->problem.len < 100 ? listing->problem.len : 100),
                     listing->problem.len ? (const char *)listing->problem.data : "");
    for (size_t i = 0; i < listing->count && rc == 0; i++)
        if (listing->items[i].what == LISTED_DOCUMENT)
            rc = document_add(node, feed, number, base, &listing->items[i]);
        else
            further_add(feed, source, base, &listing->items[i]);
    return rc;
}

/* The owner's URL is a document itself. */
static int single_take(struct node *node, struct feed *feed, struct span base, struct span body, int kind)
{
    struct feed_run *run = feed->run;
    enum feed_taken taken = FEED_SAME;
    const struct feed_document document = {.url = base, .bytes = body};
    run->sources[run->source_at].kind = kind;
    if (!run->sources[run->source_at].depth)
        feed->kind = kind;
    run->counts.listed++;
    run->counts.asked++;
    int rc = feed_take(node, span_str(feed->name), &document, &taken);
    run->counts.taken += taken == FEED_TAKEN;
    run->counts.same += taken == FEED_SAME;
    return rc;
}

int feed_list_take(struct node *node, struct feed *feed, struct feed_task *task, struct span body)
{
    struct feed_run *run = feed->run;
    struct fault fault = {0};
    struct listing listing;
    struct span base = arena_copy(&run->arena, span_str(task->fetch.url));
    int rc =
        base.data ? node->env.parser->ops->listing(node->env.parser, body, &listing, &run->arena, &fault) : E_NOMEM;
    if (rc == 0 && (listing.kind == LISTING_DOCUMENT || listing.kind == LISTING_EXPLOITED))
        rc = single_take(node, feed, base, body, (int)listing.kind);
    else if (rc == 0)
        rc = listing_take(node, feed, base, &listing);
    else if (rc != E_NOMEM && rc != E_IO) {
        feed_problem(run, base, "%s: %s", error_text(rc)->message, fault.detail);
        return 1;
    }
    if (rc == 0)
        run->sources[run->source_at].read = true;
    return rc;
}

/* Which documents are wanted */

static int by_url(const void *a, const void *b)
{
    const struct feed_item *left = a, *right = b;
    int order = span_compare(left->url, right->url);
    return order ? order : (left->stamp < right->stamp) - (left->stamp > right->stamp); /* the latest first */
}

static void items_unique(struct feed_run *run)
{
    size_t kept = 0;
    qsort(run->items, run->item_count, sizeof *run->items, by_url);
    for (size_t i = 0; i < run->item_count; i++)
        if (!kept || !span_eq(run->items[kept - 1].url, run->items[i].url))
            run->items[kept++] = run->items[i];
    run->item_count = kept;
}

static int by_offset(const void *a, const void *b)
{
    const struct feed_item *left = a, *right = b;
    return (left->listed.offset > right->listed.offset) - (left->listed.offset < right->listed.offset);
}

/* Unchanged by the list's own word, and here. */
static int item_look(struct node *node, struct feed *feed, struct feed_item *item, size_t turn, size_t *again)
{
    struct feed_run *run = feed->run;
    struct feed_tag tag;
    struct place place;
    int rc = feed_tag_get(node, feed, item->url, &tag);
    if (rc == 0 && (rc = place_get(node, span_str(feed->name), item->url, &place)) == 0) {
        bool here = item->stamp && tag.stamp == item->stamp && !place.gone;
        bool look = !item->listed.size && (run->check || (turn < FEED_RECHECK_MAX && *again < FEED_RECHECK_MAX));
        item->again = here;
        item->wanted = !here || look;
        *again += here && look;
        run->counts.same += here && !look;
        return 0;
    }
    item->wanted = true;
    return rc == E_NOTFOUND ? 0 : rc;
}

int feed_items_settle(struct node *node, struct feed *feed)
{
    struct feed_run *run = feed->run;
    size_t again = 0;
    int rc = 0;
    items_unique(run);
    run->counts.listed += run->item_count;
    /* Each run begins elsewhere with what it looks at again, so that all have their turn. */
    size_t start =
        run->item_count && node->env.random ? (size_t)(node->env.random(node->env.ctx) % run->item_count) : 0;
    for (size_t i = 0; i < run->item_count && rc == 0; i++)
        rc = item_look(node, feed, &run->items[i], (i + run->item_count - start) % run->item_count, &again);
    if (run->archive_total)
        qsort(run->items, run->item_count, sizeof *run->items, by_offset);
    return rc;
}

/* What is gone */

struct sweep {
    struct feed_run *run;
    struct span *gone;
    size_t count, cap;
};

static bool listed(const struct feed_run *run, struct span url)
{
    const struct feed_item key = {.url = url, .stamp = 0};
    size_t low = 0, high = run->item_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_compare(run->items[middle].url, key.url);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static int sweep_visit(void *ctx, struct span url, const struct place *place)
{
    struct sweep *sweep = ctx;
    if (place->gone || !span_starts(url, "http") || listed(sweep->run, url))
        return 0;
    if (sweep->count == sweep->cap) {
        size_t cap = sweep->cap ? sweep->cap * 2 : 64;
        struct span *gone = realloc(sweep->gone, cap * sizeof *gone);
        if (!gone)
            return E_NOMEM;
        sweep->gone = gone;
        sweep->cap = cap;
    }
    sweep->gone[sweep->count] = arena_copy(&sweep->run->arena, url);
    return sweep->gone[sweep->count++].data ? 0 : E_NOMEM;
}

int feed_sweep(struct node *node, struct feed *feed)
{
    struct feed_run *run = feed->run;
    struct sweep sweep = {.run = run};
    qsort(run->items, run->item_count, sizeof *run->items, by_url);
    int rc = places_scan(node, span_str(feed->name), span_of(NULL, 0), sweep_visit, &sweep);
    for (size_t i = 0; i < sweep.count && rc == 0; i++) {
        rc = advisory_gone(node, span_str(feed->name), sweep.gone[i], now_seconds(node));
        run->counts.gone++;
    }
    free(sweep.gone);
    return rc;
}
