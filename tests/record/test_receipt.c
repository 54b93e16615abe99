#include "tests/test.h"

#include "base/text.h"
#include "record/receipt.h"

enum { LEAVES = 11 };

static struct secret_key *log_key, *mirror_key, *statement_key;
static struct public_key log_pub, mirror_pub, statement_pub;
static struct hash leaves[LEAVES];

static const struct span origin = {(const uint8_t *)"comity/c1c1c1c1c1c1c1c1/alpha", 29};
static const struct span mirror_name = {(const uint8_t *)"comity/c1c1c1c1c1c1c1c1/beta/mirror", 35};

/* RFC 6962 section 2.1, word for word: the oracle for proofs. */
static void root_of(const struct hash *from, size_t n, struct hash *out)
{
    struct hash left, right;
    size_t k = 1;
    if (n == 1) {
        *out = from[0];
        return;
    }
    while (k * 2 < n)
        k *= 2;
    root_of(from, k, &left);
    root_of(from + k, n - k, &right);
    tree_node(&left, &right, out);
}

static size_t path_of(const struct hash *from, size_t n, size_t m, struct hash *out)
{
    size_t k = 1, count;
    if (n == 1)
        return 0;
    while (k * 2 < n)
        k *= 2;
    if (m < k) {
        count = path_of(from, k, m, out);
        root_of(from + k, n - k, &out[count]);
    } else {
        count = path_of(from + k, n - k, m - k, out);
        root_of(from, k, &out[count]);
    }
    return count + 1;
}

static void statement_make(struct buf *out)
{
    struct statement s = {
        .issuer = span_str("alpha"), .subject = span_str("s"), .media = span_str("text/plain"), .issued_at = 1};
    struct buf header, message;
    struct signature sig;
    key_id(&statement_pub, &s.kid);
    buf_init(&header, 4096);
    buf_init(&message, 4096);
    statement_protected(&header, &s);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&s.document));
    sign(statement_key, buf_view(&message), &sig);
    cose_write(out, buf_view(&header), span_of(NULL, 0), span_hash(&s.document), &sig);
    buf_free(&header);
    buf_free(&message);
}

static void note_make(struct buf *out, uint64_t size)
{
    struct buf text, message;
    struct hash root;
    struct signature sig;
    root_of(leaves, size, &root);
    buf_init(&text, 4096);
    buf_init(&message, 4096);
    checkpoint_write_text(&text, origin, size, &root);
    buf_span(out, buf_view(&text));
    buf_byte(out, '\n');
    sign(log_key, buf_view(&text), &sig);
    note_signature_write(out, origin, &log_pub, &sig);
    note_cosigned_message(&message, 1764046375, buf_view(&text));
    sign(mirror_key, buf_view(&message), &sig);
    note_cosignature_write(out, mirror_name, &mirror_pub, 1764046375, &sig);
    buf_free(&text);
    buf_free(&message);
}

static void receipt_make(struct buf *out, struct span extra, size_t index, size_t size)
{
    struct hash proof[PROOF_HASHES_MAX];
    struct buf note;
    size_t count = path_of(leaves, size, index, proof);
    buf_init(&note, NOTE_BYTES_MAX);
    note_make(&note, size);
    receipt_write(out, extra, index, proof, count, buf_view(&note));
    buf_free(&note);
}

static void test_round(void)
{
    struct buf out, again;
    struct arena arena;
    struct receipt r;
    test("tlog-proof: every index of every size, written and read again");
    buf_init(&out, RECEIPT_BYTES_MAX);
    buf_init(&again, RECEIPT_BYTES_MAX);
    arena_init(&arena, 1 << 20);
    for (size_t size = 1; size <= LEAVES; size++)
        for (size_t index = 0; index < size; index++) {
            struct span extra = index % 2 ? span_str("opaque") : span_of(NULL, 0);
            buf_reset(&out);
            buf_reset(&again);
            receipt_make(&out, extra, index, size);
            CHECK_INT(receipt_parse(&r, buf_view(&out), &arena, NULL), 0);
            CHECK(span_eq(r.extra, extra));
            CHECK_INT(r.index, index);
            CHECK_INT(r.checkpoint.size, size);
            CHECK(span_eq(r.checkpoint.origin, origin));
            CHECK_INT(receipt_check_inclusion(&r, &leaves[index]), 0);
            CHECK_INT(receipt_check_inclusion(&r, &leaves[(index + 1) % LEAVES]), E_PROOF);
            CHECK_INT(note_verify(&r.note, origin, &log_pub), 0);
            receipt_write(&again, r.extra, r.index, r.proof, r.count, r.note_bytes);
            CHECK(span_eq(buf_view(&again), buf_view(&out)));
        }
    arena_free(&arena);
    buf_free(&out);
    buf_free(&again);
}

#define HEAD "c2sp.org/tlog-proof@v1\n"
#define HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define POINT "example.com/log\n1\n" HASH "\n\xe2\x80\x94 example.com/log AAAAAGFi\n"

static const struct {
    const char *text;
    int want;
} rows[] = {
    {HEAD "index 0\n\n" POINT, 0},
    {HEAD "extra YQ==\nindex 0\n\n" POINT, 0},
    {HEAD "index 18446744073709551615\n" HASH "\n" POINT, 0},
    {"", E_SYNTAX},
    {"c2sp.org/tlog-proof@v2\nindex 0\n\n" POINT, E_SYNTAX},
    {"\n" HEAD "index 0\n\n" POINT, E_SYNTAX},
    {"c2sp.org/tlog-proof@v1\r\nindex 0\n\n" POINT, E_SYNTAX},
    {HEAD "\n" POINT, E_SYNTAX},
    {HEAD "index\n\n" POINT, E_SYNTAX},
    {HEAD "index 00\n\n" POINT, E_SYNTAX},
    {HEAD "index 01\n\n" POINT, E_SYNTAX},
    {HEAD "index +1\n\n" POINT, E_SYNTAX},
    {HEAD "index -1\n\n" POINT, E_SYNTAX},
    {HEAD "index 0 \n\n" POINT, E_SYNTAX},
    {HEAD "index 18446744073709551616\n\n" POINT, E_SYNTAX},
    {HEAD "index 0\nindex 0\n\n" POINT, E_CANONICAL},
    {HEAD "index 0\nextra YQ==\n\n" POINT, E_CANONICAL},
    {HEAD "extra YQ==\nextra YQ==\nindex 0\n\n" POINT, E_SYNTAX},
    {HEAD "extra\nindex 0\n\n" POINT, E_SYNTAX},
    {HEAD "extra \nindex 0\n\n" POINT, E_CANONICAL},
    {HEAD "extra YQ\nindex 0\n\n" POINT, E_CANONICAL},
    {HEAD "extra YR==\nindex 0\n\n" POINT, E_CANONICAL}, /* trailing bits */
    {HEAD "extra Y Q==\nindex 0\n\n" POINT, E_CANONICAL},
    {HEAD "extra -_==\nindex 0\n\n" POINT, E_CANONICAL},
    {HEAD "extra \xc8YQ=\nindex 0\n\n" POINT, E_CANONICAL}, /* libsodium takes bytes above 0x7f for digits */
    {HEAD "extra \x80"
          "AAA\nindex 0\n\n" POINT,
     E_CANONICAL},
    {HEAD "index 0\n\xff"
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" POINT,
     E_CANONICAL},
    {HEAD "index 0\nAAAA\n\n" POINT, E_CANONICAL},
    {HEAD "index 0\n " HASH "\n" POINT, E_CANONICAL},
    {HEAD "index 0\n" HASH, E_TRUNCATED},
    {HEAD "index 0", E_SYNTAX},
    {HEAD "index 0\n", E_TRUNCATED},
};

static void test_table(void)
{
    struct arena arena;
    struct receipt r;
    test("tlog-proof: taken and refused");
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int rc = receipt_parse(&r, span_str(rows[i].text), &arena, NULL);
        if (rc != rows[i].want)
            printf("# row %zu\n", i);
        CHECK_INT(rc, rows[i].want);
    }
    CHECK(receipt_parse(&r, span_str(HEAD "index 0\n\n"), &arena, NULL) != 0);
    CHECK(receipt_parse(&r, span_str(HEAD "index 0\n\n\n" POINT), &arena, NULL) != 0);
    arena_free(&arena);
}

static void test_limits(void)
{
    struct buf out;
    struct arena arena, tiny;
    struct receipt r;
    test("tlog-proof: limits");
    buf_init(&out, RECEIPT_BYTES_MAX + 1);
    arena_init(&arena, 1 << 20);
    arena_init(&tiny, 4);
    for (size_t hashes = PROOF_HASHES_MAX; hashes <= PROOF_HASHES_MAX + 1; hashes++) {
        buf_reset(&out);
        buf_text(&out, HEAD "index 0\n");
        for (size_t i = 0; i < hashes; i++)
            buf_text(&out, HASH);
        buf_text(&out, "\n" POINT);
        CHECK_INT(receipt_parse(&r, buf_view(&out), &arena, NULL), hashes > PROOF_HASHES_MAX ? E_LIMIT : 0);
    }
    buf_reset(&out);
    while (out.len <= RECEIPT_BYTES_MAX)
        buf_byte(&out, 'a');
    CHECK_INT(receipt_parse(&r, buf_view(&out), &arena, NULL), E_LIMIT);
    CHECK_INT(receipt_parse(&r, span_str(HEAD "extra YWFhYWFhYWE=\nindex 0\n\n" POINT), &tiny, NULL), E_NOMEM);
    arena_free(&arena);
    arena_free(&tiny);
    buf_free(&out);
}

static void cose_make(struct buf *out, size_t index, size_t size)
{
    struct hash proof[PROOF_HASHES_MAX], root, kid;
    struct buf header, message;
    struct signature sig;
    size_t count = path_of(leaves, size, index, proof);
    root_of(leaves, size, &root);
    key_id(&mirror_pub, &kid);
    buf_init(&header, 4096);
    buf_init(&message, 4096);
    cose_receipt_protected(&header, &kid, mirror_name, origin, size);
    cose_to_be_signed(&message, buf_view(&header), span_hash(&root));
    sign(mirror_key, buf_view(&message), &sig);
    cose_receipt_write(out, buf_view(&header), size, index, proof, count, &sig);
    buf_free(&header);
    buf_free(&message);
}

static void test_cose_round(void)
{
    struct buf out;
    struct cose_receipt r;
    test("COSE receipts: every index of every size, the empty path included");
    buf_init(&out, STATEMENT_BYTES_MAX);
    for (size_t size = 1; size <= LEAVES; size++)
        for (size_t index = 0; index < size; index++) {
            buf_reset(&out);
            cose_make(&out, index, size);
            CHECK_INT(cose_receipt_parse(&r, buf_view(&out), NULL), 0);
            CHECK(span_eq(r.origin, origin) && span_eq(r.mirror_name, mirror_name));
            CHECK(r.size == size && r.index == index);
            CHECK_INT(cose_receipt_verify(&r, &leaves[index], &mirror_pub), 0);
            CHECK_INT(cose_receipt_verify(&r, &leaves[index], &log_pub), E_KEY);
            CHECK_INT(cose_receipt_verify(&r, &leaves[(index + 1) % LEAVES], &mirror_pub), E_SIGNATURE);
            r.count++;
            CHECK_INT(cose_receipt_verify(&r, &leaves[index], &mirror_pub), E_PROOF);
        }
    buf_free(&out);
}

static void test_cose_flips(void)
{
    struct buf out;
    struct cose_receipt r;
    test("COSE receipts: no flipped bit and no cut is accepted");
    buf_init(&out, STATEMENT_BYTES_MAX);
    cose_make(&out, 4, LEAVES);
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(cose_receipt_parse(&r, buf_view(&out), NULL) != 0 ||
              cose_receipt_verify(&r, &leaves[4], &mirror_pub) != 0);
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < out.len; cut++)
        CHECK(cose_receipt_parse(&r, span_of(out.data, cut), NULL) != 0);
    buf_byte(&out, 0);
    CHECK_INT(cose_receipt_parse(&r, buf_view(&out), NULL), E_TRAILING);
    buf_free(&out);
}

/* Unprotected headers around one good protected header; SIZE is 5, the proof's bytes follow. */
static const struct {
    const char *hex;
    int want;
} unprotected[] = {
    {"a119018ca120814483050080", 0},
    {"a0", E_TRUNCATED}, /* no key where one must be */
    {"a119018ca0", E_TRUNCATED},
    {"a119018ca12080", E_UNSUPPORTED},                     /* no proof at all */
    {"a119018ca121814483050080", E_UNSUPPORTED},           /* -2: a consistency proof */
    {"a119018aa120814483050080", E_UNSUPPORTED},           /* 394 in place of 396 */
    {"a119018ca1208244830500804483050080", E_UNSUPPORTED}, /* two proofs */
    {"a119018ca120814483060080", E_PROOF},                 /* another size than the protected one */
    {"a119018ca1208143820500", E_SYNTAX},
    {"a119018ca12081458305008000", E_TRAILING},
    {"a119018ca1208146830500814100", E_TYPE},            /* a path hash of one byte */
    {"a119018ca120814483052080", E_TYPE},                /* a negative index */
    {"a219018ca12081448305008019018d00", E_UNSUPPORTED}, /* a second label */
};

static void test_cose_table(void)
{
    test("COSE receipts: unprotected headers taken and refused");
    for (size_t i = 0; i < sizeof unprotected / sizeof unprotected[0]; i++) {
        static const struct signature none;
        uint8_t map[64];
        struct hash kid = {{0}};
        struct buf header, out;
        struct cose_receipt r;
        size_t n = strlen(unprotected[i].hex) / 2;
        CHECK(hex_parse(span_str(unprotected[i].hex), map, n));
        buf_init(&header, 1024);
        buf_init(&out, 4096);
        cose_receipt_protected(&header, &kid, mirror_name, origin, 5);
        cose_write(&out, buf_view(&header), span_of(map, n), span_of(NULL, 0), &none);
        int rc = cose_receipt_parse(&r, buf_view(&out), NULL);
        if (rc != unprotected[i].want)
            printf("# row %zu\n", i);
        CHECK_INT(rc, unprotected[i].want);
        buf_reset(&out);
        cose_write(&out, buf_view(&header), span_of(map, n), span_of(kid.b, 32), &none); /* an attached root */
        CHECK(cose_receipt_parse(&r, buf_view(&out), NULL) != 0);
        buf_free(&header);
        buf_free(&out);
    }
}

static void test_transparent(void)
{
    struct buf logged, receipts[2], out;
    struct span statement, got[2], views[2];
    struct statement s;
    struct arena arena;
    size_t count = 0;
    test("a transparent statement, put together and taken apart");
    arena_init(&arena, 1 << 20);
    buf_init(&logged, STATEMENT_BYTES_MAX);
    buf_init(&out, RECEIPT_BYTES_MAX);
    statement_make(&logged);
    CHECK_INT(statement_parse(&s, buf_view(&logged), NULL), 0);
    for (size_t i = 0; i < 2; i++) {
        buf_init(&receipts[i], STATEMENT_BYTES_MAX);
        cose_make(&receipts[i], 2 + i, LEAVES);
        views[i] = buf_view(&receipts[i]);
    }
    transparent_write(&out, &s, views, 2);
    CHECK_INT(out.error, 0);
    CHECK_INT(transparent_parse(buf_view(&out), &statement, got, 2, &count, &arena, NULL), 0);
    CHECK_INT(count, 2);
    CHECK(span_eq(statement, buf_view(&logged)));
    CHECK(span_eq(got[0], views[0]) && span_eq(got[1], views[1]));
    CHECK_INT(transparent_parse(buf_view(&out), &statement, got, 1, &count, &arena, NULL), E_LIMIT);
    for (size_t cut = 0; cut < out.len; cut++)
        CHECK(transparent_parse(span_of(out.data, cut), &statement, got, 2, &count, &arena, NULL) != 0);
    CHECK(statement_parse(&s, buf_view(&out), NULL) != 0); /* no log may hold this form */
    CHECK_INT(transparent_parse(buf_view(&logged), &statement, got, 2, &count, &arena, NULL), E_MISSING);
    CHECK_INT(statement_parse(&s, buf_view(&logged), NULL), 0);
    buf_reset(&out);
    transparent_write(&out, &s, NULL, 0);
    CHECK_INT(transparent_parse(buf_view(&out), &statement, got, 2, &count, &arena, NULL), E_MISSING);
    arena_free(&arena);
    buf_free(&receipts[0]);
    buf_free(&receipts[1]);
    buf_free(&logged);
    buf_free(&out);
}

int main(void)
{
    if (crypto_start() != 0)
        return 1;
    log_key = secret_key_from_seed((const uint8_t[32]){1}, &log_pub);
    mirror_key = secret_key_from_seed((const uint8_t[32]){2}, &mirror_pub);
    statement_key = secret_key_from_seed((const uint8_t[32]){3}, &statement_pub);
    if (!log_key || !mirror_key || !statement_key)
        return 1;
    for (uint8_t i = 0; i < LEAVES; i++)
        tree_leaf(span_of(&i, 1), &leaves[i]);
    test_round();
    test_table();
    test_limits();
    test_cose_round();
    test_cose_flips();
    test_cose_table();
    test_transparent();
    secret_key_free(log_key);
    secret_key_free(mirror_key);
    secret_key_free(statement_key);
    return test_end();
}
