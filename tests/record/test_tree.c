/* The tree against RFC 6962 section 2.1 and draft-ietf-plants-merkle-tree-certs section 4.4, written down as they
 * define it. */
#include "tests/test.h"

#include <stdlib.h>

#include "base/text.h"
#include "crypto/sign.h"
#include "record/tree.h"

enum { SMALL = 131, LARGE = 70000, LEVELS = 8 };

static struct hash leaves[LARGE];
static uint64_t seed = 20260901;

static uint64_t random_below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 20) % n;
}

/* The oracle: definitions, word by word. Small ranges are remembered. */

static struct hash known[SMALL][SMALL];
static bool is_known[SMALL][SMALL];

static size_t power_below(size_t n)
{
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

static struct hash mth(size_t start, size_t end)
{
    struct hash out;
    bool small = end < SMALL;
    if (small && is_known[start][end])
        return known[start][end];
    if (end - start == 1) {
        out = leaves[start];
    } else {
        size_t k = power_below(end - start);
        struct hash left = mth(start, start + k), right = mth(start + k, end);
        tree_node(&left, &right, &out);
    }
    if (small) {
        known[start][end] = out;
        is_known[start][end] = true;
    }
    return out;
}

struct list {
    size_t count;
    struct hash hashes[PROOF_HASHES_MAX];
};

static void list_add(struct list *list, struct hash h)
{
    list->hashes[list->count++] = h;
}

/* RFC 6962 section 2.1.1, PATH(m, D[low:high]) with m relative to low. */
static void oracle_path(size_t m, size_t low, size_t high, struct list *out)
{
    if (high - low == 1)
        return;
    size_t k = power_below(high - low);
    if (m < k) {
        oracle_path(m, low, low + k, out);
        list_add(out, mth(low + k, high));
    } else {
        oracle_path(m - k, low + k, high, out);
        list_add(out, mth(low, low + k));
    }
}

/* RFC 6962 section 2.1.2, SUBPROOF(m, D[low:high], b). */
static void oracle_consistency(size_t m, size_t low, size_t high, bool b, struct list *out)
{
    if (m == high - low) {
        if (!b)
            list_add(out, mth(low, high));
        return;
    }
    size_t k = power_below(high - low);
    if (m <= k) {
        oracle_consistency(m, low, low + k, b, out);
        list_add(out, mth(low + k, high));
    } else {
        oracle_consistency(m - k, low + k, high, false, out);
        list_add(out, mth(low, low + k));
    }
}

/* SUBTREE_SUBPROOF(start, end, D[low:high], b), start and end relative to low. */
static void oracle_subtree(size_t start, size_t end, size_t low, size_t high, bool b, struct list *out)
{
    if (start == 0 && end == high - low) {
        if (!b)
            list_add(out, mth(low, high));
        return;
    }
    size_t k = power_below(high - low);
    if (end <= k) {
        oracle_subtree(start, end, low, low + k, b, out);
        list_add(out, mth(low + k, high));
    } else if (k <= start) {
        oracle_subtree(start - k, end - k, low + k, high, b, out);
        list_add(out, mth(low, low + k));
    } else {
        oracle_subtree(0, end - k, low + k, high, false, out);
        list_add(out, mth(low, low + k));
    }
}

/* Tiles in memory, each level one array; no reader may ask for more than is there. */

static struct hash *level_nodes[LEVELS];
static size_t level_counts[LEVELS];

static int tiles_read(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    (void)ctx;
    if (level >= LEVELS || width < 1 || width > TILE_WIDTH || index * TILE_WIDTH + width > level_counts[level])
        return E_NOTFOUND;
    memcpy(out, level_nodes[level] + index * TILE_WIDTH, width * sizeof *out);
    return 0;
}

static const struct tile_reader tiles = {.read = tiles_read};

/* A put may widen a tile but not change what stood there. */
static int tiles_put(void *ctx, unsigned level, uint64_t index, unsigned width, const struct hash *hashes)
{
    int *puts = ctx;
    size_t at = index * TILE_WIDTH;
    if (level >= LEVELS || width < 1 || width > TILE_WIDTH || at > level_counts[level])
        return E_STATE;
    size_t had = level_counts[level] - at;
    if (had > width || (had && memcmp(level_nodes[level] + at, hashes, had * sizeof *hashes) != 0))
        return E_STATE;
    memcpy(level_nodes[level] + at, hashes, width * sizeof *hashes);
    level_counts[level] = at + width;
    ++*puts;
    return 0;
}

static void tiles_fill(uint64_t size, uint64_t batch_max)
{
    int puts = 0;
    memset(level_counts, 0, sizeof level_counts);
    for (uint64_t at = 0; at < size;) {
        uint64_t n = 1 + random_below(batch_max);
        n = n < size - at ? n : size - at;
        if (tree_extend(&tiles, at, leaves + at, (size_t)n, tiles_put, &puts) != 0) {
            CHECK(!"tree_extend");
            return;
        }
        at += n;
    }
}

static bool list_is(const struct list *want, const struct hash *proof, size_t count)
{
    return want->count == count && (count == 0 || memcmp(want->hashes, proof, count * sizeof *proof) == 0);
}

static void check_roots(uint64_t size)
{
    struct hash root, want = mth(0, size);
    struct frontier f;
    CHECK_INT(tree_root(&tiles, size, &root), 0);
    CHECK(hash_eq(&root, &want));
    CHECK_INT(tree_frontier(&tiles, size, &f), 0);
    frontier_root(&f, &root);
    CHECK(f.size == size && hash_eq(&root, &want));
}

/* A changed, shortened or lengthened proof, another position or another root is refused. */
static void check_inclusion_spoiled(uint64_t index, uint64_t size, const struct list *proof, const struct hash *root)
{
    struct list bad = *proof;
    struct hash other = *root;
    other.b[31] ^= 1;
    CHECK_INT(tree_verify_inclusion(index, size, &leaves[index], proof->hashes, proof->count, &other), E_PROOF);
    bad.hashes[bad.count] = leaves[0];
    CHECK_INT(tree_verify_inclusion(index, size, &leaves[index], bad.hashes, bad.count + 1, root), E_PROOF);
    CHECK_INT(tree_verify_inclusion(index, size, &other, proof->hashes, proof->count, root), E_PROOF);
    if (size > 1)
        CHECK_INT(tree_verify_inclusion((index + 1) % size, size, &leaves[index], proof->hashes, proof->count, root),
                  E_PROOF);
    if (!bad.count)
        return;
    CHECK_INT(tree_verify_inclusion(index, size, &leaves[index], bad.hashes, bad.count - 1, root), E_PROOF);
    bad.hashes[random_below(bad.count)].b[random_below(32)] ^= 0x40;
    CHECK_INT(tree_verify_inclusion(index, size, &leaves[index], bad.hashes, bad.count, root), E_PROOF);
}

static void check_inclusion(uint64_t index, uint64_t size)
{
    struct list want = {0}, got = {0};
    struct hash root = mth(0, size), led;
    oracle_path(index, 0, size, &want);
    CHECK_INT(tree_inclusion(&tiles, index, size, got.hashes, &got.count), 0);
    CHECK(list_is(&want, got.hashes, got.count));
    CHECK_INT(tree_verify_inclusion(index, size, &leaves[index], want.hashes, want.count, &root), 0);
    CHECK_INT(tree_inclusion_root(index, size, &leaves[index], want.hashes, want.count, &led), 0);
    CHECK(hash_eq(&led, &root));
    check_inclusion_spoiled(index, size, &want, &root);
}

static void check_consistency_spoiled(uint64_t old_size, uint64_t size, const struct list *proof)
{
    struct list bad = *proof;
    struct hash root = mth(0, size), old_root = mth(0, old_size), other = root;
    other.b[0] ^= 1;
    CHECK_INT(tree_verify_consistency(old_size, &old_root, size, &other, bad.hashes, bad.count), E_PROOF);
    other = old_root;
    other.b[0] ^= 1;
    CHECK_INT(tree_verify_consistency(old_size, &other, size, &root, bad.hashes, bad.count), E_PROOF);
    bad.hashes[bad.count] = root;
    CHECK_INT(tree_verify_consistency(old_size, &old_root, size, &root, bad.hashes, bad.count + 1), E_PROOF);
    if (!bad.count)
        return;
    CHECK_INT(tree_verify_consistency(old_size, &old_root, size, &root, bad.hashes, bad.count - 1), E_PROOF);
    bad.hashes[random_below(bad.count)].b[random_below(32)] ^= 4;
    CHECK_INT(tree_verify_consistency(old_size, &old_root, size, &root, bad.hashes, bad.count), E_PROOF);
}

static void check_consistency(uint64_t old_size, uint64_t size)
{
    struct list want = {0}, got = {0};
    struct hash root = mth(0, size), old_root = mth(0, old_size), led_old, led;
    oracle_consistency(old_size, 0, size, true, &want);
    CHECK_INT(tree_consistency(&tiles, old_size, size, got.hashes, &got.count), 0);
    CHECK(list_is(&want, got.hashes, got.count));
    CHECK_INT(tree_verify_consistency(old_size, &old_root, size, &root, want.hashes, want.count), 0);
    bool power = (old_size & (old_size - 1)) == 0;
    CHECK_INT(tree_consistency_roots(old_size, size, power ? &old_root : NULL, want.hashes, want.count, &led_old, &led),
              old_size == size && !power ? E_PROOF : 0);
    if (old_size != size || power)
        CHECK(hash_eq(&led, &root) && hash_eq(&led_old, &old_root));
    check_consistency_spoiled(old_size, size, &want);
}

static void check_subtree(uint64_t start, uint64_t end, uint64_t size)
{
    struct list want = {0}, got = {0};
    struct hash root = mth(0, size), subtree = mth(start, end), led, other;
    oracle_subtree(start, end, 0, size, true, &want);
    CHECK_INT(tree_subtree_root(&tiles, start, end, &led), 0);
    CHECK(hash_eq(&led, &subtree));
    CHECK_INT(tree_subtree_consistency(&tiles, start, end, size, got.hashes, &got.count), 0);
    CHECK(list_is(&want, got.hashes, got.count));
    CHECK_INT(tree_verify_subtree(start, end, &subtree, size, &root, want.hashes, want.count), 0);
    other = subtree;
    other.b[5] ^= 1;
    CHECK_INT(tree_verify_subtree(start, end, &other, size, &root, want.hashes, want.count), E_PROOF);
    want.hashes[want.count] = root;
    CHECK_INT(tree_verify_subtree(start, end, &subtree, size, &root, want.hashes, want.count + 1), E_PROOF);
    if (!want.count)
        return;
    CHECK_INT(tree_verify_subtree(start, end, &subtree, size, &root, want.hashes, want.count - 1), E_PROOF);
    want.hashes[random_below(want.count)].b[random_below(32)] ^= 16;
    CHECK_INT(tree_verify_subtree(start, end, &subtree, size, &root, want.hashes, want.count), E_PROOF);
}

static bool subtree_valid(uint64_t start, uint64_t end)
{
    uint64_t span = 1;
    while (span < end - start)
        span *= 2;
    return start % span == 0;
}

static void test_small(void)
{
    struct frontier f = {0};
    tiles_fill(SMALL - 1, 3);
    for (uint64_t size = 1; size < SMALL; size++) {
        struct hash root, want = mth(0, size);
        frontier_append(&f, &leaves[size - 1]);
        frontier_root(&f, &root);
        CHECK(hash_eq(&root, &want));
        check_roots(size);
        for (uint64_t i = 0; i < size; i++)
            check_inclusion(i, size);
        for (uint64_t m = 1; m <= size; m++)
            check_consistency(m, size);
    }
}

static void test_subtrees(void)
{
    struct hash proof[PROOF_HASHES_MAX], root = leaves[0];
    size_t count;
    for (uint64_t size = 1; size < SMALL; size++)
        for (uint64_t start = 0; start < size; start++)
            for (uint64_t end = start + 1; end <= size; end++) {
                if (subtree_valid(start, end)) {
                    check_subtree(start, end, size);
                    continue;
                }
                CHECK_INT(tree_subtree_consistency(&tiles, start, end, size, proof, &count), E_PROOF);
                CHECK_INT(tree_verify_subtree(start, end, &root, size, &root, proof, 0), E_PROOF);
            }
}

static void test_large(void)
{
    printf("# seed %llu\n", (unsigned long long)seed);
    tiles_fill(LARGE, 3000);
    static const uint64_t edges[] = {255, 256, 257, 511, 512, 65535, 65536, 65537, LARGE - 1, LARGE};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        check_roots(edges[i]);
        check_inclusion(random_below(edges[i]), edges[i]);
        check_inclusion(edges[i] - 1, edges[i]);
        check_consistency(1 + random_below(edges[i]), edges[i]);
        check_consistency(255, edges[i]);
    }
    for (int i = 0; i < 30; i++) {
        uint64_t size = 1 + random_below(LARGE), start = random_below(size) / TILE_WIDTH * TILE_WIDTH;
        check_inclusion(random_below(size), size);
        check_consistency(1 + random_below(size), size);
        check_subtree(start, start + TILE_WIDTH < size ? start + TILE_WIDTH : size,
                      size); /* as tlog-mirror packages are */
    }
}

/* c2sp tlog-tiles, "Partial Tiles": its example of 70,000 leaves, and what every node in a tile is. */
static void test_tiles(void)
{
    static const size_t widths[LEVELS] = {273 * 256 + 112, 256 + 17, 1};
    for (unsigned level = 0; level < LEVELS; level++)
        CHECK_INT(level_counts[level], widths[level]);
    for (size_t i = 0; i < widths[1]; i += 17) {
        struct hash want = mth(i * 256, (i + 1) * 256);
        CHECK(hash_eq(&level_nodes[1][i], &want));
    }
    struct hash want = mth(0, 65536);
    CHECK(hash_eq(&level_nodes[2][0], &want));
}

static void test_extend(void)
{
    static const struct {
        uint64_t old_size;
        size_t n;
        int puts;
    } cases[] = {{0, 0, 0},   {0, 1, 1},   {0, 255, 1},   {0, 256, 2},   {0, 257, 3},     {255, 1, 2},
                 {256, 1, 1}, {250, 4, 1}, {250, 262, 3}, {65535, 1, 3}, {65280, 256, 3}, {65536, 4464, 19}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int puts = 0;
        tiles_fill(cases[i].old_size, 5000);
        CHECK_INT(tree_extend(&tiles, cases[i].old_size, leaves + cases[i].old_size, cases[i].n, tiles_put, &puts), 0);
        CHECK_INT(puts, cases[i].puts);
        if (cases[i].old_size + cases[i].n)
            check_roots(cases[i].old_size + cases[i].n);
    }
    int puts = 0;
    memset(level_counts, 0, sizeof level_counts); /* the old tile is lost: an error, not another tree */
    CHECK_INT(tree_extend(&tiles, 10, leaves, 1, tiles_put, &puts), E_NOTFOUND);
    CHECK_INT(puts, 0);
}

/* The eight inputs and the root that Certificate Transparency implementations share as a reference. */
static void test_reference(void)
{
    static const char *const inputs[] = {
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[] = {[1] = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                        [8] = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct frontier f = {0};
    struct hash leaf, root, want;
    frontier_root(&f, &root);
    CHECK(hash_parse(span_str("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), &want));
    CHECK(hash_eq(&root, &want));
    for (size_t i = 0; i < 8; i++) {
        uint8_t bytes[16];
        CHECK(hex_parse(span_str(inputs[i]), bytes, strlen(inputs[i]) / 2));
        tree_leaf(span_of(bytes, strlen(inputs[i]) / 2), &leaf);
        frontier_append(&f, &leaf);
        frontier_root(&f, &root);
        if (i + 1 < sizeof roots / sizeof roots[0] && roots[i + 1])
            CHECK(hash_parse(span_str(roots[i + 1]), &want) && hash_eq(&root, &want));
    }
}

/* Positions that come from a peer: nothing here may loop, overflow or read beyond the proof. */
static void test_hostile(void)
{
    static const uint64_t values[] = {
        0, 1, 2, 255, INT64_MAX - 1u, INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 1, (1ull << 62) + 1};
    static const size_t counts[] = {0, 1, 62, 63};
    struct hash proof[PROOF_HASHES_MAX] = {0}, h = {0}, a, b;
    size_t n = sizeof values / sizeof values[0], count;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
                uint64_t x = values[i], y = values[j];
                CHECK_INT(tree_verify_inclusion(x, y, &h, proof, counts[k], &h),
                          x == 0 && y == 1 && !counts[k] ? 0 : E_PROOF);
                (void)tree_verify_consistency(x, &h, y, &h, proof, counts[k]);
                (void)tree_verify_subtree(x, y, &h, UINT64_MAX, &h, proof, counts[k]);
                (void)tree_verify_subtree(x, y, &h, INT64_MAX, &h, proof, counts[k]);
                (void)tree_consistency_roots(x, y, NULL, proof, counts[k], &a, &b);
                (void)tree_subtree_root(&tiles, x, y, &a);
            }
    CHECK_INT(tree_consistency_roots(0, 5, &h, proof, 0, &a, &b), E_PROOF);
    CHECK_INT(tree_verify_consistency(0, NULL, 5, &h, proof, 0), 0);
    CHECK_INT(tree_verify_consistency(0, NULL, 5, &h, proof, 1), E_PROOF);
    CHECK_INT(tree_verify_consistency(6, &h, 5, &h, proof, 0), E_PROOF);
    CHECK_INT(tree_inclusion(&tiles, 5, 5, proof, &count), E_PROOF);
    CHECK_INT(tree_consistency(&tiles, 6, 5, proof, &count), E_PROOF);
    CHECK_INT(tree_consistency(&tiles, 0, 5, proof, &count), 0);
    CHECK_INT(count, 0);
}

static void test_paths(void)
{
    static const struct {
        const char *path;
        int rc, level;
        uint64_t index;
        unsigned width;
    } cases[] = {
        {"tile/0/000", 0, 0, 0, 256},
        {"tile/0/x001/234", 0, 0, 1234, 256},
        {"tile/0/x001/x234/067", 0, 0, 1234067, 256},
        {"tile/entries/000.p/7", 0, -1, 0, 7},
        {"tile/entries/x001/000.p/255", 0, -1, 1000, 255},
        {"tile/63/999.p/1", 0, 63, 999, 1},
        {"tile/0/x009/x223/x372/x036/x854/x775/807", 0, 0, INT64_MAX, 256},
        {"tile/0/x009/x223/x372/x036/x854/x775/808", E_SYNTAX, 0, 0, 0},
        {"tile/0/x999/x999/x999/x999/x999/x999/999", E_SYNTAX, 0, 0, 0},
        {"tile/0/x000/001", E_CANONICAL, 0, 0, 0},
        {"tile/0/000.p/0", E_SYNTAX, 0, 0, 0},
        {"tile/0/000.p/256", E_SYNTAX, 0, 0, 0},
        {"tile/0/000.p/01", E_SYNTAX, 0, 0, 0},
        {"tile/0/000.p/", E_SYNTAX, 0, 0, 0},
        {"tile/0/000.p", E_SYNTAX, 0, 0, 0},
        {"tile/0/000.p/7/8", E_CANONICAL, 0, 0, 0},
        {"tile/0/000/", E_CANONICAL, 0, 0, 0},
        {"tile/0/000/001", E_CANONICAL, 0, 0, 0},
        {"tile/0/x001", E_SYNTAX, 0, 0, 0},
        {"tile/0/x001/", E_SYNTAX, 0, 0, 0},
        {"tile/0/1", E_SYNTAX, 0, 0, 0},
        {"tile/0/0001", E_SYNTAX, 0, 0, 0},
        {"tile/0/00a", E_SYNTAX, 0, 0, 0},
        {"tile/0/X001/000", E_SYNTAX, 0, 0, 0},
        {"tile/0//000", E_SYNTAX, 0, 0, 0},
        {"tile/00/000", E_SYNTAX, 0, 0, 0},
        {"tile/64/000", E_SYNTAX, 0, 0, 0},
        {"tile/-1/000", E_SYNTAX, 0, 0, 0},
        {"tile/0", E_SYNTAX, 0, 0, 0},
        {"tile/", E_SYNTAX, 0, 0, 0},
        {"tile", E_SYNTAX, 0, 0, 0},
        {"", E_SYNTAX, 0, 0, 0},
        {"tile/entries", E_SYNTAX, 0, 0, 0},
        {"tile/entries/000?x", E_SYNTAX, 0, 0, 0},
        {"tile/0/../000", E_SYNTAX, 0, 0, 0},
        {"/tile/0/000", E_SYNTAX, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int level = 0;
        uint64_t index = 0;
        unsigned width = 0;
        char again[64];
        int rc = tile_path_parse(span_str(cases[i].path), &level, &index, &width);
        CHECK_INT(rc, cases[i].rc);
        if (rc != cases[i].rc)
            printf("# %s\n", cases[i].path);
        if (rc)
            continue;
        CHECK(level == cases[i].level && index == cases[i].index && width == cases[i].width);
        tile_path(again, level, index, width);
        CHECK(strcmp(again, cases[i].path) == 0);
    }
    char longest[64];
    tile_path(longest, 63, UINT64_MAX, 255);
    CHECK(strcmp(longest, "tile/63/x018/x446/x744/x073/x709/x551/615.p/255") == 0);
    CHECK_INT(tile_path_parse(span_of("tile/0/000\0", 11), &(int){0}, &(uint64_t){0}, &(unsigned){0}), E_SYNTAX);
}

int main(void)
{
    if (crypto_start() != 0)
        return 1;
    for (unsigned level = 0; level < LEVELS; level++)
        level_nodes[level] = calloc(LARGE + TILE_WIDTH, sizeof **level_nodes);
    for (size_t i = 0; i < LARGE; i++)
        tree_leaf(span_of(&i, sizeof i), &leaves[i]);
    test("reference roots");
    test_reference();
    test("roots, inclusion and consistency of every small tree, against the definitions");
    test_small();
    test("every subtree of every small tree; what is no subtree is refused");
    test_subtrees();
    test("edges and random positions of larger trees");
    test_large();
    test("tiles hold what c2sp tlog-tiles says");
    test_tiles();
    test("extending puts each changed tile once");
    test_extend();
    test("hostile positions");
    test_hostile();
    test("tile paths");
    test_paths();
    for (unsigned level = 0; level < LEVELS; level++)
        free(level_nodes[level]);
    return test_end();
}
