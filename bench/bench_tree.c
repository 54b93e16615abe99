/* Leaves a second into a growing log's tree: hashing each entry, the frontier and the tiles of a batch; against bare SHA-256, one hash of
   the entry and one of a node for each. And proofs of inclusion made from tiles. */
#include <stdlib.h>

#include "bench/bench.h"
#include "crypto/sha256.h"

enum { BATCHES = 256, SIZE = BATCHES * BATCH_STATEMENTS_MAX, ENTRY_BYTES = 400, PROOFS = 20000 };

static struct hash *tiles[3]; /* by level, one after another */

static int put(void *ctx, unsigned level, uint64_t index, unsigned width, const struct hash *hashes)
{
    (void)ctx;
    if (level > 2)
        return E_LIMIT;
    memcpy(tiles[level] + index * TILE_WIDTH, hashes, width * sizeof *hashes);
    return 0;
}

static int get(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    (void)ctx;
    if (level > 2)
        return E_NOTFOUND;
    memcpy(out, tiles[level] + index * TILE_WIDTH, width * sizeof *out);
    return 0;
}

static const struct tile_reader reader = {.read = get};

static double grow(struct hash *leaves)
{
    uint8_t entry[ENTRY_BYTES] = {0};
    struct frontier f = {0};
    double start = bench_now();
    for (uint64_t at = 0; at < SIZE; at += BATCH_STATEMENTS_MAX) {
        for (uint64_t i = 0; i < BATCH_STATEMENTS_MAX; i++) {
            uint64_t number = at + i;
            memcpy(entry, &number, sizeof number);
            tree_leaf(span_of(entry, sizeof entry), &leaves[i]);
            frontier_append(&f, &leaves[i]);
        }
        if (tree_extend(&reader, at, leaves, BATCH_STATEMENTS_MAX, put, NULL) != 0)
            bench_die("tiles", E_STATE, NULL);
    }
    return SIZE / (bench_now() - start);
}

static double bare(void)
{
    uint8_t entry[ENTRY_BYTES + 1] = {0}, node[65] = {1};
    struct hash out;
    double start = bench_now();
    for (uint64_t i = 0; i < SIZE; i++) {
        memcpy(entry + 1, &i, sizeof i);
        sha256(span_of(entry, sizeof entry), &out);
        memcpy(node + 1, out.b, sizeof out.b);
        sha256(span_of(node, sizeof node), &out);
    }
    return SIZE / (bench_now() - start);
}

static double prove(void)
{
    struct hash proof[PROOF_HASHES_MAX];
    size_t count;
    double start = bench_now();
    for (uint64_t i = 0; i < PROOFS; i++)
        if (tree_inclusion(&reader, i * 2654435761u % SIZE, SIZE, proof, &count) != 0)
            bench_die("proof", E_PROOF, NULL);
    return PROOFS / (bench_now() - start);
}

int main(int argc, char **argv)
{
    struct bench bench;
    bench_start(&bench, "tree", argc, argv);
    struct hash *leaves = calloc(BATCH_STATEMENTS_MAX, sizeof *leaves);
    for (int i = 0; i < 3; i++)
        if (!(tiles[i] = calloc(SIZE >> (8 * i) < TILE_WIDTH ? TILE_WIDTH : SIZE >> (8 * i), sizeof *tiles[i])))
            bench_die("memory", E_NOMEM, NULL);
    if (!leaves)
        bench_die("memory", E_NOMEM, NULL);
    bench_pin();
    double floor = bare(), rate = grow(leaves);
    bench_report(&bench, &(struct bench_figure){
                             .name = "leaves of 400 bytes into tiles", .unit = "/s", .value = rate, .floor = floor});
    bench_report(&bench,
                 &(struct bench_figure){.name = "inclusion proofs, tree of 262,144", .unit = "/s", .value = prove()});
    for (int i = 0; i < 3; i++)
        free(tiles[i]);
    free(leaves);
    return 0;
}
