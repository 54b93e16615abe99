/* The owner's acts on feeds, what is kept of them, and when each is due. Small state:
     feeds             names, a line each
     feed/NAME         JSON: its settings and what became of its runs
     feed-key/NAME     the OpenPGP key that the owner gave
     feed-tag/HASH     of feed and url: which state of it we have
   So a start knows all that the last process knew, but for the run that was going on, which begins anew and finds less to do. */
#include "node/feeds.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "format/json.h"

enum { FEED_STATE_BYTES_MAX = 16384, NAMES_BYTES_MAX = FEEDS_MAX * (NAME_BYTES_MAX + 1), TAG_KEY_BYTES = 80 };

struct feed *feed_of(struct node *node, struct span name)
{
    for (size_t i = 0; node->feeds && i < node->feeds->count; i++)
        if (span_is(name, node->feeds->list[i]->name))
            return node->feeds->list[i];
    return NULL;
}

/* Keeping */

static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
#define NUMBER(field)                                                                                                  \
    {                                                                                                                  \
#field, offsetof(struct feed, field)                                                                           \
    }
    NUMBER(every_s),  NUMBER(added), NUMBER(tried), NUMBER(succeeded), NUMBER(due),  NUMBER(taken),   NUMBER(refused),
#undef NUMBER
#define NUMBER(field)                                                                                                  \
    {                                                                                                                  \
        "last_" #field, offsetof(struct feed, last.field)                                                              \
    }
    NUMBER(listed),   NUMBER(asked), NUMBER(taken), NUMBER(same),      NUMBER(gone), NUMBER(refused), NUMBER(failed),
    NUMBER(problems),
#undef NUMBER
};
_Static_assert(sizeof(int64_t) == sizeof(uint64_t), "both kinds of number are written alike");

static int state_text_put(struct node *node, const char *prefix, const char *name, struct span value)
{
    char key[NAME_BYTES_MAX + 16];
    (void)snprintf(key, sizeof key, "%s%s", prefix, name);
    int rc = write_begin(node);
    return rc ? rc : node->env.store->ops->state_put(node->env.store, span_str(key), value);
}

int feed_save(struct node *node, const struct feed *feed)
{
    struct buf out;
    buf_init(&out, FEED_STATE_BYTES_MAX);
    buf_byte(&out, '{');
    buf_member(&out, "url", span_str(feed->url));
    buf_member(&out, "fingerprint", span_str(feed->fingerprint));
    buf_member(&out, "title", span_str(feed->title));
    buf_member(&out, "problem", span_str(feed->problem));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t number;
        memcpy(&number, (const char *)feed + numbers[i].offset, sizeof number);
        buf_printf(&out, "\"%s\":%lld,", numbers[i].name, (long long)number);
    }
    buf_printf(&out, "\"inside\":%d,\"failures\":%u,\"kind\":%d}", feed->inside, feed->failures, feed->kind);
    int rc = out.error ? out.error : state_text_put(node, "feed/", feed->name, buf_view(&out));
    buf_free(&out);
    return rc;
}

static void text_load(char *to, size_t size, const struct json *root, const char *name)
{
    struct span text = text_cut(json_text(root, name), size - 1);
    if (text.len)
        memcpy(to, text.data, text.len);
    to[text.len] = 0;
}

static void url_look(struct feed *feed)
{
    struct url url;
    feed->url_inside = url_parse(&url, span_str(feed->url), NULL) == 0 && url_host_is_private(url.host);
}

static int feed_parse(struct feed *feed, struct span text)
{
    const struct json *root = NULL;
    struct arena arena;
    int64_t number = 0;
    arena_init(&arena, 1 << 20);
    int rc = json_parse(&root, text, FEED_STATE_BYTES_MAX, &arena, NULL);
    text_load(feed->url, sizeof feed->url, root, "url");
    text_load(feed->fingerprint, sizeof feed->fingerprint, root, "fingerprint");
    text_load(feed->title, sizeof feed->title, root, "title");
    text_load(feed->problem, sizeof feed->problem, root, "problem");
    for (size_t i = 0; rc == 0 && i < sizeof numbers / sizeof numbers[0]; i++) {
        number = 0;
        (void)json_int(root, numbers[i].name, &number);
        memcpy((char *)feed + numbers[i].offset, &number, sizeof number);
    }
    feed->inside = json_int(root, "inside", &number) && number == 1;
    feed->failures = json_int(root, "failures", &number) ? (unsigned)number : 0;
    feed->kind =
        json_int(root, "kind", &number) && number >= 0 && number < LISTING_KINDS ? (int)number : LISTING_UNKNOWN;
    if (feed->every_s < FEED_EVERY_S_MIN || feed->every_s > FEED_EVERY_S_MAX)
        feed->every_s = FEED_EVERY_S;
    arena_free(&arena);
    return rc == E_NOMEM ? rc : rc ? E_CORRUPT : 0;
}

static int feed_load(struct node *node, struct span name)
{
    char key[NAME_BYTES_MAX + 16];
    struct buf text;
    if (!name_valid(name) || node->feeds->count == FEEDS_MAX)
        return E_CORRUPT;
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return E_NOMEM;
    node->feeds->list[node->feeds->count++] = feed;
    (void)snprintf(feed->name, sizeof feed->name, "%.*s", (int)name.len, (const char *)name.data);
    (void)snprintf(key, sizeof key, "feed/%s", feed->name);
    buf_init(&text, FEED_STATE_BYTES_MAX);
    int rc = node->env.store->ops->state_get(node->env.store, span_str(key), &text);
    rc = rc ? rc : feed_parse(feed, buf_view(&text));
    buf_free(&text);
    url_look(feed);
    return rc == E_NOTFOUND ? E_CORRUPT : rc;
}

static int stated_load(struct node *node)
{
    struct buf value;
    buf_init(&value, 8);
    int rc = node->env.store->ops->state_get(node->env.store, span_str("feeds-stated"), &value);
    if (rc == 0 && value.len == 8)
        node->feeds->stated = (int64_t)u64_get(value.data);
    buf_free(&value);
    return rc == E_NOTFOUND ? 0 : rc;
}

int feeds_load(struct node *node)
{
    struct buf names;
    struct span rest, line;
    if (!(node->feeds = calloc(1, sizeof *node->feeds)))
        return E_NOMEM;
    buf_init(&names, NAMES_BYTES_MAX);
    int rc = node->env.store->ops->state_get(node->env.store, span_str("feeds"), &names);
    rest = buf_view(&names);
    while (rc == 0 && span_line(&rest, &line))
        rc = feed_load(node, line);
    buf_free(&names);
    rc = rc == E_NOTFOUND ? 0 : rc;
    node->feeds->unstated = true;
    rc = rc ? rc : stated_load(node);
    return rc ? rc : exploited_load(node);
}

void feeds_unstated(struct node *node)
{
    if (node->feeds)
        node->feeds->unstated = true;
}

void feeds_free(struct node *node)
{
    for (size_t i = 0; node->feeds && i < node->feeds->count; i++) {
        feed_run_free(node->feeds->list[i]);
        free(node->feeds->list[i]);
    }
    free(node->feeds);
    node->feeds = NULL;
    exploited_free(node);
}

static int names_save(struct node *node)
{
    struct buf names;
    buf_init(&names, NAMES_BYTES_MAX);
    for (size_t i = 0; i < node->feeds->count; i++)
        buf_printf(&names, "%s\n", node->feeds->list[i]->name);
    int rc = names.error ? names.error : state_text_put(node, "feeds", "", buf_view(&names));
    buf_free(&names);
    return rc;
}

static void tag_key(const struct feed *feed, struct span url, char out[static TAG_KEY_BYTES])
{
    const struct span parts[] = {span_str(feed->name), span_str("\n"), span_str(feed->url), span_str("\n"), url};
    struct hash hash;
    char hex[65];
    sha256_parts(parts, sizeof parts / sizeof parts[0], &hash);
    hash_hex(&hash, hex);
    (void)snprintf(out, TAG_KEY_BYTES, "feed-tag/%s", hex);
}

int feed_tag_get(struct node *node, const struct feed *feed, struct span url, struct feed_tag *out)
{
    char key[TAG_KEY_BYTES];
    struct buf value;
    struct span rest, etag;
    tag_key(feed, url, key);
    buf_init(&value, 512);
    *out = (struct feed_tag){0};
    int rc = node->env.store->ops->state_get(node->env.store, span_str(key), &value);
    rest = span_from(buf_view(&value), 8);
    if (rc == 0 && value.len >= 8 && span_line(&rest, &etag) && etag.len < sizeof out->etag &&
        rest.len < sizeof out->modified) {
        out->stamp = u64_get(value.data);
        (void)snprintf(out->etag, sizeof out->etag, "%.*s", (int)etag.len, (const char *)etag.data);
        (void)snprintf(out->modified, sizeof out->modified, "%.*s", (int)rest.len,
                       rest.len ? (const char *)rest.data : "");
    }
    buf_free(&value);
    return rc;
}

int feed_tag_put(struct node *node, const struct feed *feed, struct span url, const struct feed_tag *tag)
{
    char key[TAG_KEY_BYTES];
    struct buf value;
    tag_key(feed, url, key);
    buf_init(&value, 512);
    buf_u64(&value, tag->stamp);
    buf_printf(&value, "%s\n%s", tag->etag, tag->modified);
    int rc = value.error ? value.error : write_begin(node);
    rc = rc ? rc : node->env.store->ops->state_put(node->env.store, span_str(key), buf_view(&value));
    buf_free(&value);
    return rc;
}

int feed_key_get(struct node *node, const struct feed *feed, struct buf *out)
{
    char key[NAME_BYTES_MAX + 16];
    (void)snprintf(key, sizeof key, "feed-key/%s", feed->name);
    return node->env.store->ops->state_get(node->env.store, span_str(key), out);
}

/* The owner's acts */

static void done(struct node *node, const struct event *event, int status, const char *what)
{
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = event->token;
    action->status = status;
    action->content_type = "application/json";
    buf_printf(&action->body, "{\"feed\":\"%.*s\",\"%s\":true}\n", (int)event->name.len, (const char *)event->name.data,
               what);
}

static int add_check(struct node *node, const struct event *event, struct fault *fault)
{
    struct url url;
    uint64_t every = event->feed->every_s;
    if (!name_valid(event->name))
        return fail(fault, E_SYNTAX, "a feed's name is as a party's: a-z, 0-9, inner \"-\", labels with dots between");
    if (feed_of(node, event->name))
        return fail(fault, E_EXISTS, "%.*s is followed already", (int)event->name.len, (const char *)event->name.data);
    if (node->feeds->count == FEEDS_MAX)
        return fail(fault, E_LIMIT, "at most %d feeds", FEEDS_MAX);
    if (every && (every < FEED_EVERY_S_MIN || every > FEED_EVERY_S_MAX))
        return fail(fault, E_LIMIT, "between two runs are %d to %d seconds", FEED_EVERY_S_MIN, FEED_EVERY_S_MAX);
    return url_parse(&url, event->media, fault);
}

static int feed_add(struct node *node, const struct event *event, const char *fingerprint)
{
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return E_NOMEM;
    node->feeds->list[node->feeds->count++] = feed;
    (void)snprintf(feed->name, sizeof feed->name, "%.*s", (int)event->name.len, (const char *)event->name.data);
    (void)snprintf(feed->url, sizeof feed->url, "%.*s", (int)event->media.len, (const char *)event->media.data);
    feed->inside = event->feed->inside;
    feed->every_s = event->feed->every_s ? (int64_t)event->feed->every_s : FEED_EVERY_S;
    feed->added = feed->due = now_seconds(node);
    feed->kind = LISTING_UNKNOWN;
    url_look(feed);
    (void)snprintf(feed->fingerprint, sizeof feed->fingerprint, "%s", fingerprint);
    int rc = *fingerprint ? state_text_put(node, "feed-key/", feed->name, event->body) : 0;
    rc = rc ? rc : feed_save(node, feed);
    return rc ? rc : names_save(node);
}

int feed_add_take(struct node *node, const struct event *event)
{
    struct fault fault = {0};
    char fingerprint[FINGERPRINT_BYTES] = "";
    int rc = add_check(node, event, &fault);
    if (rc == 0 && event->body.len)
        rc = node->env.parser->ops->signature(node->env.parser, span_of(NULL, 0), span_of(NULL, 0), event->body,
                                              fingerprint, &fault);
    if (rc) {
        reply_error(node, event->token, fault.code == E_EXISTS ? 409 : 400, &fault);
        return rc == E_NOMEM || rc == E_IO ? rc : 0;
    }
    struct action *action = action_add(node, ACTION_REPLY);
    action->token = event->token;
    action->status = 201;
    action->content_type = "application/json";
    buf_printf(&action->body, "{\"feed\":\"%.*s\",\"followed\":true,\"key\":\"%s\"}\n", (int)event->name.len,
               (const char *)event->name.data, fingerprint);
    return feed_add(node, event, fingerprint);
}

static struct feed *feed_need(struct node *node, const struct event *event)
{
    struct fault fault = {0};
    struct feed *feed = feed_of(node, event->name);
    if (!feed) {
        (void)fail(&fault, E_NOTFOUND, "no feed of this name is followed; see comity follow list");
        reply_error(node, event->token, 404, &fault);
    }
    return feed;
}

/* What was taken stays in the journal, and counts. */
int feed_remove_take(struct node *node, const struct event *event)
{
    struct feed *feed = feed_need(node, event);
    struct feeds *all = node->feeds;
    size_t at = 0;
    if (!feed)
        return 0;
    while (all->list[at] != feed)
        at++;
    all->list[at] = all->list[--all->count];
    feed_run_free(feed);
    free(feed);
    done(node, event, 200, "removed");
    return names_save(node);
}

int feed_run_take(struct node *node, const struct event *event)
{
    struct feed *feed = feed_need(node, event);
    struct fault fault = {0};
    if (!feed)
        return 0;
    if (feed->run) {
        (void)fail(&fault, E_STATE, "it is being asked right now");
        reply_error(node, event->token, 409, &fault);
        return 0;
    }
    done(node, event, 202, "begun");
    return feed_run_begin(node, feed, event->feed->check);
}

/* The clock */

/* Set back since it was written down, or a stranger's: it must not keep a feed waiting for ever. */
static int64_t due_of(const struct node *node, const struct feed *feed)
{
    int64_t now = now_seconds(node);
    return feed->due > now + 2 * feed->every_s ? now : feed->due;
}

int feeds_go_on(struct node *node)
{
    int rc = 0;
    for (size_t i = 0; i < node->feeds->count && rc == 0; i++) {
        struct feed *feed = node->feeds->list[i];
        if (!feed->run && due_of(node, feed) <= now_seconds(node))
            rc = feed_run_begin(node, feed, false);
        if (rc == 0 && feed->run)
            rc = feed_run_go_on(node, feed);
    }
    return rc ? rc : seen_state(node);
}

int64_t feeds_due(const struct node *node)
{
    int64_t due = node->feeds->stating && !node->pending_count ? node->now_ms : INT64_MAX;
    for (size_t i = 0; i < node->feeds->count; i++) {
        const struct feed *feed = node->feeds->list[i];
        int64_t wait_s = due_of(node, feed) - now_seconds(node);
        int64_t at = feed->run ? feed_run_due(node, feed) : node->now_ms + 1000 * (wait_s > 0 ? wait_s : 0);
        due = at < due ? at : due;
    }
    return due;
}

int feeds_fetched(struct node *node, const struct event *event)
{
    for (size_t i = 0; i < node->feeds->count; i++) {
        struct feed *feed = node->feeds->list[i];
        for (size_t k = 0; feed->run && k < FEED_CALLS_MAX; k++)
            if (feed->run->tasks[k].token == event->token && event->token)
                return feed_run_fetched(node, feed, &feed->run->tasks[k], event);
    }
    return 0; /* of a feed that was removed */
}
