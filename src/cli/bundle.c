/* A circle's logs on a medium, for a site without a link: written from one node, taken by another as if a peer had answered. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/logs.h"

static const char readme[] =
    "This folder carries the logs of a Comity circle to a node that has no link.\n"
    "Take it in with:   comity bundle import FOLDER\n"
    "It needs no trust: what is in it is signed, and each file is checked as an answer from a peer is.\n"
    "\n"
    "SHA256SUMS          every other file and its hash; check with: sha256sum -c SHA256SUMS\n"
    "bundle.json         who made it, when, of which circle\n"
    "circle.bundle       the charter, and key changes since\n"
    "logs/PARTY/         checkpoint, tile/... as C2SP tlog-tiles, cosigned/SIZE: checkpoints of a quorum, with the "
    "times\n"
    "documents/ab/HASH   what the statements are about, named by SHA-256\n";

/* What another node wants: the answer of `comity bundle wants`. */
struct wants {
    struct arena arena;
    struct buf bytes;
    const struct json *root;
    struct span party, circle;
    const struct json *logs, *documents;
};

static void wants_free(struct wants *wants)
{
    arena_free(&wants->arena);
    buf_free(&wants->bytes);
}

static int wants_parse(struct wants *wants, struct fault *fault)
{
    arena_init(&wants->arena, 4 * (size_t)JSON_BYTES_MAX);
    int rc = json_parse(&wants->root, buf_view(&wants->bytes), JSON_BYTES_MAX, &wants->arena, fault);
    rc = rc ? rc : json_need_format(wants->root, "wants/1", fault);
    rc = rc ? rc : json_need_text(wants->root, "party", &wants->party, fault);
    rc = rc ? rc : json_need_text(wants->root, "circle", &wants->circle, fault);
    rc = rc ? rc : json_need_array(wants->root, "logs", &wants->logs, fault);
    return rc ? rc : json_need_array(wants->root, "documents", &wants->documents, fault);
}

static const struct json *wants_log(const struct wants *wants, const char *party)
{
    for (size_t i = 0; wants->logs && i < wants->logs->count; i++)
        if (span_is(json_text(&wants->logs->child[i], "party"), party))
            return &wants->logs->child[i];
    return NULL;
}

/* Out */

struct bundle_out {
    struct logs_out out;
    struct wants wants; /* of all, when the other node's are not known */
    enum label most;
    uint64_t entries, documents;
};

struct entry_out {
    struct log_out log;
    struct bundle_out *bundle;
};

static int document_out(struct bundle_out *bundle, const struct hash *hash)
{
    struct stored_document info;
    bool held;
    int rc = logs_document_put(&bundle->out, hash, bundle->most, &info, &held);
    bundle->documents += rc == 0 && held && info.label <= bundle->most;
    return rc;
}

static int entry_out(void *ctx, uint64_t index, struct span bytes)
{
    struct entry_out *entry = ctx;
    struct statement s;
    entry->bundle->entries++;
    progress_show(&entry->log.progress, index, entry->log.size);
    return statement_parse(&s, bytes, NULL) == 0 ? document_out(entry->bundle, &s.document) : 0;
}

static int log_out(struct bundle_out *bundle, const struct party *party)
{
    struct entry_out entry = {.bundle = bundle};
    struct store *store = bundle->out.party.store;
    int64_t from = 0;
    (void)json_int(wants_log(&bundle->wants, party->card.name), "size", &from);
    int rc = log_write(&entry.log, &bundle->out, party, from > 0 ? (uint64_t)from : 0);
    if (rc == 0)
        rc = store->ops->entries_scan(store, entry.log.id, from > 0 ? (uint64_t)from : 0, entry.log.size, entry_out,
                                      &entry);
    progress_end(&entry.log.progress);
    return rc == E_NOTFOUND                 ? 0
           : rc && !bundle->out.fault->code ? fail(bundle->out.fault, rc, "the entries of %s", party->origin)
                                            : rc;
}

static int wanted_documents_out(struct bundle_out *bundle)
{
    const struct json *list = bundle->wants.documents;
    int rc = 0;
    for (size_t i = 0; list && i < list->count && rc == 0; i++) {
        struct hash hash;
        if (list->child[i].type == JSON_STRING && hash_parse(list->child[i].text, &hash))
            rc = document_out(bundle, &hash);
    }
    return rc;
}

static int facts_out(struct bundle_out *bundle)
{
    struct buf facts;
    char made[21], circle[65];
    buf_init(&facts, JOURNAL_FACTS_BYTES_MAX);
    time_format((int64_t)time(NULL), made);
    hash_hex(&bundle->out.party.roster.circle, circle);
    buf_printf(&facts,
               "{\"comity\":\"bundle/1\",\"party\":\"%s\",\"circle\":\"%s\",\"made\":\"%s\",\"for\":\"%.*s\","
               "\"members\":%s,\"release\":\"%s\"}\n",
               bundle->out.party.card.name, circle, made, (int)bundle->wants.party.len,
               bundle->wants.party.len ? (const char *)bundle->wants.party.data : "",
               bundle->most == LABEL_MEMBERS ? "true" : "false", COMITY_RELEASE);
    int rc = folder_put(&bundle->out.folder, "bundle.json", buf_view(&facts), bundle->out.fault);
    buf_free(&facts);
    return rc;
}

static int wants_check(struct bundle_out *bundle, const char *file)
{
    char circle[65];
    struct fault *fault = bundle->out.fault;
    if (!bundle->out.party.in_circle)
        return fail(fault, E_STATE, "this party is in no circle: it has no logs to carry");
    hash_hex(&bundle->out.party.roster.circle, circle);
    if (file && !span_is(bundle->wants.circle, circle))
        return fail(fault, E_CIRCLE, "%s: the node that wants this", file);
    return !file || roster_party(&bundle->out.party.roster, bundle->wants.party)
               ? 0
               : fail(fault, E_NOTFOUND, "%s: party %.*s", file, (int)bundle->wants.party.len,
                      (const char *)bundle->wants.party.data);
}

static int bundle_out_write(struct bundle_out *bundle, const char *file, struct hash *id)
{
    struct logs_out *out = &bundle->out;
    int rc = wants_check(bundle, file);
    rc = rc ? rc : folder_put(&out->folder, "README.txt", span_str(readme), out->fault);
    rc = rc ? rc : facts_out(bundle);
    rc = rc ? rc : logs_bundle_put(out);
    for (size_t i = 0; i < out->party.roster.count && rc == 0; i++)
        rc = log_out(bundle, &out->party.roster.parties[i]);
    rc = rc ? rc : wanted_documents_out(bundle);
    rc = rc ? rc : folder_sum(&out->folder, id, out->fault);
    return rc ? rc : folder_end(&out->folder, out->fault);
}

static int bundle_export(struct cli *cli)
{
    const char *target = option(cli, "--out"), *file = option(cli, "--for");
    struct fault fault = {0};
    struct bundle_out bundle = {.most = option_flag(cli, "--members") ? LABEL_MEMBERS : LABEL_OPEN};
    struct hash id;
    char hex[65];
    if (!words(cli, 0, "comity bundle export --out FOLDER [--for FILE] [--members]"))
        return EXIT_USAGE;
    if (!target)
        return cli_usage(cli, "--out FOLDER is required");
    int rc = file ? file_read(file, JSON_BYTES_MAX, &bundle.wants.bytes, &fault) : 0;
    if (rc == 0 && file)
        rc = wants_parse(&bundle.wants, &fault);
    rc = rc ? rc : logs_open(&bundle.out, cli->dir, target, &fault);
    rc = rc ? rc : bundle_out_write(&bundle, file, &id);
    if (rc == 0)
        hash_hex(&id, hex);
    if (rc == 0 && cli->json)
        (void)printf("{\"exported\":true,\"id\":\"%s\",\"entries\":%llu,\"documents\":%llu,\"bytes\":%llu}\n", hex,
                     (unsigned long long)bundle.entries, (unsigned long long)bundle.documents,
                     (unsigned long long)bundle.out.folder.sums.bytes);
    else if (rc == 0)
        (void)printf("written  %s\n  entries    %llu\n  documents  %llu\n  bytes      %llu\n  id         %s\n", target,
                     (unsigned long long)bundle.entries, (unsigned long long)bundle.documents,
                     (unsigned long long)bundle.out.folder.sums.bytes, hex);
    logs_close(&bundle.out);
    wants_free(&bundle.wants);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}

/* In */

struct bundle_in {
    const struct cli *cli;
    const char *folder;
    struct wants wants;
    struct fault fault; /* of what ends it; not of single files */
    uint64_t entries, documents, refused, absent;
    struct progress progress;
};

/* A file that did not come whole is told, and the rest goes on: it can be carried once more. */
static void file_refused(struct bundle_in *in, const char *name, const char *why)
{
    in->refused++;
    (void)fprintf(stderr, "comity: %s/%s: %s; copy it once more\n", in->folder, name, why);
}

/* The wanted path in the node's answer, or empty. `taken`, and the size of the log. */
static int answer_read(struct bundle_in *in, const struct buf *answer, bool *taken, char wants[static 64],
                       uint64_t *size)
{
    struct arena arena;
    const struct json *root = NULL;
    int64_t number = 0;
    arena_init(&arena, 1 << 20);
    int rc = json_parse(&root, buf_view(answer), JSON_BYTES_MAX, &arena, &in->fault);
    const struct json *log = json_get(root, "log"), *was = json_get(root, "taken");
    struct span path = json_text(log, "wants");
    *taken = was && was->type == JSON_TRUE;
    if (json_int(log, "size", &number) && number >= 0)
        *size = (uint64_t)number;
    (void)snprintf(wants, 64, "%.*s", (int)path.len, path.len ? (const char *)path.data : "");
    arena_free(&arena);
    return rc;
}

/* Hands one file to the node. E_NOTFOUND: it is not on the medium. */
static int file_in(struct bundle_in *in, const char *party, const char *name, const char *path, bool *taken,
                   char wants[static 64], uint64_t *size)
{
    char full[4096];
    int status = 0;
    struct buf bytes = {0}, answer = {0}, url;
    (void)snprintf(full, sizeof full, "%s/%s", in->folder, name);
    *taken = false;
    wants[0] = 0;
    if (access(full, F_OK) != 0)
        return E_NOTFOUND;
    buf_init(&url, 4096);
    buf_text(&url, "/api/v1/carried?path=");
    url_escape(&url, path);
    if (party) {
        buf_text(&url, "&party=");
        url_escape(&url, party);
    }
    buf_byte(&url, 0);
    int rc = url.error ? url.error : file_read(full, DOCUMENT_BYTES_MAX, &bytes, &in->fault);
    rc = rc ? rc : api_call(in->cli, "POST", (const char *)url.data, buf_view(&bytes), &answer, &status, &in->fault);
    if (rc == 0 && status == 200)
        rc = answer_read(in, &answer, taken, wants, size);
    else if (rc == 0 && status != 400)
        rc = fail(&in->fault, E_PEER, "the node answered %d to %s", status, name);
    buf_free(&bytes);
    buf_free(&answer);
    buf_free(&url);
    return rc;
}

static int cosigned_in(struct bundle_in *in, const char *party)
{
    char path[4096], name[512], wants[64];
    uint64_t size;
    bool taken;
    int rc = 0;
    (void)snprintf(path, sizeof path, "%s/logs/%s/cosigned", in->folder, party);
    DIR *dir = opendir(path);
    for (const struct dirent *entry; dir && rc == 0 && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof name, "logs/%s/cosigned/%s", party, entry->d_name);
        rc = file_in(in, party, name, "checkpoint", &taken, wants, &size);
        if (rc == 0 && !taken)
            file_refused(in, name, "it is no checkpoint that this log has signed");
    }
    if (dir)
        (void)closedir(dir);
    return rc;
}

static int log_in(struct bundle_in *in, const struct json *log)
{
    char party[NAME_BYTES_MAX + 1], name[256], path[64] = "checkpoint";
    int64_t before = 0;
    bool taken = true;
    struct span text = json_text(log, "party");
    (void)snprintf(party, sizeof party, "%.*s", (int)text.len, text.len ? (const char *)text.data : "");
    (void)json_int(log, "size", &before);
    uint64_t size = (uint64_t)before;
    int rc = 0;
    while (path[0] && rc == 0 && taken) {
        char wants[64];
        (void)snprintf(name, sizeof name, "logs/%s/%s", party, path);
        rc = file_in(in, party, name, path, &taken, wants, &size);
        if (rc == 0 && !taken)
            file_refused(in, name, "it is not what the log's signed checkpoint says");
        if (rc == 0)
            (void)snprintf(path, sizeof path, "%s", wants);
        progress_show(&in->progress, in->entries + size - (uint64_t)before, 0);
    }
    in->absent += rc == E_NOTFOUND && strcmp(path, "checkpoint") != 0; /* a log that is not on it at all is none */
    in->entries += size - (uint64_t)before;
    rc = rc == E_NOTFOUND ? 0 : rc;
    rc = rc ? rc : cosigned_in(in, party);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int wants_get(struct bundle_in *in, const char *after)
{
    char path[256];
    int status = 0;
    wants_free(&in->wants);
    in->wants = (struct wants){0};
    (void)snprintf(path, sizeof path, "/api/v1/wants?after=%.128s", after);
    path[after[0] ? strlen(path) : strlen("/api/v1/wants")] = 0;
    int rc = api_call(in->cli, "GET", path, span_of(NULL, 0), &in->wants.bytes, &status, &in->fault);
    if (rc == 0 && status != 200)
        rc = fail(&in->fault, E_STATE, "the node is in no circle, or does not answer (%d)", status);
    return rc ? rc : wants_parse(&in->wants, &in->fault);
}

static int document_in(struct bundle_in *in, struct span hex)
{
    char name[128], path[96], wants[64];
    uint64_t size;
    bool taken;
    (void)snprintf(name, sizeof name, "documents/%.2s/%.64s", (const char *)hex.data, (const char *)hex.data);
    (void)snprintf(path, sizeof path, "documents/%.64s", (const char *)hex.data);
    uint64_t refused = in->refused;
    int rc = file_in(in, NULL, name, path, &taken, wants, &size);
    if (rc == 0 && !taken && in->refused == refused)
        file_refused(in, name, "it has another hash than its name, or is not wanted any more");
    in->documents += rc == 0 && taken;
    return rc == E_NOTFOUND ? 0 : rc;
}

static int documents_in(struct bundle_in *in)
{
    char after[129] = "";
    int rc;
    do {
        rc = wants_get(in, after);
        for (size_t i = 0; rc == 0 && i < in->wants.documents->count; i++) {
            const struct json *item = &in->wants.documents->child[i];
            if (item->type == JSON_STRING && item->text.len == 64)
                rc = document_in(in, item->text);
            progress_show(&in->progress, in->documents, 0);
        }
        struct span next = json_text(in->wants.root, "after");
        (void)snprintf(after, sizeof after, "%.*s", (int)next.len, next.len ? (const char *)next.data : "");
    } while (rc == 0 && after[0]);
    return rc;
}

/* It says which circle it is of: another one's would be refused file by file. */
static int facts_check(struct bundle_in *in)
{
    char path[4096];
    struct buf bytes = {0};
    struct arena arena;
    const struct json *root = NULL;
    arena_init(&arena, 1 << 20);
    (void)snprintf(path, sizeof path, "%s/bundle.json", in->folder);
    if (access(path, F_OK) != 0)
        (void)snprintf(path, sizeof path, "%s/export.json", in->folder);
    int rc = file_read(path, JOURNAL_FACTS_BYTES_MAX, &bytes, &in->fault);
    rc = rc ? rc : json_parse(&root, buf_view(&bytes), JOURNAL_FACTS_BYTES_MAX, &arena, &in->fault);
    if (rc == 0 && !span_eq(json_text(root, "circle"), in->wants.circle))
        rc = fail(&in->fault, E_CIRCLE, "%s: circle %.16s, and this node's is %.16s", path,
                  json_text(root, "circle").len >= 16 ? (const char *)json_text(root, "circle").data : "(none)",
                  (const char *)in->wants.circle.data);
    arena_free(&arena);
    buf_free(&bytes);
    return rc;
}

static void import_print(const struct bundle_in *in)
{
    if (in->cli->json)
        (void)printf("{\"imported\":true,\"entries\":%llu,\"documents\":%llu,\"files_refused\":%llu,"
                     "\"logs_unfinished\":%llu}\n",
                     (unsigned long long)in->entries, (unsigned long long)in->documents,
                     (unsigned long long)in->refused, (unsigned long long)in->absent);
    else
        (void)printf(
            "taken in  %s\n  entries    %llu\n  documents  %llu\n%s", in->folder, (unsigned long long)in->entries,
            (unsigned long long)in->documents,
            in->absent ? "A log goes on beyond what is on this medium: write one by comity bundle export --for\n" : "");
}

static int bundle_import(struct cli *cli)
{
    struct bundle_in in = {.cli = cli};
    struct wants first;
    if (!words(cli, 1, "comity bundle import FOLDER"))
        return EXIT_USAGE;
    in.folder = cli->argv[0];
    progress_begin(&in.progress, "taking in");
    int rc = wants_get(&in, "");
    rc = rc ? rc : facts_check(&in);
    first = in.wants; /* its list of logs is walked while pages of documents come and go */
    in.wants = (struct wants){0};
    for (size_t i = 0; rc == 0 && i < first.logs->count; i++)
        rc = log_in(&in, &first.logs->child[i]);
    rc = rc ? rc : documents_in(&in);
    progress_end(&in.progress);
    if (rc == 0)
        import_print(&in);
    wants_free(&first);
    wants_free(&in.wants);
    return rc ? cli_fail(cli, rc, &in.fault) : in.refused ? EXIT_NO : EXIT_YES;
}

static int bundle_wants(struct cli *cli)
{
    struct buf answer = {0};
    int exit = EXIT_YES;
    if (!words(cli, 0, "comity bundle wants"))
        return EXIT_USAGE;
    if (api_good(cli, "GET", "/api/v1/wants", span_of(NULL, 0), &answer, &exit) == 0)
        (void)fwrite(answer.data, 1, answer.len, stdout);
    buf_free(&answer);
    return exit;
}

int command_bundle(struct cli *cli)
{
    static const struct action_named actions[] = {
        {"export", bundle_export}, {"import", bundle_import}, {"wants", bundle_wants}, {NULL, NULL}};
    return action_run(cli, actions, "comity bundle export|import|wants; see comity bundle --help");
}
