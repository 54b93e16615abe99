#include "cli/examine.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/check.h"
#include "signer/check.h"
#include "store/check.h"

static void named(const struct examined *e, const char *name, char out[static 4096])
{
    (void)snprintf(out, 4096, "%s/%s", e->dir, name);
}

int folder_lock(const char *dir, int *fd, struct fault *fault)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/lock", dir);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fail_at(fault, fail(fault, E_IO, "%s", strerror(errno)), "%s", path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    (void)close(*fd);
    *fd = -1;
    return fail_at(fault, fail(fault, E_LOCKED, "the node is running"), "%s", path);
}

int passphrase_read(const struct config *config, struct buf *out, struct fault *fault)
{
    buf_init(out, 0);
    return config->passphrase_file[0] ? file_read(config->passphrase_file, 4096, out, fault)
                                      : fail(fault, E_CONFIG, "passphrase-file is not set");
}

struct span passphrase_text(const struct buf *passphrase)
{
    struct span text = buf_view(passphrase);
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    return text;
}

void buf_wipe(struct buf *secret)
{
    if (secret->data)
        sodium_memzero(secret->data, secret->cap);
    buf_free(secret);
}

/* Files */

static void file_found(struct examined *e, const char *name, const struct fault *fault)
{
    findings_add(&e->findings, name, "%s%s%s%s", error_text(fault->code)->message, fault->detail[0] ? " (" : "",
                 fault->detail, fault->detail[0] ? ")" : "");
}

/* Which line is the first that differs? */
static int line_of_difference(struct span a, struct span b)
{
    int line = 1;
    for (size_t i = 0; i < a.len && i < b.len && a.data[i] == b.data[i]; i++)
        line += a.data[i] == '\n';
    return line;
}

static void config_examine(struct examined *e)
{
    char path[4096];
    struct fault fault = {0};
    named(e, "comity.conf", path);
    int rc = file_read(path, CONFIG_BYTES_MAX, &e->config_text, &fault);
    if (rc == 0 && (rc = config_parse(&e->config, buf_view(&e->config_text), &fault)) != 0)
        (void)fail_at(&fault, rc, "comity.conf");
    e->config_parses = rc == 0;
    if (rc)
        findings_add(&e->findings, "comity.conf", "%.60s: %.120s", fault.where, fault.detail);
    struct span kept = buf_view(&e->config_kept);
    e->config_good = rc == 0;
    if (rc == 0 && kept.len && !span_eq(kept, buf_view(&e->config_text))) {
        findings_add(&e->findings, "comity.conf",
                     "line %d differs from what the node last ran with: edited, or damaged",
                     line_of_difference(kept, buf_view(&e->config_text)));
        e->config_good = false;
    }
    if (rc && kept.len)
        (void)config_parse(&e->config, kept, NULL);
}

struct origins {
    char start[32]; /* "comity/<16 hex>/" */
    size_t all, fitting;
};

static int origin_visit(void *ctx, log_id log, struct span origin)
{
    struct origins *origins = ctx;
    (void)log;
    origins->all++;
    origins->fitting += span_starts(origin, origins->start);
    return 0;
}

/* A charter's hash is in the name of every log: one that names another circle is not the one that this folder began with. */
static bool circle_fits(struct store *store, const struct hash *circle)
{
    struct origins origins = {0};
    char hex[65];
    hash_hex(circle, hex);
    (void)snprintf(origins.start, sizeof origins.start, "comity/%.16s/", hex);
    return !store || store->ops->log_list(store, origin_visit, &origins) != 0 || !origins.all || origins.fitting;
}

static int charter_take(struct examined *e, struct span text, struct fault *fault)
{
    return bundle_parse_charter(arena_copy(&e->arena, text), &e->founding, &e->arena, fault);
}

static void charter_examine(struct examined *e, struct store *store)
{
    char path[4096];
    struct fault fault = {0};
    struct span kept = buf_view(&e->charter_kept);
    named(e, "charter/charter.json", path);
    int rc = file_read(path, BUNDLE_JSON_BYTES_MAX, &e->charter, &fault);
    if (rc == E_NOTFOUND && !kept.len && circle_fits(store, &(struct hash){0}))
        return; /* in no circle yet */
    rc = rc ? rc : charter_take(e, buf_view(&e->charter), &fault);
    if (rc == 0 && kept.len && !span_eq(kept, buf_view(&e->charter)))
        rc = fail(&fault, E_CIRCLE, "it is not the one that the node last ran with");
    if (rc == 0 && !circle_fits(store, &e->founding.circle))
        rc = fail(&fault, E_CIRCLE, "the logs in state.db belong to another one");
    e->charter_good = rc == 0;
    if (rc)
        file_found(e, "charter/charter.json", &fault);
    if (rc && (!kept.len || charter_take(e, kept, NULL) != 0))
        return;
    e->roster = &e->founding;
    e->self = roster_party(e->roster, span_str(e->config.name));
    if (!e->self)
        findings_add(&e->findings, "comity.conf", "the charter has no party \"%s\"", e->config.name);
}

/* The engine itself works out which keys the parties have by now. */
static void circle_examine(struct examined *e)
{
    struct env env = {.store = e->store};
    struct node_config config = {.roster = e->roster, .party = span_str(e->config.name)};
    if (!e->store || !e->self)
        return;
    e->engine_code = node_open(&e->node, &env, &config, &e->engine_fault);
    if (e->engine_code)
        return;
    e->roster = node_roster(e->node);
    e->self = roster_party(e->roster, span_str(e->config.name));
}

static void card_examine(struct examined *e)
{
    char path[4096];
    struct fault fault = {0};
    named(e, "card.note", path);
    int rc = file_read(path, CARD_BYTES_MAX, &e->card_note, &fault);
    rc = rc ? rc : card_parse(&e->card, buf_view(&e->card_note), &fault);
    if (rc == 0 && e->self && memcmp(e->card.keys, e->self->card.keys, sizeof e->card.keys) != 0)
        rc = fail(&fault, E_KEY, "the charter holds another card of this party");
    e->card_good = rc == 0;
    if (rc)
        file_found(e, "card.note", &fault);
}

static void keys_examine(struct examined *e)
{
    struct buf passphrase;
    struct fault fault = {0};
    const struct card *card = e->self ? &e->self->card : e->card_good ? &e->card : NULL;
    int rc = passphrase_read(&e->config, &passphrase, &fault);
    if (rc)
        findings_add(&e->findings, "keys", "not checked: the passphrase cannot be read (%.120s)", fault.detail);
    else
        keys_check(e->dir, passphrase_text(&passphrase), card, &e->findings);
    buf_wipe(&passphrase);
}

static int position_visit(void *ctx, const struct signer_record *record)
{
    struct examined *e = ctx;
    if (e->self && record->role == KEY_LOG && strcmp(record->origin, e->self->origin) == 0)
        e->own = (struct signer_position){.size = record->size, .root = record->root};
    return 0;
}

/* Without a circle there is no signer yet, and an own log without signer's state can only be one whose file is gone. */
static void signer_examine(struct examined *e)
{
    char path[4096];
    size_t before = e->findings.count;
    named(e, "signer.state", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!e->self) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    struct stat st;
    named(e, "state.db", path);
    if (fd < 0 && stat(path, &st) == 0)
        findings_add(&e->findings, "signer.state", "%s", strerror(errno));
    if (fd >= 0 && (state_check(fd, e->config.name, &e->roster->circle, &e->findings) != 0 ||
                    state_records(fd, position_visit, e) != 0))
        findings_add(&e->findings, "signer.state", "cannot be read");
    e->signer_whole = e->findings.count == before;
    if (fd >= 0)
        (void)close(fd);
}

/* The database */

static void kept_read(struct examined *e, struct store *store)
{
    if (store->ops->state_get(store, span_str("file/comity.conf"), &e->config_kept) != 0)
        buf_reset(&e->config_kept);
    if (store->ops->state_get(store, span_str("file/charter.json"), &e->charter_kept) != 0)
        buf_reset(&e->charter_kept);
}

static int database_open(struct examined *e, struct store **store, struct fault *fault)
{
    char path[4096], blobs[4096];
    struct fault why = {0};
    struct stat st;
    named(e, "state.db", path);
    named(e, "blobs", blobs);
    if (wal_check(path, &e->findings) != 0)
        findings_add(&e->findings, "state.db-wal", "cannot be read");
    if (stat(path, &st) != 0) {
        e->database_readable = errno == ENOENT;
        named(e, "signer.state", path);
        if (!e->database_readable || (stat(path, &st) == 0 && st.st_size > 0))
            findings_add(&e->findings, "state.db", "it is gone, or cannot be read");
        return 0;
    }
    int rc = store_check_open(store, path, blobs, &why);
    e->database_readable = rc == 0;
    if (rc == E_LOCKED || rc == E_NOMEM || rc == E_UNSUPPORTED) {
        *fault = why;
        return rc;
    }
    if (rc)
        findings_add(&e->findings, "state.db", "SQLite cannot open it: %s", why.detail);
    return 0;
}

static int database_examine(struct examined *e, struct fault *fault)
{
    int rc = 0;
    if (e->self)
        rc = record_check(e->store, e->roster, e->self, &e->own, &e->findings);
    if (rc == 0 && e->node)
        rc = folds_check(e->node, &e->findings);
    else if (rc == 0 && e->engine_code)
        findings_add(&e->findings, "state.db", "the engine does not open it: %s (%s)",
                     error_text(e->engine_code)->message, e->engine_fault.detail);
    return rc ? fail(fault, rc, "checking the database") : 0;
}

int examine(struct examined *e, const char *dir, struct fault *fault)
{
    *e = (struct examined){.dir = dir, .lock_fd = -1};
    arena_init(&e->arena, 64 * (size_t)CHARTER_BYTES_MAX);
    buf_init(&e->config_kept, CONFIG_BYTES_MAX);
    buf_init(&e->charter_kept, BUNDLE_JSON_BYTES_MAX);
    int rc = folder_lock(dir, &e->lock_fd, fault);
    rc = rc ? rc : database_open(e, &e->store, fault);
    if (rc)
        return rc;
    if (e->store)
        kept_read(e, e->store);
    /* Before the engine opens it, which drops what is damaged of its snapshot. */
    if (e->store && (rc = store_check(e->store, &e->findings)) != 0)
        return fail(fault, rc, "checking the database");
    config_examine(e);
    charter_examine(e, e->store);
    circle_examine(e);
    card_examine(e);
    keys_examine(e);
    signer_examine(e);
    return e->store ? database_examine(e, fault) : 0;
}

void examined_store_close(struct examined *e)
{
    if (e->node)
        e->roster = &e->founding; /* the other one goes with the node */
    if (e->node && e->self)
        e->self = roster_party(e->roster, span_str(e->config.name));
    node_close(e->node);
    e->node = NULL;
    if (e->store)
        e->store->ops->close(e->store);
    e->store = NULL;
}

void examined_free(struct examined *e)
{
    examined_store_close(e);
    if (e->lock_fd >= 0)
        (void)close(e->lock_fd);
    findings_free(&e->findings);
    buf_free(&e->config_text);
    buf_free(&e->charter);
    buf_free(&e->card_note);
    buf_free(&e->config_kept);
    buf_free(&e->charter_kept);
    arena_free(&e->arena);
    config_free(&e->config);
}
