/* Journal, small state and derived views. */
#include "store/sqlite.h"

int sj_append(struct store *store, int64_t at, struct span kind, struct span key, struct span body, int64_t *seq)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_JOURNAL_ADD);
    if (!q)
        return no_query(s);
    (void)sqlite3_bind_int64(q, 1, at);
    bind_span(q, 2, kind);
    bind_span(q, 3, key);
    bind_span(q, 4, body);
    int rc = step_done(s, q);
    if (rc == 0 && sqlite3_changes(s->db) == 0)
        return E_EXISTS;
    if (seq)
        *seq = sqlite3_last_insert_rowid(s->db);
    return rc;
}

int journal_row_read(sqlite3_stmt *q, struct journal_row *row)
{
    *row = (struct journal_row){.seq = sqlite3_column_int64(q, 0),
                                .at = sqlite3_column_int64(q, 1),
                                .kind = column(q, 2),
                                .key = column(q, 3),
                                .body = column(q, 4)};
    return sqlite3_column_int(q, 5) ? 0 : E_CORRUPT;
}

int sj_find(struct store *store, struct span kind, struct span key, journal_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q;
    int rc = scan_begin(s, Q_JOURNAL_FIND, &q);
    if (rc)
        return rc;
    bind_span(q, 1, kind);
    bind_span(q, 2, key);
    struct journal_row row;
    rc = step_row(s, q);
    rc = rc ? rc : journal_row_read(q, &row);
    if (rc == 0 && visit)
        rc = visit(ctx, &row);
    scan_end(s, Q_JOURNAL_FIND, q);
    return rc;
}

int sj_scan(struct store *store, struct span kind, int64_t after_seq, journal_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q;
    int rc = scan_begin(s, Q_JOURNAL_SCAN, &q);
    if (rc)
        return rc;
    bind_span(q, 1, kind);
    (void)sqlite3_bind_int64(q, 2, after_seq);
    while ((rc = step_row(s, q)) == 0) {
        struct journal_row row;
        rc = journal_row_read(q, &row);
        rc = rc ? rc : visit(ctx, &row);
        if (rc)
            break;
    }
    scan_end(s, Q_JOURNAL_SCAN, q);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int get(struct sqlite_store *s, sqlite3_stmt *q, struct buf *out)
{
    int rc = step_row(s, q);
    if (rc == 0) {
        buf_span(out, column(q, 0));
        rc = store_failed(s, out->error);
    }
    (void)sqlite3_reset(q);
    return rc;
}

int sj_state_put(struct store *store, struct span key, struct span value)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_STATE_PUT);
    if (!q)
        return no_query(s);
    bind_span(q, 1, key);
    bind_span(q, 2, value);
    return step_done(s, q);
}

int sj_state_get(struct store *store, struct span key, struct buf *out)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_STATE_GET);
    if (!q)
        return no_query(s);
    bind_span(q, 1, key);
    int rc = step_row(s, q);
    if (rc == 0 && !sqlite3_column_int(q, 1))
        rc = E_CORRUPT;
    if (rc == 0)
        buf_span(out, column(q, 0));
    (void)sqlite3_reset(q);
    return rc ? rc : store_failed(s, out->error);
}

int sj_view_put(struct store *store, struct span view, struct span key, struct span value)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_VIEW_PUT);
    if (!q)
        return no_query(s);
    bind_span(q, 1, view);
    bind_span(q, 2, key);
    bind_span(q, 3, value);
    return step_done(s, q);
}

int sj_view_get(struct store *store, struct span view, struct span key, struct buf *out)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_VIEW_GET);
    if (!q)
        return no_query(s);
    bind_span(q, 1, view);
    bind_span(q, 2, key);
    return get(s, q, out);
}

int sj_view_delete(struct store *store, struct span view, struct span key)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_VIEW_DELETE);
    if (!q)
        return no_query(s);
    bind_span(q, 1, view);
    bind_span(q, 2, key);
    return step_done(s, q);
}

int sj_view_scan(struct store *store, struct span view, struct span from_key, pair_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q;
    int rc = scan_begin(s, Q_VIEW_SCAN, &q);
    if (rc)
        return rc;
    bind_span(q, 1, view);
    bind_span(q, 2, from_key);
    while ((rc = step_row(s, q)) == 0 && (rc = visit(ctx, column(q, 0), column(q, 1))) == 0)
        ;
    scan_end(s, Q_VIEW_SCAN, q);
    return rc == E_NOTFOUND ? 0 : rc;
}

int sj_views_drop(struct store *store)
{
    struct sqlite_store *s = self_of(store);
    return step_done(s, query(s, Q_VIEW_DROP));
}

int sj_views_dump(struct store *store, pair_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q;
    struct buf key;
    int rc = scan_prepare(s, "SELECT view, key, value FROM d_view ORDER BY view, key", &q);
    if (rc)
        return rc;
    buf_init(&key, 1 << 20);
    while ((rc = step_row(s, q)) == 0) {
        buf_reset(&key);
        buf_span(&key, column(q, 0));
        buf_byte(&key, 0);
        buf_span(&key, column(q, 1));
        rc = key.error ? key.error : visit(ctx, buf_view(&key), column(q, 2));
        if (rc)
            break;
    }
    buf_free(&key);
    (void)sqlite3_finalize(q);
    return rc == E_NOTFOUND ? 0 : rc;
}
