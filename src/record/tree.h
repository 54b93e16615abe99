/* The RFC 6962 section 2.1 Merkle tree over SHA-256, stored as C2SP tiles. Pure: tiles come in through a reader. */
#ifndef COMITY_RECORD_TREE_H
#define COMITY_RECORD_TREE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/span.h"

void tree_empty(struct hash *out);                                                   /* SHA-256 of nothing */
void tree_leaf(struct span entry, struct hash *out);                                 /* 0x00 || entry */
void tree_node(const struct hash *left, const struct hash *right, struct hash *out); /* 0x01 || left || right */

/* The compact right edge: the roots of the perfect subtrees that make up a tree of `size`, largest first. O(log n) to append. */
struct frontier {
    uint64_t size;
    struct hash hashes[64];
};
static inline unsigned frontier_count(uint64_t size)
{
    return (unsigned)__builtin_popcountll(size);
}
void frontier_append(struct frontier *f, const struct hash *leaf);
void frontier_root(const struct frontier *f, struct hash *root);

/* Reads `width` (1..256) hashes of tile `index` at `level` (0 = leaf hashes) into out. The stored tile may be wider. */
struct tile_reader {
    int (*read)(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out);
    void *ctx;
};

/* All O(log n) tiles. `size` is the tree's size, up to the size that the reader can serve. */
int tree_root(const struct tile_reader *tiles, uint64_t size, struct hash *root);
int tree_frontier(const struct tile_reader *tiles, uint64_t size, struct frontier *out);
int tree_inclusion(const struct tile_reader *tiles, uint64_t index, uint64_t size,
                   struct hash proof[static PROOF_HASHES_MAX], size_t *count);
int tree_consistency(const struct tile_reader *tiles, uint64_t old_size, uint64_t size,
                     struct hash proof[static PROOF_HASHES_MAX], size_t *count);
/* MTH of leaves [start, end), a valid subtree: start is a multiple of the least power of two >= end - start. */
int tree_subtree_root(const struct tile_reader *tiles, uint64_t start, uint64_t end, struct hash *root);
/* draft-ietf-plants-merkle-tree-certs section 4.4: proof that MTH([start,end)) is a subtree of the tree of `size`. */
int tree_subtree_consistency(const struct tile_reader *tiles, uint64_t start, uint64_t end, uint64_t size,
                             struct hash proof[static PROOF_HASHES_MAX], size_t *count);

/* 0 or E_PROOF. Exact length: superfluous hashes are refused. */
int tree_verify_inclusion(uint64_t index, uint64_t size, const struct hash *leaf, const struct hash *proof,
                          size_t count, const struct hash *root);
/* The root that a proof leads to (COSE receipts carry no root). */
int tree_inclusion_root(uint64_t index, uint64_t size, const struct hash *leaf, const struct hash *proof, size_t count,
                        struct hash *root);
int tree_verify_consistency(uint64_t old_size, const struct hash *old_root, uint64_t size, const struct hash *root,
                            const struct hash *proof, size_t count);
/* For two-faces proofs: does the proof yield `root` at `size`, and which root does it yield at old_size? */
int tree_consistency_roots(uint64_t old_size, uint64_t size, const struct hash *old_root_if_power,
                           const struct hash *proof, size_t count, struct hash *old_root, struct hash *root);
int tree_verify_subtree(uint64_t start, uint64_t end, const struct hash *subtree, uint64_t size,
                        const struct hash *root, const struct hash *proof, size_t count);

/* Tiles that change when leaves [old_size, old_size + n) are appended: `put` gets each new or widened tile, whole, level by
   level from 0. `old` reads tiles of the tree of old_size. Width 256 = full. */
typedef int tile_put(void *ctx, unsigned level, uint64_t index, unsigned width, const struct hash *hashes);
int tree_extend(const struct tile_reader *old, uint64_t old_size, const struct hash *leaves, size_t n, tile_put *put,
                void *ctx);

/* Tile paths: "tile/0/x001/234", "tile/entries/000.p/7". level -1 means entries. Parsing is strict and refuses width 0 or 256. */
void tile_path(char out[static 64], int level, uint64_t index, unsigned width);
int tile_path_parse(struct span path, int *level, uint64_t *index, unsigned *width); /* path starts with "tile/" */

/* The hashes in base64, one a line, as checkpoints' requests and receipts carry proofs. */
void proof_write(struct buf *out, const struct hash *proof, size_t count);

#endif
