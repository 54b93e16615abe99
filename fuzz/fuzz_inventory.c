/* Whatever an owner may give as an inventory. The first line is the distribution, as it stands in the request. */
#include "fuzz/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size), distribution = plan_line(&bytes);
    struct arena arena;
    struct inventory inventory;
    struct fault fault = {0};
    if (!utf8_valid(distribution) || (distribution.len && memchr(distribution.data, 0, distribution.len)))
        return 0;
    arena_init(&arena, 16 << 20);
    int rc = inventory_read(&inventory, bytes, distribution, &arena, &fault);
    if (rc == 0)
        sound_inventory(&inventory);
    must(rc == 0 || fault.code == rc);
    arena_free(&arena);
    return 0;
}
