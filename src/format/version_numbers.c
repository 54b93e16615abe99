/* Lists of numbers: CRAN's ("1.0-2", R's package_version), Hackage's (the Haskell PVP), and the dotted ones of Windows and firmware. */
#include "format/version_order.h"

static bool separator(uint8_t c, bool dashes)
{
    return c == '.' || (dashes && c == '-');
}

/* The next number off `*rest`; false at the end. A list that is malformed was refused before. */
static bool number_next(struct span *rest, struct span *number)
{
    if (rest->len == 0)
        return false;
    size_t n = digits_len(*rest);
    *number = cut(*rest, 0, n);
    *rest = span_from(*rest, n + 1);
    return true;
}

/* Numbers with one separator between any two. */
static bool list_ok(struct span text, bool dashes)
{
    for (bool digit = false; text.len > 0; text = span_from(text, 1)) {
        if (!is_digit(text.data[0]) && !(digit && separator(text.data[0], dashes)))
            return false;
        digit = is_digit(text.data[0]);
        if (text.len == 1)
            return digit;
    }
    return false;
}

static int list_compare(struct span a, struct span b, bool missing_is_zero)
{
    for (;;) {
        struct span x = {0}, y = {0};
        bool more_a = number_next(&a, &x), more_b = number_next(&b, &y);
        if ((!more_a && !more_b) || ((!more_a || !more_b) && !missing_is_zero))
            return more_a - more_b;
        int order = digits_compare(x, y);
        if (order != 0)
            return order;
    }
}

/* A longer list is greater than its beginning, be the rest zeroes or not. */
bool version_compare_numbers(struct span a, struct span b, int *result)
{
    if (!list_ok(a, true) || !list_ok(b, true))
        return false;
    *result = list_compare(a, b, false);
    return true;
}

bool version_compare_dotted(struct span a, struct span b, int *result)
{
    a = without_v(a);
    b = without_v(b);
    if (!list_ok(a, false) || !list_ok(b, false))
        return false;
    *result = list_compare(a, b, true);
    return true;
}
