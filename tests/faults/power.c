/* The power goes at a step of the recording; the party starts again from what the disk may hold, and its peers go on as they were. In a
   second series a sync has failed before: what it left unwritten must be written again before anything is built on it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/faults/driver.h"
#include "tests/test.h"

static const char *const loss_names[LOSS_COUNT] = {"nothing unsynced is kept", "all is kept",
                                                   "the last writes are lost", "the earlier writes are lost",
                                                   "sectors and names at random"};
struct outage {
    size_t end; /* step at which the power goes */
    enum loss loss;
    uint64_t seed;
    size_t failing; /* number of a call, a sync, that fails before; SIZE_MAX: none */
};
struct scene {
    struct driver *driver;
    const struct outage *outage;
};

static void dies(struct world *world, void *ctx)
{
    const struct scene *scene = ctx;
    if (!interpose_powerless())
        return; /* the sync that failed: it starts again, and the recording goes on */
    interpose_stop();
    image_make(world->folder, interpose_trace(), scene->outage->loss, scene->outage->seed);
    world->calm = true;
    scene->driver->shared->outcome.powerless = true;
}

static void play_recorded(struct driver *driver, void *ctx)
{
    (void)ctx;
    const struct outage never = {.end = SIZE_MAX};
    struct world *world = world_of(driver);
    world->died = dies;
    world->died_ctx = &(struct scene){driver, &never};
    world->first = true;
    interpose_list(false, driver->shared->calls, CALLS_MAX);
    interpose_record(SIZE_MAX);
    world_play(world);
    driver->shared->call_count = interpose_count();
    outcome_take(driver, world);
    driver->shared->outcome.steps = interpose_trace().count;
}

static void play_outage(struct driver *driver, void *ctx)
{
    const struct outage *outage = ctx;
    struct world *world = world_of(driver);
    world->died = dies;
    world->died_ctx = &(struct scene){driver, outage};
    world->abrupt = outage->seed % 3 != 0;
    if (outage->failing != SIZE_MAX)
        interpose_fail(false, outage->failing, FAIL_ERRNO, EIO);
    interpose_record(outage->end);
    world_play(world);
    outcome_take(driver, world);
}

struct tally {
    unsigned tried, wrong, quiet; /* quiet: the power did not go */
};

static void try_outage(struct driver *driver, struct outage *outage, struct tally *tally)
{
    struct outcome *outcome = &driver->shared->outcome;
    bool good = run_forked(driver, play_outage, outage);
    tally->tried++;
    tally->quiet += good && !outcome->powerless;
    tally->wrong += !good;
    if (!good)
        printf("# power lost at step %zu, %s, seed %llu, failed sync %zd: %s\n", outage->end, loss_names[outage->loss],
               (unsigned long long)outage->seed, (ssize_t)outage->failing, outcome->trouble);
}

static void tell(const char *name, const struct tally *tally)
{
    static char lines[LOSS_COUNT + 1][256]; /* each is printed with the next one's begin */
    static size_t told;
    char *line = lines[told++ % (LOSS_COUNT + 1)];
    (void)snprintf(line, sizeof lines[0], "%s: %u disks, lost nothing", name, tally->tried);
    test(line);
    CHECK(tally->tried > tally->quiet);
    CHECK_INT(tally->wrong, 0);
}

/* Before every step of the recording or, but with --all, as many evenly spread: at a sync all that it would have covered is still open,
   a step later it is safe. */
static unsigned outages_plain(struct driver *driver, size_t steps)
{
    size_t most = driver->most;
    struct tally tallies[LOSS_COUNT] = {0};
    size_t each = driver->all || steps * LOSS_COUNT <= most ? 1 : (steps * LOSS_COUNT + most - 1) / most;
    unsigned tried = 0;
    for (size_t n = driver->seed % each; n < steps * LOSS_COUNT; n += each) {
        struct outage outage = {.end = n / LOSS_COUNT,
                                .loss = (enum loss)(n % LOSS_COUNT),
                                .seed = driver->seed * 100003 + n,
                                .failing = SIZE_MAX};
        try_outage(driver, &outage, &tallies[outage.loss]);
        tried++;
    }
    for (int i = 0; i < LOSS_COUNT; i++)
        tell(loss_names[i], &tallies[i]);
    return tried;
}

static unsigned outages_after_failed_sync(struct driver *driver, size_t steps)
{
    size_t most = driver->most / 4;
    (void)steps;
    static const size_t later[] = {3, 12, 40, 150};
    enum { LATER = sizeof later / sizeof later[0] };
    struct shared *shared = driver->shared;
    struct tally tally = {0};
    size_t syncs = 0, number = 0;
    for (size_t i = 0; i < shared->call_count; i++)
        syncs += shared->calls[i].call == ON_SYNC;
    size_t each = driver->all || syncs * LATER <= most ? 1 : (syncs * LATER + most - 1) / most;
    for (size_t i = 0; i < shared->call_count; i++)
        for (size_t k = 0; k < LATER && shared->calls[i].call == ON_SYNC; k++) {
            if (number++ % each != driver->seed % each)
                continue;
            struct outage outage = {.end = shared->calls[i].step + later[k],
                                    .loss = number % 2 ? LOSE_ALL : LOSE_SECTORS,
                                    .seed = driver->seed * 100003 + number,
                                    .failing = i};
            try_outage(driver, &outage, &tally);
        }
    tell("a sync fails, and later the power", &tally);
    return tally.tried;
}

static int pass(struct driver *driver, unsigned (*series)(struct driver *, size_t steps), const char *what)
{
    struct rusage use;
    if (!run_forked(driver, play_recorded, NULL)) {
        test("without a fault nothing fails");
        printf("# %s\n", driver->shared->outcome.trouble);
        CHECK(false);
        return test_end();
    }
    size_t steps = driver->shared->outcome.steps;
    unsigned tried = series(driver, steps);
    (void)getrusage(RUSAGE_CHILDREN, &use);
    printf("# %s: %zu steps recorded, %u disks tried, processor time %ld s\n", what, steps, tried,
           (long)(use.ru_utime.tv_sec + use.ru_stime.tv_sec));
    return test_end();
}

int pass_power(struct driver *driver)
{
    return pass(driver, outages_plain, "the power goes");
}

int pass_sync(struct driver *driver)
{
    return pass(driver, outages_after_failed_sync, "a sync fails, and later the power");
}
