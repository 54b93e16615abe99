/* Verifying proofs: pure arithmetic on hashes, no tiles. Lengths are exact: a superfluous hash is refused. */
#include "record/tree.h"

static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

static bool subtree_valid(uint64_t start, uint64_t end, uint64_t size)
{
    if (start >= end || end > size || size > INT64_MAX)
        return false;
    uint64_t span = 1;
    while (span < end - start)
        span <<= 1;
    return start % span == 0;
}

/* The turns of the walk from the root to the subtree, as the prover took them; true = the given hash stands on the
 * right. */
struct walk {
    unsigned turns;
    bool right[64];
    bool part[64]; /* the given left hash belongs to the subtree too */
    bool whole;    /* the walk ended at the subtree itself */
};

static void walk_plan(struct walk *walk, uint64_t start, uint64_t end, uint64_t size)
{
    uint64_t low = 0, high = size;
    *walk = (struct walk){.whole = true};
    while (!(start == low && end == high)) {
        uint64_t middle = low + split(high - low);
        bool right = end <= middle;
        walk->right[walk->turns] = right;
        if (right) {
            high = middle;
        } else {
            walk->part[walk->turns] = start < middle;
            walk->whole = walk->whole && start >= middle;
            start = start < middle ? middle : start;
            low = middle;
        }
        walk->turns++;
    }
}

/* Both roots that a proof yields: of the subtree (from the parts that belong to it) and of the whole tree. */
static int walk_roots(const struct walk *walk, const struct hash *subtree, const struct hash *proof, size_t count,
                      struct hash *part, struct hash *root)
{
    size_t at = 0;
    if (count != walk->turns + (walk->whole ? 0u : 1u))
        return E_PROOF;
    *root = walk->whole ? *subtree : proof[at++];
    *part = *root;
    for (unsigned i = walk->turns; i-- > 0; at++) {
        if (walk->right[i]) {
            tree_node(root, &proof[at], root);
        } else {
            tree_node(&proof[at], root, root);
            if (walk->part[i])
                tree_node(&proof[at], part, part);
        }
    }
    return 0;
}

int tree_verify_subtree(uint64_t start, uint64_t end, const struct hash *subtree, uint64_t size,
                        const struct hash *root, const struct hash *proof, size_t count)
{
    struct walk walk;
    struct hash got_part, got_root;
    if (!subtree_valid(start, end, size))
        return E_PROOF;
    walk_plan(&walk, start, end, size);
    if (walk_roots(&walk, subtree, proof, count, &got_part, &got_root) != 0)
        return E_PROOF;
    return hash_eq(&got_part, subtree) && hash_eq(&got_root, root) ? 0 : E_PROOF;
}

int tree_inclusion_root(uint64_t index, uint64_t size, const struct hash *leaf, const struct hash *proof, size_t count,
                        struct hash *root)
{
    struct walk walk;
    struct hash part;
    if (index >= size || size > INT64_MAX)
        return E_PROOF;
    walk_plan(&walk, index, index + 1, size);
    return walk_roots(&walk, leaf, proof, count, &part, root);
}

int tree_verify_inclusion(uint64_t index, uint64_t size, const struct hash *leaf, const struct hash *proof,
                          size_t count, const struct hash *root)
{
    struct hash got;
    int rc = tree_inclusion_root(index, size, leaf, proof, count, &got);
    return rc ? rc : hash_eq(&got, root) ? 0 : E_PROOF;
}

int tree_verify_consistency(uint64_t old_size, const struct hash *old_root, uint64_t size, const struct hash *root,
                            const struct hash *proof, size_t count)
{
    if (old_size > size)
        return E_PROOF;
    if (old_size == 0)
        return count ? E_PROOF : 0; /* the empty tree is consistent with any */
    if (old_size == size)
        return count || !hash_eq(old_root, root) ? E_PROOF : 0;
    return tree_verify_subtree(0, old_size, old_root, size, root, proof, count);
}

int tree_consistency_roots(uint64_t old_size, uint64_t size, const struct hash *old_root_if_power,
                           const struct hash *proof, size_t count, struct hash *old_root, struct hash *root)
{
    struct walk walk;
    if (!old_size || !subtree_valid(0, old_size, size))
        return E_PROOF;
    walk_plan(&walk, 0, old_size, size);
    if (walk.whole && !old_root_if_power) /* the proof leaves out what only the caller can give */
        return E_PROOF;
    return walk_roots(&walk, old_root_if_power, proof, count, old_root, root);
}

void proof_write(struct buf *out, const struct hash *proof, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_base64(out, span_hash(&proof[i]));
        buf_byte(out, '\n');
    }
}
