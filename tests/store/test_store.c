/* One body for both stores: the same operations give the same results in a file and in memory. */
#include "tests/test.h"

#include "crypto/sha256.h"
#include "tests/store/subject.h"

static bool in_memory;
static struct store *store;

static void open_it(void)
{
    CHECK_INT(in_memory ? store_memory_open(&store) : store_sqlite_open(&store, database, blobs, NULL), 0);
}

/* What was not committed is gone; what was, is there. */
static void crash(void)
{
    if (in_memory) {
        store_memory_crash(store);
        return;
    }
    store->ops->close(store);
    open_it();
}

static int state_is(const char *key, const char *want)
{
    struct buf out;
    buf_init(&out, 1000);
    int rc = store->ops->state_get(store, span_str(key), &out);
    bool same = span_is(buf_view(&out), want);
    buf_free(&out);
    return rc ? rc : same ? 0 : 1;
}

static void test_batches(void)
{
    test("a batch is whole or not at all");
    CHECK_INT(store->ops->commit(store), E_STATE);
    CHECK_INT(store->ops->rollback(store), E_STATE);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->begin(store), E_STATE);
    CHECK_INT(store->ops->state_put(store, span_str("a"), span_str("1")), 0);
    CHECK_INT(state_is("a", "1"), 0); /* reads see the batch */
    CHECK_INT(store->ops->rollback(store), 0);
    CHECK_INT(state_is("a", "1"), E_NOTFOUND);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->state_put(store, span_str("a"), span_str("1")), 0);
    CHECK_INT(store->ops->state_put(store, span_str("empty"), span_of(NULL, 0)), 0);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->state_put(store, span_str("a"), span_str("2")), 0);
    crash();
    CHECK_INT(state_is("a", "1"), 0);
    CHECK_INT(state_is("empty", ""), 0);
}

static int origin_visit(void *ctx, log_id log, struct span origin)
{
    log_id *seen = ctx;
    CHECK(origin.len > 0);
    *seen = *seen * 10 + log;
    return 0;
}

static void test_logs(void)
{
    log_id first, second, again, seen = 0;
    uint64_t size;
    test("logs have small numbers");
    CHECK_INT(store->ops->log_open(store, span_str("one.example/log"), false, &first), E_NOTFOUND);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->log_open(store, span_str("one.example/log"), true, &first), 0);
    CHECK_INT(store->ops->log_open(store, span_str("two.example/log"), true, &second), 0);
    CHECK_INT(store->ops->log_open(store, span_str("one.example/log"), true, &again), 0);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK(first > 0 && second > 0 && first != second && first == again);
    CHECK_INT(store->ops->log_size(store, first, &size), 0);
    CHECK_INT(size, 0);
    CHECK_INT(store->ops->log_list(store, origin_visit, &seen), 0);
    CHECK_INT(seen, first * 10 + second);
}

static log_id log_of(const char *origin)
{
    log_id log = 0;
    CHECK_INT(store->ops->log_open(store, span_str(origin), false, &log), 0);
    return log;
}

static void root_check(log_id log, uint64_t size)
{
    struct store_tiles tiles = {.store = store, .log = log};
    struct tile_reader reader = store_tile_reader(&tiles);
    static struct frontier frontier;
    struct hash got, want, id;
    struct span entry;
    char text[64];
    frontier = (struct frontier){0};
    for (uint64_t i = 0; i < size; i++) {
        entry_make(i, text, &entry, &id);
        frontier_append(&frontier, &id);
    }
    frontier_root(&frontier, &want);
    CHECK_INT(tree_root(&reader, size, &got), 0);
    CHECK(hash_eq(&got, &want));
}

static void test_append(void)
{
    static const size_t steps[] = {1, 1, 253, 1, 1, 255, 1024, 700, 1};
    log_id log = log_of("one.example/log");
    uint64_t size = 0, got;
    test("entries, tiles and the root grow together");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        CHECK_INT(store->ops->begin(store), 0);
        CHECK_INT(entries_add(store, log, size, steps[i]), 0);
        size += steps[i];
        root_check(log, size); /* within the batch */
        CHECK_INT(store->ops->commit(store), 0);
        CHECK_INT(store->ops->log_size(store, log, &got), 0);
        CHECK_INT(got, size);
    }
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(entries_add(store, log, size, 700), 0);
    crash();
    CHECK_INT(store->ops->log_size(store, log, &got), 0);
    CHECK_INT(got, size);
    root_check(log, size);
    root_check(log, 300); /* older sizes out of wider tiles */
}

static int count_visit(void *ctx, uint64_t index, struct span bytes)
{
    uint64_t *next = ctx;
    char text[64];
    struct span entry;
    struct hash id;
    entry_make(index, text, &entry, &id);
    CHECK(*next == index && span_eq(entry, bytes));
    ++*next;
    return index == 500 ? 7 : 0;
}

static const struct {
    uint64_t start, end;
    int want;
    uint64_t next;
} scans[] = {
    {0, 0, 0, 0},
    {0, 256, 0, 256},
    {255, 257, 0, 257},
    {490, 600, 7, 501}, /* the visitor stops */
    {2236, 2237, 0, 2237},
    {2236, 2240, E_NOTFOUND, 2237}, /* held entries first */
    {2237, 2237, 0, 2237},
    {5, 4, E_NOTFOUND, 5},
    {0, (uint64_t)1 << 40, E_NOTFOUND, 0},
    {(uint64_t)1 << 40, ((uint64_t)1 << 40) + 1, E_NOTFOUND, (uint64_t)1 << 40},
    {UINT64_MAX - 1, UINT64_MAX, E_NOTFOUND, UINT64_MAX - 1},
};

static void test_read(void)
{
    static const uint64_t absent[] = {2237, 1000000, (uint64_t)1 << 40, (uint64_t)1 << 41, UINT64_MAX};
    log_id one = log_of("one.example/log"), two = log_of("two.example/log");
    struct buf out;
    test("entries by index and in order; no index reaches into another log");
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(entries_add(store, two, 5000, 3), 0);
    CHECK_INT(store->ops->commit(store), 0);
    for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++) {
        uint64_t next = scans[i].start;
        CHECK_INT(store->ops->entries_scan(store, one, scans[i].start, scans[i].end, count_visit, &next),
                  scans[i].want);
        CHECK(next == scans[i].next);
    }
    buf_init(&out, 100);
    CHECK_INT(store->ops->entry_get(store, one, 2236, &out), 0);
    CHECK(span_is(buf_view(&out), "entry number 2236"));
    buf_reset(&out);
    CHECK_INT(store->ops->entry_get(store, two, 0, &out), 0);
    CHECK(span_is(buf_view(&out), "entry number 5000"));
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        CHECK_INT(store->ops->entry_get(store, one, absent[i], &out), E_NOTFOUND);
    CHECK_INT(store->ops->entry_get(store, -1, 0, &out), E_NOTFOUND);
    buf_free(&out);
    buf_init(&out, 10);
    CHECK_INT(store->ops->entry_get(store, one, 1, &out), E_LIMIT);
    buf_free(&out);
}

static void test_find(void)
{
    log_id one = log_of("one.example/log"), two = log_of("two.example/log"), log;
    uint64_t index;
    char text[64];
    struct span entry;
    struct hash id;
    test("the first index of an id wins");
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(entries_add(store, two, 77, 1), 0);
    CHECK_INT(store->ops->commit(store), 0);
    entry_make(77, text, &entry, &id);
    CHECK_INT(store->ops->entry_find(store, &id, &log, &index), 0);
    CHECK(log == one && index == 77);
    CHECK_INT(entries_add(store, two, 80, 1), E_STATE); /* only in a batch */
    entry_make(5002, text, &entry, &id);
    CHECK_INT(store->ops->entry_find(store, &id, &log, &index), 0);
    CHECK(log == two && index == 2);
    entry_make(999999, text, &entry, &id);
    CHECK_INT(store->ops->entry_find(store, &id, &log, &index), E_NOTFOUND);
}

static const struct {
    unsigned level;
    uint64_t index;
    unsigned width;
    int want;
} tiles_wanted[] = {
    {0, 0, 256, 0},
    {0, 0, 1, 0},
    {0, 8, 189, 0},
    {0, 8, 190, E_NOTFOUND},
    {1, 0, 8, 0},
    {1, 0, 9, E_NOTFOUND},
    {0, 9, 1, E_NOTFOUND},
    {2, 0, 1, E_NOTFOUND},
    {0, 0, 257, E_NOTFOUND},
    {0, (uint64_t)1 << 60, 1, E_NOTFOUND},
    {0, UINT64_MAX, 1, E_NOTFOUND},
};

static void test_tiles(void)
{
    static struct hash got[256];
    log_id one = log_of("one.example/log");
    char text[64];
    struct span entry;
    struct hash id;
    test("tiles: 2,237 entries are 8 full tiles, one of 189, and one of 8 above");
    for (size_t i = 0; i < sizeof tiles_wanted / sizeof tiles_wanted[0]; i++)
        CHECK_INT(
            store->ops->tile_get(store, one, tiles_wanted[i].level, tiles_wanted[i].index, tiles_wanted[i].width, got),
            tiles_wanted[i].want);
    CHECK_INT(store->ops->tile_get(store, one, 0, 8, 189, got), 0);
    entry_make(2236, text, &entry, &id);
    CHECK(hash_eq(&got[188], &id));
}

static void test_notes(void)
{
    static const struct {
        uint64_t from;
        int want;
        uint64_t found;
        const char *text;
    } table[] = {{0, 0, 5, "five"},
                 {5, 0, 5, "five"},
                 {6, 0, 9, "nine, better"},
                 {10, E_NOTFOUND, 0, ""},
                 {UINT64_MAX, E_NOTFOUND, 0, ""}};
    log_id log = log_of("one.example/log");
    uint64_t size;
    struct buf out;
    buf_init(&out, 100);
    test("notes by kind and size");
    CHECK_INT(store->ops->note_latest(store, log, NOTE_SIGNED, &size, &out), E_NOTFOUND);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->note_put(store, log, NOTE_SIGNED, 9, span_str("nine")), 0);
    CHECK_INT(store->ops->note_put(store, log, NOTE_SIGNED, 5, span_str("five")), 0);
    CHECK_INT(store->ops->note_put(store, log, NOTE_SIGNED, 9, span_str("nine, better")), 0);
    CHECK_INT(store->ops->note_put(store, log, NOTE_PENDING, 11, span_str("eleven")), 0);
    CHECK_INT(store->ops->note_put(store, log, NOTE_PENDING, UINT64_MAX, span_str("absurd")), E_LIMIT);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(store->ops->note_latest(store, log, NOTE_SIGNED, &size, &out), 0);
    CHECK(size == 9 && span_is(buf_view(&out), "nine, better"));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        buf_reset(&out);
        size = 0;
        CHECK_INT(store->ops->note_at_least(store, log, NOTE_SIGNED, table[i].from, &size, &out), table[i].want);
        CHECK(size == table[i].found && span_is(buf_view(&out), table[i].text));
    }
    CHECK_INT(store->ops->note_latest(store, log, NOTE_MIRRORED, &size, &out), E_NOTFOUND);
    buf_free(&out);
}

struct seen {
    size_t count;
    struct stored_cosignature rows[8];
};

static int cosignature_collect(void *ctx, const struct stored_cosignature *c)
{
    struct seen *seen = ctx, inner = {0};
    seen->rows[seen->count++] = *c;
    if (seen->count == 1) /* a visitor may ask again */
        CHECK_INT(store->ops->cosignatures(store, log_of("two.example/log"), 0, cosignature_collect, &inner), 0);
    return 0;
}

static int cosignature_add(log_id log, uint64_t size, uint8_t root, uint8_t kid, int64_t at, uint8_t cose)
{
    struct stored_cosignature c = {.size = size, .timestamp = at, .has_cose = cose != 0};
    memset(c.root.b, root, 32);
    memset(c.kid.b, kid, 32);
    memset(c.signature.b, (int)at, 64);
    memset(c.cose.b, cose, 64);
    return store->ops->cosignature_put(store, log, &c);
}

static void test_cosignatures(void)
{
    static const struct {
        uint64_t size;
        uint8_t root, kid;
        int64_t at;
        uint8_t cose;
    } put[] = {{20, 1, 1, 50, 0}, {10, 2, 1, 40, 0}, {10, 1, 2, 40, 0}, {10, 1, 1, 60, 9}, /* new rows */
               {20, 1, 1, 55, 0}, {20, 1, 1, 70, 8},  /* later: only the COSE is new */
               {10, 1, 1, 30, 0}, {10, 1, 1, 65, 7}}, /* earlier: the COSE stays */
        want[] = {{10, 1, 1, 30, 9}, {10, 1, 2, 40, 0}, {10, 2, 1, 40, 0}, {20, 1, 1, 50, 8}};
    log_id log = log_of("one.example/log");
    struct seen seen = {0};
    test("cosignatures: the earliest stays, a COSE signature is added, the order is fixed");
    CHECK_INT(store->ops->begin(store), 0);
    for (size_t i = 0; i < sizeof put / sizeof put[0]; i++)
        CHECK_INT(cosignature_add(log, put[i].size, put[i].root, put[i].kid, put[i].at, put[i].cose), 0);
    CHECK_INT(cosignature_add(log, UINT64_MAX, 1, 1, 1, 0), E_LIMIT);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(store->ops->cosignatures(store, log, 0, cosignature_collect, &seen), 0);
    CHECK_INT(seen.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct stored_cosignature *c = &seen.rows[i];
        CHECK(c->size == want[i].size && c->root.b[0] == want[i].root && c->kid.b[0] == want[i].kid);
        CHECK(c->timestamp == want[i].at && c->signature.b[63] == (uint8_t)want[i].at);
        CHECK(c->has_cose == (want[i].cose != 0) && c->cose.b[63] == want[i].cose);
    }
    seen.count = 0;
    CHECK_INT(store->ops->cosignatures(store, log, 11, cosignature_collect, &seen), 0);
    CHECK_INT(seen.count, 1);
    CHECK_INT(store->ops->cosignatures(store, log, UINT64_MAX, cosignature_collect, &seen), 0);
    CHECK_INT(seen.count, 1);
}

static void test_documents(void)
{
    static const size_t sizes[] = {0, 1, 1000, DOCUMENT_INLINE_MAX, DOCUMENT_INLINE_MAX + 1, 3000000};
    uint8_t *bytes = malloc(3000000);
    struct hash hash, other = {{1}};
    struct stored_document info;
    struct buf out;
    buf_init(&out, DOCUMENT_BYTES_MAX);
    test("documents of every size, labelled and relabelled");
    for (size_t i = 0; bytes && i < 3000000; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t i = 0; bytes && i < sizeof sizes / sizeof sizes[0]; i++) {
        struct span document = span_of(bytes, sizes[i]);
        sha256(document, &hash);
        CHECK_INT(store->ops->document_info(store, &hash, &info), E_NOTFOUND);
        CHECK_INT(store->ops->begin(store), 0);
        CHECK_INT(store->ops->document_put(store, &hash, LABEL_MEMBERS, document), 0);
        CHECK_INT(store->ops->document_put(store, &hash, LABEL_MEMBERS, document), 0);
        CHECK_INT(store->ops->commit(store), 0);
        crash();
        CHECK_INT(store->ops->document_info(store, &hash, &info), 0);
        CHECK(info.label == LABEL_MEMBERS && info.size == sizes[i]);
        buf_reset(&out);
        CHECK_INT(store->ops->document_get(store, &hash, &out), 0);
        CHECK(span_eq(buf_view(&out), document));
        CHECK_INT(store->ops->document_put(store, &hash, LABEL_SEALED, document), 0);
        CHECK_INT(store->ops->document_info(store, &hash, &info), 0);
        CHECK(info.label == LABEL_SEALED);
    }
    CHECK_INT(store->ops->document_get(store, &other, &out), E_NOTFOUND);
    CHECK_INT(store->ops->document_put(store, &other, LABEL_OPEN, span_of(bytes, (size_t)DOCUMENT_BYTES_MAX + 1)),
              E_LIMIT);
    buf_free(&out);
    buf_init(&out, 10);
    CHECK_INT(store->ops->document_get(store, &hash, &out), E_LIMIT);
    buf_free(&out);
    CHECK_INT(store->ops->document_put(store, &other, LABEL_OPEN, span_str("not of this hash")), E_HASH);
    free(bytes);
}

static int journal_collect(void *ctx, const struct journal_row *row)
{
    struct buf *out = ctx;
    buf_printf(out, "%lld@%lld:", (long long)row->seq, (long long)row->at);
    buf_span(out, row->key);
    buf_byte(out, '=');
    buf_span(out, row->body);
    buf_byte(out, ' ');
    return row->at == 99 ? 5 : 0;
}

static void test_journal(void)
{
    struct span kind = span_str("arrival"), other = span_str("notice");
    int64_t seq = 0;
    struct buf out;
    buf_init(&out, 1000);
    test("the journal: keys are unique within a kind, rows stay in order");
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->journal_append(store, 10, kind, span_str("k1"), span_str("b1"), &seq), 0);
    CHECK_INT(seq, 1);
    CHECK_INT(store->ops->journal_append(store, 11, other, span_str("k1"), span_of(NULL, 0), &seq), 0);
    CHECK_INT(store->ops->journal_append(store, 12, kind, span_str("k1"), span_str("b2"), &seq), E_EXISTS);
    CHECK_INT(store->ops->journal_append(store, 99, kind, span_str("k2"), span_str("b3"), NULL), 0);
    CHECK_INT(store->ops->journal_append(store, 13, kind, span_of("k\0x", 3), span_str("b4"), &seq), 0);
    CHECK_INT(seq, 4);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(store->ops->journal_scan(store, kind, 0, journal_collect, &out), 5);
    CHECK(span_is(buf_view(&out), "1@10:k1=b1 3@99:k2=b3 "));
    buf_reset(&out);
    CHECK_INT(store->ops->journal_scan(store, kind, 3, journal_collect, &out), 0);
    CHECK(span_eq(buf_view(&out), span_of("4@13:k\0x=b4 ", 12)));
    buf_reset(&out);
    CHECK_INT(store->ops->journal_find(store, other, span_str("k1"), journal_collect, &out), 0);
    CHECK(span_is(buf_view(&out), "2@11:k1= "));
    CHECK_INT(store->ops->journal_find(store, other, span_str("k2"), journal_collect, &out), E_NOTFOUND);
    CHECK_INT(store->ops->journal_find(store, kind, span_str("k1"), NULL, NULL), 0);
    CHECK_INT(store->ops->journal_scan(store, span_str("none"), 0, journal_collect, &out), 0);
    buf_free(&out);
}

static int pair_collect(void *ctx, struct span key, struct span value)
{
    struct buf *out = ctx;
    for (size_t i = 0; i < key.len; i++)
        buf_byte(out, key.data[i] ? key.data[i] : '/');
    buf_byte(out, '=');
    buf_span(out, value);
    buf_byte(out, ' ');
    return span_is(value, "stop") ? 3 : 0;
}

static void test_views(void)
{
    static const struct {
        const char *view, *key, *value;
    } rows[] = {{"v", "b", "2"}, {"v", "a", "1"}, {"w", "a", "stop"}, {"v", "ab", "9"}, {"v", "a", "8"}, {"", "", ""}};
    struct buf out;
    buf_init(&out, 1000);
    test("views: ordered, dumped and dropped");
    CHECK_INT(store->ops->begin(store), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_INT(store->ops->view_put(store, span_str(rows[i].view), span_str(rows[i].key), span_str(rows[i].value)),
                  0);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(store->ops->view_scan(store, span_str("v"), span_of(NULL, 0), pair_collect, &out), 0);
    CHECK(span_is(buf_view(&out), "a=8 ab=9 b=2 "));
    buf_reset(&out);
    CHECK_INT(store->ops->view_scan(store, span_str("v"), span_str("aa"), pair_collect, &out), 0);
    CHECK(span_is(buf_view(&out), "ab=9 b=2 "));
    buf_reset(&out);
    CHECK_INT(store->ops->views_dump(store, pair_collect, &out), 3);
    CHECK(span_is(buf_view(&out), "/= v/a=8 v/ab=9 v/b=2 w/a=stop "));
    buf_reset(&out);
    CHECK_INT(store->ops->view_get(store, span_str("v"), span_str("ab"), &out), 0);
    CHECK(span_is(buf_view(&out), "9"));
    CHECK_INT(store->ops->view_delete(store, span_str("v"), span_str("ab")), 0);
    CHECK_INT(store->ops->view_delete(store, span_str("v"), span_str("ab")), 0);
    CHECK_INT(store->ops->view_get(store, span_str("v"), span_str("ab"), &out), E_NOTFOUND);
    CHECK_INT(store->ops->views_drop(store), 0);
    buf_reset(&out);
    CHECK_INT(store->ops->views_dump(store, pair_collect, &out), 0);
    CHECK_INT(out.len, 0);
    buf_free(&out);
}

static int kept_is(const char *space, const char *key, struct span want)
{
    struct buf out;
    buf_init(&out, 2 << 20);
    int rc = store->ops->kept_get(store, span_str(space), span_str(key), &out);
    bool same = rc == 0 && span_eq(buf_view(&out), want);
    buf_free(&out);
    return rc ? rc : same ? 0 : 1;
}

static int kept_collect(void *ctx, struct span key, struct span value)
{
    struct buf *out = ctx;
    buf_span(out, key);
    buf_printf(out, "=%zu ", value.len);
    return span_is(key, "stop") ? 3 : 0;
}

static void test_kept(void)
{
    static uint8_t large[1 << 20], noise[4096];
    struct span plain = span_of(large, sizeof large), random = span_of(noise, sizeof noise);
    struct buf out;
    test("what is kept as a whole: replaced, packed when that pays, scanned and dropped by space");
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i / 1000);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 2654435761u >> 13);
    buf_init(&out, 1000);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->kept_put(store, span_str("s"), span_str("b"), plain), 0);
    CHECK_INT(store->ops->kept_put(store, span_str("s"), span_str("b"), span_of(large, 1000)), 0);
    CHECK_INT(store->ops->kept_put(store, span_str("s"), span_str("a"), plain), 0);
    CHECK_INT(store->ops->kept_put(store, span_str("s"), span_str(""), span_of(NULL, 0)), 0);
    CHECK_INT(store->ops->kept_put(store, span_str("t"), span_str("stop"), random), 0);
    CHECK_INT(store->ops->commit(store), 0);
    CHECK_INT(kept_is("s", "a", plain), 0);
    CHECK_INT(kept_is("s", "b", span_of(large, 1000)), 0);
    CHECK_INT(kept_is("s", "", span_of(NULL, 0)), 0);
    CHECK_INT(kept_is("t", "stop", random), 0);
    CHECK_INT(kept_is("t", "a", plain), E_NOTFOUND);
    CHECK_INT(store->ops->kept_scan(store, span_str("s"), kept_collect, &out), 0);
    CHECK(span_is(buf_view(&out), "=0 a=1048576 b=1000 "));
    CHECK_INT(store->ops->kept_scan(store, span_str("t"), kept_collect, &out), 3);
    CHECK_INT(store->ops->begin(store), 0);
    CHECK_INT(store->ops->kept_drop(store, span_str("s"), span_of("", 0)), 0);
    CHECK_INT(store->ops->kept_drop(store, span_str("s"), span_str("none")), 0);
    CHECK_INT(kept_is("s", "", span_of(NULL, 0)), E_NOTFOUND);
    CHECK_INT(kept_is("s", "a", plain), 0);
    CHECK_INT(store->ops->kept_drop(store, span_str("s"), span_of(NULL, 0)), 0);
    CHECK_INT(kept_is("s", "a", plain), E_NOTFOUND);
    CHECK_INT(kept_is("t", "stop", random), 0);
    crash();
    CHECK_INT(kept_is("s", "b", span_of(large, 1000)), 0);
    buf_free(&out);
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        in_memory = i != 0;
        printf("# %s\n", in_memory ? "in memory" : "in a file");
        folder_make();
        open_it();
        test_batches();
        test_logs();
        test_append();
        test_read();
        test_find();
        test_tiles();
        test_notes();
        test_cosignatures();
        test_documents();
        test_journal();
        test_views();
        test_kept();
        store->ops->close(store);
        folder_drop();
    }
    return test_end();
}
