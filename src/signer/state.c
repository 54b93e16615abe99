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
_Static_assert(sizeof(struct header) <= SLOT_BYTES, "the header is one page");
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
    return hash_eq(&check, &slot->check) && slot->record.used == 1;
}

static int record_load(struct signer_state *state, size_t index, struct fault *fault)
{
    struct slot slots[2];
    bool good[2] = {slot_read(state->fd, index, 0, &slots[0]), slot_read(state->fd, index, 1, &slots[1])};
    if (!good[0] && !good[1])
        return fail(fault, E_CORRUPT, "signer.state: both slots of record %zu fail their check", index);
    unsigned newest = !good[0] || (good[1] && slots[1].sequence > slots[0].sequence);
    state->records[index] = slots[newest].record;
    state->sequences[index] = slots[newest].sequence;
    return 0;
}

static int header_write(struct signer_state *state, const char *party, const struct hash *circle)
{
    struct header header = {.circle = *circle};
    memcpy(header.magic, magic, sizeof magic);
    (void)snprintf(header.party, sizeof header.party, "%s", party);
    sha256(span_of(&header, offsetof(struct header, check)), &header.check);
    return pwrite(state->fd, &header, sizeof header, 0) == (ssize_t)sizeof header && fsync(state->fd) == 0 ? 0 : E_IO;
}

static int header_check(struct signer_state *state, const char *party, const struct hash *circle, struct fault *fault)
{
    struct header header;
    struct hash check;
    if (pread(state->fd, &header, sizeof header, 0) != (ssize_t)sizeof header || memcmp(header.magic, magic, sizeof magic) != 0)
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
    if (st.st_size == 0)
        return header_write(state, party, circle);
    int rc = header_check(state, party, circle, fault);
    /* A crash in the middle of a first write leaves a last record without a whole slot: it signed nothing, so it does not count. */
    for (size_t i = 0; rc == 0 && slot_at(i, 0) < st.st_size && i < RECORDS_MAX; i++) {
        rc = record_load(state, i, fault);
        if (rc == E_CORRUPT && slot_at(i, 1) >= st.st_size - SLOT_BYTES && slot_at(i + 1, 0) >= st.st_size && !state->sequences[i])
            return 0;
        state->count += rc == 0;
    }
    return rc;
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

struct signer_record *state_find(struct signer_state *state, enum key_role role, struct span origin, bool create)
{
    for (size_t i = 0; i < state->count; i++)
        if (state->records[i].role == role && span_is(origin, state->records[i].origin))
            return &state->records[i];
    if (!create || state->count == RECORDS_MAX || origin.len >= ORIGIN_BYTES_MAX)
        return NULL;
    struct signer_record *record = &state->records[state->count++];
    *record = (struct signer_record){.role = role, .used = 1};
    memcpy(record->origin, origin.data, origin.len);
    return record;
}

int state_save(struct signer_state *state, const struct signer_record *record)
{
    size_t index = (size_t)(record - state->records);
    if (state->fd < 0)
        return 0;
    struct slot *slot = calloc(1, SLOT_BYTES);
    if (!slot)
        return E_NOMEM;
    slot->sequence = state->sequences[index] + 1;
    slot->record = *record;
    slot_check(slot, &slot->check);
    bool good = pwrite(state->fd, slot, SLOT_BYTES, slot_at(index, slot->sequence)) == SLOT_BYTES && fdatasync(state->fd) == 0;
    state->sequences[index] = slot->sequence;
    free(slot);
    return good ? 0 : E_IO;
}
