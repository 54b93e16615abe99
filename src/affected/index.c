#include <sodium.h>
#include <stdlib.h>

#include "affected/judge.h"
#include "base/limits.h"

enum { NAME_HASHED_MAX = 512 };
#define NOBODY UINT32_MAX

/* An entry for each name and key of each component. A slot holds the first entry of its chain. */
struct entry {
    uint64_t hash;
    uint32_t component, next;
};
struct result { /* the best of each lane, and its row */
    enum judgement judgements[LANE_COUNT];
    uint32_t rows[LANE_COUNT];
};
struct match_index {
    const struct inventory *inventory;
    uint8_t key[crypto_shorthash_KEYBYTES];
    size_t mask, entry_count, entry_cap;
    uint32_t *slots;
    struct entry *entries;
    struct result *results; /* for one run, by component */
    uint32_t *touched;      /* the components of this run */
    size_t touched_count;
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

static int entry_add(struct match_index *index, size_t component, struct span name)
{
    if (index->entry_count == index->entry_cap) {
        size_t cap = index->entry_cap + index->entry_cap / 2 + 64;
        struct entry *more = cap > NOBODY ? NULL : realloc(index->entries, cap * sizeof *more);
        if (!more)
            return E_NOMEM;
        index->entries = more;
        index->entry_cap = cap;
    }
    index->entries[index->entry_count++] =
        (struct entry){.hash = name_hash(index, name), .component = (uint32_t)component};
    return 0;
}

static int keys_add(struct match_index *index, size_t component, const struct keys *keys)
{
    int rc = 0;
    for (size_t i = 0; i < keys->count && rc == 0; i++)
        rc = entry_add(index, component, keys->list[i]);
    return rc;
}

static int component_add(struct match_index *index, size_t i)
{
    const struct component *c = &index->inventory->components[i];
    struct keys keys;
    int rc = c->name.len ? entry_add(index, i, c->name) : 0;
    if (rc == 0 && c->source.len && !span_eq(c->source, c->name))
        rc = entry_add(index, i, c->source);
    if (rc == 0 && c->cpe.len) {
        component_cpe_keys(c, &keys);
        rc = keys_add(index, i, &keys);
    }
    if (rc == 0 && has_words(c)) {
        component_text_keys(c, &keys);
        rc = keys_add(index, i, &keys);
    }
    return rc;
}

static int index_fill(struct match_index *index)
{
    int rc = 0;
    for (size_t i = 0; i < index->inventory->count && rc == 0; i++)
        rc = component_add(index, i);
    size_t size = 64;
    while (size < index->entry_count)
        size *= 2;
    index->mask = size - 1;
    index->slots = rc ? NULL : malloc(size * sizeof *index->slots);
    if (rc || !index->slots)
        return rc ? rc : E_NOMEM;
    for (size_t i = 0; i < size; i++)
        index->slots[i] = NOBODY;
    for (size_t i = index->entry_count; i-- > 0;) {
        uint32_t *slot = &index->slots[index->entries[i].hash & index->mask];
        index->entries[i].next = *slot;
        *slot = (uint32_t)i;
    }
    return 0;
}

int match_index_new(struct match_index **out, const struct inventory *inventory)
{
    *out = NULL;
    if (inventory->count > COMPONENTS_MAX)
        return E_LIMIT;
    struct match_index *index = calloc(1, sizeof *index);
    if (!index)
        return E_NOMEM;
    index->inventory = inventory;
    index->results = calloc(inventory->count + 1, sizeof *index->results);
    index->touched = calloc(inventory->count + 1, sizeof *index->touched);
    crypto_shorthash_keygen(index->key);
    int rc = index->results && index->touched ? index_fill(index) : E_NOMEM;
    if (rc) {
        match_index_free(index);
        return rc;
    }
    *out = index;
    return 0;
}

void match_index_free(struct match_index *index)
{
    if (!index)
        return;
    free(index->slots);
    free(index->entries);
    free(index->results);
    free(index->touched);
    free(index);
}

static bool is_touched(const struct result *result)
{
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (result->judgements[lane] != JUDGED_NONE)
            return true;
    return false;
}

static void found(struct match_index *index, const struct advisory *advisory, uint32_t row, struct span name)
{
    const struct affected_package *package = &advisory->packages[row];
    uint64_t hash = name_hash(index, name);
    for (uint32_t at = index->slots[hash & index->mask]; at != NOBODY; at = index->entries[at].next) {
        uint32_t number = index->entries[at].component;
        const struct component *component = &index->inventory->components[number];
        struct result *result = &index->results[number];
        struct meeting meeting;
        struct evidence e;
        if (index->entries[at].hash != hash || !names_meet(package, component, &meeting))
            continue;
        enum judgement judgement = judge(advisory, package, component, &meeting, &e);
        if (judgement <= result->judgements[package->lane])
            continue;
        if (!is_touched(result))
            index->touched[index->touched_count++] = number;
        result->judgements[package->lane] = judgement;
        result->rows[package->lane] = row;
    }
}

static void row_run(struct match_index *index, const struct advisory *advisory, uint32_t row)
{
    const struct affected_package *package = &advisory->packages[row];
    struct keys keys;
    if (package->lane == LANE_PURL) {
        found(index, advisory, row, package->name);
        return;
    }
    row_keys(package, &keys);
    for (size_t i = 0; i < keys.count; i++)
        found(index, advisory, row, keys.list[i]);
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
    const struct result *result = &index->results[number];
    const struct affected_package *row = &advisory->packages[result->rows[lane_of(result->judgements)]];
    struct evidence e;
    struct meeting meeting;
    (void)names_meet(row, component, &meeting);
    return visit(ctx, verdict_of(judge(advisory, row, component, &meeting, &e)), &e);
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
