/* A whole log in memory is audited; then one thing at a time is spoiled, and the audit must say which. */
#include "tests/test.h"

#include <stdlib.h>

#include "record/audit.h"
#include "record/wire.h"

enum { PATHS_MAX = 1200 };
#define ORIGIN "comity/0101010101010101/cert.example"

/* The log as its resources by path. */
struct resource {
    char path[64];
    struct buf bytes;
};
static struct resource resources[PATHS_MAX];
static size_t resource_count;

static struct secret_key *party_secret, *log_secret, *other_secret;
static struct public_key party_key, log_key, other_key;
static struct hash circle;

static struct resource *find(const char *path)
{
    for (size_t i = 0; i < resource_count; i++)
        if (strcmp(resources[i].path, path) == 0)
            return &resources[i];
    return NULL;
}

static void put(const char *path, struct span bytes)
{
    struct resource *r = find(path);
    if (!r)
        r = &resources[resource_count++];
    buf_free(&r->bytes);
    buf_init(&r->bytes, 2u << 20);
    (void)snprintf(r->path, sizeof r->path, "%s", path);
    buf_span(&r->bytes, bytes);
}

static int get(void *ctx, const char *path, struct buf *out, struct fault *fault)
{
    (void)ctx;
    const struct resource *r = find(path);
    if (!r || !r->path[0])
        return fail(fault, E_NOTFOUND, "no such resource");
    buf_span(out, buf_view(&r->bytes));
    return out->error;
}

static void entry_write(struct buf *out, uint64_t index, const char *issuer, const struct secret_key *secret,
                        const struct public_key *key)
{
    struct statement s = {.issuer = span_str(issuer),
                          .media = span_str("application/osv+json"),
                          .circle = circle,
                          .issued_at = (int64_t)index};
    char subject[32];
    struct buf header, message;
    struct signature signature;
    (void)snprintf(subject, sizeof subject, "EX-%llu", (unsigned long long)index);
    s.subject = span_str(subject);
    memcpy(s.document.b, &index, sizeof index);
    key_id(key, &s.kid);
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    statement_protected(&header, &s);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&s.document));
    sign(secret, buf_view(&message), &signature);
    cose_write(out, buf_view(&header), span_of(NULL, 0), span_hash(&s.document), &signature);
    buf_free(&header);
    buf_free(&message);
}

static int tile_store(void *ctx, unsigned level, uint64_t index, unsigned width, const struct hash *hashes)
{
    char path[64];
    (void)ctx;
    tile_path(path, (int)level, index, width);
    put(path, span_of(hashes, width * sizeof *hashes));
    return 0;
}

static void checkpoint_store(uint64_t size, const struct hash *root, const struct secret_key *secret,
                             const struct public_key *key)
{
    struct buf note;
    struct signature signature;
    buf_init(&note, NOTE_BYTES_MAX);
    checkpoint_write_text(&note, span_str(ORIGIN), size, root);
    sign(secret, buf_view(&note), &signature);
    buf_byte(&note, '\n');
    note_signature_write(&note, span_str(ORIGIN), key, &signature);
    put("checkpoint", buf_view(&note));
    buf_free(&note);
}

static struct hash *leaves;
static struct hash root;

/* `odd` is the index of an entry by another issuer or key; UINT64_MAX: none. */
static void log_make(uint64_t size, uint64_t odd, const char *issuer, const struct secret_key *secret,
                     const struct public_key *key)
{
    struct frontier f = {0};
    struct buf bundle, entry;
    resource_count = 0;
    buf_init(&bundle, BUNDLE_BYTES_MAX);
    buf_init(&entry, STATEMENT_BYTES_MAX);
    for (uint64_t i = 0; i < size; i++) {
        bool is_odd = i == odd;
        buf_reset(&entry);
        entry_write(&entry, i, is_odd ? issuer : "cert.example", is_odd ? secret : party_secret,
                    is_odd ? key : &party_key);
        bundle_add(&bundle, buf_view(&entry));
        tree_leaf(buf_view(&entry), &leaves[i]);
        frontier_append(&f, &leaves[i]);
        if ((i + 1) % TILE_WIDTH && i + 1 < size)
            continue;
        char path[64];
        tile_path(path, -1, i / TILE_WIDTH, (unsigned)(i % TILE_WIDTH) + 1);
        put(path, buf_view(&bundle));
        buf_reset(&bundle);
    }
    frontier_root(&f, &root);
    CHECK_INT(tree_extend(&(struct tile_reader){0}, 0, leaves, (size_t)size, tile_store, NULL), 0);
    checkpoint_store(size, &root, log_secret, &log_key);
    buf_free(&bundle);
    buf_free(&entry);
}

static void log_plain(uint64_t size)
{
    log_make(size, UINT64_MAX, NULL, NULL, NULL);
}

static const struct public_key *key_of(void *ctx, const struct hash *kid, struct span issuer, uint64_t index)
{
    struct hash mine;
    (void)ctx, (void)issuer, (void)index;
    key_id(&party_key, &mine);
    return hash_eq(kid, &mine) ? &party_key : NULL;
}

static bool never(void *ctx, uint64_t done, uint64_t total)
{
    uint64_t *calls = ctx;
    ++*calls;
    return done < 256 && total > 0;
}

static struct audit_options options;
static struct fault fault;

static int run(struct audit_result *result)
{
    static const struct audit_source source = {.get = get};
    fault = (struct fault){0};
    return audit_log(&source, &options, result, &fault);
}

static void check_good(uint64_t size)
{
    struct audit_result result;
    log_plain(size);
    CHECK_INT(run(&result), 0);
    CHECK(result.size == size && result.verified == size && hash_eq(&result.root, &root));
    options.skip_tiles = true;
    CHECK_INT(run(&result), 0);
    options.skip_tiles = false;
}

static void check_bad(int rc, const char *where)
{
    struct audit_result result;
    CHECK_INT(run(&result), rc);
    CHECK(strcmp(fault.where, where) == 0);
    if (strcmp(fault.where, where) != 0)
        printf("# %s: %s\n", fault.where, fault.detail);
}

static void flip(const char *path, size_t at)
{
    struct resource *r = find(path);
    CHECK(r && at < r->bytes.len);
    if (r && at < r->bytes.len)
        r->bytes.data[at] ^= 1;
}

static void lose(const char *path)
{
    struct resource *r = find(path);
    CHECK(r);
    if (r)
        r->path[0] = 0;
}

static void test_tiles(void)
{
    log_plain(600);
    flip("tile/0/001", 77);
    check_bad(E_PROOF, "tile/0/001");
    log_plain(600);
    flip("tile/0/002.p/88", 0);
    check_bad(E_PROOF, "tile/0/002.p/88");
    log_plain(600);
    flip("tile/1/000.p/2", 32);
    check_bad(E_PROOF, "tile/1/000.p/2");
    options.skip_tiles = true;
    struct audit_result result;
    CHECK_INT(run(&result), 0);
    options.skip_tiles = false;
    log_plain(600);
    lose("tile/0/000");
    check_bad(E_NOTFOUND, "tile/0/000");
    log_plain(600);
    find("tile/0/000")->bytes.len -= 32;
    check_bad(E_PROOF, "tile/0/000");
}

static void test_entries(void)
{
    log_plain(300);
    const uint8_t *bundle = find("tile/entries/000")->bytes.data;
    flip("tile/entries/000",
         1u + (size_t)(bundle[0] << 8 | bundle[1])); /* the last byte of the first entry's signature */
    struct audit_result result;
    check_bad(E_SIGNATURE, "entry 0");
    log_plain(300);
    find("tile/entries/001.p/44")->bytes.len -= 1;
    CHECK_INT(run(&result), E_TRUNCATED);
    log_plain(300);
    find("tile/entries/001.p/44")->bytes.len = 0;
    CHECK_INT(run(&result), E_TRUNCATED);
    log_plain(300);
    lose("tile/entries/000");
    check_bad(E_NOTFOUND, "tile/entries/000");
    log_make(300, 299, "other.example", party_secret, &party_key);
    check_bad(E_ISSUER, "entry 299");
    log_make(300, 10, "cert.example", other_secret, &other_key);
    check_bad(E_KEY, "entry 10");
    log_make(300, 11, "cert.example", other_secret, &party_key);
    check_bad(E_SIGNATURE, "entry 11");
    struct hash elsewhere = {{9}};
    options.circle = &elsewhere;
    log_plain(2);
    check_bad(E_CIRCLE, "entry 0");
    options.circle = NULL;
    CHECK_INT(run(&result), 0);
    options.circle = &circle;
}

static void test_checkpoints(void)
{
    log_plain(3);
    root.b[0] ^= 1;
    checkpoint_store(3, &root, log_secret, &log_key);
    check_bad(E_PROOF, "");
    log_plain(3);
    checkpoint_store(3, &root, other_secret, &log_key);
    check_bad(E_SIGNATURE, "checkpoint");
    checkpoint_store(3, &root, other_secret, &other_key);
    check_bad(E_KEY, "checkpoint");
    lose("checkpoint");
    check_bad(E_NOTFOUND, "checkpoint");
    log_plain(3);
    options.log_name = span_str("comity/0101010101010101/other");
    check_bad(E_KEY, "checkpoint");
    options.log_name = span_str(ORIGIN);
    checkpoint_store(4, &root, log_secret, &log_key); /* more than there is */
    check_bad(E_NOTFOUND, "tile/entries/000.p/4");
}

/* The log grew since, and its partial tiles of the size that the checkpoint names are gone. */
static void test_grown(void)
{
    struct audit_result result;
    struct hash old_root;
    log_plain(300);
    old_root = root;
    log_plain(512);
    checkpoint_store(300, &old_root, log_secret, &log_key);
    put("tile/1/000.p/1", span_of(find("tile/1/000.p/2")->bytes.data, 32));
    CHECK_INT(run(&result), 0);
    CHECK_INT(result.size, 300);
}

static void test_progress(void)
{
    struct audit_result result;
    uint64_t calls = 0;
    log_plain(600);
    options.progress = never;
    options.progress_ctx = &calls;
    CHECK_INT(run(&result), E_STATE);
    CHECK_INT(calls, 1);
    options.progress = NULL;
}

int main(void)
{
    static const uint8_t seeds[3][32] = {{1}, {2}, {3}};
    if (crypto_start() != 0)
        return 1;
    party_secret = secret_key_from_seed(seeds[0], &party_key);
    log_secret = secret_key_from_seed(seeds[1], &log_key);
    other_secret = secret_key_from_seed(seeds[2], &other_key);
    leaves = calloc(70000, sizeof *leaves);
    memset(&circle, 1, sizeof circle);
    options = (struct audit_options){.log_key = &log_key,
                                     .log_name = span_str(ORIGIN),
                                     .circle = &circle,
                                     .issuer = span_str("cert.example"),
                                     .key = key_of};
    test("whole logs, from empty on");
    static const uint64_t sizes[] = {0, 1, 2, 255, 256, 257, 600};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_good(sizes[i]);
    test("a log with tiles on three levels");
    struct audit_result result;
    log_plain(65537);
    CHECK_INT(run(&result), 0);
    CHECK(result.verified == 65537 && hash_eq(&result.root, &root));
    flip("tile/2/000.p/1", 3);
    check_bad(E_PROOF, "tile/2/000.p/1");
    test("spoiled tiles");
    test_tiles();
    test("spoiled entries");
    test_entries();
    test("spoiled checkpoints");
    test_checkpoints();
    test("a log that has grown");
    test_grown();
    test("progress can stop it");
    test_progress();
    for (size_t i = 0; i < PATHS_MAX; i++)
        buf_free(&resources[i].bytes);
    free(leaves);
    secret_key_free(party_secret);
    secret_key_free(log_secret);
    secret_key_free(other_secret);
    return test_end();
}
