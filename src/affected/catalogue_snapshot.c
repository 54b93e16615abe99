/* The catalogue's arrays as bytes, and back. Numbers are of this machine's kind: what another one wrote, or another release with other
   arrays or other judgements, is refused, and made anew by whoever has what it was made from. */
#include <stdlib.h>

#include "affected/catalogue_state.h"

/* To be counted up with every change of the arrays' meaning, or of what judge() says of a row and a version. */
enum { CATALOGUE_RULES = 1, SAMPLE_RELEASES = 512 };
static const uint64_t magic = 0x636f6d6974792d31; /* reads otherwise on a machine of the other kind */

struct head {
    uint64_t magic, rules, sizes, text, strings, string_mask, name_mask, release_mask, lists, names, packages, releases,
        rows, advisories, assets;
    uint32_t free[32], release_free, row_free;
    uint8_t key[crypto_shorthash_KEYBYTES];
};

/* How large the elements are. */
static uint64_t sizes(void)
{
    return sizeof(struct name_row) | sizeof(struct package_row) << 8 | sizeof(struct release_row) << 16 |
           sizeof(struct advisory_row) << 24 | sizeof(struct rows_of) << 32 | sizeof(struct releases_of) << 40 |
           (uint64_t)ORDER_COUNT << 48;
}

struct array {
    void **items;
    size_t *cap; /* NULL: as large as it is */
    uint64_t count;
    size_t size;
};
enum { ARRAYS = 11 };

/* In the order in which they are written; counts as in the head. */
static void arrays_list(struct catalogue *c, const struct head *h, struct array out[static ARRAYS])
{
    const struct array list[ARRAYS] = {
        {(void **)&c->text, &c->text_cap, h->text, 1},
        {(void **)&c->strings.heads, NULL, h->string_mask + 1, sizeof *c->strings.heads},
        {(void **)&c->name_slots.heads, NULL, h->name_mask + 1, sizeof *c->name_slots.heads},
        {(void **)&c->release_slots.heads, NULL, h->release_mask + 1, sizeof *c->release_slots.heads},
        {(void **)&c->lists.words, &c->lists.cap, h->lists, sizeof *c->lists.words},
        {(void **)&c->names, &c->name_cap, h->names, sizeof *c->names},
        {(void **)&c->packages, &c->package_cap, h->packages, sizeof *c->packages},
        {(void **)&c->releases, &c->release_cap, h->releases, sizeof *c->releases},
        {(void **)&c->rows, &c->row_cap, h->rows, sizeof *c->rows},
        {(void **)&c->advisories, &c->advisory_cap, h->advisories, sizeof *c->advisories},
        {(void **)&c->assets, &c->asset_cap, h->assets, sizeof *c->assets},
    };
    memcpy(out, list, sizeof list);
}

/* Tables that were never needed are made first, so that each has its slots. */
static uint64_t mask_of(const struct slots *slots)
{
    return slots->heads ? slots->mask : UINT64_MAX; /* no slots: one less than none */
}

static void head_make(const struct catalogue *c, struct head *h)
{
    memset(h, 0, sizeof *h);
    h->magic = magic;
    h->rules = CATALOGUE_RULES;
    h->sizes = sizes();
    h->text = c->text_used;
    h->strings = c->string_count;
    h->string_mask = mask_of(&c->strings);
    h->name_mask = mask_of(&c->name_slots);
    h->release_mask = mask_of(&c->release_slots);
    h->lists = c->lists.used;
    h->names = c->name_count;
    h->packages = c->package_count;
    h->releases = c->release_count;
    h->rows = c->rows ? c->row_count : 0; /* the first is nobody's, and need not be there */
    h->advisories = c->advisory_cap;
    h->assets = c->asset_cap;
    memcpy(h->free, c->lists.free, sizeof h->free);
    h->release_free = c->release_free;
    h->row_free = c->row_free;
    memcpy(h->key, c->key, sizeof h->key);
}

int catalogue_save(const struct catalogue *c, catalogue_write *write, void *ctx)
{
    struct array arrays[ARRAYS];
    struct catalogue view = *c; /* for the list's sake: nothing of it is changed */
    struct head h;
    head_make(c, &h);
    arrays_list(&view, &h, arrays);
    int rc = write(ctx, span_of(&h, sizeof h));
    for (size_t i = 0; i < ARRAYS && rc == 0; i++)
        if (arrays[i].count)
            rc = write(ctx, span_of(*arrays[i].items, (size_t)arrays[i].count * arrays[i].size));
    return rc;
}

static bool mask_fits(uint64_t mask)
{
    return mask == UINT64_MAX || (mask <= UINT32_MAX && (mask & (mask + 1)) == 0);
}

static bool head_fits(const struct head *h)
{
    return h->magic == magic && h->rules == CATALOGUE_RULES && h->sizes == sizes() && mask_fits(h->string_mask) &&
           mask_fits(h->name_mask) && mask_fits(h->release_mask) && h->packages > 0;
}

static int array_read(struct array *array, catalogue_read *read, void *ctx)
{
    if (array->count > UINT32_MAX)
        return E_CORRUPT;
    size_t bytes = (size_t)array->count * array->size;
    *array->items = bytes ? malloc(bytes) : NULL;
    if (bytes && !*array->items)
        return E_NOMEM;
    if (array->cap)
        *array->cap = (size_t)array->count;
    return bytes ? read(ctx, *array->items, bytes) : 0;
}

/* Bounds. Whoever stores the bytes has checked that they are those that were written; this is so that none of it can lead astray. */

static bool list_fits(const struct catalogue *c, struct list list)
{
    return list.count == 0 || ((uint64_t)list.at + list.count <= c->lists.used && list.at > 0);
}

static bool string_fits(const struct catalogue *c, uint32_t string)
{
    return string >= 4 && string % 4 == 0 && (uint64_t)string + 6 <= c->text_used &&
           string + 6 + string_get(c, string).len <= c->text_used;
}

static bool packages_fit(const struct catalogue *c)
{
    bool fit = true;
    for (size_t i = 1; i < c->package_count && fit; i++) {
        const struct package_row *p = &c->packages[i];
        fit = p->name_id < c->name_count && string_fits(c, p->name) && string_fits(c, p->ecosystem) &&
              (unsigned)p->order < ORDER_COUNT && (unsigned)p->lane < LANE_COUNT && list_fits(c, p->ordered) &&
              list_fits(c, p->loose);
    }
    for (size_t i = 1; i < c->name_count && fit; i++)
        fit = string_fits(c, c->names[i].folded) && c->names[i].next < c->name_count &&
              list_fits(c, c->names[i].packages) && list_fits(c, c->names[i].rows);
    return fit;
}

static bool releases_fit(const struct catalogue *c)
{
    bool fit = true;
    for (size_t i = 1; i < c->release_count && fit; i++) {
        const struct release_row *r = &c->releases[i];
        fit = r->package < c->package_count && r->next < c->release_count &&
              (!r->package || string_fits(c, r->version)) && list_fits(c, r->assets) && list_fits(c, r->findings);
    }
    for (size_t i = 1; i < c->row_count && c->rows && fit; i++)
        fit = c->rows[i].name < c->name_count + !c->name_count && list_fits(c, c->rows[i].words);
    for (size_t i = 0; i < c->advisory_cap && fit; i++)
        fit = list_fits(c, c->advisories[i].rows);
    for (size_t i = 0; i < c->asset_cap && fit; i++)
        fit = list_fits(c, c->assets[i].releases);
    return fit && (c->release_free < c->release_count || !c->release_free) && c->row_free < c->row_count;
}

/* Some releases are judged anew: this release of the program must say the same. */
static int sample_check(struct catalogue *c)
{
    size_t step = c->release_count / SAMPLE_RELEASES + 1;
    int rc = 0;
    for (size_t i = 1; i < c->release_count && rc == 0; i += step)
        rc = c->releases[i].package ? release_check(c, (uint32_t)i) : 0;
    return rc;
}

static void head_take(struct catalogue *c, const struct head *h)
{
    c->text_used = (size_t)h->text;
    c->string_count = (size_t)h->strings;
    c->strings.mask = c->strings.heads ? (size_t)h->string_mask : 0;
    c->name_slots.mask = c->name_slots.heads ? (size_t)h->name_mask : 0;
    c->release_slots.mask = c->release_slots.heads ? (size_t)h->release_mask : 0;
    c->lists.used = (size_t)h->lists;
    c->name_count = (size_t)h->names;
    c->package_count = (size_t)h->packages;
    c->release_count = (size_t)h->releases;
    c->row_count = h->rows ? (size_t)h->rows : 1;
    memcpy(c->lists.free, h->free, sizeof h->free);
    c->release_free = h->release_free;
    c->row_free = h->row_free;
    memcpy(c->key, h->key, sizeof h->key);
}

int catalogue_load(struct catalogue **out, catalogue_read *read, void *ctx)
{
    struct array arrays[ARRAYS];
    struct head h;
    struct catalogue *c = calloc(1, sizeof *c);
    *out = NULL;
    int rc = c ? read(ctx, &h, sizeof h) : E_NOMEM;
    rc = rc ? rc : head_fits(&h) ? 0 : E_CORRUPT;
    if (rc == 0)
        arrays_list(c, &h, arrays);
    for (size_t i = 0; i < ARRAYS && rc == 0; i++)
        rc = array_read(&arrays[i], read, ctx);
    if (rc == 0)
        head_take(c, &h);
    rc = rc ? rc : packages_fit(c) && releases_fit(c) ? 0 : E_CORRUPT;
    rc = rc ? rc : sample_check(c);
    if (rc)
        catalogue_free(c);
    else
        *out = c;
    return rc;
}
