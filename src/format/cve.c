/* CVE records, CVE Record Format 5.0 to 5.2: what the numbering authority (CNA) and authorized publishers (ADP) say of products. One "affected"
   object makes rows in each lane in which it names the product: a package of a collection or a package URL, CPE names, or vendor and
   product in words. */
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "format/advisory.h"
#include "format/cpe.h"
#include "format/cve_versions.h"
#include "format/purl.h"
#include "format/version.h"

enum { TITLE_BYTES_MAX = 256, PROBLEMS_MAX = 1000 };

struct reader {
    struct affected_package *rows;
    struct span *undecided;
    struct record_problem *problems;
    size_t row_count, row_cap, undecided_count, undecided_cap, problem_count, problem_cap;
    struct arena *arena;
    struct fault *fault;
};

static int room(struct reader *r, void **list, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return 0;
    size_t more = *cap ? *cap * 2 : 32;
    void *bigger = arena_array(r->arena, more, size);
    if (!bigger)
        return fail(r->fault, E_NOMEM, "affected");
    if (count)
        memcpy(bigger, *list, count * size);
    *list = bigger;
    *cap = more;
    return 0;
}

static int problem_add(struct reader *r, struct span path, const char *text)
{
    if (r->problem_count == PROBLEMS_MAX)
        return 0;
    int rc = room(r, (void **)&r->problems, &r->problem_cap, r->problem_count, sizeof *r->problems);
    if (rc == 0)
        r->problems[r->problem_count++] = (struct record_problem){.path = path, .text = span_str(text)};
    return rc;
}

static int undecided_add(struct reader *r, const struct affected_package *about)
{
    int rc = room(r, (void **)&r->undecided, &r->undecided_cap, r->undecided_count, sizeof *r->undecided);
    if (rc)
        return rc;
    char *text = arena_printf(r->arena, "%.*s %.*s (%.*s)", (int)about->vendor.len, (const char *)about->vendor.data,
                              (int)about->product.len, (const char *)about->product.data, (int)about->path.len,
                              (const char *)about->path.data);
    if (!text)
        return fail(r->fault, E_NOMEM, "affected");
    r->undecided[r->undecided_count++] = span_str(text);
    return 0;
}

static int row_push(struct reader *r, const struct affected_package *row)
{
    int rc = room(r, (void **)&r->rows, &r->row_cap, r->row_count, sizeof *r->rows);
    if (rc == 0)
        r->rows[r->row_count++] = *row;
    return rc;
}

/* Rows of one identity: what is affected, what is not, what is not known; and a bare one where something could not be read. */
static int claims_push(struct reader *r, const struct affected_package *identity, const struct cve_versions *v,
                       bool everywhere)
{
    struct affected_package row = *identity;
    size_t before = r->row_count;
    int rc = 0;
    row.order = v->order;
    for (unsigned claim = 0; claim < CLAIM_COUNT && rc == 0; claim++) {
        const struct claimed *c = &v->claims[claim];
        struct affected_package one = row;
        one.claim = (enum row_claim)claim;
        one.ranges = c->ranges;
        one.range_count = c->range_count;
        one.versions = c->versions;
        one.version_count = c->version_count;
        if (claim == CLAIM_AFFECTED) {
            one.open = v->open || v->vague || !everywhere;
            one.fixed_versions = v->excluded;
            one.fixed_count = v->excluded_count;
        }
        bool wanted = claim != CLAIM_UNAFFECTED || everywhere; /* else it is not affected on some platform only */
        if (wanted && (one.range_count || one.version_count))
            rc = row_push(r, &one);
    }
    row.open = true;
    row.version_text = v->text;
    return rc || !(v->vague || (r->row_count == before && v->open)) ? rc : row_push(r, &row);
}

/* Where packages are collected, and what OSV calls their ecosystem. */
static struct span ecosystem_of(struct span url)
{
    static const struct {
        const char *host, *ecosystem;
    } collections[] = {
        {"registry.npmjs.org", "npm"},
        {"npmjs.com", "npm"},
        {"rubygems.org", "RubyGems"},
        {"pypi.org", "PyPI"},
        {"pypi.python.org", "PyPI"},
        {"repo.maven.apache.org", "Maven"},
        {"repo1.maven.org", "Maven"},
        {"central.sonatype.com", "Maven"},
        {"mvnrepository.com", "Maven"},
        {"crates.io", "crates.io"},
        {"nuget.org", "NuGet"},
        {"api.nuget.org", "NuGet"},
        {"packagist.org", "Packagist"},
        {"repo.packagist.org", "Packagist"},
        {"pkg.go.dev", "Go"},
        {"proxy.golang.org", "Go"},
        {"hex.pm", "Hex"},
        {"repo.hex.pm", "Hex"},
        {"pub.dev", "Pub"},
        {"hackage.haskell.org", "Hackage"},
        {"cran.r-project.org", "CRAN"},
    };
    static const char *const before[] = {"https://", "http://", "www."};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (span_starts(url, before[i]))
            url = span_from(url, strlen(before[i]));
    for (size_t i = 0; i < sizeof collections / sizeof collections[0]; i++) {
        size_t n = strlen(collections[i].host);
        if (url.len >= n && strncasecmp((const char *)url.data, collections[i].host, n) == 0 &&
            (url.len == n || url.data[n] == '/'))
            return span_str(collections[i].ecosystem);
    }
    return span_of(NULL, 0);
}

static struct span worded(const struct json *json, const char *key)
{
    static const char *const blanks[] = {"n/a", "unknown", "unspecified", "-", "*"};
    struct span text = json_text(json, key);
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++)
        if (text.len == strlen(blanks[i]) && strncasecmp((const char *)text.data, blanks[i], text.len) == 0)
            return span_of(NULL, 0);
    return text;
}

/* The identity as a package. False when it names none. */
static bool package_of(struct reader *r, const struct json *json, struct affected_package *row, bool *broken)
{
    struct span ecosystem = ecosystem_of(json_text(json, "collectionURL")), name = worded(json, "packageName");
    struct purl purl;
    row->lane = LANE_PURL;
    row->purl = json_text(json, "packageURL");
    *broken = row->purl.len && purl_parse(&purl, row->purl, r->arena, NULL) != 0;
    if (row->purl.len && !*broken)
        purl_ecosystem(&purl, &row->ecosystem, &row->name, r->arena);
    if (!row->name.len && ecosystem.len) {
        row->ecosystem = ecosystem;
        row->name = name;
    }
    return row->name.len && row->ecosystem.len;
}

/* What a CPE name says of versions by itself: one, or all of them. */
static bool cpe_versions(struct reader *r, const struct cpe *cpe, struct affected_package *row)
{
    const struct cpe_value *version = &cpe->values[CPE_VERSION];
    struct range_event *event = arena_array(r->arena, 1, sizeof *event);
    struct range *range = arena_array(r->arena, 1, sizeof *range);
    if (!event || !range || (version->kind == CPE_TEXT && (version->before || version->after)))
        return false;
    if (version->kind == CPE_TEXT) {
        row->versions = &version->text;
        row->version_count = 1;
        return true;
    }
    *event = (struct range_event){EVENT_INTRODUCED, span_str("0")};
    *range = (struct range){.count = 1, .events = event};
    row->ranges = range;
    row->range_count = 1;
    return true;
}

/* The CPE name as a row without versions; NULL when it names no product. */
static struct cpe *cpe_row(struct reader *r, struct span text, struct affected_package *row)
{
    struct cpe *cpe = arena_array(r->arena, 1, sizeof *cpe);
    row->lane = LANE_CPE;
    row->cpe = text;
    row->order = ORDER_GENERIC;
    if (!cpe || cpe_parse(cpe, text, r->arena, NULL) != 0)
        return NULL;
    row->name = cpe_named(text, r->arena);
    return row->name.len ? cpe : NULL;
}

static int cpes_read(struct reader *r, const struct json *json, const struct affected_package *about,
                     const struct cve_versions *v, bool everywhere, bool *any)
{
    const struct json *cpes = json_get(json, "cpes"), *versions = json_get(json, "versions");
    int rc = 0;
    for (uint32_t i = 0; cpes && cpes->type == JSON_ARRAY && i < cpes->count && rc == 0; i++) {
        struct affected_package row = *about;
        struct cpe *cpe = cpe_row(r, cpes->child[i].type == JSON_STRING ? cpes->child[i].text : span_of(NULL, 0), &row);
        if (!cpe) {
            rc = problem_add(r, about->path, "one of its CPE names does not parse, or names no product");
            continue;
        }
        *any = true;
        if (!(versions && versions->count) && span_is(json_text(json, "defaultStatus"), "affected") &&
            cpe_versions(r, cpe, &row)) {
            row.open = true;
            rc = row_push(r, &row);
        } else {
            rc = claims_push(r, &row, v, everywhere);
        }
    }
    return rc;
}

static int affected_read(struct reader *r, const struct json *json, char *path)
{
    const struct json *platforms = json_get(json, "platforms");
    bool everywhere = !platforms || platforms->count == 0, broken, any = false;
    struct cve_versions v, worded_versions;
    if (!path)
        return fail(r->fault, E_NOMEM, "affected");
    struct affected_package about = {
        .vendor = worded(json, "vendor"), .product = worded(json, "product"), .path = span_str(path)};
    struct affected_package row = about;
    bool package = package_of(r, json, &row, &broken);
    int rc = broken ? problem_add(r, about.path, "its purl does not parse") : 0;
    rc = rc ? rc : cve_versions_read(&v, json, order_of_ecosystem(row.ecosystem), r->arena, r->fault);
    rc = rc ? rc : cve_versions_read(&worded_versions, json, ORDER_GENERIC, r->arena, r->fault);
    if (rc == 0 && package)
        rc = claims_push(r, &row, &v, everywhere);
    rc = rc ? rc : cpes_read(r, json, &about, &worded_versions, everywhere, &any);
    about.lane = LANE_TEXT;
    about.name = about.product;
    if (rc == 0 && !package && about.name.len)
        rc = claims_push(r, &about, &worded_versions, everywhere);
    if (rc == 0 && !package && !any)
        rc = undecided_add(r, &about);
    return rc ? fail_at(r->fault, rc, "%s", path) : 0;
}

/* CPE applicability (since 5.1): rows of what is vulnerable. Where something else must run beside it, or the whole is negated, it cannot be
   told from one component. */
static int match_read(struct reader *r, const struct json *match, enum row_claim claim, struct span path)
{
    const struct json *vulnerable = json_get(match, "vulnerable");
    struct affected_package row = {.claim = claim, .path = path};
    struct cpe *cpe = cpe_row(r, json_text(match, "criteria"), &row);
    struct span from = json_text(match, "versionStartIncluding"), above = json_text(match, "versionStartExcluding"),
                below = json_text(match, "versionEndExcluding"), with = json_text(match, "versionEndIncluding");
    struct range_event *events = arena_array(r->arena, 2, sizeof *events);
    struct range *range = arena_array(r->arena, 1, sizeof *range);
    struct span *excluded = arena_array(r->arena, 1, sizeof *excluded);
    if (!events || !range || !excluded)
        return fail(r->fault, E_NOMEM, "cpeApplicability");
    if (!vulnerable || vulnerable->type != JSON_TRUE)
        return 0;
    if (!cpe)
        return problem_add(r, path, "one of its CPE names does not parse, or names no product");
    if (from.len || above.len || below.len || with.len) {
        *excluded = above;
        events[0] = (struct range_event){EVENT_INTRODUCED, from.len ? from : above.len ? above : span_str("0")};
        events[1] = (struct range_event){below.len ? EVENT_FIXED : EVENT_LAST_AFFECTED, below.len ? below : with};
        *range = (struct range){.count = below.len || with.len ? 2 : 1, .events = events};
        row.ranges = range;
        row.range_count = 1;
        row.fixed_versions = excluded;
        row.fixed_count = above.len > 0 && !from.len && claim == CLAIM_AFFECTED;
    } else if (!cpe_versions(r, cpe, &row)) {
        row.version_text = json_text(match, "criteria");
        row.open = true;
    }
    return row_push(r, &row);
}

static bool is_or(const struct json *json)
{
    const struct json *negate = json_get(json, "negate");
    struct span operator= json_text(json, "operator");
    return (!operator.len || span_is(operator, "OR")) && (!negate || negate->type != JSON_TRUE);
}

static int applicability_read(struct reader *r, const struct json *list, struct span path)
{
    int rc = 0;
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count && rc == 0; i++) {
        const struct json *nodes = json_get(&list->child[i], "nodes");
        for (uint32_t n = 0; nodes && nodes->type == JSON_ARRAY && n < nodes->count && rc == 0; n++) {
            const struct json *node = &nodes->child[n], *matches = json_get(node, "cpeMatch");
            bool alone = (nodes->count == 1 || is_or(&list->child[i])) && is_or(node);
            for (uint32_t m = 0; matches && matches->type == JSON_ARRAY && m < matches->count && rc == 0; m++)
                rc = match_read(r, &matches->child[m], alone ? CLAIM_AFFECTED : CLAIM_UNKNOWN, path);
        }
    }
    return rc;
}

static int container_read(struct reader *r, const struct json *container, const char *name)
{
    const struct json *affected = json_get(container, "affected");
    char *path = arena_printf(r->arena, "%s.cpeApplicability", name);
    int rc = path ? 0 : fail(r->fault, E_NOMEM, "affected");
    if (affected && affected->type != JSON_ARRAY)
        return fail(r->fault, E_TYPE, "%s.affected must be an array", name);
    for (uint32_t i = 0; affected && i < affected->count && rc == 0; i++)
        rc = affected_read(r, &affected->child[i], arena_printf(r->arena, "%s.affected[%u]", name, (unsigned)i));
    return rc ? rc : applicability_read(r, json_get(container, "cpeApplicability"), span_str(path));
}

static int containers_read(struct reader *r, const struct json *root)
{
    const struct json *adp = json_path(root, "containers.adp");
    int rc = container_read(r, json_path(root, "containers.cna"), "containers.cna");
    for (uint32_t i = 0; rc == 0 && adp && adp->type == JSON_ARRAY && i < adp->count; i++) {
        char *name = arena_printf(r->arena, "containers.adp[%u]", (unsigned)i);
        rc = name ? container_read(r, &adp->child[i], name) : fail(r->fault, E_NOMEM, "affected");
    }
    return rc;
}

/* The title, else the beginning of the first description. */
static struct span title_of(const struct json *root)
{
    const struct json *list = json_path(root, "containers.cna.descriptions");
    struct span title = json_text(json_path(root, "containers.cna"), "title");
    if (!title.len && list && list->type == JSON_ARRAY && list->count)
        title = text_cut(json_text(&list->child[0], "value"), TITLE_BYTES_MAX);
    return title;
}

static int head_read(const struct json *root, struct advisory *out, struct fault *fault)
{
    static const char *const dates[] = {"dateUpdated", "dateRejected", "datePublished", "dateReserved"};
    const struct json *metadata = json_get(root, "cveMetadata");
    if (!span_is(json_text(root, "dataType"), "CVE_RECORD"))
        return fail(fault, E_UNSUPPORTED, "\"dataType\" is not \"CVE_RECORD\"");
    if (!span_starts(json_text(root, "dataVersion"), "5."))
        return fail(fault, E_UNSUPPORTED, "\"dataVersion\" is not 5.0 to 5.2");
    out->id = json_text(metadata, "cveId");
    if (!out->id.len)
        return fail(fault, E_MISSING, "\"cveMetadata\" names its \"cveId\"");
    out->title = title_of(root);
    out->publisher = json_text(metadata, "assignerShortName");
    out->withdrawn = span_is(json_text(metadata, "state"), "REJECTED");
    for (size_t i = 0; i < sizeof dates / sizeof dates[0] && !out->modified.len; i++)
        out->modified = json_text(metadata, dates[i]);
    return 0;
}

int advisory_read_cve(struct advisory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL;
    struct reader r = {.arena = arena, .fault = fault};
    memset(out, 0, sizeof *out);
    int rc = json_parse(&root, bytes, DOCUMENT_BYTES_MAX, arena, fault);
    rc = rc ? rc : head_read(root, out, fault);
    rc = rc ? rc : containers_read(&r, root);
    out->packages = r.rows;
    out->package_count = r.row_count;
    out->undecided = r.undecided;
    out->undecided_count = r.undecided_count;
    out->problems = r.problems;
    out->problem_count = r.problem_count;
    return rc;
}
