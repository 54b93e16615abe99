/* Between the files of the version orders: what they share. Each order is one file and one function; version.c has the table. */
#ifndef COMITY_FORMAT_VERSION_ORDER_H
#define COMITY_FORMAT_VERSION_ORDER_H

#include "format/version.h"

enum { VERSION_PARTS_MAX = 64 }; /* of orders that must look at a version from both ends; one with more is no version */

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

static inline bool is_alpha(uint8_t c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static inline int sign_of(int value)
{
    return (value > 0) - (value < 0);
}

static inline struct span cut(struct span text, size_t from, size_t to)
{
    return span_of(text.data + from, to - from);
}

static inline size_t digits_len(struct span text)
{
    size_t n = 0;
    while (n < text.len && is_digit(text.data[n]))
        n++;
    return n;
}

static inline size_t letters_len(struct span text)
{
    size_t n = 0;
    while (n < text.len && is_alpha(text.data[n]))
        n++;
    return n;
}

static inline bool numeric(struct span text)
{
    return text.len > 0 && digits_len(text) == text.len;
}

/* Digits of any length as numbers: without leading zeroes the longer one is greater. Empty counts as 0. */
static inline int digits_compare(struct span a, struct span b)
{
    while (a.len > 0 && a.data[0] == '0')
        a = span_from(a, 1);
    while (b.len > 0 && b.data[0] == '0')
        b = span_from(b, 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return sign_of(span_compare(a, b));
}

static inline bool is_zero(struct span digits)
{
    return digits_compare(digits, span_of(NULL, 0)) == 0;
}

/* Bytewise, as if both were in lower case. */
static inline int text_compare(struct span a, struct span b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return lower(a.data[i]) < lower(b.data[i]) ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

static inline bool text_is(struct span a, const char *lower_case)
{
    return text_compare(a, span_str(lower_case)) == 0;
}

/* Letters, digits and `others`. */
static inline bool chars_ok(struct span text, const char *others)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.data[i]) && !is_alpha(text.data[i]) && !(text.data[i] && strchr(others, text.data[i])))
            return false;
    return true;
}

/* Cuts the next identifier before `separator` off `*rest`; false at the end. An empty rest yields nothing, "a." yields "a" and "". */
static inline bool part_next(struct span *rest, uint8_t separator, struct span *part)
{
    if (!rest->data)
        return false;
    const uint8_t *at = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    size_t n = at ? (size_t)(at - rest->data) : rest->len;
    *part = span_of(rest->data, n);
    *rest = at ? span_of(at + 1, rest->len - n - 1) : span_of(NULL, 0);
    return true;
}

/* A "v" that people write in front. */
static inline struct span without_v(struct span text)
{
    return text.len > 0 && lower(text.data[0]) == 'v' ? span_from(text, 1) : text;
}

/* Pre-release identifiers of SemVer and Pub: numbers before texts, texts bytewise, fewer before more. */
int identifiers_compare(struct span a, struct span b);

bool version_compare_debian(struct span a, struct span b, int *result);
bool version_compare_semver(struct span a, struct span b, int *result);
bool version_compare_pub(struct span a, struct span b, int *result);
bool version_compare_rpm(struct span a, struct span b, int *result);
bool version_compare_alpine(struct span a, struct span b, int *result);
bool version_compare_pypi(struct span a, struct span b, int *result);
bool version_compare_maven(struct span a, struct span b, int *result);
bool version_compare_rubygems(struct span a, struct span b, int *result);
bool version_compare_nuget(struct span a, struct span b, int *result);
bool version_compare_packagist(struct span a, struct span b, int *result);
bool version_compare_numbers(struct span a, struct span b, int *result);
bool version_compare_dotted(struct span a, struct span b, int *result);
bool version_compare_generic(struct span a, struct span b, int *result);

#endif
