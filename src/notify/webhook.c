#include "notify/webhook.h"

#include <sodium.h>
#include <stdio.h>

#include "base/text.h"
#include "crypto/hmac.h"
#include "notify/route.h"

struct secret {
    struct span url;
    uint8_t key[WEBHOOK_KEY_BYTES_MAX];
    size_t len;
};

/* False at the end. A line that holds no secret has an empty URL. */
static bool line_next(struct span *rest, struct span *line)
{
    if (!rest->len)
        return false;
    if (!span_line(rest, line)) {
        *line = *rest;
        *rest = span_of(NULL, 0);
    }
    while (line->len && (line->data[line->len - 1] == '\r' || line->data[line->len - 1] == ' '))
        line->len--;
    return true;
}

static bool secret_read(struct span line, struct secret *out)
{
    static const char prefix[] = "whsec_";
    const uint8_t *space = line.len ? memchr(line.data, ' ', line.len) : NULL;
    if (!space)
        return false;
    out->url = span_of(line.data, (size_t)(space - line.data));
    struct span key = span_from(line, out->url.len + 1);
    return span_starts(key, prefix) &&
           base64_parse(span_from(key, sizeof prefix - 1), out->key, sizeof out->key, &out->len) &&
           out->len >= WEBHOOK_KEY_BYTES_MIN;
}

static bool url_good(struct span url)
{
    char text[URL_BYTES_MAX];
    if (url.len >= sizeof text || memchr(url.data, 0, url.len))
        return false;
    memcpy(text, url.data, url.len);
    text[url.len] = 0;
    return url_plain(text);
}

static bool url_known(struct span text, struct span url)
{
    struct span line;
    while (line_next(&text, &line))
        if (line.len > url.len && line.data[url.len] == ' ' && memcmp(line.data, url.data, url.len) == 0)
            return true;
    return false;
}

int webhook_secrets_check(struct span text, struct fault *fault)
{
    struct span line, all = text;
    struct secret secret;
    int number = 0, rc = text.len > WEBHOOK_SECRETS_BYTES_MAX ? fail(fault, E_CONFIG, "too large") : 0;
    while (rc == 0 && line_next(&text, &line)) {
        number++;
        if (!line.len || line.data[0] == '#')
            continue;
        if (!secret_read(line, &secret) || !url_good(secret.url))
            rc = fail(fault, E_CONFIG, "line %d: a line is URL whsec_BASE64, the key of 24 to 64 bytes", number);
        else if (url_known(span_of(all.data, (size_t)(line.data - all.data)), secret.url))
            rc = fail(fault, E_CONFIG, "line %d: this URL stands twice", number);
    }
    sodium_memzero(&secret, sizeof secret);
    return rc;
}

void webhook_sign(char out[static WEBHOOK_SIGNATURE_BYTES + 1], struct span secrets, const char *url, const char *id,
                  int64_t timestamp, struct span body)
{
    struct span line;
    struct secret secret;
    struct hash mac;
    struct buf text;
    char head[128];
    out[0] = 0;
    while (line_next(&secrets, &line)) {
        if (line.data[0] == '#' || !secret_read(line, &secret) || !span_is(secret.url, url))
            continue;
        (void)snprintf(head, sizeof head, "%.64s.%lld.", id, (long long)timestamp);
        const struct span parts[] = {span_str(head), body};
        hmac_sha256(span_of(secret.key, secret.len), parts, 2, &mac);
        buf_init(&text, 64);
        buf_base64(&text, span_hash(&mac));
        (void)snprintf(out, WEBHOOK_SIGNATURE_BYTES + 1, "v1,%.*s", (int)text.len, (const char *)text.data);
        buf_free(&text);
        break;
    }
    sodium_memzero(&secret, sizeof secret);
}
