#include "tests/test.h"

#include <stdlib.h>

#include "base/error.h"
#include "crypto/sign.h"
#include "crypto/storage.h"

static struct storage_key *key_of(uint8_t first)
{
    struct storage_key *key = storage_key_new();
    CHECK(key);
    key->b[0] = first;
    return key;
}

static void test_round(void)
{
    struct storage_key *key = key_of(1), *other = key_of(2);
    uint8_t text[300];
    test("what was sealed opens, under its key and as what it is alone");
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof text; len += 50) {
        struct buf sealed, plain;
        struct span what = span_str("inventory a/b");
        buf_init(&sealed, 4096);
        buf_init(&plain, 4096);
        storage_seal(key, what, span_of(text, len), &sealed);
        CHECK_INT(sealed.len, len + STORAGE_OVERHEAD_BYTES);
        CHECK_INT(storage_open(key, what, buf_view(&sealed), &plain), 0);
        CHECK(span_eq(buf_view(&plain), span_of(text, len)));
        CHECK_INT(storage_open(other, what, buf_view(&sealed), &plain), E_CORRUPT);
        CHECK_INT(storage_open(key, span_str("inventory a/c"), buf_view(&sealed), &plain), E_CORRUPT);
        for (size_t i = 0; i < sealed.len; i++) {
            sealed.data[i] ^= 1;
            CHECK_INT(storage_open(key, what, buf_view(&sealed), &plain), E_CORRUPT);
            sealed.data[i] ^= 1;
        }
        for (size_t cut = 0; cut < sealed.len; cut += 13)
            CHECK_INT(storage_open(key, what, span_of(sealed.data, cut), &plain), E_CORRUPT);
        CHECK_INT(plain.len, len); /* what did not open has left nothing */
        buf_free(&sealed);
        buf_free(&plain);
    }
    storage_key_free(key);
    storage_key_free(other);
}

static void test_nonces(void)
{
    struct storage_key *key = key_of(1);
    struct buf a, b, c;
    test("one text has one form; another text or another row has another nonce");
    buf_init(&a, 4096);
    buf_init(&b, 4096);
    buf_init(&c, 4096);
    storage_seal(key, span_str("x"), span_str("text"), &a);
    storage_seal(key, span_str("x"), span_str("text"), &b);
    CHECK(span_eq(buf_view(&a), buf_view(&b)));
    storage_seal(key, span_str("xt"), span_str("ext"), &c); /* the same bytes, divided elsewhere */
    CHECK(memcmp(a.data, c.data, 24) != 0);
    buf_reset(&c);
    storage_seal(key, span_str("x"), span_str("tex1"), &c);
    CHECK(memcmp(a.data, c.data, 24) != 0);
    buf_free(&a);
    buf_free(&b);
    buf_free(&c);
    storage_key_free(key);
}

int main(void)
{
    CHECK_INT(crypto_start(), 0);
    test_round();
    test_nonces();
    return test_end();
}
