#include <sodium.h>
#include <stdlib.h>

#include "affected/judge.h"
#include "base/limits.h"

enum { NAME_HASHED_MAX = 512 };
#define NOBODY UINT32_MAX

/* Two entries for each component: 2i by its name, 2i + 1 by its source. A slot holds the first entry of its chain. */
struct match_index {
    const struct inventory *inventory;
    uint8_t key[crypto_shorthash_KEYBYTES];
    size_t mask;
    uint32_t *slots, *next;
    uint64_t *hashes;
    struct result *results; /* for one run, by component */
    uint32_t *touched;      /* the components of this run */
    size_t touched_count;
};
struct result {
    enum judgement judgement;
    uint32_t row;
};

static uint64_t name_hash(const struct match_index *index, struct span name)
{
    uint8_t folded[NAME_HASHED_MAX];
    uint64_t hash;
    name = name_trim(name);
    size_t n = name.len < sizeof folded ? name.len : sizeof folded;
    for (size_t i = 0; i < n; i++)
        folded[i] = name_fold(name.data[i]);
    (void)crypto_shorthash((uint8_t *)&hash, folded, n, index->key);
    return hash;
}

static void entry_add(struct match_index *index, uint32_t entry, struct span name)
{
    uint64_t hash = name_hash(index, name);
    uint32_t *slot = &index->slots[hash & index->mask];
    index->hashes[entry] = hash;
    index->next[entry] = *slot;
    *slot = entry;
}

static void index_fill(struct match_index *index)
{
    for (size_t i = 0; i <= index->mask; i++)
        index->slots[i] = NOBODY;
    for (size_t i = index->inventory->count; i-- > 0;) {
        const struct component *c = &index->inventory->components[i];
        if (c->name.len)
            entry_add(index, (uint32_t)(2 * i), c->name);
        if (c->source.len && !span_eq(c->source, c->name))
            entry_add(index, (uint32_t)(2 * i + 1), c->source);
    }
}

int match_index_new(struct match_index **out, const struct inventory *inventory)
{
    *out = NULL;
    if (inventory->count > COMPONENTS_MAX)
        return E_LIMIT;
    struct match_index *index = calloc(1, sizeof *index);
    if (!index)
        return E_NOMEM;
    size_t size = 64, count = inventory->count + 1;
    while (size < 2 * count)
        size *= 2;
    index->inventory = inventory;
    index->mask = size - 1;
    index->slots = calloc(size, sizeof *index->slots);
    index->next = calloc(2 * count, sizeof *index->next);
    index->hashes = calloc(2 * count, sizeof *index->hashes);
    index->results = calloc(count, sizeof *index->results);
    index->touched = calloc(count, sizeof *index->touched);
    if (!index->slots || !index->next || !index->hashes || !index->results || !index->touched) {
        match_index_free(index);
        return E_NOMEM;
    }
    crypto_shorthash_keygen(index->key);
    index_fill(index);
    *out = index;
    return 0;
}

void match_index_free(struct match_index *index)
{
    if (!index)
        return;
    free(index->slots);
    free(index->next);
    free(index->hashes);
    free(index->results);
    free(index->touched);
    free(index);
}

static void row_run(struct match_index *index, const struct advisory *advisory, uint32_t row)
{
    const struct affected_package *package = &advisory->packages[row];
    uint64_t hash = name_hash(index, package->name);
    for (uint32_t entry = index->slots[hash & index->mask]; entry != NOBODY; entry = index->next[entry]) {
        const struct component *component = &index->inventory->components[entry / 2];
        struct result *result = &index->results[entry / 2];
        struct span version;
        struct evidence e;
        if (index->hashes[entry] != hash || !names_meet(package, component, &version))
            continue;
        enum judgement judgement = judge(advisory, package, component, version, &e);
        if (result->judgement == JUDGED_NONE)
            index->touched[index->touched_count++] = entry / 2;
        if (judgement > result->judgement)
            *result = (struct result){judgement, row};
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int tell(struct match_index *index, const struct advisory *advisory, uint32_t number, match_visit *visit,
                void *ctx)
{
    const struct component *component = &index->inventory->components[number];
    const struct affected_package *row = &advisory->packages[index->results[number].row];
    struct evidence e;
    struct span version;
    (void)names_meet(row, component, &version);
    return visit(ctx, verdict_of(judge(advisory, row, component, version, &e)), &e);
}

int match_index_run(struct match_index *index, const struct advisory *advisory, match_visit *visit, void *ctx)
{
    int rc = 0;
    if (advisory->package_count >= UINT32_MAX)
        return E_LIMIT;
    index->touched_count = 0;
    for (size_t i = 0; i < advisory->package_count; i++)
        row_run(index, advisory, (uint32_t)i);
    qsort(index->touched, index->touched_count, sizeof *index->touched, by_number);
    for (size_t i = 0; i < index->touched_count && rc == 0; i++)
        rc = tell(index, advisory, index->touched[i], visit, ctx);
    for (size_t i = 0; i < index->touched_count; i++)
        index->results[index->touched[i]] = (struct result){0};
    return rc;
}

int match_inventory(const struct advisory *advisory, const struct inventory *inventory, match_visit *visit, void *ctx)
{
    struct match_index *index;
    int rc = match_index_new(&index, inventory);
    if (rc == 0)
        rc = match_index_run(index, advisory, visit, ctx);
    match_index_free(index);
    return rc;
}
