/* comity follow: sources outside of the circle. The node asks them; this command tells it which, shows what became of it, and hands over
   documents that are at hand. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/folder.h"
#include "format/archive.h"

enum { POST_BYTES = 4 * 1024 * 1024, POST_DOCUMENTS = 256, WAIT_S_MAX = 86400, WAIT_S_USUAL = 3600 };

static long long number(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_int(object, key, &value);
    return (long long)value;
}

static bool is_true(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, key);
    return value && value->type == JSON_TRUE;
}

static bool has_text(const struct json *object, const char *key)
{
    return json_text(object, key).len > 0;
}

/* Routes with what the user said in them. */
static void parameter_add(struct buf *path, const char *name, const char *value)
{
    buf_printf(path, "%s%s=", memchr(path->data, '?', path->len) ? "&" : "?", name);
    url_escape(path, value);
}

static const char *path_end(struct buf *path)
{
    buf_byte(path, 0);
    return path->error ? "/" : (const char *)path->data;
}

/* One call; the answer stays in `out`, and in `root` when it is JSON. */
struct call {
    struct buf path, out;
    struct arena arena;
    const struct json *root;
    int exit;
};

static void call_begin(struct call *call, const char *path)
{
    *call = (struct call){0};
    buf_init(&call->path, 8192);
    buf_text(&call->path, path);
    arena_init(&call->arena, JSON_BYTES_MAX);
}

static bool call_make(struct call *call, const struct cli *cli, const char *method, struct span body)
{
    struct fault fault = {0};
    if (api_good(cli, method, path_end(&call->path), body, &call->out, &call->exit) != 0)
        return false;
    int rc = json_parse(&call->root, buf_view(&call->out), HTTP_BODY_MAX, &call->arena, &fault);
    if (rc)
        call->exit = cli_fail(cli, rc, &fault);
    return rc == 0;
}

static int call_end(struct call *call)
{
    buf_free(&call->path);
    buf_free(&call->out);
    arena_free(&call->arena);
    return call->exit;
}

static void raw(const struct call *call)
{
    (void)fwrite(call->out.data, 1, call->out.len, stdout);
}

/* Showing */

static void label_print(const char *label, const struct json *object, const char *key)
{
    if (has_text(object, key)) {
        (void)printf("    %-10s ", label);
        print_text(object, key);
        (void)printf("\n");
    }
}

static void run_print(const char *label, const struct json *run)
{
    if (run)
        (void)printf("    %-10s %lld listed, %lld asked for, %lld taken, %lld unchanged, %lld gone, %lld refused, %lld "
                     "failed, %lld rows not to be read\n",
                     label, number(run, "listed"), number(run, "asked"), number(run, "taken"), number(run, "same"),
                     number(run, "gone"), number(run, "refused"), number(run, "failed"), number(run, "problems"));
}

static void feed_print(const struct json *feed)
{
    print_text(feed, "name");
    if (has_text(feed, "kind")) {
        (void)printf("  ");
        print_text(feed, "kind");
    }
    if (has_text(feed, "title")) {
        (void)printf(": ");
        print_text(feed, "title");
    }
    (void)printf("%s\n", is_true(feed, "followed") ? is_true(feed, "running") ? "  (being asked now)" : ""
                                                   : "  (not followed)");
    label_print("from", feed, "url");
    (void)printf(
        "    %-10s %lld documents, %lld gone since, %lld changed without another revision, %lld not to be read\n",
        "has", number(feed, "documents"), number(feed, "gone"), number(feed, "silent"), number(feed, "unreadable"));
    run_print("last run", json_get(feed, "last_run"));
    run_print("this run", json_get(feed, "run"));
    label_print("key", feed, "key");
    label_print("good", feed, "succeeded");
    label_print("next", feed, "due");
    if (number(feed, "failures"))
        (void)printf("    %-10s %lld times in a row, last at ", "FAILED", number(feed, "failures"));
    if (number(feed, "failures")) {
        print_text(feed, "tried");
        (void)printf("\n");
    }
    label_print("problem", feed, "problem");
}

static int follow_list(struct cli *cli)
{
    struct call call;
    if (!words(cli, 0, "comity follow list"))
        return EXIT_USAGE;
    call_begin(&call, "/api/v1/feeds");
    if (call_make(&call, cli, "GET", span_of(NULL, 0))) {
        if (cli->json)
            raw(&call);
        else if (!call.root->count)
            (void)printf("no feed is followed\n");
        for (uint32_t i = 0; !cli->json && i < call.root->count; i++)
            feed_print(&call.root->child[i]);
    }
    return call_end(&call);
}

static void document_print(const struct json *document)
{
    print_text(document, "document");
    (void)printf("  ");
    print_text(document, "url");
    if (has_text(document, "silent_change")) {
        (void)printf("\n    SILENT CHANGE: other bytes under the same revision, seen at ");
        print_text(document, "silent_change");
    }
    if (has_text(document, "gone_since")) {
        (void)printf("\n    gone from there since ");
        print_text(document, "gone_since");
    }
    (void)printf("%s\n", is_true(document, "readable") ? "" : "\n    it cannot be read as an advisory");
}

static void refusal_print(const struct json *refusal)
{
    (void)printf("refused  ");
    print_text(refusal, "url");
    (void)printf("\n    ");
    print_text(refusal, "seen_at");
    (void)printf("  ");
    print_text(refusal, "error");
    (void)printf(": ");
    print_text(refusal, "detail");
    (void)printf("\n");
}

/* Page by page. Exit code 1 when something changed silently, or was refused. */
static int follow_show(struct cli *cli)
{
    char after[FOLLOWED_URL_MAX + 1] = "";
    bool first = true, noteworthy = false;
    struct call call;
    if (!words(cli, 1, "comity follow show NAME"))
        return EXIT_USAGE;
    do {
        call_begin(&call, "/api/v1/feeds/");
        url_escape(&call.path, cli->argv[0]);
        if (*after)
            parameter_add(&call.path, "after", after);
        if (!call_make(&call, cli, "GET", span_of(NULL, 0)))
            return call_end(&call);
        const struct json *documents = json_get(call.root, "documents"), *refusals = json_get(call.root, "refusals");
        struct span next = json_text(call.root, "after");
        noteworthy = noteworthy || refusals->count || number(json_get(call.root, "feed"), "silent");
        if (cli->json)
            raw(&call);
        else if (first)
            feed_print(json_get(call.root, "feed"));
        for (uint32_t i = 0; !cli->json && i < documents->count; i++)
            document_print(&documents->child[i]);
        for (uint32_t i = 0; !cli->json && !next.len && i < refusals->count; i++)
            refusal_print(&refusals->child[i]);
        (void)snprintf(after, sizeof after, "%.*s", (int)next.len, next.len ? (const char *)next.data : "");
        first = false;
        (void)call_end(&call);
    } while (*after);
    return noteworthy ? EXIT_NO : EXIT_YES;
}

/* Telling */

static void added_print(const struct json *answer)
{
    if (has_text(answer, "key")) {
        (void)printf("only what is signed by this key is taken; compare it with what its owner says:\n  ");
        print_text(answer, "key");
        (void)printf("\n");
    }
    (void)printf("followed; it is being asked now: comity follow list\n");
}

static int follow_add(struct cli *cli)
{
    const char *key = option(cli, "--key"), *every = option(cli, "--every");
    bool inside = option_flag(cli, "--inside");
    struct buf body = {0};
    struct fault fault = {0};
    struct call call;
    uint64_t minutes = 0;
    char seconds[32];
    if (!words(cli, 2, "comity follow add NAME URL [--every MINUTES] [--inside] [--key FILE]"))
        return EXIT_USAGE;
    if (every && (!decimal_parse(span_str(every), &minutes) || !minutes || minutes > 43200))
        return cli_usage(cli, "--every takes minutes, 1 to 43200");
    int rc = key ? file_read(key, FEED_KEY_BYTES_MAX, &body, &fault) : 0;
    if (rc) {
        buf_free(&body);
        return cli_fail(cli, rc, &fault);
    }
    (void)snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)minutes * 60);
    call_begin(&call, "/api/v1/feeds");
    parameter_add(&call.path, "name", cli->argv[0]);
    parameter_add(&call.path, "url", cli->argv[1]);
    if (inside)
        parameter_add(&call.path, "inside", "1");
    if (minutes)
        parameter_add(&call.path, "every", seconds);
    if (call_make(&call, cli, "POST", buf_view(&body))) {
        if (cli->json)
            raw(&call);
        else
            added_print(call.root);
    }
    buf_free(&body);
    return call_end(&call);
}

static int follow_remove(struct cli *cli)
{
    struct call call;
    if (!words(cli, 1, "comity follow remove NAME"))
        return EXIT_USAGE;
    call_begin(&call, "/api/v1/feeds/remove");
    parameter_add(&call.path, "name", cli->argv[0]);
    if (call_make(&call, cli, "POST", span_of(NULL, 0))) {
        if (cli->json)
            raw(&call);
        else
            (void)printf("not followed any more; what was taken stays in the journal, and counts\n");
    }
    return call_end(&call);
}

/* The feed in a list of all; NULL. */
static const struct json *feed_find(const struct json *list, const char *name)
{
    for (uint32_t i = 0; list && i < list->count; i++)
        if (span_is(json_text(&list->child[i], "name"), name))
            return &list->child[i];
    return NULL;
}

static int outcome(const struct json *feed)
{
    const struct json *run = json_get(feed, "last_run");
    return number(feed, "failures") ? EXIT_IO : number(run, "refused") ? EXIT_NO : EXIT_YES;
}

/* Until the run has ended. */
static int run_wait(struct cli *cli, const char *name, uint64_t seconds)
{
    for (uint64_t waited = 0;; waited++) {
        struct call call;
        call_begin(&call, "/api/v1/feeds");
        if (!call_make(&call, cli, "GET", span_of(NULL, 0)))
            return call_end(&call);
        const struct json *feed = feed_find(call.root, name);
        bool runs = feed && is_true(feed, "running");
        if (!runs || waited >= seconds * 5) {
            call.exit = !feed ? EXIT_NO : runs ? EXIT_PENDING : outcome(feed);
            if (cli->json)
                raw(&call);
            else if (feed)
                feed_print(feed);
            return call_end(&call);
        }
        (void)call_end(&call);
        (void)usleep(200000);
    }
}

static int follow_now(struct cli *cli)
{
    const char *wait = option(cli, "--wait");
    bool check = option_flag(cli, "--check");
    uint64_t seconds = WAIT_S_USUAL;
    struct call call;
    int status = 0;
    struct fault fault = {0};
    if (!words(cli, 1, "comity follow now NAME [--check] [--wait SECONDS]"))
        return EXIT_USAGE;
    if (wait && (!decimal_parse(span_str(wait), &seconds) || seconds > WAIT_S_MAX))
        return cli_usage(cli, "--wait takes seconds, at most %d", WAIT_S_MAX);
    call_begin(&call, "/api/v1/feeds/run");
    parameter_add(&call.path, "name", cli->argv[0]);
    if (check)
        parameter_add(&call.path, "check", "1");
    int rc = api_call(cli, "POST", path_end(&call.path), span_of(NULL, 0), &call.out, &status, &fault);
    (void)call_end(&call);
    if (rc)
        return cli_fail(cli, rc, &fault);
    if (status != 202 && status != 409) /* 409: it is being asked already */
        return cli_fail(
            cli, E_NOTFOUND,
            &(struct fault){.code = E_NOTFOUND, .detail = "no feed of this name is followed; see comity follow list"});
    return run_wait(cli, cli->argv[0], seconds);
}

/* Import */

struct import {
    const struct cli *cli;
    const char *name;
    struct buf body;
    size_t documents, root_len;
    long long taken, same, refused, unread;
    struct progress progress;
    const char *archive; /* the members that come are of this one; NULL: files */
    int exit;
};

static int import_post(struct import *import)
{
    struct call call;
    if (!import->documents)
        return 0;
    call_begin(&call, "/api/v1/feeds/import");
    parameter_add(&call.path, "name", import->name);
    bool good = call_make(&call, import->cli, "POST", buf_view(&import->body));
    if (good) {
        import->taken += number(call.root, "taken");
        import->same += number(call.root, "same");
        import->refused += number(call.root, "refused");
        progress_show(&import->progress, (uint64_t)(import->taken + import->same + import->refused), 0);
    }
    import->exit = call_end(&call);
    buf_reset(&import->body);
    import->documents = 0;
    return good ? 0 : E_PEER;
}

static void piece_add(struct buf *out, struct span piece)
{
    buf_u16(out, (uint16_t)(piece.len >> 16));
    buf_u16(out, (uint16_t)piece.len);
    buf_span(out, piece);
}

static int import_add(struct import *import, struct span path, struct span bytes)
{
    int rc = 0;
    if (import->body.len + path.len + bytes.len > POST_BYTES || import->documents == POST_DOCUMENTS)
        rc = import_post(import);
    piece_add(&import->body, path);
    piece_add(&import->body, bytes);
    import->documents++;
    return rc ? rc : import->body.error;
}

static bool is_json(struct span path)
{
    return path.len > 5 && memcmp(path.data + path.len - 5, ".json", 5) == 0;
}

static void unread_tell(struct import *import, const char *path, const char *why)
{
    struct buf shown;
    buf_init(&shown, 16384);
    text_show(&shown, span_str(path));
    (void)fprintf(stderr, "%.*s: %s\n", (int)shown.len, (const char *)shown.data, why);
    buf_free(&shown);
    import->unread++;
}

static bool member_wanted(void *ctx, struct span path)
{
    (void)ctx;
    return is_json(path) && text_is_line(path);
}

static int member_take(void *ctx, const struct archive_member *member)
{
    struct import *import = ctx;
    char path[FOLLOWED_URL_MAX];
    (void)snprintf(path, sizeof path, "%s#%.*s", import->archive, (int)member->path.len,
                   (const char *)member->path.data);
    if (member->problem) {
        unread_tell(import, path, member->problem);
        return 0;
    }
    return import_add(import, span_str(path), member->bytes);
}

static ssize_t source_read(void *ctx, uint8_t *to, size_t size)
{
    return read(*(const int *)ctx, to, size);
}

static int64_t source_seek(void *ctx, int64_t offset, int whence)
{
    return lseek(*(const int *)ctx, offset, whence);
}

static int archive_take(struct import *import, int fd, const char *path, struct fault *fault)
{
    const struct archive_source source = {source_read, source_seek, &fd};
    const struct archive_visitor visitor = {
        .wanted = member_wanted, .take = member_take, .ctx = import, .bytes_max = DOCUMENT_BYTES_MAX};
    const char *slash = strrchr(path, '/');
    import->archive = slash ? slash + 1 : path;
    int rc = archive_members(&source, &visitor, NULL, fault);
    import->archive = NULL;
    return rc ? fail_at(fault, rc, "%s", path) : 0;
}

/* One file: a document, or an archive of such. What cannot be read is told, and does not stop the rest. */
static int file_take(struct import *import, const char *path, const char *shown, struct fault *fault)
{
    uint8_t head[ARCHIVE_HEAD_BYTES];
    struct buf bytes;
    int rc = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
    if (n < 0) {
        unread_tell(import, path, strerror(errno));
    } else if (archive_begins(span_of(head, (size_t)n))) {
        rc = archive_take(import, fd, path, fault);
    } else {
        struct fault own = {0};
        int read_rc = file_read(path, DOCUMENT_BYTES_MAX, &bytes, &own);
        if (read_rc)
            unread_tell(import, path, error_text(read_rc)->message);
        else
            rc = import_add(import, span_str(shown), buf_view(&bytes));
        buf_free(&bytes);
    }
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int import_walk(struct import *import, char *root, struct fault *fault)
{
    char *const roots[] = {root, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    size_t n = strlen(root);
    int rc = walk ? 0 : fail(fault, E_IO, "%s: %s", root, strerror(errno));
    for (FTSENT *e; rc == 0 && (e = fts_read(walk));) {
        struct span name = span_str(e->fts_name);
        const char *below = e->fts_level ? e->fts_path + n + (e->fts_path[n] == '/') : e->fts_name;
        if (e->fts_info == FTS_F && (e->fts_level == 0 || is_json(name) || archive_named(name)))
            rc = file_take(import, e->fts_path, below, fault);
        else if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
            rc = e->fts_level ? (unread_tell(import, e->fts_path, strerror(e->fts_errno)), 0)
                              : fail(fault, E_IO, "%s: %s", root, strerror(e->fts_errno));
    }
    if (walk)
        (void)fts_close(walk);
    return rc;
}

static int follow_import(struct cli *cli)
{
    struct import import = {.cli = cli};
    struct fault fault = {0};
    if (!words(cli, 2, "comity follow import NAME PATH"))
        return EXIT_USAGE;
    if (!name_valid(span_str(cli->argv[0])))
        return cli_usage(cli, "%s is no name: a-z, 0-9, inner \"-\", labels with dots between", cli->argv[0]);
    import.name = cli->argv[0];
    buf_init(&import.body, HTTP_BODY_MAX);
    progress_begin(&import.progress, "documents handed over");
    int rc = import_walk(&import, cli->argv[1], &fault);
    rc = rc ? rc : import_post(&import);
    progress_end(&import.progress);
    buf_free(&import.body);
    if (rc == E_PEER && !fault.code)
        return import.exit;
    if (rc)
        return cli_fail(cli, rc, &fault);
    if (cli->json)
        (void)printf("{\"taken\":%lld,\"same\":%lld,\"refused\":%lld,\"unread\":%lld}\n", import.taken, import.same,
                     import.refused, import.unread);
    else
        (void)printf("%lld documents taken, %lld were here already, %lld refused, %lld files not to be read\n",
                     import.taken, import.same, import.refused, import.unread);
    return import.refused || import.unread ? EXIT_NO : EXIT_YES;
}

int command_follow(struct cli *cli)
{
    static const struct action_named actions[] = {
        {"add", follow_add}, {"list", follow_list},     {"remove", follow_remove},
        {"now", follow_now}, {"import", follow_import}, {"show", follow_show},
        {NULL, NULL}};
    return action_run(cli, actions,
                      "usage: comity follow add | list | show | now | remove | import; see comity follow --help");
}
