#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "crypto/sha256.h"
#include "store/renew.h"

/* Migrations in order: version n is reached by the first n of them. Add, never change. */
static const char *const migrations[] = {
    "CREATE TABLE log(id INTEGER PRIMARY KEY, origin BLOB NOT NULL UNIQUE);"
    "CREATE TABLE entry(key INTEGER PRIMARY KEY, bytes BLOB NOT NULL);" /* key = log << 40 | index */
    "CREATE TABLE id_index(hash BLOB PRIMARY KEY, key INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE tile(log INTEGER, level INTEGER, n INTEGER, hashes BLOB NOT NULL,"
    " PRIMARY KEY(log, level, n)) WITHOUT ROWID;"
    "CREATE TABLE note(log INTEGER, kind INTEGER, size INTEGER, text BLOB NOT NULL,"
    " PRIMARY KEY(log, kind, size)) WITHOUT ROWID;"
    "CREATE TABLE cosignature(log INTEGER, size INTEGER, root BLOB, kid BLOB, at INTEGER NOT NULL,"
    " signature BLOB NOT NULL, cose BLOB, PRIMARY KEY(log, size, root, kid)) WITHOUT ROWID;"
    "CREATE TABLE document(hash BLOB NOT NULL UNIQUE, label INTEGER NOT NULL, size INTEGER NOT NULL, "
    "zstd BLOB);"
    "CREATE TABLE journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind BLOB NOT "
    "NULL,"
    " key BLOB NOT NULL, body BLOB NOT NULL, UNIQUE(kind, key));"
    "CREATE TABLE state(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE d_view(view BLOB, key BLOB, value BLOB NOT NULL,"
    " PRIMARY KEY(view, key)) WITHOUT ROWID;",
    "ALTER TABLE note ADD COLUMN sum BLOB;"
    "ALTER TABLE cosignature ADD COLUMN sum BLOB;"
    "ALTER TABLE document ADD COLUMN sum BLOB;"
    "ALTER TABLE journal ADD COLUMN sum BLOB;"
    "ALTER TABLE state ADD COLUMN sum BLOB;"
    "UPDATE note SET sum = row_sum('note', log, kind, size, text);"
    "UPDATE cosignature SET sum = row_sum('cosignature', log, size, root, kid, at, signature, cose);"
    "UPDATE document SET sum = row_sum('document', hash, label, size);"
    "UPDATE journal SET sum = row_sum('journal', seq, at, kind, key, body);"
    "UPDATE state SET sum = row_sum('state', key, value);",
    "ALTER TABLE tile ADD COLUMN sum BLOB;"
    "UPDATE tile SET sum = row_sum('tile', log, level, n, hashes);",
    "CREATE TABLE kept(space BLOB NOT NULL, key BLOB NOT NULL, size INTEGER, value BLOB NOT NULL, sum "
    "BLOB," /* size: of the packed */
    " UNIQUE(space, key));",
};
enum { SCHEMA_VERSION = sizeof migrations / sizeof migrations[0] };

static const char *const statements[] = {
#define STATEMENT_SQL(id, sql) sql,
    STATEMENT_LIST(STATEMENT_SQL)
#undef STATEMENT_SQL
};

int sqlite_code(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return E_FULL;
    case SQLITE_NOMEM:
        return E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return E_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return E_CORRUPT;
    default:
        return E_IO;
    }
}

int store_failed(struct sqlite_store *s, int code)
{
    static const int final[] = {E_IO, E_FULL, E_NOMEM, E_LOCKED, E_CORRUPT};
    for (size_t i = 0; i < sizeof final / sizeof final[0]; i++)
        if (code == final[i] && !s->failed)
            s->failed = code;
    return code;
}

sqlite3_stmt *query(struct sqlite_store *s, enum statement_id id)
{
    int rc = SQLITE_OK;
    if (s->dead)
        return NULL;
    if (!s->prepared[id])
        rc = sqlite3_prepare_v3(s->db, statements[id], -1, SQLITE_PREPARE_PERSISTENT, &s->prepared[id], NULL);
    if (rc != SQLITE_OK) {
        (void)store_failed(s, sqlite_code(rc));
        return NULL;
    }
    (void)sqlite3_reset(s->prepared[id]);
    (void)sqlite3_clear_bindings(s->prepared[id]);
    return s->prepared[id];
}

int scan_prepare(struct sqlite_store *s, const char *sql, sqlite3_stmt **q)
{
    *q = NULL;
    return s->dead ? E_IO : store_failed(s, sqlite_code(sqlite3_prepare_v2(s->db, sql, -1, q, NULL)));
}

int scan_begin(struct sqlite_store *s, enum statement_id id, sqlite3_stmt **q)
{
    if (s->prepared[id] && sqlite3_stmt_busy(s->prepared[id]))
        return scan_prepare(s, statements[id], q);
    *q = query(s, id);
    return *q ? 0 : no_query(s);
}

void scan_end(struct sqlite_store *s, enum statement_id id, sqlite3_stmt *q)
{
    if (q == s->prepared[id])
        (void)sqlite3_reset(q);
    else
        (void)sqlite3_finalize(q);
}

void bind_span(sqlite3_stmt *q, int at, struct span bytes)
{
    /* An empty blob, not NULL; the bytes outlive the step. */
    (void)sqlite3_bind_blob64(q, at, bytes.data ? (const void *)bytes.data : "", bytes.len, SQLITE_STATIC);
}

struct span column(sqlite3_stmt *q, int at)
{
    const void *data = sqlite3_column_blob(q, at);
    return span_of(data, (size_t)sqlite3_column_bytes(q, at));
}

int step_done(struct sqlite_store *s, sqlite3_stmt *q)
{
    if (!q)
        return no_query(s);
    int rc = sqlite3_step(q);
    (void)sqlite3_reset(q);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        s->dead = true; /* stop and recover, never retry */
    return store_failed(s, sqlite_code(rc));
}

int step_row(struct sqlite_store *s, sqlite3_stmt *q)
{
    if (!q)
        return no_query(s);
    int rc = sqlite3_step(q);
    if (s->batch && sqlite3_get_autocommit(s->db))
        s->dead = true; /* SQLite has rolled the batch back by itself: what follows would be committed piece by piece */
    return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? E_NOTFOUND : store_failed(s, sqlite_code(rc));
}

enum { ROW_SUM_BYTES = 8, ROW_SUM_VALUES_MAX = 8 };

/* row_sum(table, column, ...): each value with its kind and length before it, so that no two rows of a table read alike. */
static void row_sum(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint8_t heads[ROW_SUM_VALUES_MAX][9];
    struct span parts[2 * ROW_SUM_VALUES_MAX];
    struct hash sum;
    for (int i = 0; i < count; i++) {
        bool number = sqlite3_value_type(values[i]) == SQLITE_INTEGER;
        const void *bytes = number ? NULL : sqlite3_value_blob(values[i]);
        size_t len = number ? 0 : (size_t)sqlite3_value_bytes(values[i]);
        uint64_t value = number ? (uint64_t)sqlite3_value_int64(values[i]) : len;
        heads[i][0] = (uint8_t)sqlite3_value_type(values[i]);
        for (int b = 0; b < 8; b++)
            heads[i][1 + b] = (uint8_t)(value >> (56 - 8 * b));
        parts[2 * i] = span_of(heads[i], sizeof heads[i]);
        parts[2 * i + 1] = span_of(bytes, len);
    }
    sha256_parts(parts, 2 * (size_t)count, &sum);
    sqlite3_result_blob(context, sum.b, ROW_SUM_BYTES, SQLITE_TRANSIENT);
}

/* A function for each count of values, so that SQLite itself refuses any other. */
int row_sum_register(sqlite3 *db)
{
    int rc = SQLITE_OK;
    for (int count = 3; count <= ROW_SUM_VALUES_MAX && rc == SQLITE_OK; count++)
        rc = sqlite3_create_function_v2(db, "row_sum", count, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, row_sum, NULL,
                                        NULL, NULL);
    return rc;
}

static int op_begin(struct store *store)
{
    struct sqlite_store *s = self_of(store);
    if (s->reader)
        return 0; /* it has one batch: its whole life */
    if (!s->dead && !sqlite3_get_autocommit(s->db))
        return E_STATE; /* batches do not nest */
    int rc = step_done(s, query(s, Q_BEGIN));
    s->batch = rc == 0;
    return rc;
}

static int op_commit(struct store *store)
{
    struct sqlite_store *s = self_of(store);
    if (s->reader)
        return 0; /* it has one batch: its whole life */
    if (!s->dead && sqlite3_get_autocommit(s->db))
        return E_STATE;
    s->batch = false;
    int rc = step_done(s, query(s, Q_COMMIT));
    return rc == 0 || rc == E_FULL || rc == E_NOMEM ? rc : E_IO;
}

static int op_rollback(struct store *store)
{
    struct sqlite_store *s = self_of(store);
    if (s->reader)
        return 0; /* it has one batch: its whole life */
    if (!s->dead && sqlite3_get_autocommit(s->db))
        return E_STATE;
    s->batch = false;
    return step_done(s, query(s, Q_ROLLBACK));
}

static int op_health(struct store *store)
{
    return self_of(store)->failed;
}

static void op_close(struct store *store)
{
    struct sqlite_store *s = self_of(store);
    if (!s)
        return;
    for (int i = 0; i < Q_COUNT; i++)
        (void)sqlite3_finalize(s->prepared[i]);
    (void)sqlite3_close(s->db);
    (void)ZSTD_freeCCtx(s->packer);
    (void)ZSTD_freeDCtx(s->unpacker);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    free(s->blobs);
    free(s);
}

const struct store_ops sqlite_ops = {
    .close = op_close,
    .health = op_health,
    .begin = op_begin,
    .commit = op_commit,
    .rollback = op_rollback,
    .log_open = sl_log_open,
    .log_size = sl_log_size,
    .log_list = sl_log_list,
    .entries_append = sl_entries_append,
    .entry_get = sl_entry_get,
    .entries_scan = sl_entries_scan,
    .entry_find = sl_entry_find,
    .tile_get = sl_tile_get,
    .note_put = sl_note_put,
    .note_latest = sl_note_latest,
    .note_at_least = sl_note_at_least,
    .cosignature_put = sl_cosignature_put,
    .cosignatures = sl_cosignatures,
    .document_put = sd_put,
    .document_info = sd_info,
    .document_get = sd_get,
    .journal_append = sj_append,
    .journal_find = sj_find,
    .journal_scan = sj_scan,
    .state_put = sj_state_put,
    .state_get = sj_state_get,
    .view_put = sj_view_put,
    .view_get = sj_view_get,
    .view_delete = sj_view_delete,
    .view_scan = sj_view_scan,
    .views_drop = sj_views_drop,
    .views_dump = sj_views_dump,
    .kept_put = sk_put,
    .kept_get = sk_get,
    .kept_scan = sk_scan,
    .kept_drop = sk_drop,
};

int sqlite_schema_version(sqlite3 *db, int *version)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
        *version = sqlite3_column_int(q, 0);
    (void)sqlite3_finalize(q);
    return rc == SQLITE_ROW ? 0 : sqlite_code(rc);
}

int store_sqlite_schema(void)
{
    return SCHEMA_VERSION;
}

static int migrate(sqlite3 *db, struct fault *fault)
{
    int version = 0, code = sqlite_schema_version(db, &version);
    if (code)
        return fail(fault, code, "not to be read as a database of ours: %s", sqlite3_errmsg(db));
    if (version > SCHEMA_VERSION)
        return fail(fault, E_UNSUPPORTED, "schema version %d is newer than this release's %d", version, SCHEMA_VERSION);
    for (; version < SCHEMA_VERSION; version++) {
        char end[64];
        (void)snprintf(end, sizeof end, "PRAGMA user_version = %d; COMMIT", version + 1);
        int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        rc = rc ? rc : sqlite3_exec(db, migrations[version], NULL, NULL, NULL);
        rc = rc ? rc : sqlite3_exec(db, end, NULL, NULL, NULL);
        if (rc)
            return fail(fault, sqlite_code(rc), "migration to version %d: %s", version + 1, sqlite3_errmsg(db));
    }
    return 0;
}

static const char pragmas[] = "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA cache_size = -8000; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                              "PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 33554432;"
                              "PRAGMA trusted_schema = OFF;";

static void schema_text(sqlite3 *db, struct buf *out)
{
    sqlite3_stmt *q = NULL;
    buf_init(out, 1 << 20);
    int rc =
        sqlite3_prepare_v2(db, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name", -1, &q, NULL);
    while (rc == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        for (int i = 0; i < 4; i++) {
            buf_span(out, column(q, i));
            buf_byte(out, '\n');
        }
    (void)sqlite3_finalize(q);
}

bool sqlite_schema_is_ours(sqlite3 *db)
{
    struct store *fresh = NULL;
    struct buf want, got;
    if (store_memory_open(&fresh) != 0)
        return false;
    schema_text(self_of(fresh)->db, &want);
    schema_text(db, &got);
    bool same = !want.error && !got.error && span_eq(buf_view(&want), buf_view(&got));
    buf_free(&want);
    buf_free(&got);
    fresh->ops->close(fresh);
    return same;
}

static int database_open(struct sqlite_store *s, const char *path, unsigned how, struct fault *fault)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (how & STORE_CREATE ? SQLITE_OPEN_CREATE : 0);
    int rc = sqlite3_open_v2(path, &s->db, flags, NULL);
    if (rc == SQLITE_OK && how & STORE_KEEP_WAL)
        rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db, pragmas, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = row_sum_register(s->db);
    if (rc != SQLITE_OK)
        return fail(fault, sqlite_code(rc), "%s", s->db ? sqlite3_errmsg(s->db) : "no memory");
    if (how & STORE_CREATE)
        return migrate(s->db, fault);
    int version = 0, code = sqlite_schema_version(s->db, &version);
    if (code)
        return fail(fault, code, "not to be read as a database of ours: %s", sqlite3_errmsg(s->db));
    /* The number alone can be wrong, which is for a check to tell. */
    return version == SCHEMA_VERSION || sqlite_schema_is_ours(s->db)
               ? 0
               : fail(fault, E_UNSUPPORTED, "schema version %d, this release's is %d: start the node once", version,
                      SCHEMA_VERSION);
}

/* The lock is on a file of its own: SQLite's locks would let a reader in, and a crash leaves nothing behind. */
static int lock_take(struct sqlite_store *s, const char *path, struct fault *fault)
{
    char name[4096];
    int n = snprintf(name, sizeof name, "%s.lock", path);
    if (n < 0 || n >= (int)sizeof name)
        return fail(fault, E_LIMIT, "the path is too long");
    s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return fail(fault, E_IO, "the lock file cannot be opened: %s", strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? fail(fault, E_LOCKED, "another process holds it")
                                : fail(fault, E_IO, "cannot be locked: %s", strerror(errno));
}

/* SQLite would create the file readable by all; its WAL takes over the mode of the database. */
static int private_create(const char *path, const char *blobs, struct fault *fault)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(fault, errno == ENOSPC ? E_FULL : E_IO, "cannot be opened: %s", strerror(errno));
    (void)close(fd);
    if (blobs && mkdir(blobs, 0700) != 0 && errno != EEXIST)
        return fail(fault, errno == ENOSPC ? E_FULL : E_IO, "%.120s cannot be created: %s", blobs, strerror(errno));
    return 0;
}

/* The names of database, WAL and blobs last from here on: of SQLite's own syncs of the folder nobody hears when they fail. */
static int parent_sync(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    return folder_sync(folder);
}

/* The WAL of an earlier life. The database itself needs no renewal: until a checkpoint of it is synced the WAL still has its pages. */
static int wal_renew(const char *path, struct fault *fault)
{
    char name[4096];
    (void)snprintf(name, sizeof name, "%s-wal", path);
    int fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(fault, E_IO, "the WAL cannot be opened: %s", strerror(errno));
    int rc = file_renew(fd);
    (void)close(fd);
    return rc ? fail(fault, rc, "the WAL cannot be written again: %s", strerror(errno)) : 0;
}

int store_open_as(struct store **out, const char *path, const char *blobs, unsigned how, struct fault *fault)
{
    struct sqlite_store *s = calloc(1, sizeof *s);
    if (!s)
        return fail(fault, E_NOMEM, "store");
    s->base.ops = &sqlite_ops;
    s->lock_fd = -1;
    s->blobs = blobs ? strdup(blobs) : NULL;
    int rc = blobs && !s->blobs ? fail(fault, E_NOMEM, "store") : 0;
    if (rc == 0 && how & STORE_LOCK)
        rc = lock_take(s, path, fault);
    if (rc == 0 && how & STORE_CREATE)
        rc = private_create(path, blobs, fault);
    if (rc == 0 && how & STORE_CREATE)
        rc = wal_renew(path, fault);
    rc = rc ? rc : database_open(s, path, how, fault);
    if (rc == 0 && how & STORE_CREATE && (rc = parent_sync(path)) != 0)
        (void)fail(fault, rc, "the folder cannot be synced: %s", strerror(errno));
    if (rc) {
        op_close(&s->base);
        return fail_at(fault, rc, "%s", path);
    }
    *out = &s->base;
    return 0;
}

/* Between the two names of a repair the folder is nobody's: an empty database founded there would pass for the node's own. */
static int repair_under_way(const char *path, struct fault *fault)
{
    char name[4096];
    (void)snprintf(name, sizeof name, "%s.repaired", path);
    return access(name, F_OK) != 0
               ? 0
               : fail_at(fault, fail(fault, E_STATE, "a repair was cut off: run comity repair"), "%s", name);
}

int store_sqlite_open(struct store **out, const char *path, const char *blobs, struct fault *fault)
{
    int rc = repair_under_way(path, fault);
    return rc ? rc : store_open_as(out, path, blobs, STORE_LOCK | STORE_CREATE, fault);
}

int store_memory_open(struct store **out)
{
    struct sqlite_store *s = calloc(1, sizeof *s);
    if (!s)
        return E_NOMEM;
    s->base.ops = &sqlite_ops;
    s->lock_fd = -1;
    int rc = database_open(s, ":memory:", STORE_CREATE, NULL);
    if (rc) {
        op_close(&s->base);
        return rc;
    }
    *out = &s->base;
    return 0;
}

void store_memory_crash(struct store *store)
{
    struct sqlite_store *s = self_of(store);
    s->dead = s->batch = false;
    s->failed = 0;
    if (!sqlite3_get_autocommit(s->db))
        (void)op_rollback(store);
}
