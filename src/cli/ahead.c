/* comity log ahead: the signer has signed more of the own log than the database and every mirror hold. What is missing, the proof of it,
   and what can be done without ever signing a second tree. */
#include "cli/cli.h"

struct ahead {
    struct cli *cli;
    const struct json *log, *missing; /* of the status */
    struct span party;
    struct buf status, note;
    struct arena arena;
    struct fault fault;
};

static long long number(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_int(object, key, &value);
    return (long long)value;
}

static void json_print(const struct ahead *a)
{
    struct buf note;
    buf_init(&note, 8 * NOTE_BYTES_MAX);
    buf_json(&note, buf_view(&a->note));
    (void)printf(
        "{\"ahead\":%s,\"held\":%lld,\"standing\":%lld,\"signed\":%lld,\"root\":\"%.*s\",\"checkpoint\":%.*s}\n",
        a->missing ? "true" : "false", number(a->log, "size"), number(a->log, "standing"),
        a->missing ? number(a->missing, "size") : number(a->log, "signed"), (int)json_text(a->missing, "root").len,
        (const char *)json_text(a->missing, "root").data, (int)note.len, (const char *)note.data);
    buf_free(&note);
}

static void text_print(const struct ahead *a, const char *out)
{
    long long held = number(a->log, "size"), size = number(a->missing, "size");
    (void)printf(
        "AHEAD     the signer has signed %lld entries of this log; the database and everybody who answers hold %lld\n"
        "missing   entries %lld to %lld; %lld entries stand\n",
        size, held, held, size - 1, number(a->log, "standing"));
    if (out)
        (void)printf("proof     %s: the signer's own checkpoint of the whole\n", out);
    (void)printf(
        "\nThe log takes no further statement: another entry %lld would be a second tree, and would convict this party "
        "for ever.\n"
        "The node serves, follows and cosigns others' logs as before, and asks again for what is missing.\n\n"
        "What can be done:\n"
        "  1. A newer copy of state.db: stop the node, put it back with comity restore, start.\n"
        "  2. A party that does not answer may hold the rest: start it, or have it started. Nothing else is needed.\n"
        "  3. If nobody has it: new keys, and the log goes on from what mirrors have cosigned. Get a bundle (comity "
        "charter bundle\n"
        "     --out circle.bundle), stop this node, take the recovery key, and give\n"
        "       comity recover NEW-FOLDER --bundle circle.bundle --party ",
        held);
    print_span(a->party);
    (void)printf(" --key FILE --listen ADDRESS:PORT\n"
                 "     What the old key signed beyond that counts for nobody then. State again what was lost; keep "
                 "this folder and the proof.\n");
}

static int ahead_get(struct ahead *a, int *exit)
{
    const struct json *root = NULL;
    if (api_good(a->cli, "GET", "/api/v1/status", span_of(NULL, 0), &a->status, exit) != 0)
        return E_PEER;
    if (json_parse(&root, buf_view(&a->status), HTTP_BODY_MAX, &a->arena, &a->fault) != 0)
        return *exit = cli_fail(a->cli, E_PEER, &a->fault), E_PEER;
    a->party = json_text(root, "party");
    a->log = json_get(root, "log");
    a->missing = json_get(a->log, "ahead");
    if (a->missing && api_good(a->cli, "GET", "/api/v1/ahead", span_of(NULL, 0), &a->note, exit) != 0)
        return E_PEER;
    return 0;
}

int log_ahead(struct cli *cli)
{
    struct ahead a = {.cli = cli};
    const char *out = option(cli, "--out");
    int exit = EXIT_YES;
    if (!words(cli, 1, "comity log ahead [--out FILE]"))
        return EXIT_USAGE;
    arena_init(&a.arena, JSON_BYTES_MAX);
    int rc = ahead_get(&a, &exit);
    if (rc == 0 && a.missing && out && (rc = file_write(out, buf_view(&a.note), 0644, true, &a.fault)) != 0)
        exit = cli_fail(cli, rc, &a.fault);
    if (rc == 0 && cli->json)
        json_print(&a);
    else if (rc == 0 && a.missing)
        text_print(&a, out);
    else if (rc == 0)
        (void)printf("nothing is missing: the database holds all that the signer has signed\n");
    if (rc == 0 && a.missing)
        exit = EXIT_NO;
    buf_free(&a.status);
    buf_free(&a.note);
    arena_free(&a.arena);
    return exit;
}
