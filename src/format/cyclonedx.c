/* CycloneDX JSON. The purl is the identity; name and version stand in where it is silent. */
#include "base/limits.h"
#include "base/text.h"
#include "format/component.h"
#include "format/version.h"

enum { PROPERTIES_MAX = 256 };

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
    struct span version = found[VERSION];
    if (version.len && found[RELEASE].len)
        version = text_joined(version, "-", found[RELEASE], arena);
    if (version.len && found[EPOCH].len && !span_is(found[EPOCH], "0"))
        version = text_joined(found[EPOCH], ":", version, arena);
    component_take_source(c, found[NAME], version);
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

static int component_read(struct collect *c, const struct json *json, char *path)
{
    if (!path || c->count >= c->cap)
        return fail(c->fault, E_NOMEM, "components");
    if (!is_package(json))
        return 0;
    struct component *out = collect_add(c);
    struct span group = json_text(json, "group");
    *out = (struct component){.path = span_str(path), .purl = json_text(json, "purl"), .cpe = json_text(json, "cpe")};
    out->name = out->product = json_text(json, "name");
    out->version = json_text(json, "version");
    out->vendor = vendor_of(json);
    if (group.len && out->name.len)
        out->name = text_joined(group, "/", out->name, c->arena);
    out->problem = component_take_purl(out, c->arena);
    if (!out->source.len)
        source_from_properties(out, json_get(json, "properties"), c->arena);
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

int inventory_read_cyclonedx(struct inventory *out, const struct json *root, struct arena *arena, struct fault *fault)
{
    struct collect c;
    *out = (struct inventory){.format = "cyclonedx"};
    int rc = head_check(root, fault);
    if (rc)
        return rc;
    const struct json *list = json_get(root, "components"), *subject = json_path(root, "metadata.component");
    if (list && list->type != JSON_ARRAY)
        return fail(fault, E_TYPE, "\"components\" is no array");
    rc = collect_start(&c, 1 + count_all(list) + count_all(json_get(subject, "components")), arena, fault);
    if (rc == 0 && subject)
        rc = component_read(&c, subject, arena_printf(arena, "metadata.component"));
    rc = rc ? rc : components_read(&c, json_get(subject, "components"), "metadata.component.");
    rc = rc ? rc : components_read(&c, list, "");
    return rc ? rc : collect_end(&c, "cyclonedx", out);
}
