/* Notices to the owner's channels: a command or a webhook, each tried again for ever with the same id until it is taken. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shell/shell.h"

enum { RETRY_MS_MIN = 1000, RETRY_MS_MAX = 300000, AT_ONCE_MAX = 4 };

void delivery_add(struct shell *shell, const struct action *action)
{
    for (int channel = 0; shell->channels[channel]; channel++) {
        struct delivery *d = calloc(1, sizeof *d), **at = &shell->deliveries;
        if (!d) {
            shell->fatal = E_NOMEM; /* it is handed out again by the next start */
            return;
        }
        d->id = action->hash;
        d->channel = channel;
        buf_init(&d->body, 1 << 20);
        buf_span(&d->body, buf_view(&action->body));
        if (d->body.error)
            shell->fatal = d->body.error;
        while (*at)
            at = &(*at)->next;
        *at = d;
    }
}

static void delivery_end(struct shell *shell, struct delivery *d, bool good)
{
    char hex[65];
    hash_hex(&d->id, hex);
    *(good ? &shell->counters.channels[d->channel].taken : &shell->counters.channels[d->channel].refused) += 1;
    if (!good) {
        int64_t wait = (int64_t)RETRY_MS_MIN << (d->attempts < 9 ? d->attempts : 9);
        d->attempts++;
        wait = wait > RETRY_MS_MAX ? RETRY_MS_MAX : wait;
        d->at_ms = clock_ms() + wait / 2 + rand() % (wait / 2 + 1);
        d->pid = 0;
        log_say(LOG_NOTICE_REFUSED, "notice %.16s was not taken by %s; it is tried again with the same id", hex,
                shell->channels[d->channel]);
        return;
    }
    struct delivery **at = &shell->deliveries;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    struct event event = {.kind = EVENT_DELIVERED, .name = span_str(shell->channels[d->channel]), .hash = d->id};
    shell_step(shell, &event);
    buf_free(&d->body);
    free(d);
}

static void command_exec(const struct shell *shell, const struct delivery *d, int input)
{
    char words[sizeof shell->config.notify_command], hex[65], variable[96];
    char *argv[COMMAND_WORDS_MAX + 1] = {0}, *save = NULL;
    sigset_t none;
    int n = 0;
    memcpy(words, shell->config.notify_command, sizeof words);
    for (char *w = strtok_r(words, " ", &save); w && n < COMMAND_WORDS_MAX; w = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    hash_hex(&d->id, hex);
    (void)snprintf(variable, sizeof variable, "COMITY_NOTICE_ID=%s", hex);
    char *environment[] = {variable, "PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (n && dup2(input, STDIN_FILENO) >= 0)
        (void)execve(argv[0], argv, environment);
    _exit(127);
}

static void command_start(struct shell *shell, struct delivery *d)
{
    int input = memfd_create("notice", MFD_CLOEXEC);
    bool good =
        input >= 0 && write(input, d->body.data, d->body.len) == (ssize_t)d->body.len && lseek(input, 0, SEEK_SET) == 0;
    d->pid = good ? fork() : -1;
    if (d->pid == 0)
        command_exec(shell, d, input);
    if (input >= 0)
        (void)close(input);
    if (d->pid < 0)
        delivery_end(shell, d, false);
}

static size_t drop(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

static void webhook_start(struct shell *shell, struct delivery *d)
{
    char hex[65], header[128];
    hash_hex(&d->id, hex);
    (void)snprintf(header, sizeof header, "Comity-Notice-Id: %s", hex);
    d->curl = curl_easy_init();
    if (!d->curl)
        return;
    d->headers = curl_slist_append(NULL, "Content-Type: application/json");
    d->headers = curl_slist_append(d->headers, header);
    d->headers = curl_slist_append(d->headers, "Expect:");
    (void)curl_easy_setopt(d->curl, CURLOPT_URL, shell->config.notify_webhook);
    (void)curl_easy_setopt(d->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(d->curl, CURLOPT_TIMEOUT_MS, 20000L);
    (void)curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, d->headers);
    (void)curl_easy_setopt(d->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)d->body.len);
    (void)curl_easy_setopt(d->curl, CURLOPT_POSTFIELDS, (const char *)d->body.data);
    (void)curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, drop);
    (void)curl_multi_add_handle(shell->multi, d->curl);
}

void deliveries_start(struct shell *shell)
{
    int running = 0;
    int64_t now = clock_ms();
    for (const struct delivery *d = shell->deliveries; d; d = d->next)
        running += d->pid > 0 || d->curl;
    for (struct delivery *d = shell->deliveries, *next; d && running < AT_ONCE_MAX; d = next) {
        next = d->next;
        if (d->pid > 0 || d->curl || d->at_ms > now)
            continue;
        running++;
        if (strcmp(shell->channels[d->channel], "command") == 0)
            command_start(shell, d);
        else
            webhook_start(shell, d);
    }
}

void delivery_curl_done(struct shell *shell, CURL *curl, CURLcode result)
{
    long status = 0;
    struct delivery *d = shell->deliveries;
    while (d && d->curl != curl)
        d = d->next;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_multi_remove_handle(shell->multi, curl);
    curl_easy_cleanup(curl);
    if (!d)
        return;
    curl_slist_free_all(d->headers);
    d->headers = NULL;
    d->curl = NULL;
    delivery_end(shell, d, result == CURLE_OK && status >= 200 && status < 300);
}

void delivery_child_done(struct shell *shell, pid_t pid, bool good)
{
    for (struct delivery *d = shell->deliveries; d; d = d->next)
        if (d->pid == pid) {
            delivery_end(shell, d, good);
            return;
        }
}

int64_t deliveries_due(const struct shell *shell)
{
    int64_t due = INT64_MAX;
    for (const struct delivery *d = shell->deliveries; d; d = d->next)
        if (d->pid <= 0 && !d->curl && d->at_ms < due)
            due = d->at_ms;
    return due;
}
