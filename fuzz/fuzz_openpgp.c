/* A key and a signature, each a piece behind its length; the rest is the document. What is good over these bytes is not over others. */
#include "format/openpgp.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size), key = plan_piece(&rest), signature = plan_piece(&rest);
    char fingerprint[FINGERPRINT_BYTES];
    struct fault fault = {0};
    struct buf other;
    static bool prepared;
    if (!prepared)
        openpgp_prepare();
    prepared = true;
    int rc = openpgp_key(key, fingerprint, &fault);
    must(rc == fault.code && (rc != 0 || strlen(fingerprint) >= 40));
    buf_init(&other, size + 16);
    buf_span(&other, rest);
    buf_byte(&other, 'x');
    if (openpgp_verify(rest, signature, key, NULL) == 0)
        must(openpgp_verify(buf_view(&other), signature, key, NULL) == E_SIGNATURE);
    buf_free(&other);
    return 0;
}
