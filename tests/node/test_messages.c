/* What goes out by routes: one message for a revision, inventory and verdict; digests by the clock alone; each notice once for a channel,
   across restarts and changes of the configuration; and acknowledgements. */
#include <stdlib.h>

#include "base/clock.h"
#include "format/json.h"
#include "tests/node/subject.h"

enum { SELF = 0, WRITER = 4, PARTIES = 6, COMMITTEE = 4, MAIL = 0, HOOK = 1 };

static const char sbom[] = "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":["
                           "{\"type\":\"library\",\"name\":\"liblzma5\",\"version\":\"5.6.0-0.2\","
                           "\"purl\":\"pkg:deb/debian/liblzma5@5.6.0-0.2?distro=debian-13&upstream=xz-utils\"},"
                           "{\"type\":\"library\",\"name\":\"xz-utils\",\"version\":\"5.6.0-0.2\","
                           "\"purl\":\"pkg:deb/debian/xz-utils@5.6.0-0.2?distro=debian-13\"},"
                           "{\"type\":\"library\",\"name\":\"zlib1g\",\"version\":\"1:1.3-3\","
                           "\"purl\":\"pkg:deb/debian/zlib1g@1:1.3-3?distro=debian-13&upstream=zlib\"}]}";

static const char *osv(const char *id, const char *modified, const char *package)
{
    static char text[1024];
    (void)snprintf(text, sizeof text,
                   "{\"schema_version\":\"1.6.0\",\"id\":\"%s\",\"modified\":\"%s\",\"affected\":[{\"package\":{"
                   "\"ecosystem\":\"Debian\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":["
                   "{\"introduced\":\"0\"},{\"fixed\":\"9:9\"}]}]}]}",
                   id, modified, package);
    return text;
}

static void open_with(struct bench *b, struct routes *routes, const char *const *lines)
{
    struct fault fault = {0};
    *routes = (struct routes){0};
    for (; *lines; lines++)
        CHECK_INT(routes_add(routes, span_str(*lines), &fault), 0);
    bench_make(b, PARTIES, COMMITTEE, SELF, WRITER);
    b->config.routes = routes;
    bench_start(b);
}

static void close_with(struct bench *b, struct routes *routes)
{
    bench_close(b);
    routes_free(routes);
}

static void restart_with(struct bench *b, struct routes *routes, const char *const *lines)
{
    struct fault fault = {0};
    routes_free(routes);
    for (; *lines; lines++)
        CHECK_INT(routes_add(routes, span_str(*lines), &fault), 0);
    b->message_count = 0;
    bench_restart(b);
}

static void again(struct bench *b)
{
    b->message_count = 0;
    bench_restart(b);
}

static void inventory(struct bench *b, const char *name)
{
    bench_step(b, (struct event){.kind = EVENT_INVENTORY, .name = span_str(name), .body = span_str(sbom)});
    CHECK_INT(b->status, 201);
}

static void stated(struct bench *b, const char *document)
{
    size_t size = b->s.size;
    bench_state(b, WRITER, "application/osv+json", span_str(document));
    (void)bench_put(b, span_str(document));
    CHECK_INT(bench_push_checkpoint(b, size, size + 1), 200);
    CHECK_INT(bench_push_entries(b, size, size + 1), 200);
}

static void taken(struct bench *b, const struct routes *routes, size_t which)
{
    bench_step(b, (struct event){.kind = EVENT_DELIVERED,
                                 .name = span_str(routes->channels[b->messages[which].channel].name),
                                 .hash = b->messages[which].id});
}

static int by_count(const void *a, const void *b)
{
    return (int)(*(const uint32_t *)b - *(const uint32_t *)a);
}

/* "group:2" or "digest:2,1": kind, and how many notices each group has, the largest first (their order follows from hashes). */
static void message_is(struct bench *b, size_t which, const char *want)
{
    const struct json *root = NULL;
    struct arena arena;
    struct buf out;
    char got[256];
    size_t n;
    if (which >= b->message_count) {
        CHECK(which < b->message_count);
        return;
    }
    arena_init(&arena, 64 << 20);
    buf_init(&out, HTTP_BODY_MAX);
    CHECK_INT(node_message_write(b->node, &b->messages[which].id, b->messages[which].channel, "a@b.example", &out), 0);
    CHECK_INT(json_parse(&root, buf_view(&out), HTTP_BODY_MAX, &arena, NULL), 0);
    struct span type = json_text(root, "type");
    const struct json *groups = json_get(root, "groups");
    n = (size_t)snprintf(got, sizeof got, "%.*s:", (int)type.len - 15, (const char *)type.data + 15);
    uint32_t counts[8] = {0}, most = groups && groups->count < 8 ? groups->count : 0;
    for (uint32_t i = 0; i < most; i++)
        counts[i] = json_get(&groups->child[i], "notices")->count;
    qsort(counts, most, sizeof counts[0], by_count);
    for (uint32_t i = 0; i < most; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%u", i ? "," : "", counts[i]);
    CHECK(strcmp(got, want) == 0);
    if (strcmp(got, want) != 0)
        printf("# got %s, want %s\n", got, want);
    buf_free(&out);
    arena_free(&arena);
}

static const char *const both[] = {"all: channel=webhook:http://a.example/, channel=webhook:http://b.example/", NULL};

static void grouped(void)
{
    static struct bench b;
    struct routes routes;
    test("one message for all components of one inventory, the same to two channels, until each has taken it");
    open_with(&b, &routes, both);
    inventory(&b, "gateway");
    inventory(&b, "server");
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"));
    CHECK_INT(b.message_count, 4);
    CHECK_INT(b.notice_count, 0); /* those are for channels without a route */
    for (size_t i = 0; i < 4; i++)
        message_is(&b, i, "group:2");
    CHECK(hash_eq(&b.messages[0].id, &b.messages[2].id) && hash_eq(&b.messages[1].id, &b.messages[3].id));
    struct hash first = b.messages[0].id;
    taken(&b, &routes, 0);
    again(&b);
    CHECK_INT(b.message_count, 3);
    for (size_t i = 0; i < 3; i++)
        CHECK(b.messages[i].channel != 0 || !hash_eq(&b.messages[i].id, &first));
    for (size_t i = 0; i < 3; i++)
        taken(&b, &routes, i);
    again(&b);
    CHECK_INT(b.message_count, 0);
    close_with(&b, &routes);
}

static void later(void)
{
    static struct bench b;
    struct routes routes;
    test("what joins a group later makes a further message with an id of its own");
    open_with(&b, &routes, (const char *const[]){"all: channel=webhook:http://a.example/", NULL});
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"));
    bench_step(&b, (struct event){.kind = EVENT_INVENTORY,
                                  .name = span_str("gateway"),
                                  .body = span_str("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,"
                                                   "\"components\":[{\"type\":\"library\",\"name\":\"xz-utils\","
                                                   "\"version\":\"5.6.0-0.2\",\"purl\":\"pkg:deb/debian/"
                                                   "xz-utils@5.6.0-0.2?distro=debian-13\"}]}")});
    CHECK_INT(b.message_count, 1);
    message_is(&b, 0, "group:1");
    inventory(&b, "gateway");
    CHECK_INT(b.message_count, 2);
    message_is(&b, 1, "group:1");
    CHECK(!hash_eq(&b.messages[0].id, &b.messages[1].id));
    again(&b);
    CHECK_INT(b.message_count, 2); /* as they were made, not as one */
    close_with(&b, &routes);
}

static void routed(void)
{
    static struct bench b;
    struct routes routes;
    test("each organisation's notices go its own way; the rest by the default");
    open_with(&b, &routes,
              (const char *const[]){"north: inventory=north-*, channel=webhook:http://north.example/",
                                    "default: channel=webhook:http://rest.example/", NULL});
    inventory(&b, "north-1");
    inventory(&b, "south-1");
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "zlib"));
    CHECK_INT(b.message_count, 2);
    CHECK(b.messages[0].channel == 0 && b.messages[1].channel == 1);
    close_with(&b, &routes);
}

static const char *const minutes[] = {"all: channel=webhook:http://a.example/, digest-minutes=10", NULL};

static void digest(void)
{
    static struct bench b;
    struct routes routes;
    struct hash id;
    test("a digest goes out when its oldest notice is so old, across restarts, each notice in one");
    open_with(&b, &routes, minutes);
    inventory(&b, "gateway");
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"));
    bench_tick(&b, 300 * 1000);
    stated(&b, osv("OSV-2", "2024-01-01T00:00:00Z", "zlib"));
    CHECK_INT(b.message_count, 0);
    CHECK(node_due(b.node) <= b.now_ms + 300 * 1000);
    again(&b);
    CHECK_INT(b.message_count, 0);
    bench_tick(&b, 299 * 1000);
    CHECK_INT(b.message_count, 0);
    again(&b);
    bench_tick(&b, 1000);
    CHECK_INT(b.message_count, 1);
    message_is(&b, 0, "digest:2,1");
    id = b.messages[0].id;
    bench_tick(&b, 3600 * 1000);
    CHECK_INT(b.message_count, 1);
    again(&b);
    CHECK_INT(b.message_count, 1); /* the same again: it was not taken */
    CHECK(hash_eq(&b.messages[0].id, &id));
    taken(&b, &routes, 0);
    stated(&b, osv("OSV-3", "2024-01-01T00:00:00Z", "zlib"));
    again(&b);
    CHECK_INT(b.message_count, 0);
    bench_tick(&b, 600 * 1000);
    CHECK_INT(b.message_count, 1);
    message_is(&b, 0, "digest:1");
    close_with(&b, &routes);
}

static void daily(void)
{
    static struct bench b;
    struct routes routes;
    char at[21], line[128];
    test("a daily digest that fell due while the node was off goes out at its start");
    (void)snprintf(line, sizeof line, "all: channel=webhook:http://a.example/, digest=00:00");
    open_with(&b, &routes, (const char *const[]){line, NULL});
    inventory(&b, "gateway");
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "zlib"));
    CHECK_INT(b.message_count, 0);
    int64_t midnight = (b.now_ms / 86400000 + 1) * 86400000;
    b.now_ms = midnight - 1000;
    again(&b);
    CHECK_INT(b.message_count, 0);
    b.now_ms = midnight;
    again(&b);
    CHECK_INT(b.message_count, 1);
    time_format(b.now_ms / 1000, at);
    CHECK(strcmp(at + 10, "T00:00:00Z") == 0);
    close_with(&b, &routes);
}

static void configured(void)
{
    static struct bench b;
    struct routes routes;
    test("a digest that is ended goes out at once; a new channel gets what comes after it; one that is gone keeps what "
         "was made for it");
    open_with(&b, &routes, minutes);
    inventory(&b, "gateway");
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"));
    restart_with(&b, &routes, (const char *const[]){"all: channel=webhook:http://a.example/", NULL});
    CHECK_INT(b.message_count, 1);
    message_is(&b, 0, "group:2");
    struct hash id = b.messages[0].id;
    restart_with(&b, &routes, (const char *const[]){"all: channel=webhook:http://b.example/", NULL});
    CHECK_INT(b.message_count, 0);
    stated(&b, osv("OSV-2", "2024-01-01T00:00:00Z", "zlib"));
    CHECK_INT(b.message_count, 1);
    taken(&b, &routes, 0);
    restart_with(&b, &routes, both);
    CHECK_INT(b.message_count, 1);
    CHECK(hash_eq(&b.messages[0].id, &id) && b.messages[0].channel == 0);
    stated(&b, osv("OSV-3", "2024-01-01T00:00:00Z", "zlib"));
    CHECK_INT(b.message_count, 3);
    close_with(&b, &routes);
}

/* A crash takes the step with it: what was not committed was not handed out. */
static void crashed(void)
{
    static struct bench b;
    struct routes routes;
    test("after a crash what was handed out is handed out again under the same id");
    open_with(&b, &routes, both);
    inventory(&b, "gateway");
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"));
    CHECK_INT(b.message_count, 2);
    struct hash id = b.messages[0].id;
    store_memory_crash(b.store);
    again(&b);
    CHECK_INT(b.message_count, 2);
    CHECK(hash_eq(&b.messages[0].id, &id) && hash_eq(&b.messages[1].id, &id));
    close_with(&b, &routes);
}

static void listing(struct bench *b, struct notice_filter filter, uint32_t want, const char *words)
{
    const struct json *rows = NULL;
    struct arena arena;
    struct buf out;
    arena_init(&arena, 64 << 20);
    buf_init(&out, 16 << 20);
    CHECK_INT(node_notices_json(b->node, &filter, &out), 0);
    CHECK_INT(json_parse(&rows, buf_view(&out), 16 << 20, &arena, NULL), 0);
    CHECK_INT(rows ? rows->count : UINT32_MAX, want);
    buf_byte(&out, 0);
    CHECK(!words || strstr((const char *)out.data, words));
    buf_free(&out);
    arena_free(&arena);
}

static void acknowledged(void)
{
    static struct bench b;
    struct routes routes;
    struct hash notice;
    test("acknowledged once, by whom and when, alone or with all of a message; what is not is open");
    open_with(&b, &routes, both);
    inventory(&b, "gateway");
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"));
    stated(&b, osv("OSV-2", "2024-01-01T00:00:00Z", "zlib"));
    struct notice_filter all = notice_filter_all, open = {.verdict = -1, .open = true};
    listing(&b, all, 3, "\"acknowledged\":null");
    listing(&b, open, 3, NULL);
    b.now_ms += 60000;
    bench_step(&b, (struct event){.kind = EVENT_ACK,
                                  .hash = b.messages[0].id,
                                  .name = span_str("uid 7"),
                                  .body = span_str("patching \"now\"")});
    CHECK_INT(b.status, 200);
    buf_byte(&b.answer, 0);
    CHECK(strstr((const char *)b.answer.data, "{\"notices\":2,\"newly\":2,\"acknowledged\":{\"at\":\""));
    CHECK(strstr((const char *)b.answer.data, "\"by\":\"uid 7\",\"note\":\"patching \\\"now\\\"\"}}"));
    listing(&b, open, 1, NULL);
    b.now_ms += 60000;
    bench_step(&b, (struct event){.kind = EVENT_ACK, .hash = b.messages[0].id, .name = span_str("uid 8")});
    CHECK_INT(b.status, 200);
    buf_byte(&b.answer, 0);
    CHECK(strstr((const char *)b.answer.data, "\"newly\":0,") &&
          strstr((const char *)b.answer.data, "\"by\":\"uid 7\""));
    memset(&notice, 7, sizeof notice);
    bench_step(&b, (struct event){.kind = EVENT_ACK, .hash = notice, .name = span_str("uid 7")});
    CHECK_INT(b.status, 404);
    bench_step(&b, (struct event){.kind = EVENT_ACK, .hash = b.messages[2].id, .body = span_str("two\nlines")});
    CHECK_INT(b.status, 400);
    listing(&b, open, 1, NULL);
    again(&b);
    listing(&b, open, 1, NULL);
    close_with(&b, &routes);
}

static void filtered(void)
{
    static struct bench b;
    struct routes routes;
    test("listed by inventory, advisory, verdict, time and number; what is replaced is not open");
    open_with(&b, &routes, both);
    inventory(&b, "gateway");
    inventory(&b, "server");
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "zlib"));
    b.now_ms += 60000;
    stated(&b, osv("OSV-1", "2024-02-01T00:00:00Z", "xz-utils")); /* clears zlib1g twice, affects four */
    listing(&b, notice_filter_all, 8, "\"replaced\":true");
    listing(&b, (struct notice_filter){.verdict = -1, .inventory = span_str("server")}, 4, NULL);
    listing(&b, (struct notice_filter){.verdict = -1, .inventory = span_str("serve")}, 0, NULL);
    listing(&b, (struct notice_filter){.verdict = NOTICE_CLEARED}, 2, "no longer affected");
    listing(&b, (struct notice_filter){.verdict = -1, .advisory = span_str("OSV-1")}, 8, NULL);
    listing(&b, (struct notice_filter){.verdict = -1, .advisory = span_str("OSV-2")}, 0, NULL);
    listing(&b, (struct notice_filter){.verdict = -1, .since = b.now_ms / 1000}, 6, NULL);
    listing(&b, (struct notice_filter){.verdict = -1, .open = true}, 6, "\"replaced\":false");
    listing(&b, (struct notice_filter){.verdict = -1, .limit = 3}, 3, NULL);
    close_with(&b, &routes);
}

static void fed(void)
{
    static struct bench b;
    struct routes routes;
    struct buf out;
    test("the feed has the newest hundred");
    open_with(&b, &routes, both);
    for (int i = 0; i < 35; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "host-%d", i);
        inventory(&b, name);
    }
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"));
    for (int round = 0; round < 2; round++) {
        size_t entries = 0;
        buf_init(&out, 16 << 20);
        CHECK_INT(node_notices_atom(b.node, &out), 0);
        buf_byte(&out, 0);
        for (const char *at = (const char *)out.data; (at = strstr(at, "<entry>")); at++)
            entries++;
        CHECK_INT(entries, round ? 100 : 70);
        CHECK(strstr((const char *)out.data, "xmlns=\"http://www.w3.org/2005/Atom\""));
        buf_free(&out);
        stated(&b, osv("OSV-2", "2024-01-01T00:00:00Z", "zlib"));
    }
    close_with(&b, &routes);
}

int main(void)
{
    grouped();
    later();
    routed();
    digest();
    daily();
    configured();
    crashed();
    acknowledged();
    filtered();
    fed();
    return test_end();
}
