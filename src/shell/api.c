/* The private API on the Unix socket: the owner's acts and views, as JSON. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/hosting.h"
#include "publish/publish.h"
#include "shell/shell.h"

static void answer(struct caller *c, int status)
{
    c->status = status;
    c->content_type = "application/json";
    c->replied = true;
}

static int status_of(int code)
{
    switch (code) {
    case E_NOTFOUND:
        return 404;
    case E_UNWITNESSED:
        return 425;
    case E_STATE:
    case E_AHEAD:
        return 409;
    case E_RECOVERING:
        return 503;
    default:
        return code == E_IO || code == E_FULL || code == E_NOMEM || code == E_CORRUPT ? 500 : 400;
    }
}

void api_refuse(struct caller *c, int code, const struct fault *fault)
{
    buf_reset(&c->reply);
    fault_json(&c->reply, fault, code);
    answer(c, status_of(code));
}

static const char *parameter(const struct caller *c, const char *name)
{
    const char *value = MHD_lookup_connection_value(c->mhd, MHD_GET_ARGUMENT_KIND, name);
    return value ? value : "";
}

static void dispatch(struct shell *shell, struct caller *c, struct event *event)
{
    struct fault fault = {0};
    if (shell->fatal || shell->stopping) { /* it came while others were told so: nothing would ever wake it */
        api_refuse(c, fail(&fault, E_BUSY, "the node is ending"), &fault);
        c->status = 503;
        return;
    }
    c->token = event->token = ++shell->next_token;
    c->dispatched = true;
    MHD_suspend_connection(c->mhd);
    shell_step(shell, event);
}

static void submit(struct shell *shell, struct caller *c, const char *media, const char *subject, enum label label)
{
    struct submission submission = {.label = label, .document = buf_view(&c->body)};
    struct event event = {.kind = EVENT_SUBMIT, .submissions = &submission, .submission_count = 1};
    (void)snprintf(submission.media, sizeof submission.media, "%s", media);
    (void)snprintf(submission.subject, sizeof submission.subject, "%s", subject);
    dispatch(shell, c, &event);
}

static void api_publish(struct shell *shell, struct caller *c, struct span rest)
{
    struct publication *publication = calloc(1, sizeof *publication);
    struct fault fault = {0};
    bool open = strcmp(parameter(c, "open"), "1") == 0;
    (void)rest;
    int rc = publication ? shell->parser->ops->publication(shell->parser, buf_view(&c->body), open, publication, &fault)
                         : E_NOMEM;
    if (rc)
        api_refuse(c, rc, &fault);
    else
        submit(shell, c, publication->media, publication->subject, publication->label);
    free(publication);
}

static void api_state(struct shell *shell, struct caller *c, struct span rest)
{
    const char *media = parameter(c, "media"), *subject = parameter(c, "subject");
    char inside[MEDIA_BYTES_MAX] = "";
    struct parser *parser = shell->parser;
    struct fault fault = {0};
    enum label label = LABEL_CLOSED;
    (void)rest;
    bool good =
        strchr(media, '/') && *subject && strlen(media) < MEDIA_BYTES_MAX && strlen(subject) < SUBJECT_BYTES_MAX;
    int rc = good ? parser->ops->label(parser, span_str(media), buf_view(&c->body), &label)
                  : fail(&fault, E_USAGE, "parameters media and subject are required");
    rc = rc ? rc : parser->ops->media(parser, buf_view(&c->body), inside); /* an advisory, under whatever name? */
    if (rc == 0 && (label != LABEL_OPEN || inside[0]))
        rc = fail(&fault, E_LABEL, "an advisory is published with comity publish, which minds its label");
    if (rc)
        api_refuse(c, rc, &fault);
    else
        submit(shell, c, media, subject, LABEL_OPEN);
}

static void api_inventory(struct shell *shell, struct caller *c, struct span rest)
{
    struct event event = {.kind = EVENT_INVENTORY,
                          .name = span_str(parameter(c, "name")),
                          .media = span_str(parameter(c, "distribution")),
                          .columns = span_str(parameter(c, "columns")),
                          .sector = span_str(parameter(c, "sector")),
                          .critical = strcmp(parameter(c, "critical"), "1") == 0,
                          .body = buf_view(&c->body)};
    (void)rest;
    dispatch(shell, c, &event);
}

static void api_absent(struct shell *shell, struct caller *c, struct span rest)
{
    struct event event = {.kind = EVENT_ABSENT, .name = span_str(parameter(c, "party"))};
    (void)rest;
    dispatch(shell, c, &event);
}

static void api_leave(struct shell *shell, struct caller *c, struct span rest)
{
    struct event event = {.kind = EVENT_LEAVE, .name = span_str(parameter(c, "party")), .body = buf_view(&c->body)};
    (void)rest;
    dispatch(shell, c, &event);
}

/* Told by `comity backup`, which makes the copy beside the running node. */
static void api_backup(struct shell *shell, struct caller *c, struct span rest)
{
    struct event event = {.kind = EVENT_BACKED_UP, .body = buf_view(&c->body)};
    struct fault fault = {0};
    (void)rest;
    if (hash_parse(span_str(parameter(c, "id")), &event.hash))
        dispatch(shell, c, &event);
    else
        api_refuse(c, fail(&fault, E_USAGE, "id has 64 hex digits"), &fault);
}

static void api_status(struct shell *shell, struct caller *c, struct span rest)
{
    (void)rest;
    node_status_json(shell->node, clock_ms(), &c->reply);
    answer(c, 200);
}

static int verdict_of(const char *word)
{
    for (int i = 0; i < NOTICE_VERDICTS; i++)
        if (strcmp(word, notice_verdict_words[i]) == 0)
            return i;
    return -1;
}

static int filter_read(const struct caller *c, struct notice_filter *out, struct fault *fault)
{
    const char *after = parameter(c, "after"), *since = parameter(c, "since"), *verdict = parameter(c, "verdict"),
               *limit = parameter(c, "limit");
    uint64_t number = 0;
    *out = (struct notice_filter){.inventory = span_str(parameter(c, "inventory")),
                                  .advisory = span_str(parameter(c, "advisory")),
                                  .verdict = *verdict ? verdict_of(verdict) : -1,
                                  .open = strcmp(parameter(c, "open"), "1") == 0};
    if (*after && (!decimal_parse(span_str(after), &number) || number > INT64_MAX))
        return fail(fault, E_USAGE, "after is a number");
    out->after = (int64_t)number;
    if (*limit && (!decimal_parse(span_str(limit), &out->limit) || !out->limit))
        return fail(fault, E_USAGE, "limit is a number from 1");
    if (*since && !time_parse(span_str(since), &out->since))
        return fail(fault, E_USAGE, "since is an instant: 2026-11-25T08:00:00Z");
    return *verdict && out->verdict < 0 ? fail(fault, E_USAGE, "verdict is affected, undecided or cleared") : 0;
}

/* Whose inventory it is, and is hosted here, hears of it. */
static void listed(struct shell *shell)
{
    struct event event = {.kind = EVENT_LISTED};
    shell_step(shell, &event);
}

static void api_notices(struct shell *shell, struct caller *c, struct span rest)
{
    struct notice_filter filter;
    struct fault fault = {0};
    (void)rest;
    int rc = filter_read(c, &filter, &fault);
    if (rc == 0 && (rc = node_notices_json(shell->node, &filter, &c->reply)) != 0)
        (void)fail(&fault, rc, "reading the notices");
    if (rc) {
        api_refuse(c, rc, &fault);
        return;
    }
    answer(c, 200);
    listed(shell);
}

static void api_carried(struct shell *shell, struct caller *c, struct span rest)
{
    struct event event = {.kind = EVENT_CARRIED,
                          .name = span_str(parameter(c, "party")),
                          .media = span_str(parameter(c, "path")),
                          .body = buf_view(&c->body)};
    (void)rest;
    dispatch(shell, c, &event);
}

/* With a key in the body an organisation is hosted from now on; without, by its name, no longer. */
static void api_hosting(struct shell *shell, struct caller *c, struct span rest)
{
    struct event event = {
        .kind = EVENT_HOSTING, .name = span_str(parameter(c, "organization")), .body = buf_view(&c->body)};
    (void)rest;
    randombytes_buf(event.hash.b, sizeof event.hash.b);
    dispatch(shell, c, &event);
}

static void api_hosted(struct shell *shell, struct caller *c, struct span rest)
{
    (void)rest;
    hosting_json(shell->node, &c->reply);
    answer(c, 200);
}

static void api_wants(struct shell *shell, struct caller *c, struct span rest)
{
    struct fault fault = {0};
    (void)rest;
    int rc = node_wants_json(shell->node, span_str(parameter(c, "after")), &c->reply, &fault);
    if (rc)
        api_refuse(c, rc, &fault);
    else
        answer(c, 200);
}

static void api_atom(struct shell *shell, struct caller *c, struct span rest)
{
    struct fault fault = {0};
    (void)rest;
    int rc = node_notices_atom(shell->node, &c->reply);
    if (rc) {
        api_refuse(c, fail(&fault, rc, "reading the notices"), &fault);
        return;
    }
    answer(c, 200);
    c->content_type = "application/atom+xml";
    listed(shell);
}

/* Who it was is the kernel's word. */
static void api_ack(struct shell *shell, struct caller *c, struct span rest)
{
    char by[32];
    struct event event = {.kind = EVENT_ACK, .body = buf_view(&c->body)};
    struct fault fault = {0};
    (void)rest;
    (void)snprintf(by, sizeof by, "uid %u", (unsigned)local_uid(c));
    event.name = span_str(by);
    if (hash_parse(span_str(parameter(c, "id")), &event.hash))
        dispatch(shell, c, &event);
    else
        api_refuse(c, fail(&fault, E_USAGE, "id has 64 hex digits: of a notice, or of a message"), &fault);
}

static void api_statement(struct shell *shell, struct caller *c, struct span rest)
{
    struct hash id;
    struct fault fault = {0};
    int rc = hash_parse(rest, &id) ? node_statement_json(shell->node, &id, &c->reply, &fault)
                                   : fail(&fault, E_USAGE, "an id has 64 hex digits");
    if (rc)
        api_refuse(c, rc, &fault);
    else
        answer(c, 200);
}

static void api_receipt(struct shell *shell, struct caller *c, struct span rest)
{
    struct hash id;
    struct fault fault = {0};
    bool cose = strcmp(parameter(c, "form"), "cose") == 0;
    int rc = hash_parse(rest, &id) ? node_receipt(shell->node, &id, cose, &c->reply, &fault)
                                   : fail(&fault, E_USAGE, "an id has 64 hex digits");
    if (rc) {
        api_refuse(c, rc, &fault);
        return;
    }
    answer(c, 200);
    c->content_type = cose ? "application/cose" : "text/plain; charset=utf-8";
}

static void api_bundle(struct shell *shell, struct caller *c, struct span rest)
{
    struct fault fault = {0};
    (void)rest;
    int rc = node_bundle(shell->node, &c->reply, &fault);
    if (rc)
        api_refuse(c, rc, &fault);
    else
        answer(c, 200);
}

static void api_ahead(struct shell *shell, struct caller *c, struct span rest)
{
    struct fault fault = {0};
    (void)rest;
    int rc = node_ahead_note(shell->node, &c->reply, &fault);
    if (rc) {
        api_refuse(c, rc, &fault);
        return;
    }
    answer(c, 200);
    c->content_type = "text/plain; charset=utf-8";
}

static void api_feeds(struct shell *shell, struct caller *c, struct span rest)
{
    (void)rest;
    node_feeds_json(shell->node, &c->reply);
    answer(c, 200);
}

static void api_feed(struct shell *shell, struct caller *c, struct span rest)
{
    struct fault fault = {0};
    int rc = node_feed_json(shell->node, rest, span_str(parameter(c, "after")), &c->reply, &fault);
    if (rc)
        api_refuse(c, rc, &fault);
    else
        answer(c, 200);
}

static void feed_dispatch(struct shell *shell, struct caller *c, enum event_kind_node kind)
{
    struct feed_order order = {.inside = strcmp(parameter(c, "inside"), "1") == 0,
                               .check = strcmp(parameter(c, "check"), "1") == 0};
    struct event event = {.kind = kind,
                          .name = span_str(parameter(c, "name")),
                          .media = span_str(parameter(c, "url")),
                          .body = buf_view(&c->body),
                          .feed = &order};
    const char *every = parameter(c, "every");
    struct fault fault = {0};
    if (*every && !decimal_parse(span_str(every), &order.every_s))
        api_refuse(c, fail(&fault, E_USAGE, "every is a number of seconds"), &fault);
    else
        dispatch(shell, c, &event);
}

static void api_feed_add(struct shell *shell, struct caller *c, struct span rest)
{
    (void)rest;
    feed_dispatch(shell, c, EVENT_FEED_ADD);
}

static void api_feed_remove(struct shell *shell, struct caller *c, struct span rest)
{
    (void)rest;
    feed_dispatch(shell, c, EVENT_FEED_REMOVE);
}

static void api_feed_run(struct shell *shell, struct caller *c, struct span rest)
{
    (void)rest;
    feed_dispatch(shell, c, EVENT_FEED_RUN);
}

static void api_feed_import(struct shell *shell, struct caller *c, struct span rest)
{
    (void)rest;
    feed_dispatch(shell, c, EVENT_FEED_IMPORT);
}

static void api_rebuild(struct shell *shell, struct caller *c, struct span rest)
{
    int rc = 0;
    struct fault fault = {0};
    (void)rest;
    node_rebuild(shell->node, &rc);
    if (rc) {
        api_refuse(c, fail(&fault, rc, "rebuilding"), &fault);
        return;
    }
    buf_text(&c->reply, "{\"rebuilt\":true}\n");
    answer(c, 200);
}

enum { QUERY_NAMES_MAX = 7 };

static void api_metrics(struct shell *shell, struct caller *c, struct span rest)
{
    (void)rest;
    metrics_write(shell, &c->reply);
    answer(c, 200);
    c->content_type = METRICS_TYPE;
}

static const struct route {
    const char *method, *path;
    bool prefix;
    void (*run)(struct shell *, struct caller *, struct span rest);
    size_t body_max;
    const char *query[QUERY_NAMES_MAX]; /* names that may stand in it, once each */
} routes[] = {
    {"POST", "/api/v1/publish", false, api_publish, DOCUMENT_BYTES_MAX, {"open"}},
    {"POST", "/api/v1/statements", false, api_state, DOCUMENT_BYTES_MAX, {"media", "subject"}},
    {"POST",
     "/api/v1/inventories",
     false,
     api_inventory,
     INVENTORY_BYTES_MAX,
     {"name", "distribution", "columns", "critical", "sector"}},
    {"POST", "/api/v1/absent", false, api_absent, 0, {"party"}},
    {"POST", "/api/v1/leave", false, api_leave, REASON_BYTES_MAX, {"party"}},
    {"POST", "/api/v1/backups", false, api_backup, JOURNAL_FACTS_BYTES_MAX, {"id"}},
    {"POST", "/api/v1/hosting", false, api_hosting, JOURNAL_FACTS_BYTES_MAX, {"organization"}},
    {"GET", "/api/v1/hosting", false, api_hosted, 0, {NULL}},
    {"POST", "/api/v1/carried", false, api_carried, DOCUMENT_BYTES_MAX, {"party", "path"}},
    {"POST", "/api/v1/feeds", false, api_feed_add, FEED_KEY_BYTES_MAX, {"name", "url", "inside", "every"}},
    {"POST", "/api/v1/feeds/remove", false, api_feed_remove, 0, {"name"}},
    {"POST", "/api/v1/feeds/run", false, api_feed_run, 0, {"name", "check"}},
    {"POST", "/api/v1/feeds/import", false, api_feed_import, HTTP_BODY_MAX, {"name"}},
    {"GET", "/api/v1/feeds", false, api_feeds, 0, {NULL}},
    {"GET", "/api/v1/feeds/", true, api_feed, 0, {"after"}},
    {"GET", "/api/v1/wants", false, api_wants, 0, {"after"}},
    {"POST", "/api/v1/rebuild", false, api_rebuild, 0, {NULL}},
    {"GET", "/api/v1/status", false, api_status, 0, {NULL}},
    {"GET", "/api/v1/ahead", false, api_ahead, 0, {NULL}},
    {"GET", "/api/v1/bundle", false, api_bundle, 0, {NULL}},
    {"GET",
     "/api/v1/notices",
     false,
     api_notices,
     0,
     {"after", "limit", "since", "inventory", "advisory", "verdict", "open"}},
    {"GET", "/api/v1/notices.atom", false, api_atom, 0, {NULL}},
    {"POST", "/api/v1/acknowledgements", false, api_ack, NOTE_ACK_BYTES_MAX, {"id"}},
    {"GET", "/api/v1/statements/", true, api_statement, 0, {NULL}},
    {"GET", "/metrics", false, api_metrics, 0, {NULL}},
    {"GET", "/api/v1/receipts/", true, api_receipt, 0, {"form"}},
};

static const struct route *route_find(const char *method, struct span path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        bool hit = routes[i].prefix ? span_starts(path, routes[i].path) : span_is(path, routes[i].path);
        if (hit && strcmp(method, routes[i].method) == 0)
            return &routes[i];
    }
    return NULL;
}

size_t api_body_max(const char *method, struct span path)
{
    const struct route *route = route_find(method, path);
    return route ? route->body_max : HTTP_DISCARD_MAX;
}

struct query {
    const struct route *route;
    unsigned seen; /* a bit for each name */
    struct fault fault;
};

static enum MHD_Result query_visit(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_size,
                                   const char *value, size_t value_size)
{
    struct query *q = ctx;
    unsigned i = 0;
    (void)kind;
    while (i < QUERY_NAMES_MAX && q->route->query[i] && strcmp(key, q->route->query[i]) != 0)
        i++;
    if (strlen(key) != key_size || i == QUERY_NAMES_MAX || !q->route->query[i])
        (void)fail(&q->fault, E_USAGE, "unknown parameter \"%.60s\"", key);
    else if (q->seen & 1u << i)
        (void)fail(&q->fault, E_DUPLICATE, "parameter %s stands twice", key);
    else if (!value || strlen(value) != value_size)
        (void)fail(&q->fault, E_USAGE, "parameter %s has no value, or a NUL", key);
    q->seen |= 1u << i;
    return q->fault.code ? MHD_NO : MHD_YES;
}

void api_request(struct shell *shell, struct caller *c, const char *method, const char *path)
{
    struct query query = {.route = route_find(method, span_str(path))};
    if (!query.route) {
        api_refuse(c, fail(&query.fault, E_NOTFOUND, "no such route: %.8s %.120s", method, path), &query.fault);
        return;
    }
    (void)MHD_get_connection_values_n(c->mhd, MHD_GET_ARGUMENT_KIND, query_visit, &query);
    if (query.fault.code)
        api_refuse(c, query.fault.code, &query.fault);
    else
        query.route->run(shell, c, span_from(span_str(path), strlen(query.route->path)));
    int health = c->replied && c->status < 300 ? node_sound(shell->node) : 0;
    if (c->replied && c->reply.error == E_NOMEM)
        health = E_NOMEM;
    if (health) /* an answer made of what could not be read would be false */
        api_refuse(c, fail(&query.fault, health, "answering %.8s %.120s", method, path), &query.fault);
}
