/* comity vers: which versions a range holds, for whoever wants to see what an advisory's range means. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "format/vers.h"

static const char *const answers[] = {[VERS_OUTSIDE] = "no", [VERS_INSIDE] = "yes", [VERS_CANNOT_TELL] = "?"};

static void answer_print(const struct cli *cli, struct span version, const char *answer)
{
    struct buf out;
    if (!cli->json) {
        (void)puts(answer);
        return;
    }
    buf_init(&out, 8 * version.len + 64);
    buf_text(&out, "{\"version\":");
    buf_json(&out, version);
    buf_printf(&out, ",\"answer\":\"%s\"}", answer);
    (void)printf("%.*s\n", (int)out.len, (const char *)out.data);
    buf_free(&out);
}

static int lines_answer(const struct cli *cli, const struct vers_range *range)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int exit = EXIT_YES;
    while ((len = getline(&line, &room, stdin)) >= 0) {
        struct span text = span_of(line, (size_t)len);
        while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
            text.len--;
        enum vers_answer answer = vers_contains(range, text);
        if (answer == VERS_CANNOT_TELL)
            exit = EXIT_NO;
        answer_print(cli, text, answers[answer]);
    }
    free(line);
    if (ferror(stdin))
        return cli_fail(cli, E_IO, &(struct fault){.code = E_IO, .where = "standard input"});
    return exit;
}

int command_vers(struct cli *cli)
{
    static const char usage[] = "comity vers contains RANGE";
    struct vers_range range;
    struct arena arena;
    struct fault fault = {0};
    if (!words(cli, 2, usage))
        return EXIT_USAGE;
    if (strcmp(cli->argv[0], "contains") != 0)
        return cli_usage(cli, "usage: %s", usage);
    arena_init(&arena, 1 << 20);
    int rc = vers_parse(&range, span_str(cli->argv[1]), &arena, &fault);
    int exit = rc ? cli_fail(cli, rc, &fault) : lines_answer(cli, &range);
    arena_free(&arena);
    return exit;
}
