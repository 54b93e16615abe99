/* A key change's document, against a circle that has none yet, and as the change of that party: what is taken in leaves a roster of which
   every question has an answer. */
#include "circle/change.h"
#include "fuzz/mutate_note.h"

static void use(const struct roster *roster)
{
    struct buf policy;
    buf_init(&policy, 1 << 20);
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *party = &roster->parties[i];
        must(roster_party(roster, span_str(party->card.name)) == party && party->number == i);
        must(roster_origin(roster, span_str(party->origin)) == party);
        must(policy_write(&policy, roster, party) == (quorum_for(roster, party).m ? 0 : E_QUORUM));
        buf_reset(&policy);
    }
    buf_free(&policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct subject *s = mutate_subject();
    struct span document = span_of(data, size);
    struct key_change change;
    struct roster roster;
    struct arena arena;
    struct fault fault = {0};
    arena_init(&arena, 16 << 20);
    int rc = key_change_parse(&change, &s->roster, document, &arena, &fault);
    must(rc == 0 || fault.code == rc);
    if (rc == 0) {
        struct statement stated = {.issuer = span_str(change.party->card.name),
                                   .kid = change.party->kids[KEY_RECOVERY]};
        sha256(document, &stated.document);
        must(change.epoch >= 1 && roster_copy(&roster, &s->roster, &arena) == 0);
        rc = key_change_apply(&roster, &stated, document, 1700002000, &arena, &fault);
        must(rc == 0 || fault.code == rc);
        must(rc != 0 || roster.epoch == s->roster.epoch + 1);
        use(&roster);
    }
    arena_free(&arena);
    return 0;
}
