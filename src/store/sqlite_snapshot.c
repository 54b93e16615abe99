/* Reading beside a running node, copying what is read, and SQLite's own check of a file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/sqlite.h"

enum { STEP_PAGES = 512 };

/* A path as a file: URI (RFC 3986), so that `immutable` can be said; a strange name must not turn into another option. */
static int uri_write(char out[static 4096], const char *path, bool immutable)
{
    size_t at = (size_t)snprintf(out, 4096, "file:");
    for (const char *p = path; *p; p++) {
        if (at + 4 > 4000)
            return E_LIMIT;
        at += (size_t)snprintf(out + at, 4096 - at, strchr("%?#", *p) ? "%%%02X" : "%c", (unsigned char)*p);
    }
    (void)snprintf(out + at, 4096 - at, "%s", immutable ? "?immutable=1" : "");
    return 0;
}

/* BEGIN alone reads nothing yet: the first read fixes the state that all later reads see. */
static const char begin_reading[] =
    "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY;"
    "BEGIN; SELECT count(*) FROM sqlite_schema";

static int reader_open(struct sqlite_store *s, const char *path, bool immutable, struct fault *fault)
{
    char uri[4096];
    if (uri_write(uri, path, immutable) != 0)
        return fail(fault, E_LIMIT, "the path is too long");
    int rc = sqlite3_open_v2(uri, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        (void)sqlite3_busy_timeout(s->db, 10000); /* a node that starts holds it alone for a moment */
    if (rc == SQLITE_OK)
        rc = row_sum_register(s->db);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db, begin_reading, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return fail(fault, sqlite_code(rc), "%s", s->db ? sqlite3_errmsg(s->db) : "no memory");
    int version = 0, code = sqlite_schema_version(s->db, &version);
    if (code)
        return fail(fault, code, "not to be read as a database of ours: %s", sqlite3_errmsg(s->db));
    if (version != store_sqlite_schema())
        return fail(fault, E_UNSUPPORTED,
                    "its schema has version %d, this release's %d; start the node once with this release", version,
                    store_sqlite_schema());
    return 0;
}

int store_sqlite_read(struct store **out, const char *path, const char *blobs, bool immutable, struct fault *fault)
{
    struct sqlite_store *s = calloc(1, sizeof *s);
    if (!s)
        return fail(fault, E_NOMEM, "store");
    s->base.ops = &sqlite_ops;
    s->lock_fd = -1;
    s->reader = true;
    s->blobs = blobs ? strdup(blobs) : NULL;
    int rc = access(path, R_OK) != 0 ? fail(fault, E_NOTFOUND, "there is no database to read") : 0;
    rc = rc ? rc : blobs && !s->blobs ? fail(fault, E_NOMEM, "store") : reader_open(s, path, immutable, fault);
    if (rc) {
        s->base.ops->close(&s->base);
        return fail_at(fault, rc, "%s", path);
    }
    *out = &s->base;
    return 0;
}

static int synced(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return E_IO;
    int rc = fsync(fd) == 0 ? 0 : E_IO;
    (void)close(fd);
    return rc;
}

static int pages_copy(struct sqlite_store *s, sqlite3 *to, store_progress *progress, void *ctx)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", s->db, "main");
    int rc = copy ? SQLITE_OK : sqlite3_errcode(to);
    while (copy && (rc = sqlite3_backup_step(copy, STEP_PAGES)) == SQLITE_OK)
        if (progress) {
            int all = sqlite3_backup_pagecount(copy);
            progress(ctx, (uint64_t)(all - sqlite3_backup_remaining(copy)), (uint64_t)all);
        }
    int end = copy ? sqlite3_backup_finish(copy) : rc;
    return end == SQLITE_OK && rc == SQLITE_DONE ? SQLITE_OK : rc == SQLITE_DONE ? end : rc;
}

int store_sqlite_copy(struct store *store, const char *path, store_progress *progress, void *ctx, struct fault *fault)
{
    struct sqlite_store *s = self_of(store);
    sqlite3 *to = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(fault, E_IO, "%.200s cannot be created", path);
    (void)close(fd);
    int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) /* a copy that is cut off is thrown away: it needs no journal, and is synced once at the end */
        rc = sqlite3_exec(to, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL, NULL);
    rc = rc ? rc : pages_copy(s, to, progress, ctx);
    if (rc == SQLITE_OK) /* one plain file, without the WAL that the source has beside it */
        rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    int code = rc == SQLITE_OK
                   ? 0
                   : fail(fault, sqlite_code(rc), "copying the database: %s", to ? sqlite3_errmsg(to) : "no memory");
    if (sqlite3_close(to) != SQLITE_OK && code == 0)
        code = fail(fault, E_IO, "closing the copy");
    if (code == 0 && (code = synced(path)) != 0)
        (void)fail(fault, code, "%.200s cannot be made durable", path);
    return code;
}

int store_sqlite_check(struct store *store, bool quick, struct fault *fault)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)", -1, &q, NULL);
    int code = rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW
                   ? 0
                   : fail(fault, rc ? sqlite_code(rc) : E_CORRUPT, "%s", sqlite3_errmsg(s->db));
    if (code == 0 && !span_is(column(q, 0), "ok"))
        code = fail(fault, E_CORRUPT, "%.200s", (const char *)sqlite3_column_text(q, 0));
    (void)sqlite3_finalize(q);
    return code;
}

int store_sqlite_files(struct store *store, file_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q;
    struct hash hash;
    int rc = scan_prepare(s, "SELECT hash FROM document WHERE zstd IS NULL ORDER BY hash", &q);
    if (rc)
        return rc;
    while ((rc = step_row(s, q)) == 0) {
        struct span bytes = column(q, 0);
        if (bytes.len != sizeof hash.b) {
            rc = E_CORRUPT;
            break;
        }
        memcpy(hash.b, bytes.data, sizeof hash.b);
        if ((rc = visit(ctx, &hash)) != 0)
            break;
    }
    (void)sqlite3_finalize(q);
    return rc == E_NOTFOUND ? 0 : rc;
}

int store_sqlite_journal(struct store *store, journal_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q;
    int rc = scan_prepare(s, "SELECT " JOURNAL_COLUMNS " FROM journal ORDER BY seq", &q);
    if (rc)
        return rc;
    while ((rc = step_row(s, q)) == 0) {
        struct journal_row row;
        rc = journal_row_read(q, &row);
        rc = rc ? rc : visit(ctx, &row);
        if (rc)
            break;
    }
    (void)sqlite3_finalize(q);
    return rc == E_NOTFOUND ? 0 : rc;
}
