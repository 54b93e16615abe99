/* A whole party as ordinary files. The database is read at one point, beside the running node or without it, by the same engine that
   serves it to peers: so a log's folder holds exactly what its URL would have answered. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/logs.h"

struct export
{
    struct logs_out out;
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
    "journal.jsonl       what the node noted for itself: notices, deliveries, refusals, two faces, backups, uploads\n"
    "inventories.jsonl   one line an inventory: its name, its file, and what is known of it\n"
    "inventories/        their files; by number those that an earlier release kept in the journal, at that line\n"
    "\n"
    "A statement is COSE_Sign1 (RFC 9052) around a document's hash. The formats stand in docs/formats.md of Comity.\n"
    "Not in it: keys (a backup has them), and what can be derived again from the rest.\n";

static int receipt_put(struct export *e, const struct hash *id, bool cose)
{
    char name[128], hex[65];
    struct buf out;
    struct fault fault = {0};
    buf_init(&out, RECEIPT_BYTES_MAX);
    hash_hex(id, hex);
    (void)snprintf(name, sizeof name, "receipts/%s.%s", hex, cose ? "cose" : "tlog-proof");
    int rc = node_receipt(e->out.node, id, cose, &out, &fault);
    e->receipts += rc == 0 && !cose;
    if (rc == 0)
        rc = folder_put(&e->out.folder, name, buf_view(&out), e->fault);
    else if (rc != E_UNWITNESSED)
        rc = fail(e->fault, rc, "the receipt of %s", hex);
    buf_free(&out);
    return rc == E_UNWITNESSED ? 0 : rc;
}

static int line_write(struct export *e, FILE *file, struct buf *line)
{
    buf_byte(line, '\n');
    int rc = line->error;
    if (rc == 0 && fwrite(line->data, 1, line->len, file) != line->len)
        rc = errno == ENOSPC ? E_FULL : E_IO;
    return rc ? fail(e->fault, rc, "writing a list: %s", strerror(errno)) : 0;
}

struct log_export {
    struct log_out out;
    struct export *e;
};

static int document_line(struct log_export *log, uint64_t index, const struct statement *s, bool held,
                         const struct stored_document *info)
{
    static const char *const labels[] = {"open", "members", "closed", "sealed"};
    struct buf line;
    buf_init(&line, 65536);
    buf_text(&line, "{\"log\":");
    buf_json(&line, span_str(log->out.party->card.name));
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
    progress_show(&log->out.progress, index, log->out.held);
    if (index >= log->out.size) {
        (void)snprintf(name, sizeof name, "%s/beyond/%llu", log->out.folder, (unsigned long long)index);
        rc = folder_put(&e->out.folder, name, bytes, e->fault);
    }
    if (rc || statement_parse(&s, bytes, NULL) != 0)
        return rc;
    e->statements++;
    rc = logs_document_put(&e->out, &s.document, LABEL_SEALED, &info, &held);
    e->files_missing += !held;
    rc = rc ? rc : document_line(log, index, &s, held, &info);
    for (int cose = 0; cose < 2 && rc == 0 && log->out.party == e->out.party.self; cose++)
        rc = receipt_put(e, &s.id, cose);
    return rc;
}

static int log_put(struct export *e, const struct party *party)
{
    struct log_export log = {.e = e};
    struct store *store = e->out.party.store;
    int rc = log_write(&log.out, &e->out, party, 0);
    if (rc)
        return rc == E_NOTFOUND ? 0 : rc;
    rc = store->ops->entries_scan(store, log.out.id, 0, log.out.held, entry_put, &log);
    if (rc && !e->fault->code)
        (void)fail(e->fault, rc, "the entries of %s", party->origin);
    progress_end(&log.out.progress);
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

/* Of an earlier release: an inventory's body is its distribution, a line feed, and the file as it was given. */
static int inventory_put(struct export *e, const struct journal_row *row, struct buf *line)
{
    char name[64];
    struct span distribution, rest = row->body;
    if (!span_line(&rest, &distribution))
        return E_CORRUPT;
    (void)snprintf(name, sizeof name, "inventories/%lld", (long long)row->seq);
    text_or_base64(line, "distribution", distribution);
    text_or_base64(line, "file", span_str(name));
    return folder_put(&e->out.folder, name, rest, e->fault);
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
    int fd = folder_path(&e->out.folder, name, path, e->fault) == 0
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
    return rc ? rc : folder_add(&e->out.folder, name, e->fault);
}

static int journal_put(struct export *e)
{
    struct journal_export journal = {.e = e, .file = list_open(e, "journal.jsonl")};
    if (!journal.file)
        return fail(e->fault, E_IO, "journal.jsonl: %s", strerror(errno));
    int rc = store_sqlite_journal(e->out.party.store, row_put, &journal);
    if (rc && !e->fault->code)
        (void)fail(e->fault, rc, "the journal in the database");
    return list_close(e, journal.file, "journal.jsonl", rc);
}

/* Inventories as they are now: what is known of each, on a line, and its file. */

struct held_export {
    struct export *e;
    FILE *list;
    unsigned count;
};

static int held_put(void *ctx, struct span name, struct span facts)
{
    struct held_export *held = ctx;
    struct store *store = held->e->out.party.store;
    struct buf line, file;
    char path[64];
    (void)snprintf(path, sizeof path, "inventories/current-%u", ++held->count);
    buf_init(&line, 65536);
    buf_init(&file, INVENTORY_BYTES_MAX);
    int rc = store->ops->kept_get(store, span_str("file"), name, &file);
    rc = rc == E_NOTFOUND ? E_CORRUPT : rc;
    rc = rc ? rc : folder_put(&held->e->out.folder, path, buf_view(&file), held->e->fault);
    buf_byte(&line, '{');
    buf_member(&line, "name", name);
    buf_member(&line, "file", span_str(path));
    buf_span(&line, span_from(facts, 1)); /* an object, without its brace */
    rc = rc ? rc : line_write(held->e, held->list, &line);
    buf_free(&line);
    buf_free(&file);
    return rc;
}

static int inventories_put(struct export *e)
{
    struct store *store = e->out.party.store;
    struct held_export held = {.e = e, .list = list_open(e, "inventories.jsonl")};
    if (!held.list)
        return fail(e->fault, E_IO, "inventories.jsonl: %s", strerror(errno));
    int rc = store->ops->kept_scan(store, span_str("inventory"), held_put, &held);
    if (rc && !e->fault->code)
        (void)fail(e->fault, rc, "the inventories in the database");
    return list_close(e, held.list, "inventories.jsonl", rc);
}

/* All of it */

static int circle_put(struct export *e)
{
    int rc = logs_bundle_put(&e->out);
    e->documents = rc ? NULL : list_open(e, "documents.jsonl");
    if (rc == 0 && !e->documents)
        rc = fail(e->fault, E_IO, "documents.jsonl: %s", strerror(errno));
    for (size_t i = 0; i < e->out.party.roster.count && rc == 0; i++)
        rc = log_put(e, &e->out.party.roster.parties[i]);
    return e->documents ? list_close(e, e->documents, "documents.jsonl", rc) : rc;
}

static int facts_put(struct export *e)
{
    struct buf facts;
    char made[21], circle[65] = "";
    buf_init(&facts, JOURNAL_FACTS_BYTES_MAX);
    time_format((int64_t)time(NULL), made);
    if (e->out.party.in_circle)
        hash_hex(&e->out.party.roster.circle, circle);
    buf_printf(&facts,
               "{\"comity\":\"export/1\",\"party\":\"%s\",\"circle\":\"%s\",\"made\":\"%s\",\"release\":\"%s\"}\n",
               e->out.party.card.name, circle, made, COMITY_RELEASE);
    int rc = folder_put(&e->out.folder, "export.json", buf_view(&facts), e->fault);
    buf_free(&facts);
    return rc;
}

static int export_write(struct export *e, struct hash *id)
{
    char path[4096];
    int rc = folder_put(&e->out.folder, "README.txt", span_str(readme), e->fault);
    rc = rc ? rc : facts_put(e);
    rc = rc ? rc : folder_put(&e->out.folder, "card.note", buf_view(&e->out.party.card_note), e->fault);
    (void)snprintf(path, sizeof path, "%s/comity.conf", e->out.party.dir);
    rc = rc ? rc : folder_copy(&e->out.folder, path, "comity.conf", e->fault);
    rc = rc ? rc : journal_put(e);
    rc = rc ? rc : inventories_put(e);
    if (rc == 0 && e->out.party.in_circle)
        rc = circle_put(e);
    return rc ? rc : folder_sum(&e->out.folder, id, e->fault);
}

static void export_print(const struct cli *cli, const struct export *e, const char *target, const struct hash *id)
{
    char hex[65];
    hash_hex(id, hex);
    if (cli->json)
        (void)printf("{\"exported\":true,\"id\":\"%s\",\"party\":\"%s\",\"statements\":%llu,\"receipts\":%llu,"
                     "\"documents_not_held\":%llu}\n",
                     hex, e->out.party.card.name, (unsigned long long)e->statements, (unsigned long long)e->receipts,
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
    int rc = logs_open(&e.out, cli->dir, out, &fault);
    rc = rc ? rc : export_write(&e, &id);
    rc = rc ? rc : folder_end(&e.out.folder, &fault);
    if (rc == 0)
        export_print(cli, &e, out, &id);
    logs_close(&e.out);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}
