/* Releases of software: files named by their hashes in an in-toto Statement, stated in the own log; and whoever installs them checks
   that they are the ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/verification.h"
#include "crypto/sha256.h"
#include "format/intoto.h"

static const char state_usage[] = "comity release state --name NAME --version VERSION --out STATEMENT [--source URI] "
                                  "[--commit HEX] [--builder URI] FILE ...";
static const char check_usage[] =
    "comity release check --charter BUNDLE --receipt FILE --statement FILE --issuer PARTY FILE ...";

static int hash_file(const char *path, struct hash *out, struct fault *fault)
{
    uint8_t block[65536];
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct sha256 *state = fd < 0 ? NULL : sha256_new();
    while (state && (n = read(fd, block, sizeof block)) > 0)
        sha256_add(state, span_of(block, (size_t)n));
    int code = errno;
    if (state)
        sha256_end(state, out);
    if (fd >= 0)
        (void)close(fd);
    if (n == 0)
        return 0;
    return fail_at(fault, fail(fault, code == ENOENT ? E_NOTFOUND : E_IO, "%s", strerror(code)), "%s", path);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int files_hash(struct release_file *files, char **paths, size_t count, struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        files[i].name = span_str(base_name(paths[i]));
        int rc = hash_file(paths[i], &files[i].sha256, fault);
        for (size_t j = 0; j < i && rc == 0; j++)
            if (span_eq(files[i].name, files[j].name))
                rc = fail_at(fault, fail(fault, E_DUPLICATE, "another file has this name"), "%s", paths[i]);
        if (rc)
            return rc;
    }
    return 0;
}

/* The builder unless another is named: the party that states it. */
static int builder_default(struct cli *cli, char out[static 128], int *exit)
{
    struct buf answer = {0};
    struct arena arena;
    const struct json *root = NULL;
    struct fault fault = {0};
    int rc = api_good(cli, "GET", "/api/v1/status", span_of(NULL, 0), &answer, exit);
    arena_init(&arena, JSON_BYTES_MAX);
    if (rc == 0 && (rc = json_parse(&root, buf_view(&answer), HTTP_BODY_MAX, &arena, &fault)) != 0)
        *exit = cli_fail(cli, rc, &fault);
    if (rc == 0) {
        struct span party = json_text(root, "party");
        (void)snprintf(out, 128, "urn:comity:party:%.*s", (int)party.len, (const char *)party.data);
    }
    buf_free(&answer);
    arena_free(&arena);
    return rc;
}

static int stated(struct cli *cli, const struct release *release, const char *out_file, struct fault *fault)
{
    struct buf text, path, answer = {0};
    int exit = EXIT_YES;
    buf_init(&text, DOCUMENT_BYTES_MAX);
    buf_init(&path, 4096);
    release_write(&text, release);
    buf_text(&path, "/api/v1/statements?media=");
    url_escape(&path, MEDIA_INTOTO);
    buf_text(&path, "&subject=");
    url_escape(&path, (const char *)release->name.data);
    buf_byte(&path, '-');
    url_escape(&path, (const char *)release->version.data);
    buf_byte(&path, 0);
    int rc = text.error ? text.error : path.error;
    rc = rc ? rc : file_write(out_file, buf_view(&text), 0644, true, fault);
    if (rc)
        exit = cli_fail(cli, rc, fault);
    else if (api_good(cli, "POST", (const char *)path.data, buf_view(&text), &answer, &exit) == 0)
        stated_print(cli, &answer);
    else
        (void)unlink(out_file); /* it was not stated: nobody shall take it for a release */
    buf_free(&text);
    buf_free(&path);
    buf_free(&answer);
    return exit;
}

static int release_state(struct cli *cli)
{
    const char *name = option(cli, "--name"), *version = option(cli, "--version"), *out = option(cli, "--out");
    const char *source = option(cli, "--source"), *commit = option(cli, "--commit"),
               *builder = option(cli, "--builder");
    char made[128] = "";
    struct fault fault = {0};
    int exit = EXIT_IO;
    if (!words(cli, cli->argc, state_usage))
        return EXIT_USAGE;
    if (!name || !*name || !version || !*version || !out || cli->argc < 1 || cli->argc > RELEASE_FILES_MAX)
        return cli_usage(cli, "usage: %s", state_usage);
    if (commit && !source)
        return cli_usage(cli, "--commit belongs to a --source");
    struct release_file *files = calloc((size_t)cli->argc, sizeof *files);
    if (!files)
        return cli_fail(cli, E_NOMEM, NULL);
    int rc = files_hash(files, cli->argv, (size_t)cli->argc, &fault);
    if (rc)
        exit = cli_fail(cli, rc, &fault);
    else if (builder || builder_default(cli, made, &exit) == 0) {
        const struct release release = {.name = span_str(name),
                                        .version = span_str(version),
                                        .source = span_str(source ? source : ""),
                                        .commit = span_str(commit ? commit : ""),
                                        .builder = span_str(builder ? builder : made),
                                        .count = (size_t)cli->argc,
                                        .files = files};
        exit = stated(cli, &release, out, &fault);
    }
    free(files);
    return exit;
}

/* Is this file, by its name and bytes, one of the release? */
static int file_check(const struct release *release, const char *path, struct fault *fault)
{
    struct hash hash;
    int rc = hash_file(path, &hash, fault);
    if (rc)
        return rc;
    for (size_t i = 0; i < release->count; i++)
        if (span_is(release->files[i].name, base_name(path)))
            return hash_eq(&release->files[i].sha256, &hash)
                       ? 0
                       : fail_at(fault, fail(fault, E_HASH, "the release names other bytes"), "%s", path);
    return fail_at(fault, fail(fault, E_NOTFOUND, "the release names no such file"), "%s", path);
}

static int claims_check(const struct verification *v, const char *issuer, struct release *release, struct arena *arena,
                        struct fault *fault)
{
    const struct statement *s = &v->standing.statement;
    if (!span_is(s->issuer, issuer))
        return fail(fault, E_KEY, "stated by %.*s, not by %.63s", (int)s->issuer.len, (const char *)s->issuer.data,
                    issuer);
    if (!span_is(s->media, MEDIA_INTOTO))
        return fail(fault, E_UNSUPPORTED, "it is stated as %.*s, not as a release", (int)s->media.len,
                    (const char *)s->media.data);
    return release_parse(release, buf_view(&v->document), arena, fault);
}

static void result_print(const struct cli *cli, const struct verification *v, const struct release *release)
{
    struct buf out;
    char at[21] = "";
    if (v->standing.instant)
        time_format(v->standing.instant, at);
    buf_init(&out, 1 << 20);
    if (cli->json) {
        const struct span values[] = {span_str("standing"),
                                      v->standing.statement.issuer,
                                      v->standing.statement.subject,
                                      release->name,
                                      release->version,
                                      release->source,
                                      release->commit,
                                      release->builder,
                                      span_str(at)};
        static const char *const names[] = {"state",  "issuer", "subject", "name",          "version",
                                            "source", "commit", "builder", "standing_since"};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            buf_text(&out, i ? "," : "{");
            buf_json(&out, span_str(names[i]));
            buf_byte(&out, ':');
            buf_json(&out, values[i]);
        }
        buf_printf(&out, ",\"files\":%d}\n", cli->argc);
    } else {
        buf_text(&out, "RELEASED\n  issuer     ");
        text_show(&out, v->standing.statement.issuer);
        buf_text(&out, "\n  subject    ");
        text_show(&out, v->standing.statement.subject);
        buf_text(&out, "\n  source     ");
        text_show(&out, release->source.len ? release->source : span_str("not told"));
        buf_byte(&out, ' ');
        text_show(&out, release->commit);
        buf_printf(&out, "\n  since      %s\n  files      %d, all as stated\n", at, cli->argc);
    }
    (void)fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

static int release_check(struct cli *cli)
{
    const char *charter = option(cli, "--charter"), *receipt = option(cli, "--receipt");
    const char *statement = option(cli, "--statement"), *issuer = option(cli, "--issuer");
    struct verification v;
    struct release release;
    struct arena arena;
    struct fault fault = {0};
    if (!words(cli, cli->argc, check_usage))
        return EXIT_USAGE;
    if (!charter || !receipt || !statement || !issuer || cli->argc < 1)
        return cli_usage(cli, "usage: %s", check_usage);
    arena_init(&arena, JSON_BYTES_MAX);
    int rc = verification_make(&v, charter, receipt, statement, &fault);
    if (rc == 0 && (rc = claims_check(&v, issuer, &release, &arena, &fault)) != 0)
        (void)fail_at(&fault, rc, "%s", statement);
    for (int i = 0; i < cli->argc && rc == 0; i++)
        rc = file_check(&release, cli->argv[i], &fault);
    if (rc == 0)
        result_print(cli, &v, &release);
    arena_free(&arena);
    verification_free(&v);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}

int command_release(struct cli *cli)
{
    const char *what = cli->argc ? cli->argv[0] : "";
    bool state = strcmp(what, "state") == 0;
    if (!state && strcmp(what, "check") != 0)
        return cli_usage(cli, "usage: %s, or %s", state_usage, check_usage);
    cli->argc--;
    cli->argv++;
    return state ? release_state(cli) : release_check(cli);
}
