/* Backups: a copy of a party's folder at one point, its check, and its way back.

   The copy is made here and not in the node. The node's process is kept from writing anywhere but its own folder, and one writer does
   not mean one reader: SQLite lets a second process read the state that was durable when it began, for as long as it likes, while the
   node goes on. What belongs together is copied in the order in which it grows:
     1. signer.state, which never goes beyond what the database has committed;
     2. the database, so that it is at or beyond the signer, as after a crash between commit and signature;
     3. the large documents that this copy names: a document's file is there before the row that names it, and is never removed.
   It is a folder of ordinary files, not an archive: most of it is signatures, hashes and packed documents, which no packer makes smaller;
   it can be looked into, checked with sha256sum, and handed to whatever keeps the house's other backups. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/folder.h"
#include "cli/party.h"

static const char facts_name[] = "backup.json";
enum { SIGNER_STATE_TRIES = 50 };

struct backup {
    struct party_folder party;
    struct hash id;
    struct sums sums;
    uint64_t entries; /* of the own log */
    int64_t schema;
    char made[21];
    const char *keys; /* what is known of them, in words */
};

static void backup_free(struct backup *backup)
{
    party_free(&backup->party);
    sums_free(&backup->sums);
}

/* Checking */

static int facts_check(struct backup *backup, const char *path, struct fault *fault)
{
    static const char *const allowed[] = {"comity", "party", "circle", "made", "release", "schema", "entries", NULL};
    char file[4096], circle[65] = "";
    struct buf text;
    struct arena arena;
    const struct json *root = NULL;
    struct span party = {0}, made = {0}, of = {0};
    int64_t at;
    (void)snprintf(file, sizeof file, "%s/%s", path, facts_name);
    arena_init(&arena, 1 << 20);
    int rc = file_read(file, JOURNAL_FACTS_BYTES_MAX, &text, fault);
    rc = rc ? rc : json_parse(&root, buf_view(&text), JOURNAL_FACTS_BYTES_MAX, &arena, fault);
    if (rc == 0 && !span_is(json_text(root, "comity"), "backup/1"))
        rc = fail(fault, E_UNSUPPORTED, "it is no backup/1");
    rc = rc ? rc : json_only(root, allowed, fault);
    rc = rc ? rc : json_need_text(root, "party", &party, fault);
    rc = rc ? rc : json_need_text(root, "circle", &of, fault);
    rc = rc ? rc : json_need_text(root, "made", &made, fault);
    rc = rc ? rc : json_need_int(root, "schema", &backup->schema, fault);
    if (rc == 0 && !time_parse(made, &at))
        rc = fail(fault, E_SYNTAX, "made is no time");
    if (backup->party.in_circle)
        hash_hex(&backup->party.roster.circle, circle);
    if (rc == 0 && (!span_is(party, backup->party.card.name) || !span_is(of, circle)))
        rc = fail(fault, E_CIRCLE, "it names another party or circle than the files");
    if (rc == 0)
        time_format(at, backup->made);
    buf_free(&text);
    arena_free(&arena);
    return rc ? fail_at(fault, rc, "%s", file) : 0;
}

static int blob_listed(void *ctx, const struct hash *hash)
{
    char name[128], hex[65];
    hash_hex(hash, hex);
    (void)snprintf(name, sizeof name, "blobs/%.2s/%s", hex, hex);
    return sums_find(ctx, name) ? 0 : E_MISSING;
}

static int keys_listed(const struct backup *backup, struct fault *fault)
{
    char name[64];
    for (int role = 0; role < KEY_COUNT; role++) {
        (void)snprintf(name, sizeof name, "keys/%s.key", key_role_names[role]);
        if (role != KEY_RECOVERY && !sums_find(&backup->sums, name))
            return fail(fault, E_MISSING, "%s", name);
    }
    return 0;
}

/* Each log's newest checkpoint is over the tree that is there. Its signature was checked when it came, by keys that may be newer than
   those in the charter's file. */
static int logs_check(struct backup *backup, struct fault *fault)
{
    const struct store_ops *ops = backup->party.store->ops;
    int rc = 0;
    for (size_t i = 0; i < backup->party.roster.count && rc == 0; i++) {
        const struct party *party = &backup->party.roster.parties[i];
        struct store_tiles space = {.store = backup->party.store};
        struct checkpoint checkpoint;
        struct note note;
        struct hash root;
        struct buf text;
        uint64_t size;
        buf_init(&text, NOTE_BYTES_MAX);
        rc = ops->log_open(space.store, span_str(party->origin), false, &space.log);
        rc = rc ? rc : ops->note_latest(space.store, space.log, NOTE_SIGNED, &size, &text);
        bool none = rc == E_NOTFOUND;
        rc = rc ? rc : checkpoint_parse(&checkpoint, &note, buf_view(&text), fault);
        struct tile_reader tiles = store_tile_reader(&space);
        rc = rc ? rc : tree_root(&tiles, checkpoint.size, &root);
        if (rc == 0 && !hash_eq(&root, &checkpoint.root))
            rc = E_PROOF;
        buf_free(&text);
        rc = none ? 0 : rc ? fail(fault, rc, "the newest checkpoint of %s in the database", party->origin) : 0;
    }
    return rc;
}

static int signer_check(struct backup *backup, const char *path, struct fault *fault)
{
    char file[4096];
    struct signer_position position;
    (void)snprintf(file, sizeof file, "%s/signer.state", path);
    int rc = party_signer(&backup->party, file, &position, fault);
    rc = rc ? rc : party_agrees(&backup->party, &position, &backup->entries, fault);
    return rc ? rc : logs_check(backup, fault);
}

/* An earlier release's database is read as this release will migrate it: in a copy, of which only the open file is left. */
static int older_open(struct backup *backup, const char *path, struct fault *fault)
{
    const char *base = getenv("TMPDIR");
    char work[3000], from[4096], to[4096], lock[4096];
    struct hash hash;
    uint64_t bytes = 0;
    struct store *store = NULL;
    (void)snprintf(work, sizeof work, "%.2900s/comity-backup-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(work))
        return fail_at(fault, fail(fault, E_IO, "%s", strerror(errno)), "%s", work);
    (void)snprintf(from, sizeof from, "%s/state.db", path);
    (void)snprintf(to, sizeof to, "%s/state.db", work);
    (void)snprintf(lock, sizeof lock, "%s/state.db.lock", work);
    int rc = file_copy(from, to, &hash, &bytes, fault);
    rc = rc ? rc : store_sqlite_open(&store, to, NULL, fault);
    if (rc == 0)
        store->ops->close(store);
    rc = rc ? rc : store_sqlite_read(&backup->party.store, to, NULL, true, fault);
    (void)unlink(to);
    (void)unlink(lock);
    (void)rmdir(work);
    return rc;
}

/* All that can be said without the node's machine. The keys are opened when there is a passphrase file. */
static int backup_check(struct backup *backup, const char *path, const char *passphrase_file, struct fault *fault)
{
    struct party_folder *party = &backup->party;
    backup->keys = "not opened: no passphrase file was given";
    int rc = folder_check(path, &backup->sums, &backup->id, fault);
    rc = rc ? rc : party_read(party, path, fault);
    rc = rc ? rc : facts_check(backup, path, fault);
    rc = rc ? rc : keys_listed(backup, fault);
    bool older = backup->schema > 0 && backup->schema < store_sqlite_schema();
    if (rc == 0)
        rc = older ? older_open(backup, path, fault) : party_store(party, true, fault);
    rc = rc ? rc : store_sqlite_check(party->store, false, fault);
    if (rc == 0 && (rc = store_sqlite_files(party->store, blob_listed, &backup->sums)) != 0)
        (void)fail(fault, rc, "a large document that the database names");
    if (rc == 0 && party->in_circle)
        rc = signer_check(backup, path, fault);
    if (rc == 0 && passphrase_file) {
        rc = party_keys(party, passphrase_file, fault);
        backup->keys = "opened with the passphrase";
    }
    return rc;
}

static void backup_print(const struct cli *cli, const struct backup *backup, const char *path, const char *verb)
{
    char id[65];
    hash_hex(&backup->id, id);
    if (cli->json)
        (void)printf(
            "{\"%s\":true,\"id\":\"%s\",\"party\":\"%s\",\"made\":\"%s\",\"entries\":%llu,\"files\":%zu,\"bytes\":%llu,"
            "\"keys\":\"%s\"}\n",
            verb, id, backup->party.card.name, backup->made, (unsigned long long)backup->entries, backup->sums.count,
            (unsigned long long)backup->sums.bytes, backup->keys);
    else
        (void)printf("%s  %s\n  party    %s\n  made     %s\n  own log  %llu entries\n  size     %zu files, %llu bytes\n"
                     "  keys     %s\n  id       %s\n",
                     verb, path, backup->party.card.name, backup->made, (unsigned long long)backup->entries,
                     backup->sums.count, (unsigned long long)backup->sums.bytes, backup->keys, id);
}

/* Making one */

/* The signer writes page by page while this reads: a copy that fails its check was caught in between, and is made again. */
static int signer_copy(struct folder *folder, const struct party_folder *party, const char *from, struct fault *fault)
{
    char to[4096];
    struct signer_position position;
    struct hash hash;
    uint64_t bytes = 0;
    int rc = folder_path(folder, "signer.state", to, fault);
    for (int i = 0; i < SIGNER_STATE_TRIES && rc == 0; i++) {
        rc = file_copy(from, to, &hash, &bytes, fault);
        rc = rc ? rc : party_signer(party, to, &position, fault);
        if (rc != E_CORRUPT)
            break;
        rc = unlink(to) == 0 ? 0 : E_IO;
        (void)usleep(20000);
    }
    return rc ? rc : folder_add(folder, "signer.state", fault);
}

struct blobs_copy {
    struct folder *folder;
    const char *dir;
    struct fault *fault;
};

static int blob_copy(void *ctx, const struct hash *hash)
{
    const struct blobs_copy *copy = ctx;
    char name[128], from[4096], hex[65];
    hash_hex(hash, hex);
    (void)snprintf(name, sizeof name, "blobs/%.2s/%s", hex, hex);
    (void)snprintf(from, sizeof from, "%s/%s", copy->dir, name);
    return folder_copy(copy->folder, from, name, copy->fault);
}

static int small_files_copy(struct folder *folder, const struct party_folder *party, struct fault *fault)
{
    char from[4096], name[64];
    static const char *const names[] = {"comity.conf", "card.note", "charter/charter.json", "charter/key-change.json",
                                        "charter/key-change.statement"};
    int rc = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && rc == 0; i++) {
        (void)snprintf(from, sizeof from, "%s/%s", party->dir, names[i]);
        if (i < 2 || access(from, F_OK) == 0) /* what stands in charter/ depends on the party's history */
            rc = folder_copy(folder, from, names[i], fault);
    }
    for (int role = 0; role < KEY_COUNT && rc == 0; role++)
        if (role != KEY_RECOVERY) {
            (void)snprintf(name, sizeof name, "keys/%s.key", key_role_names[role]);
            (void)snprintf(from, sizeof from, "%s/%s", party->dir, name);
            rc = folder_copy(folder, from, name, fault);
        }
    return rc;
}

static int database_copy(struct folder *folder, const struct party_folder *party, struct fault *fault)
{
    char to[4096];
    struct progress progress;
    struct blobs_copy blobs = {.folder = folder, .dir = party->dir, .fault = fault};
    int rc = folder_path(folder, "state.db", to, fault);
    progress_begin(&progress, "copying the database, pages");
    rc = rc ? rc : store_sqlite_copy(party->store, to, progress_show, &progress, fault);
    progress_end(&progress);
    rc = rc ? rc : folder_add(folder, "state.db", fault);
    return rc ? rc : store_sqlite_files(party->store, blob_copy, &blobs);
}

static void facts_write(struct buf *out, const struct party_folder *party, uint64_t entries)
{
    char made[21], circle[65] = "";
    time_format((int64_t)time(NULL), made);
    if (party->in_circle)
        hash_hex(&party->roster.circle, circle);
    buf_printf(
        out,
        "{\"comity\":\"backup/"
        "1\",\"party\":\"%s\",\"circle\":\"%s\",\"made\":\"%s\",\"release\":\"%s\",\"schema\":%d,\"entries\":%llu}\n",
        party->card.name, circle, made, COMITY_RELEASE, store_sqlite_schema(), (unsigned long long)entries);
}

static int backup_write(struct folder *folder, struct party_folder *party, struct buf *facts, struct hash *id,
                        struct fault *fault)
{
    char from[4096];
    const struct signer_position none = {0};
    uint64_t entries = 0;
    int rc = 0;
    if (party->in_circle) {
        (void)snprintf(from, sizeof from, "%s/signer.state", party->dir);
        rc = signer_copy(folder, party, from, fault);
    }
    rc = rc ? rc : party_store(party, false, fault);
    rc = rc ? rc : database_copy(folder, party, fault);
    rc = rc ? rc : small_files_copy(folder, party, fault);
    if (rc == 0 && party->in_circle)
        rc = party_agrees(party, &none, &entries, fault);
    facts_write(facts, party, entries);
    rc = rc ? rc : folder_put(folder, facts_name, buf_view(facts), fault);
    return rc ? rc : folder_sum(folder, id, fault);
}

/* Without a node the journal is written here, under the store's lock. */
static int journal_write(const struct cli *cli, const char *id, struct span facts, struct fault *fault)
{
    char path[4096], blobs[4096];
    struct store *store = NULL;
    int64_t seq;
    (void)path_join(cli, "state.db", path);
    (void)path_join(cli, "blobs", blobs);
    int rc = store_sqlite_open(&store, path, blobs, fault);
    if (rc)
        return rc;
    rc = store->ops->begin(store);
    rc =
        rc ? rc : store->ops->journal_append(store, (int64_t)time(NULL), span_str("backup"), span_str(id), facts, &seq);
    rc = rc ? rc : store->ops->commit(store);
    store->ops->close(store);
    return rc ? fail(fault, rc, "the journal") : 0;
}

/* The backup is whole by now; that the journal does not know of it is only told. */
static void backup_record(const struct cli *cli, const struct hash *hash, struct span facts)
{
    char id[65], path[128];
    struct buf answer = {0};
    struct fault fault = {0};
    int status = 0;
    hash_hex(hash, id);
    (void)snprintf(path, sizeof path, "/api/v1/backups?id=%s", id);
    int rc = api_call(cli, "POST", path, facts, &answer, &status, &fault);
    if (rc == E_STATE)
        rc = journal_write(cli, id, facts, &fault);
    else if (rc == 0 && status != 201)
        rc = fail(&fault, E_PEER, "the node answered with HTTP status %d", status);
    if (rc)
        (void)fprintf(stderr, "comity: the backup is good, but the journal does not know of it: %s %s\n",
                      error_text(rc)->message, fault.detail);
    buf_free(&answer);
}

static int backup_make(struct cli *cli, const char *target)
{
    struct party_folder party;
    struct folder folder;
    struct backup made = {0};
    struct fault fault = {0};
    struct hash id;
    struct buf facts;
    buf_init(&facts, JOURNAL_FACTS_BYTES_MAX);
    int rc = party_read(&party, cli->dir, &fault), begun;
    begun = rc ? rc : folder_begin(&folder, target, &fault);
    rc = begun ? begun : backup_write(&folder, &party, &facts, &id, &fault);
    const char *passphrase = party.config.passphrase_file;
    if (rc == 0) /* what was never read back is no backup */
        rc = backup_check(&made, folder.path, access(passphrase, R_OK) == 0 ? passphrase : NULL, &fault);
    rc = rc ? rc : folder_end(&folder, &fault);
    if (begun == 0)
        folder_abandon(&folder);
    if (rc == 0) {
        backup_record(cli, &id, buf_view(&facts));
        backup_print(cli, &made, target, "backed_up");
    }
    backup_free(&made);
    party_free(&party);
    buf_free(&facts);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}

static int backup_verify(struct cli *cli, const char *path, const char *passphrase_file)
{
    struct backup backup = {0};
    struct fault fault = {0};
    int rc = backup_check(&backup, path, passphrase_file, &fault);
    if (rc == 0)
        backup_print(cli, &backup, path, "verified");
    backup_free(&backup);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}

int command_backup(struct cli *cli)
{
    const char *out = option(cli, "--out"), *passphrase_file = option(cli, "--passphrase-file");
    if (cli->argc == 2 && strcmp(cli->argv[0], "verify") == 0 && !out)
        return backup_verify(cli, cli->argv[1], passphrase_file);
    if (!words(cli, 0, "comity backup --out FOLDER | comity backup verify FOLDER [--passphrase-file FILE]"))
        return EXIT_USAGE;
    if (!out || passphrase_file)
        return cli_usage(cli, "comity backup --out FOLDER; --passphrase-file is for comity backup verify");
    return backup_make(cli, out);
}

/* The way back */

static int files_restore(struct folder *folder, const struct backup *backup, const char *path, struct fault *fault)
{
    struct progress progress;
    char from[4096], to[4096];
    int rc = 0;
    progress_begin(&progress, "restoring files");
    for (size_t i = 0; i < backup->sums.count && rc == 0; i++) {
        const struct sum *sum = &backup->sums.list[i];
        struct hash hash;
        uint64_t bytes = 0;
        if (strcmp(sum->name, facts_name) == 0)
            continue;
        (void)snprintf(from, sizeof from, "%s/%s", path, sum->name);
        rc = folder_path(folder, sum->name, to, fault);
        rc = rc ? rc : file_copy(from, to, &hash, &bytes, fault);
        if (rc == 0 && !hash_eq(&hash, &sum->hash))
            rc = fail_at(fault, fail(fault, E_HASH, "it changed while it was read"), "%s", from);
        progress_show(&progress, i + 1, backup->sums.count);
    }
    progress_end(&progress);
    return rc;
}

/* The node must hear everybody before it signs: nothing that it finds by itself says how old this copy is. */
static int restored_mark(const struct folder *folder, const struct backup *backup, struct fault *fault)
{
    char path[4096], blobs[4096], id[65];
    struct store *store = NULL;
    int64_t seq;
    hash_hex(&backup->id, id);
    (void)snprintf(path, sizeof path, "%.3000s/state.db", folder->path);
    (void)snprintf(blobs, sizeof blobs, "%.3000s/blobs", folder->path);
    int rc = store_sqlite_open(&store, path, blobs, fault);
    if (rc)
        return rc;
    int64_t now = (int64_t)time(NULL);
    char key[96];
    (void)snprintf(key, sizeof key, "%s %lld", id, (long long)now);
    rc = store->ops->begin(store);
    rc = rc ? rc : store->ops->state_put(store, span_str("restored"), span_str(id));
    rc = rc ? rc
            : store->ops->journal_append(store, now, span_str("restored"), span_str(key), span_str(backup->made), &seq);
    rc = rc ? rc : store->ops->commit(store);
    store->ops->close(store);
    return rc ? fail(fault, rc, "marking the database as restored") : 0;
}

/* An empty folder may stand at the target: a mount point, a folder made by a package. */
static int target_begin(struct folder *folder, const char *into, bool *was_empty, struct fault *fault)
{
    struct stat st;
    *was_empty = stat(into, &st) == 0 && S_ISDIR(st.st_mode) && folder_empty(into);
    if (*was_empty && rmdir(into) != 0)
        return fail_at(fault, fail(fault, E_IO, "%s", strerror(errno)), "%s", into);
    return folder_begin(folder, into, fault);
}

static void restored_print(const struct cli *cli, const struct backup *backup, const char *path, const char *into)
{
    backup_print(cli, backup, path, "restored");
    if (!cli->json)
        (void)printf(
            "\nIt is in %s. Before you start it:\n"
            "  - the machine that this was copied from is off, and stays off: two nodes of one party convict it;\n"
            "  - %s%s.\n"
            "It will say recovering until every mirror has told it what it signed since %s.\n",
            into,
            backup->party.config.passphrase_file[0] ? "the passphrase stands in "
                                                    : "comity.conf names a passphrase-file",
            backup->party.config.passphrase_file, backup->made);
}

int command_restore(struct cli *cli)
{
    const char *into = option(cli, "--into"), *passphrase_file = option(cli, "--passphrase-file");
    struct backup backup = {0};
    struct folder folder;
    struct fault fault = {0};
    bool was_empty = false;
    if (!words(cli, 1, "comity restore FOLDER --into DIR [--passphrase-file FILE]"))
        return EXIT_USAGE;
    if (!into)
        return cli_usage(cli, "--into DIR is required");
    int rc = backup_check(&backup, cli->argv[0], passphrase_file, &fault), begun;
    begun = rc ? rc : target_begin(&folder, into, &was_empty, &fault);
    rc = begun ? begun : files_restore(&folder, &backup, cli->argv[0], &fault);
    rc = rc ? rc : restored_mark(&folder, &backup, &fault);
    rc = rc ? rc : folder_end(&folder, &fault);
    if (begun == 0)
        folder_abandon(&folder);
    if (rc && was_empty)
        (void)mkdir(into, 0700);
    if (rc == 0)
        restored_print(cli, &backup, cli->argv[0], into);
    backup_free(&backup);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}
