/* comity check and comity repair: what is damaged in a stopped node's folder, and bringing it back from the peers. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "circle/member.h"
#include "cli/examine.h"
#include "node/repair.h"
#include "signer/check.h"
#include "store/check.h"

static void findings_json(struct buf *out, const char *name, const struct findings *findings)
{
    buf_printf(out, "\"%s\":[", name);
    for (size_t i = 0; i < findings->kept; i++) {
        buf_text(out, i ? ",{\"place\":" : "{\"place\":");
        buf_json(out, span_str(findings->list[i].place));
        buf_text(out, ",\"what\":");
        buf_json(out, span_str(findings->list[i].what));
        buf_byte(out, '}');
    }
    buf_text(out, "]");
}

static void findings_print(const char *word, const struct findings *findings)
{
    for (size_t i = 0; i < findings->kept; i++) {
        (void)printf("%-9s ", word);
        print_span(span_str(findings->list[i].place));
        (void)printf(": ");
        print_span(span_str(findings->list[i].what));
        (void)printf("\n");
    }
    if (findings->count > findings->kept)
        (void)printf("%-9s %zu more\n", word, findings->count - findings->kept);
}

static void buf_print(const struct buf *out)
{
    (void)fwrite(out->data, 1, out->len, stdout);
}

int command_check(struct cli *cli)
{
    struct examined e;
    struct fault fault = {0};
    if (!words(cli, 0, "comity check"))
        return EXIT_USAGE;
    int rc = examine(&e, cli->dir, &fault);
    bool whole = rc == 0 && !e.findings.count;
    if (rc == 0 && cli->json) {
        struct buf out;
        buf_init(&out, JSON_BYTES_MAX);
        buf_printf(&out, "{\"whole\":%s,\"damages\":%zu,", whole ? "true" : "false", e.findings.count);
        findings_json(&out, "damaged", &e.findings);
        buf_text(&out, "}\n");
        buf_print(&out);
        buf_free(&out);
    } else if (rc == 0) {
        findings_print("DAMAGED", &e.findings);
        (void)printf(whole ? "WHOLE     every page, row, tile, document, signature, key and file\n"
                           : "%zu damages; comity repair brings back what the peers have\n",
                     e.findings.count);
    }
    examined_free(&e);
    return rc ? cli_fail(cli, rc, &fault) : whole ? EXIT_YES : EXIT_NO;
}

/* Asking peers */

enum { PEERS_SILENT_MAX = PARTIES_MAX };

struct asker {
    CURL *curl;
    const struct party *self;
    struct keyring *ring; /* NULL: documents for members are not asked for as one */
    const struct party *silent[PEERS_SILENT_MAX];
    size_t silent_count; /* not asked again: one that is away would hold up every request */
};

static size_t answer_take(char *data, size_t size, size_t count, void *ctx)
{
    struct buf *out = ctx;
    buf_add(out, data, size * count);
    return out->error ? 0 : size * count;
}

static struct curl_slist *member_headers(const struct asker *asker, const struct party *peer, const char *path)
{
    char authority[MEMBER_AUTHORITY_BYTES_MAX + 1], text[32 + MEMBER_INPUT_BYTES_MAX];
    struct buf input, base;
    struct buf line;
    struct signature signature;
    struct curl_slist *headers = NULL;
    static const char start[] = "comity=";
    if (!asker->ring || strncmp(path, "/documents/", 11) != 0 ||
        member_authority(authority, span_str(peer->card.url)) != 0)
        return NULL;
    buf_init(&input, MEMBER_INPUT_BYTES_MAX);
    buf_init(&base, MEMBER_BASE_BYTES_MAX);
    buf_init(&line, MEMBER_SIGNATURE_BYTES);
    member_input_write(&input, (int64_t)time(NULL), &asker->self->kids[KEY_STATEMENT]);
    member_base_write(&base, span_str(authority), span_str(path), span_from(buf_view(&input), sizeof start - 1));
    if (!input.error && !base.error) {
        sign(keyring_secret(asker->ring, KEY_STATEMENT), buf_view(&base), &signature);
        member_signature_write(&line, &signature);
        (void)snprintf(text, sizeof text, "Signature-Input: %.*s", (int)input.len, (const char *)input.data);
        headers = curl_slist_append(headers, text);
        (void)snprintf(text, sizeof text, "Signature: %.*s", (int)line.len, (const char *)line.data);
        headers = curl_slist_append(headers, text);
    }
    buf_free(&input);
    buf_free(&base);
    buf_free(&line);
    return headers;
}

static int peer_get(void *ctx, const struct party *peer, const char *path, struct buf *out)
{
    struct asker *asker = ctx;
    char url[URL_BYTES_MAX + 256];
    long status = 0;
    for (size_t i = 0; i < asker->silent_count; i++)
        if (asker->silent[i] == peer)
            return E_PEER;
    (void)snprintf(url, sizeof url, "%s%s", peer->card.url, path);
    struct curl_slist *headers = member_headers(asker, peer, path);
    (void)curl_easy_setopt(asker->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(asker->curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(asker->curl, CURLOPT_WRITEDATA, out);
    CURLcode rc = curl_easy_perform(asker->curl);
    (void)curl_easy_getinfo(asker->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_setopt(asker->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if ((rc == CURLE_COULDNT_CONNECT || rc == CURLE_COULDNT_RESOLVE_HOST || rc == CURLE_OPERATION_TIMEDOUT) &&
        asker->silent_count < PEERS_SILENT_MAX)
        asker->silent[asker->silent_count++] = peer;
    return rc == CURLE_OK && status == 200 ? out->error : status == 404 ? E_NOTFOUND : E_PEER;
}

static bool mirror_sign(void *ctx, struct span message, struct signature *out)
{
    const struct asker *asker = ctx;
    if (asker->ring)
        sign(keyring_secret(asker->ring, KEY_MIRROR), message, out);
    return asker->ring != NULL;
}

static void asker_open(struct asker *asker, const struct examined *e)
{
    struct buf passphrase;
    *asker = (struct asker){.curl = curl_easy_init(), .self = e->self};
    (void)curl_easy_setopt(asker->curl, CURLOPT_WRITEFUNCTION, answer_take);
    (void)curl_easy_setopt(asker->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(asker->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(asker->curl, CURLOPT_CONNECTTIMEOUT, 5L);
    (void)curl_easy_setopt(asker->curl, CURLOPT_LOW_SPEED_LIMIT, 100L);
    (void)curl_easy_setopt(asker->curl, CURLOPT_LOW_SPEED_TIME, 20L);
    if (passphrase_read(&e->config, &passphrase, NULL) == 0 &&
        keyring_open(&asker->ring, e->dir, passphrase_text(&passphrase), NULL) != 0)
        asker->ring = NULL;
    buf_wipe(&passphrase);
}

static void asker_close(struct asker *asker)
{
    curl_easy_cleanup(asker->curl);
    keyring_free(asker->ring);
}

/* Repairing */

struct repairing {
    struct examined e; /* as it was */
    struct findings lost;
    char stamp[32]; /* what is put aside ends so */
    bool config_back;
    struct fault fault;
};

static void named(const struct repairing *r, const char *name, char out[static 4096])
{
    (void)snprintf(out, 4096, "%s/%s", r->e.dir, name);
}

static int folder_sync(const char *dir, struct fault *fault)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good ? 0 : fail_at(fault, fail(fault, E_IO, "%s", strerror(errno)), "%s", dir);
}

/* Nothing is deleted: what is replaced stays beside, under a name that says when. */
static int put_aside(struct repairing *r, const char *name)
{
    char from[4096], to[4096 + 64];
    named(r, name, from);
    (void)snprintf(to, sizeof to, "%s.damaged-%s", from, r->stamp);
    if (rename(from, to) == 0 || errno == ENOENT)
        return 0;
    return fail_at(&r->fault, fail(&r->fault, E_IO, "%s", strerror(errno)), "%s", from);
}

static int file_replace(struct repairing *r, const char *name, struct span bytes, unsigned mode)
{
    char path[4096], old[4096 + 64];
    named(r, name, path);
    (void)snprintf(old, sizeof old, "%s.damaged-%s", path, r->stamp);
    if (link(path, old) != 0 && errno != ENOENT)
        return fail_at(&r->fault, fail(&r->fault, E_IO, "%s", strerror(errno)), "%s", old);
    return file_write(path, bytes, mode, false, &r->fault);
}

/* The new database has its own name when it is whole and durable; from then on the move can be taken up again after a crash: the store
   does not open while that name stands. The old -wal leaves before the new database comes, or it would be read into it. */
static int database_swap(struct repairing *r)
{
    static const char *const old[] = {"state.db", "state.db-wal", "state.db-shm"};
    char from[4096], to[4096], aside[4096 + 64];
    struct stat st;
    int rc = 0;
    named(r, "state.db.repaired", from);
    if (stat(from, &st) != 0)
        return 0;
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
        named(r, old[i], to);
        (void)snprintf(aside, sizeof aside, "%s/state.db.damaged-%s%s", r->e.dir, r->stamp,
                       old[i] + strlen("state.db"));
        if (rename(to, aside) != 0 && errno != ENOENT)
            return fail_at(&r->fault, fail(&r->fault, E_IO, "%s", strerror(errno)), "%s", to);
    }
    rc = folder_sync(r->e.dir, &r->fault);
    named(r, "state.db", to);
    if (rc == 0 && rename(from, to) != 0)
        rc = fail_at(&r->fault, fail(&r->fault, E_IO, "%s", strerror(errno)), "%s", to);
    return rc ? rc : folder_sync(r->e.dir, &r->fault);
}

static int charter_repair(struct repairing *r)
{
    if (r->e.charter_good || !r->e.self || !r->e.charter_kept.len)
        return 0;
    return file_replace(r, "charter/charter.json", buf_view(&r->e.charter_kept), 0644);
}

/* One's own card stands in the charter, word for word. */
static int card_repair(struct repairing *r)
{
    const struct examined *e = &r->e;
    const struct buf *charter = e->charter_good ? &e->charter : &e->charter_kept;
    struct arena arena;
    const struct json *root = NULL;
    struct span text;
    int rc = 0;
    if (e->card_good || !e->self)
        return 0;
    arena_init(&arena, 64 * (size_t)CHARTER_BYTES_MAX);
    if (bundle_charter(buf_view(charter), &text, &arena, NULL) == 0 &&
        json_parse(&root, text, CHARTER_BYTES_MAX, &arena, NULL) == 0) {
        const struct json *parties = json_get(root, "parties");
        for (uint32_t i = 0; parties && i < parties->count && rc == 0; i++) {
            struct span note = json_text(&parties->child[i], "card");
            struct card card;
            if (card_parse(&card, note, NULL) == 0 && strcmp(card.name, e->self->card.name) == 0)
                rc = file_replace(r, "card.note", note, 0644);
        }
    }
    arena_free(&arena);
    return rc;
}

/* One that cannot be read is put back; one that can may be the owner's own edit. */
static int config_repair(struct repairing *r)
{
    const struct examined *e = &r->e;
    if (e->config_good || !e->config_kept.len || (e->config_parses && !r->config_back))
        return 0;
    return file_replace(r, "comity.conf", buf_view(&e->config_kept), 0600);
}

/* The signer's state */

struct signer_rebuild {
    struct repairing *r;
    struct signer_state *state;
    struct store *store;
};

static int record_keep(void *ctx, const struct signer_record *record)
{
    struct signer_rebuild *rebuild = ctx;
    const struct signer_record *known =
        state_find(rebuild->state, (enum key_role)record->role, span_str(record->origin));
    return known && known->size >= record->size ? 0 : state_save(rebuild->state, record);
}

static int own_record(struct signer_rebuild *rebuild, const struct party *self)
{
    struct signer_record record;
    struct store_tiles space = {.store = rebuild->store};
    struct tile_reader tiles = store_tile_reader(&space);
    uint64_t size = 0;
    int rc = rebuild->store->ops->log_open(rebuild->store, span_str(self->origin), false, &space.log);
    rc = rc ? rc : rebuild->store->ops->log_size(rebuild->store, space.log, &size);
    if (rc || !size)
        return rc == E_NOTFOUND ? 0 : rc;
    state_blank(&record, KEY_LOG, span_str(self->origin));
    record.size = size;
    record.timestamp = (int64_t)time(NULL);
    rc = tree_frontier(&tiles, size, &record.frontier);
    rc = rc ? rc : tree_root(&tiles, size, &record.root);
    return rc ? rc : record_keep(rebuild, &record);
}

static int mirror_record(struct signer_rebuild *rebuild, const struct party *party)
{
    struct signer_record record;
    struct checkpoint checkpoint;
    struct note note;
    struct buf bytes;
    log_id log;
    uint64_t size;
    const struct store_ops *ops = rebuild->store->ops;
    buf_init(&bytes, NOTE_BYTES_MAX);
    int rc = ops->log_open(rebuild->store, span_str(party->origin), false, &log);
    rc = rc ? rc : ops->note_latest(rebuild->store, log, NOTE_MIRRORED, &size, &bytes);
    rc = rc ? rc : checkpoint_parse(&checkpoint, &note, buf_view(&bytes), NULL);
    if (rc == 0) {
        state_blank(&record, KEY_MIRROR, span_str(party->origin));
        record.size = checkpoint.size;
        record.root = checkpoint.root;
        record.timestamp = (int64_t)time(NULL);
        rc = record_keep(rebuild, &record);
    }
    buf_free(&bytes);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int signer_records_make(struct signer_rebuild *rebuild)
{
    const struct examined *e = &rebuild->r->e;
    char path[4096];
    named(rebuild->r, "signer.state", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? 0 : state_records(fd, record_keep, rebuild);
    if (fd >= 0)
        (void)close(fd);
    if (rc == 0)
        rc = own_record(rebuild, e->self);
    for (size_t i = 0; i < e->roster->count && rc == 0; i++)
        if (&e->roster->parties[i] != e->self)
            rc = mirror_record(rebuild, &e->roster->parties[i]);
    return rc;
}

/* A signer whose memory was damaged may have signed more than it knows: the node then hears all of the committee before it signs. */
static int restored_mark(struct store *store)
{
    int rc = store->ops->begin(store);
    rc = rc ? rc : store->ops->state_put(store, span_str("restored"), span_str("repair"));
    return rc ? rc : store->ops->commit(store);
}

static int signer_repair(struct repairing *r)
{
    char path[4096], made[4096], database[4096];
    struct signer_rebuild rebuild = {.r = r};
    if (r->e.signer_whole || !r->e.self)
        return 0;
    named(r, "signer.state", path);
    named(r, "signer.state.repairing", made);
    named(r, "state.db", database);
    int fd = open(made, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = fd < 0 ? fail(&r->fault, E_IO, "%s", strerror(errno)) : 0;
    rc = rc ? rc : state_open(&rebuild.state, fd, r->e.self->card.name, &r->e.roster->circle, &r->fault);
    rc = rc ? rc : store_sqlite_open(&rebuild.store, database, NULL, &r->fault);
    if (rc == 0 && (rc = signer_records_make(&rebuild)) != 0)
        (void)fail(&r->fault, rc, "making signer.state anew");
    rc = rc ? rc : restored_mark(rebuild.store);
    if (rebuild.store)
        rebuild.store->ops->close(rebuild.store);
    state_free(rebuild.state);
    if (rc == 0 && fsync(fd) != 0)
        rc = fail(&r->fault, E_IO, "signer.state.repairing");
    if (fd >= 0)
        (void)close(fd);
    rc = rc ? rc : put_aside(r, "signer.state");
    if (rc == 0 && rename(made, path) != 0)
        rc = fail_at(&r->fault, fail(&r->fault, E_IO, "%s", strerror(errno)), "%s", path);
    return rc ? rc : folder_sync(r->e.dir, &r->fault);
}

/* The database */

static bool database_damaged(const struct examined *e)
{
    return findings_has(&e->findings, "state.db") || findings_has(&e->findings, "blobs/");
}

/* What the node last ran with is remembered again; what it last witnessed of foreign logs only this node had. */
static int files_remember(struct repairing *r, struct store *made)
{
    const struct examined *e = &r->e;
    const struct buf *config = e->config_kept.len ? &e->config_kept : &e->config_text;
    const struct buf *charter = e->charter_good ? &e->charter : &e->charter_kept;
    int rc = made->ops->begin(made);
    if (rc == 0 && config->len && (e->config_kept.len || e->config_good))
        rc = made->ops->state_put(made, span_str("file/comity.conf"), buf_view(config));
    if (rc == 0 && charter->len)
        rc = made->ops->state_put(made, span_str("file/charter.json"), buf_view(charter));
    if (e->config.witness_count && (!e->store || findings_has(&e->findings, "state.db: table state")))
        findings_add(&r->lost, "state.db: table state", "checkpoints of foreign logs that it witnessed may be missing");
    return rc ? rc : made->ops->commit(made);
}

static int database_make(struct repairing *r, struct salvage *old, struct store *made)
{
    struct examined *e = &r->e;
    struct asker asker;
    asker_open(&asker, e);
    struct repair repair = {.old = old,
                            .made = made,
                            .charter = e->self ? &e->founding : NULL,
                            .roster = e->self ? e->roster : NULL,
                            .self = e->self,
                            .own = e->own,
                            .record_damaged = !old->store || findings_has(&e->findings, "state.db: table note") ||
                                              findings_has(&e->findings, "state.db: table cosignature") ||
                                              findings_has(&e->findings, "state.db: table log"),
                            .get = peer_get,
                            .sign = mirror_sign,
                            .ctx = &asker,
                            .lost = &r->lost};
    int rc = asker.curl ? store_repair(&repair, &r->fault) : fail(&r->fault, E_NOMEM, "curl");
    rc = rc ? rc : files_remember(r, made);
    /* Whose own database was lost may have signed more than it finds. */
    if (rc == 0 && !old->store && e->self)
        rc = restored_mark(made);
    asker_close(&asker);
    return rc;
}

static int file_durable(const char *from, const char *to, struct fault *fault)
{
    int fd = open(from, O_RDWR | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0 && rename(from, to) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good ? 0 : fail_at(fault, fail(fault, E_IO, "%s", strerror(errno)), "%s", to);
}

static int database_repair(struct repairing *r)
{
    char path[4096], blobs[4096], made[4096], done[4096];
    struct salvage old;
    struct store *store = NULL;
    if (!database_damaged(&r->e))
        return 0;
    named(r, "state.db", path);
    named(r, "blobs", blobs);
    named(r, "state.db.repairing", made);
    named(r, "state.db.repaired", done);
    (void)unlink(made); /* of a repair that was cut off */
    int rc = salvage_open(&old, path, blobs, &r->fault);
    if (rc)
        return rc;
    if (!old.store)
        findings_add(&r->lost, "state.db",
                     "nothing of it can be read: what only this node had is in the copy put aside");
    rc = store_sqlite_open(&store, made, blobs, &r->fault);
    rc = rc ? rc : database_make(r, &old, store);
    if (store)
        store->ops->close(store);
    salvage_close(&old);
    rc = rc ? rc : file_durable(made, done, &r->fault);
    (void)snprintf(made + strlen(made), sizeof made - strlen(made), ".lock");
    (void)unlink(made);
    examined_store_close(&r->e);
    return rc ? rc : database_swap(r);
}

static int repair_all(struct repairing *r)
{
    int rc = charter_repair(r);
    rc = rc ? rc : config_repair(r);
    rc = rc ? rc : card_repair(r);
    rc = rc ? rc : database_repair(r);
    examined_store_close(&r->e);
    return rc ? rc : signer_repair(r);
}

/* Telling */

static bool place_in(const struct findings *findings, const char *place)
{
    for (size_t i = 0; i < findings->kept; i++)
        if (strcmp(findings->list[i].place, place) == 0)
            return true;
    return false;
}

static void repaired_list(const struct repairing *r, const struct findings *left, struct findings *out)
{
    const struct findings *was = &r->e.findings;
    for (size_t i = 0; i < was->kept; i++)
        if (!place_in(left, was->list[i].place) && !place_in(&r->lost, was->list[i].place))
            findings_add(out, was->list[i].place, "%s", was->list[i].what);
}

static int told(const struct cli *cli, struct repairing *r, const struct findings *left)
{
    struct findings repaired = {0};
    bool good = !left->count && !r->lost.count;
    repaired_list(r, left, &repaired);
    if (cli->json) {
        struct buf out;
        buf_init(&out, JSON_BYTES_MAX);
        buf_printf(&out, "{\"whole\":%s,", good ? "true" : "false");
        findings_json(&out, "repaired", &repaired);
        buf_byte(&out, ',');
        findings_json(&out, "lost", &r->lost);
        buf_byte(&out, ',');
        findings_json(&out, "left", left);
        buf_text(&out, "}\n");
        buf_print(&out);
        buf_free(&out);
    } else {
        findings_print("REPAIRED", &repaired);
        findings_print("LOST", &r->lost);
        findings_print("LEFT", left);
        (void)printf(!r->e.findings.count ? "WHOLE     nothing is damaged\n"
                     : good               ? "WHOLE     checked again after the repair\n"
                                          : "not all could be repaired; what was replaced ends in .damaged-%s\n",
                     r->stamp);
    }
    findings_free(&repaired);
    return good ? EXIT_YES : EXIT_NO;
}

static void stamp_make(char out[static 32])
{
    time_t now = time(NULL);
    struct tm tm;
    (void)gmtime_r(&now, &tm);
    (void)strftime(out, 32, "%Y%m%dT%H%M%SZ", &tm);
}

/* A move that a crash cut off comes first: until then the folder has no database of its own. */
static int swap_resume(struct repairing *r, const char *dir)
{
    int lock = -1;
    r->e.dir = dir;
    int rc = folder_lock(dir, &lock, &r->fault);
    rc = rc ? rc : database_swap(r);
    if (lock >= 0)
        (void)close(lock);
    return rc;
}

int command_repair(struct cli *cli)
{
    struct repairing r = {.config_back = option_flag(cli, "--config")};
    struct examined after = {.lock_fd = -1};
    if (!words(cli, 0, "comity repair [--config]"))
        return EXIT_USAGE;
    stamp_make(r.stamp);
    int exit = EXIT_IO;
    int rc = swap_resume(&r, cli->dir);
    if (rc)
        return cli_fail(cli, rc, &r.fault);
    rc = examine(&r.e, cli->dir, &r.fault);
    if (rc == 0 && r.e.findings.count)
        rc = repair_all(&r);
    if (rc == 0) { /* what is told comes from a second look, never from the belief that it worked */
        examined_store_close(&r.e);
        (void)close(r.e.lock_fd);
        r.e.lock_fd = -1;
        rc = examine(&after, cli->dir, &r.fault);
    }
    exit = rc ? cli_fail(cli, rc, &r.fault) : told(cli, &r, &after.findings);
    examined_free(&after);
    examined_free(&r.e);
    findings_free(&r.lost);
    return exit;
}
