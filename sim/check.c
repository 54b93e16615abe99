/* What must hold after any seed, by the numbers of the design's invariants. Each check names the first things that do not hold. What a
   check needs to know of quorums, instants and order it works out itself, so that a mistake in src/ is not made twice. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "sim/sim.h"

/* The liar's dead node: what it had acknowledged and not yet pushed is lost to the others. */
static bool retired(const struct world *world, unsigned owner)
{
    return world->members[owner].retired;
}

static bool honest(const struct world *world, unsigned owner)
{
    return world->deceived < 0 || (int)owner != world->liar;
}

/* A mirror that took the liar's other face cannot hold the true one; and whoever knows of the two follows that log no more. */
static bool exempt(const struct world *world, unsigned owner, unsigned at)
{
    return retired(world, at) || !honest(world, owner);
}

static const struct party *party_of(struct member *member, unsigned owner)
{
    return roster_party(member_roster(member), span_str(sim_names[owner]));
}

static struct hash entry_leaf(struct member *member, log_id log, uint64_t index)
{
    struct hash leaf = {0};
    struct buf entry;
    buf_init(&entry, STATEMENT_BYTES_MAX);
    if (member->store_real->entry_get(member->store, log, index, &entry) == 0)
        tree_leaf(buf_view(&entry), &leaf);
    buf_free(&entry);
    return leaf;
}

/* 1: lost, changed or moved? */

static void acknowledged_at(struct world *world, const struct stated *s, struct member *member)
{
    struct stored_document info;
    log_id log = 0;
    uint64_t size = member_log_size(member, s->owner, &log);
    struct hash leaf = size > s->index ? entry_leaf(member, log, s->index) : (struct hash){0};
    if (!hash_eq(&leaf, &s->id))
        trouble(world, "1 nothing lost",
                "%s does not hold entry %" PRIu64 " of %s as acknowledged (it holds %" PRIu64 ")", member->name,
                s->index, sim_names[s->owner], size);
    else if (member->store_real->document_info(member->store, &s->document, &info) != 0)
        trouble(world, "1 nothing lost", "%s lacks the document of entry %" PRIu64 " of %s", member->name, s->index,
                sim_names[s->owner]);
}

/* What was acknowledged is in its owner's log, where it was said to be, and on every other node. */
static void check_acknowledged(struct world *world)
{
    for (size_t n = 0; n < world->stated_count; n++) {
        const struct stated *s = &world->stated[n];
        for (unsigned i = 0; s->acknowledged && !s->forgiven && i < SIM_PARTIES; i++)
            if (!exempt(world, s->owner, i))
                acknowledged_at(world, s, &world->members[i]);
    }
}

static void given_check(struct world *world, const struct given *g)
{
    struct arena arena;
    struct standing standing;
    struct fault fault = {0};
    arena_init(&arena, 4 << 20);
    int rc = receipt_verify(&world->rosters[g->epoch], buf_view(&g->bytes), NULL, &standing, &arena, &fault);
    if (rc || standing.index != g->index || !hash_eq(&standing.statement.id, &g->id))
        trouble(world, "1 receipts", "a receipt of %s that was given out does not verify: %s", sim_names[g->owner],
                error_text(rc)->id);
    arena_free(&arena);
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        log_id log;
        struct member *member = &world->members[i];
        if (retired(world, i) || member_log_size(member, g->owner, &log) <= g->index)
            continue;
        struct hash leaf = entry_leaf(member, log, g->index);
        if (!hash_eq(&leaf, &g->id))
            trouble(world, "1 receipts", "%s holds another entry %" PRIu64 " of %s than its receipt says", member->name,
                    g->index, sim_names[g->owner]);
    }
}

/* Somebody asks a node for the receipt of a statement, and keeps it. */
static void receipt_ask(struct world *world, struct member *member, const struct stated *s)
{
    struct given *g;
    struct buf bytes;
    struct standing standing;
    struct arena arena;
    struct fault fault = {0};
    buf_init(&bytes, RECEIPT_BYTES_MAX);
    arena_init(&arena, 4 << 20);
    member_acts(member);
    if (node_receipt(member->node, &s->id, false, &bytes, &fault) != 0 ||
        receipt_verify(member_roster(member), buf_view(&bytes), NULL, &standing, &arena, &fault) != 0) {
        buf_free(&bytes); /* not standing yet; or a flipped bit was read, and whoever got it has seen that */
        arena_free(&arena);
        return;
    }
    arena_free(&arena);
    if (world->given_count == world->given_cap) {
        world->given_cap = world->given_cap ? world->given_cap * 2 : 64;
        world->given = realloc(world->given, world->given_cap * sizeof *world->given);
        if (!world->given)
            abort();
    }
    g = &world->given[world->given_count++];
    *g = (struct given){.id = s->id, .owner = s->owner, .epoch = member->epoch, .index = s->index, .bytes = bytes};
}

/* 4: the least instant at which a quorum's cosignatures on one checkpoint over the statement were made, worked out a second time. */

struct instants {
    const struct roster *roster;
    const struct party *writer;
    unsigned needed, count;
    uint64_t size;
    struct hash root;
    int64_t times[COMMITTEE_MAX], best;
};

static void instants_close(struct instants *t)
{
    for (unsigned i = 1; i < t->count; i++)
        for (unsigned j = i; j && t->times[j] < t->times[j - 1]; j--) {
            int64_t time = t->times[j];
            t->times[j] = t->times[j - 1];
            t->times[j - 1] = time;
        }
    if (t->needed && t->count >= t->needed && (!t->best || t->times[t->needed - 1] < t->best))
        t->best = t->times[t->needed - 1];
    t->count = 0;
}

static int instants_visit(void *ctx, const struct stored_cosignature *c)
{
    struct instants *t = ctx;
    if (c->size != t->size || !hash_eq(&c->root, &t->root))
        instants_close(t);
    t->size = c->size;
    t->root = c->root;
    for (size_t i = 0; i < t->roster->count && t->count < COMMITTEE_MAX; i++)
        if (t->roster->parties[i].committee && &t->roster->parties[i] != t->writer &&
            hash_eq(&t->roster->parties[i].kids[KEY_MIRROR], &c->kid))
            t->times[t->count++] = c->timestamp;
    return 0;
}

static unsigned needed_for(const struct roster *roster, const struct party *writer);

static void instant_check(struct world *world, struct member *member, const struct stated *s)
{
    const struct party *writer = party_of(member, s->owner);
    struct instants t = {
        .roster = member_roster(member), .writer = writer, .needed = needed_for(member_roster(member), writer)};
    log_id log;
    if (member_log_size(member, s->owner, &log) <= s->index)
        return;
    struct hash leaf = entry_leaf(member, log, s->index);
    if (!hash_eq(&leaf, &s->id) ||
        member->store_real->cosignatures(member->store, log, s->index + 1, instants_visit, &t) != 0)
        return;
    instants_close(&t);
    int64_t told = instant_told(member, &s->id);
    if (told != t.best)
        trouble(world, "4 instants", "%s: entry %" PRIu64 " of %s stands since %" PRId64 ", told is %" PRId64,
                member->name, s->index, sim_names[s->owner], t.best, told);
}

static void check_instants(struct world *world)
{
    for (unsigned tries = 0; tries < 20 && world->stated_count; tries++) {
        const struct stated *s = &world->stated[world_random(world, world->stated_count)];
        struct member *member = &world->members[world_random(world, SIM_PARTIES)];
        if (s->acknowledged && member->node && honest(world, s->owner))
            instant_check(world, member, s);
    }
}

/* 1: a receipt of one mirror too few, one of them twice, is none. */
static void forged_receipt_check(struct world *world, const struct given *g)
{
    struct buf forged;
    struct span rest = buf_view(&g->bytes), line;
    struct standing standing;
    struct arena arena;
    struct fault fault = {0};
    const struct roster *roster = &world->rosters[g->epoch];
    unsigned mirrors = 0, needed = needed_for(roster, roster_party(roster, span_str(sim_names[g->owner])));
    buf_init(&forged, RECEIPT_BYTES_MAX);
    arena_init(&arena, 4 << 20);
    while (span_line(&rest, &line)) {
        bool is_mirror = memmem(line.data, line.len, "/mirror ", 8) != NULL;
        for (unsigned times = 0; times < (is_mirror ? (mirrors ? mirrors < needed - 1 : 2) : 1); times++) {
            buf_span(&forged, line);
            buf_byte(&forged, '\n');
        }
        mirrors += is_mirror;
    }
    if (needed > 1 && receipt_verify(roster, buf_view(&forged), NULL, &standing, &arena, &fault) == 0)
        trouble(world, "1 receipts", "a receipt verifies with %u mirrors, one of them twice, where %u are needed",
                needed - 1, needed);
    arena_free(&arena);
    buf_free(&forged);
}

void receipts_collect(struct world *world)
{
    for (unsigned tries = 0; tries < 4 && world->stated_count; tries++) {
        const struct stated *s = &world->stated[world_random(world, world->stated_count)];
        struct member *member = &world->members[world_random(world, SIM_PARTIES)];
        if (s->acknowledged && member->node && honest(world, s->owner))
            receipt_ask(world, member, s);
    }
}

/* 2: one log, one tree */

struct faces {
    struct world *world;
    struct member *member;
    unsigned seen;
    uint64_t size; /* of the group of cosignatures */
    struct hash roots[4];
    unsigned cosigned[4], root_count;
    unsigned needed;
    const char *writer;
};

/* An old message of what it signed before it was put back may convict it: docs/reliability.md tells of that limit. */
static bool relapsed(const struct world *world, const struct party *party)
{
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        if (strcmp(sim_names[i], party->card.name) == 0)
            return world->members[i].relapsed;
    return false;
}

static int faces_visit(void *ctx, const struct journal_row *row)
{
    struct faces *f = ctx;
    const struct party *party = roster_origin(member_roster(f->member), row->key);
    if (party && f->world->deceived >= 0 && strcmp(party->card.name, sim_names[f->world->liar]) == 0)
        f->seen++;
    else if (!party || !relapsed(f->world, party))
        trouble(f->world, "2 no honest accused", "%s accuses the honest %.*s", f->member->name, (int)row->key.len,
                (const char *)row->key.data);
    return 0;
}

static int refused_visit(void *ctx, const struct journal_row *row)
{
    struct faces *f = ctx;
    trouble(f->world, "2 no honest accused", "%s refuses the entry %.*s: %.*s", f->member->name, (int)row->key.len,
            (const char *)row->key.data, (int)row->body.len, (const char *)row->body.data);
    return 0;
}

static void group_close(struct faces *f)
{
    unsigned with_quorum = 0;
    for (unsigned i = 0; i < f->root_count; i++)
        with_quorum += f->cosigned[i] >= f->needed;
    if (with_quorum > 1)
        trouble(f->world, "2 one tree", "two roots of size %" PRIu64 " of %s have a quorum", f->size, f->writer);
    f->root_count = 0;
}

static int cosigned_visit(void *ctx, const struct stored_cosignature *c)
{
    struct faces *f = ctx;
    unsigned i = 0;
    if (c->size != f->size)
        group_close(f);
    f->size = c->size;
    while (i < f->root_count && !hash_eq(&f->roots[i], &c->root))
        i++;
    if (i == 4)
        return 0;
    if (i == f->root_count) {
        f->roots[i] = c->root;
        f->cosigned[i] = 0;
        f->root_count++;
    }
    f->cosigned[i]++;
    return 0;
}

/* Must it be noticed? Not if the mirror was down when the face was shown; nor if the liar's own node noticed first and stays down. */
static bool face_must_show(struct world *world)
{
    if (retired(world, (unsigned)world->liar))
        return false;
    struct member *member = &world->members[world->deceived];
    struct buf note;
    uint64_t found = 0;
    log_id log = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    (void)member_log_size(member, (unsigned)world->liar, &log);
    bool taken =
        member->store_real->note_at_least(member->store, log, NOTE_PENDING, world->deceived_size, &found, &note) == 0 &&
        span_eq(buf_view(&note), buf_view(&world->deceived_note));
    buf_free(&note);
    return taken;
}

/* k for m = 0..5 mirrors, as docs/architecture.md tables it: written here a second time on purpose. */
static unsigned needed_for(const struct roster *roster, const struct party *writer)
{
    static const unsigned k[] = {0, 1, 2, 2, 3, 4};
    return k[roster->committee_count - (writer->committee ? 1 : 0)];
}

static void faces_at(struct faces *f)
{
    struct store *store = f->member->store;
    (void)f->member->store_real->journal_scan(store, span_str("two-faces"), 0, faces_visit, f);
    (void)f->member->store_real->journal_scan(store, span_str("refused"), 0, refused_visit, f);
    for (unsigned owner = 0; owner < SIM_PARTIES; owner++) {
        log_id log;
        f->writer = sim_names[owner];
        f->needed = needed_for(member_roster(f->member), party_of(f->member, owner));
        if (!member_log_size(f->member, owner, &log))
            continue;
        (void)f->member->store_real->cosignatures(store, log, 0, cosigned_visit, f);
        group_close(f);
    }
}

/* The liar is found out, its other face never stands, and nobody else is accused. It is found out when mirrors compare what they hold: that
   takes its time where one of them has been away. */
static void check_faces(struct world *world)
{
    struct faces f = {.world = world};
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        f.member = &world->members[i];
        faces_at(&f);
    }
    if (world->deceived >= 0 && !f.seen && face_must_show(world))
        trouble(world, "liveness", "%s showed two faces of size %" PRIu64 " to %s, and nobody noticed",
                sim_names[world->liar], world->deceived_size, sim_names[world->deceived]);
}

/* Everything stands */

/* `offline`: the receipt is verified too, as somebody without a node does. */
static bool standing_last(struct member *member, struct hash id, bool offline)
{
    struct buf receipt;
    struct standing standing;
    struct arena arena;
    struct fault fault = {0};
    buf_init(&receipt, RECEIPT_BYTES_MAX);
    arena_init(&arena, 4 << 20);
    int rc = node_receipt(member->node, &id, false, &receipt, &fault);
    if (rc == 0 && offline)
        rc = receipt_verify(member_roster(member), buf_view(&receipt), NULL, &standing, &arena, &fault);
    arena_free(&arena);
    buf_free(&receipt);
    return rc == 0;
}

/* Its signer has signed what nobody holds: up to where does it still say what it has? 0: it is not so. */
static uint64_t signed_last(struct world *world, unsigned owner)
{
    struct member *member = &world->members[owner];
    struct buf note;
    uint64_t size = 0;
    log_id log;
    if (!member->node || !node_ahead(member->node))
        return 0;
    (void)member_log_size(member, owner, &log);
    buf_init(&note, NOTE_BYTES_MAX);
    (void)member->store_real->note_latest(member->store, log, NOTE_SIGNED, &size, &note);
    buf_free(&note);
    return size;
}

/* Then it must be true that nobody holds it; what it has not given out of its log is gone, and counts as told to nobody. */
static void ahead_check(struct world *world, unsigned owner)
{
    struct member *member = &world->members[owner];
    if (!nobody_knows(world, member, node_ahead(member->node)))
        trouble(world, "liveness", "%s waits for what it had signed, and somebody knows of it", member->name);
    for (size_t i = 0; i < world->stated_count; i++)
        world->stated[i].forgiven = world->stated[i].forgiven || (world->stated[i].owner == owner &&
                                                                  world->stated[i].index >= signed_last(world, owner));
}

static void standing_at(struct world *world, unsigned owner, struct member *member, uint64_t size, struct hash last,
                        bool offline, struct hash *root)
{
    log_id log;
    struct hash other;
    uint64_t held = member_log_size(member, owner, &log);
    struct store_tiles space = {.store = member->store, .log = log};
    struct tile_reader tiles = store_tile_reader(&space);
    if (member->number == owner && signed_last(world, owner) == size)
        held = size;
    struct hash none = {0};
    if (held != size || tree_root(&tiles, size, &other) != 0)
        trouble(world, "liveness", "%s holds %" PRIu64 " of %" PRIu64 " entries of %s", member->name, held, size,
                sim_names[owner]);
    else if (!hash_eq(root, &none) && !hash_eq(root, &other))
        trouble(world, "2 one tree", "%s has another root of %s", member->name, sim_names[owner]);
    else if (!member->node)
        trouble(world, "liveness", "%s is down", member->name);
    else if (!standing_last(member, last, offline))
        trouble(world, "liveness", "%s: the log of %s does not stand up to %" PRIu64, member->name, sim_names[owner],
                size);
    else
        *root = other;
}

/* Every log stands up to its size, everywhere, with one root; the receipt of its last entry is there, and that of one member, in turn,
   verifies offline. */
static void check_standing(struct world *world)
{
    for (unsigned owner = 0; owner < SIM_PARTIES; owner++) {
        log_id log = 0;
        struct hash root = {0};
        if (!honest(world, owner))
            continue;
        uint64_t size = member_log_size(&world->members[owner], owner, &log);
        if (!size) {
            trouble(world, "liveness", "%s has not even acceded", sim_names[owner]);
            continue;
        }
        if (signed_last(world, owner)) {
            size = signed_last(world, owner);
            ahead_check(world, owner);
        }
        struct hash last = entry_leaf(&world->members[owner], log, size - 1);
        for (unsigned n = 0; n < SIM_PARTIES; n++) {
            unsigned at = (owner + n) % SIM_PARTIES;
            if (!exempt(world, owner, at)) {
                member_acts(&world->members[at]);
                standing_at(world, owner, &world->members[at], size, last, n == 1 + world->seed % (SIM_PARTIES - 1),
                            &root);
            }
        }
    }
}

/* 3: derived views */

static int dump_visit(void *ctx, struct span key, struct span value)
{
    struct buf *out = ctx;
    buf_u64(out, key.len);
    buf_span(out, key);
    buf_u64(out, value.len);
    buf_span(out, value);
    return out->error;
}

enum { SAME_BATCH = 6 }; /* the workload says things twice within one batch only */
struct lowest {
    struct world *world;
    struct member *member;
};

/* An advisory counts at its statement's lowest index. */
static int lowest_visit(void *ctx, struct span key, struct span value)
{
    struct lowest *l = ctx;
    struct hash id;
    log_id log;
    uint64_t lowest = 0, index = 0;
    if (key.len != 32 || value.len != 48)
        return E_CORRUPT;
    memcpy(id.b, key.data, 32);
    for (int i = 8; i < 16; i++)
        index = index << 8 | value.data[i];
    if (l->member->store_real->entry_find(l->member->store, &id, &log, &lowest) != 0)
        return E_CORRUPT;
    for (uint64_t i = index > SAME_BATCH ? index - SAME_BATCH : 0; i < index; i++) {
        struct hash leaf = entry_leaf(l->member, log, i);
        if (hash_eq(&leaf, &id))
            trouble(l->world, "3 lowest index",
                    "%s counts a statement at index %" PRIu64 ", though it stands at %" PRIu64, l->member->name, index,
                    i);
    }
    return 0;
}

static void dump(struct member *member, struct buf *out)
{
    buf_init(out, 256 << 20);
    int rc = member->store_real->views_dump(member->store, dump_visit, out);
    out->error = out->error ? out->error : rc;
}

/* What a node told its owner is its own. */
static int shared_visit(void *ctx, struct span key, struct span value)
{
    return span_starts(key, "told") && key.len > 4 && !key.data[4] ? 0 : dump_visit(ctx, key, value);
}

static void shared_dump(struct member *member, struct buf *out)
{
    buf_init(out, 256 << 20);
    int rc = member->store_real->views_dump(member->store, shared_visit, out);
    out->error = out->error ? out->error : rc;
}

/* The same when they are made anew, and on every node that holds the same. */
static void check_views(struct world *world)
{
    struct buf first, before, after, shared;
    const char *whose = NULL;
    buf_init(&first, 256 << 20);
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        struct member *member = &world->members[i];
        struct lowest lowest = {.world = world, .member = member};
        int result = 0;
        if (!member->node)
            continue;
        member_acts(member);
        dump(member, &before);
        if ((i + world->seed) % 2) /* every other node: the others derive the same anyway */
            node_rebuild(member->node, &result);
        dump(member, &after);
        if (before.error || after.error || result || !span_eq(buf_view(&before), buf_view(&after)))
            trouble(world, "3 rebuild", "%s: rebuilding changes the views (%zu bytes before, %zu after)", member->name,
                    before.len, after.len);
        if (i == world->seed % SIM_PARTIES &&
            member->store_real->view_scan(member->store, span_str("advisory"), span_of(NULL, 0), lowest_visit,
                                          &lowest) != 0)
            trouble(world, "3 rebuild", "%s: a view cannot be read", member->name);
        shared_dump(member, &shared);
        if (signed_last(world, i))
            ; /* it alone has what it did not give out */
        else if (world->deceived < 0 && whose && !span_eq(buf_view(&first), buf_view(&shared)))
            trouble(world, "3 equal nodes", "%s and %s hold the same and derive different views", whose, member->name);
        if (!whose && !signed_last(world, i)) {
            buf_span(&first, buf_view(&shared));
            whose = member->name;
        }
        buf_free(&shared);
        buf_free(&before);
        buf_free(&after);
    }
    buf_free(&first);
}

/* 8: notices */

static unsigned occurrences(struct span text, const char *what)
{
    unsigned count = 0;
    size_t len = strlen(what);
    for (const uint8_t *at = text.data; at && (at = memmem(at, text.len - (size_t)(at - text.data), what, len));
         at += len)
        count++;
    return count;
}

static int handed_visit(void *ctx, const struct journal_row *row)
{
    struct world *world = ctx;
    struct hash id;
    if (!hash_parse(row->key, &id))
        return E_CORRUPT;
    for (size_t i = 0; i < world->handed_count; i++)
        if (hash_eq(&world->handed[i], &id))
            return 0;
    trouble(world, "8 notices", "a notice was never handed over");
    return 0;
}

static int same_notice_visit(void *ctx, const struct journal_row *row)
{
    struct member *other = ctx;
    if (other->store_real->journal_find(other->store, span_str("notice"), row->key, NULL, NULL) != 0)
        trouble(other->world, "8 notices", "%s has the same inventory and not the same notice", other->name);
    return 0;
}

/* One notice for each advisory that affects, none for others, each handed over; and the same ones under the same ids at whoever holds
   the same inventory. */
static void check_notices(struct world *world)
{
    struct member *member = &world->members[SIM_OPERATOR], *twin = &world->members[SIM_TWIN];
    struct buf notices;
    if (!member->node || !world->inventories)
        return;
    member_acts(member);
    buf_init(&notices, 256 << 20);
    node_notices_json(member->node, &notice_filter_all, &notices);
    for (size_t n = 0; n < world->stated_count; n++) {
        const struct stated *s = &world->stated[n];
        char id[160];
        (void)snprintf(id, sizeof id, "\"advisory\":{\"id\":\"SIM-%" PRIu64 "-%s-%06u\"", world->seed,
                       sim_names[s->owner], s->number);
        unsigned found = occurrences(buf_view(&notices), id), most = s->affects >= 0 && !retired(world, SIM_OPERATOR);
        if (found > most || (found < most && s->acknowledged && !s->forgiven && honest(world, s->owner)))
            trouble(world, "8 notices", "%u notices instead of %u: %s", found, most, id);
    }
    buf_free(&notices);
    (void)member->store_real->journal_scan(member->store, span_str("notice"), 0, handed_visit, world);
    if (world->deceived >= 0 || !twin->node || signed_last(world, SIM_OPERATOR) || signed_last(world, SIM_TWIN))
        return;
    (void)member->store_real->journal_scan(member->store, span_str("notice"), 0, same_notice_visit, twin);
    (void)twin->store_real->journal_scan(twin->store, span_str("notice"), 0, same_notice_visit, member);
}

void check_liveness(struct world *world)
{
    check_standing(world);
    if (world->broken)
        return; /* nothing else can be well yet */
    check_acknowledged(world);
    check_notices(world);
    check_faces(world);
    check_views(world);
}

void check_safety(struct world *world)
{
    for (size_t i = 0; i < world->given_count; i++)
        given_check(world, &world->given[i]);
    for (size_t i = 0; i < world->given_count && i < 2; i++)
        forged_receipt_check(world, &world->given[i]);
    check_instants(world);
    procedure_watch(world, true);
}

/* Nothing to do means nothing done: in a quiet circle a node polls now and then, and does not spin. */
void check_idle(struct world *world)
{
    uint64_t before[SIM_PARTIES];
    enum { POLLS = 1 };
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        before[i] = world->members[i].ticks;
    world_run(world, world->now + POLLS * world->poll_ms);
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        if (honest(world, i) && world->members[i].ticks - before[i] > POLLS * 8 * SIM_PARTIES)
            trouble(world, "liveness", "%s: %" PRIu64 " steps in %d quiet poll intervals", world->members[i].name,
                    world->members[i].ticks - before[i], POLLS);
}
