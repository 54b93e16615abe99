/* Names of packages, read and written: for pipes, one a line in and one a line out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "format/purl.h"

static void purl_members(struct buf *out, const struct purl *purl, struct span canonical, struct arena *arena)
{
    struct purl_pair pairs[PURL_QUALIFIERS_MAX];
    size_t count = 0;
    const struct span parts[] = {canonical, purl->type, purl->namespace, purl->name, purl->version, purl->subpath};
    static const char *const names[] = {"canonical", "type", "namespace", "name", "version", "subpath"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buf_member(out, names[i], parts[i]);
    (void)purl_qualifiers(purl, pairs, &count, arena, NULL); /* they were read before */
    buf_text(out, "\"qualifiers\":{");
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i ? "," : "");
        buf_json(out, pairs[i].key);
        buf_byte(out, ':');
        buf_json(out, pairs[i].value);
    }
    buf_printf(out, "},\"registered\":%s}\n", purl_registered(purl) ? "true" : "false");
}

/* One line of JSON: the purl as it was read, and what it says or why it is none. */
static int purl_line(struct span text, struct buf *out)
{
    struct arena arena;
    struct purl purl;
    struct fault fault = {0};
    struct buf canonical;
    arena_init(&arena, 1 << 20);
    buf_init(&canonical, 1 << 16);
    int rc = purl_parse(&purl, text, &arena, &fault);
    rc = rc ? rc : purl_check(&purl, &arena, &fault);
    if (rc == 0 && (rc = purl_write(&canonical, &purl, &arena)) != 0)
        (void)fail(&fault, rc, "the canonical form");
    buf_byte(out, '{');
    buf_member(out, "purl", text);
    if (rc == 0) {
        purl_members(out, &purl, buf_view(&canonical), &arena);
    } else {
        struct buf error;
        buf_init(&error, 4096);
        fault_json(&error, &fault, rc);
        buf_span(out, span_from(buf_view(&error), 1)); /* the members of the error's object go into ours */
        buf_free(&error);
    }
    buf_free(&canonical);
    arena_free(&arena);
    return rc ? rc : out->error;
}

static int purl_lines(FILE *in)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    bool good = true;
    while ((n = getline(&line, &room, in)) >= 0) {
        struct buf out;
        buf_init(&out, 1 << 20);
        size_t len = (size_t)n;
        while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            len--;
        good = (!len || purl_line(span_of(line, len), &out) == 0) && good;
        (void)fwrite(out.data, 1, out.len, stdout);
        buf_free(&out);
    }
    free(line);
    return ferror(in) ? E_IO : good ? 0 : E_SYNTAX;
}

int command_purl(struct cli *cli)
{
    static const char usage[] = "comity purl parse [FILE]";
    struct fault fault = {0};
    bool named = cli->argc == 2;
    if (!words(cli, named ? 2 : 1, usage))
        return EXIT_USAGE;
    if (strcmp(cli->argv[0], "parse") != 0)
        return cli_usage(cli, "usage: %s", usage);
    bool piped = !named || strcmp(cli->argv[1], "-") == 0;
    FILE *in = piped ? stdin : fopen(cli->argv[1], "r");
    if (!in) {
        int code = fail(&fault, errno == ENOENT ? E_NOTFOUND : E_IO, "%s", strerror(errno));
        return cli_fail(cli, fail_at(&fault, code, "%s", cli->argv[1]), &fault);
    }
    int rc = purl_lines(in);
    if (!piped)
        (void)fclose(in);
    if (rc == E_IO)
        return cli_fail(cli, fail(&fault, E_IO, "reading"), &fault);
    return rc ? EXIT_NO : EXIT_YES;
}
