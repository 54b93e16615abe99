/* The route lines: what is accepted and refused, where a notice goes, and when a digest is due. */
#include "notify/route.h"
#include "base/clock.h"
#include "tests/test.h"

/* After the routes before it: accepted, or refused with these words in the fault. */
static const struct {
    const char *what, *before, *line, *words; /* words NULL: accepted */
} rows[] = {
    {"a channel alone", NULL, "all: channel=mail:soc@agency.example", NULL},
    {"all there is", NULL,
     "night: inventory=web-*, sector=energy, verdict=affected, critical=yes, channel=mail:a@b.example, "
     "channel=webhook:https://hook.example/x?y=1, channel=command:/usr/bin/logger -t comity, digest=23:59",
     NULL},
    {"minutes", NULL, "a: channel=mail:a@b.example, digest-minutes=10080", NULL},
    {"spaces around", NULL, "  a  :  channel = mail:a@b.example  ,  verdict = cleared  ", NULL},
    {"an address with all that an atom may hold", NULL, "a: channel=mail:a.b!#$%&'*+-/?^_`{|}~@b.example", NULL},
    {"the default", NULL, "default: channel=mail:a@b.example", NULL},
    {"no colon", NULL, "all channel", "a route is NAME"},
    {"no name", NULL, ": channel=mail:a@b.example", "a route's name has"},
    {"nothing", NULL, "a:", "KEY=VALUE"},
    {"no channel", NULL, "a: verdict=affected", "needs a channel"},
    {"an unknown item", NULL, "a: color=red, channel=mail:a@b.example", "unknown item \"color\""},
    {"an item without value", NULL, "a: inventory=, channel=mail:a@b.example", "inventory has"},
    {"an empty item", NULL, "a: channel=mail:a@b.example,", "KEY=VALUE"},
    {"an item twice", NULL, "a: critical=yes, critical=no, channel=mail:a@b.example", "critical stands twice"},
    {"two digests", NULL, "a: digest=06:00, digest-minutes=5, channel=mail:a@b.example", "digest-minutes stands twice"},
    {"a channel twice", NULL, "a: channel=mail:a@b.example, channel=mail:a@b.example", "stands twice"},
    {"nine channels", NULL,
     "a: channel=mail:a@b.c, channel=mail:b@b.c, channel=mail:c@b.c, channel=mail:d@b.c, channel=mail:e@b.c, "
     "channel=mail:f@b.c, channel=mail:g@b.c, channel=mail:h@b.c, channel=mail:i@b.c",
     "more than 8 channels"},
    {"another kind", NULL, "a: channel=telex:123", "channel is mail:ADDRESS"},
    {"no kind", NULL, "a: channel=a@b.example", "channel is mail:ADDRESS"},
    {"no address", NULL, "a: channel=mail:soc", "channel is mail:ADDRESS"},
    {"two addresses", NULL, "a: channel=mail:a@b@c.example", "channel is mail:ADDRESS"},
    {"a line feed for a header", NULL, "a: channel=mail:a@b.example\nBcc: x@y.example", "channel has"},
    {"an angle bracket", NULL, "a: channel=mail:a>@b.example", "channel is mail:ADDRESS"},
    {"a blank", NULL, "a: channel=mail:a b@b.example", "channel is mail:ADDRESS"},
    {"a dot at the end", NULL, "a: channel=mail:a.@b.example", "channel is mail:ADDRESS"},
    {"two dots", NULL, "a: channel=mail:a@b..example", "channel is mail:ADDRESS"},
    {"not ASCII", NULL, "a: channel=mail:\xc3\xa9@b.example", "channel is mail:ADDRESS"},
    {"a webhook of another scheme", NULL, "a: channel=webhook:ftp://x.example/", "channel is mail:ADDRESS"},
    {"a command by no path", NULL, "a: channel=command:logger", "channel is mail:ADDRESS"},
    {"a verdict", NULL, "a: verdict=fine, channel=mail:a@b.example", "verdict is"},
    {"critical", NULL, "a: critical=maybe, channel=mail:a@b.example", "critical is"},
    {"an hour", NULL, "a: digest=24:00, channel=mail:a@b.example", "digest is HH:MM"},
    {"a minute", NULL, "a: digest=12:60, channel=mail:a@b.example", "digest is HH:MM"},
    {"a short hour", NULL, "a: digest=6:30, channel=mail:a@b.example", "digest is HH:MM"},
    {"no minutes", NULL, "a: digest-minutes=0, channel=mail:a@b.example", "digest-minutes is"},
    {"more than a week", NULL, "a: digest-minutes=10081, channel=mail:a@b.example", "digest-minutes is"},
    {"a default with a condition", NULL, "default: verdict=affected, channel=mail:a@b.example", "no conditions"},
    {"a name twice", "a: channel=mail:a@b.example", "a: channel=mail:b@b.example", "two routes have this name"},
    {"one channel, two digests", "a: channel=mail:a@b.example, digest=06:00", "b: channel=mail:a@b.example",
     "another digest"},
    {"one channel, one digest", "a: channel=mail:a@b.example, digest=06:00",
     "b: channel=mail:a@b.example, digest=06:00", NULL},
};

static void lines(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct routes routes = {0};
        struct fault fault = {0};
        test(rows[i].what);
        if (rows[i].before)
            CHECK_INT(routes_add(&routes, span_str(rows[i].before), &fault), 0);
        int rc = routes_add(&routes, span_str(rows[i].line), &fault);
        CHECK_INT(rc, rows[i].words ? E_CONFIG : 0);
        CHECK(!rows[i].words || strstr(fault.detail, rows[i].words));
        if (rows[i].words && !strstr(fault.detail, rows[i].words))
            printf("# %s\n", fault.detail);
        CHECK_INT(routes.count, (rows[i].before != NULL) + (rc == 0));
        routes_free(&routes);
    }
}

static const char *const table[] = {
    "web: inventory=web-*, channel=mail:web@x.example",
    "one: inventory=web-1, verdict=affected, channel=mail:one@x.example, channel=mail:web@x.example",
    "grid: sector=energy, channel=mail:grid@x.example",
    "pager: critical=yes, verdict=affected, channel=command:/bin/page",
    "default: channel=mail:rest@x.example",
};
static const struct {
    const char *inventory, *sector;
    enum notice_verdict verdict;
    bool critical;
    const char *want;
} cases[] = {
    {"web-1", "", NOTICE_AFFECTED, false, "mail:web@x.example mail:one@x.example "},
    {"web-1", "", NOTICE_UNDECIDED, false, "mail:web@x.example "},
    {"web-10", "", NOTICE_AFFECTED, false, "mail:web@x.example "},
    {"web-", "energy", NOTICE_CLEARED, false, "mail:web@x.example mail:grid@x.example "},
    {"web", "", NOTICE_AFFECTED, false, "mail:rest@x.example "},
    {"mail", "", NOTICE_AFFECTED, true, "command:/bin/page "},
    {"mail", "", NOTICE_CLEARED, true, "mail:rest@x.example "},
    {"mail", "energy", NOTICE_AFFECTED, true, "mail:grid@x.example command:/bin/page "},
    {"mail", "Energy", NOTICE_AFFECTED, false, "mail:rest@x.example "},
};

static void where(void)
{
    struct routes routes = {0};
    struct fault fault = {0};
    test("a notice goes by every route that it meets, else by the default, to each channel once");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        CHECK_INT(routes_add(&routes, span_str(table[i]), &fault), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct notice notice = {.inventory = span_str(cases[i].inventory),
                                      .sector = span_str(cases[i].sector),
                                      .verdict = cases[i].verdict,
                                      .critical = cases[i].critical};
        uint32_t out[CHANNELS_OF_NOTICE_MAX];
        char text[512] = "";
        size_t count = routes_match(&routes, &notice, out), n = 0;
        for (size_t j = 0; j < count; j++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s ", routes.channels[out[j]].text);
        CHECK(strcmp(text, cases[i].want) == 0);
        if (strcmp(text, cases[i].want) != 0)
            printf("# row %zu: %s\n", i, text);
    }
    CHECK(strcmp(channel_address(&routes.channels[0]), "web@x.example") == 0);
    CHECK(strncmp(routes.channels[0].name, "mail:", 5) == 0 && strlen(routes.channels[0].name) == 21);
    routes_free(&routes);
}

static void digests(void)
{
    static const struct {
        struct digest digest;
        const char *since, *due;
    } instants[] = {
        {{DIGEST_DAILY, 390}, "2026-11-25T06:29:59Z", "2026-11-25T06:30:00Z"},
        {{DIGEST_DAILY, 390}, "2026-11-25T06:30:00Z", "2026-11-26T06:30:00Z"},
        {{DIGEST_DAILY, 0}, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
        {{DIGEST_DAILY, 1439}, "2026-02-28T23:59:01Z", "2026-03-01T23:59:00Z"},
        {{DIGEST_INTERVAL, 15}, "2026-11-25T06:29:59Z", "2026-11-25T06:44:59Z"},
    };
    test("a daily digest goes out at the next such minute, one of an interval so long after its oldest notice");
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        int64_t since = 0, due = 0;
        CHECK(time_parse(span_str(instants[i].since), &since) && time_parse(span_str(instants[i].due), &due));
        CHECK_INT(digest_due(&instants[i].digest, since), due);
    }
}

int main(void)
{
    lines();
    where();
    digests();
    return test_end();
}
