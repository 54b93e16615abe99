/* CycloneDX JSON. The purl is the identity; name and version stand in where it is silent. */
#include "base/limits.h"
#include "base/text.h"
#include "format/inventory.h"
#include "format/purl.h"

enum { PROPERTIES_MAX = 256 };

struct collect {
    struct component *list;
    size_t count, cap, problems;
    struct arena *arena;
    struct fault *fault;
};

static struct span joined(struct span a, const char *joint, struct span b, struct arena *arena)
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

/* Files and keys listed without a purl are no packages. */
static bool is_package(const struct json *json)
{
    static const char *const others[] = {"file", "cryptographic-asset", "data"};
    struct span type = json_text(json, "type");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (span_is(type, others[i]) && json_text(json, "purl").len == 0)
            return false;
    return true;
}

static size_t count_all(const struct json *list)
{
    size_t count = 0;
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count; i++)
        count += 1 + count_all(json_get(&list->child[i], "components")); /* as deep as json_parse lets it be */
    return count;
}

/* syft writes upstream=NAME or upstream=NAME@VERSION. */
static void source_from_upstream(struct component *c, struct span upstream)
{
    const uint8_t *at = upstream.len ? memchr(upstream.data, '@', upstream.len) : NULL;
    c->source = at ? span_of(upstream.data, (size_t)(at - upstream.data)) : upstream;
    c->source_version = at ? span_from(upstream, c->source.len + 1) : span_of(NULL, 0);
}

/* trivy writes the source package as properties; its epoch, version and revision stand apart. */
static void source_from_properties(struct component *c, const struct json *properties, struct arena *arena)
{
    enum { NAME, EPOCH, VERSION, RELEASE };
    static const char *const keys[] = {"aquasecurity:trivy:SrcName", "aquasecurity:trivy:SrcEpoch",
                                       "aquasecurity:trivy:SrcVersion", "aquasecurity:trivy:SrcRelease"};
    struct span found[4] = {0};
    if (!properties || properties->type != JSON_ARRAY)
        return;
    for (uint32_t i = 0; i < properties->count && i < PROPERTIES_MAX; i++)
        for (size_t k = 0; k < 4; k++)
            if (span_is(json_text(&properties->child[i], "name"), keys[k]))
                found[k] = json_text(&properties->child[i], "value");
    if (!found[NAME].len)
        return;
    c->source = found[NAME];
    c->source_version = found[VERSION];
    if (found[VERSION].len && found[RELEASE].len)
        c->source_version = joined(c->source_version, "-", found[RELEASE], arena);
    if (c->source_version.len && found[EPOCH].len && !span_is(found[EPOCH], "0"))
        c->source_version = joined(found[EPOCH], ":", c->source_version, arena);
}

static void debian_take(struct component *c, const struct purl *purl, const struct json *json, struct arena *arena)
{
    struct span epoch = purl_qualifier(purl, "epoch", arena);
    if (epoch.len && !span_is(epoch, "0") && c->version.len && !memchr(c->version.data, ':', c->version.len))
        c->version = joined(epoch, ":", c->version, arena);
    source_from_upstream(c, purl_qualifier(purl, "upstream", arena));
    if (!c->source.len)
        source_from_properties(c, json_get(json, "properties"), arena);
    if (span_eq(c->source, c->name) && (!c->source_version.len || span_eq(c->source_version, c->version)))
        c->source = c->source_version = span_of(NULL, 0);
}

/* Who makes it: from the member that says most about it to the one that says least. */
static struct span vendor_of(const struct json *json)
{
    static const char *const makers[] = {"manufacturer", "supplier"};
    struct span vendor = span_of(NULL, 0);
    for (size_t i = 0; i < sizeof makers / sizeof *makers && !vendor.len; i++)
        vendor = json_text(json_get(json, makers[i]), "name");
    return vendor.len ? vendor : json_text(json, "publisher");
}

static const char *identity_take(struct component *c, const struct json *json, struct arena *arena)
{
    struct purl purl;
    if (!c->purl.len)
        return "it has no purl";
    if (purl_parse(&purl, c->purl, arena, NULL) != 0)
        return "its purl does not parse";
    struct span name, ecosystem;
    purl_ecosystem(&purl, &ecosystem, &name, arena);
    if (!name.len || !ecosystem.len)
        return "its purl names nothing";
    c->ecosystem = ecosystem;
    c->name = name;
    if (purl.version.len)
        c->version = purl.version;
    if (span_is(purl.type, "deb"))
        debian_take(c, &purl, json, arena);
    return NULL;
}

static int component_read(struct collect *c, const struct json *json, char *path)
{
    if (!path || c->count >= c->cap)
        return fail(c->fault, E_NOMEM, "components");
    struct component *out = &c->list[c->count];
    struct span group = json_text(json, "group");
    *out = (struct component){.path = span_str(path), .purl = json_text(json, "purl")};
    out->name = json_text(json, "name");
    out->version = json_text(json, "version");
    out->cpe = json_text(json, "cpe");
    out->vendor = vendor_of(json);
    out->product = out->name;
    if (group.len && out->name.len)
        out->name = joined(group, "/", out->name, c->arena);
    if (!is_package(json))
        return 0;
    out->problem = identity_take(out, json, c->arena);
    if (!out->version.len && !out->problem)
        out->problem = "it has no version";
    if (!out->name.len)
        out->problem = "it has no name";
    c->problems += out->problem != NULL;
    c->count++;
    return 0;
}

static int components_read(struct collect *c, const struct json *list, const char *prefix)
{
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count; i++) {
        const struct json *inner = json_get(&list->child[i], "components");
        char *path = arena_printf(c->arena, "%scomponents[%u]", prefix, i);
        int rc = component_read(c, &list->child[i], path);
        if (rc == 0 && inner) {
            char *deeper = arena_printf(c->arena, "%s.", path);
            rc = deeper ? components_read(c, inner, deeper) : fail(c->fault, E_NOMEM, "components");
        }
        if (rc)
            return rc;
    }
    return 0;
}

static int head_check(const struct json *root, struct fault *fault)
{
    static const char *const versions[] = {"1.2", "1.3", "1.4", "1.5", "1.6"};
    struct span version;
    if (!span_is(json_text(root, "bomFormat"), "CycloneDX"))
        return fail(fault, E_UNSUPPORTED, "\"bomFormat\" is not \"CycloneDX\"");
    int rc = json_need_text(root, "specVersion", &version, fault);
    if (rc)
        return rc;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (span_is(version, versions[i]))
            return 0;
    return fail(fault, E_UNSUPPORTED, "CycloneDX 1.2 to 1.6 can be read; \"specVersion\" is another");
}

int inventory_read_cyclonedx(struct inventory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    struct collect c = {.arena = arena, .fault = fault};
    const struct json *root = NULL;
    *out = (struct inventory){.format = "cyclonedx"};
    int rc = json_parse(&root, bytes, INVENTORY_BYTES_MAX, arena, fault);
    rc = rc ? rc : head_check(root, fault);
    if (rc)
        return rc;
    const struct json *list = json_get(root, "components"), *subject = json_path(root, "metadata.component");
    if (list && list->type != JSON_ARRAY)
        return fail(fault, E_TYPE, "\"components\" is no array");
    c.cap = 1 + count_all(list) + count_all(json_get(subject, "components"));
    if (c.cap > COMPONENTS_MAX)
        return fail(fault, E_LIMIT, "%zu components, the limit is %d", c.cap, COMPONENTS_MAX);
    c.list = arena_array(arena, c.cap, sizeof *c.list);
    if (!c.list)
        return fail(fault, E_NOMEM, "%zu components", c.cap);
    if (subject)
        rc = component_read(&c, subject, arena_printf(arena, "metadata.component"));
    rc = rc ? rc : components_read(&c, json_get(subject, "components"), "metadata.component.");
    rc = rc ? rc : components_read(&c, list, "");
    *out =
        (struct inventory){.format = "cyclonedx", .count = c.count, .problem_count = c.problems, .components = c.list};
    return rc;
}
