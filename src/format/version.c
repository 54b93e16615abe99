#include "format/version.h"

#include <strings.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static int sign_of(int value)
{
    return (value > 0) - (value < 0);
}

static struct span cut(struct span text, size_t from, size_t to)
{
    return span_of(text.data + from, to - from);
}

/* Digits of any length as numbers: without leading zeroes the longer one is greater. */
static int digits_compare(struct span a, struct span b)
{
    while (a.len > 0 && a.data[0] == '0')
        a = span_from(a, 1);
    while (b.len > 0 && b.data[0] == '0')
        b = span_from(b, 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return sign_of(span_compare(a, b));
}

static size_t digits_len(struct span text)
{
    size_t n = 0;
    while (n < text.len && is_digit(text.data[n]))
        n++;
    return n;
}

/* ---- Debian: [epoch:]upstream[-revision], deb-version(7) ---- */

struct debian_version {
    struct span epoch, upstream, revision;
};

static bool chars_ok(struct span text, const char *others)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.data[i]) && !is_alpha(text.data[i]) && !is_one_of(text.data[i], others))
            return false;
    return true;
}

/* dpkg keeps the epoch in an int, and refuses what does not fit. */
static bool epoch_ok(struct span epoch)
{
    if (epoch.len == 0 || digits_len(epoch) != epoch.len)
        return false;
    return digits_compare(epoch, span_str("2147483647")) <= 0;
}

static bool debian_split(struct span text, struct debian_version *out)
{
    *out = (struct debian_version){.upstream = text};
    const uint8_t *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    if (colon) {
        out->epoch = cut(text, 0, (size_t)(colon - text.data));
        out->upstream = span_from(text, out->epoch.len + 1);
        if (!epoch_ok(out->epoch))
            return false;
    }
    const uint8_t *dash = out->upstream.len ? memrchr(out->upstream.data, '-', out->upstream.len) : NULL;
    if (dash) {
        size_t at = (size_t)(dash - out->upstream.data);
        out->revision = span_from(out->upstream, at + 1);
        out->upstream = cut(out->upstream, 0, at);
        if (out->revision.len == 0)
            return false;
    }
    return out->upstream.len > 0 && is_digit(out->upstream.data[0]) &&
           chars_ok(out->upstream, colon ? ".+-~:" : ".+-~") && chars_ok(out->revision, ".+~");
}

/* Weight in the non-digit part: "~" before the end, the end before letters, letters before the rest. */
static int weight(struct span text, size_t at)
{
    if (at >= text.len || is_digit(text.data[at]))
        return 0;
    if (text.data[at] == '~')
        return -1;
    return is_alpha(text.data[at]) ? text.data[at] : text.data[at] + 256;
}

static int debian_part_compare(struct span a, struct span b)
{
    while (a.len > 0 || b.len > 0) {
        size_t i = 0;
        for (; weight(a, i) != 0 || weight(b, i) != 0; i++)
            if (weight(a, i) != weight(b, i))
                return weight(a, i) < weight(b, i) ? -1 : 1;
        a = span_from(a, i);
        b = span_from(b, i);
        size_t na = digits_len(a), nb = digits_len(b);
        int order = digits_compare(span_of(a.data, na), span_of(b.data, nb));
        if (order != 0)
            return order;
        a = span_from(a, na);
        b = span_from(b, nb);
    }
    return 0;
}

bool version_compare_debian(struct span a, struct span b, int *result)
{
    struct debian_version x, y;
    if (!debian_split(a, &x) || !debian_split(b, &y))
        return false;
    *result = digits_compare(x.epoch, y.epoch);
    if (*result == 0)
        *result = debian_part_compare(x.upstream, y.upstream);
    if (*result == 0)
        *result = debian_part_compare(x.revision, y.revision);
    return true;
}

/* ---- SemVer 2.0.0: major.minor.patch[-pre][+build] ---- */

struct semver {
    struct span core[3]; /* a missing part is empty, and counts as 0 */
    struct span pre;
};

static bool numeric(struct span text)
{
    return text.len > 0 && digits_len(text) == text.len;
}

static bool leading_zero(struct span text)
{
    return text.len > 1 && text.data[0] == '0';
}

/* Cuts the next dot-separated identifier off `*rest`; false at the end. An empty rest yields nothing, "a." yields "a" and "". */
static bool identifier_next(struct span *rest, struct span *identifier)
{
    if (!rest->data)
        return false;
    const uint8_t *dot = rest->len ? memchr(rest->data, '.', rest->len) : NULL;
    size_t n = dot ? (size_t)(dot - rest->data) : rest->len;
    *identifier = span_of(rest->data, n);
    *rest = dot ? span_of(dot + 1, rest->len - n - 1) : span_of(NULL, 0);
    return true;
}

static bool identifiers_ok(struct span text, bool zeroes_allowed)
{
    struct span identifier;
    while (identifier_next(&text, &identifier))
        if (identifier.len == 0 || !chars_ok(identifier, "-") ||
            (!zeroes_allowed && numeric(identifier) && leading_zero(identifier)))
            return false;
    return true;
}

static bool semver_core(struct span core, struct semver *out)
{
    struct span identifier;
    for (size_t i = 0; identifier_next(&core, &identifier); i++) {
        if (i == 3 || !numeric(identifier) || leading_zero(identifier))
            return false;
        out->core[i] = identifier;
    }
    return out->core[0].len > 0;
}

static bool semver_split(struct span text, struct semver *out)
{
    *out = (struct semver){0};
    if (text.len > 0 && text.data[0] == 'v')
        text = span_from(text, 1);
    if (text.len == 0)
        return false;
    const uint8_t *plus = memchr(text.data, '+', text.len);
    if (plus) {
        size_t at = (size_t)(plus - text.data);
        if (!identifiers_ok(span_of(plus + 1, text.len - at - 1), true))
            return false;
        text.len = at;
    }
    const uint8_t *dash = text.len ? memchr(text.data, '-', text.len) : NULL;
    if (dash) {
        size_t at = (size_t)(dash - text.data);
        out->pre = span_of(dash + 1, text.len - at - 1);
        if (!identifiers_ok(out->pre, false))
            return false;
        text.len = at;
    }
    return text.len > 0 && semver_core(text, out);
}

static int identifier_compare(struct span a, struct span b)
{
    bool na = numeric(a), nb = numeric(b);
    if (na != nb)
        return na ? -1 : 1;
    return na ? digits_compare(a, b) : sign_of(span_compare(a, b));
}

static int prerelease_compare(struct span a, struct span b)
{
    if (!a.data || !b.data)
        return (a.data == NULL) - (b.data == NULL); /* a release follows its pre-releases */
    for (;;) {
        struct span x, y;
        bool more_a = identifier_next(&a, &x), more_b = identifier_next(&b, &y);
        if (!more_a || !more_b)
            return more_a - more_b;
        int order = identifier_compare(x, y);
        if (order != 0)
            return order;
    }
}

bool version_compare_semver(struct span a, struct span b, int *result)
{
    struct semver x, y;
    if (!semver_split(a, &x) || !semver_split(b, &y))
        return false;
    *result = 0;
    for (size_t i = 0; i < 3 && *result == 0; i++)
        *result = digits_compare(x.core[i], y.core[i]);
    if (*result == 0)
        *result = prerelease_compare(x.pre, y.pre);
    return true;
}

bool version_compare(enum order order, struct span a, struct span b, int *result)
{
    switch (order) {
    case ORDER_DEBIAN:
        return version_compare_debian(a, b, result);
    case ORDER_SEMVER:
        return version_compare_semver(a, b, result);
    case ORDER_UNKNOWN:
        break;
    }
    return false;
}

enum order order_of_ecosystem(struct span ecosystem)
{
    static const struct {
        const char *name;
        enum order order;
    } orders[] = {
        {"Debian", ORDER_DEBIAN}, {"Ubuntu", ORDER_DEBIAN},    {"Go", ORDER_SEMVER},  {"npm", ORDER_SEMVER},
        {"Hex", ORDER_SEMVER},    {"crates.io", ORDER_SEMVER}, {"Pub", ORDER_SEMVER}, {"SwiftURL", ORDER_SEMVER},
        {"Julia", ORDER_SEMVER},  {"SemVer", ORDER_SEMVER},
    };
    const uint8_t *colon = ecosystem.len ? memchr(ecosystem.data, ':', ecosystem.len) : NULL;
    size_t n = colon ? (size_t)(colon - ecosystem.data) : ecosystem.len;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strlen(orders[i].name) == n && n > 0 && strncasecmp((const char *)ecosystem.data, orders[i].name, n) == 0)
            return orders[i].order;
    return ORDER_UNKNOWN;
}
