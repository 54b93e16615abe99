#include "crypto/hmac.h"

#include <sodium.h>

void hmac_sha256(struct span key, const struct span *parts, size_t count, struct hash *out)
{
    crypto_auth_hmacsha256_state state;
    (void)crypto_auth_hmacsha256_init(&state, key.data, key.len);
    for (size_t i = 0; i < count; i++)
        (void)crypto_auth_hmacsha256_update(&state, parts[i].data, parts[i].len);
    (void)crypto_auth_hmacsha256_final(&state, out->b);
    sodium_memzero(&state, sizeof state);
}
