#include "node/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "format/note.h"

static bool blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct span trim(struct span text)
{
    while (text.len && blank(text.data[0]))
        text = span_from(text, 1);
    while (text.len && blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

bool listen_split(const char *listen, char host[static 64], char port[static 6])
{
    struct span text = span_str(listen);
    size_t colon = text.len;
    uint64_t number;
    while (colon && text.data[colon - 1] != ':')
        colon--;
    if (!colon)
        return false;
    struct span address = span_of(text.data, colon - 1), digits = span_from(text, colon);
    bool bracketed = address.len > 2 && address.data[0] == '[' && address.data[address.len - 1] == ']';
    if (bracketed)
        address = span_of(address.data + 1, address.len - 2);
    if (!address.len || address.len >= 64 || (!bracketed && memchr(address.data, ':', address.len)) ||
        !decimal_parse(digits, &number) || number > 65535)
        return false;
    memcpy(host, address.data, address.len);
    host[address.len] = 0;
    memcpy(port, digits.data, digits.len);
    port[digits.len] = 0;
    return true;
}

/* Setters: the value is trimmed, of at least one byte, and free of NULs. */

static int set_name(struct config *c, char *value, struct fault *fault)
{
    c->name = value;
    return name_valid(span_str(value)) ? 0 : fail(fault, E_CONFIG, "name: not a party's name");
}

static int set_listen(struct config *c, char *value, struct fault *fault)
{
    char host[64], port[6];
    c->listen = value;
    return listen_split(value, host, port) ? 0 : fail(fault, E_CONFIG, "listen: ADDRESS:PORT is expected, as 127.0.0.1:8440 or [::1]:8440");
}

static int set_passphrase_file(struct config *c, char *value, struct fault *fault)
{
    (void)fault;
    c->passphrase_file = value;
    return 0;
}

static int set_webhook(struct config *c, char *value, struct fault *fault)
{
    struct span url = span_str(value);
    c->notify_webhook = value;
    bool good = url.len <= URL_BYTES_MAX && (span_starts(url, "https://") || span_starts(url, "http://"));
    for (size_t i = 0; i < url.len; i++)
        good = good && url.data[i] > ' ' && url.data[i] < 0x7f;
    return good ? 0 : fail(fault, E_CONFIG, "notify-webhook: an http or https URL of at most %d bytes is expected", URL_BYTES_MAX);
}

static int set_command(struct config *c, char *value, struct fault *fault)
{
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(value, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        if (count == COMMAND_WORDS_MAX)
            return fail(fault, E_CONFIG, "notify-command: more than %d words", COMMAND_WORDS_MAX);
        c->notify_command[count++] = word;
    }
    return value[0] == '/' ? 0 : fail(fault, E_CONFIG, "notify-command: an absolute path is expected; there is no shell");
}

static int set_witness_log(struct config *c, char *value, struct fault *fault)
{
    struct span name;
    enum note_type type;
    struct public_key key;
    if (c->witness_log_count == FOREIGN_LOGS_MAX)
        return fail(fault, E_CONFIG, "witness-log: more than %d", FOREIGN_LOGS_MAX);
    if (note_vkey_parse(span_str(value), &name, &type, &key) != 0 || type != NOTE_ED25519)
        return fail(fault, E_CONFIG, "witness-log: not the verifier key of an Ed25519 log");
    for (size_t i = 0; i < c->witness_log_count; i++)
        if (strcmp(c->witness_logs[i], value) == 0)
            return fail(fault, E_CONFIG, "witness-log: stands twice");
    c->witness_logs[c->witness_log_count++] = value;
    return 0;
}

static int set_log_level(struct config *c, char *value, struct fault *fault)
{
    for (int i = 0; i <= LOG_DEBUG; i++)
        if (strcmp(value, log_level_names[i]) == 0) {
            c->log_level = (enum log_level)i;
            return 0;
        }
    return fail(fault, E_CONFIG, "log-level: error, warn, info or debug is expected");
}

static const struct key {
    const char *name;
    bool required, repeatable;
    int (*set)(struct config *c, char *value, struct fault *fault);
} keys[] = {
    {"name", true, false, set_name},
    {"listen", true, false, set_listen},
    {"passphrase-file", false, false, set_passphrase_file},
    {"notify-command", false, false, set_command},
    {"notify-webhook", false, false, set_webhook},
    {"witness-log", false, true, set_witness_log},
    {"log-level", false, false, set_log_level},
};
enum { KEYS = sizeof keys / sizeof keys[0] };

static int line_take(struct config *c, struct span line, bool seen[static KEYS], struct fault *fault)
{
    line = trim(line);
    if (!line.len || line.data[0] == '#')
        return 0;
    const uint8_t *equals = memchr(line.data, '=', line.len);
    if (!equals)
        return fail(fault, E_CONFIG, "key = value is expected");
    struct span key = trim(span_of(line.data, (size_t)(equals - line.data)));
    struct span value = trim(span_from(line, (size_t)(equals - line.data) + 1));
    for (size_t i = 0; i < KEYS; i++) {
        if (!span_is(key, keys[i].name))
            continue;
        if (seen[i] && !keys[i].repeatable)
            return fail(fault, E_CONFIG, "%s: stands twice", keys[i].name);
        seen[i] = true;
        if (!value.len || !utf8_valid(value) || memchr(value.data, 0, value.len))
            return fail(fault, E_CONFIG, "%s: the value is empty or not UTF-8", keys[i].name);
        char *text = arena_text(&c->arena, value);
        return text ? keys[i].set(c, text, fault) : fail(fault, E_NOMEM, "%s", keys[i].name);
    }
    return fail(fault, E_CONFIG, "unknown key '%.*s'", (int)(key.len < 64 ? key.len : 64), (const char *)key.data);
}

int config_parse(struct config *out, struct span text, struct fault *fault)
{
    bool seen[KEYS] = {false};
    struct span line;
    *out = (struct config){.log_level = LOG_INFO};
    arena_init(&out->arena, 4 * CONFIG_BYTES_MAX);
    if (text.len > CONFIG_BYTES_MAX)
        return fail(fault, E_CONFIG, "more than %d bytes", CONFIG_BYTES_MAX);
    for (unsigned number = 1; text.len; number++) {
        if (!span_line(&text, &line)) {
            line = text;
            text.len = 0;
        }
        int rc = line_take(out, line, seen, fault);
        if (rc)
            return fail_at(fault, rc, "line %u", number);
    }
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].required && !seen[i])
            return fail(fault, E_CONFIG, "%s is missing", keys[i].name);
    return 0;
}

int config_load(struct config *out, const char *path, struct fault *fault)
{
    uint8_t *text = malloc(CONFIG_BYTES_MAX + 1);
    size_t len = 0;
    ssize_t n = 0;
    *out = (struct config){0};
    int fd = text ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    int code = !text ? E_NOMEM : errno == ENOENT ? E_NOTFOUND : E_IO;
    if (fd < 0) {
        free(text);
        return fail_at(fault, fail(fault, code, "cannot be opened"), "%s", path);
    }
    while (len <= CONFIG_BYTES_MAX && (n = read(fd, text + len, CONFIG_BYTES_MAX + 1 - len)) > 0)
        len += (size_t)n;
    (void)close(fd);
    int rc = n < 0 ? fail(fault, E_IO, "cannot be read") : config_parse(out, span_of(text, len), fault);
    free(text);
    return rc ? fail_at(fault, rc, "%s", path) : 0;
}

void config_free(struct config *config)
{
    arena_free(&config->arena);
    *config = (struct config){0};
}
