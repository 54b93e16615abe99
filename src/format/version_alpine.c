/* Alpine: number{.number}[letter[number]]{_suffix[number]}[~hash][-rN] (apk-package(5), after Gentoo's rules). What follows that form is no
   version, yet apk compares it: such a remainder comes before none. */
#include "format/version_order.h"

struct alpine_version {
    struct span numbers, suffixes, revision, remainder;
    uint8_t letter;            /* 0: none */
    struct span letter_number; /* OpenSSH's "p1" */
};

/* The order of suffixes, and where a version without one stands among them. */
static const struct {
    const char *name;
    int weight;
} suffixes[] = {{"alpha", -4}, {"beta", -3}, {"pre", -2}, {"rc", -1}, {"cvs", 1},
                {"svn", 2},    {"git", 3},   {"hg", 4},   {"p", 5}};

static size_t numbers_len(struct span text)
{
    size_t n = 0;
    while (n < text.len && (is_digit(text.data[n]) || text.data[n] == '.'))
        n++;
    return n;
}

/* "_alpha2": its length, weight and number; 0 when there is none. */
static size_t suffix_take(struct span text, int *weight, struct span *number)
{
    *weight = 0;
    *number = span_of(NULL, 0);
    if (text.len == 0 || text.data[0] != '_')
        return 0;
    struct span name = span_from(text, 1);
    size_t n = letters_len(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (span_is(cut(name, 0, n), suffixes[i].name)) {
            *weight = suffixes[i].weight;
            *number = span_of(name.data + n, digits_len(span_from(name, n)));
            return 1 + n + number->len;
        }
    return 0;
}

static void alpine_split(struct span text, struct alpine_version *out)
{
    int weight;
    struct span number, rest = text;
    size_t n = numbers_len(rest), len;
    *out = (struct alpine_version){.numbers = span_of(text.data, n)};
    while (out->numbers.len > 0 && text.data[out->numbers.len - 1] == '.')
        out->numbers.len--; /* a dot before something else than a number */
    rest = span_from(rest, n);
    if (rest.len > 0 && rest.data[0] >= 'a' && rest.data[0] <= 'z' && n > 0) {
        out->letter = rest.data[0];
        out->letter_number = span_of(rest.data + 1, digits_len(span_from(rest, 1)));
        rest = span_from(rest, 1 + out->letter_number.len);
    }
    out->suffixes = rest;
    for (n = 0; (len = suffix_take(span_from(rest, n), &weight, &number)) > 0;)
        n += len;
    out->suffixes.len = n;
    rest = span_from(rest, n);
    if (rest.len > 1 && rest.data[0] == '~') { /* of a commit: it tells, and orders nothing */
        for (n = 1; n < rest.len && (is_digit(rest.data[n]) || (rest.data[n] >= 'a' && rest.data[n] <= 'f'));)
            n++;
        rest = span_from(rest, n);
    }
    if (rest.len > 2 && rest.data[0] == '-' && rest.data[1] == 'r' && is_digit(rest.data[2])) {
        out->revision = span_of(rest.data + 2, digits_len(span_from(rest, 2)));
        rest = span_from(rest, 2 + out->revision.len);
    }
    out->remainder = rest;
}

/* From the second number on, one with a leading zero is a fraction: compared as text. */
static int alpine_number_compare(struct span a, struct span b, bool first)
{
    bool fraction = !first && ((a.len > 0 && a.data[0] == '0') || (b.len > 0 && b.data[0] == '0'));
    return fraction ? sign_of(span_compare(a, b)) : digits_compare(a, b);
}

static int alpine_numbers_compare(struct span a, struct span b)
{
    for (bool first = true;; first = false) {
        struct span x = {0}, y = {0};
        bool more_a = part_next(&a, '.', &x), more_b = part_next(&b, '.', &y);
        if (!more_a || !more_b)
            return more_a - more_b;
        int order = alpine_number_compare(x, y, first);
        if (order != 0)
            return order;
    }
}

static int alpine_suffixes_compare(struct span a, struct span b)
{
    while (a.len > 0 || b.len > 0) {
        int wa, wb;
        struct span na, nb;
        a = span_from(a, suffix_take(a, &wa, &na));
        b = span_from(b, suffix_take(b, &wb, &nb));
        if (wa != wb)
            return wa < wb ? -1 : 1;
        int order = digits_compare(na, nb);
        if (order != 0)
            return order;
    }
    return 0;
}

bool version_compare_alpine(struct span a, struct span b, int *result)
{
    struct alpine_version x, y;
    if (a.len == 0 || b.len == 0)
        return false;
    bool text_a = !is_digit(a.data[0]) && a.data[0] != '.', text_b = !is_digit(b.data[0]) && b.data[0] != '.';
    if (text_a || text_b) { /* no versions: two of them compare as text, one against a version not at all */
        *result = sign_of(span_compare(a, b));
        return text_a && text_b;
    }
    alpine_split(a, &x);
    alpine_split(b, &y);
    *result = alpine_numbers_compare(x.numbers, y.numbers);
    if (*result == 0)
        *result = sign_of(x.letter - y.letter);
    if (*result == 0)
        *result = digits_compare(x.letter_number, y.letter_number);
    if (*result == 0)
        *result = alpine_suffixes_compare(x.suffixes, y.suffixes);
    if (*result == 0)
        *result = digits_compare(x.revision, y.revision);
    if (*result == 0)
        *result = (x.remainder.len == 0) - (y.remainder.len == 0);
    return true;
}
