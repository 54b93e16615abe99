/* Who is affected, at the scale of a country: 10,000 inventories of 2,000 components and 300,000 advisories of ten ranges (--count N: N
   inventories, and as many advisories as belong to them). Names are drawn by Zipf's law, versions a package has few of, most of them by
   most; 8 of 10 ranges end before the newest version. All in processor time: nothing here waits for a disk. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "affected/catalogue.h"
#include "bench/bench.h"
#include "format/version.h"
#include "node/chunks.h"

enum { COMPONENTS = 2000, ROWS = 10, NAMES = 400000, VERSIONS_MAX = 24, ASKED = 2000, UPLOADS = 200 };

static struct bench bench;
static uint64_t state = 0x9e3779b97f4a7c15ull;
static double harmonic[NAMES]; /* cumulated weights */

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static unsigned name_draw(void)
{
    double at = (double)(draw() >> 11) * 0x1p-53 * harmonic[NAMES - 1];
    size_t low = 0, high = NAMES - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (harmonic[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return (unsigned)low;
}

/* Most have one of the last few of a package's versions. */
static unsigned version_draw(unsigned name)
{
    unsigned have = 2 + name * 2654435761u % (VERSIONS_MAX - 2), back = 0;
    while (back + 1 < have && draw() % 3 == 0)
        back++;
    return have - back;
}

static const char *const ecosystems[] = {"Debian:12", "npm", "Go", "Debian:13"};
struct texts {
    char name[32], version[24];
};

static struct span ecosystem_of(unsigned name)
{
    return span_str(ecosystems[name % 4]);
}

static void name_write(unsigned name, struct texts *t)
{
    (void)snprintf(t->name, sizeof t->name, name % 4 == 1 ? "@scope%u/lib-%u" : "lib%u-core%u", name % 97, name);
}

static void version_write(unsigned name, unsigned version, struct texts *t)
{
    (void)snprintf(t->version, sizeof t->version, name % 4 == 0 || name % 4 == 3 ? "%u.%u.%u-1" : "%u.%u.%u", name % 7,
                   version / 4, version % 4 * 3);
}

static struct component components[COMPONENTS];
static struct texts component_texts[COMPONENTS];

static void component_draw(size_t i)
{
    unsigned name = name_draw();
    name_write(name, &component_texts[i]);
    version_write(name, version_draw(name), &component_texts[i]);
    components[i] = (struct component){.ecosystem = ecosystem_of(name),
                                       .name = span_str(component_texts[i].name),
                                       .version = span_str(component_texts[i].version)};
}

static struct affected_package packages[ROWS];
static struct texts row_texts[ROWS][2];
static struct range ranges[ROWS];
static struct range_event events[ROWS][2];

static void advisory_draw(struct advisory *out)
{
    *out = (struct advisory){.packages = packages, .package_count = ROWS};
    for (size_t r = 0; r < ROWS; r++) {
        unsigned name = name_draw(), from = (unsigned)(draw() % 8), to = from + 1 + (unsigned)(draw() % 6);
        name_write(name, &row_texts[r][0]);
        version_write(name, from, &row_texts[r][0]);
        version_write(name, draw() % 5 ? to : VERSIONS_MAX + to, &row_texts[r][1]);
        events[r][0] = (struct range_event){EVENT_INTRODUCED, span_str(row_texts[r][0].version)};
        events[r][1] = (struct range_event){EVENT_FIXED, span_str(row_texts[r][1].version)};
        ranges[r] = (struct range){2, events[r]};
        packages[r] = (struct affected_package){.ecosystem = ecosystem_of(name),
                                                .name = span_str(row_texts[r][0].name),
                                                .order = order_of_ecosystem(ecosystem_of(name)),
                                                .range_count = 1,
                                                .ranges = &ranges[r]};
    }
}

struct affected {
    const struct catalogue *catalogue;
    uint64_t *set; /* of assets */
    size_t postings;
};

static int affected_take(void *ctx, const struct finding *f)
{
    struct affected *a = ctx;
    size_t count;
    const uint32_t *assets = catalogue_assets(a->catalogue, f->release, &count);
    for (size_t i = 0; i < count; i++)
        a->set[assets[i] >> 6] |= 1ull << (assets[i] & 63);
    a->postings += count;
    return 0;
}

static double resident_mib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        (void)fclose(file);
    return (double)pages * 4096 / 1048576;
}

static void tell(const char *what, const char *unit, double value, double floor, double target, bool lower)
{
    bench_report(
        &bench,
        &(struct bench_figure){
            .name = what, .unit = unit, .value = value, .floor = floor, .target = target, .lower_is_better = lower});
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* New advisories of ten packages: to the full set of affected inventories. */
static void advisories_ask(struct catalogue *c, uint32_t next, size_t assets)
{
    static double times[ASKED];
    struct affected a = {.catalogue = c, .set = calloc(assets / 64 + 1, sizeof *a.set)};
    struct advisory advisory;
    if (!a.set)
        bench_die("memory", E_NOMEM, NULL);
    for (size_t i = 0; i < ASKED; i++) {
        advisory_draw(&advisory);
        memset(a.set, 0, (assets / 64 + 1) * sizeof *a.set);
        double start = bench_processor();
        int rc = catalogue_advisory(c, next + (uint32_t)i, &advisory, affected_take, &a);
        times[i] = (bench_processor() - start) * 1e6;
        if (rc)
            bench_die("advisory", rc, NULL);
    }
    qsort(times, ASKED, sizeof *times, by_value);
    tell("advisory of 10 packages to its set of inventories, median", "us", times[ASKED / 2], 0, 0, true);
    tell("... 99th percentile", "us", times[ASKED * 99 / 100], 0, 1000, true);
    tell("... inventories met by one release each, on average", "", (double)a.postings / ASKED, 0, 0, true);
    free(a.set);
}

static void sbom_write(struct buf *out)
{
    buf_reset(out);
    buf_text(out, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[");
    for (size_t i = 0; i < COMPONENTS; i++) {
        static const struct {
            const char *before, *after;
        } forms[] = {{"pkg:deb/debian/", "?distro=debian-12"},
                     {"pkg:npm/%40", ""},
                     {"pkg:golang/", ""},
                     {"pkg:deb/debian/", "?distro=debian-13"}};
        const struct component *p = &components[i];
        size_t kind = 0;
        while (!span_is(p->ecosystem, ecosystems[kind]))
            kind++;
        struct span name = kind == 1 ? span_from(p->name, 1) : p->name;
        buf_printf(out,
                   "%s{\"type\":\"library\",\"bom-ref\":\"%zu\",\"name\":\"%.*s\",\"version\":\"%.*s\",\"purl\":\"",
                   i ? "," : "", i, (int)p->name.len, (const char *)p->name.data, (int)p->version.len,
                   (const char *)p->version.data);
        buf_printf(out, "%s%.*s@%.*s%s\"}", forms[kind].before, (int)name.len, (const char *)name.data,
                   (int)p->version.len, (const char *)p->version.data, forms[kind].after);
    }
    buf_text(out, "]}");
}

/* An upload of 2,000 components, of which one in twenty is another than the last time. */
static void uploads_ask(struct catalogue *c)
{
    static double whole[UPLOADS], parse[UPLOADS];
    struct buf text;
    buf_init(&text, INVENTORY_BYTES_MAX);
    for (size_t i = 0; i < COMPONENTS; i++)
        component_draw(i);
    for (size_t i = 0; i < UPLOADS + 1; i++) {
        struct arena arena;
        struct inventory inventory;
        struct fault fault = {0};
        for (size_t n = 0; n < COMPONENTS / 20; n++)
            component_draw(draw() % COMPONENTS);
        sbom_write(&text);
        arena_init(&arena, 64 << 20);
        double start = bench_processor();
        int rc = inventory_read(&inventory, buf_view(&text), span_of(NULL, 0), &arena, &fault);
        double parsed = bench_processor();
        rc = rc ? rc : catalogue_asset(c, 0, &inventory, NULL, NULL);
        if (rc)
            bench_die("upload", rc, &fault);
        if (i) { /* the first one takes the place of another organisation's */
            whole[i - 1] = (bench_processor() - start) * 1e3;
            parse[i - 1] = (parsed - start) * 1e3;
        }
        arena_free(&arena);
    }
    buf_free(&text);
    tell("upload of 2,000 components parsed, differenced, matched", "ms", bench_median(whole, UPLOADS),
         bench_median(parse, UPLOADS), 0, true);
    tell("... 99th percentile", "ms", whole[UPLOADS * 99 / 100 - 1], 0, 15, true);
}

/* The snapshot: written to a database as a node does, and read back into a catalogue that says the same. */

static char folder[] = "/tmp/comity-bench-XXXXXX", database[64], blobs[64];

static void folder_drop(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char name[96];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", database, ends[i]);
        (void)unlink(name);
    }
    (void)rmdir(blobs);
    (void)rmdir(folder);
}

static int plain_write(void *ctx, struct span bytes)
{
    return fwrite(bytes.data, 1, bytes.len, ctx) == bytes.len ? 0 : E_IO;
}

/* The same bytes as one plain file, read into memory that is new: the least that a start from it takes. */
static double floor_read(const struct catalogue *c)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s/plain", folder);
    FILE *file = fopen(name, "w+be");
    if (!file || catalogue_save(c, plain_write, file) != 0 || fflush(file) != 0)
        bench_die("plain file", E_IO, NULL);
    size_t size = (size_t)ftell(file);
    rewind(file);
    double start = bench_processor();
    uint8_t *all = malloc(size);
    if (!all || fread(all, 1, size, file) != size)
        bench_die("plain file", E_IO, NULL);
    double took = bench_processor() - start;
    free(all);
    (void)fclose(file);
    (void)unlink(name);
    return took;
}

static double database_mib(void)
{
    FILE *file = fopen(database, "rbe");
    double size = file && fseek(file, 0, SEEK_END) == 0 ? (double)ftell(file) / 1048576 : 0;
    if (file)
        (void)fclose(file);
    return size;
}

static void snapshot_write(struct catalogue *c, struct store *store)
{
    struct chunks chunks;
    chunks_open(&chunks, store, span_str("catalogue0"));
    double start = bench_processor();
    int rc = store->ops->begin(store);
    rc = rc ? rc : catalogue_save(c, chunks_write, &chunks);
    rc = rc ? rc : chunks_end(&chunks);
    rc = rc ? rc : store->ops->commit(store);
    if (rc)
        bench_die("snapshot", rc, NULL);
    tell("snapshot written", "ms", (bench_processor() - start) * 1e3, 0, 0, true);
    tell("... before packing", "MiB", (double)chunks.bytes / 1048576, 0, 0, true);
    chunks_close(&chunks);
}

static struct catalogue *snapshot_read(struct store *store, double floor)
{
    struct catalogue *c;
    struct chunks chunks;
    chunks_open(&chunks, store, span_str("catalogue0"));
    double start = bench_processor();
    int rc = catalogue_load(&c, chunks_read, &chunks);
    if (rc)
        bench_die("snapshot", rc, NULL);
    tell("snapshot read back, checked", "ms", (bench_processor() - start) * 1e3, floor * 1e3, 0, true);
    chunks_close(&chunks);
    return c;
}

static struct catalogue *snapshot_ask(struct catalogue *c, double before)
{
    struct store *store = NULL;
    struct fault fault = {0};
    struct catalogue_size was, is;
    if (!mkdtemp(folder))
        bench_die("folder", E_IO, NULL);
    (void)snprintf(database, sizeof database, "%s/state.db", folder);
    (void)snprintf(blobs, sizeof blobs, "%s/blobs", folder);
    int rc = store_sqlite_open(&store, database, blobs, &fault);
    if (rc)
        bench_die("store", rc, &fault);
    catalogue_size(c, &was);
    snapshot_write(c, store);
    double floor = floor_read(c);
    catalogue_free(c);
    store->ops->close(store);
    tell("... in the database", "MiB", database_mib(), 0, 0, true);
    rc = store_sqlite_open(&store, database, blobs, &fault);
    if (rc)
        bench_die("store", rc, &fault);
    c = snapshot_read(store, floor);
    tell("resident after a start from it", "MiB", resident_mib() - before, 0, was.assets >= 10000 ? 700 : 0, true);
    catalogue_size(c, &is);
    if (was.findings != is.findings || was.postings != is.postings || was.ranges != is.ranges)
        bench_die("another catalogue was read than written", E_CORRUPT, NULL);
    store->ops->close(store);
    folder_drop();
    return c;
}

int main(int argc, char **argv)
{
    struct catalogue *c;
    struct catalogue_size size;
    struct advisory advisory;
    bench_start(&bench, "catalogue", argc, argv);
    size_t assets = bench.count ? bench.count : 10000, advisories = assets * 30;
    for (size_t i = 0; i < NAMES; i++)
        harmonic[i] = (i ? harmonic[i - 1] : 0) + 1 / pow((double)i + 20, 0.9);
    double before = resident_mib();
    if (catalogue_new(&c) != 0)
        bench_die("memory", E_NOMEM, NULL);
    double start = bench_processor();
    for (size_t i = 0; i < advisories; i++) {
        advisory_draw(&advisory);
        int rc = catalogue_advisory(c, (uint32_t)i, &advisory, NULL, NULL);
        if (rc)
            bench_die("advisories", rc, NULL);
    }
    tell("advisories taken in", "/s", (double)advisories / (bench_processor() - start), 0, 0, false);
    start = bench_processor();
    for (size_t i = 0; i < assets; i++) {
        for (size_t n = 0; n < COMPONENTS; n++)
            component_draw(n);
        const struct inventory inventory = {.components = components, .count = COMPONENTS};
        int rc = catalogue_asset(c, (uint32_t)i, &inventory, NULL, NULL);
        if (rc)
            bench_die("inventories", rc, NULL);
    }
    tell("component rows taken in", "/s", (double)(assets * COMPONENTS) / (bench_processor() - start), 0, 0, false);
    double resident = resident_mib() - before;
    catalogue_size(c, &size);
    tell("component rows, distinct in their inventory", "", (double)size.postings, 0, 0, false);
    tell("ranges", "", (double)size.ranges, 0, 0, false);
    tell("releases", "", (double)size.releases, 0, 0, false);
    tell("findings of releases", "", (double)size.findings, 0, 0, false);
    tell("resident for it", "MiB", resident, 0, assets >= 10000 ? 700 : 0, true);
    c = snapshot_ask(c, before);
    advisories_ask(c, (uint32_t)advisories, assets);
    uploads_ask(c);
    catalogue_free(c);
    return 0;
}
