/* The dishonest party: it signs a second tree of the size that it has just signed, and gives it to one mirror before the true one. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "record/wire.h"
#include "sim/sim.h"

struct face { /* the other tree, in a store of its own */
    struct store *store;
    log_id log;
    uint64_t size;
    struct hash leaves[BATCH_STATEMENTS_MAX];
    size_t count;
    struct buf note, document;
    const char *origin;
};

static int64_t liar_clock(void *ctx)
{
    return ((const struct world *)ctx)->now / 1000;
}

static int face_copy(void *ctx, uint64_t index, struct span bytes)
{
    struct face *face = ctx;
    (void)index;
    tree_leaf(bytes, &face->leaves[face->count]);
    return face->store->ops->entries_append(face->store, face->log, &bytes, &face->leaves[face->count++], 1);
}

/* The same entries but for the last, which says something else. */
static int face_sign(struct world *world, struct member *member, struct face *face)
{
    struct signer_config config = {.keys = world->stage->ring[member->number],
                                   .circle = world->rosters[0].circle,
                                   .state_fd = -1,
                                   .clock = liar_clock,
                                   .clock_ctx = world};
    struct sign_statement request = {
        .issued_at = world->now / 1000, .media = "application/osv+json", .subject = "another"};
    struct signed_statement made;
    struct signer *signer;
    (void)snprintf(config.party, sizeof config.party, "%s", member->name);
    buf_text(&face->document,
             "{\"schema_version\":\"1.6.0\",\"id\":\"another\",\"modified\":\"2025-06-01T00:00:00Z\"}\n");
    sha256(buf_view(&face->document), &request.document);
    int rc = signer_local_open(&signer, &config, NULL);
    if (rc)
        return rc;
    rc = signer->ops->statements(signer, &request, 1, &made);
    if (rc == 0)
        rc = face_copy(face, face->size - 1, span_of(made.bytes, made.len));
    if (rc == 0)
        rc = signer->ops->checkpoint(signer, 0, face->leaves, face->count, &face->note);
    signer->ops->close(signer);
    return rc;
}

static int face_make(struct world *world, struct member *member, struct face *face)
{
    log_id own;
    face->size = member_log_size(member, member->number, &own);
    if (face->size < 2 || face->size > TILE_WIDTH)
        return E_STATE;
    face->store = world->stage->other;
    int rc = face->store->ops->begin(face->store);
    if (rc == 0)
        rc = face->store->ops->log_open(face->store, span_str(face->origin), true, &face->log);
    if (rc == 0)
        rc = member->store_real->entries_scan(member->store, own, 0, face->size - 1, face_copy, face);
    if (rc == 0)
        rc = face_sign(world, member, face);
    return rc ? rc : face->store->ops->commit(face->store);
}

/* What this mirror has accepted and holds: the liar knows it from its pushes. */
static void mirror_look(struct member *mirror, unsigned owner, uint64_t *accepted, uint64_t *held)
{
    struct buf note;
    uint64_t size;
    log_id id;
    *accepted = 0;
    *held = member_log_size(mirror, owner, &id);
    buf_init(&note, NOTE_BYTES_MAX);
    for (int kind = NOTE_SIGNED; kind <= NOTE_PENDING; kind++) {
        buf_reset(&note);
        if (*held && mirror->store_real->note_latest(mirror->store, id, (enum note_kind)kind, &size, &note) == 0 &&
            size > *accepted)
            *accepted = size;
    }
    buf_free(&note);
}

static int face_show(struct world *world, struct face *face, uint64_t accepted, uint64_t held, unsigned liar,
                     unsigned to)
{
    struct store_tiles space = {.store = face->store, .log = face->log};
    struct tile_reader tiles = store_tile_reader(&space);
    struct hash proof[PROOF_HASHES_MAX];
    struct entry_package package = {.start = held, .end = face->size};
    struct buf bodies[TILE_WIDTH], checkpoint, entries;
    size_t count = 0;
    int rc = accepted ? tree_consistency(&tiles, accepted, face->size, proof, &count) : 0;
    buf_init(&checkpoint, HTTP_BODY_MAX);
    buf_init(&entries, HTTP_BODY_MAX);
    add_checkpoint_write(&checkpoint, accepted, proof, count, buf_view(&face->note));
    add_entries_write_head(&entries, span_str(face->origin), held, face->size, span_of(NULL, 0));
    for (uint64_t i = held; i < face->size && rc == 0; i++) {
        buf_init(&bodies[package.count], STATEMENT_BYTES_MAX);
        rc = face->store->ops->entry_get(face->store, face->log, i, &bodies[package.count]);
        package.entries[package.count] = buf_view(&bodies[package.count]);
        package.count++;
    }
    if (rc == 0)
        rc = tree_subtree_consistency(&tiles, 0, face->size, face->size, package.proof, &package.proof_count);
    if (rc == 0)
        add_entries_write_package(&entries, &package);
    for (size_t i = 0; i < package.count; i++)
        buf_free(&bodies[i]);
    char path[160], hex[65];
    struct hash name;
    sha256(buf_view(&face->document), &name);
    hash_hex(&name, hex);
    (void)snprintf(path, sizeof path, "/documents/%s", hex);
    raw_request(world, liar, to, "POST", "/mirror/add-checkpoint", &checkpoint, world->now + 1, false);
    raw_request(world, liar, to, "PUT", path, &face->document, world->now + 2, false);
    raw_request(world, liar, to, "POST", "/mirror/add-entries", &entries, world->now + 3, false);
    buf_init(&face->document, 0); /* taken over */
    return rc;
}

void liar_act(struct world *world, unsigned argument)
{
    struct member *member = &world->members[world->liar];
    unsigned to = (unsigned)world_random(world, SIM_VENDOR);
    to = (int)to == world->liar ? (to + 1) % SIM_VENDOR : to;
    struct member *mirror = &world->members[to];
    uint64_t accepted, held;
    struct face *face = calloc(1, sizeof *face);
    if (!face || world->deceived >= 0 || argument > 50) {
        free(face);
        return;
    }
    buf_init(&face->note, NOTE_BYTES_MAX);
    buf_init(&face->document, HTTP_BODY_MAX);
    face->origin = roster_party(&world->rosters[0], span_str(member->name))->origin;
    mirror_look(mirror, (unsigned)world->liar, &accepted, &held);
    uint64_t before = member->node ? member_log_size(member, member->number, &face->log) : 0;
    bool now =
        member->node && mirror->node && before && accepted && accepted <= before && held >= accepted && held <= before;
    if (now)
        publish(world, member->number, 1);
    now = now && member->node && member_log_size(member, member->number, &face->log) == before + 1;
    int rc = now ? face_make(world, member, face) : 0;
    if (rc == 0 && now) {
        rc = face_show(world, face, accepted, held, member->number, to);
        fired(world, FAULT_TWO_FACES);
        world->deceived = (int)to;
        world->deceived_size = face->size;
        world->deceived_note = face->note; /* taken over */
        buf_init(&face->note, 0);
    } else if (!now) {
        task_at(world, world->now + 20 * 60 * 1000, liar_act, argument + 1); /* not a good moment */
    }
    if (rc)
        trouble(world, "process", "the liar could not lie: %s", error_text(rc)->id);
    buf_free(&face->note);
    buf_free(&face->document);
    free(face);
}
