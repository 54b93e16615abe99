#include "base/limits.h"
#include "base/mutant.h"
#include "store/sqlite.h"

/* An entry's row is log << 40 | index; what lies outside is not there, so that no index reaches into another log. */
enum { INDEX_BITS = 40, LOG_MAX = (1 << 22) - 1 };
#define INDEX_MAX (((uint64_t)1 << INDEX_BITS) - 1)

static int64_t key_of(log_id log, uint64_t index)
{
    return (int64_t)((uint64_t)log << INDEX_BITS | index);
}

int sl_log_open(struct store *store, struct span origin, bool create, log_id *id)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_LOG_FIND);
    if (!q)
        return no_query(s);
    bind_span(q, 1, origin);
    int rc = step_row(s, q);
    if (rc == 0)
        *id = sqlite3_column_int64(q, 0);
    (void)sqlite3_reset(q);
    if (rc != E_NOTFOUND || !create)
        return rc;
    q = query(s, Q_LOG_ADD);
    if (!q)
        return no_query(s);
    bind_span(q, 1, origin);
    rc = step_done(s, q);
    *id = sqlite3_last_insert_rowid(s->db);
    return rc;
}

int sl_log_size(struct store *store, log_id log, uint64_t *size)
{
    struct sqlite_store *s = self_of(store);
    *size = 0;
    if (log < 1 || log > LOG_MAX)
        return E_NOTFOUND;
    sqlite3_stmt *q = query(s, Q_LOG_LAST);
    if (!q)
        return no_query(s);
    (void)sqlite3_bind_int64(q, 1, key_of(log, 0));
    (void)sqlite3_bind_int64(q, 2, key_of(log + 1, 0));
    int rc = step_row(s, q);
    if (rc == 0 && sqlite3_column_type(q, 0) != SQLITE_NULL)
        *size = ((uint64_t)sqlite3_column_int64(q, 0) & (((uint64_t)1 << INDEX_BITS) - 1)) + 1;
    (void)sqlite3_reset(q);
    return rc;
}

int sl_log_list(struct store *store, int (*visit)(void *, log_id, struct span), void *ctx)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q;
    int rc = scan_prepare(s, "SELECT id, origin FROM log ORDER BY id", &q);
    if (rc)
        return rc;
    while ((rc = step_row(s, q)) == 0)
        if ((rc = visit(ctx, sqlite3_column_int64(q, 0), column(q, 1))) != 0)
            break;
    (void)sqlite3_finalize(q);
    return rc == E_NOTFOUND ? 0 : rc;
}

struct tile_writer {
    struct sqlite_store *store;
    log_id log;
};

static int tile_write(void *ctx, unsigned level, uint64_t index, unsigned width, const struct hash *hashes)
{
    struct tile_writer *writer = ctx;
    sqlite3_stmt *q = query(writer->store, Q_TILE_PUT);
    if (!q)
        return no_query(writer->store);
    (void)sqlite3_bind_int64(q, 1, writer->log);
    (void)sqlite3_bind_int64(q, 2, level);
    (void)sqlite3_bind_int64(q, 3, (int64_t)index);
    bind_span(q, 4, span_of(hashes, (size_t)width * 32));
    return step_done(writer->store, q);
}

static int entry_add(struct sqlite_store *s, int64_t key, struct span bytes, const struct hash *id)
{
    sqlite3_stmt *q = query(s, Q_ENTRY_ADD);
    if (!q)
        return no_query(s);
    (void)sqlite3_bind_int64(q, 1, key);
    bind_span(q, 2, bytes);
    int rc = step_done(s, q);
    q = rc ? NULL : query(s, Q_ID_ADD);
    if (!q)
        return rc ? rc : no_query(s);
    bind_span(q, 1, span_hash(id));
    (void)sqlite3_bind_int64(q, 2, key);
    return step_done(s, q);
}

/* Tiles first, for they may fail: tiles wider than the entries do no harm, entries without tiles would. */
int sl_entries_append(struct store *store, log_id log, const struct span *entries, const struct hash *ids, size_t count)
{
    struct sqlite_store *s = self_of(store);
    struct tile_writer writer = {.store = s, .log = log};
    struct store_tiles space = {.store = store, .log = log};
    struct tile_reader old = store_tile_reader(&space);
    uint64_t size;
    int rc = sl_log_size(store, log, &size);
    if (rc)
        return rc;
    if (sqlite3_get_autocommit(s->db))
        return E_STATE; /* only in a batch, so that all of it stays or none */
    if (size > INDEX_MAX || count > INDEX_MAX - size)
        return E_LIMIT;
    rc = tree_extend(&old, size, ids, count, tile_write, &writer);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = entry_add(s, key_of(log, size + i), entries[i], &ids[i]);
    return rc;
}

int entry_raw(struct sqlite_store *s, log_id log, uint64_t index, struct buf *out)
{
    if (index > INDEX_MAX || log < 1 || log > LOG_MAX)
        return E_NOTFOUND;
    sqlite3_stmt *q = query(s, Q_ENTRY_GET);
    if (!q)
        return no_query(s);
    (void)sqlite3_bind_int64(q, 1, key_of(log, index));
    int rc = step_row(s, q);
    if (rc == 0)
        buf_span(out, column(q, 0));
    (void)sqlite3_reset(q);
    return rc ? rc : store_failed(s, out->error);
}

/* The leaves that entries are read against, a tile at a time. */
struct leaf_check {
    struct store *store;
    log_id log;
    uint64_t end; /* of what is read: the tile holds at least so many leaves */
    uint64_t first, count;
    struct hash leaves[TILE_WIDTH];
};

static int leaf_fits(struct leaf_check *check, uint64_t index, struct span entry)
{
    struct hash leaf;
    if (!check->count || index - check->first >= check->count) {
        check->first = index / TILE_WIDTH * TILE_WIDTH;
        check->count = check->end - check->first < TILE_WIDTH ? check->end - check->first : TILE_WIDTH;
        int rc = sl_tile_get(check->store, check->log, 0, index / TILE_WIDTH, (unsigned)check->count, check->leaves);
        if (rc) {
            check->count = 0;
            return rc == E_NOTFOUND ? E_CORRUPT : rc;
        }
    }
    tree_leaf(entry, &leaf);
    return hash_eq(&leaf, &check->leaves[index - check->first]) ? 0 : E_CORRUPT;
}

int sl_entry_get(struct store *store, log_id log, uint64_t index, struct buf *out)
{
    struct leaf_check check = {.store = store, .log = log, .end = index + 1};
    size_t before = out->len;
    int rc = entry_raw(self_of(store), log, index, out);
    return rc ? rc : leaf_fits(&check, index, span_of(out->data + before, out->len - before));
}

int sl_entries_scan(struct store *store, log_id log, uint64_t start, uint64_t end, entry_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    struct leaf_check check = {.store = store, .log = log, .end = end};
    sqlite3_stmt *q;
    uint64_t next = start;
    if (end > INDEX_MAX || start > end || log < 1 || log > LOG_MAX)
        return E_NOTFOUND;
    uint64_t size;
    int rc = sl_log_size(store, log, &size);
    check.end = end < size ? end : size;
    rc = rc ? rc : scan_begin(s, Q_ENTRY_SCAN, &q);
    if (rc)
        return rc;
    (void)sqlite3_bind_int64(q, 1, key_of(log, start));
    (void)sqlite3_bind_int64(q, 2, key_of(log, end));
    while ((rc = step_row(s, q)) == 0) {
        if (sqlite3_column_int64(q, 0) != key_of(log, next)) {
            rc = E_CORRUPT; /* a hole */
            break;
        }
        rc = leaf_fits(&check, next, column(q, 1));
        rc = rc ? rc : visit(ctx, next++, column(q, 1));
        if (rc)
            break;
    }
    scan_end(s, Q_ENTRY_SCAN, q);
    if (rc == E_NOTFOUND)
        return next == end ? 0 : E_NOTFOUND;
    return rc;
}

int sl_entry_find(struct store *store, const struct hash *id, log_id *log, uint64_t *index)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_ID_FIND);
    if (!q)
        return no_query(s);
    bind_span(q, 1, span_hash(id));
    int rc = step_row(s, q);
    if (rc == 0) {
        uint64_t key = (uint64_t)sqlite3_column_int64(q, 0);
        *log = (log_id)(key >> INDEX_BITS);
        *index = key & (((uint64_t)1 << INDEX_BITS) - 1);
    }
    (void)sqlite3_reset(q);
    return rc;
}

int sl_tile_get(struct store *store, log_id log, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    struct sqlite_store *s = self_of(store);
    if (index > INDEX_MAX || width > TILE_WIDTH)
        return E_NOTFOUND;
    sqlite3_stmt *q = query(s, Q_TILE_GET);
    if (!q)
        return no_query(s);
    (void)sqlite3_bind_int64(q, 1, log);
    (void)sqlite3_bind_int64(q, 2, level);
    (void)sqlite3_bind_int64(q, 3, (int64_t)index);
    int rc = step_row(s, q);
    struct span hashes = rc == 0 ? column(q, 0) : span_of(NULL, 0);
    if (rc == 0 && !sqlite3_column_int(q, 1))
        rc = E_CORRUPT;
    if (rc == 0 && hashes.len < (size_t)width * 32)
        rc = E_NOTFOUND;
    if (rc == 0)
        memcpy(out, hashes.data, (size_t)width * 32);
    (void)sqlite3_reset(q);
    return rc;
}

int sl_note_put(struct store *store, log_id log, enum note_kind kind, uint64_t size, struct span note)
{
    struct sqlite_store *s = self_of(store);
    if (size > INT64_MAX || note.len > NOTE_BYTES_MAX)
        return E_LIMIT;
    sqlite3_stmt *q = query(s, Q_NOTE_PUT);
    if (!q)
        return no_query(s);
    (void)sqlite3_bind_int64(q, 1, log);
    (void)sqlite3_bind_int64(q, 2, kind);
    (void)sqlite3_bind_int64(q, 3, (int64_t)size);
    bind_span(q, 4, note);
    return step_done(s, q);
}

static int note_found(struct sqlite_store *s, sqlite3_stmt *q, uint64_t *size, struct buf *out)
{
    int rc = step_row(s, q);
    if (rc == 0) {
        *size = (uint64_t)sqlite3_column_int64(q, 0);
        buf_span(out, column(q, 1));
        rc = sqlite3_column_int(q, 2) ? store_failed(s, out->error) : E_CORRUPT;
    }
    (void)sqlite3_reset(q);
    return rc;
}

int sl_note_latest(struct store *store, log_id log, enum note_kind kind, uint64_t *size, struct buf *out)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_NOTE_LATEST);
    if (!q)
        return no_query(s);
    (void)sqlite3_bind_int64(q, 1, log);
    (void)sqlite3_bind_int64(q, 2, kind);
    return note_found(s, q, size, out);
}

int sl_note_at_least(struct store *store, log_id log, enum note_kind kind, uint64_t size, uint64_t *found,
                     struct buf *out)
{
    struct sqlite_store *s = self_of(store);
    if (size > INT64_MAX)
        return E_NOTFOUND;
    sqlite3_stmt *q = query(s, Q_NOTE_FROM);
    if (!q)
        return no_query(s);
    (void)sqlite3_bind_int64(q, 1, log);
    (void)sqlite3_bind_int64(q, 2, kind);
    (void)sqlite3_bind_int64(q, 3, (int64_t)size);
    return note_found(s, q, found, out);
}

int cosignature_row(sqlite3_stmt *q, struct stored_cosignature *c)
{
    struct span root = column(q, 1), kid = column(q, 2), signature = column(q, 4), cose = column(q, 5);
    *c = (struct stored_cosignature){0};
    c->size = (uint64_t)sqlite3_column_int64(q, 0);
    c->timestamp = sqlite3_column_int64(q, 3);
    if (root.len != 32 || kid.len != 32 || signature.len != SIGN_BYTES || (cose.len && cose.len != SIGN_BYTES))
        return E_CORRUPT;
    memcpy(c->root.b, root.data, 32);
    memcpy(c->kid.b, kid.data, 32);
    memcpy(c->signature.b, signature.data, SIGN_BYTES);
    c->has_cose = cose.len != 0;
    if (c->has_cose)
        memcpy(c->cose.b, cose.data, SIGN_BYTES);
    return sqlite3_column_int(q, 6) ? 0 : E_CORRUPT;
}

static void cosignature_key(sqlite3_stmt *q, log_id log, const struct stored_cosignature *c)
{
    (void)sqlite3_bind_int64(q, 1, log);
    (void)sqlite3_bind_int64(q, 2, (int64_t)c->size);
    bind_span(q, 3, span_hash(&c->root));
    bind_span(q, 4, span_hash(&c->kid));
}

/* What is held of the same mirror for the same tree: its earlier timestamp stays, and a COSE signature is not lost. A row that decayed
   is as none: the new one replaces it. */
static int cosignature_merge(struct sqlite_store *s, log_id log, struct stored_cosignature *c)
{
    struct stored_cosignature held;
    sqlite3_stmt *q = query(s, Q_COSIG_GET);
    if (!q)
        return no_query(s);
    cosignature_key(q, log, c);
    int rc = step_row(s, q);
    rc = rc ? rc : cosignature_row(q, &held);
    (void)sqlite3_reset(q);
    if (rc)
        return rc == E_NOTFOUND || rc == E_CORRUPT ? 0 : rc;
    if (held.timestamp <= c->timestamp && !MUTANT(COSIGNATURE_LATER)) {
        c->timestamp = held.timestamp;
        c->signature = held.signature;
    }
    if (held.has_cose) {
        c->has_cose = true;
        c->cose = held.cose;
    }
    return 0;
}

int sl_cosignature_put(struct store *store, log_id log, const struct stored_cosignature *given)
{
    struct sqlite_store *s = self_of(store);
    struct stored_cosignature c = *given;
    if (c.size > INT64_MAX)
        return E_LIMIT;
    int rc = cosignature_merge(s, log, &c);
    sqlite3_stmt *q = rc ? NULL : query(s, Q_COSIG_PUT);
    if (!q)
        return rc ? rc : no_query(s);
    cosignature_key(q, log, &c);
    (void)sqlite3_bind_int64(q, 5, c.timestamp);
    bind_span(q, 6, span_of(c.signature.b, sizeof c.signature.b));
    if (c.has_cose)
        bind_span(q, 7, span_of(c.cose.b, sizeof c.cose.b));
    return step_done(s, q);
}

int sl_cosignatures(struct store *store, log_id log, uint64_t from_size, cosignature_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q;
    struct stored_cosignature c;
    if (from_size > INT64_MAX)
        return 0;
    int rc = scan_begin(s, Q_COSIG_SCAN, &q);
    if (rc)
        return rc;
    (void)sqlite3_bind_int64(q, 1, log);
    (void)sqlite3_bind_int64(q, 2, (int64_t)from_size);
    while ((rc = step_row(s, q)) == 0) {
        rc = cosignature_row(q, &c);
        rc = rc ? rc : visit(ctx, &c);
        if (rc)
            break;
    }
    scan_end(s, Q_COSIG_SCAN, q);
    return rc == E_NOTFOUND ? 0 : rc;
}
