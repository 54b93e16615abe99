#include "format/purl.h"

#include "base/text.h"

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool percent_decode(struct span in, struct arena *arena, struct span *out)
{
    uint8_t *bytes = arena_alloc(arena, in.len + 1);
    size_t n = 0;
    if (!bytes)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        if (in.data[i] != '%') {
            bytes[n++] = in.data[i];
            continue;
        }
        int high = i + 2 < in.len ? hex_digit(in.data[i + 1]) : -1;
        int low = i + 2 < in.len ? hex_digit(in.data[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return false;
        bytes[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *out = span_of(bytes, n);
    return utf8_valid(*out);
}

static bool cut_last(struct span *text, uint8_t at, struct span *after)
{
    for (size_t i = text->len; i-- > 0;)
        if (text->data[i] == at) {
            *after = span_of(text->data + i + 1, text->len - i - 1);
            text->len = i;
            return true;
        }
    return false;
}

static bool cut_first(struct span *text, uint8_t at, struct span *before)
{
    const uint8_t *found = text->len ? memchr(text->data, at, text->len) : NULL;
    if (!found)
        return false;
    *before = span_of(text->data, (size_t)(found - text->data));
    *text = span_from(*text, before->len + 1);
    return true;
}

static struct span trim(struct span text, uint8_t c)
{
    while (text.len && text.data[0] == c)
        text = span_from(text, 1);
    while (text.len && text.data[text.len - 1] == c)
        text.len--;
    return text;
}

static bool type_take(struct span raw, struct arena *arena, struct span *out)
{
    struct span copy = arena_copy(arena, raw);
    uint8_t *bytes = (uint8_t *)(uintptr_t)copy.data;
    for (size_t i = 0; bytes && i < copy.len; i++) {
        uint8_t c = bytes[i];
        bool upper = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9';
        if (!upper && !digit && !(c >= 'a' && c <= 'z') && c != '.' && c != '+' && c != '-')
            return false;
        if (digit && i == 0)
            return false;
        bytes[i] = upper ? c | 32 : c;
    }
    *out = copy;
    return copy.len > 0;
}

int purl_parse(struct purl *out, struct span text, struct arena *arena, struct fault *fault)
{
    struct span rest = text, part = {0};
    memset(out, 0, sizeof *out);
    if (text.len > 4096)
        return fail(fault, E_LIMIT, "a purl has at most 4096 bytes");
    if (!span_starts(text, "pkg:"))
        return fail(fault, E_SYNTAX, "a purl starts with pkg:");
    rest = span_from(rest, 4);
    if (cut_last(&rest, '#', &part))
        out->subpath = trim(part, '/');
    if (cut_last(&rest, '?', &part))
        out->qualifiers = part;
    rest = trim(rest, '/');
    if (!cut_first(&rest, '/', &part) || !type_take(part, arena, &out->type))
        return fail(fault, E_SYNTAX, "a purl is pkg:type/name@version");
    rest = trim(rest, '/');
    struct span tail = rest;
    const uint8_t *slash = NULL; /* an '@' belongs to the version only behind the last slash */
    for (size_t i = 0; i < rest.len; i++)
        slash = rest.data[i] == '/' ? rest.data + i : slash;
    if (slash)
        tail = span_of(slash + 1, (size_t)(rest.data + rest.len - slash - 1));
    if (cut_last(&tail, '@', &part) && tail.len) {
        if (!percent_decode(part, arena, &out->version))
            return fail(fault, E_SYNTAX, "the version's percent-encoding");
        rest.len -= part.len + 1;
    }
    if (cut_last(&rest, '/', &part)) {
        if (!percent_decode(trim(rest, '/'), arena, &out->namespace))
            return fail(fault, E_SYNTAX, "the namespace's percent-encoding");
    } else {
        part = rest;
    }
    if (!percent_decode(part, arena, &out->name) || !out->name.len)
        return fail(fault, E_SYNTAX, "a purl has a name");
    return 0;
}

struct span purl_qualifier(const struct purl *purl, const char *key, struct arena *arena)
{
    struct span rest = purl->qualifiers, pair, value = {0};
    while (rest.len) {
        if (!cut_first(&rest, '&', &pair)) {
            pair = rest;
            rest = span_of(NULL, 0);
        }
        struct span name = {0};
        if (cut_first(&pair, '=', &name) && span_is(name, key))
            return percent_decode(pair, arena, &value) ? value : span_of(NULL, 0);
    }
    return span_of(NULL, 0);
}

static const struct {
    const char *type, *ecosystem, *joint; /* joint between namespace and name; NULL: the name alone */
} ecosystems[] = {
    {"deb", "Debian", NULL},     {"golang", "Go", "/"},       {"npm", "npm", "/"},         {"cargo", "crates.io", NULL},
    {"pypi", "PyPI", NULL},      {"maven", "Maven", ":"},     {"gem", "RubyGems", NULL},   {"nuget", "NuGet", NULL},
    {"composer", "Packagist", "/"}, {"hex", "Hex", NULL},     {"pub", "Pub", NULL},        {"apk", "Alpine", NULL},
    {"rpm", "rpm", NULL},        {"cran", "CRAN", NULL},      {"hackage", "Hackage", NULL},
};

void purl_ecosystem(const struct purl *purl, struct span *ecosystem, struct span *name, struct arena *arena)
{
    *ecosystem = purl->type;
    *name = purl->name;
    for (size_t i = 0; i < sizeof ecosystems / sizeof ecosystems[0]; i++) {
        if (!span_is(purl->type, ecosystems[i].type))
            continue;
        *ecosystem = span_str(ecosystems[i].ecosystem);
        if (span_is(purl->type, "deb") && span_is(purl->namespace, "ubuntu"))
            *ecosystem = span_str("Ubuntu");
        if (ecosystems[i].joint && purl->namespace.len) {
            char *joined = arena_printf(arena, "%.*s%s%.*s", (int)purl->namespace.len, (const char *)purl->namespace.data,
                                        ecosystems[i].joint, (int)purl->name.len, (const char *)purl->name.data);
            *name = joined ? span_str(joined) : *name;
        }
    }
}
