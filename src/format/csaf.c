/* CSAF 2.0: product tree to packages. A product with a purl is an identity; a branch "product_version_range" with a vers range under a
   purl without version gives a range; everything else that is stated to be affected is kept as undecided, never as safe. */
#include <stdlib.h>

#include "base/limits.h"
#include "format/advisory.h"
#include "format/purl.h"
#include "format/version.h"

enum { PRODUCTS_MAX = 100000, BRANCH_DEPTH_MAX = 30 };
enum status { STATUS_AFFECTED = 1, STATUS_FIXED = 2, STATUS_UNKNOWN = 4 };

struct product {
    struct span id, name, purl, range;
    unsigned status;
};
struct reader {
    struct product *products;
    size_t count, cap;
    struct arena *arena;
    struct fault *fault;
};

static int product_add(struct reader *r, const struct json *json, struct span range)
{
    if (!json || json->type != JSON_OBJECT)
        return 0;
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        struct product *more = cap > 2 * PRODUCTS_MAX ? NULL : arena_array(r->arena, cap, sizeof *more);
        if (!more)
            return fail(r->fault, E_LIMIT, "more than %d products", PRODUCTS_MAX);
        if (r->count)
            memcpy(more, r->products, r->count * sizeof *more);
        r->products = more;
        r->cap = cap;
    }
    struct product *p = &r->products[r->count++];
    *p = (struct product){.id = json_text(json, "product_id"), .name = json_text(json, "name"), .range = range};
    p->purl = json_text(json_get(json, "product_identification_helper"), "purl");
    return p->id.len ? 0 : fail(r->fault, E_MISSING, "a product has no \"product_id\"");
}

static int branches(struct reader *r, const struct json *list, struct span range, unsigned depth)
{
    if (!list || list->type != JSON_ARRAY)
        return 0;
    if (depth > BRANCH_DEPTH_MAX)
        return fail(r->fault, E_LIMIT, "branches nested deeper than %d", BRANCH_DEPTH_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json *branch = &list->child[i];
        bool is_range = span_is(json_text(branch, "category"), "product_version_range");
        struct span inner = is_range ? json_text(branch, "name") : range;
        int rc = product_add(r, json_get(branch, "product"), inner);
        rc = rc ? rc : branches(r, json_get(branch, "branches"), inner, depth + 1);
        if (rc)
            return rc;
    }
    return 0;
}

static int tree(struct reader *r, const struct json *root)
{
    const struct json *list = json_path(root, "product_tree.full_product_names");
    const struct json *relations = json_path(root, "product_tree.relationships");
    int rc = branches(r, json_path(root, "product_tree.branches"), span_of(NULL, 0), 0);
    for (uint32_t i = 0; rc == 0 && list && list->type == JSON_ARRAY && i < list->count; i++)
        rc = product_add(r, &list->child[i], span_of(NULL, 0));
    for (uint32_t i = 0; rc == 0 && relations && relations->type == JSON_ARRAY && i < relations->count; i++)
        rc = product_add(r, json_get(&relations->child[i], "full_product_name"), span_of(NULL, 0));
    return rc;
}

static int by_id(const void *a, const void *b)
{
    return span_compare(((const struct product *)a)->id, ((const struct product *)b)->id);
}

static int ids_unique(struct reader *r)
{
    if (r->count)
        qsort(r->products, r->count, sizeof *r->products, by_id);
    for (size_t i = 1; i < r->count; i++)
        if (span_eq(r->products[i - 1].id, r->products[i].id))
            return fail(r->fault, E_DUPLICATE, "product_id \"%.*s\" stands twice in the product tree",
                        (int)(r->products[i].id.len < 80 ? r->products[i].id.len : 80), (const char *)r->products[i].id.data);
    return 0;
}

static void status_mark(struct reader *r, const struct json *ids, unsigned status)
{
    for (uint32_t i = 0; ids && ids->type == JSON_ARRAY && i < ids->count; i++) {
        struct product key = {.id = ids->child[i].type == JSON_STRING ? ids->child[i].text : span_of(NULL, 0)};
        struct product *p = r->count ? bsearch(&key, r->products, r->count, sizeof key, by_id) : NULL;
        if (p)
            p->status |= status;
    }
}

static int vulnerabilities(struct reader *r, const struct json *root, struct advisory *out)
{
    static const struct {
        const char *name;
        unsigned status;
    } lists[] = {{"known_affected", STATUS_AFFECTED}, {"first_affected", STATUS_AFFECTED},   {"last_affected", STATUS_AFFECTED},
                 {"fixed", STATUS_FIXED},             {"first_fixed", STATUS_FIXED},         {"known_not_affected", STATUS_FIXED},
                 {"under_investigation", STATUS_UNKNOWN}};
    const struct json *all = json_get(root, "vulnerabilities");
    if (!all || all->type != JSON_ARRAY)
        return 0;
    struct span *aliases = arena_array(r->arena, all->count ? all->count : 1, sizeof *aliases);
    if (!aliases)
        return fail(r->fault, E_NOMEM, "vulnerabilities");
    for (uint32_t i = 0; i < all->count; i++) {
        const struct json *status = json_get(&all->child[i], "product_status");
        struct span cve = json_text(&all->child[i], "cve");
        if (cve.len)
            aliases[out->alias_count++] = cve;
        for (size_t j = 0; j < sizeof lists / sizeof lists[0]; j++)
            status_mark(r, json_get(status, lists[j].name), lists[j].status);
    }
    out->aliases = aliases;
    return 0;
}

/* One constraint of a vers range: >=1.0, <2.0, <=, >, =1.5 or 1.5. "!=" and "*" are not decided here. */
static bool constraint(struct span text, struct range_event *events, size_t *count, struct affected_package *package, struct span *exact)
{
    static const struct {
        const char *sign;
        enum event_kind kind;
    } signs[] = {{">=", EVENT_INTRODUCED}, {"<=", EVENT_LAST_AFFECTED}, {"<", EVENT_FIXED}};
    for (size_t i = 0; i < 3; i++)
        if (span_starts(text, signs[i].sign)) {
            events[(*count)++] = (struct range_event){.kind = signs[i].kind, .version = span_from(text, strlen(signs[i].sign))};
            return text.len > strlen(signs[i].sign);
        }
    if (span_starts(text, ">") || span_starts(text, "!") || span_is(text, "*") || !text.len)
        return false;
    exact[package->version_count++] = span_starts(text, "=") ? span_from(text, 1) : text;
    return true;
}

static bool vers_read(struct span text, struct affected_package *package, struct arena *arena)
{
    const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    if (!span_starts(text, "vers:") || !slash)
        return false;
    struct span rest = span_from(text, (size_t)(slash - text.data) + 1);
    size_t most = 2, count = 0;
    for (size_t i = 0; i < rest.len; i++)
        most += rest.data[i] == '|';
    struct range_event *events = arena_array(arena, most + 1, sizeof *events);
    struct span *exact = arena_array(arena, most, sizeof *exact);
    struct range *range = arena_array(arena, 1, sizeof *range);
    if (!events || !exact || !range)
        return false;
    bool good = true;
    while (rest.len && good) {
        const uint8_t *bar = memchr(rest.data, '|', rest.len);
        struct span part = bar ? span_of(rest.data, (size_t)(bar - rest.data)) : rest;
        rest = span_from(rest, part.len + 1);
        good = constraint(part, events, &count, package, exact);
    }
    if (count && events[0].kind != EVENT_INTRODUCED) { /* "<2.0" alone: from the beginning */
        memmove(events + 1, events, count * sizeof *events);
        events[0] = (struct range_event){.kind = EVENT_INTRODUCED, .version = span_str("0")};
        count++;
    }
    *range = (struct range){.count = count, .events = events};
    package->ranges = range;
    package->range_count = count > 0;
    package->versions = exact;
    return good;
}

/* A product's purl to a row: a version of its own, or the branch's range. False when it stays undecided. */
static bool package_make(struct reader *r, const struct product *p, struct affected_package *out)
{
    struct purl purl;
    struct span *one = arena_array(r->arena, 1, sizeof *one);
    memset(out, 0, sizeof *out);
    if (!one || !p->purl.len || purl_parse(&purl, p->purl, r->arena, NULL) != 0)
        return false;
    purl_ecosystem(&purl, &out->ecosystem, &out->name, r->arena);
    out->order = order_of_ecosystem(out->ecosystem);
    out->purl = p->purl;
    char *path = arena_printf(r->arena, "product_tree: %.*s", (int)(p->id.len < 120 ? p->id.len : 120), (const char *)p->id.data);
    out->path = path ? span_str(path) : p->id;
    if (purl.version.len) {
        *one = purl.version;
        if (p->status & STATUS_AFFECTED) {
            out->versions = one;
            out->version_count = 1;
        } else {
            out->fixed_versions = one;
            out->fixed_count = 1;
        }
        return (p->status & (STATUS_AFFECTED | STATUS_FIXED)) != 0;
    }
    return (p->status & STATUS_AFFECTED) && p->range.len && vers_read(p->range, out, r->arena);
}

static int packages(struct reader *r, struct advisory *out)
{
    struct affected_package *list = arena_array(r->arena, r->count ? r->count : 1, sizeof *list);
    struct span *undecided = arena_array(r->arena, r->count ? r->count : 1, sizeof *undecided);
    if (!list || !undecided)
        return fail(r->fault, E_NOMEM, "products");
    for (size_t i = 0; i < r->count; i++) {
        const struct product *p = &r->products[i];
        if (package_make(r, p, &list[out->package_count]))
            out->package_count++;
        else if (p->status & (STATUS_AFFECTED | STATUS_UNKNOWN))
            undecided[out->undecided_count++] = p->name.len ? p->name : p->id;
    }
    out->packages = list;
    out->undecided = undecided;
    return 0;
}

static int tlp_read(const struct json *root, struct advisory *out, struct fault *fault)
{
    static const struct {
        const char *label;
        enum tlp tlp;
    } labels[] = {{"WHITE", TLP_CLEAR}, {"CLEAR", TLP_CLEAR}, {"GREEN", TLP_GREEN}, {"AMBER", TLP_AMBER},
                  {"AMBER+STRICT", TLP_AMBER_STRICT}, {"RED", TLP_RED}};
    struct span label = json_text(json_path(root, "document.distribution.tlp"), "label");
    if (!json_path(root, "document.distribution.tlp"))
        return 0;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (span_is(label, labels[i].label)) {
            out->tlp = labels[i].tlp;
            return 0;
        }
    return fail(fault, E_UNSUPPORTED, "/document/distribution/tlp/label is no TLP label");
}

int advisory_read_csaf(struct advisory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL, *document, *tracking;
    struct reader r = {.arena = arena, .fault = fault};
    memset(out, 0, sizeof *out);
    int rc = json_parse(&root, bytes, DOCUMENT_BYTES_MAX, arena, fault);
    document = rc ? NULL : json_get(root, "document");
    tracking = json_get(document, "tracking");
    if (rc == 0 && !span_is(json_text(document, "csaf_version"), "2.0"))
        rc = fail(fault, E_UNSUPPORTED, "/document/csaf_version must be \"2.0\"");
    if (rc == 0 && (json_need_text(tracking, "id", &out->id, fault) != 0 || !out->id.len))
        rc = fail_at(fault, fail(fault, E_MISSING, "\"id\" is required"), "/document/tracking");
    if (rc)
        return rc;
    out->title = json_text(document, "title");
    out->publisher = json_text(json_get(document, "publisher"), "name");
    out->version = json_text(tracking, "version");
    out->modified = json_text(tracking, "current_release_date");
    rc = tlp_read(root, out, fault);
    rc = rc ? rc : tree(&r, root);
    rc = rc ? rc : ids_unique(&r);
    rc = rc ? rc : vulnerabilities(&r, root, out);
    return rc ? rc : packages(&r, out);
}
