/* The bodies of tlog-witness and tlog-mirror, bundles and mirror-info: read, refused, written and read again. */
#include "tests/test.h"

#include "base/arena.h"
#include "record/wire.h"

#define HASH "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw="
#define NOTE                                                                                                           \
    "log.example\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"                                                 \
    "\xe2\x80\x94 log.example AAAAAAE=\n"

static struct add_checkpoint checkpoint;
static struct add_entries request;
static struct entry_package package;
static struct buf out;

static void test_add_checkpoint(void)
{
    static const struct {
        const char *body;
        int rc;
        size_t count;
    } cases[] = {
        {"old 0\n\n" NOTE, 0, 0},
        {"old 3\n" HASH "\n" HASH "\n\n" NOTE, 0, 2},
        {"old 18446744073709551615\n\n" NOTE, 0, 0}, /* above the checkpoint's size: for the caller to refuse */
        {"old 18446744073709551616\n\n" NOTE, E_SYNTAX, 0},
        {"old 03\n\n" NOTE, E_SYNTAX, 0},
        {"old  3\n\n" NOTE, E_SYNTAX, 0},
        {"old \n\n" NOTE, E_SYNTAX, 0},
        {"old\n\n" NOTE, E_SYNTAX, 0},
        {"Old 3\n\n" NOTE, E_SYNTAX, 0},
        {"old 3", E_SYNTAX, 0},
        {"", E_SYNTAX, 0},
        {"old 3\n" NOTE, E_CANONICAL, 0},
        {"old 3\n" HASH "\n" NOTE, E_CANONICAL, 0},
        {"old 3\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpka==\n\n" NOTE, E_CANONICAL, 0},
        {"old 3\n" HASH " \n\n" NOTE, E_CANONICAL, 0},
        {"old 3\nPlRNCrwHpqhGrupue0L7gxbjbM\xd2\x91KA9temvuZZDDpkaw=\n\n" NOTE, E_CANONICAL, 0},
        {"old 3\n" HASH "\n", E_TRUNCATED, 0},
        {"old 3\n" HASH "\n\n", E_SYNTAX, 0},
        {"old 3\n\n" NOTE "x", E_TRUNCATED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = add_checkpoint_parse(&checkpoint, span_str(cases[i].body), NULL);
        CHECK_INT(rc, cases[i].rc);
        if (rc != cases[i].rc)
            printf("# case %zu\n", i);
        if (rc)
            continue;
        CHECK_INT(checkpoint.count, cases[i].count);
        CHECK(span_is(checkpoint.note_bytes, NOTE) && checkpoint.checkpoint.size == 5);
        buf_reset(&out);
        add_checkpoint_write(&out, checkpoint.old_size, checkpoint.proof, checkpoint.count, checkpoint.note_bytes);
        CHECK(span_is(buf_view(&out), cases[i].body));
    }
}

static int proof_of(size_t count)
{
    static const struct hash zero;
    buf_reset(&out);
    buf_text(&out, "old 1\n");
    for (size_t i = 0; i < count; i++) {
        buf_base64(&out, span_hash(&zero));
        buf_byte(&out, '\n');
    }
    buf_text(&out, "\n" NOTE);
    return add_checkpoint_parse(&checkpoint, buf_view(&out), NULL);
}

/* Entry i is "e<i>"; the proof has i % 64 hashes. */
static void package_make(uint64_t start, uint64_t end, size_t hashes)
{
    static char texts[TILE_WIDTH][24];
    memset(&package, 0, sizeof package);
    package.start = start;
    package.end = end;
    package.count = (size_t)(end - start);
    package.proof_count = hashes;
    memset(package.proof, (int)hashes, sizeof package.proof);
    for (size_t i = 0; i < package.count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "e%llu", (unsigned long long)(start + i));
        package.entries[i] = span_str(texts[i]);
    }
}

static bool package_as_made(uint64_t start, uint64_t end, size_t hashes)
{
    struct entry_package got = package;
    bool same = got.start == start && got.end == end && got.count == end - start && got.proof_count == hashes;
    package_make(start, end, hashes);
    for (size_t i = 0; same && i < got.count; i++)
        same = span_eq(got.entries[i], package.entries[i]);
    return same && memcmp(got.proof, package.proof, hashes * sizeof got.proof[0]) == 0;
}

/* The canonical sequence of [start, end): where its packages begin and end. */
static void check_sequence(uint64_t start, uint64_t end, size_t packages, const uint64_t *bounds)
{
    buf_reset(&out);
    add_entries_write_head(&out, span_str("log.example"), start, end, span_of("\0t", 2));
    for (size_t i = 0; i < packages; i++) {
        package_make(bounds[i], bounds[i + 1], i * 31);
        add_entries_write_package(&out, &package);
    }
    CHECK_INT(out.error, 0);
    CHECK_INT(add_entries_parse(&request, buf_view(&out), NULL), 0);
    CHECK(span_is(request.origin, "log.example") && span_eq(request.ticket, span_of("\0t", 2)));
    CHECK(request.upload_start == start && request.upload_end == end);
    for (size_t i = 0; i < packages; i++) {
        CHECK_INT(add_entries_package(&request, &package), 0);
        CHECK(package_as_made(bounds[i], bounds[i + 1], i * 31));
    }
    CHECK_INT(add_entries_package(&request, &package), E_NOTFOUND);
    CHECK_INT(request.package, packages);
    if (packages && bounds[packages] != end)
        return; /* a prefix only: more could follow */
    buf_byte(&out, 0);
    CHECK_INT(add_entries_parse(&request, buf_view(&out), NULL), 0);
    for (size_t i = 0; i < packages; i++)
        CHECK_INT(add_entries_package(&request, &package), 0);
    CHECK_INT(add_entries_package(&request, &package), E_TRAILING);
}

static void test_sequences(void)
{
    check_sequence(0, 0, 0, NULL);
    check_sequence(256, 256, 0, NULL);
    check_sequence(300, 300, 0, NULL);
    check_sequence(0, 1, 1, (const uint64_t[]){0, 1});
    check_sequence(0, 256, 1, (const uint64_t[]){0, 256});
    check_sequence(255, 257, 2, (const uint64_t[]){255, 256, 257});
    check_sequence(10, 20, 1, (const uint64_t[]){10, 20});
    check_sequence(300, 700, 2, (const uint64_t[]){300, 512, 700});
    check_sequence(300, 1 << 20, 2, (const uint64_t[]){300, 512, 768}); /* a strict prefix */
    check_sequence(INT64_MAX - 3, INT64_MAX, 1, (const uint64_t[]){INT64_MAX - 3, INT64_MAX});
    check_sequence(INT64_MAX, INT64_MAX, 0, NULL);
}

/* Cut anywhere, a request is an error of its head, or an unfinished package, or a whole prefix. */
static void test_cuts(void)
{
    buf_reset(&out);
    add_entries_write_head(&out, span_str("o"), 254, 258, span_str(""));
    size_t head = out.len;
    package_make(254, 256, 2);
    add_entries_write_package(&out, &package);
    size_t first = out.len;
    package_make(256, 258, 1);
    add_entries_write_package(&out, &package);
    for (size_t cut = 0; cut <= out.len; cut++) {
        int rc = add_entries_parse(&request, span_of(out.data, cut), NULL);
        CHECK_INT(rc, cut < head ? E_TRUNCATED : 0);
        unsigned packages = 0;
        while (rc == 0 && (rc = add_entries_package(&request, &package)) == 0)
            packages++;
        if (cut < head)
            continue;
        CHECK_INT(packages, (cut >= first) + (cut == out.len));
        CHECK_INT(rc, cut == head || cut == first || cut == out.len ? E_NOTFOUND : E_TRUNCATED);
    }
}

static void test_heads(void)
{
    struct hash h = {0};
    buf_reset(&out);
    add_entries_write_head(&out, span_str("o"), 2, 1, span_str(""));
    CHECK_INT(add_entries_parse(&request, buf_view(&out), NULL), E_SYNTAX);
    buf_reset(&out);
    add_entries_write_head(&out, span_str("o"), 0, 1ull << 63, span_str(""));
    CHECK_INT(add_entries_parse(&request, buf_view(&out), NULL), E_SYNTAX);
    buf_reset(&out);
    add_entries_write_head(&out, span_str("o"), 0, 1, span_str(""));
    bundle_add(&out, span_str("e"));
    buf_byte(&out, 64); /* one hash more than allowed, though all are there */
    for (int i = 0; i < 64; i++)
        buf_span(&out, span_hash(&h));
    CHECK_INT(add_entries_parse(&request, buf_view(&out), NULL), 0);
    CHECK_INT(add_entries_package(&request, &package), E_LIMIT);
}

static void test_bundles(void)
{
    static uint8_t large[65536];
    struct span entries[3];
    size_t count;
    buf_reset(&out);
    bundle_add(&out, span_str("abc"));
    bundle_add(&out, span_of(NULL, 0));
    bundle_add(&out, span_of(large, 65535));
    CHECK_INT(bundle_parse(buf_view(&out), entries, 3, &count), 0);
    CHECK(count == 3 && span_is(entries[0], "abc") && entries[1].len == 0 && entries[2].len == 65535);
    CHECK_INT(bundle_parse(buf_view(&out), entries, 2, &count), E_LIMIT);
    CHECK_INT(bundle_parse(span_of(out.data, out.len - 1), entries, 3, &count), E_TRUNCATED);
    CHECK_INT(bundle_parse(span_of(out.data, 1), entries, 3, &count), E_TRUNCATED);
    CHECK_INT(bundle_parse(span_of(out.data, 0), entries, 3, &count), 0);
    CHECK_INT(count, 0);
    bundle_add(&out, span_of(large, 65536)); /* its length would not fit the prefix */
    CHECK_INT(out.error, E_LIMIT);
}

static void test_mirror_info(void)
{
    static const struct {
        const char *body;
        int rc;
        size_t ticket;
    } cases[] = {
        {"700\n300\ndGlja2V0\n", 0, 6},
        {"0\n0\n\n", 0, 0},
        {"9223372036854775807\n9223372036854775807\nAA==\n", 0, 1},
        {"9223372036854775808\n0\n\n", E_SYNTAX, 0},
        {"0\n9223372036854775808\n\n", E_SYNTAX, 0},
        {"07\n0\n\n", E_SYNTAX, 0},
        {"\n0\n\n", E_SYNTAX, 0},
        {"1\n\n\n", E_SYNTAX, 0},
        {"1\n1\ndGlja2V\n", E_CANONICAL, 0},
        {"1\n1\ndGlj a2V0\n", E_CANONICAL, 0},
        {"1\n1\ndGlja2\xff"
         "0\n",
         E_CANONICAL, 0},
        {"1\n1\ndGlja2V0", E_TRUNCATED, 0},
        {"1\n1\n", E_TRUNCATED, 0},
        {"1\n", E_TRUNCATED, 0},
        {"", E_TRUNCATED, 0},
        {"1\n1\n\n\n", E_TRAILING, 0},
        {"1\n1\n\nx", E_TRAILING, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mirror_info info;
        struct arena arena;
        arena_init(&arena, 4096);
        int rc = mirror_info_parse(&info, span_str(cases[i].body), &arena);
        CHECK_INT(rc, cases[i].rc);
        if (rc == 0) {
            CHECK_INT(info.ticket.len, cases[i].ticket);
            buf_reset(&out);
            mirror_info_write(&out, info.size, info.next_entry, info.ticket);
            CHECK(span_is(buf_view(&out), cases[i].body));
        }
        arena_free(&arena);
    }
}

int main(void)
{
    buf_init(&out, 1u << 20);
    test("add-checkpoint bodies");
    test_add_checkpoint();
    test("add-checkpoint takes 63 proof lines, not 64");
    CHECK_INT(proof_of(63), 0);
    CHECK_INT(checkpoint.count, 63);
    CHECK_INT(proof_of(64), E_LIMIT);
    test("canonical sequences of add-entries");
    test_sequences();
    test("add-entries cut at every byte");
    test_cuts();
    test("add-entries heads and proofs out of bounds");
    test_heads();
    test("entry bundles");
    test_bundles();
    test("mirror-info");
    test_mirror_info();
    buf_free(&out);
    return test_end();
}
