/* A whole circle in one process from one seed: virtual clock, network and disk are stubs; nodes, stores, signers and keys are real.
   The same seed gives the same run, byte for byte. */
#ifndef COMITY_SIM_SIM_H
#define COMITY_SIM_SIM_H

#include "base/arena.h"
#include "base/text.h"
#include "node/engine.h"
#include "sim/faults.h"

enum {
    SIM_PARTIES = 6,
    SIM_VENDOR = 4,
    SIM_OPERATOR = 5, /* never of the committee: it follows, and holds the inventory */
    SIM_TWIN = 1,     /* has the operator's inventory too */
    SIM_EPOCHS = 2,
    SIM_LINK_MS = 50,
    SIM_STEPS_MIN = 2000,
    HOUR_MS = 3600 * 1000,
    DAY_MS = 24 * HOUR_MS
};

/* Made once a process, and taken over by every seed, which runs in a fork: keys, because Argon2id is slow on purpose, and empty
   stores, because a schema is. Nothing here is changed after it was made. */
struct stage {
    struct public_key pub[SIM_PARTIES][KEY_COUNT];
    uint8_t recovery[SIM_PARTIES][32];
    struct keyring *ring[SIM_PARTIES];
    struct store *store[SIM_PARTIES];
    struct store *spare[SIM_PARTIES]; /* for backups */
    struct store *other;              /* for the liar's second tree */
};
int stage_make(struct stage *stage, struct fault *fault);
void stage_free(struct stage *stage);

struct network {
    int64_t delay_ms, jitter_ms; /* one way */
    unsigned lost_permille, twice_permille, late_permille, flipped_permille;
};

/* Where a disk or a signer fails next. In each case the call fails and the process is gone. */
enum strike {
    STRIKE_NONE,
    STRIKE_WRITE,         /* at a write in mid-batch: the store returns to the last commit */
    STRIKE_COMMIT_BEFORE, /* the batch is lost */
    STRIKE_COMMIT_AFTER,  /* the batch is durable, and nobody hears of it */
    STRIKE_IO,            /* the disk says E_IO on commit */
    STRIKE_SIGN_BEFORE,   /* nothing was written */
    STRIKE_SIGN_LOST,     /* the signer's last write was in no fdatasync: lost */
    STRIKE_SIGN_TORN,     /* some of its sectors reached the disk */
    STRIKE_SIGN_AFTER,    /* written, and nobody gets the signature */
    STRIKE_COUNT
};

enum { SIGNER_FILE_BYTES = 4096 * (1 + 2 * (SIM_PARTIES + 2)) };

/* What a member's signer last signed for one log, as its environment saw it. */
struct signed_seen {
    uint64_t size;
    struct hash root;
    int64_t timestamp;
};

struct member {
    struct world *world;
    unsigned number;
    const char *name;
    struct node *node; /* NULL while it is down */
    struct store *store;
    struct store_ops store_ops;
    const struct store_ops *store_real;
    struct signer *signer;
    struct signer_ops signer_ops;
    const struct signer_ops *signer_real;
    int signer_fd;  /* signer.state, in memory */
    bool put_back;  /* somebody else has written it: its change time, on a real disk, tells the next signer */
    unsigned epoch; /* which roster it goes by */
    int64_t skew_ms, engine_ms; /* its wall clock and its engine's against the world's; the engine's never goes back */
    uint32_t incarnation;       /* responses to a dead process go nowhere */
    unsigned recover_answers;   /* heard by this incarnation */
    unsigned absent;            /* of whom its owner has said that they will not answer */
    bool is_signing;            /* this incarnation has signed something: it is through with its recovery */
    bool writing;               /* a batch is open in its store */
    bool wrote;                 /* and something was written in it */
    enum strike strike;
    unsigned strike_in;  /* strikes at the n-th such call from now */
    enum sim_fault flip; /* what the next read of its kind returns with a bit flipped */
    unsigned flip_in;
    bool flipped;       /* this incarnation has read a flipped bit */
    bool crashed;       /* the strike has fallen */
    bool retired;       /* the liar's own node saw that its key has signed another tree, and stays down */
    bool asleep;        /* its owner has switched it off for a while */
    int64_t full_until; /* its disk is full */
    bool withholds;     /* dishonest: serves nothing of what it has cosigned */
    bool delays;        /* dishonest: keeps its cosignatures back */
    bool invents;       /* dishonest: tells whoever recovers of checkpoints that there never were */
    size_t cut_bytes;   /* its links break after so many bytes; 0 = never */
    uint64_t bytes_in;
    uint64_t ticks; /* steps that only the clock asked for */
    uint64_t crashes;
    bool relapsed;     /* its last backup did not know what it had signed since, nor did anybody who was asked */
    unsigned restores; /* times that something old was put back */
    uint64_t random;
    struct signed_seen seen[SIM_PARTIES]; /* in roster order; a restored backup takes nothing of it back */
    uint64_t filed[SIM_PARTIES];          /* sizes that its signer's file must hold */
    struct backup *backup;
};

extern const char *const sim_names[SIM_PARTIES];

struct message;
typedef void task(struct world *world, unsigned argument);

enum act { ACT_PUBLISH, ACT_REQUEST, ACT_REPLY, ACT_EXTENSION, ACT_ROSTER }; /* the latter of the test procedure */

struct observed { /* a request's clock as a node gave it */
    int64_t start, due;
    bool in_time;
    unsigned extensions, epoch, restores;
};

struct stated { /* a document that the workload submitted */
    unsigned owner, number;
    int affects; /* which of the operator's components; -1 none */
    struct hash document, id;
    uint64_t index;
    enum act act;
    size_t request; /* that a reply or extension answers: its place in world->stated */
    unsigned hours;
    struct observed observed[SIM_PARTIES];
    bool acknowledged;
    bool forgiven; /* logged, no receipt, and its owner's disk was put back: the only case in which it may be gone */
};

struct given { /* a receipt that somebody was given */
    struct hash id;
    unsigned owner, epoch;
    uint64_t index;
    int64_t instant;
    struct buf bytes;
};

struct world {
    uint64_t seed, random;
    int64_t now, started, poll_ms;
    struct network network;
    const struct stage *stage;
    struct arena arena;
    struct roster rosters[SIM_EPOCHS];
    struct member members[SIM_PARTIES];
    int64_t blocked_until[SIM_PARTIES][SIM_PARTIES]; /* from, to */
    struct message *pool;
    size_t pool_count, pool_cap, pool_free;
    struct slot *heap;
    size_t heap_count, heap_cap;
    uint64_t order, steps, messages, bytes, trace;
    unsigned replay_left; /* messages that the liar will still play again */
    uint64_t fired[FAULT_COUNT];
    struct stated *stated;
    size_t stated_count, stated_cap;
    struct given *given;
    size_t given_count, given_cap;
    unsigned next_number;
    bool tells;             /* prints every message that arrives */
    bool faults_over;       /* the quiet period */
    bool inventories;       /* the operator and its twin keep one from the start */
    int liar, deceived;     /* member numbers, or -1 */
    uint64_t deceived_size; /* of the two trees */
    struct buf deceived_note;
    struct hash *handed; /* notices that were delivered */
    size_t handed_count, handed_cap;
    int64_t first_notice_at;
    int rc;             /* an engine's error that no fault explains */
    const char *broken; /* the first invariant that does not hold */
    struct buf trouble; /* what checkers found, a line each */
};

int world_open(struct world *world, const struct stage *stage, uint64_t seed, bool real_keys, unsigned committee);
void world_close(struct world *world);
void world_run(struct world *world, int64_t until_ms);
uint64_t world_random(struct world *world, uint64_t below);
/* `checker` names the invariant: see the table in check.c. */
void trouble(struct world *world, const char *checker, const char *format, ...) __attribute__((format(printf, 3, 4)));
void fired(struct world *world, enum sim_fault fault);

/* member.c */
int member_open(struct world *world, unsigned number, struct fault *fault);
void member_close(struct member *member);
void member_start(struct world *world, unsigned number);
void member_crash(struct world *world, unsigned number); /* and starts again after a while */
void member_stop(struct member *member);
const struct roster *member_roster(const struct member *member);
uint64_t member_log_size(struct member *member, unsigned owner, log_id *id);
/* Has nobody who could have been asked a checkpoint of this member's log of that size? */
bool nobody_knows(struct world *world, struct member *m, uint64_t size);
/* Copies the store and the signer's file aside; puts either or both back. */
void backup_take(struct member *member);
bool backup_put_back(struct member *member, bool store, bool signer);
/* The member that store and signer calls belong to from now on: one steps at a time. */
void member_acts(struct member *member);

/* network.c */
/* Gives an event to a running node; what it answers and sends is carried out. */
void member_step(struct member *member, const struct event *event);
void task_at(struct world *world, int64_t at, task *run, unsigned argument);
/* A raw request from `from` to `to` for a dishonest party. Takes `body` over. `refused`: a status of 2xx is a failure. */
void raw_request(struct world *world, unsigned from, unsigned to, const char *method, const char *path,
                 struct buf *body, int64_t at, bool refused);
void network_close(struct world *world);

/* work.c: what the parties do all day */
void publish(struct world *world, unsigned owner, unsigned count);
void inventory_add(struct world *world, unsigned number);
void notice_hand(struct member *member, const struct action *action);
void acknowledge(struct member *member, const struct action *action);

struct stated *stated_add(struct world *world);

/* procedure.c: the test procedure */
void procedure_plan(struct world *world, int64_t busy_ms);
void procedure_end(struct world *world);
void procedure_watch(struct world *world, bool all);
int64_t instant_told(struct member *member, const struct hash *id);

/* liar.c */
void liar_act(struct world *world, unsigned argument);

/* check.c */
/* Safety: what must hold at any time, so also at the end. */
void check_safety(struct world *world);
/* Liveness: what must hold once faults have been over for a while. */
void check_liveness(struct world *world);
void check_idle(struct world *world);
void receipts_collect(struct world *world);

#endif
