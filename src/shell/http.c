/* The HTTP servers: the public one, and the private API's on a Unix socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "circle/member.h"
#include "crypto/sha256.h"
#include "shell/gate.h"
#include "shell/gzip.h"
#include "shell/shell.h"

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

/* Counts bytes that this connection keeps in memory; false when all connections together would keep too many. */
static bool hold(struct connection *c, size_t bytes)
{
    if (bytes > HTTP_MEMORY_MAX - c->shell->http_bytes)
        return false;
    c->shell->http_bytes += bytes;
    c->held += bytes;
    return true;
}

static void unhold(struct connection *c, size_t bytes)
{
    c->held -= bytes;
    c->shell->http_bytes -= bytes;
}

static enum MHD_Result queue(struct connection *c, int status, struct MHD_Response *r)
{
    enum MHD_Result rc = MHD_queue_response(c->mhd, (unsigned)status, r);
    MHD_destroy_response(r);
    c->shell->counters.answers[c->listener][status]++;
    return rc;
}

static enum MHD_Result respond(struct connection *c, int status, struct span body)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    if (c->content_type)
        (void)MHD_add_response_header(r, "Content-Type", c->content_type);
    if (c->header[0])
        (void)MHD_add_response_header(r, "Comity-Receipt", c->header);
    if (c->location[0])
        (void)MHD_add_response_header(r, "Location", c->location);
    if (status == 303 || status == 503 || status == 429)
        (void)MHD_add_response_header(r, "Retry-After", "1");
    if (status == 415)
        (void)MHD_add_response_header(r, "Accept-Encoding", "gzip");
    (void)MHD_add_response_header(r, "Cache-Control",
                                  c->immutable ? "public, max-age=31536000, immutable" : "no-store");
    (void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (status == 405)
        (void)MHD_add_response_header(r, "Allow", "GET, HEAD, POST, PUT");
    return queue(c, status, r);
}

static enum MHD_Result respond_text(struct connection *c, int status, const char *text)
{
    c->content_type = "text/plain; charset=utf-8";
    return respond(c, status, span_str(text));
}

static const char overloaded[] = "too many bytes are under way; try again\n";

/* "bytes=N-" or "bytes=N-M"; anything else asks for the whole. False when it cannot be satisfied. */
static bool range_of(const char *text, size_t len, size_t *from, size_t *to, bool *partial)
{
    uint64_t first = 0, last = len ? len - 1 : 0;
    *partial = false;
    const char *dash = text && strncmp(text, "bytes=", 6) == 0 ? strchr(text, '-') : NULL;
    if (!dash || !decimal_parse(span_of(text + 6, (size_t)(dash - text) - 6), &first) ||
        (dash[1] && !decimal_parse(span_str(dash + 1), &last)))
        return true;
    if (first >= len || last < first)
        return false;
    *from = (size_t)first;
    *to = last < len ? (size_t)last + 1 : len;
    *partial = true;
    return true;
}

/* `member`: it may be a document for members only, which no cache may give to others. */
static enum MHD_Result respond_ranged(struct connection *c, const struct served *served, bool member)
{
    struct span body = buf_view(&served->body);
    size_t from = 0, to = body.len;
    bool partial = false;
    char etag[40], content_range[96], hex[65];
    struct hash h;
    sha256(body, &h);
    hash_hex(&h, hex);
    (void)snprintf(etag, sizeof etag, "\"%.32s\"", hex);
    const char *if_none = MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, "If-None-Match");
    const char *range = MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, "Range");
    int status = if_none && strcmp(if_none, etag) == 0 ? 304 : 200;
    if (status == 200 && !range_of(range, body.len, &from, &to, &partial))
        status = 416;
    body = status == 200 ? span_of(body.data + from, to - from) : span_of(NULL, 0);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    if (partial) {
        status = 206;
        (void)snprintf(content_range, sizeof content_range, "bytes %zu-%zu/%zu", from, to - 1, served->body.len);
        (void)MHD_add_response_header(r, "Content-Range", content_range);
    }
    (void)MHD_add_response_header(r, "ETag", etag);
    (void)MHD_add_response_header(r, "Accept-Ranges", "bytes");
    (void)MHD_add_response_header(r, "Content-Type", served->content_type);
    (void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(r, "Cache-Control",
                                  served->immutable && !member ? "public, max-age=31536000, immutable" : "no-store");
    return queue(c, status, r);
}

/* Each header once; a second one makes the request nobody's. */
struct signed_headers {
    const char *host, *input, *signature;
    bool twice;
};

static enum MHD_Result signed_visit(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct signed_headers *h = ctx;
    const char **at = strcasecmp(key, "Host") == 0              ? &h->host
                      : strcasecmp(key, "Signature-Input") == 0 ? &h->input
                      : strcasecmp(key, "Signature") == 0       ? &h->signature
                                                                : NULL;
    (void)kind;
    h->twice = h->twice || (at && *at);
    if (at)
        *at = value;
    return MHD_YES;
}

static bool member_asks(struct connection *c, const char *method, const char *path)
{
    const struct shell *shell = c->shell;
    struct signed_headers h = {0};
    const struct roster *roster = node_roster(shell->node);
    const struct party *self, *asker = NULL;
    if (!roster || strcmp(method, "GET") != 0 || !span_starts(span_str(path), "/documents/"))
        return false;
    (void)MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, signed_visit, &h);
    if (h.twice || !h.host || !h.input || !h.signature || !(self = roster_party(roster, span_str(shell->config.name))))
        return false;
    const struct member_request request = {.host = span_str(h.host),
                                           .own_url = span_str(self->card.url),
                                           .path = span_str(path),
                                           .input = span_str(h.input),
                                           .signature = span_str(h.signature),
                                           .now = clock_ms() / 1000};
    int rc = member_verify(roster, &request, &asker);
    if (rc)
        log_say(LOG_REQUEST_UNSIGNED, "a signed request counts for nothing: %s", error_text(rc)->message);
    return rc == 0;
}

static enum MHD_Result public_get(struct connection *c, const char *method, const char *path)
{
    struct served served;
    bool member = member_asks(c, method, path);
    node_serve(c->shell->node, span_str(path), member, &served);
    enum MHD_Result rc;
    if (!hold(c, served.body.len)) {
        rc = respond_text(c, 503, overloaded);
    } else if (served.status == 200) {
        rc = respond_ranged(c, &served, member);
    } else {
        c->content_type = served.content_type;
        memcpy(c->location, served.location, sizeof c->location);
        rc = respond(c, served.status, buf_view(&served.body));
    }
    buf_free(&served.body);
    return rc;
}

struct encoding {
    int count;
    bool gzip;
};

static const struct {
    const char *method, *path;
    enum request_kind kind;
    size_t body_max;
} writes[] = {
    {"POST", "/mirror/add-checkpoint", REQ_MIRROR_ADD_CHECKPOINT, ADD_CHECKPOINT_BYTES_MAX},
    {"POST", "/mirror/add-entries", REQ_MIRROR_ADD_ENTRIES, HTTP_BODY_MAX},
    {"POST", "/witness/add-checkpoint", REQ_WITNESS_ADD_CHECKPOINT, ADD_CHECKPOINT_BYTES_MAX},
    {"POST", "/announce", REQ_ANNOUNCE, NOTE_BYTES_MAX},
    {"POST", "/key-change", REQ_KEY_CHANGE, STATEMENT_BYTES_MAX + KEY_CHANGE_BYTES_MAX},
    {"PUT", "/documents/", REQ_PUT_DOCUMENT, DOCUMENT_BYTES_MAX},
};

/* The row of `writes`, or their number. A document's row is found by its prefix. */
static size_t write_find(const char *method, struct span path)
{
    size_t i = 0, n = sizeof writes / sizeof writes[0];
    while (i < n &&
           !(strcmp(method, writes[i].method) == 0 &&
             (writes[i].kind == REQ_PUT_DOCUMENT ? span_starts(path, writes[i].path) : span_is(path, writes[i].path))))
        i++;
    return i;
}

static size_t public_body_max(const char *method, struct span path)
{
    size_t i = write_find(method, path);
    return i < sizeof writes / sizeof writes[0] ? writes[i].body_max : HTTP_DISCARD_MAX;
}

static enum MHD_Result encoding_visit(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct encoding *e = ctx;
    (void)kind;
    if (strcasecmp(key, "Content-Encoding") == 0) {
        e->count++;
        e->gzip = value && (strcasecmp(value, "gzip") == 0 || strcasecmp(value, "x-gzip") == 0);
    }
    return MHD_YES;
}

/* 200 once the body is as it was before its sender compressed it. Only add-entries may come compressed (C2SP tlog-mirror). */
static int body_decode(struct connection *c, enum request_kind kind)
{
    struct encoding e = {0};
    struct buf plain;
    (void)MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, encoding_visit, &e);
    if (!e.count)
        return 200;
    if (e.count > 1 || !e.gzip || kind != REQ_MIRROR_ADD_ENTRIES)
        return 415;
    buf_init(&plain, HTTP_BODY_MAX);
    int rc = gunzip(&plain, buf_view(&c->body));
    buf_free(&c->body);
    c->body = plain;
    return rc == 0 ? 200 : rc == E_LIMIT ? 413 : rc == E_NOMEM ? 503 : 400;
}

static enum MHD_Result public_write(struct connection *c, const char *method, const char *path)
{
    struct event event = {.kind = EVENT_REQUEST, .body = buf_view(&c->body)};
    /* RFC 9290: {-1: "Rejected", -2: "only the owner's keys add to a log"} */
    static const uint8_t rejected[] = "\xa2\x20\x68Rejected\x21\x78\x22only the owner's keys add to a log";
    if (strcmp(path, "/entries") == 0) {
        c->content_type = "application/concise-problem-details+cbor";
        return respond(c, 403, span_of(rejected, sizeof rejected - 1));
    }
    size_t i = write_find(method, span_str(path));
    if (i == sizeof writes / sizeof writes[0])
        return respond_text(c, 404, "no such route\n");
    if (writes[i].kind == REQ_PUT_DOCUMENT &&
        !hash_parse(span_from(span_str(path), strlen(writes[i].path)), &event.hash))
        return respond_text(c, 400, "the path ends in 64 hex digits\n");
    int status = body_decode(c, writes[i].kind);
    if (status != 200)
        return respond_text(c, status, "this content encoding is not taken, or the body does not follow it\n");
    event.body = buf_view(&c->body);
    event.request = writes[i].kind;
    event.token = c->token = ++c->shell->next_token;
    c->dispatched = true;
    MHD_suspend_connection(c->mhd);
    shell_step(c->shell, &event);
    return MHD_YES;
}

/* Behind the socket's mode, the kernel's word on who has connected: the node's own user, or root. */
static bool owner_calls(struct connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t len = sizeof peer;
    return info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* The listener that has nothing else. */
static enum MHD_Result metrics_get(struct connection *c, const char *method, const char *path)
{
    if (strcmp(path, "/metrics") != 0)
        return respond_text(c, 404, "GET /metrics only\n");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return respond_text(c, 405, "GET /metrics only\n");
    metrics_write(c->shell, &c->reply);
    c->content_type = METRICS_TYPE;
    return respond(c, 200, buf_view(&c->reply));
}

static enum MHD_Result whole(struct connection *c, const char *method, const char *path)
{
    if (c->listener == LISTENER_METRICS)
        return metrics_get(c, method, path);
    if (c->private_api && !owner_calls(c))
        return respond_text(c, 403, "only the node's owner\n");
    if (c->private_api) {
        api_request(c->shell, c, method, path);
        return c->dispatched ? MHD_YES : respond(c, c->status, buf_view(&c->reply));
    }
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return public_get(c, method, path);
    return public_write(c, method, path);
}

/* The refusal is said when the rest of a small body has been read: an answer before that would be lost with the connection. */
static enum MHD_Result refused(struct connection *c)
{
    struct fault fault = {0};
    if (!c->private_api)
        return respond_text(c, c->status, c->refusal);
    int code = c->status == 413 ? E_LIMIT : c->status == 503 ? E_BUSY : E_SYNTAX, status = c->status;
    (void)fail(&fault, code, "%.*s", (int)strcspn(c->refusal, "\n"), c->refusal);
    api_refuse(c, code, &fault);
    return respond(c, status, buf_view(&c->reply));
}

static void refuse_later(struct connection *c, int status, const char *text)
{
    c->status = status;
    c->refusal = text;
    buf_free(&c->body);
    unhold(c, c->held);
}

/* At a request's head, before any of its body: let in, or to be refused. */
static enum MHD_Result begin(struct connection *c, const char *method, const char *version)
{
    struct gate_head head = {.method = span_str(method), .version = span_str(version), .target = span_str(c->target)};
    c->begun = true;
    (void)MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, head_visit, &head);
    head.bytes = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    struct span path = gate_path(head.target);
    size_t body_max = c->private_api ? api_body_max(method, path) : public_body_max(method, path);
    struct gate_verdict verdict = gate_check(&head, body_max);
    buf_init(&c->body, body_max);
    if (verdict.status)
        refuse_later(c, verdict.status, verdict.text);
    else if (verdict.length != UINT64_MAX && !hold(c, (size_t)verdict.length))
        refuse_later(c, 503, overloaded);
    bool endless = verdict.length > HTTP_DISCARD_MAX && !c->private_api;
    return c->status && (!verdict.has_body || endless) ? refused(c) : MHD_YES;
}

/* False when a refused body goes on and on. */
static bool body_add(struct connection *c, const char *data, size_t size)
{
    if (c->status) {
        c->discarded += size;
        return c->private_api || c->discarded <= HTTP_DISCARD_MAX;
    }
    buf_add(&c->body, data, size);
    if (c->body.error)
        refuse_later(c, c->body.error == E_LIMIT ? 413 : 503, "the body is too large for this path\n");
    else if (c->body.len > c->held && !hold(c, c->body.len - c->held))
        refuse_later(c, 503, overloaded);
    return true;
}

static enum MHD_Result handle(struct MHD_Connection *mhd, const char *path, const char *method, const char *version,
                              const char *data, size_t *size, void **context)
{
    struct connection *c = *context;
    if (!c)
        return MHD_NO;
    c->mhd = mhd;
    if (!c->begun)
        return begin(c, method, version);
    if (*size) {
        bool good = body_add(c, data, *size);
        *size = 0;
        return good ? MHD_YES : MHD_NO;
    }
    if (c->dispatched)
        return c->replied ? respond(c, c->status, buf_view(&c->reply)) : MHD_YES;
    return c->status ? refused(c) : whole(c, method, path);
}

/* The library calls this with the target as it came, before it reads anything into it. */
static struct connection *connection_new(struct shell *shell, const char *target)
{
    struct connection *c = calloc(1, sizeof *c);
    char *copy = strndup(target, TARGET_BYTES_MAX + 1);
    if (!c || !copy) {
        free(c);
        free(copy);
        return NULL;
    }
    c->shell = shell;
    c->target = copy;
    buf_init(&c->reply, INVENTORY_BYTES_MAX);
    c->next = shell->connections;
    shell->connections = c;
    return c;
}

static void *public_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    (void)mhd;
    return connection_new(ctx, target);
}

static void *private_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    struct connection *c = connection_new(ctx, target);
    (void)mhd;
    if (c) {
        c->private_api = true;
        c->listener = LISTENER_PRIVATE;
    }
    return c;
}

static void *metrics_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    struct connection *c = connection_new(ctx, target);
    (void)mhd;
    if (c)
        c->listener = LISTENER_METRICS;
    return c;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *path, const char *method,
                                  const char *version, const char *data, size_t *size, void **context)
{
    (void)ctx;
    return handle(mhd, path, method, version, data, size, context);
}

static void completed(void *ctx, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
    struct shell *shell = ctx;
    struct connection *c = *context, **at = &shell->connections;
    (void)mhd;
    (void)code;
    while (*at && *at != c)
        at = &(*at)->next;
    if (!c || !*at)
        return;
    *at = c->next;
    unhold(c, c->held);
    buf_free(&c->body);
    buf_free(&c->reply);
    free(c->target);
    free(c);
    *context = NULL;
}

void http_reply(struct shell *shell, struct action *action)
{
    for (struct connection *c = shell->connections; c; c = c->next) {
        if (c->token != action->token || !c->dispatched || c->replied)
            continue;
        c->status = action->status;
        c->content_type = action->content_type;
        memcpy(c->header, action->header, sizeof c->header);
        buf_free(&c->reply);
        c->reply = action->body;
        buf_init(&action->body, 0);
        c->replied = true;
        shell->resumed = true;
        MHD_resume_connection(c->mhd);
        return;
    }
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

typedef void *target_callback(void *ctx, const char *target, struct MHD_Connection *mhd);

static struct MHD_Daemon *daemon_start(struct shell *shell, int fd, target_callback *target, unsigned per_address)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, shell,
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, target, shell,
                            MHD_OPTION_NOTIFY_COMPLETED, completed, shell, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address,
                            MHD_OPTION_CONNECTION_TIMEOUT, 30u, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_END);
}

int http_open(struct shell *shell, struct fault *fault)
{
    static target_callback *const targets[LISTENERS_] = {public_target, private_target, metrics_target};
    const char *const addresses[LISTENERS_] = {shell->config.listen, NULL, shell->config.metrics_listen};
    for (int i = 0; i < LISTENERS_; i++) {
        if (addresses[i] && !*addresses[i])
            continue;
        int fd = addresses[i] ? listen_tcp(addresses[i], fault) : listen_unix(shell->dir, fault);
        if (fd < 0)
            return fd;
        shell->daemons[i] = daemon_start(shell, fd, targets[i], addresses[i] ? CONNECTIONS_PER_ADDRESS_MAX : 0);
        if (!shell->daemons[i])
            return fail(fault, E_STATE, "an HTTP server does not start");
    }
    return 0;
}

void http_close(struct shell *shell)
{
    for (struct connection *c = shell->connections; c; c = c->next)
        if (c->dispatched && !c->replied) {
            c->status = 503;
            c->content_type = "text/plain; charset=utf-8";
            c->replied = true;
            MHD_resume_connection(c->mhd);
        }
    for (int i = 0; i < LISTENERS_; i++)
        if (shell->daemons[i])
            MHD_stop_daemon(shell->daemons[i]);
}
