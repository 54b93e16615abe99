/* Durable statements a second through the engine, on one core with its signer, in batches of 1,024; against the least that any such
   node must do for the same statements: one signature and two hashes each, and the same rows committed by the same SQLite. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "bench/bench.h"
#include "crypto/sha256.h"

enum { ROUND = 8 * BATCH_STATEMENTS_MAX, ROUNDS = 6, DOCUMENT_MAX = 256 };

struct row {
    uint8_t entry[STATEMENT_BYTES_MAX], message[STATEMENT_BYTES_MAX], document[DOCUMENT_MAX], zstd[2 * DOCUMENT_MAX];
    size_t entry_len, message_len, document_len, zstd_len;
};
struct bare {
    sqlite3 *db;
    sqlite3_stmt *entry, *id, *document, *tile, *note;
    struct secret_key *secret;
    struct row *rows;
    size_t count;
};

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        bench_die(sqlite3_errmsg(db), E_IO, NULL);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL) != SQLITE_OK)
        bench_die(sqlite3_errmsg(db), E_IO, NULL);
    return q;
}

/* The same tables, by the store itself, then opened bare with the store's settings. */
static void bare_open(struct bare *bare, const char *dir)
{
    static const uint8_t seed[32] = {1};
    struct public_key pub;
    struct store *store;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/bare.db", dir);
    if (store_sqlite_open(&store, path, NULL, NULL) != 0)
        bench_die(path, E_IO, NULL);
    store->ops->close(store);
    if (sqlite3_open_v2(path, &bare->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        bench_die(path, E_IO, NULL);
    sql(bare->db,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY;"
        "PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 33554432");
    bare->entry = prepare(bare->db, "INSERT INTO entry(key, bytes) VALUES(?1, ?2)");
    bare->id = prepare(bare->db, "INSERT OR IGNORE INTO id_index(hash, key) VALUES(?1, ?2)");
    bare->document =
        prepare(bare->db, "INSERT OR REPLACE INTO document(hash, label, size, zstd) VALUES(?1, 0, ?2, ?3)");
    bare->tile = prepare(bare->db, "INSERT OR REPLACE INTO tile(log, level, n, hashes) VALUES(1, ?1, ?2, ?3)");
    bare->note = prepare(bare->db, "INSERT OR REPLACE INTO note(log, kind, size, text) VALUES(1, 0, ?1, ?2)");
    bare->secret = secret_key_from_seed(seed, &pub);
    bare->rows = calloc(ROUND, sizeof *bare->rows);
    if (!bare->secret || !bare->rows)
        bench_die("memory", E_NOMEM, NULL);
}

static void bare_close(struct bare *bare)
{
    sqlite3_stmt *const all[] = {bare->entry, bare->id, bare->document, bare->tile, bare->note};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        (void)sqlite3_finalize(all[i]);
    (void)sqlite3_close(bare->db);
    secret_key_free(bare->secret);
    free(bare->rows);
}

static void run(sqlite3_stmt *q)
{
    if (sqlite3_step(q) != SQLITE_DONE)
        bench_die("bare SQLite", E_IO, NULL);
    (void)sqlite3_reset(q);
}

static void blob(sqlite3_stmt *q, int at, const void *data, size_t len)
{
    (void)sqlite3_bind_blob64(q, at, data, len, SQLITE_STATIC);
}

/* What the engine made of the round: its entries, as they stand in its log, and their documents. */
static int row_take(void *ctx, uint64_t index, struct span bytes)
{
    struct bare *bare = ctx;
    struct row *row = &bare->rows[bare->count++];
    struct statement s;
    struct buf message;
    memcpy(row->entry, bytes.data, bytes.len);
    row->entry_len = bytes.len;
    if (statement_parse(&s, bytes, NULL) != 0)
        return E_SYNTAX;
    buf_init(&message, STATEMENT_BYTES_MAX);
    cose_to_be_signed(&message, s.cose.protected_bytes, span_hash(&s.document));
    row->message_len = message.len;
    memcpy(row->message, message.data, message.len);
    buf_free(&message);
    row->document_len = bench_document(index, (char *)row->document);
    row->zstd_len = ZSTD_compress(row->zstd, sizeof row->zstd, row->document, row->document_len, 3);
    return ZSTD_isError(row->zstd_len) ? E_LIMIT : 0;
}

static void tiles_put(const struct bare *bare, uint64_t end)
{
    static const uint8_t hashes[TILE_BYTES_MAX];
    for (uint64_t tile = end / TILE_WIDTH - 4; tile < end / TILE_WIDTH; tile++) {
        (void)sqlite3_bind_int(bare->tile, 1, 0);
        (void)sqlite3_bind_int64(bare->tile, 2, (int64_t)tile);
        blob(bare->tile, 3, hashes, sizeof hashes);
        run(bare->tile);
    }
    uint64_t parent = (end / TILE_WIDTH - 1) / TILE_WIDTH;
    (void)sqlite3_bind_int(bare->tile, 1, 1);
    (void)sqlite3_bind_int64(bare->tile, 2, (int64_t)parent);
    blob(bare->tile, 3, hashes, (size_t)(end / TILE_WIDTH - parent * TILE_WIDTH) * 32);
    run(bare->tile);
}

static void bare_batch(const struct bare *bare, const struct row *rows, uint64_t first)
{
    struct hash document, leaf;
    struct signature signature;
    sql(bare->db, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < BATCH_STATEMENTS_MAX; i++) {
        const struct row *row = &rows[i];
        int64_t key = (int64_t)((uint64_t)1 << 40 | (first + i));
        sign(bare->secret, span_of(row->message, row->message_len), &signature);
        sha256(span_of(row->document, row->document_len), &document);
        tree_leaf(span_of(row->entry, row->entry_len), &leaf);
        blob(bare->document, 1, document.b, 32);
        (void)sqlite3_bind_int64(bare->document, 2, (int64_t)row->document_len);
        blob(bare->document, 3, row->zstd, row->zstd_len);
        run(bare->document);
        (void)sqlite3_bind_int64(bare->entry, 1, key);
        blob(bare->entry, 2, row->entry, row->entry_len);
        run(bare->entry);
        blob(bare->id, 1, leaf.b, 32);
        (void)sqlite3_bind_int64(bare->id, 2, key);
        run(bare->id);
    }
    tiles_put(bare, first + BATCH_STATEMENTS_MAX);
    (void)sqlite3_bind_int64(bare->note, 1, (int64_t)first);
    blob(bare->note, 2, rows[0].entry, 200);
    run(bare->note);
    sql(bare->db, "COMMIT");
}

static double bare_round(struct bench_circle *circle, struct bare *bare, uint64_t first)
{
    log_id id;
    bare->count = 0;
    int rc = circle->store->ops->log_open(circle->store, span_str(circle->roster.parties[0].origin), false, &id);
    rc = rc ? rc : circle->store->ops->entries_scan(circle->store, id, first, first + ROUND, row_take, bare);
    if (rc)
        bench_die("entries", rc, NULL);
    double start = bench_now();
    for (size_t at = 0; at < ROUND; at += BATCH_STATEMENTS_MAX)
        bare_batch(bare, bare->rows + at, first + at);
    return ROUND / (bench_now() - start);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct bench_circle circle;
    struct bare bare = {0};
    bench_start(&bench, "statements", argc, argv);
    size_t rounds = bench.count ? (size_t)((bench.count + ROUND - 1) / ROUND) : ROUNDS;
    double *engine = calloc(rounds, sizeof *engine), *least = calloc(rounds, sizeof *least);
    if (!engine || !least)
        bench_die("memory", E_NOMEM, NULL);
    bench_pin();
    bench_circle_make(&circle);
    bench_circle_open(&circle);
    bare_open(&bare, circle.dir);
    for (size_t i = 0; i < rounds; i++) {
        double start = bench_now();
        bench_state(&circle, i * ROUND, ROUND);
        engine[i] = ROUND / (bench_now() - start);
        least[i] = bare_round(&circle, &bare, i * ROUND);
    }
    bare_close(&bare);
    bench_circle_close(&circle);
    bench_circle_drop(&circle);
    const struct bench_figure figure = {.name = "durable statements, batches of 1,024",
                                        .unit = "/s",
                                        .value = bench_median(engine, rounds),
                                        .floor = bench_median(least, rounds),
                                        .target = 0.7};
    bench_report(&bench, &figure);
    free(engine);
    free(least);
    return 0;
}
