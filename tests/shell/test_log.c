#include "shell/config.h"
#include "shell/log.h"
#include "tests/test.h"

#define PARTY "northland.example"

static void line_is(enum log_id id, bool journal, const char *message, const char *want)
{
    struct buf out;
    buf_init(&out, 8192);
    log_line(&out, id, PARTY, journal, 1700000000, span_str(message));
    CHECK(span_is(buf_view(&out), want));
    buf_free(&out);
}

static void lines(void)
{
    test("a line of the log: level, stable id, party, message; time, or journald's priority");
    line_is(LOG_READY, false, "serving on [::1]:8440",
            "time=2023-11-14T22:13:20Z level=info id=ready party=" PARTY " message=\"serving on [::1]:8440\"\n");
    line_is(LOG_RESTARTED, true, "x", "<3>level=error id=restarted party=" PARTY " message=\"x\"\n");
    line_is(LOG_NOTICE_REFUSED, true, "x", "<4>level=warning id=notice-refused party=" PARTY " message=\"x\"\n");
    line_is(LOG_REQUEST_UNSIGNED, true, "x", "<7>level=debug id=member-signature party=" PARTY " message=\"x\"\n");

    test("foreign text neither ends a line nor a value");
    line_is(LOG_READY, true, "a \"b\"\n<3>level=error \x1b[2J",
            "<6>level=info id=ready party=" PARTY " message=\"a \\\"b\\\" <3>level=error <U+001B>[2J\"\n");
}

static void ids(void)
{
    static const char *const all[] = {
#define ID(code, id, level) id,
        LOG_LIST(ID)
#undef ID
    };
    test("every message has an id of its own, in lower case");
    for (size_t i = 0; i < LOG_IDS_; i++) {
        CHECK(all[i][0] && strspn(all[i], "abcdefghijklmnopqrstuvwxyz-") == strlen(all[i]));
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(all[i], all[j]) != 0);
    }
}

static int parse(const char *more, struct config *config, struct fault *fault)
{
    char text[512];
    *fault = (struct fault){0};
    (void)snprintf(text, sizeof text, "name = a\nlisten = 127.0.0.1:1\n%s\n", more);
    return config_parse(config, span_str(text), fault);
}

static void levels(void)
{
    static const struct {
        const char *line;
        int level; /* -1: refused */
    } table[] = {{"", LEVEL_INFO},
                 {"log-level = error", LEVEL_ERROR},
                 {"log-level = warning", LEVEL_WARNING},
                 {"log-level = info", LEVEL_INFO},
                 {"log-level = debug", LEVEL_DEBUG},
                 {"log-level = Debug", -1},
                 {"log-level = 3", -1},
                 {"log-level = debugging", -1}};
    struct config config;
    struct fault fault;
    test("log-level is one of four words, by default info");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int rc = parse(table[i].line, &config, &fault);
        CHECK_INT(rc, table[i].level < 0 ? E_CONFIG : 0);
        if (rc == 0)
            CHECK_INT(config_log_level(&config), table[i].level);
        else
            CHECK(strstr(fault.where, "line 3") && strstr(fault.detail, "error, warning, info or debug"));
    }
}

int main(void)
{
    lines();
    ids();
    levels();
    return test_end();
}
