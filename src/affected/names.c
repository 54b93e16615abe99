#include "affected/judge.h"

#include <strings.h>

static bool text_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0);
}

static struct span head_of(struct span ecosystem)
{
    const uint8_t *colon = ecosystem.len ? memchr(ecosystem.data, ':', ecosystem.len) : NULL;
    return colon ? span_of(ecosystem.data, (size_t)(colon - ecosystem.data)) : ecosystem;
}

static bool head_is(struct span ecosystem, const char *name)
{
    return text_eq(head_of(ecosystem), span_str(name));
}

/* "Debian" meets "Debian:12", and "Ubuntu:22.04" meets "Ubuntu:22.04:LTS"; "Debian:12" does not meet "Debian:13". */
bool ecosystem_meets(struct span a, struct span b)
{
    struct span longer = a.len > b.len ? a : b, shorter = a.len > b.len ? b : a;
    if (shorter.len == 0)
        return true;
    return text_eq(span_of(longer.data, shorter.len), shorter) &&
           (longer.len == shorter.len || longer.data[shorter.len] == ':');
}

uint8_t name_fold(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c | 32;
    if (c == '_' || c == '.')
        return '-';
    return c == ':' ? '/' : c;
}

/* Swift packages are named by the address of their repository, with its scheme or without. */
struct span name_trim(struct span name)
{
    if (span_starts(name, "https://"))
        name = span_from(name, 8);
    if (name.len > 4 && memcmp(name.data + name.len - 4, ".git", 4) == 0)
        name.len -= 4;
    return name;
}

/* PyPI takes "_", "." and "-" for one (PEP 503); a name without ecosystem has its group joined by "/", where Maven has ":". */
bool name_eq(struct span ecosystem, struct span a, struct span b)
{
    bool python = head_is(ecosystem, "PyPI"), maven = head_is(ecosystem, "Maven");
    if (head_is(ecosystem, "SwiftURL")) {
        a = name_trim(a);
        b = name_trim(b);
    }
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        uint8_t x = a.data[i], y = b.data[i];
        bool wide = (python && x != ':' && y != ':' && x != '/' && y != '/') ||
                    (maven && (x == ':' || x == '/') && (y == ':' || y == '/'));
        if (x != y && !(wide && name_fold(x) == name_fold(y)) && !text_eq(span_of(&x, 1), span_of(&y, 1)))
            return false;
    }
    return a.len > 0;
}

/* Debian's and Ubuntu's advisories speak of source packages: a binary is found by its source, with the source's version. */
bool packages_meet(const struct affected_package *row, const struct component *component, struct span *version)
{
    if (!ecosystem_meets(row->ecosystem, component->ecosystem))
        return false;
    if (name_eq(row->ecosystem, row->name, component->source)) {
        *version = component->source_version.len ? component->source_version : component->version;
        return true;
    }
    *version = component->version;
    return name_eq(row->ecosystem, row->name, component->name);
}
