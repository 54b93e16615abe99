#include "signer/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mutant.h"
#include "crypto/sha256.h"
#include "signer/check.h"
#include "store/renew.h"

enum { SLOT_BYTES = 4096, RECORDS_MAX = PARTIES_MAX + FOREIGN_LOGS_MAX + 2 /* leaving; starts */ };

struct header {
    char magic[16];
    char party[64];
    struct hash circle;
    struct hash check;
};
struct slot {
    uint64_t sequence;
    struct signer_record record;
    struct hash check; /* over all before it */
};
_Static_assert(sizeof(struct slot) <= SLOT_BYTES, "a slot is one page");
_Static_assert(sizeof(struct header) == 144, "the header has no holes");
static const char magic[16] = "comity-signer/1\n";

struct signer_state {
    int fd;
    size_t count;
    uint64_t sequences[RECORDS_MAX]; /* of the newest slot */
    struct signer_record records[RECORDS_MAX];
};

static off_t slot_at(size_t index, uint64_t sequence)
{
    return (off_t)SLOT_BYTES * (off_t)(1 + 2 * index + sequence % 2);
}

static int disk_error(void)
{
    return errno == ENOSPC || errno == EDQUOT ? E_FULL : E_IO;
}

static void slot_check(const struct slot *slot, struct hash *out)
{
    sha256(span_of(slot, offsetof(struct slot, check)), out);
}

/* What is there from `at` on, up to `len` bytes: less at the end of the file only. -1: an error of the disk, which must never be taken
   for a slot that was not written: the older one beside it would count again. */
static ssize_t read_at(int fd, void *out, size_t len, off_t at)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, (uint8_t *)out + done, len - done, at + (off_t)done);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)done;
}

static int write_at(int fd, const void *data, size_t len, off_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, (const uint8_t *)data + done, len - done, at + (off_t)done);
        if (n <= 0 && (n == 0 || errno != EINTR))
            return disk_error();
        done += n > 0 ? (size_t)n : 0;
    }
    return fdatasync(fd) == 0 ? 0 : disk_error();
}

/* 0; E_NOTFOUND: torn, or never written; E_IO. */
static int slot_read(int fd, size_t index, unsigned which, struct slot *slot)
{
    struct hash check;
    ssize_t n = read_at(fd, slot, sizeof *slot, slot_at(index, which));
    if (n != (ssize_t)sizeof *slot)
        return n < 0 ? E_IO : E_NOTFOUND;
    slot_check(slot, &check);
    const struct signer_record *record = &slot->record;
    bool good = hash_eq(&check, &slot->check) && record->used == 1 && record->role < KEY_COUNT &&
                slot->sequence % 2 == which && memchr(record->origin, 0, sizeof record->origin) &&
                (record->role != KEY_LOG || record->frontier.size == record->size);
    return good ? 0 : E_NOTFOUND;
}

/* 0: all zero, or past the end of the file; E_CORRUPT: something was written; E_IO. */
static int never_written(int fd, off_t at, size_t len)
{
    uint8_t bytes[SLOT_BYTES];
    ssize_t n = read_at(fd, bytes, len, at);
    for (ssize_t i = 0; i < n; i++)
        if (bytes[i])
            return E_CORRUPT;
    return n < 0 ? E_IO : 0;
}

/* E_NOTFOUND: a record whose founding was cut off; its second slot comes before any signature, so nothing was signed by it. */
static int record_load(struct signer_state *state, size_t index, off_t file_size, struct fault *fault)
{
    struct slot slots[2];
    int first = slot_read(state->fd, index, 0, &slots[0]), second = slot_read(state->fd, index, 1, &slots[1]);
    if (first == E_IO || second == E_IO)
        return fail(fault, E_IO, "signer.state: reading record %zu", index);
    if (first && second) {
        int rc =
            slot_at(index + 1, 0) >= file_size ? never_written(state->fd, slot_at(index, 1), SLOT_BYTES) : E_CORRUPT;
        return rc == 0 ? E_NOTFOUND : fail(fault, rc, "signer.state: both slots of record %zu fail their check", index);
    }
    unsigned newest = first || (second == 0 && slots[1].sequence > slots[0].sequence);
    state->records[index] = slots[newest].record;
    state->sequences[index] = slots[newest].sequence;
    return 0;
}

static void header_make(struct header *header, const char *party, const struct hash *circle)
{
    *header = (struct header){.circle = *circle};
    memcpy(header->magic, magic, sizeof magic);
    (void)snprintf(header->party, sizeof header->party, "%s", party);
    sha256(span_of(header, offsetof(struct header, check)), &header->check);
}

static int header_write(struct signer_state *state, const char *party, const struct hash *circle, struct fault *fault)
{
    struct header header;
    header_make(&header, party, circle);
    int rc = write_at(state->fd, &header, sizeof header, 0);
    return rc ? fail(fault, rc, "signer.state: founding it") : 0;
}

/* A file that ends within the header, or holds only a part of ours and no slot, is one whose founding was cut off: nothing was signed. */
static int founding_cut(struct signer_state *state, off_t file_size, const char *party, const struct hash *circle,
                        bool *cut)
{
    struct header ours;
    uint8_t found[sizeof ours] = {0};
    *cut = false;
    if (file_size > (off_t)sizeof ours)
        return 0;
    if (read_at(state->fd, found, sizeof found, 0) < 0)
        return E_IO;
    header_make(&ours, party, circle);
    size_t same = 0;
    while (same < sizeof ours && found[same] == ((const uint8_t *)&ours)[same])
        same++;
    while (same < sizeof ours && found[same] == 0)
        same++;
    *cut = same == sizeof ours && memcmp(found, &ours, sizeof ours) != 0;
    return 0;
}

static int header_check(struct signer_state *state, const char *party, const struct hash *circle, struct fault *fault)
{
    struct header header;
    struct hash check;
    ssize_t n = read_at(state->fd, &header, sizeof header, 0);
    if (n < 0)
        return fail(fault, E_IO, "signer.state: reading the header");
    if (n != (ssize_t)sizeof header || memcmp(header.magic, magic, sizeof magic) != 0)
        return fail(fault, E_CORRUPT, "signer.state has no header of ours");
    sha256(span_of(&header, offsetof(struct header, check)), &check);
    if (!hash_eq(&check, &header.check))
        return fail(fault, E_CORRUPT, "signer.state: the header fails its check");
    if (strncmp(header.party, party, sizeof header.party) != 0 || !hash_eq(&header.circle, circle))
        return fail(fault, E_CIRCLE, "signer.state belongs to another party or circle");
    return 0;
}

static int load(struct signer_state *state, const char *party, const struct hash *circle, bool reader,
                struct fault *fault)
{
    struct stat st;
    if (fstat(state->fd, &st) != 0)
        return fail(fault, E_IO, "signer.state");
    bool cut;
    int rc = founding_cut(state, st.st_size, party, circle, &cut);
    if (rc || cut)
        return rc ? fail(fault, rc, "signer.state") : reader ? 0 : header_write(state, party, circle, fault);
    rc = header_check(state, party, circle, fault);
    for (size_t i = 0; rc == 0 && slot_at(i, 0) < st.st_size && i < RECORDS_MAX; i++) {
        rc = record_load(state, i, st.st_size, fault);
        state->count += rc == 0;
    }
    if (rc && rc != E_NOTFOUND)
        return rc;
    rc = reader ? 0 : file_renew(state->fd);
    return rc ? fail(fault, rc, "signer.state cannot be written again") : 0;
}

static int state_new(struct signer_state **out, int fd, const char *party, const struct hash *circle, bool reader,
                     struct fault *fault)
{
    struct signer_state *state = calloc(1, sizeof *state);
    if (!state)
        return fail(fault, E_NOMEM, "signer state");
    state->fd = fd;
    int rc = fd >= 0 ? load(state, party, circle, reader, fault) : 0;
    if (rc) {
        free(state);
        return rc;
    }
    *out = state;
    return 0;
}

int state_open(struct signer_state **out, int fd, const char *party, const struct hash *circle, struct fault *fault)
{
    return state_new(out, fd, party, circle, false, fault);
}

int state_read(struct signer_state **out, int fd, const char *party, const struct hash *circle, struct fault *fault)
{
    return state_new(out, fd, party, circle, true, fault);
}

void state_free(struct signer_state *state)
{
    free(state);
}

static size_t index_of(const struct signer_state *state, uint32_t role, struct span origin)
{
    size_t i = 0;
    while (i < state->count && !(state->records[i].role == role && span_is(origin, state->records[i].origin)))
        i++;
    return i;
}

const struct signer_record *state_find(const struct signer_state *state, enum key_role role, struct span origin)
{
    size_t i = index_of(state, role, origin);
    return i < state->count ? &state->records[i] : NULL;
}

int64_t state_latest(const struct signer_state *state)
{
    int64_t latest = 0;
    for (size_t i = 0; i < state->count; i++)
        latest = state->records[i].timestamp > latest ? state->records[i].timestamp : latest;
    return latest;
}

void state_blank(struct signer_record *out, enum key_role role, struct span origin)
{
    memset(out, 0, sizeof *out);
    out->role = role;
    out->used = 1;
    memcpy(out->origin, origin.data, origin.len < sizeof out->origin ? origin.len : sizeof out->origin - 1);
    tree_empty(&out->root);
}

/* On failure the same slot is written again next time, and the other one keeps what stood. */
static int slot_write(struct signer_state *state, size_t index, uint64_t sequence, const struct signer_record *record)
{
    if (state->fd >= 0 && !MUTANT(SIGNER_UNSAVED)) {
        struct slot *slot = calloc(1, SLOT_BYTES);
        if (!slot)
            return E_NOMEM;
        slot->sequence = sequence;
        slot->record = *record;
        slot_check(slot, &slot->check);
        int rc = write_at(state->fd, slot, SLOT_BYTES, slot_at(index, sequence));
        free(slot);
        if (rc)
            return rc;
    }
    state->sequences[index] = sequence;
    state->records[index] = *record;
    return 0;
}

int state_save(struct signer_state *state, const struct signer_record *record)
{
    size_t index = index_of(state, record->role, span_str(record->origin));
    if (index == RECORDS_MAX)
        return E_LIMIT;
    if (index == state->count) { /* founded blank first: from then on one slot is always whole */
        struct signer_record blank;
        state_blank(&blank, (enum key_role)record->role, span_str(record->origin));
        int rc = slot_write(state, index, 0, &blank);
        if (rc)
            return rc;
        state->count++;
    }
    return slot_write(state, index, state->sequences[index] + 1, record);
}

/* Checking */

/* A slot of the file, and whether what follows it in its page is empty, as it was written. */
static bool slot_whole(int fd, size_t index, unsigned which, struct slot *slot)
{
    return slot_read(fd, index, which, slot) == 0 &&
           never_written(fd, slot_at(index, which) + (off_t)sizeof *slot, SLOT_BYTES - sizeof *slot) == 0;
}

int state_check(int fd, const char *party, const struct hash *circle, struct findings *findings)
{
    struct signer_state state = {.fd = fd};
    struct fault fault = {0};
    struct stat st;
    struct slot slots[2];
    char place[64];
    if (fstat(fd, &st) != 0)
        return E_IO;
    if (st.st_size <= (off_t)sizeof(struct header) && never_written(fd, 0, sizeof(struct header)) == 0)
        return 0;
    if (header_check(&state, party, circle, &fault) != 0)
        findings_add(findings, "signer.state: header", "%s", fault.detail);
    else if (never_written(fd, sizeof(struct header), SLOT_BYTES - sizeof(struct header)) != 0)
        findings_add(findings, "signer.state: header", "what follows it is not empty");
    for (size_t i = 0; slot_at(i, 0) < st.st_size && i < RECORDS_MAX; i++)
        for (unsigned which = 0; which < 2; which++) {
            if (slot_whole(fd, i, which, &slots[which]) ||
                (which == 1 && slot_at(i + 1, 0) >= st.st_size && never_written(fd, slot_at(i, 1), SLOT_BYTES) == 0))
                continue;
            (void)snprintf(place, sizeof place, "signer.state: record %zu, slot %u", i, which);
            findings_add(findings, place, "fails its check: a write that was cut off, or damage");
        }
    return 0;
}

int state_records(int fd, int (*visit)(void *ctx, const struct signer_record *record), void *ctx)
{
    struct slot slots[2];
    struct stat st;
    int rc = fstat(fd, &st) != 0 ? E_IO : 0;
    for (size_t i = 0; rc == 0 && slot_at(i, 0) < st.st_size && i < RECORDS_MAX; i++) {
        bool good[2] = {slot_read(fd, i, 0, &slots[0]) == 0, slot_read(fd, i, 1, &slots[1]) == 0};
        unsigned newest = !good[0] || (good[1] && slots[1].sequence > slots[0].sequence);
        if (good[newest])
            rc = visit(ctx, &slots[newest].record);
    }
    return rc;
}
