/* One run of a feed: requests, their retries, redirects and cuts, and what each brought. The order of things stands in feeds.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "node/feeds.h"

enum { RUN_ARENA_BYTES = 512 * 1024 * 1024, RETRY_AFTER_S_MAX = 300, RETRY_MS_MIN = 1000 };

void feed_problem(struct feed_run *run, struct span url, const char *format, ...)
{
    va_list arguments;
    if (run->problem[0])
        return;
    int n = snprintf(run->problem, sizeof run->problem, "%.*s: ", (int)(url.len < 160 ? url.len : 160),
                     url.len ? (const char *)url.data : "");
    va_start(arguments, format);
    (void)vsnprintf(run->problem + n, sizeof run->problem - (size_t)n, format, arguments);
    va_end(arguments);
}

bool feed_host_allowed(const struct feed *feed, const struct url *url)
{
    for (size_t i = 0; i < feed->run->host_count; i++)
        if (url_same_host(&feed->run->hosts[i], url))
            return true;
    return false;
}

struct feed_item *feed_item_add(struct feed_run *run)
{
    if (run->item_count == FEED_DOCUMENTS_MAX) {
        run->full = true;
        return NULL;
    }
    if (run->item_count == run->item_cap) {
        size_t cap = run->item_cap ? run->item_cap * 2 : 256;
        struct feed_item *items = realloc(run->items, cap * sizeof *items);
        if (!items)
            return NULL;
        run->items = items;
        run->item_cap = cap;
    }
    return &run->items[run->item_count++];
}

void feed_task_free(struct feed_task *task)
{
    buf_free(&task->partial);
    buf_free(&task->document);
    *task = (struct feed_task){0};
    buf_init(&task->partial, HTTP_BODY_MAX);
    buf_init(&task->document, DOCUMENT_BYTES_MAX);
}

int feed_run_begin(struct node *node, struct feed *feed, bool check)
{
    struct feed_run *run = calloc(1, sizeof *run);
    if (!run)
        return E_NOMEM;
    feed->run = run;
    feed->tried = now_seconds(node);
    run->check = check;
    arena_init(&run->arena, RUN_ARENA_BYTES);
    run->sources = calloc(FEED_SOURCES_MAX, sizeof *run->sources);
    for (size_t i = 0; i < FEED_CALLS_MAX; i++)
        feed_task_free(&run->tasks[i]);
    return run->sources ? feed_root_add(feed) : E_NOMEM;
}

void feed_run_free(struct feed *feed)
{
    struct feed_run *run = feed->run;
    if (!run)
        return;
    for (size_t i = 0; i < FEED_CALLS_MAX; i++) {
        buf_free(&run->tasks[i].partial);
        buf_free(&run->tasks[i].document);
    }
    arena_free(&run->arena);
    free(run->sources);
    free(run->items);
    free(run);
    feed->run = NULL;
}

unsigned feed_run_calls(const struct feed *feed)
{
    unsigned calls = 0;
    for (size_t i = 0; feed->run && i < FEED_CALLS_MAX; i++)
        calls += feed->run->tasks[i].token != 0;
    return calls;
}

static unsigned calls_of_all(const struct node *node)
{
    unsigned calls = 0;
    for (size_t i = 0; i < node->feeds->count; i++)
        calls += feed_run_calls(node->feeds->list[i]);
    return calls;
}

/* Asking */

void feed_task_ask(struct node *node, struct feed_task *task, enum feed_stage stage, struct span url, size_t body_max)
{
    task->stage = stage;
    task->at_ms = node->now_ms;
    task->token = 0;
    task->tries = task->redirects = 0;
    task->body_max = body_max;
    task->fetch = (struct fetch){0};
    buf_reset(&task->partial);
    (void)snprintf(task->fetch.url, sizeof task->fetch.url, "%.*s", (int)url.len, (const char *)url.data);
}

static void conditions_set(struct feed_task *task, const struct feed_tag *tag)
{
    (void)snprintf(task->fetch.etag, sizeof task->fetch.etag, "%s", tag->etag);
    (void)snprintf(task->fetch.since, sizeof task->fetch.since, "%s", tag->modified);
}

static void task_send(struct node *node, struct feed *feed, struct feed_task *task)
{
    struct url url, own;
    bool parsed =
        url_parse(&url, span_str(task->fetch.url), NULL) == 0 && url_parse(&own, span_str(feed->url), NULL) == 0;
    struct action *action = action_add(node, ACTION_FETCH);
    task->fetch.inside = feed->inside || (parsed && feed->url_inside && url_same_host(&url, &own));
    task->token = action->token = ++node->feeds->next_token;
    action->fetch = &task->fetch;
    action->body_max = task->body_max;
    action->timeout_ms = FEED_DOCUMENT_MS;
}

static int list_ask(struct node *node, struct feed *feed, struct feed_task *task)
{
    struct feed_source *source = &feed->run->sources[feed->run->source_at];
    struct feed_tag tag;
    if (feed_is_archive(source->tries[source->at])) {
        feed_archive_begin(node, task, source->tries[source->at]);
    } else {
        feed_task_ask(node, task, FEED_LIST, source->tries[source->at], LISTING_BYTES_MAX);
    }
    int rc = feed_tag_get(node, feed, source->tries[source->at], &tag);
    if (rc == 0 && !source->unconditional && !feed->run->check)
        conditions_set(task, &tag);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int document_ask(struct node *node, struct feed *feed, struct feed_task *task, size_t number)
{
    const struct feed_item *item = &feed->run->items[number];
    struct feed_tag tag;
    struct place place;
    feed_task_ask(node, task, FEED_DOCUMENT, item->url, DOCUMENT_BYTES_MAX);
    task->item = number;
    feed->run->counts.asked++;
    int rc = place_get(node, span_str(feed->name), item->url, &place);
    rc = rc ? rc : place.gone ? E_NOTFOUND : feed_tag_get(node, feed, item->url, &tag);
    if (rc == 0)
        conditions_set(task, &tag);
    return rc == E_NOTFOUND ? 0 : rc;
}

static struct feed_task *task_unused(struct feed_run *run)
{
    for (size_t i = 0; i < FEED_CALLS_MAX; i++)
        if (run->tasks[i].stage == FEED_FREE)
            return &run->tasks[i];
    return NULL;
}

static bool all_unused(const struct feed_run *run)
{
    for (size_t i = 0; i < FEED_CALLS_MAX; i++)
        if (run->tasks[i].stage != FEED_FREE)
            return false;
    return true;
}

/* Once one list has changed, those that have not are wanted too: only all of them together tell what is gone. */
static bool lists_again(struct feed_run *run)
{
    bool changed = false, same = false;
    for (size_t i = 0; i < run->source_count; i++) {
        const struct feed_source *source = &run->sources[i];
        changed = changed || (source->read && source->kind >= LISTING_ROLIE && source->kind <= LISTING_MODIFIED);
        same = same || source->same;
    }
    if (!changed || !same)
        return false;
    for (size_t i = run->source_count; i--;) {
        struct feed_source *source = &run->sources[i];
        source->unconditional = source->same;
        run->source_at = source->same ? i : run->source_at;
        source->same = false;
    }
    return true;
}

static int lists_go_on(struct node *node, struct feed *feed)
{
    struct feed_run *run = feed->run;
    if (run->listed || run->tasks[0].stage != FEED_FREE)
        return 0;
    while (run->source_at < run->source_count &&
           (run->sources[run->source_at].read || run->sources[run->source_at].same ||
            run->sources[run->source_at].at >= run->sources[run->source_at].try_count))
        run->source_at++;
    if (run->source_at < run->source_count)
        return list_ask(node, feed, &run->tasks[0]);
    if (lists_again(run))
        return list_ask(node, feed, &run->tasks[0]);
    run->listed = true;
    return feed_items_settle(node, feed);
}

static int documents_go_on(struct node *node, struct feed *feed)
{
    struct feed_run *run = feed->run;
    struct feed_task *task;
    int rc = 0;
    while (rc == 0 && run->listed && run->item_next < run->item_count && run->failures < FEED_FAILURES_MAX &&
           (task = task_unused(run))) {
        if (!run->items[run->item_next].wanted)
            run->item_next++;
        else if (run->archive_total)
            feed_chunk_ask(node, feed, task);
        else
            rc = document_ask(node, feed, task, run->item_next++);
    }
    return rc;
}

/* The end */

static bool is_sweepable(const struct feed_run *run)
{
    bool lists = false;
    for (size_t i = 0; i < run->source_count; i++) {
        if (!run->sources[i].read)
            return false;
        int kind = run->sources[i].kind;
        if (kind == LISTING_DOCUMENT || kind == LISTING_EXPLOITED)
            return false;
        lists = lists || (kind >= LISTING_ROLIE && kind <= LISTING_MODIFIED) || kind == LISTING_ARCHIVE;
    }
    return lists && !run->full;
}

static bool is_conditional(int kind)
{
    return kind != LISTING_UNKNOWN && kind != LISTING_PROVIDER && kind != LISTING_AGGREGATOR &&
           kind != LISTING_SECURITY;
}

static int source_tags_put(struct node *node, struct feed *feed)
{
    int rc = 0;
    for (size_t i = 0; i < feed->run->source_count && rc == 0; i++) {
        const struct feed_source *source = &feed->run->sources[i];
        if (source->read && is_conditional(source->kind))
            rc = feed_tag_put(node, feed, source->tries[source->at], &source->tag);
    }
    return rc;
}

static int64_t jitter(struct node *node, int64_t most)
{
    uint64_t number = node->env.random ? node->env.random(node->env.ctx) : 0;
    return most > 0 ? (int64_t)(number % (uint64_t)most) : 0;
}

static void due_set(struct node *node, struct feed *feed, bool whole)
{
    int64_t wait = feed->every_s;
    if (!whole) {
        unsigned shift = feed->failures < 16 ? feed->failures : 16;
        int64_t back_off = (int64_t)FEED_BACKOFF_S_MIN << shift;
        wait = back_off < wait ? back_off : wait;
    }
    feed->due = now_seconds(node) + wait - wait / 20 + jitter(node, wait / 10);
}

static int run_end(struct node *node, struct feed *feed)
{
    struct feed_run *run = feed->run;
    bool whole = !run->broken && !run->counts.failed && run->failures < FEED_FAILURES_MAX;
    int rc = whole && is_sweepable(run) ? feed_sweep(node, feed) : 0;
    if (rc == 0 && whole && !run->counts.refused)
        rc = source_tags_put(node, feed);
    if (run->full)
        feed_problem(run, span_str(feed->url), "more than %d documents: the others are not taken", FEED_DOCUMENTS_MAX);
    feed->last = run->counts;
    feed->taken += run->counts.taken;
    feed->refused += run->counts.refused;
    (void)snprintf(feed->problem, sizeof feed->problem, "%s", run->problem);
    due_set(node, feed, whole);
    feed->failures = whole ? 0 : feed->failures + 1;
    feed->succeeded = whole ? now_seconds(node) : feed->succeeded;
    feed_run_free(feed);
    return rc ? rc : feed_save(node, feed);
}

int feed_run_go_on(struct node *node, struct feed *feed)
{
    struct feed_run *run = feed->run;
    int rc = lists_go_on(node, feed);
    rc = rc ? rc : documents_go_on(node, feed);
    for (size_t i = 0; i < FEED_CALLS_MAX && rc == 0; i++) {
        struct feed_task *task = &run->tasks[i];
        if (task->whole)
            rc = feed_chunk_take(node, feed, task);
        else if (task->stage != FEED_FREE && !task->token && task->at_ms <= node->now_ms &&
                 calls_of_all(node) < FEED_CALLS_ALL)
            task_send(node, feed, task);
    }
    rc = rc ? rc : documents_go_on(node, feed);
    bool over = run->listed && (run->item_next == run->item_count || run->failures >= FEED_FAILURES_MAX);
    return rc == 0 && over && all_unused(run) ? run_end(node, feed) : rc;
}

int64_t feed_run_due(const struct node *node, const struct feed *feed)
{
    const struct feed_run *run = feed->run;
    int64_t due = INT64_MAX;
    bool room = calls_of_all(node) < FEED_CALLS_ALL;
    if (all_unused(run))
        return node->now_ms;
    for (size_t i = 0; i < FEED_CALLS_MAX; i++) {
        const struct feed_task *task = &run->tasks[i];
        if (task->whole)
            return node->now_ms;
        if (task->stage != FEED_FREE && !task->token && room && task->at_ms < due)
            due = task->at_ms;
    }
    return due;
}

/* Answers */

static void document_failed(struct feed *feed, struct feed_task *task, const char *why, int status)
{
    struct feed_run *run = feed->run;
    feed_problem(run, span_str(task->fetch.url), "%s (%d)", why, status);
    run->counts.failed++;
    run->failures++;
    feed_task_free(task);
}

static int tag_keep(struct node *node, struct feed *feed, const struct feed_task *task)
{
    const struct feed_item *item = &feed->run->items[task->item];
    struct feed_tag tag = task->tag;
    tag.stamp = item->stamp;
    return feed_tag_put(node, feed, item->url, &tag);
}

static int document_end(struct node *node, struct feed *feed, struct feed_task *task)
{
    struct feed_run *run = feed->run;
    enum feed_taken taken = FEED_SAME;
    const struct feed_document document = {.url = run->items[task->item].url,
                                           .bytes = buf_view(&task->document),
                                           .signature = task->signed_well ? feed->fingerprint : NULL,
                                           .hash_checked = task->hash_len == 64   ? "sha-512"
                                                           : task->hash_len == 32 ? "sha-256"
                                                                                  : NULL};
    int rc = feed_take(node, span_str(feed->name), &document, &taken);
    run->counts.taken += taken == FEED_TAKEN;
    run->counts.same += taken == FEED_SAME;
    run->failures = 0;
    rc = rc ? rc : tag_keep(node, feed, task);
    feed_task_free(task);
    return rc;
}

static bool hash_matches(const struct feed_task *task)
{
    uint8_t made[64];
    struct hash hash;
    if (task->hash_len == 64) {
        sha512(buf_view(&task->document), made);
    } else {
        sha256(buf_view(&task->document), &hash);
        memcpy(made, hash.b, sizeof hash.b);
    }
    return memcmp(made, task->hash, task->hash_len) == 0;
}

static int document_refuse(struct node *node, struct feed *feed, struct feed_task *task, int code, const char *why)
{
    struct span url = feed->run->items[task->item].url;
    struct hash hash;
    sha256(buf_view(&task->document), &hash);
    feed_problem(feed->run, url, "%s: %s", error_text(code)->message, why);
    feed->run->counts.refused++;
    feed->run->failures = 0;
    int rc = feed_refuse(node, span_str(feed->name), url, &hash, code, "%s", why);
    feed_task_free(task);
    return rc;
}

static bool beside_allowed(const struct feed *feed, struct span text)
{
    struct url url;
    return url_parse(&url, text, NULL) == 0 && feed_host_allowed(feed, &url);
}

/* The bytes are here and agree with the hash that the source names, if it names one. Where the owner gave a key, its signature must be there,
   too. */
static int document_hashed(struct node *node, struct feed *feed, struct feed_task *task)
{
    const struct feed_item *item = &feed->run->items[task->item];
    char url[FOLLOWED_URL_MAX + 16];
    if (task->hash_len && !hash_matches(task))
        return document_refuse(node, feed, task, E_HASH, "the bytes are not those whose hash the source names");
    if (!feed->fingerprint[0])
        return document_end(node, feed, task);
    (void)snprintf(url, sizeof url, "%.*s.asc", (int)item->url.len, (const char *)item->url.data);
    struct span from = item->signature_url.len ? item->signature_url : span_str(url);
    if (!beside_allowed(feed, from))
        return document_refuse(node, feed, task, E_REFUSED, "its signature lies where the metadata does not lead");
    feed_task_ask(node, task, FEED_SIGNATURE, from, FEED_SIGNATURE_BYTES_MAX);
    return 0;
}

static int signature_came(struct node *node, struct feed *feed, struct feed_task *task, int status)
{
    char fingerprint[FINGERPRINT_BYTES];
    struct fault fault = {0};
    struct buf key;
    if (status != 200)
        return document_refuse(node, feed, task, E_SIGNATURE,
                               "a key was given for this source, and this has no signature");
    buf_init(&key, FEED_KEY_BYTES_MAX);
    int rc = feed_key_get(node, feed, &key);
    rc = rc ? rc
            : node->env.parser->ops->signature(node->env.parser, buf_view(&task->document), buf_view(&task->partial),
                                               buf_view(&key), fingerprint, &fault);
    buf_free(&key);
    if (rc == E_NOMEM || rc == E_IO || rc == E_NOTFOUND)
        return rc == E_NOTFOUND ? E_CORRUPT : rc;
    if (rc || !task->partial.len)
        return document_refuse(node, feed, task, E_SIGNATURE,
                               "it is not signed by the key that was given for this source");
    task->signed_well = true;
    return document_end(node, feed, task);
}

static int hash_ask(struct node *node, struct feed *feed, struct feed_task *task, const char *suffix)
{
    const struct feed_item *item = &feed->run->items[task->item];
    char url[FOLLOWED_URL_MAX + 16];
    (void)snprintf(url, sizeof url, "%.*s%s", (int)item->url.len, (const char *)item->url.data, suffix);
    if (!item->hash_url.len && strlen(url) > FOLLOWED_URL_MAX)
        return document_hashed(node, feed, task);
    feed_task_ask(node, task, FEED_HASH, item->hash_url.len ? item->hash_url : span_str(url), FEED_SMALL_BYTES);
    return 0;
}

static int document_here(struct node *node, struct feed *feed, struct feed_task *task)
{
    const struct feed_run *run = feed->run;
    const struct feed_item *item = &run->items[task->item];
    struct buf body = task->partial;
    buf_init(&task->partial, HTTP_BODY_MAX);
    buf_free(&task->document);
    task->document = body;
    if (item->hash_url.len && !beside_allowed(feed, item->hash_url))
        return document_refuse(node, feed, task, E_REFUSED, "its hash lies on a host that the metadata does not name");
    bool guess = item->guess_hash && (!run->no_hashes || run->sources[item->source].trusted);
    return item->hash_url.len || guess ? hash_ask(node, feed, task, ".sha256") : document_hashed(node, feed, task);
}

static int hash_came(struct node *node, struct feed *feed, struct feed_task *task, int status)
{
    const struct feed_item *item = &feed->run->items[task->item];
    size_t n = strlen(task->fetch.url);
    if (status == 200) {
        task->hash_len = hash_file_read(buf_view(&task->partial), task->hash);
        return task->hash_len ? document_hashed(node, feed, task)
                              : document_refuse(node, feed, task, E_SYNTAX, "its hash file begins with no hash");
    }
    if (!item->hash_url.len && n > 7 && strcmp(task->fetch.url + n - 7, ".sha256") == 0)
        return hash_ask(node, feed, task, ".sha512");
    if (item->hash_url.len)
        feed_problem(feed->run, item->hash_url, "the hash file that the list names is not there (%d)", status);
    feed->run->no_hashes = true;
    return document_hashed(node, feed, task);
}

static int list_came(struct node *node, struct feed *feed, struct feed_task *task, int status)
{
    struct feed_run *run = feed->run;
    struct feed_source *source = &run->sources[run->source_at];
    int rc = 1;
    if (status == 304) {
        source->same = true;
        rc = 0;
    } else if (status == 200) {
        rc = feed_list_take(node, feed, task, buf_view(&task->partial));
        source->tag = task->tag;
    } else if (source->at + 1 == source->try_count) {
        feed_problem(run, span_str(task->fetch.url), "it cannot be had (%d)", status);
    }
    if (rc == 1 && ++source->at == source->try_count)
        run->broken = true; /* none of its URLs has a list */
    feed_task_free(task);
    return rc == 1 ? 0 : rc;
}

static int document_gone(struct node *node, struct feed *feed, struct feed_task *task, int status)
{
    struct span url = feed->run->items[task->item].url;
    struct place place;
    int rc = place_get(node, span_str(feed->name), url, &place);
    if (rc == E_NOTFOUND) {
        document_failed(feed, task, "it is listed, but not there", status);
        feed->run->failures = 0; /* the source answers */
        return 0;
    }
    feed->run->counts.gone += rc == 0 && !place.gone;
    rc = rc ? rc : advisory_gone(node, span_str(feed->name), url, now_seconds(node));
    feed_task_free(task);
    return rc;
}

static int answer_take(struct node *node, struct feed *feed, struct feed_task *task, const struct event *event)
{
    int status = event->status;
    switch (task->stage) {
    case FEED_LIST:
        return list_came(node, feed, task, status);
    case FEED_SIGNATURE:
        return signature_came(node, feed, task, status);
    case FEED_HASH:
        return hash_came(node, feed, task, status);
    case FEED_DOCUMENT:
        break;
    default:
        return feed_archive_came(node, feed, task, event);
    }
    if (status == 200)
        return document_here(node, feed, task);
    if (status == 404 || status == 410)
        return document_gone(node, feed, task, status);
    if (status != 304) {
        document_failed(feed, task,
                        status == RESPONSE_TOO_LARGE ? "it is larger than a document may be" : "it cannot be had",
                        status);
        return 0;
    }
    feed->run->counts.same++;
    feed->run->failures = 0;
    int rc = tag_keep(node, feed, task);
    feed_task_free(task);
    return rc;
}

/* Redirects, cuts, and what may pass */

/* Where it leads, if that may be asked. */
static bool redirect_good(const struct feed *feed, const struct feed_task *task, const struct fetched *got,
                          struct buf *url)
{
    struct url from, to;
    return got && got->location.len && task->redirects < FEED_REDIRECTS_MAX &&
           url_join(url, span_str(task->fetch.url), got->location, NULL) == 0 &&
           url_parse(&from, span_str(task->fetch.url), NULL) == 0 && url_parse(&to, buf_view(url), NULL) == 0 &&
           (to.tls || !from.tls) && feed_host_allowed(feed, &to);
}

static int redirect_take(struct node *node, struct feed *feed, struct feed_task *task, const struct event *event)
{
    static const char why[] = "it leads elsewhere, to what the feed's metadata does not name";
    struct buf url;
    buf_init(&url, FOLLOWED_URL_MAX);
    bool good = redirect_good(feed, task, event->fetched, &url);
    if (good) {
        (void)snprintf(task->fetch.url, sizeof task->fetch.url, "%.*s", (int)url.len, (const char *)url.data);
        task->redirects++;
        task->at_ms = node->now_ms;
    }
    buf_free(&url);
    if (good)
        return 0;
    feed_problem(feed->run, span_str(task->fetch.url), "%s", why);
    bool document = task->stage == FEED_DOCUMENT;
    struct span place = document ? feed->run->items[task->item].url : span_str(task->fetch.url);
    int rc = feed_refuse(node, span_str(feed->name), place, NULL, E_REFUSED, "%s", why);
    if (rc || !document)
        return rc ? rc : answer_take(node, feed, task, event);
    feed->run->counts.refused++;
    feed_task_free(task);
    return 0;
}

static bool may_pass(int status)
{
    return status == RESPONSE_NONE || status == RESPONSE_CUT || status == 408 || status == 429 || status >= 500;
}

static bool retry_set(struct node *node, struct feed_task *task, const struct event *event)
{
    uint64_t after = event->fetched ? event->fetched->retry_after_s : 0;
    if (++task->tries == FEED_TRIES_MAX || after > RETRY_AFTER_S_MAX)
        return false;
    int64_t wait = (int64_t)RETRY_MS_MIN << task->tries;
    wait = after ? (int64_t)after * 1000 : wait / 2 + jitter(node, wait / 2 + 1);
    task->at_ms = node->now_ms + wait;
    return true;
}

static void tag_take(struct feed_task *task, const struct fetched *got)
{
    task->tag = (struct feed_tag){0};
    if (!got)
        return;
    (void)snprintf(task->tag.etag, sizeof task->tag.etag, "%.*s", (int)got->etag.len,
                   got->etag.len ? (const char *)got->etag.data : "");
    (void)snprintf(task->tag.modified, sizeof task->tag.modified, "%.*s", (int)got->modified.len,
                   got->modified.len ? (const char *)got->modified.data : "");
}

/* What came of a whole resource is joined to what had come before a cut. Only a strong ETag tells that both are of the same bytes. */
static void body_join(struct feed_task *task, const struct event *event)
{
    const struct fetched *got = event->fetched;
    bool goes_on = event->status == 206 || (event->status == RESPONSE_CUT && task->fetch.from);
    if (goes_on && task->fetch.from && got && got->from != task->partial.len)
        goes_on = false;
    if (!goes_on || !task->fetch.from)
        buf_reset(&task->partial);
    buf_span(&task->partial, event->body);
}

static void cut_take(struct feed_task *task)
{
    bool strong = task->tag.etag[0] == '"';
    if (!strong)
        buf_reset(&task->partial);
    task->fetch.from = task->partial.len;
    task->fetch.since[0] = 0;
    (void)snprintf(task->fetch.etag, sizeof task->fetch.etag, "%s", strong ? task->tag.etag : "");
}

int feed_run_fetched(struct node *node, struct feed *feed, struct feed_task *task, const struct event *event)
{
    struct event answer = *event;
    bool archive = task->stage == FEED_TAIL || task->stage == FEED_DIRECTORY || task->stage == FEED_CHUNK;
    task->token = 0;
    if (event->status == 301 || event->status == 302 || event->status == 303 || event->status == 307 ||
        event->status == 308)
        return redirect_take(node, feed, task, event);
    if (!archive && (event->status == 200 || event->status == 206 || event->status == RESPONSE_CUT)) {
        body_join(task, event);
        tag_take(task, event->fetched);
    }
    if (event->status == RESPONSE_CUT && !archive)
        cut_take(task);
    if (event->status == RESPONSE_CUT && event->body.len && !archive && task->partial.len) {
        task->at_ms = node->now_ms; /* a cut with progress is no failure */
        return 0;
    }
    if (may_pass(event->status) && retry_set(node, task, event))
        return 0;
    if (!archive && event->status == 206)
        answer.status = 200;
    if (task->partial.error)
        answer.status = RESPONSE_TOO_LARGE;
    return answer_take(node, feed, task, &answer);
}
