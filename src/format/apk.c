/* The database of installed packages of Alpine and its kin (apk-package(5), index characters): stanzas of "X:value" lines, divided by empty
   lines. Files, checksums and scripts stand between them, and are passed over. */
#include "base/text.h"
#include "format/component.h"

enum { PATH_NAME_MAX = 200 };
enum field { FIELD_NAME, FIELD_VERSION, FIELD_ORIGIN, FIELDS };
struct stanza {
    bool open;
    struct span fields[FIELDS];
    const char *problem;
};

static bool is_field(struct span line)
{
    return line.len >= 2 && line.data[1] == ':';
}

static void line_take(struct stanza *s, struct span line)
{
    static const char letters[FIELDS] = {'P', 'V', 'o'};
    s->open = true;
    if (!is_field(line))
        s->problem = "its stanza has a line without a field";
    for (size_t i = 0; i < FIELDS && is_field(line); i++) {
        if (line.data[0] != (uint8_t)letters[i])
            continue;
        if (s->fields[i].data)
            s->problem = "a field of its stanza stands twice";
        else
            s->fields[i] = span_of(line.data + 2, line.len - 2);
    }
}

static int stanza_end(struct stanza *s, struct collect *all, struct span ecosystem)
{
    const struct span *f = s->fields;
    struct span shown = text_cut(f[FIELD_NAME], PATH_NAME_MAX);
    if (!s->open)
        return 0;
    char *path = arena_printf(all->arena, "P:%.*s", (int)shown.len, shown.len ? (const char *)shown.data : "");
    if (!path)
        return fail(all->fault, E_NOMEM, "packages");
    struct component *c = collect_add(all);
    *c = (struct component){.ecosystem = ecosystem,
                            .name = f[FIELD_NAME],
                            .version = f[FIELD_VERSION],
                            .path = span_str(path),
                            .problem = s->problem};
    component_take_source(c, f[FIELD_ORIGIN], span_of(NULL, 0));
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

/* The first stanza has a name and a version, and nothing but fields: lines of other formats are longer words. */
bool inventory_is_apk(struct span bytes)
{
    struct span line;
    bool name = false, version = false;
    while (text_line(&bytes, &line) && (line.len || !(name || version))) {
        if (line.len && !is_field(line))
            return false;
        name = name || span_starts(line, "P:");
        version = version || span_starts(line, "V:");
    }
    return name && version;
}

int inventory_read_apk(struct inventory *out, struct span database, struct span distribution, struct arena *arena,
                       struct fault *fault)
{
    struct stanza s = {0};
    struct collect all;
    struct span line, rest = database, ecosystem;
    *out = (struct inventory){.format = "apk"};
    int rc = text_check(database, "an apk database", fault);
    rc = rc ? rc : distribution_take(&ecosystem, distribution, "Alpine", ORDER_ALPINE, fault);
    rc = rc ? rc : collect_start(&all, stanzas_most(database), arena, fault);
    while (rc == 0 && text_line(&rest, &line)) {
        if (line.len) {
            line_take(&s, line);
            continue;
        }
        rc = stanza_end(&s, &all, ecosystem);
        s = (struct stanza){0};
    }
    rc = rc ? rc : stanza_end(&s, &all, ecosystem);
    return rc ? rc : collect_end(&all, "apk", out);
}
