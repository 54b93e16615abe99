/* Notices to the owner's channels: a command or a webhook, each tried again for ever with the same id until it is taken. The command is
   run by the commands process, the webhook is called by net. */
#include <stdio.h>
#include <stdlib.h>

#include "shell/log.h"
#include "shell/shell.h"

enum { RETRY_MS_MIN = 1000, RETRY_MS_MAX = 300000, AT_ONCE_MAX = 4, WEBHOOK_MS_MAX = 20000 };
static const uint64_t delivery_bit = 1ull << 62;
static const char command[] = "command";

bool delivery_token(uint64_t token)
{
    return token & delivery_bit;
}

void delivery_add(struct shell *shell, const struct action *action)
{
    for (int channel = 0; shell->channels[channel]; channel++) {
        struct delivery *d = calloc(1, sizeof *d), **at = &shell->deliveries;
        if (!d) {
            shell->fatal = E_NOMEM; /* it is handed out again by the next start */
            return;
        }
        d->id = action->hash;
        d->channel = channel;
        buf_init(&d->body, 1 << 20);
        buf_span(&d->body, buf_view(&action->body));
        if (d->body.error)
            shell->fatal = d->body.error;
        while (*at)
            at = &(*at)->next;
        *at = d;
    }
}

static void delivery_failed(struct shell *shell, struct delivery *d)
{
    shell->counters.channels[d->channel].refused++;
    char hex[65];
    int64_t wait = (int64_t)RETRY_MS_MIN << (d->attempts < 9 ? d->attempts : 9);
    hash_hex(&d->id, hex);
    d->attempts++;
    wait = wait > RETRY_MS_MAX ? RETRY_MS_MAX : wait;
    d->at_ms = clock_ms() + wait / 2 + rand() % (wait / 2 + 1);
    d->token = 0;
    log_say(LOG_NOTICE_REFUSED, "notice %.16s was not taken by %s; it is tried again with the same id", hex,
            shell->channels[d->channel]);
}

void delivery_ended(struct shell *shell, uint64_t token, bool good)
{
    struct delivery **at = &shell->deliveries;
    while (*at && (*at)->token != token)
        at = &(*at)->next;
    struct delivery *d = *at;
    if (!d)
        return;
    if (!good) {
        delivery_failed(shell, d);
        return;
    }
    *at = d->next;
    shell->counters.channels[d->channel].taken++;
    struct event event = {.kind = EVENT_DELIVERED, .name = span_str(shell->channels[d->channel]), .hash = d->id};
    shell_step(shell, &event);
    buf_free(&d->body);
    free(d);
}

void deliveries_lose(struct shell *shell, const char *channel)
{
    for (struct delivery *d = shell->deliveries; d; d = d->next)
        if (d->token && strcmp(shell->channels[d->channel], channel) == 0)
            delivery_failed(shell, d);
}

/* A copy goes out; the body stays until it was taken. */
static void delivery_start(struct shell *shell, struct delivery *d)
{
    struct notice_message notice = {0};
    struct send_message send = {
        .method = METHOD_POST, .timeout_ms = WEBHOOK_MS_MAX, .content_type = "application/json"};
    struct buf body;
    buf_init(&body, d->body.max);
    buf_span(&body, buf_view(&d->body));
    d->token = notice.token = send.token = delivery_bit | ++shell->next_token;
    hash_hex(&d->id, notice.id);
    memcpy(send.notice, notice.id, sizeof send.notice);
    if (strcmp(shell->channels[d->channel], command) == 0) {
        channel_send(&shell->commands, MESSAGE_NOTICE, &notice, sizeof notice, &body);
    } else {
        (void)snprintf(send.url, sizeof send.url, "%s", shell->serve->config.notify_webhook);
        channel_send(&shell->net, MESSAGE_SEND, &send, sizeof send, &body);
    }
}

static bool channel_there(const struct shell *shell, const struct delivery *d)
{
    return (strcmp(shell->channels[d->channel], command) == 0 ? &shell->commands : &shell->net)->fd >= 0;
}

void deliveries_start(struct shell *shell)
{
    int running = 0;
    int64_t now = clock_ms();
    for (const struct delivery *d = shell->deliveries; d; d = d->next)
        running += d->token != 0;
    for (struct delivery *d = shell->deliveries; d && running < AT_ONCE_MAX; d = d->next) {
        if (d->token || d->at_ms > now || !channel_there(shell, d))
            continue;
        running++;
        delivery_start(shell, d);
    }
}

/* When one may start; INT64_MAX while none can. */
int64_t deliveries_due(const struct shell *shell)
{
    int64_t due = INT64_MAX;
    int running = 0;
    for (const struct delivery *d = shell->deliveries; d; d = d->next) {
        running += d->token != 0;
        if (!d->token && d->at_ms < due && channel_there(shell, d))
            due = d->at_ms;
    }
    return running < AT_ONCE_MAX ? due : INT64_MAX;
}
