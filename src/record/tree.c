#include "record/tree.h"

#include <stdlib.h>

#include "crypto/sha256.h"

void tree_empty(struct hash *out)
{
    sha256(span_of("", 0), out);
}

void tree_leaf(struct span entry, struct hash *out)
{
    const struct span parts[] = {span_of("\0", 1), entry};
    sha256_parts(parts, 2, out);
}

void tree_node(const struct hash *left, const struct hash *right, struct hash *out)
{
    const struct span parts[] = {span_of("\1", 1), span_hash(left), span_hash(right)};
    sha256_parts(parts, 3, out);
}

void frontier_append(struct frontier *f, const struct hash *leaf)
{
    unsigned count = frontier_count(f->size);
    struct hash node = *leaf;
    for (uint64_t size = f->size; size & 1; size >>= 1)
        tree_node(&f->hashes[--count], &node, &node);
    f->hashes[count] = node;
    f->size++;
}

void frontier_root(const struct frontier *f, struct hash *root)
{
    unsigned count = frontier_count(f->size);
    if (!count) {
        tree_empty(root);
        return;
    }
    *root = f->hashes[count - 1];
    for (unsigned i = count - 1; i-- > 0;)
        tree_node(&f->hashes[i], root, root);
}

/* The root of the perfect subtree of 2^height leaves whose first leaf is index << height: at most 2^7 nodes of one tile
 * are read. */
static int perfect(const struct tile_reader *tiles, unsigned height, uint64_t index, struct hash *out)
{
    struct hash nodes[TILE_WIDTH];
    unsigned level = height / 8, inner = height % 8;
    uint64_t first = index << inner;
    unsigned at = (unsigned)(first % TILE_WIDTH), width = 1u << inner;
    int rc = tiles->read(tiles->ctx, level, first / TILE_WIDTH, at + width, nodes);
    if (rc)
        return rc;
    for (; width > 1; width /= 2)
        for (unsigned i = 0; i < width / 2; i++)
            tree_node(&nodes[at + 2 * i], &nodes[at + 2 * i + 1], &nodes[at + i]);
    *out = nodes[at];
    return 0;
}

static unsigned height_of(uint64_t power)
{
    return (unsigned)__builtin_ctzll(power);
}

/* MTH(D[start, end)) where start is aligned to the least power of two >= end - start. */
static int range_root(const struct tile_reader *tiles, uint64_t start, uint64_t end, struct hash *root)
{
    struct hash parts[64];
    unsigned count = 0;
    for (uint64_t at = start; at < end;) {
        uint64_t piece = (uint64_t)1 << (63 - __builtin_clzll(end - at));
        int rc = perfect(tiles, height_of(piece), at / piece, &parts[count++]);
        if (rc)
            return rc;
        at += piece;
    }
    if (!count) {
        tree_empty(root);
        return 0;
    }
    *root = parts[count - 1];
    for (unsigned i = count - 1; i-- > 0;)
        tree_node(&parts[i], root, root);
    return 0;
}

int tree_root(const struct tile_reader *tiles, uint64_t size, struct hash *root)
{
    return range_root(tiles, 0, size, root);
}

int tree_frontier(const struct tile_reader *tiles, uint64_t size, struct frontier *out)
{
    unsigned count = 0;
    *out = (struct frontier){.size = size};
    for (uint64_t at = 0; at < size;) {
        uint64_t piece = (uint64_t)1 << (63 - __builtin_clzll(size - at));
        int rc = perfect(tiles, height_of(piece), at / piece, &out->hashes[count++]);
        if (rc)
            return rc;
        at += piece;
    }
    return 0;
}

static bool subtree_valid(uint64_t start, uint64_t end)
{
    if (start >= end || end > INT64_MAX)
        return false;
    uint64_t span = 1;
    while (span < end - start)
        span <<= 1;
    return start % span == 0;
}

int tree_subtree_root(const struct tile_reader *tiles, uint64_t start, uint64_t end, struct hash *root)
{
    return subtree_valid(start, end) ? range_root(tiles, start, end, root) : E_PROOF;
}

static uint64_t split(uint64_t n) /* the largest power of two below n, n > 1 */
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* SUBTREE_SUBPROOF of draft-ietf-plants-merkle-tree-certs section 4.4, walked from the root; hashes come out in
   reverse. With start 0 it is RFC 6962 section 2.1.2 (consistency), with end = start + 1 section 2.1.1 (inclusion). */
int tree_subtree_consistency(const struct tile_reader *tiles, uint64_t start, uint64_t end, uint64_t size,
                             struct hash proof[static PROOF_HASHES_MAX], size_t *count)
{
    uint64_t low = 0, high = size;
    bool whole = true; /* the subtree is a node that the verifier has, so its own hash is not given */
    size_t n = 0;
    int rc = subtree_valid(start, end) && end <= size ? 0 : E_PROOF;
    while (rc == 0 && !(start == low && end == high)) {
        uint64_t middle = low + split(high - low);
        if (n == PROOF_HASHES_MAX)
            return E_LIMIT;
        if (end <= middle) {
            rc = range_root(tiles, middle, high, &proof[n++]);
            high = middle;
        } else {
            rc = range_root(tiles, low, middle, &proof[n++]);
            whole = whole && start >= middle;
            start = start < middle ? middle : start;
            low = middle;
        }
    }
    if (rc == 0 && !whole) {
        if (n == PROOF_HASHES_MAX)
            return E_LIMIT;
        rc = range_root(tiles, low, high, &proof[n++]);
    }
    for (size_t i = 0; i < n / 2; i++) {
        struct hash swap = proof[i];
        proof[i] = proof[n - 1 - i];
        proof[n - 1 - i] = swap;
    }
    *count = n;
    return rc;
}

int tree_inclusion(const struct tile_reader *tiles, uint64_t index, uint64_t size,
                   struct hash proof[static PROOF_HASHES_MAX], size_t *count)
{
    return index < size ? tree_subtree_consistency(tiles, index, index + 1, size, proof, count) : E_PROOF;
}

int tree_consistency(const struct tile_reader *tiles, uint64_t old_size, uint64_t size,
                     struct hash proof[static PROOF_HASHES_MAX], size_t *count)
{
    *count = 0;
    if (old_size > size)
        return E_PROOF;
    return old_size == 0 ? 0 : tree_subtree_consistency(tiles, 0, old_size, size, proof, count);
}

/* Extending */

struct tail {
    struct hash nodes[TILE_WIDTH];
    unsigned width;
    uint64_t index;
};

/* One level: `fresh` nodes follow the `have` that are stored; full tiles give nodes to the level above, into `up`. */
static int level_extend(const struct tile_reader *old, unsigned level, uint64_t have, const struct hash *fresh,
                        size_t n, struct hash *up, size_t *up_count, tile_put *put, void *ctx)
{
    struct tail *tail = malloc(sizeof *tail);
    if (!tail)
        return E_NOMEM;
    tail->index = have / TILE_WIDTH;
    tail->width = (unsigned)(have % TILE_WIDTH);
    int rc = tail->width ? old->read(old->ctx, level, tail->index, tail->width, tail->nodes) : 0;
    *up_count = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        tail->nodes[tail->width++] = fresh[i];
        if (tail->width < TILE_WIDTH && i + 1 < n)
            continue;
        rc = put(ctx, level, tail->index, tail->width, tail->nodes);
        if (tail->width == TILE_WIDTH) {
            struct frontier f = {0};
            for (unsigned j = 0; j < TILE_WIDTH; j++)
                frontier_append(&f, &tail->nodes[j]);
            frontier_root(&f, &up[(*up_count)++]);
            tail->index++;
            tail->width = 0;
        }
    }
    free(tail);
    return rc;
}

int tree_extend(const struct tile_reader *old, uint64_t old_size, const struct hash *leaves, size_t n, tile_put *put,
                void *ctx)
{
    const struct hash *fresh = leaves;
    struct hash *up = NULL;
    uint64_t have = old_size;
    int rc = 0;
    for (unsigned level = 0; n > 0 && rc == 0; level++) {
        size_t up_count = 0;
        struct hash *next = malloc((n / TILE_WIDTH + 2) * sizeof *next);
        rc = next ? level_extend(old, level, have, fresh, n, next, &up_count, put, ctx) : E_NOMEM;
        free(up);
        up = next;
        fresh = up;
        n = up_count;
        have /= TILE_WIDTH;
    }
    free(up);
    return rc;
}
