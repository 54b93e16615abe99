/* How many comparisons of versions, and how many advisories against an inventory of 2,000 components, a second. */
#include <stdio.h>

#include "affected/match.h"
#include "bench/bench.h"
#include "format/version.h"

enum { COMPONENTS = 2000, ADVISORIES = 200000, COMPARISONS = 5000000 };

static struct bench bench;

static void tell(const char *what, double rate)
{
    bench_report(&bench, &(struct bench_figure){.name = what, .unit = "/s", .value = rate});
}

static void compare_many(const char *what, enum order order, const char *a, const char *b)
{
    struct span x = span_str(a), y = span_str(b);
    int result;
    volatile int sum = 0; /* so that nothing is left out */
    double start = bench_now();
    for (int i = 0; i < COMPARISONS; i++)
        sum = sum + (version_compare(order, i & 1 ? x : y, x, &result) ? result : 0);
    tell(what, COMPARISONS / (bench_now() - start));
}

static int count_visit(void *ctx, enum verdict verdict, const struct evidence *evidence)
{
    (void)evidence;
    *(int *)ctx += verdict == VERDICT_AFFECTED;
    return 0;
}

static void match_many(void)
{
    static struct component components[COMPONENTS];
    static char names[COMPONENTS][16];
    static const struct range_event events[] = {{EVENT_INTRODUCED, {(const uint8_t *)"0", 1}},
                                                {EVENT_FIXED, {(const uint8_t *)"5.6.1+really5.4.5-1", 19}}};
    const struct range range = {2, events};
    for (int i = 0; i < COMPONENTS; i++) {
        (void)snprintf(names[i], sizeof names[i], "package-%d", i);
        components[i] = (struct component){
            .ecosystem = span_str("Debian:12"), .name = span_str(names[i]), .version = span_str("5.6.0-0.2")};
    }
    const struct inventory inventory = {.format = "dpkg", .count = COMPONENTS, .components = components};
    struct affected_package package = {
        .ecosystem = span_str("Debian:12"), .order = ORDER_DEBIAN, .range_count = 1, .ranges = &range};
    const struct advisory advisory = {.package_count = 1, .packages = &package};
    struct match_index *index;
    int hits = 0;
    if (match_index_new(&index, &inventory) != 0)
        return;
    for (int kept = 0; kept < 2; kept++) {
        int count = kept ? ADVISORIES : ADVISORIES / 100;
        double start = bench_now();
        for (int i = 0; i < count; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "package-%d", i % (10 * COMPONENTS));
            package.name = span_str(name);
            (void)(kept ? match_index_run(index, &advisory, count_visit, &hits)
                        : match_inventory(&advisory, &inventory, count_visit, &hits));
        }
        tell(kept ? "advisories against an inventory of 2,000" : "the same, with an index made for each",
             count / (bench_now() - start));
    }
    if (!hits)
        bench_die("no hits", E_STATE, NULL);
    match_index_free(index);
}

int main(int argc, char **argv)
{
    bench_start(&bench, "version", argc, argv);
    compare_many("Debian comparisons", ORDER_DEBIAN, "1:5.6.0+dfsg-0.2", "1:5.6.0+dfsg-0.10~bpo12+1");
    compare_many("SemVer comparisons", ORDER_SEMVER, "1.22.333-rc.1+build", "1.22.333-rc.11");
    match_many();
    return 0;
}
