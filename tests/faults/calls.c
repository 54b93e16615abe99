/* Every call on the files made to fail, one in each run: what happens then, and is everything still there? Then every allocation. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/faults/driver.h"
#include "tests/test.h"

struct failure {
    enum failing how;
    int error;
    const char *name;
};
static const char *const call_names[] = {
#define INTERPOSED_TEXT(name, text) text,
    INTERPOSED_LIST(INTERPOSED_TEXT)
#undef INTERPOSED_TEXT
};
#define E(error)                                                                                                       \
    {                                                                                                                  \
        FAIL_ERRNO, error, #error                                                                                      \
    }
static const struct failure failures[ON_COUNT][7] = {
    /* each list ends with one that has no name */
    [ON_OPEN] = {E(EIO), E(EMFILE), E(EINTR)},
    [ON_CREATE] = {E(EIO), E(ENOSPC), E(EMFILE), E(EINTR)},
    [ON_READ] = {E(EIO), E(EINTR), {FAIL_SHORT, 0, "short"}},
    [ON_WRITE] = {E(EIO), E(ENOSPC), E(EDQUOT), E(EINTR), {FAIL_SHORT, 0, "short"}, {FAIL_LASTING, ENOSPC, "full"}},
    [ON_SYNC] = {E(EIO), E(ENOSPC)},
    [ON_FOLDER_SYNC] = {E(EIO), E(ENOSPC)},
    [ON_TRUNCATE] = {E(EIO), E(EINTR)},
    [ON_RENAME] = {E(EIO), E(ENOSPC)},
    [ON_UNLINK] = {E(EIO)},
    [ON_MKDIR] = {E(EIO), E(ENOSPC), E(EDQUOT)},
    [ON_STAT] = {E(EIO)},
    [ON_LOCK] = {E(EIO), E(ENOLCK)},
    [ON_MAP] = {E(ENOMEM)},
    [ON_ALLOCATE] = {E(ENOMEM)},
};

struct plan {
    bool allocations;
    size_t number;
    const struct failure *failure;
};

static void calm_down(struct world *world, void *ctx)
{
    (void)ctx;
    interpose_stop();
    world->calm = true;
}

static void play_listed(struct driver *driver, void *ctx)
{
    struct world *world = world_of(driver);
    world->died = calm_down;
    world->first = true;
    interpose_list(*(const bool *)ctx, driver->shared->calls, CALLS_MAX);
    world_play(world);
    driver->shared->call_count = interpose_count();
    outcome_take(driver, world);
}

static void play_failing(struct driver *driver, void *ctx)
{
    const struct plan *plan = ctx;
    struct world *world = world_of(driver);
    world->died = calm_down;
    interpose_fail(plan->allocations, plan->number, plan->failure->how, plan->failure->error);
    world_play(world);
    outcome_take(driver, world);
}

/* One line of the table: what a failure at one place led to. */
struct row {
    enum interposed call;
    const struct failure *failure;
    char site[256], line[400]; /* line: what is printed of it */
    unsigned tried, went_on, stopped, wrong;
    int code; /* of the stops; 1: several */
};
enum { ROWS_MAX = 4096 };
static struct row rows[ROWS_MAX];
static size_t row_count;

static struct row *row_of(const struct interposed_call *call, const struct failure *failure)
{
    const char *site = site_name(call);
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].call == call->call && rows[i].failure == failure && strcmp(rows[i].site, site) == 0)
            return &rows[i];
    if (row_count == ROWS_MAX)
        abort();
    struct row *row = &rows[row_count++];
    *row = (struct row){.call = call->call, .failure = failure};
    (void)snprintf(row->site, sizeof row->site, "%s", site);
    return row;
}

/* A sync that failed, outside of closing down, must end the process: nobody knows what the disk holds. And an error must say what it
   was: memory, disk, space or lock. SQLite passes over a failed sync of a folder; the store then syncs that folder itself. */
static const char *unlawful(const struct interposed_call *call, const struct failure *failure,
                            const struct outcome *outcome)
{
    static const int clear[] = {E_IO, E_FULL, E_NOMEM, E_LOCKED};
    bool named = outcome->stops == 0;
    bool syncs = call->call == ON_SYNC || (call->call == ON_FOLDER_SYNC && site_is_ours(call));
    if (!outcome->fired)
        return "the failure did not happen: the run is not repeatable";
    if (syncs && !outcome->stops && !outcome->closing)
        return "a failed sync was ignored";
    for (size_t i = 0; i < sizeof clear / sizeof clear[0]; i++)
        named = named || outcome->code == clear[i];
    if (call->call == ON_READ && failure->error == EIO) /* to SQLite a sector that cannot be read is a corrupt file */
        named = named || outcome->code == E_CORRUPT;
    return named ? NULL : "the error says something else than what happened";
}

static void try_one(struct driver *driver, const struct interposed_call *call, struct plan *plan)
{
    struct outcome *outcome = &driver->shared->outcome;
    struct row *row = row_of(call, plan->failure);
    bool good = run_forked(driver, play_failing, plan);
    if (outcome->stopped && call->call == ON_ALLOCATE) { /* a hash has no other way to say so (crypto/sha256.c) */
        row->tried++;
        row->stopped++;
        row->code = E_NOMEM;
        return;
    }
    const char *why = good ? unlawful(call, plan->failure, outcome) : outcome->trouble;
    row->tried++;
    row->went_on += !why && !outcome->stops;
    row->stopped += !why && outcome->stops;
    row->wrong += why != NULL;
    if (outcome->stops)
        row->code = !row->code || row->code == outcome->code ? outcome->code : 1;
    if (why)
        printf("# %s %zu at %s fails with %s: %s (%s, %u stops)\n", call_names[call->call], plan->number, row->site,
               plan->failure->name, why, outcome->stops ? error_text(outcome->code)->id : "went on", outcome->stops);
}

/* Of the calls from one place the first and the last one (of allocations the first), and with --all every one. */
static void choose(const struct driver *driver, const struct interposed_call *calls, size_t count, bool *chosen)
{
    uint64_t *sites = calloc(count + 1, sizeof *sites);
    if (!sites)
        abort();
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        sites[i] = site_hash(&calls[i]);
        for (size_t k = 0; k < i && !known; k++)
            known = sites[k] == sites[i];
        chosen[i] = driver->all || !known;
    }
    for (size_t i = count; i-- > 0 && calls[0].call != ON_ALLOCATE;) {
        bool later = false;
        for (size_t k = i + 1; k < count && !later; k++)
            later = sites[k] == sites[i];
        chosen[i] = chosen[i] || !later;
    }
    free(sites);
}

static int table(const char *what)
{
    unsigned tried = 0, wrong = 0;
    for (size_t i = 0; i < row_count; i++) {
        struct row *row = &rows[i];
        const char *code = row->code == 1 ? "several errors" : error_text(row->code)->id;
        (void)snprintf(row->line, sizeof row->line, "%s %s at %s: tried %u, went on %u, stopped %u%s%s%s, lost nothing",
                       call_names[row->call], row->failure->name, row->site, row->tried, row->went_on, row->stopped,
                       row->stopped ? " (" : "", row->stopped ? code : "", row->stopped ? ")" : "");
        test(row->line);
        CHECK_INT(row->wrong, 0);
        tried += row->tried;
        wrong += row->wrong;
    }
    test(what);
    printf("# %s: %zu places and errors, tried %u, wrong %u\n", what, row_count, tried, wrong);
    struct rusage use;
    (void)getrusage(RUSAGE_CHILDREN, &use);
    printf("# processor time %ld s\n", (long)(use.ru_utime.tv_sec + use.ru_stime.tv_sec));
    CHECK(row_count > 0 && tried > 0);
    return test_end();
}

static int pass(struct driver *driver, bool allocations, const char *what)
{
    static bool chosen[CALLS_MAX];
    struct shared *shared = driver->shared;
    if (!run_forked(driver, play_listed, &allocations)) {
        test("without a fault nothing fails");
        printf("# %s\n", shared->outcome.trouble);
        CHECK(false);
        return test_end();
    }
    size_t count = shared->call_count < CALLS_MAX ? shared->call_count : CALLS_MAX;
    printf("# %zu calls\n", shared->call_count);
    sites_resolve(shared->calls, count);
    choose(driver, shared->calls, count, chosen);
    size_t tries = 0, step;
    for (size_t i = 0; i < count; i++)
        for (const struct failure *failure = failures[shared->calls[i].call]; chosen[i] && failure->name; failure++)
            tries++;
    step = driver->all || tries <= driver->most ? 1 : (tries + driver->most - 1) / driver->most;
    printf("# %zu tries, of which every %zuth\n", tries, step);
    tries = driver->seed;
    for (size_t i = 0; i < count; i++) {
        const struct interposed_call *call = &shared->calls[i];
        if (driver->only == SIZE_MAX ? !chosen[i] : i != driver->only)
            continue;
        for (const struct failure *failure = failures[call->call]; failure->name; failure++)
            if (tries++ % step == 0 || driver->only != SIZE_MAX)
                try_one(driver, call, &(struct plan){allocations, i, failure});
    }
    return table(what);
}

int pass_calls(struct driver *driver)
{
    return pass(driver, false, "calls on the files were made to fail, one in a run");
}

int pass_allocations(struct driver *driver)
{
#ifdef __SANITIZE_ADDRESS__
    (void)driver;
    test_skip("allocations made to fail", "the sanitizer's allocator is in the place of the interposed one");
    return test_end();
#else
    return pass(driver, true, "allocations were made to fail, one in a run");
#endif
}
