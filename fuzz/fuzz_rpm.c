#include "fuzz/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct inventory inventory;
    arena_init(&arena, 16 << 20);
    if (inventory_read_rpm(&inventory, span_of(data, size), span_str("AlmaLinux:9"), &arena, NULL) == 0)
        sound_inventory(&inventory);
    arena_free(&arena);
    return 0;
}
