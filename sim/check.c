/* What must hold after any seed. Each check names the first things that do not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "sim/sim.h"

/* What the liar's dead node had acknowledged and not yet pushed is lost to the others. */
static bool retired(const struct world *world, unsigned owner)
{
    return world->members[owner].retired;
}

static bool honest(const struct world *world, unsigned owner)
{
    return world->deceived < 0 || (int)owner != world->liar;
}

static struct hash entry_leaf(struct member *member, log_id log, uint64_t index)
{
    struct hash leaf = {0};
    struct buf entry;
    buf_init(&entry, STATEMENT_BYTES_MAX);
    if (member->store->ops->entry_get(member->store, log, index, &entry) == 0)
        tree_leaf(buf_view(&entry), &leaf);
    buf_free(&entry);
    return leaf;
}

/* 1: what was acknowledged is in its owner's log, where it was said to be, and on every other node. A mirror that took the liar's other
   face cannot hold the true one. */
void check_acknowledged(struct world *world)
{
    struct stored_document info;
    for (size_t n = 0; n < world->stated_count; n++) {
        const struct stated *s = &world->stated[n];
        for (unsigned i = 0; s->acknowledged && !retired(world, s->owner) && i < SIM_PARTIES; i++) {
            struct member *member = &world->members[i];
            log_id log = 0;
            if (retired(world, i) || (!honest(world, s->owner) && (int)i == world->deceived))
                continue;
            uint64_t size = member_log_size(member, s->owner, &log);
            struct hash leaf = size > s->index ? entry_leaf(member, log, s->index) : (struct hash){0};
            if (!hash_eq(&leaf, &s->id))
                trouble(world, "%s does not hold entry %" PRIu64 " of %s as acknowledged (it holds %" PRIu64 ")",
                        member->name, s->index, world->members[s->owner].name, size);
            else if (member->store->ops->document_info(member->store, &s->document, &info) != 0)
                trouble(world, "%s lacks the document of entry %" PRIu64 " of %s", member->name, s->index,
                        world->members[s->owner].name);
        }
    }
}

static bool standing_last(struct world *world, struct member *member, struct hash id)
{
    struct buf receipt;
    struct standing standing;
    struct arena arena;
    struct fault fault = {0};
    buf_init(&receipt, RECEIPT_BYTES_MAX);
    arena_init(&arena, 4 << 20);
    int rc = node_receipt(member->node, &id, false, &receipt, &fault);
    if (rc == 0)
        rc = receipt_verify(&world->roster, buf_view(&receipt), NULL, &standing, &arena, &fault);
    arena_free(&arena);
    buf_free(&receipt);
    return rc == 0;
}

/* 2: every honest log stands up to its size, everywhere, with one root; the receipt of its last entry verifies offline. */
void check_standing(struct world *world)
{
    for (unsigned owner = 0; owner < SIM_PARTIES; owner++) {
        log_id log = 0;
        if (retired(world, owner))
            continue;
        struct hash root = {0}, other;
        uint64_t size = member_log_size(&world->members[owner], owner, &log);
        struct hash last = size ? entry_leaf(&world->members[owner], log, size - 1) : root;
        if (!size)
            trouble(world, "%s has not even acceded", world->members[owner].name);
        for (unsigned n = 0; n < SIM_PARTIES && size; n++) {
            struct member *member = &world->members[(owner + n) % SIM_PARTIES];
            if (retired(world, member->number) || (!honest(world, owner) && (int)member->number == world->deceived))
                continue;
            uint64_t held = member_log_size(member, owner, &log);
            struct store_tiles space = {.store = member->store, .log = log};
            struct tile_reader tiles = store_tile_reader(&space);
            if (held != size || tree_root(&tiles, size, &other) != 0)
                trouble(world, "%s holds %" PRIu64 " of %" PRIu64 " entries of %s", member->name, held, size,
                        world->members[owner].name);
            else if (n && !hash_eq(&root, &other))
                trouble(world, "%s has another root of %s", member->name, world->members[owner].name);
            else if (member->node && !standing_last(world, member, last))
                trouble(world, "%s: the log of %s does not stand up to %" PRIu64, member->name,
                        world->members[owner].name, size);
            if (!n)
                root = other;
        }
    }
}

static int dump_visit(void *ctx, struct span key, struct span value)
{
    struct buf *out = ctx;
    buf_u64(out, key.len);
    buf_span(out, key);
    buf_u64(out, value.len);
    buf_span(out, value);
    return out->error;
}

/* 3: derived views are the same when they are made anew. */
void check_rebuild(struct world *world)
{
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        struct member *member = &world->members[i];
        struct buf before, after;
        int result = 0;
        if (member->retired)
            continue;
        buf_init(&before, 256 << 20);
        buf_init(&after, 256 << 20);
        int rc = member->store->ops->views_dump(member->store, dump_visit, &before);
        if (member->node)
            node_rebuild(member->node, &result);
        rc = rc ? rc : member->store->ops->views_dump(member->store, dump_visit, &after);
        if (!member->node || rc || result || !span_eq(buf_view(&before), buf_view(&after)))
            trouble(world, "%s: rebuilding changes the views (%zu bytes before, %zu after)", member->name, before.len,
                    after.len);
        buf_free(&before);
        buf_free(&after);
    }
}

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
    trouble(world, "a notice was never handed over");
    return 0;
}

/* 4: one notice for each advisory that affects, none for others, and each was handed over. */
void check_notices(struct world *world)
{
    struct member *member = &world->members[SIM_OPERATOR];
    struct buf notices;
    buf_init(&notices, 256 << 20);
    if (member->node)
        node_notices_json(member->node, 0, &notices);
    for (size_t n = 0; n < world->stated_count; n++) {
        const struct stated *s = &world->stated[n];
        char id[160];
        (void)snprintf(id, sizeof id, "\"advisory\":{\"id\":\"SIM-%" PRIu64 "-%s-%06u\"", world->seed,
                       world->members[s->owner].name, s->number);
        unsigned found = occurrences(buf_view(&notices), id), most = s->affects >= 0 && !retired(world, SIM_OPERATOR);
        if (found > most || (found < most && s->acknowledged && !retired(world, s->owner)))
            trouble(world, "%u notices instead of %u: %s", found, most, id);
    }
    buf_free(&notices);
    (void)member->store->ops->journal_scan(member->store, span_str("notice"), 0, handed_visit, world);
}

struct faces {
    struct world *world;
    struct member *member;
    unsigned seen;
    uint64_t size; /* of the group of cosignatures */
    struct hash roots[4];
    unsigned cosigned[4], root_count;
    const struct party *writer;
};

static int faces_visit(void *ctx, const struct journal_row *row)
{
    struct faces *f = ctx;
    const struct party *party = roster_origin(&f->world->roster, row->key);
    if (party && f->world->deceived >= 0 && strcmp(party->card.name, f->world->members[f->world->liar].name) == 0)
        f->seen++;
    else
        trouble(f->world, "%s accuses the honest %.*s", f->member->name, (int)row->key.len,
                (const char *)row->key.data);
    return 0;
}

static int refused_visit(void *ctx, const struct journal_row *row)
{
    struct faces *f = ctx;
    trouble(f->world, "%s refuses the entry %.*s: %.*s", f->member->name, (int)row->key.len,
            (const char *)row->key.data, (int)row->body.len, (const char *)row->body.data);
    return 0;
}

static void group_close(struct faces *f)
{
    unsigned with_quorum = 0, needed = quorum_for(&f->world->roster, f->writer).k;
    for (unsigned i = 0; i < f->root_count; i++)
        with_quorum += f->cosigned[i] >= needed;
    if (with_quorum > 1)
        trouble(f->world, "two roots of size %" PRIu64 " of %s have a quorum", f->size, f->writer->card.name);
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
        member->store->ops->note_at_least(member->store, log, NOTE_PENDING, world->deceived_size, &found, &note) == 0 &&
        span_eq(buf_view(&note), buf_view(&world->deceived_note));
    buf_free(&note);
    return taken;
}

/* 5: the liar is found out, its other face never stands, and nobody else is accused. */
void check_faces(struct world *world)
{
    struct faces f = {.world = world};
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        struct store *store = world->members[i].store;
        f.member = &world->members[i];
        (void)store->ops->journal_scan(store, span_str("two-faces"), 0, faces_visit, &f);
        (void)store->ops->journal_scan(store, span_str("refused"), 0, refused_visit, &f);
        for (unsigned owner = 0; owner < SIM_PARTIES; owner++) {
            log_id log;
            f.writer = roster_party(&world->roster, span_str(world->members[owner].name));
            if (!member_log_size(f.member, owner, &log))
                continue;
            (void)store->ops->cosignatures(store, log, 0, cosigned_visit, &f);
            group_close(&f);
        }
    }
    if (world->deceived >= 0 && !f.seen && face_must_show(world))
        trouble(world, "%s showed two faces of size %" PRIu64 " to %s, and nobody noticed",
                world->members[world->liar].name, world->deceived_size, world->members[world->deceived].name);
}

/* Nothing to do means nothing done: in a quiet circle a node polls now and then, and does not spin. */
void check_idle(struct world *world)
{
    uint64_t before[SIM_PARTIES];
    enum { MINUTES = 5 };
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        before[i] = world->members[i].ticks;
    world_run(world, world->now + MINUTES * 60000);
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        if (world->members[i].ticks - before[i] > MINUTES * 60)
            trouble(world, "%s: %" PRIu64 " steps in %d quiet minutes", world->members[i].name,
                    world->members[i].ticks - before[i], MINUTES);
}
