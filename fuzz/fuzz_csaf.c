#include "format/advisory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches every byte that the result names, so that a sanitizer sees a bad one. */
static volatile uint8_t seen;

static void touch(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        seen = (uint8_t)(seen ^ s.data[i]);
}

static void touch_package(const struct affected_package *p)
{
    touch(p->ecosystem);
    touch(p->name);
    touch(p->purl);
    touch(p->path);
    for (size_t i = 0; i < p->version_count; i++)
        touch(p->versions[i]);
    for (size_t i = 0; i < p->fixed_count; i++)
        touch(p->fixed_versions[i]);
    for (size_t i = 0; i < p->range_count; i++)
        for (size_t j = 0; j < p->ranges[i].count; j++)
            touch(p->ranges[i].events[j].version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct advisory a;
    arena_init(&arena, 32 << 20);
    if (advisory_read_csaf(&a, span_of(data, size), &arena, NULL) == 0) {
        if (!a.id.len)
            abort();
        touch(a.id);
        touch(a.title);
        touch(a.publisher);
        touch(a.version);
        touch(a.modified);
        for (size_t i = 0; i < a.alias_count; i++)
            touch(a.aliases[i]);
        for (size_t i = 0; i < a.undecided_count; i++)
            touch(a.undecided[i]);
        for (size_t i = 0; i < a.package_count; i++)
            touch_package(&a.packages[i]);
    }
    arena_free(&arena);
    return 0;
}
