/* Tables. The first line says which column has what, as it stands in a request. */
#include "fuzz/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size), columns = plan_line(&bytes);
    struct arena arena;
    struct inventory inventory;
    struct fault fault = {0};
    if (!text_is_line(columns))
        return 0;
    arena_init(&arena, 16 << 20);
    int rc = inventory_read_csv(&inventory, bytes, columns, &arena, &fault);
    if (rc == 0)
        sound_inventory(&inventory);
    must(rc == fault.code);
    arena_free(&arena);
    return 0;
}
