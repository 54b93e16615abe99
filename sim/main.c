/* comity-sim: runs circles from seeds, each in a process of its own, and directed scenarios. TAP on stdout, or JSON lines. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mutant.h"
#include "sim/sim.h"

struct options {
    uint64_t seed, seeds;
    const char *scenario;
    unsigned missed;
    bool json, verbose, bench, tells, mutants, quiet;
    uint64_t mutant; /* only this one; 0 = all */
};

/* What a child tells its parent. */
struct outcome {
    uint64_t steps, trace, fired[FAULT_COUNT];
    int64_t virtual_ms;
    char broken[64];
};
static struct outcome *outcome; /* of the child that ran last; shared with it */

static void everybody_starts(struct world *world)
{
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        member_start(world, i);
    world_run(world, world->now + 5000);
    inventory_add(world, SIM_OPERATOR);
    inventory_add(world, SIM_TWIN);
    world->inventories = true;
}

static void trouble_forget(struct world *world)
{
    buf_reset(&world->trouble);
    world->broken = NULL;
}

/* A random circle */

enum { BUSY_MS = 2 * DAY_MS, TOTAL_MS = 3 * DAY_MS - 12 * HOUR_MS, PATIENCE_MS = 6 * DAY_MS };

static void publish_task(struct world *world, unsigned owner)
{
    if (world->members[owner].node)
        publish(world, owner, 1 + (unsigned)world_random(world, owner == SIM_VENDOR ? 4 : 2));
}

static void receipts_task(struct world *world, unsigned argument)
{
    (void)argument;
    receipts_collect(world);
    procedure_watch(world, false);
}

static void work_plan(struct world *world)
{
    unsigned publications = 3 + (unsigned)world_random(world, 3);
    for (unsigned i = 0; i < publications; i++) {
        unsigned owner = world_random(world, 2) ? SIM_VENDOR : (unsigned)world_random(world, SIM_PARTIES);
        task_at(world, world->now + (int64_t)world_random(world, BUSY_MS), publish_task, owner);
    }
    for (int64_t at = 6 * HOUR_MS; at < BUSY_MS; at += 8 * HOUR_MS)
        task_at(world, world->now + at, receipts_task, 0);
}

/* A liar that stays down for good: whoever was put back waits for its answer until its owner says that there will be none. */
static void absent_tell(struct world *world)
{
    for (unsigned i = 0; world->liar >= 0 && world->members[world->liar].retired && i < SIM_PARTIES; i++) {
        struct event event = {.kind = EVENT_ABSENT, .token = UINT64_MAX - 4, .name = span_str(sim_names[world->liar])};
        if ((int)i == world->liar || world->members[i].is_signing || world->members[i].absent)
            continue;
        world->members[i].absent = 1;
        member_step(&world->members[i], &event);
    }
}

/* After the faults: how long until all is well? What is broken for good stays so. */
static void settle(struct world *world)
{
    int64_t end = world->now + PATIENCE_MS;
    for (;;) {
        check_liveness(world);
        if (!world->broken || strcmp(world->broken, "liveness") != 0 || world->now >= end || world->rc)
            return;
        trouble_forget(world);
        absent_tell(world);
        world_run(world, world->now + 4 * HOUR_MS);
    }
}

static void seed_run(struct world *world)
{
    world->poll_ms = (10 + (int64_t)world_random(world, 5)) * HOUR_MS;
    everybody_starts(world);
    faults_plan(world, BUSY_MS);
    work_plan(world);
    procedure_plan(world, BUSY_MS);
    world_run(world, world->now + BUSY_MS);
    faults_end(world);
    procedure_end(world);
    while (!world->rc && (world->now < world->started + TOTAL_MS || world->steps < SIM_STEPS_MIN)) {
        world_run(world, world->now + 6 * HOUR_MS);
        if (world->steps < SIM_STEPS_MIN / 2 || world->now > world->started + TOTAL_MS)
            publish_task(world, (unsigned)world_random(world, SIM_PARTIES));
    }
    check_safety(world);
    if (!world->broken)
        settle(world);
    if (!world->broken)
        check_idle(world);
    if (!world->broken)
        world_run(world, world->started + 3 * DAY_MS);
    if (!world->broken && (world->now < world->started + 3 * DAY_MS || world->steps < SIM_STEPS_MIN))
        trouble(world, "process", "only %" PRIu64 " events in %.1f days", world->steps,
                (double)(world->now - world->started) / DAY_MS);
}

/* From publishing to the operator's notice, on 50 ms links with nothing else going on. */
static void latency_run(struct world *world)
{
    everybody_starts(world);
    world_run(world, world->now + 120000);
    int64_t worst = 0;
    for (unsigned i = 0; i < 8; i++) {
        world->next_number |= 3; /* the next one affects a component */
        world->next_number += 1 + i % 3;
        world->first_notice_at = 0;
        int64_t from = world->now;
        publish(world, SIM_VENDOR, 1);
        world_run(world, world->now + 60000);
        int64_t took = world->first_notice_at ? world->first_notice_at - from : INT64_MAX;
        worst = took > worst ? took : worst;
    }
    double trips = (double)worst / (2 * SIM_LINK_MS);
    printf("# publish to notice: %lld ms over links of %d ms, %.1f round trips\n", (long long)worst, SIM_LINK_MS,
           trips);
    if (trips > 4)
        trouble(world, "liveness", "publish to notice took %.1f round trips, more than 4", trips);
    world_run(world, world->now + 400000);
    check_liveness(world);
}

/* A party that was away while the vendor stated much catches up over links that break every 100 kB. */
static void missed_run(struct world *world, unsigned missed, unsigned who)
{
    struct member *member = &world->members[who];
    log_id log;
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        if (i != who)
            member_start(world, i);
    world_run(world, world->now + 5000);
    for (unsigned done = 0; done < missed && !world->rc; done += 50) {
        publish(world, SIM_VENDOR, missed - done < 50 ? missed - done : 50);
        world_run(world, world->now + 500);
    }
    world_run(world, world->now + 60000);
    uint64_t size = member_log_size(&world->members[SIM_VENDOR], SIM_VENDOR, &log);
    int64_t from = world->now, entries_at = 0;
    member->cut_bytes = 100000;
    member_start(world, who);
    for (unsigned i = 0, most = 3600 + missed / 5; i < most && !world->rc; i++) {
        world_run(world, world->now + 1000);
        if (!entries_at && member_log_size(member, SIM_VENDOR, &log) == size)
            entries_at = world->now;
        if (entries_at && i % 60 == 59) {
            check_liveness(world);
            if (!world->broken)
                break;
            if (i + 60 < most)
                trouble_forget(world);
        }
    }
    printf("# %s caught up %" PRIu64 " entries in %lld s, with every document in %lld s, %" PRIu64 " kB came in\n",
           member->name, size, (long long)(entries_at - from) / 1000, (long long)(world->now - from) / 1000,
           member->bytes_in / 1000);
    if (!entries_at)
        trouble(world, "liveness", "%s holds %" PRIu64 " of %" PRIu64 " entries in all that time", member->name,
                member_log_size(member, SIM_VENDOR, &log), size);
    struct buf note;
    uint64_t mirrored = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    if (who <= SIM_VENDOR &&
        (member->store_real->note_latest(member->store, log, NOTE_MIRRORED, &mirrored, &note) != 0 || mirrored != size))
        trouble(world, "liveness", "%s has cosigned %" PRIu64 " of %" PRIu64, member->name, mirrored, size);
    buf_free(&note);
}

static void missed_follower(struct world *world, const struct options *options)
{
    missed_run(world, options->missed, SIM_OPERATOR);
}

static void missed_mirror(struct world *world, const struct options *options)
{
    missed_run(world, options->missed, SIM_VENDOR - 1);
}

static void latency(struct world *world, const struct options *options)
{
    (void)options;
    latency_run(world);
}

static const struct scenario {
    const char *name;
    void (*run)(struct world *world, const struct options *options);
} scenarios[] = {
    {"round-trips", latency},
    {"missed-follower", missed_follower},
    {"missed-mirror", missed_mirror},
};

/* Of each fault how often it fired in how many seeds, and what they amount to. */
struct totals {
    uint64_t seeds, bad, steps, fired[FAULT_COUNT], in_seeds[FAULT_COUNT];
    int64_t virtual_ms;
};

static void member_show(struct member *member)
{
    struct buf text;
    struct span rest, line;
    if (!member->node)
        return;
    member_acts(member);
    buf_init(&text, 1 << 20);
    node_status_json(member->node, member->world->now, &text);
    rest = buf_view(&text);
    while (span_line(&rest, &line))
        printf("#   %.*s\n", (int)line.len, (const char *)line.data);
    buf_free(&text);
}

static void world_report(struct world *world, const struct options *options, const char *name)
{
    uint64_t crashes = 0;
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        crashes += world->members[i].crashes;
    if (options->json)
        printf("{\"scenario\":\"%s\",\"seed\":%" PRIu64 ",\"ok\":%s,\"virtual_ms\":%" PRId64 ",\"steps\":%" PRIu64
               ",\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64
               ",\"stated\":%zu,\"notices\":%zu,\"receipts\":%zu,\"crashes\":%" PRIu64
               ",\"two_faces\":%s,\"trace\":\"%016" PRIx64 "\"}\n",
               name, world->seed, world->broken ? "false" : "true", world->now - world->started, world->steps,
               world->messages, world->bytes, world->stated_count, world->handed_count, world->given_count, crashes,
               world->deceived >= 0 ? "true" : "false", world->trace);
    else if ((world->broken && !options->quiet) || options->verbose)
        printf("# %" PRIu64 " steps, %" PRIu64 " messages, %zu stated, %zu notices handed over, %zu receipts, %" PRIu64
               " crashes%s, %.1f days, trace %016" PRIx64 "\n",
               world->steps, world->messages, world->stated_count, world->handed_count, world->given_count, crashes,
               world->deceived >= 0 ? ", two faces" : "", (double)(world->now - world->started) / DAY_MS, world->trace);
    if (world->broken && !options->json && !options->quiet)
        (void)fwrite(world->trouble.data, 1, world->trouble.len, stdout);
    for (unsigned i = 0; world->broken && options->verbose && i < SIM_PARTIES; i++)
        member_show(&world->members[i]);
}

enum { REAL_EVERY = 20 }; /* seeds that sign with real keys */

static void child(const struct stage *stage, uint64_t seed, const struct options *options, const char *name,
                  void (*run)(struct world *world, const struct options *options))
{
    static struct world world;
    bool random = strcmp(name, "seed") == 0;
    unsigned committee = !random || seed % 4 ? SIM_VENDOR + 1 : SIM_VENDOR;
    int rc = world_open(&world, stage, seed, random && seed % REAL_EVERY == 0, committee);
    world.tells = options->tells;
    if (rc == 0)
        run(&world, options);
    world_report(&world, options, name);
    *outcome = (struct outcome){.steps = world.steps, .trace = world.trace, .virtual_ms = world.now - world.started};
    memcpy(outcome->fired, world.fired, sizeof world.fired);
    (void)snprintf(outcome->broken, sizeof outcome->broken, "%s", world.broken ? world.broken : "");
    int status = world.broken != NULL;
    world_close(&world);
    (void)fflush(stdout);
    _exit(status);
}

/* One circle in a child: an abort or a fault of memory there is a failure of that seed alone. */
static bool circle_run(const struct stage *stage, uint64_t seed, const struct options *options, const char *name,
                       void (*run)(struct world *world, const struct options *options))
{
    (void)fflush(stdout);
    *outcome = (struct outcome){.broken = "it crashed"};
    pid_t pid = fork();
    if (pid == 0)
        child(stage, seed, options, name, run);
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void random_circle(struct world *world, const struct options *options)
{
    (void)options;
    seed_run(world);
}

static void totals_add(struct totals *totals, bool good)
{
    totals->seeds++;
    totals->bad += !good;
    totals->steps += outcome->steps;
    totals->virtual_ms += outcome->virtual_ms;
    for (int f = 0; f < FAULT_COUNT; f++) {
        totals->fired[f] += outcome->fired[f];
        totals->in_seeds[f] += outcome->fired[f] > 0;
    }
}

/* The same seed twice gives the same trace. */
static bool seed_again(const struct stage *stage, uint64_t seed, const struct options *options)
{
    uint64_t trace = outcome->trace;
    struct options quiet = *options;
    quiet.json = quiet.verbose = false;
    bool good = circle_run(stage, seed, &quiet, "seed", random_circle) && outcome->trace == trace;
    if (!good)
        printf("# seed %" PRIu64 " has trace %016" PRIx64 ", and %016" PRIx64 " when it runs again\n", seed, trace,
               outcome->trace);
    return good;
}

#ifdef COMITY_MUTANTS
enum mutant mutant_now;

static const char *const mutant_names[MUTANT_COUNT] = {
#define MUTANT_NAME(id, text) [MUTANT_##id] = text,
    MUTANT_LIST(MUTANT_NAME)
#undef MUTANT_NAME
};

enum { MUTANT_SEEDS_MAX = 60 };

/* Each planted bug over the seeds until a checker has caught it. One that survives is a failure, and so is a seed that fails without. */
static unsigned mutants_run(const struct stage *stage, const struct options *options, unsigned *number)
{
    unsigned survived = 0;
    struct options quiet = *options;
    quiet.quiet = true;
    for (int m = options->mutant ? (int)options->mutant : 1; m < MUTANT_COUNT; m++) {
        uint64_t seed = options->seed;
        mutant_now = (enum mutant)m;
        while (seed < options->seed + MUTANT_SEEDS_MAX && circle_run(stage, seed, &quiet, "seed", random_circle))
            seed++;
        bool caught = seed < options->seed + MUTANT_SEEDS_MAX;
        mutant_now = MUTANT_NONE;
        if (caught)
            printf("# caught by \"%s\" in seed %" PRIu64 "\n", outcome->broken, seed);
        if (caught && !circle_run(stage, seed, &quiet, "seed", random_circle)) {
            printf("# but seed %" PRIu64 " fails without it too: %s\n", seed, outcome->broken);
            caught = false;
        }
        survived += !caught;
        printf("%s %u - mutant %d: %s\n", caught ? "ok" : "not ok", ++*number, m, mutant_names[m]);
        if (options->mutant)
            break;
    }
    return survived;
}
#else
static unsigned mutants_run(const struct stage *stage, const struct options *options, unsigned *number)
{
    (void)stage;
    (void)options;
    (void)number;
    (void)fprintf(stderr, "this program has no mutants: run comity-sim-mutants\n");
    return 1;
}
#endif

static double cpu_seconds(void)
{
    struct rusage own, children;
    (void)getrusage(RUSAGE_SELF, &own);
    (void)getrusage(RUSAGE_CHILDREN, &children);
    return (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec + children.ru_utime.tv_sec + children.ru_stime.tv_sec) +
           (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec + children.ru_utime.tv_usec +
                    children.ru_stime.tv_usec) /
               1e6;
}

enum { REPEAT_EVERY = 25, SEEDS_FOR_ALL_FAULTS = 100 };

static unsigned faults_report(const struct totals *totals, unsigned *number)
{
    unsigned missing = 0;
    for (int f = 0; f < FAULT_COUNT; f++) {
        printf("# %-42s %8" PRIu64 " times in %5" PRIu64 " seeds\n", fault_names[f], totals->fired[f],
               totals->in_seeds[f]);
        missing += !totals->fired[f];
    }
    printf("# %" PRIu64 " seeds, %" PRIu64 " events, %.0f simulated days\n", totals->seeds, totals->steps,
           (double)totals->virtual_ms / DAY_MS);
    if (totals->seeds < SEEDS_FOR_ALL_FAULTS)
        return 0; /* too few to ask for all */
    printf("%s %u - every kind of fault has fired\n", missing ? "not ok" : "ok", ++*number);
    return missing;
}

static unsigned seeds_run(const struct stage *stage, const struct options *options, unsigned *number)
{
    struct totals totals = {0};
    unsigned bad = 0, repeats = 0, repeats_bad = 0;
    for (uint64_t seed = options->seed; seed < options->seed + options->seeds; seed++) {
        bool good = circle_run(stage, seed, options, "seed", random_circle);
        totals_add(&totals, good);
        bad += !good;
        if (!options->json)
            printf("%s %u - seed %" PRIu64 "\n", good ? "ok" : "not ok", ++*number, seed);
        if (!good && !options->json)
            printf("# %s; again: comity-sim --seed %" PRIu64 " --verbose\n", outcome->broken, seed);
        if (good && options->seeds > 1 && seed % REPEAT_EVERY == 0) {
            repeats++;
            repeats_bad += !seed_again(stage, seed, options);
        }
    }
    if (options->json || !options->seeds)
        return bad + repeats_bad;
    if (repeats)
        printf("%s %u - %u seeds ran twice with the same trace\n", repeats_bad ? "not ok" : "ok", ++*number, repeats);
    return bad + repeats_bad + faults_report(&totals, number);
}

enum { BENCH_TARGET = 20 };

/* Seeds a second on one core: processor time of everything, the fork of each seed too. */
static int bench_run(const struct stage *stage, const struct options *options)
{
    struct totals totals = {0};
    double from = cpu_seconds();
    for (uint64_t seed = options->seed; seed < options->seed + options->seeds; seed++)
        totals_add(&totals, circle_run(stage, seed, options, "seed", random_circle));
    double seconds = cpu_seconds() - from, rate = (double)totals.seeds / seconds;
    double events = (double)totals.steps / (double)totals.seeds,
           days = (double)totals.virtual_ms / DAY_MS / (double)totals.seeds;
    static const char figure[] = "seeds of three simulated days", unit[] = "seeds/s of one core";
    if (options->json)
        printf("{\"bench\":\"simulator\",\"figure\":\"%s\",\"unit\":\"%s\",\"value\":%.3f,\"target\":%d.000,"
               "\"reached\":%s,"
               "\"seeds\":%" PRIu64 ",\"failed\":%" PRIu64
               ",\"events_a_seed\":%.0f,\"days_a_seed\":%.2f,\"events_a_second\":%.0f}\n",
               figure, unit, rate, BENCH_TARGET, rate >= BENCH_TARGET ? "true" : "false", totals.seeds, totals.bad,
               events, days, (double)totals.steps / seconds);
    else
        printf("simulator\n  %-44s %12.1f %s (target >= %d: %s)\n  %-44s %12.0f events/s; %.0f events and %.1f days a "
               "seed, "
               "%" PRIu64 " of %" PRIu64 " failed\n",
               figure, rate, unit, BENCH_TARGET, rate >= BENCH_TARGET ? "reached" : "not reached",
               "steps of the engine in them", (double)totals.steps / seconds, events, days, totals.bad, totals.seeds);
    return totals.bad != 0;
}

static const char help[] =
    "usage: comity-sim [--seed S] [--seeds N] [--scenario NAME|none] [--missed N] [--bench] [--mutants] [--mutant N]\n"
    "                  [--json] [--verbose] [--trace]\n"
    "  Runs whole circles, each from a seed, with every kind of fault, and checks what must always hold.\n"
    "  Without options: the scenarios and 300 seeds.\n"
    "  --seed S          only this seed, or with --seeds N the first of N\n"
    "  --scenario NAME   round-trips, missed-follower or missed-mirror (with --missed N statements); none = seeds "
    "only\n"
    "  --bench           seeds a second of processor time\n"
    "  --mutants         each planted bug until it is caught (comity-sim-mutants only); --mutant N: only that one\n"
    "  --verbose         what came of each seed, and each node's status when it failed\n"
    "  --trace           every message as it arrives\n"
    "example: comity-sim --seed 42 --verbose\n";

static bool options_parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        uint64_t number = 0;
        bool numeric = value && decimal_parse(span_str(value), &number);
        if (strcmp(argv[i], "--json") == 0)
            options->json = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            options->verbose = true;
        else if (strcmp(argv[i], "--trace") == 0)
            options->tells = true;
        else if (strcmp(argv[i], "--bench") == 0)
            options->bench = true;
        else if (strcmp(argv[i], "--mutants") == 0)
            options->mutants = true;
        else if (strcmp(argv[i], "--mutant") == 0 && numeric)
            options->mutants = true, options->mutant = number, i++;
        else if (strcmp(argv[i], "--scenario") == 0 && value)
            options->scenario = argv[++i];
        else if (strcmp(argv[i], "--seeds") == 0 && numeric)
            options->seeds = number, i++;
        else if (strcmp(argv[i], "--seed") == 0 && numeric)
            options->seed = number, i++;
        else if (strcmp(argv[i], "--missed") == 0 && numeric)
            options->missed = (unsigned)number, i++;
        else
            return false;
    }
    return true;
}

static unsigned scenarios_run(const struct stage *stage, const struct options *options, unsigned *number)
{
    unsigned bad = 0;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (options->scenario && strcmp(options->scenario, scenarios[i].name) != 0)
            continue;
        bool good = circle_run(stage, 1, options, scenarios[i].name, scenarios[i].run);
        bad += !good;
        if (!options->json)
            printf("%s %u - scenario %s\n", good ? "ok" : "not ok", ++*number, scenarios[i].name);
    }
    return bad;
}

int main(int argc, char **argv)
{
    struct options options = {.seeds = UINT64_MAX, .missed = 5000};
    struct stage stage;
    struct fault fault = {0};
    unsigned number = 0, bad = 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (!options_parse(&options, argc, argv)) {
        (void)fputs(help, stderr);
        return 2;
    }
    /* Nodes start and end all the time here: what they have in large tables is to be fresh pages, and not memory to be zeroed. */
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    bool one = options.seed && options.seeds == UINT64_MAX;
    if (options.seeds == UINT64_MAX)
        options.seeds = one ? 1 : options.bench ? 100 : options.scenario ? 0 : 300;
    options.seed += !options.seed;
    outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED || stage_make(&stage, &fault) != 0) {
        (void)fprintf(stderr, "%s\n", fault.detail);
        return 4;
    }
    if (options.bench) {
        bad = (unsigned)bench_run(&stage, &options);
    } else {
        if (options.mutants)
            bad = mutants_run(&stage, &options, &number);
        else
            bad = (one ? 0 : scenarios_run(&stage, &options, &number)) + seeds_run(&stage, &options, &number);
        if (!options.json)
            printf("1..%u\n", number);
    }
    stage_free(&stage);
    return bad != 0;
}
