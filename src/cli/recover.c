/* comity recover: new keys for a party whose old ones are lost or stolen. Every step leaves a file behind and is not done twice, so that
   the command can be given again after any interruption. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "circle/change.h"
#include "cli/founding.h"
#include "crypto/sha256.h"

struct recovery {
    struct cli *cli;
    const char *dir;
    struct roster roster;
    const struct party *party;
    struct arena arena;
    struct buf bundle, passphrase;
    struct secret_key *key; /* the recovery key that is in force */
    const char *absent[COMMITTEE_MAX];
    size_t absent_count;
    bool compromised;
    uint64_t compromised_from;
    struct cut *cuts;
    struct card card; /* the new one */
    struct buf card_note, document, statement;
    struct fault fault;
};

static void path_in(const struct recovery *r, const char *name, char out[static 4096])
{
    (void)snprintf(out, 4096, "%s/%s", r->dir, name);
}

static void say(const struct recovery *r, const char *text, const char *what)
{
    if (!r->cli->json)
        (void)fprintf(stderr, "%s %s\n", text, what);
}

static int bundle_take(struct recovery *r, const char *path, const char *name)
{
    int rc = file_read(path, BUNDLE_JSON_BYTES_MAX, &r->bundle, &r->fault);
    rc = rc ? rc : bundle_parse_charter(buf_view(&r->bundle), &r->roster, &r->arena, &r->fault);
    if (rc)
        return rc;
    r->party = roster_party(&r->roster, span_str(name));
    if (!r->party)
        return fail(&r->fault, E_NOTFOUND, "no party %s in this charter", name);
    r->cuts = arena_array(&r->arena, r->roster.count, sizeof *r->cuts);
    return r->cuts ? 0 : fail(&r->fault, E_NOMEM, "cuts");
}

/* Words, or sheets: whichever the file holds. */
static int seed_read(const char *path, uint8_t seed[static 32], struct fault *fault)
{
    struct span lines[15], line, rest;
    struct buf text;
    size_t count = 0;
    int rc = file_read(path, 8192, &text, fault);
    if (rc == 0 && (rc = recovery_parse(buf_view(&text), seed, fault)) != 0) {
        rest = buf_view(&text);
        while (span_line(&rest, &line) && count < 15)
            if (line.len)
                lines[count++] = line;
        if (count > 1)
            rc = recovery_join(lines, count, seed, fault);
    }
    if (text.data)
        sodium_memzero(text.data, text.cap);
    buf_free(&text);
    return rc;
}

static int key_take(struct recovery *r, const char *path)
{
    uint8_t seed[32] = {0};
    struct public_key public;
    int rc = seed_read(path, seed, &r->fault);
    r->key = rc ? NULL : secret_key_from_seed(seed, &public);
    sodium_memzero(seed, sizeof seed);
    if (rc)
        return fail_at(&r->fault, rc, "%s", path);
    if (!r->key)
        return fail(&r->fault, E_NOMEM, "key");
    if (memcmp(public.b, r->party->card.keys[KEY_RECOVERY].b, sizeof public.b) == 0)
        return 0;
    for (uint32_t e = 0; e < r->party->former_count; e++)
        if (memcmp(public.b, r->party->former[e].keys[KEY_RECOVERY].b, sizeof public.b) == 0)
            return fail(&r->fault, E_KEY, "this recovery key of %s was replaced by a later one", r->party->card.name);
    return fail(&r->fault, E_KEY, "it is not the recovery key of %s", r->party->card.name);
}

/* What the committee knows */

static bool is_absent(const struct recovery *r, const struct party *party)
{
    for (size_t i = 0; i < r->absent_count; i++)
        if (strcmp(r->absent[i], party->card.name) == 0)
            return true;
    return false;
}

static void cut_raise(struct recovery *r, const struct party *party, const struct checkpoint *checkpoint)
{
    struct cut *cut = &r->cuts[party->number];
    if (checkpoint->size > cut->size)
        *cut = (struct cut){.size = checkpoint->size, .root = checkpoint->root};
}

/* The own log, as far as this mirror holds it and has cosigned. */
static int own_cut(struct recovery *r, const struct party *mirror)
{
    char url[600], origin[65];
    struct cosigner cosigners[COMMITTEE_MAX];
    struct checkpoint checkpoint;
    struct note *note = arena_alloc(&r->arena, sizeof *note);
    struct buf text;
    size_t count = 0;
    hash_hex(&r->party->origin_hash, origin);
    (void)snprintf(url, sizeof url, "%s/mirror/%s/checkpoint", mirror->card.url, origin);
    buf_init(&text, NOTE_BYTES_MAX);
    int rc = note ? url_get(url, &text, &r->fault) : E_NOMEM;
    if (rc == 0 && checkpoint_parse(&checkpoint, note, buf_view(&text), NULL) == 0 &&
        span_is(checkpoint.origin, r->party->origin) && party_log_signed(r->party, note, &checkpoint, 0) == 0 &&
        roster_cosigners(&r->roster, r->party, note, &checkpoint, cosigners, &count) == 0 && count)
        cut_raise(r, r->party, &checkpoint);
    buf_free(&text);
    return rc == E_NOTFOUND ? 0 : rc; /* it holds nothing of it */
}

static void cosigned_take(struct recovery *r, struct span text)
{
    struct cosigner cosigners[COMMITTEE_MAX];
    struct checkpoint checkpoint;
    struct note *note = arena_alloc(&r->arena, sizeof *note);
    size_t count = 0;
    if (!note || checkpoint_parse(&checkpoint, note, text, NULL) != 0)
        return;
    const struct party *writer = roster_origin(&r->roster, checkpoint.origin);
    if (!writer || writer == r->party || party_log_signed(writer, note, &checkpoint, 0) != 0 ||
        roster_cosigners(&r->roster, writer, note, &checkpoint, cosigners, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (cosigners[i].party == r->party)
            cut_raise(r, writer, &checkpoint);
}

static int other_cuts(struct recovery *r, const struct party *mirror)
{
    char url[600];
    const struct json *json = NULL;
    struct buf text;
    (void)snprintf(url, sizeof url, "%s/recovery/%s", mirror->card.url, r->party->card.name);
    buf_init(&text, 1 << 20);
    int rc = url_get(url, &text, &r->fault);
    rc = rc ? rc : json_parse(&json, buf_view(&text), 1 << 20, &r->arena, &r->fault);
    const struct json *list = rc ? NULL : json_get(json, "cosigned");
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count; i++)
        if (list->child[i].type == JSON_STRING)
            cosigned_take(r, list->child[i].text);
    buf_free(&text);
    return rc;
}

struct remote_tiles {
    struct recovery *r;
    const struct party *mirror;
    uint64_t size;
};

static int remote_tile(void *ctx, unsigned level, uint64_t index, unsigned width, struct hash *out)
{
    struct remote_tiles *remote = ctx;
    char url[700], path[64], origin[65];
    struct buf bytes;
    uint64_t there = (remote->size >> (8 * level)) - index * TILE_WIDTH;
    hash_hex(&remote->r->party->origin_hash, origin);
    tile_path(path, (int)level, index, there < TILE_WIDTH ? (unsigned)there : TILE_WIDTH);
    (void)snprintf(url, sizeof url, "%s/mirror/%s/%s", remote->mirror->card.url, origin, path);
    buf_init(&bytes, TILE_BYTES_MAX);
    int rc = url_get(url, &bytes, &remote->r->fault);
    if (rc == 0 && bytes.len < (size_t)width * 32)
        rc = E_TRUNCATED;
    if (rc == 0)
        memcpy(out, bytes.data, (size_t)width * 32);
    buf_free(&bytes);
    return rc;
}

/* The tree below the first entry that was not ours, from whichever mirror can prove it. */
static int cut_lower(struct recovery *r)
{
    struct cut *cut = &r->cuts[r->party->number];
    struct hash root, proof[PROOF_HASHES_MAX];
    size_t count = 0;
    if (!r->compromised || r->compromised_from >= cut->size)
        return 0;
    if (!r->compromised_from) {
        *cut = (struct cut){0};
        return 0;
    }
    for (size_t i = 0; i < r->roster.count; i++) {
        struct remote_tiles remote = {.r = r, .mirror = &r->roster.parties[i], .size = cut->size};
        struct tile_reader tiles = {.read = remote_tile, .ctx = &remote};
        if (!remote.mirror->committee || remote.mirror == r->party || is_absent(r, remote.mirror))
            continue;
        if (tree_root(&tiles, r->compromised_from, &root) == 0 &&
            tree_consistency(&tiles, r->compromised_from, cut->size, proof, &count) == 0 &&
            tree_verify_consistency(r->compromised_from, &root, cut->size, &cut->root, proof, count) == 0) {
            *cut = (struct cut){.size = r->compromised_from, .root = root};
            return 0;
        }
    }
    return fail(&r->fault, E_PROOF, "no mirror proves the log below index %llu",
                (unsigned long long)r->compromised_from);
}

static int committee_ask(struct recovery *r)
{
    struct quorum q = quorum_for(&r->roster, r->party);
    if (!q.m)
        return fail(&r->fault, E_QUORUM, "no other committee member exists: a key change could never stand");
    for (size_t i = 0; i < r->roster.count; i++) {
        const struct party *mirror = &r->roster.parties[i];
        if (!mirror->committee || mirror == r->party || is_absent(r, mirror))
            continue;
        say(r, "asking", mirror->card.name);
        int rc = own_cut(r, mirror);
        rc = rc ? rc : other_cuts(r, mirror);
        if (rc)
            return fail_at(&r->fault, rc, "%s (--absent %s goes on without it)", mirror->card.name, mirror->card.name);
    }
    return cut_lower(r);
}

/* The new keys and the change */

static int keys_make(struct recovery *r, const char *listen, const char *url, const char *passphrase_file,
                     const char *sheets)
{
    uint8_t seed[32] = {0};
    r->card = r->party->card;
    if (url)
        (void)snprintf(r->card.url, sizeof r->card.url, "%s", url);
    if (mkdir(r->dir, 0700) != 0 && errno != EEXIST)
        return fail(&r->fault, E_IO, "%s: %s", r->dir, strerror(errno));
    int rc = keys_create(r->dir, buf_view(&r->passphrase), r->card.keys, seed, &r->fault);
    rc = rc ? rc : config_make(r->dir, &r->card, listen, passphrase_file, &r->fault);
    rc = rc ? rc : card_make(r->dir, &r->card, buf_view(&r->passphrase), seed, &r->card_note, &r->fault);
    if (rc == 0)
        recovery_tell(r->cli, &r->card, buf_view(&r->card_note), seed, sheets); /* before anything depends on it */
    sodium_memzero(seed, sizeof seed);
    return rc;
}

static int change_make(struct recovery *r)
{
    char path[4096];
    struct key_change_draft draft = {
        .roster = &r->roster, .party = r->party, .card_note = buf_view(&r->card_note), .cuts = r->cuts};
    struct statement fields = {.kid = r->party->kids[KEY_RECOVERY],
                               .circle = r->roster.circle,
                               .issuer = span_str(r->party->card.name),
                               .subject = span_str(r->party->card.name),
                               .media = span_str(MEDIA_KEY_CHANGE),
                               .issued_at = (int64_t)time(NULL)};
    key_change_write(&r->document, &draft);
    sha256(buf_view(&r->document), &fields.document);
    int rc = r->document.error ? r->document.error : statement_compose(&r->statement, &fields, r->key);
    path_in(r, "charter", path);
    (void)mkdir(path, 0755);
    path_in(r, "charter/key-change.json", path);
    rc = rc ? rc : file_write(path, buf_view(&r->document), 0644, true, &r->fault);
    path_in(r, "charter/key-change.statement", path);
    return rc ? rc : file_write(path, buf_view(&r->statement), 0644, true, &r->fault);
}

/* What an earlier run left: 0 all of the change, E_NOTFOUND nothing at all; anything between is told. */
static int change_reload(struct recovery *r)
{
    char path[4096];
    path_in(r, "charter/key-change.statement", path);
    if (access(path, F_OK) != 0) {
        path_in(r, "keys/log.key", path);
        return access(path, F_OK) != 0
                   ? E_NOTFOUND
                   : fail(&r->fault, E_EXISTS, "%s holds keys but no key change: give a new folder", r->dir);
    }
    buf_free(&r->statement);
    buf_free(&r->document);
    buf_free(&r->card_note);
    int rc = file_read(path, STATEMENT_BYTES_MAX, &r->statement, &r->fault);
    path_in(r, "charter/key-change.json", path);
    rc = rc ? rc : file_read(path, KEY_CHANGE_BYTES_MAX, &r->document, &r->fault);
    path_in(r, "card.note", path);
    rc = rc ? rc : file_read(path, CARD_BYTES_MAX, &r->card_note, &r->fault);
    return rc ? rc : card_parse(&r->card, buf_view(&r->card_note), &r->fault);
}

/* Bringing it to the committee */

static int change_send(struct recovery *r, const struct party *member)
{
    char url[600];
    struct buf body, answer;
    int status;
    (void)snprintf(url, sizeof url, "%s/key-change", member->card.url);
    buf_init(&body, STATEMENT_BYTES_MAX + KEY_CHANGE_BYTES_MAX + 2);
    buf_init(&answer, 1 << 16);
    buf_byte(&body, (uint8_t)(r->statement.len >> 8));
    buf_byte(&body, (uint8_t)r->statement.len);
    buf_span(&body, buf_view(&r->statement));
    buf_span(&body, buf_view(&r->document));
    int rc = body.error ? body.error : url_send("POST", url, NULL, buf_view(&body), &answer, &status, &r->fault);
    if (rc == 0 && status != 200 && status != 201)
        rc = fail(&r->fault, E_PEER, "%s answered %d: %.*s", member->card.name, status,
                  answer.len < 120 ? (int)answer.len : 120, (const char *)answer.data);
    buf_free(&body);
    buf_free(&answer);
    return rc;
}

/* The member's bundle proves by itself that our change stands; it becomes this folder's charter. */
static int change_stands(struct recovery *r, const struct party *member)
{
    char url[600], path[4096];
    struct roster roster;
    struct arena arena;
    struct buf bundle;
    (void)snprintf(url, sizeof url, "%s/bundle", member->card.url);
    buf_init(&bundle, BUNDLE_JSON_BYTES_MAX);
    arena_init(&arena, 64 * (size_t)CHARTER_BYTES_MAX);
    int rc = url_get(url, &bundle, &r->fault);
    rc = rc ? rc : bundle_parse_charter(buf_view(&bundle), &roster, &arena, &r->fault);
    if (rc == 0 && !hash_eq(&roster.circle, &r->roster.circle))
        rc = fail(&r->fault, E_CIRCLE, "%s is in another circle", member->card.name);
    const struct party *now = rc ? NULL : roster_party(&roster, span_str(r->party->card.name));
    if (rc == 0 && (!now || memcmp(now->card.keys, r->card.keys, sizeof r->card.keys) != 0))
        rc = E_UNWITNESSED;
    path_in(r, "charter/charter.json", path);
    if (rc == 0 && access(path, F_OK) != 0)
        rc = file_write(path, buf_view(&bundle), 0644, true, &r->fault);
    buf_free(&bundle);
    arena_free(&arena);
    return rc;
}

static int change_bring(struct recovery *r, int64_t wait)
{
    int64_t end = (int64_t)time(NULL) + wait;
    int rc = E_PEER;
    for (size_t i = 0; i < r->roster.count; i++) {
        const struct party *member = &r->roster.parties[i];
        if (!member->committee || member == r->party || is_absent(r, member))
            continue;
        rc = change_send(r, member);
        if (rc == 0)
            say(r, "stated in the log of", member->card.name);
        while (rc == 0 && (rc = change_stands(r, member)) == E_UNWITNESSED && (int64_t)time(NULL) < end) {
            (void)usleep(200000);
            rc = 0;
        }
        if (rc == 0 || rc == E_UNWITNESSED)
            break;
        say(r, "no answer from", member->card.name);
    }
    return rc == E_UNWITNESSED ? fail(&r->fault, rc, "the key change does not stand yet; give the same command again")
                               : rc;
}

static int options_take(struct recovery *r, struct cli *cli, int64_t *wait)
{
    const char *text, *from = option(cli, "--compromised-from"), *seconds = option(cli, "--wait");
    uint64_t number = 60;
    while ((text = option(cli, "--absent")) && r->absent_count < COMMITTEE_MAX)
        r->absent[r->absent_count++] = text;
    r->compromised = from != NULL;
    if ((from && !decimal_parse(span_str(from), &r->compromised_from)) ||
        (seconds && !decimal_parse(span_str(seconds), &number)))
        return fail(&r->fault, E_USAGE, "--compromised-from and --wait are numbers");
    *wait = (int64_t)number;
    return 0;
}

static int recover(struct recovery *r, const char *listen, const char *url, const char *passphrase_file,
                   const char *sheets, int64_t wait)
{
    int rc = change_reload(r);
    if (rc == E_NOTFOUND) {
        rc = passphrase_get(passphrase_file, &r->passphrase, &r->fault);
        rc = rc ? rc : committee_ask(r);
        rc = rc ? rc : keys_make(r, listen, url, passphrase_file, sheets);
        rc = rc ? rc : change_make(r);
    }
    return rc ? rc : change_bring(r, wait);
}

int command_recover(struct cli *cli)
{
    static const char usage[] = "comity recover DIR --bundle FILE --party NAME --key FILE --listen ADDR:PORT ...";
    struct recovery *r = calloc(1, sizeof *r);
    const char *bundle = option(cli, "--bundle"), *party = option(cli, "--party"), *key = option(cli, "--key");
    const char *listen = option(cli, "--listen"), *url = option(cli, "--url"), *sheets = option(cli, "--sheets");
    const char *passphrase_file = option(cli, "--passphrase-file");
    unsigned need, count;
    int64_t wait = 0;
    if (!r)
        return cli_fail(cli, E_NOMEM, NULL);
    r->cli = cli;
    arena_init(&r->arena, 64 * (size_t)CHARTER_BYTES_MAX);
    buf_init(&r->card_note, CARD_BYTES_MAX);
    buf_init(&r->document, KEY_CHANGE_BYTES_MAX);
    buf_init(&r->statement, STATEMENT_BYTES_MAX);
    int rc = options_take(r, cli, &wait);
    if (rc == 0 && (!words(cli, 1, usage) || !bundle || !party || !key || !listen))
        rc = fail(&r->fault, E_USAGE, "usage: %s; see comity recover --help", usage);
    if (rc == 0 && sheets && (!fraction_parse(sheets, &need, &count) || need < 2 || need > count || count > 15))
        rc = fail(&r->fault, E_USAGE, "--sheets NEED/COUNT with 2 <= NEED <= COUNT <= 15");
    r->dir = cli->argc ? cli->argv[0] : NULL;
    rc = rc ? rc : bundle_take(r, bundle, party);
    rc = rc ? rc : key_take(r, key);
    rc = rc ? rc : recover(r, listen, url, passphrase_file, sheets, wait);
    if (rc == 0 && cli->json)
        (void)printf("{\"recovered\":\"%s\",\"log_size\":%llu}\n", party,
                     (unsigned long long)r->cuts[r->party->number].size);
    else if (rc == 0)
        (void)printf("%s has new keys, and the circle knows them. Next: comity -C %s serve\n", party, r->dir);
    int exit = rc ? cli_fail(cli, rc, &r->fault) : EXIT_YES;
    secret_key_free(r->key);
    if (r->passphrase.data)
        sodium_memzero(r->passphrase.data, r->passphrase.cap);
    buf_free(&r->passphrase);
    buf_free(&r->bundle);
    buf_free(&r->card_note);
    buf_free(&r->document);
    buf_free(&r->statement);
    arena_free(&r->arena);
    free(r);
    return exit;
}
