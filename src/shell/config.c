#include "shell/config.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

static bool level_good(const char *value)
{
    enum log_level level;
    return log_level_parse(span_str(value), &level);
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
    {"listen", FIELD(listen), NULL, "ADDRESS:PORT",
     "Numeric address and port of the public listener, an IPv6 address in brackets. Required."},
    {"passphrase-file", FIELD(passphrase_file), NULL, "FILE",
     "Opens the keys. Put it on another disk, or let systemd hand it over as a credential. Required in a circle."},
    {"notify-command", FIELD(notify_command), NULL, "PROGRAM WORD ...",
     "Run for each notice, without a shell; the notice comes as JSON on standard input. Exit code 0 takes it."},
    {"notify-webhook", FIELD(notify_webhook), NULL, "URL", "Gets each notice by POST, as JSON. A 2xx answer takes it."},
    {"log-level", FIELD(log_level), level_good, "error, warning, info or debug",
     "The least grave messages that are logged. By default info."},
};
static const char witness_meaning[] =
    "A vkey of a log outside the circle that this node witnesses. May stand up to 64 times.";

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

static int pair_take(struct config *out, struct span key, struct span value, struct fault *fault)
{
    if (span_is(key, "witness-log")) {
        if (out->witness_count == WITNESS_LOGS_MAX)
            return fail(fault, E_CONFIG, "more than %d witness-log lines", WITNESS_LOGS_MAX);
        out->witness_logs[out->witness_count] = out->witness_log[out->witness_count];
        return copy(out->witness_log[out->witness_count++], sizeof out->witness_log[0], value, "witness-log", fault);
    }
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
    visit(ctx, "witness-log", "VKEY", witness_meaning);
}

enum log_level config_log_level(const struct config *config)
{
    enum log_level level = LEVEL_INFO;
    (void)log_level_parse(span_str(config->log_level), &level);
    return level;
}

int config_parse(struct config *out, struct span text, struct fault *fault)
{
    struct span line;
    int number = 0;
    memset(out, 0, sizeof *out);
    if (text.len > CONFIG_BYTES_MAX || !utf8_valid(text) || (text.len && memchr(text.data, 0, text.len)))
        return fail(fault, E_CONFIG, "not a text file of at most %d bytes", CONFIG_BYTES_MAX);
    while (text.len) {
        if (!span_line(&text, &line)) {
            line = text;
            text = span_of(NULL, 0);
        }
        number++;
        int rc = line_take(out, line, fault);
        if (rc)
            return fail_at(fault, rc, "line %d", number);
    }
    if (!name_valid(span_str(out->name)))
        return fail(fault, E_CONFIG, "name is missing, or no party name");
    return out->listen[0] ? 0 : fail(fault, E_CONFIG, "listen is missing: listen = 127.0.0.1:8440");
}
