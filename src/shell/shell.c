/* The node's loop, and the supervisor above it. */
#include "shell/shell.h"
#include "shell/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shell/gzip.h"

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

void shell_step(struct shell *shell, const struct event *event)
{
    struct actions actions = {0};
    if (shell->fatal)
        return;
    shell->fatal = node_step(shell->node, event, engine_ms(), &actions);
    for (size_t i = 0; i < actions.count && !shell->fatal; i++) {
        struct action *action = &actions.list[i];
        if (action->kind == ACTION_SEND) {
            body_pack(action);
            outgoing_send(shell, action);
        } else if (action->kind == ACTION_REPLY)
            http_reply(shell, action);
        else
            delivery_add(shell, action);
    }
    actions_clear(&actions);
}

static int file_slurp(const char *path, size_t max, struct buf *out, struct fault *fault)
{
    uint8_t block[65536];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buf_init(out, max);
    if (fd < 0)
        return fail_at(fault, fail(fault, errno == ENOENT ? E_NOTFOUND : E_IO, "%s", strerror(errno)), "%s", path);
    while ((n = read(fd, block, sizeof block)) > 0)
        buf_add(out, block, (size_t)n);
    (void)close(fd);
    if (n < 0 || out->error)
        return fail_at(fault, fail(fault, n < 0 ? E_IO : out->error, "reading"), "%s", path);
    return 0;
}

static void path_of(const struct shell *shell, const char *name, char out[static 4096])
{
    (void)snprintf(out, 4096, "%s/%s", shell->dir, name);
}

static int charter_load(struct shell *shell, bool *present, struct fault *fault)
{
    char path[4096];
    struct buf bytes;
    path_of(shell, "charter/charter.json", path);
    arena_init(&shell->arena, 32 * (size_t)CHARTER_BYTES_MAX);
    int rc = file_slurp(path, BUNDLE_JSON_BYTES_MAX, &bytes, fault);
    *present = rc == 0;
    if (rc == E_NOTFOUND) {
        *fault = (struct fault){0};
        return 0;
    }
    shell->charter = rc ? span_of(NULL, 0) : arena_copy(&shell->arena, buf_view(&bytes));
    rc = rc ? rc : bundle_parse_charter(shell->charter, &shell->roster, &shell->arena, fault);
    buf_free(&bytes);
    return rc;
}

/* What systemd hands over (LoadCredential=passphrase:..., systemd.exec(5)) goes before a file that the node's user can always read. */
static void passphrase_path(const struct shell *shell, char out[static 4096])
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    (void)snprintf(out, 4096, "%s/passphrase", credentials ? credentials : "");
    if (!credentials || access(out, R_OK) != 0)
        (void)snprintf(out, 4096, "%s", shell->config.passphrase_file);
}

static int keys_load(struct shell *shell, struct keyring **ring, struct fault *fault)
{
    struct buf passphrase;
    char path[4096];
    passphrase_path(shell, path);
    if (!path[0])
        return fail(fault, E_CONFIG, "passphrase-file is not set");
    int rc = file_slurp(path, 4096, &passphrase, fault);
    struct span text = buf_view(&passphrase);
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    rc = rc ? rc : keyring_open(ring, shell->dir, text, fault);
    if (passphrase.data)
        sodium_memzero(passphrase.data, passphrase.cap);
    buf_free(&passphrase);
    return rc;
}

/* First of all, while no socket is open: the signer is forked with the keys, and this process forgets them. */
static int signer_start(struct shell *shell, struct fault *fault)
{
    char path[4096], degraded[128];
    struct signer_config config = {.circle = shell->roster.circle, .clock = clock_seconds};
    int pid;
    (void)snprintf(config.party, sizeof config.party, "%s", shell->config.name);
    int rc = keys_load(shell, &config.keys, fault);
    if (rc)
        return rc;
    path_of(shell, "signer.state", path);
    config.state_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    rc = config.state_fd < 0 ? fail(fault, E_IO, "%.200s cannot be opened", path)
                             : signer_spawn(&shell->signer, &config, &pid, degraded, fault);
    if (config.state_fd >= 0)
        (void)close(config.state_fd);
    if (rc == 0 && degraded[0])
        log_say(LOG_UNCONFINED, "%s", degraded);
    return rc;
}

static int node_start(struct shell *shell, bool in_circle, struct fault *fault)
{
    char path[4096], blobs[4096];
    int channels = 0;
    path_of(shell, "state.db", path);
    path_of(shell, "blobs", blobs);
    int rc = store_sqlite_open(&shell->store, path, blobs, fault);
    if (rc)
        return rc;
    metrics_time(shell->store, &shell->counters);
    shell->counters.started_ms = clock_ms();
    if (shell->config.notify_command[0])
        shell->channels[channels++] = "command";
    if (shell->config.notify_webhook[0])
        shell->channels[channels++] = "webhook";
    struct env env = {.store = shell->store, .signer = shell->signer, .random = random_number, .clock = clock_seconds};
    struct node_config config = {.roster = in_circle ? &shell->roster : NULL,
                                 .charter = shell->charter,
                                 .party = span_str(shell->config.name),
                                 .witness_logs = shell->config.witness_logs,
                                 .channels = shell->channels};
    return node_open(&shell->node, &env, &config, fault);
}

static void signals_take(struct shell *shell)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;
    while (read(shell->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            shell->stopping = true;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        delivery_child_done(shell, pid, WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void curl_results(struct shell *shell)
{
    int left, running;
    CURLMsg *message;
    (void)curl_multi_perform(shell->multi, &running);
    while ((message = curl_multi_info_read(shell->multi, &left))) {
        CURL *curl = message->easy_handle;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        if (outgoing_owns(shell, curl))
            outgoing_done(shell, curl, result);
        else
            delivery_curl_done(shell, curl, result);
    }
}

static int wait_ms(struct shell *shell)
{
    int64_t due = node_due(shell->node), delivery = deliveries_due(shell), now = engine_ms();
    MHD_UNSIGNED_LONG_LONG http;
    if (node_wants_flush(shell->node) || shell->resumed)
        return 0; /* a submission or an answer came with the last run of the servers */
    due = delivery < due ? delivery : due;
    int64_t wait = due > now ? due - now : 0;
    for (int i = 0; i < LISTENERS_; i++)
        if (shell->daemons[i] && MHD_get_timeout(shell->daemons[i], &http) == MHD_YES && (int64_t)http < wait)
            wait = (int64_t)http;
    return wait > 10000 ? 10000 : (int)wait;
}

static void servers_run(struct shell *shell)
{
    for (int i = 0; i < LISTENERS_; i++)
        if (shell->daemons[i])
            (void)MHD_run(shell->daemons[i]);
}

/* Resumed connections get their answers now; what comes in meanwhile may make more. */
static void answers_send(struct shell *shell)
{
    for (int round = 0; round < 8 && (round == 0 || shell->resumed); round++) {
        shell->resumed = false;
        servers_run(shell);
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
        [NEWS_TWO_FACES] = {LOG_TWO_FACES, "has signed two inconsistent trees; the proof is in the own log"},
    };
    (void)ctx;
    log_say(texts[news].id, "%s%s%s", party ? party : "", party ? " " : "", texts[news].text);
    if (news == NEWS_RECOVERING || news == NEWS_RUNNING)
        (void)notify_manager(news == NEWS_RUNNING ? "STATUS=running" : "STATUS=recovering");
}

static void loop(struct shell *shell)
{
    struct curl_waitfd extra[1 + LISTENERS_] = {{.fd = shell->signal_fd, .events = CURL_WAIT_POLLIN}};
    struct event event = {.kind = EVENT_START};
    unsigned waits = 1;
    for (int i = 0; i < LISTENERS_; i++)
        if (shell->daemons[i])
            extra[waits++] =
                (struct curl_waitfd){.fd = MHD_get_daemon_info(shell->daemons[i], MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                                     .events = CURL_WAIT_POLLIN};
    shell_step(shell, &event);
    while (!shell->stopping && !shell->fatal) {
        int ready;
        (void)curl_multi_poll(shell->multi, extra, waits, wait_ms(shell), &ready);
        signals_take(shell);
        servers_run(shell);
        curl_results(shell);
        if (node_wants_flush(shell->node)) {
            event = (struct event){.kind = EVENT_FLUSH};
            shell_step(shell, &event);
        } else if (node_due(shell->node) <= engine_ms()) {
            event = (struct event){.kind = EVENT_TICK};
            shell_step(shell, &event);
        }
        deliveries_start(shell);
        answers_send(shell);
        node_news(shell->node, &shell->seen, news_tell, NULL);
    }
}

static int signals_open(struct shell *shell)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    shell->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return shell->signal_fd < 0 ? E_IO : 0;
}

static int node_process(struct shell *shell, struct fault *fault)
{
    bool in_circle = false;
    int rc = charter_load(shell, &in_circle, fault);
    if (rc == 0 && in_circle)
        rc = signer_start(shell, fault);
    rc = rc ? rc : node_start(shell, in_circle, fault);
    rc = rc ? rc : signals_open(shell);
    shell->multi = curl_multi_init();
    rc = rc ? rc : http_open(shell, fault);
    if (rc)
        return rc;
    (void)printf("ready %s pid %d\n", shell->config.listen, (int)getpid());
    (void)fflush(stdout);
    (void)notify_manager("READY=1");
    log_say(LOG_READY, "serving on %s", shell->config.listen);
    loop(shell);
    (void)notify_manager("STOPPING=1");
    http_close(shell);
    node_close(shell->node);
    shell->store->ops->close(shell->store);
    if (shell->signer)
        shell->signer->ops->close(shell->signer);
    return shell->fatal;
}

static void fault_log(int rc, const struct fault *fault)
{
    const struct error_text *text = error_text(rc);
    log_say(LOG_FATAL, "%s%s%s: %s (error: %s; rule: %s; remedy: %s)", fault->where, fault->where[0] ? ": " : "",
            text->message, fault->detail, text->id, text->rule, text->remedy);
}

static volatile sig_atomic_t stop_asked, child;
static void on_stop(int number)
{
    (void)number;
    stop_asked = 1;
    if (child > 0)
        (void)kill(child, SIGTERM);
}

/* Stop signals wait while the child is born, and stay blocked in it until it reads them: one that came before would be lost in the
   handler above, and the child would outlive its supervisor and keep the folder's lock. */
static pid_t child_start(struct shell *shell)
{
    sigset_t stops, before;
    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGTERM);
    (void)sigaddset(&stops, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &stops, &before);
    pid_t parent = getpid(), pid = fork();
    if (pid != 0) {
        child = (sig_atomic_t)pid;
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return pid;
    }
    struct fault fault = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
    int rc = node_process(shell, &fault);
    if (rc)
        fault_log(rc, &fault);
    /* Exit 3 means that starting again cannot help. */
    _exit(rc == 0 ? 0 : shell->node ? 4 : 3);
}

static int supervise(struct shell *shell)
{
    struct sigaction action = {.sa_handler = on_stop};
    int64_t wait = 100;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    for (;;) {
        int status = 0;
        int64_t started = clock_ms();
        pid_t pid = child_start(shell);
        if (pid < 0)
            return E_IO;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        child = 0;
        if (stop_asked || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
            log_say(LOG_STOPPED, "ended as asked");
            return 0;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
            return E_STATE;
        shell->counters.restarts++; /* the next child inherits it */
        log_say(LOG_RESTARTED, "the node ended (%s %d); it is started again", WIFEXITED(status) ? "exit" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        wait = clock_ms() - started > 60000 ? 100 : wait < 5000 ? wait * 2 : 5000;
        (void)usleep((useconds_t)wait * 1000);
        if (stop_asked)
            return 0;
    }
}

static int lock_take(const struct shell *shell, int *fd, struct fault *fault)
{
    char path[4096];
    path_of(shell, "lock", path);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fail(fault, E_IO, "%.200s cannot be opened: %s", path, strerror(errno));
    return flock(*fd, LOCK_EX | LOCK_NB) == 0 ? 0 : fail(fault, E_LOCKED, "%.200s", path);
}

int comity_serve(const char *dir, struct fault *fault)
{
    struct shell *shell = calloc(1, sizeof *shell);
    struct buf text;
    char path[4096];
    int lock = -1;
    if (!shell)
        return fail(fault, E_NOMEM, "shell");
    shell->dir = dir;
    path_of(shell, "comity.conf", path);
    int rc = file_slurp(path, CONFIG_BYTES_MAX, &text, fault);
    if (rc == 0 && (rc = config_parse(&shell->config, buf_view(&text), fault)) != 0)
        (void)fail_at(fault, rc, "%s", path);
    if (rc == 0)
        log_open(config_log_level(&shell->config), shell->config.name);
    rc = rc ? rc : lock_take(shell, &lock, fault);
    if (rc == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        rc = fail(fault, E_STATE, "curl");
    if (rc == 0 && (rc = supervise(shell)) != 0)
        (void)fail(fault, rc, "the node cannot start; its log says why");
    if (lock >= 0)
        (void)close(lock);
    buf_free(&text);
    arena_free(&shell->arena);
    free(shell);
    return rc;
}
