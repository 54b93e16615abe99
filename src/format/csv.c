/* Tables of assets: RFC 4180, with the separators that spreadsheets write, and a header that the owner's words explain. */
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "format/component.h"

enum role {
    ROLE_PURL,
    ROLE_CPE,
    ROLE_ECOSYSTEM,
    ROLE_NAME,
    ROLE_VERSION,
    ROLE_VENDOR,
    ROLE_PRODUCT,
    ROLE_MODEL,
    ROLE_ASSET,
    ROLES
};
static const char *const role_names[ROLES] = {"purl",   "cpe",     "ecosystem", "name", "version",
                                              "vendor", "product", "model",     "asset"};
enum { ASSET_SHOWN_MAX = 100 };

struct reader {
    struct span rest;
    uint8_t separator;
    struct arena *arena;
};
struct record {
    size_t count;
    const char *problem;
    struct span fields[CSV_COLUMNS_MAX];
};
struct columns {
    int of[ROLES]; /* -1: there is none */
    size_t found, fields;
};

/* Records */

/* Behind an opening quote: up to the closing one; "" stands for one quote. */
static bool quoted_take(struct reader *r, struct span *out)
{
    size_t end = 0, doubled = 0;
    const uint8_t *text = r->rest.data;
    for (;; end++) {
        if (end >= r->rest.len)
            return false;
        if (text[end] != '"')
            continue;
        if (end + 1 >= r->rest.len || text[end + 1] != '"')
            break;
        doubled++;
        end++;
    }
    *out = span_of(text, end);
    r->rest = span_from(r->rest, end + 1);
    if (!doubled)
        return true;
    uint8_t *to = arena_alloc(r->arena, end);
    size_t n = 0;
    for (size_t i = 0; to && i < end; i++) {
        to[n++] = text[i];
        i += text[i] == '"';
    }
    *out = span_of(to, n);
    return to != NULL;
}

static bool ends_field(const struct reader *r, uint8_t c)
{
    return c == r->separator || c == '\n' || c == '\r';
}

static void plain_take(struct reader *r, struct span *out)
{
    size_t n = 0;
    while (n < r->rest.len && !ends_field(r, r->rest.data[n]))
        n++;
    *out = text_trim(span_of(r->rest.data, n));
    r->rest = span_from(r->rest, n);
}

static void field_take(struct reader *r, struct record *record)
{
    struct span field = span_of(NULL, 0), behind;
    if (r->rest.len && r->rest.data[0] == '"') {
        r->rest = span_from(r->rest, 1);
        if (!quoted_take(r, &field)) {
            record->problem = "a quote is not closed: all the rest of the file is in it";
            r->rest = span_of(NULL, 0);
        }
        plain_take(r, &behind);
        if (behind.len)
            record->problem = "text follows a closing quote";
    } else {
        plain_take(r, &field);
    }
    if (record->count < CSV_COLUMNS_MAX)
        record->fields[record->count++] = field;
    else
        record->problem = "it has too many fields";
}

/* False at the end. A record ends with a line; an empty line is none. */
static bool record_take(struct reader *r, struct record *record)
{
    while (r->rest.len && (r->rest.data[0] == '\n' || r->rest.data[0] == '\r'))
        r->rest = span_from(r->rest, 1);
    record->count = 0;
    record->problem = NULL;
    if (!r->rest.len)
        return false;
    for (;;) {
        field_take(r, record);
        if (!r->rest.len)
            return true;
        bool more = r->rest.data[0] == r->separator;
        r->rest = span_from(r->rest, 1);
        if (!more)
            return true;
        if (!r->rest.len) { /* the file ends behind a separator: a last field, which is empty */
            field_take(r, record);
            return true;
        }
    }
}

/* Columns */

static bool text_same(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0);
}

static int role_of(struct span name)
{
    for (int i = 0; i < ROLES; i++)
        if (text_same(name, span_str(role_names[i])))
            return i;
    return -1;
}

static int header_place(const struct record *header, struct span title)
{
    for (size_t i = 0; i < header->count; i++)
        if (text_same(header->fields[i], title))
            return (int)i;
    return -1;
}

/* What the owner says which column has what. */
struct mapping {
    struct span titles[ROLES];
    bool named[ROLES];
};

static int mapping_read(struct mapping *m, struct span columns, struct arena *arena, struct fault *fault)
{
    struct reader r = {.rest = columns, .separator = ',', .arena = arena};
    struct record *record = arena_alloc(arena, sizeof *record);
    *m = (struct mapping){0};
    if (!record)
        return fail(fault, E_NOMEM, "columns");
    if (!record_take(&r, record))
        return 0;
    if (record->problem || r.rest.len)
        return fail(fault, E_SYNTAX, "columns: %s", record->problem ? record->problem : "it is one line");
    for (size_t i = 0; i < record->count; i++) {
        struct span pair = record->fields[i];
        const uint8_t *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
        int role = role_of(span_of(pair.data, equals ? (size_t)(equals - pair.data) : pair.len));
        if (!equals || role < 0)
            return fail(fault, E_USAGE,
                        "columns: \"%.*s\" is no ROLE=HEADER; roles are purl, cpe, ecosystem, name, version, vendor, "
                        "product, model, asset",
                        (int)(pair.len < 60 ? pair.len : 60), pair.len ? (const char *)pair.data : "");
        if (m->named[role])
            return fail(fault, E_DUPLICATE, "columns: \"%s\" stands twice", role_names[role]);
        m->named[role] = true;
        m->titles[role] = span_from(pair, (size_t)(equals + 1 - pair.data));
    }
    return 0;
}

static void columns_find(struct columns *out, const struct record *header, const struct mapping *m)
{
    *out = (struct columns){.fields = header->count};
    for (size_t i = 0; i < ROLES; i++) {
        out->of[i] = header_place(header, m->named[i] ? m->titles[i] : span_str(role_names[i]));
        out->found += out->of[i] >= 0;
    }
}

/* The separator by which most columns are found; of equals the one that makes more fields. */
static bool header_find(struct reader *r, const struct mapping *m, struct columns *out, struct record *header)
{
    static const uint8_t separators[] = {',', ';', '\t'};
    const struct span table = r->rest;
    size_t best = 0, fields = 0;
    for (size_t i = 0; i < sizeof separators; i++) {
        struct columns columns;
        struct reader trial = {.rest = table, .separator = separators[i], .arena = r->arena};
        if (!record_take(&trial, header) || header->problem)
            continue;
        columns_find(&columns, header, m);
        if (columns.found < best || (columns.found == best && header->count <= fields))
            continue;
        best = columns.found;
        fields = header->count;
        *r = trial;
        *out = columns;
    }
    struct reader again = {.rest = table, .separator = r->separator, .arena = r->arena};
    return fields && record_take(&again, header);
}

/* A table tells something of software when it has a name for it. */
static bool columns_tell(const struct columns *c)
{
    return c->of[ROLE_PURL] >= 0 || c->of[ROLE_CPE] >= 0 || c->of[ROLE_NAME] >= 0 || c->of[ROLE_PRODUCT] >= 0 ||
           c->of[ROLE_MODEL] >= 0;
}

static int columns_check(const struct columns *c, const struct mapping *m, const struct record *header,
                         struct fault *fault)
{
    struct span first = header->count ? text_cut(header->fields[0], 60) : span_of(NULL, 0);
    for (size_t i = 0; i < ROLES; i++)
        if (m->named[i] && c->of[i] < 0) {
            struct span title = text_cut(m->titles[i], 60);
            return fail(fault, E_NOTFOUND, "the header has no column \"%.*s\"; its first of %zu is \"%.*s\"",
                        (int)title.len, title.len ? (const char *)title.data : "", header->count, (int)first.len,
                        first.len ? (const char *)first.data : "");
        }
    if (!columns_tell(c))
        return fail(fault, E_MISSING, "no column has purl, cpe, name, product or model: --columns says which one does");
    return 0;
}

/* Rows */

static struct span cell(const struct record *row, const struct columns *columns, enum role role)
{
    int at = columns->of[role];
    return at >= 0 && (size_t)at < row->count ? row->fields[at] : span_of(NULL, 0);
}

static const char *row_problem(const struct component *c)
{
    if (c->ecosystem.len || c->cpe.len || c->vendor.len || c->model.len)
        return NULL;
    return "it has neither a purl, a CPE, an ecosystem nor a vendor";
}

/* A separator too few or too many: then no cell can be trusted to stand under its title. */
static const char *shape_problem(const struct record *row, const struct columns *columns)
{
    if (row->problem)
        return row->problem;
    for (size_t i = columns->fields; i < row->count; i++)
        if (row->fields[i].len)
            return "its row is longer than the header";
    return row->count < columns->fields ? "its row is shorter than the header" : NULL;
}

static int row_take(struct collect *all, const struct record *row, const struct columns *columns, size_t number)
{
    struct span asset = text_cut(cell(row, columns, ROLE_ASSET), ASSET_SHOWN_MAX);
    char *path = asset.len
                     ? arena_printf(all->arena, "row %zu (%.*s)", number, (int)asset.len, (const char *)asset.data)
                     : arena_printf(all->arena, "row %zu", number);
    if (!path)
        return fail(all->fault, E_NOMEM, "rows");
    struct component *c = collect_add(all);
    *c = (struct component){.path = span_str(path),
                            .purl = cell(row, columns, ROLE_PURL),
                            .cpe = cell(row, columns, ROLE_CPE),
                            .ecosystem = cell(row, columns, ROLE_ECOSYSTEM),
                            .name = cell(row, columns, ROLE_NAME),
                            .version = cell(row, columns, ROLE_VERSION),
                            .vendor = cell(row, columns, ROLE_VENDOR),
                            .product = cell(row, columns, ROLE_PRODUCT),
                            .model = cell(row, columns, ROLE_MODEL)};
    c->product = c->product.len ? c->product : c->name;
    c->name = c->name.len ? c->name : c->product.len ? c->product : c->model;
    c->problem = c->purl.len ? component_take_purl(c, all->arena) : row_problem(c);
    const char *shape = shape_problem(row, columns);
    c->problem = shape ? shape : c->problem;
    return 0;
}

static bool row_empty(const struct record *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->fields[i].len)
            return false;
    return !row->problem;
}

/* Excel puts one before UTF-8. */
static struct span without_mark(struct span text)
{
    return span_starts(text, "\xef\xbb\xbf") ? span_from(text, 3) : text;
}

bool inventory_is_csv(struct span bytes)
{
    static const struct mapping none;
    struct arena arena;
    struct columns columns;
    arena_init(&arena, 1 << 20);
    struct reader r = {.rest = without_mark(bytes), .arena = &arena};
    struct record *header = arena_alloc(&arena, sizeof *header);
    bool good = header && header_find(&r, &none, &columns, header) && columns_tell(&columns) && columns.found > 1;
    arena_free(&arena);
    return good;
}

static int table_start(struct reader *r, struct record *record, struct columns *columns, struct span words,
                       struct fault *fault)
{
    struct mapping mapping;
    int rc = mapping_read(&mapping, words, r->arena, fault);
    if (rc == 0 && !header_find(r, &mapping, columns, record))
        rc = fail(fault, E_SYNTAX, "a table begins with a header of at most %d columns", CSV_COLUMNS_MAX);
    return rc ? rc : columns_check(columns, &mapping, record, fault);
}

/* Lines in quotes make fewer rows than lines; only rows count against the limit. */
static size_t rows_count(struct reader r, struct record *record)
{
    size_t count = 0;
    while (record_take(&r, record))
        count += !row_empty(record);
    return count;
}

int inventory_read_csv(struct inventory *out, struct span table, struct span columns, struct arena *arena,
                       struct fault *fault)
{
    struct collect all;
    struct columns found;
    struct reader r = {.rest = without_mark(table), .arena = arena};
    struct record *record = arena_alloc(arena, sizeof *record);
    *out = (struct inventory){.format = "csv"};
    int rc = record ? text_check(table, "a CSV table", fault) : fail(fault, E_NOMEM, "a table");
    rc = rc ? rc : table_start(&r, record, &found, columns, fault);
    rc = rc ? rc : collect_start(&all, rows_count(r, record), arena, fault);
    for (size_t number = 2; rc == 0 && record_take(&r, record); number++)
        if (!row_empty(record))
            rc = all.count < all.cap ? row_take(&all, record, &found, number) : E_LIMIT;
    return rc ? rc : collect_end(&all, "csv", out);
}
