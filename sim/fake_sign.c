/* Signatures that cost next to nothing: real ones would take most of a seed's time. One is a hash over the public key and the message.
   It stands for a table of what was signed, since nobody in a simulated circle makes one but by sign(). The linker puts these in the
   place of src/crypto/sign.c's (--wrap), in the simulator only. */
#include "sim/fake_sign.h"

#include "crypto/sha256.h"

void __real_sign(const struct secret_key *key, struct span message, struct signature *out);
bool __real_sign_verify(const struct public_key *key, struct span message, const struct signature *signature);
void __wrap_sign(const struct secret_key *key, struct span message, struct signature *out);
bool __wrap_sign_verify(const struct public_key *key, struct span message, const struct signature *signature);

bool signatures_are_real = true; /* party cards and the charter are, in every seed */

static void false_signature(const uint8_t key[static SIGN_KEY_BYTES], struct span message, struct signature *out)
{
    struct hash of[2], whole;
    sha256(message, &of[0]);
    memcpy(of[1].b, key, sizeof of[1].b);
    sha256(span_of(of, sizeof of), &whole);
    memcpy(out->b, whole.b, 32);
    memcpy(out->b + 32, of[0].b, 32);
}

void __wrap_sign(const struct secret_key *key, struct span message, struct signature *out)
{
    if (signatures_are_real)
        __real_sign(key, message, out);
    else
        false_signature(key->b + SIGN_SECRET_BYTES - SIGN_KEY_BYTES, message, out);
}

bool __wrap_sign_verify(const struct public_key *key, struct span message, const struct signature *signature)
{
    struct signature expected;
    if (signatures_are_real)
        return __real_sign_verify(key, message, signature);
    false_signature(key->b, message, &expected);
    return memcmp(expected.b, signature->b, sizeof expected.b) == 0;
}
