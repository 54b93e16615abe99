/* SPDX JSON 2.2 and 2.3 (spdx.github.io/spdx-spec/v2.3: 7.3 version, 7.5 supplier, 7.21 external references, annex F). */
#include "base/text.h"
#include "format/component.h"

enum { PATH_NAME_MAX = 100 };

/* Words that stand for "not said". */
static struct span said(struct span text)
{
    return span_is(text, "NOASSERTION") || span_is(text, "NONE") ? span_of(NULL, 0) : text;
}

/* "Organization: Name (mail)", "Person: Name (mail)". */
static struct span supplier_name(struct span supplier)
{
    static const char *const kinds[] = {"Organization:", "Person:"};
    struct span name = said(supplier);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (span_starts(name, kinds[i])) {
            name = text_trim(span_from(name, strlen(kinds[i])));
            break;
        }
    const uint8_t *mail = name.len && name.data[name.len - 1] == ')' ? memrchr(name.data, '(', name.len) : NULL;
    return mail ? text_trim(span_of(name.data, (size_t)(mail - name.data))) : name;
}

/* Categories are written with "-" and "_", and some generators have others: the type tells enough. */
static struct span reference(const struct json *package, const char *type)
{
    const struct json *list = json_get(package, "externalRefs");
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count; i++)
        if (span_is(json_text(&list->child[i], "referenceType"), type))
            return json_text(&list->child[i], "referenceLocator");
    return span_of(NULL, 0);
}

static bool is_file(const struct json *package, struct span purl)
{
    return !purl.len && span_is(json_text(package, "primaryPackagePurpose"), "FILE");
}

static int package_read(struct collect *c, const struct json *package, uint32_t i)
{
    struct span purl = reference(package, "purl"), name = json_text(package, "name");
    struct span shown = text_cut(name, PATH_NAME_MAX);
    if (is_file(package, purl))
        return 0;
    char *path = arena_printf(c->arena, "packages[%u]%s%.*s", i, shown.len ? " " : "", (int)shown.len,
                              shown.len ? (const char *)shown.data : "");
    if (!path)
        return fail(c->fault, E_NOMEM, "packages");
    struct component *out = collect_add(c);
    *out = (struct component){.path = span_str(path), .purl = purl, .name = name, .product = name};
    out->version = said(json_text(package, "versionInfo"));
    out->vendor = supplier_name(json_text(package, "supplier"));
    out->cpe = reference(package, "cpe23Type");
    if (!out->cpe.len)
        out->cpe = reference(package, "cpe22Type");
    out->problem = component_take_purl(out, c->arena);
    return 0;
}

int inventory_read_spdx(struct inventory *out, const struct json *root, struct arena *arena, struct fault *fault)
{
    struct collect c;
    struct span version;
    *out = (struct inventory){.format = "spdx"};
    int rc = json_need_text(root, "spdxVersion", &version, fault);
    if (rc == 0 && !span_is(version, "SPDX-2.2") && !span_is(version, "SPDX-2.3"))
        rc = fail(fault, E_UNSUPPORTED, "SPDX 2.2 and 2.3 can be read; \"spdxVersion\" is another");
    if (rc)
        return rc;
    const struct json *list = json_get(root, "packages");
    if (list && list->type != JSON_ARRAY)
        return fail(fault, E_TYPE, "\"packages\" is no array");
    rc = collect_start(&c, list ? list->count : 0, arena, fault);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++)
        rc = package_read(&c, &list->child[i], i);
    return rc ? rc : collect_end(&c, "spdx", out);
}
