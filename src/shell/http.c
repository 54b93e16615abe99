/* The public HTTP server. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/text.h"
#include "node/metrics.h"
#include "shell/gate.h"
#include "shell/net.h"
#include "shell/routes.h"

static int64_t monotonic_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char text_plain[] = "text/plain; charset=utf-8";
static const char overloaded[] = "too many bytes are under way; try again\n";
static const char node_away[] = "the node is starting; try again\n";

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
    size_t most = HTTP_MEMORY_MAX - (c->row && !c->row->known ? HTTP_MEMORY_KNOWN : 0);
    if (c->net->http_bytes > most || bytes > most - c->net->http_bytes || (c->row && !quota_take(c->row, bytes)))
        return false;
    c->net->http_bytes += bytes;
    c->held += bytes;
    return true;
}

static void unhold(struct connection *c)
{
    c->net->http_bytes -= c->held;
    if (c->row)
        quota_give(c->row, c->held);
    c->held = 0;
}

static void header_add(struct MHD_Response *r, const char *name, const char *value)
{
    if (*value)
        (void)MHD_add_response_header(r, name, value);
}

/* The body's memory goes over to the library. */
static enum MHD_Result respond(struct connection *c)
{
    const struct answer_message *a = &c->answer;
    const int status = a->status;
    char retry[12];
    struct MHD_Response *r =
        MHD_create_response_from_buffer(c->answer_body.len, c->answer_body.data, MHD_RESPMEM_MUST_FREE);
    if (!r)
        return MHD_NO;
    buf_init(&c->answer_body, 0);
    header_add(r, "Content-Type", a->content_type);
    header_add(r, "Comity-Receipt", a->receipt);
    header_add(r, "Location", a->location);
    header_add(r, "ETag", a->etag);
    header_add(r, "Content-Range", a->content_range);
    header_add(r, "Accept-Ranges", a->ranges ? "bytes" : "");
    (void)snprintf(retry, sizeof retry, "%u", a->retry_after ? a->retry_after : 1);
    header_add(r, "Retry-After", status == 303 || status == 503 || status == 429 ? retry : "");
    header_add(r, "Accept-Encoding", status == 415 ? "gzip" : "");
    header_add(r, "Allow", status == 405 ? "GET, HEAD, POST, PUT" : "");
    header_add(r, "Cache-Control", a->immutable ? "public, max-age=31536000, immutable" : "no-store");
    header_add(r, "X-Content-Type-Options", "nosniff");
    enum MHD_Result rc = MHD_queue_response(c->mhd, (unsigned)status, r);
    MHD_destroy_response(r);
    return rc;
}

/* What net answers by itself: the node counts it with its own. */
static void tally(struct connection *c, int status)
{
    struct net *net = c->net;
    uint16_t listener = c->metrics ? LISTENER_METRICS : LISTENER_PUBLIC;
    for (size_t i = 0; i < TALLY_ROWS; i++) {
        if (net->tally.refused[i].count &&
            (net->tally.refused[i].status != status || net->tally.refused[i].listener != listener))
            continue;
        net->tally.refused[i].listener = listener;
        net->tally.refused[i].status = (uint16_t)status;
        net->tally.refused[i].count++;
        net->tally_changed = true;
        return;
    }
}

static void answer_text(struct connection *c, int status, const char *text)
{
    c->answer = (struct answer_message){.status = status};
    memcpy(c->answer.content_type, text_plain, sizeof text_plain);
    buf_free(&c->answer_body);
    buf_init(&c->answer_body, 4096);
    buf_text(&c->answer_body, text);
    c->answered = true;
    tally(c, status);
}

static enum MHD_Result respond_text(struct connection *c, int status, const char *text)
{
    answer_text(c, status, text);
    return respond(c);
}

/* Copies a header's value; one that is too long cannot be meant for us. */
static bool value_copy(char *out, size_t size, const char *value)
{
    size_t len = value ? strlen(value) : 0;
    if (len >= size)
        return false;
    memcpy(out, value ? value : "", len + 1);
    return true;
}

struct taking {
    struct request_message *request;
    unsigned encodings;
    bool encoding_known;
};
#define FIELD(name) offsetof(struct request_message, name), sizeof(((struct request_message *)0)->name)

static enum MHD_Result header_take(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    static const struct {
        const char *name;
        size_t offset, size;
        bool once;
    } kept[] = {
        {"Host", FIELD(host), true},           {"Signature-Input", FIELD(signature_input), true},
        {"Signature", FIELD(signature), true}, {"If-None-Match", FIELD(if_none_match), false},
        {"Range", FIELD(range), false},
    };
    struct taking *t = ctx;
    (void)kind;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        char *to = (char *)t->request + kept[i].offset;
        if (strcasecmp(key, kept[i].name) != 0)
            continue;
        bool again = *to != 0;
        if ((again || !value_copy(to, kept[i].size, value)) && kept[i].once)
            t->request->twice = 1;
    }
    if (strcasecmp(key, "Content-Encoding") == 0) {
        t->encodings++;
        t->encoding_known = value && (strcasecmp(value, "gzip") == 0 || strcasecmp(value, "x-gzip") == 0);
    }
    return MHD_YES;
}

static void address_write(struct connection *c, char *out, size_t size)
{
    const struct sockaddr *from = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    const void *bytes =
        from->sa_family == AF_INET    ? (const void *)&((const struct sockaddr_in *)(const void *)from)->sin_addr
        : from->sa_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr
                                      : NULL;
    if (!bytes || !inet_ntop(from->sa_family, bytes, out, (socklen_t)size))
        *out = 0;
}

/* The whole request goes to the node; the connection waits for its answer. */
static enum MHD_Result hand_over(struct connection *c, const char *method, const char *path)
{
    struct request_message request = {.token = ++c->net->next_token};
    struct taking taking = {.request = &request};
    while (request.method < METHODS - 1 && strcmp(method, method_names[request.method]) != 0)
        request.method++;
    if (!value_copy(request.path, sizeof request.path, path))
        return respond_text(c, 404, "no such route\n");
    if (c->metrics && strcmp(path, "/metrics") != 0)
        return respond_text(c, 404, "GET /metrics only\n");
    if (c->metrics && request.method > METHOD_HEAD)
        return respond_text(c, 405, "GET /metrics only\n");
    (void)MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, header_take, &taking);
    if (taking.encodings &&
        (taking.encodings > 1 || !taking.encoding_known || !route_takes_gzip(method, span_str(path))))
        return respond_text(c, 415, "this content encoding is not taken here\n");
    if (c->net->node.fd < 0)
        return respond_text(c, 503, node_away);
    request.metrics = c->metrics;
    request.gzip = taking.encodings > 0;
    address_write(c, request.address, sizeof request.address);
    c->token = request.token;
    c->suspended = true;
    MHD_suspend_connection(c->mhd);
    channel_send(&c->net->node, MESSAGE_REQUEST, &request, sizeof request, &c->body);
    return MHD_YES;
}

static void refuse_later(struct connection *c, int status, const char *text)
{
    c->refused = status;
    c->refusal = text;
    buf_free(&c->body);
    unhold(c);
}

/* At a request's head, before any of its body: let in, or to be refused. The refusal is said when the rest of a small body has been
   read: an answer before that would be lost with the connection. */
static enum MHD_Result begin(struct connection *c, const char *method, const char *version)
{
    struct gate_head head = {.method = span_str(method), .version = span_str(version), .target = span_str(c->target)};
    c->begun = true;
    (void)MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, head_visit, &head);
    head.bytes = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    if (c->row && !quota_request(c->row, monotonic_ms()))
        refuse_later(c, 429, "too many requests from this address; try again\n");
    size_t body_max = route_body_max(method, gate_path(head.target));
    struct gate_verdict verdict = gate_check(&head, body_max);
    buf_init(&c->body, body_max);
    if (c->refused)
        verdict.status = c->refused;
    else if (verdict.status)
        refuse_later(c, verdict.status, verdict.text);
    else if (verdict.length != UINT64_MAX && !hold(c, (size_t)verdict.length))
        refuse_later(c, 503, overloaded);
    return c->refused && (!verdict.has_body || verdict.length > HTTP_DISCARD_MAX)
               ? respond_text(c, c->refused, c->refusal)
               : MHD_YES;
}

/* False when a refused body goes on and on. */
static bool body_add(struct connection *c, const char *data, size_t size)
{
    if (c->refused) {
        c->discarded += size;
        return c->discarded <= HTTP_DISCARD_MAX;
    }
    buf_add(&c->body, data, size);
    if (c->body.error)
        refuse_later(c, c->body.error == E_LIMIT ? 413 : 503, "the body is too large for this path\n");
    else if (c->body.len > c->held && !hold(c, c->body.len - c->held))
        refuse_later(c, 503, overloaded);
    return true;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *path, const char *method,
                                  const char *version, const char *data, size_t *size, void **context)
{
    struct connection *c = *context;
    (void)ctx;
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
    if (c->answered)
        return respond(c);
    if (c->token)
        return MHD_YES;
    return c->refused ? respond_text(c, c->refused, c->refusal) : hand_over(c, method, path);
}

static struct connection *connection_new(struct net *net, const char *target)
{
    struct connection *c = calloc(1, sizeof *c);
    char *copy = strndup(target, TARGET_BYTES_MAX + 1);
    if (!c || !copy) {
        free(c);
        free(copy);
        return NULL;
    }
    c->net = net;
    c->target = copy;
    c->next = net->connections;
    net->connections = c;
    net->tally_changed = true;
    return c;
}

/* The library calls these with the target as it came, before it reads anything into it. */
static void *public_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    struct connection *c = connection_new(ctx, target);
    if (c)
        c->row = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    return c;
}

static void *metrics_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    struct connection *c = connection_new(ctx, target);
    (void)mhd;
    if (c)
        c->metrics = true;
    return c;
}

static void completed(void *ctx, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
    struct net *net = ctx;
    struct connection *c = *context, **at = &net->connections;
    (void)mhd;
    (void)code;
    while (*at && *at != c)
        at = &(*at)->next;
    if (!c || !*at)
        return;
    *at = c->next;
    unhold(c);
    buf_free(&c->body);
    buf_free(&c->answer_body);
    free(c->target);
    free(c);
    *context = NULL;
    net->tally_changed = true;
}

static void resume(struct connection *c)
{
    if (c->suspended)
        MHD_resume_connection(c->mhd);
    c->suspended = false;
    c->net->resumed = true;
}

/* A slow reader keeps the answer in memory, so that it counts as a body does. */
void http_answer(struct net *net, const struct answer_message *answer, struct buf *body)
{
    struct connection *c = net->connections;
    while (c && (c->token != answer->token || c->answered))
        c = c->next;
    if (!c)
        return;
    unhold(c);
    if (!hold(c, body->len)) {
        answer_text(c, 503, overloaded);
    } else {
        c->answer = *answer;
        c->answer_body = *body;
        buf_init(body, 0);
        c->answered = true;
    }
    resume(c);
}

void http_node_lost(struct net *net)
{
    for (struct connection *c = net->connections; c; c = c->next)
        if (c->token && !c->answered) {
            answer_text(c, 503, node_away);
            resume(c);
        }
}

/* IPv4 as it is mapped into IPv6; of IPv6 the half that names a customer. */
static void address_key(const struct sockaddr *from, uint8_t key[static 16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memset(key, 0, 16);
    if (from->sa_family == AF_INET) {
        memcpy(key, mapped, sizeof mapped);
        memcpy(key + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    } else if (from->sa_family == AF_INET6) {
        const uint8_t *bytes = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr.s6_addr;
        memcpy(key, bytes, memcmp(bytes, mapped, sizeof mapped) == 0 ? 16 : 8);
    }
}

void http_known(struct net *net, const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    uint8_t key[16];
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        address_key((const struct sockaddr *)&v4, key);
    else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
        address_key((const struct sockaddr *)&v6, key);
    else
        return;
    struct quota_row *row = quota_row(&net->quota, key, monotonic_ms());
    if (row && !row->known) {
        row->known = true;
        net->strangers -= row->users < net->strangers ? row->users : net->strangers;
    }
}

/* Some connections are kept for known peers, whoever else comes. */
static enum MHD_Result accepts(void *ctx, const struct sockaddr *from, socklen_t len)
{
    struct net *net = ctx;
    uint8_t key[16];
    (void)len;
    address_key(from, key);
    const struct quota_row *row = quota_row(&net->quota, key, monotonic_ms());
    return row && (row->known || net->strangers < HTTP_CONNECTIONS_MAX - HTTP_CONNECTIONS_KNOWN) ? MHD_YES : MHD_NO;
}

static void connected(void *ctx, struct MHD_Connection *mhd, void **socket, enum MHD_ConnectionNotificationCode code)
{
    struct net *net = ctx;
    struct quota_row *row = *socket;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        uint8_t key[16];
        address_key(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr, key);
        *socket = row = quota_row(&net->quota, key, monotonic_ms());
        if (row)
            row->users++;
        net->strangers += row && !row->known;
    } else if (row) {
        row->users--;
        net->strangers -= !row->known && net->strangers;
    }
}

typedef void *target_callback(void *ctx, const char *target, struct MHD_Connection *mhd);

static struct MHD_Daemon *daemon_start(struct net *net, int fd, target_callback *target)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, accepts, net, on_request, net, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_URI_LOG_CALLBACK, target, net, MHD_OPTION_NOTIFY_CONNECTION, connected, net,
        MHD_OPTION_NOTIFY_COMPLETED, completed, net, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_END);
}

int http_open(struct net *net, int public_fd, int metrics_fd)
{
    net->public_daemon = daemon_start(net, public_fd, public_target);
    net->metrics_daemon = metrics_fd >= 0 ? daemon_start(net, metrics_fd, metrics_target) : NULL;
    return net->public_daemon && (net->metrics_daemon || metrics_fd < 0) ? 0 : E_STATE;
}

void http_close(struct net *net)
{
    http_node_lost(net);
    (void)MHD_run(net->public_daemon);
    MHD_stop_daemon(net->public_daemon);
    if (net->metrics_daemon)
        MHD_stop_daemon(net->metrics_daemon);
}
