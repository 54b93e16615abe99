/* SHA-256 (FIPS 180-4) by OpenSSL EVP: one fetched digest, one reused context per thread. Cannot fail after start-up: it aborts. */
#ifndef COMITY_CRYPTO_SHA256_H
#define COMITY_CRYPTO_SHA256_H

#include "base/span.h"

struct sha256; /* a running hash */

/* SHA-512, for the files in which sources name their documents' hashes. */
void sha512(struct span bytes, uint8_t out[static 64]);

void sha256(struct span bytes, struct hash *out);
/* The hash of up to a few spans one after another, without copying them together. */
void sha256_parts(const struct span *parts, size_t count, struct hash *out);

struct sha256 *sha256_new(void); /* NULL: out of memory */
void sha256_add(struct sha256 *state, struct span bytes);
void sha256_end(struct sha256 *state, struct hash *out); /* ends and frees the state */

#endif
