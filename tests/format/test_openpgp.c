/* OpenPGP keys and detached signatures that GnuPG 2.2 made, once for ever; the keys are of nobody. */
#include "format/openpgp.h"

#include "tests/format/gnupg.h"
#include "tests/test.h"

int main(void)
{
    char fingerprint[FINGERPRINT_BYTES];
    struct fault fault = {0};
    openpgp_prepare();
    test("a key tells its fingerprint");
    CHECK_INT(openpgp_key(span_str(openpgp_key_a), fingerprint, &fault), 0);
    CHECK(strcmp(fingerprint, openpgp_fingerprint_a) == 0);
    test("none, half of one and two are refused");
    CHECK_INT(openpgp_key(span_str(""), fingerprint, &fault), E_KEY);
    CHECK_INT(openpgp_key(span_str("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"), fingerprint, &fault), E_KEY);
    CHECK_INT(openpgp_key(span_of(openpgp_key_a, strlen(openpgp_key_a) / 2), fingerprint, &fault), E_KEY);
    CHECK_INT(openpgp_key(span_str(openpgp_keys_both), fingerprint, &fault), E_KEY);
    test("a signature by the key over these bytes is good");
    CHECK_INT(openpgp_verify(span_str("hello\n"), span_str(openpgp_signature_a), span_str(openpgp_key_a), &fault), 0);
    test("over other bytes, by another key, cut or none, it is not");
    CHECK_INT(openpgp_verify(span_str("hello"), span_str(openpgp_signature_a), span_str(openpgp_key_a), &fault),
              E_SIGNATURE);
    CHECK_INT(openpgp_verify(span_str(""), span_str(openpgp_signature_a), span_str(openpgp_key_a), &fault),
              E_SIGNATURE);
    CHECK_INT(openpgp_verify(span_str("hello\n"), span_str(openpgp_signature_b), span_str(openpgp_key_a), &fault),
              E_SIGNATURE);
    CHECK_INT(openpgp_verify(span_str("hello\n"), span_of(openpgp_signature_a, strlen(openpgp_signature_a) / 2),
                             span_str(openpgp_key_a), &fault),
              E_SIGNATURE);
    CHECK_INT(openpgp_verify(span_str("hello\n"), span_str("x"), span_str(openpgp_key_a), &fault), E_SIGNATURE);
    CHECK_INT(openpgp_verify(span_str("hello\n"), span_str(openpgp_signature_a), span_str("x"), &fault), E_KEY);
    test("a key that was used before stays out of the ring of the next");
    CHECK_INT(openpgp_verify(span_str("hello\n"), span_str(openpgp_signature_b), span_str(openpgp_keys_both), &fault),
              0);
    CHECK_INT(openpgp_verify(span_str("hello\n"), span_str(openpgp_signature_b), span_str(openpgp_key_a), &fault),
              E_SIGNATURE);
    return test_end();
}
