/* The private API on the Unix socket: the owner's acts and views, as JSON. */
#include <stdlib.h>

#include "shell/shell.h"
#include "publish/publish.h"

static void answer(struct connection *c, int status)
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
        return 409;
    case E_RECOVERING:
        return 503;
    default:
        return code == E_IO || code == E_FULL || code == E_NOMEM || code == E_CORRUPT ? 500 : 400;
    }
}

static void refuse(struct connection *c, int code, const struct fault *fault)
{
    buf_reset(&c->reply);
    fault_json(&c->reply, fault, code);
    answer(c, status_of(code));
}

static const char *parameter(const struct connection *c, const char *name)
{
    const char *value = MHD_lookup_connection_value(c->mhd, MHD_GET_ARGUMENT_KIND, name);
    return value ? value : "";
}

static void dispatch(struct shell *shell, struct connection *c, struct event *event)
{
    c->token = event->token = ++shell->next_token;
    c->dispatched = true;
    MHD_suspend_connection(c->mhd);
    shell_step(shell, event);
}

static void submit(struct shell *shell, struct connection *c, const char *media, const char *subject, enum label label)
{
    struct fault fault = {0};
    if (c->body.len > DOCUMENT_BYTES_MAX) {
        refuse(c,
               fail(&fault, E_LIMIT, "a document has at most %d bytes, this has %zu", DOCUMENT_BYTES_MAX, c->body.len),
               &fault);
        return;
    }
    struct submission submission = {.label = label, .document = buf_view(&c->body)};
    struct event event = {.kind = EVENT_SUBMIT, .submissions = &submission, .submission_count = 1};
    (void)snprintf(submission.media, sizeof submission.media, "%s", media);
    (void)snprintf(submission.subject, sizeof submission.subject, "%s", subject);
    dispatch(shell, c, &event);
}

static void api_publish(struct shell *shell, struct connection *c, struct span rest)
{
    struct publication *publication = calloc(1, sizeof *publication);
    struct fault fault = {0};
    struct arena arena;
    (void)rest;
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    int rc = publication ? publication_check(publication, buf_view(&c->body), strcmp(parameter(c, "open"), "1") == 0,
                                             &arena, &fault)
                         : E_NOMEM;
    if (rc)
        refuse(c, rc, &fault);
    else
        submit(shell, c, publication->media, publication->subject, publication->label);
    arena_free(&arena);
    free(publication);
}

/* Is the body an advisory, under whatever name? */
static bool advisory_inside(struct connection *c)
{
    const struct json *root = NULL;
    struct arena arena;
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    bool found = json_parse(&root, buf_view(&c->body), DOCUMENT_BYTES_MAX, &arena, NULL) == 0 && advisory_media(root);
    arena_free(&arena);
    return found;
}

static void api_state(struct shell *shell, struct connection *c, struct span rest)
{
    const char *media = parameter(c, "media"), *subject = parameter(c, "subject");
    struct fault fault = {0};
    (void)rest;
    enum label label = document_label(span_str(media), buf_view(&c->body));
    if (!strchr(media, '/') || !*subject || strlen(media) >= MEDIA_BYTES_MAX || strlen(subject) >= SUBJECT_BYTES_MAX)
        refuse(c, fail(&fault, E_USAGE, "parameters media and subject are required"), &fault);
    else if (label != LABEL_OPEN || advisory_inside(c))
        refuse(c, fail(&fault, E_LABEL, "an advisory is published with comity publish, which minds its label"), &fault);
    else
        submit(shell, c, media, subject, LABEL_OPEN);
}

/* The journal keeps both as lines. */
static bool one_line(const char *text)
{
    while ((unsigned char)*text >= ' ' && *text != 0x7f)
        text++;
    return !*text;
}

static void api_inventory(struct shell *shell, struct connection *c, struct span rest)
{
    struct event event = {.kind = EVENT_INVENTORY,
                          .name = span_str(parameter(c, "name")),
                          .media = span_str(parameter(c, "distribution")),
                          .body = buf_view(&c->body)};
    struct fault fault = {0};
    (void)rest;
    if (one_line(parameter(c, "name")) && one_line(parameter(c, "distribution")))
        dispatch(shell, c, &event);
    else
        refuse(c, fail(&fault, E_SYNTAX, "an inventory's name and distribution hold no control characters"), &fault);
}

static void api_absent(struct shell *shell, struct connection *c, struct span rest)
{
    struct event event = {.kind = EVENT_ABSENT, .name = span_str(parameter(c, "party"))};
    (void)rest;
    dispatch(shell, c, &event);
}

static void api_status(struct shell *shell, struct connection *c, struct span rest)
{
    (void)rest;
    node_status_json(shell->node, clock_ms(), &c->reply);
    answer(c, 200);
}

static void api_notices(struct shell *shell, struct connection *c, struct span rest)
{
    uint64_t after = 0;
    const char *text = parameter(c, "after");
    struct fault fault = {0};
    (void)rest;
    if (*text && !decimal_parse(span_str(text), &after)) {
        refuse(c, fail(&fault, E_USAGE, "after is a number"), &fault);
        return;
    }
    int rc = node_notices_json(shell->node, (int64_t)after, &c->reply);
    if (rc)
        refuse(c, fail(&fault, rc, "reading the notices"), &fault);
    else
        answer(c, 200);
}

static void api_statement(struct shell *shell, struct connection *c, struct span rest)
{
    struct hash id;
    struct fault fault = {0};
    int rc = hash_parse(rest, &id) ? node_statement_json(shell->node, &id, &c->reply, &fault)
                                   : fail(&fault, E_USAGE, "an id has 64 hex digits");
    if (rc)
        refuse(c, rc, &fault);
    else
        answer(c, 200);
}

static void api_receipt(struct shell *shell, struct connection *c, struct span rest)
{
    struct hash id;
    struct fault fault = {0};
    bool cose = strcmp(parameter(c, "form"), "cose") == 0;
    int rc = hash_parse(rest, &id) ? node_receipt(shell->node, &id, cose, &c->reply, &fault)
                                   : fail(&fault, E_USAGE, "an id has 64 hex digits");
    if (rc) {
        refuse(c, rc, &fault);
        return;
    }
    answer(c, 200);
    c->content_type = cose ? "application/cose" : "text/plain; charset=utf-8";
}

static void api_rebuild(struct shell *shell, struct connection *c, struct span rest)
{
    int rc = 0;
    struct fault fault = {0};
    (void)rest;
    node_rebuild(shell->node, &rc);
    if (rc) {
        refuse(c, fail(&fault, rc, "rebuilding"), &fault);
        return;
    }
    buf_text(&c->reply, "{\"rebuilt\":true}\n");
    answer(c, 200);
}

static const struct {
    const char *method, *path;
    bool prefix;
    void (*run)(struct shell *, struct connection *, struct span rest);
} routes[] = {
    {"POST", "/api/v1/publish", false, api_publish},       {"POST", "/api/v1/statements", false, api_state},
    {"POST", "/api/v1/inventories", false, api_inventory}, {"POST", "/api/v1/absent", false, api_absent},
    {"POST", "/api/v1/rebuild", false, api_rebuild},       {"GET", "/api/v1/status", false, api_status},
    {"GET", "/api/v1/notices", false, api_notices},        {"GET", "/api/v1/statements/", true, api_statement},
    {"GET", "/api/v1/receipts/", true, api_receipt},
};

void api_request(struct shell *shell, struct connection *c, const char *method, const char *path)
{
    struct fault fault = {0};
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        bool hit = routes[i].prefix ? span_starts(span_str(path), routes[i].path) : strcmp(path, routes[i].path) == 0;
        if (hit && strcmp(method, routes[i].method) == 0) {
            routes[i].run(shell, c, span_from(span_str(path), strlen(routes[i].path)));
            return;
        }
    }
    refuse(c, fail(&fault, E_NOTFOUND, "no such route: %.8s %.120s", method, path), &fault);
}
