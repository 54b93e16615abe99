/* Ed25519 (RFC 8032) by libsodium, which refuses small-order keys and non-canonical points. */
#ifndef COMITY_CRYPTO_SIGN_H
#define COMITY_CRYPTO_SIGN_H

#include "base/span.h"

enum { SIGN_KEY_BYTES = 32, SIGN_BYTES = 64, SIGN_SECRET_BYTES = 64 };

struct public_key {
    uint8_t b[SIGN_KEY_BYTES];
};
struct signature {
    uint8_t b[SIGN_BYTES];
};
/* Lives in guarded memory: made and freed by these functions only. */
struct secret_key {
    uint8_t b[SIGN_SECRET_BYTES];
};

int crypto_start(void); /* libsodium and OpenSSL; call once in each process; E_STATE on failure */

struct secret_key *secret_key_from_seed(const uint8_t seed[static 32], struct public_key *pub); /* NULL: no memory */
void secret_key_free(struct secret_key *key); /* accepts NULL; zeroes */

void sign(const struct secret_key *key, struct span message, struct signature *out);
bool sign_verify(const struct public_key *key, struct span message, const struct signature *signature);

/* kid: SHA-256 of the 32 public key bytes. */
void key_id(const struct public_key *key, struct hash *kid);

#endif
