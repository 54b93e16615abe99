/* comity notices: what affects the own inventories, who takes care of it, and where it goes. */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/node.h"
#include "shell/config.h"

enum { PAGE_ROWS = 5000, PREFIX_HEX_MIN = 8 };

struct page {
    struct page *next;
    struct buf bytes;
    struct arena arena;
};
struct rows { /* of all pages, in the journal's order */
    struct page *pages;
    const struct json **list;
    size_t count;
};

static void rows_free(struct rows *rows)
{
    for (struct page *page = rows->pages, *next; page; page = next) {
        next = page->next;
        buf_free(&page->bytes);
        arena_free(&page->arena);
        free(page);
    }
    free(rows->list);
    *rows = (struct rows){0};
}

static int page_take(struct cli *cli, struct rows *rows, struct page *page)
{
    const struct json *root = answer_parse(cli, &page->bytes, &page->arena);
    if (!root || root->type != JSON_ARRAY)
        return root ? cli_fail(cli, E_PEER, NULL) : EXIT_IO;
    const struct json **list = realloc(rows->list, (rows->count + root->count + 1) * sizeof(struct json *));
    if (!list)
        return cli_fail(cli, E_NOMEM, NULL);
    rows->list = list;
    for (uint32_t i = 0; i < root->count; i++)
        list[rows->count++] = &root->child[i];
    return 0;
}

/* Page by page, so that no answer grows without end. `query` begins with &. Returns an exit code; rows are to be freed in any case. */
static int rows_read(struct cli *cli, uint64_t after, const char *query, struct rows *rows)
{
    size_t before;
    int exit = 0;
    *rows = (struct rows){0};
    do {
        char path[4096];
        struct page *page = calloc(1, sizeof *page);
        if (!page)
            return cli_fail(cli, E_NOMEM, NULL);
        page->next = rows->pages;
        rows->pages = page;
        before = rows->count;
        (void)snprintf(path, sizeof path, "/api/v1/notices?after=%llu&limit=%d%s", (unsigned long long)after, PAGE_ROWS,
                       query);
        if (api_good(cli, "GET", path, span_of(NULL, 0), &page->bytes, &exit) != 0)
            return exit;
        if ((exit = page_take(cli, rows, page)) != 0)
            return exit;
        after = rows->count ? (uint64_t)answer_number(rows->list[rows->count - 1], "seq") : after;
    } while (rows->count - before == PAGE_ROWS);
    return 0;
}

static void rows_json(const struct rows *rows)
{
    const struct page *pages[1024];
    size_t count = 0;
    bool more = false;
    for (const struct page *page = rows->pages; page && count < 1024; page = page->next)
        pages[count++] = page;
    (void)fputs("[", stdout);
    while (count--) {
        struct span inner = buf_view(&pages[count]->bytes);
        if (inner.len <= 3)
            continue; /* "[]\n" */
        (void)fputs(more ? ",\n" : "", stdout);
        (void)fwrite(inner.data + 1, 1, inner.len - 3, stdout);
        more = true;
    }
    (void)fputs("]\n", stdout);
}

/* What stands first in the night */

/* As the catalogues are now, or were when the notice was made. */
static const struct json *exploited(const struct json *row)
{
    const struct json *known = json_get(row, "known_exploited");
    return known ? known : json_get(json_get(row, "notice"), "known_exploited");
}

static bool is_urgent(const struct json *row)
{
    return answer_true(json_get(row, "notice"), "critical") || exploited(row);
}

static int rank(const struct json *row)
{
    struct span verdict = json_text(json_get(row, "notice"), "verdict");
    if (answer_true(row, "replaced"))
        return 4;
    if (span_is(verdict, "no longer affected"))
        return 3;
    return is_urgent(row) ? 0 : span_is(verdict, "affected") ? 1 : 2;
}

static int by_rank(const void *a, const void *b)
{
    const struct json *left = *(const struct json *const *)a, *right = *(const struct json *const *)b;
    long long newer = answer_number(right, "seq") - answer_number(left, "seq");
    return rank(left) != rank(right) ? rank(left) - rank(right) : newer > 0 ? 1 : newer < 0 ? -1 : 0;
}

/* The foreign text in exactly so many characters. */
static void column_print(struct span text, size_t width, bool last)
{
    struct buf shown;
    size_t at = 0, count = 0, unit;
    buf_init(&shown, 16 * text.len + 64);
    text_show(&shown, text);
    struct span all = buf_view(&shown);
    for (; count < width && (unit = utf8_unit(span_from(all, at), NULL)) > 0; count++)
        at += unit;
    (void)fwrite(all.data, 1, at, stdout);
    (void)printf("%*s", last ? 0 : (int)(width - count + 1), "");
    buf_free(&shown);
}

static void flags_print(const struct json *row)
{
    const struct json *n = json_get(row, "notice"), *ack = json_get(row, "acknowledged");
    (void)printf("%c%c%c ", answer_true(n, "critical") ? '!' : ' ', exploited(row) ? 'x' : ' ',
                 answer_true(row, "replaced")                 ? 'r'
                 : ack && ack->type == JSON_OBJECT            ? 'a'
                 : span_is(json_text(row, "state"), "logged") ? 'u'
                                                              : ' ');
}

static void row_print(const struct json *row)
{
    const struct json *n = json_get(row, "notice"), *component = json_get(n, "component");
    struct span verdict = json_text(n, "verdict"), at = json_text(n, "recorded_at"),
                name = json_text(component, "name"), version = json_text(component, "version");
    char both[2200], when[17] = "";
    (void)snprintf(both, sizeof both, "%.*s %.*s", (int)name.len, (const char *)name.data, (int)version.len,
                   (const char *)version.data);
    (void)snprintf(when, sizeof when, "%.*s", (int)at.len, (const char *)at.data);
    when[10] = when[10] ? ' ' : 0;
    column_print(json_text(n, "id"), 12, false);
    column_print(span_str(when), 16, false);
    flags_print(row);
    column_print(span_is(verdict, "no longer affected") ? span_str("cleared") : verdict, 9, false);
    column_print(json_text(n, "inventory"), 15, false);
    column_print(span_str(both), 21, false);
    column_print(json_text(json_get(n, "advisory"), "id"), 18, true);
    (void)printf("\n");
}

static void table_print(const struct rows *rows)
{
    if (!rows->count) {
        (void)printf("no notices\n");
        return;
    }
    (void)printf("%-12s %-16s     %-9s %-15s %-21s %s\n", "notice", "recorded, UTC", "verdict", "inventory",
                 "component", "advisory");
    for (size_t i = 0; i < rows->count; i++)
        row_print(rows->list[i]);
    (void)printf("! critical  x known to be exploited  a acknowledged  u unwitnessed  r replaced by a later notice\n");
}

/* In full */

/* What the advisory's statement was when the notice was made, and whether it has come to stand since. */
static void standing_print(const struct json *row, const struct json *advisory)
{
    if (span_is(json_text(advisory, "state"), "followed")) {
        (void)printf("\n    seen at ");
        print_text(advisory, "seen_at");
        if (json_text(row, "gone_since").len) {
            (void)printf(", gone from there since ");
            print_text(row, "gone_since");
        }
        return;
    }
    bool stood = span_is(json_text(advisory, "state"), "standing"),
         stands = span_is(json_text(row, "state"), "standing");
    (void)printf("\n    %s", stood ? "standing since " : stands ? "unwitnessed then, standing since " : "unwitnessed");
    if (stood || stands)
        print_text(stood ? advisory : row, "standing_since");
}

static void exploited_print(const struct json *row)
{
    const struct json *known = exploited(row);
    if (!known)
        return;
    (void)printf("\n    KNOWN TO BE EXPLOITED since ");
    print_text(known, "added");
    (void)printf(" (");
    print_text(known, "id");
    if (json_text(known, "due").len) {
        (void)printf("; due ");
        print_text(known, "due");
    }
    (void)printf("%s)", answer_true(known, "ransomware") ? "; by ransomware" : "");
}

static void ack_print(const struct json *row)
{
    const struct json *ack = json_get(row, "acknowledged");
    if (!ack || ack->type != JSON_OBJECT)
        return;
    (void)printf("\n    acknowledged ");
    print_text(ack, "at");
    (void)printf(" by ");
    print_text(ack, "by");
    if (json_text(ack, "note").len) {
        (void)printf(": ");
        print_text(ack, "note");
    }
}

static void details_print(const struct json *row)
{
    const struct json *n = json_get(row, "notice"), *component = json_get(n, "component"),
                      *advisory = json_get(n, "advisory");
    print_text(n, "recorded_at");
    (void)printf("  %s", is_urgent(row) ? "URGENT " : "");
    print_text(n, "verdict");
    (void)printf("  ");
    print_text(n, "inventory");
    (void)printf(": ");
    print_text(component, "name");
    (void)printf(" ");
    print_text(component, "version");
    (void)printf("\n    ");
    print_text(advisory, "id");
    (void)printf(" by ");
    print_text(advisory, json_text(advisory, "source").len ? "source" : "issuer");
    (void)printf(": ");
    print_text(advisory, "title");
    (void)printf("\n    because ");
    print_text(json_get(n, "evidence"), "reason");
    standing_print(row, advisory);
    exploited_print(row);
    (void)printf("\n    notice ");
    print_text(n, "id");
    (void)printf("\n    group  ");
    print_text(row, "group");
    if (json_text(n, "replaces").len) {
        (void)printf("\n    replaces ");
        print_text(n, "replaces");
    }
    ack_print(row);
    (void)printf("%s\n", answer_true(row, "replaced") ? "\n    replaced by a later notice" : "");
}

static bool is_affected(const struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rank(rows->list[i]) < 2 && span_is(json_text(json_get(rows->list[i], "notice"), "verdict"), "affected"))
            return true;
    return false;
}

static const char usage[] =
    "comity notices [--open] [--inventory NAME] [--advisory ID] [--verdict V] [--since TIME] [--after SEQ] "
    "[--details]";

/* Options that are parameters of the request, too. */
static void query_read(struct cli *cli, struct buf *query)
{
    static const char *const names[] = {"inventory", "advisory", "verdict", "since"};
    char name[32];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(name, sizeof name, "--%s", names[i]);
        const char *value = option(cli, name);
        if (!value)
            continue;
        buf_printf(query, "&%s=", names[i]);
        url_escape(query, value);
    }
    if (option_flag(cli, "--open"))
        buf_text(query, "&open=1");
    buf_byte(query, 0);
}

static int notices_list(struct cli *cli)
{
    const char *after = option(cli, "--after");
    bool details = option_flag(cli, "--details");
    struct rows rows;
    struct buf query;
    uint64_t seq = 0;
    buf_init(&query, 3072);
    query_read(cli, &query);
    int exit = !words(cli, 0, usage)                            ? EXIT_USAGE
               : after && !decimal_parse(span_str(after), &seq) ? cli_usage(cli, "--after takes a number")
               : query.error                                    ? cli_usage(cli, "the options are too long")
                                                                : 0;
    if (exit) {
        buf_free(&query);
        return exit;
    }
    exit = rows_read(cli, seq, (const char *)query.data, &rows);
    if (exit == 0 && cli->json)
        rows_json(&rows);
    if (exit == 0 && !cli->json && rows.count)
        qsort(rows.list, rows.count, sizeof(struct json *), by_rank);
    if (exit == 0 && !cli->json && !details)
        table_print(&rows);
    for (size_t i = 0; exit == 0 && !cli->json && details && i < rows.count; i++)
        details_print(rows.list[i]);
    exit = exit ? exit : is_affected(&rows) ? EXIT_NO : EXIT_YES;
    rows_free(&rows);
    buf_free(&query);
    return exit;
}

/* Acknowledging */

struct acked {
    long long notices, newly;
    int exit;
};

static void ack_one(struct cli *cli, struct span id, const char *note, struct acked *acked)
{
    struct buf out = {0};
    struct arena arena = {0};
    char path[160];
    (void)snprintf(path, sizeof path, "/api/v1/acknowledgements?id=%.*s", (int)id.len, (const char *)id.data);
    if (api_good(cli, "POST", path, span_str(note), &out, &acked->exit) == 0) {
        const struct json *root = answer_parse(cli, &out, &arena);
        acked->exit = root ? acked->exit : EXIT_IO;
        acked->notices += answer_number(root, "notices");
        acked->newly += answer_number(root, "newly");
    }
    arena_free(&arena);
    buf_free(&out);
}

/* The beginning of an id, as the table shows it: of one notice, or of a group with all of its. */
static void ack_prefix(struct cli *cli, const struct rows *rows, const char *prefix, const char *note,
                       struct acked *acked)
{
    struct span first = {0};
    struct fault fault = {0};
    size_t hits = 0;
    for (size_t i = 0; i < rows->count; i++) {
        struct span id = json_text(json_get(rows->list[i], "notice"), "id"), group = json_text(rows->list[i], "group");
        struct span hit = span_starts(id, prefix) ? id : span_starts(group, prefix) ? group : span_of(NULL, 0);
        if (hit.len && first.len && !span_eq(hit, first)) {
            (void)fail(&fault, E_USAGE, "%.64s begins more than one id: give more of it", prefix);
            acked->exit = cli_fail(cli, E_USAGE, &fault);
            return;
        }
        first = hit.len ? hit : first;
        hits += hit.len != 0;
    }
    if (!hits) {
        (void)fail(&fault, E_NOTFOUND, "no notice and no group has an id that begins with %.64s", prefix);
        acked->exit = cli_fail(cli, E_NOTFOUND, &fault);
    }
    for (size_t i = 0; i < rows->count && !acked->exit && hits; i++) {
        struct span id = json_text(json_get(rows->list[i], "notice"), "id");
        if (span_starts(id, prefix) || span_starts(json_text(rows->list[i], "group"), prefix))
            ack_one(cli, id, note, acked);
    }
}

static bool hex_only(const char *text)
{
    return strlen(text) >= PREFIX_HEX_MIN && strspn(text, "0123456789abcdef") == strlen(text);
}

static int notices_ack(struct cli *cli)
{
    const char *note = option(cli, "--note");
    struct rows rows = {0};
    struct acked acked = {0};
    if (cli->argc < 2)
        return cli_usage(cli, "usage: comity notices ack ID ... [--note TEXT]");
    for (int i = 1; i < cli->argc; i++)
        if (!hex_only(cli->argv[i]))
            return cli_usage(cli, "%.80s is no id, nor its first %d hex digits", cli->argv[i], PREFIX_HEX_MIN);
    for (int i = 1; i < cli->argc && !acked.exit; i++) {
        bool whole = strlen(cli->argv[i]) == 64;
        if (!whole && !rows.pages)
            acked.exit = rows_read(cli, 0, "", &rows);
        if (whole)
            ack_one(cli, span_str(cli->argv[i]), note ? note : "", &acked);
        else if (!acked.exit)
            ack_prefix(cli, &rows, cli->argv[i], note ? note : "", &acked);
    }
    if (!acked.exit)
        (void)printf(cli->json ? "{\"notices\":%lld,\"newly\":%lld}\n"
                               : "%lld notices are acknowledged, %lld of them newly\n",
                     acked.notices, acked.newly);
    rows_free(&rows);
    return acked.exit;
}

/* Where they go */

static int config_read(const struct cli *cli, struct config *config, struct fault *fault)
{
    char path[4096];
    struct buf text;
    (void)path_join(cli, "comity.conf", path);
    int rc = file_read(path, CONFIG_BYTES_MAX, &text, fault);
    if (rc == 0 && (rc = config_parse(config, buf_view(&text), fault)) != 0)
        (void)fail_at(fault, rc, "%s", path);
    buf_free(&text);
    return rc;
}

static void channel_print(const struct cli *cli, const char *text, const struct digest *digest, bool urgent, bool first)
{
    char when[64] = "at once";
    if (digest->kind == DIGEST_DAILY && !urgent)
        (void)snprintf(when, sizeof when, "digest at %02u:%02u UTC", digest->minutes / 60, digest->minutes % 60);
    else if (digest->kind == DIGEST_INTERVAL && !urgent)
        (void)snprintf(when, sizeof when, "digest every %u minutes", digest->minutes);
    if (!cli->json) {
        (void)printf("%-60s %s\n", text, when);
        return;
    }
    struct buf out;
    buf_init(&out, 4096);
    buf_text(&out, first ? "{" : ",{");
    buf_member(&out, "channel", span_str(text));
    buf_text(&out, "\"when\":");
    buf_json(&out, span_str(when));
    buf_byte(&out, '}');
    (void)fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

static int notices_routes(struct cli *cli)
{
    const char *inventory = option(cli, "--inventory"), *sector = option(cli, "--sector"),
               *verdict = option(cli, "--verdict");
    bool critical = option_flag(cli, "--critical");
    struct notice notice = {.inventory = span_str(inventory ? inventory : ""),
                            .sector = span_str(sector ? sector : ""),
                            .critical = critical};
    struct config *config = calloc(1, sizeof *config);
    struct fault fault = {0};
    uint32_t out[CHANNELS_OF_NOTICE_MAX];
    int found = -1;
    for (int i = 0; i < NOTICE_VERDICTS; i++)
        found = strcmp(verdict ? verdict : "affected", notice_verdict_words[i]) == 0 ? i : found;
    cli->argc--; /* its own name */
    cli->argv++;
    int exit = !words(cli, 0, "comity notices routes --inventory NAME [--sector S] [--verdict V] [--critical]")
                   ? EXIT_USAGE
               : !inventory ? cli_usage(cli, "--inventory is missing: whose notices?")
               : found < 0  ? cli_usage(cli, "--verdict is affected, undecided or cleared")
               : !config    ? cli_fail(cli, E_NOMEM, NULL)
                            : 0;
    int rc = exit ? 0 : config_read(cli, config, &fault);
    if (exit || rc) {
        free(config);
        return exit ? exit : cli_fail(cli, rc, &fault);
    }
    notice.verdict = (enum notice_verdict)found;
    size_t count = routes_match(&config->routes, &notice, out), shown = 0;
    const char *const single[] = {config->notify_command, config->notify_webhook}, *const kinds[] = {
                                                                                       "notify-command: ",
                                                                                       "notify-webhook: "};
    (void)fputs(cli->json ? "[" : "", stdout);
    for (size_t i = 0; i < count; i++)
        channel_print(cli, config->routes.channels[out[i]].text, &config->routes.channels[out[i]].digest,
                      notice_urgent(&notice), !shown++);
    for (size_t i = 0; i < 2; i++)
        if (single[i][0]) {
            char text[2048];
            (void)snprintf(text, sizeof text, "%s%s", kinds[i], single[i]);
            channel_print(cli, text, &(struct digest){0}, true, !shown++);
        }
    if (!shown && !cli->json)
        (void)printf("nowhere: no route takes it; comity notices shows it\n");
    (void)fputs(cli->json ? "]\n" : "", stdout);
    config_free(config);
    free(config);
    return shown ? EXIT_YES : EXIT_NO;
}

int command_notices(struct cli *cli)
{
    if (cli->argc && strcmp(cli->argv[0], "ack") == 0)
        return notices_ack(cli);
    if (cli->argc && strcmp(cli->argv[0], "routes") == 0)
        return notices_routes(cli);
    return notices_list(cli);
}
