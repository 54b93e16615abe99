#include "format/component.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "format/purl.h"
#include "format/version.h"

int collect_start(struct collect *c, size_t most, struct arena *arena, struct fault *fault)
{
    *c = (struct collect){.cap = most, .arena = arena, .fault = fault};
    if (most > COMPONENTS_MAX)
        return fail(fault, E_LIMIT, "%zu components, the limit is %d: split it by system", most, COMPONENTS_MAX);
    c->list = arena_array(arena, most + 1, sizeof *c->list);
    return c->list ? 0 : fail(fault, E_NOMEM, "%zu components", most);
}

struct component *collect_add(struct collect *c)
{
    return &c->list[c->count++];
}

/* Twins */

static int spans_compare(const struct span *a, const struct span *b, size_t count)
{
    int order = 0;
    for (size_t i = 0; i < count && order == 0; i++)
        order = a[i].len != b[i].len ? (a[i].len < b[i].len ? -1 : 1) : span_compare(a[i], b[i]);
    return order;
}

enum { IDENTITY = 10 };
static void identity_of(const struct component *c, struct span out[static IDENTITY])
{
    const struct span all[IDENTITY] = {c->name,           c->version, c->ecosystem, c->purl,    c->source,
                                       c->source_version, c->cpe,     c->vendor,    c->product, c->model};
    memcpy(out, all, sizeof all);
}

static int twin_compare(const struct component *a, const struct component *b)
{
    struct span left[IDENTITY], right[IDENTITY];
    identity_of(a, left);
    identity_of(b, right);
    return spans_compare(left, right, IDENTITY);
}

/* Of twins the one that stands first comes first. */
static int by_identity(const void *a, const void *b)
{
    const struct component *const *left = a, *const *right = b;
    int order = twin_compare(*left, *right);
    return order ? order : (*left > *right) - (*left < *right);
}

/* A package listed at three places is one package; only broken ones are told one by one. */
static int twins_drop(struct collect *c)
{
    struct component **sorted = arena_array(c->arena, c->count + 1, sizeof(struct component *));
    const struct component *first = NULL;
    size_t kept = 0;
    if (!sorted)
        return fail(c->fault, E_NOMEM, "%zu components", c->count);
    for (size_t i = 0; i < c->count; i++)
        sorted[i] = &c->list[i];
    if (c->count)
        qsort(sorted, c->count, sizeof(struct component *), by_identity);
    for (size_t i = 0; i < c->count; i++)
        if (!first || first->problem || sorted[i]->problem || twin_compare(first, sorted[i]) != 0)
            first = sorted[i];
        else
            sorted[i]->path = span_of(NULL, 0); /* every other has one */
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].path.len)
            c->list[kept++] = c->list[i];
    c->count = kept;
    return 0;
}

static const char *problem_of(const struct component *c)
{
    enum order order = order_of_ecosystem(c->ecosystem);
    int ignored;
    if (!c->name.len)
        return "it has no name";
    if (!c->version.len)
        return c->problem ? c->problem : "it has no version";
    if (!c->problem && order != ORDER_UNKNOWN && !version_compare(order, c->version, c->version, &ignored))
        return "its version is none of its ecosystem";
    return c->problem;
}

int collect_end(struct collect *c, const char *format, struct inventory *out)
{
    size_t problems = 0, found = c->count;
    for (size_t i = 0; i < c->count; i++) {
        c->list[i].problem = problem_of(&c->list[i]);
        problems += c->list[i].problem != NULL;
    }
    int rc = twins_drop(c);
    *out = (struct inventory){.format = format,
                              .count = c->count,
                              .problem_count = problems,
                              .twin_count = found - c->count,
                              .components = c->list};
    return rc;
}

/* Names */

struct span text_joined(struct span a, const char *joint, struct span b, struct arena *arena)
{
    struct span parts[] = {a, span_str(joint), b};
    uint8_t *bytes = arena_alloc(arena, a.len + parts[1].len + b.len + 1);
    size_t n = 0;
    for (size_t i = 0; bytes && i < 3; i++) {
        if (parts[i].len)
            memcpy(bytes + n, parts[i].data, parts[i].len);
        n += parts[i].len;
    }
    return span_of(bytes, bytes ? n : 0);
}

/* Whose advisories name source packages. The OSV schema says it of AlmaLinux, too; but its records name every binary package, and a binary
   must not be judged by its source's epoch, which nothing tells. Red Hat's name both. */
static bool source_counts(struct span ecosystem)
{
    static const char *const not [] = {"AlmaLinux", "Red Hat", "Photon OS"};
    enum order order = order_of_ecosystem(ecosystem);
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        if (span_starts(ecosystem, not [i]))
            return false;
    return order == ORDER_DEBIAN || order == ORDER_RPM || order == ORDER_ALPINE;
}

void component_take_source(struct component *c, struct span source, struct span version)
{
    if (!source.len || !source_counts(c->ecosystem))
        return;
    bool same_version = !version.len || span_eq(version, c->version);
    if (span_eq(source, c->name) && same_version)
        return;
    c->source = source;
    c->source_version = same_version ? span_of(NULL, 0) : version;
}

static const uint8_t *last_of(struct span text, uint8_t c)
{
    return text.data && text.len ? memrchr(text.data, c, text.len) : NULL;
}

bool rpm_name_split(struct span text, struct span *name, struct span *version)
{
    const uint8_t *release = last_of(text, '-');
    if (!release || release == text.data)
        return false;
    const uint8_t *dash = last_of(span_of(text.data, (size_t)(release - text.data)), '-');
    if (!dash || dash == text.data || dash + 1 == release || release + 1 == text.data + text.len)
        return false;
    *name = span_of(text.data, (size_t)(dash - text.data));
    *version = span_from(text, name->len + 1);
    return true;
}

static struct span without_epoch(struct span version)
{
    const uint8_t *colon = version.len ? memchr(version.data, ':', version.len) : NULL;
    return colon ? span_from(version, (size_t)(colon - version.data) + 1) : version;
}

void component_take_source_rpm(struct component *c, struct span file)
{
    static const char *const ends[] = {".src.rpm", ".nosrc.rpm"};
    struct span name, version;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = strlen(ends[i]);
        if (file.len <= n || memcmp(file.data + file.len - n, ends[i], n) != 0)
            continue;
        if (!rpm_name_split(span_of(file.data, file.len - n), &name, &version))
            return;
        if (span_eq(version, without_epoch(c->version)))
            version = c->version;
        component_take_source(c, name, version);
        return;
    }
}

/* syft writes upstream=NAME, NAME@VERSION or, for rpm, the source's file. */
static void upstream_take(struct component *c, struct span upstream)
{
    const uint8_t *at = upstream.len ? memchr(upstream.data, '@', upstream.len) : NULL;
    if (order_of_ecosystem(c->ecosystem) == ORDER_RPM)
        component_take_source_rpm(c, upstream);
    else if (at)
        component_take_source(c, span_of(upstream.data, (size_t)(at - upstream.data)),
                              span_of(at + 1, upstream.len - (size_t)(at + 1 - upstream.data)));
    else
        component_take_source(c, upstream, span_of(NULL, 0));
}

static void epoch_take(struct component *c, struct span epoch, struct arena *arena)
{
    bool has = c->version.len && memchr(c->version.data, ':', c->version.len);
    if (epoch.len && !span_is(epoch, "0") && c->version.len && !has)
        c->version = text_joined(epoch, ":", c->version, arena);
}

const char *component_take_purl(struct component *c, struct arena *arena)
{
    struct purl purl;
    struct span name, ecosystem;
    if (!c->purl.len)
        return c->cpe.len ? NULL : "it has no purl";
    if (purl_parse(&purl, c->purl, arena, NULL) != 0)
        return "its purl does not parse";
    purl_ecosystem(&purl, &ecosystem, &name, arena);
    if (!name.len || !ecosystem.len)
        return "its purl names nothing";
    c->ecosystem = ecosystem;
    c->name = name;
    if (purl.version.len)
        c->version = purl.version;
    if (purl.qualifiers.len) {
        if (span_is(purl.type, "deb") || span_is(purl.type, "rpm"))
            epoch_take(c, purl_qualifier(&purl, "epoch", arena), arena);
        upstream_take(c, purl_qualifier(&purl, "upstream", arena));
    }
    return NULL;
}

/* What the owner says of a file */

struct about about_split(struct span about)
{
    const uint8_t *semicolon = about.len ? memchr(about.data, ';', about.len) : NULL;
    size_t n = semicolon ? (size_t)(semicolon - about.data) : about.len;
    return (struct about){.distribution = text_trim(span_of(about.data, n)),
                          .columns = text_trim(span_from(about, n + 1))};
}

int distribution_take(struct span *ecosystem, struct span distribution, const char *otherwise, enum order order,
                      struct fault *fault)
{
    *ecosystem = distribution.len ? distribution : span_str(otherwise);
    if (!ecosystem->len)
        return fail(fault, E_MISSING,
                    "the distribution is not in the file: --distribution says it, such as AlmaLinux:9");
    if (order_of_ecosystem(*ecosystem) == order)
        return 0;
    return fail(fault, E_UNSUPPORTED, "\"%.*s\" is no known distribution with %s versions",
                (int)(ecosystem->len < 60 ? ecosystem->len : 60), (const char *)ecosystem->data, order_name(order));
}

/* Lines */

int text_check(struct span bytes, const char *kind, struct fault *fault)
{
    if (bytes.len > INVENTORY_BYTES_MAX)
        return fail(fault, E_LIMIT, "an inventory has at most %d bytes", INVENTORY_BYTES_MAX);
    if (!utf8_valid(bytes) || (bytes.len && memchr(bytes.data, 0, bytes.len)))
        return fail(fault, E_UTF8, "%s is UTF-8 text", kind);
    return 0;
}

struct span text_trim(struct span text)
{
    while (text.len && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = span_from(text, 1);
    while (text.len && strchr(" \t\r", text.data[text.len - 1]) && text.data[text.len - 1])
        text.len--;
    return text;
}

bool text_line(struct span *rest, struct span *line)
{
    bool more = span_line(rest, line);
    if (!more) {
        *line = *rest;
        *rest = span_of(NULL, 0);
        more = line->len > 0;
    }
    if (line->len && line->data[line->len - 1] == '\r')
        line->len--;
    return more;
}
