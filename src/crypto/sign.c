#include "crypto/sign.h"

#include <sodium.h>

#include "base/error.h"
#include "crypto/sha256.h"

int crypto_start(void)
{
    struct hash probe;
    if (sodium_init() < 0)
        return E_STATE;
    sha256(span_str(""), &probe);
    return 0;
}

struct secret_key *secret_key_from_seed(const uint8_t seed[static 32], struct public_key *pub)
{
    struct secret_key *key = sodium_malloc(sizeof *key);
    if (!key)
        return NULL;
    if (crypto_sign_seed_keypair(pub->b, key->b, seed) != 0) {
        sodium_free(key);
        return NULL;
    }
    (void)sodium_mprotect_readonly(key);
    return key;
}

void secret_key_free(struct secret_key *key)
{
    sodium_free(key); /* zeroes, and accepts NULL */
}

void sign(const struct secret_key *key, struct span message, struct signature *out)
{
    (void)crypto_sign_detached(out->b, NULL, message.data, message.len, key->b); /* cannot fail on a whole key */
}

bool sign_verify(const struct public_key *key, struct span message, const struct signature *signature)
{
    return crypto_sign_verify_detached(signature->b, message.data, message.len, key->b) == 0;
}

void key_id(const struct public_key *key, struct hash *kid)
{
    sha256(span_of(key->b, sizeof key->b), kid);
}
