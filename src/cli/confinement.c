/* comity confinement: each kind of process, confined as when it serves, tries what it must not be able to do. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "signer/confine.h"
#include "signer/signer.h"

static const char *outcome(const struct attempt *a)
{
    static char text[64];
    if (a->worked)
        return a->allowed ? "its work" : "IT WORKED";
    if (a->signal)
        (void)snprintf(text, sizeof text, "killed by signal %d", a->signal);
    else
        (void)snprintf(text, sizeof text, "refused: %s", strerror(a->code));
    return text;
}

static void row_print(const struct cli *cli, enum confined which, unsigned what, const struct attempt *a, bool first)
{
    if (!cli->json) {
        (void)printf("%-8s %-24s %s\n", confined_name(which), probe_name(what), outcome(a));
        return;
    }
    (void)printf("%s{\"process\":\"%s\",\"attempt\":\"%s\",\"allowed\":%s,\"worked\":%s,\"signal\":%d,\"errno\":%d}",
                 first ? "" : ",\n", confined_name(which), probe_name(what), a->allowed ? "true" : "false",
                 a->worked ? "true" : "false", a->signal, a->code);
}

/* All attempts of one process; counts those that worked and should not have. */
static int process_try(const struct cli *cli, enum confined which, bool first, unsigned *bad, char degraded[static 128])
{
    for (unsigned what = 0; what < PROBE_COUNT; what++) {
        struct attempt attempt;
        (void)fflush(stdout); /* the child must not print it again */
        int rc = confine_try(which, cli->dir, what, &attempt);
        if (rc)
            return rc;
        row_print(cli, which, what, &attempt, first && what == 0);
        *bad += attempt.worked && !attempt.allowed;
        memcpy(degraded, attempt.degraded, 128);
    }
    return 0;
}

int command_confinement(struct cli *cli)
{
    struct fault fault = {0};
    char degraded[CONFINED_COUNT][128] = {0};
    unsigned bad = 0;
    int rc = 0;
    if (!words(cli, 0, "comity confinement"))
        return EXIT_USAGE;
    (void)fputs(cli->json ? "{\"attempts\":[\n" : "", stdout);
    for (enum confined which = 0; which < CONFINED_COUNT && rc == 0; which++)
        rc = process_try(cli, which, which == 0, &bad, degraded[which]);
    if (rc)
        return cli_fail(cli, fail(&fault, rc, "a process cannot be confined here"), &fault);
    (void)fputs(cli->json ? "],\"degraded\":[" : "", stdout);
    for (unsigned i = 0, shown = 0; i < CONFINED_COUNT; i++)
        if (degraded[i][0]) {
            (void)printf(cli->json ? "%s\"%s\"" : "%s%s\n", cli->json && shown ? "," : "", degraded[i]);
            shown++;
        }
    (void)printf(cli->json ? "],\"bad\":%u}\n" : "attempts that should not have worked: %u\n", bad);
    return bad ? EXIT_NO : EXIT_YES;
}
