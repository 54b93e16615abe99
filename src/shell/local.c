/* The private API's server, on a Unix socket in the node's folder. It is served by the node itself: what comes in here acts in the
   party's name, and a hijacked net process must not be able to. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shell/gate.h"
#include "shell/shell.h"

enum { CALLERS_MAX = 64 };

static enum MHD_Result head_visit(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_size,
                                  const char *value, size_t value_size)
{
    struct gate_head *head = ctx;
    (void)kind;
    head->headers++;
    head->header_bytes += key_size + value_size + 4;
    head->hosts += strcasecmp(key, "Host") == 0;
    if (strcasecmp(key, "Content-Length") == 0) {
        head->lengths++;
        head->length = span_of(value, value_size);
    }
    if (strcasecmp(key, "Transfer-Encoding") == 0) {
        head->encodings++;
        head->encoding = span_of(value, value_size);
    }
    head->empty = head->empty || !value_size;
    return MHD_YES;
}

/* Behind the socket's mode, the kernel's word on who has connected: the node's own user, or root. */
uid_t local_uid(const struct caller *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t len = sizeof peer;
    return info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? peer.uid : (uid_t)-1;
}

static bool owner_calls(const struct caller *c)
{
    uid_t uid = local_uid(c);
    return uid == geteuid() || uid == 0;
}

static enum MHD_Result respond(struct caller *c)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(c->reply.len, c->reply.data, MHD_RESPMEM_MUST_FREE);
    if (!r)
        return MHD_NO;
    buf_init(&c->reply, 0);
    if (c->content_type)
        (void)MHD_add_response_header(r, "Content-Type", c->content_type);
    if (c->status == 503 || c->status == 429)
        (void)MHD_add_response_header(r, "Retry-After", "1");
    if (c->status == 405)
        (void)MHD_add_response_header(r, "Allow", "GET, HEAD, POST, PUT");
    (void)MHD_add_response_header(r, "Cache-Control", "no-store");
    (void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    enum MHD_Result rc = MHD_queue_response(c->mhd, (unsigned)c->status, r);
    c->shell->counters.answers[LISTENER_PRIVATE][c->status]++;
    MHD_destroy_response(r);
    return rc;
}

/* The refusal is said when the rest of the body has been read: an answer before that would be lost with the connection. */
static enum MHD_Result refused(struct caller *c)
{
    struct fault fault = {0};
    int status = c->status, code = status == 413 ? E_LIMIT : status == 403 ? E_REFUSED : E_SYNTAX;
    (void)fail(&fault, code, "%.*s", (int)strcspn(c->refusal, "\n"), c->refusal);
    api_refuse(c, code, &fault);
    c->status = status;
    return respond(c);
}

static void refuse_later(struct caller *c, int status, const char *text)
{
    c->status = status;
    c->refusal = text;
    buf_free(&c->body);
}

static enum MHD_Result begin(struct caller *c, const char *method, const char *version)
{
    struct gate_head head = {.method = span_str(method), .version = span_str(version), .target = span_str(c->target)};
    c->begun = true;
    (void)MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, head_visit, &head);
    head.bytes = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    size_t body_max = api_body_max(method, gate_path(head.target));
    struct gate_verdict verdict = gate_check(&head, body_max);
    buf_init(&c->body, body_max);
    if (!owner_calls(c))
        refuse_later(c, 403, "only the node's owner\n");
    else if (verdict.status)
        refuse_later(c, verdict.status, verdict.text);
    return c->status && !verdict.has_body ? refused(c) : MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *path, const char *method,
                                  const char *version, const char *data, size_t *size, void **context)
{
    struct caller *c = *context;
    (void)ctx;
    if (!c)
        return MHD_NO;
    c->mhd = mhd;
    if (!c->begun)
        return begin(c, method, version);
    if (*size) {
        if (!c->status)
            buf_add(&c->body, data, *size);
        if (c->body.error)
            refuse_later(c, c->body.error == E_LIMIT ? 413 : 503, "the body is too large for this path\n");
        *size = 0;
        return MHD_YES;
    }
    if (c->replied)
        return respond(c);
    if (c->dispatched)
        return MHD_YES;
    if (c->status)
        return refused(c);
    api_request(c->shell, c, method, path);
    return c->dispatched ? MHD_YES : respond(c);
}

/* The library calls this with the target as it came, before it reads anything into it. */
static void *on_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    struct shell *shell = ctx;
    struct caller *c = calloc(1, sizeof *c);
    char *copy = strndup(target, TARGET_BYTES_MAX + 1);
    (void)mhd;
    if (!c || !copy) {
        free(c);
        free(copy);
        return NULL;
    }
    c->shell = shell;
    c->target = copy;
    buf_init(&c->reply, INVENTORY_BYTES_MAX);
    c->next = shell->callers;
    shell->callers = c;
    return c;
}

static void completed(void *ctx, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
    struct shell *shell = ctx;
    struct caller *c = *context, **at = &shell->callers;
    (void)mhd;
    (void)code;
    while (*at && *at != c)
        at = &(*at)->next;
    if (!c || !*at)
        return;
    *at = c->next;
    buf_free(&c->body);
    buf_free(&c->reply);
    free(c->target);
    free(c);
    *context = NULL;
}

bool local_reply(struct shell *shell, struct action *action)
{
    struct caller *c = shell->callers;
    while (c && (c->token != action->token || !c->dispatched || c->replied))
        c = c->next;
    if (!c)
        return false;
    c->status = action->status;
    c->content_type = action->content_type;
    buf_free(&c->reply);
    c->reply = action->body;
    buf_init(&action->body, 0);
    c->replied = true;
    shell->resumed = true;
    MHD_resume_connection(c->mhd);
    return true;
}

int local_open(struct shell *shell, struct fault *fault)
{
    shell->private_daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, shell, MHD_OPTION_LISTEN_SOCKET,
        shell->serve->private_fd, MHD_OPTION_URI_LOG_CALLBACK, on_target, shell, MHD_OPTION_NOTIFY_COMPLETED, completed,
        shell, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CALLERS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_END);
    return shell->private_daemon ? 0 : fail(fault, E_STATE, "the private API's server does not start");
}

void local_close(struct shell *shell)
{
    for (struct caller *c = shell->callers; c; c = c->next)
        if (c->dispatched && !c->replied) {
            struct fault fault = {0};
            /* A full disk must not look like a node that was never there. */
            if (shell->fatal)
                api_refuse(c, fail(&fault, shell->fatal, "nothing of this was done; the node stops, and starts again"),
                           &fault);
            else
                api_refuse(c, fail(&fault, E_BUSY, "the node is ending"), &fault);
            c->status = 503;
            MHD_resume_connection(c->mhd);
        }
    (void)MHD_run(shell->private_daemon);
    MHD_stop_daemon(shell->private_daemon);
}
