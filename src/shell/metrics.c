/* What the shell counts for node/metrics.c. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "shell/shell.h"

/* One store a process: its commit is replaced by one that takes the time. */
static struct {
    const struct store_ops *inner;
    struct store_ops ops;
    struct shell_counters *counters;
} timed;

static int statm = -1;

static double seconds_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int commit_timed(struct store *store)
{
    double start = seconds_now();
    int rc = timed.inner->commit(store);
    if (rc == 0)
        counters_commit(timed.counters, seconds_now() - start);
    return rc;
}

void metrics_time(struct store *store, struct shell_counters *counters)
{
    timed.inner = store->ops;
    timed.ops = *store->ops;
    timed.ops.commit = commit_timed;
    timed.counters = counters;
    store->ops = &timed.ops;
    statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

/* statm, proc(5): "SIZE RESIDENT ...", in pages. Where the file is out of reach, the peak must do. */
static uint64_t resident_bytes(const struct rusage *usage)
{
    char line[128];
    uint64_t pages = 0;
    ssize_t n = statm >= 0 ? pread(statm, line, sizeof line - 1, 0) : -1;
    line[n > 0 ? n : 0] = 0;
    const char *second = strchr(line, ' ');
    size_t len = second ? strcspn(second + 1, " ") : 0;
    return second && decimal_parse(span_of(second + 1, len), &pages) ? pages * (uint64_t)sysconf(_SC_PAGESIZE)
                                                                     : (uint64_t)usage->ru_maxrss * 1024;
}

void metrics_write(struct shell *shell, struct buf *out)
{
    struct shell_counters *counters = &shell->counters;
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    counters->resident_bytes = resident_bytes(&usage);
    counters->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                            (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    node_metrics(shell->node, counters, out);
}
