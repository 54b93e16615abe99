#include "node/outgoing.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/limits.h"

enum { TIMEOUT_MS = 15000, CONNECT_TIMEOUT_MS = 5000, HEADERS_BYTES_MAX = 65536, CONNECTIONS_MAX = 128, PER_HOST_MAX = 4 };

struct transfer {
    struct outgoing *owner;
    struct transfer *prev, *next;
    CURL *easy;
    struct curl_slist *headers;
    struct buf sent, body;
    struct outgoing_request request; /* its texts are not valid any more */
    size_t header_bytes;
    char receipt[256], content_type[MEDIA_BYTES_MAX + 1];
};
struct outgoing {
    CURLM *multi;
    int epoll;
    int64_t due_ms;
    struct transfer *first;
};

/* Callbacks of libcurl */

static size_t body_write(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    buf_add(&t->body, data, size * count);
    return t->body.error ? 0 : size * count;
}

static void header_keep(struct span line, const char *name, char *out, size_t out_bytes)
{
    size_t n = strlen(name);
    if (line.len <= n || strncasecmp((const char *)line.data, name, n) != 0 || line.data[n] != ':')
        return;
    struct span value = span_from(line, n + 1);
    while (value.len && (value.data[0] == ' ' || value.data[0] == '\t'))
        value = span_from(value, 1);
    while (value.len && value.data[value.len - 1] <= ' ')
        value.len--;
    if (value.len >= out_bytes || memchr(value.data, 0, value.len))
        value.len = 0;
    memcpy(out, value.data, value.len);
    out[value.len] = 0;
}

static size_t header_write(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct span line = span_of(data, size * count);
    t->header_bytes += line.len;
    if (t->header_bytes > HEADERS_BYTES_MAX)
        return 0;
    if (span_starts(line, "HTTP/")) /* after an interim answer */
        t->receipt[0] = t->content_type[0] = 0;
    header_keep(line, "comity-receipt", t->receipt, sizeof t->receipt);
    header_keep(line, "content-type", t->content_type, sizeof t->content_type);
    return line.len;
}

static int socket_watch(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    static const uint32_t events[] = {[CURL_POLL_IN] = EPOLLIN, [CURL_POLL_OUT] = EPOLLOUT, [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT};
    struct outgoing *o = ctx;
    (void)easy;
    (void)socket_ctx;
    if (what == CURL_POLL_REMOVE)
        watch_drop(o->epoll, fd);
    else
        (void)watch_add(o->epoll, WATCH_CURL, fd, events[what]);
    return 0;
}

static int timer_set(CURLM *multi, long timeout_ms, void *ctx)
{
    struct outgoing *o = ctx;
    (void)multi;
    o->due_ms = timeout_ms < 0 ? INT64_MAX : loop_steady_ms() + timeout_ms;
    return 0;
}

/* Opening */

int outgoing_open(struct outgoing **out, int epoll, struct fault *fault)
{
    struct outgoing *o = calloc(1, sizeof *o);
    if (!o || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(o->multi = curl_multi_init())) {
        free(o);
        return fail(fault, E_NOMEM, "libcurl");
    }
    o->epoll = epoll;
    o->due_ms = INT64_MAX;
    (void)curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, socket_watch);
    (void)curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, o);
    (void)curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, timer_set);
    (void)curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, o);
    (void)curl_multi_setopt(o->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX);
    (void)curl_multi_setopt(o->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)PER_HOST_MAX);
    (void)curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
    *out = o;
    return 0;
}

static void transfer_free(struct transfer *t)
{
    struct outgoing *o = t->owner;
    if (t->easy) {
        (void)curl_multi_remove_handle(o->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    if (t->prev)
        t->prev->next = t->next;
    else if (o->first == t)
        o->first = t->next;
    if (t->next)
        t->next->prev = t->prev;
    curl_slist_free_all(t->headers);
    buf_free(&t->sent);
    buf_free(&t->body);
    free(t);
}

void outgoing_close(struct outgoing *o)
{
    if (!o)
        return;
    while (o->first)
        transfer_free(o->first);
    (void)curl_multi_cleanup(o->multi);
    free(o);
}

/* Sending */

static bool header_add(struct transfer *t, const char *line)
{
    struct curl_slist *list = curl_slist_append(t->headers, line);
    if (list)
        t->headers = list;
    return list != NULL;
}

static bool headers_set(struct transfer *t, const struct outgoing_request *r)
{
    char line[MEDIA_BYTES_MAX + 32];
    bool good = header_add(t, "Expect:") && header_add(t, "Accept:") && (!r->header || header_add(t, r->header));
    if (good && t->sent.len) {
        (void)snprintf(line, sizeof line, "Content-Type: %s", r->content_type ? r->content_type : "application/octet-stream");
        good = header_add(t, line);
    }
    return good;
}

static CURLcode body_set(struct transfer *t, const struct outgoing_request *r)
{
    char range[24];
    if (strcmp(r->method, "GET") == 0) {
        if (!r->range_from)
            return CURLE_OK;
        (void)snprintf(range, sizeof range, "%llu-", (unsigned long long)r->range_from);
        return curl_easy_setopt(t->easy, CURLOPT_RANGE, range);
    }
    CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->sent.len);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->sent.len ? (const char *)t->sent.data : "");
    return rc == CURLE_OK ? curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, r->method) : rc;
}

static CURLcode limits_set(struct transfer *t, const struct outgoing_request *r)
{
    CURL *c = t->easy;
    long timeout = r->timeout_ms ? (long)r->timeout_ms : TIMEOUT_MS;
    CURLcode rc = curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout);
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_TIMEOUT_MS ? timeout : (long)CONNECT_TIMEOUT_MS);
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return rc ? rc : curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
}

static CURLcode callbacks_set(struct transfer *t)
{
    CURL *c = t->easy;
    CURLcode rc = curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_write);
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header_write);
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_USERAGENT, "comity");
    rc = rc ? rc : curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
    return rc ? rc : curl_easy_setopt(c, CURLOPT_PRIVATE, t);
}

static bool transfer_start(struct transfer *t, const struct outgoing_request *r)
{
    t->easy = curl_easy_init();
    return t->easy && headers_set(t, r) && curl_easy_setopt(t->easy, CURLOPT_URL, r->url) == CURLE_OK && body_set(t, r) == CURLE_OK &&
           limits_set(t, r) == CURLE_OK && callbacks_set(t) == CURLE_OK && curl_multi_add_handle(t->owner->multi, t->easy) == CURLM_OK;
}

void outgoing_send(struct outgoing *o, struct outgoing_request *request)
{
    static const struct outgoing_answer none = {0};
    struct transfer *t = calloc(1, sizeof *t);
    if (!t) {
        buf_free(&request->body);
        request->done(request->ctx, request->token, &none);
        return;
    }
    t->owner = o;
    t->request = *request;
    t->sent = request->body;
    request->body = (struct buf){0};
    buf_init(&t->body, request->body_max);
    if (!transfer_start(t, request)) {
        transfer_free(t);
        request->done(request->ctx, request->token, &none);
        return;
    }
    t->next = o->first;
    if (t->next)
        t->next->prev = t;
    o->first = t;
}

/* Answers */

static struct outgoing_answer answer_of(struct transfer *t, CURLcode result)
{
    struct outgoing_answer answer = {0};
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_OK)
        answer.status = (int)status;
    else if (!t->body.error && t->body.len && (status == 206 || (status == 200 && !t->request.range_from)))
        answer.status = -1; /* what arrived begins where it was asked to begin, and is worth keeping */
    if (answer.status)
        answer.body = buf_view(&t->body);
    answer.content_type = span_str(t->content_type);
    answer.receipt = span_str(t->receipt);
    return answer;
}

static void answers_take(struct outgoing *o)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(o->multi, &left));) {
        struct transfer *t = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE || curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK || !t)
            continue;
        struct outgoing_answer answer = answer_of(t, result);
        t->request.done(t->request.ctx, t->request.token, &answer);
        transfer_free(t);
    }
}

void outgoing_ready(struct outgoing *o, int fd, uint32_t events)
{
    int running, flags = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                         (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    (void)curl_multi_socket_action(o->multi, fd, flags, &running);
    answers_take(o);
}

int64_t outgoing_due(const struct outgoing *o)
{
    return o->due_ms;
}

void outgoing_timer(struct outgoing *o, int64_t now_ms)
{
    int running;
    if (o->due_ms > now_ms)
        return;
    o->due_ms = INT64_MAX;
    (void)curl_multi_socket_action(o->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    answers_take(o);
}
