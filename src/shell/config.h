/* comity.conf: "key = value" lines; an unknown key is fatal, with its line. */
#ifndef COMITY_SHELL_CONFIG_H
#define COMITY_SHELL_CONFIG_H

#include "base/error.h"
#include "base/limits.h"
#include "base/span.h"
#include "notify/route.h"
#include "shell/log.h"

enum { WITNESS_LOGS_MAX = 64, CONFIG_HOST_BYTES = 128 };

struct config {
    char name[NAME_BYTES_MAX + 1];
    char metrics_listen[128]; /* empty: none */
    char listen[128];         /* ADDRESS:PORT */
    char passphrase_file[1024];
    char notify_command[1024]; /* program and words, split at spaces; never through a shell */
    char notify_webhook[URL_BYTES_MAX];
    char mail_server[URL_BYTES_MAX]; /* smtps://HOST:PORT, or smtp://HOST:PORT with STARTTLS */
    char mail_from[256];
    char mail_credentials[1024], webhook_secrets[1024], notify_ca[1024]; /* files; empty: none */
    struct routes routes;
    char log_level[16];     /* empty: info */
    char state_followed[4]; /* "yes", "no"; empty: yes */
    char witness_log[WITNESS_LOGS_MAX][256];
    const char *witness_logs[WITNESS_LOGS_MAX + 1];
    size_t witness_count;
};
/* Each value is checked; E_CONFIG names the line and what it wants. On failure there is nothing to free. */
int config_parse(struct config *out, struct span text, struct fault *fault);
bool config_runs_commands(const struct config *config);
void config_free(struct config *config); /* accepts a zeroed one */
enum log_level config_log_level(const struct config *config);

/* Every key with the form of its value and its meaning, for help and manual. */
void config_keys(void (*visit)(void *ctx, const char *key, const char *form, const char *meaning), void *ctx);

/* "HOST:PORT" or "[HOST]:PORT"; `port` points into `listen`. */
int config_address(const char *listen, char host[static CONFIG_HOST_BYTES], const char **port);

#endif
