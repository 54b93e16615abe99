/* Reading entries back, checked against the tree: the level-0 tile was written beside the entry, so a bit that has flipped in either
   shows before anything is derived, signed or cosigned from it. */
#include <stdlib.h>

#include "node/state.h"

struct checked {
    struct tile_reader tiles;
    uint64_t size, tile; /* of the log; the tile in `leaves`, UINT64_MAX for none yet */
    struct hash leaves[TILE_WIDTH];
    entry_visit *visit;
    void *ctx;
};

static int checked_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct checked *c = ctx;
    struct hash leaf;
    uint64_t tile = index / TILE_WIDTH, left = c->size - tile * TILE_WIDTH;
    if (tile != c->tile) {
        int rc = c->tiles.read(c->tiles.ctx, 0, tile, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH, c->leaves);
        if (rc)
            return rc;
        c->tile = tile;
    }
    tree_leaf(bytes, &leaf);
    return hash_eq(&leaf, &c->leaves[index % TILE_WIDTH]) ? c->visit(c->ctx, index, bytes) : E_CORRUPT;
}

int entries_read(struct node *node, struct held_log *log, uint64_t start, uint64_t end, entry_visit *visit, void *ctx)
{
    struct store_tiles space;
    struct checked *c = malloc(sizeof *c);
    if (!c)
        return E_NOMEM;
    c->tiles = log_tiles(node, log, &space);
    c->size = log->size;
    c->tile = UINT64_MAX;
    c->visit = visit;
    c->ctx = ctx;
    int rc = node->env.store->ops->entries_scan(node->env.store, log->id, start, end, checked_visit, c);
    free(c);
    return rc;
}

int entry_read(struct node *node, log_id log, uint64_t index, const struct hash *id, struct buf *out)
{
    struct hash leaf;
    int rc = node->env.store->ops->entry_get(node->env.store, log, index, out);
    if (rc == 0)
        tree_leaf(buf_view(out), &leaf);
    return rc == 0 && !hash_eq(&leaf, id) ? E_CORRUPT : rc;
}
