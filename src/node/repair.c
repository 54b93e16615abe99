#include "node/repair.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "circle/change.h"
#include "crypto/sha256.h"
#include "node/check.h"
#include "node/state.h"
#include "publish/publish.h"
#include "record/receipt.h"

/* Whom to ask for a log: its owner, then the mirrors; never ourselves. */
struct source {
    const struct party *peer;
    char prefix[80];
};

static size_t sources_list(const struct repair *r, const struct party *writer,
                           struct source out[static COMMITTEE_MAX + 1])
{
    size_t count = 0;
    char hex[65];
    if (writer != r->self)
        out[count++] = (struct source){.peer = writer};
    hash_hex(&writer->origin_hash, hex);
    for (size_t i = 0; i < r->roster->count; i++) {
        const struct party *party = &r->roster->parties[i];
        if (!party->committee || party == writer || party == r->self || count == COMMITTEE_MAX + 1)
            continue;
        out[count] = (struct source){.peer = party};
        (void)snprintf(out[count++].prefix, sizeof out->prefix, "/mirror/%s", hex);
    }
    return count;
}

static int source_get(const struct repair *r, const struct source *source, const char *path, struct buf *out)
{
    char whole[192];
    (void)snprintf(whole, sizeof whole, "%s/%s", source->prefix, path);
    buf_reset(out);
    return r->get(r->ctx, source->peer, whole, out);
}

/* One log */

struct reference { /* a signed tree */
    uint64_t size;
    struct hash root;
};
struct log_repair {
    struct repair *r;
    const struct party *party;
    log_id from, to; /* in the old database (0: not there), in the new one */
    struct reference *references;
    size_t count, cap;
    struct source sources[COMMITTEE_MAX + 1];
    size_t source_count;
    bool from_peers; /* some of it came from them */
};

static int reference_add(struct log_repair *log, uint64_t size, const struct hash *root)
{
    if (log->count == log->cap) {
        size_t cap = log->cap ? 2 * log->cap : 64;
        struct reference *list = realloc(log->references, cap * sizeof *list);
        if (!list)
            return E_NOMEM;
        log->references = list;
        log->cap = cap;
    }
    log->references[log->count++] = (struct reference){.size = size, .root = *root};
    return 0;
}

/* A note counts by the log's own signature, wherever it comes from; by a replaced key only from here, where it was once accepted. */
static int note_trust(struct log_repair *log, struct span bytes, bool peers, struct checkpoint *checkpoint,
                      struct note *note)
{
    int rc = checkpoint_is_signed(log->party, bytes, checkpoint, note);
    return rc || !peers ? rc : party_log_signed(log->party, note, checkpoint, 0);
}

static int reference_note(struct log_repair *log, struct span bytes, bool peers)
{
    struct checkpoint checkpoint;
    struct note *note = malloc(sizeof *note);
    int rc = note ? note_trust(log, bytes, peers, &checkpoint, note) : E_NOMEM;
    free(note);
    return rc == 0 ? reference_add(log, checkpoint.size, &checkpoint.root) : rc == E_NOMEM ? rc : 0;
}

static int reference_visit(void *ctx, enum note_kind kind, uint64_t size, struct span note)
{
    (void)size;
    return kind == NOTE_PENDING || kind == NOTE_HEARD ? 0 : reference_note(ctx, note, false);
}

static int references_ask(struct log_repair *log)
{
    static const char *const paths[] = {"checkpoint", "pending"};
    struct buf note;
    int rc = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    for (size_t i = 0; i < log->source_count && rc == 0; i++)
        for (size_t p = 0; p < (log->party == log->r->self ? 2u : 1u) && rc == 0; p++)
            if (source_get(log->r, &log->sources[i], paths[p], &note) == 0)
                rc = reference_note(log, buf_view(&note), true);
    buf_free(&note);
    return rc;
}

static int reference_order(const void *a, const void *b)
{
    const struct reference *x = a, *y = b;
    return (x->size < y->size) - (x->size > y->size);
}

/* The old number of a log whose row is gone is found by who signed its first entry. */
static log_id old_number(const struct repair *r, const struct party *party)
{
    struct store *old = r->old->store;
    struct buf entry;
    struct statement s;
    log_id id = 0;
    if (!old || old->ops->log_open(old, span_str(party->origin), false, &id) == 0)
        return id;
    buf_init(&entry, 2 * STATEMENT_BYTES_MAX);
    for (log_id at = 1; at <= PARTIES_MAX; at++) {
        buf_reset(&entry);
        if (salvage_entry(r->old, at, 0, &entry) == 0 && statement_parse(&s, buf_view(&entry), NULL) == 0 &&
            span_is(s.issuer, party->card.name)) {
            id = at;
            break;
        }
    }
    buf_free(&entry);
    return id;
}

/* Where an attempt takes its entries from: the old database whatever its tiles say; the old one where entry and tile agree, and a source
   for the rest; a source for all. */
enum attempt { LOCAL, MIXED, FETCHED };

struct bundle_work {
    struct buf local, fetched;
    struct span entries[TILE_WIDTH], parsed[TILE_WIDTH];
    struct hash ids[TILE_WIDTH];
};

/* One wrong bit in an entry is found by trying, for the tile has its hash. */
static bool entry_mend(uint8_t *bytes, size_t len, const struct hash *leaf)
{
    struct hash got;
    for (size_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        tree_leaf(span_of(bytes, len), &got);
        if (hash_eq(&got, leaf))
            return true;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    return false;
}

/* Appends the old entry to `local`; false when there is none that this attempt may trust. */
static bool entry_old(const struct log_repair *log, enum attempt how, uint64_t index, struct buf *local)
{
    struct store *old = log->r->old->store;
    struct hash leaf, tile[TILE_WIDTH];
    unsigned at = (unsigned)(index % TILE_WIDTH);
    size_t before = local->len;
    if (!old || !log->from || how == FETCHED || salvage_entry(log->r->old, log->from, index, local) != 0)
        return false;
    struct span entry = span_of(local->data + before, local->len - before);
    tree_leaf(entry, &leaf);
    if (how == LOCAL)
        return true;
    if (old->ops->tile_get(old, log->from, 0, index / TILE_WIDTH, at + 1, tile) != 0)
        return false;
    return hash_eq(&leaf, &tile[at]) || entry_mend(local->data + before, entry.len, &tile[at]);
}

static int bundle_fetch(struct log_repair *log, const struct source *source, uint64_t number, unsigned width,
                        struct bundle_work *work)
{
    char path[64];
    size_t count = 0;
    tile_path(path, -1, number, width);
    int rc = source_get(log->r, source, path, &work->fetched);
    rc = rc ? rc : bundle_parse(buf_view(&work->fetched), work->parsed, TILE_WIDTH, &count);
    return rc ? rc : count == width ? 0 : E_TRUNCATED;
}

/* Entries [first, first + width) into work->entries. */
static int bundle_gather(struct log_repair *log, enum attempt how, const struct source *source, uint64_t first,
                         unsigned width, struct bundle_work *work)
{
    size_t ends[TILE_WIDTH];
    bool have[TILE_WIDTH];
    bool all = true;
    buf_reset(&work->local);
    for (unsigned i = 0; i < width; i++) {
        size_t before = work->local.len;
        have[i] = entry_old(log, how, first + i, &work->local);
        if (!have[i])
            work->local.len = before;
        ends[i] = work->local.len;
        all = all && have[i];
    }
    if (!all && (how == LOCAL || bundle_fetch(log, source, first / TILE_WIDTH, width, work) != 0))
        return E_NOTFOUND;
    log->from_peers = log->from_peers || !all;
    for (unsigned i = 0; i < width; i++) {
        size_t start = i ? ends[i - 1] : 0;
        work->entries[i] = have[i] ? span_of(work->local.data + start, ends[i] - start) : work->parsed[i];
    }
    return work->local.error;
}

static int bundle_append(struct log_repair *log, struct bundle_work *work, unsigned width, struct frontier *frontier)
{
    struct store *made = log->r->made;
    for (unsigned i = 0; i < width; i++) {
        tree_leaf(work->entries[i], &work->ids[i]);
        frontier_append(frontier, &work->ids[i]);
    }
    return made->ops->entries_append(made, log->to, work->entries, work->ids, width);
}

/* Own statements behind the last signed tree that is known: the owner's signature on each, and the tile, vouch for them. */
static int tail_append(struct log_repair *log, struct bundle_work *work, struct frontier *frontier)
{
    int rc = 0;
    while (rc == 0) {
        struct statement s;
        const struct party *party = NULL;
        const struct public_key *key = NULL;
        buf_reset(&work->local);
        if (!entry_old(log, MIXED, frontier->size, &work->local) ||
            statement_parse(&s, buf_view(&work->local), NULL) != 0)
            break;
        if (!span_is(s.media, MEDIA_KEY_CHANGE) &&
            (roster_entry_key(log->r->roster, s.issuer, &s.kid, frontier->size, &party, &key, NULL) != 0 ||
             party != log->party || statement_verify(&s, key) != 0))
            break;
        work->entries[0] = buf_view(&work->local);
        rc = bundle_append(log, work, 1, frontier);
    }
    return rc;
}

/* All in one batch: committed when the entries lead to the root, else as if it had not been. E_PROOF: they do not. */
static int log_try(struct log_repair *log, enum attempt how, const struct source *source,
                   const struct reference *reference)
{
    struct store *made = log->r->made;
    struct bundle_work *work = calloc(1, sizeof *work);
    struct frontier frontier = {0};
    struct hash root;
    int rc = work ? made->ops->begin(made) : E_NOMEM;
    if (rc) {
        free(work);
        return rc;
    }
    buf_init(&work->local, BUNDLE_BYTES_MAX);
    buf_init(&work->fetched, BUNDLE_BYTES_MAX);
    int found = 0;
    for (uint64_t at = 0; at < reference->size && rc == 0 && found == 0; at += TILE_WIDTH) {
        unsigned width = reference->size - at < TILE_WIDTH ? (unsigned)(reference->size - at) : TILE_WIDTH;
        found = bundle_gather(log, how, source, at, width, work);
        if (found == 0)
            rc = bundle_append(log, work, width, &frontier);
    }
    frontier_root(&frontier, &root);
    if (rc == 0 && (found || !hash_eq(&root, &reference->root)))
        found = E_PROOF;
    if (rc == 0 && found == 0 && log->party == log->r->self)
        rc = tail_append(log, work, &frontier);
    buf_free(&work->local);
    buf_free(&work->fetched);
    free(work);
    if (rc)
        return rc;
    return found ? (rc = made->ops->rollback(made)) ? rc : E_PROOF : made->ops->commit(made);
}

/* By each way in turn, the cheapest first. */
static int reference_reach(struct log_repair *log, const struct reference *reference)
{
    int rc = log_try(log, LOCAL, NULL, reference);
    for (int how = MIXED; how <= FETCHED; how++)
        for (size_t i = 0; i < log->source_count && rc == E_PROOF; i++)
            rc = log_try(log, (enum attempt)how, &log->sources[i], reference);
    return rc;
}

static uint64_t made_size(struct log_repair *log)
{
    uint64_t size = 0;
    (void)log->r->made->ops->log_size(log->r->made, log->to, &size);
    return size;
}

static int references_reach(struct log_repair *log)
{
    int rc = E_PROOF;
    if (log->count)
        qsort(log->references, log->count, sizeof *log->references, reference_order);
    /* The greatest by all ways; lower ones only by what is here, or each would be asked for again. */
    for (size_t i = 0; i < log->count && rc == E_PROOF; i++)
        rc = i ? log_try(log, LOCAL, NULL, &log->references[i]) : reference_reach(log, &log->references[i]);
    if (rc == E_PROOF) {
        struct reference none = {0};
        tree_empty(&none.root);
        rc = log_try(log, LOCAL, NULL, &none);
    }
    return rc;
}

static void log_lost(struct log_repair *log, uint64_t wanted)
{
    char place[192];
    uint64_t held = made_size(log);
    if (held >= wanted)
        return;
    (void)snprintf(place, sizeof place, "state.db: table entry: log of %s", log->party->card.name);
    findings_add(log->r->lost, place, "entries %" PRIu64 " to %" PRIu64 " are here no more, and no peer gave them",
                 held, wanted - 1);
}

static int log_make(struct log_repair *log)
{
    struct repair *r = log->r;
    struct store *made = r->made;
    bool own = log->party == r->self;
    log->from = old_number(r, log->party);
    log->source_count = sources_list(r, log->party, log->sources);
    int rc = made->ops->begin(made);
    rc = rc ? rc : made->ops->log_open(made, span_str(log->party->origin), true, &log->to);
    rc = rc ? rc : made->ops->commit(made);
    if (rc == 0 && log->from)
        rc = salvage_notes(r->old, log->from, reference_visit, log);
    if (rc == 0 && own && r->own.size)
        rc = reference_add(log, r->own.size, &r->own.root);
    struct reference greatest = {0};
    for (size_t i = 0; i < log->count; i++)
        if (log->references[i].size > greatest.size)
            greatest = log->references[i];
    if (rc)
        return rc;
    /* Whole as it is? Else what peers know of it counts too. */
    if (greatest.size && (rc = log_try(log, LOCAL, NULL, &greatest)) != E_PROOF)
        return rc;
    rc = references_ask(log);
    rc = rc ? rc : references_reach(log);
    uint64_t wanted = log->count ? log->references[0].size : 0;
    if (rc == 0)
        log_lost(log, wanted);
    return rc;
}

/* Checkpoints and cosignatures: what verifies, and fits the tree. */

struct record_copy {
    struct log_repair *log;
    int64_t copied;
};

static bool root_fits(struct log_repair *log, uint64_t size, const struct hash *root)
{
    struct store_tiles space = {.store = log->r->made, .log = log->to};
    struct tile_reader tiles = store_tile_reader(&space);
    struct hash held;
    return size <= made_size(log) && tree_root(&tiles, size, &held) == 0 && hash_eq(&held, root);
}

static int note_copy(void *ctx, enum note_kind kind, uint64_t size, struct span bytes)
{
    struct log_repair *log = ctx;
    struct store *made = log->r->made;
    struct checkpoint checkpoint;
    struct note *note = malloc(sizeof *note);
    if (!note)
        return E_NOMEM;
    bool good = checkpoint_is_signed(log->party, bytes, &checkpoint, note) == 0 && checkpoint.size == size &&
                kind <= NOTE_HEARD &&
                (kind == NOTE_HEARD || root_fits(log, size, &checkpoint.root) ||
                 (kind == NOTE_PENDING && size > made_size(log)));
    free(note);
    return good ? made->ops->note_put(made, log->to, kind, size, bytes) : 0;
}

static int cosignature_copy(void *ctx, const struct stored_cosignature *c)
{
    struct log_repair *log = ctx;
    struct stored_cosignature copy = *c;
    bool cose;
    if (!cosignature_is_good(log->r->roster, log->party, c, &cose) || !root_fits(log, c->size, &c->root))
        return 0;
    copy.has_cose = c->has_cose && cose;
    return log->r->made->ops->cosignature_put(log->r->made, log->to, &copy);
}

/* By the mirror's present key, or by one that it had. */
static int cosignatures_of(struct log_repair *log, const struct party *mirror, const struct note *note,
                           const struct checkpoint *checkpoint)
{
    int rc = 0;
    for (uint32_t e = 0; e <= mirror->former_count && rc == 0; e++) {
        bool present = e == mirror->former_count;
        const struct public_key *counts = NULL,
                                *key = present ? &mirror->card.keys[KEY_MIRROR] : &mirror->former[e].keys[KEY_MIRROR];
        struct stored_cosignature c = {.size = checkpoint->size,
                                       .root = checkpoint->root,
                                       .kid = present ? mirror->kids[KEY_MIRROR] : mirror->former[e].kids[KEY_MIRROR]};
        struct cut state = {.size = c.size, .root = c.root};
        char name[ORIGIN_BYTES_MAX + 8];
        mirror_key_name(name, mirror);
        if (note_verify_cosignature(note, span_str(name), key, &c.timestamp, &c.signature) == 0 &&
            roster_mirror(log->r->roster, &c.kid, log->party, &state, c.timestamp, &counts))
            rc = log->r->made->ops->cosignature_put(log->r->made, log->to, &c);
    }
    return rc;
}

static bool note_held(struct log_repair *log, uint64_t size)
{
    struct buf note;
    uint64_t found = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = log->r->made->ops->note_at_least(log->r->made, log->to, NOTE_SIGNED, size, &found, &note);
    buf_free(&note);
    return rc == 0 && found == size;
}

/* A peer's note: the log's signature, and each mirror's on it. */
static int note_take(struct log_repair *log, struct span bytes, uint64_t *size)
{
    struct checkpoint checkpoint;
    struct store *made = log->r->made;
    struct note *note = malloc(sizeof *note);
    int rc = note ? note_trust(log, bytes, true, &checkpoint, note) : E_NOMEM;
    *size = 0;
    if (rc == 0 && root_fits(log, checkpoint.size, &checkpoint.root)) {
        *size = checkpoint.size;
        if (!note_held(log, checkpoint.size))
            rc = made->ops->note_put(made, log->to, NOTE_SIGNED, checkpoint.size, bytes);
        for (size_t i = 0; i < log->r->roster->count && rc == 0; i++)
            if (log->r->roster->parties[i].committee && &log->r->roster->parties[i] != log->party)
                rc = cosignatures_of(log, &log->r->roster->parties[i], note, &checkpoint);
    }
    free(note);
    return rc == E_NOMEM || (rc && *size) ? rc : 0;
}

/* From the newest back is not offered, so from the first on: PREFIX/cosigned/SIZE answers with the least one at or above SIZE. */
static int record_ask(struct log_repair *log)
{
    struct buf note;
    uint64_t size = 0;
    int rc = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    for (size_t i = 0; i < log->source_count && rc == 0; i++) {
        if (source_get(log->r, &log->sources[i], "checkpoint", &note) == 0)
            rc = note_take(log, buf_view(&note), &size);
        for (uint64_t from = 1; rc == 0; from = size + 1) {
            char path[64];
            (void)snprintf(path, sizeof path, "cosigned/%" PRIu64, from);
            if (source_get(log->r, &log->sources[i], path, &note) != 0)
                break;
            rc = note_take(log, buf_view(&note), &size);
            if (size < from)
                break;
        }
    }
    buf_free(&note);
    return rc;
}

/* COSE receipts do not travel in notes. Our own for what we have cosigned is made again; another mirror's on our own log comes with its
   next cosignature, and is told of when the newest lacks it. */
struct cose_repair {
    struct log_repair *log;
    struct stored_cosignature newest[COMMITTEE_MAX];
    size_t count;
    struct stored_cosignature *bare; /* our own without one */
    size_t bare_count;
};

static int cose_visit(void *ctx, const struct stored_cosignature *c)
{
    struct cose_repair *cose = ctx;
    struct repair *r = cose->log->r;
    size_t i = 0;
    while (i < cose->count && !hash_eq(&cose->newest[i].kid, &c->kid))
        i++;
    if (i == cose->count && cose->count < COMMITTEE_MAX)
        cose->count++;
    if (i < cose->count)
        cose->newest[i] = *c; /* sizes ascend */
    if (c->has_cose || cose->log->party == r->self || !hash_eq(&c->kid, &r->self->kids[KEY_MIRROR]))
        return 0;
    struct stored_cosignature *more = realloc(cose->bare, (cose->bare_count + 1) * sizeof *more);
    if (!more)
        return E_NOMEM;
    cose->bare = more;
    cose->bare[cose->bare_count++] = *c;
    return 0;
}

static int cose_put(struct log_repair *log, struct stored_cosignature *c)
{
    struct repair *r = log->r;
    char name[ORIGIN_BYTES_MAX + 8];
    struct buf protected_bytes, message;
    mirror_key_name(name, r->self);
    buf_init(&protected_bytes, STATEMENT_BYTES_MAX);
    buf_init(&message, STATEMENT_BYTES_MAX);
    cose_receipt_protected(&protected_bytes, &c->kid, span_str(name), span_str(log->party->origin), c->size);
    cose_to_be_signed(&message, buf_view(&protected_bytes), span_hash(&c->root));
    int rc = message.error;
    if (rc == 0 && (c->has_cose = r->sign(r->ctx, buf_view(&message), &c->cose)))
        rc = r->made->ops->cosignature_put(r->made, log->to, c);
    buf_free(&protected_bytes);
    buf_free(&message);
    return rc;
}

static int cose_make(struct log_repair *log)
{
    struct cose_repair cose = {.log = log};
    struct repair *r = log->r;
    char place[192];
    int rc = r->made->ops->cosignatures(r->made, log->to, 0, cose_visit, &cose);
    for (size_t i = 0; i < cose.bare_count && rc == 0; i++)
        rc = cose_put(log, &cose.bare[i]);
    for (size_t i = 0; i < cose.count && rc == 0 && log->party == r->self; i++)
        if (!cose.newest[i].has_cose) {
            (void)snprintf(place, sizeof place, "state.db: table cosignature: size %" PRIu64, cose.newest[i].size);
            findings_add(r->lost, place, "a mirror's COSE receipt is gone; its next cosignature brings one");
        }
    free(cose.bare);
    return rc;
}

/* As a mirror we stand where our own cosignature does: the signed checkpoint of that size is the mirrored one. */
struct own_cosignature {
    struct hash kid;
    uint64_t size;
};

static int own_cosignature_visit(void *ctx, const struct stored_cosignature *c)
{
    struct own_cosignature *own = ctx;
    if (hash_eq(&c->kid, &own->kid) && c->size > own->size)
        own->size = c->size;
    return 0;
}

static int mirrored_put(struct log_repair *log)
{
    struct store *made = log->r->made;
    struct own_cosignature own = {.kid = log->r->self->kids[KEY_MIRROR]};
    struct buf note;
    uint64_t found = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    int rc = made->ops->cosignatures(made, log->to, 0, own_cosignature_visit, &own);
    if (rc == 0 && own.size && log->party != log->r->self &&
        made->ops->note_at_least(made, log->to, NOTE_SIGNED, own.size, &found, &note) == 0 && found == own.size) {
        rc = made->ops->note_put(made, log->to, NOTE_MIRRORED, own.size, buf_view(&note));
        rc = rc ? rc : made->ops->note_put(made, log->to, NOTE_PENDING, own.size, buf_view(&note));
    }
    buf_free(&note);
    return rc;
}

static int record_make(struct log_repair *log)
{
    struct repair *r = log->r;
    int rc = r->made->ops->begin(r->made);
    if (rc == 0 && log->from)
        rc = salvage_notes(r->old, log->from, note_copy, log);
    if (rc == 0 && log->from)
        rc = salvage_cosignatures(r->old, log->from, cosignature_copy, log);
    if (rc == 0 && (r->record_damaged || log->from_peers || !log->from))
        rc = record_ask(log);
    if (rc == 0 && (r->record_damaged || !log->from))
        rc = cose_make(log);
    rc = rc ? rc : mirrored_put(log);
    return rc ? rc : r->made->ops->commit(r->made);
}

static int logs_make(struct repair *r)
{
    int rc = 0;
    for (size_t i = 0; i < r->roster->count && rc == 0; i++) {
        struct log_repair log = {.r = r, .party = &r->roster->parties[i]};
        rc = log_make(&log);
        rc = rc ? rc : record_make(&log);
        free(log.references);
    }
    return rc;
}

/* Documents */

static int document_copy(void *ctx, const struct hash *hash, enum label label)
{
    struct repair *r = ctx;
    struct buf bytes;
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    int rc = r->old->store->ops->document_get(r->old->store, hash, &bytes);
    if (rc == 0)
        rc = r->made->ops->document_put(r->made, hash, label, buf_view(&bytes));
    else if (rc != E_NOMEM)
        rc = 0; /* asked for below */
    buf_free(&bytes);
    return rc;
}

static int wanted_any(void *ctx, struct span key, struct span value)
{
    const struct hash *hash = ctx;
    (void)value;
    return key.len == 64 && memcmp(key.data, hash->b, 32) == 0 ? 1 : 2;
}

/* Was it not held before the damage either? */
static bool was_wanted(const struct repair *r, const struct hash *hash)
{
    struct hash key = *hash;
    struct store *old = r->old->store;
    return old && old->ops->view_scan(old, span_str("wanted"), span_hash(&key), wanted_any, &key) == 1;
}

struct document_repair {
    struct repair *r;
    const struct party *writer;
};

static int document_fetch(struct document_repair *d, const struct statement *s)
{
    struct repair *r = d->r;
    struct source sources[COMMITTEE_MAX + 1];
    struct hash got;
    struct buf bytes;
    enum label label;
    char path[96], hex[65], place[192];
    size_t count = sources_list(r, d->writer, sources);
    int rc = E_NOTFOUND;
    hash_hex(&s->document, hex);
    (void)snprintf(path, sizeof path, "/documents/%s", hex);
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    for (size_t i = 0; i < count && rc == E_NOTFOUND; i++) {
        buf_reset(&bytes);
        if (r->get(r->ctx, sources[i].peer, path, &bytes) != 0)
            continue;
        sha256(buf_view(&bytes), &got);
        if (!hash_eq(&got, &s->document))
            continue;
        rc = document_label(s->media, buf_view(&bytes), &label);
        rc = rc ? rc : r->made->ops->document_put(r->made, &got, label, buf_view(&bytes));
    }
    buf_free(&bytes);
    if (rc == E_NOTFOUND && !was_wanted(r, &s->document)) {
        (void)snprintf(place, sizeof place, "state.db: table document: %s", hex);
        findings_add(r->lost, place, "no peer gave it; the node asks on while it runs");
    }
    return rc == E_NOTFOUND ? 0 : rc;
}

static int document_visit(void *ctx, uint64_t index, struct span entry)
{
    struct document_repair *d = ctx;
    struct stored_document info;
    struct statement s;
    (void)index;
    if (statement_parse(&s, entry, NULL) != 0 || span_is(s.media, "application/vnd.comity.sealed") ||
        d->r->made->ops->document_info(d->r->made, &s.document, &info) == 0)
        return 0;
    return document_fetch(d, &s);
}

static int documents_make(struct repair *r)
{
    struct store *made = r->made;
    int rc = made->ops->begin(made);
    if (rc == 0 && r->old->store)
        rc = salvage_documents(r->old, document_copy, r);
    for (size_t i = 0; r->roster && i < r->roster->count && rc == 0; i++) {
        struct document_repair d = {.r = r, .writer = &r->roster->parties[i]};
        log_id log;
        uint64_t size;
        rc = made->ops->log_open(made, span_str(d.writer->origin), false, &log);
        rc = rc ? rc : made->ops->log_size(made, log, &size);
        rc = rc ? rc : made->ops->entries_scan(made, log, 0, size, document_visit, &d);
    }
    return rc ? rc : made->ops->commit(made);
}

/* The journal and small state are private: only what is here can be had. A lost row keeps its number, so that positions stay true. */

static int journal_copy(void *ctx, int64_t seq, const struct journal_row *row)
{
    struct repair *r = ctx;
    char place[96], key[32];
    int64_t at;
    if (row)
        return r->made->ops->journal_append(r->made, row->at, row->kind, row->key, row->body, &at);
    (void)snprintf(place, sizeof place, "state.db: table journal: row %" PRId64, seq);
    findings_add(r->lost, place, "it is private, so no peer has it: an inventory must be added again");
    (void)snprintf(key, sizeof key, "%" PRId64, seq);
    return r->made->ops->journal_append(r->made, 0, span_str("lost"), span_str(key), span_of(NULL, 0), &at);
}

static int state_copy(void *ctx, struct span key, struct span value)
{
    struct repair *r = ctx;
    return r->made->ops->state_put(r->made, key, value);
}

struct kept_copy {
    struct repair *r;
    struct span space;
};

static int kept_copy(void *ctx, struct span key, struct span value)
{
    struct kept_copy *copy = ctx;
    return copy->r->made->ops->kept_put(copy->r->made, copy->space, key, value);
}

/* Inventories: what is held of each, and its file. The rest of what is kept is derived. */
static int inventories_make(struct repair *r)
{
    const char *const spaces[] = {"inventory", "file"};
    int rc = 0;
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0] && rc == 0; i++) {
        struct kept_copy copy = {.r = r, .space = span_str(spaces[i])};
        rc = salvage_kept(r->old, copy.space, kept_copy, &copy);
    }
    return rc;
}

struct names { /* of inventories that were uploaded */
    struct repair *r;
    struct hash *list;
    size_t count;
};

static bool kept_whole(struct repair *r, struct span name)
{
    struct buf bytes;
    const struct store_ops *ops = r->made->ops;
    buf_init(&bytes, KEPT_BYTES_MAX);
    bool whole = ops->kept_get(r->made, span_str("inventory"), name, &bytes) == 0 &&
                 ops->kept_get(r->made, span_str("file"), name, &bytes) == 0;
    buf_free(&bytes);
    return whole;
}

/* What is left of an inventory without its other half is of no use. */
static int uploaded_visit(void *ctx, const struct journal_row *row)
{
    struct names *names = ctx;
    const struct store_ops *ops = names->r->made->ops;
    struct span name, key = row->key;
    struct hash hash;
    if (!span_line(&key, &name))
        return 0;
    sha256(name, &hash);
    for (size_t i = 0; i < names->count; i++)
        if (hash_eq(&names->list[i], &hash))
            return 0;
    struct hash *list = realloc(names->list, (names->count + 1) * sizeof *list);
    if (!list)
        return E_NOMEM;
    names->list = list;
    names->list[names->count++] = hash;
    if (kept_whole(names->r, name))
        return 0;
    findings_add(names->r->lost, "state.db: table kept",
                 "an inventory: it is private, so no peer has it: it must be added again");
    int rc = ops->kept_drop(names->r->made, span_str("inventory"), name);
    return rc ? rc : ops->kept_drop(names->r->made, span_str("file"), name);
}

static int inventories_check(struct repair *r)
{
    struct names names = {.r = r};
    int rc = r->made->ops->journal_scan(r->made, span_str("uploaded"), 0, uploaded_visit, &names);
    free(names.list);
    return rc;
}

static int private_make(struct repair *r)
{
    int rc = r->made->ops->begin(r->made);
    if (rc == 0 && r->old->store)
        rc = salvage_journal(r->old, journal_copy, r);
    if (rc == 0 && r->old->store)
        rc = salvage_state(r->old, state_copy, r);
    if (rc == 0 && r->old->store)
        rc = inventories_make(r);
    rc = rc ? rc : inventories_check(r);
    return rc ? rc : r->made->ops->commit(r->made);
}

static int views_make(struct repair *r, struct fault *fault)
{
    struct env env = {.store = r->made};
    struct node_config config = {.roster = r->charter, .party = span_str(r->self ? r->self->card.name : "")};
    struct node *node = NULL;
    int rc = node_open(&node, &env, &config, fault);
    if (rc == 0) {
        node_rebuild(node, &rc);
        node_close(node);
    }
    return rc;
}

int store_repair(struct repair *r, struct fault *fault)
{
    int rc = r->roster ? logs_make(r) : 0;
    if (rc)
        return fail(fault, rc, "making the logs anew");
    rc = documents_make(r);
    if (rc)
        return fail(fault, rc, "copying and fetching documents");
    rc = private_make(r);
    if (rc)
        return fail(fault, rc, "copying the journal");
    return views_make(r, fault);
}
