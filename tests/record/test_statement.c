#include "tests/test.h"

#include "base/text.h"
#include "record/statement.h"
#include "record/tree.h"

static struct secret_key *key;
static struct public_key pub;

static struct statement fields(void)
{
    struct statement s = {.issuer = span_str("alpha"),
                          .subject = span_str("CVE-2026-0001"),
                          .media = span_str("application/csaf+json"),
                          .issued_at = 1764046375};
    key_id(&pub, &s.kid);
    memset(s.circle.b, 0xc1, 32);
    memset(s.document.b, 0xd0, 32);
    return s;
}

/* A whole statement around any header, any unprotected map and any payload; the signature is always right. */
static void seal(struct buf *out, struct span header, struct span unprotected, struct span payload)
{
    struct buf message;
    struct signature sig;
    buf_init(&message, 65536);
    cose_to_be_signed(&message, header, payload);
    sign(key, buf_view(&message), &sig);
    buf_free(&message);
    cose_write(out, header, unprotected, payload, &sig);
}

static void make(struct buf *out, const struct statement *s)
{
    struct buf header;
    buf_init(&header, 65536);
    statement_protected(&header, s);
    seal(out, buf_view(&header), span_of(NULL, 0), span_hash(&s->document));
    buf_free(&header);
}

static void check_same(const struct statement *got, const struct statement *want)
{
    CHECK(hash_eq(&got->document, &want->document));
    CHECK(hash_eq(&got->kid, &want->kid));
    CHECK(hash_eq(&got->circle, &want->circle));
    CHECK(span_eq(got->issuer, want->issuer));
    CHECK(span_eq(got->subject, want->subject));
    CHECK(span_eq(got->media, want->media));
    CHECK_INT(got->issued_at, want->issued_at);
    CHECK_INT(got->answer_count, want->answer_count);
    for (size_t i = 0; i < want->answer_count; i++)
        CHECK(hash_eq(&got->answers[i], &want->answers[i]));
}

static void test_round(size_t answers)
{
    struct statement s = fields(), got;
    struct buf out;
    struct hash leaf;
    test(answers == 0 ? "round trip" : answers == 1 ? "round trip, one answer" : "round trip, the most answers");
    s.answer_count = answers;
    for (size_t i = 0; i < answers; i++)
        s.answers[i].b[0] = (uint8_t)(answers - i); /* their order is the issuer's */
    buf_init(&out, 65536);
    make(&out, &s);
    CHECK_INT(statement_parse(&got, buf_view(&out), NULL), 0);
    check_same(&got, &s);
    tree_leaf(buf_view(&out), &leaf);
    CHECK(hash_eq(&got.id, &leaf));
    CHECK_INT(statement_verify(&got, &pub), 0);
    struct public_key other;
    struct secret_key *other_key = secret_key_from_seed((const uint8_t[32]){9}, &other);
    CHECK_INT(statement_verify(&got, &other), E_KEY);
    secret_key_free(other_key);
    for (size_t cut = 0; cut < out.len; cut++)
        CHECK(statement_parse(&got, span_of(out.data, cut), NULL) != 0);
    buf_byte(&out, 0);
    CHECK_INT(statement_parse(&got, buf_view(&out), NULL), E_TRAILING);
    buf_free(&out);
}

static void test_flips(void)
{
    struct statement s = fields(), got;
    struct buf out;
    test("no flipped bit gives another good statement");
    s.answer_count = 2;
    s.answers[1].b[31] = 1;
    buf_init(&out, 65536);
    make(&out, &s);
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(statement_parse(&got, buf_view(&out), NULL) != 0 || statement_verify(&got, &pub) != 0);
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buf_free(&out);
}

static char long_text[512];

static const struct {
    const char *issuer, *subject, *media;
    int want;
} texts[] = {
    {"a", "s", "a/b", 0},
    {"xn--a.b-c.d", "\xd0\xb6", "application/stix+json;version=2.1", 0},
    {"alpha", "s", "text/plain; charset=utf-8", 0},
    {"", "s", "a/b", E_SYNTAX},
    {"Alpha", "s", "a/b", E_SYNTAX},
    {"-alpha", "s", "a/b", E_SYNTAX},
    {"alpha.", "s", "a/b", E_SYNTAX},
    {"a..b", "s", "a/b", E_SYNTAX},
    {"a b", "s", "a/b", E_SYNTAX},
    {"alpha/2", "s", "a/b", E_SYNTAX},
    {long_text, "s", "a/b", E_SYNTAX},
    {"alpha", "", "a/b", E_LIMIT},
    {"alpha", long_text, "a/b", E_LIMIT},
    {"alpha", "\xff", "a/b", E_UTF8},
    {"alpha", "s", "", E_SYNTAX},
    {"alpha", "s", "a", E_SYNTAX},
    {"alpha", "s", "/b", E_SYNTAX},
    {"alpha", "s", "a/", E_SYNTAX},
    {"alpha", "s", "a/b/c", E_SYNTAX},
    {"alpha", "s", "a/b c", E_SYNTAX},
    {"alpha", "s", "a/b\r\nSet-Cookie: x", E_SYNTAX},
    {"alpha", "s", "a/b;x=\n", E_SYNTAX},
    {"alpha", "s", "a/b;x=\xc3\xbc", E_SYNTAX},
    {"alpha", "s", long_text, E_LIMIT},
};

static void test_texts(void)
{
    test("issuer, subject and media type: taken and refused");
    memset(long_text, 'a', 256);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct statement s = fields(), got;
        struct buf out;
        s.issuer = span_str(texts[i].issuer);
        s.subject = span_str(texts[i].subject);
        s.media = span_str(texts[i].media);
        buf_init(&out, 65536);
        make(&out, &s);
        int rc = statement_parse(&got, buf_view(&out), NULL);
        if (rc != texts[i].want)
            printf("# row %zu\n", i);
        CHECK_INT(rc, texts[i].want);
        buf_free(&out);
    }
}

/* The header's map, label by label, so that a case can replace, add, drop or exchange one. */
struct part {
    uint8_t bytes[128];
    size_t len;
};
enum { PARTS = 8 };

static size_t header_parts(struct part parts[static PARTS])
{
    struct statement s = fields();
    struct buf header;
    struct cbor c;
    size_t pairs = 0, n = 0;
    s.answer_count = 1;
    buf_init(&header, 4096);
    statement_protected(&header, &s);
    cbor_open(&c, buf_view(&header));
    (void)cbor_take_map(&c, &pairs);
    for (; n < pairs && n < PARTS; n++) {
        struct span name, value;
        CHECK_INT(cbor_skip(&c, &name), 0);
        CHECK_INT(cbor_skip(&c, &value), 0);
        parts[n].len = name.len + value.len;
        memcpy(parts[n].bytes, name.data, parts[n].len);
    }
    CHECK_INT(cbor_end(&c), 0);
    buf_free(&header);
    return n;
}

static int parse_parts(const struct part *parts, size_t count)
{
    struct buf header, out;
    struct statement got;
    uint8_t payload[32] = {0};
    buf_init(&header, 4096);
    buf_init(&out, 65536);
    cbor_put_map(&header, count);
    for (size_t i = 0; i < count; i++)
        buf_add(&header, parts[i].bytes, parts[i].len);
    seal(&out, buf_view(&header), span_of(NULL, 0), span_of(payload, sizeof payload));
    int rc = statement_parse(&got, buf_view(&out), NULL);
    buf_free(&header);
    buf_free(&out);
    return rc;
}

static void test_labels(void)
{
    struct part parts[PARTS], changed[PARTS + 1];
    test("labels: dropped, exchanged, doubled or added ones are refused");
    size_t n = header_parts(parts);
    CHECK_INT(n, PARTS);
    CHECK_INT(parse_parts(parts, n), 0);
    for (size_t drop = 0; drop < n; drop++) {
        memcpy(changed, parts, sizeof parts);
        memmove(&changed[drop], &changed[drop + 1], (n - drop - 1) * sizeof *changed);
        CHECK_INT(parse_parts(changed, n - 1), drop + 1 == n ? 0 : E_UNSUPPORTED); /* only the answers may be absent */
    }
    for (size_t i = 0; i + 1 < n; i++) {
        memcpy(changed, parts, sizeof parts);
        changed[i] = parts[i + 1];
        changed[i + 1] = parts[i];
        CHECK_INT(parse_parts(changed, n), E_UNSUPPORTED);
    }
    memcpy(changed, parts, sizeof parts);
    changed[n] = (struct part){{0x3a, 0, 1, 1, 0x0a, 0}, 6}; /* one label more, in its right place */
    CHECK_INT(parse_parts(changed, n + 1), E_MISSING);
    changed[n - 1] = changed[n];
    CHECK_INT(parse_parts(changed, n), E_UNSUPPORTED);
    changed[n - 1] = parts[n - 2];
    CHECK_INT(parse_parts(changed, n), E_DUPLICATE);
}

/* One label's whole bytes, replaced. */
static const struct {
    size_t at;
    const char *hex;
    int want;
} values[] = {
    {0, "0132", 0},
    {0, "0127", E_UNSUPPORTED},   /* EdDSA, -8 */
    {0, "01382f", E_UNSUPPORTED}, /* -48: a slot that is kept, not yet known */
    {0, "013812", E_CANONICAL},   /* -19 in two bytes */
    {0, "016132", E_TYPE},
    {1, "0440", E_TYPE},
    {1, "045821000000000000000000000000000000000000000000000000000000000000000000", E_TYPE},
    {2, "0fa0", E_MISSING},
    {2, "0fa30161610261730600", 0},
    {2, "0fa301616102617306390100", 0},
    {2, "0fa30161610600026173", E_UNSUPPORTED},
    {2, "0fa20161610600", E_MISSING},
    {2, "0fa4016161026173060007617a", E_MISSING},
    {2, "0fa30161610261730500", E_UNSUPPORTED},
    {2, "0fa3016161026173016162", E_CANONICAL},
    {2, "0fa3016161026173026162", E_DUPLICATE},
    {2, "0fa30161610261730700", E_UNSUPPORTED},
    {2, "0fa301616102617306f6", E_TYPE},
    {2, "0fa30141610261730600", E_TYPE},
    {2, "0fa30161000261730600", E_UTF8},
    {2, "0fa3016161026173061b8000000000000000", E_LIMIT},
    {2, "0fa301616102617306fb41d9000000000000", E_UNSUPPORTED},
    {3, "106161", E_UNSUPPORTED},
    {3, "10183d", E_TYPE},
    {4, "1901022f", 0},
    {4, "190102382b", E_UNSUPPORTED}, /* SHA-512 */
    {5, "19010343612f62", E_TYPE},
    {6, "3a0001010840", E_TYPE},
    {7, "3a0001010980", E_LIMIT},
    {7, "3a000101098140", E_TYPE},
    {7, "3a00010109a0", E_TYPE},
};

static void test_values(void)
{
    struct part parts[PARTS], changed[PARTS];
    test("values of labels: taken and refused");
    size_t n = header_parts(parts);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct part *part = &changed[values[i].at];
        memcpy(changed, parts, sizeof parts);
        part->len = strlen(values[i].hex) / 2;
        CHECK(hex_parse(span_str(values[i].hex), part->bytes, part->len));
        int rc = parse_parts(changed, n);
        if (rc != values[i].want)
            printf("# row %zu\n", i);
        CHECK_INT(rc, values[i].want);
    }
}

static void test_answers(void)
{
    struct statement s = fields(), got;
    struct buf header, out;
    test("answers: a double is refused, and so is one too many");
    s.answer_count = 3;
    s.answers[1].b[0] = 1;
    buf_init(&out, 65536);
    make(&out, &s); /* the first and the third are equal */
    CHECK_INT(statement_parse(&got, buf_view(&out), NULL), E_DUPLICATE);
    buf_reset(&out);
    buf_init(&header, 65536);
    s.answer_count = 1;
    statement_protected(&header, &s);
    header.len -= 1 + 2 + 32; /* array head and its one bstr */
    cbor_put_array(&header, STATEMENT_ANSWERS_MAX + 1);
    for (uint8_t i = 0; i <= STATEMENT_ANSWERS_MAX; i++)
        cbor_put_bytes(&header, span_hash(&(struct hash){{i}}));
    seal(&out, buf_view(&header), span_of(NULL, 0), span_hash(&s.document));
    CHECK_INT(statement_parse(&got, buf_view(&out), NULL), E_LIMIT);
    buf_free(&header);
    buf_free(&out);
}

static void test_envelope(void)
{
    static const uint8_t unprotected[] = {0xa1, 0x18, 0x63, 0x00};
    static uint8_t large[STATEMENT_BYTES_MAX + 1];
    struct statement s = fields(), got;
    struct fault fault = {0};
    struct buf header, out;
    test("envelope: unprotected header, payload and size");
    buf_init(&header, 65536);
    buf_init(&out, 65536);
    statement_protected(&header, &s);
    seal(&out, buf_view(&header), span_of(unprotected, sizeof unprotected), span_hash(&s.document));
    CHECK_INT(statement_parse(&got, buf_view(&out), NULL), E_UNSUPPORTED);
    buf_reset(&out);
    seal(&out, buf_view(&header), span_of(NULL, 0), span_of(s.document.b, 31));
    CHECK_INT(statement_parse(&got, buf_view(&out), NULL), E_TYPE);
    buf_reset(&out);
    seal(&out, buf_view(&header), span_of(NULL, 0), span_of(NULL, 0)); /* detached */
    CHECK_INT(statement_parse(&got, buf_view(&out), NULL), E_TYPE);
    buf_reset(&out);
    cbor_put_null(&header); /* bytes behind the header's map */
    seal(&out, buf_view(&header), span_of(NULL, 0), span_hash(&s.document));
    CHECK_INT(statement_parse(&got, buf_view(&out), &fault), E_TRAILING);
    CHECK(fault.detail[0] != 0);
    CHECK_INT(statement_parse(&got, span_of(large, sizeof large), &fault), E_LIMIT);
    CHECK_INT(statement_parse(&got, span_of(NULL, 0), NULL), E_TRUNCATED);
    buf_free(&header);
    buf_free(&out);
}

int main(void)
{
    if (crypto_start() != 0 || !(key = secret_key_from_seed((const uint8_t[32]){1}, &pub)))
        return 1;
    test_round(0);
    test_round(1);
    test_round(STATEMENT_ANSWERS_MAX);
    test_flips();
    test_texts();
    test_labels();
    test_values();
    test_answers();
    test_envelope();
    secret_key_free(key);
    return test_end();
}
