#include "base/buf.h"
#include "format/note.h"
#include "shell/config.h"
#include "tests/test.h"

/* Lines after a good beginning: accepted, or refused with these words in the fault. */
static const struct {
    const char *what, *lines, *words; /* NULL: accepted */
} rows[] = {
    {"the least configuration", "", NULL},
    {"comments and blanks", "# a comment\n\n  log-level = debug  \r\n", NULL},
    {"a level", "log-level = info\n", NULL},
    {"no level", "log-level = loud\n", "log-level is error, warning, info or debug"},
    {"a key twice", "log-level = debug\nlog-level = debug\n", "log-level stands twice"},
    {"an unknown key", "colour = red\n", "unknown key \"colour\""},
    {"no equals sign", "log-level\n", "key = value"},
    {"no value", "log-level =\n", "has no value"},
    {"a webhook", "notify-webhook = https://example.net/hook?a=b\n", NULL},
    {"... with a port", "notify-webhook = http://127.0.0.1:8080/\n", NULL},
    {"... by IPv6", "notify-webhook = http://[::1]:8080/\n", NULL},
    {"... of another scheme", "notify-webhook = ftp://example.net/\n", "notify-webhook is an http:// or https:// URL"},
    {"... without a host", "notify-webhook = https://\n", "notify-webhook is an http:// or https:// URL"},
    {"... with a path only", "notify-webhook = https:///path\n", "notify-webhook is an http:// or https:// URL"},
    {"... with a space", "notify-webhook = https://a b/\n", "notify-webhook is an http:// or https:// URL"},
    {"... without a scheme", "notify-webhook = example.net\n", "notify-webhook is an http:// or https:// URL"},
    {"a command", "notify-command = /usr/bin/logger -t comity\n", NULL},
    {"... by no path", "notify-command = logger\n", "notify-command is"},
    {"... of 16 words", "notify-command = /a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n", NULL},
    {"... of 17 words", "notify-command = /a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", "notify-command is"},
    {"figures on the loopback interface", "metrics-listen = 127.0.0.1:9100\n", NULL},
    {"... all of it", "metrics-listen = 127.255.255.254:9100\n", NULL},
    {"... by IPv6", "metrics-listen = [::1]:9100\n", NULL},
    {"... on another", "metrics-listen = 192.0.2.1:9100\n", "metrics-listen is ADDRESS:PORT on the loopback interface"},
    {"... on all", "metrics-listen = 0.0.0.0:9100\n", "metrics-listen is ADDRESS:PORT on the loopback interface"},
    {"... on all, by IPv6", "metrics-listen = [::]:9100\n", "metrics-listen is"},
    {"... on an IPv4 address in IPv6", "metrics-listen = [::ffff:127.0.0.1]:9100\n", "metrics-listen is"},
    {"no vkey", "witness-log = nonsense\n", "witness-log is a log's Ed25519 vkey"},
};

static const struct {
    const char *listen;
    bool good;
} addresses[] = {
    {"127.0.0.1:8440", true}, {"[::1]:8440", true},       {"0.0.0.0:1", true},      {"127.0.0.1:65535", true},
    {"127.0.0.1", false},     {":8440", false},           {"a:0", false},           {"127.0.0.1:", false},
    {"127.0.0.1:x", false},   {"127.0.0.1:65536", false}, {"127.0.0.1:080", false},
};

static int parse(const char *listen, const char *lines, struct config *out, struct fault *fault)
{
    struct buf text;
    buf_init(&text, 65536);
    buf_printf(&text, "name = northland.example\nlisten = %s\n%s", listen, lines);
    int rc = config_parse(out, buf_view(&text), fault);
    buf_free(&text);
    return rc;
}

static void values(void)
{
    static struct config config;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {0};
        test(rows[i].what);
        int rc = parse("127.0.0.1:8440", rows[i].lines, &config, &fault);
        CHECK_INT(rc, rows[i].words ? E_CONFIG : 0);
        CHECK(!rows[i].words || strstr(fault.detail, rows[i].words));
    }
}

static void listens(void)
{
    static struct config config;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct fault fault = {0};
        test(addresses[i].listen);
        CHECK_INT(parse(addresses[i].listen, "", &config, &fault), addresses[i].good ? 0 : E_CONFIG);
    }
}

static void witness(void)
{
    static struct config config;
    struct public_key key;
    struct buf line;
    struct fault fault = {0};
    test("a foreign log's key");
    memset(&key, 7, sizeof key);
    buf_init(&line, 4096);
    buf_text(&line, "witness-log = ");
    note_vkey_write(&line, span_str("example.org/log"), NOTE_ED25519, &key);
    buf_text(&line, "\n");
    buf_byte(&line, 0);
    CHECK_INT(parse("127.0.0.1:1", (const char *)line.data, &config, &fault), 0);
    CHECK_INT(config.witness_count, 1);
    CHECK(config.witness_logs[0] && !config.witness_logs[1]);
    test("its error names the line");
    buf_reset(&line);
    CHECK_INT(parse("127.0.0.1:1", "log-level = debug\nwitness-log = x\n", &config, &fault), E_CONFIG);
    CHECK(strstr(fault.where, "line 4") != NULL);
    buf_free(&line);
}

int main(void)
{
    values();
    listens();
    witness();
    return test_end();
}
