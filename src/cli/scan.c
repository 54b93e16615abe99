#include "cli/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/archive.h"

enum { PATH_SHOWN_MAX = 4096 };

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
static int tell(struct scan *s, const char *file, const char *where, const char *what, bool remark)
{
    char text[512];
    (void)snprintf(text, sizeof text, "%s%s%s", where, where[0] ? ": " : "", what);
    int rc = room((void **)&s->problems, &s->problem_cap, s->problem_count, sizeof *s->problems);
    struct problem p = {.file = keep(span_str(file)), .what = keep(span_str(text)), .remark = remark};
    if (rc || !p.file || !p.what) {
        free(p.file);
        free(p.what);
        return E_NOMEM;
    }
    s->problems[s->problem_count++] = p;
    s->remarks += remark;
    return 0;
}

static int problem_add(struct scan *s, const char *file, const char *where, const char *what)
{
    return tell(s, file, where, what, false);
}

static int fault_add(struct scan *s, const char *file, const struct fault *fault)
{
    char text[480];
    const struct error_text *error = error_text(fault->code);
    bool over = fault->code == E_LIMIT; /* the one fault whose remedy its reader can take at once */
    (void)snprintf(text, sizeof text, "%s%s%s%s%s", error->message, fault->detail[0] ? ": " : "", fault->detail,
                   over ? "; " : "", over ? error->remedy : "");
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

static int asset_remarks(struct scan *s, const struct asset *a)
{
    char text[100];
    int rc = a->inventory.caveat ? tell(s, a->path, "", a->inventory.caveat, true) : 0;
    if (rc || !a->inventory.twin_count)
        return rc;
    (void)snprintf(text, sizeof text, "%zu components stand there more than once, and count once",
                   a->inventory.twin_count);
    return tell(s, a->path, "", text, true);
}

int scan_inventory(struct scan *s, const char *path, struct span about)
{
    struct asset *a = &s->assets[s->asset_count++];
    struct fault fault = {0};
    a->path = path;
    arena_init(&a->arena, 4 * (size_t)INVENTORY_BYTES_MAX);
    int rc = file_read(path, INVENTORY_BYTES_MAX, &a->bytes, &fault);
    fault.where[0] = 0; /* the path is told anyway */
    rc = rc ? rc : inventory_read(&a->inventory, buf_view(&a->bytes), about, &a->arena, &fault);
    if (rc == E_NOMEM)
        return rc;
    if (rc) {
        a->inventory = (struct inventory){0};
        fault.code = rc;
        s->unread++;
        return fault_add(s, path, &fault);
    }
    rc = match_index_new(&a->index, &a->inventory);
    rc = rc ? rc : catalogue_asset(s->catalogue, (uint32_t)(a - s->assets), &a->inventory, NULL, NULL);
    rc = rc ? rc : asset_remarks(s, a);
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

/* Nothing for two seconds, then every second: most scans are over before. */
static void progress(struct scan *s)
{
    time_t now = time(NULL);
    if (!s->progress || now < s->begun_at + 2 || now == s->shown_at)
        return;
    s->shown_at = now;
    (void)fprintf(stderr, "%s%llu advisories, %zu affected%s", s->terminal ? "\r" : "",
                  (unsigned long long)s->advisories, s->affected, s->terminal ? "\033[K" : "\n");
}

static int advisory_bytes(struct scan *s, const char *name, struct span bytes)
{
    struct advisory advisory;
    struct arena arena;
    struct fault fault = {0};
    arena_init(&arena, 8 * (size_t)DOCUMENT_BYTES_MAX);
    int rc = advisory_parse(&advisory, bytes, &arena, &fault);
    s->file = name;
    s->bytes += bytes.len;
    if (rc && rc != E_NOMEM) {
        fault.code = rc;
        rc = fault_add(s, name, &fault);
    } else if (rc == 0) {
        s->advisories++;
        rc = record_problems(s, &advisory);
        rc = rc ? rc : advisory_judge(s, &advisory);
    }
    arena_free(&arena);
    progress(s);
    return rc;
}

/* Files and archives */

/* A file whose first bytes were read already, to see what it is. */
struct opened {
    int fd;
    uint8_t head[ARCHIVE_HEAD_BYTES];
    size_t have, at;
};

static ssize_t opened_read(void *ctx, uint8_t *to, size_t size)
{
    struct opened *o = ctx;
    size_t left = o->have - o->at, n = left < size ? left : size;
    if (!left)
        return read(o->fd, to, size);
    memcpy(to, o->head + o->at, n);
    o->at += n;
    return (ssize_t)n;
}

static int64_t opened_seek(void *ctx, int64_t offset, int whence)
{
    struct opened *o = ctx;
    if (whence == SEEK_CUR)
        offset -= (int64_t)(o->have - o->at);
    o->at = o->have;
    return lseek(o->fd, offset, whence);
}

static int opened_begin(struct opened *o, const char *path, struct fault *fault)
{
    ssize_t n = 1;
    o->have = o->at = 0;
    o->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (o->fd < 0)
        return fail(fault, errno == ENOENT ? E_NOTFOUND : E_IO, "%s", strerror(errno));
    while (n > 0 && o->have < sizeof o->head) {
        n = read(o->fd, o->head + o->have, sizeof o->head - o->have);
        o->have += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? fail(fault, E_IO, "%s", strerror(errno)) : 0;
}

static int whole_read(struct opened *o, struct buf *out, struct fault *fault)
{
    static uint8_t block[1 << 18];
    ssize_t n = 1;
    struct stat status;
    buf_reset(out);
    if (fstat(o->fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > (off_t)out->max)
        return fail(fault, E_LIMIT, "%lld bytes, the limit is %zu", (long long)status.st_size, out->max);
    while (n > 0 && !out->error) {
        n = opened_read(o, block, sizeof block);
        buf_add(out, block, n > 0 ? (size_t)n : 0);
    }
    if (n < 0)
        return fail(fault, E_IO, "%s", strerror(errno));
    return out->error ? fail(fault, out->error, "the limit is %zu bytes", out->max) : 0;
}

static bool ends_with(struct span text, const char *end)
{
    size_t n = strlen(end);
    return text.len > n && memcmp(text.data + text.len - n, end, n) == 0;
}

static bool is_json(void *ctx, struct span path)
{
    (void)ctx;
    return ends_with(path, ".json");
}

struct unpacking {
    struct scan *scan;
    const char *path;
};

static int member_take(void *ctx, const struct archive_member *member)
{
    const struct unpacking *u = ctx;
    char name[PATH_SHOWN_MAX + ARCHIVE_PATH_MAX + 8];
    (void)snprintf(name, sizeof name, "%.*s: %.*s", PATH_SHOWN_MAX, u->path, (int)member->path.len,
                   member->path.len ? (const char *)member->path.data : "");
    return member->problem ? problem_add(u->scan, name, "", member->problem)
                           : advisory_bytes(u->scan, name, member->bytes);
}

static int archive_file(struct scan *s, const char *path, struct opened *o, struct fault *fault)
{
    struct unpacking u = {s, path};
    bool seekable = lseek(o->fd, 0, SEEK_CUR) >= 0;
    const struct archive_source source = {.read = opened_read, .seek = seekable ? opened_seek : NULL, .ctx = o};
    const struct archive_visitor visitor = {
        .wanted = is_json, .take = member_take, .ctx = &u, .bytes_max = DOCUMENT_BYTES_MAX};
    uint64_t before = s->advisories + s->problem_count;
    int rc = archive_members(&source, &visitor, NULL, fault);
    if (rc == 0 && s->advisories + s->problem_count == before)
        rc = fail(fault, E_NOTFOUND, "the archive holds no *.json");
    return rc;
}

static int advisory_file(struct scan *s, const char *path, struct buf *bytes)
{
    struct opened o;
    struct fault fault = {0};
    int rc = opened_begin(&o, path, &fault);
    bool archive = rc == 0 && archive_begins(span_of(o.head, o.have));
    if (rc == 0)
        rc = archive ? archive_file(s, path, &o, &fault) : whole_read(&o, bytes, &fault);
    if (o.fd >= 0)
        (void)close(o.fd);
    if (rc == 0 && !archive)
        rc = advisory_bytes(s, path, buf_view(bytes));
    if (rc == 0 || rc == E_NOMEM)
        return rc;
    fault.code = rc;
    return fault_add(s, path, &fault);
}

/* Folders */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* In a folder only what has the name of a document or of an archive. */
static bool is_meant(const FTSENT *e)
{
    static const char *const ends[] = {".json", ".zip", ".tar", ".gz", ".tgz", ".zst", ".tzst", ".xz", ".txz"};
    struct span name = span_str(e->fts_name);
    if (e->fts_level == 0)
        return true;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends_with(name, ends[i]))
            return name.data[0] != '.';
    return false;
}

static int entry_take(struct scan *s, FTS *walk, FTSENT *e, struct buf *bytes, struct fault *fault)
{
    struct stat status;
    bool file = e->fts_info == FTS_F || e->fts_info == FTS_DEFAULT; /* a pipe that was named */
    switch (e->fts_info) {
    case FTS_ERR:
    case FTS_DNR:
    case FTS_NS:
        return e->fts_level == 0 ? fail(fault, E_IO, "%s: %s", e->fts_path, strerror(e->fts_errno))
                                 : problem_add(s, e->fts_path, "", strerror(e->fts_errno));
    case FTS_D:
        if (e->fts_level > 0 && e->fts_name[0] == '.')
            (void)fts_set(walk, e, FTS_SKIP);
        return 0;
    case FTS_SL:
        file = stat(e->fts_accpath, &status) == 0 && S_ISREG(status.st_mode);
        break;
    default:
        break;
    }
    return file && is_meant(e) ? advisory_file(s, e->fts_path, bytes) : 0;
}

static int folder_walk(struct scan *s, const char *path, struct buf *bytes, struct fault *fault)
{
    char *copy = keep(span_str(path));
    char *const roots[] = {copy, NULL};
    FTS *walk = copy ? fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name) : NULL;
    int rc = walk ? 0 : fail(fault, E_IO, "%s: %s", path, strerror(errno));
    for (FTSENT *e; rc == 0 && (e = fts_read(walk));)
        rc = entry_take(s, walk, e, bytes, fault);
    if (walk)
        (void)fts_close(walk);
    free(copy);
    return rc;
}

int scan_advisories(struct scan *s, const char *path, struct fault *fault)
{
    struct buf bytes;
    uint64_t before = s->advisories, problems = s->problem_count;
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    int rc = strcmp(path, "-") == 0 ? advisory_file(s, path, &bytes) : folder_walk(s, path, &bytes, fault);
    if (rc == 0 && s->advisories == before && s->problem_count == problems)
        rc = fail(fault, E_NOTFOUND, "%s holds no *.json", path);
    s->unread += s->advisories == before;
    buf_free(&bytes);
    return rc;
}

/* All of it */

int scan_start(struct scan *s, size_t count, struct fault *fault)
{
    s->begun_at = time(NULL);
    s->terminal = isatty(STDERR_FILENO);
    s->progress = s->progress || s->terminal;
    s->assets = calloc(count + 1, sizeof *s->assets);
    s->touched = calloc(count / 64 + 2, sizeof *s->touched);
    return catalogue_new(&s->catalogue) == 0 && s->assets && s->touched ? 0 : fail(fault, E_NOMEM, "inventories");
}

void scan_finish(struct scan *s)
{
    if (s->shown_at && s->terminal)
        (void)fputs("\r\033[K", stderr);
}

void scan_free(struct scan *s)
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
