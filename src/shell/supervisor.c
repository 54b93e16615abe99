/* The supervisor: opens the two listening sockets, starts the children, ties them together, and starts again whichever ends. It holds
   no key and no database. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shell/log.h"
#include "shell/notify.h"
#include "shell/shell.h"

enum { AGAIN_MS_MIN = 100, AGAIN_MS_MAX = 5000, GOOD_LIFE_MS = 60000, STOP_MS_MAX = 20000, HELPER_STOP_MS_MAX = 5000 };

struct child_state {
    pid_t pid; /* 0: it does not run */
    int control;
    int64_t started_ms, wait_ms, at_ms; /* monotonic; wait: before the next start; at: not before */
    bool reported;
};
struct supervisor {
    struct serve serve;
    struct child_state children[CHILDREN];
    int signal_fd;
    bool stopping, was_ready; /* was_ready: the node has served at least once */
    int code;                 /* why it ends by itself, with `fault` */
    struct fault fault;
};

static const char *const names[CHILDREN] = {[CHILD_SIGNER] = "signer",
                                            [CHILD_PARSER] = "parser",
                                            [CHILD_NET] = "net",
                                            [CHILD_COMMANDS] = "commands",
                                            [CHILD_NODE] = "node"};

static int64_t monotonic_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int listen_tcp(const char *text, struct fault *fault)
{
    char host[CONFIG_HOST_BYTES];
    const char *port;
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM},
                    *found = NULL;
    if (config_address(text, host, &port) != 0 || getaddrinfo(host, port, &hints, &found) != 0)
        return fail(fault, E_CONFIG, "%s is no ADDRESS:PORT", text);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
                bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 256) == 0;
    freeaddrinfo(found);
    if (good)
        return fd;
    int code = fail(fault, E_IO, "cannot listen on %s: %s", text, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return code;
}

static int listen_unix(const char *dir, struct fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%s/run", dir);
    (void)mkdir(folder, 0700);
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/run/sock", dir);
    if (n < 0 || (size_t)n >= sizeof address.sun_path)
        return fail(fault, E_LIMIT, "the path %.80s.../run/sock is too long for a Unix socket", dir);
    (void)unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0177);
    bool good = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 64) == 0;
    (void)umask(old);
    if (good)
        return fd;
    int code = fail(fault, E_IO, "cannot listen on %s: %s", address.sun_path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return code;
}

static int charter_load(struct serve *serve, struct fault *fault)
{
    char path[4096];
    struct buf bytes;
    serve_path(serve->dir, "charter/charter.json", path);
    arena_init(&serve->arena, 32 * (size_t)CHARTER_BYTES_MAX);
    int rc = serve_read(path, BUNDLE_JSON_BYTES_MAX, &bytes, fault);
    serve->in_circle = rc == 0;
    if (rc == E_NOTFOUND) {
        *fault = (struct fault){0};
        return 0;
    }
    serve->charter = rc ? span_of(NULL, 0) : arena_copy(&serve->arena, buf_view(&bytes));
    rc = rc ? rc : bundle_parse_charter(serve->charter, &serve->roster, &serve->arena, fault);
    buf_free(&bytes);
    return rc;
}

/* The signer */

/* What systemd hands over (LoadCredential=passphrase:..., systemd.exec(5)) goes before a file that the node's user can always read. */
static void passphrase_path(const struct serve *serve, char out[static 4096])
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    (void)snprintf(out, 4096, "%s/passphrase", credentials ? credentials : "");
    if (!credentials || access(out, R_OK) != 0)
        (void)snprintf(out, 4096, "%s", serve->config.passphrase_file);
}

static int64_t clock_seconds(void *ctx)
{
    (void)ctx;
    return (int64_t)time(NULL);
}

static int keys_load(const struct serve *serve, struct keyring **ring, struct fault *fault)
{
    struct buf passphrase;
    char path[4096];
    passphrase_path(serve, path);
    if (!path[0])
        return fail(fault, E_CONFIG, "passphrase-file is not set");
    int rc = serve_read(path, 4096, &passphrase, fault);
    struct span text = buf_view(&passphrase);
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    rc = rc ? rc : keyring_open(ring, serve->dir, text, fault);
    if (passphrase.data)
        sodium_memzero(passphrase.data, passphrase.cap);
    buf_free(&passphrase);
    return rc;
}

/* Its name is durable before anything is signed by it: a signer.state that a power cut takes away would be a memory lost. */
static int state_create(const struct serve *serve, const char *path)
{
    int folder = -1, fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fd;
    folder = open(serve->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = folder >= 0 && fsync(fd) == 0 && fsync(folder) == 0;
    if (folder >= 0)
        (void)close(folder);
    if (good)
        return fd;
    (void)close(fd);
    return -1;
}

/* A signer that is being killed may hold the lock for a moment longer. */
static bool state_lock(int fd)
{
    for (int round = 0; round < 100; round++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        (void)poll(NULL, 0, 20);
    }
    return false;
}

/* In the signer's own process. */
static int signer_prepare(struct signer_config *config, struct fault *fault)
{
    const struct serve *serve = config->prepare_ctx;
    char path[4096];
    struct stat st;
    serve_path(serve->dir, "signer.state", path);
    int rc = keys_load(serve, &config->keys, fault);
    if (rc)
        return rc;
    config->state_fd = open(path, O_RDWR | O_CLOEXEC);
    if (config->state_fd < 0 && errno == ENOENT)
        config->state_fd = state_create(serve, path);
    bool good = config->state_fd >= 0 && state_lock(config->state_fd);
    if (good && fstat(config->state_fd, &st) == 0) {
        config->state_changed_at = (int64_t)st.st_ctim.tv_sec;
        return 0;
    }
    keyring_free(config->keys);
    config->keys = NULL;
    return config->state_fd < 0 ? fail(fault, E_IO, "%.200s cannot be opened: %s", path, strerror(errno))
                                : fail(fault, E_LOCKED, "%.200s", path);
}

/* Starting */

static int signer_start(struct supervisor *s, struct child_state *child, char degraded[static 128])
{
    struct signer_config config = {.circle = s->serve.roster.circle,
                                   .state_fd = -1,
                                   .clock = clock_seconds,
                                   .prepare = signer_prepare,
                                   .prepare_ctx = &s->serve};
    struct signer_process process;
    (void)snprintf(config.party, sizeof config.party, "%s", s->serve.config.name);
    int rc = signer_spawn(&process, &config, degraded, &s->fault);
    if (rc == 0) {
        child->pid = process.pid;
        child->control = process.control;
    }
    return rc;
}

/* Waits for the child's word. */
static int report_take(int control, char degraded[static 128], struct fault *fault)
{
    struct child_report report;
    if (!receive_all(control, &report, sizeof report))
        return fail(fault, E_STATE, "it ended before it had started");
    memcpy(degraded, report.degraded, sizeof report.degraded);
    degraded[sizeof report.degraded - 1] = 0;
    if (report.code)
        *fault = report.fault;
    return report.code;
}

static int helper_start(struct supervisor *s, enum child which, struct child_state *child, char degraded[static 128])
{
    static const struct {
        const char *name;
        void (*run)(const struct serve *serve, int control);
    } helpers[CHILDREN] = {[CHILD_PARSER] = {"comity-parser", parser_run},
                           [CHILD_NET] = {"comity-net", net_run},
                           [CHILD_COMMANDS] = {"comity-command", commands_run}};
    child->pid = child_fork(helpers[which].name, SIGKILL, &child->control);
    if (child->pid == 0)
        helpers[which].run(&s->serve, child->control);
    if (child->pid < 0)
        return fail(&s->fault, E_IO, "fork: %s", strerror(errno));
    int rc = report_take(child->control, degraded, &s->fault);
    if (rc) {
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, NULL, 0);
        (void)close(child->control);
    }
    return rc;
}

static int node_fork(struct supervisor *s, struct child_state *child)
{
    child->reported = false;
    child->pid = child_fork("comity-node", SIGTERM, &child->control);
    if (child->pid == 0)
        node_run(&s->serve, child->control);
    return child->pid > 0 ? 0 : fail(&s->fault, E_IO, "fork: %s", strerror(errno));
}

/* A line between the node and one of its helpers: an end to each. If one of them has gone, it is noticed and done again. */
static void tie(struct supervisor *s, enum child which)
{
    int pair[2];
    const struct child_state *helper = &s->children[which], *node = &s->children[CHILD_NODE];
    if (!helper->pid || !node->pid || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return;
    (void)fd_send(helper->control, (uint8_t)which, pair[0]);
    (void)fd_send(node->control, (uint8_t)which, pair[1]);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static bool wanted(const struct supervisor *s, enum child which)
{
    return which == CHILD_SIGNER     ? s->serve.in_circle
           : which == CHILD_COMMANDS ? config_runs_commands(&s->serve.config)
                                     : true;
}

/* Errors that another start may not meet. */
static bool passing(int code)
{
    return code == E_IO || code == E_NOMEM || code == E_FULL || code == E_LOCKED || code == E_BUSY || code == E_STATE;
}

/* Before it has ever served, its owner hears at once why it cannot; later it is tried again where that can help. */
static void start_failed(struct supervisor *s, enum child which, int code)
{
    if (!s->was_ready || !passing(code)) {
        s->code = code;
        return;
    }
    log_say(LOG_FATAL, "%s cannot start: %s%s%s (error: %s); it is tried again", names[which], s->fault.where,
            s->fault.where[0] ? ": " : "", s->fault.detail, error_text(code)->id);
}

static void again_later(struct child_state *child)
{
    int64_t now = monotonic_ms();
    child->wait_ms = now - child->started_ms > GOOD_LIFE_MS || !child->wait_ms ? AGAIN_MS_MIN
                     : child->wait_ms < AGAIN_MS_MAX / 2                       ? child->wait_ms * 2
                                                                               : AGAIN_MS_MAX;
    child->at_ms = now + child->wait_ms;
    child->pid = 0;
}

static void child_start(struct supervisor *s, enum child which)
{
    struct child_state *child = &s->children[which];
    char degraded[128] = "";
    child->started_ms = monotonic_ms();
    s->fault = (struct fault){0};
    int rc = which == CHILD_SIGNER ? signer_start(s, child, degraded)
             : which == CHILD_NODE ? node_fork(s, child)
                                   : helper_start(s, which, child, degraded);
    if (degraded[0])
        log_say(LOG_UNCONFINED, "%s", degraded);
    if (rc) {
        again_later(child);
        start_failed(s, which, rc);
    } else if (which == CHILD_NODE) {
        for (enum child other = 0; other < CHILD_NODE; other++)
            tie(s, other);
    } else if (which != CHILD_SIGNER) {
        tie(s, which); /* a node that has lost its signer ends by itself */
    }
}

/* The node comes last: it needs all the others. */
static void children_start(struct supervisor *s)
{
    int64_t now = monotonic_ms();
    for (enum child which = 0; which < CHILDREN && !s->code; which++) {
        struct child_state *child = &s->children[which];
        if (!wanted(s, which) || child->pid)
            continue;
        if (child->at_ms > now)
            return;
        child_start(s, which);
        if (!child->pid)
            return;
    }
}

/* What comes */

static void node_reported(struct supervisor *s)
{
    struct child_state *node = &s->children[CHILD_NODE];
    char degraded[128] = "";
    s->fault = (struct fault){0};
    int rc = report_take(node->control, degraded, &s->fault);
    node->reported = true;
    if (degraded[0])
        log_say(LOG_UNCONFINED, "%s", degraded);
    if (rc) {
        start_failed(s, CHILD_NODE, rc);
        return;
    }
    s->was_ready = true;
    (void)printf("ready %s pid %d\n", s->serve.config.listen, (int)node->pid);
    (void)fflush(stdout);
    (void)notify_manager("READY=1");
    log_say(LOG_READY, "serving on %s", s->serve.config.listen);
}

static void ended(struct supervisor *s, pid_t pid, int status)
{
    for (enum child which = 0; which < CHILDREN; which++) {
        struct child_state *child = &s->children[which];
        if (child->pid != pid)
            continue;
        if (which == CHILD_NODE && !child->reported && !s->stopping)
            node_reported(s);
        (void)close(child->control);
        again_later(child);
        if (s->stopping || s->code)
            continue;
        s->serve.restarts += which == CHILD_NODE;
        log_say(LOG_RESTARTED, "the process %s ended (%s %d); it is started again", names[which],
                WIFEXITED(status) ? "exit" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
}

static void signals_take(struct supervisor *s)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;
    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        s->stopping = s->stopping || info.ssi_signo != SIGCHLD;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        ended(s, pid, status);
}

static int wait_ms(const struct supervisor *s)
{
    int64_t due = INT64_MAX, now = monotonic_ms();
    for (enum child which = 0; which < CHILDREN; which++)
        if (wanted(s, which) && !s->children[which].pid && s->children[which].at_ms < due)
            due = s->children[which].at_ms;
    return due == INT64_MAX ? -1 : due > now ? (int)(due - now) : 0;
}

/* Waits at most until then for this child to end; then it is killed. */
static void end_wait(struct supervisor *s, enum child which, int64_t most_ms)
{
    int64_t end = monotonic_ms() + most_ms;
    struct child_state *child = &s->children[which];
    while (child->pid) {
        int64_t now = monotonic_ms();
        struct pollfd fd = {s->signal_fd, POLLIN, 0};
        if (now >= end) {
            (void)kill(child->pid, SIGKILL);
            end = INT64_MAX;
        }
        (void)poll(&fd, 1, end == INT64_MAX ? -1 : (int)(end - now));
        signals_take(s);
    }
}

/* First the node, which finishes what it is at; then net, which sends its last answers; then the others, whose control closes. */
static void children_stop(struct supervisor *s)
{
    static const struct {
        enum child which;
        int64_t most_ms;
    } order[] = {{CHILD_NODE, STOP_MS_MAX},
                 {CHILD_NET, HELPER_STOP_MS_MAX},
                 {CHILD_COMMANDS, HELPER_STOP_MS_MAX},
                 {CHILD_SIGNER, HELPER_STOP_MS_MAX},
                 {CHILD_PARSER, HELPER_STOP_MS_MAX}};
    s->stopping = true;
    (void)notify_manager("STOPPING=1");
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct child_state *child = &s->children[order[i].which];
        if (!child->pid)
            continue;
        if (order[i].which == CHILD_NODE || order[i].which == CHILD_NET)
            (void)kill(child->pid, SIGTERM);
        else
            (void)shutdown(child->control, SHUT_RDWR);
        end_wait(s, order[i].which, order[i].most_ms);
    }
}

static int signals_open(struct supervisor *s)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL); /* children set masks of their own */
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signal_fd >= 0 ? 0 : fail(&s->fault, E_IO, "signalfd");
}

static int supervise(struct supervisor *s)
{
    int rc = signals_open(s);
    while (rc == 0 && !s->stopping && !s->code) {
        children_start(s);
        const struct child_state *node = &s->children[CHILD_NODE];
        struct pollfd fds[2] = {{s->signal_fd, POLLIN, 0},
                                {node->pid && !node->reported ? node->control : -1, POLLIN, 0}};
        if (s->code)
            break;
        (void)poll(fds, 2, wait_ms(s));
        if (fds[1].revents)
            node_reported(s);
        signals_take(s);
    }
    struct fault fault = s->fault;
    children_stop(s);
    s->fault = fault;
    if (rc == 0 && !s->code)
        log_say(LOG_STOPPED, "ended as asked");
    return rc ? rc : s->code;
}

static int lock_take(struct serve *serve, struct fault *fault)
{
    char path[4096];
    serve_path(serve->dir, "lock", path);
    serve->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (serve->lock_fd < 0)
        return fail(fault, E_IO, "%.200s cannot be opened: %s", path, strerror(errno));
    return flock(serve->lock_fd, LOCK_EX | LOCK_NB) == 0 ? 0 : fail(fault, E_LOCKED, "%.200s", path);
}

static int config_load(struct serve *serve, struct fault *fault)
{
    char path[4096];
    struct buf text;
    serve_path(serve->dir, "comity.conf", path);
    int rc = serve_read(path, CONFIG_BYTES_MAX, &text, fault);
    if (rc == 0 && (rc = config_parse(&serve->config, buf_view(&text), fault)) != 0)
        (void)fail_at(fault, rc, "%s", path);
    buf_free(&text);
    return rc;
}

static int sockets_open(struct serve *serve, struct fault *fault)
{
    serve->public_fd = listen_tcp(serve->config.listen, fault);
    serve->private_fd = serve->public_fd < 0 ? -1 : listen_unix(serve->dir, fault);
    if (serve->private_fd < 0)
        return fault->code;
    if (serve->config.metrics_listen[0])
        serve->metrics_fd = listen_tcp(serve->config.metrics_listen, fault);
    return fault->code;
}

int comity_serve(const char *dir, struct fault *fault)
{
    struct supervisor *s = calloc(1, sizeof *s);
    if (!s)
        return fail(fault, E_NOMEM, "supervisor");
    s->serve.dir = dir;
    s->serve.lock_fd = s->serve.public_fd = s->serve.private_fd = s->serve.metrics_fd = -1;
    int rc = config_load(&s->serve, &s->fault);
    if (rc == 0)
        log_open(config_log_level(&s->serve.config), s->serve.config.name);
    rc = rc ? rc : lock_take(&s->serve, &s->fault);
    rc = rc ? rc : charter_load(&s->serve, &s->fault);
    rc = rc ? rc : sockets_open(&s->serve, &s->fault);
    rc = rc ? rc : supervise(s);
    if (rc)
        *fault = s->fault;
    int fds[] = {s->serve.public_fd, s->serve.private_fd, s->serve.metrics_fd, s->serve.lock_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    arena_free(&s->serve.arena);
    config_free(&s->serve.config);
    free(s);
    return rc;
}
