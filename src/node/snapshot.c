/* The catalogue as it was, for a quick start, and what has changed since. Kept rows, all of them derived, and no view, since the bytes are
   those of one machine and release:
     "snapshot"             -> which of the two spaces holds one, and SEALED (1), its bytes (8), advisories (8), inventories (8)
     "catalogue0", "...1"   chunk number -> the catalogue, the advisories' identities, the inventories' names, as one stream
     "changed"              'a' and an identity, or 'i' and an inventory's name: entered since, in the batch of the change itself
   While other organisations' inventories are held, the chunks are sealed by a key that the signer has. A start reads the snapshot and enters what has changed since as it is now. In any doubt it is dropped, and all is read anew. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "node/chunks.h"
#include "node/matching.h"

static const struct span space_snapshot = {(const uint8_t *)"snapshot", 8},
                         space_changed = {(const uint8_t *)"changed", 7},
                         spaces[2] = {{(const uint8_t *)"catalogue0", 10}, {(const uint8_t *)"catalogue1", 10}};

enum { SEALED = 2, FACTS_BYTES = 25, CHANGES_MIN = 4096, CHANGES_SHARE = 4, INVENTORY_WEIGHT = 16 };

struct facts {
    unsigned space;
    bool sealed;
    uint64_t bytes, advisories, inventories;
};

/* The row's key is empty, and not NULL. */
static struct span facts_key(void)
{
    return span_of("", 0);
}

static int facts_get(struct node *node, struct facts *out)
{
    struct buf value;
    buf_init(&value, 64);
    int rc = node->env.store->ops->kept_get(node->env.store, space_snapshot, facts_key(), &value);
    if (rc == 0 && (value.len != FACTS_BYTES || value.data[0] > (1 | SEALED)))
        rc = E_CORRUPT;
    if (rc == 0)
        *out = (struct facts){.space = value.data[0] & 1,
                              .sealed = (value.data[0] & SEALED) != 0,
                              .bytes = u64_get(value.data + 1),
                              .advisories = u64_get(value.data + 9),
                              .inventories = u64_get(value.data + 17)};
    buf_free(&value);
    return rc;
}

static int facts_put(struct node *node, const struct facts *facts)
{
    uint8_t value[FACTS_BYTES] = {(uint8_t)(facts->space | (facts->sealed ? SEALED : 0))};
    u64_put(value + 1, facts->bytes);
    u64_put(value + 9, facts->advisories);
    u64_put(value + 17, facts->inventories);
    return node->env.store->ops->kept_put(node->env.store, space_snapshot, facts_key(), span_of(value, sizeof value));
}

/* Changes since */

int snapshot_changed(struct node *node, char kind, struct span name)
{
    uint8_t key[1 + sizeof(struct hash) + INVENTORY_NAME_MAX] = {(uint8_t)kind};
    struct matching *m = &node->matching;
    m->changes += kind == 'i' ? INVENTORY_WEIGHT : 1;
    if (!m->kept)
        return 0;
    memcpy(key + 1, name.data, name.len);
    int rc = write_begin(node);
    return rc ? rc
              : node->env.store->ops->kept_put(node->env.store, space_changed, span_of(key, 1 + name.len),
                                               span_of(NULL, 0));
}

bool snapshot_due(const struct node *node)
{
    const struct matching *m = &node->matching;
    size_t all = m->count + INVENTORY_WEIGHT * node->inventory_count;
    return m->catalogue && m->changes > CHANGES_MIN + all / CHANGES_SHARE;
}

int snapshot_drop(struct node *node)
{
    const struct span all[] = {space_snapshot, space_changed, spaces[0], spaces[1]};
    int rc = write_begin(node);
    for (size_t i = 0; i < sizeof all / sizeof all[0] && rc == 0; i++)
        rc = node->env.store->ops->kept_drop(node->env.store, all[i], span_of(NULL, 0));
    node->matching.kept = false;
    return rc;
}

/* The signer's, for this alone. */
static int sealing_key(struct node *node, struct storage_key **out)
{
    struct hash salt;
    *out = NULL;
    if (!node->env.signer)
        return E_CORRUPT;
    sha256(span_str("comity-snapshot/1"), &salt);
    *out = storage_key_new();
    return *out ? node->env.signer->ops->storage_key(node->env.signer, &salt, *out) : E_NOMEM;
}

static bool hosts(const struct node *node)
{
    for (size_t i = 0; i < node->inventory_count; i++)
        if (hosted_by(span_str(node->inventories[i].name)).len)
            return true;
    return false;
}

/* Writing */

static int stream_write(struct node *node, struct chunks *chunks)
{
    const struct matching *m = &node->matching;
    int rc = catalogue_save(m->catalogue, chunks_write, chunks);
    if (rc == 0 && m->count)
        rc = chunks_write(chunks, span_of(m->identities, m->count * sizeof *m->identities));
    for (size_t i = 0; i < node->inventory_count && rc == 0; i++)
        rc = chunks_write(chunks, span_of(node->inventories[i].name, sizeof node->inventories[i].name));
    return rc ? rc : chunks_end(chunks);
}

/* The old one holds until the new one is whole. */
int snapshot_save(struct node *node)
{
    struct store *store = node->env.store;
    struct facts facts = {0};
    struct chunks chunks;
    struct storage_key *key = NULL;
    bool sealed = hosts(node);
    int rc = facts_get(node, &facts);
    unsigned space = rc == 0 ? 1 - facts.space : 0;
    rc = rc == E_NOTFOUND || rc == E_CORRUPT ? 0 : rc;
    rc = rc || !sealed ? rc : sealing_key(node, &key);
    rc = rc ? rc : write_begin(node);
    rc = rc ? rc : store->ops->kept_drop(store, spaces[space], span_of(NULL, 0));
    chunks_open(&chunks, store, spaces[space]);
    chunks.key = key;
    rc = rc ? rc : stream_write(node, &chunks);
    facts = (struct facts){.space = space,
                           .sealed = sealed,
                           .bytes = chunks.bytes,
                           .advisories = node->matching.count,
                           .inventories = node->inventory_count};
    chunks_close(&chunks);
    storage_key_free(key);
    rc = rc ? rc : facts_put(node, &facts);
    rc = rc ? rc : store->ops->kept_drop(store, space_changed, span_of(NULL, 0));
    rc = rc ? rc : store->ops->kept_drop(store, spaces[1 - space], span_of(NULL, 0));
    rc = rc ? rc : write_commit(node);
    node->matching.kept = rc == 0;
    node->matching.changes = rc ? node->matching.changes : 0;
    return rc;
}

int node_rest(struct node *node)
{
    return node->matching.catalogue && (node->matching.changes || !node->matching.kept) ? snapshot_save(node) : 0;
}

/* Reading */

static int identities_read(struct matching *m, uint64_t count, struct chunks *chunks)
{
    int rc = 0;
    for (uint64_t i = 0; i < count && rc == 0; i++) {
        struct hash identity;
        uint32_t number;
        rc = chunks_read(chunks, identity.b, sizeof identity.b);
        rc = rc ? rc : number_put(m, &identity, &number);
        if (rc == 0 && number != i)
            rc = E_CORRUPT; /* one stands twice */
    }
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct held_inventory *)a)->name, ((const struct held_inventory *)b)->name);
}

/* The one of this name, whose number is not given yet; they are ordered by name. */
static struct held_inventory *held_named(struct node *node, const struct held_inventory *wanted, const bool *taken)
{
    struct held_inventory *found =
        node->inventory_count ? bsearch(wanted, node->inventories, node->inventory_count, sizeof *found, by_name)
                              : NULL;
    return found && !taken[found - node->inventories] ? found : NULL;
}

/* Inventories get the numbers that they had; one that was taken away has left an empty place; new ones stand behind. */
static int inventories_order(struct node *node, uint64_t count, struct chunks *chunks)
{
    size_t all = node->inventory_count, next = 0, cap = count > UINT32_MAX ? 0 : (size_t)count + all + 1;
    struct held_inventory *list = cap ? calloc(cap, sizeof *list) : NULL;
    bool *taken = calloc(all + 1, sizeof *taken);
    int rc = !cap ? E_CORRUPT : !list || !taken ? E_NOMEM : 0;
    for (uint64_t i = 0; i < count && rc == 0; i++, next++) {
        struct held_inventory wanted, *found;
        rc = chunks_read(chunks, wanted.name, sizeof wanted.name);
        wanted.name[sizeof wanted.name - 1] = 0;
        if (rc || !wanted.name[0])
            continue;
        found = held_named(node, &wanted, taken);
        rc = found ? 0 : E_CORRUPT;
        if (rc == 0) {
            taken[found - node->inventories] = true;
            list[next] = *found;
        }
    }
    for (size_t i = 0; i < all && rc == 0; i++)
        if (!taken[i])
            list[next++] = node->inventories[i];
    free(taken);
    if (rc) {
        free(list);
        return rc;
    }
    free(node->inventories);
    node->inventories = list;
    node->inventory_count = next;
    node->inventory_cap = cap;
    return 0;
}

static int changed_visit(void *ctx, struct span key, struct span value)
{
    struct node *node = ctx;
    struct span name = span_from(key, 1);
    struct hash identity;
    (void)value;
    node->matching.changes++;
    if (key.len == 1 + sizeof identity.b && key.data[0] == 'a') {
        memcpy(identity.b, name.data, sizeof identity.b);
        return identity_enter(node, &identity);
    }
    for (size_t i = 0; key.len > 1 && key.data[0] == 'i' && i < node->inventory_count; i++)
        if (span_is(name, node->inventories[i].name))
            return asset_enter(node, (uint32_t)i);
    return E_CORRUPT;
}

static int count_visit(void *ctx, const struct hash *identity)
{
    (void)identity;
    (*(size_t *)ctx)++;
    return 0;
}

/* Is every advisory that counts there, and every inventory? */
static int counts_check(struct node *node)
{
    size_t advisories = 0;
    int rc = advisories_scan(node, count_visit, &advisories);
    return rc ? rc : advisories == node->matching.count ? 0 : E_CORRUPT;
}

int snapshot_load(struct node *node)
{
    struct matching *m = &node->matching;
    struct facts facts;
    struct chunks chunks;
    struct storage_key *key = NULL;
    int rc = facts_get(node, &facts);
    rc = rc || !facts.sealed ? rc : sealing_key(node, &key);
    if (rc) {
        storage_key_free(key);
        return rc == E_NOTFOUND ? E_CORRUPT : rc;
    }
    chunks_open(&chunks, node->env.store, spaces[facts.space]);
    chunks.key = key;
    matching_key(m);
    rc = catalogue_load(&m->catalogue, chunks_read, &chunks);
    rc = rc ? rc : identities_read(m, facts.advisories, &chunks);
    rc = rc ? rc : inventories_order(node, facts.inventories, &chunks);
    if (rc == 0 && chunks.bytes != facts.bytes)
        rc = E_CORRUPT;
    chunks_close(&chunks);
    storage_key_free(key);
    m->kept = rc == 0;
    rc = rc ? rc : node->env.store->ops->kept_scan(node->env.store, space_changed, changed_visit, node);
    return rc ? rc : counts_check(node);
}
