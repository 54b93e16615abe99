/* Signed notes: the specification's own examples, what we write ourselves, and what must be refused. */
#include "tests/test.h"

#include <stdlib.h>

#include "base/text.h"
#include "format/note.h"

#define DASH "\xe2\x80\x94 "
#define VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define LINE                                                                                                           \
    DASH "example.com/foo "                                                                                            \
         "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define TEXT "This is an example message.\n"

static struct note note;
static struct secret_key *secret;
static struct public_key pub;

static const struct span name = {(const uint8_t *)"log.example/a", 13};

/* c2sp signed-note, "Example". */
static void test_published(void)
{
    struct span key_name;
    enum note_type type;
    struct public_key key;
    CHECK_INT(note_vkey_parse(span_str(VKEY), &key_name, &type, &key), 0);
    CHECK(span_is(key_name, "example.com/foo") && type == NOTE_ED25519);
    CHECK_INT(note_key_id(key_name, type, &key), 0x530d903a);
    struct buf out;
    buf_init(&out, 1000);
    note_vkey_write(&out, key_name, type, &key);
    CHECK(span_is(buf_view(&out), VKEY));
    CHECK_INT(note_parse(&note, span_str(TEXT "\n" LINE), NULL), 0);
    CHECK(span_is(note.text, TEXT) && note.count == 1 && span_is(note.signatures[0].line, LINE));
    CHECK_INT(note_verify(&note, key_name, &key), 0);
    CHECK_INT(note_verify(&note, span_str("example.com/fo"), &key), E_KEY);
    CHECK_INT(note_verify(&note, key_name, &pub), E_KEY);
    CHECK_INT(note_verify_cosignature(&note, key_name, &key, NULL, NULL), E_KEY);
    CHECK_INT(note_parse(&note, span_str("This is an example messagE.\n\n" LINE), NULL), 0);
    CHECK_INT(note_verify(&note, key_name, &key), E_SIGNATURE);
    CHECK_INT(note_parse(&note, span_str(TEXT "\n" LINE DASH "other.example AAAAAAE=\n" LINE), NULL), 0);
    CHECK_INT(note.count, 3);
    CHECK_INT(note_verify(&note, key_name, &key), 0); /* unknown keys are ignored */
    CHECK_INT(note_parse(&note, span_str(TEXT "\n" LINE DASH "example.com/foo Uw2QOgE=\n"), NULL), 0);
    CHECK_INT(note_verify(&note, key_name, &key),
              E_SIGNATURE); /* a known key's line fails: the whole note is refused */
    buf_free(&out);
}

static void test_tables(void)
{
    static const struct {
        const char *bytes;
        int rc;
    } cases[] = {
        {"a\n\n" LINE, 0},
        {"\n\n" LINE, 0},
        {"a\n\nb\n\n\n" LINE, 0}, /* the last empty line divides */
        {"\xc3\xa9 \xf0\x9f\x8c\xb1\n\n" LINE, 0},
        {"a\n\n" DASH "n AAAAAAE=\n", 0},
        {"", E_SYNTAX},
        {"a", E_SYNTAX},
        {"a\n", E_SYNTAX},
        {"a\n" LINE, E_SYNTAX},
        {"\n" LINE, E_SYNTAX},
        {"a\n\n", E_SYNTAX},
        {"a\n\n\n", E_SYNTAX},
        {"a\n\n" LINE "\n", E_SYNTAX},
        {"a\n\n" LINE "b\n", E_SYNTAX},
        {"a\n\n" DASH "n AAAAAAE=", E_TRUNCATED},
        {"a\n\n" DASH "n AAAAAA==\n", E_CANONICAL}, /* an id without a signature */
        {"a\n\n" DASH "n AAA=\n", E_CANONICAL},
        {"a\n\n" DASH "n AAAAAAF=\n", E_CANONICAL}, /* trailing bits */
        {"a\n\n" DASH "n AAAAAAE\n", E_CANONICAL},
        {"a\n\n" DASH "n AAAAAAE= \n", E_CANONICAL},
        {"a\n\n" DASH "n  AAAAAAE=\n", E_CANONICAL},
        {"a\n\n" DASH "n AAAA_AE=\n", E_CANONICAL},
        {"a\n\n" DASH "n \n", E_CANONICAL},
        {"a\n\n" DASH "n AAAA\xd2\x91"
         "E=\n",
         E_CANONICAL}, /* valid UTF-8, but no base64 */
        {"a\n\n" DASH "n\n", E_SYNTAX},
        {"a\n\n" DASH " AAAAAAE=\n", E_SYNTAX},
        {"a\n\n" DASH "n+m AAAAAAE=\n", E_SYNTAX},
        {"a\n\n" DASH "n\xc2\xa0m AAAAAAE=\n", E_SYNTAX},
        {"a\n\n" DASH "n\xe3\x80\x80 AAAAAAE=\n", E_SYNTAX},
        {"a\n\n- n AAAAAAE=\n", E_SYNTAX},
        {"a\n\n\xe2\x80\x94n AAAAAAE=\n", E_SYNTAX},
        {"a\r\n\n" LINE, E_UTF8},
        {"a\tb\n\n" LINE, E_UTF8},
        {"a\xff\n\n" LINE, E_UTF8},
        {"\xc0\xaf\n\n" LINE, E_UTF8},
        {"\xed\xa0\x80\n\n" LINE, E_UTF8},
        {"a\n\n" DASH "n\xe2\x80 AAAAAAE=\n", E_UTF8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault fault = {0};
        int rc = note_parse(&note, span_str(cases[i].bytes), &fault);
        CHECK_INT(rc, cases[i].rc);
        CHECK(rc == fault.code);
        if (rc != cases[i].rc)
            printf("# case %zu: %s\n", i, fault.detail);
    }
    CHECK_INT(note_parse(&note, span_of("a\0b\n\n" LINE, sizeof("a\0b\n\n" LINE) - 1), NULL), E_UTF8);
    CHECK_INT(note_parse_signatures(&note, span_str(LINE LINE), NULL), 0);
    CHECK_INT(note_parse_signatures(&note, span_str(""), NULL), E_MISSING);
    CHECK_INT(note_parse_signatures(&note, span_str("\n" LINE), NULL), E_SYNTAX);
}

static int parse_many(size_t lines, size_t signature_len)
{
    uint8_t *bytes = calloc(1, signature_len);
    struct buf out;
    buf_init(&out, 1u << 20);
    buf_text(&out, "a\n\n");
    for (size_t i = 0; bytes && i < lines; i++) {
        buf_text(&out, DASH "n ");
        buf_base64(&out, span_of(bytes, signature_len));
        buf_byte(&out, '\n');
    }
    int rc = note_parse(&note, buf_view(&out), NULL);
    buf_free(&out);
    free(bytes);
    return rc;
}

static void test_limits(void)
{
    CHECK_INT(parse_many(16, 4 + 64), 0);
    CHECK_INT(parse_many(NOTE_SIGNATURES_MAX, 4 + 72), 0);
    CHECK_INT(note.signatures[0].len, 72);
    CHECK_INT(parse_many(NOTE_SIGNATURES_MAX + 1, 4 + 64), E_LIMIT);
    CHECK_INT(parse_many(1, 4 + 8 + 2420), 0); /* ML-DSA-44: kept as a line only */
    CHECK_INT(note.signatures[0].len, 0);
    CHECK_INT(parse_many(1, 4 + NOTE_SIGNATURE_BYTES_MAX), 0);
    CHECK_INT(parse_many(1, 4 + NOTE_SIGNATURE_BYTES_MAX + 1), E_CANONICAL);
    CHECK_INT(parse_many(20, 5000), E_LIMIT); /* larger than a note may be */
}

static void test_vkeys(void)
{
    static const struct {
        const char *vkey;
        int rc;
    } cases[] = {
        {VKEY, 0},
        {"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_KEY},
        {"example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_KEY},
        {"example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_KEY},
        {"example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_UNSUPPORTED},
        {"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_SYNTAX},
        {"example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_SYNTAX},
        {"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=", E_SYNTAX},
        {"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAA==", E_SYNTAX},
        {"example.com/foo+530d903a+", E_SYNTAX},
        {"example.com/foo+530d903a", E_SYNTAX},
        {"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_SYNTAX},
        {"example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_SYNTAX},
        {VKEY "\n", E_SYNTAX},
        {"", E_SYNTAX},
        {"+", E_SYNTAX},
        {"a+", E_SYNTAX},
    };
    struct span key_name;
    enum note_type type;
    struct public_key key;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_INT(note_vkey_parse(span_str(cases[i].vkey), &key_name, &type, &key), cases[i].rc);
    }
    uint8_t bytes[1 + 1312] = {6}; /* an ML-DSA-44 key is well formed, though not supported */
    struct buf out;
    buf_init(&out, 4096);
    buf_text(&out, "w.example+00000000+");
    buf_base64(&out, span_of(bytes, sizeof bytes));
    CHECK_INT(note_vkey_parse(buf_view(&out), &key_name, &type, &key), E_UNSUPPORTED);
    buf_free(&out);
}

static void cosign(struct buf *out, int64_t timestamp, struct span text, struct signature *signature)
{
    struct buf message;
    buf_init(&message, NOTE_BYTES_MAX);
    note_cosigned_message(&message, timestamp, text);
    sign(secret, buf_view(&message), signature);
    note_cosignature_write(out, name, &pub, timestamp, signature);
    buf_free(&message);
}

static void test_written(void)
{
    struct span text = span_str("log.example/a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    struct signature signature, second, got;
    struct buf out;
    int64_t timestamp = -1;
    buf_init(&out, NOTE_BYTES_MAX);
    buf_span(&out, text);
    buf_byte(&out, '\n');
    sign(secret, text, &signature);
    note_signature_write(&out, name, &pub, &signature);
    cosign(&out, 1700000009, text, &signature);
    cosign(&out, 1700000001, text, &second);
    CHECK_INT(note_parse(&note, buf_view(&out), NULL), 0);
    CHECK_INT(note.count, 3);
    CHECK(span_eq(note.text, text));
    CHECK_INT(note_verify(&note, name, &pub), 0);
    CHECK_INT(note_verify_cosignature(&note, name, &pub, &timestamp, &got), 0);
    CHECK_INT(timestamp, 1700000001); /* the earliest of two */
    CHECK(memcmp(&got, &second, sizeof got) == 0);
    CHECK_INT(cosignature_verify(&pub, 1700000001, text, &second), 0);
    CHECK_INT(cosignature_verify(&pub, 1700000002, text, &second), E_SIGNATURE);
    CHECK_INT(cosignature_verify(&pub, 1700000001, name, &second), E_SIGNATURE);
    CHECK(note_key_id(name, NOTE_ED25519, &pub) != note_key_id(name, NOTE_COSIGNATURE, &pub));
    note_cosignature_write(&out, name, &pub, 1700000003, &second); /* a wrong time spoils it */
    CHECK_INT(note_parse(&note, buf_view(&out), NULL), 0);
    CHECK_INT(note_verify_cosignature(&note, name, &pub, &timestamp, NULL), E_SIGNATURE);
    buf_reset(&out);
    buf_span(&out, text);
    buf_byte(&out, '\n');
    note_cosignature_write(&out, name, &pub, -1, &second); /* above 2^63 - 1 on the wire */
    CHECK_INT(note_parse(&note, buf_view(&out), NULL), 0);
    CHECK_INT(note_verify_cosignature(&note, name, &pub, &timestamp, NULL), E_SIGNATURE);
    buf_free(&out);
}

/* c2sp tlog-cosignature, "Ed25519 signed message". */
static void test_message(void)
{
    struct buf out;
    buf_init(&out, 1000);
    note_cosigned_message(
        &out, 1679315147,
        span_str("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"));
    CHECK(span_is(buf_view(&out), "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
                                  "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"));
    buf_free(&out);
}

int main(void)
{
    static const uint8_t seed[32] = {7};
    if (crypto_start() != 0 || !(secret = secret_key_from_seed(seed, &pub)))
        return 1;
    test("the published example verifies");
    test_published();
    test("accepted and refused notes");
    test_tables();
    test("limits");
    test_limits();
    test("verifier keys");
    test_vkeys();
    test("what is written verifies; the earliest cosignature counts");
    test_written();
    test("the cosigned message");
    test_message();
    secret_key_free(secret);
    return test_end();
}
