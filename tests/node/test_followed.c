/* Advisories of feeds: kept apart from the circle's statements, in a circle and in none; revisions, what is gone, what cannot be read. */
#include "crypto/sha256.h"
#include "format/json.h"
#include "node/state.h"
#include "tests/node/subject.h"

enum { SELF = 0, WRITER = 4, PARTIES = 6, COMMITTEE = 4, SEEN = 1700000500 };

static const char sbom[] = "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":["
                           "{\"type\":\"library\",\"name\":\"liblzma5\",\"version\":\"5.6.0-0.2\","
                           "\"purl\":\"pkg:deb/debian/liblzma5@5.6.0-0.2?distro=debian-13&upstream=xz-utils\"}]}";

/* An OSV record that affects this Debian package below 9. */
static const char *osv(const char *id, const char *modified, const char *package)
{
    static char text[16][1024];
    static unsigned turn;
    char *out = text[turn++ % 16];
    (void)snprintf(out, sizeof text[0],
                   "{\"schema_version\":\"1.6.0\",\"id\":\"%s\",\"modified\":\"%s\",\"affected\":[{\"package\":"
                   "{\"ecosystem\":\"Debian\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
                   "\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"9:9\"}]}]}]}",
                   id, modified, package);
    return out;
}

/* In a circle, or in none. */
static void opened(struct bench *b, bool circle)
{
    bench_make(b, PARTIES, COMMITTEE, SELF, WRITER);
    if (!circle)
        b->config.roster = NULL;
    bench_start(b);
    bench_step(b, (struct event){.kind = EVENT_INVENTORY, .name = span_str("gateway"), .body = span_str(sbom)});
    CHECK_INT(b->status, 201);
}

static int follow_as(struct bench *b, const char *feed, const char *url, const char *media, const char *text,
                     int64_t seen)
{
    struct hash hash;
    sha256(span_str(text), &hash);
    const struct followed followed = {.feed = span_str(feed),
                                      .url = span_str(url),
                                      .media = span_str(media),
                                      .bytes = span_str(text),
                                      .hash = &hash,
                                      .seen = seen};
    int rc = advisory_followed(b->node, &followed);
    CHECK_INT(write_commit(b->node), 0);
    return rc;
}

static void follow(struct bench *b, const char *feed, const char *url, const char *text, int64_t seen)
{
    CHECK_INT(follow_as(b, feed, url, "application/osv+json", text, seen), 0);
}

/* A line a notice: verdict, source or issuer, document's first digits when asked for; '>' when it replaces another. */
static void notices_are(struct bench *b, const char *want)
{
    struct buf json;
    struct arena arena;
    const struct json *rows = NULL;
    char text[2048] = "";
    size_t n = 0;
    buf_init(&json, 16 << 20);
    arena_init(&arena, 64 << 20);
    CHECK_INT(node_notices_json(b->node, &notice_filter_all, &json), 0);
    CHECK_INT(json_parse(&rows, buf_view(&json), 16 << 20, &arena, NULL), 0);
    for (uint32_t i = 0; rows && i < rows->count; i++) {
        const struct json *notice = json_get(&rows->child[i], "notice"), *advisory = json_get(notice, "advisory");
        struct span verdict = json_text(notice, "verdict"), source = json_text(advisory, "source"),
                    issuer = json_text(advisory, "issuer");
        CHECK(source.len ? !issuer.len && !json_text(advisory, "statement").len : issuer.len > 0);
        source = source.len ? source : issuer;
        n +=
            (size_t)snprintf(text + n, sizeof text - n, "%.*s %.*s%s\n", (int)verdict.len, (const char *)verdict.data,
                             (int)source.len, (const char *)source.data, json_text(notice, "replaces").len ? " >" : "");
    }
    if (strcmp(text, want) != 0)
        printf("# got:  %s# want: %s", text, want);
    CHECK(strcmp(text, want) == 0);
    arena_free(&arena);
    buf_free(&json);
}

static void shown(struct bench *b, bool status, const char *want)
{
    struct buf json;
    buf_init(&json, 16 << 20);
    if (status)
        node_status_json(b->node, b->now_ms, &json);
    else
        CHECK_INT(node_notices_json(b->node, &notice_filter_all, &json), 0);
    buf_byte(&json, 0);
    if (!strstr((const char *)json.data, want))
        printf("# not in: %s\n", (const char *)json.data);
    CHECK(strstr((const char *)json.data, want) != NULL);
    buf_free(&json);
}

static int count_visit(void *ctx, const struct journal_row *row)
{
    (void)row;
    (*(size_t *)ctx)++;
    return 0;
}

static size_t journalled(struct bench *b, const char *kind)
{
    size_t count = 0;
    CHECK_INT(b->store->ops->journal_scan(b->store, span_str(kind), 0, count_visit, &count), 0);
    return count;
}

static int dump_visit(void *ctx, struct span key, struct span value)
{
    struct buf *dump = ctx;
    buf_u64(dump, key.len);
    buf_span(dump, key);
    buf_u64(dump, value.len);
    buf_span(dump, value);
    return dump->error;
}

/* Derived anew, and again from nothing at a start, the views are the same, and nobody is told anything. */
static void same_again(struct bench *b)
{
    struct buf dumps[3];
    int result = 1;
    size_t notices = journalled(b, "notice");
    for (int i = 0; i < 3; i++) {
        if (i == 1) {
            node_rebuild(b->node, &result);
            CHECK_INT(result, 0);
        } else if (i == 2) {
            CHECK_INT(b->store->ops->state_put(b->store, span_str("views"), span_str("1")), 0);
            CHECK_INT(b->store->ops->views_drop(b->store), 0);
            bench_restart(b);
        }
        buf_init(&dumps[i], 16 << 20);
        CHECK_INT(b->store->ops->views_dump(b->store, dump_visit, &dumps[i]), 0);
    }
    CHECK(dumps[0].len > 0);
    CHECK(span_eq(buf_view(&dumps[0]), buf_view(&dumps[1])));
    CHECK(span_eq(buf_view(&dumps[0]), buf_view(&dumps[2])));
    for (int i = 0; i < 3; i++)
        buf_free(&dumps[i]);
    CHECK_INT(journalled(b, "notice"), notices);
}

static void counts(bool circle)
{
    static struct bench b;
    const char *first = osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"),
               *second = osv("OSV-1", "2024-01-01T00:00:00Z", "zlib");
    opened(&b, circle);
    follow(&b, "osv", "https://feeds.example/1.json", first, SEEN);
    notices_are(&b, "affected feed:osv\n");
    shown(&b, false, "\"state\":\"followed\",\"standing_since\":\"\",\"gone_since\":\"\",\"group\":\"");
    shown(&b, false,
          "\"source\":\"feed:osv\",\"url\":\"https://feeds.example/1.json\",\"seen_at\":\"2023-11-14T22:21:40Z\","
          "\"state\":\"followed\"");
    follow(&b, "osv", "https://feeds.example/1.json", first, SEEN + 1);
    CHECK_INT(journalled(&b, "followed"), 1);
    follow(&b, "osv", "https://feeds.example/copy.json", first, SEEN + 1); /* the same bytes in another place */
    CHECK_INT(journalled(&b, "followed"), 2);
    notices_are(&b, "affected feed:osv\n");
    follow(&b, "osv", "https://feeds.example/1.json", second, SEEN + 2); /* changed in silence */
    notices_are(&b, "affected feed:osv\nno longer affected feed:osv >\n");
    follow(&b, "osv", "https://feeds.example/1.json", osv("OSV-1", "2023-01-01T00:00:00Z", "xz-utils"), SEEN + 3);
    notices_are(&b, "affected feed:osv\nno longer affected feed:osv >\n"); /* an older one */
    same_again(&b);
    follow(&b, "osv", "https://feeds.example/1.json", first, SEEN + 4); /* and back */
    notices_are(&b, "affected feed:osv\nno longer affected feed:osv >\naffected feed:osv\n");
    follow(&b, "other", "https://feeds.example/1.json", first, SEEN + 5);
    notices_are(&b, "affected feed:osv\nno longer affected feed:osv >\naffected feed:osv\naffected feed:other\n");
    same_again(&b);
    bench_step(&b, (struct event){.kind = EVENT_INVENTORY, .name = span_str("second"), .body = span_str(sbom)});
    CHECK_INT(journalled(&b, "notice"), 6);
    bench_close(&b);
}

static void gone(void)
{
    static struct bench b;
    test("what is gone at its source is recorded, shown, and goes on counting");
    opened(&b, false);
    follow(&b, "osv", "https://feeds.example/1.json", osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"), SEEN);
    CHECK_INT(advisory_gone(b.node, span_str("osv"), span_str("https://feeds.example/2.json"), SEEN), E_NOTFOUND);
    for (int i = 1; i < 3; i++) {
        CHECK_INT(advisory_gone(b.node, span_str("osv"), span_str("https://feeds.example/1.json"), SEEN + i), 0);
        CHECK_INT(write_commit(b.node), 0);
        CHECK_INT(journalled(&b, "followed"), 2);
    }
    shown(&b, false, "\"state\":\"followed\",\"standing_since\":\"\",\"gone_since\":\"2023-11-14T22:21:41Z\"");
    shown(&b, true,
          "\"feeds\":[{\"name\":\"osv\",\"followed\":false,\"documents\":1,\"unreadable\":0,\"gone\":1,\"silent\":0}]");
    same_again(&b);
    bench_step(&b, (struct event){.kind = EVENT_INVENTORY, .name = span_str("second"), .body = span_str(sbom)});
    notices_are(&b, "affected feed:osv\naffected feed:osv\n");
    follow(&b, "osv", "https://feeds.example/1.json", osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"), SEEN + 9);
    CHECK_INT(journalled(&b, "followed"), 3); /* it is back */
    shown(&b, false, "\"gone_since\":\"\"");
    shown(&b, true, "\"gone\":0,\"silent\":0}]");
    notices_are(&b, "affected feed:osv\naffected feed:osv\n");
    same_again(&b);
    bench_close(&b);
}

static void unreadable(void)
{
    static struct bench b;
    test("what cannot be read as an advisory is kept and counted, and does no harm");
    opened(&b, false);
    CHECK_INT(follow_as(&b, "csaf", "https://feeds.example/a", "application/csaf+json", "{", SEEN), 0);
    CHECK_INT(follow_as(&b, "csaf", "https://feeds.example/b", "application/example", "{}", SEEN), 0);
    CHECK_INT(follow_as(&b, "csaf", "https://feeds.example/c", "application/osv+json",
                        osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"), SEEN),
              0);
    shown(
        &b, true,
        "\"feeds\":[{\"name\":\"csaf\",\"followed\":false,\"documents\":3,\"unreadable\":2,\"gone\":0,\"silent\":0}]");
    CHECK_INT(journalled(&b, "followed"), 3);
    same_again(&b);
    CHECK_INT(follow_as(&b, "csaf", "https://feeds.example/a", "application/osv+json",
                        osv("OSV-2", "2024-01-01T00:00:00Z", "zlib"), SEEN),
              0);
    CHECK_INT(follow_as(&b, "csaf", "https://feeds.example/c", "application/osv+json", "[]", SEEN), 0);
    shown(&b, true, "\"documents\":3,\"unreadable\":2,");
    bench_step(&b, (struct event){.kind = EVENT_INVENTORY, .name = span_str("second"), .body = span_str(sbom)});
    notices_are(&b, "affected feed:csaf\naffected feed:csaf\n"); /* what was there last that could be read */
    same_again(&b);
    bench_close(&b);
}

static void refused(void)
{
    static struct bench b;
    static char url[FOLLOWED_URL_MAX + 2];
    static const struct {
        const char *feed, *url, *media;
        int want;
        int64_t seen;
    } rows[] = {
        {"Osv", "u", "m", E_SYNTAX, SEEN},   {"feed:osv", "u", "m", E_SYNTAX, SEEN},
        {"", "u", "m", E_SYNTAX, SEEN},      {"osv", "", "m", E_SYNTAX, SEEN},
        {"osv", "u\n", "m", E_SYNTAX, SEEN}, {"osv", "u", "m\n", E_SYNTAX, SEEN},
        {"osv", "u", "", E_SYNTAX, SEEN},    {"osv", url, "m", E_LIMIT, SEEN},
        {"osv", "u", "m", E_LIMIT, 0},       {"osv", "u", "m", E_LIMIT, 1ll << 40},
    };
    struct hash wrong = {{1}};
    test("fields that no feed can have are refused, and nothing is kept");
    memset(url, 'u', FOLLOWED_URL_MAX + 1);
    opened(&b, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_INT(follow_as(&b, rows[i].feed, rows[i].url, rows[i].media, "{}", rows[i].seen), rows[i].want);
    CHECK_INT(advisory_followed(b.node, &(struct followed){.feed = span_str("osv"),
                                                           .url = span_str("u"),
                                                           .media = span_str("m"),
                                                           .hash = &wrong,
                                                           .seen = SEEN}),
              E_HASH);
    CHECK_INT(journalled(&b, "followed"), 0);
    url[FOLLOWED_URL_MAX] = 0;
    CHECK_INT(follow_as(&b, "osv", url, "m", "{}", SEEN), 0);
    bench_close(&b);
}

/* The writer states it, and this mirror takes it in. */
static void stated(struct bench *b, const char *document, bool put)
{
    size_t size = b->s.size;
    bench_state(b, WRITER, "application/osv+json", span_str(document));
    if (put)
        (void)bench_put(b, span_str(document));
    CHECK_INT(bench_push_checkpoint(b, size, size + 1), 200);
    CHECK_INT(bench_push_entries(b, size, size + 1), 200);
}

static int served(struct bench *b, const char *document)
{
    struct hash hash;
    char path[96] = "/documents/";
    struct served out = {0};
    sha256(span_str(document), &hash);
    hash_hex(&hash, path + strlen(path));
    buf_init(&out.body, 1 << 20);
    node_serve(b->node, span_str(path), true, &out);
    buf_free(&out.body);
    return out.status;
}

static void apart(void)
{
    static struct bench b;
    const char *first = osv("OSV-1", "2024-01-01T00:00:00Z", "xz-utils"),
               *later = osv("OSV-1", "2024-02-01T00:00:00Z", "zlib");
    test("a feed's revision and a party's never replace each other; the document of a feed is served only once it is "
         "stated");
    opened(&b, true);
    follow(&b, "osv", "https://feeds.example/1.json", first, SEEN);
    CHECK(served(&b, first) != 200);
    stated(&b, first, false); /* held already: nobody needs to send it */
    CHECK_INT(served(&b, first), 200);
    notices_are(&b, "affected feed:osv\naffected p04\n");
    follow(&b, "osv", "https://feeds.example/1.json", later, SEEN + 1);
    notices_are(&b, "affected feed:osv\naffected p04\nno longer affected feed:osv >\n");
    stated(&b, osv("OSV-1", "2024-03-01T00:00:00Z", "zlib"), true);
    notices_are(&b, "affected feed:osv\naffected p04\nno longer affected feed:osv >\n"
                    "no longer affected p04 >\n");
    follow(&b, "copy", "https://copies.example/1.json", first, SEEN + 2); /* what is stated stays open */
    CHECK_INT(served(&b, first), 200);
    same_again(&b);
    bench_close(&b);
}

int main(void)
{
    test("in no circle: a feed's latest revision counts, seen when, and told once");
    counts(false);
    test("in a circle: the same");
    counts(true);
    gone();
    unreadable();
    refused();
    apart();
    return test_end();
}
