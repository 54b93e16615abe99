/* The arrays of the catalogue, and the two changes: an advisory, an inventory. Rows are packed and judged in catalogue_rows.c. */
#include "affected/catalogue_state.h"

#include <stdlib.h>

enum { NAME_HASHED_MAX = 512, STRING_BYTES_MAX = UINT16_MAX };

static int grow(void **items, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return 0;
    size_t more = *cap + *cap / 4 + 256;
    void *bigger = more > UINT32_MAX ? NULL : realloc(*items, more * size);
    if (!bigger)
        return E_NOMEM;
    memset((char *)bigger + *cap * size, 0, (more - *cap) * size);
    *items = bigger;
    *cap = more;
    return 0;
}

static uint64_t mix(const struct catalogue *c, uint64_t a, uint64_t b)
{
    uint64_t in[2] = {a, b}, hash;
    (void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)in, sizeof in, c->key);
    return hash;
}

/* Chained tables: a slot holds the number of the first, each has the next. They grow with what is in them. */
static int slots_grow(struct slots *table, size_t count, uint64_t (*hash_of)(const struct catalogue *, uint32_t),
                      uint32_t *(*next_of)(struct catalogue *, uint32_t), struct catalogue *c)
{
    if (table->heads && count <= table->mask + 1)
        return 0;
    size_t size = table->heads ? 2 * (table->mask + 1) : 1024;
    uint32_t *heads = size ? calloc(size, sizeof *heads) : NULL, *old = table->heads;
    size_t old_size = table->heads ? table->mask + 1 : 0;
    if (!heads)
        return E_NOMEM;
    table->heads = heads;
    table->mask = size - 1;
    for (size_t i = 0; i < old_size; i++)
        for (uint32_t id = old[i], after; id; id = after) {
            uint32_t *next = next_of(c, id), *head = &heads[hash_of(c, id) & table->mask];
            after = *next;
            *next = *head;
            *head = id;
        }
    free(old);
    return 0;
}

/* Strings: two bytes of length, then the bytes; a string's number is its place. */

struct span string_get(const struct catalogue *c, uint32_t string)
{
    const uint8_t *at = c->text + string;
    return span_of(at + 6, (size_t)at[4] << 8 | at[5]);
}

static uint64_t bytes_hash(const struct catalogue *c, struct span bytes)
{
    uint64_t hash;
    (void)crypto_shorthash((uint8_t *)&hash, bytes.data ? bytes.data : (const uint8_t *)"", bytes.len, c->key);
    return hash;
}

static uint64_t string_hash(const struct catalogue *c, uint32_t string)
{
    return bytes_hash(c, string_get(c, string));
}

static uint32_t *string_next(struct catalogue *c, uint32_t string)
{
    return (uint32_t *)(void *)(c->text + string); /* places are multiples of four */
}

static uint32_t string_find(const struct catalogue *c, struct span bytes)
{
    if (!c->strings.heads)
        return 0;
    uint32_t id = c->strings.heads[bytes_hash(c, bytes) & c->strings.mask];
    while (id && !span_eq(string_get(c, id), bytes))
        memcpy(&id, c->text + id, sizeof id);
    return id;
}

int string_put(struct catalogue *c, struct span bytes, uint32_t *out)
{
    size_t need = (6 + bytes.len + 3) & ~(size_t)3;
    if (bytes.len > STRING_BYTES_MAX)
        return E_LIMIT;
    if ((*out = string_find(c, bytes)))
        return 0;
    if (c->text_cap - c->text_used < need || !c->text) {
        size_t cap = c->text_cap + c->text_cap / 4 + 65536 + need;
        uint8_t *text = cap > UINT32_MAX ? NULL : realloc(c->text, cap);
        if (!text)
            return cap > UINT32_MAX ? E_LIMIT : E_NOMEM;
        c->text = text;
        c->text_cap = cap;
        c->text_used = c->text_used ? c->text_used : 4; /* 0 is no string */
    }
    int rc = slots_grow(&c->strings, c->string_count + 1, string_hash, string_next, c);
    if (rc)
        return rc;
    uint32_t at = (uint32_t)c->text_used, *head = &c->strings.heads[bytes_hash(c, bytes) & c->strings.mask];
    memcpy(c->text + at, head, sizeof *head);
    c->text[at + 4] = (uint8_t)(bytes.len >> 8);
    c->text[at + 5] = (uint8_t)bytes.len;
    if (bytes.len)
        memcpy(c->text + at + 6, bytes.data, bytes.len);
    *head = at;
    c->text_used += need;
    c->string_count++;
    *out = at;
    return 0;
}

/* Names */

static uint64_t name_hash(const struct catalogue *c, uint32_t id)
{
    return mix(c, c->names[id].folded, 1);
}

static uint32_t *name_next(struct catalogue *c, uint32_t id)
{
    return &c->names[id].next;
}

static struct span fold(struct span name, uint8_t folded[NAME_HASHED_MAX])
{
    name = name_trim(name);
    size_t n = name.len < NAME_HASHED_MAX ? name.len : NAME_HASHED_MAX;
    for (size_t i = 0; i < n; i++)
        folded[i] = name_fold(name.data[i]);
    return span_of(folded, n);
}

uint32_t name_find(const struct catalogue *c, struct span name)
{
    uint8_t folded[NAME_HASHED_MAX];
    uint32_t string = string_find(c, fold(name, folded));
    if (!string || !c->name_slots.heads)
        return 0;
    uint32_t id = c->name_slots.heads[mix(c, string, 1) & c->name_slots.mask];
    while (id && c->names[id].folded != string)
        id = c->names[id].next;
    return id;
}

int name_put(struct catalogue *c, struct span name, uint32_t *out)
{
    uint8_t folded[NAME_HASHED_MAX];
    uint32_t string;
    if ((*out = name_find(c, name)))
        return 0;
    int rc = string_put(c, fold(name, folded), &string);
    c->name_count = c->name_count ? c->name_count : 1;
    rc = rc ? rc : grow((void **)&c->names, &c->name_cap, c->name_count, sizeof *c->names);
    rc = rc ? rc : slots_grow(&c->name_slots, c->name_count, name_hash, name_next, c);
    if (rc)
        return rc;
    *out = (uint32_t)c->name_count++;
    uint32_t *head = &c->name_slots.heads[mix(c, string, 1) & c->name_slots.mask];
    c->names[*out] = (struct name_row){.folded = string, .next = *head};
    *head = *out;
    return 0;
}

/* Packages and releases */

static bool package_is(const struct catalogue *c, uint32_t id, const struct package_row *like)
{
    const struct package_row *p = &c->packages[id];
    return p->lane == like->lane && p->ecosystem == like->ecosystem && p->name == like->name;
}

/* It hangs on the name of each of its keys. */
static int package_hang(struct catalogue *c, uint32_t id, const struct span *keys, size_t count)
{
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        uint32_t name_id;
        rc = name_put(c, keys[i], &name_id);
        rc = rc ? rc : list_insert(&c->lists, &c->names[name_id].packages, id);
    }
    return rc;
}

static int package_put(struct catalogue *c, const struct face *face, uint32_t *out)
{
    struct package_row made = {.lane = face->lane,
                               .order = face->lane == LANE_PURL ? order_of_ecosystem(face->ecosystem) : ORDER_UNKNOWN};
    int rc = name_put(c, face->keys[0], &made.name_id);
    rc = rc ? rc : string_put(c, face->ecosystem, &made.ecosystem);
    rc = rc ? rc : string_put(c, face->name, &made.name);
    if (rc)
        return rc;
    struct list list = c->names[made.name_id].packages;
    for (uint32_t i = 0; i < list.count; i++) {
        *out = list_items(&c->lists, list)[i];
        if (package_is(c, *out, &made))
            return 0;
    }
    rc = grow((void **)&c->packages, &c->package_cap, c->package_count, sizeof *c->packages);
    *out = (uint32_t)c->package_count;
    if (rc)
        return rc;
    c->packages[c->package_count++] = made; /* if it cannot hang on all its names it stays, and has no release */
    return package_hang(c, *out, face->keys, face->key_count);
}

static uint64_t release_key(const struct catalogue *c, uint32_t package, uint32_t version, bool broken)
{
    return mix(c, (uint64_t)package << 32 | version, 2u + broken);
}

static uint64_t release_hash(const struct catalogue *c, uint32_t id)
{
    const struct release_row *r = &c->releases[id];
    return release_key(c, r->package, r->version, r->broken);
}

static uint32_t *release_next(struct catalogue *c, uint32_t id)
{
    return &c->releases[id].next;
}

static uint32_t release_of(const struct catalogue *c, uint32_t package, struct span version, bool broken)
{
    uint32_t string = string_find(c, version);
    if (!string || !c->release_slots.heads)
        return 0;
    uint32_t id = c->release_slots.heads[release_key(c, package, string, broken) & c->release_slots.mask];
    while (id && !(c->releases[id].package == package && c->releases[id].version == string &&
                   c->releases[id].broken == broken))
        id = c->releases[id].next;
    return id;
}

uint32_t release_find(const struct catalogue *c, uint32_t package, struct span version)
{
    return release_of(c, package, version, false);
}

/* Behind those that compare equal. */
static int release_place(struct catalogue *c, uint32_t id)
{
    const struct release_row *r = &c->releases[id];
    struct package_row *p = &c->packages[r->package];
    struct span version = string_get(c, r->version);
    int result;
    if (r->broken || !version_compare(p->order, version, version, &result))
        return list_insert_at(&c->lists, &p->loose, p->loose.count, id);
    return list_insert_at(&c->lists, &p->ordered, package_bound(c, p, version, true), id);
}

static int release_put(struct catalogue *c, uint32_t package, struct span version, bool broken, uint32_t *out)
{
    uint32_t string;
    int rc = string_put(c, version, &string);
    if (rc)
        return rc;
    uint32_t id = 0;
    if (c->release_slots.heads)
        id = c->release_slots.heads[release_key(c, package, string, broken) & c->release_slots.mask];
    while (id && !(c->releases[id].package == package && c->releases[id].version == string &&
                   c->releases[id].broken == broken))
        id = c->releases[id].next;
    if ((*out = id))
        return 0;
    c->release_count = c->release_count ? c->release_count : 1;
    if (!c->release_free)
        rc = grow((void **)&c->releases, &c->release_cap, c->release_count, sizeof *c->releases);
    rc = rc ? rc : slots_grow(&c->release_slots, c->release_count, release_hash, release_next, c);
    if (rc)
        return rc;
    bool reused = c->release_free != 0;
    *out = reused ? c->release_free : (uint32_t)c->release_count;
    if (reused)
        c->release_free = c->releases[*out].next;
    c->releases[*out] = (struct release_row){.package = package, .version = string, .broken = broken};
    rc = release_place(c, *out);
    rc = rc ? rc : release_judge(c, *out);
    if (rc) { /* as if it had never been: it is in no chain yet */
        release_unplace(c, *out);
        c->releases[*out].next = c->release_free;
        c->release_free = reused ? *out : c->release_free;
        return rc;
    }
    c->release_count += !reused;
    uint32_t *head = &c->release_slots.heads[release_key(c, package, string, broken) & c->release_slots.mask];
    c->releases[*out].next = *head;
    *head = *out;
    return 0;
}

void release_unplace(struct catalogue *c, uint32_t id)
{
    struct release_row *r = &c->releases[id];
    struct list *const lists[] = {&c->packages[r->package].ordered, &c->packages[r->package].loose};
    for (int l = 0; l < 2; l++)
        for (uint32_t i = 0; i < lists[l]->count; i++)
            if (list_items(&c->lists, *lists[l])[i] == id) {
                list_remove_at(&c->lists, lists[l], i);
                break;
            }
    list_clear(&c->lists, &r->findings);
}

/* Nobody has it any more. */
static void release_drop(struct catalogue *c, uint32_t id)
{
    uint32_t *at = &c->release_slots.heads[release_hash(c, id) & c->release_slots.mask];
    while (*at != id)
        at = &c->releases[*at].next;
    *at = c->releases[id].next;
    release_unplace(c, id);
    c->releases[id] = (struct release_row){.next = c->release_free};
    c->release_free = id;
}

/* An inventory */

struct gathered {
    uint32_t *items;
    size_t count, cap;
};

static int gather(struct gathered *g, uint32_t value)
{
    int rc = grow((void **)&g->items, &g->cap, g->count, sizeof *g->items);
    if (rc == 0)
        g->items[g->count++] = value;
    return rc;
}

struct gathering {
    struct catalogue *catalogue;
    struct gathered *to;
};

/* What is too long its reader reports; no advisory can name it. */
static int face_add(void *ctx, const struct face *face)
{
    struct gathering *g = ctx;
    uint32_t package, release;
    bool broken = face->broken || face->version.len > STRING_BYTES_MAX;
    if (face->name.len > STRING_BYTES_MAX || face->ecosystem.len > STRING_BYTES_MAX)
        return 0;
    int rc = package_put(g->catalogue, face, &package);
    rc = rc ? rc : release_put(g->catalogue, package, broken ? span_of(NULL, 0) : face->version, broken, &release);
    return rc ? rc : gather(g->to, release);
}

bool package_key(struct span *rest, struct span *key)
{
    return span_line(rest, key) && key->len && key->data[0] < ' ';
}

static int components_add(struct catalogue *c, struct gathered *g, const struct inventory *inventory)
{
    struct gathering gathering = {c, g};
    int rc = 0;
    for (size_t i = 0; inventory && i < inventory->count && rc == 0; i++)
        rc = component_faces(&inventory->components[i], face_add, &gathering);
    return rc;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void gathered_sort(struct gathered *g)
{
    size_t n = 0;
    if (g->count)
        qsort(g->items, g->count, sizeof *g->items, by_number);
    for (size_t i = 0; i < g->count; i++)
        if (i == 0 || g->items[i] != g->items[n - 1])
            g->items[n++] = g->items[i];
    g->count = n;
}

/* Tells of all findings of a release that an asset has got, or lost. */
static void findings_tell(const struct catalogue *c, uint32_t release, bool got, struct teller *t)
{
    struct list list = c->releases[release].findings;
    for (uint32_t i = 0; i < list.count; i++) {
        uint32_t item = list_items(&c->lists, list)[i];
        enum verdict verdict = item & 1 ? VERDICT_AFFECTED : VERDICT_UNDECIDED;
        finding_tell(t, &(struct finding){.advisory = item >> 1,
                                          .release = release,
                                          .verdict = got ? verdict : VERDICT_NONE,
                                          .before = got ? VERDICT_NONE : verdict});
    }
}

void finding_tell(struct teller *t, const struct finding *finding)
{
    if (t->visit && !t->rc)
        t->rc = t->visit(t->ctx, finding);
}

/* Two ascending lists become one: what only the new one has is entered, what only the old one has is taken out. */
static int asset_exchange(struct catalogue *c, uint32_t id, const struct gathered *g, struct teller *t)
{
    struct list old = c->assets[id].releases;
    size_t i = 0, j = 0;
    int rc = 0;
    while (rc == 0 && (i < old.count || j < g->count)) {
        uint32_t was = i < old.count ? list_items(&c->lists, old)[i] : UINT32_MAX;
        uint32_t is = j < g->count ? g->items[j] : UINT32_MAX;
        i += was <= is;
        j += is <= was;
        if (is < was) {
            rc = list_insert(&c->lists, &c->releases[is].assets, id);
            if (rc == 0)
                findings_tell(c, is, true, t);
        } else if (was < is) {
            list_remove(&c->lists, &c->releases[was].assets, id);
            findings_tell(c, was, false, t);
        }
    }
    return rc ? rc : list_set(&c->lists, &c->assets[id].releases, g->items, g->count);
}

static void unused_drop(struct catalogue *c, const uint32_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c->releases[items[i]].package && !c->releases[items[i]].assets.count)
            release_drop(c, items[i]);
}

int catalogue_asset(struct catalogue *c, uint32_t id, const struct inventory *inventory, finding_visit *visit,
                    void *ctx)
{
    struct gathered g = {0}, old = {0};
    struct teller t = {.visit = visit, .ctx = ctx};
    if (id >= CATALOGUE_IDS_MAX)
        return E_LIMIT;
    int rc = 0;
    while (rc == 0 && c->asset_cap <= id)
        rc = grow((void **)&c->assets, &c->asset_cap, c->asset_cap, sizeof *c->assets);
    rc = rc ? rc : components_add(c, &g, inventory);
    gathered_sort(&g);
    for (uint32_t i = 0; rc == 0 && i < c->assets[id].releases.count; i++)
        rc = gather(&old, list_items(&c->lists, c->assets[id].releases)[i]);
    rc = rc ? rc : asset_exchange(c, id, &g, &t);
    if (c->asset_cap > id) {
        unused_drop(c, old.items, old.count);
        unused_drop(c, g.items, g.count);
    }
    free(g.items);
    free(old.items);
    return rc ? rc : t.rc;
}

/* An advisory */

static int advisory_row_put(struct catalogue *c, uint32_t id, const struct advisory *advisory, size_t i,
                            struct span key)
{
    uint32_t name, row;
    int rc = name_put(c, key, &name);
    rc = rc ? rc : row_put(c, id, name, &advisory->packages[i], advisory->version.len == 0, &row);
    rc = rc ? rc : list_insert_at(&c->lists, &c->names[name].rows, c->names[name].rows.count, row);
    if (rc == 0 && (rc = list_insert_at(&c->lists, &c->advisories[id].rows, c->advisories[id].rows.count, row)))
        row_drop(c, row);
    return rc;
}

static int advisory_rows_put(struct catalogue *c, uint32_t id, const struct advisory *advisory)
{
    int rc = 0;
    for (size_t i = 0; i < advisory->package_count && rc == 0; i++) {
        const struct affected_package *package = &advisory->packages[i];
        struct keys keys;
        if (package->lane == LANE_PURL && package->name.len) /* without a name it meets nothing: name_eq */
            rc = advisory_row_put(c, id, advisory, i, package->name);
        if (package->lane == LANE_PURL)
            continue;
        row_keys(package, &keys);
        for (size_t k = 0; k < keys.count && rc == 0; k++)
            rc = advisory_row_put(c, id, advisory, i, keys.list[k]);
    }
    return rc;
}

static void advisory_rows_drop(struct catalogue *c, uint32_t id)
{
    struct list *rows = &c->advisories[id].rows;
    for (uint32_t i = 0; i < rows->count; i++)
        row_drop(c, list_items(&c->lists, *rows)[i]);
    list_clear(&c->lists, rows);
}

static int finding_write(struct catalogue *c, uint32_t id, uint64_t pair, enum verdict before)
{
    struct list *list = &c->releases[pair >> 8].findings;
    enum verdict verdict = verdict_of((enum judgement)(pair & 0xff));
    if (before == VERDICT_AFFECTED || before == VERDICT_UNDECIDED)
        list_remove(&c->lists, list, id << 1 | (before == VERDICT_AFFECTED));
    if (verdict != VERDICT_AFFECTED && verdict != VERDICT_UNDECIDED)
        return 0;
    return list_insert(&c->lists, list, id << 1 | (verdict == VERDICT_AFFECTED));
}

enum verdict judgement_told(enum judgement judgement)
{
    enum verdict verdict = verdict_of(judgement);
    return verdict == VERDICT_NOT_AFFECTED ? VERDICT_NONE : verdict;
}

/* Does an advisory speak of several names, or in lanes of lower grade too? A component may stand under more than one of them. */
enum wide { WIDE_NOT, WIDE_NAMES, WIDE_LANES };

/* Both ascending by release. `wide`: what stays as it was is told, too. */
static int findings_exchange(struct catalogue *c, uint32_t id, const struct pairs *old, const struct pairs *new,
                             enum wide wide, struct teller *t)
{
    size_t i = 0, j = 0;
    int rc = 0;
    while (rc == 0 && (i < old->count || j < new->count)) {
        uint64_t was = i < old->count ? old->items[i] : UINT64_MAX, is = j < new->count ? new->items[j] : UINT64_MAX;
        uint64_t release = was >> 8 < is >> 8 ? was >> 8 : is >> 8;
        enum verdict before = was >> 8 == release ? judgement_told((enum judgement)(was & 0xff)) : VERDICT_NONE;
        enum verdict after = is >> 8 == release ? judgement_told((enum judgement)(is & 0xff)) : VERDICT_NONE;
        i += was >> 8 == release;
        j += is >> 8 == release;
        if (before == after && (after == VERDICT_NONE || wide < (after == VERDICT_UNDECIDED ? WIDE_NAMES : WIDE_LANES)))
            continue;
        rc = before == after ? 0 : finding_write(c, id, is >> 8 == release ? is : release << 8, before);
        if (rc == 0)
            finding_tell(
                t, &(struct finding){.advisory = id, .release = (uint32_t)release, .verdict = after, .before = before});
    }
    return rc;
}

/* Of its rows as they are, with a name of those before: 0 is replaced by the first name. */
static enum wide width(const struct catalogue *c, uint32_t id, uint32_t *name)
{
    struct list rows = c->advisories[id].rows;
    enum wide wide = WIDE_NOT;
    for (uint32_t i = 0; i < rows.count; i++) {
        uint32_t other = c->rows[list_items(&c->lists, rows)[i]].name;
        *name = *name ? *name : other;
        if (row_lane(c, list_items(&c->lists, rows)[i]) != LANE_PURL)
            return WIDE_LANES;
        wide = other != *name ? WIDE_NAMES : wide;
    }
    return wide;
}

int catalogue_advisory(struct catalogue *c, uint32_t id, const struct advisory *advisory, finding_visit *visit,
                       void *ctx)
{
    struct pairs old = {0}, new = {0};
    struct teller t = {.visit = visit, .ctx = ctx};
    if (id >= CATALOGUE_IDS_MAX)
        return E_LIMIT;
    int rc = 0;
    while (rc == 0 && c->advisory_cap <= id)
        rc = grow((void **)&c->advisories, &c->advisory_cap, c->advisory_cap, sizeof *c->advisories);
    uint32_t name = 0;
    enum wide wide = rc ? WIDE_NOT : width(c, id, &name), after;
    rc = rc ? rc : advisory_pairs(c, id, &old);
    if (rc == 0) {
        advisory_rows_drop(c, id);
        rc = advisory && !advisory->withdrawn ? advisory_rows_put(c, id, advisory) : 0;
        rc = rc ? rc : advisory_pairs(c, id, &new);
        if (rc) { /* gone altogether: the old findings are taken back below */
            advisory_rows_drop(c, id);
            new.count = 0;
        }
        after = width(c, id, &name);
        wide = after > wide ? after : wide;
        int exchanged = findings_exchange(c, id, &old, &new, wide, &t);
        rc = rc ? rc : exchanged;
    }
    free(old.items);
    free(new.items);
    return rc ? rc : t.rc;
}

int catalogue_ask(struct catalogue *c, const struct advisory *advisory, finding_visit *visit, void *ctx)
{
    struct pairs pairs = {0};
    struct teller t = {.visit = visit, .ctx = ctx};
    int rc = advisory->withdrawn ? 0 : asked_pairs(c, advisory, &pairs);
    for (size_t i = 0; i < pairs.count && rc == 0; i++) {
        struct finding finding = {.release = (uint32_t)(pairs.items[i] >> 8),
                                  .verdict = judgement_told((enum judgement)(pairs.items[i] & 0xff))};
        if (finding.verdict != VERDICT_NONE)
            finding_tell(&t, &finding);
    }
    free(pairs.items);
    return rc ? rc : t.rc;
}

static uint32_t package_known(const struct catalogue *c, const struct face *face)
{
    uint32_t name_id = name_find(c, face->keys[0]);
    struct list list = name_id ? c->names[name_id].packages : (struct list){0};
    for (uint32_t i = 0; i < list.count; i++) {
        const struct package_row *p = &c->packages[list_items(&c->lists, list)[i]];
        if (p->lane == face->lane && span_eq(string_get(c, p->ecosystem), face->ecosystem) &&
            span_eq(string_get(c, p->name), face->name))
            return list_items(&c->lists, list)[i];
    }
    return 0;
}

struct told_of {
    const struct catalogue *catalogue;
    struct teller teller;
};

static int face_tell(void *ctx, const struct face *face)
{
    struct told_of *t = ctx;
    uint32_t package = package_known(t->catalogue, face);
    bool broken = face->broken || face->version.len > STRING_BYTES_MAX;
    uint32_t release =
        package ? release_of(t->catalogue, package, broken ? span_of(NULL, 0) : face->version, broken) : 0;
    if (release)
        findings_tell(t->catalogue, release, true, &t->teller);
    return 0;
}

int catalogue_component(const struct catalogue *c, const struct component *component, finding_visit *visit, void *ctx)
{
    struct told_of t = {.catalogue = c, .teller = {.visit = visit, .ctx = ctx}};
    int rc = component_faces(component, face_tell, &t);
    return rc ? rc : t.teller.rc;
}

/* Whole */

int catalogue_new(struct catalogue **out)
{
    struct catalogue *c = *out = calloc(1, sizeof *c);
    if (!c)
        return E_NOMEM;
    crypto_shorthash_keygen(c->key);
    c->package_count = c->row_count = 1; /* 0 is none */
    return grow((void **)&c->packages, &c->package_cap, 1, sizeof *c->packages);
}

void catalogue_free(struct catalogue *c)
{
    if (!c)
        return;
    lists_free(&c->lists);
    free(c->text);
    free(c->strings.heads);
    free(c->name_slots.heads);
    free(c->release_slots.heads);
    free(c->names);
    free(c->packages);
    free(c->releases);
    free(c->rows);
    free(c->advisories);
    free(c->assets);
    scratch_free(&c->scratch);
    free(c);
}

const uint32_t *catalogue_assets(const struct catalogue *c, uint32_t release, size_t *count)
{
    *count = c->releases[release].assets.count;
    return list_items(&c->lists, c->releases[release].assets);
}

void catalogue_release(const struct catalogue *c, uint32_t release, struct release_view *out)
{
    const struct release_row *r = &c->releases[release];
    const struct package_row *p = &c->packages[r->package];
    *out = (struct release_view){.lane = p->lane,
                                 .ecosystem = string_get(c, p->ecosystem),
                                 .name = string_get(c, p->name),
                                 .version = string_get(c, r->version),
                                 .broken = r->broken};
}

void catalogue_size(const struct catalogue *c, struct catalogue_size *out)
{
    *out = (struct catalogue_size){.names = c->name_count ? c->name_count - 1 : 0, .packages = c->package_count - 1};
    for (size_t i = 1; i < c->release_count; i++) {
        out->releases += c->releases[i].package != 0;
        out->postings += c->releases[i].assets.count;
        out->findings += c->releases[i].findings.count;
    }
    for (size_t i = 1; i < c->row_count; i++) {
        out->rows += c->rows[i].name != 0;
        out->ranges += c->rows[i].name ? row_ranges(c, (uint32_t)i) : 0;
    }
    for (size_t i = 0; i < c->asset_cap; i++)
        out->assets += c->assets[i].releases.count != 0;
    out->bytes = c->lists.cap * sizeof *c->lists.words + c->text_cap + c->name_cap * sizeof *c->names +
                 c->package_cap * sizeof *c->packages + c->release_cap * sizeof *c->releases +
                 c->row_cap * sizeof *c->rows + c->advisory_cap * sizeof *c->advisories +
                 c->asset_cap * sizeof *c->assets +
                 (c->strings.mask + c->name_slots.mask + c->release_slots.mask) * sizeof(uint32_t);
}
