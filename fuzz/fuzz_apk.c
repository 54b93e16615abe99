#include "fuzz/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct inventory inventory;
    arena_init(&arena, 16 << 20);
    if (inventory_read_apk(&inventory, span_of(data, size), span_str("Alpine:v3.19"), &arena, NULL) == 0)
        sound_inventory(&inventory);
    arena_free(&arena);
    return 0;
}
