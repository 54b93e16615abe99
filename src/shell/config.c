#include "shell/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "format/note.h"

static bool address_plain(const char *text)
{
    char host[CONFIG_HOST_BYTES];
    const char *port;
    uint64_t number;
    return config_address(text, host, &port) == 0 && decimal_parse(span_str(port), &number) && number && number < 65536;
}

/* Figures are for this machine: a monitoring system elsewhere reaches them through a proxy that knows who asks. */
static bool address_loopback(const char *text)
{
    char host[CONFIG_HOST_BYTES];
    const char *port;
    struct in_addr v4;
    struct in6_addr v6;
    if (!address_plain(text) || config_address(text, host, &port) != 0)
        return false;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* smtps://HOST[:PORT]: TLS from the first byte; smtp://HOST[:PORT]: STARTTLS, or nothing is said. */
static bool mail_server_plain(const char *text)
{
    const char *host = strncmp(text, "smtps://", 8) == 0  ? text + 8
                       : strncmp(text, "smtp://", 7) == 0 ? text + 7
                                                          : NULL;
    const char *end = host ? host + strcspn(host, ":") : NULL;
    uint64_t port = 1;
    if (!host || end == host || (*end && (!decimal_parse(span_str(end + 1), &port) || !port || port > 65535)))
        return false;
    return name_valid(span_of(host, (size_t)(end - host)));
}

static bool vkey_plain(const char *text)
{
    struct span name;
    enum note_type type;
    struct public_key key;
    return note_vkey_parse(span_str(text), &name, &type, &key) == 0 && type == NOTE_ED25519;
}

static bool level_good(const char *value)
{
    enum log_level level;
    return log_level_parse(span_str(value), &level);
}

static bool yes_or_no(const char *value)
{
    return strcmp(value, "yes") == 0 || strcmp(value, "no") == 0;
}

#define FIELD(name) offsetof(struct config, name), sizeof((struct config *)0)->name
static const struct {
    const char *key;
    size_t offset, size;
    bool (*good)(const char *value); /* NULL: any text */
    const char *form;                /* what a good value looks like */
    const char *meaning;
} keys[] = {
    {"name", FIELD(name), NULL, "NAME", "The party's name, as in its card. Required."},
    {"listen", FIELD(listen), address_plain, "ADDRESS:PORT",
     "Numeric address and port of the public listener, an IPv6 address in brackets. Required."},
    {"passphrase-file", FIELD(passphrase_file), NULL, "FILE",
     "Opens the keys. Put it on another disk. Required in a circle, unless systemd hands over a credential "
     "\"passphrase\"."},
    {"notify-command", FIELD(notify_command), command_plain, "/PROGRAM WORD ..., at most 16 words",
     "Run for each notice, without a shell; the notice comes as JSON on standard input. Exit code 0 takes it."},
    {"notify-webhook", FIELD(notify_webhook), url_plain, "an http:// or https:// URL",
     "Gets each notice by POST, as JSON. A 2xx answer takes it."},
    {"mail-server", FIELD(mail_server), mail_server_plain, "smtps://HOST[:PORT] or smtp://HOST[:PORT]",
     "Takes the mail of the routes. With smtp it must offer STARTTLS: nothing goes out in clear."},
    {"mail-from", FIELD(mail_from), mail_address_plain, "an e-mail address", "The sender of mail."},
    {"mail-credentials", FIELD(mail_credentials), NULL, "FILE",
     "User and password for the mail server, a line each; mode 0600. Without it none are given."},
    {"webhook-secrets", FIELD(webhook_secrets), NULL, "FILE",
     "Signs webhooks: lines \"URL whsec_BASE64\"; mode 0600. A webhook without a line there goes unsigned."},
    {"notify-ca", FIELD(notify_ca), NULL, "FILE",
     "Certificates (PEM) by which mail server and webhooks are known, in place of the system's."},
    {"metrics-listen", FIELD(metrics_listen), address_loopback, "ADDRESS:PORT on the loopback interface",
     "Also serves GET /metrics here, as Prometheus text. By default only the private socket does."},
    {"state-followed", FIELD(state_followed), yes_or_no, "yes or no",
     "In a circle: state what was seen at the followed feeds, and when. What one follows can tell what one runs. By "
     "default yes."},
    {"log-level", FIELD(log_level), level_good, "error, warning, info or debug",
     "The least grave messages that are logged. By default info."},
};
static const char
    route_form[] = "NAME: CONDITION, ..., channel=KIND:ADDRESS, ..., digest=HH:MM",
    route_meaning[] =
        "Sends notices that meet all conditions (inventory=NAME or BEGINNING*, sector=, verdict=affected, "
        "undecided or cleared, critical=yes or no) to mail:ADDRESS, webhook:URL or command:/PROGRAM, grouped; "
        "what is not urgent at digest=HH:MM (UTC) or every digest-minutes=N. The route default takes what no other "
        "took. May stand many times.";
static const char witness_meaning[] =
    "A vkey of a log outside the circle that this node witnesses. May stand up to 64 times.";

int config_address(const char *listen, char host[static CONFIG_HOST_BYTES], const char **port)
{
    const char *colon = strrchr(listen, ':');
    if (!colon || colon == listen || (size_t)(colon - listen) >= CONFIG_HOST_BYTES)
        return E_CONFIG;
    size_t n = (size_t)(colon - listen);
    bool bracketed = listen[0] == '[' && listen[n - 1] == ']';
    memcpy(host, listen + bracketed, n - 2 * bracketed);
    host[n - 2 * bracketed] = 0;
    *port = colon + 1;
    return 0;
}

static struct span trim(struct span s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = span_from(s, 1);
    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t' || s.data[s.len - 1] == '\r'))
        s.len--;
    return s;
}

static int copy(char *out, size_t size, struct span value, const char *key, struct fault *fault)
{
    if (!value.len)
        return fail(fault, E_CONFIG, "%s has no value", key);
    if (value.len >= size)
        return fail(fault, E_CONFIG, "%s has more than %zu bytes", key, size - 1);
    memcpy(out, value.data, value.len);
    out[value.len] = 0;
    return 0;
}

static int witness_take(struct config *out, struct span value, struct fault *fault)
{
    if (out->witness_count == WITNESS_LOGS_MAX)
        return fail(fault, E_CONFIG, "more than %d witness-log lines", WITNESS_LOGS_MAX);
    char *log = out->witness_log[out->witness_count];
    int rc = copy(log, sizeof out->witness_log[0], value, "witness-log", fault);
    if (rc == 0 && !vkey_plain(log))
        rc = fail(fault, E_CONFIG, "witness-log is a log's Ed25519 vkey: name+hash+key");
    if (rc == 0)
        out->witness_logs[out->witness_count++] = log;
    return rc;
}

static int pair_take(struct config *out, struct span key, struct span value, struct fault *fault)
{
    if (span_is(key, "witness-log"))
        return witness_take(out, value, fault);
    if (span_is(key, "route"))
        return routes_add(&out->routes, value, fault);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (span_is(key, keys[i].key)) {
            char *field = (char *)out + keys[i].offset;
            int rc = *field ? fail(fault, E_CONFIG, "%s stands twice", keys[i].key)
                            : copy(field, keys[i].size, value, keys[i].key, fault);
            return rc == 0 && keys[i].good && !keys[i].good(field)
                       ? fail(fault, E_CONFIG, "%s is %s, not \"%.60s\"", keys[i].key, keys[i].form, field)
                       : rc;
        }
    return fail(fault, E_CONFIG, "unknown key \"%.*s\"", (int)(key.len < 60 ? key.len : 60), (const char *)key.data);
}

static int line_take(struct config *out, struct span line, struct fault *fault)
{
    line = trim(line);
    if (!line.len || line.data[0] == '#')
        return 0;
    const uint8_t *equals = memchr(line.data, '=', line.len);
    if (!equals)
        return fail(fault, E_CONFIG, "a line is: key = value");
    size_t at = (size_t)(equals - line.data);
    return pair_take(out, trim(span_of(line.data, at)), trim(span_from(line, at + 1)), fault);
}

void config_keys(void (*visit)(void *ctx, const char *key, const char *form, const char *meaning), void *ctx)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        visit(ctx, keys[i].key, keys[i].form, keys[i].meaning);
    visit(ctx, "route", route_form, route_meaning);
    visit(ctx, "witness-log", "VKEY", witness_meaning);
}

enum log_level config_log_level(const struct config *config)
{
    enum log_level level = LEVEL_INFO;
    (void)log_level_parse(span_str(config->log_level), &level);
    return level;
}

static bool routed(const struct config *config, enum channel_kind kind)
{
    for (size_t i = 0; i < config->routes.channel_count; i++)
        if (config->routes.channels[i].kind == kind)
            return true;
    return false;
}

bool config_runs_commands(const struct config *config)
{
    return config->notify_command[0] || routed(config, CHANNEL_COMMAND);
}

static int whole_check(const struct config *out, struct fault *fault)
{
    if (!name_valid(span_str(out->name)))
        return fail(fault, E_CONFIG, "name is missing, or no party name");
    if (!out->listen[0])
        return fail(fault, E_CONFIG, "listen is missing: listen = 127.0.0.1:8440");
    if (routed(out, CHANNEL_MAIL) && (!out->mail_server[0] || !out->mail_from[0]))
        return fail(fault, E_CONFIG, "a route has a mail channel: mail-server and mail-from are missing");
    return 0;
}

static int lines_parse(struct config *out, struct span text, struct fault *fault)
{
    struct span line;
    for (int number = 1; text.len; number++) {
        if (!span_line(&text, &line)) {
            line = text;
            text = span_of(NULL, 0);
        }
        int rc = line_take(out, line, fault);
        if (rc)
            return fail_at(fault, rc, "line %d", number);
    }
    return whole_check(out, fault);
}

int config_parse(struct config *out, struct span text, struct fault *fault)
{
    memset(out, 0, sizeof *out);
    if (text.len > CONFIG_BYTES_MAX || !utf8_valid(text) || (text.len && memchr(text.data, 0, text.len)))
        return fail(fault, E_CONFIG, "not a text file of at most %d bytes", CONFIG_BYTES_MAX);
    int rc = lines_parse(out, text, fault);
    if (rc)
        config_free(out);
    return rc;
}

void config_free(struct config *config)
{
    routes_free(&config->routes);
}
