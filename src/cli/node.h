/* What the commands that speak with the running node share: reading its answers. */
#ifndef COMITY_CLI_NODE_H
#define COMITY_CLI_NODE_H

#include "cli/cli.h"

void print_raw(const struct buf *out);
/* Parses a good answer; NULL after printing the reason. The arena is initialised in any case. */
const struct json *answer_parse(const struct cli *cli, const struct buf *out, struct arena *arena);
long long answer_number(const struct json *object, const char *key); /* 0 when there is none */
bool answer_true(const struct json *object, const char *key);

#endif
