/* A list of a source, and the same bytes as a hash file and as flat bytes: what is read crosses flat bytes whole, and is within its limits. */
#include "base/limits.h"
#include "format/flat.h"
#include "fuzz/fuzz.h"

static void listing_check(const struct listing *l)
{
    must(l->kind < LISTING_KINDS && l->count <= FEED_DOCUMENTS_MAX);
    touch(l->title);
    touch(l->problem);
    for (size_t i = 0; i < l->count; i++) {
        touch(l->items[i].url);
        touch(l->items[i].hash_url);
        touch(l->items[i].signature_url);
        touch(l->items[i].mirror);
    }
    for (size_t i = 0; i < l->key_count; i++) {
        touch(l->keys[i].url);
        touch(l->keys[i].fingerprint);
    }
    for (size_t i = 0; i < l->exploited_count; i++)
        touch(l->exploited[i].id);
}

static void round_trip(const struct listing *listing, struct arena *arena)
{
    struct buf flat, again;
    struct listing back;
    buf_init(&flat, 64 << 20);
    buf_init(&again, 64 << 20);
    flat_put_listing(&flat, listing);
    must(flat_get_listing(&back, buf_view(&flat), arena) == 0);
    flat_put_listing(&again, &back);
    same(&again, buf_view(&flat));
    buf_free(&flat);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct listing listing;
    struct fault fault = {0};
    uint8_t hash[64];
    arena_init(&arena, 256 << 20);
    int rc = listing_read(&listing, span_of(data, size), &arena, &fault);
    must(rc == fault.code);
    if (rc == 0) {
        listing_check(&listing);
        for (size_t i = 0; i < listing.count; i++)
            must(listing.items[i].url.len && listing.items[i].url.len <= FOLLOWED_URL_MAX + 5);
        round_trip(&listing, &arena);
    }
    size_t len = hash_file_read(span_of(data, size), hash);
    must(len == 0 || len == 32 || len == 64);
    if (flat_get_listing(&listing, span_of(data, size), &arena) == 0) {
        listing_check(&listing);
        round_trip(&listing, &arena);
    }
    arena_free(&arena);
    return 0;
}
