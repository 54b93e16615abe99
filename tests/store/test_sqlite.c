/* What only the file store promises: durability, one owner, its schema's version, and a quiet end when the disk fails. */
#include "tests/test.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "crypto/sha256.h"
#include "store/sqlite.h"
#include "tests/store/subject.h"

static struct store *open_ok(void)
{
    struct store *store = NULL;
    struct fault fault = {0};
    int rc = store_sqlite_open(&store, database, blobs, &fault);
    if (rc) {
        printf("# %s: %s\n", fault.where, fault.detail);
        abort();
    }
    return store;
}

/* The first column of the first row, as text. */
static void ask(sqlite3 *db, const char *sql, char answer[static 64])
{
    sqlite3_stmt *q = NULL;
    answer[0] = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        (void)snprintf(answer, 64, "%s", (const char *)sqlite3_column_text(q, 0));
    (void)sqlite3_finalize(q);
}

static void tell(const char *sql)
{
    sqlite3 *db = NULL;
    CHECK_INT(sqlite3_open(database, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
}

static const struct {
    const char *pragma, *want;
} settings[] = {
    {"PRAGMA journal_mode", "wal"}, {"PRAGMA synchronous", "2"},    {"PRAGMA page_size", "4096"},
    {"PRAGMA cache_size", "-8000"}, {"PRAGMA mmap_size", "0"},      {"PRAGMA user_version", "4"},
    {"PRAGMA temp_store", "2"},     {"PRAGMA trusted_schema", "0"}, {"PRAGMA journal_size_limit", "33554432"},
};

static void test_settings(void)
{
    struct store *store = open_ok();
    struct stat st;
    char answer[64];
    test("the settings that make a commit durable and the process small");
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        ask(self_of(store)->db, settings[i].pragma, answer);
        CHECK(strcmp(answer, settings[i].want) == 0);
    }
    CHECK(stat(database, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(stat(blobs, &st) == 0 && (st.st_mode & 0777) == 0700);
    store->ops->close(store);
}

static void test_lock(void)
{
    struct store *store = open_ok(), *second = NULL;
    struct fault fault = {0};
    int status = 0;
    test("one owner: a second open is refused, here and in another process; the lock ends with its owner");
    CHECK_INT(store_sqlite_open(&second, database, blobs, &fault), E_LOCKED);
    CHECK(second == NULL && strstr(fault.where, "state.db") != NULL);
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(store_sqlite_open(&second, database, blobs, NULL) == E_LOCKED ? 0 : 1);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    store->ops->close(store);
    store = open_ok();
    store->ops->close(store);
}

static void test_refused(void)
{
    static const struct {
        const char *name, *content;
        int want;
    } table[] = {{"text", "this is not a database, it is a text of more than sixteen bytes", E_CORRUPT},
                 {"none/state.db", NULL, E_IO}};
    struct store *store = NULL;
    char path[256];
    test("files that are no database of ours");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, table[i].name);
        FILE *file = table[i].content ? fopen(path, "w") : NULL;
        if (file) {
            for (int n = 0; n < 100; n++)
                (void)fputs(table[i].content, file);
            (void)fclose(file);
        }
        CHECK_INT(store_sqlite_open(&store, path, blobs, NULL), table[i].want);
        CHECK(store == NULL);
    }
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = 0;
    char *longest = calloc(1, 5000);
    for (int i = 0; longest && i < 4999; i++)
        longest[i] = 'y';
    CHECK_INT(store_sqlite_open(&store, longest, blobs, NULL), E_LIMIT);
    free(longest);
}

static void test_migration(void)
{
    struct store *store;
    struct fault fault = {0};
    char answer[64], sql[64], wanted[32];
    struct buf out;
    test("an older schema is brought forward, a newer one is refused and left alone");
    folder_drop();
    folder_make();
    tell("PRAGMA user_version = 0"); /* an empty file of before version 1 */
    store = open_ok();
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->state_put(store, span_str("k"), span_str("v")), 0);
    CHECK_INT(store->ops->commit(store), 0);
    store->ops->close(store);
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", store_sqlite_schema() + 1);
    tell(sql);
    store = NULL;
    CHECK_INT(store_sqlite_open(&store, database, blobs, &fault), E_UNSUPPORTED);
    (void)snprintf(wanted, sizeof wanted, "version %d", store_sqlite_schema() + 1);
    CHECK(store == NULL && strstr(fault.detail, wanted) != NULL);
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", store_sqlite_schema());
    tell(sql);
    store = open_ok();
    ask(self_of(store)->db, "PRAGMA user_version", answer);
    CHECK_INT(atoi(answer), store_sqlite_schema());
    buf_init(&out, 10);
    CHECK_INT(store->ops->state_get(store, span_str("k"), &out), 0);
    buf_free(&out);
    store->ops->close(store);
    tell("DROP TABLE tile; PRAGMA user_version = 0"); /* half a schema: the migration fails as a whole */
    CHECK(store_sqlite_open(&store, database, blobs, &fault) < 0);
    folder_drop();
    folder_make();
}

static void document_hash(struct span bytes, struct hash *hash, char path[static 256])
{
    char hex[65];
    sha256(bytes, hash);
    for (int i = 0; i < 32; i++)
        (void)snprintf(hex + (ptrdiff_t)2 * i, 3, "%02x", hash->b[i]);
    (void)snprintf(path, 256, "%s/%.2s/%s", blobs, hex, hex);
}

static int document_is(struct store *store, const struct hash *hash, struct span want)
{
    struct buf out;
    buf_init(&out, DOCUMENT_BYTES_MAX);
    int rc = store->ops->document_get(store, hash, &out);
    rc = rc ? rc : !span_eq(buf_view(&out), want);
    buf_free(&out);
    return rc;
}

static void spoil(const char *path)
{
    FILE *file = fopen(path, "r+");
    CHECK(file != NULL && fseek(file, 40, SEEK_SET) == 0 && fputs("spoiled", file) >= 0);
    if (file)
        (void)fclose(file);
}

static void test_corrupt(void)
{
    static uint8_t large[DOCUMENT_INLINE_MAX + 1];
    struct span big = span_of(large, sizeof large), small = span_str("a small document");
    struct store *store = open_ok();
    struct hash big_hash, small_hash;
    char path[256], unused[256];
    struct stat st;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 2654435761u >> 11);
    test("a damaged document is E_CORRUPT, in a file or inline, and the next good copy heals it");
    document_hash(big, &big_hash, path);
    document_hash(small, &small_hash, unused);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(store->ops->begin(store), 0);
        CHECK_INT(store->ops->document_put(store, &big_hash, LABEL_OPEN, big), 0);
        CHECK_INT(store->ops->document_put(store, &small_hash, LABEL_OPEN, small), 0);
        CHECK_INT(store->ops->commit(store), 0);
        CHECK_INT(document_is(store, &big_hash, big), 0);
        CHECK_INT(document_is(store, &small_hash, small), 0);
        CHECK(stat(path, &st) == 0 && st.st_size > 0);
        CHECK(stat(unused, &st) != 0); /* small ones are in the database */
        i == 0 ? spoil(path) : (void)unlink(path);
        CHECK_INT(sqlite3_exec(self_of(store)->db,
                               i == 0 ? "UPDATE document SET zstd = x'28b52ffd0000' WHERE zstd IS NOT NULL"
                                      : "UPDATE document SET size = -1 WHERE zstd IS NOT NULL",
                               NULL, NULL, NULL),
                  0);
        CHECK_INT(document_is(store, &big_hash, big), E_CORRUPT);
        CHECK_INT(document_is(store, &small_hash, small), E_CORRUPT);
    }
    CHECK_INT(store->ops->document_put(store, &big_hash, LABEL_OPEN, big), 0);
    CHECK_INT(document_is(store, &big_hash, big), 0);
    store->ops->close(store);
}

static int entry_none(void *ctx, uint64_t index, struct span bytes)
{
    (void)ctx, (void)index, (void)bytes;
    return 0;
}

static void test_hole(void)
{
    struct store *store = open_ok();
    log_id log;
    uint64_t size;
    test("a hole in a log, and an append over a lost tile, are seen and change nothing");
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->log_open(store, span_str("hole.example/log"), true, &log), 0);
    CHECK_INT(entries_add(store, log, 0, 10), 0);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(sqlite3_exec(self_of(store)->db, "DELETE FROM tile", NULL, NULL, NULL), 0);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK(entries_add(store, log, 10, 5) < 0);
    CHECK_INT(store->ops->log_size(store, log, &size), 0);
    CHECK_INT(size, 10);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(sqlite3_exec(self_of(store)->db, "DELETE FROM entry WHERE key & 255 = 4", NULL, NULL, NULL), 0);
    CHECK_INT(store->ops->entries_scan(store, log, 0, 10, entry_none, NULL), E_CORRUPT);
    store->ops->close(store);
}

/* Every call but close says E_IO once the store is dead. */
static void dead_check(struct store *store)
{
    uint64_t size;
    struct buf out;
    buf_init(&out, 10);
    CHECK_INT(store->ops->begin(store), E_IO);
    CHECK_INT(store->ops->commit(store), E_IO);
    CHECK_INT(store->ops->rollback(store), E_IO);
    CHECK_INT(store->ops->log_size(store, 1, &size), E_IO);
    CHECK_INT(store->ops->state_put(store, span_str("k"), span_str("v")), E_IO);
    CHECK_INT(store->ops->state_get(store, span_str("k"), &out), E_IO);
    CHECK_INT(entries_add(store, 1, 0, 1), E_IO);
    CHECK_INT(store->ops->entries_scan(store, 1, 0, 1, entry_none, NULL), E_IO);
    CHECK_INT(store->ops->views_drop(store), E_IO);
    buf_free(&out);
}

static sqlite3_io_methods broken;
static int sync_calls;

static int sync_fails(sqlite3_file *file, int flags)
{
    (void)file, (void)flags;
    sync_calls++;
    return SQLITE_IOERR_FSYNC;
}

static int write_fails(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
    (void)file, (void)data, (void)n, (void)at;
    return SQLITE_FULL;
}

/* Each failure strikes the write-ahead log between begin and commit. */
static const struct {
    const char *name;
    int (*sync)(sqlite3_file *, int);
    int (*write)(sqlite3_file *, const void *, int, sqlite3_int64);
    int want;
} failures[] = {{"sync", sync_fails, NULL, E_IO}, {"full disk", NULL, write_fails, E_FULL}};

static void test_commit_failures(void)
{
    test("a failed commit is final, is never retried, and loses only itself");
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct store *store = open_ok();
        sqlite3_file *wal = NULL;
        struct buf out;
        CHECK_INT(store->ops->begin(store), 0);
        CHECK_INT(store->ops->state_put(store, span_str("k"), span_str("good")), 0);
        CHECK_INT(store->ops->commit(store), 0);
        CHECK_INT(sqlite3_file_control(self_of(store)->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal), SQLITE_OK);
        if (!wal || !wal->pMethods)
            abort();
        const sqlite3_io_methods *whole = wal->pMethods;
        broken = *whole;
        broken.xSync = failures[i].sync ? failures[i].sync : whole->xSync;
        broken.xWrite = failures[i].write ? failures[i].write : whole->xWrite;
        CHECK_INT(store->ops->begin(store), 0);
        CHECK_INT(store->ops->state_put(store, span_str("k"), span_str("lost")), 0);
        wal->pMethods = &broken;
        sync_calls = 0;
        CHECK_INT(store->ops->commit(store), failures[i].want);
        CHECK_INT(sync_calls, failures[i].sync != NULL);
        wal->pMethods = whole;
        dead_check(store);
        store->ops->close(store);
        store = open_ok();
        buf_init(&out, 10);
        CHECK_INT(store->ops->state_get(store, span_str("k"), &out), 0);
        CHECK(span_is(buf_view(&out), "good"));
        buf_free(&out);
        store->ops->close(store);
    }
}

static void test_rolled_back(void)
{
    struct store *store = open_ok();
    struct buf out;
    test("a batch that SQLite itself rolled back, as it does without memory, is not committed piece by piece");
    buf_init(&out, 10);
    CHECK_INT(store->ops->health(store), 0);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->state_put(store, span_str("first"), span_str("1")), 0);
    CHECK_INT(sqlite3_exec(self_of(store)->db, "ROLLBACK", NULL, NULL, NULL), 0);
    CHECK_INT(store->ops->state_get(store, span_str("first"), &out), E_NOTFOUND);
    CHECK(store->ops->state_put(store, span_str("second"), span_str("2")) != 0);
    CHECK(store->ops->commit(store) != 0);
    store->ops->close(store);
    store = open_ok();
    CHECK_INT(store->ops->state_get(store, span_str("first"), &out), E_NOTFOUND);
    CHECK_INT(store->ops->state_get(store, span_str("second"), &out), E_NOTFOUND);
    store->ops->close(store);
    buf_free(&out);
}

static void test_full(void)
{
    struct store *store = open_ok();
    static uint8_t value[100000];
    int rc = 0;
    test("a full database is E_FULL, and what was acknowledged stays");
    CHECK_INT(sqlite3_exec(self_of(store)->db, "PRAGMA max_page_count = 1200", NULL, NULL, NULL), 0);
    CHECK_INT(store->ops->begin(store), 0);
    for (int i = 0; i < 200 && rc == 0; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%d", i);
        rc = store->ops->state_put(store, span_str(key), span_of(value, sizeof value));
    }
    CHECK_INT(rc, E_FULL);
    dead_check(store);
    store->ops->close(store);
    store = open_ok();
    struct buf out;
    buf_init(&out, 10);
    CHECK_INT(store->ops->state_get(store, span_str("k"), &out), 0);
    CHECK_INT(store->ops->state_get(store, span_str("0"), &out), E_NOTFOUND);
    buf_free(&out);
    store->ops->close(store);
}

static void child_append(int tell_fd)
{
    struct store *store = open_ok();
    log_id log;
    uint64_t size;
    if (store->ops->begin(store) || store->ops->log_open(store, span_str("killed.example/log"), true, &log) ||
        store->ops->log_size(store, log, &size) || store->ops->commit(store))
        _exit(1);
    for (;; size += 7) {
        if (store->ops->begin(store) || entries_add(store, log, size, 7) || store->ops->commit(store))
            _exit(1);
        uint64_t acknowledged = size + 7;
        if (write(tell_fd, &acknowledged, sizeof acknowledged) != sizeof acknowledged)
            _exit(0);
    }
}

static uint64_t killed_at(unsigned batches)
{
    int ends[2], status;
    uint64_t told = 0, more;
    if (pipe(ends) != 0)
        abort();
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        child_append(ends[1]);
    }
    (void)close(ends[1]);
    for (unsigned i = 0; i < batches && read(ends[0], &more, sizeof more) == sizeof more; i++)
        told = more;
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    while (read(ends[0], &more, sizeof more) == sizeof more)
        told = more;
    (void)close(ends[0]);
    return told;
}

static void test_killed(void)
{
    test("killed at any moment: all that was acknowledged is there, whole batches, and the tree fits the entries");
    for (unsigned round = 1; round <= 6; round++) {
        uint64_t told = killed_at(round * 17), size = 0;
        struct store *store = open_ok();
        log_id log = 0;
        struct hash root;
        struct store_tiles tiles = {.store = store};
        struct tile_reader reader = store_tile_reader(&tiles);
        CHECK_INT(store->ops->log_open(store, span_str("killed.example/log"), false, &log), 0);
        CHECK_INT(store->ops->log_size(store, log, &size), 0);
        CHECK(told > 0 && size >= told && size <= told + 7 && size % 7 == 0);
        CHECK_INT(store->ops->entries_scan(store, log, 0, size, entry_none, NULL), 0);
        tiles.log = log;
        CHECK_INT(tree_root(&reader, size, &root), 0);
        store->ops->close(store);
    }
}

static void test_integrity(void)
{
    struct store *store = open_ok();
    char answer[64], command[256];
    test("SQLite finds its file whole");
    ask(self_of(store)->db, "PRAGMA integrity_check", answer);
    CHECK(strcmp(answer, "ok") == 0);
    store->ops->close(store);
    (void)fflush(stdout);
    if (system("command -v sqlite3 >/dev/null 2>&1") != 0) {
        test_skip("the sqlite3 shell reads it", "no sqlite3 command here");
        return;
    }
    test("the sqlite3 shell reads it");
    (void)snprintf(
        command, sizeof command,
        "test \"$(sqlite3 %s 'PRAGMA integrity_check; SELECT count(*) > 100 FROM entry' | tr '\\n' ' ')\" = 'ok 1 '",
        database);
    CHECK_INT(system(command), 0);
}

static const char sums_drop[] = "ALTER TABLE note DROP COLUMN sum; ALTER TABLE cosignature DROP COLUMN sum;"
                                "ALTER TABLE document DROP COLUMN sum; ALTER TABLE journal DROP COLUMN sum;"
                                "ALTER TABLE state DROP COLUMN sum; ALTER TABLE tile DROP COLUMN sum; DROP TABLE kept;"
                                "PRAGMA user_version = 1";

static int cosignature_any(void *ctx, const struct stored_cosignature *c)
{
    (void)ctx;
    (void)c;
    return 0;
}

static int row_any(void *ctx, const struct journal_row *row)
{
    (void)ctx;
    (void)row;
    return 0;
}

enum {
    READ_NOTE,
    READ_COSIGNATURE,
    READ_DOCUMENT,
    READ_FIND,
    READ_SCAN,
    READ_STATE,
    READ_TILE,
    READ_ENTRY,
    READ_ENTRIES,
    READ_COUNT
};

static int entry_any(void *ctx, uint64_t index, struct span bytes)
{
    (void)ctx;
    (void)index;
    (void)bytes;
    return 0;
}

static int read_row(struct store *store, int which)
{
    const struct store_ops *ops = store->ops;
    struct stored_document info;
    struct hash hash, tile[3];
    struct buf out;
    uint64_t size;
    int rc = E_STATE;
    sha256(span_str("a document"), &hash);
    buf_init(&out, 1 << 16);
    switch (which) {
    case READ_NOTE:
        rc = ops->note_latest(store, 1, NOTE_SIGNED, &size, &out);
        break;
    case READ_COSIGNATURE:
        rc = ops->cosignatures(store, 1, 0, cosignature_any, NULL);
        break;
    case READ_DOCUMENT:
        rc = ops->document_info(store, &hash, &info);
        break;
    case READ_FIND:
        rc = ops->journal_find(store, span_str("kind"), span_str("key"), NULL, NULL);
        break;
    case READ_SCAN:
        rc = ops->journal_scan(store, span_str("kind"), 0, row_any, NULL);
        break;
    case READ_STATE:
        rc = ops->state_get(store, span_str("k"), &out);
        break;
    case READ_TILE:
        rc = ops->tile_get(store, 1, 0, 0, 3, tile);
        break;
    case READ_ENTRY:
        rc = ops->entry_get(store, 1, 1, &out);
        break;
    case READ_ENTRIES:
        rc = ops->entries_scan(store, 1, 0, 3, entry_any, NULL);
        break;
    }
    buf_free(&out);
    return rc;
}

static void rows_write(void)
{
    struct store *store = open_ok();
    struct stored_cosignature c = {.size = 7, .timestamp = 1000, .root = {{1}}, .kid = {{2}}, .signature = {{3}}};
    struct hash hash;
    log_id log;
    sha256(span_str("a document"), &hash);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->log_open(store, span_str("a log"), true, &log), 0);
    CHECK_INT(entries_add(store, log, 0, 3), 0);
    CHECK_INT(store->ops->note_put(store, 1, NOTE_SIGNED, 7, span_str("a note")), 0);
    CHECK_INT(store->ops->cosignature_put(store, 1, &c), 0);
    CHECK_INT(store->ops->document_put(store, &hash, LABEL_CLOSED, span_str("a document")), 0);
    CHECK_INT(store->ops->journal_append(store, 5, span_str("kind"), span_str("key"), span_str("body"), NULL), 0);
    CHECK_INT(store->ops->state_put(store, span_str("k"), span_str("v")), 0);
    CHECK_INT(store->ops->commit(store), 0);
    store->ops->close(store);
}

static void test_decay(void)
{
    static const struct {
        const char *sql;
        int read;
    } table[] = {
        {"UPDATE note SET text = CAST('a nose' AS BLOB)", READ_NOTE},
        {"UPDATE note SET size = 5", READ_NOTE},
        {"UPDATE note SET sum = NULL", READ_NOTE},
        {"UPDATE cosignature SET at = at + 1", READ_COSIGNATURE},
        {"UPDATE cosignature SET cose = signature", READ_COSIGNATURE},
        {"UPDATE document SET label = 0", READ_DOCUMENT},
        {"UPDATE document SET size = size + 1", READ_DOCUMENT},
        {"UPDATE journal SET body = CAST('bodz' AS BLOB)", READ_FIND},
        {"UPDATE journal SET at = 4", READ_SCAN},
        {"UPDATE journal SET seq = seq + 1", READ_SCAN},
        {"UPDATE state SET value = CAST('w' AS BLOB)", READ_STATE},
        {"UPDATE tile SET n = 0, hashes = zeroblob(96)", READ_TILE},
        {"UPDATE tile SET hashes = zeroblob(96)", READ_ENTRY},
        {"UPDATE tile SET hashes = zeroblob(96)", READ_ENTRIES},
        {"UPDATE entry SET bytes = CAST('another' AS BLOB) WHERE key & 255 = 1", READ_ENTRY},
        {"UPDATE entry SET bytes = CAST('another' AS BLOB) WHERE key & 255 = 1", READ_ENTRIES},
    };
    char name[96];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)snprintf(name, sizeof name, "a decayed row is not read: %.60s", table[i].sql);
        test(name);
        folder_drop();
        folder_make();
        rows_write();
        struct store *store = open_ok();
        CHECK_INT(read_row(store, table[i].read), 0);
        store->ops->close(store);
        tell(table[i].sql);
        store = open_ok();
        CHECK_INT(read_row(store, table[i].read), E_CORRUPT);
        store->ops->close(store);
    }
    test("a cosignature that decayed is replaced by the next good one");
    struct stored_cosignature c = {.size = 7, .timestamp = 2000, .root = {{1}}, .kid = {{2}}, .signature = {{4}}};
    tell("UPDATE cosignature SET at = 1");
    struct store *store = open_ok();
    CHECK_INT(read_row(store, READ_COSIGNATURE), E_CORRUPT);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->cosignature_put(store, 1, &c), 0);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(read_row(store, READ_COSIGNATURE), 0);
    store->ops->close(store);
}

static void test_sums_migration(void)
{
    test("rows of version 1 get their sums");
    folder_drop();
    folder_make();
    rows_write();
    tell(sums_drop);
    struct store *store = open_ok();
    for (int which = 0; which < READ_COUNT; which++)
        CHECK_INT(read_row(store, which), 0);
    store->ops->close(store);
}

int main(void)
{
    folder_make();
    test_sums_migration();
    test_decay();
    test_settings();
    test_lock();
    test_refused();
    test_migration();
    test_corrupt();
    test_hole();
    test_commit_failures();
    test_rolled_back();
    test_full();
    test_killed();
    test_integrity();
    folder_drop();
    return test_end();
}
