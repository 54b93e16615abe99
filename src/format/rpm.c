/* What `rpm -qa` prints (rpm(8)): NAME-VERSION-RELEASE.ARCH by default, or six fields with tabs between them by the --qf of inventory.h. */
#include "base/text.h"
#include "format/component.h"

enum { FIELD_NAME, FIELD_EPOCH, FIELD_VERSION, FIELD_RELEASE, FIELD_ARCH, FIELD_SOURCE, FIELDS };

/* Architectures that rpm knows (rpmrc), so that a list is told from other text. */
static bool arch_known(struct span arch)
{
    static const char *const known[] = {
        "x86_64",  "noarch", "i686",    "aarch64",     "ppc64le",   "s390x",     "i386", "i486", "i586", "armv7hl",
        "armv6hl", "ppc64",  "riscv64", "loongarch64", "x86_64_v2", "x86_64_v3", "s390", "ppc",  "src"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (span_is(arch, known[i]))
            return true;
    return false;
}

/* rpm prints "(none)" for a tag that is not there. */
static struct span there(struct span text)
{
    return span_is(text, "(none)") ? span_of(NULL, 0) : text;
}

static bool fields_split(struct span line, struct span fields[static FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        const uint8_t *tab = line.len ? memchr(line.data, '\t', line.len) : NULL;
        if ((tab == NULL) != (i == FIELDS - 1))
            return false;
        size_t n = tab ? (size_t)(tab - line.data) : line.len;
        fields[i] = there(span_of(line.data, n));
        line = span_from(line, n + 1);
    }
    return true;
}

static const char *fields_take(struct component *c, struct span line, struct arena *arena)
{
    struct span f[FIELDS];
    if (!fields_split(line, f))
        return "its line has not six fields";
    c->name = f[FIELD_NAME];
    if (f[FIELD_VERSION].len && f[FIELD_RELEASE].len)
        c->version = text_joined(f[FIELD_VERSION], "-", f[FIELD_RELEASE], arena);
    else
        return "it has no version or no release";
    if (f[FIELD_EPOCH].len && !span_is(f[FIELD_EPOCH], "0"))
        c->version = text_joined(f[FIELD_EPOCH], ":", c->version, arena);
    component_take_source_rpm(c, f[FIELD_SOURCE]);
    return NULL;
}

static bool name_arch_split(struct span line, struct span *name, struct span *version)
{
    const uint8_t *dot = line.len ? memrchr(line.data, '.', line.len) : NULL;
    size_t n = dot ? (size_t)(dot - line.data) : 0;
    return dot && arch_known(span_from(line, n + 1)) && rpm_name_split(span_of(line.data, n), name, version);
}

/* Keys that packages are checked by are kept beside them, with a name, and neither an architecture nor a source. */
static bool is_key(struct span line)
{
    return span_starts(line, "gpg-pubkey-") || span_starts(line, "gpg-pubkey\t");
}

static int line_take(struct collect *all, struct span line, size_t number, struct span ecosystem, bool tabs)
{
    char *path = arena_printf(all->arena, "line %zu", number);
    if (!path)
        return fail(all->fault, E_NOMEM, "packages");
    struct component *c = collect_add(all);
    *c = (struct component){.ecosystem = ecosystem, .path = span_str(path)};
    if (tabs) {
        c->problem = fields_take(c, line, all->arena);
    } else if (!name_arch_split(line, &c->name, &c->version)) {
        c->name = line;
        c->problem = "its line is not NAME-VERSION-RELEASE.ARCH";
    }
    return 0;
}

static size_t lines_count(struct span rest)
{
    struct span line;
    size_t count = 0;
    while (text_line(&rest, &line))
        count += line.len > 0;
    return count;
}

static struct span first_package(struct span rest)
{
    struct span line;
    while (text_line(&rest, &line))
        if (line.len && !is_key(line))
            return line;
    return span_of(NULL, 0);
}

bool inventory_is_rpm(struct span bytes)
{
    struct span line = first_package(bytes), name, version, fields[FIELDS];
    return name_arch_split(line, &name, &version) ||
           (fields_split(line, fields) && (!fields[FIELD_ARCH].len || arch_known(fields[FIELD_ARCH])));
}

int inventory_read_rpm(struct inventory *out, struct span list, struct span distribution, struct arena *arena,
                       struct fault *fault)
{
    struct collect all;
    struct span line, rest = list, ecosystem, first = first_package(list);
    bool tabs = first.len && memchr(first.data, '\t', first.len);
    size_t number = 0;
    *out = (struct inventory){.format = "rpm"};
    int rc = text_check(list, "an rpm listing", fault);
    rc = rc ? rc : distribution_take(&ecosystem, distribution, "", ORDER_RPM, fault);
    rc = rc ? rc : collect_start(&all, lines_count(list), arena, fault);
    while (rc == 0 && text_line(&rest, &line)) {
        number++;
        if (line.len && !is_key(line))
            rc = line_take(&all, line, number, ecosystem, tabs);
    }
    rc = rc ? rc : collect_end(&all, "rpm", out);
    if (rc == 0 && !tabs && out->count)
        out->caveat = "the list has no epochs: a package that has one is compared as if it had none, and may be called "
                      "affected when it is not; list with --qf, as comity affected --help shows";
    return rc;
}
