/* The circle of a seed. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/fake_sign.h"
#include "sim/sim.h"

static const struct {
    enum party_role role;
    const char *jurisdiction;
} cast[SIM_PARTIES] = {
    {ROLE_STATE, "AA"}, {ROLE_STATE, "BB"},  {ROLE_STATE, "CC"},
    {ROLE_STATE, "DD"}, {ROLE_VENDOR, "EE"}, {ROLE_OPERATOR, "AA"},
};

const char *const fault_names[FAULT_COUNT] = {
#define FAULT_NAME(id, text) text,
    FAULT_LIST(FAULT_NAME)
#undef FAULT_NAME
};

void fired(struct world *world, enum sim_fault fault)
{
    world->fired[fault]++;
}

void trouble(struct world *world, const char *checker, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (!world->broken)
        world->broken = checker;
    if (world->trouble.len < 2048)
        buf_printf(&world->trouble, "# %s: %s\n", checker, line);
}

static int card_make(const struct stage *stage, unsigned i, struct buf *note)
{
    struct card card = {.role = cast[i].role, .made_at = 1750000000};
    (void)snprintf(card.name, sizeof card.name, "%s", sim_names[i]);
    (void)snprintf(card.jurisdiction, sizeof card.jurisdiction, "%s", cast[i].jurisdiction);
    (void)snprintf(card.url, sizeof card.url, "http://%s.example", sim_names[i]);
    memcpy(card.keys, stage->pub[i], sizeof card.keys);
    card_sign(note, &card, stage->ring[i], stage->recovery[i]);
    return note->error;
}

static int circle_found(struct world *world, unsigned committee, struct fault *fault)
{
    struct charter_party parties[SIM_PARTIES] = {0};
    struct charter_draft draft = {.name = span_str("a circle of the simulator"),
                                  .founded_at = 1750000000,
                                  .parties = parties,
                                  .count = SIM_PARTIES};
    struct buf notes[SIM_PARTIES], text;
    int rc = 0;
    memcpy(draft.nonce, &world->seed, sizeof world->seed);
    buf_init(&text, CHARTER_BYTES_MAX);
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        buf_init(&notes[i], CARD_BYTES_MAX);
        rc = rc ? rc : card_make(world->stage, i, &notes[i]);
        parties[i] = (struct charter_party){
            .card_note = buf_view(&notes[i]), .committee = i < committee, .proof = {.letter = true, .call_backs = 2}};
    }
    charter_write(&text, &draft);
    rc = rc ? rc : charter_parse(&world->rosters[0], arena_copy(&world->arena, buf_view(&text)), &world->arena, fault);
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        buf_free(&notes[i]);
    buf_free(&text);
    return rc;
}

/* The test procedure's second epoch: the vendor joins the committee. Keys, origins and the circle stay. */
static int epoch_make(struct world *world)
{
    struct roster *next = &world->rosters[1];
    *next = world->rosters[0];
    next->epoch++;
    next->parties = arena_array(&world->arena, next->count, sizeof *next->parties);
    if (!next->parties)
        return E_NOMEM;
    memcpy(next->parties, world->rosters[0].parties, next->count * sizeof *next->parties);
    for (size_t i = 0; i < next->count; i++)
        if (strcmp(next->parties[i].card.name, sim_names[SIM_VENDOR]) == 0 && !next->parties[i].committee) {
            next->parties[i].committee = true;
            next->committee_count++;
        }
    return 0;
}

int world_open(struct world *world, const struct stage *stage, uint64_t seed, bool real_keys, unsigned committee)
{
    struct fault fault = {0};
    *world = (struct world){.seed = seed, .random = seed * 7919 + 1, .stage = stage, .liar = -1, .deceived = -1};
    world->now = world->started = INT64_C(1760000000000);
    world->network = (struct network){.delay_ms = SIM_LINK_MS};
    signatures_are_real = real_keys;
    buf_init(&world->trouble, 65536);
    arena_init(&world->arena, 64 << 20);
    int rc = circle_found(world, committee, &fault);
    rc = rc ? rc : epoch_make(world);
    for (unsigned i = 0; i < SIM_PARTIES && rc == 0; i++)
        rc = member_open(world, i, &fault);
    if (rc)
        trouble(world, "process", "the circle cannot be founded: %s: %s: %s", error_text(rc)->id, fault.where,
                fault.detail);
    world->rc = rc;
    return rc;
}

void world_close(struct world *world)
{
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        member_close(&world->members[i]);
    network_close(world);
    for (size_t i = 0; i < world->given_count; i++)
        buf_free(&world->given[i].bytes);
    free(world->given);
    free(world->stated);
    free(world->handed);
    buf_free(&world->trouble);
    buf_free(&world->deceived_note);
    arena_free(&world->arena);
}
