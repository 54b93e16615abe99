#include "store/store.h"

static int tiles_read(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    struct store_tiles *tiles = ctx;
    return tiles->store->ops->tile_get(tiles->store, tiles->log, level, index, width, out);
}

struct tile_reader store_tile_reader(struct store_tiles *tiles)
{
    return (struct tile_reader){.read = tiles_read, .ctx = tiles};
}
