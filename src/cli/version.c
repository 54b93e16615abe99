/* comity version: what order two versions have, for whoever wants to see why a verdict came out as it did, or to test us. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "format/version.h"

static const char *answer(enum order order, struct span line, struct span *a, struct span *b)
{
    const uint8_t *tab = line.len ? memchr(line.data, '\t', line.len) : NULL;
    int result = 0;
    *a = span_of(line.data, tab ? (size_t)(tab - line.data) : line.len);
    *b = tab ? span_from(line, a->len + 1) : span_of(NULL, 0);
    if (!tab || !version_compare(order, *a, *b, &result))
        return "?";
    return result < 0 ? "<" : result > 0 ? ">" : "=";
}

static void print_json(const char *sign, struct span a, struct span b)
{
    struct buf out;
    buf_init(&out, 16 * (a.len + b.len) + 64);
    buf_text(&out, "{\"a\":");
    buf_json(&out, a);
    buf_text(&out, ",\"b\":");
    buf_json(&out, b);
    buf_printf(&out, ",\"answer\":\"%s\"}", sign);
    (void)printf("%.*s\n", (int)out.len, (const char *)out.data);
    buf_free(&out);
}

static int compare_lines(const struct cli *cli, enum order order)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int exit = EXIT_YES;
    while ((len = getline(&line, &room, stdin)) >= 0) {
        struct span a, b, text = span_of(line, (size_t)len);
        while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
            text.len--;
        const char *sign = answer(order, text, &a, &b);
        if (*sign == '?')
            exit = EXIT_NO;
        if (cli->json)
            print_json(sign, a, b);
        else
            (void)puts(sign);
    }
    free(line);
    if (ferror(stdin))
        return cli_fail(cli, E_IO, &(struct fault){.code = E_IO, .where = "standard input"});
    return exit;
}

int command_version(struct cli *cli)
{
    static const char usage[] = "comity version compare ECOSYSTEM";
    if (!words(cli, 2, usage))
        return EXIT_USAGE;
    enum order order = order_of_ecosystem(span_str(cli->argv[1]));
    if (strcmp(cli->argv[0], "compare") != 0)
        return cli_usage(cli, "%s", usage);
    if (order == ORDER_UNKNOWN)
        return cli_usage(cli, "no order of versions is known for \"%s\": comity version --help lists them",
                         cli->argv[1]);
    return compare_lines(cli, order);
}

static void item(void *ctx, const char *ecosystem, enum order order)
{
    (void)fprintf(ctx, "  %s\n      %s order\n", ecosystem, order_name(order));
}

void version_items(FILE *out)
{
    order_ecosystems(item, out);
}
