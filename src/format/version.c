#include "format/version.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* Digits as numbers of any length. */
static int compare_digits(struct span a, struct span b)
{
    while (a.len && a.data[0] == '0')
        a = span_from(a, 1);
    while (b.len && b.data[0] == '0')
        b = span_from(b, 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.data, b.data, a.len) : 0;
}

static struct span take_digits(struct span *rest)
{
    size_t n = 0;
    while (n < rest->len && is_digit(rest->data[n]))
        n++;
    struct span digits = span_of(rest->data, n);
    *rest = span_from(*rest, n);
    return digits;
}

/* deb-version(7): a tilde sorts before everything, the end included; letters before other characters. */
static int rank(struct span rest)
{
    uint8_t c = rest.len ? rest.data[0] : 0;
    if (!rest.len || is_digit(c))
        return 0;
    if (c == '~')
        return -1;
    return is_alpha(c) ? c : c + 256;
}

static int compare_part(struct span a, struct span b)
{
    while (a.len || b.len) {
        while ((a.len && !is_digit(a.data[0])) || (b.len && !is_digit(b.data[0]))) {
            int ra = rank(a), rb = rank(b);
            if (ra != rb)
                return ra - rb;
            a = span_from(a, 1);
            b = span_from(b, 1);
        }
        struct span da = take_digits(&a), db = take_digits(&b);
        int order = compare_digits(da, db);
        if (order)
            return order;
    }
    return 0;
}

struct debian_version {
    struct span epoch, upstream, revision;
};

static bool debian_parse(struct span text, struct debian_version *out)
{
    *out = (struct debian_version){.upstream = text};
    const uint8_t *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    if (colon) {
        out->epoch = span_of(text.data, (size_t)(colon - text.data));
        out->upstream = span_from(text, out->epoch.len + 1);
        for (size_t i = 0; i < out->epoch.len; i++)
            if (!is_digit(out->epoch.data[i]))
                return false;
        if (!out->epoch.len)
            return false;
    }
    for (size_t i = out->upstream.len; i-- > 0;)
        if (out->upstream.data[i] == '-') {
            out->revision = span_from(out->upstream, i + 1);
            out->upstream.len = i;
            if (!out->revision.len)
                return false;
            break;
        }
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.data[i]) && !is_alpha(text.data[i]) && !strchr(".+-~:", text.data[i]))
            return false;
    return out->upstream.len > 0;
}

bool version_compare_debian(struct span a, struct span b, int *result)
{
    struct debian_version va, vb;
    if (!debian_parse(a, &va) || !debian_parse(b, &vb))
        return false;
    *result = compare_digits(va.epoch, vb.epoch);
    if (!*result)
        *result = compare_part(va.upstream, vb.upstream);
    if (!*result)
        *result = compare_part(va.revision, vb.revision);
    return true;
}

struct semver {
    struct span numbers[3];
    struct span pre; /* without its dash */
    bool has_pre;
};

static bool identifiers_valid(struct span text)
{
    bool start = true;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '.' ? start : !is_digit(c) && !is_alpha(c) && c != '-')
            return false;
        start = c == '.';
    }
    return text.len && !start;
}

static bool semver_parse(struct span text, struct semver *out)
{
    *out = (struct semver){0};
    if (text.len && (text.data[0] | 32) == 'v')
        text = span_from(text, 1);
    for (int i = 0; i < 3; i++) {
        out->numbers[i] = take_digits(&text);
        if (!out->numbers[i].len)
            return false;
        if (i == 2 || !text.len || text.data[0] != '.')
            break;
        text = span_from(text, 1);
    }
    struct span build = text;
    const uint8_t *plus = text.len ? memchr(text.data, '+', text.len) : NULL;
    if (plus) {
        build = span_from(text, (size_t)(plus - text.data) + 1);
        text.len = (size_t)(plus - text.data);
        if (!identifiers_valid(build))
            return false;
    }
    if (!text.len)
        return true;
    out->has_pre = text.data[0] == '-';
    out->pre = span_from(text, 1);
    return out->has_pre && identifiers_valid(out->pre);
}

static struct span take_identifier(struct span *rest, bool *numeric)
{
    size_t n = 0;
    *numeric = true;
    while (n < rest->len && rest->data[n] != '.')
        *numeric = is_digit(rest->data[n++]) && *numeric;
    struct span identifier = span_of(rest->data, n);
    *rest = span_from(*rest, n + 1);
    return identifier;
}

static int compare_pre(struct span a, struct span b)
{
    while (a.len && b.len) {
        bool na, nb;
        struct span ia = take_identifier(&a, &na), ib = take_identifier(&b, &nb);
        int order = na && nb ? compare_digits(ia, ib) : na != nb ? (na ? -1 : 1) : span_compare(ia, ib);
        if (order)
            return order;
    }
    return (a.len > 0) - (b.len > 0);
}

bool version_compare_semver(struct span a, struct span b, int *result)
{
    struct semver va, vb;
    if (!semver_parse(a, &va) || !semver_parse(b, &vb))
        return false;
    *result = 0;
    for (int i = 0; i < 3 && !*result; i++)
        *result = compare_digits(va.numbers[i], vb.numbers[i]);
    if (!*result && va.has_pre != vb.has_pre)
        *result = va.has_pre ? -1 : 1;
    else if (!*result && va.has_pre)
        *result = compare_pre(va.pre, vb.pre);
    return true;
}

bool version_compare(enum order order, struct span a, struct span b, int *result)
{
    switch (order) {
    case ORDER_DEBIAN:
        return version_compare_debian(a, b, result);
    case ORDER_SEMVER:
        return version_compare_semver(a, b, result);
    default:
        return false;
    }
}

enum order order_of_ecosystem(struct span ecosystem)
{
    static const char *const semver[] = {"Go", "npm", "crates.io", "SemVer", "Hex", "Pub", "SwiftURL"};
    const uint8_t *colon = ecosystem.len ? memchr(ecosystem.data, ':', ecosystem.len) : NULL;
    struct span base = colon ? span_of(ecosystem.data, (size_t)(colon - ecosystem.data)) : ecosystem;
    if (span_is(base, "Debian") || span_is(base, "Ubuntu"))
        return ORDER_DEBIAN;
    for (size_t i = 0; i < sizeof semver / sizeof semver[0]; i++)
        if (span_is(base, semver[i]))
            return ORDER_SEMVER;
    return ORDER_UNKNOWN;
}
