/* comity doctor: what an owner should know of a node, each with what to do. With the node running or stopped. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/disk.h"
#include "cli/folder.h"
#include "cli/party.h"
#include "cli/probe.h"
#include "node/engine.h"

enum {
    CLOCK_GOOD_S = 5,
    CLOCK_BAD_S = 60, /* a fifth of what a member's signed request may be off */
    CERTIFICATE_DAYS = 14,
    BACKUP_DAYS = 7,
    NAMES_SHOWN = 6,
};
enum level { LEVEL_OK, LEVEL_WARN, LEVEL_BAD, LEVEL_SKIP };
static const char *const level_names[] = {"ok", "warn", "bad", "skip"};

struct doctor {
    struct cli *cli;
    struct party_folder party;
    bool party_good, running;
    struct buf status_text;
    struct arena arena;
    const struct json *status;
    struct probe *probes; /* the own URL first, then the peers in the status's order */
    size_t probe_count;
    struct buf out;
    unsigned count[4];
};

/* One line: `remedy` is what to do; NULL or empty when there is nothing. */
static void say(struct doctor *d, enum level level, const char *check, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void say(struct doctor *d, enum level level, const char *check, const char *remedy, const char *format, ...)
{
    char what[1024];
    va_list args;
    bool first = !(d->count[0] + d->count[1] + d->count[2] + d->count[3]);
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    d->count[level]++;
    remedy = remedy ? remedy : "";
    if (d->cli->json) {
        buf_printf(&d->out, "%s{\"check\":\"%s\",\"level\":\"%s\",\"what\":", first ? "" : ",\n", check,
                   level_names[level]);
        buf_json(&d->out, span_str(what));
        buf_text(&d->out, ",\"do\":");
        buf_json(&d->out, span_str(remedy));
        buf_byte(&d->out, '}');
        return;
    }
    buf_printf(&d->out, "%-5s %-13s ", level_names[level], check);
    text_show(&d->out, span_str(what));
    buf_byte(&d->out, '\n');
    if (*remedy)
        buf_printf(&d->out, "      %-13s -> %s\n", "", remedy);
}

static void say_fault(struct doctor *d, const char *check, const char *remedy, int code, const struct fault *fault)
{
    say(d, LEVEL_BAD, check, remedy, "%s%s%s: %s", fault->where, fault->where[0] ? ": " : "", error_text(code)->message,
        fault->detail);
}

static long long number(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_int(object, key, &value);
    return (long long)value;
}

static void path_in(const struct doctor *d, const char *name, char out[static 4096])
{
    (void)snprintf(out, 4096, "%s/%s", d->cli->dir, name);
}

/* What the folder says */

static void check_modes(struct doctor *d)
{
    static const char *const names[] = {".",
                                        "keys",
                                        "keys/statement.key",
                                        "keys/log.key",
                                        "keys/mirror.key",
                                        "keys/witness.key",
                                        "keys/seal.key",
                                        "signer.state",
                                        "state.db",
                                        "blobs",
                                        "run",
                                        "run/sock"};
    char path[4096];
    struct stat st, folder;
    unsigned bad = 0;
    if (stat(d->cli->dir, &folder) != 0)
        return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_in(d, names[i], path);
        if (lstat(path, &st) != 0)
            continue;
        if (st.st_mode & 077)
            say(d, LEVEL_WARN, "modes", "chmod go= that path: the node's user alone may have access",
                "%s has mode %04o", path, st.st_mode & 07777);
        else if (st.st_uid != folder.st_uid)
            say(d, LEVEL_WARN, "modes", "chown it to the user that owns the folder", "%s belongs to user %u", path,
                st.st_uid);
        else
            continue;
        bad++;
    }
    if (!bad)
        say(d, LEVEL_OK, "modes", NULL, "the folder, its keys, states and socket are the owner's alone");
}

static void check_keys(struct doctor *d)
{
    struct fault fault = {0};
    struct stat st;
    const char *file = d->party.config.passphrase_file;
    if (!file[0]) {
        say(d, LEVEL_SKIP, "keys",
            "name a passphrase-file in comity.conf, if the service manager does not hand one over",
            "not opened: comity.conf names no passphrase-file");
        return;
    }
    if (stat(file, &st) == 0 && st.st_mode & 077)
        say(d, LEVEL_WARN, "passphrase", "chmod 600 it", "%s can be read by others: mode %04o", file,
            st.st_mode & 07777);
    else if (stat(file, &st) != 0)
        say(d, LEVEL_BAD, "passphrase", "put the file back, or correct passphrase-file in comity.conf", "%s: %s", file,
            strerror(errno));
    else
        say(d, LEVEL_OK, "passphrase", NULL, "%s is there, for its owner alone", file);
    int rc = access(file, F_OK) == 0 ? party_keys(&d->party, file, &fault) : E_NOTFOUND;
    if (rc && rc != E_NOTFOUND)
        say_fault(d, "keys",
                  "restore keys/ from a backup, or correct the passphrase; the recovery key replaces lost ones (comity "
                  "recover)",
                  rc, &fault);
    else if (rc)
        say(d, LEVEL_BAD, "keys", fault.detail[0] ? "restore the missing key file from a backup" : "see passphrase",
            "cannot be opened: %s", fault.detail[0] ? fault.detail : "no passphrase");
    else
        say(d, LEVEL_OK, "keys", NULL, "all open, and are those of the card%s",
            d->party.in_circle ? " and the charter" : "");
}

static void check_database(struct doctor *d)
{
    struct fault fault = {0};
    int rc = party_store(&d->party, false, &fault);
    if (rc) {
        say_fault(d, "database",
                  rc == E_NOTFOUND      ? "start the node once: comity serve"
                  : rc == E_UNSUPPORTED ? "use the release that wrote it, or start the node with this one"
                                        : "comity repair names and mends what is damaged; else restore a backup",
                  rc, &fault);
        return;
    }
    rc = store_sqlite_check(d->party.store, true, &fault);
    if (rc)
        say_fault(d, "database", "stop the node; comity repair mends what the mirrors have; else restore a backup", rc,
                  &fault);
    else
        say(d, LEVEL_OK, "database", NULL, "sound, schema %d, as this release writes it", store_sqlite_schema());
}

/* The signer's state is read before the database is: it is never ahead of what was committed by then. */
static void check_signer(struct doctor *d)
{
    char path[4096];
    struct fault fault = {0};
    struct signer_position position;
    struct party_folder *party = &d->party;
    uint64_t size = 0;
    if (!party->in_circle)
        return;
    path_in(d, "signer.state", path);
    int rc = party_signer(party, path, &position, &fault);
    if (rc == E_NOTFOUND) {
        say(d, LEVEL_WARN, "signer", "if this party has signed before: stop, and restore a backup by comity restore",
            "there is no signer.state yet");
        return;
    }
    struct store *kept = party->store; /* a reader of this moment */
    party->store = NULL;
    int opened = rc ? rc : party_store(party, false, &fault);
    rc = opened ? opened : party_agrees(party, &position, &size, &fault);
    if (!opened)
        party->store->ops->close(party->store);
    party->store = kept;
    if (rc)
        say_fault(d, "signer",
                  "the parts are of different days: never go on by hand; restore a backup by comity restore", rc,
                  &fault);
    else
        say(d, LEVEL_OK, "signer", NULL, "has signed %llu of the %llu entries in the database",
            (unsigned long long)position.size, (unsigned long long)size);
}

static void check_disk(struct doctor *d)
{
    struct disk disk;
    if (disk_look(d->cli->dir, &disk) != 0)
        say(d, LEVEL_BAD, "disk", "check that the disk is there", "%s: %s", d->cli->dir, strerror(errno));
    else
        say(d,
            disk.level == DISK_OK    ? LEVEL_OK
            : disk.level == DISK_LOW ? LEVEL_WARN
                                     : LEVEL_BAD,
            "disk",
            disk.level == DISK_OK ? NULL
                                  : "free space, or move the folder to a larger disk: a node that cannot write stops",
            "%llu MiB of %llu free, %llu of %llu inodes", (unsigned long long)(disk.bytes_free >> 20),
            (unsigned long long)(disk.bytes >> 20), (unsigned long long)disk.inodes_free,
            (unsigned long long)disk.inodes);
}

/* What the node says, or would say */

static void status_get(struct doctor *d)
{
    struct fault fault = {0};
    struct buf answer = {0};
    int code = 0, rc = api_call(d->cli, "GET", "/api/v1/status", span_of(NULL, 0), &answer, &code, &fault);
    d->running = rc == 0 && code == 200;
    buf_init(&d->status_text, HTTP_BODY_MAX);
    if (d->running) {
        buf_span(&d->status_text, buf_view(&answer));
    } else if (d->party.store) {
        struct env env = {.store = d->party.store};
        struct node_config config = {.roster = d->party.in_circle ? &d->party.roster : NULL,
                                     .charter = buf_view(&d->party.charter),
                                     .party = span_str(d->party.card.name)};
        struct node *node = NULL;
        if (node_open(&node, &env, &config, &fault) == 0)
            node_status_json(node, (int64_t)time(NULL) * 1000, &d->status_text);
        node_close(node);
    }
    buf_free(&answer);
    if (json_parse(&d->status, buf_view(&d->status_text), HTTP_BODY_MAX, &d->arena, NULL) != 0)
        d->status = NULL;
}

static void check_node(struct doctor *d)
{
    struct span state = json_text(d->status, "state");
    const struct json *leave = json_get(json_get(d->status, "log"), "leave");
    if (!d->running)
        say(d, LEVEL_WARN, "node", "comity serve",
            "does not answer on run/sock: what it alone knows is left out below");
    else if (span_is(state, "recovering"))
        say(d, LEVEL_WARN, "node", "start the missing mirrors, or name them by comity absent",
            "recovering: it needs %lld answers of the committee", number(d->status, "recovery_answers_needed"));
    else if (span_is(state, "signer-ahead"))
        say(d, LEVEL_BAD, "node", "comity log ahead",
            "its signer has signed %lld entries of the own log, and nobody who answers holds them: it takes no "
            "statement",
            number(json_get(json_get(d->status, "log"), "ahead"), "size"));
    else
        say(d, LEVEL_OK, "node", NULL, "runs, and answers on run/sock");
    if (leave)
        say(d, LEVEL_WARN, "circle", "keep it running as long as others fetch from it",
            "the party has left the circle by its statement at index %lld", number(leave, "index"));
    else if (!d->party.in_circle)
        say(d, LEVEL_WARN, "circle", "comity charter accede FILE", "the party is in no circle");
}

static void check_pending(struct doctor *d)
{
    const struct json *log = json_get(d->status, "log");
    long long count = number(log, "unwitnessed");
    if (!log)
        return;
    if (count)
        say(d, LEVEL_WARN, "pending", "see peers and quorum: a statement stands when enough mirrors hold it",
            "%lld of %lld statements are unwitnessed", count, number(log, "size"));
    else
        say(d, LEVEL_OK, "pending", NULL, "all %lld statements stand", number(log, "size"));
}

/* Peers, quorum, clock, certificates */

static void probes_get(struct doctor *d)
{
    const struct json *peers = json_get(d->status, "peers");
    size_t n = peers && peers->type == JSON_ARRAY ? peers->count : 0;
    struct progress progress;
    d->probes = calloc(n + 1, sizeof *d->probes);
    if (!d->probes)
        return;
    d->probe_count = n + 1;
    d->probes[0].url = d->party.card.url;
    for (size_t i = 0; i < n; i++)
        d->probes[i + 1].url = arena_text(&d->arena, json_text(&peers->child[i], "url"));
    progress_begin(&progress, "asking the other parties");
    probes_run(d->probes, d->probe_count);
    progress_end(&progress);
}

static bool reachable(const struct probe *probe)
{
    return probe->answered && (probe->status == 200 || probe->status == 404);
}

static void check_peers(struct doctor *d)
{
    const struct json *peers = json_get(d->status, "peers");
    struct buf names;
    unsigned missing = 0;
    buf_init(&names, 4096);
    for (size_t i = 1; i < d->probe_count; i++) {
        const struct json *peer = &peers->child[i - 1];
        struct span since = json_text(peer, "missing_since");
        if (reachable(&d->probes[i]) || ++missing > NAMES_SHOWN)
            continue;
        buf_text(&names, names.len ? "; " : "");
        buf_span(&names, json_text(peer, "party"));
        if (since.len) {
            buf_text(&names, " since ");
            buf_span(&names, since);
        }
        buf_printf(&names, " (%s)", d->probes[i].answered ? "answers, but no node does" : d->probes[i].error);
    }
    buf_byte(&names, 0);
    if (d->probe_count > 1 && missing)
        say(d, LEVEL_WARN, "peers", "look at the own network first, then telephone them",
            "%u of %zu do not answer: %s%s%s", missing, d->probe_count - 1, (const char *)names.data,
            missing > NAMES_SHOWN ? "; ..." : "", d->running ? "" : "; since when, only a running node knows");
    else if (d->probe_count > 1)
        say(d, LEVEL_OK, "peers", NULL, "all %zu answer", d->probe_count - 1);
    buf_free(&names);
    if (d->party.in_circle && d->running && d->probe_count && !reachable(&d->probes[0]))
        say(d, LEVEL_WARN, "url", "check DNS, the proxy and its target: others call this URL, which stands in the card",
            "%s does not answer from here: %s", d->probes[0].url,
            d->probes[0].answered ? "no node behind it" : d->probes[0].error);
}

static void check_quorum(struct doctor *d)
{
    const struct json *peers = json_get(d->status, "peers"), *quorum = json_path(d->status, "log.quorum");
    long long mirrors = number(quorum, "mirrors"), needed = number(quorum, "needed"), here = 0;
    if (!quorum)
        return;
    for (size_t i = 1; i < d->probe_count; i++) {
        const struct json *mirror = json_get(&peers->child[i - 1], "mirror");
        here += mirror && mirror->type == JSON_TRUE && reachable(&d->probes[i]);
    }
    if (!mirrors)
        say(d, LEVEL_WARN, "quorum", "a committee needs other members than the writer",
            "there is no mirror for this log: nothing ever stands");
    else if (here < needed)
        say(d, LEVEL_BAD, "quorum", "bring mirrors back: until then nothing new stands",
            "%lld of %lld mirrors answer, %lld are needed", here, mirrors, needed);
    else if (here == needed)
        say(d, LEVEL_WARN, "quorum",
            mirrors == needed ? "a larger committee would bear a failure" : "bring the missing mirrors back",
            "%lld of %lld mirrors answer: none more may fail", here, mirrors);
    else
        say(d, LEVEL_OK, "quorum", NULL, "%lld of %lld mirrors answer, %lld are needed: %lld more may fail", here,
            mirrors, needed, here - needed);
}

static int double_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int latest_visit(void *ctx, const struct stored_cosignature *c)
{
    int64_t *latest = ctx;
    *latest = c->timestamp > *latest ? c->timestamp : *latest;
    return 0;
}

/* Mirrors sign with their time: one from our future says that our clock is behind, also when nobody answers now. */
static int64_t cosigned_latest(const struct doctor *d)
{
    struct store *store = d->party.store;
    int64_t latest = 0;
    log_id log;
    uint64_t size = 0;
    if (store && d->party.self && store->ops->log_open(store, span_str(d->party.self->origin), false, &log) == 0 &&
        store->ops->log_size(store, log, &size) == 0)
        (void)store->ops->cosignatures(store, log, size > TILE_WIDTH ? size - TILE_WIDTH : 1, latest_visit, &latest);
    return latest;
}

static void check_clock(struct doctor *d)
{
    double *ahead = calloc(d->probe_count ? d->probe_count : 1, sizeof *ahead);
    size_t n = 0;
    int64_t future = cosigned_latest(d) - (int64_t)time(NULL);
    for (size_t i = 1; ahead && i < d->probe_count; i++)
        if (d->probes[i].has_time)
            ahead[n++] = d->probes[i].ahead_s;
    if (ahead && n)
        qsort(ahead, n, sizeof *ahead, double_order);
    double off = ahead && n ? ahead[n / 2] : 0, most = fabs(off);
    free(ahead);
    enum level level = most <= CLOCK_GOOD_S ? LEVEL_OK : most <= CLOCK_BAD_S ? LEVEL_WARN : LEVEL_BAD;
    const char *remedy =
        level ? "set the clock by NTP: statements, cosignatures and members' requests carry its time" : NULL;
    if (n)
        say(d, level, "clock", remedy, "%.0f s %s the middle of %zu other clocks", most,
            off > 0 ? "behind" : "ahead of", n);
    else if (future > CLOCK_GOOD_S)
        say(d, LEVEL_BAD, "clock", "set the clock by NTP",
            "at least %lld s behind: a mirror has cosigned in its future", (long long)future);
    else
        say(d, LEVEL_SKIP, "clock", "ask again when others answer",
            "nobody answers whose clock it can be compared with");
}

static void check_certificates(struct doctor *d)
{
    for (size_t i = 0; i < d->probe_count; i++) {
        const struct probe *probe = &d->probes[i];
        if (strncmp(probe->url ? probe->url : "", "https://", 8) != 0)
            continue;
        char end[21];
        time_format(probe->certificate_end, end);
        long long days = (probe->certificate_end - (int64_t)time(NULL)) / 86400;
        enum level worst = i ? LEVEL_WARN : LEVEL_BAD;
        const char *remedy = probe->trust_missing ? "install ca-certificates: until then no https:// peer is believed"
                             : i                  ? "tell them"
                                                  : "renew the proxy's certificate, by a name that stands in the URL";
        if (probe->certificate_refused)
            say(d, worst, "certificate", remedy, "%s: it is refused (%s)%s%s", probe->url, probe->error,
                probe->has_certificate ? "; it ends " : "", probe->has_certificate ? end : "");
        else if (!probe->has_certificate)
            say(d, LEVEL_SKIP, "certificate", NULL, "%s: none was seen", probe->url);
        else
            say(d, days < CERTIFICATE_DAYS ? LEVEL_WARN : LEVEL_OK, "certificate",
                days < CERTIFICATE_DAYS ? remedy : NULL, "%s: good until %s, %lld days", probe->url, end, days);
    }
}

/* The journal */

struct undelivered {
    struct store *store;
    const char *channel;
    unsigned long count;
    int64_t since;
};

static int undelivered_visit(void *ctx, const struct journal_row *row)
{
    struct undelivered *u = ctx;
    char key[160];
    (void)snprintf(key, sizeof key, "%s %.*s", u->channel, (int)row->key.len, (const char *)row->key.data);
    int rc = u->store->ops->journal_find(u->store, span_str("delivered"), span_str(key), NULL, NULL);
    if (rc == E_NOTFOUND && !u->count++)
        u->since = row->at;
    return rc == E_NOTFOUND ? 0 : rc;
}

/* A message by a route: its key in `queued` is the key that `delivered` gets. */
static int queued_visit(void *ctx, const struct journal_row *row)
{
    struct undelivered *u = ctx;
    int rc = u->store->ops->journal_find(u->store, span_str("delivered"), row->key, NULL, NULL);
    if (rc == E_NOTFOUND && !u->count++)
        u->since = row->at;
    return rc == E_NOTFOUND ? 0 : rc;
}

static void check_routes(struct doctor *d)
{
    struct undelivered u = {.store = d->party.store};
    char since[21];
    if (!d->party.config.routes.count || !u.store ||
        u.store->ops->journal_scan(u.store, span_str("queued"), 0, queued_visit, &u) != 0)
        return;
    time_format(u.since, since);
    if (u.count)
        say(d, LEVEL_WARN, "notices", "look at the node's log, which names the channel; it is tried again for ever",
            "channels of routes have not taken %lu messages, the oldest of %s", u.count, since);
    else
        say(d, LEVEL_OK, "notices", NULL, "the channels of all routes have taken them all");
}

static void check_notices(struct doctor *d)
{
    const char *const channels[] = {d->party.config.notify_command[0] ? "command" : NULL,
                                    d->party.config.notify_webhook[0] ? "webhook" : NULL};
    for (size_t i = 0; i < 2 && d->party.store; i++) {
        struct undelivered u = {.store = d->party.store, .channel = channels[i]};
        char since[21];
        if (!channels[i] || u.store->ops->journal_scan(u.store, span_str("notice"), 0, undelivered_visit, &u) != 0)
            continue;
        time_format(u.since, since);
        if (u.count)
            say(d, LEVEL_WARN, "notices", "look at the channel, and at the node's log; it is tried again for ever",
                "the %s has not taken %lu notices, the oldest of %s", channels[i], u.count, since);
        else
            say(d, LEVEL_OK, "notices", NULL, "the %s has taken them all", channels[i]);
    }
    check_routes(d);
    if (!channels[0] && !channels[1] && !d->party.config.routes.count)
        say(d, LEVEL_OK, "notices", NULL, "go to no channel: comity notices shows them");
}

static int last_visit(void *ctx, const struct journal_row *row)
{
    int64_t *last = ctx;
    *last = row->at > *last ? row->at : *last;
    return 0;
}

static void check_backup(struct doctor *d)
{
    struct store *store = d->party.store;
    int64_t last = 0, now = (int64_t)time(NULL);
    char at[21];
    if (!store || store->ops->journal_scan(store, span_str("backup"), 0, last_visit, &last) != 0)
        return;
    time_format(last, at);
    if (!last)
        say(d, LEVEL_WARN, "backup", "comity backup --out FOLDER, each day", "none was ever made");
    else if (now - last > BACKUP_DAYS * 86400)
        say(d, LEVEL_WARN, "backup", "comity backup --out FOLDER, each day", "the last one is of %s, %lld days ago", at,
            (long long)(now - last) / 86400);
    else
        say(d, LEVEL_OK, "backup", NULL, "the last one is of %s", at);
}

static void party_check(struct doctor *d)
{
    struct fault fault = {0};
    int rc = party_read(&d->party, d->cli->dir, &fault);
    d->party_good = rc == 0;
    if (rc)
        say_fault(d, "configuration",
                  "correct that file; comity init makes a new party, comity restore brings one back", rc, &fault);
    else
        say(d, LEVEL_OK, "configuration", NULL, "%s: configuration, card and charter belong together",
            d->party.card.name);
}

static void run(struct doctor *d)
{
    static void (*const checks[])(struct doctor *) = {check_node,         check_peers,   check_quorum,  check_clock,
                                                      check_certificates, check_pending, check_notices, check_backup};
    party_check(d);
    check_disk(d);
    check_modes(d);
    if (!d->party_good)
        return;
    check_keys(d);
    check_signer(d);
    check_database(d);
    status_get(d);
    probes_get(d);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        checks[i](d);
}

int command_doctor(struct cli *cli)
{
    struct doctor d = {.cli = cli};
    if (!words(cli, 0, "comity doctor"))
        return EXIT_USAGE;
    arena_init(&d.arena, JSON_BYTES_MAX);
    buf_init(&d.out, 1 << 20);
    run(&d);
    if (cli->json)
        (void)printf("{\"running\":%s,\"warnings\":%u,\"bad\":%u,\"checks\":[\n%.*s]}\n", d.running ? "true" : "false",
                     d.count[LEVEL_WARN], d.count[LEVEL_BAD], (int)d.out.len, (const char *)d.out.data);
    else
        (void)printf("%.*s%u warnings, %u bad\n", (int)d.out.len, (const char *)d.out.data, d.count[LEVEL_WARN],
                     d.count[LEVEL_BAD]);
    free(d.probes);
    buf_free(&d.out);
    buf_free(&d.status_text);
    arena_free(&d.arena);
    party_free(&d.party);
    return d.count[LEVEL_WARN] + d.count[LEVEL_BAD] ? EXIT_NO : EXIT_YES;
}
