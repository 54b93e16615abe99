/* CSAF 2.0, section 3.2.2: products stand in branches, in a list, and in relationships that put one onto another. */
#include "format/csaf_tree.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"

enum { PROBLEMS_MAX = 1000, MODELS_MAX = 1000 };

struct walk { /* down the branches */
    struct csaf_reader *r;
    uint32_t at[BRANCH_DEPTH_MAX];
};

int csaf_list(struct csaf_reader *r, const struct json *parent, const char *key, const struct json **list)
{
    *list = json_get(parent, key);
    if (*list && (*list)->type != JSON_ARRAY)
        return fail(r->fault, E_TYPE, "\"%s\" must be an array", key);
    return 0;
}

static int room(struct arena *arena, void **list, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return 0;
    size_t more = *cap ? *cap * 2 : 64;
    void *bigger = arena_array(arena, more, size);
    if (!bigger)
        return E_NOMEM;
    if (count)
        memcpy(bigger, *list, count * size);
    *list = bigger;
    *cap = more;
    return 0;
}

/* Past the limit they are only counted as one more: a hostile record shall not fill a log. */
int csaf_problem(struct csaf_reader *r, struct span path, const char *text)
{
    struct problems *p = &r->problems;
    if (p->count == PROBLEMS_MAX)
        return 0;
    if (room(r->arena, (void **)&p->list, &p->cap, p->count, sizeof *p->list) != 0)
        return fail(r->fault, E_NOMEM, "problems");
    p->list[p->count++] = (struct record_problem){.path = path, .text = span_str(text)};
    return 0;
}

int csaf_product_push(struct csaf_reader *r, struct products *to, const struct product *product)
{
    if (to->count == PRODUCTS_MAX)
        return fail(r->fault, E_LIMIT, "more than %d products", PRODUCTS_MAX);
    if (room(r->arena, (void **)&to->list, &to->cap, to->count, sizeof *to->list) != 0)
        return fail(r->fault, E_NOMEM, "products");
    to->list[to->count++] = *product;
    return 0;
}

/* Model numbers, one a line. */
static int models_take(struct csaf_reader *r, const struct json *helper, struct span *out)
{
    const struct json *list;
    struct buf text;
    int rc = csaf_list(r, helper, "model_numbers", &list);
    if (rc || !list)
        return rc;
    buf_init(&text, DOCUMENT_BYTES_MAX);
    for (uint32_t i = 0; i < list->count && i < MODELS_MAX; i++) {
        struct span model = list->child[i].type == JSON_STRING ? list->child[i].text : span_of(NULL, 0);
        if (!model.len || memchr(model.data, '\n', model.len))
            continue;
        if (text.len)
            buf_byte(&text, '\n');
        buf_span(&text, model);
    }
    *out = arena_copy(r->arena, buf_view(&text));
    rc = text.error || (text.len && !out->data) ? fail(r->fault, E_NOMEM, "products") : 0;
    buf_free(&text);
    return rc;
}

static int product_add(struct csaf_reader *r, const struct json *json, struct product product, char *path)
{
    if (!path)
        return fail(r->fault, E_NOMEM, "products");
    const struct json *helper = json_get(json, "product_identification_helper");
    product.path = span_str(path);
    product.id = json_text(json, "product_id");
    product.name = json_text(json, "name");
    product.purl = json_text(helper, "purl");
    product.cpe = json_text(helper, "cpe");
    if (!product.title.len)
        product.title = product.name;
    int rc = models_take(r, helper, &product.models);
    if (rc)
        return rc;
    if (product.id.len)
        return csaf_product_push(r, &r->tree, &product);
    r->contradictory = true; /* nothing can name it */
    return csaf_problem(r, product.path, "a product has a \"product_id\"");
}

static char *branch_path(const struct walk *w, unsigned depth)
{
    struct buf path;
    buf_init(&path, 2048);
    buf_text(&path, "product_tree");
    for (unsigned i = 0; i <= depth; i++)
        buf_printf(&path, ".branches[%u]", (unsigned)w->at[i]);
    char *copy = path.error ? NULL : arena_text(w->r->arena, buf_view(&path));
    buf_free(&path);
    return copy;
}

/* What a branch adds to all products below it. A family is a title until a product's name says more. */
static void branch_take(struct product *below, const struct json *branch, bool *titled)
{
    struct span category = json_text(branch, "category"), name = json_text(branch, "name");
    bool is_title = span_is(category, "product_name");
    if (span_is(category, "vendor"))
        below->vendor = name;
    else if (span_is(category, "product_version"))
        below->version = name;
    else if (span_is(category, "product_version_range"))
        below->range = name;
    else if (is_title || (!*titled && span_is(category, "product_family")))
        below->title = name;
    *titled = *titled || is_title;
}

static int branches(struct walk *w, const struct json *parent, struct product above, bool titled, unsigned depth)
{
    const struct json *list;
    int rc = csaf_list(w->r, parent, "branches", &list);
    if (rc == 0 && list && depth >= BRANCH_DEPTH_MAX)
        return fail(w->r->fault, E_LIMIT, "branches nested deeper than %d", BRANCH_DEPTH_MAX);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++) {
        const struct json *branch = &list->child[i], *product = json_get(branch, "product");
        struct product below = above;
        bool named = titled;
        branch_take(&below, branch, &named);
        w->at[depth] = i;
        if (product)
            rc = product_add(w->r, product, below, branch_path(w, depth));
        rc = rc ? rc : branches(w, branch, below, named, depth + 1);
    }
    return rc;
}

static int relations_read(struct csaf_reader *r, const struct json *tree)
{
    const struct json *list;
    int rc = csaf_list(r, tree, "relationships", &list);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++) {
        const struct json *json = &list->child[i];
        struct span category = json_text(json, "category");
        struct product product = {.part = json_text(json, "product_reference"),
                                  .whole = json_text(json, "relates_to_product_reference"),
                                  .installed =
                                      span_is(category, "installed_on") || span_is(category, "installed_with")};
        rc = product_add(r, json_get(json, "full_product_name"), product,
                         arena_printf(r->arena, "product_tree.relationships[%u]", (unsigned)i));
    }
    return rc;
}

static int by_id(const void *a, const void *b)
{
    return span_compare(((const struct product *)a)->id, ((const struct product *)b)->id);
}

struct product *csaf_product(const struct csaf_reader *r, struct span id, size_t *count)
{
    size_t low = 0, high = r->tree.count;
    *count = 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (span_compare(r->tree.list[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + *count < r->tree.count && span_eq(r->tree.list[low + *count].id, id))
        (*count)++;
    return *count ? &r->tree.list[low] : NULL;
}

/* Which of two products of one id is meant nobody can tell. */
static int ids_check(struct csaf_reader *r)
{
    struct product *list = r->tree.list;
    int rc = 0;
    if (r->tree.count)
        qsort(list, r->tree.count, sizeof *list, by_id);
    for (size_t i = 1; i < r->tree.count && rc == 0; i++)
        if (span_eq(list[i - 1].id, list[i].id)) {
            list[i - 1].doubtful = list[i].doubtful = r->contradictory = true;
            rc = csaf_problem(r, list[i].path, "another product has the same product_id");
        }
    return rc;
}

static bool identified(const struct product *p)
{
    return p->purl.len || p->cpe.len;
}

/* "xz-utils as a component of Debian 13" is xz-utils where it has no identity of its own. */
static int relation_follow(struct csaf_reader *r, struct product *p)
{
    struct product *part = p;
    unsigned depth = 0;
    size_t count = 1;
    while (part && !identified(part) && part->part.data && depth++ < RELATION_DEPTH_MAX)
        part = csaf_product(r, part->part, &count);
    if (depth > RELATION_DEPTH_MAX) {
        p->doubtful = r->contradictory = true;
        return csaf_problem(r, p->path, "its relationships go in a circle, or too deep");
    }
    if (!part)
        return csaf_problem(r, p->path, "its relationship names a product that is not there");
    if (part == p)
        return 0;
    p->purl = part->purl;
    p->cpe = part->cpe;
    p->models = part->models;
    p->vendor = part->vendor;
    p->title = part->title;
    p->range = part->range;
    p->version = part->version;
    p->doubtful = p->doubtful || part->doubtful || count > 1;
    return 0;
}

int csaf_tree_read(struct csaf_reader *r, const struct json *root)
{
    const struct json *tree = json_get(root, "product_tree"), *list;
    struct walk walk = {.r = r};
    int rc = branches(&walk, tree, (struct product){0}, false, 0);
    rc = rc ? rc : csaf_list(r, tree, "full_product_names", &list);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++)
        rc = product_add(r, &list->child[i], (struct product){0},
                         arena_printf(r->arena, "product_tree.full_product_names[%u]", (unsigned)i));
    rc = rc ? rc : relations_read(r, tree);
    rc = rc ? rc : ids_check(r);
    for (size_t i = 0; i < r->tree.count && rc == 0; i++)
        if (r->tree.list[i].part.data)
            rc = relation_follow(r, &r->tree.list[i]);
    return rc;
}
