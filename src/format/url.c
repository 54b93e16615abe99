#include "format/url.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_character(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

static bool is_address_character(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

/* A name, an IPv4 address, or an IPv6 address in brackets, off the front. */
static size_t host_length(struct span text)
{
    size_t len = 0;
    if (text.len && text.data[0] == '[') {
        for (len = 1; len < text.len && is_address_character(text.data[len]);)
            len++;
        return len > 1 && len < text.len && text.data[len] == ']' ? len + 1 : 0;
    }
    while (len < text.len && is_name_character(text.data[len]))
        len++;
    return len && text.data[0] != '.' && text.data[0] != '-' ? len : 0;
}

static bool port_take(struct span *rest, unsigned *port)
{
    size_t len = 1;
    uint64_t number;
    if (!rest->len || rest->data[0] != ':')
        return true;
    while (len < rest->len && is_digit(rest->data[len]))
        len++;
    if (!decimal_parse(span_of(rest->data + 1, len - 1), &number) || !number || number > 65535)
        return false;
    *port = (unsigned)number;
    *rest = span_from(*rest, len);
    return true;
}

static bool segment_is_dots(struct span segment)
{
    return span_is(segment, ".") || span_is(segment, "..") ||
           (segment.len >= 3 && segment.len <= 6 && strncasecmp((const char *)segment.data, "%2e", 3) == 0 &&
            (segment.len == 3 || span_is(span_from(segment, 3), ".") ||
             strncasecmp((const char *)segment.data + 3, "%2e", 3) == 0)) ||
           (segment.len == 4 && segment.data[0] == '.' && strncasecmp((const char *)segment.data + 1, "%2e", 3) == 0);
}

static bool path_is_good(struct span path)
{
    size_t start = 0, end = 0;
    for (size_t i = 0; i < path.len; i++)
        if (path.data[i] <= ' ' || path.data[i] >= 0x7f || strchr("\"<>\\^`{|}#", path.data[i]))
            return false;
    while (end < path.len && path.data[end] != '?')
        end++;
    for (size_t i = 0; i <= end; i++)
        if (i == end || path.data[i] == '/') {
            if (segment_is_dots(span_of(path.data + start, i - start)))
                return false;
            start = i + 1;
        }
    return true;
}

int url_parse(struct url *out, struct span text, struct fault *fault)
{
    *out = (struct url){.tls = span_starts(text, "https://")};
    if (text.len > FOLLOWED_URL_MAX)
        return fail(fault, E_LIMIT, "a URL of %zu bytes", text.len);
    if (!out->tls && !span_starts(text, "http://"))
        return fail(fault, E_SYNTAX, "a URL begins with https:// or http://");
    struct span rest = span_from(text, out->tls ? 8 : 7);
    size_t len = host_length(rest);
    out->port = out->tls ? 443 : 80;
    out->host = span_of(rest.data, len);
    rest = span_from(rest, len);
    if (!len || !port_take(&rest, &out->port))
        return fail(fault, E_SYNTAX, "a URL names a host, and no user: %.80s", len ? "port" : "host");
    if ((rest.len && rest.data[0] != '/') || !path_is_good(rest))
        return fail(fault, E_SYNTAX, "a URL's path is printable ASCII, without fragment and \"..\"");
    out->path = rest;
    return 0;
}

/* Where a path beside the base's own begins: behind the last "/" before the query. */
static size_t beside(struct span base, struct span path)
{
    size_t at = (size_t)(path.data ? path.data - base.data : (ptrdiff_t)base.len), end = at;
    for (size_t i = at; i < base.len && base.data[i] != '?'; i++)
        if (base.data[i] == '/')
            end = i + 1;
    return end;
}

int url_join(struct buf *out, struct span base, struct span reference, struct fault *fault)
{
    struct url url, made;
    size_t from = out->len;
    int rc = url_parse(&url, base, fault);
    if (rc)
        return rc;
    bool whole = span_starts(reference, "https://") || span_starts(reference, "http://");
    if (!reference.len || span_starts(reference, "//"))
        return fail(fault, E_SYNTAX, "a reference is a URL or a path");
    if (!whole) {
        size_t path = url.path.len ? (size_t)(url.path.data - base.data) : base.len;
        bool rooted = reference.data[0] == '/';
        buf_span(out, span_of(base.data, rooted ? path : beside(base, url.path)));
        if (!rooted && !url.path.len)
            buf_byte(out, '/');
    }
    buf_span(out, reference);
    if (out->error)
        return fail(fault, out->error, "a URL");
    return url_parse(&made, span_from(buf_view(out), from), fault);
}

bool url_same_host(const struct url *a, const struct url *b)
{
    return a->tls == b->tls && a->port == b->port && a->host.len == b->host.len &&
           strncasecmp((const char *)a->host.data, (const char *)b->host.data, a->host.len) == 0;
}

/* The special-purpose address registries of RFC 6890, with multicast. */
static const struct network {
    uint8_t prefix[16], bits;
} networks4[] =
    {
        {{0}, 8},
        {{10}, 8},
        {{100, 64}, 10},
        {{127}, 8},
        {{169, 254}, 16},
        {{172, 16}, 12},
        {{192, 0, 0}, 24},
        {{192, 0, 2}, 24},
        {{192, 88, 99}, 24},
        {{192, 168}, 16},
        {{198, 18}, 15},
        {{198, 51, 100}, 24},
        {{203, 0, 113}, 24},
        {{224}, 3},
},
  networks6[] = {
      {{0}, 80}, /* unspecified, loopback, and IPv4 addresses in their old form; mapped ones are looked at as IPv4 */
      {{0, 0x64, 0xff, 0x9b}, 32}, /* translations of IPv4 addresses */
      {{1}, 8},                    /* discard */
      {{0x20, 0x01}, 23},          /* Teredo and other protocols */
      {{0x20, 0x01, 0x0d, 0xb8}, 32},
      {{0x20, 0x02}, 16}, /* 6to4 */
      {{0xfc}, 7},        /* unique local */
      {{0xfe, 0x80}, 9},  /* link-local and site-local */
      {{0xff}, 8},        /* multicast */
};

static bool within(struct span address, const struct network *network)
{
    unsigned bytes = network->bits / 8, rest = network->bits % 8;
    if (memcmp(address.data, network->prefix, bytes) != 0)
        return false;
    return !rest || (address.data[bytes] ^ network->prefix[bytes]) >> (8 - rest) == 0;
}

bool address_is_private(struct span address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (address.len == 16 && memcmp(address.data, mapped, sizeof mapped) == 0)
        address = span_from(address, sizeof mapped);
    bool four = address.len == 4;
    const struct network *list = four ? networks4 : networks6;
    size_t count = four ? sizeof networks4 / sizeof networks4[0] : sizeof networks6 / sizeof networks6[0];
    if (!four && address.len != 16)
        return true; /* of no kind that we know */
    for (size_t i = 0; i < count; i++)
        if (within(address, &list[i]))
            return true;
    return false;
}

bool url_host_is_private(struct span host)
{
    char text[64];
    uint8_t address[16];
    bool bracketed = host.len > 2 && host.data[0] == '[';
    size_t len = host.len - 2 * (size_t)bracketed;
    if (host.len == 9 && strncasecmp((const char *)host.data, "localhost", 9) == 0)
        return true;
    if (len >= sizeof text)
        return false;
    memcpy(text, host.data + bracketed, len);
    text[len] = 0;
    if (bracketed)
        return inet_pton(AF_INET6, text, address) == 1 && address_is_private(span_of(address, 16));
    return inet_pton(AF_INET, text, address) == 1 && address_is_private(span_of(address, 4));
}
