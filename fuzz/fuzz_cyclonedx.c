#include "fuzz/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct inventory inventory;
    arena_init(&arena, 16 << 20);
    const struct json *root = NULL;
    if (json_parse(&root, span_of(data, size), size, &arena, NULL) == 0 &&
        inventory_read_cyclonedx(&inventory, root, &arena, NULL) == 0)
        sound_inventory(&inventory);
    arena_free(&arena);
    return 0;
}
