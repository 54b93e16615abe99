#include "tests/test.h"

#include "base/text.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"

/* FIPS 180-4 examples and NIST CAVP SHA256ShortMsg. */
static const struct {
    const char *hex, *want;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
    {"11af", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
    {"616263", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"6162636462636465636465666465666765666768666768696768696a68696a6b696a6b6c6a6b6c6d6b6c6d6e6c6d6e6f6d6e6f706e6f7071",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static bool is_hash(const struct hash *h, const char *want)
{
    char hex[65];
    hash_hex(h, hex);
    return strcmp(hex, want) == 0;
}

static void test_vectors(void)
{
    test("sha256 vectors");
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t bytes[64];
        size_t n = strlen(vectors[i].hex) / 2;
        struct hash h;
        CHECK(hex_parse(span_str(vectors[i].hex), bytes, n));
        sha256(span_of(bytes, n), &h);
        CHECK(is_hash(&h, vectors[i].want));
    }
}

static void test_million(void)
{
    static uint8_t block[1000];
    struct sha256 *state = sha256_new();
    struct hash h;
    test("a million times 'a', in pieces");
    memset(block, 'a', sizeof block);
    CHECK(state != NULL);
    for (int i = 0; state && i < 1000; i++)
        sha256_add(state, span_of(block, sizeof block));
    if (state)
        sha256_end(state, &h);
    CHECK(is_hash(&h, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

static void test_parts(void)
{
    struct span parts[] = {span_str("a"), span_of(NULL, 0), span_str("bc")};
    struct sha256 *running = sha256_new();
    struct hash h, other;
    test("parts equal the whole, and running hashes do not disturb each other");
    sha256_add(running, span_str("ab"));
    sha256_parts(parts, 3, &h);
    sha256_add(running, span_str("c"));
    sha256_end(running, &other);
    CHECK(is_hash(&h, vectors[3].want));
    CHECK(hash_eq(&h, &other));
    sha256_parts(NULL, 0, &h);
    CHECK(is_hash(&h, vectors[0].want));
}

int main(void)
{
    if (crypto_start() != 0)
        return 1;
    test_vectors();
    test_million();
    test_parts();
    return test_end();
}
