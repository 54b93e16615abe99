/* Tile paths: what is accepted has one spelling. */
#include "fuzz/fuzz.h"
#include "record/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int level;
    uint64_t index;
    unsigned width;
    char again[64];
    struct span path = span_of(data, size);
    if (tile_path_parse(path, &level, &index, &width) != 0)
        return 0;
    if (level < -1 || level > 63 || width < 1 || width > TILE_WIDTH)
        abort();
    tile_path(again, level, index, width);
    if (!span_is(path, again))
        abort();
    return 0;
}
