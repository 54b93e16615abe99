/* A vers range beside an ecosystem: the first byte chooses the order that the package has. */
#include "format/vers.h"
#include "fuzz/fuzz.h"

/* As a range of its own: it answers for each of its own versions, and for what no type takes. */
static void as_range(struct span bytes)
{
    struct vers_range range;
    struct arena arena;
    struct fault fault = {0};
    arena_init(&arena, 16 << 20);
    int rc = vers_parse(&range, bytes, &arena, &fault);
    must(rc == fault.code);
    for (size_t i = 0; rc == 0 && i < range.count; i++) {
        enum vers_sign sign = range.constraints[i].sign;
        bool holds = sign == VERS_EQUAL || sign == VERS_FROM || sign == VERS_UP_TO;
        sound(range.constraints[i].version);
        if (range.compare != VERS_BY_NAME) /* there a version may stand twice */
            must(vers_contains(&range, range.constraints[i].version) == (holds ? VERS_INSIDE : VERS_OUTSIDE));
    }
    must(rc || range.every || range.none || vers_contains(&range, span_of(NULL, 0)) == VERS_CANNOT_TELL);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct affected_package package = {.order = (enum order)(plan_byte(&bytes) % ORDER_COUNT)};
    const struct affected_package before = package;
    struct arena arena;
    if (!utf8_valid(bytes) || (bytes.len && memchr(bytes.data, 0, bytes.len))) /* it comes out of JSON */
        return 0;
    as_range(bytes);
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
