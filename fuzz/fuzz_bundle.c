/* A charter bundle: one that is accepted can be taken apart, and put together again with nothing added it means the same. */
#include "circle/change.h"
#include "crypto/sign.h"
#include "fuzz/fuzz.h"

static void again(struct span bytes, const struct roster *before, struct arena *arena)
{
    struct span charter;
    struct roster roster;
    struct buf out;
    must(bundle_charter(bytes, &charter, arena, NULL) == 0);
    buf_init(&out, BUNDLE_JSON_BYTES_MAX);
    must(bundle_extend(&out, bytes, NULL, 0, NULL) == 0);
    must(bundle_parse_charter(buf_view(&out), &roster, arena, NULL) == 0);
    must(roster.count == before->count && roster.epoch == before->epoch && hash_eq(&roster.circle, &before->circle));
    for (size_t i = 0; i < roster.count; i++)
        must(memcmp(roster.parties[i].kids, before->parties[i].kids, sizeof roster.parties[i].kids) == 0);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct roster roster;
    struct fault fault = {0};
    must(crypto_start() == 0);
    arena_init(&arena, 64 << 20);
    int rc = bundle_parse_charter(span_of(data, size), &roster, &arena, &fault);
    must(rc ? fault.code == rc : roster.count > 0);
    if (rc == 0)
        again(span_of(data, size), &roster, &arena);
    arena_free(&arena);
    return 0;
}
