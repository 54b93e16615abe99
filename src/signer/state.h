/* What the signer remembers: for each role and origin the size and root it last signed, for the own log the frontier too. Each record
   has two slots, written in turn with a sequence number and a checksum: a torn write leaves the other one whole. */
#ifndef COMITY_SIGNER_STATE_H
#define COMITY_SIGNER_STATE_H

#include "signer/signer.h"

struct signer_record {
    uint32_t role, used;
    char origin[ORIGIN_BYTES_MAX];
    uint64_t size;
    struct hash root;
    int64_t timestamp;
    struct frontier frontier; /* KEY_LOG only */
};
struct signer_state;

/* keys.c: NULL for a key that is not kept here. */
const struct secret_key *keyring_secret(const struct keyring *ring, enum key_role role);

/* Reads the file (fd; -1 = memory only), or founds it when it is empty. E_CIRCLE when it is of another party or circle. */
int state_open(struct signer_state **out, int fd, const char *party, const struct hash *circle, struct fault *fault);
void state_free(struct signer_state *);
/* The record, or NULL. `create` makes an empty one in memory; NULL then means that the table is full. */
struct signer_record *state_find(struct signer_state *, enum key_role role, struct span origin, bool create);
/* Durable when it returns 0: nothing may be signed before. */
int state_save(struct signer_state *, const struct signer_record *);

#endif
