/* comity affected: a scanner that needs no node, for a pipeline. What it reads others have written: so it gives up everything but reading
   what it was told to before it looks at the first byte. */
#include <stdlib.h>
#include <string.h>

#include "cli/scan.h"
#include "format/archive.h"
#include "signer/confine.h"

enum { FILES_MAX = 4096 };
struct request {
    const char **inventories, **advisories; /* they share one array, inventories first */
    size_t inventory_count, advisory_count;
    const char *distribution, *columns, *fail_on;
    bool sarif, vex;
};

static size_t options_take(struct cli *cli, const char *name, const char **out)
{
    const char *text;
    size_t count = 0;
    while (count < FILES_MAX && (text = option(cli, name)))
        out[count++] = text;
    return count;
}

static bool word_known(const char *word, const char *const *list)
{
    while (*list && strcmp(word, *list) != 0)
        list++;
    return *list != NULL;
}

static int request_check(struct cli *cli, const struct request *r, struct fault *fault)
{
    static const char usage[] = "comity affected --advisories PATH --inventory FILE ...";
    static const char *const policies[] = {"affected", "undecided", "never", NULL};
    size_t piped = 0;
    for (size_t i = 0; i < r->inventory_count + r->advisory_count; i++)
        piped += strcmp(r->inventories[i], "-") == 0;
    if (piped > 1)
        return fail(fault, E_USAGE, "standard input (-) can be read once");
    if (!word_known(r->fail_on, policies))
        return fail(fault, E_USAGE, "--fail-on is affected, undecided or never");
    if (r->sarif + r->vex + cli->json > 1)
        return fail(fault, E_USAGE, "--json, --sarif and --cyclonedx-vex exclude each other");
    if (!r->advisory_count || !r->inventory_count)
        return fail(fault, E_USAGE, "usage: %s; see comity affected --help", usage);
    return words(cli, 0, usage) ? 0 : E_USAGE;
}

static void confine(const struct request *r)
{
    char degraded[128] = "";
    archive_prepare();
    int rc = confine_scanner(r->inventories, r->inventory_count + r->advisory_count, degraded);
    if (rc)
        (void)fputs("this process could not be confined; it goes on, and reads foreign bytes all the same\n", stderr);
    else if (degraded[0] && !confine_sanitized())
        (void)fprintf(stderr, "%s\n", degraded);
}

/* Which exit code: a policy of the pipeline's owner. What could not be read at all is never taken for good. */
static int policy(const struct scan *s, const char *fail_on)
{
    if (strcmp(fail_on, "never") == 0)
        return EXIT_YES;
    bool all = strcmp(fail_on, "undecided") == 0;
    bool fails = s->affected || s->unread || (all && (s->undecided || s->problem_count > s->remarks));
    return fails ? EXIT_NO : EXIT_YES;
}

static int scan_run(struct scan *s, const struct request *r, struct fault *fault)
{
    struct buf about;
    int rc = scan_start(s, r->inventory_count, fault);
    buf_init(&about, 1 << 16);
    buf_text(&about, r->distribution);
    buf_byte(&about, ';');
    buf_text(&about, r->columns);
    for (size_t i = 0; i < r->inventory_count && rc == 0; i++)
        rc = scan_inventory(s, r->inventories[i], buf_view(&about));
    for (size_t i = 0; i < r->advisory_count && rc == 0; i++)
        rc = scan_advisories(s, r->advisories[i], fault);
    scan_finish(s);
    rc = rc ? rc : about.error;
    buf_free(&about);
    return rc;
}

static int result_print(const struct cli *cli, const struct request *r, const struct scan *s, struct fault *fault)
{
    struct buf out;
    scan_write *write = r->sarif    ? scan_write_sarif
                        : r->vex    ? scan_write_vex
                        : cli->json ? scan_write_json
                                    : scan_write_text;
    buf_init(&out, JSON_BYTES_MAX * 4ul);
    write(s, &out);
    int rc = out.error;
    if (rc == 0 && (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
        rc = fail(fault, E_IO, "standard output");
    if (!cli->json)
        scan_tell_problems(s, stderr);
    buf_free(&out);
    return rc;
}

int command_affected(struct cli *cli)
{
    struct request r = {.sarif = option_flag(cli, "--sarif"), .vex = option_flag(cli, "--cyclonedx-vex")};
    struct scan s = {.with_undecided = option_flag(cli, "--undecided"), .progress = option_flag(cli, "--progress")};
    const char *distribution = option(cli, "--distribution"), *columns = option(cli, "--columns");
    const char *fail_on = option(cli, "--fail-on");
    struct fault fault = {0};
    r.distribution = distribution ? distribution : "";
    r.columns = columns ? columns : "";
    r.fail_on = fail_on ? fail_on : "affected";
    r.inventories = calloc(2ul * FILES_MAX, sizeof(const char *));
    if (!r.inventories)
        return cli_fail(cli, E_NOMEM, NULL);
    r.inventory_count = options_take(cli, "--inventory", r.inventories);
    r.advisories = r.inventories + r.inventory_count;
    r.advisory_count = options_take(cli, "--advisories", r.advisories);
    int rc = request_check(cli, &r, &fault);
    if (rc == 0)
        confine(&r);
    rc = rc ? rc : scan_run(&s, &r, &fault);
    rc = rc ? rc : result_print(cli, &r, &s, &fault);
    int exit = rc == E_USAGE && !fault.code ? EXIT_USAGE : rc ? cli_fail(cli, rc, &fault) : policy(&s, r.fail_on);
    scan_free(&s);
    free(r.inventories);
    return exit;
}
