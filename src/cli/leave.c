/* Leaving a circle in good order. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

enum { WAIT_SECONDS = 60, WAIT_SECONDS_MAX = 86400 };

/* Text of a member of a good answer, into `out`. */
static bool member(const struct buf *answer, const char *key, char *out, size_t size)
{
    struct arena arena;
    const struct json *root = NULL;
    arena_init(&arena, 1 << 20);
    bool good = json_parse(&root, buf_view(answer), JSON_BYTES_MAX, &arena, NULL) == 0;
    struct span text = good ? json_text(root, key) : span_of(NULL, 0);
    good = text.len > 0 && text.len < size;
    if (good)
        (void)snprintf(out, size, "%.*s", (int)text.len, (const char *)text.data);
    arena_free(&arena);
    return good;
}

/* EXIT_YES when it stands, EXIT_PENDING when the time is over. */
static int stands(const struct cli *cli, const char *id, uint64_t seconds)
{
    char path[128], state[32] = "";
    time_t until = time(NULL) + (time_t)seconds;
    int exit = EXIT_YES;
    (void)snprintf(path, sizeof path, "/api/v1/statements/%.64s", id);
    for (;;) {
        struct buf answer = {0};
        int rc = api_good(cli, "GET", path, span_of(NULL, 0), &answer, &exit);
        bool told = rc == 0 && member(&answer, "state", state, sizeof state);
        buf_free(&answer);
        if (rc)
            return exit;
        if (told && strcmp(state, "standing") == 0)
            return EXIT_YES;
        if (time(NULL) >= until)
            return EXIT_PENDING;
        (void)usleep(200000);
    }
}

static int leave(const struct cli *cli, const char *name, const char *reason, uint64_t seconds)
{
    struct buf path, answer = {0};
    char id[65] = "";
    int exit = EXIT_YES;
    buf_init(&path, 4096);
    buf_text(&path, "/api/v1/leave?party=");
    url_escape(&path, name);
    buf_byte(&path, 0);
    if (path.error)
        exit = cli_fail(cli, path.error, NULL);
    else if (api_good(cli, "POST", (const char *)path.data, span_str(reason), &answer, &exit) == 0)
        exit = member(&answer, "id", id, sizeof id) ? stands(cli, id, seconds) : cli_fail(cli, E_PEER, NULL);
    if (id[0] && cli->json && (exit == EXIT_YES || exit == EXIT_PENDING))
        (void)printf("{\"left\":true,\"id\":\"%s\",\"state\":\"%s\"}\n", id, exit == EXIT_YES ? "standing" : "logged");
    else if (id[0] && exit == EXIT_YES)
        (void)printf("%s has left: its leaving statement stands\n  id  %s\nKeep the node running as long as others "
                     "fetch from it.\n",
                     name, id);
    else if (id[0] && exit == EXIT_PENDING)
        (void)printf("%s leaves, but its statement does not stand yet: let the node run\n  id  %s\n", name, id);
    buf_free(&path);
    buf_free(&answer);
    return exit;
}

int command_leave(struct cli *cli)
{
    const char *reason = option(cli, "--reason"), *name = option(cli, "--yes-leave"), *wait = option(cli, "--wait");
    struct fault fault = {0};
    uint64_t seconds = WAIT_SECONDS;
    if (!words(cli, 0, "comity leave --reason TEXT --yes-leave NAME [--wait SECONDS]"))
        return EXIT_USAGE;
    if (wait && (!decimal_parse(span_str(wait), &seconds) || seconds > WAIT_SECONDS_MAX))
        return cli_usage(cli, "--wait takes seconds, at most %d", WAIT_SECONDS_MAX);
    if (!reason)
        return cli_usage(cli, "--reason TEXT is required: it is what the others will read");
    if (!name)
        return cli_fail(
            cli, fail(&fault, E_REFUSED, "leaving cannot be taken back; say --yes-leave and the party's own name"),
            &fault);
    return leave(cli, name, reason, seconds);
}
