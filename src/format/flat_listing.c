#include "base/limits.h"
#include "format/flat.h"

enum { ITEM_TEXTS = 4, ITEM_LEAST = 1 + 4 * ITEM_TEXTS + 4 * 8 + 4, KEY_LEAST = 8, EXPLOITED_LEAST = 4 + 8 + 8 + 1 };

void flat_put_listing(struct buf *out, const struct listing *listing)
{
    buf_byte(out, (uint8_t)listing->kind);
    buf_byte(out, listing->trusted);
    flat_put_text(out, listing->title);
    flat_put_text(out, listing->problem);
    flat_put_u32(out, (uint32_t)listing->problem_count);
    flat_put_u32(out, (uint32_t)listing->count);
    for (size_t i = 0; i < listing->count; i++) {
        const struct listed *item = &listing->items[i];
        const struct span texts[ITEM_TEXTS] = {item->url, item->hash_url, item->signature_url, item->mirror};
        const uint64_t numbers[] = {(uint64_t)item->updated, item->offset, item->packed, item->size};
        buf_byte(out, (uint8_t)item->what);
        for (size_t k = 0; k < ITEM_TEXTS; k++)
            flat_put_text(out, texts[k]);
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            buf_u64(out, numbers[k]);
        flat_put_u32(out, item->crc);
    }
    flat_put_u32(out, (uint32_t)listing->key_count);
    for (size_t i = 0; i < listing->key_count; i++) {
        flat_put_text(out, listing->keys[i].url);
        flat_put_text(out, listing->keys[i].fingerprint);
    }
    flat_put_u32(out, (uint32_t)listing->exploited_count);
    for (size_t i = 0; i < listing->exploited_count; i++) {
        flat_put_text(out, listing->exploited[i].id);
        buf_u64(out, (uint64_t)listing->exploited[i].added);
        buf_u64(out, (uint64_t)listing->exploited[i].due);
        buf_byte(out, listing->exploited[i].ransomware);
    }
}

/* A cursor that remembers its first error and from then on gives zeroes. */
struct cursor {
    struct span rest;
    struct arena *arena;
    int error;
};

static const uint8_t *take(struct cursor *c, size_t bytes)
{
    static const uint8_t zeroes[8];
    if (!c->error && c->rest.len < bytes)
        c->error = E_TRUNCATED;
    if (c->error)
        return zeroes;
    const uint8_t *at = c->rest.data;
    c->rest = span_from(c->rest, bytes);
    return at;
}

static unsigned get_u8(struct cursor *c, unsigned end)
{
    unsigned value = take(c, 1)[0];
    if (value >= end && !c->error)
        c->error = E_TYPE;
    return c->error ? 0 : value;
}

static uint32_t get_u32(struct cursor *c)
{
    const uint8_t *b = take(c, 4);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint64_t get_u64(struct cursor *c)
{
    return u64_get(take(c, 8));
}

static struct span get_text(struct cursor *c)
{
    uint32_t len = get_u32(c);
    const uint8_t *at = take(c, len);
    return c->error ? span_of(NULL, 0) : span_of(at, len);
}

/* Each item takes at least `least` bytes, so that a count cannot ask for more memory than its bytes account for. */
static void *get_array(struct cursor *c, size_t *count, size_t least, size_t size)
{
    uint32_t n = get_u32(c);
    *count = 0;
    if (!c->error && (n > FEED_DOCUMENTS_MAX || (size_t)n * least > c->rest.len))
        c->error = E_LIMIT;
    if (c->error || !n)
        return NULL;
    void *items = arena_array(c->arena, n, size);
    if (!items)
        c->error = c->arena->exhausted ? E_NOMEM : E_LIMIT;
    else
        *count = n;
    return items;
}

static void get_items(struct cursor *c, struct listing *out)
{
    struct listed *items = get_array(c, &out->count, ITEM_LEAST, sizeof *items);
    for (size_t i = 0; i < out->count; i++) {
        struct listed *item = &items[i];
        struct span *const texts[ITEM_TEXTS] = {&item->url, &item->hash_url, &item->signature_url, &item->mirror};
        item->what = (enum listed_what)get_u8(c, LISTED_WHATS);
        for (size_t k = 0; k < ITEM_TEXTS; k++)
            *texts[k] = get_text(c);
        item->updated = (int64_t)get_u64(c);
        item->offset = get_u64(c);
        item->packed = get_u64(c);
        item->size = get_u64(c);
        item->crc = get_u32(c);
    }
    out->items = items;
}

int flat_get_listing(struct listing *out, struct span bytes, struct arena *arena)
{
    struct cursor c = {.rest = bytes, .arena = arena};
    *out = (struct listing){0};
    out->kind = (enum listing_kind)get_u8(&c, LISTING_KINDS);
    out->trusted = get_u8(&c, 2) != 0;
    out->title = get_text(&c);
    out->problem = get_text(&c);
    out->problem_count = get_u32(&c);
    get_items(&c, out);
    struct listed_key *keys = get_array(&c, &out->key_count, KEY_LEAST, sizeof *keys);
    for (size_t i = 0; i < out->key_count; i++) {
        keys[i].url = get_text(&c);
        keys[i].fingerprint = get_text(&c);
    }
    out->keys = keys;
    struct exploited *rows = get_array(&c, &out->exploited_count, EXPLOITED_LEAST, sizeof *rows);
    for (size_t i = 0; i < out->exploited_count; i++) {
        rows[i].id = get_text(&c);
        rows[i].added = (int64_t)get_u64(&c);
        rows[i].due = (int64_t)get_u64(&c);
        rows[i].ransomware = get_u8(&c, 2) != 0;
    }
    out->exploited = rows;
    return c.error ? c.error : c.rest.len ? E_TRAILING : 0;
}
