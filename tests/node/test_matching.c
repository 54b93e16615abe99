/* After any series of advisories, revisions, withdrawals, inventories and starts, what the owner was told is what brute force finds in what is
   held: everything newly true was told, everything no longer true was taken back, and nothing was said twice. */
#include <stdlib.h>

#include "affected/match.h"
#include "crypto/sha256.h"
#include "format/json.h"
#include "node/state.h"
#include "store/sqlite.h"
#include "tests/node/subject.h"

enum { INVENTORIES = 3, ADVISORIES = 6, COMPONENTS = 8, KEYS_MAX = 4096, SEEN = 1700000500, ROUNDS = 60, STEPS = 40 };

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 11) % below);
}

static const char *const sources[] = {"xz-utils", "zlib", "openssl", "glibc"};
static const char *const binaries[] = {"liblzma5", "zlib1g", "openssl", "libc6"};
static const char *const versions[] = {"1.0-1", "1.0-1+b1", "1.1-1", "2.0-1", "2.0-1~rc1", "3.0-2"};
enum { NAMES = 4, VERSIONS = 6 };

/* What is held, as documents. */
static char advisories[ADVISORIES][8192];
static bool csaf_kind[ADVISORIES];
static char inventories[INVENTORIES][8192];
static unsigned revision;

static void osv_draw(unsigned a)
{
    char *out = advisories[a];
    unsigned rows = draw(4);
    int n = snprintf(out, sizeof advisories[a],
                     "{\"schema_version\":\"1.6.0\",\"id\":\"OSV-%u\",\"modified\":\"2024-01-01T%02u:%02u:%02uZ\",%s"
                     "\"affected\":[",
                     a, revision / 3600 % 24, revision / 60 % 60, revision % 60,
                     draw(6) ? "" : "\"withdrawn\":\"2024-05-01T00:00:00Z\",");
    for (unsigned r = 0; r < rows; r++) {
        unsigned name = draw(NAMES);
        n +=
            snprintf(out + n, sizeof advisories[a] - (size_t)n, "%s{\"package\":{\"ecosystem\":\"%s\",\"name\":\"%s\"}",
                     r ? "," : "", draw(4) ? "Debian:13" : "Debian", draw(3) ? sources[name] : binaries[name]);
        if (draw(4))
            n += snprintf(
                out + n, sizeof advisories[a] - (size_t)n,
                ",\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"%s\"},{\"fixed\":\"%s\"}]}]",
                draw(2) ? "0" : versions[draw(VERSIONS)], versions[draw(VERSIONS)]);
        if (!draw(3))
            n += snprintf(out + n, sizeof advisories[a] - (size_t)n, ",\"versions\":[\"%s\"]",
                          draw(8) ? versions[draw(VERSIONS)] : "no version");
        n += snprintf(out + n, sizeof advisories[a] - (size_t)n, "}");
    }
    (void)snprintf(out + n, sizeof advisories[a] - (size_t)n, "]}");
}

static void csaf_draw(unsigned a)
{
    static const char *const statuses[] = {"known_affected", "fixed", "known_not_affected", "under_investigation",
                                           "recommended"};
    char *out = advisories[a];
    enum { PRODUCTS = 4 };
    int n =
        snprintf(out, sizeof advisories[a],
                 "{\"document\":{\"csaf_version\":\"2.0\",\"title\":\"t\",\"publisher\":{\"name\":\"p\"},\"tracking\":"
                 "{\"id\":\"EX-%u\",\"version\":\"%u\",\"current_release_date\":\"2024-04-01T00:00:00Z\"}},"
                 "\"product_tree\":{\"full_product_names\":[",
                 a, revision);
    for (unsigned p = 0; p < PRODUCTS; p++) {
        unsigned name = draw(NAMES);
        n += snprintf(out + n, sizeof advisories[a] - (size_t)n,
                      draw(3) ? "%s{\"product_id\":\"P%u\",\"name\":\"x\",\"product_identification_helper\":{\"purl\":"
                                "\"pkg:deb/debian/%s@%s\"}}"
                              : "%s{\"product_id\":\"P%u\",\"name\":\"x\",\"product_identification_helper\":{\"cpe\":"
                                "\"cpe:2.3:a:example:%s:%s:*:*:*:*:*:*:*\"}}",
                      p ? "," : "", p, draw(2) ? sources[name] : binaries[name], versions[draw(VERSIONS)]);
    }
    n += snprintf(out + n, sizeof advisories[a] - (size_t)n,
                  "]},\"vulnerabilities\":[{\"cve\":\"CVE-2024-1\",\"product_status\":{");
    for (unsigned s = 0, first = 1; s < sizeof statuses / sizeof statuses[0]; s++)
        if (draw(2)) {
            n += snprintf(out + n, sizeof advisories[a] - (size_t)n, "%s\"%s\":[\"P%u\"]", first ? "" : ",",
                          statuses[s], draw(PRODUCTS));
            first = 0;
        }
    (void)snprintf(out + n, sizeof advisories[a] - (size_t)n, "}}]}");
}

static int component_draw(char *out, size_t size)
{
    unsigned name = draw(NAMES);
    const char *version = versions[draw(VERSIONS)], *source = versions[draw(VERSIONS)];
    switch (draw(10)) {
    case 8:
        return snprintf(out, size,
                        "{\"type\":\"application\",\"name\":\"%s\",\"version\":\"%s\",\"cpe\":"
                        "\"cpe:2.3:a:example:%s:%s:*:*:*:*:*:*:*\"%s%s%s}",
                        binaries[name], version, sources[name], version,
                        draw(2) ? ",\"purl\":\"pkg:generic/" : ",\"purl\":\"pkg:deb/debian/", binaries[name],
                        "@1.0-1\"");
    case 9:
        return snprintf(out, size,
                        "{\"type\":\"device\",\"name\":\"%s\",\"version\":\"%s\",\"supplier\":{\"name\":\"Example "
                        "Works\"}}",
                        sources[name], version);
    case 0:
        return snprintf(out, size, "{\"type\":\"library\",\"name\":\"%s\",\"version\":\"%s\"}", binaries[name],
                        version);
    case 1:
        return snprintf(out, size,
                        "{\"type\":\"library\",\"name\":\"x\",\"purl\":\"pkg:deb/debian/%s?distro=debian-13\"}",
                        binaries[name]);
    case 2:
        return snprintf(out, size,
                        "{\"type\":\"library\",\"name\":\"x\",\"version\":\"%s\",\"purl\":"
                        "\"pkg:deb/debian/%s@%s?distro=debian-13\"}",
                        version, binaries[name], version);
    default:
        return snprintf(out, size,
                        "{\"type\":\"library\",\"name\":\"x\",\"version\":\"%s\",\"purl\":"
                        "\"pkg:deb/debian/%s@%s?distro=debian-13&upstream=%s%s%s\"}",
                        version, binaries[name], version, sources[name], draw(2) ? "%40" : "", source);
    }
}

/* Most components stay. */
static void inventory_draw(unsigned number)
{
    static char parts[INVENTORIES][COMPONENTS][512];
    static bool present[INVENTORIES][COMPONENTS];
    char *out = inventories[number];
    bool first = true;
    int n = snprintf(out, sizeof inventories[number],
                     "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":[");
    for (unsigned i = 0; i < COMPONENTS; i++) {
        if (!draw(3)) {
            present[number][i] = draw(3) != 0;
            (void)component_draw(parts[number][i], sizeof parts[number][i]);
        }
        if (present[number][i] && parts[number][i][0]) {
            n += snprintf(out + n, sizeof inventories[number] - (size_t)n, "%s%s", first ? "" : ",", parts[number][i]);
            first = false;
        }
    }
    (void)snprintf(out + n, sizeof inventories[number] - (size_t)n, "]}");
}

/* What is true, and what was told: by a text that names advisory, inventory and component as a notice does. */
struct known {
    char key[512];
    enum verdict verdict; /* NONE: taken back */
    char id[65];
};
static struct known truth[KEYS_MAX], told[KEYS_MAX];
static size_t truth_count, told_count;

static struct known *known_of(struct known *list, size_t *count, const char *key)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].key, key) == 0)
            return &list[i];
    if (*count == KEYS_MAX)
        abort();
    struct known *made = &list[(*count)++];
    memset(made, 0, sizeof *made);
    (void)snprintf(made->key, sizeof made->key, "%s", key);
    return made;
}

static void key_write(char out[static 512], struct span advisory, unsigned inventory, struct span ecosystem,
                      struct span name, struct span version, struct span purl)
{
    (void)snprintf(out, 512, "%.*s|%u|%.*s|%.*s|%.*s|%.*s", (int)advisory.len, (const char *)advisory.data, inventory,
                   (int)ecosystem.len, ecosystem.len ? (const char *)ecosystem.data : "", (int)name.len,
                   name.len ? (const char *)name.data : "", (int)version.len,
                   version.len ? (const char *)version.data : "", (int)purl.len,
                   purl.len ? (const char *)purl.data : "");
}

static void truth_add(const struct advisory *advisory, unsigned number, const struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->count; i++) {
        const struct component *c = &inventory->components[i];
        enum verdict verdict = match_component(advisory, c, NULL);
        char key[512];
        if (verdict != VERDICT_AFFECTED && verdict != VERDICT_UNDECIDED)
            continue;
        key_write(key, advisory->id, number, c->ecosystem, c->name, c->version, c->purl);
        struct known *known = known_of(truth, &truth_count, key);
        if (known->verdict != VERDICT_AFFECTED)
            known->verdict = verdict;
    }
}

static const char *media_of(unsigned a)
{
    return csaf_kind[a] ? "application/csaf+json" : "application/osv+json";
}

static void truth_find(void)
{
    struct arena arena;
    arena_init(&arena, 64 << 20);
    truth_count = 0;
    for (unsigned n = 0; n < INVENTORIES; n++) {
        struct inventory inventory;
        if (!inventories[n][0])
            continue;
        CHECK_INT(inventory_read(&inventory, span_str(inventories[n]), span_str(""), &arena, NULL), 0);
        for (unsigned a = 0; a < ADVISORIES; a++) {
            struct advisory advisory;
            if (!advisories[a][0])
                continue;
            CHECK_INT(advisory_read(&advisory, span_str(media_of(a)), span_str(advisories[a]), &arena, NULL), 0);
            truth_add(&advisory, n, &inventory);
        }
    }
    arena_free(&arena);
}

static int64_t heard; /* the journal's position */
static unsigned repeated, misplaced;

static void text_copy(char *out, size_t size, struct span text)
{
    (void)snprintf(out, size, "%.*s", (int)text.len, text.len ? (const char *)text.data : "");
}

static int notice_hear(void *ctx, const struct journal_row *row)
{
    const struct json *root = NULL;
    struct arena arena;
    char key[512], id[65];
    (void)ctx;
    arena_init(&arena, 1 << 20);
    CHECK_INT(json_parse(&root, row->body, NOTICE_BYTES_MAX, &arena, NULL), 0);
    const struct json *c = json_get(root, "component");
    struct span inventory = json_text(root, "inventory"), verdict = json_text(root, "verdict"),
                replaces = json_text(root, "replaces");
    key_write(key, json_text(json_get(root, "advisory"), "id"), (unsigned)(inventory.data[inventory.len - 1] - '0'),
              json_text(c, "ecosystem"), json_text(c, "name"), json_text(c, "version"), json_text(c, "purl"));
    struct known *known = known_of(told, &told_count, key);
    enum verdict is = span_is(verdict, "affected")    ? VERDICT_AFFECTED
                      : span_is(verdict, "undecided") ? VERDICT_UNDECIDED
                                                      : VERDICT_NONE;
    repeated += is == known->verdict;
    text_copy(id, sizeof id, replaces);
    misplaced += strcmp(id, known->verdict == VERDICT_NONE ? "" : known->id) != 0;
    misplaced += !json_text(json_get(root, "evidence"), "reason").len;
    known->verdict = is;
    text_copy(known->id, sizeof known->id, json_text(root, "id"));
    heard = row->seq;
    arena_free(&arena);
    return 0;
}

/* How many differ. */
static unsigned compare(struct bench *b)
{
    unsigned wrong = 0;
    CHECK_INT(b->store->ops->journal_scan(b->store, span_str("notice"), heard, notice_hear, NULL), 0);
    truth_find();
    for (size_t i = 0; i < truth_count; i++)
        wrong += known_of(told, &told_count, truth[i].key)->verdict != truth[i].verdict;
    for (size_t i = 0; i < told_count; i++)
        wrong += told[i].verdict != VERDICT_NONE && known_of(truth, &truth_count, told[i].key)->verdict == VERDICT_NONE;
    return wrong;
}

static void advise(struct bench *b)
{
    struct hash hash;
    unsigned a = draw(ADVISORIES);
    char url[64];
    revision++;
    csaf_kind[a] = a % 2;
    (csaf_kind[a] ? csaf_draw : osv_draw)(a);
    sha256(span_str(advisories[a]), &hash);
    (void)snprintf(url, sizeof url, "https://feeds.example/%u", a);
    const struct followed followed = {.feed = span_str("feed"),
                                      .url = span_str(url),
                                      .media = span_str(media_of(a)),
                                      .bytes = span_str(advisories[a]),
                                      .hash = &hash,
                                      .seen = SEEN + revision};
    CHECK_INT(advisory_followed(b->node, &followed), 0);
    CHECK_INT(write_commit(b->node), 0);
}

static void upload(struct bench *b)
{
    unsigned n = draw(INVENTORIES);
    char name[16];
    (void)snprintf(name, sizeof name, "inventory-%u", n);
    inventory_draw(n);
    b->now_ms += 1000;
    bench_step(
        b, (struct event){
               .kind = EVENT_INVENTORY, .name = span_str(name), .body = span_str(inventories[n]), .critical = draw(2)});
    CHECK_INT(b->status, 201);
}

static void tell(struct bench *b, const char *sql)
{
    CHECK_INT(sqlite3_exec(self_of(b->store)->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* A start reads the snapshot, unless it is in doubt. */
static void rested(struct bench *b)
{
    static const char *const damages[] = {
        "UPDATE kept SET value = substr(value, 1, length(value) - 1) || x'55' WHERE space = CAST('snapshot' AS BLOB)",
        "UPDATE kept SET value = substr(value, 1, length(value) - 1) || x'55' WHERE CAST(space AS TEXT) GLOB "
        "'catalogue*'",
        "DELETE FROM kept WHERE CAST(space AS TEXT) GLOB 'catalogue*'",
        "DELETE FROM kept WHERE space = CAST('snapshot' AS BLOB)",
        "UPDATE kept SET value = x'', size = NULL, sum = row_sum('kept', space, key, NULL, x'')"
        " WHERE CAST(space AS TEXT) GLOB 'catalogue*'",
        "UPDATE kept SET value = zeroblob(4096), size = NULL, sum = row_sum('kept', space, key, NULL, zeroblob(4096))"
        " WHERE CAST(space AS TEXT) GLOB 'catalogue*'",
    };
    bool had = b->node->matching.catalogue != NULL;
    unsigned damage = draw(2 * sizeof damages / sizeof damages[0]);
    CHECK_INT(node_rest(b->node), 0);
    if (damage < sizeof damages / sizeof damages[0])
        tell(b, damages[damage]);
    bench_restart(b);
    CHECK(!had || (damage < sizeof damages / sizeof damages[0]) == !b->node->matching.kept);
}

static void again(struct bench *b)
{
    int result = 1;
    switch (draw(5)) {
    case 0:
        node_rebuild(b->node, &result);
        CHECK_INT(result, 0);
        break;
    case 1:
        CHECK_INT(b->store->ops->state_put(b->store, span_str("views"), span_str("1")), 0);
        bench_restart(b);
        break;
    case 2:
        bench_restart(b);
        break;
    default:
        rested(b);
    }
}

static unsigned round_run(void)
{
    static struct bench b;
    unsigned wrong = 0, notices = 0;
    memset(advisories, 0, sizeof advisories);
    memset(inventories, 0, sizeof inventories);
    told_count = 0;
    heard = 0;
    bench_make(&b, 2, 1, 0, 1);
    b.config.roster = NULL;
    bench_start(&b);
    for (unsigned step = 0; step < STEPS && !wrong; step++) {
        unsigned act = draw(8);
        uint64_t before = seed;
        (act < 4 ? advise : act < 7 ? upload : again)(&b);
        wrong = compare(&b) + repeated + misplaced;
        if (wrong)
            printf("# step %u, act %u, state %llu: %u differ, %u repeated, %u misplaced\n", step, act,
                   (unsigned long long)before, wrong, repeated, misplaced);
    }
    for (size_t i = 0; i < told_count; i++)
        notices += told[i].id[0] != 0;
    bench_close(&b);
    CHECK_INT(wrong, 0);
    return notices;
}

int main(int argc, char **argv)
{
    unsigned notices = 0;
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    test("what was told is what brute force finds, after every step");
    for (unsigned i = 0; i < (argc > 1 ? 1 : ROUNDS) && !test_bad; i++) {
        seed = (first + i) * 0x9e3779b97f4a7c15ull;
        notices += round_run();
        if (test_bad)
            printf("# seed %llu\n", (unsigned long long)(first + i));
    }
    CHECK(argc > 1 || notices > 1000);
    return test_end();
}
