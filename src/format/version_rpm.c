/* RPM: [epoch:]version[-release], compared piece by piece (rpm-version(7)): digits as numbers, letters bytewise, "~" before the end, "^"
   after it; everything else only divides. */
#include "format/version_order.h"

struct rpm_version {
    struct span epoch, version, release; /* release: data NULL when there is none, which comes before any */
};

static bool rpm_split(struct span text, struct rpm_version *out)
{
    *out = (struct rpm_version){.epoch = span_str("0"), .version = text};
    const uint8_t *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    if (colon) {
        out->epoch = cut(text, 0, (size_t)(colon - text.data));
        out->version = span_from(text, out->epoch.len + 1);
    }
    const uint8_t *dash = out->version.len ? memrchr(out->version.data, '-', out->version.len) : NULL;
    if (dash) {
        size_t at = (size_t)(dash - out->version.data);
        out->release = cut(out->version, at + 1, out->version.len);
        out->version = cut(out->version, 0, at);
    }
    return out->version.len > 0;
}

static struct span to_piece(struct span text)
{
    size_t n = 0;
    while (n < text.len && !is_digit(text.data[n]) && !is_alpha(text.data[n]) && text.data[n] != '~' &&
           text.data[n] != '^')
        n++;
    return span_from(text, n);
}

static bool at(struct span text, uint8_t c)
{
    return text.len > 0 && text.data[0] == c;
}

/* One side stands at "~" or "^", or both do; 2 when both do and go on behind it. */
static int mark_compare(struct span a, struct span b)
{
    if (at(a, '~') || at(b, '~'))
        return at(a, '~') && at(b, '~') ? 2 : at(a, '~') ? -1 : 1;
    if (at(a, '^') && at(b, '^'))
        return 2;
    if (at(a, '^'))
        return b.len == 0 ? 1 : -1;
    return a.len == 0 ? -1 : 1;
}

static int piece_compare(struct span *a, struct span *b)
{
    bool number = is_digit(a->data[0]);
    size_t na = number ? digits_len(*a) : letters_len(*a), nb = number ? digits_len(*b) : letters_len(*b);
    if (nb == 0)
        return number ? 1 : -1; /* a number is newer than letters */
    struct span x = cut(*a, 0, na), y = cut(*b, 0, nb);
    *a = span_from(*a, na);
    *b = span_from(*b, nb);
    return number ? digits_compare(x, y) : sign_of(span_compare(x, y));
}

static int rpm_part_compare(struct span a, struct span b)
{
    for (;;) {
        a = to_piece(a);
        b = to_piece(b);
        if (at(a, '~') || at(b, '~') || at(a, '^') || at(b, '^')) {
            int order = mark_compare(a, b);
            if (order != 2)
                return order;
            a = span_from(a, 1);
            b = span_from(b, 1);
            continue;
        }
        if (a.len == 0 || b.len == 0)
            return (a.len > 0) - (b.len > 0);
        int order = piece_compare(&a, &b);
        if (order != 0)
            return order;
    }
}

bool version_compare_rpm(struct span a, struct span b, int *result)
{
    struct rpm_version x, y;
    if (!rpm_split(a, &x) || !rpm_split(b, &y))
        return false;
    *result = rpm_part_compare(x.epoch, y.epoch);
    if (*result == 0)
        *result = rpm_part_compare(x.version, y.version);
    if (*result == 0 && (!x.release.data || !y.release.data))
        *result = (x.release.data != NULL) - (y.release.data != NULL);
    else if (*result == 0)
        *result = rpm_part_compare(x.release, y.release);
    return true;
}
