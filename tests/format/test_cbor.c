#include "tests/test.h"

#include "base/limits.h"
#include "base/text.h"
#include "format/cbor.h"

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    CHECK(hex_parse(span_str(hex), out, n));
    return n;
}

/* RFC 8949 appendix A: integers within int64. */
static const struct {
    const char *hex;
    int64_t value;
} ints[] = {
    {"00", 0},
    {"01", 1},
    {"0a", 10},
    {"17", 23},
    {"1818", 24},
    {"1819", 25},
    {"1864", 100},
    {"18ff", 255},
    {"190100", 256},
    {"1903e8", 1000},
    {"19ffff", 65535},
    {"1a00010000", 65536},
    {"1a000f4240", 1000000},
    {"1affffffff", 4294967295},
    {"1b0000000100000000", 4294967296},
    {"1b000000e8d4a51000", 1000000000000},
    {"1b7fffffffffffffff", INT64_MAX},
    {"20", -1},
    {"29", -10},
    {"37", -24},
    {"3818", -25},
    {"3863", -100},
    {"3903e7", -1000},
    {"3a00010108", -65801},
    {"3b7fffffffffffffff", INT64_MIN},
};

static void test_ints(void)
{
    test("integers, both ways");
    for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++) {
        uint8_t bytes[16];
        size_t n = unhex(ints[i].hex, bytes);
        struct cbor c;
        int64_t value = 0;
        struct buf out;
        cbor_open(&c, span_of(bytes, n));
        CHECK_INT(cbor_take_int(&c, &value), 0);
        CHECK_INT(value, ints[i].value);
        CHECK_INT(cbor_end(&c), 0);
        CHECK_INT(cbor_check(span_of(bytes, n)), 0);
        buf_init(&out, 64);
        cbor_put_int(&out, ints[i].value);
        CHECK(span_eq(buf_view(&out), span_of(bytes, n)));
        buf_free(&out);
        for (size_t cut = 0; cut < n; cut++)
            CHECK_INT(cbor_check(span_of(bytes, cut)), E_TRUNCATED);
    }
}

/* RFC 8949 appendix A and section 4.2.1: what the deterministic subset takes and what it refuses. */
static const struct {
    const char *hex;
    int want;
} checks[] = {
    {"1bffffffffffffffff", 0},
    {"3bffffffffffffffff", 0},
    {"f4", 0},
    {"f5", 0},
    {"f6", 0},
    {"c11a514b67b0", 0},
    {"d818456449455446", 0},
    {"40", 0},
    {"4401020304", 0},
    {"60", 0},
    {"6161", 0},
    {"62c3bc", 0},
    {"63e6b0b4", 0},
    {"64f0908591", 0},
    {"80", 0},
    {"8301820203820405", 0},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819", 0},
    {"a0", 0},
    {"a201020304", 0},
    {"a26161016162820203", 0},
    {"826161a161626163", 0},
    {"a3016161206162616100", 0},
    {"", E_TRUNCATED},
    {"0000", E_TRAILING},
    {"1817", E_CANONICAL},
    {"1900ff", E_CANONICAL},
    {"1a0000ffff", E_CANONICAL},
    {"1b00000000ffffffff", E_CANONICAL},
    {"3817", E_CANONICAL},
    {"5800", E_CANONICAL},
    {"580161", E_CANONICAL},
    {"7817616161616161616161616161616161616161616161616161", E_CANONICAL},
    {"9800", E_CANONICAL},
    {"b800", E_CANONICAL},
    {"d80100", E_CANONICAL},
    {"5f42010243030405ff", E_CANONICAL},
    {"7f657374726561646d696e67ff", E_CANONICAL},
    {"9fff", E_CANONICAL},
    {"bf61610161629f0203ffff", E_CANONICAL},
    {"ff", E_CANONICAL},
    {"1c", E_SYNTAX},
    {"5d", E_SYNTAX},
    {"fe", E_SYNTAX},
    {"f7", E_UNSUPPORTED},
    {"f0", E_UNSUPPORTED},
    {"f818", E_UNSUPPORTED},
    {"f8ff", E_UNSUPPORTED},
    {"f90000", E_UNSUPPORTED},
    {"fa47c35000", E_UNSUPPORTED},
    {"fb3ff199999999999a", E_UNSUPPORTED},
    {"a2020101", E_TRUNCATED},
    {"a202010102", E_CANONICAL},
    {"a201010102", E_DUPLICATE},
    {"a2616201616102", E_CANONICAL},
    {"a2200000f5", E_CANONICAL},
    {"61ff", E_UTF8},
    {"6100", E_UTF8},
    {"62c080", E_UTF8},
    {"63eda080", E_UTF8},
    {"64f4908080", E_UTF8},
    {"5bffffffffffffffff", E_TRUNCATED},
    {"7bffffffffffffffff", E_TRUNCATED},
    {"9bffffffffffffffff", E_TRUNCATED},
    {"bbffffffffffffffff", E_TRUNCATED},
    {"bb8000000000000000", E_TRUNCATED},
    {"9affffffff00", E_TRUNCATED},
    {"4301", E_TRUNCATED},
    {"c1", E_TRUNCATED},
    {"a101", E_TRUNCATED},
};

static void test_checks(void)
{
    test("whole items: taken and refused");
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        uint8_t bytes[64];
        size_t n = unhex(checks[i].hex, bytes);
        int got = cbor_check(span_of(bytes, n));
        if (got != checks[i].want)
            printf("# %s\n", checks[i].hex);
        CHECK_INT(got, checks[i].want);
    }
}

static void test_limits(void)
{
    static uint8_t bytes[CBOR_ITEMS_MAX + 8];
    test("depth and number of items are limited");
    memset(bytes, 0x81, CBOR_DEPTH_MAX + 1);
    bytes[CBOR_DEPTH_MAX] = 0x80;
    CHECK_INT(cbor_check(span_of(bytes, CBOR_DEPTH_MAX + 1)), 0);
    bytes[CBOR_DEPTH_MAX] = 0x81;
    bytes[CBOR_DEPTH_MAX + 1] = 0x80;
    CHECK_INT(cbor_check(span_of(bytes, CBOR_DEPTH_MAX + 2)), E_LIMIT);
    memset(bytes, 0xc1, CBOR_DEPTH_MAX + 2);
    CHECK_INT(cbor_check(span_of(bytes, CBOR_DEPTH_MAX + 2)), E_LIMIT);
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, (const uint8_t[]){0x99, (CBOR_ITEMS_MAX - 1) >> 8, (CBOR_ITEMS_MAX - 1) & 255}, 3);
    CHECK_INT(cbor_check(span_of(bytes, 3 + CBOR_ITEMS_MAX - 1)), 0);
    memcpy(bytes, (const uint8_t[]){0x99, CBOR_ITEMS_MAX >> 8, CBOR_ITEMS_MAX & 255}, 3);
    CHECK_INT(cbor_check(span_of(bytes, 3 + CBOR_ITEMS_MAX)), E_LIMIT);
}

static void test_cursor(void)
{
    uint8_t bytes[64];
    struct cbor c;
    struct span text, previous = {0}, item;
    size_t count;
    int64_t key;
    uint64_t tag;
    test("the cursor takes item by item, and the first failure sticks");
    size_t n = unhex("d284a2018301020318646161f642beef", bytes);
    cbor_open(&c, span_of(bytes, n));
    CHECK_INT(cbor_take_tag(&c, &tag), 0);
    CHECK_INT(tag, 18);
    CHECK_INT(cbor_take_array(&c, &count), 0);
    CHECK_INT(count, 4);
    CHECK_INT(cbor_take_map(&c, &count), 0);
    CHECK_INT(count, 2);
    CHECK_INT(cbor_take_key(&c, &previous, &key), 0);
    CHECK_INT(key, 1);
    CHECK_INT(cbor_skip(&c, &item), 0);
    CHECK_INT(item.len, 4);
    CHECK_INT(cbor_take_key(&c, &previous, &key), 0);
    CHECK_INT(key, 100);
    CHECK_INT(cbor_take_text(&c, &text), 0);
    CHECK(span_is(text, "a"));
    CHECK(cbor_peek_null(&c));
    CHECK_INT(cbor_take_null(&c), 0);
    CHECK(!cbor_peek_null(&c));
    CHECK_INT(cbor_take_text(&c, &text), E_TYPE);
    CHECK_INT(cbor_take_bytes(&c, &text), E_TYPE); /* it would have fitted, but the cursor is poisoned */
    CHECK_INT(cbor_end(&c), E_TYPE);
}

static void test_types(void)
{
    static const uint8_t zero[] = {0x00}, big[] = {0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0},
                         low[] = {0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0};
    struct cbor c;
    struct span s;
    size_t count;
    uint64_t u;
    int64_t i;
    test("wrong types and integers beyond int64");
#define REFUSES(bytes, call, want)                                                                                     \
    do {                                                                                                               \
        cbor_open(&c, span_of(bytes, sizeof bytes));                                                                   \
        CHECK_INT(call, want);                                                                                         \
        CHECK_INT(c.error, want);                                                                                      \
    } while (0)
    REFUSES(zero, cbor_take_bytes(&c, &s), E_TYPE);
    REFUSES(zero, cbor_take_text(&c, &s), E_TYPE);
    REFUSES(zero, cbor_take_array(&c, &count), E_TYPE);
    REFUSES(zero, cbor_take_map(&c, &count), E_TYPE);
    REFUSES(zero, cbor_take_tag(&c, &u), E_TYPE);
    REFUSES(zero, cbor_take_null(&c), E_TYPE);
    REFUSES(big, cbor_take_int(&c, &i), E_LIMIT);
    REFUSES(low, cbor_take_int(&c, &i), E_LIMIT);
    REFUSES(low, cbor_take_uint(&c, &u), E_TYPE);
    cbor_open(&c, span_of(big, sizeof big));
    CHECK_INT(cbor_take_uint(&c, &u), 0);
    CHECK(u == UINT64_C(1) << 63);
    cbor_open(&c, span_of(NULL, 0));
    CHECK_INT(cbor_take_null(&c), E_TRUNCATED);
}

static void test_writing(void)
{
    uint8_t long_text[300], want[512];
    struct buf out;
    test("writing");
    memset(long_text, 'x', sizeof long_text);
    buf_init(&out, 1024);
    cbor_put_tag(&out, 18);
    cbor_put_array(&out, 24);
    cbor_put_map(&out, 1);
    cbor_put_text(&out, span_str("IETF"));
    cbor_put_bytes(&out, span_of(NULL, 0));
    cbor_put_null(&out);
    cbor_put_uint(&out, UINT64_MAX);
    size_t n = unhex("d29818a1644945544640f61bffffffffffffffff", want);
    CHECK(span_eq(buf_view(&out), span_of(want, n)));
    buf_reset(&out);
    cbor_put_bytes(&out, span_of(long_text, sizeof long_text));
    CHECK_INT(out.len, 303);
    CHECK_INT(cbor_check(buf_view(&out)), 0);
    buf_free(&out);
}

int main(void)
{
    test_ints();
    test_checks();
    test_limits();
    test_cursor();
    test_types();
    test_writing();
    return test_end();
}
