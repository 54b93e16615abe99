/* CSAF 2.0: what its vulnerabilities state of the products of the tree (csaf_tree.c) becomes rows, in each lane in which the product has an
   identity. What is stated to be affected and cannot be decided by any row is kept as undecided, never as safe. */
#include <stdlib.h>

#include "base/limits.h"
#include "format/cpe.h"
#include "format/csaf_tree.h"
#include "format/purl.h"
#include "format/vers.h"
#include "format/version.h"
#include "format/version_text.h"

enum { ROWS_OF_PRODUCT = 8 };  /* two in each lane, and two of what it is installed on */
enum { MARKS_MAX = 20000000 }; /* groups may be named again and again */

/* Calls `mark` for each product that "product_ids" and "group_ids" name. */
typedef void mark_product(struct product *product, void *ctx);

static void ids_mark(struct csaf_reader *r, const struct json *ids, mark_product *mark, void *ctx)
{
    for (uint32_t i = 0; ids && ids->type == JSON_ARRAY && i < ids->count && r->marks++ < MARKS_MAX; i++) {
        size_t count = 0;
        struct product *p = ids->child[i].type == JSON_STRING ? csaf_product(r, ids->child[i].text, &count) : NULL;
        for (size_t k = 0; k < count; k++)
            mark(&p[k], ctx);
    }
}

static void named_mark(struct csaf_reader *r, const struct json *root, const struct json *json, mark_product *mark,
                       void *ctx)
{
    const struct json *groups = json_path(root, "product_tree.product_groups"), *wanted = json_get(json, "group_ids");
    ids_mark(r, json_get(json, "product_ids"), mark, ctx);
    for (uint32_t i = 0; wanted && wanted->type == JSON_ARRAY && i < wanted->count; i++)
        for (uint32_t g = 0; groups && groups->type == JSON_ARRAY && g < groups->count && r->marks++ < MARKS_MAX; g++)
            if (span_eq(json_text(&groups->child[g], "group_id"), wanted->child[i].text))
                ids_mark(r, json_get(&groups->child[g], "product_ids"), mark, ctx);
}

static void justify(struct product *product, void *ctx)
{
    if (!product->justification)
        product->justification = *(enum justification *)ctx;
}

static void excuse(struct product *product, void *ctx)
{
    if (!product->impact.len)
        product->impact = *(struct span *)ctx;
}

struct remedy {
    unsigned rank;
    struct span text;
};

static void remedy_give(struct product *product, void *ctx)
{
    const struct remedy *remedy = ctx;
    if (product->remedy_rank && product->remedy_rank <= remedy->rank)
        return;
    product->remedy_rank = remedy->rank;
    product->remedy = remedy->text;
}

/* Why a product is not affected: the flags of this vulnerability, and what its threats say of the impact. */
static int reasons_read(struct csaf_reader *r, const struct json *root, const struct json *vulnerability)
{
    const struct json *flags, *threats;
    int rc = csaf_list(r, vulnerability, "flags", &flags);
    rc = rc ? rc : csaf_list(r, vulnerability, "threats", &threats);
    for (uint32_t i = 0; rc == 0 && flags && i < flags->count; i++)
        for (unsigned j = 1; j < JUSTIFICATION_COUNT; j++)
            if (span_is(json_text(&flags->child[i], "label"), justification_names[j]))
                named_mark(r, root, &flags->child[i], justify, &(enum justification){(enum justification)j});
    for (uint32_t i = 0; rc == 0 && threats && i < threats->count; i++) {
        struct span details = json_text(&threats->child[i], "details");
        if (span_is(json_text(&threats->child[i], "category"), "impact"))
            named_mark(r, root, &threats->child[i], excuse, &details);
    }
    return rc;
}

/* The first of the best kind: a fix before what stands in for one, and that before the word that there is none. */
static int remedies_read(struct csaf_reader *r, const struct json *root, const struct json *vulnerability)
{
    static const char *const kinds[] = {"vendor_fix", "workaround", "mitigation", "no_fix_planned", "none_available"};
    const struct json *list;
    int rc = csaf_list(r, vulnerability, "remediations", &list);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++)
        for (unsigned k = 0; rc == 0 && k < sizeof kinds / sizeof kinds[0]; k++) {
            struct span details = json_text(&list->child[i], "details");
            if (!span_is(json_text(&list->child[i], "category"), kinds[k]))
                continue;
            char *text = arena_printf(r->arena, "%s: %.*s", kinds[k], (int)details.len, (const char *)details.data);
            if (!text)
                return fail(r->fault, E_NOMEM, "remediations");
            named_mark(r, root, &list->child[i], remedy_give, &(struct remedy){k + 1, span_str(text)});
        }
    return rc;
}

static int status_mark(struct csaf_reader *r, const struct json *statuses, const char *name, unsigned status)
{
    const struct json *ids;
    int rc = csaf_list(r, statuses, name, &ids);
    for (uint32_t i = 0; rc == 0 && ids && i < ids->count; i++) {
        size_t count;
        if (ids->child[i].type != JSON_STRING)
            return fail(r->fault, E_TYPE, "\"%s\" lists product ids", name);
        struct product *p = csaf_product(r, ids->child[i].text, &count);
        for (size_t k = 0; k < count; k++)
            p[k].status |= status;
        if (!p && (status & (STATUS_AFFECTED | STATUS_UNKNOWN)))
            rc = csaf_product_push(r, &r->strays, &(struct product){.id = ids->child[i].text});
    }
    return rc;
}

static int aliases_read(struct csaf_reader *r, const struct json *all, struct advisory *out)
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

static int statuses_read(struct csaf_reader *r, const struct json *vulnerability)
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
        {"recommended", STATUS_FIXED},
        {"known_not_affected", STATUS_EXCUSED},
        {"under_investigation", STATUS_UNKNOWN},
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && rc == 0; i++)
        rc = status_mark(r, json_get(vulnerability, "product_status"), lists[i].name, lists[i].status);
    return rc ? fail_at(r->fault, rc, "product_status") : 0;
}

static int vulnerabilities(struct csaf_reader *r, const struct json *root, struct advisory *out)
{
    const struct json *all;
    int rc = csaf_list(r, root, "vulnerabilities", &all);
    if (rc || !all)
        return rc;
    for (uint32_t i = 0; i < all->count; i++) {
        rc = statuses_read(r, &all->child[i]);
        rc = rc ? rc : reasons_read(r, root, &all->child[i]);
        rc = rc ? rc : remedies_read(r, root, &all->child[i]);
        if (rc == 0 && r->marks >= MARKS_MAX)
            rc = fail(r->fault, E_LIMIT, "more than %d products in flags, threats and remediations", MARKS_MAX);
        if (rc)
            return fail_at(r->fault, rc, "/vulnerabilities/%u", (unsigned)i);
    }
    return aliases_read(r, all, out);
}

/* Rows */

struct rows {
    struct affected_package *list;
    size_t count;
    struct span *undecided;
};

static bool is_open(const struct product *p)
{
    return (p->status & (STATUS_AFFECTED | STATUS_UNKNOWN)) != 0;
}

static struct affected_package row_of(const struct product *p, enum lane lane)
{
    struct affected_package row = {.lane = lane,
                                   .purl = p->purl,
                                   .cpe = p->cpe,
                                   .vendor = p->vendor,
                                   .product = p->title,
                                   .model = p->models,
                                   .order = ORDER_GENERIC,
                                   .path = p->path,
                                   .remedy = p->remedy};
    row.claim = p->status & STATUS_AFFECTED  ? CLAIM_AFFECTED
                : p->status & STATUS_UNKNOWN ? CLAIM_UNKNOWN
                                             : CLAIM_UNAFFECTED;
    if (row.claim == CLAIM_UNAFFECTED) {
        row.justification = p->justification;
        row.impact = p->impact;
    }
    return row;
}

/* One version, as the row states it. */
static bool version_set(struct csaf_reader *r, struct affected_package *row, struct span version)
{
    struct span *one = arena_array(r->arena, 1, sizeof *one);
    bool safe = row->claim == CLAIM_UNAFFECTED;
    if (!one)
        return false;
    *one = version;
    *(safe ? &row->fixed_versions : &row->versions) = one;
    *(safe ? &row->fixed_count : &row->version_count) = 1;
    return true;
}

static bool range_read(struct csaf_reader *r, const struct product *p, struct affected_package *row)
{
    if (row->lane != LANE_PURL && span_starts(p->range, "vers:")) { /* it says itself how its versions compare */
        const uint8_t *slash = memchr(p->range.data, '/', p->range.len);
        size_t n = slash ? (size_t)(slash - p->range.data) - 5 : 0;
        enum order order = order_of_scheme(span_of(p->range.data + 5, n));
        row->order = order == ORDER_UNKNOWN ? row->order : order;
    }
    return vers_read(p->range, row, r->arena) ||
           (row->order != ORDER_UNKNOWN && version_text_read(p->range, false, row, r->arena));
}

/* The versions of a product: its range; else the version that its identity or its branch names. A product without any that is said to be
   not affected, or under investigation, is so as a whole. False when that leaves something open. */
static bool versions_set(struct csaf_reader *r, const struct product *p, struct span named,
                         struct affected_package *row)
{
    if (p->range.len && range_read(r, p, row))
        return true;
    row->version_text = p->range;
    if (named.len)
        return version_set(r, row, named) && !p->range.len;
    if (p->range.len)
        return false;
    if (p->version.len)
        return version_text_read(p->version, true, row, r->arena) || version_set(r, row, p->version);
    bool whole = p->status & (STATUS_UNKNOWN | STATUS_EXCUSED) && !(p->status & STATUS_AFFECTED);
    return whole && row->order != ORDER_UNKNOWN && version_text_read(span_str("*"), false, row, r->arena);
}

/* A package that is left open gets a row without versions, too: whoever has it is told "undecided". */
static bool rows_add(struct csaf_reader *r, const struct product *p, struct span named, struct affected_package row,
                     struct rows *rows)
{
    struct affected_package bare = row;
    bool decided = !p->doubtful && versions_set(r, p, named, &row) && !(p->status & STATUS_BOUND);
    bool says = row.version_count || row.range_count || row.fixed_count;
    bare.version_text = row.version_text;
    bare.claim = CLAIM_AFFECTED;
    if (says)
        rows->list[rows->count++] = row;
    if (is_open(p) && !decided)
        rows->list[rows->count++] = bare;
    return decided;
}

static bool purl_rows(struct csaf_reader *r, const struct product *p, struct rows *rows)
{
    struct affected_package row = row_of(p, LANE_PURL);
    struct purl purl;
    if (!p->purl.len || purl_parse(&purl, p->purl, r->arena, NULL) != 0)
        return false;
    purl_ecosystem(&purl, &row.ecosystem, &row.name, r->arena);
    row.order = order_of_ecosystem(row.ecosystem);
    return row.name.len && rows_add(r, p, purl.version, row, rows);
}

static bool cpe_rows(struct csaf_reader *r, const struct product *p, struct rows *rows)
{
    struct affected_package row = row_of(p, LANE_CPE);
    struct cpe cpe;
    row.name = cpe_named(p->cpe, r->arena);
    return row.name.len && cpe_parse(&cpe, p->cpe, r->arena, NULL) == 0 &&
           rows_add(r, p, cpe_version(p->cpe), row, rows);
}

/* Words are for what has no package URL. What is installed on something may be known by that, too, with the version of what is installed. */
static void text_rows(struct csaf_reader *r, const struct product *p, struct rows *rows)
{
    struct affected_package row = row_of(p, LANE_TEXT);
    size_t count = 0;
    const struct product *whole = p->installed && !p->doubtful ? csaf_product(r, p->whole, &count) : NULL;
    row.name = p->title;
    if (p->purl.len || !row.name.len)
        return;
    (void)rows_add(r, p, span_of(NULL, 0), row, rows);
    if (count != 1 || !whole->title.len)
        return;
    row.name = row.product = whole->title;
    row.vendor = whole->vendor;
    row.model = whole->models;
    (void)rows_add(r, p, span_of(NULL, 0), row, rows);
}

static int undecided_add(struct csaf_reader *r, const struct product *p, struct span *list, struct advisory *out)
{
    char *text = arena_printf(r->arena, "%.*s (%.*s)", (int)(p->name.len ? p->name.len : p->id.len),
                              (const char *)(p->name.len ? p->name.data : p->id.data), (int)p->path.len,
                              (const char *)p->path.data);
    if (!text)
        return fail(r->fault, E_NOMEM, "products");
    list[out->undecided_count++] = span_str(text);
    return 0;
}

static int identities_check(struct csaf_reader *r, const struct product *p)
{
    struct purl purl;
    struct cpe cpe;
    if (p->purl.len && purl_parse(&purl, p->purl, r->arena, NULL) != 0)
        return csaf_problem(r, p->path, "its purl does not parse");
    if (p->cpe.len && cpe_parse(&cpe, p->cpe, r->arena, NULL) != 0)
        return csaf_problem(r, p->path, "its CPE name does not parse");
    return 0;
}

static int strays_add(struct csaf_reader *r, struct span *undecided, struct advisory *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->strays.count; i++) {
        struct product *stray = &r->strays.list[i];
        stray->path = span_str("not in product_tree");
        if (i && span_eq(stray[-1].id, stray->id))
            continue;
        rc = undecided_add(r, stray, undecided, out);
        rc = rc ? rc : csaf_problem(r, stray->path, "a status names a product that is not in the product tree");
    }
    return rc;
}

static int by_id(const void *a, const void *b)
{
    return span_compare(((const struct product *)a)->id, ((const struct product *)b)->id);
}

static int packages(struct csaf_reader *r, struct advisory *out)
{
    size_t most = r->tree.count + r->strays.count + 1;
    struct rows rows = {.list = arena_array(r->arena, ROWS_OF_PRODUCT * most, sizeof *rows.list)};
    struct span *undecided = arena_array(r->arena, most, sizeof *undecided);
    int rc = rows.list && undecided ? 0 : fail(r->fault, E_NOMEM, "products");
    for (size_t i = 0; rc == 0 && i < r->tree.count; i++) {
        const struct product *p = &r->tree.list[i];
        if (!p->status)
            continue;
        bool decided = purl_rows(r, p, &rows);
        decided = cpe_rows(r, p, &rows) || decided;
        text_rows(r, p, &rows);
        rc = identities_check(r, p);
        rc = rc || decided || !is_open(p) ? rc : undecided_add(r, p, undecided, out);
    }
    if (rc == 0 && r->strays.count)
        qsort(r->strays.list, r->strays.count, sizeof *r->strays.list, by_id);
    rc = rc ? rc : strays_add(r, undecided, out);
    out->packages = rows.list;
    out->package_count = rows.count;
    out->undecided = undecided;
    out->contradictory = r->contradictory;
    out->problems = r->problems.list;
    out->problem_count = r->problems.count;
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
    struct csaf_reader r = {.arena = arena, .fault = fault};
    memset(out, 0, sizeof *out);
    int rc = json_parse(&root, bytes, DOCUMENT_BYTES_MAX, arena, fault);
    rc = rc ? rc : head_read(root, out, fault);
    rc = rc ? rc : csaf_tree_read(&r, root);
    rc = rc ? rc : vulnerabilities(&r, root, out);
    return rc ? rc : packages(&r, out);
}
