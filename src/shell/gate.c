#include "shell/gate.h"

#include <strings.h>

#include "base/limits.h"
#include "base/text.h"

static bool version_is(const struct gate_head *h, const char *text)
{
    return span_is(h->version, text);
}

static bool body_announced(const struct gate_head *h)
{
    return h->encodings || (h->lengths && !span_is(h->length, "0"));
}

static bool reads(const struct gate_head *h)
{
    return span_is(h->method, "GET") || span_is(h->method, "HEAD");
}

static bool method_unknown(const struct gate_head *h)
{
    return !reads(h) && !span_is(h->method, "POST") && !span_is(h->method, "PUT");
}

static bool version_unknown(const struct gate_head *h)
{
    return !version_is(h, "HTTP/1.0") && !version_is(h, "HTTP/1.1");
}

static bool target_long(const struct gate_head *h)
{
    return h->target.len > TARGET_BYTES_MAX;
}

static bool headers_many(const struct gate_head *h)
{
    return h->headers > HEADERS_MAX || h->header_bytes > HEADERS_BYTES_MAX;
}

/* The library reads up to a NUL, joins folded lines, and trims. A head that is not exactly as long as what was read in it says more
   than we have seen, and perhaps another thing to another server. */
static bool head_unclear(const struct gate_head *h)
{
    return h->empty || h->bytes != h->method.len + h->target.len + h->version.len + 4 + h->header_bytes + 2;
}

static bool hex_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* A path of ours needs no escapes, no empty segment and no dots: so each has one spelling. */
static bool path_odd(struct span path)
{
    if (!path.len || path.data[0] != '/')
        return true;
    for (size_t i = 0; i < path.len; i++) {
        struct span rest = span_from(path, i);
        bool segment = span_starts(rest, "//") || span_starts(rest, "/./") || span_starts(rest, "/../") ||
                       span_is(rest, "/.") || span_is(rest, "/..");
        if (segment || path.data[i] == '%')
            return true;
    }
    return false;
}

static bool target_odd(const struct gate_head *h)
{
    const struct span t = h->target;
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = t.data[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"#<>\\^`{|}", c))
            return true;
        bool escape = c == '%' && i + 2 < t.len && hex_digit(t.data[i + 1]) && hex_digit(t.data[i + 2]) &&
                      !(t.data[i + 1] == '0' && t.data[i + 2] == '0');
        if (c == '%' && !escape)
            return true;
    }
    return path_odd(gate_path(t));
}

static bool host_missing(const struct gate_head *h)
{
    return h->hosts == 0 && version_is(h, "HTTP/1.1");
}

static bool host_twice(const struct gate_head *h)
{
    return h->hosts > 1;
}

static bool length_twice(const struct gate_head *h)
{
    return h->lengths > 1 || h->encodings > 1;
}

static bool framed_twice(const struct gate_head *h)
{
    return h->lengths && h->encodings;
}

static bool coding_unknown(const struct gate_head *h)
{
    return h->encodings && (h->encoding.len != 7 || strncasecmp((const char *)h->encoding.data, "chunked", 7) != 0);
}

static bool chunks_too_early(const struct gate_head *h)
{
    return h->encodings && version_is(h, "HTTP/1.0");
}

static bool length_odd(const struct gate_head *h)
{
    uint64_t value;
    return h->lengths && !decimal_parse(h->length, &value);
}

static bool body_unasked(const struct gate_head *h)
{
    return reads(h) && body_announced(h);
}

/* In this order: what comes first is answered. */
static const struct {
    bool (*refuses)(const struct gate_head *);
    int status;
    const char *text;
} rules[] = {
    {version_unknown, 505, "HTTP/1.0 and HTTP/1.1 only\n"},
    {target_long, 414, "the target is too long\n"},
    {headers_many, 431, "the headers are too many or too long\n"},
    {method_unknown, 405, "GET, HEAD, POST and PUT only\n"},
    {head_unclear, 400, "the head is not made of plain lines: Name: value\n"},
    {target_odd, 400, "the target is no plain path of this server\n"},
    {host_missing, 400, "no Host\n"},
    {host_twice, 400, "more than one Host\n"},
    {length_twice, 400, "more than one Content-Length or Transfer-Encoding\n"},
    {framed_twice, 400, "both Content-Length and Transfer-Encoding\n"},
    {coding_unknown, 501, "the only transfer coding is chunked\n"},
    {chunks_too_early, 400, "HTTP/1.0 has no chunks\n"},
    {length_odd, 400, "Content-Length is no number\n"},
    {body_unasked, 400, "GET and HEAD come without a body\n"},
};

struct span gate_path(struct span target)
{
    const uint8_t *query = target.len ? memchr(target.data, '?', target.len) : NULL;
    return query ? span_of(target.data, (size_t)(query - target.data)) : target;
}

struct gate_verdict gate_check(const struct gate_head *head, uint64_t body_max)
{
    struct gate_verdict v = {.has_body = body_announced(head), .length = head->encodings ? UINT64_MAX : 0};
    if (head->lengths && !head->encodings && !decimal_parse(head->length, &v.length))
        v.length = UINT64_MAX;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].refuses(head)) {
            v.status = rules[i].status;
            v.text = rules[i].text;
            return v;
        }
    if (v.length != UINT64_MAX && v.length > body_max) {
        v.status = 413;
        v.text = "the body is too large for this path\n";
    }
    return v;
}
