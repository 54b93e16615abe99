/* For the targets of inventories: a component without a problem has a name, a version and something that says whose, and all text is valid. */
#ifndef COMITY_FUZZ_INVENTORY_H
#define COMITY_FUZZ_INVENTORY_H

#include "format/inventory.h"
#include "fuzz/fuzz.h"

static inline void sound_inventory(const struct inventory *inventory)
{
    size_t problems = 0;
    for (size_t i = 0; i < inventory->count; i++) {
        const struct component *c = &inventory->components[i];
        const struct span parts[] = {c->ecosystem, c->name, c->version, c->source,  c->source_version, c->purl,
                                     c->path,      c->cpe,  c->vendor,  c->product, c->model};
        bool whose = c->ecosystem.len || c->cpe.len || c->vendor.len || c->model.len;
        problems += c->problem != NULL;
        must(c->path.len && (c->problem || (c->name.len && c->version.len && whose)));
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
            sound(parts[k]);
    }
    must(problems == inventory->problem_count);
}

#endif
