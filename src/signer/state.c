#include "signer/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/sha256.h"

enum { SLOT_BYTES = 4096, RECORDS_MAX = PARTIES_MAX + FOREIGN_LOGS_MAX };

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

static void slot_check(const struct slot *slot, struct hash *out)
{
    sha256(span_of(slot, offsetof(struct slot, check)), out);
}

static bool slot_read(int fd, size_t index, unsigned which, struct slot *slot)
{
    struct hash check;
    if (pread(fd, slot, sizeof *slot, slot_at(index, which)) != (ssize_t)sizeof *slot)
        return false;
    slot_check(slot, &check);
    const struct signer_record *record = &slot->record;
    return hash_eq(&check, &slot->check) && record->used == 1 && record->role < KEY_COUNT &&
           slot->sequence % 2 == which && memchr(record->origin, 0, sizeof record->origin) &&
           (record->role != KEY_LOG || record->frontier.size == record->size);
}

/* All zero, or past the end of the file: never written. */
static bool never_written(int fd, off_t at, size_t len)
{
    uint8_t bytes[SLOT_BYTES];
    ssize_t n = pread(fd, bytes, len, at);
    for (ssize_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return n >= 0;
}

/* E_NOTFOUND: a record whose founding was cut off; its second slot comes before any signature, so nothing was signed by it. */
static int record_load(struct signer_state *state, size_t index, off_t file_size, struct fault *fault)
{
    struct slot slots[2];
    bool good[2] = {slot_read(state->fd, index, 0, &slots[0]), slot_read(state->fd, index, 1, &slots[1])};
    if (!good[0] && !good[1])
        return slot_at(index + 1, 0) >= file_size && never_written(state->fd, slot_at(index, 1), SLOT_BYTES)
                   ? E_NOTFOUND
                   : fail(fault, E_CORRUPT, "signer.state: both slots of record %zu fail their check", index);
    unsigned newest = !good[0] || (good[1] && slots[1].sequence > slots[0].sequence);
    state->records[index] = slots[newest].record;
    state->sequences[index] = slots[newest].sequence;
    return 0;
}

static int header_write(struct signer_state *state, const char *party, const struct hash *circle, struct fault *fault)
{
    struct header header = {.circle = *circle};
    memcpy(header.magic, magic, sizeof magic);
    (void)snprintf(header.party, sizeof header.party, "%s", party);
    sha256(span_of(&header, offsetof(struct header, check)), &header.check);
    if (pwrite(state->fd, &header, sizeof header, 0) == (ssize_t)sizeof header && fsync(state->fd) == 0)
        return 0;
    return fail(fault, E_IO, "signer.state: founding it");
}

static int header_check(struct signer_state *state, const char *party, const struct hash *circle, struct fault *fault)
{
    struct header header;
    struct hash check;
    if (pread(state->fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        memcmp(header.magic, magic, sizeof magic) != 0)
        return fail(fault, E_CORRUPT, "signer.state has no header of ours");
    sha256(span_of(&header, offsetof(struct header, check)), &check);
    if (!hash_eq(&check, &header.check))
        return fail(fault, E_CORRUPT, "signer.state: the header fails its check");
    if (strncmp(header.party, party, sizeof header.party) != 0 || !hash_eq(&header.circle, circle))
        return fail(fault, E_CIRCLE, "signer.state belongs to another party or circle");
    return 0;
}

static int load(struct signer_state *state, const char *party, const struct hash *circle, struct fault *fault)
{
    struct stat st;
    if (fstat(state->fd, &st) != 0)
        return fail(fault, E_IO, "signer.state");
    if (st.st_size <= (off_t)sizeof(struct header) && never_written(state->fd, 0, sizeof(struct header)))
        return header_write(state, party, circle, fault);
    int rc = header_check(state, party, circle, fault);
    for (size_t i = 0; rc == 0 && slot_at(i, 0) < st.st_size && i < RECORDS_MAX; i++) {
        rc = record_load(state, i, st.st_size, fault);
        state->count += rc == 0;
    }
    return rc == E_NOTFOUND ? 0 : rc;
}

int state_open(struct signer_state **out, int fd, const char *party, const struct hash *circle, struct fault *fault)
{
    struct signer_state *state = calloc(1, sizeof *state);
    if (!state)
        return fail(fault, E_NOMEM, "signer state");
    state->fd = fd;
    int rc = fd >= 0 ? load(state, party, circle, fault) : 0;
    if (rc) {
        free(state);
        return rc;
    }
    *out = state;
    return 0;
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
    if (state->fd >= 0) {
        struct slot *slot = calloc(1, SLOT_BYTES);
        if (!slot)
            return E_NOMEM;
        slot->sequence = sequence;
        slot->record = *record;
        slot_check(slot, &slot->check);
        bool good =
            pwrite(state->fd, slot, SLOT_BYTES, slot_at(index, sequence)) == SLOT_BYTES && fdatasync(state->fd) == 0;
        free(slot);
        if (!good)
            return E_IO;
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
