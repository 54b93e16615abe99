#include "base/limits.h"
#include "base/text.h"
#include "format/inventory.h"

struct stanza {
    struct span package, version, source, status;
};

static bool field_is(struct span line, const char *name, struct span *value)
{
    size_t n = strlen(name);
    if (!span_starts(line, name) || line.len <= n || line.data[n] != ':')
        return false;
    *value = span_from(line, n + 1);
    while (value->len && value->data[0] == ' ')
        *value = span_from(*value, 1);
    return true;
}

static void line_take(struct stanza *s, struct span line)
{
    struct span value;
    if (field_is(line, "Package", &value))
        s->package = value;
    else if (field_is(line, "Version", &value))
        s->version = value;
    else if (field_is(line, "Source", &value))
        s->source = value;
    else if (field_is(line, "Status", &value))
        s->status = value;
}

/* "Source: name (version)" or "Source: name". */
static void source_take(struct component *c, struct span source)
{
    const uint8_t *space = source.len ? memchr(source.data, ' ', source.len) : NULL;
    c->source = space ? span_of(source.data, (size_t)(space - source.data)) : source;
    struct span rest = space ? span_from(source, c->source.len + 1) : span_of(NULL, 0);
    if (rest.len > 2 && rest.data[0] == '(' && rest.data[rest.len - 1] == ')')
        c->source_version = span_of(rest.data + 1, rest.len - 2);
}

static bool installed(struct span status)
{
    static const char want[] = "ok installed";
    size_t n = sizeof want - 1;
    return status.len >= n && memcmp(status.data + status.len - n, want, n) == 0;
}

static int stanza_end(struct stanza *s, struct inventory *out, struct component *list, struct span distribution, struct arena *arena)
{
    if (s->package.len && installed(s->status)) {
        struct component *c = &list[out->count++];
        char *path = arena_printf(arena, "Package: %.*s", (int)(s->package.len < 200 ? s->package.len : 200), (const char *)s->package.data);
        if (!path)
            return E_NOMEM;
        *c = (struct component){.ecosystem = distribution, .name = s->package, .version = s->version, .path = span_str(path)};
        source_take(c, s->source);
        c->problem = s->version.len ? NULL : "it has no version";
        out->problem_count += c->problem != NULL;
    }
    *s = (struct stanza){0};
    return 0;
}

static size_t stanza_count(struct span text)
{
    struct span line;
    size_t count = 1;
    while (span_line(&text, &line))
        count += span_starts(line, "Package:");
    return count;
}

int inventory_read_dpkg(struct inventory *out, struct span status, struct span distribution, struct arena *arena, struct fault *fault)
{
    struct stanza s = {0};
    struct span rest = status, line;
    size_t most = stanza_count(status);
    *out = (struct inventory){.format = "dpkg"};
    if (!utf8_valid(status) || (status.len && memchr(status.data, 0, status.len)))
        return fail(fault, E_UTF8, "a dpkg status file is UTF-8 text");
    if (most > COMPONENTS_MAX)
        return fail(fault, E_LIMIT, "more than %d packages", COMPONENTS_MAX);
    struct component *list = arena_array(arena, most, sizeof *list);
    int rc = list ? 0 : E_NOMEM;
    while (rc == 0 && span_line(&rest, &line)) {
        if (line.len)
            line_take(&s, line);
        else
            rc = stanza_end(&s, out, list, distribution, arena);
    }
    rc = rc ? rc : stanza_end(&s, out, list, distribution, arena);
    out->components = list;
    if (rc == 0 && !out->count)
        return fail(fault, E_MISSING, "no installed package in it");
    return rc ? fail(fault, rc, "dpkg status") : 0;
}

int inventory_read(struct inventory *out, struct span bytes, struct span distribution, struct arena *arena, struct fault *fault)
{
    size_t at = 0;
    while (at < bytes.len && (bytes.data[at] == ' ' || bytes.data[at] == '\n' || bytes.data[at] == '\r' || bytes.data[at] == '\t'))
        at++;
    bool json = at < bytes.len && bytes.data[at] == '{';
    return json ? inventory_read_cyclonedx(out, bytes, arena, fault) : inventory_read_dpkg(out, bytes, distribution, arena, fault);
}
