/* A whole circle in one process from one seed: virtual clock, network and disk are stubs; nodes, stores, signers and keys are real.
   The same seed gives the same run, byte for byte. */
#ifndef COMITY_SIM_SIM_H
#define COMITY_SIM_SIM_H

#include "base/arena.h"
#include "base/text.h"
#include "node/engine.h"

enum {
    SIM_PARTIES = 6,
    SIM_STATES = 4,
    SIM_VENDOR = 4,
    SIM_OPERATOR = 5,
    SIM_ADVISORIES_MAX = 64 * 1024,
    SIM_LINK_MS = 50
};

struct
    keys_pool { /* made once a process: Argon2id is slow on purpose; each seed runs in a fork and takes the rings over */
    struct public_key pub[SIM_PARTIES][KEY_COUNT];
    uint8_t recovery[SIM_PARTIES][32];
    struct keyring *ring[SIM_PARTIES];
    struct keyring *second[SIM_PARTIES]; /* the same keys again, for a dishonest owner's other signer */
};
int keys_pool_make(struct keys_pool *pool, struct fault *fault);
void keys_pool_free(struct keys_pool *pool);

struct network {
    int64_t delay_ms, jitter_ms; /* one way */
    unsigned lost_permille, twice_permille;
};

enum disk_fault { DISK_GOOD, DISK_BEFORE_COMMIT, DISK_AFTER_COMMIT, SIGN_BEFORE, SIGN_AFTER };

struct member {
    struct world *world;
    unsigned number;
    const char *name;
    struct node *node; /* NULL while it is down */
    struct store *store;
    struct store_ops store_ops;
    const struct store_ops *store_real;
    struct signer *signer; /* outlives crashes of the node, as signer.state does */
    struct signer_ops signer_ops;
    const struct signer_ops *signer_real;
    int64_t skew_ms;      /* its clock against the world's */
    uint32_t incarnation; /* responses to a dead process go nowhere */
    enum disk_fault fault;
    unsigned fault_in; /* strikes at the n-th call from now */
    bool crashed;      /* the fault has struck */
    bool retired;      /* the liar's own node saw that its key has signed another tree, and stays down */
    size_t cut_bytes;  /* its links break after so many bytes; 0 = never */
    uint64_t bytes_in;
    uint64_t ticks; /* steps that only the clock asked for */
    uint64_t crashes;
    uint64_t random;
};

struct message;
typedef void task(struct world *world, unsigned argument);

struct stated { /* a document that the workload submitted */
    unsigned owner, number;
    int affects; /* which of the operator's components; -1 none */
    struct hash document, id;
    uint64_t index;
    bool acknowledged;
};

struct world {
    uint64_t seed, random;
    int64_t now, started;
    struct network network;
    const struct keys_pool *keys;
    struct arena arena;
    struct roster roster;
    struct member members[SIM_PARTIES];
    struct message *heap;
    size_t heap_count, heap_cap;
    uint64_t order, next_token, steps, messages, bytes;
    struct stated *stated;
    size_t stated_count, stated_cap;
    unsigned next_number;
    bool faults_over;       /* the quiet period */
    int liar, deceived;     /* member numbers, or -1 */
    uint64_t deceived_size; /* of the two trees */
    struct buf deceived_note;
    struct hash *handed; /* notices that were delivered */
    size_t handed_count, handed_cap;
    int64_t first_notice_at;
    int rc;             /* an engine's error that no fault explains */
    struct buf trouble; /* what checkers found, a line each */
};

int world_open(struct world *world, const struct keys_pool *keys, uint64_t seed);
void world_close(struct world *world);
void world_run(struct world *world, int64_t until_ms);
uint64_t world_random(struct world *world, uint64_t below);
void trouble(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

void member_start(struct world *world, unsigned number);
void member_crash(struct world *world, unsigned number);
/* Gives an event to a running node; what it answers and sends is carried out. */
void member_step(struct member *member, const struct event *event);
void task_at(struct world *world, int64_t at, task *run, unsigned argument);
/* A raw request from `from` to `to`, whose answer nobody awaits: for a dishonest party. Takes `body` over. */
void raw_request(struct world *world, unsigned from, unsigned to, const char *path, struct buf *body, int64_t at);

void publish(struct world *world, unsigned owner, unsigned count);
void inventory_add(struct world *world);
uint64_t member_log_size(struct member *member, unsigned owner, log_id *id);

/* liar.c */
void liar_act(struct world *world, unsigned argument);

/* check.c: each adds its findings to world->trouble */
void check_acknowledged(struct world *world);
void check_standing(struct world *world);
void check_rebuild(struct world *world);
void check_notices(struct world *world);
void check_faces(struct world *world);
void check_idle(struct world *world);

#endif
