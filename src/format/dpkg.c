/* The status file of dpkg (deb-control(5), dpkg(1)): stanzas of "Field: value" lines, continued by lines that begin with a blank. */
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "format/component.h"

enum { PATH_NAME_MAX = 200 }; /* bytes of a package's name that its place repeats */
enum field { FIELD_PACKAGE, FIELD_VERSION, FIELD_SOURCE, FIELD_STATUS, FIELDS };

struct stanza {
    bool open; /* a line of it has been seen */
    struct span fields[FIELDS];
    const char *problem;
};

static void line_take(struct stanza *s, struct span line)
{
    static const char *const names[FIELDS] = {"package", "version", "source", "status"};
    s->open = true;
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return;
    const uint8_t *colon = memchr(line.data, ':', line.len);
    if (!colon || colon == line.data) {
        s->problem = "its stanza has a line without a field name";
        return;
    }
    size_t n = (size_t)(colon - line.data);
    for (size_t i = 0; i < FIELDS; i++) {
        if (n != strlen(names[i]) || strncasecmp((const char *)line.data, names[i], n) != 0)
            continue;
        if (s->fields[i].data)
            s->problem = "a field of its stanza stands twice";
        else
            s->fields[i] = text_trim(span_from(line, n + 1));
        if (!s->fields[i].data)
            s->fields[i] = span_of(line.data, 0); /* present, but empty */
    }
}

/* What is on the disk counts as installed, configured or not: "want flag state", of which only two states leave nothing. */
static bool installed(struct span status)
{
    const uint8_t *space = status.len ? memrchr(status.data, ' ', status.len) : NULL;
    struct span state = space ? span_of(space + 1, status.len - (size_t)(space - status.data) - 1) : status;
    return !span_is(state, "not-installed") && !span_is(state, "config-files");
}

/* "Source: name" or "Source: name (version)". */
static const char *source_take(struct component *c, struct span source)
{
    const uint8_t *paren = source.len ? memchr(source.data, '(', source.len) : NULL;
    if (!paren) {
        component_take_source(c, source, span_of(NULL, 0));
        return NULL;
    }
    size_t n = (size_t)(paren - source.data);
    struct span version = span_from(source, n + 1);
    if (version.len < 2 || version.data[version.len - 1] != ')')
        return "its source's version is not closed";
    version.len--;
    component_take_source(c, text_trim(span_of(source.data, n)), text_trim(version));
    return NULL;
}

static int stanza_end(struct stanza *s, struct collect *all, struct span ecosystem)
{
    const struct span *f = s->fields;
    if (!s->open || (f[FIELD_STATUS].len && !installed(f[FIELD_STATUS])))
        return 0;
    struct span shown = text_cut(f[FIELD_PACKAGE], PATH_NAME_MAX);
    char *path = arena_printf(all->arena, "Package: %.*s", (int)shown.len, shown.len ? (const char *)shown.data : "");
    if (!path)
        return E_NOMEM;
    struct component *c = collect_add(all);
    *c = (struct component){
        .ecosystem = ecosystem, .name = f[FIELD_PACKAGE], .version = f[FIELD_VERSION], .path = span_str(path)};
    const char *problem = source_take(c, f[FIELD_SOURCE]);
    c->problem = !f[FIELD_STATUS].len ? "it has no status" : s->problem ? s->problem : problem;
    return 0;
}

static size_t stanzas_most(struct span rest)
{
    struct span line;
    size_t count = 0;
    bool open = false;
    while (text_line(&rest, &line)) {
        count += line.len && !open;
        open = line.len > 0;
    }
    return count;
}

int inventory_read_dpkg(struct inventory *out, struct span status, struct span distribution, struct arena *arena,
                        struct fault *fault)
{
    struct stanza s = {0};
    struct collect all;
    struct span line, rest = status, ecosystem;
    *out = (struct inventory){.format = "dpkg"};
    int rc = text_check(status, "a dpkg status file", fault);
    rc = rc ? rc : distribution_take(&ecosystem, distribution, "Debian", ORDER_DEBIAN, fault);
    rc = rc ? rc : collect_start(&all, stanzas_most(status), arena, fault);
    if (rc)
        return rc;
    while (rc == 0 && text_line(&rest, &line)) {
        if (line.len) {
            line_take(&s, line);
            continue;
        }
        rc = stanza_end(&s, &all, ecosystem);
        s = (struct stanza){0};
    }
    rc = rc ? rc : stanza_end(&s, &all, ecosystem);
    return rc ? fail(fault, rc, "%zu packages", all.cap) : collect_end(&all, "dpkg", out);
}
