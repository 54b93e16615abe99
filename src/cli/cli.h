/* The command line: one file a command, one table of commands. Only this folder prints. */
#ifndef COMITY_CLI_CLI_H
#define COMITY_CLI_CLI_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "format/json.h"

enum exit_code { EXIT_YES = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_PENDING = 3, EXIT_IO = 4, EXIT_REFUSED = 5 };

struct cli {
    const char *dir; /* -C, or "." */
    bool json;       /* --json */
    int argc;        /* of the command, without its name */
    char **argv;
};

/* The one source of --help and of the manual pages (packaging/manual-pages.py). `help` holds the usage, one line a form; a blank line;
   paragraphs; and last "Example:" with indented lines. A line "  TERM" followed by deeper lines is an item with its meaning. */
struct command {
    const char *name, *summary, *help;
    int (*run)(struct cli *cli);
    void (*items)(FILE *out); /* items that stand in a table elsewhere, printed before the example; may be NULL */
};
extern const struct command commands[];

/* Options of a command: takes "--name VALUE" out of argv and returns VALUE; NULL when absent. Repeat for repeatable ones. */
const char *option(struct cli *cli, const char *name);
bool option_flag(struct cli *cli, const char *name);
/* After all options: exactly `count` words must be left, and none may start with "--". Prints the error and returns false. */
bool words(struct cli *cli, int count, const char *usage);

bool fraction_parse(const char *text, unsigned *need, unsigned *count); /* "3/5" */

/* A command of several: runs the one that the first word names, without that word. `usage` is told when none is. */
struct action_named {
    const char *name; /* NULL ends the table */
    int (*run)(struct cli *cli);
};
int action_run(struct cli *cli, const struct action_named *actions, const char *usage);

/* Prints an error (human, or JSON with --json) and returns its exit code. */
int cli_fail(const struct cli *cli, int code, const struct fault *fault);
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
int exit_of(int code);

/* Whole files. Writing is to a temporary name, fsynced, renamed; `exclusive` refuses to replace (E_EXISTS). */
int file_read(const char *path, size_t max, struct buf *out, struct fault *fault); /* "-" is standard input */
int file_write(const char *path, struct span bytes, unsigned mode, bool exclusive, struct fault *fault);
int path_join(const struct cli *cli, const char *name, char out[static 4096]);

/* The running node's private API. `status` gets the HTTP status; a connection failure is E_STATE with what to do. */
int api_call(const struct cli *cli, const char *method, const char *path, struct span body, struct buf *out,
             int *status, struct fault *fault);
/* The same, and turns an error answer into its exit code after printing it; 0 when the answer is good and in `out`. */
int api_good(const struct cli *cli, const char *method, const char *path, struct span body, struct buf *out, int *exit);
/* Prints the answer to a submission: id, document, position. */
int stated_print(const struct cli *cli, const struct buf *out);
void url_escape(struct buf *out, const char *text);
/* GET of a public URL, for audits; follows nothing; `max` bytes. */
int url_get(const char *url, struct buf *out, struct fault *fault);
/* Any request to a public URL, with NULL-ended header lines of the caller's (NULL: none); `status` gets the answer's, 0 when there was
   none. */
int url_send(const char *method, const char *url, const char *const *lines, struct span body, struct buf *out,
             int *status, struct fault *fault);

void print_span(struct span text); /* foreign text, made visible */
void print_text(const struct json *object, const char *key);

int command_init(struct cli *cli);
int command_card(struct cli *cli);
int command_charter(struct cli *cli);
int command_serve(struct cli *cli);
int command_publish(struct cli *cli);
int command_purl(struct cli *cli);
int command_state(struct cli *cli);
int command_inventory(struct cli *cli);
int command_notices(struct cli *cli);
int command_follow(struct cli *cli);
int command_status(struct cli *cli);
int command_affected(struct cli *cli);
int command_version(struct cli *cli);
int command_vers(struct cli *cli);
void version_items(FILE *out);
int command_show(struct cli *cli);
int command_receipt(struct cli *cli);
int command_verify(struct cli *cli);
int command_log(struct cli *cli);
int log_ahead(struct cli *cli);
int command_release(struct cli *cli);
int command_rebuild(struct cli *cli);
int command_check(struct cli *cli);
int command_repair(struct cli *cli);
int command_absent(struct cli *cli);
int command_confinement(struct cli *cli);
int command_recovery(struct cli *cli);
int command_recover(struct cli *cli);
int command_backup(struct cli *cli);
int command_restore(struct cli *cli);
int command_leave(struct cli *cli);
int command_export(struct cli *cli);
int command_bundle(struct cli *cli);
int command_host(struct cli *cli);
int command_doctor(struct cli *cli);

#endif
