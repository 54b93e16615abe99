#include "circle/roster.h"
#include "fuzz/fuzz.h"

/* Whatever a roster was accepted from, every question about it has an answer. */
static void use(const struct roster *roster)
{
    struct buf policy;
    buf_init(&policy, 1 << 20);
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *party = &roster->parties[i];
        struct quorum q = quorum_for(roster, party);
        if (roster_party(roster, span_str(party->card.name)) != party ||
            roster_origin(roster, span_str(party->origin)) != party || q.k > q.m ||
            policy_write(&policy, roster, party) != (q.m ? 0 : E_QUORUM))
            abort();
        buf_reset(&policy);
    }
    buf_free(&policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (crypto_start() != 0)
        abort();
    struct arena arena;
    struct roster roster;
    struct fault fault = {0};
    arena_init(&arena, 16 << 20);
    if (charter_parse(&roster, span_of(data, size), &arena, &fault) == 0)
        use(&roster);
    arena_free(&arena);
    return 0;
}
