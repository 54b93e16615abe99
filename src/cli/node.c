/* The commands that speak with the running node. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/disk.h"
#include "cli/node.h"
#include "shell/shell.h"

int command_serve(struct cli *cli)
{
    struct fault fault = {0};
    if (!words(cli, 0, "comity serve"))
        return EXIT_USAGE;
    int rc = comity_serve(cli->dir, &fault);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}

void print_raw(const struct buf *out)
{
    (void)fwrite(out->data, 1, out->len, stdout);
}

const struct json *answer_parse(const struct cli *cli, const struct buf *out, struct arena *arena)
{
    const struct json *root = NULL;
    struct fault fault = {0};
    arena_init(arena, JSON_BYTES_MAX);
    if (json_parse(&root, buf_view(out), HTTP_BODY_MAX, arena, &fault) != 0) {
        (void)cli_fail(cli, E_PEER, &fault);
        return NULL;
    }
    return root;
}

long long answer_number(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_int(object, key, &value);
    return (long long)value;
}

bool answer_true(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, key);
    return value && value->type == JSON_TRUE;
}

int stated_print(const struct cli *cli, const struct buf *out)
{
    struct arena arena;
    if (cli->json) {
        print_raw(out);
        return EXIT_YES;
    }
    const struct json *root = answer_parse(cli, out, &arena);
    if (root) {
        (void)printf("logged\n  id        ");
        print_text(root, "id");
        (void)printf("\n  document  ");
        print_text(root, "document");
        (void)printf("\n  position  index %lld of ", answer_number(root, "index"));
        print_text(root, "origin");
        (void)printf("\n");
    }
    arena_free(&arena);
    return root ? EXIT_YES : EXIT_IO;
}

static int post_file(struct cli *cli, const char *file, const char *path, size_t max)
{
    struct buf body, out = {0};
    struct fault fault = {0};
    int exit = 0, rc = file_read(file, max, &body, &fault);
    if (rc) {
        buf_free(&body);
        return cli_fail(cli, rc, &fault);
    }
    if (api_good(cli, "POST", path, buf_view(&body), &out, &exit) == 0)
        exit = stated_print(cli, &out);
    buf_free(&body);
    buf_free(&out);
    return exit;
}

int command_publish(struct cli *cli)
{
    bool open = option_flag(cli, "--open");
    if (!words(cli, 1, "comity publish [--open] FILE"))
        return EXIT_USAGE;
    return post_file(cli, cli->argv[0], open ? "/api/v1/publish?open=1" : "/api/v1/publish", DOCUMENT_BYTES_MAX);
}

int command_state(struct cli *cli)
{
    const char *media = option(cli, "--media"), *subject = option(cli, "--subject");
    struct buf path;
    if (!words(cli, 1, "comity state --media TYPE --subject TEXT FILE"))
        return EXIT_USAGE;
    if (!media || !subject)
        return cli_usage(cli, "--media and --subject are required");
    buf_init(&path, 4096);
    buf_text(&path, "/api/v1/statements?media=");
    url_escape(&path, media);
    buf_text(&path, "&subject=");
    url_escape(&path, subject);
    buf_byte(&path, 0);
    int exit = path.error ? cli_fail(cli, path.error, NULL)
                          : post_file(cli, cli->argv[0], (const char *)path.data, DOCUMENT_BYTES_MAX);
    buf_free(&path);
    return exit;
}

/* "Debian:12" from /etc/os-release. */
static void distribution_guess(char out[static 64])
{
    char line[256], id[32] = "", version[32] = "";
    FILE *file = fopen("/etc/os-release", "r");
    while (file && fgets(line, sizeof line, file)) {
        (void)sscanf(line, "ID=%31[a-z]", id);
        (void)sscanf(line, "VERSION_ID=\"%31[0-9.]\"", version);
    }
    if (file)
        (void)fclose(file);
    bool debian = strcmp(id, "debian") == 0;
    (void)snprintf(out, 64, "%s%s%s",
                   debian                      ? "Debian"
                   : strcmp(id, "ubuntu") == 0 ? "Ubuntu"
                                               : id,
                   *version ? ":" : "", version);
}

static int inventory_post(struct cli *cli, const char *name, const char *file, const char *distribution,
                          const char *columns, const char *sector, bool critical)
{
    struct buf body, out = {0}, path;
    struct fault fault = {0};
    struct arena arena;
    int exit = EXIT_IO, rc = file_read(file, INVENTORY_BYTES_MAX, &body, &fault);
    if (rc) {
        buf_free(&body);
        return cli_fail(cli, rc, &fault);
    }
    buf_init(&path, 4096);
    buf_text(&path, "/api/v1/inventories?name=");
    url_escape(&path, name);
    buf_text(&path, "&distribution=");
    url_escape(&path, distribution);
    if (columns) {
        buf_text(&path, "&columns=");
        url_escape(&path, columns);
    }
    if (sector) {
        buf_text(&path, "&sector=");
        url_escape(&path, sector);
    }
    buf_text(&path, critical ? "&critical=1" : "");
    buf_byte(&path, 0);
    if (api_good(cli, "POST", (const char *)path.data, buf_view(&body), &out, &exit) == 0) {
        const struct json *root = answer_parse(cli, &out, &arena);
        exit = !root ? EXIT_IO : answer_number(root, "affected") ? EXIT_NO : EXIT_YES;
        if (root && cli->json)
            print_raw(&out);
        else if (root)
            (void)printf(
                "%lld components (%lld with a problem) against %lld advisories: %lld affected, %lld undecided\n"
                "%lld added, %lld removed, %lld unchanged; %lld notices\n",
                answer_number(root, "components"), answer_number(root, "problems"), answer_number(root, "advisories"),
                answer_number(root, "affected"), answer_number(root, "undecided"), answer_number(root, "added"),
                answer_number(root, "removed"), answer_number(root, "unchanged"), answer_number(root, "notices"));
        arena_free(&arena);
    }
    buf_free(&body);
    buf_free(&out);
    buf_free(&path);
    return exit;
}

static int inventory_list(struct cli *cli)
{
    struct buf out = {0};
    struct arena arena;
    int exit = 0;
    if (api_good(cli, "GET", "/api/v1/status", span_of(NULL, 0), &out, &exit) == 0) {
        const struct json *root = answer_parse(cli, &out, &arena), *list = json_get(root, "inventories");
        for (uint32_t i = 0; list && i < list->count; i++) {
            print_text(&list->child[i], "name");
            (void)printf("\t%lld components\t%lld with a problem", answer_number(&list->child[i], "components"),
                         answer_number(&list->child[i], "problems"));
            const struct json *critical = json_get(&list->child[i], "critical");
            (void)printf("%s%s", critical && critical->type == JSON_TRUE ? "\tcritical" : "",
                         json_text(&list->child[i], "sector").len ? "\t" : "");
            print_text(&list->child[i], "sector");
            (void)printf("\n");
        }
        arena_free(&arena);
    }
    buf_free(&out);
    return exit;
}

int command_inventory(struct cli *cli)
{
    static const char usage[] = "comity inventory add NAME (FILE [--distribution D] [--columns C] | --this-machine) "
                                "[--critical] [--sector S] | list";
    bool machine = option_flag(cli, "--this-machine"), critical = option_flag(cli, "--critical");
    const char *given = option(cli, "--distribution"), *sector = option(cli, "--sector");
    const char *columns = option(cli, "--columns");
    char guess[64];
    distribution_guess(guess);
    if (cli->argc == 1 && strcmp(cli->argv[0], "list") == 0)
        return inventory_list(cli);
    if (!words(cli, machine ? 2 : 3, usage))
        return EXIT_USAGE;
    if (strcmp(cli->argv[0], "add") != 0)
        return cli_usage(cli, "usage: %s", usage);
    return inventory_post(cli, cli->argv[1], machine ? "/var/lib/dpkg/status" : cli->argv[2], given ? given : guess,
                          columns, sector, critical);
}

static const char *leave_word(const struct json *leave)
{
    return span_is(json_text(leave, "state"), "standing") ? "HAS LEFT" : "leaves (unwitnessed)";
}

/* Where the charter sets a limit: how much of it is used today. */
static void quota_print(const struct json *quota)
{
    static const char *const kinds[][2] = {{"entries", "entries_limit"}, {"bytes", "bytes_limit"}};
    for (size_t i = 0; quota && i < sizeof kinds / sizeof kinds[0]; i++)
        if (answer_number(quota, kinds[i][1]))
            (void)printf("%lld/%lld %s today ", answer_number(quota, kinds[i][0]), answer_number(quota, kinds[i][1]),
                         kinds[i][0]);
    if (quota && answer_true(quota, "spent"))
        (void)printf("QUOTA USED UP ");
}

static void peer_print(const struct json *peer)
{
    const struct json *log = json_get(peer, "their_log");
    struct span since = json_text(peer, "missing_since");
    struct span name = json_text(peer, "party");
    (void)printf("  %-26.*s %-12.*s %-7s %10lld %10lld %10lld  ", (int)name.len, (const char *)name.data,
                 (int)json_text(peer, "role").len, (const char *)json_text(peer, "role").data,
                 answer_true(peer, "mirror") ? "mirror" : "-", answer_number(peer, "cosigned_our_size"),
                 answer_number(log, "held"), answer_number(log, "standing"));
    if (json_get(peer, "leave"))
        (void)printf("%s ", leave_word(json_get(peer, "leave")));
    if (answer_true(log, "two_faces"))
        (void)printf("TWO FACES ");
    quota_print(json_get(log, "quota"));
    if (since.len) {
        (void)printf("missing since ");
        print_span(since);
    }
    (void)printf("\n");
}

static void feeds_print(const struct json *feeds)
{
    for (uint32_t i = 0; feeds && i < feeds->count; i++) {
        const struct json *feed = &feeds->child[i];
        if (!answer_true(feed, "followed"))
            continue;
        (void)printf("feed ");
        print_text(feed, "name");
        (void)printf(": %lld documents, last good ", answer_number(feed, "documents"));
        print_span(json_text(feed, "succeeded").len ? json_text(feed, "succeeded") : span_str("never"));
        (void)printf(", next ");
        print_span(json_text(feed, "due").len ? json_text(feed, "due") : span_str("now"));
        if (answer_number(feed, "failures"))
            (void)printf("; FAILED %lld times", answer_number(feed, "failures"));
        (void)printf("\n");
    }
}

static void status_print(const struct json *root)
{
    const struct json *log = json_get(root, "log"), *peers = json_get(root, "peers"), *quorum = json_get(log, "quorum");
    (void)printf("party     ");
    print_text(root, "party");
    (void)printf("\nstate     ");
    print_text(root, "state");
    if (answer_number(root, "recovery_answers_needed"))
        (void)printf(" (needs %lld answers of the committee)", answer_number(root, "recovery_answers_needed"));
    (void)printf("%s\n", answer_true(root, "restored") ? ", was restored from an older copy" : "");
    feeds_print(json_get(root, "feeds"));
    if (!log)
        return;
    (void)printf("circle    ");
    print_text(root, "circle_name");
    (void)printf("\nlog       %lld entries, %lld standing, %lld unwitnessed; %lld of %lld mirrors needed\n\n",
                 answer_number(log, "size"), answer_number(log, "standing"), answer_number(log, "unwitnessed"),
                 answer_number(quorum, "needed"), answer_number(quorum, "mirrors"));
    const struct json *leave = json_get(log, "leave"), *ahead = json_get(log, "ahead");
    if (ahead)
        (void)printf(
            "          THE SIGNER IS AHEAD: it has signed %lld entries; comity log ahead says what is missing\n\n",
            answer_number(ahead, "size"));
    if (leave) {
        (void)printf("          this party %s by its statement at index %lld: ", leave_word(leave),
                     answer_number(leave, "index"));
        print_text(leave, "reason");
        (void)printf("\n\n");
    }
    (void)printf("  %-26s %-12s %-7s %10s %10s %10s\n", "peer", "role", "", "our log", "their log", "standing");
    for (uint32_t i = 0; peers && i < peers->count; i++)
        peer_print(&peers->child[i]);
}

/* Of the folder that the command was given: the node's own process need not look. */
static void disk_print(const struct cli *cli)
{
    struct disk disk;
    if (disk_look(cli->dir, &disk) == 0 && disk.level != DISK_OK)
        (void)printf("disk      %s: %llu MiB and %llu inodes are free; comity doctor says more\n",
                     disk.level == DISK_FULL ? "FULL" : "LOW", (unsigned long long)(disk.bytes_free >> 20),
                     (unsigned long long)disk.inodes_free);
}

/* The node's answer with one member more. */
static void status_json(const struct cli *cli, struct buf *out)
{
    struct disk disk;
    while (out->len && out->data[out->len - 1] != '}')
        out->len--;
    if (out->len && disk_look(cli->dir, &disk) == 0) {
        out->len--;
        buf_printf(out, ",\"disk\":{\"bytes_free\":%llu,\"inodes_free\":%llu,\"low\":%s}}",
                   (unsigned long long)disk.bytes_free, (unsigned long long)disk.inodes_free,
                   disk.level == DISK_OK ? "false" : "true");
    }
    buf_byte(out, '\n');
    print_raw(out);
}

int command_status(struct cli *cli)
{
    struct buf out = {0};
    struct arena arena;
    int exit = 0;
    if (!words(cli, 0, "comity status"))
        return EXIT_USAGE;
    if (api_good(cli, "GET", "/api/v1/status", span_of(NULL, 0), &out, &exit) == 0) {
        const struct json *root = answer_parse(cli, &out, &arena);
        bool waits = answer_number(json_get(root, "log"), "unwitnessed") ||
                     span_is(json_text(root, "state"), "recovering") || json_get(json_get(root, "log"), "ahead");
        if (root && !cli->json) {
            status_print(root);
            disk_print(cli);
        } else if (root) {
            status_json(cli, &out);
        }
        exit = !root ? EXIT_IO : waits ? EXIT_PENDING : EXIT_YES;
        arena_free(&arena);
    }
    buf_free(&out);
    return exit;
}

static void names_print(const char *before, const struct json *list, const char *key)
{
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count; i++) {
        (void)printf("%s", i ? ", " : before);
        print_span(key ? json_text(&list->child[i], key) : list->child[i].text);
    }
}

static void statement_print(const struct json *root, bool stands)
{
    static const char *const texts[] = {"state",    "issuer",    "subject",        "media",
                                        "document", "issued_at", "standing_since", "origin"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        (void)printf("%-15s ", texts[i]);
        print_text(root, texts[i]);
        (void)printf("\n");
    }
    (void)printf("%-15s %lld\n%-15s %lld of %lld, %lld needed%s", "index", answer_number(root, "index"), "cosigned",
                 answer_number(root, "cosigned"), answer_number(root, "mirrors"), answer_number(root, "needed"),
                 stands ? "" : " - unwitnessed");
    names_print("\n  by            ", json_get(root, "cosigners"), "party");
    names_print("\n  missing       ", json_get(root, "missing"), NULL);
    (void)printf("\n");
}

int command_show(struct cli *cli)
{
    struct buf out = {0};
    struct arena arena;
    char path[128];
    int exit = 0;
    if (!words(cli, 1, "comity show ID"))
        return EXIT_USAGE;
    (void)snprintf(path, sizeof path, "/api/v1/statements/%.64s", cli->argv[0]);
    if (api_good(cli, "GET", path, span_of(NULL, 0), &out, &exit) == 0) {
        const struct json *root = answer_parse(cli, &out, &arena);
        bool stands = span_is(json_text(root, "state"), "standing");
        if (cli->json)
            print_raw(&out);
        else if (root)
            statement_print(root, stands);
        exit = !root ? EXIT_IO : stands ? EXIT_YES : EXIT_PENDING;
        arena_free(&arena);
    }
    buf_free(&out);
    return exit;
}

int command_receipt(struct cli *cli)
{
    const char *form = option(cli, "--form"), *target = option(cli, "--out"), *wait = option(cli, "--wait");
    char path[160];
    struct buf out = {0};
    struct fault fault = {0};
    int status = 0, exit = 0, rc;
    if (!words(cli, 1, "comity receipt ID [--form tlog|cose] [--out FILE] [--wait SECONDS]"))
        return EXIT_USAGE;
    if (form && strcmp(form, "tlog") != 0 && strcmp(form, "cose") != 0)
        return cli_usage(cli, "--form is tlog or cose");
    (void)snprintf(path, sizeof path, "/api/v1/receipts/%.64s?form=%s", cli->argv[0], form ? form : "tlog");
    uint64_t seconds = 0;
    if (wait && (!decimal_parse(span_str(wait), &seconds) || seconds > 86400))
        return cli_usage(cli, "--wait takes seconds, at most 86400");
    time_t until = time(NULL) + (time_t)seconds;
    for (;;) {
        rc = api_call(cli, "GET", path, span_of(NULL, 0), &out, &status, &fault);
        if (rc || status != 425 || time(NULL) >= until)
            break;
        buf_free(&out);
        (void)usleep(100000);
    }
    buf_free(&out);
    if (rc)
        return cli_fail(cli, rc, &fault);
    if (api_good(cli, "GET", path, span_of(NULL, 0), &out, &exit) == 0) {
        rc = target ? file_write(target, buf_view(&out), 0644, false, &fault) : 0;
        if (!target)
            print_raw(&out);
        exit = rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
    }
    buf_free(&out);
    return exit;
}

static int simple(struct cli *cli, const char *path)
{
    struct buf out = {0};
    int exit = 0;
    if (api_good(cli, "POST", path, span_of(NULL, 0), &out, &exit) == 0)
        print_raw(&out);
    buf_free(&out);
    return exit;
}

int command_rebuild(struct cli *cli)
{
    return words(cli, 0, "comity rebuild") ? simple(cli, "/api/v1/rebuild") : EXIT_USAGE;
}

int command_absent(struct cli *cli)
{
    char path[160];
    if (!words(cli, 1, "comity absent NAME"))
        return EXIT_USAGE;
    if (!name_valid(span_str(cli->argv[0])))
        return cli_usage(cli, "%s is no party name", cli->argv[0]);
    (void)snprintf(path, sizeof path, "/api/v1/absent?party=%s", cli->argv[0]);
    return simple(cli, path);
}
