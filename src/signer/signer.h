/* The signer: alone holds keys, composes every text that it signs, and never signs two inconsistent trees. Requests are typed and of
   fixed size, so that a hijacked node can ask only for these. The same core runs in its own process (signer_process.h) and, for tests
   and the simulator, in this one. */
#ifndef COMITY_SIGNER_SIGNER_H
#define COMITY_SIGNER_SIGNER_H

#include "circle/roster.h"
#include "crypto/storage.h"
#include "record/statement.h"
#include "record/tree.h"

/* What the node may ask the signer to sign: fixed size, copied over the socket as it is. */
struct sign_statement {
    struct hash document;
    int64_t issued_at; /* shown only; the signer refuses one more than a day off its own clock */
    uint32_t answer_count;
    struct hash answers[STATEMENT_ANSWERS_MAX];
    char media[MEDIA_BYTES_MAX];     /* NUL-terminated */
    char subject[SUBJECT_BYTES_MAX]; /* NUL-terminated */
};
struct signed_statement {
    uint32_t len;
    uint8_t bytes[STATEMENT_BYTES_MAX];
};
struct sign_cosignature {
    char origin[ORIGIN_BYTES_MAX];
    uint64_t size;
    struct hash root;
    uint32_t
        proof_count; /* consistency from the size and root that the signer cosigned last; 0 from an empty or equal tree */
    struct hash proof[PROOF_HASHES_MAX];
};
struct cosigned {
    int64_t timestamp;          /* the signer's own clock; never below its last one for this origin */
    struct signature signature; /* cosignature/v1 over the checkpoint text */
    struct signature cose;      /* COSE receipt over (origin, size, root), for mirrors */
};
struct signer_position {
    uint64_t size;
    struct hash root;
};

enum { FEED_LEAVES_MAX = 4096 };
struct signer_ops; /* the seam that the node sees */
struct signer {
    const struct signer_ops *ops;
};
struct signer_ops {
    void (*close)(struct signer *);
    int (*statements)(struct signer *, const struct sign_statement *, size_t count, struct signed_statement *out);
    /* Own log: appends `leaves` to its own frontier, saves durably, then signs the checkpoint. `old_size` must be its size, else
       E_BACKWARDS. With no leaves it signs its present checkpoint again. `note` gets text and signature line. */
    int (*checkpoint)(struct signer *, uint64_t old_size, const struct hash *leaves, size_t count, struct buf *note);
    /* Moves the own log forward without signing, after a restore. First the leaves, at most FEED_LEAVES_MAX a call: the first call `from`
       the signer's own size, each other where the last one ended, else E_BACKWARDS. Then `advance`: `signature` must be our own log key's
       over (size, root), and what was fed must lead there (E_PROOF). Nothing counts before that. */
    int (*feed)(struct signer *, uint64_t from, const struct hash *leaves, size_t count);
    int (*advance)(struct signer *, uint64_t size, const struct hash *root, const struct signature *signature);
    int (*cosign)(struct signer *, enum key_role role /* KEY_MIRROR or KEY_WITNESS */, const struct sign_cosignature *,
                  struct cosigned *);
    /* Own log: it ends where it stands, for its last leaf is a leaving statement. For a signer that did not see it itself, after a
       restore; what it sees (statements, checkpoint) it minds by itself: E_LEFT. */
    int (*close_log)(struct signer *, const struct hash *leaf);
    /* Where the signer stands for an origin and role (KEY_LOG for the own log); E_NOTFOUND. KEY_RECOVERY with the own log: size 1 when
       its state was written by somebody else since it last wrote it, and nothing has been signed since. */
    int (*position)(struct signer *, enum key_role role, struct span origin, struct signer_position *);
    /* A member's request (circle/member.h): the values of Signature-Input and Signature, of its own clock. E_REFUSED when it is not a
       GET of /documents/HASH. */
    int (*http_sign)(struct signer *, const char *method, const char *authority, const char *path,
                     struct buf *signature_input, struct buf *signature);
    /* The key under which the node keeps what others have entrusted to it, one for each salt: BLAKE2b keyed by the seal key. The node needs
       it to work with what it keeps; a disk or a backup alone does not give it. */
    int (*storage_key)(struct signer *, const struct hash *salt, struct storage_key *out);
};

/* Keys: DIR/keys/ROLE.key, each encrypted under the passphrase (Argon2id, XChaCha20-Poly1305); recovery is never kept on the node. */
int keys_create(const char *dir, struct span passphrase, struct public_key pub[static KEY_COUNT],
                uint8_t recovery_seed[static 32], struct fault *fault);
struct keyring; /* opened secret keys in guarded memory */
int keyring_open(struct keyring **out, const char *dir, struct span passphrase, struct fault *fault);
void keyring_free(struct keyring *);
const struct public_key *keyring_public(const struct keyring *, enum key_role role);
/* Signs a party card's text by each Ed25519 key: a note. `recovery_seed` joins in while it is known (at init). */
void card_sign(struct buf *out, const struct card *card, const struct keyring *keys,
               const uint8_t recovery_seed[static 32]);

/* The recovery seed as groups of letters with a checksum, to be printed; or as split sheets. */
void recovery_words(const uint8_t seed[static 32], struct buf *out);
int recovery_parse(struct span words, uint8_t seed[static 32], struct fault *fault);
/* Shamir over GF(256): any `need` of `count` sheets give the seed back; fewer tell nothing. A sheet is a line; `recovery_join` uses
   the first `need`, and refuses too few (E_MISSING), one twice (E_DUPLICATE), another set's or a slip of the pen (E_HASH). */
int recovery_split(const uint8_t seed[static 32], unsigned need, unsigned count, struct buf *sheets,
                   struct fault *fault);
int recovery_join(const struct span *sheets, size_t count, uint8_t seed[static 32], struct fault *fault);

/* The core over an opened state file. `clock(ctx)` gives seconds. */
struct signer_config {
    struct keyring *keys; /* taken over in any case: wiped when the opening fails */
    char party[NAME_BYTES_MAX + 1];
    struct hash circle;
    int state_fd; /* signer.state, opened read-write and locked; -1 keeps the state in memory (tests) */
    int64_t
        state_changed_at; /* when that file was changed last, in seconds, by its file system: it shows whether it was put back */
    int64_t (*clock)(void *ctx);
    void *clock_ctx;
    /* Called in the signer's own process, before it confines itself, to fill in keys, circle and state_fd there: so no other process
       ever holds a secret key. NULL: they are in the configuration. */
    int (*prepare)(struct signer_config *, struct fault *);
    const void *prepare_ctx;
};
int signer_local_open(struct signer **out, const struct signer_config *config, struct fault *fault);

/* The signer's process: seccomp filter and Landlock, state file and keys only. It outlives the nodes that it serves, one after the
   other: each gets a socketpair's end by signer_connect. */
struct signer_process {
    int pid;
    int control; /* closed: the signer ends with the node that it serves */
};
/* Forks it; it dies with the thread that forked it. A fault of its own start comes back whole. `degraded` gets text when a confinement
   is not available on this kernel (to be logged once). */
int signer_spawn(struct signer_process *out, const struct signer_config *config, char degraded[static 128],
                 struct fault *fault);
/* A line for one node: `fd` is the node's end. The one before it is closed by whoever held it. */
int signer_connect(const struct signer_process *process, int *fd);
/* The node's side over that end, which is taken over; NULL: no memory. When the signer is gone every call is E_IO. */
struct signer *signer_client(int fd);

/* Asks a spawned signer to attempt what its confinement forbids, to show that it stands: the kernel kills it (E_IO). When the filter
   is not there, `errno_seen` is 0 if the attempt worked. E_UNSUPPORTED for a local signer. */
enum {
    PROBE_OPEN,
    PROBE_SOCKET,
    PROBE_FORK,
    PROBE_EXEC_MEMORY,
    PROBE_CONNECT,
    PROBE_TRACE,
    PROBE_EXECUTE,
    PROBE_COUNT
};
int signer_probe(struct signer *, unsigned what, int *errno_seen);

#endif
