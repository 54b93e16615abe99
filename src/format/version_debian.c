/* Debian: [epoch:]upstream[-revision], deb-version(7). */
#include "format/version_order.h"

struct debian_version {
    struct span epoch, upstream, revision;
};

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
