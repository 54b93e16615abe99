#include "node/http.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sys/epoll.h>

#include "base/limits.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "format/cbor.h"

enum { IDLE_SECONDS = 15, API_CONNECTIONS_MAX = 64 };
static const size_t bodies_bytes_max = 8 * (size_t)HTTP_BODY_MAX; /* of all requests together */
static const char plain[] = "text/plain; charset=utf-8";

struct http {
    struct loop *loop;
    struct MHD_Daemon *daemons[2]; /* public, private */
    struct exchange *first;        /* suspended ones */
    size_t bodies_bytes;
};

/* Public requests that change something. */
struct write_route {
    const char *method, *path; /* a path that ends in '/' is followed by the hash of a document */
    enum request_kind kind;
    size_t body_max;
    bool gzip;
};
static const struct write_route write_routes[] = {
    {"POST", "/mirror/add-checkpoint", REQ_MIRROR_ADD_CHECKPOINT, 2 * NOTE_BYTES_MAX, false},
    {"POST", "/mirror/add-entries", REQ_MIRROR_ADD_ENTRIES, HTTP_BODY_MAX, true},
    {"POST", "/witness/add-checkpoint", REQ_WITNESS_ADD_CHECKPOINT, 2 * NOTE_BYTES_MAX, false},
    {"PUT", "/documents/", REQ_PUT_DOCUMENT, DOCUMENT_BYTES_MAX, false},
    {"POST", "/announce", REQ_ANNOUNCE, 2 * NOTE_BYTES_MAX, false},
};
enum { WRITE_ROUTES = sizeof write_routes / sizeof write_routes[0] };

/* Answers */

void exchange_text(struct exchange *x, int status, const char *content_type, const char *text)
{
    x->status = status;
    x->content_type = content_type;
    buf_reset(&x->out);
    buf_text(&x->out, text);
}

static void refuse(struct exchange *x, int status, const char *text)
{
    exchange_text(x, status, plain, text);
    x->close = true;
}

static void header_set(struct MHD_Response *response, const char *name, const char *value)
{
    if (value && value[0])
        (void)MHD_add_response_header(response, name, value);
}

static struct span header_of(struct exchange *x, const char *name)
{
    const char *value = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
    return span_str(value ? value : "");
}

enum range_kind range_parse(struct span header, uint64_t size, uint64_t *from, uint64_t *to)
{
    if (!span_starts(header, "bytes="))
        return RANGE_NONE;
    struct span range = span_from(header, 6);
    const uint8_t *dash = range.len ? memchr(range.data, '-', range.len) : NULL;
    if (!dash || !decimal_parse(span_of(range.data, (size_t)(dash - range.data)), from))
        return RANGE_NONE;
    struct span last = span_from(range, (size_t)(dash - range.data) + 1);
    *to = size ? size - 1 : 0;
    if (last.len) {
        uint64_t end;
        if (!decimal_parse(last, &end) || end < *from)
            return RANGE_NONE;
        *to = end < *to ? end : *to;
    }
    return *from >= size ? RANGE_OUTSIDE : RANGE_PART;
}

/* A comma-separated list of entity tags, or "*": a weak comparison, as RFC 9110 section 13.1.2 wants. */
static bool etag_listed(struct span list, const char *etag)
{
    while (list.len) {
        const uint8_t *comma = memchr(list.data, ',', list.len);
        size_t n = comma ? (size_t)(comma - list.data) : list.len;
        struct span one = span_of(list.data, n);
        while (one.len && one.data[0] == ' ')
            one = span_from(one, 1);
        while (one.len && one.data[one.len - 1] == ' ')
            one.len--;
        if (span_starts(one, "W/"))
            one = span_from(one, 2);
        if (span_is(one, "*") || span_is(one, etag))
            return true;
        list = span_from(list, n + 1);
    }
    return false;
}

/* Conditional and partial answers to a good GET or HEAD. `content_range` gets its header's value, or stays empty. */
static void conditions_apply(struct exchange *x, char etag[static 40], char content_range[static 80])
{
    struct hash hash;
    char hex[65];
    uint64_t from, to;
    sha256(buf_view(&x->out), &hash);
    hash_hex(&hash, hex);
    (void)snprintf(etag, 40, "\"%.32s\"", hex);
    if (etag_listed(header_of(x, "If-None-Match"), etag)) {
        x->status = 304;
        buf_reset(&x->out);
        return;
    }
    struct span if_range = header_of(x, "If-Range");
    if (if_range.len && !span_is(if_range, etag))
        return;
    unsigned long long size = x->out.len;
    switch (range_parse(header_of(x, "Range"), size, &from, &to)) {
    case RANGE_PART:
        x->status = 206;
        (void)snprintf(content_range, 80, "bytes %llu-%llu/%llu", (unsigned long long)from, (unsigned long long)to, size);
        memmove(x->out.data, x->out.data + from, (size_t)(to - from + 1));
        x->out.len = (size_t)(to - from + 1);
        break;
    case RANGE_OUTSIDE:
        x->status = 416;
        (void)snprintf(content_range, 80, "bytes */%llu", size);
        buf_reset(&x->out);
        break;
    case RANGE_NONE:
        break;
    }
}

static enum MHD_Result respond(struct exchange *x)
{
    char etag[40] = "", content_range[80] = "";
    if (x->out.error)
        refuse(x, 500, "the answer is too large\n");
    if (x->cacheable && x->status == 200)
        conditions_apply(x, etag, content_range);
    struct MHD_Response *response = MHD_create_response_from_buffer(x->out.len, x->out.data, MHD_RESPMEM_MUST_FREE);
    if (!response)
        return MHD_NO;
    x->out = (struct buf){0}; /* the response frees it */
    header_set(response, "Content-Type", x->status == 304 ? "" : x->content_type);
    header_set(response, "ETag", etag);
    header_set(response, "Content-Range", content_range);
    header_set(response, "Accept-Ranges", etag[0] ? "bytes" : "");
    header_set(response, "Cache-Control", x->immutable && x->status < 400 ? "public, max-age=31536000, immutable" : "no-store");
    header_set(response, "Comity-Receipt", x->receipt);
    header_set(response, "Location", x->location);
    header_set(response, "Allow", x->allow);
    header_set(response, "X-Content-Type-Options", "nosniff");
    header_set(response, "Connection", x->close ? "close" : "");
    enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)x->status, response);
    MHD_destroy_response(response);
    return result;
}

/* The gate: what two parsers could read in two ways is refused. */

struct gate {
    unsigned hosts, lengths, encodings;
    bool bad, chunked;
    const char *end;  /* behind the last value */
};

static enum MHD_Result gate_header(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_len, const char *value, size_t value_len)
{
    struct gate *gate = ctx;
    (void)kind;
    gate->hosts += strcasecmp(key, "Host") == 0;
    gate->lengths += strcasecmp(key, "Content-Length") == 0;
    if (strcasecmp(key, "Transfer-Encoding") == 0) {
        gate->encodings++;
        gate->chunked = value && strcasecmp(value, "chunked") == 0;
    }
    gate->bad = gate->bad || strlen(key) != key_len || !value || strlen(value) != value_len;
    /* The server ends lines by NULs in its own buffer; more than a line's end between value and next key is a NUL that was sent. */
    if (gate->end && key > gate->end && key - gate->end < 65536)
        for (const char *p = gate->end; p < key; p++)
            gate->bad = gate->bad || (*p != 0 && *p != ' ' && *p != '\t' && *p != '\r' && *p != '\n');
    gate->end = value ? value + value_len : NULL;
    return MHD_YES;
}

static bool gate_pass(struct exchange *x, const char *version)
{
    struct gate gate = {0};
    (void)MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, gate_header, &gate);
    bool body = gate.lengths || gate.encodings, old = strcmp(version, "HTTP/1.1") != 0;
    bool reading = x->head || !x->route;
    if (gate.end && gate.end[1] != 0 && gate.end[1] != '\r' && gate.end[1] != '\n')
        gate.bad = true; /* the same behind the last value */
    /* behind the target comes the version; a difference is a NUL that was sent */
    if (version > x->raw && version - x->raw < 65536 && (size_t)(version - x->raw) != strlen(x->target) + 1)
        gate.bad = true;
    if (gate.bad || x->target_bad || gate.hosts > 1 || (gate.hosts == 0 && !old) || gate.lengths > 1 || gate.encodings > 1 ||
        (gate.lengths && gate.encodings) || (gate.encodings && (!gate.chunked || old)))
        return false;
    return x->api || !reading || !body || span_is(header_of(x, "Content-Length"), "0");
}

/* Requests */

static void *target_take(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->http = ctx;
    x->connection = connection;
    x->raw = target;
    x->target_bad = strlen(target) > TARGET_BYTES_MAX || target[0] != '/';
    for (const char *p = target; *p; p++)
        x->target_bad = x->target_bad || (unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f;
    (void)snprintf(x->target, sizeof x->target, "%s", target);
    buf_init(&x->out, HTTP_BODY_MAX + 65536);
    return x;
}

static void target_split(struct exchange *x)
{
    size_t n = strcspn(x->target, "?");
    x->path = span_of(x->target, n);
    x->query = span_from(span_str(x->target), n + 1);
}

static void body_drop(struct exchange *x)
{
    x->http->bodies_bytes -= x->body.len;
    buf_free(&x->body);
}

static void exchange_unlink(struct exchange *x)
{
    if (x->prev)
        x->prev->next = x->next;
    else if (x->http->first == x)
        x->http->first = x->next;
    if (x->next)
        x->next->prev = x->prev;
    x->prev = x->next = NULL;
    x->suspended = false;
}

static void completed(void *ctx, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *request;
    (void)ctx;
    (void)connection;
    (void)code;
    if (!x)
        return;
    if (x->suspended)
        exchange_unlink(x);
    body_drop(x);
    buf_free(&x->out);
    free(x);
    *request = NULL;
}

void exchange_queue(struct exchange *x, struct queued *queued)
{
    x->token = queued->event.token = ++x->http->loop->next_token;
    x->next = x->http->first;
    if (x->next)
        x->next->prev = x;
    x->http->first = x;
    x->suspended = true;
    MHD_suspend_connection(x->connection);
    loop_queue(x->http->loop, queued);
}

static const struct write_route *route_find(struct exchange *x, const char *method)
{
    for (size_t i = 0; i < WRITE_ROUTES; i++) {
        const struct write_route *route = &write_routes[i];
        size_t n = strlen(route->path);
        if (strcmp(method, route->method) != 0)
            continue;
        if (span_is(x->path, route->path) && route->path[n - 1] != '/')
            return route;
        if (route->path[n - 1] == '/' && span_starts(x->path, route->path) && hash_parse(span_from(x->path, n), &x->document))
            return route;
    }
    return NULL;
}

/* RFC 9290, as SCRAPI wants it: this service registers only its owner's statements. */
static void entries_refuse(struct exchange *x)
{
    exchange_text(x, 403, "application/concise-problem-details+cbor", "");
    cbor_put_map(&x->out, 2);
    cbor_put_int(&x->out, -1);
    cbor_put_text(&x->out, span_str("Registration refused"));
    cbor_put_int(&x->out, -2);
    cbor_put_text(&x->out, span_str("This service registers statements of its own party only"));
    x->close = true;
}

static void public_get(struct exchange *x)
{
    struct served served;
    node_serve(x->http->loop->node, x->path, false, &served);
    buf_free(&x->out);
    x->out = served.body;
    x->status = served.status;
    x->content_type = served.content_type;
    x->immutable = served.immutable;
    x->cacheable = true;
    (void)snprintf(x->location, sizeof x->location, "%s", served.location);
}

static bool encoding_good(struct exchange *x)
{
    struct span encoding = header_of(x, "Content-Encoding");
    bool gzip = encoding.len == 4 && strncasecmp((const char *)encoding.data, "gzip", 4) == 0;
    return !encoding.len || span_is(encoding, "identity") || (gzip && x->route->gzip);
}

/* What can be said before the body is read. */
static void public_begin(struct exchange *x, const char *method)
{
    bool reads = x->head || strcmp(method, "GET") == 0;
    if (!reads && !x->route) {
        if (strcmp(method, "POST") == 0 && span_is(x->path, "/entries")) {
            entries_refuse(x);
        } else {
            refuse(x, 405, "this method is not for this path\n");
            (void)snprintf(x->allow, sizeof x->allow, "GET, HEAD");
        }
    } else if (!reads && !encoding_good(x)) {
        refuse(x, 415, "this content encoding is not taken here\n");
    }
}

static void length_check(struct exchange *x)
{
    uint64_t length = 0;
    struct span header = header_of(x, "Content-Length");
    if (header.len && !decimal_parse(header, &length))
        refuse(x, 400, "Content-Length is not a canonical number\n");
    else if (length > x->body_max)
        refuse(x, 413, "the body is over the limit of this path\n");
    else if (length + x->http->bodies_bytes > bodies_bytes_max)
        refuse(x, 503, "too many large requests at once; try again later\n");
}

static void request_begin(struct exchange *x, const char *method, const char *version)
{
    target_split(x);
    x->started = true;
    x->head = strcmp(method, "HEAD") == 0;
    x->route = x->api ? NULL : route_find(x, method);
    x->body_max = x->route ? x->route->body_max : x->api ? (size_t)HTTP_BODY_MAX : 0;
    if (x->api && span_is(x->path, "/api/v1/inventories"))
        x->body_max = INVENTORY_BYTES_MAX;
    bool reads = x->head || strcmp(method, "GET") == 0;
    if (!gate_pass(x, version) && (reads || x->route || x->api))
        refuse(x, 400, "the request can be read in more than one way\n");
    else if (!x->api)
        public_begin(x, method);
    if (!x->status && x->body_max)
        length_check(x);
    buf_init(&x->body, x->body_max);
}

/* The caller of the private API must be of our own user, or root. */
static bool caller_good(struct MHD_Connection *connection)
{
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t len = sizeof who;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == geteuid() || who.uid == 0);
}

static bool body_take(struct exchange *x, const char *data, size_t len)
{
    size_t before = x->body.len;
    if (x->http->bodies_bytes + len > bodies_bytes_max)
        return false;
    buf_add(&x->body, data, len);
    x->http->bodies_bytes += x->body.len - before;
    return !x->body.error;
}

static void public_write(struct exchange *x)
{
    struct queued *queued = queued_new(EVENT_REQUEST, 0);
    if (header_of(x, "Content-Encoding").len && !span_is(header_of(x, "Content-Encoding"), "identity")) {
        buf_init(&queued->body, HTTP_BODY_MAX);
        int rc = gzip_inflate(buf_view(&x->body), &queued->body);
        body_drop(x);
        if (rc) {
            buf_free(&queued->body);
            free(queued);
            refuse(x, rc == E_LIMIT ? 413 : 400, "the body is not good gzip, or too large\n");
            return;
        }
    } else {
        x->http->bodies_bytes -= x->body.len;
        queued->body = x->body;
        x->body = (struct buf){0};
    }
    queued->event.request = x->route->kind;
    queued->event.hash = x->document;
    exchange_queue(x, queued);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *data, size_t *len, void **request)
{
    struct exchange *x = *request;
    (void)ctx;
    (void)url;
    if (!x)
        return MHD_NO;
    if (x->api && !caller_good(connection))
        return MHD_NO;
    if (!x->started) {
        request_begin(x, method, version);
        return x->status ? respond(x) : MHD_YES;
    }
    if (*len) {
        bool good = body_take(x, data, *len);
        *len = 0;
        return good ? MHD_YES : MHD_NO; /* no answer can be queued in mid-body: the connection is cut */
    }
    if (!x->status && !x->suspended) {
        if (x->api)
            api_handle(x->http->loop, x, method);
        else if (x->route)
            public_write(x);
        else
            public_get(x);
    }
    return x->status ? respond(x) : MHD_YES;
}

static void *target_take_api(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct exchange *x = target_take(ctx, target, connection);
    if (x)
        x->api = true;
    return x;
}

/* Opening and running */

static size_t unescape_nothing(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text); /* no public path has escapes; the API decodes its own parameters */
}

static struct MHD_Daemon *daemon_start(struct http *http, int fd, bool api)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, http, MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)(api ? API_CONNECTIONS_MAX : HTTP_CONNECTIONS_MAX), MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                            (unsigned)(api ? 0 : CONNECTIONS_PER_ADDRESS_MAX), MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
                            MHD_OPTION_NOTIFY_COMPLETED, completed, http, MHD_OPTION_URI_LOG_CALLBACK,
                            api ? target_take_api : target_take, http, MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL,
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

int http_open(struct http **out, struct loop *loop, int public_fd, int unix_fd, struct fault *fault)
{
    struct http *http = calloc(1, sizeof *http);
    int fds[2] = {public_fd, unix_fd};
    if (!http)
        return fail(fault, E_NOMEM, "http");
    http->loop = loop;
    for (int i = 0; i < 2; i++) {
        http->daemons[i] = daemon_start(http, fds[i], i == 1);
        const union MHD_DaemonInfo *info = http->daemons[i] ? MHD_get_daemon_info(http->daemons[i], MHD_DAEMON_INFO_EPOLL_FD) : NULL;
        if (!info || watch_add(loop->epoll, WATCH_HTTP, info->epoll_fd, EPOLLIN) != 0) {
            http_close(http);
            return fail(fault, E_IO, "the HTTP server does not start");
        }
    }
    *out = http;
    return 0;
}

void http_run(struct http *http)
{
    for (int i = 0; i < 2; i++)
        (void)MHD_run(http->daemons[i]);
}

int64_t http_wait_ms(struct http *http)
{
    int64_t wait = INT64_MAX;
    for (int i = 0; i < 2; i++) {
        MHD_UNSIGNED_LONG_LONG ms;
        if (MHD_get_timeout(http->daemons[i], &ms) == MHD_YES && ms < (uint64_t)wait)
            wait = (int64_t)ms;
    }
    return wait;
}

static void resume(struct exchange *x)
{
    exchange_unlink(x);
    MHD_resume_connection(x->connection);
}

void http_reply(struct http *http, uint64_t token, int status, const char *content_type, const char *receipt, struct buf *body)
{
    for (struct exchange *x = http->first; x; x = x->next)
        if (x->token == token) {
            buf_free(&x->out);
            x->out = *body;
            *body = (struct buf){0};
            x->status = status;
            x->content_type = content_type;
            (void)snprintf(x->receipt, sizeof x->receipt, "%s", receipt);
            resume(x);
            return;
        }
}

void http_close(struct http *http)
{
    if (!http)
        return;
    while (http->first) {
        struct exchange *x = http->first;
        refuse(x, 503, "the node is stopping\n");
        resume(x);
    }
    for (int i = 0; i < 2; i++)
        if (http->daemons[i]) {
            (void)MHD_run(http->daemons[i]);
            const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemons[i], MHD_DAEMON_INFO_EPOLL_FD);
            if (info)
                watch_drop(http->loop->epoll, info->epoll_fd);
            MHD_stop_daemon(http->daemons[i]);
        }
    free(http);
}
