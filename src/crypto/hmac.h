/* HMAC-SHA-256 (RFC 2104, FIPS 198-1). */
#ifndef COMITY_CRYPTO_HMAC_H
#define COMITY_CRYPTO_HMAC_H

#include "base/span.h"

/* Over the parts one after another; a key of any length. */
void hmac_sha256(struct span key, const struct span *parts, size_t count, struct hash *out);

#endif
