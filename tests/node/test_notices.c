/* Which advisories count and what becomes of them: notices once, revisions that replace, what is withdrawn, what must not count. */
#include "format/json.h"
#include "tests/node/subject.h"

enum { SELF = 0, WRITER = 4, OTHER = 5, PARTIES = 6, COMMITTEE = 4 };

static const char sbom[] = "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":["
                           "{\"type\":\"library\",\"name\":\"liblzma5\",\"version\":\"5.6.0-0.2\","
                           "\"purl\":\"pkg:deb/debian/liblzma5@5.6.0-0.2?distro=debian-13&upstream=xz-utils\"},"
                           "{\"type\":\"library\",\"name\":\"zlib1g\",\"version\":\"1:1.3-3\","
                           "\"purl\":\"pkg:deb/debian/zlib1g@1:1.3-3?distro=debian-13&upstream=zlib\"}]}";

/* An OSV record that affects these Debian packages below 9. */
static const char *osv(const char *id, const char *modified, bool withdrawn, const char *const packages[2])
{
    static char text[8][4096];
    static unsigned turn;
    char *out = text[turn++ % 8];
    int n = snprintf(out, sizeof text[0],
                     "{\"schema_version\":\"1.6.0\",\"id\":\"%s\",\"modified\":\"%s\",%s\"affected\":[", id, modified,
                     withdrawn ? "\"withdrawn\":\"2024-05-01T00:00:00Z\"," : "");
    for (int i = 0; i < 2 && packages[i]; i++)
        n += snprintf(out + n, sizeof text[0] - (size_t)n,
                      "%s{\"package\":{\"ecosystem\":\"Debian\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
                      "\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"9:9\"}]}]}",
                      i ? "," : "", packages[i]);
    (void)snprintf(out + n, sizeof text[0] - (size_t)n, "]}");
    return out;
}

/* A CSAF document about liblzma5 5.6.0-0.2 in this version and with this status. */
static const char *csaf(const char *version, const char *status)
{
    static char text[8][4096];
    static unsigned turn;
    char *out = text[turn++ % 8];
    (void)snprintf(
        out, sizeof text[0],
        "{\"document\":{\"csaf_version\":\"2.0\",\"title\":\"xz\",\"publisher\":{\"name\":\"p04\"},"
        "\"tracking\":{\"id\":\"EX-1\",\"version\":\"%s\",\"current_release_date\":\"2024-04-01T00:00:00Z\"}},"
        "\"product_tree\":{\"full_product_names\":[{\"product_id\":\"A\",\"name\":\"xz\","
        "\"product_identification_helper\":{\"purl\":\"pkg:deb/debian/xz-utils@5.6.0-0.2\"}}]},"
        "\"vulnerabilities\":[{\"cve\":\"CVE-2024-3094\",\"product_status\":{\"%s\":[\"A\"]}}]}",
        version, status);
    return out;
}

static void circle(struct bench *b)
{
    bench_make(b, PARTIES, COMMITTEE, SELF, WRITER);
    bench_start(b);
}

static void inventory(struct bench *b, int want)
{
    bench_step(b, (struct event){.kind = EVENT_INVENTORY, .name = span_str("gateway"), .body = span_str(sbom)});
    CHECK_INT(b->status, want);
}

/* The writer states one more document, and this mirror takes it in. */
static void stated_by(struct bench *b, size_t party, const char *media, const char *document)
{
    size_t size = b->s.size;
    bench_state(b, party, media, span_str(document));
    (void)bench_put(b, span_str(document));
    CHECK_INT(bench_push_checkpoint(b, size, size + 1), 200);
    CHECK_INT(bench_push_entries(b, size, size + 1), 200);
}

static void stated(struct bench *b, const char *document)
{
    stated_by(b, WRITER, strstr(document, "csaf_version") ? "application/csaf+json" : "application/osv+json", document);
}

/* One line a notice: "verdict component advisory-version>replaces-number", where a notice's number is its place from 1. */
static void notices_text(struct bench *b, char out[static 2048])
{
    struct buf json;
    struct arena arena;
    const struct json *rows = NULL;
    size_t n = 0;
    buf_init(&json, 16 << 20);
    arena_init(&arena, 64 << 20);
    CHECK_INT(node_notices_json(b->node, &notice_filter_all, &json), 0);
    CHECK_INT(json_parse(&rows, buf_view(&json), 16 << 20, &arena, NULL), 0);
    out[0] = 0;
    for (uint32_t i = 0; rows && i < rows->count; i++) {
        const struct json *notice = json_get(&rows->child[i], "notice");
        struct span verdict = json_text(notice, "verdict"), replaces = json_text(notice, "replaces"),
                    name = json_text(json_get(notice, "component"), "name");
        uint32_t at = 0;
        for (uint32_t j = 0; replaces.len && j < i; j++)
            if (span_eq(json_text(json_get(&rows->child[j], "notice"), "id"), replaces))
                at = j + 1;
        n += (size_t)snprintf(out + n, 2048 - n, "%.*s %.*s", (int)verdict.len, (const char *)verdict.data,
                              (int)name.len, (const char *)name.data);
        if (replaces.len)
            n += (size_t)snprintf(out + n, 2048 - n, " >%u", (unsigned)at);
        n += (size_t)snprintf(out + n, 2048 - n, "\n");
    }
    arena_free(&arena);
    buf_free(&json);
}

static void notices_are(struct bench *b, const char *want)
{
    char text[2048];
    notices_text(b, text);
    if (strcmp(text, want) != 0)
        printf("# got:  %s# want: %s", text, want);
    CHECK(strcmp(text, want) == 0);
}

static const char *const XZ[2] = {"xz-utils"}, *const ZLIB[2] = {"zlib"}, *const BOTH[2] = {"xz-utils", "zlib"},
                         *const NONE[2] = {0};

static void once(void)
{
    static struct bench b;
    static const char *const channels[] = {"command", NULL};
    test("a notice is recorded once, and handed out until it is taken");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    b.config.channels = channels;
    bench_start(&b);
    inventory(&b, 201);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ));
    notices_are(&b, "affected liblzma5\n");
    CHECK_INT(b.notice_count, 1);
    inventory(&b, 201);
    notices_are(&b, "affected liblzma5\n");
    bench_restart(&b);
    CHECK_INT(b.notice_count, 2);
    CHECK(hash_eq(&b.notices[0], &b.notices[1]));
    bench_step(&b, (struct event){.kind = EVENT_DELIVERED, .name = span_str("command"), .hash = b.notices[0]});
    bench_restart(&b);
    CHECK_INT(b.notice_count, 2);
    notices_are(&b, "affected liblzma5\n");
    bench_close(&b);
}

static void refused(struct bench *b, unsigned want)
{
    struct buf status;
    char text[64];
    (void)snprintf(text, sizeof text, "\"refused_entries\":%u,", want);
    buf_init(&status, 1 << 20);
    node_status_json(b->node, b->now_ms, &status);
    buf_byte(&status, 0);
    CHECK(strstr((const char *)status.data, text) != NULL);
    buf_free(&status);
}

/* A statement counts in its issuer's log only: a copy is mirrored and cosigned, and means nothing. */
static void copied(void)
{
    static struct bench b;
    test("a statement copied from another party's log does not count");
    circle(&b);
    inventory(&b, 201);
    stated_by(&b, OTHER, "application/osv+json", osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ));
    notices_are(&b, "");
    refused(&b, 1);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ));
    notices_are(&b, "affected liblzma5\n");
    refused(&b, 1);
    bench_close(&b);
}

/* The same bytes again at a later index count at the lowest alone. */
static void twice(void)
{
    static struct bench b;
    struct buf json;
    struct fault fault = {0};
    test("a statement that stands twice in its log counts at its lowest index");
    circle(&b);
    inventory(&b, 201);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ));
    stated(&b, osv("OSV-2", "2024-01-01T00:00:00Z", false, NONE));
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ)); /* signatures are deterministic: the same entry */
    CHECK(hash_eq(&b.s.leaves[0], &b.s.leaves[2]));
    notices_are(&b, "affected liblzma5\n");
    buf_init(&json, 65536);
    CHECK_INT(node_statement_json(b.node, &b.s.leaves[2], &json, &fault), 0);
    buf_byte(&json, 0);
    CHECK(strstr((const char *)json.data, "\"index\":0,") != NULL);
    buf_free(&json);
    bench_close(&b);
}

static void withdrawn(void)
{
    static struct bench b;
    test("a withdrawn advisory clears whoever was told, once");
    circle(&b);
    inventory(&b, 201);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, BOTH));
    notices_are(&b, "affected liblzma5\naffected zlib1g\n");
    stated(&b, osv("OSV-1", "2024-02-01T00:00:00Z", true, BOTH));
    notices_are(&b, "affected liblzma5\naffected zlib1g\n"
                    "no longer affected liblzma5 >1\nno longer affected zlib1g >2\n");
    stated(&b, osv("OSV-1", "2024-03-01T00:00:00Z", true, NONE));
    inventory(&b, 201);
    notices_are(&b, "affected liblzma5\naffected zlib1g\n"
                    "no longer affected liblzma5 >1\nno longer affected zlib1g >2\n");
    stated(&b, osv("OSV-1", "2024-04-01T00:00:00Z", false, XZ)); /* it was right after all */
    notices_are(&b, "affected liblzma5\naffected zlib1g\n"
                    "no longer affected liblzma5 >1\nno longer affected zlib1g >2\naffected liblzma5\n");
    bench_close(&b);
}

static void revised(void)
{
    static struct bench b;
    test("a later revision takes the place of the earlier one");
    circle(&b);
    inventory(&b, 201);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ));
    stated(&b, osv("OSV-1", "2024-02-01T00:00:00+01:00", false, BOTH));
    notices_are(&b, "affected liblzma5\naffected zlib1g\n");
    stated(&b, osv("OSV-1", "2024-01-15T00:00:00Z", false, NONE)); /* older: too late */
    stated(&b, osv("OSV-2", "2024-09-01T00:00:00Z", false, NONE)); /* another advisory */
    notices_are(&b, "affected liblzma5\naffected zlib1g\n");
    stated(&b, osv("OSV-1", "2024-03-01T00:00:00Z", false, ZLIB)); /* takes back what an earlier revision said */
    notices_are(&b, "affected liblzma5\naffected zlib1g\nno longer affected liblzma5 >1\n");
    bench_close(&b);
}

static void revised_csaf(void)
{
    static struct bench b;
    test("CSAF: by the tracking version, as an integer or SemVer; fixed, not affected, or not listed any more");
    circle(&b);
    inventory(&b, 201);
    stated(&b, csaf("9", "known_affected"));
    stated(&b, csaf("10", "fixed"));
    notices_are(&b, "affected liblzma5\nno longer affected liblzma5 >1\n");
    stated(&b, csaf("9.1.0", "known_affected")); /* 9.1.0 < 10 */
    notices_are(&b, "affected liblzma5\nno longer affected liblzma5 >1\n");
    stated(&b, csaf("10.1.0", "known_affected"));
    stated(&b, csaf("10.2.0", "known_not_affected"));
    notices_are(
        &b, "affected liblzma5\nno longer affected liblzma5 >1\naffected liblzma5\nno longer affected liblzma5 >3\n");
    stated(&b, csaf("11.0.0", "under_investigation"));
    notices_are(&b,
                "affected liblzma5\nno longer affected liblzma5 >1\naffected liblzma5\nno longer affected liblzma5 >3\n"
                "undecided liblzma5\n");
    stated(&b, csaf("11.0.0", "recommended")); /* alike: the one stated later */
    notices_are(&b,
                "affected liblzma5\nno longer affected liblzma5 >1\naffected liblzma5\nno longer affected liblzma5 >3\n"
                "undecided liblzma5\nno longer affected liblzma5 >5\n");
    bench_close(&b);
}

/* Two revisions' documents come in the wrong order; then all is derived anew. */
static void orders(void)
{
    static struct bench b;
    int result = 1;
    const char *first = osv("OSV-1", "2024-01-01T00:00:00Z", false, BOTH),
               *second = osv("OSV-1", "2024-02-01T00:00:00Z", false, ZLIB);
    test("an older revision whose document comes late tells nothing, nor does a rebuild");
    circle(&b);
    inventory(&b, 201);
    bench_state(&b, WRITER, "application/osv+json", span_str(first));
    bench_state(&b, WRITER, "application/osv+json", span_str(second));
    CHECK_INT(bench_push_checkpoint(&b, 0, 2), 200);
    CHECK_INT(bench_push_entries(&b, 0, 2), 503);
    CHECK_INT(bench_put(&b, span_str(second)), 201);
    CHECK_INT(bench_put(&b, span_str(first)), 201);
    notices_are(&b, "affected zlib1g\n");
    node_rebuild(b.node, &result);
    CHECK_INT(result, 0);
    notices_are(&b, "affected zlib1g\n");
    bench_close(&b);
}

/* Only advisories that count meet an inventory that comes later. */
static void late_inventory(void)
{
    static struct bench b;
    test("a later inventory meets the latest revisions alone");
    circle(&b);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, BOTH));
    stated(&b, osv("OSV-1", "2024-02-01T00:00:00Z", false, XZ));
    stated(&b, osv("OSV-2", "2024-01-01T00:00:00Z", false, ZLIB));
    stated(&b, osv("OSV-2", "2024-02-01T00:00:00Z", true, ZLIB));
    inventory(&b, 201);
    notices_are(&b, "affected liblzma5\n");
    buf_byte(&b.answer, 0);
    CHECK(strstr((const char *)b.answer.data, "\"advisories\":2,\"affected\":1,\"undecided\":0") != NULL);
    bench_close(&b);
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

static void dump_take(struct bench *b, struct buf *dump)
{
    buf_init(dump, 16 << 20);
    CHECK_INT(b->store->ops->views_dump(b->store, dump_visit, dump), 0);
    CHECK(dump->len > 0);
}

static void rebuilt(void)
{
    static struct bench b;
    struct buf before, after;
    int result = 1;
    test("derived anew, the views are the same byte for byte");
    circle(&b);
    inventory(&b, 201);
    stated(&b, osv("OSV-1", "2024-02-01T00:00:00Z", false, XZ));
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, BOTH));
    stated(&b, csaf("2", "known_affected"));
    stated(&b, csaf("3", "fixed"));
    dump_take(&b, &before);
    node_rebuild(b.node, &result);
    CHECK_INT(result, 0);
    dump_take(&b, &after);
    CHECK(span_eq(buf_view(&before), buf_view(&after)));
    buf_free(&after);
    CHECK_INT(b.store->ops->state_put(b.store, span_str("views"), span_str("1")),
              0); /* as an earlier release left it */
    CHECK_INT(b.store->ops->views_drop(b.store), 0);
    bench_restart(&b);
    dump_take(&b, &after);
    CHECK(span_eq(buf_view(&before), buf_view(&after)));
    notices_are(&b, "affected liblzma5\naffected liblzma5\nno longer affected liblzma5 >2\n");
    buf_free(&before);
    buf_free(&after);
    bench_close(&b);
}

/* Logged when it was made; what the statement is now stands beside it. */
static void standing(void)
{
    static struct bench b;
    struct buf note, json;
    char since[21], want[128];
    test("a notice says whether its advisory stood; that it stands later is shown, and makes no second one");
    circle(&b);
    inventory(&b, 201);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ));
    buf_init(&json, 65536);
    CHECK_INT(node_notices_json(b.node, &notice_filter_all, &json), 0);
    buf_byte(&json, 0);
    CHECK(strstr((const char *)json.data, "\"seq\":") &&
          strstr((const char *)json.data, ",\"state\":\"logged\",\"standing_since\":\"\",\"group\":\""));
    bench_note(&b, 1, 1 << 1 | 1 << 2 | 1 << 3, &note); /* three of four mirrors */
    CHECK_INT(bench_request(&b, REQ_ANNOUNCE, buf_view(&note), NULL), 200);
    buf_reset(&json);
    CHECK_INT(node_notices_json(b.node, &notice_filter_all, &json), 0);
    buf_byte(&json, 0);
    time_format(subject_time(3), since);
    (void)snprintf(want, sizeof want, ",\"state\":\"standing\",\"standing_since\":\"%s\",\"group\":\"", since);
    CHECK(strstr((const char *)json.data, want) != NULL);
    CHECK(strstr((const char *)json.data, "\"state\":\"logged\",\"standing_since\":\"\",\"withdrawn\"") != NULL);
    notices_are(&b, "affected liblzma5\n");
    bench_step(&b, (struct event){.kind = EVENT_INVENTORY, .name = span_str("second"), .body = span_str(sbom)});
    buf_reset(&json);
    CHECK_INT(node_notices_json(b.node, &notice_filter_all, &json), 0);
    buf_byte(&json, 0);
    (void)snprintf(want, sizeof want, "\"state\":\"standing\",\"standing_since\":\"%s\",\"withdrawn\"", since);
    CHECK(strstr((const char *)json.data, want) != NULL);
    buf_free(&note);
    buf_free(&json);
    bench_close(&b);
}

static void critical(void)
{
    static struct bench b;
    struct buf json;
    test("of one advisory the notices of critical inventories come first, and say so, and the sector");
    circle(&b);
    inventory(&b, 201);
    bench_step(&b, (struct event){.kind = EVENT_INVENTORY,
                                  .name = span_str("grid"),
                                  .body = span_str(sbom),
                                  .critical = true,
                                  .sector = span_str("energy")});
    CHECK_INT(b.status, 201);
    buf_byte(&b.answer, 0);
    CHECK(strstr((const char *)b.answer.data, "\"added\":2,\"removed\":0,\"unchanged\":0,\"notices\":0}") != NULL);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ));
    bench_restart(&b); /* the marks are kept */
    stated(&b, osv("OSV-2", "2024-01-01T00:00:00Z", false, XZ));
    buf_init(&json, 65536);
    CHECK_INT(node_notices_json(b.node, &notice_filter_all, &json), 0);
    buf_byte(&json, 0);
    const char *at = (const char *)json.data;
    for (int i = 0; i < 2; i++) {
        at = at ? strstr(at, "\"inventory\":\"grid\",\"critical\":true,\"sector\":\"energy\",") : NULL;
        at = at ? strstr(at, "\"inventory\":\"gateway\",\"critical\":false,\"sector\":\"\",") : NULL;
        CHECK(at != NULL);
    }
    notices_are(&b, "affected liblzma5\naffected liblzma5\naffected liblzma5\naffected liblzma5\n");
    inventory(&b, 201); /* the same again */
    buf_byte(&b.answer, 0);
    CHECK(strstr((const char *)b.answer.data,
                 "\"affected\":2,\"undecided\":0,\"added\":0,\"removed\":0,\"unchanged\":2,\"notices\":0}") != NULL);
    buf_free(&json);
    bench_close(&b);
}

/* Earlier releases kept each file in the journal. */
static void taken_over(void)
{
    static struct bench b;
    static const char *const bodies[] = {"\n{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[]}",
                                         sbom, "\nno inventory of any kind"};
    test("inventories of an earlier release's journal are taken over, the last of each name, once");
    bench_make(&b, PARTIES, COMMITTEE, SELF, WRITER);
    CHECK_INT(b.store->ops->begin(b.store), 0);
    for (int i = 0; i < 3; i++) {
        char key[32], body[2048];
        int64_t seq;
        (void)snprintf(key, sizeof key, "%s\n%d\nab", i == 2 ? "broken" : "gateway", i);
        (void)snprintf(body, sizeof body, "%s%s", i == 1 ? "Debian:13\n" : "", bodies[i]);
        CHECK_INT(b.store->ops->journal_append(b.store, 1, span_str("inventory"), span_str(key), span_str(body), &seq),
                  0);
    }
    CHECK_INT(b.store->ops->commit(b.store), 0);
    bench_start(&b);
    stated(&b, osv("OSV-1", "2024-01-01T00:00:00Z", false, XZ));
    notices_are(&b, "affected liblzma5\n");
    bench_step(&b, (struct event){.kind = EVENT_INVENTORY,
                                  .name = span_str("gateway"),
                                  .media = span_str("Debian:13"),
                                  .body = span_str(sbom)});
    buf_byte(&b.answer, 0);
    CHECK(strstr((const char *)b.answer.data, "\"added\":0,\"removed\":0,\"unchanged\":2,\"notices\":0}") != NULL);
    bench_step(&b,
               (struct event){.kind = EVENT_INVENTORY, .name = span_str("gateway"), .body = span_str(bodies[0] + 1)});
    bench_restart(&b); /* not out of the journal again */
    notices_are(&b, "affected liblzma5\nno longer affected liblzma5 >1\n");
    bench_close(&b);
}

/* Nothing bounds a title but the document itself. */
static void long_texts(void)
{
    static struct bench b;
    static char document[400000];
    test("an advisory with a title of 300 kB makes a notice of bounded size");
    circle(&b);
    inventory(&b, 201);
    int n =
        snprintf(document, sizeof document,
                 "{\"schema_version\":\"1.6.0\",\"id\":\"OSV-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{"
                 "\"package\":{\"ecosystem\":\"Debian\",\"name\":\"xz-utils\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
                 "\"events\":[{\"introduced\":\"0\"}]}]}],\"summary\":\"");
    for (int i = 0; i < 100000; i++, n += 3)
        memcpy(document + n, "\xe2\x82\xac", 3);
    memcpy(document + n, "\"}", 3);
    stated(&b, document);
    notices_are(&b, "affected liblzma5\n");
    struct buf json;
    buf_init(&json, 16 << 20);
    CHECK_INT(node_notices_json(b.node, &notice_filter_all, &json), 0);
    CHECK(json.len < 10000 && utf8_valid(buf_view(&json)));
    buf_free(&json);
    bench_close(&b);
}

static void names(void)
{
    static const struct {
        struct span name, distribution;
        int want;
    } rows[] = {
        {{(const uint8_t *)"a", 1}, {(const uint8_t *)"", 0}, 201},
        {{(const uint8_t *)"", 0}, {(const uint8_t *)"", 0}, 400},
        {{(const uint8_t *)"caf\xc3\xa9 1", 7}, {(const uint8_t *)"Debian:12", 9}, 201},
        {{(const uint8_t *)"a\nb", 3}, {(const uint8_t *)"", 0}, 400},
        {{(const uint8_t *)"a\rb", 3}, {(const uint8_t *)"", 0}, 400},
        {{(const uint8_t *)"a\0b", 3}, {(const uint8_t *)"", 0}, 400},
        {{(const uint8_t *)"a\x7f", 2}, {(const uint8_t *)"", 0}, 400},
        {{(const uint8_t *)"a\xc2\x85", 3}, {(const uint8_t *)"", 0}, 400},     /* U+0085 */
        {{(const uint8_t *)"a\xe2\x80\xa8", 4}, {(const uint8_t *)"", 0}, 400}, /* U+2028 */
        {{(const uint8_t *)"a\xff", 2}, {(const uint8_t *)"", 0}, 400},
        {{(const uint8_t *)"a", 1}, {(const uint8_t *)"Debian\n12", 9}, 400},
        {{(const uint8_t *)"a", 1}, {(const uint8_t *)"Debian\x1b", 7}, 400},
    };
    static struct bench b;
    char most[65];
    test("an inventory's name and distribution are lines, refused by the engine itself");
    circle(&b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench_step(&b, (struct event){.kind = EVENT_INVENTORY,
                                      .name = rows[i].name,
                                      .media = rows[i].distribution,
                                      .body = span_str(sbom)});
        if (b.status != rows[i].want)
            printf("# row %zu\n", i);
        CHECK_INT(b.status, rows[i].want);
    }
    memset(most, 'a', sizeof most);
    for (size_t len = 63; len <= 64; len++) {
        bench_step(&b, (struct event){.kind = EVENT_INVENTORY, .name = span_of(most, len), .body = span_str(sbom)});
        CHECK_INT(b.status, len == 63 ? 201 : 400);
        bench_step(&b, (struct event){.kind = EVENT_INVENTORY,
                                      .name = span_str("b"),
                                      .media = span_of(most, len),
                                      .body = span_str(sbom)});
        CHECK_INT(b.status, len == 63 ? 201 : 400);
    }
    bench_restart(&b); /* what was taken is read back */
    bench_close(&b);
}

int main(void)
{
    once();
    copied();
    twice();
    withdrawn();
    revised();
    revised_csaf();
    orders();
    late_inventory();
    rebuilt();
    standing();
    critical();
    taken_over();
    long_texts();
    names();
    return test_end();
}
