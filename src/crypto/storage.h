/* Encryption at rest, of what a node keeps for others: XChaCha20-Poly1305 (libsodium). The nonce is keyed BLAKE2b over the text and what it
   is: no randomness is needed, no nonce can stand twice for two texts, and only that two rows are equal can be seen. Not a format
   for sending: sealed statements are age files. */
#ifndef COMITY_CRYPTO_STORAGE_H
#define COMITY_CRYPTO_STORAGE_H

#include "base/buf.h"
#include "base/span.h"

enum { STORAGE_KEY_BYTES = 32, STORAGE_OVERHEAD_BYTES = 24 + 16 };
struct storage_key {
    uint8_t b[STORAGE_KEY_BYTES];
};
/* In guarded memory, all zero; NULL: no memory. */
struct storage_key *storage_key_new(void);
void storage_key_free(struct storage_key *key); /* accepts NULL; zeroes */

/* Appends nonce and ciphertext. `what` is bound to it and not in it: it says what this is, so that no row passes for another. */
void storage_seal(const struct storage_key *key, struct span what, struct span plain, struct buf *out);
/* Appends the plain text. E_CORRUPT when it was not sealed so. */
int storage_open(const struct storage_key *key, struct span what, struct span sealed, struct buf *out);

#endif
