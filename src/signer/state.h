/* What the signer remembers: for each role and origin the size and root it last signed, for the own log the frontier too. Each record
   has two slots, written in turn with a sequence number and a checksum: a torn write leaves the other one whole. A file copied back
   from an earlier day is whole but older: only its change time tells (start.c), so a node that starts first hears the committee.
   Numbers stand in the machine's byte order: the file stays where it was made. */
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
/* signer_ops.storage_key */
void keyring_storage_key(const struct keyring *ring, const struct hash *salt, struct storage_key *out);
/* Locks the secrets in memory again: a child does not inherit that. */
void keyring_lock(const struct keyring *ring);

/* Reads the file (fd; -1 = memory only), or founds it when it is empty. E_CIRCLE when it is of another party or circle. */
int state_open(struct signer_state **out, int fd, const char *party, const struct hash *circle, struct fault *fault);
/* The same, of a file that is only looked at: it is not written, and nothing may be saved. */
int state_read(struct signer_state **out, int fd, const char *party, const struct hash *circle, struct fault *fault);
void state_free(struct signer_state *);
const struct signer_record *state_find(const struct signer_state *, enum key_role role,
                                       struct span origin); /* NULL: none */
/* The latest time that stands in a record; 0 when there is none. */
int64_t state_latest(const struct signer_state *);
/* A record for a first signature: in memory only, until it is saved. */
void state_blank(struct signer_record *out, enum key_role role, struct span origin);
/* Replaces, or adds, the record of this role and origin. Durable when it returns 0, and nothing may be signed before; after an
   error the old record stands, in memory and in the file. E_LIMIT: the table is full. */
int state_save(struct signer_state *, const struct signer_record *);

/* leave.c. May these be signed; one that was is the leaving statement; may these leaves be appended; no leaf may follow any more. */
int leave_asked(const struct signer_state *, struct span origin, const struct sign_statement *requests, size_t count);
int leave_signed(struct signer_state *, struct span origin, const struct signed_statement *made);
int leave_append(struct signer_state *, struct span origin, uint64_t old_size, const struct hash *leaves, size_t count);
int leave_close(struct signer_state *, struct span origin, const struct hash *leaf);

/* start.c. Notes a start: `changed_at` is when the file was changed last, by its file system. Then: something is signed. */
int start_note(struct signer_state *state, struct span origin, int64_t changed_at, int64_t now);
int start_settle(struct signer_state *state, struct span origin, int64_t now);

#endif
