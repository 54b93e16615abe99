#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "node/engine.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "format/url.h"
#include "shell/net.h"

static size_t body_take(char *data, size_t size, size_t count, void *ctx)
{
    struct outgoing *out = ctx;
    if (!out->send.notice[0]) /* what a webhook says counts for nothing but its status */
        buf_add(&out->body, data, size * count);
    return out->body.error ? 0 : size * count;
}

static void header_keep(char *to, size_t size, const char *data, size_t len)
{
    while (len && (data[0] == ' ' || data[0] == '\t')) {
        data++;
        len--;
    }
    while (len && (data[len - 1] == '\r' || data[len - 1] == '\n' || data[len - 1] == ' '))
        len--;
    len = len < size ? len : size - 1;
    memcpy(to, data, len);
    to[len] = 0;
}

static size_t header_take(char *data, size_t size, size_t count, void *ctx)
{
    struct outgoing *out = ctx;
    size_t len = size * count;
    static const char receipt[] = "Comity-Receipt:", type[] = "Content-Type:";
    if (len > sizeof receipt && strncasecmp(data, receipt, sizeof receipt - 1) == 0)
        header_keep(out->result.receipt, sizeof out->result.receipt, data + sizeof receipt - 1,
                    len - (sizeof receipt - 1));
    else if (len > sizeof type && strncasecmp(data, type, sizeof type - 1) == 0)
        header_keep(out->result.content_type, sizeof out->result.content_type, data + sizeof type - 1,
                    len - (sizeof type - 1));
    return len;
}

static void header_add(struct outgoing *out, const char *name, const char *value)
{
    char text[HEADERS_BYTES_MAX / 8];
    if (!*value)
        return;
    (void)snprintf(text, sizeof text, "%s: %s", name, value);
    out->headers = curl_slist_append(out->headers, text);
}

/* The id in its own header, and as Standard Webhooks wants it. */
static void webhook_headers(struct outgoing *out)
{
    const struct send_message *send = &out->send;
    char timestamp[24];
    if (!send->notice[0])
        return;
    (void)snprintf(timestamp, sizeof timestamp, "%lld", (long long)send->webhook_timestamp);
    header_add(out, "Comity-Notice-Id", send->notice);
    header_add(out, "webhook-id", send->notice);
    header_add(out, "webhook-timestamp", timestamp);
    header_add(out, "webhook-signature", send->webhook_signature);
}

static void headers_set(struct outgoing *out)
{
    const struct send_message *send = &out->send;
    char range[64] = "";
    if (send->range_from)
        (void)snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)send->range_from);
    out->headers = curl_slist_append(NULL, "Expect:");
    header_add(out, "Content-Type", send->method == METHOD_GET ? "" : send->content_type);
    header_add(out, "Content-Encoding", send->content_encoding);
    header_add(out, "Range", range);
    header_add(out, "Signature-Input", send->signature_input);
    header_add(out, "Signature", send->signature);
    webhook_headers(out);
    (void)curl_easy_setopt(out->curl, CURLOPT_HTTPHEADER, out->headers);
}

static void options_set(struct outgoing *out)
{
    const struct send_message *send = &out->send;
    CURL *c = out->curl;
    (void)curl_easy_setopt(c, CURLOPT_URL, send->url);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)send->timeout_ms);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_take);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header_take);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, out);
    (void)curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    headers_set(out);
    if (send->method == METHOD_GET)
        return;
    (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method_names[send->method]);
    (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)out->request.len);
    (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, out->request.len ? (const char *)out->request.data : "");
}

struct outgoing *outgoing_new(size_t body_max)
{
    struct outgoing *out = calloc(1, sizeof *out);
    if (!out || !(out->curl = curl_easy_init())) {
        memory_exhausted(); /* ends the process, which is started again */
        abort();
    }
    buf_init(&out->body, body_max < HTTP_BODY_MAX ? body_max : HTTP_BODY_MAX);
    return out;
}

void outgoing_start(struct net *net, struct outgoing *out)
{
    out->next = net->outgoing;
    net->outgoing = out;
    (void)curl_multi_add_handle(net->multi, out->curl);
}

void outgoing_send(struct net *net, const struct send_message *send, struct buf *body)
{
    struct outgoing *out = outgoing_new((size_t)send->body_max);
    out->send = *send;
    out->request = *body;
    buf_init(body, 0);
    options_set(out);
    if (send->notice[0])
        certificates_set(net, out->curl);
    outgoing_start(net, out);
}

/* Sources outside of the circle: nothing is followed here, and no address of this machine or of a private network is asked unless the owner
   wants so, whatever a name resolves to. */

static bool starts(const char *data, size_t len, const char *name)
{
    size_t n = strlen(name);
    return len > n && strncasecmp(data, name, n) == 0;
}

/* Takes a number off the front, and the sign behind it (0: nothing is behind it). */
static bool number_take(struct span *rest, char sign, uint64_t *value)
{
    const uint8_t *at = sign && rest->len ? memchr(rest->data, sign, rest->len) : NULL;
    size_t digits = sign ? (size_t)(at ? at - rest->data : 0) : rest->len;
    bool good = (at || !sign) && decimal_parse(span_of(rest->data, digits), value);
    *rest = span_from(*rest, digits + (sign != 0));
    return good;
}

/* "bytes 10-19/200" */
static void content_range_take(struct fetched_message *to, const char *text)
{
    uint64_t from = 0, end = 0, total = 0;
    struct span rest = span_str(text);
    if (!span_starts(rest, "bytes "))
        return;
    rest = span_from(rest, strlen("bytes "));
    if (number_take(&rest, '-', &from) && number_take(&rest, '/', &end) && number_take(&rest, 0, &total) &&
        from <= end && end < total) {
        to->from = from;
        to->total = total;
    }
}

static size_t fetched_header_take(char *data, size_t size, size_t count, void *ctx)
{
    struct outgoing *out = ctx;
    struct fetched_message *to = &out->fetched;
    size_t len = size * count;
    char text[128] = "";
    uint64_t seconds;
    if (starts(data, len, "ETag:"))
        header_keep(to->etag, sizeof to->etag, data + 5, len - 5);
    else if (starts(data, len, "Last-Modified:"))
        header_keep(to->modified, sizeof to->modified, data + 14, len - 14);
    else if (starts(data, len, "Location:"))
        header_keep(to->location, sizeof to->location, data + 9, len - 9);
    else if (starts(data, len, "Content-Range:"))
        header_keep(text, sizeof text, data + 14, len - 14);
    else if (starts(data, len, "Retry-After:"))
        header_keep(text, sizeof text, data + 12, len - 12);
    if (starts(data, len, "Content-Range:"))
        content_range_take(to, text);
    else if (decimal_parse(span_str(text), &seconds))
        to->retry_after_s = seconds;
    return len;
}

static struct span address_bytes(const struct curl_sockaddr *address)
{
    const struct sockaddr *any = &address->addr;
    if (address->family == AF_INET)
        return span_of(&((const struct sockaddr_in *)(const void *)any)->sin_addr, 4);
    if (address->family == AF_INET6)
        return span_of(&((const struct sockaddr_in6 *)(const void *)any)->sin6_addr, 16);
    return span_of(NULL, 0);
}

static curl_socket_t socket_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    const struct outgoing *out = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN || (!out->fetch.inside && address_is_private(address_bytes(address))))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void fetch_headers_set(struct outgoing *out)
{
    const struct fetch_message *fetch = &out->fetch;
    char range[64] = "";
    bool part = fetch->from || fetch->to || fetch->last;
    if (fetch->last)
        (void)snprintf(range, sizeof range, "bytes=-%llu", (unsigned long long)fetch->last);
    else if (fetch->to)
        (void)snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)fetch->from,
                       (unsigned long long)fetch->to - 1);
    else if (part)
        (void)snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)fetch->from);
    header_add(out, "Range", range);
    header_add(out, part && !fetch->last ? "If-Range" : "If-None-Match", fetch->etag);
    header_add(out, "If-Modified-Since", part && !fetch->last ? "" : fetch->since);
    (void)curl_easy_setopt(out->curl, CURLOPT_HTTPHEADER, out->headers);
}

void outgoing_fetch(struct net *net, const struct fetch_message *fetch)
{
    struct outgoing *out = outgoing_new((size_t)fetch->body_max);
    CURL *c = out->curl;
    out->is_fetch = true;
    out->fetch = *fetch;
    (void)curl_easy_setopt(c, CURLOPT_URL, fetch->url);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(c, CURLOPT_PROXY, ""); /* behind one, no address could be looked at */
    (void)curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, socket_open);
    (void)curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, out);
    (void)curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L); /* of no connection that was opened for another feed */
    (void)curl_easy_setopt(c, CURLOPT_USERAGENT, "Comity/" COMITY_RELEASE);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)fetch->timeout_ms);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 15000L);
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 64L);
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 30L);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_take);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, fetched_header_take);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, out);
    fetch_headers_set(out);
    outgoing_start(net, out);
}

static void outgoing_free(struct net *net, struct outgoing *out)
{
    (void)curl_multi_remove_handle(net->multi, out->curl);
    curl_easy_cleanup(out->curl);
    curl_slist_free_all(out->headers);
    curl_slist_free_all(out->recipients);
    buf_free(&out->request);
    buf_free(&out->body);
    free(out);
}

/* Landlock knows files, not names: a resolv.conf that another has replaced is out of our reach, and only a new process finds it. */
static void resolver_check(CURLcode result)
{
    if (result == CURLE_COULDNT_RESOLVE_HOST && access("/etc/resolv.conf", F_OK) == 0) {
        int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            _exit(1);
        (void)close(fd);
    }
}

/* What came before a cut is worth something only if it starts where it was asked to. */
static void fetch_done(struct net *net, struct outgoing *out, CURLcode result, long status)
{
    const struct fetch_message *fetch = &out->fetch;
    bool part = fetch->from || fetch->to || fetch->last;
    bool cut = result != CURLE_OK && status == (part ? 206 : 200) && !out->body.error && out->body.len;
    out->fetched.token = fetch->token;
    out->fetched.status = result == CURLE_OK ? (int32_t)status
                          : out->body.error  ? RESPONSE_TOO_LARGE
                          : cut              ? RESPONSE_CUT
                                             : RESPONSE_NONE;
    channel_send(&net->node, MESSAGE_FETCHED, &out->fetched, sizeof out->fetched, &out->body);
    outgoing_free(net, out);
    resolver_check(result);
}

void outgoing_done(struct net *net, CURL *curl, CURLcode result)
{
    struct outgoing **at = &net->outgoing;
    long status = 0;
    while (*at && (*at)->curl != curl)
        at = &(*at)->next;
    struct outgoing *out = *at;
    if (!out)
        return;
    *at = out->next;
    const char *address = NULL;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (out->is_fetch) {
        fetch_done(net, out, result, status);
        return;
    }
    if (status && !out->mail && !out->send.notice[0] &&
        curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address)
        http_known(net, address);
    /* A cut answer is worth keeping only if it starts where we asked it to. */
    bool cut = result != CURLE_OK && !out->mail && status == (out->send.range_from ? 206 : 200) && !out->body.error &&
               out->body.len;
    out->result.token = out->send.token;
    out->result.status = result == CURLE_OK ? (out->mail ? 200 : (int)status)
                         : out->body.error  ? RESPONSE_TOO_LARGE
                         : cut              ? RESPONSE_CUT
                                            : RESPONSE_NONE;
    channel_send(&net->node, MESSAGE_RESULT, &out->result, sizeof out->result, &out->body);
    outgoing_free(net, out);
    resolver_check(result);
}

void outgoing_drop_all(struct net *net)
{
    while (net->outgoing) {
        struct outgoing *out = net->outgoing;
        net->outgoing = out->next;
        outgoing_free(net, out);
    }
}
