/* A whole party as ordinary files. The database is read at one point, beside the running node or without it, by the same engine that
   serves it to peers: so a log's folder holds exactly what its URL would have answered. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/folder.h"
#include "cli/party.h"
#include "node/engine.h"

struct export
{
    struct party_folder party;
    struct folder folder;
    struct node *node;
    struct buf fresh; /* the own log's checkpoint, from the running node: newer than the stored one for a moment */
    FILE *documents;
    struct fault *fault;
    uint64_t statements, receipts, files_missing;
};

static const char readme[] =
    "This folder holds what one party of a Comity circle said and heard, as ordinary files.\n"
    "KEEP IT AS SAFE AS THE NODE: inventories and the journal are private and stand here in clear. It holds no keys.\n"
    "\n"
    "SHA256SUMS          every other file and its hash; check with: sha256sum -c SHA256SUMS\n"
    "export.json         whose it is, and when it was made\n"
    "circle.bundle       the charter, and key changes since: all that a verifier needs\n"
    "card.note           this party's keys, signed by each of them\n"
    "comity.conf         the node's configuration\n"
    "logs/PARTY/         each log that the node holds, as C2SP tlog-tiles: checkpoint (size, root, signatures),\n"
    "                    tile/entries/... (the signed statements), tile/LEVEL/... (hashes). Check with:\n"
    "                    comity log verify --charter circle.bundle --party PARTY logs/PARTY\n"
    "logs/PARTY/cosigned/SIZE     every checkpoint that a quorum of mirrors has signed, with the times\n"
    "logs/PARTY/beyond/INDEX      statements that were held, but were not under a checkpoint yet\n"
    "documents/ab/HASH   what the statements are about, named by SHA-256\n"
    "documents.jsonl     one line a statement: its log, index, id, document, media type, subject, and the document's "
    "label\n"
    "                    (open: for everybody; members: TLP:GREEN; closed, sealed: for those it was sent to)\n"
    "receipts/ID.*       proof for each of the party's own statements that stands (tlog-proof, COSE). Check with:\n"
    "                    comity verify --charter circle.bundle --receipt receipts/ID.tlog-proof --document "
    "documents/ab/HASH\n"
    "journal.jsonl       what the node noted for itself: notices, deliveries, refusals, two faces, backups, "
    "inventories\n"
    "inventories/SEQ     the inventories, by their line in the journal\n"
    "\n"
    "A statement is COSE_Sign1 (RFC 9052) around a document's hash. The formats stand in docs/formats.md of Comity.\n"
    "Not in it: keys (a backup has them), and what can be derived again from the rest.\n";

static int put(struct export *e, const char *name, const struct served *served)
{
    return folder_put(&e->folder, name, buf_view(&served->body), e->fault);
}

/* What a URL of the node answers. E_NOTFOUND when it has none such. */
static int fetch(struct export *e, const char *path, struct served *out)
{
    node_serve(e->node, span_str(path), true, out);
    int rc = out->status == 200 ? out->body.error : out->status == 404 ? E_NOTFOUND : E_IO;
    return rc && rc != E_NOTFOUND ? fail(e->fault, rc, "%s in the database", path) : rc;
}

static int file_of(struct export *e, const char *prefix, const char *path, const char *name)
{
    char url[256];
    struct served served;
    (void)snprintf(url, sizeof url, "%s/%s", prefix, path);
    int rc = fetch(e, url, &served);
    rc = rc ? rc : put(e, name, &served);
    buf_free(&served.body);
    return rc == E_NOTFOUND ? fail(e->fault, rc, "%s in the database", url) : rc;
}

/* Logs */

struct log_export {
    struct export *e;
    const struct party *party;
    char prefix[96], folder[96];
    log_id id;
    uint64_t held, size; /* entries; size of the checkpoint */
    struct progress progress;
};

static int tiles_put(struct log_export *log, int level, uint64_t nodes)
{
    char path[64], name[192];
    int rc = 0;
    for (uint64_t i = 0; i * TILE_WIDTH < nodes && rc == 0; i++) {
        uint64_t left = nodes - i * TILE_WIDTH;
        tile_path(path, level, i, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH);
        (void)snprintf(name, sizeof name, "%s/%s", log->folder, path);
        rc = file_of(log->e, log->prefix, path, name);
        progress_show(&log->progress, i * TILE_WIDTH, nodes);
    }
    return rc;
}

static uint64_t note_size(struct span text)
{
    struct checkpoint checkpoint;
    struct note note;
    return checkpoint_parse(&checkpoint, &note, text, NULL) == 0 ? checkpoint.size : 0;
}

/* The stored checkpoint, or for the own log the running node's, if it is newer and the entries are here. */
static int checkpoint_put(struct log_export *log)
{
    char url[128], name[128];
    struct served served;
    struct export *e = log->e;
    (void)snprintf(url, sizeof url, "%s/checkpoint", log->prefix);
    int rc = fetch(e, url, &served);
    log->size = rc == 0 ? note_size(buf_view(&served.body)) : 0;
    uint64_t fresh = log->prefix[0] ? 0 : note_size(buf_view(&e->fresh));
    if ((rc == 0 || rc == E_NOTFOUND) && fresh > log->size && fresh <= log->held) {
        log->size = fresh;
        buf_reset(&served.body);
        buf_span(&served.body, buf_view(&e->fresh));
        rc = served.body.error;
    }
    (void)snprintf(name, sizeof name, "%s/checkpoint", log->folder);
    rc = rc ? rc : put(e, name, &served);
    buf_free(&served.body);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int cosigned_put(struct log_export *log)
{
    char url[160], name[160];
    struct served served;
    int rc = 0;
    for (uint64_t size = 1; rc == 0; size++) {
        (void)snprintf(url, sizeof url, "%s/cosigned/%llu", log->prefix, (unsigned long long)size);
        rc = fetch(log->e, url, &served);
        size = rc == 0 ? note_size(buf_view(&served.body)) : size;
        (void)snprintf(name, sizeof name, "%s/cosigned/%llu", log->folder, (unsigned long long)size);
        rc = rc ? rc : put(log->e, name, &served);
        buf_free(&served.body);
    }
    return rc == E_NOTFOUND ? 0 : rc;
}

static int receipt_put(struct export *e, const struct hash *id, bool cose)
{
    char name[128], hex[65];
    struct buf out;
    struct fault fault = {0};
    buf_init(&out, RECEIPT_BYTES_MAX);
    hash_hex(id, hex);
    (void)snprintf(name, sizeof name, "receipts/%s.%s", hex, cose ? "cose" : "tlog-proof");
    int rc = node_receipt(e->node, id, cose, &out, &fault);
    e->receipts += rc == 0 && !cose;
    if (rc == 0)
        rc = folder_put(&e->folder, name, buf_view(&out), e->fault);
    else if (rc != E_UNWITNESSED)
        rc = fail(e->fault, rc, "the receipt of %s", hex);
    buf_free(&out);
    return rc == E_UNWITNESSED ? 0 : rc;
}

/* Documents */

static int document_put(struct export *e, const struct hash *hash, struct stored_document *info, bool *held)
{
    char name[128], path[4096], hex[65];
    struct store *store = e->party.store;
    struct buf bytes;
    int rc = store->ops->document_info(store, hash, info);
    *held = rc == 0;
    if (rc)
        return rc == E_NOTFOUND ? 0 : fail(e->fault, rc, "documents in the database");
    hash_hex(hash, hex);
    (void)snprintf(name, sizeof name, "documents/%.2s/%s", hex, hex);
    rc = folder_path(&e->folder, name, path, e->fault);
    if (rc || access(path, F_OK) == 0)
        return rc; /* another statement is about it, too */
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    rc = store->ops->document_get(store, hash, &bytes);
    rc = rc ? fail(e->fault, rc, "document %s", hex) : folder_put(&e->folder, name, buf_view(&bytes), e->fault);
    buf_free(&bytes);
    return rc;
}

static int line_write(struct export *e, FILE *file, struct buf *line)
{
    buf_byte(line, '\n');
    int rc = line->error;
    if (rc == 0 && fwrite(line->data, 1, line->len, file) != line->len)
        rc = errno == ENOSPC ? E_FULL : E_IO;
    return rc ? fail(e->fault, rc, "writing a list: %s", strerror(errno)) : 0;
}

static int document_line(struct log_export *log, uint64_t index, const struct statement *s, bool held,
                         const struct stored_document *info)
{
    static const char *const labels[] = {"open", "members", "closed", "sealed"};
    struct buf line;
    buf_init(&line, 65536);
    buf_text(&line, "{\"log\":");
    buf_json(&line, span_str(log->party->card.name));
    buf_printf(&line, ",\"index\":%llu,\"statement\":\"", (unsigned long long)index);
    buf_hex(&line, span_hash(&s->id));
    buf_text(&line, "\",\"document\":\"");
    buf_hex(&line, span_hash(&s->document));
    buf_text(&line, "\",\"media\":");
    buf_json(&line, s->media);
    buf_text(&line, ",\"subject\":");
    buf_json(&line, s->subject);
    if (held)
        buf_printf(&line, ",\"held\":true,\"label\":\"%s\",\"size\":%zu}", labels[info->label], info->size);
    else
        buf_text(&line, ",\"held\":false}");
    int rc = line_write(log->e, log->e->documents, &line);
    buf_free(&line);
    return rc;
}

static int entry_put(void *ctx, uint64_t index, struct span bytes)
{
    struct log_export *log = ctx;
    struct export *e = log->e;
    struct statement s;
    struct stored_document info = {0};
    char name[160];
    bool held = false;
    int rc = 0;
    progress_show(&log->progress, index, log->held);
    if (index >= log->size) {
        (void)snprintf(name, sizeof name, "%s/beyond/%llu", log->folder, (unsigned long long)index);
        rc = folder_put(&e->folder, name, bytes, e->fault);
    }
    if (rc || statement_parse(&s, bytes, NULL) != 0)
        return rc;
    e->statements++;
    rc = document_put(e, &s.document, &info, &held);
    e->files_missing += !held;
    rc = rc ? rc : document_line(log, index, &s, held, &info);
    for (int cose = 0; cose < 2 && rc == 0 && log->party == e->party.self; cose++)
        rc = receipt_put(e, &s.id, cose);
    return rc;
}

static int log_put(struct export *e, const struct party *party)
{
    struct log_export log = {.e = e, .party = party};
    struct store *store = e->party.store;
    char hex[65];
    hash_hex(&party->origin_hash, hex);
    if (party != e->party.self)
        (void)snprintf(log.prefix, sizeof log.prefix, "/mirror/%s", hex);
    (void)snprintf(log.folder, sizeof log.folder, "logs/%s", party->card.name);
    progress_begin(&log.progress, log.folder);
    int rc = store->ops->log_open(store, span_str(party->origin), false, &log.id);
    rc = rc ? rc : store->ops->log_size(store, log.id, &log.held);
    if (rc || !log.held)
        return rc == E_NOTFOUND || rc == 0 ? 0 : fail(e->fault, rc, "%s in the database", party->origin);
    rc = checkpoint_put(&log);
    rc = rc ? rc : tiles_put(&log, -1, log.size);
    int level = 0;
    for (uint64_t nodes = log.size; nodes && rc == 0; nodes /= TILE_WIDTH)
        rc = tiles_put(&log, level++, nodes);
    rc = rc ? rc : cosigned_put(&log);
    if (rc == 0 && (rc = store->ops->entries_scan(store, log.id, 0, log.held, entry_put, &log)) != 0 && !e->fault->code)
        (void)fail(e->fault, rc, "the entries of %s", party->origin);
    progress_end(&log.progress);
    return rc;
}

/* The journal */

struct journal_export {
    struct export *e;
    FILE *file;
};

static void text_or_base64(struct buf *line, const char *name, struct span bytes)
{
    bool text = utf8_valid(bytes);
    buf_printf(line, ",\"%s%s\":", name, text ? "" : "_base64");
    if (text)
        buf_json(line, bytes);
    else {
        buf_byte(line, '"');
        buf_base64(line, bytes);
        buf_byte(line, '"');
    }
}

/* An inventory's body is its distribution, a line feed, and the file as it was given. */
static int inventory_put(struct export *e, const struct journal_row *row, struct buf *line)
{
    char name[64];
    struct span distribution, rest = row->body;
    if (!span_line(&rest, &distribution))
        return E_CORRUPT;
    (void)snprintf(name, sizeof name, "inventories/%lld", (long long)row->seq);
    text_or_base64(line, "distribution", distribution);
    text_or_base64(line, "file", span_str(name));
    return folder_put(&e->folder, name, rest, e->fault);
}

static int row_put(void *ctx, const struct journal_row *row)
{
    struct journal_export *journal = ctx;
    struct buf line;
    char at[21];
    int rc = 0;
    time_format(row->at, at);
    buf_init(&line, (size_t)INVENTORY_BYTES_MAX * 2);
    buf_printf(&line, "{\"seq\":%lld,\"at\":\"%s\"", (long long)row->seq, at);
    text_or_base64(&line, "kind", row->kind);
    text_or_base64(&line, "key", row->key);
    if (span_is(row->kind, "inventory"))
        rc = inventory_put(journal->e, row, &line);
    else
        text_or_base64(&line, "body", row->body);
    buf_byte(&line, '}');
    rc = rc ? rc : line_write(journal->e, journal->file, &line);
    buf_free(&line);
    return rc;
}

static FILE *list_open(struct export *e, const char *name)
{
    char path[4096];
    int fd = folder_path(&e->folder, name, path, e->fault) == 0
                 ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
                 : -1;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file && fd >= 0)
        (void)close(fd);
    return file;
}

static int list_close(struct export *e, FILE *file, const char *name, int rc)
{
    if (file && fclose(file) != 0 && rc == 0)
        rc = fail(e->fault, errno == ENOSPC ? E_FULL : E_IO, "%s: %s", name, strerror(errno));
    return rc ? rc : folder_add(&e->folder, name, e->fault);
}

static int journal_put(struct export *e)
{
    struct journal_export journal = {.e = e, .file = list_open(e, "journal.jsonl")};
    if (!journal.file)
        return fail(e->fault, E_IO, "journal.jsonl: %s", strerror(errno));
    int rc = store_sqlite_journal(e->party.store, row_put, &journal);
    if (rc && !e->fault->code)
        (void)fail(e->fault, rc, "the journal in the database");
    return list_close(e, journal.file, "journal.jsonl", rc);
}

/* All of it */

static int circle_put(struct export *e)
{
    struct buf bundle;
    buf_init(&bundle, BUNDLE_JSON_BYTES_MAX);
    int rc = node_bundle(e->node, &bundle, e->fault);
    rc = rc ? rc : folder_put(&e->folder, "circle.bundle", buf_view(&bundle), e->fault);
    buf_free(&bundle);
    e->documents = rc ? NULL : list_open(e, "documents.jsonl");
    if (rc == 0 && !e->documents)
        rc = fail(e->fault, E_IO, "documents.jsonl: %s", strerror(errno));
    for (size_t i = 0; i < e->party.roster.count && rc == 0; i++)
        rc = log_put(e, &e->party.roster.parties[i]);
    return e->documents ? list_close(e, e->documents, "documents.jsonl", rc) : rc;
}

static int facts_put(struct export *e)
{
    struct buf facts;
    char made[21], circle[65] = "";
    buf_init(&facts, JOURNAL_FACTS_BYTES_MAX);
    time_format((int64_t)time(NULL), made);
    if (e->party.in_circle)
        hash_hex(&e->party.roster.circle, circle);
    buf_printf(&facts,
               "{\"comity\":\"export/1\",\"party\":\"%s\",\"circle\":\"%s\",\"made\":\"%s\",\"release\":\"%s\"}\n",
               e->party.card.name, circle, made, COMITY_RELEASE);
    int rc = folder_put(&e->folder, "export.json", buf_view(&facts), e->fault);
    buf_free(&facts);
    return rc;
}

static int export_write(struct export *e, struct hash *id)
{
    char path[4096];
    int rc = folder_put(&e->folder, "README.txt", span_str(readme), e->fault);
    rc = rc ? rc : facts_put(e);
    rc = rc ? rc : folder_put(&e->folder, "card.note", buf_view(&e->party.card_note), e->fault);
    (void)snprintf(path, sizeof path, "%s/comity.conf", e->party.dir);
    rc = rc ? rc : folder_copy(&e->folder, path, "comity.conf", e->fault);
    rc = rc ? rc : journal_put(e);
    if (rc == 0 && e->party.in_circle)
        rc = circle_put(e);
    return rc ? rc : folder_sum(&e->folder, id, e->fault);
}

static int node_begin(struct export *e)
{
    struct env env = {.store = e->party.store};
    struct node_config config = {.roster = e->party.in_circle ? &e->party.roster : NULL,
                                 .charter = buf_view(&e->party.charter),
                                 .party = span_str(e->party.card.name)};
    return node_open(&e->node, &env, &config, e->fault);
}

/* Before the database: so its entries are in what is read then. A node that does not run has stored what it had. */
static void fresh_get(struct export *e)
{
    char url[256];
    struct fault ignored = {0};
    buf_init(&e->fresh, NOTE_BYTES_MAX);
    (void)snprintf(url, sizeof url, "http://%s/checkpoint", e->party.config.listen);
    if (e->party.in_circle && url_get(url, &e->fresh, &ignored) != 0)
        buf_reset(&e->fresh);
}

static void export_print(const struct cli *cli, const struct export *e, const char *target, const struct hash *id)
{
    char hex[65];
    hash_hex(id, hex);
    if (cli->json)
        (void)printf("{\"exported\":true,\"id\":\"%s\",\"party\":\"%s\",\"statements\":%llu,\"receipts\":%llu,"
                     "\"documents_not_held\":%llu}\n",
                     hex, e->party.card.name, (unsigned long long)e->statements, (unsigned long long)e->receipts,
                     (unsigned long long)e->files_missing);
    else
        (void)printf("exported  %s\n  statements  %llu, of %llu the document is not held here\n  receipts    %llu\n"
                     "  id          %s\nIt holds inventories and journal in clear: keep it as safe as the node.\n",
                     target, (unsigned long long)e->statements, (unsigned long long)e->files_missing,
                     (unsigned long long)e->receipts, hex);
}

int command_export(struct cli *cli)
{
    const char *out = option(cli, "--out");
    struct fault fault = {0};
    struct export e = {.fault = &fault};
    struct hash id;
    if (!words(cli, 0, "comity export --out FOLDER"))
        return EXIT_USAGE;
    if (!out)
        return cli_usage(cli, "--out FOLDER is required");
    int rc = party_read(&e.party, cli->dir, &fault), begun;
    if (rc == 0)
        fresh_get(&e);
    rc = rc ? rc : party_store(&e.party, false, &fault);
    rc = rc ? rc : node_begin(&e);
    begun = rc ? rc : folder_begin(&e.folder, out, &fault);
    rc = begun ? begun : export_write(&e, &id);
    rc = rc ? rc : folder_end(&e.folder, &fault);
    if (begun == 0)
        folder_abandon(&e.folder);
    if (rc == 0)
        export_print(cli, &e, out, &id);
    node_close(e.node);
    buf_free(&e.fresh);
    party_free(&e.party);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}
