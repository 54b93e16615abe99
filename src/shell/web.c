/* What others ask of this node, handed over whole by the net process. */
#include <stdio.h>

#include "circle/member.h"
#include "crypto/sha256.h"
#include "shell/log.h"
#include "shell/routes.h"
#include "shell/shell.h"

static const char text_plain[] = "text/plain; charset=utf-8";

static void text_copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text ? text : "");
}

void answer_send(struct shell *shell, struct answer_message *answer, struct buf *body)
{
    if (answer->status >= 0 && answer->status < HTTP_CODES)
        shell->counters.answers[LISTENER_PUBLIC][answer->status]++;
    channel_send(&shell->net, MESSAGE_ANSWER, answer, sizeof *answer, body);
}

void answer_text(struct shell *shell, uint64_t token, int status, const char *content_type, struct span text)
{
    struct answer_message answer = {.token = token, .status = status};
    struct buf body;
    text_copy(answer.content_type, sizeof answer.content_type, content_type);
    buf_init(&body, 4096);
    buf_span(&body, text);
    answer_send(shell, &answer, &body);
}

/* "bytes=N-" or "bytes=N-M"; anything else asks for the whole. False when it cannot be satisfied. */
static bool range_of(const char *text, size_t len, size_t *from, size_t *to, bool *partial)
{
    uint64_t first = 0, last = len ? len - 1 : 0;
    *partial = false;
    const char *dash = text && strncmp(text, "bytes=", 6) == 0 ? strchr(text, '-') : NULL;
    if (!dash || !decimal_parse(span_of(text + 6, (size_t)(dash - text) - 6), &first) ||
        (dash[1] && !decimal_parse(span_str(dash + 1), &last)))
        return true;
    if (first >= len || last < first)
        return false;
    *from = (size_t)first;
    *to = last < len ? (size_t)last + 1 : len;
    *partial = true;
    return true;
}

/* The part of the body that was asked for, moved to its beginning. */
static int range_cut(const struct request_message *request, struct answer_message *answer, struct buf *body)
{
    size_t from = 0, to = body->len, whole = body->len;
    bool partial = false;
    if (!range_of(request->range[0] ? request->range : NULL, whole, &from, &to, &partial))
        return 416;
    if (!partial)
        return 200;
    (void)snprintf(answer->content_range, sizeof answer->content_range, "bytes %zu-%zu/%zu", from, to - 1, whole);
    memmove(body->data, body->data + from, to - from);
    body->len = to - from;
    return 206;
}

/* `member`: it may be a document for members only, which no cache may give to others. */
static void found_send(struct shell *shell, const struct request_message *request, struct served *served, bool member)
{
    struct answer_message answer = {.token = request->token, .ranges = 1, .immutable = served->immutable && !member};
    char hex[65];
    struct hash h;
    sha256(buf_view(&served->body), &h);
    hash_hex(&h, hex);
    (void)snprintf(answer.etag, sizeof answer.etag, "\"%.32s\"", hex);
    text_copy(answer.content_type, sizeof answer.content_type, served->content_type);
    answer.status = strcmp(request->if_none_match, answer.etag) == 0 ? 304 : range_cut(request, &answer, &served->body);
    if (answer.status == 304 || answer.status == 416)
        served->body.len = 0;
    answer_send(shell, &answer, &served->body);
}

static bool member_asks(const struct shell *shell, const struct request_message *r)
{
    const struct roster *roster = node_roster(shell->node);
    const struct party *self, *asker = NULL;
    if (!roster || r->method != METHOD_GET || !span_starts(span_str(r->path), "/documents/") || r->twice ||
        !r->host[0] || !r->signature_input[0] || !r->signature[0] ||
        !(self = roster_party(roster, span_str(shell->serve->config.name))))
        return false;
    const struct member_request request = {.host = span_str(r->host),
                                           .own_url = span_str(self->card.url),
                                           .path = span_str(r->path),
                                           .input = span_str(r->signature_input),
                                           .signature = span_str(r->signature),
                                           .now = clock_ms() / 1000};
    int rc = member_verify(roster, &request, &asker);
    if (rc)
        log_say(LOG_REQUEST_UNSIGNED, "a signed request counts for nothing: %s", error_text(rc)->message);
    return rc == 0;
}

static void read_serve(struct shell *shell, const struct request_message *request)
{
    struct served served;
    if (hosted_get(shell, request))
        return;
    bool member = member_asks(shell, request);
    node_serve(shell->node, span_str(request->path), member, &served);
    if (served.status == 200) {
        found_send(shell, request, &served, member);
    } else {
        struct answer_message answer = {.token = request->token, .status = served.status};
        text_copy(answer.content_type, sizeof answer.content_type, served.content_type);
        text_copy(answer.location, sizeof answer.location, served.location);
        answer_send(shell, &answer, &served.body);
    }
    buf_free(&served.body);
}

int body_unpack(struct shell *shell, const struct request_message *request, struct buf *body)
{
    struct buf plain;
    if (!request->gzip)
        return 200;
    buf_init(&plain, HTTP_BODY_MAX);
    int rc = parser_unpack(shell->parser, buf_view(body), &plain);
    buf_free(body);
    *body = plain;
    return rc == 0 ? 200 : rc == E_LIMIT ? 413 : rc == E_NOMEM || rc == E_IO ? 503 : 400;
}

/* The token under which the engine knows a public request: private ones have small numbers. */
enum { ROUND_SHIFT = 48 };
static const uint64_t public_bit = 1ull << 63, round_mask = 0x7fff, number_mask = (1ull << ROUND_SHIFT) - 1;

static uint64_t public_token(const struct shell *shell, uint64_t number)
{
    return public_bit | (shell->net_round & round_mask) << ROUND_SHIFT | (number & number_mask);
}

static void write_start(struct shell *shell, const struct request_message *request, struct buf *body)
{
    /* RFC 9290: {-1: "Rejected", -2: "only the owner's keys add to a log"} */
    static const uint8_t rejected[] = "\xa2\x20\x68Rejected\x21\x78\x22only the owner's keys add to a log";
    const struct route_write *route = route_find(method_names[request->method], span_str(request->path));
    struct event event = {.kind = EVENT_REQUEST, .token = public_token(shell, request->token)};
    if (strcmp(request->path, "/entries") == 0) {
        answer_text(shell, request->token, 403, "application/concise-problem-details+cbor",
                    span_of(rejected, sizeof rejected - 1));
        return;
    }
    if (!route) {
        answer_text(shell, request->token, 404, text_plain, span_str("no such route\n"));
        return;
    }
    if (route->kind == REQ_HOSTED) {
        hosted_put(shell, request, body, event.token);
        return;
    }
    if (route->prefix && !hash_parse(span_from(span_str(request->path), strlen(route->path)), &event.hash)) {
        answer_text(shell, request->token, 400, text_plain, span_str("the path ends in 64 hex digits\n"));
        return;
    }
    int status = body_unpack(shell, request, body);
    if (status != 200) {
        answer_text(shell, request->token, status, text_plain, span_str("the body does not follow its encoding\n"));
        return;
    }
    event.request = route->kind;
    event.body = buf_view(body);
    shell_step(shell, &event);
}

/* The listener that has nothing else; net lets only GET and HEAD of this path through. */
static void metrics_serve(struct shell *shell, const struct request_message *request)
{
    struct answer_message answer = {.token = request->token, .status = 200};
    struct buf body;
    text_copy(answer.content_type, sizeof answer.content_type, METRICS_TYPE);
    buf_init(&body, METRICS_BYTES_MAX);
    metrics_write(shell, &body);
    shell->counters.answers[LISTENER_METRICS][200]++;
    channel_send(&shell->net, MESSAGE_ANSWER, &answer, sizeof answer, &body);
    buf_free(&body);
}

void web_tally(struct shell *shell, const struct tally_message *tally)
{
    struct shell_counters *counters = &shell->counters;
    counters->connections = tally->connections;
    counters->body_bytes = tally->body_bytes;
    for (size_t i = 0; i < TALLY_ROWS; i++)
        if (tally->refused[i].listener < LISTENERS_ && tally->refused[i].status < HTTP_CODES)
            counters->answers[tally->refused[i].listener][tally->refused[i].status] += tally->refused[i].count;
}

void web_request(struct shell *shell, const struct request_message *request, struct buf *body)
{
    if (request->metrics)
        metrics_serve(shell, request);
    else if (request->method == METHOD_GET || request->method == METHOD_HEAD)
        read_serve(shell, request);
    else
        write_start(shell, request, body);
}

void web_reply(struct shell *shell, struct action *action)
{
    struct answer_message answer = {.token = action->token & number_mask, .status = action->status};
    if (action->token != public_token(shell, answer.token))
        return; /* whoever asked has gone with the net process of then */
    text_copy(answer.content_type, sizeof answer.content_type, action->content_type);
    text_copy(answer.receipt, sizeof answer.receipt, action->header);
    answer.retry_after = action->retry_after;
    answer_send(shell, &answer, &action->body);
}
