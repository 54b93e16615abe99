/* Throughput of json_parse over folders of JSON files, with simdjson's bare walk as the floor and jansson for
   comparison. bench_json [--json] [FOLDER...]; without folders $COMITY_DATA's. Each file is parsed by itself, as a node
   meets it. */
#include "bench/bench_json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "format/advisory.h"

enum { FILES_MAX = 200000, PASSES_MIN = 3 };
static const double seconds_min = 1.0;

struct corpus {
    const char *name;
    struct span *files;
    size_t count, bytes, refused;
};

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void load_file(struct corpus *corpus, const char *path, size_t size)
{
    uint8_t *data = corpus->count < FILES_MAX ? malloc(size + 1) : NULL;
    FILE *file = data ? fopen(path, "rb") : NULL;
    size_t n = file ? fread(data, 1, size, file) : 0;
    if (file)
        (void)fclose(file);
    if (n != size || n == 0) {
        free(data);
        return;
    }
    corpus->files[corpus->count++] = span_of(data, n);
    corpus->bytes += n;
}

static void load(struct corpus *corpus, const char *path)
{
    DIR *dir = opendir(path);
    char name[4096];
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat st;
        int len = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || len >= (int)sizeof name || stat(name, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            load(corpus, name);
        else if (len > 5 && !strcmp(name + len - 5, ".json"))
            load_file(corpus, name, (size_t)st.st_size);
    }
    if (dir)
        (void)closedir(dir);
}

static bool parse_ours(struct span text)
{
    struct arena arena;
    const struct json *root;
    arena_init(&arena, 16 * (size_t)JSON_BYTES_MAX);
    int rc = json_parse(&root, text, JSON_BYTES_MAX, &arena, NULL);
    arena_free(&arena);
    return rc == 0;
}

static bool parse_with(int (*read)(struct advisory *, struct span, struct arena *, struct fault *), struct span text)
{
    struct arena arena;
    struct advisory a;
    arena_init(&arena, 16 * (size_t)JSON_BYTES_MAX);
    int rc = read(&a, text, &arena, NULL);
    arena_free(&arena);
    return rc == 0;
}

static bool parse_csaf(struct span text)
{
    return parse_with(advisory_read_csaf, text);
}

static bool parse_osv(struct span text)
{
    return parse_with(advisory_read_osv, text);
}

static const struct {
    const char *name;
    bool (*parse)(struct span text);
} ways[] = {{"json_parse", parse_ours},
            {"simdjson", bench_simdjson},
            {"jansson", bench_jansson},
            {"read_csaf", parse_csaf},
            {"read_osv", parse_osv}};

/* The best pass counts: noise only ever slows. */
static double measure(struct corpus *corpus, bool (*parse)(struct span text))
{
    double best = 0, start = now();
    corpus->refused = 0;
    for (int pass = 0; pass < PASSES_MIN || now() - start < seconds_min; pass++) {
        double from = now();
        size_t refused = 0;
        for (size_t i = 0; i < corpus->count; i++)
            refused += !parse(corpus->files[i]);
        double took = now() - from;
        best = pass == 0 || took < best ? took : best;
        corpus->refused = refused;
    }
    return best;
}

static void report(struct corpus *corpus, bool as_json)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (!ways[i].parse(corpus->files[0])) /* a reader of another format */
            continue;
        double took = measure(corpus, ways[i].parse), rate = (double)corpus->bytes / 1e6 / took;
        if (as_json)
            printf("{\"bench\":\"json\",\"corpus\":\"%s\",\"files\":%zu,\"bytes\":%zu,\"way\":\"%s\",\"mb_per_s\":%.1f,"
                   "\"files_per_s\":%.0f,"
                   "\"refused\":%zu}\n",
                   corpus->name, corpus->count, corpus->bytes, ways[i].name, rate, (double)corpus->count / took,
                   corpus->refused);
        else
            printf("%-16s %6zu files %6.1f MB  %-14s %8.1f MB/s %9.0f files/s%s\n", corpus->name, corpus->count,
                   (double)corpus->bytes / 1e6, ways[i].name, rate, (double)corpus->count / took,
                   corpus->refused ? "  (some refused)" : "");
    }
}

static bool run(const char *path, bool as_json)
{
    const char *slash = strrchr(path, '/');
    struct corpus corpus = {.name = slash && slash[1] ? slash + 1 : path,
                            .files = calloc(FILES_MAX, sizeof *corpus.files)};
    if (corpus.files)
        load(&corpus, path);
    if (corpus.count)
        report(&corpus, as_json);
    else
        fprintf(stderr, "%s: no JSON files\n", path);
    bool good = corpus.count > 0;
    for (size_t i = 0; i < corpus.count; i++)
        free((void *)(uintptr_t)corpus.files[i].data);
    free(corpus.files);
    return good;
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"csaf-cisa", "osv-go", "osv-almalinux"};
    const char *data = getenv("COMITY_DATA");
    bool as_json = false, any = false, good = true;
    for (int i = 1; i < argc; i++)
        as_json = as_json || !strcmp(argv[i], "--json");
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") != 0) {
            good = run(argv[i], as_json) && good;
            any = true;
        }
    for (size_t i = 0; !any && data && i < sizeof usual / sizeof usual[0]; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", data, usual[i]);
        good = run(path, as_json) && good;
    }
    if (!any && !data) {
        fprintf(stderr, "usage: bench_json [--json] FOLDER...   (or set COMITY_DATA to a folder with csaf-cisa, "
                        "osv-go, osv-almalinux)\n");
        return 2;
    }
    return good ? 0 : 1;
}
