#include "tests/test.h"

#include "base/text.h"
#include "format/cose.h"

static struct secret_key *key;
static struct public_key pub;
static const uint8_t header[] = {0xa1, 0x01, 0x32}; /* {1: -19} */

static void sign_cose(struct buf *out, struct span payload, bool detached)
{
    struct buf message;
    struct signature sig;
    buf_init(&message, 4096);
    cose_to_be_signed(&message, span_of(header, sizeof header), payload);
    sign(key, buf_view(&message), &sig);
    buf_free(&message);
    cose_write(out, span_of(header, sizeof header), span_of(NULL, 0), detached ? span_of(NULL, 0) : payload, &sig);
}

static void test_round(bool detached)
{
    struct buf out;
    struct cose_sign1 cose;
    test(detached ? "round trip, detached" : "round trip, attached");
    buf_init(&out, 4096);
    sign_cose(&out, span_str("payload"), detached);
    CHECK_INT(cose_parse(&cose, buf_view(&out)), 0);
    CHECK_INT(cose.detached, detached);
    CHECK(detached ? cose.payload.data == NULL : span_is(cose.payload, "payload"));
    CHECK(span_eq(cose.protected_bytes, span_of(header, sizeof header)));
    CHECK_INT(cose.unprotected.len, 1);
    CHECK_INT(cose_verify(&cose, span_str("payload"), &pub), 0);
    CHECK_INT(cose_verify(&cose, span_str("Payload"), &pub), E_SIGNATURE);
    for (size_t cut = 0; cut < out.len; cut++)
        CHECK_INT(cose_parse(&cose, span_of(out.data, cut)), E_TRUNCATED);
    buf_byte(&out, 0);
    CHECK_INT(cose_parse(&cose, buf_view(&out)), E_TRAILING);
    buf_free(&out);
}

static void test_to_be_signed(void)
{
    uint8_t want[64];
    struct buf out;
    test("Sig_structure of RFC 9052 section 4.4");
    CHECK(hex_parse(span_str("846a5369676e61747572653143a1013240427069"), want, 20));
    buf_init(&out, 64);
    cose_to_be_signed(&out, span_of(header, sizeof header), span_str("pi"));
    CHECK(span_eq(buf_view(&out), span_of(want, 20)));
    buf_free(&out);
}

/* A prefix, then the bstr of a 64-byte signature (or what stands for it). */
static const struct {
    const char *prefix;
    size_t signature_bytes;
    int want;
} refused[] = {
    {"d28443a10132a04170", 64, 0},
    {"d28440a0f6", 64, 0}, /* empty protected bstr: framing allows it */
    {"d28443a10132a0f6", 64, 0},
    {"d28443a10132a04170", 63, E_UNSUPPORTED},
    {"d28443a10132a04170", 65, E_UNSUPPORTED},
    {"8443a10132a04170", 64, E_TYPE},     /* no tag */
    {"d18443a10132a04170", 64, E_TYPE},   /* COSE_Mac0 */
    {"d2d28443a10132a04170", 64, E_TYPE}, /* two tags */
    {"d28343a10132a0", 64, E_SYNTAX},
    {"d28543a10132a04170", 64, E_SYNTAX},
    {"d284a10132a04170", 64, E_TYPE},   /* protected is no bstr */
    {"d28443a1013280f6", 64, E_TYPE},   /* unprotected is no map */
    {"d28443a10132a06170", 64, E_TYPE}, /* payload is text */
    {"d28443a10132a0f5", 64, E_TYPE},
    {"d28443a10132a2020101014170", 64, E_CANONICAL},
    {"d28443a10132a2010101024170", 64, E_DUPLICATE},
    {"d28443a10132bfff4170", 64, E_CANONICAL},
};

static void test_refused(void)
{
    test("framing: taken and refused");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        uint8_t prefix[64];
        static const uint8_t signature[65];
        struct cose_sign1 cose;
        struct buf bytes;
        size_t n = strlen(refused[i].prefix) / 2;
        CHECK(hex_parse(span_str(refused[i].prefix), prefix, n));
        buf_init(&bytes, 256);
        buf_add(&bytes, prefix, n);
        cbor_put_bytes(&bytes, span_of(signature, refused[i].signature_bytes));
        int got = cose_parse(&cose, buf_view(&bytes));
        if (got != refused[i].want)
            printf("# %s\n", refused[i].prefix);
        CHECK_INT(got, refused[i].want);
        buf_free(&bytes);
    }
}

int main(void)
{
    if (crypto_start() != 0 || !(key = secret_key_from_seed((const uint8_t[32]){1}, &pub)))
        return 1;
    test_round(false);
    test_round(true);
    test_to_be_signed();
    test_refused();
    secret_key_free(key);
    return test_end();
}
