/* Memory of an idle node that holds 100,000 statements: the proportional set sizes of supervisor, node and signer together, some
   seconds after it took in the last of them and refolded all its views. --program is the comity executable; --count the number of statements. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

enum { COUNT = 100000, PROCESSES_MAX = 8, WORK_COUNT = 500, SETTLE_SECONDS = 4 };

static long field(const char *path, const char *name)
{
    char line[256];
    long value = -1;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    if (file)
        (void)fclose(file);
    return value;
}

/* `pids` gets the process and all that descend from it. */
static size_t family(pid_t first, pid_t pids[static PROCESSES_MAX])
{
    size_t count = 1;
    pids[0] = first;
    for (size_t i = 0; i < count; i++) {
        DIR *proc = opendir("/proc");
        const struct dirent *entry;
        while (proc && (entry = readdir(proc)) && count < PROCESSES_MAX) {
            char path[300];
            (void)snprintf(path, sizeof path, "/proc/%s/status", entry->d_name);
            if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && field(path, "PPid:") == pids[i])
                pids[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
        }
        if (proc)
            (void)closedir(proc);
    }
    return count;
}

static pid_t node_start(const char *program, const char *dir)
{
    int ready[2];
    char line[128] = "";
    if (pipe(ready) != 0)
        bench_die("pipe", E_IO, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ready[1], STDOUT_FILENO);
        (void)close(ready[0]);
        (void)execl(program, program, "-C", dir, "serve", (char *)NULL);
        _exit(127);
    }
    (void)close(ready[1]);
    if (pid < 0 || read(ready[0], line, sizeof line - 1) <= 0 || strncmp(line, "ready", 5) != 0)
        bench_die(program, E_STATE, NULL);
    return pid;
}

/* So that its caches and heap are those of a node that has worked: statements over its own socket, and its views read. */
static void node_work(const char *dir)
{
    struct buf answer;
    char text[256], target[128];
    buf_init(&answer, 64 << 20);
    for (unsigned i = 0; i < WORK_COUNT; i++) {
        (void)snprintf(target, sizeof target, "/api/v1/statements?media=text/plain&subject=later-%u", i);
        size_t len = bench_document(((uint64_t)1 << 32) + i, text);
        if (bench_request(dir, "POST", target, span_of(text, len), &answer) != 201)
            bench_die("a statement over the socket", E_PEER, NULL);
    }
    if (bench_request(dir, "GET", "/api/v1/status", span_of(NULL, 0), &answer) != 200 ||
        bench_request(dir, "POST", "/api/v1/rebuild", span_of(NULL, 0), &answer) != 200)
        bench_die("status, rebuild", E_PEER, NULL);
    buf_free(&answer);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct bench_circle circle;
    pid_t pids[PROCESSES_MAX];
    char name[96];
    double total = 0, resident = 0;
    bench_start(&bench, "idle", argc, argv);
    uint64_t size = bench.count ? bench.count : COUNT;
    if (!bench.program)
        bench_die("--program is missing", E_USAGE, NULL);
    bench_circle_make(&circle);
    bench_circle_open(&circle);
    bench_state(&circle, 0, (size_t)size);
    bench_circle_close(&circle);
    pid_t node = node_start(bench.program, circle.dir);
    node_work(circle.dir);
    (void)sleep(SETTLE_SECONDS);
    size_t count = family(node, pids);
    for (size_t i = 0; i < count; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pids[i]);
        double pss = (double)field(path, "Pss:") / 1024;
        (void)snprintf(name, sizeof name, "process %zu of %zu (0 supervisor, 1 node, 2 signer)", i, count);
        bench_report(&bench, &(struct bench_figure){.name = name, .unit = "MiB", .value = pss});
        total += pss;
        resident += (double)field(path, "Rss:") / 1024;
    }
    (void)kill(node, SIGTERM);
    (void)waitpid(node, NULL, 0);
    (void)snprintf(name, sizeof name, "idle node, %llu statements", (unsigned long long)size);
    bench_report(&bench, &(struct bench_figure){
                             .name = name, .unit = "MiB", .value = total, .target = 40, .lower_is_better = true});
    bench_report(&bench, &(struct bench_figure){.name = "the same, shared pages counted for each process",
                                                .unit = "MiB",
                                                .value = resident});
    bench_circle_drop(&circle);
    return count == 3 ? 0 : 1;
}
