/* Whom the advisories that count affect, in one catalogue of all inventories (affected/catalogue.h), and what the owner is told of it. The
   catalogue finds out which pairs of an advisory and an inventory a change may concern; each is then settled: what is true of every
   component, by match.h, against what was told last. So a pair that is settled once too often tells nothing. */
#include "node/matching.h"

#include <sodium.h>
#include <stdlib.h>

#include "crypto/sha256.h"

enum { PROGRESS_STEPS = 10000 };

/* Sets of small numbers */

static int bits_set(struct bits *bits, size_t number)
{
    size_t need = number / 64 + 1;
    if (need > bits->count) {
        size_t count = need + need / 4 + 16;
        uint64_t *words = realloc(bits->words, count * sizeof *words);
        if (!words)
            return E_NOMEM;
        memset(words + bits->count, 0, (count - bits->count) * sizeof *words);
        bits->words = words;
        bits->count = count;
    }
    bits->words[number / 64] |= 1ull << number % 64;
    return 0;
}

/* The first at or above `from`; SIZE_MAX when there is none. */
static size_t bits_next(const struct bits *bits, size_t from)
{
    for (size_t word = from / 64; word < bits->count; word++, from = word * 64) {
        uint64_t rest = bits->words[word] >> from % 64;
        if (rest)
            return from + (size_t)__builtin_ctzll(rest);
    }
    return SIZE_MAX;
}

static void bits_free(struct bits *bits)
{
    free(bits->words);
    *bits = (struct bits){0};
}

/* Numbers of advisories */

static size_t slot_of(const struct matching *m, const uint8_t part[static TOLD_PART_BYTES])
{
    uint64_t hash;
    (void)crypto_shorthash((uint8_t *)&hash, part, TOLD_PART_BYTES, m->key);
    size_t slot = (size_t)hash & m->slot_mask;
    while (m->slots[slot] && memcmp(m->identities[m->slots[slot] - 1].b, part, TOLD_PART_BYTES) != 0)
        slot = (slot + 1) & m->slot_mask;
    return slot;
}

bool number_find(const struct matching *m, const uint8_t part[static TOLD_PART_BYTES], uint32_t *number)
{
    size_t slot = m->slots ? slot_of(m, part) : 0;
    if (!m->slots || !m->slots[slot])
        return false;
    *number = m->slots[slot] - 1;
    return true;
}

static int slots_grow(struct matching *m)
{
    size_t size = m->slots ? 2 * (m->slot_mask + 1) : 1024;
    if (m->slots && 2 * (m->count + 1) <= m->slot_mask)
        return 0;
    uint32_t *slots = calloc(size, sizeof *slots);
    if (!slots)
        return E_NOMEM;
    free(m->slots);
    m->slots = slots;
    m->slot_mask = size - 1;
    for (size_t i = 0; i < m->count; i++)
        m->slots[slot_of(m, m->identities[i].b)] = (uint32_t)i + 1;
    return 0;
}

int number_put(struct matching *m, const struct hash *identity, uint32_t *number)
{
    if (number_find(m, identity->b, number))
        return 0;
    if (m->count == m->cap) {
        size_t cap = m->cap ? m->cap + m->cap / 2 : 256;
        struct hash *list = realloc(m->identities, cap * sizeof *list);
        if (!list)
            return E_NOMEM;
        m->identities = list;
        m->cap = cap;
    }
    int rc = slots_grow(m);
    if (rc)
        return rc;
    m->identities[m->count] = *identity;
    m->slots[slot_of(m, identity->b)] = (uint32_t)m->count + 1;
    *number = (uint32_t)m->count++;
    return 0;
}

void matching_close(struct node *node)
{
    struct matching *m = &node->matching;
    catalogue_free(m->catalogue);
    free(m->identities);
    free(m->slots);
    *m = (struct matching){0};
}

void matching_key(struct matching *m)
{
    crypto_shorthash_keygen(m->key);
}

/* One pair: what is true against what was told */

struct now { /* a component of which something is to be told */
    uint8_t part[TOLD_PART_BYTES];
    enum verdict verdict; /* NONE: it was told of, and is not affected any more */
    size_t component;     /* SIZE_MAX: the inventory does not have it any more */
    bool told_before;
    struct hash before;
};
struct list {
    struct now *items;
    size_t count, cap;
};
struct settling {
    struct node *node;
    struct notice_source *source;
    const struct held_inventory *held;
    const struct inventory *inventory;
    struct list now, told, changed;
};

static int list_add(struct list *list, const struct now *item)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        struct now *items = realloc(list->items, cap * sizeof *items);
        if (!items)
            return E_NOMEM;
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = *item;
    return 0;
}

static int now_visit(void *ctx, enum verdict verdict, const struct evidence *evidence)
{
    struct settling *s = ctx;
    struct now now = {.verdict = verdict, .component = (size_t)(evidence->component - s->inventory->components)};
    if (verdict != VERDICT_AFFECTED && verdict != VERDICT_UNDECIDED)
        return 0;
    told_component(evidence->component, now.part);
    return list_add(&s->now, &now);
}

static int told_take(void *ctx, const struct told *told)
{
    struct settling *s = ctx;
    struct now before = {.verdict = told->verdict, .component = SIZE_MAX, .told_before = true, .before = told->id};
    memcpy(before.part, told->component, sizeof before.part);
    return list_add(&s->told, &before);
}

/* Those that a notice does not tell apart stand together, affected before undecided, in the inventory's order. */
static int by_part(const void *a, const void *b)
{
    const struct now *x = a, *y = b;
    int order = memcmp(x->part, y->part, sizeof x->part);
    order = order ? order : (int)x->verdict - (int)y->verdict;
    return order ? order : (x->component > y->component) - (x->component < y->component);
}

static int by_place(const void *a, const void *b)
{
    const struct now *x = a, *y = b;
    int order = (x->verdict == VERDICT_NONE) - (y->verdict == VERDICT_NONE);
    order = order ? order : (x->component > y->component) - (x->component < y->component);
    return order ? order : memcmp(x->part, y->part, sizeof x->part);
}

static void list_sort(struct list *list, int (*order)(const void *, const void *))
{
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, order);
}

/* The first of each part in `now` against the one in `told`. */
static int changes_find(struct settling *s)
{
    size_t i = 0, j = 0;
    int rc = 0;
    while (rc == 0 && (i < s->now.count || j < s->told.count)) {
        const struct now *is = i < s->now.count ? &s->now.items[i] : NULL,
                         *was = j < s->told.count ? &s->told.items[j] : NULL;
        int order = !is ? 1 : !was ? -1 : memcmp(is->part, was->part, sizeof is->part);
        struct now change = order <= 0 ? *is : *was;
        if (order == 0) {
            change.told_before = true;
            change.before = was->before;
        } else if (order > 0) {
            change.verdict = VERDICT_NONE;
        }
        if (order != 0 || is->verdict != was->verdict)
            rc = list_add(&s->changed, &change);
        j += order >= 0;
        if (order > 0)
            continue;
        do
            i++;
        while (i < s->now.count && memcmp(s->now.items[i].part, change.part, sizeof change.part) == 0);
    }
    return rc;
}

/* Where the components stand that are cleared. */
static void cleared_place(struct settling *s)
{
    size_t first = 0;
    list_sort(&s->changed, by_place);
    while (first < s->changed.count && s->changed.items[first].verdict != VERDICT_NONE)
        first++;
    if (first == s->changed.count)
        return;
    for (size_t i = s->inventory->count; i-- > 0;) { /* of those alike the first */
        uint8_t part[TOLD_PART_BYTES];
        told_component(&s->inventory->components[i], part);
        for (size_t c = first; c < s->changed.count; c++)
            if (memcmp(s->changed.items[c].part, part, sizeof part) == 0)
                s->changed.items[c].component = i;
    }
    list_sort(&s->changed, by_place);
}

static int change_tell(struct settling *s, const struct now *change)
{
    const struct advisory *advisory = s->source->advisory;
    struct component gone;
    struct arena arena;
    struct evidence evidence;
    bool here = change->component != SIZE_MAX;
    arena_init(&arena, 1 << 20);
    int rc = here ? 0 : told_of(s->node, &change->before, &gone, &arena);
    const struct component *component = here ? &s->inventory->components[change->component] : &gone;
    if (rc == 0 && (!here || match_component(advisory, component, &evidence) == VERDICT_NONE)) {
        evidence = (struct evidence){.component = component, .version = component->version};
        (void)snprintf(evidence.reason, sizeof evidence.reason,
                       advisory->withdrawn ? "the advisory is withdrawn"
                       : here              ? "the advisory does not name it any more"
                                           : "the inventory does not have it any more");
    }
    rc = rc ? rc
            : notice_record(s->node, s->source, s->held, change->verdict, &evidence,
                            change->told_before ? &change->before : NULL);
    arena_free(&arena);
    return rc;
}

static int pair_settle(struct node *node, struct notice_source *source, const struct held_inventory *held,
                       const struct inventory *inventory, struct match_index *index)
{
    struct settling s = {.node = node, .source = source, .held = held, .inventory = inventory};
    int rc = match_index_run(index, source->advisory, now_visit, &s);
    list_sort(&s.now, by_part);
    rc = rc ? rc : told_scan(node, span_str(held->name), &source->identity, told_take, &s);
    rc = rc ? rc : changes_find(&s);
    if (rc == 0)
        cleared_place(&s);
    if (rc == 0 && s.changed.count)
        rc = access_note(node, span_str(held->name), "matched", source->advisory->id, span_str("this node"));
    for (size_t i = 0; i < s.changed.count && rc == 0; i++)
        rc = change_tell(&s, &s.changed.items[i]);
    free(s.now.items);
    free(s.told.items);
    free(s.changed.items);
    return rc;
}

/* An inventory with its components, read for as long as it takes. */
struct opened {
    struct arena arena;
    struct inventory inventory;
    struct match_index *index;
};

static int opened_take(struct node *node, const struct held_inventory *held, struct opened *out)
{
    *out = (struct opened){0};
    arena_init(&out->arena, 4 * (size_t)INVENTORY_BYTES_MAX);
    int rc = components_read(node, held, &out->inventory, &out->arena);
    return rc ? rc : match_index_new(&out->index, &out->inventory);
}

static void opened_free(struct opened *opened)
{
    match_index_free(opened->index);
    arena_free(&opened->arena);
}

/* An advisory, with these inventories: the critical ones first. */
static int advisory_settle(struct node *node, struct notice_source *source, const struct bits *assets)
{
    int rc = 0;
    for (int pass = 0; pass < 2 && rc == 0; pass++)
        for (size_t i = 0; (i = bits_next(assets, i)) < node->inventory_count && rc == 0; i++) {
            struct opened opened;
            if (node->inventories[i].critical == (pass != 0))
                continue;
            rc = opened_take(node, &node->inventories[i], &opened);
            rc = rc == E_NOTFOUND ? 0
                 : rc             ? rc
                                  : pair_settle(node, source, &node->inventories[i], &opened.inventory, opened.index);
            opened_free(&opened);
        }
    return rc;
}

/* An inventory, with these advisories. */
static int inventory_settle(struct node *node, const struct held_inventory *held, const struct inventory *inventory,
                            const struct bits *advisories)
{
    struct match_index *index = NULL;
    int rc = match_index_new(&index, inventory);
    for (size_t i = 0; rc == 0 && (i = bits_next(advisories, i)) < node->matching.count; i++) {
        struct stated stated;
        rc = stated_open(node, &node->matching.identities[i], &stated);
        if (rc == 0 && stated.readable)
            rc = pair_settle(node, &stated.source, held, inventory, index);
        stated_close(&stated);
    }
    match_index_free(index);
    return rc;
}

/* Building the catalogue from what is held */

int advisory_enter(struct node *node, uint32_t number, const struct notice_source *source, finding_visit *visit,
                   void *ctx)
{
    int rc = catalogue_advisory(node->matching.catalogue, number, source->advisory, visit, ctx);
    return rc == E_LIMIT ? document_unread(node, &source->document, E_LIMIT) : rc;
}

int identity_enter(struct node *node, const struct hash *identity)
{
    struct stated stated;
    uint32_t number;
    int rc = number_put(&node->matching, identity, &number);
    if (rc)
        return rc;
    rc = stated_open(node, identity, &stated);
    if (rc == 0 && stated.readable)
        rc = advisory_enter(node, number, &stated.source, NULL, NULL);
    stated_close(&stated);
    return rc;
}

int asset_enter(struct node *node, uint32_t number)
{
    struct inventory inventory;
    struct arena arena;
    arena_init(&arena, 4 * (size_t)INVENTORY_BYTES_MAX);
    int rc = components_read(node, &node->inventories[number], &inventory, &arena);
    rc = rc ? rc : catalogue_asset(node->matching.catalogue, number, &inventory, NULL, NULL);
    arena_free(&arena);
    return rc == E_NOTFOUND ? 0 : rc;
}

struct building {
    struct node *node;
    uint64_t done, all;
};

static void build_tell(const struct building *b)
{
    const struct env *env = &b->node->env;
    if (env->progress)
        env->progress(env->ctx, "matching inventories and advisories anew", b->done, b->all);
}

static int build_count(void *ctx, const struct hash *identity)
{
    struct building *b = ctx;
    (void)identity;
    b->all++;
    return 0;
}

static int build_visit(void *ctx, const struct hash *identity)
{
    struct building *b = ctx;
    if (++b->done % PROGRESS_STEPS == 0)
        build_tell(b);
    return identity_enter(b->node, identity);
}

/* From the store, one by one. */
static int matching_build(struct node *node)
{
    struct matching *m = &node->matching;
    struct building b = {.node = node, .all = node->inventory_count};
    matching_key(m);
    int rc = snapshot_drop(node);
    rc = rc ? rc : catalogue_new(&m->catalogue);
    rc = rc ? rc : advisories_scan(node, build_count, &b);
    rc = rc ? rc : advisories_scan(node, build_visit, &b);
    for (size_t i = 0; i < node->inventory_count && rc == 0; i++) {
        rc = asset_enter(node, (uint32_t)i);
        if (++b.done % PROGRESS_STEPS == 0)
            build_tell(&b);
    }
    m->changes = rc ? 0 : m->count + node->inventory_count; /* a long one is kept at the next step */
    return rc;
}

/* Without an inventory or a feed nothing will be matched, and a mirror of others' logs is spared the memory. */
static bool wanted(struct node *node)
{
    return node->inventory_count > 0 || feeds_known(node);
}

/* What was told against what the catalogue knows, component by component; pairs that differ are settled. */

struct auditing {
    struct node *node;
    struct told *told; /* of one inventory */
    bool *seen;
    size_t count, cap;
    uint8_t component[TOLD_PART_BYTES];
    struct bits advisories;
};

static int audit_told(void *ctx, const struct told *told)
{
    struct auditing *a = ctx;
    if (a->count == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 64;
        struct told *list = realloc(a->told, cap * sizeof *list);
        if (!list)
            return E_NOMEM;
        a->told = list;
        a->cap = cap;
    }
    a->told[a->count++] = *told;
    return 0;
}

static int told_order(const struct told *told, const uint8_t *advisory, const uint8_t *component)
{
    int order = memcmp(told->advisory, advisory, TOLD_PART_BYTES);
    return order ? order : memcmp(told->component, component, TOLD_PART_BYTES);
}

static int audit_finding(void *ctx, const struct finding *f)
{
    struct auditing *a = ctx;
    const uint8_t *advisory = a->node->matching.identities[f->advisory].b;
    size_t low = 0, high = a->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (told_order(&a->told[middle], advisory, a->component) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < a->count && told_order(&a->told[low], advisory, a->component) == 0) {
        a->seen[low] = true;
        if (a->told[low].verdict == f->verdict)
            return 0;
    }
    return bits_set(&a->advisories, f->advisory);
}

static int inventory_audit(struct auditing *a, const struct held_inventory *held, const struct inventory *inventory)
{
    int rc = told_scan(a->node, span_str(held->name), NULL, audit_told, a);
    a->seen = rc ? NULL : calloc(a->count + 1, sizeof *a->seen);
    rc = rc ? rc : a->seen ? 0 : E_NOMEM;
    for (size_t i = 0; i < inventory->count && rc == 0; i++) {
        told_component(&inventory->components[i], a->component);
        rc = catalogue_component(a->node->matching.catalogue, &inventory->components[i], audit_finding, a);
    }
    for (size_t i = 0; i < a->count && rc == 0; i++) {
        uint32_t number;
        if (!a->seen[i] && number_find(&a->node->matching, a->told[i].advisory, &number))
            rc = bits_set(&a->advisories, number);
    }
    return rc ? rc : inventory_settle(a->node, held, inventory, &a->advisories);
}

static int matching_audit(struct node *node)
{
    int rc = 0;
    for (size_t i = 0; i < node->inventory_count && rc == 0; i++) {
        struct auditing a = {.node = node};
        struct inventory inventory;
        struct arena arena;
        arena_init(&arena, 4 * (size_t)INVENTORY_BYTES_MAX);
        rc = components_read(node, &node->inventories[i], &inventory, &arena);
        rc = rc == E_NOTFOUND ? 0 : rc ? rc : inventory_audit(&a, &node->inventories[i], &inventory);
        arena_free(&arena);
        free(a.told);
        free(a.seen);
        bits_free(&a.advisories);
    }
    node->matching.due = false;
    return rc;
}

int matching_open(struct node *node)
{
    bool due = node->matching.due;
    if (!wanted(node))
        return 0;
    int rc = due ? E_CORRUPT : snapshot_load(node);
    if (rc == E_CORRUPT) {
        matching_close(node);
        rc = matching_build(node);
    }
    rc = rc || !due ? rc : matching_audit(node);
    return rc ? rc : write_commit(node);
}

int matching_refold(struct node *node)
{
    bool open = node->matching.catalogue != NULL;
    matching_close(node);
    node->matching.due = true;
    if (!open)
        return snapshot_drop(node); /* before the inventories are there: matching_open does the rest */
    int rc = matching_build(node);
    return rc ? rc : matching_audit(node);
}

/* Changes */

struct concerned {
    struct node *node;
    struct bits bits;
};

static int concerned_assets(void *ctx, const struct finding *f)
{
    struct concerned *c = ctx;
    size_t count;
    const uint32_t *assets = catalogue_assets(c->node->matching.catalogue, f->release, &count);
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = bits_set(&c->bits, assets[i]);
    return rc;
}

static int concerned_advisory(void *ctx, const struct finding *f)
{
    struct concerned *c = ctx;
    return bits_set(&c->bits, f->advisory);
}

int advisory_matched(struct node *node, struct notice_source *source)
{
    struct matching *m = &node->matching;
    struct concerned c = {.node = node};
    uint32_t number;
    if (!m->catalogue)
        return wanted(node) ? matching_build(node) : 0; /* there is no inventory yet: nobody is concerned */
    int rc = number_put(m, &source->identity, &number);
    rc = rc ? rc : snapshot_changed(node, 'a', span_hash(&source->identity));
    rc = rc ? rc : advisory_enter(node, number, source, concerned_assets, &c);
    rc = rc ? rc : advisory_settle(node, source, &c.bits);
    bits_free(&c.bits);
    return rc;
}

/* Components, each as a hash over all that is compared. */
struct keyed {
    struct hash key;
    const struct component *component;
};

static void key_make(const struct component *c, struct keyed *out)
{
    const struct span texts[] = {c->ecosystem,
                                 c->name,
                                 c->version,
                                 c->source,
                                 c->source_version,
                                 c->purl,
                                 c->cpe,
                                 c->vendor,
                                 c->product,
                                 c->model,
                                 span_str(c->problem ? c->problem : "")};
    enum { COUNT = sizeof texts / sizeof texts[0] };
    struct span parts[2 * COUNT];
    uint8_t lengths[COUNT][8];
    for (size_t i = 0; i < COUNT; i++) {
        u64_put(lengths[i], texts[i].len);
        parts[2 * i] = span_of(lengths[i], sizeof lengths[i]);
        parts[2 * i + 1] = texts[i];
    }
    sha256_parts(parts, 2 * (size_t)COUNT, &out->key);
    out->component = c;
}

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    return memcmp(x->key.b, y->key.b, sizeof x->key.b);
}

static struct keyed *keys_make(const struct inventory *inventory)
{
    struct keyed *keys = calloc(inventory->count + 1, sizeof *keys);
    for (size_t i = 0; keys && i < inventory->count; i++)
        key_make(&inventory->components[i], &keys[i]);
    if (keys && inventory->count)
        qsort(keys, inventory->count, sizeof *keys, by_key);
    return keys;
}

/* Visits what only the one or only the other has. */
static int keys_compare(const struct keyed *a, size_t a_count, const struct keyed *b, size_t b_count,
                        int (*visit)(void *ctx, const struct component *component, bool added), void *ctx)
{
    size_t i = 0, j = 0;
    int rc = 0;
    while (rc == 0 && (i < a_count || j < b_count)) {
        int order = i == a_count ? 1 : j == b_count ? -1 : by_key(&a[i], &b[j]);
        i += order <= 0;
        j += order >= 0;
        if (order != 0)
            rc = visit(ctx, order < 0 ? a[i - 1].component : b[j - 1].component, order > 0);
    }
    return rc;
}

struct differing {
    struct concerned concerned;
    struct upload *upload;
    bool after; /* the catalogue has the new ones */
};

static int differing_visit(void *ctx, const struct component *component, bool added)
{
    struct differing *d = ctx;
    if (added != d->after)
        return 0;
    *(added ? &d->upload->added : &d->upload->removed) += 1;
    return catalogue_component(d->concerned.node->matching.catalogue, component, concerned_advisory, &d->concerned);
}

static int told_count(void *ctx, const struct told *told)
{
    struct upload *upload = ctx;
    *(told->verdict == VERDICT_AFFECTED ? &upload->affected : &upload->undecided) += 1;
    return 0;
}

static int inventory_change(struct node *node, uint32_t number, const struct inventory *before,
                            const struct inventory *now, struct differing *d)
{
    struct keyed *old = keys_make(before), *new = keys_make(now);
    int rc = old && new ? keys_compare(old, before->count, new, now->count, differing_visit, d) : E_NOMEM;
    d->after = true;
    rc = rc ? rc : catalogue_asset(node->matching.catalogue, number, now, NULL, NULL);
    rc = rc ? rc : keys_compare(old, before->count, new, now->count, differing_visit, d);
    free(old);
    free(new);
    return rc;
}

int inventory_matched(struct node *node, uint32_t number, const struct inventory *before, const struct inventory *now,
                      struct upload *out)
{
    const struct held_inventory *held = &node->inventories[number];
    struct differing d = {.concerned = {.node = node}, .upload = out};
    size_t made = node->notices_made;
    *out = (struct upload){0};
    int rc = node->matching.catalogue ? 0 : matching_build(node);
    rc = rc ? rc : snapshot_changed(node, 'i', span_str(held->name));
    rc = rc ? rc : inventory_change(node, number, before, now, &d);
    rc = rc ? rc : inventory_settle(node, held, now, &d.concerned.bits);
    rc = rc ? rc : told_scan(node, span_str(held->name), NULL, told_count, out);
    bits_free(&d.concerned.bits);
    out->unchanged = now->count - out->added;
    out->notices = node->notices_made - made;
    out->advisories = node->matching.count;
    return rc;
}
