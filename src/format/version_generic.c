/* Versions of unknown make, as firmware and appliances have them. Two are compared only where every usual reading says the same: parts of
   digits and of letters must alternate alike and the letters be the same ones; then the numbers decide. Anything else is undecided. */
#include "format/version_order.h"

static bool generic_part(struct span *rest, struct span *part)
{
    while (rest->len > 0 && !is_digit(rest->data[0]) && !is_alpha(rest->data[0]))
        *rest = span_from(*rest, 1);
    if (rest->len == 0)
        return false;
    size_t n = is_digit(rest->data[0]) ? digits_len(*rest) : letters_len(*rest);
    *part = cut(*rest, 0, n);
    *rest = span_from(*rest, n);
    return true;
}

static bool generic_ok(struct span text)
{
    return text.len > 0 && chars_ok(text, " .-_+:/()") && (is_digit(text.data[0]) || is_alpha(text.data[0]));
}

/* Behind a common beginning: a number above zero makes it later, zeroes may or may not, and a word may mean anything. */
static bool further_is_later(struct span part, struct span rest)
{
    while (is_digit(part.data[0])) {
        if (!is_zero(part))
            return true;
        if (!generic_part(&rest, &part))
            return false;
    }
    return false;
}

bool version_compare_generic(struct span a, struct span b, int *result)
{
    a = without_v(a);
    b = without_v(b);
    if (!generic_ok(a) || !generic_ok(b))
        return false;
    for (;;) {
        struct span x = {0}, y = {0};
        bool more_a = generic_part(&a, &x), more_b = generic_part(&b, &y);
        if (!more_a && !more_b) {
            *result = 0;
            return true;
        }
        if (!more_a || !more_b) {
            *result = more_a ? 1 : -1;
            return further_is_later(more_a ? x : y, more_a ? a : b);
        }
        if (is_digit(x.data[0]) != is_digit(y.data[0]))
            return false;
        if (is_digit(x.data[0])) {
            *result = digits_compare(x, y);
            if (*result != 0)
                return true;
        } else if (text_compare(x, y) != 0) {
            return false;
        }
    }
}
