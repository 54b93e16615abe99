/* An archive elsewhere, by its central directory: its end, its directory, and then only the stretches that hold what is new or changed. The
   place of each document stands in the directory, so a run that ended in the middle goes on where it was, without any file of its own. A
   server that answers no Range gives all of it at once, if it is not too large. */
#include <stdio.h>

#include "node/feeds.h"

enum { LOCAL_HEAD_MOST = 30 + 2 * 65535, GAP_BYTES = 32768 };

bool feed_is_archive(struct span url)
{
    struct url parts;
    if (url_parse(&parts, url, NULL) != 0)
        return false;
    size_t len = 0;
    while (len < parts.path.len && parts.path.data[len] != '?')
        len++;
    return len > 4 && memcmp(parts.path.data + len - 4, ".zip", 4) == 0;
}

void feed_archive_begin(struct node *node, struct feed_task *task, struct span url)
{
    feed_task_ask(node, task, FEED_TAIL, url, HTTP_BODY_MAX);
    task->fetch.last = ZIP_TAIL_BYTES;
}

static int archive_failed(struct feed *feed, struct feed_task *task, const char *why, const char *detail)
{
    struct feed_run *run = feed->run;
    struct feed_source *source = &run->sources[run->source_at];
    feed_problem(run, span_str(task->fetch.url), "%s%s%s", why, *detail ? ": " : "", detail);
    run->broken = true;
    source->at = source->try_count;
    run->archive_total = 0;
    feed_task_free(task);
    return 0;
}

static int member_add(struct feed *feed, struct span archive, const struct listed *member)
{
    struct feed_run *run = feed->run;
    struct buf url;
    buf_init(&url, FOLLOWED_URL_MAX);
    buf_span(&url, archive);
    buf_byte(&url, '#');
    buf_span(&url, member->url);
    struct span kept = url.error ? span_of(NULL, 0) : arena_copy(&run->arena, buf_view(&url));
    bool too_long = url.error == E_LIMIT;
    buf_free(&url);
    if (too_long) {
        run->counts.problems++;
        return 0;
    }
    struct feed_item *item = kept.data ? feed_item_add(run) : NULL;
    if (!item)
        return run->full ? 0 : E_NOMEM;
    *item = (struct feed_item){.url = kept,
                               .stamp = (uint64_t)member->crc << 32 | (uint32_t)(member->size + 1),
                               .source = (uint32_t)run->source_at,
                               .listed = *member};
    return 0;
}

/* What the parser says of it must lie in the archive. */
static bool member_good(const struct feed_run *run, const struct listed *member)
{
    return member->size <= DOCUMENT_BYTES_MAX && member->packed <= DOCUMENT_BYTES_MAX &&
           member->offset < run->archive_end.offset && member->packed < run->archive_end.offset - member->offset &&
           text_is_line(member->url) && member->url.len;
}

static int directory_take(struct node *node, struct feed *feed, struct feed_task *task, struct span bytes)
{
    struct feed_run *run = feed->run;
    struct feed_source *source = &run->sources[run->source_at];
    struct listing listing;
    struct fault fault = {0};
    int rc = node->env.parser->ops->archive_listing(node->env.parser, bytes, run->archive_end.entries, &listing,
                                                    &run->arena, &fault);
    if (rc == E_NOMEM || rc == E_IO)
        return rc;
    if (rc)
        return archive_failed(feed, task, "the archive's directory cannot be read", fault.detail);
    source->kind = LISTING_ARCHIVE;
    source->read = true;
    source->tag = run->archive_tag;
    feed->kind = LISTING_ARCHIVE;
    run->counts.problems += listing.problem_count;
    if (listing.problem_count)
        feed_problem(run, source->tries[source->at], "%zu files of the archive are not taken", listing.problem_count);
    for (size_t i = 0; i < listing.count && rc == 0; i++)
        if (member_good(run, &listing.items[i]))
            rc = member_add(feed, source->tries[source->at], &listing.items[i]);
        else
            run->counts.problems++;
    return rc;
}

/* All of it came at once: it is kept, and stands for the one chunk. */
static int whole_take(struct node *node, struct feed *feed, struct feed_task *task, struct span body)
{
    struct feed_run *run = feed->run;
    struct fault fault = {0};
    size_t tail = body.len < ZIP_TAIL_BYTES ? body.len : ZIP_TAIL_BYTES;
    run->archive_total = body.len;
    int rc = node->env.parser->ops->archive_end(node->env.parser, span_from(body, body.len - tail), body.len,
                                                &run->archive_end, &fault);
    if (rc == E_NOMEM || rc == E_IO)
        return rc;
    if (rc || run->archive_end.offset > body.len || run->archive_end.bytes > body.len - run->archive_end.offset)
        return archive_failed(feed, task, "it is no archive that can be read", fault.detail);
    rc = directory_take(node, feed, task, span_of(body.data + run->archive_end.offset, (size_t)run->archive_end.bytes));
    if (rc || run->broken)
        return rc;
    buf_reset(&task->partial);
    buf_span(&task->partial, body);
    task->stage = FEED_CHUNK;
    task->base = 0;
    task->item = 0;
    task->end = SIZE_MAX;
    task->whole = true;
    run->listed = true;
    rc = task->partial.error ? task->partial.error : feed_items_settle(node, feed);
    run->item_next = run->item_count;
    task->end = run->item_count;
    return rc;
}

static int tail_take(struct node *node, struct feed *feed, struct feed_task *task, const struct event *event)
{
    struct feed_run *run = feed->run;
    struct fault fault = {0};
    const struct fetched *got = event->fetched;
    if (!got || !got->total || got->total < event->body.len || got->from != got->total - event->body.len)
        return archive_failed(feed, task, "the answer does not say which part of the archive it is", "");
    run->archive_total = got->total;
    int rc = node->env.parser->ops->archive_end(node->env.parser, event->body, got->total, &run->archive_end, &fault);
    if (rc == E_NOMEM || rc == E_IO)
        return rc;
    const struct zip_end *end = &run->archive_end;
    if (rc || end->offset > got->total || end->bytes > got->total - end->offset || end->bytes > LISTING_BYTES_MAX)
        return archive_failed(feed, task, "it is no archive that can be read", fault.detail);
    if (end->offset >= got->from) {
        rc =
            directory_take(node, feed, task, span_of(event->body.data + (end->offset - got->from), (size_t)end->bytes));
        feed_task_free(task);
        return rc;
    }
    struct fetch before = task->fetch;
    feed_task_ask(node, task, FEED_DIRECTORY, span_str(before.url), (size_t)end->bytes + 1);
    task->fetch.from = end->offset;
    task->fetch.to = end->offset + end->bytes;
    (void)snprintf(task->fetch.etag, sizeof task->fetch.etag, "%s",
                   run->archive_tag.etag[0] == '"' ? run->archive_tag.etag : "");
    return 0;
}

/* Chunks */

static uint64_t item_end(const struct feed_run *run, size_t number)
{
    const struct listed *item = &run->items[number].listed;
    uint64_t most = item->offset + item->packed + LOCAL_HEAD_MOST;
    uint64_t end = number + 1 < run->item_count ? run->items[number + 1].listed.offset : run->archive_end.offset;
    return end < most ? end : most;
}

void feed_chunk_ask(struct node *node, struct feed *feed, struct feed_task *task)
{
    struct feed_run *run = feed->run;
    const struct feed_source *source = &run->sources[run->items[run->item_next].source];
    size_t first = run->item_next, end = first;
    uint64_t from = run->items[first].listed.offset, to = from;
    while (end < run->item_count) {
        const struct feed_item *item = &run->items[end];
        if (item->wanted) {
            uint64_t last = item_end(run, end);
            if (end > first && (item->listed.offset - to > GAP_BYTES || last - from > FEED_CHUNK_BYTES))
                break;
            to = last;
        }
        end++;
    }
    run->item_next = end;
    feed_task_ask(node, task, FEED_CHUNK, source->tries[source->at], (size_t)(to - from) + 1);
    task->item = first;
    task->end = end;
    task->base = from;
    task->fetch.from = from;
    task->fetch.to = to;
    run->counts.asked++;
    (void)snprintf(task->fetch.etag, sizeof task->fetch.etag, "%s",
                   run->archive_tag.etag[0] == '"' ? run->archive_tag.etag : "");
}

static int member_take(struct node *node, struct feed *feed, const struct feed_item *item, struct span bytes)
{
    struct feed_run *run = feed->run;
    struct buf out;
    struct fault fault = {0};
    enum feed_taken taken = FEED_SAME;
    const struct feed_tag tag = {.stamp = item->stamp};
    buf_init(&out, DOCUMENT_BYTES_MAX);
    int rc = node->env.parser->ops->archive_document(node->env.parser, bytes, &item->listed, &out, &fault);
    if (rc == 0) {
        const struct feed_document document = {.url = item->url, .bytes = buf_view(&out), .hash_checked = "crc-32"};
        rc = feed_take(node, span_str(feed->name), &document, &taken);
        run->counts.taken += taken == FEED_TAKEN;
        run->counts.same += taken == FEED_SAME;
        rc = rc ? rc : feed_tag_put(node, feed, item->url, &tag);
    } else if (rc != E_NOMEM && rc != E_IO) {
        feed_problem(run, item->url, "%s: %s", error_text(rc)->message, fault.detail);
        run->counts.refused++;
        rc = feed_refuse(node, span_str(feed->name), item->url, NULL, rc, "%s", fault.detail);
    }
    buf_free(&out);
    return rc;
}

int feed_chunk_take(struct node *node, struct feed *feed, struct feed_task *task)
{
    struct feed_run *run = feed->run;
    int rc = 0;
    for (unsigned n = 0; rc == 0 && task->item < task->end && n < FEED_STEP_DOCUMENTS; task->item++) {
        const struct feed_item *item = &run->items[task->item];
        if (!item->wanted)
            continue;
        n++;
        if (item->listed.offset < task->base || item->listed.offset - task->base >= task->partial.len)
            return E_STATE;
        rc = member_take(node, feed, item,
                         span_from(buf_view(&task->partial), (size_t)(item->listed.offset - task->base)));
    }
    if (rc == 0 && task->item == task->end)
        feed_task_free(task);
    return rc;
}

static int chunk_came(struct node *node, struct feed *feed, struct feed_task *task, const struct event *event)
{
    struct feed_run *run = feed->run;
    (void)node;
    bool good = event->status == 206 && event->fetched && event->fetched->from == task->fetch.from &&
                event->fetched->total == run->archive_total && event->body.len == task->fetch.to - task->fetch.from;
    if (!good) {
        /* 200: it has changed since its directory was read, and the next run reads that anew */
        feed_problem(run, span_str(task->fetch.url), "a part of the archive cannot be had (%d)", event->status);
        run->counts.failed += task->end - task->item;
        run->failures = FEED_FAILURES_MAX;
        feed_task_free(task);
        return 0;
    }
    buf_reset(&task->partial);
    buf_span(&task->partial, event->body);
    task->whole = true;
    run->failures = 0;
    return task->partial.error;
}

int feed_archive_came(struct node *node, struct feed *feed, struct feed_task *task, const struct event *event)
{
    struct feed_run *run = feed->run;
    struct feed_source *source = &run->sources[run->source_at];
    const struct fetched *got = event->fetched;
    if (task->stage == FEED_CHUNK)
        return chunk_came(node, feed, task, event);
    if (event->status == 304 && task->stage == FEED_TAIL) {
        source->same = true;
        feed_task_free(task);
        return 0;
    }
    if (task->stage == FEED_TAIL && got)
        (void)snprintf(run->archive_tag.etag, sizeof run->archive_tag.etag, "%.*s", (int)got->etag.len,
                       got->etag.len ? (const char *)got->etag.data : "");
    if (task->stage == FEED_TAIL && got)
        (void)snprintf(run->archive_tag.modified, sizeof run->archive_tag.modified, "%.*s", (int)got->modified.len,
                       got->modified.len ? (const char *)got->modified.data : "");
    if (task->stage == FEED_TAIL && event->status == 206)
        return tail_take(node, feed, task, event);
    if (event->status == 200)
        return whole_take(node, feed, task, event->body);
    if (task->stage == FEED_DIRECTORY && event->status == 206 && event->body.len == run->archive_end.bytes) {
        int rc = directory_take(node, feed, task, event->body);
        feed_task_free(task);
        return rc;
    }
    return archive_failed(feed, task,
                          event->status == RESPONSE_TOO_LARGE
                              ? "its server answers no Range, and it is too large to be fetched at once"
                              : "it cannot be had",
                          "");
}
