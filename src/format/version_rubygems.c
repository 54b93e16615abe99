/* RubyGems (Gem::Version): segments of digits or of letters; letters come before numbers, a missing segment is 0, and zeroes at the end
   of the release and of the pre-release count for nothing. "-" reads as ".pre.". */
#include "format/version_order.h"

struct gem {
    struct span segments[VERSION_PARTS_MAX];
    size_t count;
};

static const struct span pre = {(const uint8_t *)"pre", 3};

/* Drops zeroes at the end, down to `from`. */
static void zeroes_drop(struct gem *gem, size_t from)
{
    while (gem->count > from && is_digit(gem->segments[gem->count - 1].data[0]) &&
           is_zero(gem->segments[gem->count - 1]))
        gem->count--;
}

static bool gem_split(struct span text, struct gem *out)
{
    size_t letters_from = SIZE_MAX;
    out->count = 0;
    if (text.len == 0 || !is_digit(text.data[0]))
        return false;
    while (text.len > 0) {
        size_t n = digits_len(text) ? digits_len(text) : letters_len(text);
        bool dash = n == 0 && text.data[0] == '-', dot = n == 0 && text.data[0] == '.';
        struct span segment = dash ? pre : cut(text, 0, n);
        if ((!n && !dash && !dot) || out->count == VERSION_PARTS_MAX || ((dash || dot) && text.len == 1))
            return false;
        text = span_from(text, n ? n : 1);
        if (dot)
            continue;
        if (!is_digit(segment.data[0]) && letters_from == SIZE_MAX) {
            zeroes_drop(out, 0);
            letters_from = out->count;
        }
        out->segments[out->count++] = segment;
    }
    zeroes_drop(out, letters_from == SIZE_MAX ? 0 : letters_from);
    return true;
}

static int segment_compare(struct span a, struct span b)
{
    bool na = is_digit(a.data[0]), nb = is_digit(b.data[0]);
    if (na != nb)
        return na ? 1 : -1;
    return na ? digits_compare(a, b) : sign_of(span_compare(a, b));
}

bool version_compare_rubygems(struct span a, struct span b, int *result)
{
    struct gem x, y;
    const struct span zero = span_str("0");
    if (!gem_split(a, &x) || !gem_split(b, &y))
        return false;
    *result = 0;
    for (size_t i = 0; (i < x.count || i < y.count) && *result == 0; i++)
        *result = segment_compare(i < x.count ? x.segments[i] : zero, i < y.count ? y.segments[i] : zero);
    return true;
}
