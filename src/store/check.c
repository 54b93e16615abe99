#include "store/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "store/sqlite.h"

enum { LEVELS = 5 }; /* 40 bits of index */

struct check {
    struct sqlite_store *s;
    struct findings *findings;
    uint64_t tile_rows, index_rows; /* that belong to a tree */
    uint64_t unread;                /* entries that cannot be read */
};

static void found(struct check *check, const char *table, const char *what)
{
    char place[64];
    (void)snprintf(place, sizeof place, "state.db: table %s", table);
    findings_add(check->findings, place, "%s", what);
}

/* Pages. integrity_check names pages only: asked again table by table, it tells whose they are. */

static bool pragma_lines(struct check *check, const char *table)
{
    char sql[128], place[96];
    sqlite3_stmt *q = NULL;
    bool bad = false;
    int rc = E_OK;
    (void)snprintf(sql, sizeof sql, table ? "PRAGMA integrity_check('%s')" : "PRAGMA integrity_check", table);
    (void)snprintf(place, sizeof place, table ? "state.db: table %s" : "state.db", table);
    if (sqlite3_prepare_v2(check->s->db, sql, -1, &q, NULL) != SQLITE_OK) {
        findings_add(check->findings, place, "cannot be read: %s", sqlite3_errmsg(check->s->db));
        return true;
    }
    for (int lines = 0; (rc = sqlite3_step(q)) == SQLITE_ROW && lines < 8; lines++) {
        const char *text = (const char *)sqlite3_column_text(q, 0);
        if (!text || strcmp(text, "ok") == 0)
            continue;
        bad = true;
        text = strncmp(text, "*** in database main ***\n", 25) == 0 ? text + 25 : text;
        findings_add(check->findings, place, "%s", text);
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        bad = true;
        findings_add(check->findings, place, "cannot be read: %s", sqlite3_errmsg(check->s->db));
    }
    (void)sqlite3_finalize(q);
    return bad;
}

static const char *const tables[] = {"log",      "entry",   "id_index", "tile",   "note", "cosignature",
                                     "document", "journal", "state",    "d_view", "kept"};

static void pages_check(struct check *check)
{
    size_t before = check->findings->count;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        (void)pragma_lines(check, tables[i]);
    if (check->findings->count == before) /* the free list and the header belong to no table */
        (void)pragma_lines(check, NULL);
}

/* What SQLite reads without asking whether it can be right: the fixed fields of the file's first 100 bytes (section 1.3 of its format;
   the schema cookie and the version that wrote last mean nothing to a reader), and the schema's text. */

static void header_check(struct check *check)
{
    static const struct {
        uint8_t at, len;
        uint8_t want[16];
    } fixed[] = {
        {0, 16, "SQLite format 3"},
        {16, 2, {16, 0}},
        {20, 4, {0, 64, 32, 32}},
        {44, 4, {0, 0, 0, 4}},
        {52, 4, {0}},
        {56, 4, {0, 0, 0, 1}},
        {64, 8, {0}},
        {72, 16, {0}},
        {88, 4, {0}},
    };
    uint8_t header[100];
    FILE *file = fopen(sqlite3_db_filename(check->s->db, "main"), "rb");
    bool read_whole = file && fread(header, sizeof header, 1, file) == 1;
    bool good = read_whole && header[18] == header[19] && (header[18] == 1 || header[18] == 2) &&
                memcmp(header + 24, header + 92, 4) == 0;
    if (file)
        (void)fclose(file);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        good = good && memcmp(header + fixed[i].at, fixed[i].want, fixed[i].len) == 0;
    if (!good)
        findings_add(check->findings, "state.db: header",
                     read_whole ? "a field is not as it was written" : "cannot be read");
}

static void schema_check(struct check *check)
{
    if (!sqlite_schema_is_ours(check->s->db))
        findings_add(check->findings, "state.db: table sqlite_schema", "the schema is not this release's");
    int version = 0;
    if (sqlite_schema_version(check->s->db, &version) != 0 || version != store_sqlite_schema())
        findings_add(check->findings, "state.db: header", "the schema's version is not this release's");
}

/* Rows with a sum of their own: `sql` selects a name for the row and whether its sum fits. */
static void sums_check(struct check *check, const char *table, const char *sql)
{
    sqlite3_stmt *q = NULL;
    char place[192];
    int rc = sqlite3_prepare_v2(check->s->db, sql, -1, &q, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        rc = SQLITE_OK;
        if (sqlite3_column_int(q, 1))
            continue;
        const char *name = (const char *)sqlite3_column_text(q, 0);
        (void)snprintf(place, sizeof place, "state.db: table %s: %s", table, name ? name : "?");
        findings_add(check->findings, place, "the row fails its sum");
    }
    if (rc != SQLITE_DONE)
        found(check, table, "its rows cannot all be read");
    (void)sqlite3_finalize(q);
}

static const struct {
    const char *table, *sql;
} sums[] = {
    {"note", "SELECT format('log %d, kind %d, size %d', log, kind, size), " NOTE_GOOD " FROM note"},
    {"cosignature", "SELECT format('log %d, size %d, mirror %s', log, size, hex(substr(kid, 1, 4))),"
                    " sum IS row_sum('cosignature', log, size, root, kid, at, signature, cose) FROM cosignature"},
    {"document", "SELECT format('%s', lower(hex(hash))), " DOC_GOOD " FROM document"},
    {"journal",
     "SELECT format('row %d', seq), sum IS row_sum('journal', seq, at, kind, key, body) FROM journal NOT INDEXED"},
    {"state", "SELECT format('key %s', hex(key)), " STATE_GOOD " FROM state"},
    {"kept", "SELECT format('%s of %s', CAST(space AS TEXT), hex(key)), " KEPT_GOOD " FROM kept NOT INDEXED"},
};

/* -1: it cannot be read. */
static int64_t number(struct check *check, const char *sql)
{
    sqlite3_stmt *q = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(check->s->db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        value = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    return value;
}

/* Rows are only ever appended, so the numbers have no gap, and SQLite remembers the last. */
static void sequence_check(struct check *check)
{
    int64_t last = number(check, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'journal'");
    int64_t count = number(check, "SELECT count(*) FROM journal NOT INDEXED");
    int64_t greatest = number(check, "SELECT coalesce(max(seq), 0) FROM journal NOT INDEXED");
    char what[128];
    if (count == last && greatest == last)
        return;
    (void)snprintf(what, sizeof what, "%" PRId64 " rows up to number %" PRId64 ", %" PRId64 " were written", count,
                   greatest, last);
    found(check, "journal", what);
}

/* Trees */

struct growing {
    struct hash nodes[TILE_WIDTH];
    unsigned width;
    uint64_t index;
};
struct tree_check {
    struct check *check;
    log_id log;
    char origin[ORIGIN_BYTES_MAX];
    struct growing levels[LEVELS];
};

static void tile_check(struct tree_check *tree, unsigned level)
{
    struct growing *tile = &tree->levels[level];
    struct hash stored[TILE_WIDTH];
    char place[192], path[64];
    int rc = tile->width ? sl_tile_get(&tree->check->s->base, tree->log, level, tile->index, tile->width, stored)
                         : E_NOTFOUND;
    tree->check->tile_rows += tile->width != 0 && rc == 0;
    if (!tile->width || (rc == 0 && memcmp(stored, tile->nodes, tile->width * sizeof *stored) == 0))
        return;
    tile_path(path, (int)level, tile->index, tile->width);
    (void)snprintf(place, sizeof place, "state.db: table tile: %s: %s", tree->origin, path);
    findings_add(tree->check->findings, place,
                 rc == E_NOTFOUND  ? "is missing or too short"
                 : rc == E_CORRUPT ? "fails its sum, or cannot be read"
                 : rc              ? "cannot be read"
                                   : "differs from the entries");
}

static void leaf_add(struct tree_check *tree, const struct hash *leaf)
{
    struct hash node = *leaf;
    for (unsigned level = 0; level < LEVELS; level++) {
        struct growing *tile = &tree->levels[level];
        struct frontier inner = {0};
        tile->nodes[tile->width++] = node;
        if (tile->width < TILE_WIDTH)
            return;
        tile_check(tree, level);
        for (unsigned i = 0; i < TILE_WIDTH; i++)
            frontier_append(&inner, &tile->nodes[i]);
        frontier_root(&inner, &node);
        tile->width = 0;
        tile->index++;
    }
}

static void entry_place(const struct tree_check *tree, const char *table, uint64_t index, char place[static 192])
{
    (void)snprintf(place, 192, "state.db: table %s: %s: entry %" PRIu64, table, tree->origin, index);
}

/* The index must lead from the statement to its lowest place. */
static void index_check(struct tree_check *tree, const struct hash *id, uint64_t index)
{
    struct store *store = &tree->check->s->base;
    char place[192];
    log_id log;
    uint64_t at;
    int rc = sl_entry_find(store, id, &log, &at);
    if (rc == 0 && log == tree->log && at == index) {
        tree->check->index_rows++;
        return;
    }
    struct buf other;
    struct hash same = {0};
    buf_init(&other, STATEMENT_BYTES_MAX);
    if (rc == 0 && (log < tree->log || (log == tree->log && at < index)) &&
        entry_raw(tree->check->s, log, at, &other) == 0)
        tree_leaf(buf_view(&other), &same);
    buf_free(&other);
    if (hash_eq(&same, id))
        return;
    entry_place(tree, "id_index", index, place);
    findings_add(tree->check->findings, place, rc ? "the index lacks it" : "the index leads elsewhere");
}

/* An entry that cannot be read lends its place in the tree the leaf that the tile has, so that one fault is told once. */
static void entry_check(struct tree_check *tree, uint64_t index, struct buf *entry)
{
    struct store *store = &tree->check->s->base;
    struct hash leaf, stored[TILE_WIDTH];
    char place[192];
    buf_reset(entry);
    int rc = entry_raw(tree->check->s, tree->log, index, entry);
    unsigned at = (unsigned)(index % TILE_WIDTH);
    bool tiled = sl_tile_get(store, tree->log, 0, index / TILE_WIDTH, at + 1, stored) == 0;
    if (rc == 0) {
        tree_leaf(buf_view(entry), &leaf);
        index_check(tree, &leaf, index);
    }
    if (rc || (tiled && !hash_eq(&leaf, &stored[at]))) {
        entry_place(tree, "entry", index, place);
        findings_add(tree->check->findings, place,
                     rc == E_NOTFOUND ? "is missing"
                     : rc             ? "cannot be read"
                                      : "does not hash to the leaf in its tile");
        tree->check->unread += rc != 0;
        if (tiled)
            leaf = stored[at];
        else if (rc)
            leaf = (struct hash){0};
    }
    leaf_add(tree, &leaf);
}

static int log_check(void *ctx, log_id log, struct span origin)
{
    struct check *check = ctx;
    struct tree_check *tree = calloc(1, sizeof *tree);
    struct buf entry;
    uint64_t size = 0;
    if (!tree)
        return E_NOMEM;
    tree->check = check;
    tree->log = log;
    (void)snprintf(tree->origin, sizeof tree->origin, "%.*s", (int)origin.len, (const char *)origin.data);
    buf_init(&entry, 2 * STATEMENT_BYTES_MAX);
    if (sl_log_size(&check->s->base, log, &size) != 0)
        found(check, "entry", "the size of a log cannot be read");
    for (uint64_t index = 0; index < size; index++)
        entry_check(tree, index, &entry);
    for (unsigned level = 0; level < LEVELS; level++)
        tile_check(tree, level);
    buf_free(&entry);
    free(tree);
    return 0;
}

static void trees_check(struct check *check)
{
    char what[128];
    if (sl_log_list(&check->s->base, log_check, check) != 0)
        found(check, "log", "its rows cannot all be read");
    int64_t tiles = number(check, "SELECT count(*) FROM tile"), ids = number(check, "SELECT count(*) FROM id_index");
    int64_t lost = number(check, "SELECT count(*) FROM entry WHERE (key >> 40) NOT IN (SELECT id FROM log)");
    if (tiles > (int64_t)check->tile_rows) {
        (void)snprintf(what, sizeof what, "%" PRId64 " rows belong to no tree", tiles - (int64_t)check->tile_rows);
        found(check, "tile", what);
    }
    if (ids > (int64_t)check->index_rows && !check->unread) {
        (void)snprintf(what, sizeof what, "%" PRId64 " rows lead to no entry", ids - (int64_t)check->index_rows);
        found(check, "id_index", what);
    }
    if (lost) {
        (void)snprintf(what, sizeof what, "%" PRId64 " rows belong to no log", lost);
        found(check, "entry", lost > 0 ? what : "its rows cannot all be read");
    }
}

/* Documents */

static void document_check(struct check *check, const struct hash *hash, bool as_file, struct buf *bytes)
{
    char place[192], hex[65];
    buf_reset(bytes);
    int rc = sd_get(&check->s->base, hash, bytes);
    if (rc == 0)
        return;
    hash_hex(hash, hex);
    if (as_file)
        (void)snprintf(place, sizeof place, "blobs/%.2s/%s", hex, hex);
    else
        (void)snprintf(place, sizeof place, "state.db: table document: %s", hex);
    findings_add(check->findings, place,
                 rc == E_CORRUPT ? "does not unpack to bytes with this hash" : "cannot be read");
}

static void documents_check(struct check *check)
{
    int64_t last = number(check, "SELECT coalesce(max(rowid), 0) FROM document NOT INDEXED");
    sqlite3_stmt *q = NULL;
    struct buf bytes;
    struct hash hash;
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    if (last < 0 ||
        sqlite3_prepare_v2(check->s->db, "SELECT hash, zstd IS NULL FROM document NOT INDEXED WHERE rowid = ?1", -1, &q,
                           NULL) != SQLITE_OK)
        found(check, "document", "its rows cannot be read");
    for (int64_t row = 1; q && row <= last; row++) {
        (void)sqlite3_reset(q);
        (void)sqlite3_bind_int64(q, 1, row);
        int rc = sqlite3_step(q);
        struct span name = rc == SQLITE_ROW ? column(q, 0) : span_of(NULL, 0);
        if (name.len == sizeof hash) {
            memcpy(hash.b, name.data, sizeof hash);
            document_check(check, &hash, sqlite3_column_int(q, 1), &bytes);
        } else if (rc == SQLITE_ROW) {
            found(check, "document", "a row has no hash");
        } else if (rc != SQLITE_DONE) {
            found(check, "document", "a row cannot be read");
        }
    }
    (void)sqlite3_finalize(q);
    buf_free(&bytes);
}

int store_check(struct store *store, struct findings *findings)
{
    struct check check = {.s = self_of(store), .findings = findings};
    header_check(&check);
    schema_check(&check);
    pages_check(&check);
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        sums_check(&check, sums[i].table, sums[i].sql);
    sequence_check(&check);
    trees_check(&check);
    documents_check(&check);
    return findings->list || !findings->count ? 0 : E_NOMEM;
}

/* Views */

int views_keep(struct store *store)
{
    int rc =
        sqlite3_exec(self_of(store)->db, "CREATE TEMP TABLE views_before AS SELECT view, key, value FROM main.d_view",
                     NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : sqlite_code(rc) ? sqlite_code(rc) : E_CORRUPT;
}

int views_compare(struct store *store, struct findings *findings)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = NULL;
    char place[192];
    int rc = sqlite3_prepare_v2(
        s->db,
        "SELECT 'holds what no entry leads to', view, key FROM"
        " (SELECT view, key, value FROM views_before EXCEPT SELECT view, key, value FROM d_view) UNION ALL "
        "SELECT 'lacks what the entries lead to', view, key FROM"
        " (SELECT view, key, value FROM d_view EXCEPT SELECT view, key, value FROM views_before)",
        -1, &q, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct span view = column(q, 1), key = column(q, 2);
        struct buf hex;
        buf_init(&hex, 64);
        buf_hex(&hex, span_of(key.data, key.len < 8 ? key.len : 8));
        (void)snprintf(place, sizeof place, "state.db: table d_view: view %.*s, key %.*s", (int)view.len,
                       (const char *)view.data, (int)hex.len, (const char *)hex.data);
        findings_add(findings, place, "%s", (const char *)sqlite3_column_text(q, 0));
        buf_free(&hex);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(q);
    return rc == SQLITE_DONE ? 0 : E_CORRUPT;
}
