/* NuGet: up to four numbers, then a pre-release as in SemVer but without regard to case; what follows "+" orders nothing. */
#include "format/version_order.h"

enum { NUMBERS_MAX = 4 };

struct nuget_version {
    struct span numbers[NUMBERS_MAX];
    struct span pre; /* data NULL: none */
};

static bool pre_ok(struct span pre)
{
    struct span part;
    while (part_next(&pre, '.', &part))
        if (part.len == 0 || !chars_ok(part, "-"))
            return false;
    return true;
}

static bool nuget_split(struct span text, struct nuget_version *out)
{
    struct span part;
    *out = (struct nuget_version){0};
    text = without_v(text);
    const uint8_t *plus = text.len ? memchr(text.data, '+', text.len) : NULL;
    if (plus)
        text.len = (size_t)(plus - text.data);
    const uint8_t *dash = text.len ? memchr(text.data, '-', text.len) : NULL;
    if (dash) {
        out->pre = span_of(dash + 1, text.len - (size_t)(dash - text.data) - 1);
        text.len = (size_t)(dash - text.data);
        if (!pre_ok(out->pre))
            return false;
    }
    for (size_t i = 0; part_next(&text, '.', &part); i++) {
        if (i == NUMBERS_MAX || !numeric(part))
            return false;
        out->numbers[i] = part;
    }
    return out->numbers[0].len > 0;
}

static int nuget_pre_compare(struct span a, struct span b)
{
    for (;;) {
        struct span x = {0}, y = {0};
        bool more_a = part_next(&a, '.', &x), more_b = part_next(&b, '.', &y);
        if (!more_a || !more_b)
            return more_a - more_b;
        bool nx = numeric(x), ny = numeric(y);
        int order = nx != ny ? (nx ? -1 : 1) : nx ? digits_compare(x, y) : text_compare(x, y);
        if (order != 0)
            return order;
    }
}

bool version_compare_nuget(struct span a, struct span b, int *result)
{
    struct nuget_version x, y;
    if (!nuget_split(a, &x) || !nuget_split(b, &y))
        return false;
    *result = 0;
    for (size_t i = 0; i < NUMBERS_MAX && *result == 0; i++)
        *result = digits_compare(x.numbers[i], y.numbers[i]);
    if (*result == 0 && (!x.pre.data || !y.pre.data))
        *result = (x.pre.data == NULL) - (y.pre.data == NULL);
    else if (*result == 0)
        *result = nuget_pre_compare(x.pre, y.pre);
    return true;
}
