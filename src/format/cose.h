/* COSE_Sign1 (RFC 9052 section 4.2), tagged 18, Ed25519 = alg -19 (RFC 9864). Framing only: what the headers mean is record/'s. */
#ifndef COMITY_FORMAT_COSE_H
#define COMITY_FORMAT_COSE_H

#include "crypto/sign.h"
#include "format/cbor.h"

enum { COSE_ALG_ED25519 = -19, COSE_TAG_SIGN1 = 18 };

struct cose_sign1 {
    struct span protected_bytes; /* content of the bstr: the encoded header map */
    struct span unprotected;     /* the encoded map, one CBOR item */
    struct span payload;         /* data NULL when detached (null) */
    bool detached;
    struct signature signature; /* exactly 64 bytes, else E_UNSUPPORTED */
};

int cose_parse(struct cose_sign1 *out, struct span bytes); /* spans point into `bytes` */
/* Sig_structure ["Signature1", protected, h'', payload]. */
void cose_to_be_signed(struct buf *out, struct span protected_bytes, struct span payload);
/* `unprotected` is an encoded map (NULL, 0 for the empty one); payload data NULL writes null. */
void cose_write(struct buf *out, struct span protected_bytes, struct span unprotected, struct span payload,
                const struct signature *signature);
int cose_verify(const struct cose_sign1 *cose, struct span payload, const struct public_key *key); /* 0, E_SIGNATURE */

#endif
