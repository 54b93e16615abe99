/* The signer in a process of its own: typed requests of fixed size over a socketpair, one at a time. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signer/confine.h"
#include "signer/state.h"
#include "signer/wire.h"

/* What the child says once it is confined. */
struct report {
    int32_t code;
    char degraded[128];
};

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
    case ASK_HTTP:
        return http_serve(s, items, out);
    default:
        seen = confine_probe(ask->probe);
        buf_add(out, &seen, sizeof seen);
        return 0;
    }
}

static void signer_loop(struct signer *s, int fd)
{
    struct ask ask;
    struct buf out;
    buf_init(&out, BATCH_STATEMENTS_MAX * sizeof(struct signed_statement));
    while (receive_all(fd, &ask, sizeof ask)) {
        size_t bytes = 0;
        bool good = ask_items(&ask, &bytes);
        void *items = good ? malloc(bytes ? bytes : 1) : NULL;
        if (!items || !receive_all(fd, items, bytes))
            _exit(1); /* the node is out of its mind: better no signer than a confused one */
        buf_reset(&out);
        struct answer answer = {.code = ask_serve(s, &ask, items, &out)};
        answer.code = answer.code ? answer.code : out.error;
        answer.bytes = answer.code ? 0 : (uint32_t)out.len;
        free(items);
        if (!send_all(fd, &answer, sizeof answer) || !send_all(fd, out.data, answer.bytes))
            break;
    }
    _exit(0);
}

/* Everything but socket, state file and the standard streams is closed before the filter stands. */
static void descriptors_close(int low, int high)
{
    if (low > high) {
        int swap = low;
        low = high;
        high = swap;
    }
    int from = 3;
    for (int i = 0; i < 2; i++) {
        int keep = i ? high : low;
        if (keep > from)
            (void)syscall(SYS_close_range, (unsigned)from, (unsigned)keep - 1, 0);
        if (keep >= from)
            from = keep + 1;
    }
    (void)syscall(SYS_close_range, (unsigned)from, ~0u, 0);
}

static void child_run(struct signer *s, const struct signer_config *config, int fd, pid_t parent)
{
    struct report report = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    (void)prctl(PR_SET_NAME, "comity-signer");
    (void)signal(SIGINT, SIG_IGN); /* a terminal's ^C is for the node, which closes the socket when it is done */
    (void)signal(SIGTERM, SIG_DFL);
    descriptors_close(fd, config->state_fd);
    keyring_lock(config->keys);
    report.code = crypto_start();
    report.code = report.code ? report.code : confine_self(report.degraded);
    if (!send_all(fd, &report, sizeof report) || report.code)
        _exit(1);
    signer_loop(s, fd);
}

static int fork_signer(struct signer *local, const struct signer_config *config, int pair[static 2], int *pid)
{
    pid_t parent = getpid();
    *pid = fork();
    if (*pid == 0)
        child_run(local, config, pair[1], parent);
    (void)close(pair[1]);
    pair[1] = -1;
    return *pid > 0 ? 0 : E_IO;
}

static int started(int fd, char degraded[static 128], struct fault *fault)
{
    struct report report;
    if (!receive_all(fd, &report, sizeof report))
        return fail(fault, E_STATE, "the signer did not start");
    report.degraded[sizeof report.degraded - 1] = 0;
    memcpy(degraded, report.degraded, sizeof report.degraded);
    return report.code ? fail(fault, report.code, "the signer could not confine itself") : 0;
}

/* From the fork on only the child has the keys: here they are wiped. */
int signer_spawn(struct signer **out, const struct signer_config *config, int *pid, char degraded[static 128],
                 struct fault *fault)
{
    struct signer *local = NULL;
    int pair[2] = {-1, -1};
    degraded[0] = 0;
    *pid = -1;
    int rc = signer_local_open(&local, config, fault);
    if (rc)
        return rc;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        rc = fail(fault, E_IO, "socketpair");
    else if ((rc = fork_signer(local, config, pair, pid)) != 0)
        (void)fail(fault, rc, "fork");
    local->ops->close(local);
    if (*pid <= 0) {
        if (pair[0] >= 0)
            (void)close(pair[0]);
        return rc;
    }
    rc = started(pair[0], degraded, fault);
    if (rc == 0 && !(*out = client_open(pair[0])))
        rc = fail(fault, E_NOMEM, "signer");
    if (rc) {
        (void)close(pair[0]);
        (void)kill(*pid, SIGKILL);
        (void)waitpid(*pid, NULL, 0);
        *pid = -1;
    }
    return rc;
}
