/* The node's own process and its loop. */
#include "shell/shell.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "notify/webhook.h"
#include "shell/log.h"
#include "shell/notify.h"

enum { WAIT_MS_MAX = 10000, MESSAGES_AT_ONCE = 64, ANSWERS_QUEUED_MAX = 64 * 1024 * 1024 };

int64_t clock_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The engine's time: the wall clock, but it never goes back and never stands still. If the wall clock is set back, it runs on by the
   monotonic clock until the next start. */
static int64_t engine_ms(void)
{
    static int64_t offset;
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t monotonic = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000, wall = clock_ms();
    if (wall - monotonic > offset)
        offset = wall - monotonic;
    return monotonic + offset;
}

static int64_t clock_seconds(void *ctx)
{
    (void)ctx;
    return clock_ms() / 1000;
}

static uint64_t random_number(void *ctx)
{
    uint64_t value;
    (void)ctx;
    randombytes_buf(&value, sizeof value);
    return value;
}

static void progress_log(void *ctx, const char *what, uint64_t done, uint64_t all)
{
    (void)ctx;
    log_say(LOG_PROGRESS, "%s: %llu of %llu", what, (unsigned long long)done, (unsigned long long)all);
}

void shell_step(struct shell *shell, const struct event *event)
{
    struct actions actions = {0};
    if (shell->fatal)
        return;
    shell->fatal = node_step(shell->node, event, engine_ms(), &actions);
    for (size_t i = 0; i < actions.count && !shell->fatal; i++) {
        struct action *action = &actions.list[i];
        if (action->kind == ACTION_SEND)
            sends_add(shell, action);
        else if (action->kind == ACTION_FETCH)
            fetches_add(shell, action);
        else if (action->kind == ACTION_NOTICE || action->kind == ACTION_MESSAGE)
            delivery_add(shell, action);
        else if (!local_reply(shell, action))
            web_reply(shell, action);
    }
    actions_clear(&actions);
}

/* What the node runs with is remembered in the database, so that damage to the files is seen, and can be undone. */
static int file_remember(struct shell *shell, const char *name, const char *key, size_t max, struct fault *fault)
{
    char path[4096];
    struct buf text, kept;
    struct store *store = shell->store;
    serve_path(shell->serve->dir, name, path);
    int rc = serve_read(path, max, &text, fault);
    buf_init(&kept, max);
    if (rc == 0 &&
        (store->ops->state_get(store, span_str(key), &kept) != 0 || !span_eq(buf_view(&kept), buf_view(&text)))) {
        rc = store->ops->begin(store);
        rc = rc ? rc : store->ops->state_put(store, span_str(key), buf_view(&text));
        rc = rc ? rc : store->ops->commit(store);
        if (rc)
            (void)fail(fault, rc, "remembering %s", name);
    }
    buf_free(&kept);
    buf_free(&text);
    return rc;
}

static int node_start(struct shell *shell, struct fault *fault)
{
    const struct serve *serve = shell->serve;
    char path[4096], blobs[4096];
    serve_path(serve->dir, "state.db", path);
    serve_path(serve->dir, "blobs", blobs);
    int rc = store_sqlite_open(&shell->store, path, blobs, fault);
    if (rc)
        return rc;
    metrics_time(shell->store, &shell->counters);
    shell->counters.started_ms = clock_ms();
    shell->counters.restarts = serve->restarts;
    rc = outlets_open(shell);
    if (rc)
        return fail(fault, rc, "%zu channels", serve->config.routes.channel_count);
    struct env env = {.store = shell->store,
                      .signer = shell->signer,
                      .parser = shell->parser,
                      .random = random_number,
                      .clock = clock_seconds,
                      .progress = progress_log};
    struct node_config config = {.roster = serve->in_circle ? &serve->roster : NULL,
                                 .charter = serve->charter,
                                 .party = span_str(serve->config.name),
                                 .witness_logs = serve->config.witness_logs,
                                 .state_followed = strcmp(serve->config.state_followed, "no") != 0,
                                 .channels = shell->channels,
                                 .routes = &serve->config.routes};
    rc = file_remember(shell, "comity.conf", "file/comity.conf", CONFIG_BYTES_MAX, fault);
    if (rc == 0 && serve->in_circle)
        rc = file_remember(shell, "charter/charter.json", "file/charter.json", BUNDLE_JSON_BYTES_MAX, fault);
    return rc ? rc : node_open(&shell->node, &env, &config, fault);
}

/* Lines to the helpers */

static void net_lost(struct shell *shell)
{
    channel_close(&shell->net);
    sends_lose(shell);
    deliveries_lose(shell, false);
}

static void commands_lost(struct shell *shell)
{
    channel_close(&shell->commands);
    deliveries_lose(shell, true);
}

static void net_take(void *ctx, uint32_t kind, const void *fixed, struct buf *body)
{
    struct shell *shell = ctx;
    if (!message_good(kind, fixed))
        net_lost(shell);
    else if (kind == MESSAGE_REQUEST)
        web_request(shell, fixed, body);
    else if (kind == MESSAGE_TALLY)
        web_tally(shell, fixed);
    else if (kind == MESSAGE_FETCHED)
        fetches_result(shell, fixed, body);
    else
        sends_result(shell, fixed, body);
}

static void command_take(void *ctx, uint32_t kind, const void *fixed, struct buf *body)
{
    const struct taken_message *taken = fixed;
    (void)kind;
    (void)body;
    delivery_ended(ctx, taken->token, taken->good != 0);
}

/* Net is read no further while it does not take what it was given: so a slow reader slows its own requests down. */
static void helpers_read(struct shell *shell)
{
    if (shell->net.fd >= 0 &&
        (channel_write(&shell->net) != 0 ||
         (shell->net.queued < ANSWERS_QUEUED_MAX && channel_read(&shell->net, net_take, shell, MESSAGES_AT_ONCE) != 0)))
        net_lost(shell);
    if (shell->commands.fd >= 0 && (channel_write(&shell->commands) != 0 ||
                                    channel_read(&shell->commands, command_take, shell, MESSAGES_AT_ONCE) != 0))
        commands_lost(shell);
}

/* One line from the supervisor: to a helper that was started, the first time or again. False: there is no supervisor. */
static bool line_take(struct shell *shell)
{
    uint8_t which;
    int fd = fd_receive(shell->control, &which);
    if (fd < 0)
        return false;
    if (which == CHILD_NET) {
        net_lost(shell);
        shell->net_round++;
        channel_open(&shell->net, fd, node_takes_of_net, MESSAGE_KINDS);
    } else if (which == CHILD_COMMANDS) {
        commands_lost(shell);
        channel_open(&shell->commands, fd, node_takes_of_commands, MESSAGE_KINDS);
    } else if (which == CHILD_PARSER) {
        parser_line(shell->parser, fd);
    } else if (!shell->signer && (shell->signer = signer_client(fd))) {
        shell->signer_fd = fd;
    } else {
        (void)close(fd);
    }
    return true;
}

bool line_wait(struct shell *shell, int most_ms)
{
    struct pollfd fd = {shell->control, POLLIN, 0};
    return poll(&fd, 1, most_ms) == 1 && line_take(shell);
}

/* The loop */

static int wait_ms(struct shell *shell)
{
    int64_t due = node_due(shell->node), delivery = deliveries_due(shell), now = engine_ms();
    MHD_UNSIGNED_LONG_LONG http;
    if (node_wants_flush(shell->node) || shell->resumed)
        return 0; /* a submission or an answer came with the last run of the server */
    due = delivery < due ? delivery : due;
    int64_t wait = due > now ? due - now : 0;
    if (MHD_get_timeout(shell->private_daemon, &http) == MHD_YES && (int64_t)http < wait)
        wait = (int64_t)http;
    return wait > WAIT_MS_MAX ? WAIT_MS_MAX : (int)wait;
}

static short events_of(const struct channel *channel)
{
    return (short)((channel->queued < ANSWERS_QUEUED_MAX ? POLLIN : 0) | (channel->first ? POLLOUT : 0));
}

/* Waits for whatever comes first. poll passes over descriptors below 0. */
static void wait_for(struct shell *shell)
{
    struct pollfd fds[] = {
        {shell->signal_fd, POLLIN, 0},
        {shell->control, POLLIN, 0},
        {shell->signer_fd, 0, 0}, /* it says nothing unasked: only its end */
        {MHD_get_daemon_info(shell->private_daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, POLLIN, 0},
        {shell->net.fd, events_of(&shell->net), 0},
        {shell->commands.fd, events_of(&shell->commands), 0},
    };
    (void)poll(fds, sizeof fds / sizeof fds[0], wait_ms(shell));
    if (fds[0].revents || (fds[1].revents && !line_take(shell)))
        shell->stopping = true;
    if (fds[2].revents && !shell->fatal) {
        shell->fatal = E_IO;
        log_say(LOG_SIGNER_LOST, "the signer has ended; the node starts anew with another");
    }
}

/* Resumed connections get their answers now; what comes in meanwhile may make more. */
static void answers_send(struct shell *shell)
{
    for (int round = 0; round < 8 && shell->resumed; round++) {
        shell->resumed = false;
        (void)MHD_run(shell->private_daemon);
    }
}

static void news_tell(void *ctx, enum news news, const char *party)
{
    static const struct {
        enum log_id id;
        const char *text;
    } texts[] = {
        [NEWS_RECOVERING] = {LOG_RECOVERING, "nothing is signed until the committee has answered"},
        [NEWS_RUNNING] = {LOG_RUNNING, "the committee has answered; what comes in is signed"},
        [NEWS_PEER_MISSING] = {LOG_PEER_MISSING, "does not answer"},
        [NEWS_PEER_BACK] = {LOG_PEER_BACK, "answers again"},
        [NEWS_QUORUM_LOST] = {LOG_QUORUM_LOST, "nothing new stands: fewer mirrors answer than a quorum needs"},
        [NEWS_QUORUM_BACK] = {LOG_QUORUM_BACK, "enough mirrors answer again"},
        [NEWS_AHEAD] =
            {LOG_SIGNER_AHEAD,
             "the own log takes no statement: its signer has signed what nobody holds; see comity log ahead"},
        [NEWS_AHEAD_OVER] = {LOG_SIGNER_LEVEL, "what the signer had signed was found"},
        [NEWS_TWO_FACES] = {LOG_TWO_FACES, "has signed two inconsistent trees; the proof is in the own log"},
    };
    (void)ctx;
    log_say(texts[news].id, "%s%s%s", party ? party : "", party ? " " : "", texts[news].text);
    if (news == NEWS_RECOVERING || news == NEWS_RUNNING)
        (void)notify_manager(news == NEWS_RUNNING ? "STATUS=running" : "STATUS=recovering");
}

static void loop(struct shell *shell)
{
    struct event event = {.kind = EVENT_START};
    shell_step(shell, &event);
    while (!shell->stopping && !shell->fatal) {
        wait_for(shell);
        helpers_read(shell);
        (void)MHD_run(shell->private_daemon);
        sends_settle(shell);
        if (node_wants_flush(shell->node)) {
            event = (struct event){.kind = EVENT_FLUSH};
            shell_step(shell, &event);
        } else if (node_due(shell->node) <= engine_ms()) {
            event = (struct event){.kind = EVENT_TICK};
            shell_step(shell, &event);
        }
        deliveries_start(shell);
        answers_send(shell);
        if (!shell->fatal)
            shell->fatal = node_sound(shell->node); /* what a view could not read ends it, too, once that is answered */
        node_news(shell->node, &shell->seen, news_tell, NULL);
    }
}

static int signals_open(struct shell *shell)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    shell->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return shell->signal_fd < 0 ? E_IO : 0;
}

static bool lines_whole(const struct shell *shell)
{
    return shell->net.fd >= 0 && parser_there(shell->parser) && (shell->signer || !shell->serve->in_circle) &&
           (shell->commands.fd >= 0 || !config_runs_commands(&shell->serve->config));
}

/* Kept here and not in net, which others speak to: whoever takes that over cannot sign. */
static int secrets_read(struct shell *shell, struct fault *fault)
{
    const char *file = shell->serve->config.webhook_secrets;
    if (!file[0])
        return 0;
    int rc = serve_secret(shell->serve, file, WEBHOOK_SECRETS_BYTES_MAX, &shell->webhook_secrets, fault);
    if (rc == 0 && (rc = webhook_secrets_check(buf_view(&shell->webhook_secrets), fault)) != 0)
        (void)fail_at(fault, rc, "%s", file);
    return rc;
}

static int start(struct shell *shell, char degraded[static 128], struct fault *fault)
{
    const struct serve *serve = shell->serve;
    int rc = signals_open(shell);
    if (!(shell->parser = parser_client(shell)))
        return E_NOMEM;
    descriptors_keep((int[]){shell->control, shell->signal_fd, serve->private_fd, serve->lock_fd, notify_open()}, 5);
    while (rc == 0 && !lines_whole(shell))
        if (!line_take(shell))
            _exit(0);
    rc = rc ? rc : secrets_read(shell, fault);
    rc = rc ? rc : node_start(shell, fault);
    rc = rc ? rc : local_open(shell, fault);
    return rc ? rc : confine_self(CONFINED_NODE, serve->dir, degraded);
}

void node_run(struct serve *serve, int control)
{
    static struct shell shell = {.signal_fd = -1, .signer_fd = -1, .net = {.fd = -1}, .commands = {.fd = -1}};
    struct fault fault = {0};
    char degraded[128] = "";
    shell.serve = serve;
    shell.control = control;
    child_report(control, start(&shell, degraded, &fault), &fault, degraded);
    loop(&shell);
    local_close(&shell);
    (void)channel_write(&shell.net);
    deliveries_free(&shell);
    if (!shell.fatal)
        shell.fatal = node_rest(shell.node);
    node_close(shell.node);
    shell.store->ops->close(shell.store);
    if (shell.fatal)
        log_say(LOG_FATAL, "the node stops and recovers: %s (error: %s)", error_text(shell.fatal)->message,
                error_text(shell.fatal)->id);
    _exit(shell.fatal ? 1 : 0);
}
