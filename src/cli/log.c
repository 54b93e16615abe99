#include <string.h>
#include <time.h>
#include <unistd.h>

#include "circle/roster.h"
#include "cli/cli.h"
#include "record/audit.h"
#include "record/wire.h"
#include "store/store.h"

struct source {
    const char *base;
    bool url;
    struct store *store;
    log_id log;
    int64_t shown_at;
};

static int path_get(void *ctx, const char *path, struct buf *out, struct fault *fault)
{
    struct source *source = ctx;
    struct buf file;
    char full[4096];
    (void)snprintf(full, sizeof full, "%s/%s", source->base, path);
    if (source->url)
        return url_get(full, out, fault);
    int rc = file_read(full, out->max, &file, fault);
    if (rc == 0)
        buf_span(out, buf_view(&file));
    buf_free(&file);
    return rc;
}

static int bundle_visit(void *ctx, uint64_t index, struct span bytes)
{
    struct buf *out = ctx;
    (void)index;
    bundle_add(out, bytes);
    return out->error;
}

static int store_get(void *ctx, const char *path, struct buf *out, struct fault *fault)
{
    struct source *source = ctx;
    const struct store_ops *ops = source->store->ops;
    struct hash hashes[TILE_WIDTH];
    int level;
    uint64_t index, size;
    unsigned width;
    if (strcmp(path, "checkpoint") == 0) {
        int found = ops->note_latest(source->store, source->log, NOTE_SIGNED, &size, out);
        return found ? fail(fault, found, "no signed checkpoint is stored") : 0;
    }
    int rc = tile_path_parse(span_str(path), &level, &index, &width);
    if (rc == 0 && level < 0)
        rc = ops->entries_scan(source->store, source->log, index * TILE_WIDTH, index * TILE_WIDTH + width, bundle_visit,
                               out);
    else if (rc == 0 && (rc = ops->tile_get(source->store, source->log, (unsigned)level, index, width, hashes)) == 0)
        buf_add(out, hashes, (size_t)width * 32);
    return rc ? fail(fault, rc, "database") : 0;
}

static bool progress(void *ctx, uint64_t done, uint64_t total)
{
    struct source *source = ctx;
    int64_t now = (int64_t)time(NULL);
    if (now >= source->shown_at + 2) {
        source->shown_at = now;
        (void)fprintf(stderr, "\r%llu of %llu entries", (unsigned long long)done, (unsigned long long)total);
    }
    return true;
}

/* Any key that the issuer had: an entry past the cut of a replaced key is in the log, though it counts for nothing. */
static const struct public_key *key_of(void *ctx, const struct hash *kid, struct span issuer, uint64_t index)
{
    const struct party *party = roster_party(ctx, issuer);
    static const enum key_role roles[] = {KEY_STATEMENT, KEY_RECOVERY};
    (void)index;
    for (size_t i = 0; party && i < 2; i++) {
        if (hash_eq(&party->kids[roles[i]], kid))
            return &party->card.keys[roles[i]];
        for (uint32_t e = 0; e < party->former_count; e++)
            if (hash_eq(&party->former[e].kids[roles[i]], kid))
                return &party->former[e].keys[roles[i]];
    }
    return NULL;
}

static int log_signed(void *ctx, const struct note *note, const struct checkpoint *checkpoint)
{
    return party_log_signed(ctx, note, checkpoint, 0);
}

static int audit(struct cli *cli, const struct roster *roster, const struct party *party, struct source *source,
                 struct fault *fault)
{
    struct audit_source from = {.get = source->store ? store_get : path_get, .ctx = source};
    struct audit_options options = {.log_signed = log_signed,
                                    .log_ctx = (void *)(uintptr_t)party,
                                    .log_name = span_str(party->origin),
                                    .circle = &roster->circle,
                                    .issuer = span_str(party->card.name),
                                    .key = key_of,
                                    .key_ctx = (void *)(uintptr_t)roster,
                                    .progress = progress,
                                    .progress_ctx = source};
    struct audit_result result = {0};
    struct timespec start, end;
    char root[65];
    source->shown_at = (int64_t)time(NULL);
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    int rc = audit_log(&from, &options, &result, fault);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    if (rc)
        return rc;
    hash_hex(&result.root, root);
    if (cli->json)
        (void)printf("{\"origin\":\"%s\",\"size\":%llu,\"verified\":%llu,\"root\":\"%s\",\"seconds\":%.3f}\n",
                     party->origin, (unsigned long long)result.size, (unsigned long long)result.verified, root,
                     seconds);
    else
        (void)printf("GOOD  %s\n  entries   %llu, every signature verified\n  root      %s\n  took      %.3f s, %.0f "
                     "entries/s\n",
                     party->origin, (unsigned long long)result.size, root, seconds,
                     seconds > 0 ? (double)result.size / seconds : 0);
    return 0;
}

static int store_source(const struct cli *cli, const struct party *party, struct source *source, struct fault *fault)
{
    char path[4096], blobs[4096];
    (void)path_join(cli, "state.db", path);
    (void)path_join(cli, "blobs", blobs);
    if (access(path, R_OK) != 0)
        return fail(fault, E_NOTFOUND, "%.150s; give a directory or a URL", path);
    int rc = store_sqlite_open(&source->store, path, blobs, fault);
    rc = rc ? rc : source->store->ops->log_open(source->store, span_str(party->origin), false, &source->log);
    return rc ? fail(fault, rc, "the log %s", party->origin) : 0;
}

int command_log(struct cli *cli)
{
    static const char usage[] =
        "comity log verify --charter BUNDLE --party NAME [DIRECTORY | URL], or comity log ahead [--out FILE]";
    if (cli->argc && strcmp(cli->argv[0], "ahead") == 0)
        return log_ahead(cli);
    const char *charter = option(cli, "--charter"), *name = option(cli, "--party");
    struct buf bytes = {0};
    struct roster roster;
    struct arena arena;
    struct fault fault = {0};
    struct source source = {0};
    if (cli->argc < 1 || cli->argc > 2 || strcmp(cli->argv[0], "verify") != 0 || !charter || !name)
        return cli_usage(cli, "usage: %s", usage);
    arena_init(&arena, 64 * (size_t)CHARTER_BYTES_MAX);
    int rc = file_read(charter, BUNDLE_JSON_BYTES_MAX, &bytes, &fault);
    rc = rc ? rc : bundle_parse_charter(buf_view(&bytes), &roster, &arena, &fault);
    const struct party *party = rc ? NULL : roster_party(&roster, span_str(name));
    if (rc == 0 && !party)
        rc = fail(&fault, E_NOTFOUND, "no party %s in this charter", name);
    if (rc == 0 && cli->argc == 2) {
        source.base = cli->argv[1];
        source.url = strncmp(source.base, "http://", 7) == 0 || strncmp(source.base, "https://", 8) == 0;
    } else if (rc == 0) {
        rc = store_source(cli, party, &source, &fault);
    }
    rc = rc ? rc : audit(cli, &roster, party, &source, &fault);
    if (source.store)
        source.store->ops->close(source.store);
    buf_free(&bytes);
    arena_free(&arena);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}
