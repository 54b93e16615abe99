#include "format/cpe.h"

#include <strings.h>

#include "base/text.h"

enum { CPE_BYTES_MAX = 2048, PACKED = 5 };

const char *const cpe_attribute_names[CPE_ATTRIBUTES] = {"part",      "vendor",    "product",  "version",
                                                         "update",    "edition",   "language", "sw_edition",
                                                         "target_sw", "target_hw", "other"};
const char *const cpe_relation_names[5] = {"undefined", "disjoint", "equal", "subset", "superset"};

/* One character of a value as it is bound: what it stands for, and whether it is a wildcard. */
struct unit {
    uint8_t c;
    bool wild;
};

static bool is_alnum(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_plain(uint8_t c)
{
    return is_alnum(c) || c == '_' || c == '.' || c == '-';
}

/* Formatted string: letters, digits and "_.-" stand for themselves, all other printable characters behind a backslash. */
static size_t unit_formatted(struct span rest, struct unit *unit)
{
    uint8_t c = rest.data[0];
    if (c == '\\' && rest.len > 1 && rest.data[1] > ' ' && rest.data[1] < 0x7f && !is_alnum(rest.data[1])) {
        *unit = (struct unit){rest.data[1], false};
        return 2;
    }
    *unit = (struct unit){c, c == '*' || c == '?'};
    return is_plain(c) || unit->wild ? 1 : 0;
}

/* URI: what is not plain is percent-encoded; %01 and %02 are the wildcards "?" and "*". */
static size_t unit_uri(struct span rest, struct unit *unit)
{
    uint8_t c = rest.data[0], byte;
    if (c != '%') {
        *unit = (struct unit){c, false};
        return is_plain(c) || c == '~' ? 1 : 0;
    }
    uint8_t digits[2] = {0};
    for (size_t i = 0; i < 2 && i + 1 < rest.len; i++)
        digits[i] = rest.data[i + 1] >= 'A' && rest.data[i + 1] <= 'F' ? rest.data[i + 1] | 32 : rest.data[i + 1];
    if (!hex_parse(span_of(digits, 2), &byte, 1) || (byte > 2 && (byte <= ' ' || byte >= 0x7f)) || !byte)
        return 0;
    *unit = byte == 1 ? (struct unit){'?', true} : byte == 2 ? (struct unit){'*', true} : (struct unit){byte, false};
    return 3;
}

typedef size_t unit_read(struct span rest, struct unit *unit);

/* Wildcards stand at the two ends only: one "*", or any number of "?". Returns how many units they take there. */
static size_t wild_take(const struct unit *units, size_t count, bool behind, int *wild)
{
    size_t n = 0;
    const struct unit *end = behind ? units + count - 1 : units;
    ptrdiff_t step = behind ? -1 : 1;
    while (n < count && end[step * (ptrdiff_t)n].wild && end[step * (ptrdiff_t)n].c == '?')
        n++;
    *wild = (int)n;
    if (!n && count && end->wild) {
        *wild = WILD_MANY;
        n = 1;
    }
    return n;
}

static int value_build(struct cpe_value *out, const struct unit *units, size_t count, struct arena *arena)
{
    size_t before = wild_take(units, count, false, &out->before);
    size_t after = wild_take(units + before, count - before, true, &out->after);
    size_t len = count - before - after;
    uint8_t *bytes = arena_alloc(arena, len + 1);
    if (!bytes)
        return E_NOMEM;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = units[before + i].c;
        if (units[before + i].wild)
            return E_SYNTAX;
        bytes[i] = c >= 'A' && c <= 'Z' ? c | 32 : c;
    }
    out->text = span_of(bytes, len);
    if (!len && (out->before == WILD_MANY || out->after == WILD_MANY))
        *out = (struct cpe_value){.kind = CPE_ANY}; /* any text at all */
    return 0;
}

static int value_parse(struct cpe_value *out, struct span bound, unit_read *read, struct arena *arena)
{
    size_t count = 0;
    *out = (struct cpe_value){.kind = CPE_TEXT};
    struct unit *units = arena_array(arena, bound.len + 1, sizeof *units);
    if (!units)
        return E_NOMEM;
    while (bound.len) {
        size_t n = read(bound, &units[count]);
        if (!n)
            return E_SYNTAX;
        count++;
        bound = span_from(bound, n);
    }
    return count ? value_build(out, units, count, arena) : E_SYNTAX;
}

static int attribute_parse(struct cpe *out, enum cpe_attribute attribute, struct span bound, unit_read *read,
                           struct arena *arena, struct fault *fault)
{
    struct cpe_value *value = &out->values[attribute];
    bool uri = read == unit_uri;
    if ((uri && !bound.len) || (!uri && span_is(bound, "*"))) {
        *value = (struct cpe_value){.kind = CPE_ANY};
        return 0;
    }
    if (span_is(bound, "-")) {
        *value = (struct cpe_value){.kind = CPE_NA};
        return 0;
    }
    int rc = value_parse(value, bound, read, arena);
    if (rc)
        return fail(fault, rc, "the attribute \"%s\" is badly written", cpe_attribute_names[attribute]);
    bool part = value->text.len == 1 && strchr("aoh", value->text.data[0]) && !value->before && !value->after;
    if (attribute == CPE_PART && !part)
        return fail(fault, E_SYNTAX, "a CPE's part is a, o or h");
    return 0;
}

/* Cuts at the next ":" that no backslash quotes. */
static struct span component_take(struct span *rest, bool *more)
{
    size_t n = 0;
    while (n < rest->len && rest->data[n] != ':')
        n += rest->data[n] == '\\' && n + 1 < rest->len ? 2 : 1;
    struct span component = span_of(rest->data, n);
    *more = n < rest->len;
    *rest = *more ? span_from(*rest, n + 1) : span_of(NULL, 0);
    return component;
}

static int formatted_parse(struct cpe *out, struct span rest, struct arena *arena, struct fault *fault)
{
    bool more = true;
    for (int i = 0; i < CPE_ATTRIBUTES; i++) {
        if (!more)
            return fail(fault, E_SYNTAX, "a formatted string has %d attributes, this has %d", CPE_ATTRIBUTES, i);
        struct span component = component_take(&rest, &more);
        int rc = attribute_parse(out, (enum cpe_attribute)i, component, unit_formatted, arena, fault);
        if (rc)
            return rc;
    }
    return more ? fail(fault, E_SYNTAX, "a formatted string has %d attributes, this has more", CPE_ATTRIBUTES) : 0;
}

/* "~edition~sw_edition~target_sw~target_hw~other" */
static int packed_parse(struct cpe *out, struct span rest, struct arena *arena, struct fault *fault)
{
    static const enum cpe_attribute order[PACKED] = {CPE_EDITION, CPE_SW_EDITION, CPE_TARGET_SW, CPE_TARGET_HW,
                                                     CPE_OTHER};
    int rc = 0;
    for (int i = 0; i < PACKED && rc == 0; i++) {
        rest = span_from(rest, 1);
        const uint8_t *tilde = rest.len ? memchr(rest.data, '~', rest.len) : NULL;
        size_t n = tilde ? (size_t)(tilde - rest.data) : rest.len;
        if ((i < PACKED - 1) != (tilde != NULL))
            return fail(fault, E_SYNTAX, "a packed edition has five parts");
        rc = attribute_parse(out, order[i], span_of(rest.data, n), unit_uri, arena, fault);
        rest = span_from(rest, n);
    }
    return rc;
}

static int uri_parse(struct cpe *out, struct span rest, struct arena *arena, struct fault *fault)
{
    bool more = true;
    int rc = 0;
    for (int i = CPE_PART; i <= CPE_LANGUAGE && more && rc == 0; i++) {
        struct span component = component_take(&rest, &more);
        rc = i == CPE_EDITION && component.len && component.data[0] == '~'
                 ? packed_parse(out, component, arena, fault)
                 : attribute_parse(out, (enum cpe_attribute)i, component, unit_uri, arena, fault);
    }
    return rc == 0 && more ? fail(fault, E_SYNTAX, "a CPE URI has at most seven components") : rc;
}

/* What stands behind the beginning of a CPE name; empty when it is none. */
static struct span body_of(struct span text, bool *formatted)
{
    *formatted = text.len > 8 && strncasecmp((const char *)text.data, "cpe:2.3:", 8) == 0;
    if (*formatted)
        return span_from(text, 8);
    return text.len > 5 && strncasecmp((const char *)text.data, "cpe:/", 5) == 0 ? span_from(text, 5)
                                                                                 : span_of(NULL, 0);
}

static size_t plain_take(struct span bound, unit_read *read, uint8_t *out, size_t max)
{
    size_t n = 0;
    if (span_is(bound, "-"))
        return 0;
    while (bound.len) {
        struct unit unit;
        size_t used = read(bound, &unit);
        if (!used || unit.wild || n == max)
            return 0;
        out[n++] = unit.c >= 'A' && unit.c <= 'Z' ? unit.c | 32 : unit.c;
        bound = span_from(bound, used);
    }
    return n;
}

size_t cpe_product(struct span text, uint8_t *out, size_t max)
{
    bool formatted, more;
    struct span rest = body_of(text, &formatted);
    unit_read *read = formatted ? unit_formatted : unit_uri;
    if (text.len > CPE_BYTES_MAX || max == 0)
        return 0;
    (void)component_take(&rest, &more);
    size_t vendor = plain_take(component_take(&rest, &more), read, out, max - 1);
    if (!vendor)
        return 0;
    out[vendor] = ':';
    size_t product = plain_take(component_take(&rest, &more), read, out + vendor + 1, max - vendor - 1);
    return product ? vendor + 1 + product : 0;
}

struct span cpe_version(struct span text)
{
    bool formatted, more = true;
    struct span rest = body_of(text, &formatted), version = {0};
    for (int i = CPE_PART; i <= CPE_VERSION && rest.len; i++) {
        struct span component = component_take(&rest, &more);
        if (i == CPE_VERSION)
            version = component;
    }
    for (size_t i = 0; i < version.len; i++)
        if (!is_plain(version.data[i]))
            return span_of(NULL, 0);
    return span_is(version, "-") ? span_of(NULL, 0) : version;
}

size_t cpe_versionless(struct span text, uint8_t *out, size_t max)
{
    bool formatted, more = true;
    struct span rest = body_of(text, &formatted);
    for (int i = CPE_PART; i < CPE_VERSION && rest.len; i++)
        (void)component_take(&rest, &more);
    size_t head = text.len - rest.len;
    if (rest.len)
        (void)component_take(&rest, &more);
    struct span tail = span_of(rest.data, more && rest.len ? rest.len : 0);
    const char *open = head == text.len ? "" : formatted ? "*" : "";
    size_t n = head + strlen(open) + (tail.len ? 1 : 0) + tail.len;
    if (text.len > CPE_BYTES_MAX || !head || n > max)
        return 0;
    memcpy(out, text.data, head);
    memcpy(out + head, open, strlen(open));
    if (tail.len) {
        out[head + strlen(open)] = ':';
        memcpy(out + n - tail.len, tail.data, tail.len);
    }
    return n;
}

int cpe_parse(struct cpe *out, struct span text, struct arena *arena, struct fault *fault)
{
    *out = (struct cpe){0};
    if (text.len > CPE_BYTES_MAX)
        return fail(fault, E_LIMIT, "a CPE name has at most %d bytes", CPE_BYTES_MAX);
    bool formatted;
    struct span body = body_of(text, &formatted);
    if (body.len)
        return formatted ? formatted_parse(out, body, arena, fault) : uri_parse(out, body, arena, fault);
    return fail(fault, E_SYNTAX, "a CPE name begins with \"cpe:2.3:\" or \"cpe:/\"");
}

static void wild_write(struct buf *out, int wild)
{
    if (wild == WILD_MANY)
        buf_byte(out, '*');
    for (int i = 0; i < wild; i++)
        buf_byte(out, '?');
}

static void value_write(struct buf *out, const struct cpe_value *value)
{
    if (value->kind != CPE_TEXT) {
        buf_byte(out, value->kind == CPE_ANY ? '*' : '-');
        return;
    }
    bool lone = span_is(value->text, "-"); /* bare it would say "not applicable" */
    wild_write(out, value->before);
    for (size_t i = 0; i < value->text.len; i++) {
        if (!is_plain(value->text.data[i]) || lone)
            buf_byte(out, '\\');
        buf_byte(out, value->text.data[i]);
    }
    wild_write(out, value->after);
}

void cpe_write(struct buf *out, const struct cpe *cpe)
{
    buf_text(out, "cpe:2.3");
    for (int i = 0; i < CPE_ATTRIBUTES; i++) {
        buf_byte(out, ':');
        value_write(out, &cpe->values[i]);
    }
}

/* Matching */

static bool is_wild(const struct cpe_value *value)
{
    return value->kind == CPE_TEXT && (value->before || value->after);
}

/* Does the text stand in the target, with no more before and after it than the wildcards allow? */
static bool wild_matches(const struct cpe_value *source, struct span target)
{
    size_t len = source->text.len;
    for (size_t at = 0; at + len <= target.len; at++) {
        size_t left = target.len - at - len;
        bool before = source->before == WILD_MANY || at <= (size_t)source->before;
        bool after = source->after == WILD_MANY || left <= (size_t)source->after;
        if (before && after && (!len || memcmp(target.data + at, source->text.data, len) == 0))
            return true;
    }
    return false;
}

enum cpe_relation cpe_value_compare(const struct cpe_value *source, const struct cpe_value *target)
{
    if (is_wild(target))
        return CPE_UNDEFINED;
    if (source->kind == CPE_ANY)
        return target->kind == CPE_ANY ? CPE_EQUAL : CPE_SUPERSET;
    if (target->kind == CPE_ANY)
        return CPE_SUBSET;
    if (source->kind != target->kind)
        return CPE_DISJOINT;
    if (source->kind == CPE_NA)
        return CPE_EQUAL;
    if (is_wild(source))
        return wild_matches(source, target->text) ? CPE_SUPERSET : CPE_DISJOINT;
    return span_eq(source->text, target->text) ? CPE_EQUAL : CPE_DISJOINT;
}

enum cpe_relation cpe_compare(const struct cpe *source, const struct cpe *target)
{
    unsigned found[5] = {0};
    for (int i = 0; i < CPE_ATTRIBUTES; i++)
        found[cpe_value_compare(&source->values[i], &target->values[i])]++;
    if (found[CPE_DISJOINT])
        return CPE_DISJOINT;
    if (found[CPE_UNDEFINED] || (found[CPE_SUBSET] && found[CPE_SUPERSET]))
        return CPE_UNDEFINED;
    return found[CPE_SUBSET] ? CPE_SUBSET : found[CPE_SUPERSET] ? CPE_SUPERSET : CPE_EQUAL;
}
