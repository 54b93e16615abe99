#include "crypto/storage.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/error.h"

enum {
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES
};
_Static_assert(STORAGE_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the cipher's key");
_Static_assert(STORAGE_OVERHEAD_BYTES == NONCE_BYTES + TAG_BYTES, "nonce and tag");

struct storage_key *storage_key_new(void)
{
    struct storage_key *key = sodium_malloc(sizeof *key);
    if (key)
        sodium_memzero(key, sizeof *key);
    return key;
}

void storage_key_free(struct storage_key *key)
{
    sodium_free(key);
}

static void nonce_of(const struct storage_key *key, struct span what, struct span plain,
                     uint8_t nonce[static NONCE_BYTES])
{
    crypto_generichash_state state;
    uint64_t length = what.len;
    (void)crypto_generichash_init(&state, key->b, sizeof key->b, NONCE_BYTES);
    (void)crypto_generichash_update(&state, (const uint8_t *)&length, sizeof length);
    (void)crypto_generichash_update(&state, what.data, what.len);
    (void)crypto_generichash_update(&state, plain.data, plain.len);
    (void)crypto_generichash_final(&state, nonce, NONCE_BYTES);
}

void storage_seal(const struct storage_key *key, struct span what, struct span plain, struct buf *out)
{
    uint8_t nonce[NONCE_BYTES];
    uint8_t *sealed = malloc(plain.len + TAG_BYTES);
    unsigned long long len = 0;
    if (!sealed) {
        out->error = E_NOMEM;
        return;
    }
    nonce_of(key, what, plain, nonce);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, &len, plain.data, plain.len, what.data, what.len, NULL,
                                                     nonce, key->b);
    buf_add(out, nonce, sizeof nonce);
    buf_add(out, sealed, (size_t)len);
    free(sealed);
}

int storage_open(const struct storage_key *key, struct span what, struct span sealed, struct buf *out)
{
    if (sealed.len < STORAGE_OVERHEAD_BYTES)
        return E_CORRUPT;
    size_t len = sealed.len - STORAGE_OVERHEAD_BYTES;
    uint8_t *plain = malloc(len + 1);
    if (!plain)
        return E_NOMEM;
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed.data + NONCE_BYTES,
                                                        sealed.len - NONCE_BYTES, what.data, what.len, sealed.data,
                                                        key->b) == 0
                 ? 0
                 : E_CORRUPT;
    if (rc == 0)
        buf_add(out, plain, len);
    sodium_memzero(plain, len);
    free(plain);
    return rc ? rc : out->error;
}
