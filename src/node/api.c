/* The private API on the Unix socket: JSON, one table of calls. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "node/http.h"
#include "publish/publish.h"

static const char json_type[] = "application/json";

/* Parameters by their place in the table's list; empty when absent. */
struct call {
    struct loop *loop;
    struct exchange *x;
    struct span rest; /* of the path, behind the table's */
    struct span values[API_PARAMS_MAX];
    bool given[API_PARAMS_MAX];
};

static int status_of(int code)
{
    static const struct {
        int code, status;
    } statuses[] = {{E_NOTFOUND, 404}, {E_EXISTS, 409},  {E_STATE, 409},      {E_LOCKED, 409}, {E_UNWITNESSED, 425},
                    {E_BUSY, 503},     {E_PEER, 503},    {E_RECOVERING, 503}, {E_NOMEM, 500},  {E_IO, 500},
                    {E_FULL, 500},     {E_CORRUPT, 500}, {E_LIMIT, 413}};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].code == code)
            return statuses[i].status;
    return 400;
}

void api_error(struct exchange *x, const struct fault *fault)
{
    const struct error_text *text = error_text(fault->code);
    const struct {
        const char *name, *value;
    } members[] = {{"id", text->id},         {"message", text->message}, {"rule", text->rule},
                   {"remedy", text->remedy}, {"where", fault->where},    {"detail", fault->detail}};
    exchange_text(x, status_of(fault->code), json_type, "{\"error\":{");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        buf_json(&x->out, span_str(members[i].name));
        buf_byte(&x->out, ':');
        buf_json(&x->out, span_str(members[i].value));
        buf_byte(&x->out, ',');
    }
    buf_printf(&x->out, "\"code\":%d}}\n", fault->code);
}

static void good(struct exchange *x)
{
    x->status = 200;
    x->content_type = json_type;
}

/* Calls. They answer, or queue an event, or return an error that is then told. */

static int queue_document(struct call *call, struct submission *submission)
{
    struct queued *queued = queued_new(EVENT_SUBMIT, 0);
    queued->submission = submission;
    queued->body = call->x->body;
    call->x->body = (struct buf){0};
    exchange_queue(call->x, queued);
    return 0;
}

static int document_fits(const struct call *call, struct fault *fault)
{
    if (!call->x->body.len)
        return fail(fault, E_MISSING, "the request has no body");
    return call->x->body.len <= DOCUMENT_BYTES_MAX ? 0 : fail(fault, E_LIMIT, "a document has at most %d bytes", DOCUMENT_BYTES_MAX);
}

static int flag_of(const struct call *call, int at, bool *flag, struct fault *fault)
{
    *flag = span_is(call->values[at], "1");
    return !call->given[at] || *flag || span_is(call->values[at], "0") ? 0 : fail(fault, E_USAGE, "a flag is 0 or 1");
}

static int publish(struct call *call, struct fault *fault)
{
    struct arena arena;
    struct publication publication;
    bool open;
    int rc = flag_of(call, 0, &open, fault);
    rc = rc ? rc : document_fits(call, fault);
    if (rc)
        return rc;
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    rc = publication_check(&publication, buf_view(&call->x->body), open, &arena, fault);
    arena_free(&arena);
    struct submission *submission = rc ? NULL : calloc(1, sizeof *submission);
    if (!submission)
        return rc ? rc : fail(fault, E_NOMEM, "submission");
    (void)snprintf(submission->media, sizeof submission->media, "%s", publication.media);
    memcpy(submission->subject, publication.subject, sizeof submission->subject);
    submission->label = publication.label;
    return queue_document(call, submission);
}

static int text_fits(struct span text, const char *name, size_t max, struct fault *fault)
{
    if (!text.len)
        return fail(fault, E_MISSING, "parameter %s", name);
    return text.len < max ? 0 : fail(fault, E_LIMIT, "parameter %s has at most %zu bytes", name, max - 1);
}

/* Advisories go through publish, and its rules, alone. */
static int state(struct call *call, struct fault *fault)
{
    struct span media = call->values[0], subject = call->values[1];
    bool open;
    int rc = flag_of(call, 2, &open, fault);
    rc = rc ? rc : text_fits(media, "media", MEDIA_BYTES_MAX, fault);
    rc = rc ? rc : text_fits(subject, "subject", SUBJECT_BYTES_MAX, fault);
    rc = rc ? rc : document_fits(call, fault);
    if (rc)
        return rc;
    if (!open)
        return fail(fault, E_LABEL, "a statement of any other kind is open to everybody: say open=1");
    enum label label = document_label(media, buf_view(&call->x->body));
    if (label == LABEL_CLOSED)
        return fail(fault, E_LABEL, "the document is labelled for fewer people, or cannot be read as %.*s", (int)media.len,
                    (const char *)media.data);
    struct submission *submission = calloc(1, sizeof *submission);
    if (!submission)
        return fail(fault, E_NOMEM, "submission");
    memcpy(submission->media, media.data, media.len);
    memcpy(submission->subject, subject.data, subject.len);
    submission->label = label;
    return queue_document(call, submission);
}

static int inventory(struct call *call, struct fault *fault)
{
    if (!name_valid(call->values[0]))
        return fail(fault, E_USAGE, "parameter name: 1 to 63 of a-z, 0-9, '-' and '.'");
    if (call->values[1].len > 64 || (call->values[1].len && memchr(call->values[1].data, '\n', call->values[1].len)))
        return fail(fault, E_USAGE, "parameter distribution: at most 64 bytes of one line, as Debian:12");
    if (!call->x->body.len)
        return fail(fault, E_MISSING, "the request has no body");
    struct queued *queued = queued_new(EVENT_INVENTORY, 0);
    queued->body = call->x->body;
    call->x->body = (struct buf){0};
    buf_init(&queued->name, 256);
    buf_span(&queued->name, call->values[0]);
    buf_init(&queued->media, 256);
    buf_span(&queued->media, call->values[1]);
    exchange_queue(call->x, queued);
    return 0;
}

static int status(struct call *call, struct fault *fault)
{
    (void)fault;
    node_status_json(call->loop->node, loop_wall_ms(call->loop), &call->x->out);
    good(call->x);
    return 0;
}

static int notices(struct call *call, struct fault *fault)
{
    uint64_t after = 0;
    if (call->given[0] && (!decimal_parse(call->values[0], &after) || after > INT64_MAX))
        return fail(fault, E_USAGE, "parameter after: a number");
    node_notices_json(call->loop->node, (int64_t)after, &call->x->out);
    good(call->x);
    return 0;
}

static int id_of(const struct call *call, struct hash *id, struct fault *fault)
{
    return hash_parse(call->rest, id) ? 0 : fail(fault, E_USAGE, "an id is 64 lower-case hexadecimal digits");
}

static int statement(struct call *call, struct fault *fault)
{
    struct hash id;
    int rc = id_of(call, &id, fault);
    if (rc)
        return rc;
    node_statement_json(call->loop->node, &id, &call->x->out);
    good(call->x);
    if (span_starts(buf_view(&call->x->out), "{\"error\":"))
        call->x->status = 404;
    return 0;
}

static int receipt(struct call *call, struct fault *fault)
{
    struct hash id;
    bool cose = span_is(call->values[0], "cose");
    if (call->given[0] && !cose && !span_is(call->values[0], "tlog"))
        return fail(fault, E_USAGE, "parameter form: tlog or cose");
    int rc = id_of(call, &id, fault);
    rc = rc ? rc : node_receipt(call->loop->node, &id, cose, &call->x->out, fault);
    if (rc)
        return rc;
    call->x->status = 200;
    call->x->content_type = cose ? "application/cose" : "text/plain; charset=utf-8";
    return 0;
}

static int absent(struct call *call, struct fault *fault)
{
    if (!name_valid(call->values[0]))
        return fail(fault, E_USAGE, "parameter party: a party's name");
    struct queued *queued = queued_new(EVENT_ABSENT, 0);
    buf_init(&queued->name, 256);
    buf_span(&queued->name, call->values[0]);
    exchange_queue(call->x, queued);
    return 0;
}

/* A rebuild that failed leaves a store that may not be used any more. */
static int rebuild(struct call *call, struct fault *fault)
{
    int result = 0;
    node_rebuild(call->loop->node, &result);
    if (result) {
        call->loop->failed = result;
        return fail(fault, result, "rebuilding the derived views");
    }
    exchange_text(call->x, 200, json_type, "{\"rebuilt\":true}\n");
    return 0;
}

static const struct api_call {
    const char *method, *path; /* a path that ends in '/' has one more part */
    const char *params[API_PARAMS_MAX + 1];
    int (*run)(struct call *call, struct fault *fault);
} calls[] = {
    {"POST", "/api/v1/publish", {"open"}, publish},
    {"POST", "/api/v1/statements", {"media", "subject", "open"}, state},
    {"POST", "/api/v1/inventories", {"name", "distribution"}, inventory},
    {"GET", "/api/v1/status", {NULL}, status},
    {"GET", "/api/v1/notices", {"after"}, notices},
    {"GET", "/api/v1/statements/", {NULL}, statement},
    {"GET", "/api/v1/receipts/", {"form"}, receipt},
    {"POST", "/api/v1/absent", {"party"}, absent},
    {"POST", "/api/v1/rebuild", {NULL}, rebuild},
};

/* Parsing */

static bool unescape(struct span text, struct buf *out)
{
    buf_init(out, TARGET_BYTES_MAX);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            char low[2];
            for (size_t j = 0; j < 2 && i + 1 + j < text.len; j++) {
                uint8_t digit = text.data[i + 1 + j];
                low[j] = (char)(digit >= 'A' && digit <= 'F' ? digit + 32 : digit);
            }
            if (i + 2 >= text.len || !hex_parse(span_of(low, 2), &byte, 1) || !byte)
                return false;
            i += 2;
        } else if (byte == '+') {
            byte = ' ';
        }
        buf_byte(out, byte);
    }
    return !out->error && utf8_valid(buf_view(out));
}

bool api_parse_query(struct span query, struct span names[static API_PARAMS_MAX], struct buf values[static API_PARAMS_MAX], size_t *count)
{
    *count = 0;
    while (query.len) {
        const uint8_t *and = memchr(query.data, '&', query.len);
        struct span one = span_of(query.data, and ? (size_t)(and - query.data) : query.len);
        const uint8_t *equals = one.len ? memchr(one.data, '=', one.len) : NULL;
        if (!equals || equals == one.data || *count == API_PARAMS_MAX)
            return false;
        size_t at = (*count)++;
        names[at] = span_of(one.data, (size_t)(equals - one.data));
        if (!unescape(span_from(one, names[at].len + 1), &values[at]))
            return false;
        query = span_from(query, one.len + 1);
    }
    return true;
}

static int param_take(struct call *call, const struct api_call *entry, struct span name, struct span value, struct fault *fault)
{
    for (size_t i = 0; entry->params[i]; i++)
        if (span_is(name, entry->params[i])) {
            if (call->given[i])
                return fail(fault, E_USAGE, "parameter %s stands twice", entry->params[i]);
            call->given[i] = true;
            call->values[i] = value;
            return 0;
        }
    return fail(fault, E_USAGE, "unknown parameter %.*s", (int)(name.len < 64 ? name.len : 64), (const char *)name.data);
}

static int call_run(struct call *call, const struct api_call *entry, struct fault *fault)
{
    struct span names[API_PARAMS_MAX];
    struct buf values[API_PARAMS_MAX] = {{0}};
    size_t count;
    int rc = api_parse_query(call->x->query, names, values, &count) ? 0 : fail(fault, E_USAGE, "the parameters are not name=value&...");
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = param_take(call, entry, names[i], buf_view(&values[i]), fault);
    if (rc == 0)
        rc = entry->run(call, fault);
    for (size_t i = 0; i < API_PARAMS_MAX; i++)
        buf_free(&values[i]);
    return rc;
}

void api_handle(struct loop *loop, struct exchange *x, const char *method)
{
    struct call call = {.loop = loop, .x = x};
    struct fault fault = {0};
    int rc = fail(&fault, E_NOTFOUND, "there is no such call of the API");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t n = strlen(calls[i].path);
        bool more = calls[i].path[n - 1] == '/';
        if (strcmp(method, calls[i].method) != 0 || !(more ? span_starts(x->path, calls[i].path) : span_is(x->path, calls[i].path)))
            continue;
        call.rest = span_from(x->path, n);
        fault = (struct fault){0};
        rc = call_run(&call, &calls[i], &fault);
        break;
    }
    if (rc) {
        fault.code = rc;
        api_error(x, &fault);
    }
}
