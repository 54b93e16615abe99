/* Ranges as the vers specification has them: signposts in the order of versions. */
#include "base/limits.h"
#include "base/text.h"
#include "format/vers.h"
#include "format/version.h"

static const struct {
    const char *text;
    enum vers_sign sign;
} signs[] = {{">=", VERS_FROM}, {"<=", VERS_UP_TO}, {"!=", VERS_NOT},
             {">", VERS_ABOVE}, {"<", VERS_BELOW},  {"=", VERS_EQUAL}};

static int refuse(struct fault *fault, int code, struct span constraint, const char *what)
{
    struct span shown = text_cut(constraint, 80);
    return fail(fault, code, "\"%.*s\": %s", (int)shown.len, shown.len ? (const char *)shown.data : "", what);
}

static bool is_hex_capital(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* Canonical by RFC 3986, section 6.2.2: capital digits, and nothing encoded that needs it nowhere. */
static bool encoding_canonical(struct span text)
{
    static const char plain[] = "-._~";
    for (size_t i = 0; i + 2 < text.len; i++) {
        if (text.data[i] != '%')
            continue;
        uint8_t high = text.data[i + 1], low = text.data[i + 2];
        if (!is_hex_capital(high) || !is_hex_capital(low))
            return false;
        unsigned c = (unsigned)(high <= '9' ? high - '0' : high - 'A' + 10) * 16 +
                     (unsigned)(low <= '9' ? low - '0' : low - 'A' + 10);
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            (c && c < 128 && strchr(plain, (int)c)))
            return false;
    }
    return true;
}

static bool printable_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return true;
}

/* False when the two cannot be placed. */
static bool place(const struct vers_range *range, struct span a, struct span b, int *result)
{
    if (range->compare == VERS_BY_ORDER)
        return version_compare(range->order, a, b, result);
    *result = span_compare(a, b);
    return range->compare == VERS_BY_BYTES || *result == 0;
}

static int constraint_read(const struct vers_range *range, struct span text, struct vers_constraint *out,
                           struct arena *arena, struct fault *fault)
{
    size_t i = 0, count = sizeof signs / sizeof signs[0];
    int ignored;
    while (i < count && !span_starts(text, signs[i].text))
        i++;
    out->sign = i < count ? signs[i].sign : VERS_EQUAL;
    struct span version = span_from(text, i < count ? strlen(signs[i].text) : 0);
    if (!vers_version_decode(version, &out->version, arena))
        return refuse(fault, arena->exhausted ? E_NOMEM : E_SYNTAX, text,
                      "it is no version, with or without one of = != < <= > >=");
    if (!encoding_canonical(version))
        return refuse(fault, E_CANONICAL, text, "its percent-encoding is not canonical");
    if (!place(range, out->version, out->version, &ignored))
        return refuse(fault, E_SYNTAX, text, "it is no version of the range's type");
    return 0;
}

static bool opens(enum vers_sign sign)
{
    return sign == VERS_ABOVE || sign == VERS_FROM;
}

static bool closes(enum vers_sign sign)
{
    return sign == VERS_BELOW || sign == VERS_UP_TO;
}

/* What may follow what, with those that were passed over left out. `last`: the sign before, not counting !=; `bound`: not counting = either. */
static const char *sequence_problem(enum vers_sign sign, const enum vers_sign *last, const enum vers_sign *bound)
{
    if (sign == VERS_NOT)
        return NULL;
    if (last && *last == VERS_EQUAL && closes(sign))
        return "what follows a single version is another, or the start of an interval";
    if (sign == VERS_EQUAL)
        return NULL;
    return bound && opens(*bound) == opens(sign) ? "starts and ends of intervals alternate" : NULL;
}

static int sequence_check(const struct vers_range *range, struct fault *fault)
{
    const enum vers_sign *last = NULL, *bound = NULL;
    for (size_t i = 0; i < range->count; i++) {
        const struct vers_constraint *c = &range->constraints[i];
        int order = -1;
        if (i && range->compare != VERS_BY_NAME &&
            place(range, range->constraints[i - 1].version, c->version, &order) && order >= 0)
            return refuse(fault, order ? E_CANONICAL : E_DUPLICATE, c->version,
                          order ? "versions stand in ascending order" : "a version stands once");
        const char *problem = sequence_problem(c->sign, last, bound);
        if (problem)
            return refuse(fault, E_SYNTAX, c->version, problem);
        last = c->sign == VERS_NOT ? last : &c->sign;
        bound = opens(c->sign) || closes(c->sign) ? &c->sign : bound;
    }
    return 0;
}

static int constraints_read(struct vers_range *range, struct span rest, struct arena *arena, struct fault *fault)
{
    size_t most = 1;
    for (size_t i = 0; i < rest.len; i++)
        most += rest.data[i] == '|';
    struct vers_constraint *list = arena_array(arena, most, sizeof *list);
    if (!list)
        return fail(fault, arena->exhausted ? E_NOMEM : E_LIMIT, "%zu constraints", most);
    range->constraints = list;
    for (; range->count < most; range->count++) {
        const uint8_t *bar = rest.len ? memchr(rest.data, '|', rest.len) : NULL;
        struct span part = bar ? span_of(rest.data, (size_t)(bar - rest.data)) : rest;
        int rc = constraint_read(range, part, &list[range->count], arena, fault);
        if (rc)
            return rc;
        rest = span_from(rest, part.len + 1);
    }
    return sequence_check(range, fault);
}

static int type_take(struct vers_range *range, struct span type, struct fault *fault)
{
    static const char others[] = ".-";
    for (size_t i = 0; i < type.len; i++) {
        uint8_t c = type.data[i];
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        if (c >= 'A' && c <= 'Z')
            return refuse(fault, E_CANONICAL, type, "a type is written in lower case");
        if (!letter && (i == 0 || !(digit || (c && strchr(others, c)))))
            return refuse(fault, E_SYNTAX, type,
                          "a type has letters, digits, \".\" and \"-\", and begins with a letter");
    }
    range->order = span_is(type, "intdot")    ? ORDER_DOTTED
                   : span_is(type, "generic") ? ORDER_GENERIC
                                              : order_of_scheme(type);
    range->compare = span_is(type, "lexicographic")  ? VERS_BY_BYTES
                     : range->order == ORDER_UNKNOWN ? VERS_BY_NAME
                                                     : VERS_BY_ORDER;
    return type.len ? 0 : fail(fault, E_SYNTAX, "the type is missing: vers:TYPE/CONSTRAINTS");
}

int vers_parse(struct vers_range *out, struct span text, struct arena *arena, struct fault *fault)
{
    struct span rest = span_from(text, 5);
    *out = (struct vers_range){0};
    if (text.len > VERS_BYTES_MAX)
        return fail(fault, E_LIMIT, "a range has at most %d bytes", VERS_BYTES_MAX);
    if (!printable_ascii(text))
        return fail(fault, E_SYNTAX, "a range is printable ASCII without blanks; other characters are percent-encoded");
    const uint8_t *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
    if (!span_starts(text, "vers:") || !slash)
        return fail(fault, E_SYNTAX, "a range is vers:TYPE/CONSTRAINTS");
    struct span type = span_of(rest.data, (size_t)(slash - rest.data));
    int rc = type_take(out, type, fault);
    if (rc)
        return rc;
    rest = span_from(rest, type.len + 1);
    out->none = span_is(type, "none");
    out->every = !out->none && span_is(rest, "*");
    if ((out->none || span_is(type, "all")) && !span_is(rest, "*"))
        return refuse(fault, E_SYNTAX, rest, "vers:all and vers:none take * alone");
    return out->none || out->every ? 0 : constraints_read(out, rest, arena, fault);
}

/* Between two signposts the one before says which side it is; before the first, that one does. */
enum vers_answer vers_contains(const struct vers_range *range, struct span version)
{
    const enum vers_sign *first = NULL, *below = NULL;
    bool unplaced = false, only_not = true;
    int order;
    if (range->every || range->none)
        return range->every ? VERS_INSIDE : VERS_OUTSIDE;
    if (!version.len || !place(range, version, version, &order))
        return VERS_CANNOT_TELL;
    for (size_t i = 0; i < range->count; i++) {
        const struct vers_constraint *c = &range->constraints[i];
        bool placed = place(range, version, c->version, &order), bound = opens(c->sign) || closes(c->sign);
        if (placed && order == 0)
            return c->sign == VERS_EQUAL || c->sign == VERS_FROM || c->sign == VERS_UP_TO ? VERS_INSIDE : VERS_OUTSIDE;
        only_not = only_not && c->sign == VERS_NOT;
        unplaced = unplaced || !placed;
        if (bound && !first)
            first = &c->sign;
        if (bound && placed && order > 0)
            below = &c->sign;
    }
    if (unplaced)
        return VERS_CANNOT_TELL;
    bool inside = below ? opens(*below) : first && closes(*first);
    return inside || only_not ? VERS_INSIDE : VERS_OUTSIDE;
}
