#include "tests/test.h"

#include "base/text.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"

/* RFC 8032 section 7.1, tests 1 to 3 and SHA(abc). */
static const struct {
    const char *seed, *pub, *message, *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "55141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
     "a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad"
     "9bef1177331a704"},
};

static void test_vectors(void)
{
    test("RFC 8032 vectors: sign, verify, and refuse one flipped bit anywhere");
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t seed[32], message[64];
        size_t n = strlen(vectors[i].message) / 2;
        struct public_key pub, want_pub;
        struct signature sig, want_sig;
        CHECK(hex_parse(span_str(vectors[i].seed), seed, 32));
        CHECK(hex_parse(span_str(vectors[i].pub), want_pub.b, 32));
        CHECK(hex_parse(span_str(vectors[i].message), message, n));
        CHECK(hex_parse(span_str(vectors[i].signature), want_sig.b, 64));
        struct secret_key *key = secret_key_from_seed(seed, &pub);
        CHECK(key != NULL);
        sign(key, span_of(message, n), &sig);
        secret_key_free(key);
        CHECK(memcmp(pub.b, want_pub.b, 32) == 0);
        CHECK(memcmp(sig.b, want_sig.b, 64) == 0);
        CHECK(sign_verify(&pub, span_of(message, n), &sig));
        for (int bit = 0; bit < 512; bit++) {
            struct signature bad = sig;
            bad.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK(!sign_verify(&pub, span_of(message, n), &bad));
        }
        CHECK(!sign_verify(&pub, span_str("another message"), &sig));
    }
    secret_key_free(NULL);
}

/* Keys and signatures that lax verifiers accept. */
static void test_hostile(void)
{
    static const char *const small_order[] = {
        "0100000000000000000000000000000000000000000000000000000000000000", /* the identity: order 1 */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* not canonical: p + 1 */
    };
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    test("small-order and non-canonical keys verify nothing; S + L is refused");
    for (size_t i = 0; i < sizeof small_order / sizeof small_order[0]; i++) {
        struct public_key key;
        struct signature sig = {{1}}; /* R the identity, S = 0: holds for a small-order key under a lax equation */
        CHECK(hex_parse(span_str(small_order[i]), key.b, 32));
        CHECK(!sign_verify(&key, span_str("anything"), &sig));
        memcpy(sig.b, key.b, 32);
        CHECK(!sign_verify(&key, span_str("anything"), &sig));
    }
    struct public_key pub;
    struct signature sig;
    struct secret_key *key = secret_key_from_seed((const uint8_t[32]){7}, &pub);
    sign(key, span_str("m"), &sig);
    secret_key_free(key);
    CHECK(sign_verify(&pub, span_str("m"), &sig));
    unsigned carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += sig.b[32 + i] + (unsigned)order[i];
        sig.b[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK(!sign_verify(&pub, span_str("m"), &sig));
}

static void test_key_id(void)
{
    struct public_key pub;
    struct hash kid, want;
    test("a key id is the SHA-256 of the key's bytes");
    CHECK(hex_parse(span_str(vectors[0].pub), pub.b, 32));
    key_id(&pub, &kid);
    sha256(span_of(pub.b, 32), &want);
    CHECK(hash_eq(&kid, &want));
}

int main(void)
{
    if (crypto_start() != 0)
        return 1;
    test_vectors();
    test_hostile();
    test_key_id();
    return test_end();
}
