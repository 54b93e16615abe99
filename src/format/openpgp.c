#include "format/openpgp.h"

#include <fcntl.h>
#include <stdio.h>

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

/* The library takes no empty input. */
static int input_of(rnp_input_t *out, struct span bytes)
{
    return rnp_input_from_memory(out, bytes.data, bytes.len, false) == RNP_SUCCESS ? 0 : E_NOMEM;
}

/* One ring, emptied before each use: to make another asks the system for what the process that reads documents may not ask. What the library
   would say on standard error is dropped. */
static rnp_ffi_t the_ring;

static rnp_ffi_t ring_empty(void)
{
    if (the_ring)
        return rnp_unload_keys(the_ring, RNP_KEY_UNLOAD_PUBLIC) == RNP_SUCCESS ? the_ring : NULL;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (rnp_ffi_create(&the_ring, "GPG", "GPG") == RNP_SUCCESS && nowhere >= 0)
        (void)rnp_ffi_set_log_fd(the_ring, nowhere); /* the ring's from now on */
    return the_ring;
}

static int ring_make(rnp_ffi_t *ring, struct span key, struct fault *fault)
{
    rnp_input_t input = NULL;
    if (!key.len)
        return fail(fault, E_KEY, "an empty file is no key");
    *ring = ring_empty();
    if (!*ring || input_of(&input, key) != 0)
        return fail(fault, E_NOMEM, "a ring of OpenPGP keys");
    rnp_result_t rc = rnp_import_keys(*ring, input, RNP_LOAD_SAVE_PUBLIC_KEYS, NULL);
    (void)rnp_input_destroy(input);
    return rc == RNP_SUCCESS ? 0 : fail(fault, E_KEY, "it holds no OpenPGP public key that can be read");
}

static void primary_take(rnp_ffi_t ring, const char *id, char out[static FINGERPRINT_BYTES], size_t *count)
{
    rnp_key_handle_t key = NULL;
    char *text = NULL;
    bool primary = false;
    if (rnp_locate_key(ring, "fingerprint", id, &key) == RNP_SUCCESS && key &&
        rnp_key_is_primary(key, &primary) == RNP_SUCCESS && primary && rnp_key_get_fprint(key, &text) == RNP_SUCCESS) {
        (void)snprintf(out, FINGERPRINT_BYTES, "%s", text);
        (*count)++;
    }
    rnp_buffer_destroy(text);
    (void)rnp_key_handle_destroy(key);
}

int openpgp_key(struct span key, char fingerprint[static FINGERPRINT_BYTES], struct fault *fault)
{
    rnp_ffi_t ring = NULL;
    rnp_identifier_iterator_t each = NULL;
    const char *id = NULL;
    size_t count = 0;
    fingerprint[0] = 0;
    int rc = ring_make(&ring, key, fault);
    if (rc == 0 && rnp_identifier_iterator_create(ring, &each, "fingerprint") != RNP_SUCCESS)
        rc = fail(fault, E_NOMEM, "a ring of OpenPGP keys");
    while (rc == 0 && rnp_identifier_iterator_next(each, &id) == RNP_SUCCESS && id)
        primary_take(ring, id, fingerprint, &count);
    (void)rnp_identifier_iterator_destroy(each);
    return rc ? rc : count == 1 ? 0 : fail(fault, E_KEY, "it holds %zu keys, and one is wanted", count);
}

int openpgp_verify(struct span document, struct span signature, struct span key, struct fault *fault)
{
    rnp_ffi_t ring = NULL;
    rnp_input_t data = NULL, detached = NULL;
    rnp_op_verify_t verify = NULL;
    int rc = ring_make(&ring, key, fault);
    if (rc == 0 && (!document.len || !signature.len))
        rc = fail(fault, E_SIGNATURE, "nothing is signed, or by nothing");
    if (rc == 0 && (input_of(&data, document) != 0 || input_of(&detached, signature) != 0))
        rc = fail(fault, E_NOMEM, "a signature");
    if (rc == 0 && (rnp_op_verify_detached_create(&verify, ring, data, detached) != RNP_SUCCESS ||
                    rnp_op_verify_execute(verify) != RNP_SUCCESS))
        rc = fail(fault, E_SIGNATURE, "no good OpenPGP signature by the key that was given for this source");
    (void)rnp_op_verify_destroy(verify);
    (void)rnp_input_destroy(detached);
    (void)rnp_input_destroy(data);
    return rc;
}

void openpgp_prepare(void)
{
    /* An Ed25519 key in its shortest form; that it has no user and no signature does not matter here. */
    static const uint8_t key[] = {0x98, 0x33, 0x04, 0x5f, 0x00, 0x00, 0x00, 0x16, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01,
                                  0xda, 0x47, 0x0f, 0x01, 0x01, 0x07, 0x40, 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a,
                                  0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda,
                                  0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
    char fingerprint[FINGERPRINT_BYTES];
    (void)openpgp_key(span_of(key, sizeof key), fingerprint, NULL);
    (void)openpgp_verify(span_str("x"), span_str("x"), span_of(key, sizeof key), NULL);
}
