/* Reading what a damaged database still tells. Everything here works on a copy. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "store/check.h"
#include "store/sqlite.h"
#include "store/wal.h"

enum { PAGE = WAL_PAGE, WAL_BYTES_MAX = 1 << 30 };

static int whole_read(const char *path, struct buf *out)
{
    uint8_t block[65536];
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? E_NOTFOUND : E_IO;
    while (!out->error && (n = read(fd, block, sizeof block)) > 0)
        buf_add(out, block, (size_t)n);
    (void)close(fd);
    return n < 0 ? E_IO : out->error;
}

/* The frames of the -wal, mended where one bit is wrong. No -wal is none. */
static int wal_load(const char *path, struct buf *wal, size_t *frames, struct findings *findings)
{
    char name[4096];
    const char *slash = strrchr(path, '/');
    (void)snprintf(name, sizeof name, "%s-wal", path);
    buf_init(wal, WAL_BYTES_MAX);
    *frames = 0;
    int rc = whole_read(name, wal);
    if (rc)
        return rc == E_NOTFOUND ? 0 : rc;
    (void)snprintf(name, sizeof name, "%s-wal", slash ? slash + 1 : path);
    wal_read(wal, frames, findings, name);
    return 0;
}

int wal_check(const char *path, struct findings *findings)
{
    struct buf wal;
    size_t frames;
    int rc = wal_load(path, &wal, &frames, findings);
    buf_free(&wal);
    return rc;
}

/* All that is done with it happens in one batch that is never committed: whoever is asked to fold anew changes nothing. */
int store_check_open(struct store **out, const char *path, const char *blobs, struct fault *fault)
{
    int rc = store_open_as(out, path, blobs, STORE_LOCK | STORE_KEEP_WAL, fault);
    if (rc)
        return rc;
    struct sqlite_store *s = self_of(*out);
    (void)sqlite3_exec(s->db, "PRAGMA temp_store = FILE; BEGIN", NULL, NULL, NULL); /* the views may be large */
    s->reader = true;
    return 0;
}

/* Copying */

static int copy_file(const char *from, int to)
{
    uint8_t block[65536];
    ssize_t n;
    int fd = open(from, O_RDONLY | O_CLOEXEC), rc = fd < 0 ? E_IO : 0;
    while (rc == 0 && (n = read(fd, block, sizeof block)) != 0)
        if (n < 0 || write(to, block, (size_t)n) != n)
            rc = errno == ENOSPC ? E_FULL : E_IO;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Up to the last frame that ends a transaction; a page number out of all proportion is a wrong one. */
static int frames_apply(int fd, const struct buf *wal, size_t frames)
{
    size_t end = 0;
    for (size_t i = 0; i < frames; i++)
        if (be32(wal->data + WAL_HEADER + i * WAL_FRAME + 4))
            end = i + 1;
    for (size_t i = 0; i < end; i++) {
        const uint8_t *frame = wal->data + WAL_HEADER + i * WAL_FRAME;
        off_t at = ((off_t)be32(frame) - 1) * PAGE;
        if (be32(frame) && pwrite(fd, frame + WAL_FRAME_HEADER, PAGE, at) != PAGE)
            return errno == ENOSPC ? E_FULL : E_IO;
    }
    return 0;
}

static int copy_make(const struct salvage *salvage, const char *path)
{
    struct buf wal;
    struct findings ignored = {0};
    size_t frames;
    int rc = wal_load(path, &wal, &frames, &ignored);
    int fd = rc ? -1 : open(salvage->scratch, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    rc = rc ? rc : fd < 0 ? E_IO : copy_file(path, fd);
    rc = rc ? rc : frames_apply(fd, &wal, frames);
    if (fd >= 0)
        (void)close(fd);
    buf_free(&wal);
    findings_free(&ignored);
    return rc;
}

static void copy_remove(const char *scratch)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[4096];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(name, sizeof name, "%.4000s%s", scratch, ends[i]);
        (void)unlink(name);
    }
}

/* The first page of a new database of this release: header and schema, with the same root pages, for tables are made in the same order. */
static int first_page_new(const char *scratch, uint8_t page[static PAGE])
{
    char name[4096];
    struct store *store = NULL;
    (void)snprintf(name, sizeof name, "%.4000s.new", scratch);
    copy_remove(name);
    int rc = store_open_as(&store, name, NULL, STORE_CREATE, NULL);
    if (rc == 0)
        store->ops->close(store);
    int fd = rc ? -1 : open(name, O_RDONLY | O_CLOEXEC);
    if (rc == 0 && (fd < 0 || pread(fd, page, PAGE, 0) != PAGE))
        rc = E_IO;
    if (fd >= 0)
        (void)close(fd);
    copy_remove(name);
    return rc;
}

static void be32_put(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static int first_page_replace(struct salvage *salvage)
{
    uint8_t page[PAGE];
    struct stat st;
    int rc = first_page_new(salvage->scratch, page);
    int fd = rc ? -1 : open(salvage->scratch, O_RDWR | O_CLOEXEC);
    if (rc == 0 && (fd < 0 || fstat(fd, &st) != 0))
        rc = E_IO;
    if (rc == 0) {
        be32_put(page + 28, (uint32_t)(st.st_size / PAGE)); /* size in pages, valid for this change counter */
        memcpy(page + 92, page + 24, 4);
        be32_put(page + 32, 0); /* no free list */
        be32_put(page + 36, 0);
        rc = pwrite(fd, page, PAGE, 0) == PAGE ? 0 : E_IO;
    }
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static bool readable(struct store *store)
{
    struct sqlite_store *s = self_of(store);
    for (int id = 0; id < Q_BEGIN; id++)
        if (!query(s, (enum statement_id)id))
            return false;
    return true;
}

static int copy_open(struct salvage *salvage, const char *blobs)
{
    int rc = store_open_as(&salvage->store, salvage->scratch, blobs, 0, NULL);
    if (rc == 0 && readable(salvage->store))
        return 0;
    if (rc == 0)
        salvage->store->ops->close(salvage->store);
    salvage->store = NULL;
    return rc == E_FULL || rc == E_NOMEM ? rc : E_CORRUPT;
}

int salvage_open(struct salvage *out, const char *path, const char *blobs, struct fault *fault)
{
    *out = (struct salvage){0};
    (void)snprintf(out->scratch, sizeof out->scratch, "%s.salvage", path);
    copy_remove(out->scratch);
    if (access(path, F_OK) != 0)
        return 0;
    int rc = copy_make(out, path);
    if (rc)
        return fail_at(fault, fail(fault, rc, "the damaged database cannot be copied"), "%s", out->scratch);
    rc = copy_open(out, blobs);
    if (rc == E_CORRUPT && (rc = first_page_replace(out)) == 0) {
        out->first_page_replaced = true;
        rc = copy_open(out, blobs);
    }
    if (rc == E_CORRUPT)
        copy_remove(out->scratch);
    return rc == E_CORRUPT ? 0 : rc ? fail_at(fault, fail(fault, rc, "the copy"), "%s", out->scratch) : 0;
}

void salvage_close(struct salvage *salvage)
{
    if (salvage->store)
        salvage->store->ops->close(salvage->store);
    salvage->store = NULL;
    if (salvage->scratch[0])
        copy_remove(salvage->scratch);
}

/* Scans from both ends, so that a page in the middle costs only what stands on it. `row` returns non-zero to stop; `again` is true on
   the way back, which meets rows of the way there once more when nothing was in between. */
struct scan {
    struct sqlite_store *s;
    const char *columns, *order, *backwards;
};

static int scan_run(struct scan *scan, log_id log, int (*row)(void *ctx, sqlite3_stmt *q), void *ctx)
{
    int rc = 0;
    for (int way = 0; way < 2 && rc == 0; way++) {
        char sql[512];
        sqlite3_stmt *q = NULL;
        (void)snprintf(sql, sizeof sql, "SELECT %s ORDER BY %s", scan->columns, way ? scan->backwards : scan->order);
        if (sqlite3_prepare_v2(scan->s->db, sql, -1, &q, NULL) != SQLITE_OK)
            return 0; /* nothing of it can be read */
        if (sqlite3_bind_parameter_count(q))
            (void)sqlite3_bind_int64(q, 1, log);
        int step;
        while (rc == 0 && (step = sqlite3_step(q)) == SQLITE_ROW)
            rc = row(ctx, q);
        (void)sqlite3_finalize(q);
        if (step == SQLITE_DONE)
            break;
    }
    return rc;
}

struct note_scan {
    int (*visit)(void *ctx, enum note_kind, uint64_t size, struct span note);
    void *ctx;
};

static int note_row(void *ctx, sqlite3_stmt *q)
{
    struct note_scan *scan = ctx;
    return sqlite3_column_int(q, 3) ? scan->visit(scan->ctx, (enum note_kind)sqlite3_column_int(q, 0),
                                                  (uint64_t)sqlite3_column_int64(q, 1), column(q, 2))
                                    : 0;
}

int salvage_notes(struct salvage *salvage, log_id log,
                  int (*visit)(void *ctx, enum note_kind, uint64_t size, struct span note), void *ctx)
{
    struct note_scan notes = {.visit = visit, .ctx = ctx};
    struct scan scan = {.s = self_of(salvage->store),
                        .columns = "kind, size, text, " NOTE_GOOD " FROM note WHERE log = ?1",
                        .order = "kind, size",
                        .backwards = "kind DESC, size DESC"};
    return scan_run(&scan, log, note_row, &notes);
}

struct cosignature_scan {
    cosignature_visit *visit;
    void *ctx;
};

static int cosignature_scan_row(void *ctx, sqlite3_stmt *q)
{
    struct cosignature_scan *scan = ctx;
    struct stored_cosignature c;
    return cosignature_row(q, &c) == 0 ? scan->visit(scan->ctx, &c) : 0;
}

int salvage_cosignatures(struct salvage *salvage, log_id log, cosignature_visit *visit, void *ctx)
{
    struct cosignature_scan cosignatures = {.visit = visit, .ctx = ctx};
    struct scan scan = {.s = self_of(salvage->store),
                        .columns = COSIG_COLUMNS " FROM cosignature WHERE log = ?1",
                        .order = "size, root, kid",
                        .backwards = "size DESC, root DESC, kid DESC"};
    return scan_run(&scan, log, cosignature_scan_row, &cosignatures);
}

struct pair_scan {
    pair_visit *visit;
    void *ctx;
};

static int pair_row(void *ctx, sqlite3_stmt *q)
{
    struct pair_scan *scan = ctx;
    return sqlite3_column_int(q, 2) ? scan->visit(scan->ctx, column(q, 0), column(q, 1)) : 0;
}

int salvage_state(struct salvage *salvage, pair_visit *visit, void *ctx)
{
    struct pair_scan pairs = {.visit = visit, .ctx = ctx};
    struct scan scan = {.s = self_of(salvage->store),
                        .columns = "key, value, " STATE_GOOD " FROM state",
                        .order = "key",
                        .backwards = "key DESC"};
    return scan_run(&scan, 0, pair_row, &pairs);
}

/* Tables with a row number are read number by number. When the last one cannot be read, it is not above what the pages can hold. */
enum { ROWS_A_PAGE = 256 };

static int64_t greatest_of(struct sqlite_store *s, const char *sql)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    rc = rc == SQLITE_OK ? sqlite3_step(q) : rc;
    int64_t value = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    (void)sqlite3_finalize(q);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return value;
    q = NULL;
    rc = sqlite3_prepare_v2(s->db, "PRAGMA page_count", -1, &q, NULL);
    value = rc == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) * ROWS_A_PAGE : 0;
    (void)sqlite3_finalize(q);
    return value;
}

int salvage_entry(struct salvage *salvage, log_id log, uint64_t index, struct buf *out)
{
    return salvage->store ? entry_raw(self_of(salvage->store), log, index, out) : E_NOTFOUND;
}

int salvage_documents(struct salvage *salvage, int (*visit)(void *ctx, const struct hash *, enum label), void *ctx)
{
    struct sqlite_store *s = self_of(salvage->store);
    int64_t last = greatest_of(s, "SELECT max(rowid) FROM document NOT INDEXED");
    sqlite3_stmt *q = NULL;
    struct hash hash;
    int rc = 0;
    if (sqlite3_prepare_v2(s->db, "SELECT hash, label, " DOC_GOOD " FROM document NOT INDEXED WHERE rowid = ?1", -1, &q,
                           NULL) != SQLITE_OK)
        return 0;
    for (int64_t row = 1; row <= last && rc == 0; row++) {
        (void)sqlite3_reset(q);
        (void)sqlite3_bind_int64(q, 1, row);
        if (sqlite3_step(q) != SQLITE_ROW || !sqlite3_column_int(q, 2) || column(q, 0).len != sizeof hash)
            continue;
        memcpy(hash.b, column(q, 0).data, sizeof hash);
        rc = visit(ctx, &hash, (enum label)sqlite3_column_int(q, 1));
    }
    (void)sqlite3_finalize(q);
    return rc;
}

int salvage_kept(struct salvage *salvage, struct span space, pair_visit *visit, void *ctx)
{
    struct sqlite_store *s = self_of(salvage->store);
    int64_t last = greatest_of(s, "SELECT max(rowid) FROM kept NOT INDEXED");
    sqlite3_stmt *q = NULL;
    struct buf value;
    int rc = 0;
    if (sqlite3_prepare_v2(
            s->db, "SELECT size, value, " KEPT_GOOD ", key FROM kept NOT INDEXED WHERE rowid = ?1 AND space = ?2", -1,
            &q, NULL) != SQLITE_OK)
        return 0;
    buf_init(&value, KEPT_BYTES_MAX);
    for (int64_t row = 1; row <= last && rc == 0; row++) {
        buf_reset(&value);
        (void)sqlite3_reset(q);
        (void)sqlite3_bind_int64(q, 1, row);
        bind_span(q, 2, space);
        if (sqlite3_step(q) != SQLITE_ROW)
            continue;
        rc = kept_row(s, q, &value);
        rc = rc == E_CORRUPT ? 0 : rc ? rc : visit(ctx, column(q, 3), buf_view(&value));
    }
    (void)sqlite3_finalize(q);
    buf_free(&value);
    return rc;
}

struct journal_walk {
    int (*visit)(void *ctx, int64_t seq, const struct journal_row *row);
    void *ctx;
    int64_t next; /* not visited yet */
};

static int gap_visit(struct journal_walk *walk, int64_t end)
{
    int rc = 0;
    while (rc == 0 && walk->next < end)
        rc = walk->visit(walk->ctx, walk->next++, NULL);
    return rc;
}

/* A number that is not there is a lost row when there is one behind it. Behind the last that can be read, rows are lost only when looking
   for them fails, and up to the number that SQLite remembers. */
int salvage_journal(struct salvage *salvage, int (*visit)(void *ctx, int64_t seq, const struct journal_row *row),
                    void *ctx)
{
    struct sqlite_store *s = self_of(salvage->store);
    struct journal_walk walk = {.visit = visit, .ctx = ctx, .next = 1};
    int64_t told = greatest_of(s, "SELECT max(seq) FROM sqlite_sequence WHERE name = 'journal'");
    int64_t last = greatest_of(s, "SELECT max(seq) FROM journal NOT INDEXED");
    int64_t most = greatest_of(s, "PRAGMA page_count") * ROWS_A_PAGE;
    sqlite3_stmt *q = NULL;
    bool failing = false;
    int rc = 0;
    last = told > last ? told : last;
    if (sqlite3_prepare_v2(s->db, "SELECT " JOURNAL_COLUMNS " FROM journal NOT INDEXED WHERE seq = ?1", -1, &q, NULL) !=
        SQLITE_OK)
        return 0;
    for (int64_t seq = 1; seq <= last && seq <= most && rc == 0; seq++) {
        struct journal_row row;
        (void)sqlite3_reset(q);
        (void)sqlite3_bind_int64(q, 1, seq);
        int step = sqlite3_step(q);
        failing = step != SQLITE_ROW && step != SQLITE_DONE;
        if (step != SQLITE_ROW)
            continue;
        bool good = journal_row_read(q, &row) == 0;
        rc = gap_visit(&walk, seq);
        rc = rc ? rc : visit(ctx, seq, good ? &row : NULL);
        walk.next = seq + 1;
    }
    (void)sqlite3_finalize(q);
    return rc || !failing || told > most ? rc : gap_visit(&walk, told + 1);
}
