/* Merkle proofs. A plan builds a tree, asks for a proof and may smudge it: the right one is accepted, any other is refused. Then the
   same numbers and hashes are tried as they come, where only crashes count. */
#include "fuzz/fuzz.h"
#include "record/tree.h"

enum { LEAVES = 300 };

static struct hash tiles[2][LEAVES];

static int tile_read(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    (void)ctx;
    if (level > 1 || index * TILE_WIDTH + width > (level ? LEAVES / TILE_WIDTH : LEAVES))
        return E_NOTFOUND;
    memcpy(out, &tiles[level][index * TILE_WIDTH], width * sizeof *out);
    return 0;
}

static const struct tile_reader *reader(void)
{
    static const struct tile_reader reader = {.read = tile_read};
    static bool made;
    struct frontier f = {0};
    for (unsigned i = 0; !made && i < LEAVES; i++) {
        tree_leaf(span_of(&i, sizeof i), &tiles[0][i]);
        if (i < TILE_WIDTH)
            frontier_append(&f, &tiles[0][i]);
    }
    if (!made)
        frontier_root(&f, &tiles[1][0]);
    made = true;
    return &reader;
}

struct proof {
    size_t count;
    struct hash hashes[PROOF_HASHES_MAX];
};

/* False when nothing was changed. */
static bool smudge(struct proof *proof, struct span *plan)
{
    unsigned way = plan_byte(plan) % 5, at = plan_byte(plan), bit = plan_byte(plan);
    if (way == 1 && proof->count) {
        proof->hashes[at % proof->count].b[bit % 32] ^= (uint8_t)(1u << bit / 32);
        return true;
    }
    if (way == 2 && proof->count) {
        proof->count--;
        return true;
    }
    if (way == 3 && proof->count < PROOF_HASHES_MAX) {
        memset(&proof->hashes[proof->count++], (int)bit, sizeof proof->hashes[0]);
        return true;
    }
    if (way == 4 && proof->count > 1 && !hash_eq(&proof->hashes[0], &proof->hashes[proof->count - 1])) {
        struct hash first = proof->hashes[0];
        proof->hashes[0] = proof->hashes[proof->count - 1];
        proof->hashes[proof->count - 1] = first;
        return true;
    }
    return false;
}

static void inclusion(struct span plan)
{
    struct proof proof = {0};
    struct hash root;
    uint64_t size = 1 + plan_number(&plan, 2) % LEAVES, index = plan_number(&plan, 2) % size;
    must(tree_root(reader(), size, &root) == 0);
    must(tree_inclusion(reader(), index, size, proof.hashes, &proof.count) == 0);
    bool bad = smudge(&proof, &plan);
    must((tree_verify_inclusion(index, size, &tiles[0][index], proof.hashes, proof.count, &root) != 0) == bad);
    must(tree_verify_inclusion(size, size, &tiles[0][index], proof.hashes, proof.count, &root) != 0);
}

static void consistency(struct span plan)
{
    struct proof proof = {0};
    struct hash root, old_root, got_old, got;
    uint64_t size = 1 + plan_number(&plan, 2) % LEAVES, old = 1 + plan_number(&plan, 2) % size;
    must(tree_root(reader(), size, &root) == 0 && tree_root(reader(), old, &old_root) == 0);
    must(tree_consistency(reader(), old, size, proof.hashes, &proof.count) == 0);
    bool bad = smudge(&proof, &plan);
    must((tree_verify_consistency(old, &old_root, size, &root, proof.hashes, proof.count) != 0) == bad);
    must(tree_verify_consistency(size + 1, &old_root, size, &root, proof.hashes, proof.count) != 0);
    must((tree_verify_consistency(0, &old_root, size, &root, proof.hashes, proof.count) == 0) == (proof.count == 0));
    if (!bad && old < size) {
        must(tree_consistency_roots(old, size, &old_root, proof.hashes, proof.count, &got_old, &got) == 0);
        must(hash_eq(&got_old, &old_root) && hash_eq(&got, &root));
    }
}

static void subtree(struct span plan)
{
    struct proof proof = {0};
    struct hash root, part;
    uint64_t size = 1 + plan_number(&plan, 2) % LEAVES, start = plan_number(&plan, 2) % size,
             end = start + 1 + plan_number(&plan, 2) % (size - start), width = 1;
    while (width < end - start)
        width *= 2;
    start -= start % width; /* a valid one */
    end = end - start > width ? start + width : end;
    must(tree_root(reader(), size, &root) == 0 && tree_subtree_root(reader(), start, end, &part) == 0);
    must(tree_subtree_consistency(reader(), start, end, size, proof.hashes, &proof.count) == 0);
    bool bad = smudge(&proof, &plan);
    must((tree_verify_subtree(start, end, &part, size, &root, proof.hashes, proof.count) != 0) == bad);
}

static void anything(struct span plan)
{
    struct proof proof = {0};
    struct hash root, part = {{1}}, other = {{2}};
    uint64_t a = plan_number(&plan, 8), b = plan_number(&plan, 8), c = plan_number(&plan, 8);
    for (proof.count = plan_byte(&plan) % PROOF_HASHES_MAX; plan.len; plan = span_from(plan, 32))
        memcpy(proof.hashes[plan.len % PROOF_HASHES_MAX].b, plan.data, plan.len < 32 ? plan.len : 32);
    must(tree_verify_inclusion(a, b, &part, proof.hashes, proof.count, &other) != 0);
    (void)tree_inclusion_root(a, b, &part, proof.hashes, proof.count, &root);
    (void)tree_verify_consistency(a, &part, b, &other, proof.hashes, proof.count);
    must(tree_verify_subtree(a, b, &part, c, &other, proof.hashes, proof.count) != 0);
    (void)tree_consistency_roots(a, b, &part, proof.hashes, proof.count, &root, &other);
    (void)tree_consistency_roots(a, b, NULL, proof.hashes, proof.count, &root, &other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(struct span) = {inclusion, consistency, subtree, anything};
    struct span rest = span_of(data, size);
    ways[plan_byte(&rest) % 4](rest);
    return 0;
}
