#include <sodium.h>
#include <string.h>

#include "cli/cli.h"
#include "signer/signer.h"

static int join(struct span input, uint8_t seed[static 32], struct fault *fault)
{
    struct span lines[15], line;
    size_t count = 0;
    while (span_line(&input, &line))
        if (line.len && count < 15)
            lines[count++] = line;
    return recovery_join(lines, count, seed, fault);
}

int command_recovery(struct cli *cli)
{
    struct buf input, out;
    struct fault fault = {0};
    uint8_t seed[32];
    unsigned need = 0, count = 0;
    const char *action = cli->argc ? cli->argv[0] : "";
    bool splits = strcmp(action, "split") == 0 && cli->argc == 2 && fraction_parse(cli->argv[1], &need, &count);
    bool joins = strcmp(action, "join") == 0, checks = strcmp(action, "check") == 0;
    if (!splits && !joins && !checks)
        return cli_usage(cli, "comity recovery check | split NEED/COUNT | join");
    buf_init(&out, 8192);
    int rc = file_read("-", 8192, &input, &fault);
    rc = rc ? rc : joins ? join(buf_view(&input), seed, &fault) : recovery_parse(buf_view(&input), seed, &fault);
    if (rc == 0 && splits)
        rc = recovery_split(seed, need, count, &out, &fault);
    else if (rc == 0 && joins)
        recovery_words(seed, &out);
    else if (rc == 0)
        buf_text(&out, "the words are whole");
    if (rc == 0)
        (void)printf("%.*s\n", (int)out.len, (const char *)out.data);
    sodium_memzero(seed, sizeof seed);
    buf_free(&input);
    buf_free(&out);
    return rc ? cli_fail(cli, rc, &fault) : EXIT_YES;
}
