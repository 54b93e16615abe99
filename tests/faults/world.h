/* A circle of three in one process. The first party's store and signer state are real files in a folder; the others live in memory and
   outlast its deaths. A fixed script makes it publish, mirror, match and be read; whatever it acknowledges is remembered, and looked
   for at the end. An error ends it as it ends the real process: everything is closed, and it starts again on the same files. */
#ifndef COMITY_TESTS_WORLD_H
#define COMITY_TESTS_WORLD_H

#include "base/arena.h"
#include "node/engine.h"

enum { SELF, BRAVO, CHARLIE, MEMBERS };
enum {
    RINGS = 8,
    STATED_MAX = 32,
    GIVEN_MAX = 512,
    HANDED_MAX = 256,
    READS_MAX = 64,
    STOPS_MAX = 5,
    NOISE_BYTES = 1200000
};

/* Made once a process: deriving keys is slow on purpose. Runs are forked and take the rings over. */
struct cast {
    struct public_key pub[MEMBERS][KEY_COUNT];
    uint8_t recovery[MEMBERS][32];
    struct keyring *rings[RINGS], *peer_rings[MEMBERS];
    struct roster roster;
    struct arena arena;
    struct buf noise;
};
int cast_make(struct cast *cast, const char *folder, struct fault *fault);

struct member {
    struct node *node;
    struct store *store;
    struct signer *signer;
    int state_fd;
    unsigned life;
};
struct stated {
    unsigned owner;
    struct buf document;
    struct hash hash, id;
    uint64_t index;
    bool acknowledged;
};
struct position {
    uint64_t size;
    struct hash root;
};
struct reading {
    int status;
    struct hash body;
};
struct message;

/* What a run without faults shows; later ones are held against it. */
struct baseline {
    size_t reads, notices;
    struct reading answers[READS_MAX];
};

struct world {
    const struct cast *cast;
    const char *folder; /* of the first party */
    struct baseline *baseline;
    bool first;                              /* this run makes the baseline */
    void (*died)(struct world *, void *ctx); /* between a death and the new start */
    void *died_ctx;
    int64_t now;
    struct member members[MEMBERS];
    unsigned rings_used;
    struct message *queue;
    size_t queue_count, queue_cap;
    uint64_t random;
    struct stated stated[STATED_MAX];
    size_t stated_count;
    struct position given[GIVEN_MAX], cosigned[GIVEN_MAX]; /* its own checkpoints; what it cosigned of bravo's log */
    size_t given_count, cosigned_count;
    struct hash handed[HANDED_MAX];
    size_t handed_count, reads;
    bool inventory_kept;
    bool abrupt;        /* when it dies, nothing is closed: as if it were killed */
    bool again;         /* something was refused and asked for again: answers have other times */
    bool calm;          /* nothing will fail any more */
    bool closing_fired; /* it failed while everything was being closed */
    unsigned stops;
    int stop_code; /* of the first stop */
    char trouble[400];
};

/* Plays the script and looks for all that was acknowledged; `trouble` says what is wrong, or is empty. */
void world_play(struct world *world);

#endif
