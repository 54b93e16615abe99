/* Faults on the real store, signer state and engine: driver calls|allocations|power|sync|keys [--all] [--seed N] [--most N] [--only CALL] */
#include "tests/faults/driver.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/sign.h"
#include "tests/test.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void folder_empty(const char *folder)
{
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (mkdir(folder, 0700) != 0)
        abort();
}

struct world *world_of(struct driver *driver)
{
    struct world *world = calloc(1, sizeof *world);
    if (!world)
        abort();
    world->cast = &driver->cast;
    world->folder = driver->folder;
    world->baseline = &driver->shared->baseline;
    return world;
}

void outcome_take(struct driver *driver, const struct world *world)
{
    struct outcome *outcome = &driver->shared->outcome;
    outcome->stops = world->stops;
    outcome->code = world->stop_code;
    outcome->closing = world->closing_fired;
    outcome->fired = interpose_fired();
    memcpy(outcome->trouble, world->trouble, sizeof outcome->trouble);
    outcome->ended = true;
}

/* Did the run say this on its standard error? */
static bool said(const struct driver *driver, const char *what)
{
    char line[256] = "";
    bool found = false;
    FILE *file = fopen(driver->words, "r");
    while (file && fgets(line, sizeof line, file))
        found = found || strstr(line, what);
    if (file)
        (void)fclose(file);
    return found;
}

bool run_forked(struct driver *driver, void (*play)(struct driver *, void *ctx), void *ctx)
{
    struct outcome *outcome = &driver->shared->outcome;
    int status = 0;
    *outcome = (struct outcome){0};
    folder_empty(driver->folder);
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        (void)setrlimit(RLIMIT_CPU, &(struct rlimit){RUN_CPU_SECONDS_MAX, RUN_CPU_SECONDS_MAX});
        (void)alarm(RUN_SECONDS_MAX); /* on a busy machine a run waits long for its turn */
        if (!freopen(driver->words, "w", stderr))
            _exit(1);
        play(driver, ctx);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    outcome->stopped =
        !outcome->ended && WIFEXITED(status) && WEXITSTATUS(status) == 4 && said(driver, "memory is exhausted");
    if (!outcome->ended)
        (void)snprintf(outcome->trouble, sizeof outcome->trouble, "the process ended by %s %d",
                       WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : status >> 8);
    return outcome->ended && !outcome->trouble[0];
}

static bool driver_open(struct driver *driver)
{
    const char *tmp = getenv("TMPDIR");
    struct fault fault = {0};
    tmp = tmp ? tmp : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(driver->base, sizeof driver->base, "%.60s/comity-faults-XXXXXX", tmp);
    if (crypto_start() != 0 || !mkdtemp(driver->base))
        return false;
    (void)snprintf(driver->folder, sizeof driver->folder, "%.90s/alpha", driver->base);
    (void)snprintf(driver->words, sizeof driver->words, "%.90s/words", driver->base);
    driver->shared =
        mmap(NULL, sizeof *driver->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int rc = cast_make(&driver->cast, driver->base, &fault);
    if (rc)
        printf("# %s: %s %s\n", error_text(rc)->id, fault.where, fault.detail);
    interpose_watch(driver->folder);
    return rc == 0 && driver->shared != MAP_FAILED;
}

static const struct {
    const char *name;
    int (*run)(struct driver *);
} passes[] = {{"calls", pass_calls},
              {"allocations", pass_allocations},
              {"power", pass_power},
              {"sync", pass_sync},
              {"keys", pass_keys}};

int main(int argc, char **argv)
{
    static struct driver driver;
    driver.seed = 1;
    driver.only = SIZE_MAX;
    driver.most = TRIES_MOST;
    for (int i = 2; i < argc; i++) {
        driver.all = driver.all || strcmp(argv[i], "--all") == 0;
        if (strcmp(argv[i], "--most") == 0 && i + 1 < argc)
            driver.most = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            driver.only = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            driver.seed = strtoull(argv[i + 1], NULL, 10);
    }
    for (size_t i = 0; argc > 1 && i < sizeof passes / sizeof passes[0]; i++) {
        if (strcmp(passes[i].name, argv[1]) != 0)
            continue;
        if (!driver_open(&driver)) {
            perror("driver");
            return 1;
        }
        int rc = passes[i].run(&driver);
        (void)nftw(driver.base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        return rc;
    }
    (void)fprintf(stderr,
                  "usage: driver calls|allocations|power|sync|keys [--all] [--seed N] [--most N] [--only CALL]\n");
    return 2;
}
