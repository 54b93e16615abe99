/* The status file of dpkg (deb-control(5), dpkg(1)): stanzas of "Field: value" lines, continued by lines that begin with a blank. */
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "format/inventory.h"

enum { PATH_NAME_MAX = 200 }; /* bytes of a package's name that its place repeats */
enum field { FIELD_PACKAGE, FIELD_VERSION, FIELD_SOURCE, FIELD_STATUS, FIELDS };

struct stanza {
    bool open; /* a line of it has been seen */
    struct span fields[FIELDS];
    const char *problem;
};

static struct span trim(struct span text)
{
    while (text.len && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = span_from(text, 1);
    while (text.len && strchr(" \t\r", text.data[text.len - 1]) && text.data[text.len - 1])
        text.len--;
    return text;
}

static bool next_line(struct span *rest, struct span *line)
{
    bool more = span_line(rest, line);
    if (!more) {
        *line = *rest; /* the last one may lack its newline */
        *rest = span_of(NULL, 0);
        more = line->len > 0;
    }
    if (line->len && line->data[line->len - 1] == '\r')
        line->len--;
    return more;
}

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
            s->fields[i] = trim(span_from(line, n + 1));
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
        c->source = source;
        return NULL;
    }
    size_t n = (size_t)(paren - source.data);
    struct span version = span_from(source, n + 1);
    if (version.len < 2 || version.data[version.len - 1] != ')')
        return "its source's version is not closed";
    version.len--;
    c->source = trim(span_of(source.data, n));
    c->source_version = trim(version);
    return NULL;
}

static int stanza_end(struct stanza *s, struct inventory *out, struct component *list, struct span ecosystem,
                      struct arena *arena)
{
    const struct span *f = s->fields;
    if (!s->open || (f[FIELD_STATUS].len && !installed(f[FIELD_STATUS])))
        return 0;
    struct span shown = text_cut(f[FIELD_PACKAGE], PATH_NAME_MAX);
    char *path = arena_printf(arena, "Package: %.*s", (int)shown.len, shown.len ? (const char *)shown.data : "");
    if (!path)
        return E_NOMEM;
    struct component *c = &list[out->count++];
    *c = (struct component){
        .ecosystem = ecosystem, .name = f[FIELD_PACKAGE], .version = f[FIELD_VERSION], .path = span_str(path)};
    const char *problem = source_take(c, f[FIELD_SOURCE]);
    c->problem = s->problem ? s->problem : problem;
    if (!f[FIELD_STATUS].len)
        c->problem = "it has no status";
    if (!c->version.len)
        c->problem = "it has no version";
    if (!c->name.len)
        c->problem = "it has no name";
    out->problem_count += c->problem != NULL;
    return 0;
}

static size_t stanzas_most(struct span rest)
{
    struct span line;
    size_t count = 0;
    bool open = false;
    while (next_line(&rest, &line)) {
        count += line.len && !open;
        open = line.len > 0;
    }
    return count;
}

int inventory_read_dpkg(struct inventory *out, struct span status, struct span distribution, struct arena *arena,
                        struct fault *fault)
{
    struct stanza s = {0};
    struct span line, rest = status, ecosystem = distribution.len ? distribution : span_str("Debian");
    *out = (struct inventory){.format = "dpkg"};
    if (status.len > INVENTORY_BYTES_MAX)
        return fail(fault, E_LIMIT, "an inventory has at most %d bytes", INVENTORY_BYTES_MAX);
    if (!utf8_valid(status) || (status.len && memchr(status.data, 0, status.len)))
        return fail(fault, E_UTF8, "a dpkg status file is UTF-8 text");
    size_t most = stanzas_most(status);
    if (most > COMPONENTS_MAX)
        return fail(fault, E_LIMIT, "%zu packages, the limit is %d", most, COMPONENTS_MAX);
    struct component *list = arena_array(arena, most + 1, sizeof *list);
    int rc = list ? 0 : E_NOMEM;
    while (rc == 0 && next_line(&rest, &line)) {
        if (line.len) {
            line_take(&s, line);
            continue;
        }
        rc = stanza_end(&s, out, list, ecosystem, arena);
        s = (struct stanza){0};
    }
    rc = rc ? rc : stanza_end(&s, out, list, ecosystem, arena);
    out->components = list;
    return rc ? fail(fault, rc, "%zu packages", most) : 0;
}
