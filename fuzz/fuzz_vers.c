/* A vers range beside an ecosystem: the first byte chooses the order that the package has. */
#include "format/vers.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct affected_package package = {.order = (enum order)(plan_byte(&bytes) % ORDER_COUNT)};
    const struct affected_package before = package;
    struct arena arena;
    if (!utf8_valid(bytes) || (bytes.len && memchr(bytes.data, 0, bytes.len))) /* it comes out of JSON */
        return 0;
    arena_init(&arena, 16 << 20);
    if (vers_read(bytes, &package, &arena)) {
        must(package.range_count <= 1 && (package.range_count || package.version_count));
        for (size_t i = 0; i < package.version_count; i++)
            sound(package.versions[i]);
        for (size_t i = 0; package.range_count && i < package.ranges[0].count; i++) {
            must(package.ranges[0].events[i].version.len > 0);
            sound(package.ranges[0].events[i].version);
        }
    } else {
        must(package.order == before.order && !package.ranges && !package.versions);
    }
    arena_free(&arena);
    return 0;
}
