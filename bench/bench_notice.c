/* From "accepted" to "told": six nodes run in DIR (bench/notice.sh starts them); the vendor publishes advisories one by one, and from
   its answer on, which comes when the statement is durable, the time runs until the operator's notice is durable and can be read. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/bench.h"

enum { COUNT = 50, WAIT_SECONDS = 20 };

static void advisory_write(struct buf *out, unsigned number, const char *id)
{
    buf_reset(out);
    buf_printf(out,
               "{\"schema_version\": \"1.6.0\", \"id\": \"%s\", \"modified\": \"2026-01-01T00:00:00Z\", \"summary\": "
               "\"Advisory %u\","
               " \"affected\": [{\"package\": {\"ecosystem\": \"Debian:12\", \"name\": \"glibc\"}, \"ranges\": "
               "[{\"type\": \"ECOSYSTEM\","
               " \"events\": [{\"introduced\": \"0\"}, {\"fixed\": \"2.36-9+deb12u3\"}]}]}]}\n",
               id, number);
}

static bool told(const char *operator, const char * id, struct buf *answer)
{
    return bench_request(operator, "GET", "/api/v1/notices", span_of(NULL, 0), answer) == 200 &&
           strstr((const char *)answer->data, id);
}

/* Milliseconds; `accepting` gets those that the vendor's node took to answer. */
static double one(const char *vendor, const char *operator, unsigned number, double *accepting, struct buf *answer)
{
    struct buf advisory;
    char id[32];
    const struct timespec pause = {.tv_nsec = 500000};
    buf_init(&advisory, 65536);
    (void)snprintf(id, sizeof id, "VENDOR-BENCH-%05u", number);
    advisory_write(&advisory, number, id);
    double asked = bench_now();
    if (bench_request(vendor, "POST", "/api/v1/publish?open=1", buf_view(&advisory), answer) != 201)
        bench_die(answer->data ? (const char *)answer->data : "publish", E_PEER, NULL);
    double accepted = bench_now();
    *accepting = (accepted - asked) * 1000;
    while (!told(operator, id, answer)) {
        if (bench_now() - accepted > WAIT_SECONDS)
            bench_die("no notice came", E_PEER, NULL);
        (void)nanosleep(&pause, NULL);
    }
    buf_free(&advisory);
    return (bench_now() - accepted) * 1000;
}

int main(int argc, char **argv)
{
    struct bench bench;
    char vendor[512], operator[512];
    struct buf answer;
    const struct timespec pause = {.tv_nsec = 100000000};
    bench_start(&bench, "notice", argc, argv);
    size_t count = bench.count ? (size_t)bench.count : COUNT;
    double *times = calloc(count, sizeof *times), *accepting = calloc(count, sizeof *accepting);
    if (!bench.program || !times || !accepting) /* --program names the folder of the circle here */
        bench_die("--program DIR is missing", E_USAGE, NULL);
    (void)snprintf(vendor, sizeof vendor, "%s/vendor", bench.program);
    (void)snprintf(operator, sizeof operator, "%s/operator", bench.program);
    buf_init(&answer, 16 << 20);
    for (size_t i = 0; i < count; i++) {
        times[i] = one(vendor, operator,(unsigned) i, &accepting[i], &answer);
        (void)nanosleep(&pause, NULL); /* the mirrors' work of one advisory is not the next one's delay */
    }
    double median = bench_median(times, count);
    bench_report(&bench, &(struct bench_figure){.name = "accepted to durable notice, median",
                                                .unit = "ms",
                                                .value = median,
                                                .target = 20,
                                                .lower_is_better = true});
    bench_report(&bench, &(struct bench_figure){.name = "accepted to durable notice, 99th percentile",
                                                .unit = "ms",
                                                .value = times[(count * 99 + 99) / 100 - 1],
                                                .target = 100,
                                                .lower_is_better = true});
    bench_report(&bench, &(struct bench_figure){.name = "publish to accepted, median",
                                                .unit = "ms",
                                                .value = bench_median(accepting, count)});
    free(times);
    free(accepting);
    buf_free(&answer);
    return 0;
}
