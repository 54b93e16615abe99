#include "format/cose.h"

#include "base/limits.h"

int cose_parse(struct cose_sign1 *out, struct span bytes)
{
    struct cbor c;
    uint64_t tag = 0;
    size_t count = 0, pairs = 0;
    struct span signature = {0};
    *out = (struct cose_sign1){0};
    cbor_open(&c, bytes);
    if (cbor_take_tag(&c, &tag) == 0 && tag != COSE_TAG_SIGN1)
        return E_TYPE;
    if (cbor_take_array(&c, &count) == 0 && count != 4)
        return E_SYNTAX;
    (void)cbor_take_bytes(&c, &out->protected_bytes);
    struct cbor map = c;
    (void)cbor_take_map(&map, &pairs); /* it must be a map; its content is the caller's */
    (void)cbor_skip(&c, &out->unprotected);
    out->detached = cbor_peek_null(&c);
    if (out->detached)
        (void)cbor_take_null(&c);
    else
        (void)cbor_take_bytes(&c, &out->payload);
    (void)cbor_take_bytes(&c, &signature);
    int rc = cbor_end(&c);
    if (rc == 0)
        rc = map.error;
    if (rc == 0 && signature.len != SIGN_BYTES)
        rc = E_UNSUPPORTED;
    if (rc == 0)
        memcpy(out->signature.b, signature.data, SIGN_BYTES);
    return rc;
}

void cose_to_be_signed(struct buf *out, struct span protected_bytes, struct span payload)
{
    cbor_put_array(out, 4);
    cbor_put_text(out, span_str("Signature1"));
    cbor_put_bytes(out, protected_bytes);
    cbor_put_bytes(out, span_of(NULL, 0));
    cbor_put_bytes(out, payload);
}

void cose_write(struct buf *out, struct span protected_bytes, struct span unprotected, struct span payload,
                const struct signature *signature)
{
    cbor_put_tag(out, COSE_TAG_SIGN1);
    cbor_put_array(out, 4);
    cbor_put_bytes(out, protected_bytes);
    if (unprotected.len)
        buf_span(out, unprotected);
    else
        cbor_put_map(out, 0);
    if (payload.data)
        cbor_put_bytes(out, payload);
    else
        cbor_put_null(out);
    cbor_put_bytes(out, span_of(signature->b, sizeof signature->b));
}

int cose_verify(const struct cose_sign1 *cose, struct span payload, const struct public_key *key)
{
    struct buf message;
    buf_init(&message, 2 * STATEMENT_BYTES_MAX);
    cose_to_be_signed(&message, cose->protected_bytes, payload);
    int rc = message.error ? message.error : sign_verify(key, buf_view(&message), &cose->signature) ? 0 : E_SIGNATURE;
    buf_free(&message);
    return rc;
}
