/* Notices to the owner's channels: each is tried again for ever with the same id until it is taken. Commands are run by the commands
   process, mail and webhooks go out by net. What is wrong is most often the whole channel: so after a failure it waits as a whole, with
   one attempt at a time, and what was refused goes behind the rest, so that it holds up nothing else. */
#include <stdio.h>
#include <stdlib.h>

#include "notify/webhook.h"
#include "shell/log.h"
#include "shell/shell.h"

enum { RETRY_MS_MIN = 1000, AT_ONCE_MAX = 16, WEBHOOK_MS_MAX = 20000, MAIL_MS_MAX = 120000 };
static const struct {
    unsigned at_once, each; /* of all channels of the kind, and of one, while it works */
    int64_t retry_ms_max;
} limits[CHANNEL_KINDS] = {
    [CHANNEL_COMMAND] = {8, 4, 300000},
    [CHANNEL_WEBHOOK] = {12, 4, 300000},
    [CHANNEL_MAIL] = {4, 2, 1800000},
};
static const uint64_t delivery_bit = 1ull << 62;

bool delivery_token(uint64_t token)
{
    return token & delivery_bit;
}

/* Outlets */

static void outlet_add(struct shell *shell, const struct outlet *outlet)
{
    shell->outlets[shell->outlet_count++] = *outlet;
    shell->counters.channels[outlet->kind].name = channel_kind_names[outlet->kind];
}

int outlets_open(struct shell *shell)
{
    const struct config *config = &shell->serve->config;
    size_t legacy = 0;
    shell->outlets = calloc(config->routes.channel_count + 2, sizeof *shell->outlets);
    if (!shell->outlets)
        return E_NOMEM;
    for (uint32_t i = 0; i < config->routes.channel_count; i++) {
        const struct notify_channel *channel = &config->routes.channels[i];
        outlet_add(shell,
                   &(struct outlet){
                       .name = channel->name, .address = channel_address(channel), .kind = channel->kind, .number = i});
    }
    if (config->notify_command[0]) {
        shell->channels[legacy++] = "command";
        outlet_add(shell, &(struct outlet){.name = "command",
                                           .address = config->notify_command,
                                           .kind = CHANNEL_COMMAND,
                                           .number = NOTIFY_COMMAND});
    }
    if (config->notify_webhook[0]) {
        shell->channels[legacy++] = "webhook";
        outlet_add(shell, &(struct outlet){.name = "webhook",
                                           .address = config->notify_webhook,
                                           .kind = CHANNEL_WEBHOOK,
                                           .number = NOTIFY_COMMAND});
    }
    return 0;
}

static void append(struct outlet *outlet, struct delivery *d)
{
    d->next = NULL;
    *(outlet->last ? outlet->last : &outlet->first) = d;
    outlet->last = &d->next;
}

static void take_out(struct outlet *outlet, const struct delivery *d)
{
    struct delivery **at = &outlet->first;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    if (!d->next)
        outlet->last = at;
}

static void queue(struct shell *shell, struct outlet *outlet, const struct hash *id, struct span body)
{
    struct delivery *d = calloc(1, sizeof *d);
    if (!d) {
        shell->fatal = E_NOMEM; /* it is handed out again by the next start */
        return;
    }
    d->id = *id;
    buf_init(&d->body, NOTICE_BYTES_MAX);
    buf_span(&d->body, body);
    if (d->body.error)
        shell->fatal = d->body.error;
    append(outlet, d);
    shell->counters.channels[outlet->kind].pending++;
}

/* A notice by itself goes to the channels without a route; a message to the channel that it was made for. */
void delivery_add(struct shell *shell, const struct action *action)
{
    bool message = action->kind == ACTION_MESSAGE;
    for (size_t i = 0; i < shell->outlet_count; i++) {
        struct outlet *outlet = &shell->outlets[i];
        if (message ? outlet->number == action->channel : outlet->number == NOTIFY_COMMAND)
            queue(shell, outlet, &action->hash, buf_view(&action->body));
    }
}

/* How it went */

static void delivery_failed(struct shell *shell, struct outlet *outlet, struct delivery *d)
{
    char hex[65];
    unsigned failures = ++outlet->failures > ++d->attempts ? outlet->failures : d->attempts;
    int64_t wait = (int64_t)RETRY_MS_MIN << (failures <= 12 ? failures - 1 : 12);
    wait = wait > limits[outlet->kind].retry_ms_max ? limits[outlet->kind].retry_ms_max : wait;
    d->at_ms = outlet->at_ms = clock_ms() + wait / 2 + rand() % (wait / 2 + 1);
    d->token = 0;
    outlet->running--;
    take_out(outlet, d);
    append(outlet, d);
    shell->counters.channels[outlet->kind].refused++;
    hash_hex(&d->id, hex);
    log_say(LOG_NOTICE_REFUSED, "notice %.16s was not taken by %s; it is tried again with the same id", hex,
            outlet->name);
}

static void delivery_taken(struct shell *shell, struct outlet *outlet, struct delivery *d)
{
    struct event event = {.kind = EVENT_DELIVERED, .name = span_str(outlet->name), .hash = d->id};
    outlet->failures = 0;
    outlet->at_ms = 0;
    outlet->running--;
    take_out(outlet, d);
    shell->counters.channels[outlet->kind].taken++;
    shell->counters.channels[outlet->kind].pending--;
    buf_free(&d->body);
    free(d);
    shell_step(shell, &event);
}

void delivery_ended(struct shell *shell, uint64_t token, bool good)
{
    for (size_t i = 0; i < shell->outlet_count; i++)
        for (struct delivery *d = shell->outlets[i].running ? shell->outlets[i].first : NULL; d; d = d->next)
            if (d->token == token) {
                (good ? delivery_taken : delivery_failed)(shell, &shell->outlets[i], d);
                return;
            }
}

void deliveries_lose(struct shell *shell, bool commands)
{
    for (size_t i = 0; i < shell->outlet_count; i++) {
        struct outlet *outlet = &shell->outlets[i];
        struct delivery *d = outlet->first, *next;
        for (unsigned left = outlet->running; d && left && (outlet->kind == CHANNEL_COMMAND) == commands; d = next) {
            next = d->next;
            if (!d->token)
                continue;
            left--;
            delivery_failed(shell, outlet, d);
        }
    }
}

/* Starting */

static void webhook_send(struct shell *shell, const struct outlet *outlet, const struct delivery *d, struct buf *body)
{
    struct send_message send = {.token = d->token,
                                .method = METHOD_POST,
                                .timeout_ms = WEBHOOK_MS_MAX,
                                .content_type = "application/json",
                                .webhook_timestamp = clock_ms() / 1000};
    hash_hex(&d->id, send.notice);
    (void)snprintf(send.url, sizeof send.url, "%s", outlet->address);
    webhook_sign(send.webhook_signature, buf_view(&shell->webhook_secrets), outlet->address, send.notice,
                 send.webhook_timestamp, buf_view(body));
    channel_send(&shell->net, MESSAGE_SEND, &send, sizeof send, body);
}

static void mail_send(struct shell *shell, const struct outlet *outlet, const struct delivery *d, struct buf *body)
{
    struct mail_message mail = {.token = d->token, .timeout_ms = MAIL_MS_MAX};
    (void)snprintf(mail.to, sizeof mail.to, "%s", outlet->address);
    channel_send(&shell->net, MESSAGE_MAIL, &mail, sizeof mail, body);
}

static void command_send(struct shell *shell, const struct outlet *outlet, const struct delivery *d, struct buf *body)
{
    struct notice_message notice = {.token = d->token, .channel = outlet->number};
    hash_hex(&d->id, notice.id);
    channel_send(&shell->commands, MESSAGE_NOTICE, &notice, sizeof notice, body);
}

/* A copy goes out of a notice, which stays until it was taken; a message is written anew for each attempt, the same each time. */
static void delivery_start(struct shell *shell, struct outlet *outlet, struct delivery *d)
{
    static void (*const sends[CHANNEL_KINDS])(struct shell *, const struct outlet *, const struct delivery *,
                                              struct buf *) = {command_send, webhook_send, mail_send};
    struct buf body;
    buf_init(&body, HTTP_BODY_MAX);
    int rc = 0;
    if (outlet->number == NOTIFY_COMMAND)
        buf_span(&body, buf_view(&d->body));
    else
        rc = node_message_write(shell->node, &d->id, outlet->number, shell->serve->config.mail_from, &body);
    if (rc || body.error) {
        shell->fatal = rc ? rc : body.error;
        buf_free(&body);
        return;
    }
    d->token = delivery_bit | ++shell->next_token;
    outlet->running++;
    sends[outlet->kind](shell, outlet, d, &body);
}

static bool outlet_there(const struct shell *shell, const struct outlet *outlet)
{
    return (outlet->kind == CHANNEL_COMMAND ? &shell->commands : &shell->net)->fd >= 0;
}

struct running {
    unsigned all, kind[CHANNEL_KINDS];
};

static void running_count(const struct shell *shell, struct running *running)
{
    *running = (struct running){0};
    for (size_t i = 0; i < shell->outlet_count; i++) {
        running->all += shell->outlets[i].running;
        running->kind[shell->outlets[i].kind] += shell->outlets[i].running;
    }
}

static bool room_is(const struct running *running, const struct outlet *outlet)
{
    return running->all < AT_ONCE_MAX && running->kind[outlet->kind] < limits[outlet->kind].at_once &&
           outlet->running < (outlet->failures ? 1 : limits[outlet->kind].each);
}

void deliveries_start(struct shell *shell)
{
    struct running running;
    int64_t now = clock_ms();
    running_count(shell, &running);
    for (size_t n = 0; n < shell->outlet_count; n++) {
        struct outlet *outlet = &shell->outlets[(shell->outlet_turn + n) % shell->outlet_count];
        if (!outlet->first || outlet->at_ms > now || !outlet_there(shell, outlet))
            continue;
        for (struct delivery *d = outlet->first; d && room_is(&running, outlet) && !shell->fatal; d = d->next) {
            if (d->token || d->at_ms > now)
                continue;
            delivery_start(shell, outlet, d);
            running.all++;
            running.kind[outlet->kind]++;
        }
    }
    shell->outlet_turn++; /* none is always the first */
}

/* When one may start; INT64_MAX while none can. */
int64_t deliveries_due(const struct shell *shell)
{
    int64_t due = INT64_MAX;
    struct running running;
    running_count(shell, &running);
    for (size_t i = 0; i < shell->outlet_count; i++) {
        const struct outlet *outlet = &shell->outlets[i];
        if (!outlet->first || !outlet_there(shell, outlet) || !room_is(&running, outlet))
            continue;
        for (const struct delivery *d = outlet->first; d; d = d->next) {
            int64_t at = d->at_ms > outlet->at_ms ? d->at_ms : outlet->at_ms;
            if (!d->token && at < due)
                due = at;
        }
    }
    return due;
}

void deliveries_free(struct shell *shell)
{
    for (size_t i = 0; i < shell->outlet_count; i++)
        for (struct delivery *d = shell->outlets[i].first, *next; d; d = next) {
            next = d->next;
            buf_free(&d->body);
            free(d);
        }
    free(shell->outlets);
}
