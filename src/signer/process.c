/* The signer in a process of its own: typed requests of fixed size over a socketpair, one at a time. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "signer/confine.h"
#include "signer/state.h"
#include "signer/wire.h"

static int statements_serve(struct signer *s, const void *items, uint32_t count, struct buf *out)
{
    struct signed_statement *made = malloc((count ? count : 1) * sizeof *made); /* 4 MiB: not to be cleared */
    int rc = made ? s->ops->statements(s, items, count, made) : E_NOMEM;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        buf_add(out, &made[i].len, sizeof made[i].len);
        buf_add(out, made[i].bytes, made[i].len);
    }
    free(made);
    return rc;
}

static int http_serve(struct signer *s, const struct ask_http *ask, struct buf *out)
{
    struct answer_http made = {0};
    struct buf input, signature;
    if (!memchr(ask->method, 0, sizeof ask->method) || !memchr(ask->authority, 0, sizeof ask->authority) ||
        !memchr(ask->path, 0, sizeof ask->path))
        return E_REFUSED;
    buf_init(&input, sizeof made.input - 1);
    buf_init(&signature, sizeof made.signature - 1);
    int rc = s->ops->http_sign(s, ask->method, ask->authority, ask->path, &input, &signature);
    if (rc == 0) {
        memcpy(made.input, input.data, input.len);
        memcpy(made.signature, signature.data, signature.len);
        buf_add(out, &made, sizeof made);
    }
    buf_free(&input);
    buf_free(&signature);
    return rc;
}

int ask_serve(struct signer *s, const struct ask *ask, const void *items, struct buf *out)
{
    struct cosigned cosigned = {0};
    struct signer_position position = {0};
    struct storage_key key;
    int rc, seen;
    switch (ask->type) {
    case ASK_STATEMENTS:
        return statements_serve(s, items, ask->count, out);
    case ASK_CHECKPOINT:
        return s->ops->checkpoint(s, ask->old_size, items, ask->count, out);
    case ASK_FEED:
        return s->ops->feed(s, ask->old_size, items, ask->count);
    case ASK_ADVANCE:
        return s->ops->advance(s, ask->size, &ask->root, &ask->signature);
    case ASK_COSIGN:
        rc = s->ops->cosign(s, (enum key_role)ask->role, items, &cosigned);
        buf_add(out, &cosigned, sizeof cosigned);
        return rc;
    case ASK_POSITION:
        rc = s->ops->position(s, (enum key_role)ask->role, span_str(ask->origin), &position);
        buf_add(out, &position, sizeof position);
        return rc;
    case ASK_CLOSE_LOG:
        return s->ops->close_log(s, &ask->root);
    case ASK_STORAGE_KEY:
        rc = s->ops->storage_key(s, &ask->root, &key);
        buf_add(out, &key, sizeof key);
        sodium_memzero(&key, sizeof key);
        return rc;
    case ASK_HTTP:
        return http_serve(s, items, out);
    default:
        seen = confine_probe(ask->probe);
        buf_add(out, &seen, sizeof seen);
        return 0;
    }
}

/* Serves one node until it is gone. */
static void node_serve_asks(struct signer *s, int fd, struct buf *out)
{
    struct ask ask;
    while (receive_all(fd, &ask, sizeof ask)) {
        size_t bytes = 0;
        bool good = ask_items(&ask, &bytes);
        void *items = good ? malloc(bytes ? bytes : 1) : NULL;
        if (!items)
            _exit(1); /* the node is out of its mind: better no signer than a confused one */
        if (!receive_all(fd, items, bytes)) {
            free(items); /* the node died in the midst of asking */
            break;
        }
        buf_reset(out);
        struct answer answer = {.code = ask_serve(s, &ask, items, out)};
        answer.code = answer.code ? answer.code : out->error;
        answer.bytes = answer.code ? 0 : (uint32_t)out->len;
        free(items);
        if (!send_all(fd, &answer, sizeof answer) || !send_all(fd, out->data, answer.bytes))
            break;
    }
}

static void signer_loop(struct signer *s, int control)
{
    struct buf out;
    uint8_t what;
    int fd;
    buf_init(&out, BATCH_STATEMENTS_MAX * sizeof(struct signed_statement));
    while ((fd = fd_receive(control, &what)) >= 0) {
        node_serve_asks(s, fd, &out);
        (void)close(fd);
    }
    _exit(0);
}

static int child_prepare(struct signer **s, struct signer_config *config, int control, struct child_report *report)
{
    int rc = crypto_start();
    if (rc == 0 && config->prepare)
        rc = config->prepare(config, &report->fault);
    rc = rc ? rc : signer_local_open(s, config, &report->fault);
    if (rc)
        return rc;
    descriptors_keep((int[]){control, config->state_fd}, 2);
    keyring_lock(config->keys);
    return confine_self(CONFINED_SIGNER, NULL, report->degraded);
}

static void child_run(struct signer_config *config, int control, pid_t parent)
{
    struct child_report report = {0};
    struct signer *s = NULL;
    sigset_t none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    (void)prctl(PR_SET_NAME, "comity-signer");
    (void)signal(SIGINT,
                 SIG_IGN); /* a terminal's ^C is for the supervisor, which closes the line when the node is done */
    (void)signal(SIGTERM, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    report.code = child_prepare(&s, config, control, &report);
    if (report.code && !report.fault.code)
        (void)fail(&report.fault, report.code, "the signer cannot start");
    if (!send_all(control, &report, sizeof report) || report.code)
        _exit(1);
    signer_loop(s, control);
}

static int started(int control, char degraded[static 128], struct fault *fault)
{
    struct child_report report;
    if (!receive_all(control, &report, sizeof report))
        return fail(fault, E_STATE, "the signer ended before it had started");
    memcpy(degraded, report.degraded, sizeof report.degraded);
    degraded[sizeof report.degraded - 1] = 0;
    if (report.code && fault)
        *fault = report.fault;
    return report.code;
}

/* From the fork on only the child has the keys: here they are wiped. */
int signer_spawn(struct signer_process *out, const struct signer_config *config, char degraded[static 128],
                 struct fault *fault)
{
    struct signer_config own = *config;
    int pair[2];
    pid_t parent = getpid();
    degraded[0] = 0;
    *out = (struct signer_process){.pid = -1, .control = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        keyring_free(own.keys);
        return fail(fault, E_IO, "socketpair");
    }
    out->pid = fork();
    if (out->pid == 0)
        child_run(&own, pair[1], parent);
    keyring_free(own.keys);
    (void)close(pair[1]);
    out->control = pair[0];
    int rc = out->pid > 0 ? started(pair[0], degraded, fault) : fail(fault, E_IO, "fork");
    if (rc) {
        (void)close(pair[0]);
        if (out->pid > 0) {
            (void)kill(out->pid, SIGKILL);
            (void)waitpid(out->pid, NULL, 0);
        }
        *out = (struct signer_process){.pid = -1, .control = -1};
    }
    return rc;
}

int signer_connect(const struct signer_process *process, int *fd)
{
    int pair[2];
    *fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return E_IO;
    bool good = fd_send(process->control, 0, pair[1]);
    (void)close(pair[1]);
    if (good)
        *fd = pair[0];
    else
        (void)close(pair[0]);
    return good ? 0 : E_IO;
}
