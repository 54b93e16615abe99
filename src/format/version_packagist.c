/* Packagist: PHP's version_compare (php.net). Digits and letters are parts of their own, all else divides; words stand in the order
   unknown, dev, alpha = a, beta = b, RC = rc, number, pl = p, and are known by their beginning. */
#include "format/version_order.h"

enum { WORD_NUMBER = 4 };

static int word_order(struct span word)
{
    static const struct {
        const char *word;
        int order;
    } words[] = {{"dev", 0}, {"alpha", 1}, {"a", 1},           {"beta", 2}, {"b", 2},
                 {"RC", 3},  {"rc", 3},    {"#", WORD_NUMBER}, {"pl", 5},   {"p", 5}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_starts(word, words[i].word))
            return words[i].order;
    return -1;
}

static bool php_part(struct span *rest, struct span *part)
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

static int part_order(struct span part)
{
    return is_digit(part.data[0]) ? WORD_NUMBER : word_order(part);
}

static int php_compare(struct span a, struct span b)
{
    for (;;) {
        struct span x = {0}, y = {0};
        bool more_a = php_part(&a, &x), more_b = php_part(&b, &y);
        if (!more_a && !more_b)
            return 0;
        if (more_a && more_b && is_digit(x.data[0]) && is_digit(y.data[0])) {
            int order = digits_compare(x, y);
            if (order != 0)
                return order;
            continue;
        }
        /* Against nothing a number is more, and a word stands where it stands against a number. */
        if (!more_a && is_digit(y.data[0]))
            return -1;
        if (!more_b && is_digit(x.data[0]))
            return 1;
        int order = sign_of((more_a ? part_order(x) : WORD_NUMBER) - (more_b ? part_order(y) : WORD_NUMBER));
        if (order != 0)
            return order;
    }
}

bool version_compare_packagist(struct span a, struct span b, int *result)
{
    a = without_v(a);
    b = without_v(b);
    if (a.len == 0 || b.len == 0)
        return false;
    *result = php_compare(a, b);
    return true;
}
