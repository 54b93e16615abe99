/* The signer in a process of its own: typed requests of fixed size over a socketpair, one at a time. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "signer/confine.h"
#include "signer/signer.h"

enum request_type { ASK_STATEMENTS = 1, ASK_CHECKPOINT, ASK_ADVANCE, ASK_COSIGN, ASK_POSITION };

struct ask {
    uint32_t type, count; /* count: items that follow, each of the type's fixed size */
    uint32_t role;
    uint64_t old_size, size;
    struct hash root;
    struct signature signature;
    char origin[ORIGIN_BYTES_MAX];
};
struct answer {
    int32_t code;
    uint32_t bytes; /* that follow */
};

struct remote_signer {
    struct signer base;
    int fd;
    pid_t pid;
};

static bool send_all(int fd, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool receive_all(int fd, void *data, size_t len)
{
    uint8_t *at = data;
    while (len) {
        ssize_t n = read(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* The child's side */

static size_t item_size(uint32_t type)
{
    static const size_t sizes[] = {[ASK_STATEMENTS] = sizeof(struct sign_statement), [ASK_CHECKPOINT] = sizeof(struct hash),
                                   [ASK_ADVANCE] = sizeof(struct hash), [ASK_COSIGN] = sizeof(struct sign_cosignature), [ASK_POSITION] = 0};
    return type >= ASK_STATEMENTS && type <= ASK_POSITION ? sizes[type] : 0;
}

static bool ask_good(const struct ask *ask)
{
    uint32_t most = ask->type == ASK_ADVANCE ? 1u << 24 : ask->type == ASK_COSIGN ? 1 : ask->type == ASK_POSITION ? 0 : BATCH_STATEMENTS_MAX;
    return ask->type >= ASK_STATEMENTS && ask->type <= ASK_POSITION && ask->count <= most && memchr(ask->origin, 0, sizeof ask->origin) &&
           (ask->type != ASK_COSIGN || ask->count == 1);
}

static int ask_serve(struct signer *s, const struct ask *ask, const void *items, struct buf *out)
{
    struct signed_statement *made;
    struct cosigned cosigned;
    struct signer_position position;
    int rc;
    switch (ask->type) {
    case ASK_STATEMENTS:
        made = calloc(ask->count ? ask->count : 1, sizeof *made);
        rc = made ? s->ops->statements(s, items, ask->count, made) : E_NOMEM;
        for (uint32_t i = 0; i < ask->count && rc == 0; i++)
            buf_add(out, &made[i], sizeof made[i].len + made[i].len);
        free(made);
        return rc;
    case ASK_CHECKPOINT:
        return s->ops->checkpoint(s, ask->old_size, items, ask->count, out);
    case ASK_ADVANCE:
        return s->ops->advance(s, ask->old_size, items, ask->count, ask->size, &ask->root, &ask->signature);
    case ASK_COSIGN:
        rc = s->ops->cosign(s, (enum key_role)ask->role, items, &cosigned);
        if (rc == 0)
            buf_add(out, &cosigned, sizeof cosigned);
        return rc;
    default:
        rc = s->ops->position(s, (enum key_role)ask->role, span_str(ask->origin), &position);
        if (rc == 0)
            buf_add(out, &position, sizeof position);
        return rc;
    }
}

static void signer_loop(struct signer *s, int fd)
{
    struct ask ask;
    struct buf out;
    buf_init(&out, BATCH_STATEMENTS_MAX * sizeof(struct signed_statement));
    while (receive_all(fd, &ask, sizeof ask)) {
        size_t bytes = ask_good(&ask) ? item_size(ask.type) * ask.count : 0;
        void *items = malloc(bytes ? bytes : 1);
        if (!ask_good(&ask) || !items || !receive_all(fd, items, bytes))
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

static void child_run(struct signer *s, int fd, int report)
{
    char degraded[128];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "comity-signer");
    (void)signal(SIGINT, SIG_IGN);
    int rc = confine_self(degraded);
    degraded[127] = 0;
    (void)send_all(report, &rc, sizeof rc);
    (void)send_all(report, degraded, 128);
    (void)close(report);
    if (rc)
        _exit(1);
    signer_loop(s, fd);
}

/* Everything but the two files and the standard streams is closed before the filter stands. */
static void descriptors_close(int a, int b, int c)
{
    int keep[3] = {a, b, c}, from = 3;
    for (int i = 0; i < 3; i++)
        for (int j = i + 1; j < 3; j++)
            if (keep[j] < keep[i]) {
                int swap = keep[i];
                keep[i] = keep[j];
                keep[j] = swap;
            }
    for (int i = 0; i < 3; i++) {
        if (keep[i] > from)
            (void)syscall(SYS_close_range, (unsigned)from, (unsigned)keep[i] - 1, 0);
        if (keep[i] >= from)
            from = keep[i] + 1;
    }
    (void)syscall(SYS_close_range, (unsigned)from, ~0u, 0);
}

/* The node's side */

static int call(struct remote_signer *s, const struct ask *ask, const void *items, struct answer *answer)
{
    if (s->fd < 0)
        return E_IO;
    size_t bytes = item_size(ask->type) * ask->count;
    if (send_all(s->fd, ask, sizeof *ask) && send_all(s->fd, items, bytes) && receive_all(s->fd, answer, sizeof *answer))
        return answer->code;
    (void)close(s->fd); /* it is gone: the supervisor will see to it */
    s->fd = -1;
    return E_IO;
}

static int received(struct remote_signer *s, void *data, size_t len)
{
    return receive_all(s->fd, data, len) ? 0 : E_IO;
}

static int op_statements(struct signer *signer, const struct sign_statement *requests, size_t count, struct signed_statement *out)
{
    struct remote_signer *s = (struct remote_signer *)signer;
    struct ask ask = {.type = ASK_STATEMENTS, .count = (uint32_t)count};
    struct answer answer;
    int rc = count > BATCH_STATEMENTS_MAX ? E_LIMIT : call(s, &ask, requests, &answer);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = received(s, &out[i].len, sizeof out[i].len);
        if (rc == 0 && out[i].len > sizeof out[i].bytes)
            rc = E_CORRUPT;
        rc = rc ? rc : received(s, out[i].bytes, out[i].len);
    }
    return rc;
}

static int op_checkpoint(struct signer *signer, uint64_t old_size, const struct hash *leaves, size_t count, struct buf *note)
{
    struct remote_signer *s = (struct remote_signer *)signer;
    struct ask ask = {.type = ASK_CHECKPOINT, .count = (uint32_t)count, .old_size = old_size};
    struct answer answer;
    uint8_t bytes[4096];
    int rc = count > BATCH_STATEMENTS_MAX ? E_LIMIT : call(s, &ask, leaves, &answer);
    if (rc == 0 && answer.bytes > sizeof bytes)
        rc = E_CORRUPT;
    rc = rc ? rc : received(s, bytes, answer.bytes);
    if (rc == 0) {
        buf_reset(note);
        buf_add(note, bytes, answer.bytes);
    }
    return rc;
}

static int op_advance(struct signer *signer, uint64_t old_size, const struct hash *leaves, size_t count, uint64_t size,
                      const struct hash *root, const struct signature *signature)
{
    struct ask ask = {.type = ASK_ADVANCE, .count = (uint32_t)count, .old_size = old_size, .size = size, .root = *root, .signature = *signature};
    struct answer answer;
    return call((struct remote_signer *)signer, &ask, leaves, &answer);
}

static int op_cosign(struct signer *signer, enum key_role role, const struct sign_cosignature *request, struct cosigned *out)
{
    struct remote_signer *s = (struct remote_signer *)signer;
    struct ask ask = {.type = ASK_COSIGN, .count = 1, .role = role};
    struct answer answer;
    int rc = call(s, &ask, request, &answer);
    return rc ? rc : received(s, out, sizeof *out);
}

static int op_position(struct signer *signer, enum key_role role, struct span origin, struct signer_position *out)
{
    struct remote_signer *s = (struct remote_signer *)signer;
    struct ask ask = {.type = ASK_POSITION, .role = role};
    struct answer answer;
    if (origin.len >= sizeof ask.origin)
        return E_LIMIT;
    memcpy(ask.origin, origin.data, origin.len);
    int rc = call(s, &ask, NULL, &answer);
    return rc ? rc : received(s, out, sizeof *out);
}

static void op_close(struct signer *signer)
{
    struct remote_signer *s = (struct remote_signer *)signer;
    if (s && s->fd >= 0)
        (void)close(s->fd);
    free(s);
}

static const struct signer_ops remote_ops = {
    .close = op_close,
    .statements = op_statements,
    .checkpoint = op_checkpoint,
    .advance = op_advance,
    .cosign = op_cosign,
    .position = op_position,
};

static int started(int report, char degraded[static 128], struct fault *fault)
{
    int code;
    if (!receive_all(report, &code, sizeof code) || !receive_all(report, degraded, 128))
        return fail(fault, E_STATE, "the signer did not start");
    return code ? fail(fault, code, "the signer could not confine itself") : 0;
}

int signer_spawn(struct signer **out, const struct signer_config *config, int *pid, char degraded[static 128], struct fault *fault)
{
    struct remote_signer *s = calloc(1, sizeof *s);
    struct signer *local = NULL;
    int pair[2], report[2];
    if (!s)
        return fail(fault, E_NOMEM, "signer");
    int rc = signer_local_open(&local, config, fault);
    if (rc == 0 && (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 || pipe(report) != 0))
        rc = fail(fault, E_IO, "socketpair");
    if (rc) {
        free(s);
        return rc;
    }
    *pid = fork();
    if (*pid == 0) {
        descriptors_close(pair[1], config->state_fd, report[1]);
        child_run(local, pair[1], report[1]);
    }
    (void)close(pair[1]);
    (void)close(report[1]);
    local->ops->close(local); /* here no key stays */
    *s = (struct remote_signer){.base.ops = &remote_ops, .fd = pair[0], .pid = *pid};
    rc = *pid > 0 ? started(report[0], degraded, fault) : fail(fault, E_IO, "fork");
    (void)close(report[0]);
    if (rc) {
        op_close(&s->base);
        return rc;
    }
    *out = &s->base;
    return 0;
}
