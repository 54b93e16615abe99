/* A member: its node, and its disk and signer with their faults. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "sim/sim.h"
#include "store/sqlite.h"

const char *const sim_names[SIM_PARTIES] = {"alpha", "bravo", "charlie", "delta", "vendor", "operator"};

static struct member *acting; /* the ops get no context of ours: one world runs at a time, one member steps at a time */

void member_acts(struct member *member)
{
    acting = member;
}

const struct roster *member_roster(const struct member *member)
{
    return &member->world->rosters[member->epoch];
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static uint64_t member_random(void *ctx)
{
    return splitmix(&((struct member *)ctx)->random);
}

static int64_t wall_seconds(void *ctx)
{
    const struct member *member = ctx;
    return (member->world->now + member->skew_ms) / 1000;
}

/* The disk: writes */

static const enum sim_fault strike_faults[STRIKE_COUNT] = {
    [STRIKE_WRITE] = FAULT_CRASH_WRITE,
    [STRIKE_COMMIT_BEFORE] = FAULT_CRASH_COMMIT,
    [STRIKE_COMMIT_AFTER] = FAULT_CRASH_COMMITTED,
    [STRIKE_IO] = FAULT_DISK_IO,
    [STRIKE_SIGN_BEFORE] = FAULT_SIGNER_CRASH,
    [STRIKE_SIGN_LOST] = FAULT_SIGNER_LOST,
    [STRIKE_SIGN_TORN] = FAULT_SIGNER_TORN,
    [STRIKE_SIGN_AFTER] = FAULT_SIGNER_UNHEARD,
};

/* Does the strike fall at this call? If so the process is gone, whatever the call returns. */
static bool strikes(enum strike first, enum strike last)
{
    struct member *m = acting;
    if (m->strike < first || m->strike > last || m->crashed || --m->strike_in)
        return false;
    m->crashed = true;
    fired(m->world, strike_faults[m->strike]);
    return true;
}

static bool disk_full(void)
{
    if (acting->world->now >= acting->full_until)
        return false;
    acting->crashed = true;
    fired(acting->world, FAULT_DISK_FULL);
    return true;
}

static int faulty_begin(struct store *store)
{
    int rc = acting->store_real->begin(store);
    acting->writing = rc == 0;
    acting->wrote = false;
    return rc;
}

static int faulty_commit(struct store *store)
{
    acting->writing = false;
    if (disk_full()) {
        (void)acting->store_real->rollback(store);
        return E_FULL;
    }
    if (!strikes(STRIKE_COMMIT_BEFORE, STRIKE_IO))
        return acting->store_real->commit(store);
    (void)(acting->strike == STRIKE_COMMIT_AFTER ? acting->store_real->commit(store)
                                                 : acting->store_real->rollback(store));
    return E_IO;
}

static int faulty_rollback(struct store *store)
{
    acting->writing = false;
    return acting->store_real->rollback(store);
}

#define WRITE_OP(name, parameters, arguments)                                                                          \
    static int faulty_##name parameters                                                                                \
    {                                                                                                                  \
        acting->wrote = true;                                                                                          \
        return strikes(STRIKE_WRITE, STRIKE_WRITE) ? E_IO : acting->store_real->name arguments;                        \
    }
WRITE_OP(entries_append,
         (struct store * store, log_id log, const struct span *entries, const struct hash *ids, size_t count),
         (store, log, entries, ids, count))
WRITE_OP(note_put, (struct store * store, log_id log, enum note_kind kind, uint64_t size, struct span note),
         (store, log, kind, size, note))
WRITE_OP(cosignature_put, (struct store * store, log_id log, const struct stored_cosignature *c), (store, log, c))
WRITE_OP(document_put, (struct store * store, const struct hash *hash, enum label label, struct span bytes),
         (store, hash, label, bytes))
WRITE_OP(journal_append,
         (struct store * store, int64_t at, struct span kind, struct span key, struct span body, int64_t *seq),
         (store, at, kind, key, body, seq))
WRITE_OP(view_put, (struct store * store, struct span view, struct span key, struct span value),
         (store, view, key, value))
WRITE_OP(view_delete, (struct store * store, struct span view, struct span key), (store, view, key))
WRITE_OP(kept_put, (struct store * store, struct span space, struct span key, struct span value),
         (store, space, key, value))
WRITE_OP(kept_drop, (struct store * store, struct span space, struct span key), (store, space, key))
#undef WRITE_OP

/* The disk: bits flipped in what is read */

static bool flips(enum sim_fault kind)
{
    struct member *m = acting;
    if (m->flip != kind || m->world->faults_over || --m->flip_in)
        return false;
    m->flip = FAULT_NONE;
    m->flipped = true;
    fired(m->world, kind);
    return true;
}

static void bit_flip(void *bytes, size_t len)
{
    uint64_t at = world_random(acting->world, len * 8);
    ((uint8_t *)bytes)[at / 8] ^= (uint8_t)(1U << at % 8);
}

static int faulty_entry_get(struct store *store, log_id log, uint64_t index, struct buf *out)
{
    size_t before = out->len;
    int rc = acting->store_real->entry_get(store, log, index, out);
    if (rc == 0 && out->len > before && flips(FAULT_BIT_ENTRY))
        bit_flip(out->data + before, out->len - before);
    return rc;
}

struct flipping_visit {
    entry_visit *visit;
    void *ctx;
};

static int flipping_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct flipping_visit *f = ctx;
    uint8_t copy[STATEMENT_BYTES_MAX];
    if (!bytes.len || bytes.len > sizeof copy || !flips(FAULT_BIT_ENTRY))
        return f->visit(f->ctx, index, bytes);
    memcpy(copy, bytes.data, bytes.len);
    bit_flip(copy, bytes.len);
    return f->visit(f->ctx, index, span_of(copy, bytes.len));
}

static int faulty_entries_scan(struct store *store, log_id log, uint64_t start, uint64_t end, entry_visit *visit,
                               void *ctx)
{
    struct flipping_visit f = {.visit = visit, .ctx = ctx};
    return acting->flip == FAULT_BIT_ENTRY
               ? acting->store_real->entries_scan(store, log, start, end, flipping_visit, &f)
               : acting->store_real->entries_scan(store, log, start, end, visit, ctx);
}

static int faulty_tile_get(struct store *store, log_id log, unsigned level, uint64_t index, unsigned width,
                           struct hash *out)
{
    int rc = acting->store_real->tile_get(store, log, level, index, width, out);
    if (rc == 0 && width && flips(FAULT_BIT_TILE))
        bit_flip(out, width * sizeof *out);
    return rc;
}

static int faulty_note_latest(struct store *store, log_id log, enum note_kind kind, uint64_t *size, struct buf *out)
{
    size_t before = out->len;
    int rc = acting->store_real->note_latest(store, log, kind, size, out);
    if (rc == 0 && out->len > before && flips(FAULT_BIT_NOTE))
        bit_flip(out->data + before, out->len - before);
    return rc;
}

/* In the database itself, and back again: the store has a check of its own, which is to find it. */
static bool document_flip(struct store *store, const struct hash *hash, uint64_t bit)
{
    sqlite3_stmt *q;
    sqlite3_blob *blob;
    uint8_t byte;
    bool done = false;
    sqlite3 *db = self_of(store)->db;
    if (sqlite3_prepare_v2(db, "SELECT rowid FROM document WHERE hash = ?1 AND zstd IS NOT NULL", -1, &q, NULL))
        return false;
    bind_span(q, 1, span_hash(hash));
    if (sqlite3_step(q) == SQLITE_ROW &&
        sqlite3_blob_open(db, "main", "document", "zstd", sqlite3_column_int64(q, 0), 1, &blob) == SQLITE_OK) {
        int at = (int)(bit / 8 % (uint64_t)sqlite3_blob_bytes(blob));
        done = sqlite3_blob_read(blob, &byte, 1, at) == SQLITE_OK;
        byte ^= (uint8_t)(1U << bit % 8);
        done = done && sqlite3_blob_write(blob, &byte, 1, at) == SQLITE_OK;
        (void)sqlite3_blob_close(blob);
    }
    (void)sqlite3_finalize(q);
    return done;
}

static int faulty_document_get(struct store *store, const struct hash *hash, struct buf *out)
{
    uint64_t bit =
        acting->flip == FAULT_BIT_DOCUMENT && acting->flip_in == 1 ? world_random(acting->world, 1 << 20) : 0;
    bool flipped = acting->flip == FAULT_BIT_DOCUMENT && (acting->flip_in > 1 || document_flip(store, hash, bit)) &&
                   flips(FAULT_BIT_DOCUMENT);
    size_t before = out->len;
    struct hash got;
    int rc = acting->store_real->document_get(store, hash, out);
    if (flipped) {
        sha256(span_of(out->data + before, out->len - before), &got); /* a few bits of a zstd frame mean nothing */
        if (rc == 0 && !hash_eq(&got, hash))
            trouble(acting->world, "1 flipped document", "%s: a flipped bit in a document went unnoticed",
                    acting->name);
        (void)document_flip(store, hash, bit);
    }
    return rc;
}

static const struct store_ops *faulty_store_ops(struct member *member)
{
    struct store_ops *ops = &member->store_ops;
    *ops = *member->store_real;
    ops->begin = faulty_begin;
    ops->commit = faulty_commit;
    ops->rollback = faulty_rollback;
    ops->entries_append = faulty_entries_append;
    ops->note_put = faulty_note_put;
    ops->cosignature_put = faulty_cosignature_put;
    ops->document_put = faulty_document_put;
    ops->journal_append = faulty_journal_append;
    ops->view_put = faulty_view_put;
    ops->view_delete = faulty_view_delete;
    ops->kept_put = faulty_kept_put;
    ops->kept_drop = faulty_kept_drop;
    ops->entry_get = faulty_entry_get;
    ops->entries_scan = faulty_entries_scan;
    ops->tile_get = faulty_tile_get;
    ops->note_latest = faulty_note_latest;
    ops->document_get = faulty_document_get;
    return ops;
}

/* The signer. Its file is real, in memory; what a crash leaves of its last write is decided here. */

static size_t file_read(int fd, uint8_t *out)
{
    ssize_t n = pread(fd, out, SIGNER_FILE_BYTES, 0);
    return n > 0 ? (size_t)n : 0;
}

static void file_write(int fd, const uint8_t *bytes, size_t len)
{
    if (ftruncate(fd, (off_t)len) != 0 || pwrite(fd, bytes, len, 0) != (ssize_t)len)
        abort();
}

/* The last page written since `before` was in no fdatasync yet: whole sectors of it may be missing. Each page has an fdatasync of its own,
   so of several (a record is founded blank first) one is torn, and not two. Nothing was signed before the fdatasync, so the signature that
   the call has made is thrown away with the process. */
enum { TEAR_PAGE = 4096, TEAR_SECTOR = 512 };

static void file_tear(struct member *m, const uint8_t *before, size_t before_len, bool all)
{
    static uint8_t now[SIGNER_FILE_BYTES], left[SIGNER_FILE_BYTES];
    size_t len = file_read(m->signer_fd, now);
    memset(now + len, 0, sizeof now - len);
    memset(left, 0, sizeof left);
    memcpy(left, before, before_len);
    size_t pages = 0, torn;
    for (size_t page = 0; page < len; page += TEAR_PAGE)
        pages += memcmp(left + page, now + page, TEAR_PAGE) != 0;
    torn = pages && !all ? (size_t)world_random(m->world, pages) : 0;
    for (size_t page = 0, n = 0; page < len && !all; page += TEAR_PAGE) {
        if (memcmp(left + page, now + page, TEAR_PAGE) == 0)
            continue;
        for (size_t at = page; at < page + TEAR_PAGE; at += TEAR_SECTOR)
            if (n != torn || world_random(m->world, 2))
                memcpy(left + at, now + at, TEAR_SECTOR);
        n++;
    }
    file_write(m->signer_fd, left, all ? before_len : len);
}

bool nobody_knows(struct world *world, struct member *m, uint64_t size)
{
    static const enum note_kind kinds[] = {NOTE_SIGNED, NOTE_PENDING, NOTE_HEARD};
    struct buf note;
    uint64_t found;
    log_id log;
    bool known = false;
    buf_init(&note, NOTE_BYTES_MAX);
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        for (size_t k = 0; k < 3 && i != m->number; k++) {
            struct member *other = &world->members[i];
            buf_reset(&note);
            (void)member_log_size(other, m->number, &log);
            known = known ||
                    (log && other->store_real->note_at_least(other->store, log, kinds[k], size, &found, &note) == 0);
        }
    buf_free(&note);
    return !known;
}

/* Put back to before a signature that reached nobody: it cannot be told of it, and what was only logged then is gone. Nobody has a
   receipt of that. */
static void relapse(struct member *m)
{
    m->relapsed = true;
    for (size_t i = 0; i < m->world->stated_count; i++) {
        struct stated *s = &m->world->stated[i];
        struct buf entry;
        struct hash leaf = {0};
        log_id log;
        buf_init(&entry, STATEMENT_BYTES_MAX);
        if (s->owner == m->number && member_log_size(m, m->number, &log) > s->index &&
            m->store_real->entry_get(m->store, log, s->index, &entry) == 0)
            tree_leaf(buf_view(&entry), &leaf);
        s->forgiven = s->forgiven || (s->owner == m->number && s->acknowledged && !hash_eq(&leaf, &s->id));
        buf_free(&entry);
    }
}

/* What any signature promises, whoever asks for it. */
static void signed_watch(struct member *m, const struct party *log, uint64_t size, const struct hash *root,
                         int64_t timestamp)
{
    struct world *world = m->world;
    struct signed_seen *seen = &m->seen[log - member_roster(m)->parties];
    unsigned needed = 0, committee = (unsigned)member_roster(m)->committee_count;
    if (m->writing && m->wrote)
        trouble(world, "2 durable first", "%s signs %s at %" PRIu64 " while its store has not committed", m->name,
                log->card.name, size);
    if (m->restores && size < seen->size && strcmp(log->card.name, m->name) == 0 && nobody_knows(world, m, seen->size))
        relapse(m);
    else if (size < seen->size || (size == seen->size && size && !hash_eq(&seen->root, root)))
        trouble(world, "2 signed once", "%s signs %s at %" PRIu64 " after %" PRIu64, m->name, log->card.name, size,
                seen->size);
    if (timestamp && timestamp < seen->timestamp)
        trouble(world, "4 clocks", "%s cosigns %s with an earlier time than before", m->name, log->card.name);
    *seen = (struct signed_seen){
        .size = size, .root = *root, .timestamp = timestamp > seen->timestamp ? timestamp : seen->timestamp};
    m->filed[log - member_roster(m)->parties] = size;
    /* m, f and k as docs/architecture.md tables them: written here a second time on purpose. */
    static const uint8_t answers[] = {0, 1, 1, 2, 3, 3};
    const struct party *self = roster_party(member_roster(m), span_str(m->name));
    needed = answers[committee - (self->committee ? 1 : 0)];
    if (!m->is_signing && m->recover_answers + m->absent < needed)
        trouble(world, "2 recovery", "%s signs after %u of %u answers", m->name, m->recover_answers, needed);
    m->is_signing = true;
}

static int note_watch(struct member *m, struct span bytes)
{
    struct checkpoint checkpoint;
    struct note note;
    int rc = checkpoint_parse(&checkpoint, &note, bytes, NULL);
    if (rc == 0)
        signed_watch(m, roster_party(member_roster(m), span_str(m->name)), checkpoint.size, &checkpoint.root, 0);
    return rc;
}

static int faulty_checkpoint(struct signer *signer, uint64_t old_size, const struct hash *leaves, size_t count,
                             struct buf *note)
{
    static uint8_t before[SIGNER_FILE_BYTES];
    if (!strikes(STRIKE_SIGN_BEFORE, STRIKE_SIGN_AFTER)) {
        int rc = acting->signer_real->checkpoint(signer, old_size, leaves, count, note);
        return rc ? rc : note_watch(acting, buf_view(note));
    }
    size_t len = file_read(acting->signer_fd, before);
    enum strike strike = acting->strike;
    if (strike != STRIKE_SIGN_BEFORE && acting->signer_real->checkpoint(signer, old_size, leaves, count, note) == 0 &&
        strike == STRIKE_SIGN_AFTER)
        (void)note_watch(acting, buf_view(note));
    if (strike == STRIKE_SIGN_LOST || strike == STRIKE_SIGN_TORN)
        file_tear(acting, before, len, strike == STRIKE_SIGN_LOST);
    return E_IO;
}

/* A mirror holds every document up to what it cosigns. */
static int held_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct statement s;
    struct stored_document info;
    if (statement_parse(&s, bytes, NULL) == 0 && !span_is(s.media, MEDIA_SEALED) &&
        acting->store_real->document_info(acting->store, &s.document, &info) != 0)
        trouble(acting->world, "2 documents held", "%s cosigns %s and lacks the document of entry %" PRIu64,
                acting->name, (const char *)ctx, index);
    return 0;
}

static void cosign_watch(struct member *m, const struct party *log, const struct sign_cosignature *request,
                         int64_t timestamp)
{
    log_id id;
    const struct signed_seen *seen = &m->seen[log - member_roster(m)->parties];
    char name[NAME_BYTES_MAX + 1];
    memcpy(name, log->card.name, sizeof name);
    if (request->size > seen->size &&
        (m->store_real->log_open(m->store, span_str(log->origin), false, &id) != 0 ||
         m->store_real->entries_scan(m->store, id, seen->size, request->size, held_visit, name) != 0))
        trouble(m->world, "2 documents held", "%s cosigns %s at %" PRIu64 " and does not hold that much", m->name, name,
                request->size);
    signed_watch(m, log, request->size, &request->root, timestamp);
}

static int faulty_cosign(struct signer *signer, enum key_role role, const struct sign_cosignature *request,
                         struct cosigned *out)
{
    static uint8_t before[SIGNER_FILE_BYTES];
    const struct party *log = roster_origin(member_roster(acting), span_str(request->origin));
    if (!strikes(STRIKE_SIGN_BEFORE, STRIKE_SIGN_AFTER)) {
        int rc = acting->signer_real->cosign(signer, role, request, out);
        if (rc == 0 && log)
            cosign_watch(acting, log, request, out->timestamp);
        return rc;
    }
    size_t len = file_read(acting->signer_fd, before);
    enum strike strike = acting->strike;
    if (strike != STRIKE_SIGN_BEFORE && acting->signer_real->cosign(signer, role, request, out) == 0 &&
        strike == STRIKE_SIGN_AFTER && log)
        cosign_watch(acting, log, request, out->timestamp);
    if (strike == STRIKE_SIGN_LOST || strike == STRIKE_SIGN_TORN)
        file_tear(acting, before, len, strike == STRIKE_SIGN_LOST);
    return E_IO;
}

static int signer_open(struct member *member, struct fault *fault)
{
    struct world *world = member->world;
    struct signer_config config = {.keys = world->stage->ring[member->number],
                                   .circle = world->rosters[0].circle,
                                   .state_fd = member->signer_fd,
                                   .state_changed_at = member->put_back ? INT64_MAX : 0,
                                   .clock = wall_seconds,
                                   .clock_ctx = member};
    (void)snprintf(config.party, sizeof config.party, "%s", member->name);
    int rc = signer_local_open(&member->signer, &config, fault);
    if (rc)
        return rc;
    member->put_back = false;
    member->signer_real = member->signer->ops;
    member->signer_ops = *member->signer_real;
    member->signer_ops.checkpoint = faulty_checkpoint;
    member->signer_ops.cosign = faulty_cosign;
    member->signer->ops = &member->signer_ops;
    return 0;
}

/* Its memory is gone; what it had signed must stand in its file. */
static void signer_reopen(struct member *member)
{
    struct fault fault = {0};
    struct signer_position position;
    const struct roster *roster = member_roster(member);
    member->signer->ops->close(member->signer);
    member->signer = NULL;
    int rc = signer_open(member, &fault);
    if (rc) {
        trouble(member->world, "2 signer file", "%s: the signer does not open: %s: %s", member->name,
                error_text(rc)->id, fault.detail);
        member->world->rc = rc;
        return;
    }
    for (size_t i = 0; i < roster->count; i++) {
        bool own = strcmp(roster->parties[i].card.name, member->name) == 0;
        if (member->signer->ops->position(member->signer, own ? KEY_LOG : KEY_MIRROR,
                                          span_str(roster->parties[i].origin), &position) != 0)
            position = (struct signer_position){0};
        if (position.size < member->filed[i])
            trouble(member->world, "2 signer file", "%s: its signer has forgotten what it signed for %s", member->name,
                    roster->parties[i].card.name);
    }
}

/* Life and death */

static void start_task(struct world *world, unsigned number)
{
    if (!world->members[number].asleep)
        member_start(world, number);
}

void member_start(struct world *world, unsigned number)
{
    static const char *const channels[] = {"command", NULL};
    struct member *member = &world->members[number];
    struct env env = {.store = member->store,
                      .signer = member->signer,
                      .random = member_random,
                      .clock = wall_seconds,
                      .ctx = member};
    struct node_config config = {.roster = member_roster(member),
                                 .party = span_str(member->name),
                                 .channels = channels,
                                 .poll_ms = world->poll_ms};
    struct event event = {.kind = EVENT_START};
    struct fault fault = {0};
    if (member->node || member->retired)
        return;
    member->incarnation++;
    member->recover_answers = member->absent = 0;
    member->is_signing = member->flipped = false;
    member->engine_ms = member->skew_ms;
    member_acts(member);
    int rc = node_open(&member->node, &env, &config, &fault);
    if (rc && (member->crashed || member->flipped)) {
        member_crash(world, number);
        return;
    }
    if (rc) {
        trouble(world, "process", "%s does not open: %s: %s", member->name, error_text(rc)->id, fault.detail);
        world->rc = rc;
        return;
    }
    member_step(member, &event);
}

void member_stop(struct member *member)
{
    node_close(member->node);
    member->node = NULL;
    member->writing = false;
    store_memory_crash(member->store);
    member->strike = STRIKE_NONE;
    member->crashed = false;
}

void member_crash(struct world *world, unsigned number)
{
    struct member *member = &world->members[number];
    member_acts(member);
    member_stop(member);
    member->crashes++;
    if (world->rc)
        return;
    signer_reopen(member);
    if (member->retired)
        return;
    int64_t most = member->full_until > world->now ? 30 * 60 * 1000 : world->faults_over ? 1000 : 20000;
    task_at(world, world->now + 50 + (int64_t)world_random(world, (uint64_t)most), start_task, number);
}

int member_open(struct world *world, unsigned i, struct fault *fault)
{
    struct member *member = &world->members[i];
    *member = (struct member){.world = world,
                              .number = i,
                              .name = sim_names[i],
                              .random = world->seed * 31 + i,
                              .flip = FAULT_NONE,
                              .store = world->stage->store[i]};
    member->skew_ms = (int64_t)world_random(world, 3001) - 1500;
    member->signer_fd = memfd_create("signer.state", MFD_CLOEXEC);
    if (member->signer_fd < 0)
        return fail(fault, E_IO, "memfd");
    member->store_real = member->store->ops;
    member->store->ops = faulty_store_ops(member);
    return signer_open(member, fault);
}

void member_close(struct member *member)
{
    if (!member->world)
        return;
    member_acts(member);
    node_close(member->node);
    if (member->signer)
        member->signer->ops->close(member->signer);
    if (member->signer_fd >= 0)
        (void)close(member->signer_fd);
    member->store->ops = member->store_real;
    free(member->backup);
}

/* Backups */

struct backup {
    size_t signer_len;
    uint8_t signer[SIGNER_FILE_BYTES];
    uint64_t filed[SIM_PARTIES];
};

static bool store_copy(struct store *to, struct store *from)
{
    sqlite3_backup *copy = sqlite3_backup_init(self_of(to)->db, "main", self_of(from)->db, "main");
    return copy && sqlite3_backup_step(copy, -1) == SQLITE_DONE && sqlite3_backup_finish(copy) == SQLITE_OK;
}

void backup_take(struct member *member)
{
    if (!member->backup)
        member->backup = calloc(1, sizeof *member->backup);
    if (!member->backup || !store_copy(member->world->stage->spare[member->number], member->store))
        abort();
    member_acts(member);
    member->backup->signer_len = file_read(member->signer_fd, member->backup->signer);
    memcpy(member->backup->filed, member->filed, sizeof member->filed);
}

bool backup_put_back(struct member *member, bool store, bool signer)
{
    if (!member->backup || member->retired)
        return false;
    member->restores++;
    member_acts(member);
    member_stop(member);
    if (store && !store_copy(member->store, member->world->stage->spare[member->number]))
        abort();
    if (signer) {
        file_write(member->signer_fd, member->backup->signer, member->backup->signer_len);
        member->put_back = true;
        memcpy(member->filed, member->backup->filed, sizeof member->filed);
        for (size_t i = 0; i < SIM_PARTIES; i++)
            member->seen[i].timestamp = 0; /* of times it cannot know; of sizes it hears from the others */
    }
    member_crash(member->world, member->number);
    return true;
}

uint64_t member_log_size(struct member *member, unsigned owner, log_id *id)
{
    const struct party *party = roster_party(member_roster(member), span_str(sim_names[owner]));
    uint64_t size = 0;
    *id = 0;
    if (!party || member->store_real->log_open(member->store, span_str(party->origin), false, id) != 0)
        return 0;
    return member->store_real->log_size(member->store, *id, &size) == 0 ? size : 0;
}
