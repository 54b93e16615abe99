/* comity affected: a scanner that needs no node. All inventories go into one catalogue; each advisory is read once, asked of it, and only
   where it meets something judged in full. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "affected/catalogue.h"
#include "cli/cli.h"

enum { FILES_MAX = 4096 };

struct asset { /* one inventory */
    const char *path;
    struct arena arena;
    struct buf bytes;
    struct inventory inventory;
    struct match_index *index;
};
struct hit {
    uint32_t asset;
    enum verdict verdict;
    char *advisory, *title, *component, *version, *ecosystem, *purl, *place, *reason, *file;
};
struct problem {
    char *file, *what;
};
struct scan {
    struct cli *cli;
    struct catalogue *catalogue;
    struct asset *assets;
    size_t asset_count;
    struct hit *hits;
    size_t hit_count, hit_cap;
    struct problem *problems;
    size_t problem_count, problem_cap;
    uint64_t advisories, bytes;
    size_t affected, undecided;
    bool with_undecided;
    const struct advisory *advisory; /* at hand, of this file */
    const char *file;
    uint64_t *touched; /* assets that the advisory at hand meets */
    time_t shown_at;
};

static char *keep(struct span text)
{
    char *copy = malloc(text.len + 1);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    return copy;
}

static int room(void **items, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return 0;
    size_t more = *cap ? *cap * 2 : 256;
    void *bigger = realloc(*items, more * size);
    if (!bigger)
        return E_NOMEM;
    *items = bigger;
    *cap = more;
    return 0;
}

/* One broken record is told and counted, and never stops the rest. */
static int problem_add(struct scan *s, const char *file, const char *where, const char *what)
{
    char text[512];
    (void)snprintf(text, sizeof text, "%s%s%s", where, where[0] ? ": " : "", what);
    int rc = room((void **)&s->problems, &s->problem_cap, s->problem_count, sizeof *s->problems);
    struct problem p = {.file = keep(span_str(file)), .what = keep(span_str(text))};
    if (rc || !p.file || !p.what) {
        free(p.file);
        free(p.what);
        return E_NOMEM;
    }
    s->problems[s->problem_count++] = p;
    return 0;
}

static int fault_add(struct scan *s, const char *file, const struct fault *fault)
{
    char text[400];
    (void)snprintf(text, sizeof text, "%s%s%s", error_text(fault->code)->message, fault->detail[0] ? ": " : "",
                   fault->detail);
    return problem_add(s, file, fault->where, text);
}

/* Inventories */

static int asset_problems(struct scan *s, const struct asset *a)
{
    int rc = 0;
    for (size_t i = 0; i < a->inventory.count && rc == 0; i++) {
        const struct component *c = &a->inventory.components[i];
        char where[200];
        (void)snprintf(where, sizeof where, "%.*s", c->path.len < 180 ? (int)c->path.len : 180,
                       (const char *)c->path.data);
        rc = c->problem ? problem_add(s, a->path, where, c->problem) : 0;
    }
    return rc;
}

static int asset_read(struct scan *s, struct asset *a, const char *path, struct span distribution)
{
    struct fault fault = {0};
    a->path = path;
    arena_init(&a->arena, 4 * (size_t)INVENTORY_BYTES_MAX);
    int rc = file_read(path, INVENTORY_BYTES_MAX, &a->bytes, &fault);
    rc = rc ? rc : inventory_read(&a->inventory, buf_view(&a->bytes), distribution, &a->arena, &fault);
    if (rc == E_NOMEM)
        return rc;
    if (rc) {
        a->inventory = (struct inventory){0};
        fault.code = rc;
        return fault_add(s, path, &fault);
    }
    rc = match_index_new(&a->index, &a->inventory);
    rc = rc ? rc : catalogue_asset(s->catalogue, (uint32_t)(a - s->assets), &a->inventory, NULL, NULL);
    return rc ? rc : asset_problems(s, a);
}

/* Advisories */

static int hit_take(void *ctx, enum verdict verdict, const struct evidence *e)
{
    struct scan *s = ctx;
    uint32_t asset = (uint32_t)(s->touched[0] >> 32);
    if (verdict != VERDICT_AFFECTED && verdict != VERDICT_UNDECIDED)
        return 0;
    s->affected += verdict == VERDICT_AFFECTED;
    s->undecided += verdict == VERDICT_UNDECIDED;
    if (verdict == VERDICT_UNDECIDED && !s->with_undecided)
        return 0;
    int rc = room((void **)&s->hits, &s->hit_cap, s->hit_count, sizeof *s->hits);
    if (rc)
        return rc;
    struct hit *h = &s->hits[s->hit_count++];
    *h = (struct hit){.asset = asset,
                      .verdict = verdict,
                      .advisory = keep(s->advisory->id),
                      .title = keep(s->advisory->title),
                      .component = keep(e->component->name),
                      .version = keep(e->version),
                      .ecosystem = keep(e->component->ecosystem),
                      .purl = keep(e->component->purl),
                      .place = keep(e->component->path),
                      .reason = keep(span_str(e->reason)),
                      .file = keep(span_str(s->file))};
    return h->advisory && h->title && h->component && h->version && h->ecosystem && h->purl && h->place && h->reason &&
                   h->file
               ? 0
               : E_NOMEM;
}

struct meeting {
    const struct catalogue *catalogue;
    uint64_t *set;
};

static int meeting_take(void *ctx, const struct finding *f)
{
    struct meeting *m = ctx;
    size_t count;
    const uint32_t *assets = catalogue_assets(m->catalogue, f->release, &count);
    for (size_t i = 0; i < count; i++)
        m->set[1 + assets[i] / 64] |= 1ull << assets[i] % 64;
    return 0;
}

static int advisory_judge(struct scan *s, const struct advisory *advisory)
{
    struct meeting m = {.catalogue = s->catalogue, .set = s->touched};
    memset(s->touched, 0, (s->asset_count / 64 + 2) * sizeof *s->touched);
    s->advisory = advisory;
    int rc = catalogue_ask(s->catalogue, advisory, meeting_take, &m);
    for (size_t word = 0; word <= s->asset_count / 64 && rc == 0; word++)
        for (uint64_t left = s->touched[1 + word]; left && rc == 0; left &= left - 1) {
            size_t asset = word * 64 + (size_t)__builtin_ctzll(left);
            s->touched[0] = (uint64_t)asset << 32;
            rc = match_index_run(s->assets[asset].index, advisory, hit_take, s);
        }
    s->advisory = NULL;
    return rc;
}

/* What is wrong with parts of a record that is read all the same. */
static int record_problems(struct scan *s, const struct advisory *advisory)
{
    int rc = 0;
    for (size_t i = 0; i < advisory->problem_count && rc == 0; i++) {
        const struct record_problem *p = &advisory->problems[i];
        char where[200], what[200];
        (void)snprintf(where, sizeof where, "%.*s", p->path.len < 180 ? (int)p->path.len : 180,
                       (const char *)p->path.data);
        (void)snprintf(what, sizeof what, "%.*s", p->text.len < 180 ? (int)p->text.len : 180,
                       (const char *)p->text.data);
        rc = problem_add(s, s->file, where, what);
    }
    return rc;
}

/* Guessed by a text that only one kind has; when the guess fails, the others are tried. */
static int advisory_parse(struct advisory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    static const struct {
        const char *sign, *media;
    } kinds[] = {{"\"csaf_version\"", MEDIA_CSAF}, {"\"CVE_RECORD\"", MEDIA_CVE}, {"\"modified\"", MEDIA_OSV}};
    size_t guess = 0, count = sizeof kinds / sizeof kinds[0];
    while (guess + 1 < count && !memmem(bytes.data, bytes.len, kinds[guess].sign, strlen(kinds[guess].sign)))
        guess++;
    int rc = advisory_read(out, span_str(kinds[guess].media), bytes, arena, fault);
    for (size_t i = 0; i < count && rc && rc != E_NOMEM; i++)
        if (i != guess && advisory_read(out, span_str(kinds[i].media), bytes, arena, &(struct fault){0}) == 0)
            return 0;
    return rc;
}

static void progress(struct scan *s)
{
    time_t now = time(NULL);
    if (s->shown_at && now < s->shown_at + 2)
        return;
    if (s->shown_at && isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%llu advisories, %zu affected", (unsigned long long)s->advisories, s->affected);
    s->shown_at = now;
}

static int advisory_file(struct scan *s, const char *path, struct buf *bytes)
{
    struct advisory advisory;
    struct arena arena;
    struct fault fault = {0};
    buf_free(bytes);
    int rc = file_read(path, DOCUMENT_BYTES_MAX, bytes, &fault);
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    rc = rc ? rc : advisory_parse(&advisory, buf_view(bytes), &arena, &fault);
    s->file = path;
    s->bytes += bytes->len;
    if (rc && rc != E_NOMEM) {
        fault.code = rc;
        rc = fault_add(s, path, &fault);
    } else if (rc == 0) {
        s->advisories++;
        rc = record_problems(s, &advisory);
        rc = rc ? rc : advisory_judge(s, &advisory);
    }
    arena_free(&arena);
    progress(s);
    return rc;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_json(const char *name)
{
    size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".json") == 0;
}

static int advisories_walk(struct scan *s, char *path, struct fault *fault)
{
    char *const roots[] = {path, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    struct buf bytes = {0};
    uint64_t before = s->advisories + s->problem_count;
    int rc = walk ? 0 : fail(fault, E_IO, "%s: %s", path, strerror(errno));
    for (FTSENT *e; rc == 0 && (e = fts_read(walk));) {
        if (e->fts_info == FTS_F && (e->fts_level == 0 || is_json(e->fts_name)))
            rc = advisory_file(s, e->fts_path, &bytes);
        else if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
            rc = e->fts_level == 0 ? fail(fault, E_IO, "%s: %s", path, strerror(e->fts_errno))
                                   : problem_add(s, e->fts_path, "", strerror(e->fts_errno));
    }
    if (rc == 0 && s->advisories + s->problem_count == before)
        rc = fail(fault, E_NOTFOUND, "%s holds no *.json", path);
    if (walk)
        (void)fts_close(walk);
    buf_free(&bytes);
    return rc;
}

/* Results */

static void member(struct buf *out, const char *name, const char *value, const char *after)
{
    buf_printf(out, "\"%s\":", name);
    buf_json(out, span_str(value));
    buf_text(out, after);
}

static void out_human(const struct scan *s, struct buf *out)
{
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct hit *h = &s->hits[i];
        buf_printf(out, "%-9s  ", h->verdict == VERDICT_AFFECTED ? "AFFECTED" : "undecided");
        text_show(out, span_str(h->advisory));
        buf_text(out, "  ");
        text_show(out, span_str(h->component));
        buf_text(out, " ");
        text_show(out, span_str(h->version));
        if (s->asset_count > 1) {
            buf_text(out, "  in ");
            text_show(out, span_str(s->assets[h->asset].path));
        }
        buf_text(out, "\n           ");
        text_show(out, span_str(h->reason));
        buf_text(out, "\n");
    }
    buf_printf(out, "%llu advisories, %zu inventories: %zu affected, %zu undecided%s, %zu records with problems\n",
               (unsigned long long)s->advisories, s->asset_count, s->affected, s->undecided,
               s->with_undecided || !s->undecided ? "" : " (--undecided shows them)", s->problem_count);
}

static void out_json(const struct scan *s, struct buf *out)
{
    buf_printf(out, "{\"advisories\":%llu,\"inventories\":%zu,\"affected\":%zu,\"undecided\":%zu,\"findings\":[",
               (unsigned long long)s->advisories, s->asset_count, s->affected, s->undecided);
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct hit *h = &s->hits[i];
        buf_text(out, i ? ",\n{" : "\n{");
        member(out, "verdict", verdict_names[h->verdict], ",");
        member(out, "advisory", h->advisory, ",");
        member(out, "title", h->title, ",");
        member(out, "inventory", s->assets[h->asset].path, ",\"component\":{");
        member(out, "ecosystem", h->ecosystem, ",");
        member(out, "name", h->component, ",");
        member(out, "version", h->version, ",");
        member(out, "purl", h->purl, ",");
        member(out, "path", h->place, "},");
        member(out, "reason", h->reason, ",");
        member(out, "file", h->file, "}");
    }
    buf_text(out, "],\"problems\":[");
    for (size_t i = 0; i < s->problem_count; i++) {
        buf_text(out, i ? ",\n{" : "\n{");
        member(out, "file", s->problems[i].file, ",");
        member(out, "problem", s->problems[i].what, "}");
    }
    buf_text(out, "]}\n");
}

/* SARIF 2.1.0 (OASIS): a rule an advisory, a result a finding; undecided ones are warnings. */
static void out_sarif(const struct scan *s, struct buf *out)
{
    buf_text(
        out,
        "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{"
        "\"driver\":{\"name\":\"comity\",\"rules\":[");
    for (size_t i = 0; i < s->hit_count; i++) { /* of one advisory they stand together */
        const struct hit *h = &s->hits[i];
        if (i && strcmp(h->advisory, s->hits[i - 1].advisory) == 0)
            continue;
        buf_text(out, i ? ",\n{" : "\n{");
        member(out, "id", h->advisory, ",\"shortDescription\":{");
        member(out, "text", h->title[0] ? h->title : h->advisory, "}}");
    }
    buf_text(out, "]}},\"results\":[");
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct hit *h = &s->hits[i];
        buf_text(out, i ? ",\n{" : "\n{");
        member(out, "ruleId", h->advisory, ",");
        member(out, "level", h->verdict == VERDICT_AFFECTED ? "error" : "warning", ",\"message\":{\"text\":");
        struct buf text;
        buf_init(&text, 4096);
        buf_printf(&text, "%.500s %.500s: %s", h->component, h->version, h->reason);
        buf_json(out, buf_view(&text));
        buf_free(&text);
        buf_text(out, "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{");
        member(out, "uri", s->assets[h->asset].path, "}},\"logicalLocations\":[{");
        member(out, "fullyQualifiedName", h->place, "}]}]}");
    }
    buf_text(out, "]}]}\n");
}

/* CycloneDX 1.5 VEX: what is named affected or unknown, by the component's purl. No analysis: that is a person's. */
static void out_vex(const struct scan *s, struct buf *out)
{
    buf_text(out, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"vulnerabilities\":[");
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct hit *h = &s->hits[i];
        bool first = i == 0 || strcmp(h->advisory, s->hits[i - 1].advisory) != 0;
        if (first) {
            buf_text(out, i ? "]},\n{" : "\n{");
            member(out, "id", h->advisory, ",");
            member(out, "description", h->title, ",\"affects\":[");
        }
        buf_text(out, first ? "{" : ",{");
        member(out, "ref", h->purl[0] ? h->purl : h->place, ",\"versions\":[{");
        member(out, "version", h->version, ",");
        member(out, "status", h->verdict == VERDICT_AFFECTED ? "affected" : "unknown", "}]}");
    }
    buf_text(out, s->hit_count ? "]}]}\n" : "]}\n");
}

static void problems_tell(const struct scan *s)
{
    for (size_t i = 0; i < s->problem_count; i++) {
        struct buf line;
        buf_init(&line, 8192);
        text_show(&line, span_str(s->problems[i].file));
        buf_text(&line, ": ");
        text_show(&line, span_str(s->problems[i].what));
        (void)fprintf(stderr, "%.*s\n", (int)line.len, (const char *)line.data);
        buf_free(&line);
    }
}

static void scan_free(struct scan *s)
{
    for (size_t i = 0; i < s->hit_count; i++) {
        struct hit *h = &s->hits[i];
        char *const all[] = {h->advisory, h->title, h->component, h->version, h->ecosystem,
                             h->purl,     h->place, h->reason,    h->file};
        for (size_t n = 0; n < sizeof all / sizeof all[0]; n++)
            free(all[n]);
    }
    for (size_t i = 0; i < s->problem_count; i++) {
        free(s->problems[i].file);
        free(s->problems[i].what);
    }
    for (size_t i = 0; s->assets && i < s->asset_count; i++) {
        match_index_free(s->assets[i].index);
        arena_free(&s->assets[i].arena);
        buf_free(&s->assets[i].bytes);
    }
    catalogue_free(s->catalogue);
    free(s->hits);
    free(s->problems);
    free(s->assets);
    free(s->touched);
}

typedef void output(const struct scan *, struct buf *);

/* Which exit code: a policy of the pipeline's owner. */
static int policy(const struct scan *s, const char *fail_on)
{
    if (strcmp(fail_on, "never") == 0)
        return EXIT_YES;
    bool fails = s->affected || (strcmp(fail_on, "undecided") == 0 && (s->undecided || s->problem_count));
    return fails ? EXIT_NO : EXIT_YES;
}

static int scan_run(struct scan *s, char *const *advisories, size_t advisory_count, const char *const *inventories,
                    struct span distribution, struct fault *fault)
{
    int rc = catalogue_new(&s->catalogue);
    size_t count = s->asset_count;
    s->assets = calloc(count + 1, sizeof *s->assets);
    s->touched = calloc(count / 64 + 2, sizeof *s->touched);
    s->asset_count = 0;
    if (rc || !s->assets || !s->touched)
        return fail(fault, E_NOMEM, "inventories");
    for (size_t i = 0; i < count && rc == 0; i++) {
        s->asset_count++;
        rc = asset_read(s, &s->assets[i], inventories[i], distribution);
    }
    for (size_t i = 0; i < advisory_count && rc == 0; i++)
        rc = advisories_walk(s, advisories[i], fault);
    if (s->shown_at && isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
    return rc;
}

int command_affected(struct cli *cli)
{
    static const char usage[] = "comity affected --advisories PATH --inventory FILE ...";
    bool sarif = option_flag(cli, "--sarif"), vex = option_flag(cli, "--cyclonedx-vex");
    const char *distribution = option(cli, "--distribution"), *fail_on = option(cli, "--fail-on"), *text;
    struct scan s = {.cli = cli, .with_undecided = option_flag(cli, "--undecided")};
    char **advisories = calloc(FILES_MAX, sizeof *advisories);
    const char **inventories = calloc(FILES_MAX, sizeof *inventories);
    size_t advisory_count = 0;
    struct fault fault = {0};
    struct buf out;
    fail_on = fail_on ? fail_on : "affected";
    while (advisories && advisory_count < FILES_MAX && (text = option(cli, "--advisories")))
        advisories[advisory_count++] = (char *)(uintptr_t)text;
    while (inventories && s.asset_count < FILES_MAX && (text = option(cli, "--inventory")))
        inventories[s.asset_count++] = text;
    bool known = strcmp(fail_on, "affected") == 0 || strcmp(fail_on, "undecided") == 0 || strcmp(fail_on, "never") == 0;
    int rc = advisories && inventories ? 0 : E_NOMEM;
    if (rc == 0 &&
        (!advisory_count || !s.asset_count || !known || sarif + vex + cli->json > 1 || !words(cli, 0, usage)))
        rc = fail(&fault, E_USAGE, "usage: %s; see comity affected --help", usage);
    rc = rc ? rc
            : scan_run(&s, advisories, advisory_count, inventories, span_str(distribution ? distribution : ""), &fault);
    if (rc == 0) {
        output *write = sarif ? out_sarif : vex ? out_vex : cli->json ? out_json : out_human;
        buf_init(&out, JSON_BYTES_MAX * 4ul);
        write(&s, &out);
        rc = out.error;
        if (rc == 0 && fwrite(out.data, 1, out.len, stdout) != out.len)
            rc = fail(&fault, E_IO, "standard output");
        if (!cli->json)
            problems_tell(&s);
        buf_free(&out);
    }
    int exit = rc ? cli_fail(cli, rc, &fault) : policy(&s, fail_on);
    scan_free(&s);
    free(advisories);
    free(inventories);
    return exit;
}
