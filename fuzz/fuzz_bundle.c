#include "circle/roster.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct roster roster;
    struct fault fault = {0};
    if (crypto_start() != 0)
        abort();
    arena_init(&arena, 16 << 20);
    int rc = bundle_parse_charter(span_of(data, size), &roster, &arena, &fault);
    if (rc ? fault.code != rc : !roster.count)
        abort();
    arena_free(&arena);
    return 0;
}
