/* comity.conf: one `key = value` a line, `#` comments; an unknown or repeated key is fatal, with its line number. */
#ifndef COMITY_NODE_CONFIG_H
#define COMITY_NODE_CONFIG_H

#include "base/arena.h"
#include "base/limits.h"
#include "node/shell.h"

enum { COMMAND_WORDS_MAX = 32 };

struct config {
    const char *name;            /* own party's name */
    const char *listen;          /* ADDRESS:PORT or [ADDRESS]:PORT, numeric */
    const char *passphrase_file; /* relative names are relative to the node's folder; NULL when absent */
    const char *notify_webhook;  /* URL, or NULL */
    char *notify_command[COMMAND_WORDS_MAX + 1]; /* absolute path and arguments, split at blanks; [0] NULL when absent */
    const char *witness_logs[FOREIGN_LOGS_MAX + 1]; /* vkeys, NULL-ended */
    size_t witness_log_count;
    enum log_level log_level;
    struct arena arena;          /* holds the texts */
};

/* E_CONFIG for everything that is wrong in the text. The config is valid until config_free, also after an error. */
int config_parse(struct config *out, struct span text, struct fault *fault);
int config_load(struct config *out, const char *path, struct fault *fault); /* E_NOTFOUND, E_IO besides */
void config_free(struct config *config);

/* Splits ADDRESS:PORT; brackets around an IPv6 address are taken off. */
bool listen_split(const char *listen, char host[static 64], char port[static 6]);

#endif
