#include "cli/logs.h"

#include <unistd.h>

static int put(struct log_out *log, const char *name, const struct served *served)
{
    return folder_put(&log->out->folder, name, buf_view(&served->body), log->out->fault);
}

/* What a URL of the node answers. E_NOTFOUND when it has none such. */
static int fetch(struct log_out *log, const char *path, struct served *served)
{
    char url[256];
    (void)snprintf(url, sizeof url, "%s/%s", log->prefix, path);
    node_serve(log->out->node, span_str(url), true, served);
    int rc = served->status == 200 ? served->body.error : served->status == 404 ? E_NOTFOUND : E_IO;
    return rc && rc != E_NOTFOUND ? fail(log->out->fault, rc, "%s in the database", url) : rc;
}

static int tile_write(struct log_out *log, int level, uint64_t index, unsigned width)
{
    char path[64], name[192];
    struct served served;
    tile_path(path, level, index, width);
    (void)snprintf(name, sizeof name, "%s/%s", log->folder, path);
    int rc = fetch(log, path, &served);
    rc = rc ? rc : put(log, name, &served);
    buf_free(&served.body);
    return rc == E_NOTFOUND
               ? fail(log->out->fault, rc, "%s%s/%s in the database", log->party->origin, log->prefix, path)
               : rc;
}

/* The tiles of a level that has so many nodes, from the one with node `from` on. */
static int tiles_put(struct log_out *log, int level, uint64_t from, uint64_t nodes)
{
    int rc = 0;
    for (uint64_t i = from / TILE_WIDTH; i * TILE_WIDTH < nodes && rc == 0; i++) {
        uint64_t left = nodes - i * TILE_WIDTH;
        rc = tile_write(log, level, i, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH);
        progress_show(&log->progress, i * TILE_WIDTH, nodes);
    }
    return rc;
}

/* All of them; or what leads from `from` entries to the root: level 1, and of level 0 the last one. */
static int tree_put(struct log_out *log, uint64_t from)
{
    int level = 0, rc = tiles_put(log, -1, from, log->size);
    if (from) {
        uint64_t full = log->size / TILE_WIDTH;
        rc = rc ? rc : tiles_put(log, 1, from / TILE_WIDTH, full);
        return rc ? rc : tiles_put(log, 0, full * TILE_WIDTH, log->size);
    }
    for (uint64_t nodes = log->size; nodes && rc == 0; nodes /= TILE_WIDTH)
        rc = tiles_put(log, level++, 0, nodes);
    return rc;
}

static uint64_t note_size(struct span text)
{
    struct checkpoint checkpoint;
    struct note note;
    return checkpoint_parse(&checkpoint, &note, text, NULL) == 0 ? checkpoint.size : 0;
}

/* The stored checkpoint, or for the own log the running node's, if it is newer and the entries are here. */
static int checkpoint_put(struct log_out *log)
{
    char name[128];
    struct served served;
    struct buf *newer = &log->out->fresh;
    int rc = fetch(log, "checkpoint", &served);
    log->size = rc == 0 ? note_size(buf_view(&served.body)) : 0;
    uint64_t fresh = log->prefix[0] ? 0 : note_size(buf_view(newer));
    if ((rc == 0 || rc == E_NOTFOUND) && fresh > log->size && fresh <= log->held) {
        log->size = fresh;
        buf_reset(&served.body);
        buf_span(&served.body, buf_view(newer));
        rc = served.body.error;
    }
    (void)snprintf(name, sizeof name, "%s/checkpoint", log->folder);
    rc = rc ? rc : put(log, name, &served);
    buf_free(&served.body);
    return rc == E_NOTFOUND ? 0 : rc;
}

static int cosigned_put(struct log_out *log, uint64_t from)
{
    char path[64], name[160];
    struct served served;
    int rc = 0;
    for (uint64_t size = from + 1; rc == 0; size++) {
        (void)snprintf(path, sizeof path, "cosigned/%llu", (unsigned long long)size);
        rc = fetch(log, path, &served);
        size = rc == 0 ? note_size(buf_view(&served.body)) : size;
        (void)snprintf(name, sizeof name, "%s/cosigned/%llu", log->folder, (unsigned long long)size);
        rc = rc ? rc : put(log, name, &served);
        buf_free(&served.body);
    }
    return rc == E_NOTFOUND ? 0 : rc;
}

int log_write(struct log_out *log, struct logs_out *out, const struct party *party, uint64_t from)
{
    char hex[65];
    struct store *store = out->party.store;
    *log = (struct log_out){.out = out, .party = party};
    hash_hex(&party->origin_hash, hex);
    if (party != out->party.self)
        (void)snprintf(log->prefix, sizeof log->prefix, "/mirror/%s", hex);
    (void)snprintf(log->folder, sizeof log->folder, "logs/%s", party->card.name);
    progress_begin(&log->progress, log->folder);
    int rc = store->ops->log_open(store, span_str(party->origin), false, &log->id);
    rc = rc ? rc : store->ops->log_size(store, log->id, &log->held);
    if (rc == 0 && !log->held)
        rc = E_NOTFOUND;
    if (rc)
        return rc == E_NOTFOUND ? rc : fail(out->fault, rc, "%s in the database", party->origin);
    rc = checkpoint_put(log);
    rc = rc ? rc : tree_put(log, from < log->size ? from : log->size);
    return rc ? rc : cosigned_put(log, from);
}

int logs_bundle_put(struct logs_out *out)
{
    struct buf bundle;
    buf_init(&bundle, BUNDLE_JSON_BYTES_MAX);
    int rc = node_bundle(out->node, &bundle, out->fault);
    rc = rc ? rc : folder_put(&out->folder, "circle.bundle", buf_view(&bundle), out->fault);
    buf_free(&bundle);
    return rc;
}

int logs_document_put(struct logs_out *out, const struct hash *hash, enum label most, struct stored_document *info,
                      bool *held)
{
    char name[128], path[4096], hex[65];
    struct store *store = out->party.store;
    struct buf bytes;
    int rc = store->ops->document_info(store, hash, info);
    *held = rc == 0;
    if (rc)
        return rc == E_NOTFOUND ? 0 : fail(out->fault, rc, "documents in the database");
    if (info->label > most)
        return 0;
    hash_hex(hash, hex);
    (void)snprintf(name, sizeof name, "documents/%.2s/%s", hex, hex);
    rc = folder_path(&out->folder, name, path, out->fault);
    if (rc || access(path, F_OK) == 0)
        return rc; /* another statement is about it, too */
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    rc = store->ops->document_get(store, hash, &bytes);
    rc = rc ? fail(out->fault, rc, "document %s", hex) : folder_put(&out->folder, name, buf_view(&bytes), out->fault);
    buf_free(&bytes);
    return rc;
}

static int node_begin(struct logs_out *out)
{
    struct env env = {.store = out->party.store};
    struct node_config config = {.roster = out->party.in_circle ? &out->party.roster : NULL,
                                 .charter = buf_view(&out->party.charter),
                                 .party = span_str(out->party.card.name),
                                 .reader = true};
    return node_open(&out->node, &env, &config, out->fault);
}

/* Before the database: so its entries are in what is read then. A node that does not run has stored what it had. */
static void fresh_get(struct logs_out *out)
{
    char url[256];
    struct fault ignored = {0};
    buf_init(&out->fresh, NOTE_BYTES_MAX);
    (void)snprintf(url, sizeof url, "http://%s/checkpoint", out->party.config.listen);
    if (out->party.in_circle && url_get(url, &out->fresh, &ignored) != 0)
        buf_reset(&out->fresh);
}

int logs_open(struct logs_out *out, const char *dir, const char *target, struct fault *fault)
{
    *out = (struct logs_out){.fault = fault};
    int rc = party_read(&out->party, dir, fault);
    if (rc == 0)
        fresh_get(out);
    rc = rc ? rc : party_store(&out->party, false, fault);
    rc = rc ? rc : node_begin(out);
    rc = rc ? rc : folder_begin(&out->folder, target, fault);
    out->begun = rc == 0;
    return rc;
}

void logs_close(struct logs_out *out)
{
    if (out->begun)
        folder_abandon(&out->folder);
    node_close(out->node);
    buf_free(&out->fresh);
    party_free(&out->party);
}
