/* Cosignatures: the primary data of receipts. Taken from wherever they come, kept for ever, and folded to "standing up to". */
#include "base/mutant.h"
#include "crypto/sha256.h"
#include "node/state.h"

void composed_forget(struct held_log *log)
{
    buf_reset(&log->composed);
}

static int cosignature_store(struct node *node, struct held_log *log, const struct stored_cosignature *c)
{
    composed_forget(log);
    int rc = write_begin(node);
    return rc ? rc : node->env.store->ops->cosignature_put(node->env.store, log->id, c);
}

/* A COSE receipt signature travels beside the answer of add-entries, base64, so that any entry's receipt can be composed here. */
static void cose_take(const struct held_log *log, const struct party *mirror, const char *name, struct span text,
                      struct stored_cosignature *c)
{
    size_t len;
    struct buf protected_bytes, message;
    if (!text.len || !base64_parse(text, c->cose.b, sizeof c->cose.b, &len) || len != sizeof c->cose.b)
        return;
    buf_init(&protected_bytes, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    cose_receipt_protected(&protected_bytes, &c->kid, span_str(name), span_str(log->party->origin), c->size);
    cose_to_be_signed(&message, buf_view(&protected_bytes), span_hash(&c->root));
    c->has_cose = !message.error && sign_verify(&mirror->card.keys[KEY_MIRROR], buf_view(&message), &c->cose);
    buf_free(&protected_bytes);
    buf_free(&message);
}

/* Is it the one that was checked and kept before, with nothing else by that key beside it? */
static bool is_known(const struct known_cosignature *known, const struct note *note,
                     const struct checkpoint *checkpoint, uint32_t epoch, struct span cose)
{
    const struct note_signature *same = NULL;
    size_t by_key = 0;
    if (known->size != checkpoint->size || known->epoch != epoch || !hash_eq(&known->root, &checkpoint->root) ||
        (cose.len && !known->has_cose))
        return false;
    for (size_t i = 0; i < note->count && !same; i++)
        if (note->signatures[i].len == sizeof known->line &&
            memcmp(note->signatures[i].bytes, known->line, sizeof known->line) == 0)
            same = &note->signatures[i];
    for (size_t i = 0; i < note->count && same; i++)
        by_key += note->signatures[i].id == same->id;
    return by_key == 1;
}

static void known_set(struct known_cosignature *known, const struct stored_cosignature *c, uint32_t epoch)
{
    *known = (struct known_cosignature){.size = c->size, .root = c->root, .epoch = epoch, .has_cose = c->has_cose};
    u64_put(known->line, (uint64_t)c->timestamp);
    memcpy(known->line + 8, c->signature.b, SIGN_BYTES);
}

/* By the mirror's present key (epoch = former_count) or one that it had. */
static int cosignature_take(struct node *node, struct held_log *log, const struct note *note,
                            const struct checkpoint *checkpoint, const struct party *mirror, uint32_t epoch,
                            struct span cose, struct known_cosignature *known, int *taken)
{
    if (is_known(known, note, checkpoint, epoch, cose))
        return 0;
    bool present = epoch == mirror->former_count;
    const struct public_key *key = present ? &mirror->card.keys[KEY_MIRROR] : &mirror->former[epoch].keys[KEY_MIRROR];
    struct stored_cosignature c = {.size = checkpoint->size,
                                   .root = checkpoint->root,
                                   .kid = present ? mirror->kids[KEY_MIRROR] : mirror->former[epoch].kids[KEY_MIRROR]};
    char name[ORIGIN_BYTES_MAX + 8];
    mirror_key_name(name, mirror);
    int rc = note_verify_cosignature(note, span_str(name), key, &c.timestamp, &c.signature);
    if (rc && !(MUTANT(COSIGNATURE_UNCHECKED) && rc == E_SIGNATURE))
        return 0;
    if (present)
        cose_take(log, mirror, name, cose, &c);
    ++*taken;
    if (rc == 0)
        known_set(known, &c, epoch);
    return cosignature_store(node, log, &c);
}

int cosignatures_take(struct node *node, struct held_log *log, const struct note *note,
                      const struct checkpoint *checkpoint, const struct peer *from, struct span cose)
{
    int rc = 0, taken = 0;
    size_t place = 0; /* in the committee */
    for (size_t i = 0; i < node->roster->count && rc == 0; i++) {
        const struct party *mirror = &node->roster->parties[i];
        if (!mirror->committee)
            continue;
        struct known_cosignature *known = &log->known[place++];
        if (mirror == log->party)
            continue;
        for (uint32_t epoch = 0; epoch <= mirror->former_count && rc == 0; epoch++)
            rc = cosignature_take(node, log, note, checkpoint, mirror, epoch,
                                  from && from->party == mirror ? cose : span_of(NULL, 0), known, &taken);
    }
    return rc == 0 && taken ? standing_refresh(node, log) : rc;
}

/* The cosignatures on one (size, root), which the store gives one after the other. */
struct group {
    uint64_t size;
    struct hash root;
    size_t count;
    struct cosigner list[COMMITTEE_MAX];
};

static bool group_ends(const struct group *group, const struct stored_cosignature *c)
{
    return group->count && (c->size != group->size || !hash_eq(&c->root, &group->root));
}

/* One cosignature a mirror, its earliest, whatever key it had. */
static void group_add(struct node *node, const struct held_log *log, struct group *group,
                      const struct stored_cosignature *c)
{
    const struct public_key *key;
    struct cut state = {.size = c->size, .root = c->root};
    const struct party *mirror = roster_mirror(node->roster, &c->kid, log->party, &state, c->timestamp, &key);
    size_t i = 0;
    if (!mirror)
        return;
    group->size = c->size;
    group->root = c->root;
    while (i < group->count && group->list[i].party != mirror)
        i++;
    if (i < group->count && c->timestamp < group->list[i].timestamp)
        group->list[i].timestamp = c->timestamp;
    else if (i == group->count && i < COMMITTEE_MAX)
        group->list[group->count++] = (struct cosigner){.party = mirror, .timestamp = c->timestamp};
}

struct refresh {
    struct node *node;
    struct held_log *log;
    struct group group;
};

static void refresh_close(struct refresh *r)
{
    int64_t instant;
    if (r->group.count && r->group.size >= r->log->standing_size &&
        quorum_met(r->node->roster, r->log->party, r->group.list, r->group.count, &instant)) {
        r->log->standing_instant = instant;
        r->log->standing_size = r->group.size;
    }
    r->group.count = 0;
}

static int refresh_visit(void *ctx, const struct stored_cosignature *c)
{
    struct refresh *r = ctx;
    if (group_ends(&r->group, c))
        refresh_close(r);
    group_add(r->node, r->log, &r->group, c);
    return 0;
}

int standing_refresh(struct node *node, struct held_log *log)
{
    struct refresh r = {.node = node, .log = log};
    uint64_t before = log->standing_size, from = log->standing_size ? log->standing_size : 1;
    int rc = node->env.store->ops->cosignatures(node->env.store, log->id, from, refresh_visit, &r);
    refresh_close(&r);
    node->changes_due = node->changes_due || log->standing_size > before;
    return rc < 0 ? rc : 0;
}

struct support_walk {
    struct node *node;
    struct held_log *log;
    bool noted;
    struct group group;
    struct support *best;
    const struct party *late[COMMITTEE_MAX]; /* mirrors whose cosignatures have reached the best instant */
    size_t late_count;
    int rc;
};

/* Is this checkpoint one of the tree that we hold, or of the one that a long pull is proven to lead to? */
static bool group_is_ours(const struct support_walk *walk)
{
    struct store_tiles space;
    struct tile_reader tiles = log_tiles(walk->node, walk->log, &space);
    const struct group *g = &walk->group;
    const struct pull *pull = &walk->log->pull;
    struct hash root;
    if (g->size > walk->log->size)
        return pull->checked && pull->target == g->size && hash_eq(&pull->root, &g->root);
    return tree_root(&tiles, g->size, &root) == 0 && hash_eq(&root, &g->root);
}

int note_find(struct node *node, struct held_log *log, uint64_t size, struct buf *out)
{
    static const enum note_kind kinds[] = {NOTE_SIGNED, NOTE_HEARD};
    struct store *store = node->env.store;
    int rc = E_NOTFOUND;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && rc == E_NOTFOUND; i++) {
        uint64_t found = 0;
        buf_reset(out);
        rc = store->ops->note_at_least(store, log->id, kinds[i], size, &found, out);
        if (rc == 0 && found != size)
            rc = E_NOTFOUND;
    }
    return rc;
}

/* A cosignature makes a receipt only with its checkpoint: what came with it is kept with it. */
int note_heard(struct node *node, struct held_log *log, uint64_t size, struct span note_bytes)
{
    struct buf held;
    buf_init(&held, NOTE_BYTES_MAX);
    int rc = note_find(node, log, size, &held);
    buf_free(&held);
    if (rc != E_NOTFOUND)
        return rc;
    rc = write_begin(node);
    return rc ? rc : node->env.store->ops->note_put(node->env.store, log->id, NOTE_HEARD, size, note_bytes);
}

static bool note_is_held(struct support_walk *walk)
{
    struct buf note;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = note_find(walk->node, walk->log, walk->group.size, &note);
    walk->rc = rc && rc != E_NOTFOUND ? rc : walk->rc;
    buf_free(&note);
    return rc == 0;
}

/* A mirror's times only grow with the size, so whoever has cosigned at or after the best instant is in no earlier quorum. */
static void late_note(struct support_walk *walk)
{
    const struct group *g = &walk->group;
    for (size_t i = 0; walk->best->size && i < g->count; i++) {
        size_t j = 0;
        while (j < walk->late_count && walk->late[j] != g->list[i].party)
            j++;
        if (j == walk->late_count && j < COMMITTEE_MAX && g->list[i].timestamp >= walk->best->instant)
            walk->late[walk->late_count++] = g->list[i].party;
    }
}

static void support_close(struct support_walk *walk)
{
    struct support *best = walk->best;
    struct group *g = &walk->group;
    int64_t instant = 0;
    bool quorum = quorum_met(walk->node->roster, walk->log->party, g->list, g->count, &instant) &&
                  (!walk->noted || note_is_held(walk));
    bool better = quorum ? !best->size || instant < best->instant : !best->size && g->count > best->count;
    if (better && group_is_ours(walk)) {
        best->size = quorum ? g->size : 0;
        best->instant = quorum ? instant : 0;
        best->count = g->count;
        memcpy(best->cosigners, g->list, g->count * sizeof *g->list);
    }
    late_note(walk);
    g->count = 0;
}

static int support_visit(void *ctx, const struct stored_cosignature *c)
{
    struct support_walk *walk = ctx;
    struct quorum q = quorum_for(walk->node->roster, walk->log->party);
    if (group_ends(&walk->group, c))
        support_close(walk);
    if (walk->rc || (walk->best->size && q.m - walk->late_count < q.k))
        return 1;
    group_add(walk->node, walk->log, &walk->group, c);
    return 0;
}

int support_find(struct node *node, struct held_log *log, uint64_t index, bool noted, struct support *out)
{
    struct support_walk walk = {.node = node, .log = log, .noted = noted, .best = out};
    *out = (struct support){0};
    int rc = node->env.store->ops->cosignatures(node->env.store, log->id, index + 1 + MUTANT(LAST_UNCOVERED),
                                                support_visit, &walk);
    if (rc == 0)
        support_close(&walk);
    return rc < 0 ? rc : walk.rc;
}

struct compose {
    struct node *node;
    struct held_log *log;
    struct checkpoint checkpoint;
    struct buf *out;
};

static int compose_visit(void *ctx, const struct stored_cosignature *c)
{
    struct compose *compose = ctx;
    const struct public_key *key;
    struct cut state = {.size = c->size, .root = c->root};
    if (c->size != compose->checkpoint.size)
        return 1;
    const struct party *mirror =
        roster_mirror(compose->node->roster, &c->kid, compose->log->party, &state, c->timestamp, &key);
    if (!mirror || !hash_eq(&c->root, &compose->checkpoint.root))
        return 0;
    char name[ORIGIN_BYTES_MAX + 8];
    mirror_key_name(name, mirror);
    note_cosignature_write(compose->out, span_str(name), key, c->timestamp, &c->signature);
    return 0;
}

static int note_compose(struct node *node, struct held_log *log, struct span note, struct buf *out)
{
    struct compose compose = {.node = node, .log = log, .out = out};
    struct note parsed;
    int rc = checkpoint_parse(&compose.checkpoint, &parsed, note, NULL);
    if (rc)
        return rc;
    buf_span(out, parsed.text);
    buf_byte(out, '\n');
    for (size_t i = 0; i < parsed.count; i++)
        if (party_log_line(log->party, &parsed.signatures[i]))
            buf_span(out, parsed.signatures[i].line);
    rc = node->env.store->ops->cosignatures(node->env.store, log->id, compose.checkpoint.size, compose_visit, &compose);
    return rc < 0 ? rc : out->error;
}

/* The note with the log's own signature and every cosignature on it that we have. Everybody asks for the newest one again and again:
   it is composed anew only after another cosignature or another epoch. */
int note_with_cosignatures(struct node *node, struct held_log *log, struct span note, struct buf *out)
{
    int rc = 0;
    if (!log->composed.len || log->composed_epoch != node->roster->epoch ||
        !span_eq(note, buf_view(&log->composed_from))) {
        buf_reset(&log->composed_from);
        buf_reset(&log->composed);
        rc = note_compose(node, log, note, &log->composed);
        buf_span(&log->composed_from, note);
        log->composed_epoch = node->roster->epoch;
        rc = rc ? rc : log->composed_from.error;
    }
    if (rc) {
        composed_forget(log);
        return rc;
    }
    buf_span(out, buf_view(&log->composed));
    return out->error;
}
