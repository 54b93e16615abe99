/* The process that runs the owner's notify-command. It alone can start programs, and it has nothing else: no socket, key or database. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shell/children.h"
#include "shell/log.h"
#include "shell/messages.h"

enum { COMMANDS_MAX = 8, COMMAND_MS_MAX = 60000, COMMAND_GRACE_MS = 5000, LEAVE_MS_MAX = 2000 };

struct command {
    pid_t pid; /* also of its process group; 0: free */
    uint64_t token;
    int64_t end_ms; /* monotonic: when it is told to end, then when it is killed */
    bool told;
};
struct commands {
    const struct serve *serve;
    struct channel node;
    struct command running[COMMANDS_MAX];
};

static int64_t monotonic_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What the owner has configured; nothing that the node could make up. NULL: no such command. */
static const char *command_of(const struct serve *serve, uint32_t channel)
{
    const struct routes *routes = &serve->config.routes;
    if (channel == NOTIFY_COMMAND)
        return serve->config.notify_command[0] ? serve->config.notify_command : NULL;
    return channel < routes->channel_count && routes->channels[channel].kind == CHANNEL_COMMAND
               ? channel_address(&routes->channels[channel])
               : NULL;
}

static _Noreturn void command_exec(const char *command, const char *id, int input)
{
    char words[sizeof((struct config *)0)->notify_command], variable[96];
    char *argv[COMMAND_WORDS_MAX + 1] = {0}, *save = NULL;
    sigset_t none;
    int n = 0;
    (void)snprintf(words, sizeof words, "%s", command);
    for (char *w = strtok_r(words, " ", &save); w && n < COMMAND_WORDS_MAX; w = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    (void)snprintf(variable, sizeof variable, "COMITY_NOTICE_ID=%s", id);
    char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", *environment[] = {variable, path, NULL};
    (void)setpgid(0, 0); /* a group of its own, so that what it starts can be ended with it */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (n && dup2(input, STDIN_FILENO) >= 0) {
        descriptors_keep(NULL, 0);
        (void)execve(argv[0], argv, environment);
    }
    _exit(127);
}

static pid_t command_start(const char *command, const char *id, struct span body)
{
    int input = memfd_create("notice", MFD_CLOEXEC);
    bool good = input >= 0 && write(input, body.data, body.len) == (ssize_t)body.len && lseek(input, 0, SEEK_SET) == 0;
    pid_t pid = good ? fork() : -1;
    if (pid == 0)
        command_exec(command, id, input);
    if (pid > 0)
        (void)setpgid(pid, pid); /* as the child does: whoever comes first */
    if (input >= 0)
        (void)close(input);
    return pid;
}

static void taken_send(struct commands *c, uint64_t token, bool good)
{
    const struct taken_message taken = {.token = token, .good = good};
    if (!token)
        return; /* whoever gave it has gone */
    channel_send(&c->node, MESSAGE_TAKEN, &taken, sizeof taken, NULL);
}

static void notice_take(void *ctx, uint32_t kind, const void *fixed, struct buf *body)
{
    struct commands *c = ctx;
    const struct notice_message *notice = fixed;
    struct command *slot = c->running;
    while (slot < c->running + COMMANDS_MAX && slot->pid)
        slot++;
    const char *command = command_of(c->serve, notice->channel);
    pid_t pid = message_good(kind, fixed) && slot < c->running + COMMANDS_MAX && command
                    ? command_start(command, notice->id, buf_view(body))
                    : -1;
    if (pid > 0)
        *slot = (struct command){.pid = pid, .token = notice->token, .end_ms = monotonic_ms() + COMMAND_MS_MAX};
    else
        taken_send(c, notice->token, false);
}

static void ended_take(struct commands *c)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (struct command *r = c->running; r < c->running + COMMANDS_MAX; r++)
            if (r->pid == pid) {
                if (r->told)
                    (void)kill(-pid, SIGKILL); /* whatever it has left behind */
                taken_send(c, r->token, !r->told && WIFEXITED(status) && WEXITSTATUS(status) == 0);
                r->pid = 0;
            }
}

/* Told to end after a minute, killed a little later; with all that it has started. */
static void late_end(struct commands *c)
{
    int64_t now = monotonic_ms();
    for (struct command *r = c->running; r < c->running + COMMANDS_MAX; r++) {
        if (!r->pid || now < r->end_ms)
            continue;
        if (!r->told)
            log_say(LOG_COMMAND_LATE,
                    "a command for notices runs for more than a minute; it is ended, and the notice tried again");
        (void)kill(-r->pid, r->told ? SIGKILL : SIGTERM);
        r->told = true;
        r->end_ms = now + COMMAND_GRACE_MS;
    }
}

static int wait_ms(const struct commands *c)
{
    int64_t due = INT64_MAX, now = monotonic_ms();
    for (const struct command *r = c->running; r < c->running + COMMANDS_MAX; r++)
        if (r->pid && r->end_ms < due)
            due = r->end_ms;
    return due == INT64_MAX ? -1 : due > now ? (int)(due - now) : 0;
}

/* Nobody is left to hear how they end, and the notices will be tried again. */
static void all_end(struct commands *c)
{
    for (struct command *r = c->running; r < c->running + COMMANDS_MAX; r++) {
        if (!r->pid)
            continue;
        (void)kill(-r->pid, SIGTERM);
        r->told = true;
        r->token = 0;
        r->end_ms = monotonic_ms() + COMMAND_GRACE_MS;
    }
}

/* The supervisor ends, too: no command outlives this process. */
static _Noreturn void leave(struct commands *c, int signals)
{
    int wait;
    while ((wait = wait_ms(c)) > 0) {
        struct signalfd_siginfo info;
        struct pollfd fd = {signals, POLLIN, 0};
        (void)poll(&fd, 1, wait < LEAVE_MS_MAX ? wait : LEAVE_MS_MAX);
        bool late = read(signals, &info, sizeof info) != (ssize_t)sizeof info;
        ended_take(c);
        for (struct command *r = c->running; r < c->running + COMMANDS_MAX && late; r++)
            if (r->pid)
                (void)kill(-r->pid, SIGKILL);
    }
    _exit(0);
}

static void control_take(struct commands *c, int control, int signals)
{
    uint8_t what;
    int fd = fd_receive(control, &what);
    all_end(c);
    if (fd < 0)
        leave(c, signals);
    channel_close(&c->node);
    channel_open(&c->node, fd, commands_takes, MESSAGE_KINDS);
}

static void loop(struct commands *c, int control, int signals)
{
    struct signalfd_siginfo info;
    for (;;) {
        struct pollfd fds[3] = {{control, POLLIN, 0},
                                {signals, POLLIN, 0},
                                {c->node.fd, (short)(POLLIN | (c->node.first ? POLLOUT : 0)), 0}};
        (void)poll(fds, 3, wait_ms(c)); /* a closed line is -1, which poll passes over */
        while (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
            ;
        ended_take(c);
        late_end(c);
        if (fds[0].revents)
            control_take(c, control, signals);
        if (c->node.fd >= 0 &&
            (channel_write(&c->node) != 0 || channel_read(&c->node, notice_take, c, COMMANDS_MAX) != 0)) {
            all_end(c);
            channel_close(&c->node);
        }
    }
}

void commands_run(const struct serve *serve, int control)
{
    static struct commands commands;
    const struct fault fault = {0};
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    commands.serve = serve;
    channel_open(&commands.node, -1, commands_takes, MESSAGE_KINDS);
    descriptors_keep((int[]){control, signals}, 2);
    child_report(control, signals >= 0 ? 0 : E_IO, &fault, "");
    loop(&commands, control, signals);
    _exit(0);
}
