/* What cose_parse takes, cose_write gives back byte for byte. */
#include "format/cose.h"
#include "fuzz/mutate_cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct public_key key = {{1}};
    struct cose_sign1 cose;
    struct buf out;
    if (cose_parse(&cose, span_of(data, size)) != 0)
        return 0;
    buf_init(&out, size + 1);
    cose_write(&out, cose.protected_bytes, cose.unprotected, cose.payload, &cose.signature);
    if (out.error || !span_eq(buf_view(&out), span_of(data, size)))
        abort();
    if (cose_verify(&cose, cose.payload, &key) == 0)
        abort(); /* no secret key belongs to this one */
    buf_free(&out);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return cbor_mutator(data, size, max, seed);
}
