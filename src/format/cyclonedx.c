#include <stdlib.h>

#include "base/limits.h"
#include "format/inventory.h"
#include "format/purl.h"

struct collect {
    struct component *list;
    size_t count, cap, problems;
    struct arena *arena;
    struct fault *fault;
};

static struct component *component_add(struct collect *c)
{
    if (c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 256;
        struct component *list = arena_array(c->arena, cap, sizeof *list);
        if (!list || c->count >= COMPONENTS_MAX)
            return NULL;
        if (c->count)
            memcpy(list, c->list, c->count * sizeof *list);
        c->list = list;
        c->cap = cap;
    }
    struct component *component = &c->list[c->count++];
    memset(component, 0, sizeof *component);
    return component;
}

/* "upstream" as generators write it: NAME or NAME@VERSION. */
static void source_take(struct component *component, struct span upstream)
{
    const uint8_t *at = upstream.len ? memchr(upstream.data, '@', upstream.len) : NULL;
    component->source = at ? span_of(upstream.data, (size_t)(at - upstream.data)) : upstream;
    component->source_version = at ? span_from(upstream, component->source.len + 1) : span_of(NULL, 0);
}

static void purl_take(struct collect *c, struct component *component, struct span version)
{
    struct purl purl;
    if (purl_parse(&purl, component->purl, c->arena, NULL) != 0) {
        component->problem = "its purl does not parse";
        return;
    }
    purl_ecosystem(&purl, &component->ecosystem, &component->name, c->arena);
    component->version = purl.version.len ? purl.version : version;
    struct span distro = purl_qualifier(&purl, "distro", c->arena);
    if (span_is(component->ecosystem, "Debian") && span_starts(distro, "debian-") && distro.len > 7 && distro.len < 16) {
        size_t major = 0;
        while (7 + major < distro.len && distro.data[7 + major] != '.')
            major++;
        char *named = arena_printf(c->arena, "Debian:%.*s", (int)major, (const char *)distro.data + 7);
        component->ecosystem = named ? span_str(named) : component->ecosystem;
    }
    source_take(component, purl_qualifier(&purl, "upstream", c->arena));
}

static int component_read(struct collect *c, const struct json *json, const char *path)
{
    struct component *component = component_add(c);
    if (!component)
        return fail(c->fault, E_LIMIT, "more than %d components", COMPONENTS_MAX);
    struct span name = json_text(json, "name"), version = json_text(json, "version");
    component->path = span_str(path);
    component->purl = json_text(json, "purl");
    component->name = name;
    component->version = version;
    if (component->purl.len)
        purl_take(c, component, version);
    else if (!component->problem)
        component->problem = "it has no purl";
    if (!component->name.len)
        component->problem = "it has no name";
    else if (!component->version.len)
        component->problem = "it has no version";
    c->problems += component->problem != NULL;
    return 0;
}

static int components_read(struct collect *c, const struct json *list, const char *prefix, unsigned depth)
{
    if (!list || list->type != JSON_ARRAY || depth > JSON_DEPTH_MAX)
        return 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json *item = &list->child[i];
        char *path = arena_printf(c->arena, "%scomponents[%u]", prefix, i);
        char *inner = arena_printf(c->arena, "%s.", path ? path : "");
        if (!path || !inner)
            return fail(c->fault, E_NOMEM, "components");
        int rc = item->type == JSON_OBJECT ? component_read(c, item, path) : 0;
        rc = rc ? rc : components_read(c, json_get(item, "components"), inner, depth + 1);
        if (rc)
            return rc;
    }
    return 0;
}

int inventory_read_cyclonedx(struct inventory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL, *meta;
    struct collect c = {.arena = arena, .fault = fault};
    struct span version;
    int rc = json_parse(&root, bytes, INVENTORY_BYTES_MAX, arena, fault);
    if (rc == 0 && !span_is(json_text(root, "bomFormat"), "CycloneDX"))
        rc = fail(fault, E_UNSUPPORTED, "\"bomFormat\" must be \"CycloneDX\"");
    rc = rc ? rc : json_need_text(root, "specVersion", &version, fault);
    if (rc == 0 && (version.len != 3 || !span_starts(version, "1.") || version.data[2] < '2' || version.data[2] > '6'))
        rc = fail(fault, E_UNSUPPORTED, "CycloneDX 1.2 to 1.6 are read, this is %.*s", (int)(version.len < 8 ? version.len : 8),
                  (const char *)version.data);
    meta = rc ? NULL : json_path(root, "metadata.component");
    if (meta && json_text(meta, "purl").len)
        rc = component_read(&c, meta, "metadata.component");
    rc = rc ? rc : components_read(&c, json_get(root, "components"), "", 0);
    *out = (struct inventory){.format = "cyclonedx", .count = c.count, .problem_count = c.problems, .components = c.list};
    return rc;
}
