/* comity-sim: runs circles from seeds, each in a process of its own, and two directed scenarios. TAP on stdout, or JSON lines. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/sim.h"

struct options {
    uint64_t seed, seeds;
    const char *scenario;
    unsigned missed;
    bool json, verbose;
};

static void start_all(struct world *world)
{
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        member_start(world, i);
    world_run(world, world->now + 5000);
    inventory_add(world);
}

/* A random circle */

static void publish_task(struct world *world, unsigned owner)
{
    if (world->members[owner].node)
        publish(world, owner, 1 + (unsigned)world_random(world, owner == SIM_VENDOR ? 5 : 2));
}

static void crash_task(struct world *world, unsigned number)
{
    struct member *member = &world->members[number];
    if (!member->node)
        return;
    member->fault = (enum disk_fault)world_random(world, 5);
    member->fault_in = 1 + (unsigned)world_random(world, 4);
    if (member->fault == DISK_GOOD)
        member_crash(world, number);
}

static void world_trouble_plan(struct world *world)
{
    static const unsigned lost[] = {0, 10, 50, 200}, twice[] = {0, 20, 100};
    static const size_t cuts[] = {0, 0, 300, 1000, 5000};
    world->network.jitter_ms = (int64_t)world_random(world, 400);
    world->network.lost_permille = lost[world_random(world, 4)];
    world->network.twice_permille = twice[world_random(world, 3)];
    for (unsigned i = 0; i < SIM_PARTIES; i++)
        world->members[i].cut_bytes = world_random(world, 4) ? 0 : cuts[world_random(world, 5)];
}

enum { BUSY_MS = 180000, QUIET_MS = 400000 };

static void seed_run(struct world *world)
{
    start_all(world);
    world_trouble_plan(world);
    if (world->seed % 3 == 0) {
        world->liar = world->seed % 2 ? SIM_VENDOR : 0;
        task_at(world, world->now + 20000 + (int64_t)world_random(world, 100000), liar_act, 0);
    }
    unsigned publications = 20 + (unsigned)world_random(world, 40), crashes = (unsigned)world_random(world, 20);
    for (unsigned i = 0; i < publications; i++) {
        unsigned owner = world_random(world, 2) ? SIM_VENDOR : (unsigned)world_random(world, SIM_PARTIES);
        task_at(world, world->now + (int64_t)world_random(world, BUSY_MS), publish_task, owner);
    }
    for (unsigned i = 0; i < crashes; i++)
        task_at(world, world->now + (int64_t)world_random(world, BUSY_MS), crash_task,
                (unsigned)world_random(world, SIM_PARTIES));
    world_run(world, world->now + BUSY_MS);
    world->faults_over = true;
    for (unsigned i = 0; i < SIM_PARTIES; i++) {
        world->members[i].fault = DISK_GOOD;
        world->members[i].cut_bytes = 0;
    }
    world_run(world, world->now + QUIET_MS);
    check_acknowledged(world);
    check_standing(world);
    check_notices(world);
    check_faces(world);
    check_rebuild(world);
    check_idle(world);
}

/* From publishing to the operator's notice, on 50 ms links with nothing else going on. */
static void latency_run(struct world *world)
{
    start_all(world);
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
        trouble(world, "publish to notice took %.1f round trips, more than 4", trips);
    world_run(world, world->now + QUIET_MS);
    check_acknowledged(world);
    check_standing(world);
    check_notices(world);
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
            check_acknowledged(world);
            check_standing(world);
            if (!world->trouble.len)
                break;
            if (i + 60 < most)
                buf_reset(&world->trouble);
        }
    }
    printf("# %s caught up %" PRIu64 " entries in %lld s, with every document in %lld s, %" PRIu64 " kB came in\n",
           member->name, size, (long long)(entries_at - from) / 1000, (long long)(world->now - from) / 1000,
           member->bytes_in / 1000);
    if (!entries_at)
        trouble(world, "%s holds %" PRIu64 " of %" PRIu64 " entries in all that time", member->name,
                member_log_size(member, SIM_VENDOR, &log), size);
    struct buf note;
    uint64_t mirrored = 0;
    buf_init(&note, NOTE_BYTES_MAX);
    if (who < SIM_STATES &&
        (member->store->ops->note_latest(member->store, log, NOTE_MIRRORED, &mirrored, &note) != 0 || mirrored != size))
        trouble(world, "%s has cosigned %" PRIu64 " of %" PRIu64, member->name, mirrored, size);
    buf_free(&note);
    check_rebuild(world);
}

static void missed_follower(struct world *world, const struct options *options)
{
    missed_run(world, options->missed, SIM_OPERATOR);
}

static void missed_mirror(struct world *world, const struct options *options)
{
    missed_run(world, options->missed, SIM_STATES - 1);
}

static void random_circle(struct world *world, const struct options *options)
{
    (void)options;
    seed_run(world);
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

static void member_show(struct member *member)
{
    struct buf text;
    struct span rest, line;
    if (!member->node)
        return;
    buf_init(&text, 1 << 20);
    node_status_json(member->node, member->world->now, &text);
    rest = buf_view(&text);
    while (span_line(&rest, &line))
        printf("#   %.*s\n", (int)line.len, (const char *)line.data);
    buf_free(&text);
}

/* One circle in a child: an abort or a fault of memory there is a failure of that seed alone. */
static bool circle_run(const struct keys_pool *keys, uint64_t seed, const struct options *options, const char *name,
                       void (*run)(struct world *world, const struct options *options))
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        static struct world world;
        if (world_open(&world, keys, seed) == 0)
            run(&world, options);
        uint64_t crashes = 0;
        for (unsigned i = 0; i < SIM_PARTIES; i++)
            crashes += world.members[i].crashes;
        if (options->json)
            printf("{\"scenario\":\"%s\",\"seed\":%" PRIu64 ",\"ok\":%s,\"virtual_ms\":%lld,\"steps\":%" PRIu64
                   ",\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"stated\":%zu,\"notices\":%zu,\"crashes\":%" PRIu64
                   ",\"two_faces\":%s}\n",
                   name, seed, world.trouble.len ? "false" : "true", (long long)(world.now - world.started),
                   world.steps, world.messages, world.bytes, world.stated_count, world.handed_count, crashes,
                   world.deceived >= 0 ? "true" : "false");
        else if (world.trouble.len || options->verbose)
            printf("# %" PRIu64 " steps, %" PRIu64 " messages, %zu stated, %zu notices handed over, %" PRIu64
                   " crashes%s\n",
                   world.steps, world.messages, world.stated_count, world.handed_count, crashes,
                   world.deceived >= 0 ? ", two faces" : "");
        if (world.trouble.len)
            (void)fwrite(world.trouble.data, 1, world.trouble.len, stdout);
        int status = world.trouble.len != 0;
        for (unsigned i = 0; status && options->verbose && i < SIM_PARTIES; i++)
            member_show(&world.members[i]);
        world_close(&world);
        (void)fflush(stdout);
        _exit(status);
    }
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int usage(void)
{
    (void)fprintf(
        stderr, "usage: comity-sim [--seeds N] [--seed S] [--scenario NAME|none] [--missed N] [--json] [--verbose]\n");
    return 2;
}

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
        else if (strcmp(argv[i], "--scenario") == 0 && value)
            options->scenario = argv[++i];
        else if (strcmp(argv[i], "--seeds") == 0 && numeric)
            options->seeds = number, i++;
        else if (strcmp(argv[i], "--seed") == 0 && numeric)
            options->seed = number, options->seeds = 1, i++;
        else if (strcmp(argv[i], "--missed") == 0 && numeric)
            options->missed = (unsigned)number, i++;
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 1, .seeds = UINT64_MAX, .missed = 5000};
    struct keys_pool keys;
    struct fault fault = {0};
    unsigned number = 0, bad = 0;
    if (!options_parse(&options, argc, argv))
        return usage();
    if (options.seeds == UINT64_MAX)
        options.seeds = options.scenario ? 0 : 20;
    if (keys_pool_make(&keys, &fault) != 0) {
        (void)fprintf(stderr, "%s\n", fault.detail);
        return 4;
    }
    bool all = !options.scenario && options.seeds != 1;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (!all && (!options.scenario || strcmp(options.scenario, scenarios[i].name) != 0))
            continue;
        bool good = circle_run(&keys, options.seed, &options, scenarios[i].name, scenarios[i].run);
        bad += !good;
        if (!options.json)
            printf("%s %u - scenario %s\n", good ? "ok" : "not ok", ++number, scenarios[i].name);
    }
    for (uint64_t s = 0; s < options.seeds; s++) {
        bool good = circle_run(&keys, options.seed + s, &options, "seed", random_circle);
        bad += !good;
        if (!options.json)
            printf("%s %u - seed %" PRIu64 "\n", good ? "ok" : "not ok", ++number, options.seed + s);
    }
    if (!options.json)
        printf("1..%u\n", number);
    keys_pool_free(&keys);
    return bad != 0;
}
