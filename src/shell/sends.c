/* What the engine asks of others: handed to the net process, and kept in mind until its result is here. */
#include <stdio.h>
#include <stdlib.h>

#include "circle/member.h"
#include "shell/gzip.h"
#include "shell/shell.h"

/* Only a backlog is as large as this; what a publish sends stays small, and without the delay. */
static void body_pack(struct action *action)
{
    struct buf packed;
    if (!action->packable || action->body.len < GZIP_BODY_MIN)
        return;
    buf_init(&packed, action->body.len - 1);
    if (gzip(&packed, buf_view(&action->body)) == 0) {
        buf_free(&action->body);
        action->body = packed;
        action->content_encoding = "gzip";
    } else {
        buf_free(&packed);
    }
}

/* Documents for members only are served to whoever signs as one; without a signature the others still come. */
static void member_sign(const struct shell *shell, struct send_message *send, const struct action *action)
{
    char authority[MEMBER_AUTHORITY_BYTES_MAX + 1];
    struct buf input, signature;
    if (!shell->signer || send->method != METHOD_GET || strncmp(action->path, "/documents/", 11) != 0 ||
        member_authority(authority, span_str(action->peer->card.url)) != 0)
        return;
    buf_init(&input, MEMBER_INPUT_BYTES_MAX);
    buf_init(&signature, MEMBER_SIGNATURE_BYTES);
    if (shell->signer->ops->http_sign(shell->signer, "GET", authority, action->path, &input, &signature) == 0) {
        (void)snprintf(send->signature_input, sizeof send->signature_input, "%.*s", (int)input.len,
                       (const char *)input.data);
        (void)snprintf(send->signature, sizeof send->signature, "%.*s", (int)signature.len,
                       (const char *)signature.data);
    }
    buf_free(&input);
    buf_free(&signature);
}

void sends_add(struct shell *shell, struct action *action)
{
    struct send_message send = {.token = action->token,
                                .range_from = action->range_from,
                                .body_max = action->body_max,
                                .timeout_ms = action->timeout_ms};
    struct sending *s = calloc(1, sizeof *s);
    if (!s) {
        shell->fatal = E_NOMEM;
        return;
    }
    while (send.method < METHODS - 1 && strcmp(action->method, method_names[send.method]) != 0)
        send.method++;
    body_pack(action);
    (void)snprintf(send.url, sizeof send.url, "%s%s", action->peer->card.url, action->path);
    (void)snprintf(send.content_type, sizeof send.content_type, "%s", action->content_type);
    (void)snprintf(send.content_encoding, sizeof send.content_encoding, "%s",
                   action->content_encoding ? action->content_encoding : "");
    member_sign(shell, &send, action);
    s->token = action->token;
    s->lost = shell->net.fd < 0;
    s->next = shell->sending;
    shell->sending = s;
    channel_send(&shell->net, MESSAGE_SEND, &send, sizeof send, &action->body);
}

void fetches_add(struct shell *shell, const struct action *action)
{
    const struct fetch *fetch = action->fetch;
    struct fetch_message message = {.token = action->token,
                                    .body_max = action->body_max,
                                    .from = fetch->from,
                                    .to = fetch->to,
                                    .last = fetch->last,
                                    .timeout_ms = action->timeout_ms,
                                    .inside = fetch->inside};
    struct sending *s = calloc(1, sizeof *s);
    if (!s) {
        shell->fatal = E_NOMEM;
        return;
    }
    memcpy(message.url, fetch->url, sizeof message.url);
    memcpy(message.etag, fetch->etag, sizeof message.etag);
    memcpy(message.since, fetch->since, sizeof message.since);
    *s = (struct sending){.next = shell->sending, .token = action->token, .fetch = true, .lost = shell->net.fd < 0};
    shell->sending = s;
    channel_send(&shell->net, MESSAGE_FETCH, &message, sizeof message, NULL);
}

static bool forget(struct shell *shell, uint64_t token, bool fetch)
{
    struct sending **at = &shell->sending;
    while (*at && ((*at)->token != token || (*at)->fetch != fetch))
        at = &(*at)->next;
    struct sending *s = *at;
    if (!s)
        return false;
    *at = s->next;
    free(s);
    return true;
}

void sends_result(struct shell *shell, const struct result_message *result, struct buf *body)
{
    const struct event event = {.kind = EVENT_RESPONSE,
                                .token = result->token,
                                .body = buf_view(body),
                                .status = result->status,
                                .content_type = span_str(result->content_type),
                                .header = span_str(result->receipt)};
    if (delivery_token(result->token))
        delivery_ended(shell, result->token, result->status >= 200 && result->status < 300);
    else if (forget(shell, result->token, false))
        shell_step(shell, &event);
}

void fetches_result(struct shell *shell, const struct fetched_message *result, struct buf *body)
{
    const struct fetched fetched = {.etag = span_str(result->etag),
                                    .modified = span_str(result->modified),
                                    .location = span_str(result->location),
                                    .from = result->from,
                                    .total = result->total,
                                    .retry_after_s = result->retry_after_s};
    const struct event event = {.kind = EVENT_FETCHED,
                                .token = result->token,
                                .body = buf_view(body),
                                .status = result->status,
                                .fetched = &fetched};
    if (forget(shell, result->token, true))
        shell_step(shell, &event);
}

void sends_lose(struct shell *shell)
{
    for (struct sending *s = shell->sending; s; s = s->next)
        s->lost = true;
}

/* A step may add more, which are lost at once while net is away: they are told in the next round. */
void sends_settle(struct shell *shell)
{
    struct sending *lost = NULL, **at = &shell->sending;
    while (*at) {
        struct sending *s = *at;
        if (s->lost) {
            *at = s->next;
            s->next = lost;
            lost = s;
        } else {
            at = &s->next;
        }
    }
    while (lost) {
        struct sending *s = lost;
        const struct event event = {.kind = s->fetch ? EVENT_FETCHED : EVENT_RESPONSE, .token = s->token};
        lost = s->next;
        free(s);
        shell_step(shell, &event);
    }
}
