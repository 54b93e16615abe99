/* A component without a problem has its name, version and ecosystem, and all text is valid. */
#include "base/text.h"
#include "format/inventory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct inventory inventory;
    size_t problems = 0;
    arena_init(&arena, 16 << 20);
    if (inventory_read_cyclonedx(&inventory, span_of(data, size), &arena, NULL) == 0) {
        for (size_t i = 0; i < inventory.count; i++) {
            const struct component *c = &inventory.components[i];
            problems += c->problem != NULL;
            if (!c->path.len || (!c->problem && (!c->name.len || !c->version.len || !c->ecosystem.len)))
                abort();
            const struct span parts[] = {c->ecosystem, c->name, c->version, c->source, c->source_version, c->purl};
            for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
                if (!utf8_valid(parts[k]))
                    abort();
        }
        if (problems != inventory.problem_count)
            abort();
    }
    arena_free(&arena);
    return 0;
}
