#include <stdlib.h>
#include <strings.h>

#include "circle/member.h"
#include "shell/shell.h"

static size_t body_take(char *data, size_t size, size_t count, void *ctx)
{
    struct outgoing *out = ctx;
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
        header_keep(out->header, sizeof out->header, data + sizeof receipt - 1, len - (sizeof receipt - 1));
    else if (len > sizeof type && strncasecmp(data, type, sizeof type - 1) == 0)
        header_keep(out->content_type, sizeof out->content_type, data + sizeof type - 1, len - (sizeof type - 1));
    return len;
}

/* Documents for members only are served to whoever signs as one; without a signature the others still come. */
static void member_sign(const struct shell *shell, struct outgoing *out, const struct action *action)
{
    char authority[MEMBER_AUTHORITY_BYTES_MAX + 1], text[32 + MEMBER_INPUT_BYTES_MAX];
    struct buf input, signature;
    if (!shell->signer || strncmp(action->path, "/documents/", 11) != 0 ||
        member_authority(authority, span_str(action->peer->card.url)) != 0)
        return;
    buf_init(&input, MEMBER_INPUT_BYTES_MAX);
    buf_init(&signature, MEMBER_SIGNATURE_BYTES);
    if (shell->signer->ops->http_sign(shell->signer, "GET", authority, action->path, &input, &signature) == 0) {
        (void)snprintf(text, sizeof text, "Signature-Input: %.*s", (int)input.len, (const char *)input.data);
        out->headers = curl_slist_append(out->headers, text);
        (void)snprintf(text, sizeof text, "Signature: %.*s", (int)signature.len, (const char *)signature.data);
        out->headers = curl_slist_append(out->headers, text);
    }
    buf_free(&input);
    buf_free(&signature);
}

static void options_set(const struct shell *shell, struct outgoing *out, const struct action *action)
{
    char text[600];
    CURL *c = out->curl;
    (void)snprintf(text, sizeof text, "%s%s", action->peer->card.url, action->path);
    (void)curl_easy_setopt(c, CURLOPT_URL, text);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)action->timeout_ms);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_take);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header_take);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, out);
    (void)curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    out->headers = curl_slist_append(NULL, "Expect:");
    (void)snprintf(text, sizeof text, "Content-Type: %s", action->content_type);
    if (strcmp(action->method, "GET") == 0) {
        if (action->range_from) {
            (void)snprintf(text, sizeof text, "Range: bytes=%llu-", (unsigned long long)action->range_from);
            out->headers = curl_slist_append(out->headers, text);
        }
        member_sign(shell, out, action);
    } else {
        out->headers = curl_slist_append(out->headers, text);
        if (action->content_encoding) {
            (void)snprintf(text, sizeof text, "Content-Encoding: %s", action->content_encoding);
            out->headers = curl_slist_append(out->headers, text);
        }
        (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, action->method);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)out->request.len);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, out->request.len ? (const char *)out->request.data : "");
    }
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, out->headers);
}

void outgoing_send(struct shell *shell, struct action *action)
{
    struct outgoing *out = calloc(1, sizeof *out);
    CURL *curl = out ? curl_easy_init() : NULL;
    if (!curl) {
        free(out);
        shell->fatal = E_NOMEM;
        return;
    }
    out->curl = curl;
    out->token = action->token;
    out->range_from = action->range_from;
    out->request = action->body; /* taken over */
    buf_init(&action->body, 0);
    buf_init(&out->body, action->body_max);
    options_set(shell, out, action);
    out->next = shell->outgoing;
    shell->outgoing = out;
    (void)curl_multi_add_handle(shell->multi, out->curl);
}

bool outgoing_owns(const struct shell *shell, const CURL *curl)
{
    for (const struct outgoing *o = shell->outgoing; o; o = o->next)
        if (o->curl == curl)
            return true;
    return false;
}

void outgoing_done(struct shell *shell, CURL *curl, CURLcode result)
{
    struct outgoing **at = &shell->outgoing;
    long status = 0;
    while (*at && (*at)->curl != curl)
        at = &(*at)->next;
    struct outgoing *out = *at;
    if (!out)
        return;
    *at = out->next;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    /* A cut answer is worth keeping only if it starts where we asked it to. */
    bool cut = result != CURLE_OK && status == (out->range_from ? 206 : 200) && !out->body.error && out->body.len;
    struct event event = {.kind = EVENT_RESPONSE,
                          .token = out->token,
                          .body = buf_view(&out->body),
                          .status = result == CURLE_OK ? (int)status
                                    : out->body.error  ? RESPONSE_TOO_LARGE
                                    : cut              ? RESPONSE_CUT
                                                       : RESPONSE_NONE,
                          .content_type = span_str(out->content_type),
                          .header = span_str(out->header)};
    (void)curl_multi_remove_handle(shell->multi, curl);
    curl_easy_cleanup(curl);
    curl_slist_free_all(out->headers);
    shell_step(shell, &event);
    buf_free(&out->request);
    buf_free(&out->body);
    free(out);
}
