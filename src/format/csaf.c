/* CSAF 2.0: product tree to packages. A product with a purl is an identity; a branch "product_version_range" with a
   vers range gives a range; everything else that is stated to be affected is kept as undecided, never as safe. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "format/advisory.h"
#include "format/purl.h"
#include "format/vers.h"
#include "format/version.h"

enum { PRODUCTS_MAX = 100000, BRANCH_DEPTH_MAX = 30, RELATION_DEPTH_MAX = 16 };
enum status {
    STATUS_AFFECTED = 1,
    STATUS_FIXED = 2,
    STATUS_UNKNOWN = 4,
    STATUS_BOUND = 8, /* first or last affected: says something about other versions too, which no list holds */
};

struct product {
    struct span id, name, purl, range, path;
    struct span part; /* the product that a relationship puts onto another */
    unsigned status;
};
struct products {
    struct product *list;
    size_t count, cap;
};
struct reader {
    struct products tree, strays;  /* strays: ids with a status that the tree does not define */
    uint32_t at[BRANCH_DEPTH_MAX]; /* where the walk through the branches stands */
    struct arena *arena;
    struct fault *fault;
};

static int shown(struct span text)
{
    return (int)(text.len < 80 ? text.len : 80);
}

/* An array, or NULL when it is absent. */
static int list_get(struct reader *r, const struct json *parent, const char *key, const struct json **list)
{
    *list = json_get(parent, key);
    if (*list && (*list)->type != JSON_ARRAY)
        return fail(r->fault, E_TYPE, "\"%s\" must be an array", key);
    return 0;
}

static int product_push(struct reader *r, struct products *to, const struct product *product)
{
    if (to->count == PRODUCTS_MAX)
        return fail(r->fault, E_LIMIT, "more than %d products", PRODUCTS_MAX);
    if (to->count == to->cap) {
        size_t cap = to->cap ? to->cap * 2 : 64;
        struct product *more = arena_array(r->arena, cap, sizeof *more);
        if (!more)
            return fail(r->fault, E_NOMEM, "products");
        if (to->count)
            memcpy(more, to->list, to->count * sizeof *more);
        to->list = more;
        to->cap = cap;
    }
    to->list[to->count++] = *product;
    return 0;
}

static int product_add(struct reader *r, const struct json *json, struct product product, char *path)
{
    if (!path)
        return fail(r->fault, E_NOMEM, "products");
    product.path = span_str(path);
    product.id = json_text(json, "product_id");
    product.name = json_text(json, "name");
    product.purl = json_text(json_get(json, "product_identification_helper"), "purl");
    if (!product.id.len)
        return fail(r->fault, E_MISSING, "%s: a product has a \"product_id\"", path);
    return product_push(r, &r->tree, &product);
}

static char *branch_path(const struct reader *r, unsigned depth)
{
    struct buf path;
    buf_init(&path, 2048);
    buf_text(&path, "product_tree");
    for (unsigned i = 0; i <= depth; i++)
        buf_printf(&path, ".branches[%u]", (unsigned)r->at[i]);
    char *copy = path.error ? NULL : arena_text(r->arena, buf_view(&path));
    buf_free(&path);
    return copy;
}

static int branches(struct reader *r, const struct json *parent, struct span range, unsigned depth)
{
    const struct json *list;
    int rc = list_get(r, parent, "branches", &list);
    if (rc == 0 && list && depth >= BRANCH_DEPTH_MAX)
        return fail(r->fault, E_LIMIT, "branches nested deeper than %d", BRANCH_DEPTH_MAX);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++) {
        const struct json *branch = &list->child[i], *product = json_get(branch, "product");
        bool is_range = span_is(json_text(branch, "category"), "product_version_range");
        struct span inner = is_range ? json_text(branch, "name") : range;
        r->at[depth] = i;
        if (product)
            rc = product_add(r, product, (struct product){.range = inner}, branch_path(r, depth));
        rc = rc ? rc : branches(r, branch, inner, depth + 1);
    }
    return rc;
}

static int tree_read(struct reader *r, const struct json *root)
{
    const struct json *tree = json_get(root, "product_tree"), *list, *relations;
    int rc = branches(r, tree, span_of(NULL, 0), 0);
    rc = rc ? rc : list_get(r, tree, "full_product_names", &list);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++)
        rc = product_add(r, &list->child[i], (struct product){0},
                         arena_printf(r->arena, "product_tree.full_product_names[%u]", i));
    rc = rc ? rc : list_get(r, tree, "relationships", &relations);
    for (uint32_t i = 0; rc == 0 && relations && i < relations->count; i++)
        rc = product_add(r, json_get(&relations->child[i], "full_product_name"),
                         (struct product){.part = json_text(&relations->child[i], "product_reference")},
                         arena_printf(r->arena, "product_tree.relationships[%u]", i));
    return rc;
}

static int by_id(const void *a, const void *b)
{
    return span_compare(((const struct product *)a)->id, ((const struct product *)b)->id);
}

static struct product *product_find(const struct reader *r, struct span id)
{
    struct product key = {.id = id};
    return r->tree.count ? bsearch(&key, r->tree.list, r->tree.count, sizeof key, by_id) : NULL;
}

static int ids_unique(struct reader *r)
{
    struct product *list = r->tree.list;
    if (r->tree.count)
        qsort(list, r->tree.count, sizeof *list, by_id);
    for (size_t i = 1; i < r->tree.count; i++)
        if (span_eq(list[i - 1].id, list[i].id))
            return fail(r->fault, E_DUPLICATE, "product_id \"%.*s\" stands twice in the product tree",
                        shown(list[i].id), (const char *)list[i].id.data);
    return 0;
}

/* "xz-utils as a component of Debian 13" is xz-utils where it has no purl of its own. */
static int relations_follow(struct reader *r)
{
    for (size_t i = 0; i < r->tree.count; i++) {
        struct product *p = &r->tree.list[i], *part = p;
        unsigned depth = 0;
        while (part && !part->purl.len && part->part.data && depth++ < RELATION_DEPTH_MAX)
            part = product_find(r, part->part);
        if (depth > RELATION_DEPTH_MAX)
            return fail(r->fault, E_SYNTAX, "%.*s: relationships go in a circle or too deep", shown(p->path),
                        (const char *)p->path.data);
        if (part && part != p) {
            p->purl = part->purl;
            p->range = part->range;
        }
    }
    return 0;
}

static int status_mark(struct reader *r, const struct json *statuses, const char *name, unsigned status)
{
    const struct json *ids;
    int rc = list_get(r, statuses, name, &ids);
    for (uint32_t i = 0; rc == 0 && ids && i < ids->count; i++) {
        if (ids->child[i].type != JSON_STRING)
            return fail(r->fault, E_TYPE, "\"%s\" lists product ids", name);
        struct product *p = product_find(r, ids->child[i].text);
        if (p)
            p->status |= status;
        else if (status & (STATUS_AFFECTED | STATUS_UNKNOWN))
            rc = product_push(r, &r->strays, &(struct product){.id = ids->child[i].text});
    }
    return rc;
}

static int aliases_read(struct reader *r, const struct json *all, struct advisory *out)
{
    size_t most = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct json *ids = json_get(&all->child[i], "ids");
        most += 1 + (ids && ids->type == JSON_ARRAY ? ids->count : 0);
    }
    struct span *aliases = arena_array(r->arena, most + 1, sizeof *aliases);
    if (!aliases)
        return fail(r->fault, E_NOMEM, "vulnerabilities");
    out->aliases = aliases;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct json *ids = json_get(&all->child[i], "ids");
        aliases[out->alias_count] = json_text(&all->child[i], "cve");
        out->alias_count += aliases[out->alias_count].len > 0;
        for (uint32_t j = 0; ids && ids->type == JSON_ARRAY && j < ids->count; j++) {
            aliases[out->alias_count] = json_text(&ids->child[j], "text");
            out->alias_count += aliases[out->alias_count].len > 0;
        }
    }
    return 0;
}

static int vulnerabilities(struct reader *r, const struct json *root, struct advisory *out)
{
    static const struct {
        const char *name;
        unsigned status;
    } lists[] = {
        {"known_affected", STATUS_AFFECTED},
        {"first_affected", STATUS_AFFECTED | STATUS_BOUND},
        {"last_affected", STATUS_AFFECTED | STATUS_BOUND},
        {"fixed", STATUS_FIXED},
        {"first_fixed", STATUS_FIXED},
        {"known_not_affected", STATUS_FIXED},
        {"under_investigation", STATUS_UNKNOWN},
    };
    const struct json *all;
    int rc = list_get(r, root, "vulnerabilities", &all);
    if (rc || !all)
        return rc;
    for (uint32_t i = 0; i < all->count; i++)
        for (size_t j = 0; j < sizeof lists / sizeof lists[0]; j++) {
            rc = status_mark(r, json_get(&all->child[i], "product_status"), lists[j].name, lists[j].status);
            if (rc)
                return fail_at(r->fault, rc, "/vulnerabilities/%u/product_status", (unsigned)i);
        }
    return aliases_read(r, all, out);
}

static bool identify(struct reader *r, const struct product *p, struct purl *purl, struct affected_package *out)
{
    memset(out, 0, sizeof *out);
    if (!p->purl.len || purl_parse(purl, p->purl, r->arena, NULL) != 0)
        return false;
    purl_ecosystem(purl, &out->ecosystem, &out->name, r->arena);
    out->order = order_of_ecosystem(out->ecosystem);
    out->purl = p->purl;
    out->path = p->path;
    return out->name.len > 0;
}

/* What is stated of a product with an identity. False when that leaves something open. */
static bool state(struct reader *r, const struct product *p, const struct purl *purl, struct affected_package *out)
{
    bool affected = p->status & STATUS_AFFECTED, decided = !affected;
    struct span *one = arena_array(r->arena, 1, sizeof *one);
    if (!one)
        return false;
    if (affected && p->range.len)
        decided = vers_read(p->range, out, r->arena);
    *one = purl->version;
    if (purl->version.len && affected && !decided) {
        out->versions = one;
        out->version_count = 1;
        decided = !p->range.len;
    } else if (purl->version.len && !affected && (p->status & STATUS_FIXED)) {
        out->fixed_versions = one;
        out->fixed_count = 1;
    }
    return decided && !(p->status & (STATUS_UNKNOWN | STATUS_BOUND));
}

static int undecided_add(struct reader *r, const struct product *p, struct span *list, struct advisory *out)
{
    char *text = arena_printf(r->arena, "%.*s (%.*s)", (int)(p->name.len ? p->name.len : p->id.len),
                              (const char *)(p->name.len ? p->name.data : p->id.data), (int)p->path.len,
                              (const char *)p->path.data);
    if (!text)
        return fail(r->fault, E_NOMEM, "products");
    list[out->undecided_count++] = span_str(text);
    return 0;
}

/* A package that is left open gets a row without versions too: whoever has it is told "undecided". */
static int packages(struct reader *r, struct advisory *out)
{
    size_t most = r->tree.count + r->strays.count + 1;
    struct affected_package *list = arena_array(r->arena, 2 * most, sizeof *list);
    struct span *undecided = arena_array(r->arena, most, sizeof *undecided);
    int rc = list && undecided ? 0 : fail(r->fault, E_NOMEM, "products");
    for (size_t i = 0; rc == 0 && i < r->tree.count; i++) {
        const struct product *p = &r->tree.list[i];
        struct affected_package *row = &list[out->package_count];
        struct purl purl;
        bool known = p->status && identify(r, p, &purl, row),
             open = (p->status & (STATUS_AFFECTED | STATUS_UNKNOWN)) != 0;
        struct affected_package bare = *row;
        if (known) {
            open = !state(r, p, &purl, row);
            out->package_count += row->version_count || row->range_count || row->fixed_count;
        }
        if (known && open)
            list[out->package_count++] = bare;
        rc = open ? undecided_add(r, p, undecided, out) : 0;
    }
    if (rc == 0 && r->strays.count)
        qsort(r->strays.list, r->strays.count, sizeof *r->strays.list, by_id);
    for (size_t i = 0; rc == 0 && i < r->strays.count; i++) {
        r->strays.list[i].path = span_str("not in product_tree");
        if (i == 0 || by_id(&r->strays.list[i - 1], &r->strays.list[i]) != 0)
            rc = undecided_add(r, &r->strays.list[i], undecided, out);
    }
    out->packages = list;
    out->undecided = undecided;
    return rc;
}

static int tlp_read(const struct json *root, struct advisory *out, struct fault *fault)
{
    static const struct {
        const char *label;
        enum tlp tlp;
    } labels[] = {{"WHITE", TLP_CLEAR},
                  {"CLEAR", TLP_CLEAR},
                  {"GREEN", TLP_GREEN},
                  {"AMBER", TLP_AMBER},
                  {"AMBER+STRICT", TLP_AMBER_STRICT},
                  {"RED", TLP_RED}};
    const struct json *distribution = json_path(root, "document.distribution"), *tlp = json_get(distribution, "tlp");
    if (distribution && distribution->type != JSON_OBJECT)
        return fail(fault, E_TYPE, "/document/distribution must be an object");
    if (!tlp)
        return 0;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (span_is(json_text(tlp, "label"), labels[i].label)) {
            out->tlp = labels[i].tlp;
            return 0;
        }
    return fail(fault, E_UNSUPPORTED, "/document/distribution/tlp/label is no TLP label");
}

static int head_read(const struct json *root, struct advisory *out, struct fault *fault)
{
    const struct json *document = json_get(root, "document"), *tracking = json_get(document, "tracking");
    if (!span_is(json_text(document, "csaf_version"), "2.0"))
        return fail(fault, E_UNSUPPORTED, "/document/csaf_version must be \"2.0\"");
    out->id = json_text(tracking, "id");
    out->title = json_text(document, "title");
    out->publisher = json_text(json_get(document, "publisher"), "name");
    out->version = json_text(tracking, "version");
    out->modified = json_text(tracking, "current_release_date");
    return out->id.len ? tlp_read(root, out, fault) : fail(fault, E_MISSING, "/document/tracking/id is required");
}

int advisory_read_csaf(struct advisory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL;
    struct reader r = {.arena = arena, .fault = fault};
    memset(out, 0, sizeof *out);
    int rc = json_parse(&root, bytes, DOCUMENT_BYTES_MAX, arena, fault);
    rc = rc ? rc : head_read(root, out, fault);
    rc = rc ? rc : tree_read(&r, root);
    rc = rc ? rc : ids_unique(&r);
    rc = rc ? rc : relations_follow(&r);
    rc = rc ? rc : vulnerabilities(&r, root, out);
    return rc ? rc : packages(&r, out);
}
