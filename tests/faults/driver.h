/* What the passes of the driver share. */
#ifndef COMITY_TESTS_DRIVER_H
#define COMITY_TESTS_DRIVER_H

#include "tests/faults/interpose.h"
#include "tests/faults/world.h"

enum { CALLS_MAX = 400000, FOLDER_BYTES = 128, RUN_CPU_SECONDS_MAX = 20, RUN_SECONDS_MAX = 600 };
#ifdef __SANITIZE_ADDRESS__
enum { TRIES_MOST = 40 };
#else
enum { TRIES_MOST = 170 }; /* of one pass, unless --all or --most says otherwise */
#endif

/* In memory that the runs, which are forked, share with their parent. */
struct outcome {
    bool ended; /* the run came to its end: no crash */
    bool fired;
    bool stopped; /* it ended by itself, by exit code 4 and a message */
    unsigned stops;
    int code;
    bool closing;
    bool powerless;
    size_t steps; /* of the recording */
    char trouble[400];
};
struct shared {
    struct baseline baseline;
    struct outcome outcome;
    size_t call_count;
    struct interposed_call calls[CALLS_MAX];
};

struct driver {
    struct cast cast;
    struct shared *shared;
    char base[FOLDER_BYTES], folder[FOLDER_BYTES], words[FOLDER_BYTES]; /* words: of standard error */
    bool all;
    size_t most; /* tries, but with `all` */
    size_t
        only; /* of calls.c: the number of one call, as a failure prints it; SIZE_MAX: as many as `most` lets through */
    uint64_t seed;
};

/* Runs `play` in a child on an empty folder; true: it ended well and nothing was wrong. */
bool run_forked(struct driver *driver, void (*play)(struct driver *, void *ctx), void *ctx);
/* A world on the driver's folder; what it found goes into the outcome. */
void outcome_take(struct driver *driver, const struct world *world);
struct world *world_of(struct driver *driver);
void folder_empty(const char *folder);

int pass_calls(struct driver *driver);
int pass_allocations(struct driver *driver);
int pass_power(struct driver *driver);
int pass_sync(struct driver *driver);
int pass_keys(struct driver *driver);

/* image.c: what a disk may hold when the power goes: of what was synced all, of the rest anything, sector by sector. Replaces what is in
   the folder. */
enum loss {
    LOSE_ALL,     /* nothing that was not synced */
    LOSE_NOTHING, /* the disk was quick */
    LOSE_LAST,    /* up to some moment all, then nothing */
    LOSE_FIRST,   /* the later writes, not the earlier ones */
    LOSE_SECTORS, /* each sector of 512 bytes, each name by itself: reordered and torn */
    LOSS_COUNT
};
void image_make(const char *folder, struct trace trace, enum loss loss, uint64_t seed);

/* site.c: the innermost functions of the program itself on a call's stack, as "f < g < h"; lives until the end. */
void sites_resolve(const struct interposed_call *calls, size_t count);
const char *site_name(const struct interposed_call *call);
uint64_t
site_hash(const struct interposed_call *call); /* equal for what comes by the same way through those functions */
bool site_is_ours(const struct interposed_call *call); /* not made by a library for us */

#endif
