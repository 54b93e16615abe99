/* Rows that are replaced as wholes. A value of some size is packed, when that makes it smaller. */
#include <stdlib.h>
#include <zstd.h>

#include "base/limits.h"
#include "store/sqlite.h"

enum { PACKED_MIN = 256, PACK_LEVEL = 1 };

/* What pays is packed: NULL when it does not, or memory is short. */
static uint8_t *pack(struct span value, size_t *packed)
{
    size_t bound = ZSTD_compressBound(value.len);
    uint8_t *space = value.len < PACKED_MIN ? NULL : malloc(bound);
    *packed = space ? ZSTD_compress(space, bound, value.data, value.len, PACK_LEVEL) : 0;
    if (space && (ZSTD_isError(*packed) || *packed > value.len - value.len / 8)) {
        free(space);
        space = NULL;
    }
    return space;
}

int sk_put(struct store *store, struct span space, struct span key, struct span value)
{
    struct sqlite_store *s = self_of(store);
    size_t packed = 0;
    if (value.len > KEPT_BYTES_MAX)
        return E_LIMIT;
    sqlite3_stmt *q = query(s, Q_KEPT_PUT);
    if (!q)
        return no_query(s);
    uint8_t *bytes = pack(value, &packed);
    bind_span(q, 1, space);
    bind_span(q, 2, key);
    if (bytes)
        (void)sqlite3_bind_int64(q, 3, (int64_t)value.len);
    bind_span(q, 4, bytes ? span_of(bytes, packed) : value);
    int rc = step_done(s, q);
    free(bytes);
    return rc;
}

static int unpack(struct sqlite_store *s, struct span packed, int64_t size, struct buf *out)
{
    if (size < 0 || size > KEPT_BYTES_MAX || ZSTD_getFrameContentSize(packed.data, packed.len) != (uint64_t)size)
        return E_CORRUPT;
    if (!s->unpacker)
        s->unpacker = ZSTD_createDCtx();
    uint8_t *space = s->unpacker ? malloc((size_t)size + 1) : NULL;
    if (!space)
        return store_failed(s, E_NOMEM);
    size_t n = ZSTD_decompressDCtx(s->unpacker, space, (size_t)size, packed.data, packed.len);
    int rc = ZSTD_isError(n) || n != (size_t)size ? E_CORRUPT : 0;
    if (rc == 0)
        buf_add(out, space, (size_t)size);
    free(space);
    return rc;
}

int kept_row(struct sqlite_store *s, sqlite3_stmt *q, struct buf *out)
{
    int rc = 0;
    if (!sqlite3_column_int(q, 2))
        return E_CORRUPT;
    if (sqlite3_column_type(q, 0) == SQLITE_NULL)
        buf_span(out, column(q, 1));
    else
        rc = unpack(s, column(q, 1), sqlite3_column_int64(q, 0), out);
    return rc ? rc : out->error == E_NOMEM ? store_failed(s, E_NOMEM) : out->error;
}

int sk_get(struct store *store, struct span space, struct span key, struct buf *out)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_KEPT_GET);
    if (!q)
        return no_query(s);
    bind_span(q, 1, space);
    bind_span(q, 2, key);
    int rc = step_row(s, q);
    rc = rc ? rc : kept_row(s, q, out);
    (void)sqlite3_reset(q);
    return rc;
}

int sk_scan(struct store *store, struct span space, pair_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    struct buf value;
    sqlite3_stmt *q;
    int rc = scan_begin(s, Q_KEPT_SCAN, &q);
    if (rc)
        return rc;
    buf_init(&value, KEPT_BYTES_MAX);
    bind_span(q, 1, space);
    while ((rc = step_row(s, q)) == 0) {
        buf_reset(&value);
        rc = kept_row(s, q, &value);
        rc = rc ? rc : visit(ctx, column(q, 3), buf_view(&value));
        if (rc)
            break;
    }
    scan_end(s, Q_KEPT_SCAN, q);
    buf_free(&value);
    return rc == E_NOTFOUND ? 0 : rc;
}

int sk_drop(struct store *store, struct span space, struct span key)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, key.data ? Q_KEPT_DROP : Q_KEPT_DROP_ALL);
    if (!q)
        return no_query(s);
    bind_span(q, 1, space);
    if (key.data)
        bind_span(q, 2, key);
    return step_done(s, q);
}
