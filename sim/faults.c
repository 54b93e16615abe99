/* Which faults a seed has, when, and to whom. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "record/wire.h"
#include "sim/sim.h"

static unsigned pick(struct world *world)
{
    return (unsigned)world_random(world, SIM_PARTIES);
}

static bool one_in(struct world *world, unsigned n)
{
    return world_random(world, n) == 0;
}

/* Links */

enum partition_kind { BETWEEN_TWO, ONE_WAY, ALONE, PARTITION_KINDS };

static void partition_task(struct world *world, unsigned kind)
{
    unsigned a = pick(world), b = (a + 1 + (unsigned)world_random(world, SIM_PARTIES - 1)) % SIM_PARTIES;
    int64_t until = world->now + HOUR_MS + (int64_t)world_random(world, 30 * HOUR_MS);
    if (world->faults_over)
        return;
    for (unsigned other = 0; other < SIM_PARTIES; other++) {
        if (other == a || (kind != ALONE && other != b))
            continue;
        world->blocked_until[a][other] = until;
        if (kind != ONE_WAY)
            world->blocked_until[other][a] = until;
    }
}

/* Processes and disks */

static void crash_task(struct world *world, unsigned number)
{
    struct member *member = &world->members[number];
    if (!member->node || world->faults_over)
        return;
    member->strike = (enum strike)world_random(world, STRIKE_COUNT);
    member->strike_in = 1 + (unsigned)world_random(world, member->strike == STRIKE_WRITE ? 8 : 3);
    if (member->strike == STRIKE_NONE) {
        fired(world, FAULT_CRASH);
        member_crash(world, number);
    }
}

static void disk_full_task(struct world *world, unsigned number)
{
    world->members[number].full_until = world->now + (int64_t)world_random(world, 5 * HOUR_MS);
}

static void flip_task(struct world *world, unsigned number)
{
    static const enum sim_fault kinds[] = {FAULT_BIT_ENTRY, FAULT_BIT_DOCUMENT, FAULT_BIT_TILE, FAULT_BIT_NOTE};
    struct member *member = &world->members[number];
    member->flip = kinds[world_random(world, sizeof kinds / sizeof kinds[0])];
    member->flip_in = 1 + (unsigned)world_random(world, 5);
}

static void wake_task(struct world *world, unsigned number)
{
    world->members[number].asleep = false;
    member_start(world, number);
}

static void sleep_task(struct world *world, unsigned number)
{
    struct member *member = &world->members[number];
    if (!member->node || world->faults_over)
        return;
    fired(world, FAULT_ASLEEP);
    member->asleep = true;
    member_acts(member);
    member_stop(member);
    task_at(world, world->now + (int64_t)world_random(world, 20 * HOUR_MS), wake_task, number);
}

static void clock_task(struct world *world, unsigned number)
{
    struct member *member = &world->members[number];
    int64_t jump = (int64_t)world_random(world, 6 * DAY_MS) - 3 * DAY_MS;
    if (world->faults_over)
        return;
    fired(world, jump < 0 ? FAULT_CLOCK_BACK : FAULT_CLOCK_FORWARD);
    member->skew_ms += jump;
}

/* Backups */

static void backup_task(struct world *world, unsigned number)
{
    if ((int)number != world->liar)
        backup_take(&world->members[number]);
}

static void restore_task(struct world *world, unsigned argument)
{
    static const enum sim_fault kinds[] = {FAULT_RESTORED_STORE, FAULT_RESTORED_SIGNER, FAULT_RESTORED_BOTH};
    unsigned number = argument % SIM_PARTIES, which = argument / SIM_PARTIES;
    struct member *member = &world->members[number];
    if (world->faults_over || member->asleep || member->full_until > world->now)
        return;
    if (backup_put_back(member, which != 1, which != 0))
        fired(world, kinds[which]);
}

/* Dishonesty at large: anybody may send these */

static unsigned crook(const struct world *world)
{
    return world->liar >= 0 ? (unsigned)world->liar : SIM_OPERATOR;
}

static unsigned victim(struct world *world)
{
    return (crook(world) + 1 + (unsigned)world_random(world, SIM_PARTIES - 1)) % SIM_PARTIES;
}

static void junk(struct world *world, struct buf *out, size_t len)
{
    buf_init(out, HTTP_BODY_MAX);
    for (size_t i = 0; i < len; i += 8)
        buf_u64(out, world_random(world, UINT64_MAX));
}

static void flood_task(struct world *world, unsigned argument)
{
    unsigned from = crook(world), to = victim(world);
    (void)argument;
    fired(world, FAULT_FLOOD);
    for (unsigned i = 0; i < 200; i++) {
        struct buf body;
        char path[96], hex[65];
        struct hash hash;
        junk(world, &body, 64);
        sha256(buf_view(&body), &hash);
        hash_hex(&hash, hex);
        (void)snprintf(path, sizeof path, i % 4 ? "/documents/%s" : "/announce", hex);
        raw_request(world, from, to, "POST", path, &body, world->now + i, i % 4 == 0);
    }
}

static void oversize_task(struct world *world, unsigned argument)
{
    static const char *const paths[] = {"/mirror/add-checkpoint", "/mirror/add-entries", "/announce"};
    struct buf body;
    (void)argument;
    fired(world, FAULT_OVERSIZE);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        junk(world, &body, NOTE_BYTES_MAX + 8192);
        raw_request(world, crook(world), victim(world), "POST", paths[i], &body, world->now + (int64_t)i, true);
    }
}

/* Its own newest checkpoint with a proof that proves nothing, before the true one comes. */
static void forged_proof_task(struct world *world, unsigned argument)
{
    unsigned from = crook(world), to = victim(world);
    struct member *liar = &world->members[from], *mirror = &world->members[to];
    log_id log, there;
    uint64_t size = 0, accepted = 0;
    struct buf note, old, body;
    struct hash proof[3];
    (void)argument;
    if (!liar->node || !mirror->node || world->faults_over || !member_roster(mirror)->parties)
        return;
    publish(world, from, 1);
    buf_init(&note, NOTE_BYTES_MAX);
    buf_init(&old, NOTE_BYTES_MAX);
    buf_init(&body, HTTP_BODY_MAX);
    (void)member_log_size(mirror, from, &there);
    if (liar->node && member_log_size(liar, from, &log)) {
        struct served served;
        member_acts(liar);
        node_serve(liar->node, span_str("/checkpoint"), false, &served);
        buf_span(&note, buf_view(&served.body));
        buf_free(&served.body);
        size = member_log_size(liar, from, &log);
    }
    if (there && mirror->store_real->note_latest(mirror->store, there, NOTE_PENDING, &accepted, &old) == 0 &&
        accepted && accepted < size) {
        for (size_t i = 0; i < 3; i++)
            for (size_t b = 0; b < 32; b++)
                proof[i].b[b] = (uint8_t)world_random(world, 256);
        add_checkpoint_write(&body, accepted, proof, 3, buf_view(&note));
        raw_request(world, from, to, "POST", "/mirror/add-checkpoint", &body, world->now + 1, true);
        fired(world, FAULT_FORGED_PROOF);
    } else {
        buf_free(&body);
    }
    buf_free(&note);
    buf_free(&old);
}

/* A checkpoint of somebody else's log, with a signature line that is none; then its own true one with invented cosignatures. */
static void forged_signature_task(struct world *world, unsigned argument)
{
    unsigned from = crook(world), to = victim(world), other = (from + 2) % SIM_PARTIES;
    const struct roster *roster = &world->rosters[0];
    const struct party *party = roster_party(roster, span_str(sim_names[other]));
    struct signature signature;
    struct hash root;
    struct buf body;
    struct served served;
    (void)argument;
    if (world->faults_over)
        return;
    fired(world, FAULT_FORGED_SIGNATURE);
    for (size_t i = 0; i < sizeof signature.b; i++)
        signature.b[i] = (uint8_t)world_random(world, 256);
    sha256(span_of(signature.b, sizeof signature.b), &root);
    buf_init(&body, HTTP_BODY_MAX);
    checkpoint_write_text(&body, span_str(party->origin), 1000, &root);
    buf_byte(&body, '\n');
    note_signature_write(&body, span_str(party->origin), &party->card.keys[KEY_LOG], &signature);
    raw_request(world, from, to, "POST", "/announce", &body, world->now + 1, true);
    if (!world->members[from].node)
        return;
    member_acts(&world->members[from]);
    node_serve(world->members[from].node, span_str("/checkpoint"), false, &served);
    for (size_t i = 0; i < roster->count && served.status == 200; i++) {
        char name[MIRROR_NAME_BYTES];
        mirror_name(name, &roster->parties[i]);
        if (roster->parties[i].committee)
            note_cosignature_write(&served.body, span_str(name), &roster->parties[i].card.keys[KEY_MIRROR],
                                   world->now / 1000, &signature);
    }
    raw_request(world, from, to, "POST", "/announce", &served.body, world->now + 2, false);
}

/* A hijacked node: asks its own signer for what would contradict what it has signed. */
static void hijack_task(struct world *world, unsigned number)
{
    struct member *member = &world->members[number];
    struct sign_statement ballot = {.issued_at = (world->now + member->skew_ms) / 1000,
                                    .media = "application/vnd.comity.ballot+json"};
    struct signed_statement *made = calloc(1, sizeof *made);
    struct buf note;
    if (!member->node || !made || !member->is_signing || world->faults_over) {
        free(made);
        return;
    }
    enum strike strike = member->strike; /* which waits for the node's own calls */
    member->strike = STRIKE_NONE;
    fired(world, FAULT_HIJACK);
    member_acts(member);
    buf_init(&note, NOTE_BYTES_MAX);
    if (member->signer->ops->statements(member->signer, &ballot, 1, made) != E_REFUSED)
        trouble(world, "2 signer refuses", "%s: a ballot is signed without its person", member->name);
    for (size_t i = 0; i < SIM_PARTIES; i++) {
        struct sign_cosignature request = {.size = member->seen[i].size};
        struct cosigned cosigned;
        struct hash leaf = {.b = {1}};
        (void)snprintf(request.origin, sizeof request.origin, "%s", member_roster(member)->parties[i].origin);
        if (!request.size || member->filed[i] < request.size)
            continue; /* or its file was put back: it cannot know of what it signed since */
        if (strcmp(member_roster(member)->parties[i].card.name, member->name) == 0) {
            (void)member->signer->ops->checkpoint(member->signer, request.size - 1, &leaf, 1, &note);
            continue;
        }
        (void)member->signer->ops->cosign(member->signer, KEY_MIRROR, &request, &cosigned); /* another root */
        request.size--;
        request.root = member->seen[i].root;
        (void)member->signer->ops->cosign(member->signer, KEY_MIRROR, &request, &cosigned); /* a smaller size */
        request.size += 2;
        request.proof_count = 1;
        (void)member->signer->ops->cosign(member->signer, KEY_MIRROR, &request,
                                          &cosigned); /* a proof that proves nothing */
    }
    member->strike = strike;
    buf_free(&note);
    free(made);
}

/* Plan */

static int64_t some_time(struct world *world, long long busy_ms)
{
    return world->now + (int64_t)world_random(world, (uint64_t)busy_ms);
}

static void tasks(struct world *world, long long busy_ms, unsigned one, unsigned most, task *run, unsigned below)
{
    if (one > 1 && !one_in(world, one))
        return;
    for (unsigned n = 1 + (unsigned)world_random(world, most); n; n--)
        task_at(world, some_time(world, busy_ms), run, (unsigned)world_random(world, below));
}

static void links_plan(struct world *world)
{
    static const unsigned lost[] = {0, 10, 30, 100}, twice[] = {0, 20, 100}, late[] = {0, 0, 10},
                          flipped[] = {0, 0, 10, 30};
    static const size_t cuts[] = {0, 300, 1000, 5000};
    world->network.jitter_ms = (int64_t)world_random(world, 400);
    world->network.lost_permille = lost[world_random(world, 4)];
    world->network.twice_permille = twice[world_random(world, 3)];
    world->network.late_permille = late[world_random(world, 3)];
    world->network.flipped_permille = flipped[world_random(world, 4)];
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        world->members[i].cut_bytes = one_in(world, 6) ? cuts[world_random(world, 4)] : 0;
    if (one_in(world, 3)) {
        fired(world, FAULT_CLOCK_SKEW);
        world->members[pick(world)].skew_ms = (int64_t)world_random(world, 24 * HOUR_MS) - 12 * HOUR_MS;
    }
}

static void backups_plan(struct world *world, long long busy_ms)
{
    unsigned number = pick(world), which = (unsigned)world_random(world, 3);
    int64_t at = some_time(world, busy_ms / 2);
    task_at(world, at, backup_task, number);
    task_at(world, at + HOUR_MS + (int64_t)world_random(world, (uint64_t)busy_ms / 2), restore_task,
            which * SIM_PARTIES + number);
}

/* One of the committee is dishonest, which is f for every log of five mirrors. */
static void liar_plan(struct world *world, long long busy_ms)
{
    world->liar = world_random(world, 2) ? SIM_VENDOR : 0;
    struct member *liar = &world->members[world->liar];
    if (one_in(world, 2))
        task_at(world, some_time(world, busy_ms), liar_act, 0);
    liar->withholds = one_in(world, 3);
    liar->delays = one_in(world, 3);
    liar->invents = one_in(world, 2);
}

void faults_plan(struct world *world, long long busy_ms)
{
    links_plan(world);
    tasks(world, busy_ms, 2, 2, partition_task, PARTITION_KINDS);
    tasks(world, busy_ms, 1, 6, crash_task, SIM_PARTIES);
    tasks(world, busy_ms, 3, 1, disk_full_task, SIM_PARTIES);
    tasks(world, busy_ms, 2, 4, flip_task, SIM_PARTIES);
    tasks(world, busy_ms, 3, 1, sleep_task, SIM_PARTIES);
    tasks(world, busy_ms, 3, 3, clock_task, SIM_PARTIES);
    tasks(world, busy_ms, 10, 1, flood_task, 1);
    tasks(world, busy_ms, 10, 2, oversize_task, 1);
    tasks(world, busy_ms, 3, 2, forged_proof_task, 1);
    tasks(world, busy_ms, 3, 2, forged_signature_task, 1);
    tasks(world, busy_ms, 3, 2, hijack_task, SIM_PARTIES);
    world->replay_left = one_in(world, 2) ? 8 : 0;
    if (world->rosters[0].committee_count == SIM_VENDOR + 1 && one_in(world, 3))
        liar_plan(world, busy_ms);
    if (one_in(world, 3))
        backups_plan(world, busy_ms);
}

void faults_end(struct world *world)
{
    world->faults_over = true;
    memset(world->blocked_until, 0, sizeof world->blocked_until);
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        struct member *member = &world->members[i];
        member->strike = STRIKE_NONE;
        member->flip = FAULT_NONE;
        member->cut_bytes = 0;
        member->full_until = 0;
        if (member->asleep)
            task_at(world, world->now, wake_task, i);
    }
}
