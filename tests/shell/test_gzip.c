#include <stdlib.h>
#include <zlib.h>

#include "base/error.h"
#include "shell/gzip.h"
#include "tests/test.h"

enum { FORM_GZIP = 16 + MAX_WBITS, FORM_ZLIB = MAX_WBITS, FORM_RAW = -MAX_WBITS, PACKED_MAX = 65536 };

static size_t pack(int form, const void *data, size_t len, uint8_t *out)
{
    z_stream z = {0};
    if (deflateInit2(&z, 6, Z_DEFLATED, form, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = PACKED_MAX;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    (void)deflateEnd(&z);
    return z.total_out;
}

static int unpack(const void *data, size_t len, size_t max, const char *want)
{
    struct buf out;
    buf_init(&out, max);
    int rc = gunzip(&out, span_of(data, len));
    if (rc == 0 && want)
        CHECK(span_is(buf_view(&out), want));
    CHECK(out.len <= max);
    buf_free(&out);
    return rc;
}

static void forms(void)
{
    uint8_t packed[2 * PACKED_MAX];
    const char text[] = "twelve bytes";
    test("one gzip member, and nothing else");
    size_t len = pack(FORM_GZIP, text, 12, packed);
    CHECK_INT(unpack(packed, len, 12, text), 0);
    CHECK_INT(unpack(packed, len, 11, NULL), E_LIMIT);
    CHECK_INT(unpack(NULL, 0, 12, NULL), E_TRUNCATED);
    for (size_t n = 1; n < len; n++)
        CHECK_INT(unpack(packed, n, 12, NULL), E_TRUNCATED);
    packed[len] = 0;
    CHECK_INT(unpack(packed, len + 1, 12, NULL), E_TRAILING);
    memcpy(packed + len, packed, len);
    CHECK_INT(unpack(packed, 2 * len, 24, NULL), E_TRAILING);
    packed[len - 8] ^= 1; /* the checksum */
    CHECK_INT(unpack(packed, len, 12, NULL), E_CORRUPT);
    CHECK_INT(unpack(text, 12, 12, NULL), E_CORRUPT);
    len = pack(FORM_ZLIB, text, 12, packed);
    CHECK_INT(unpack(packed, len, 12, NULL), E_CORRUPT);
    len = pack(FORM_RAW, text, 12, packed);
    CHECK(unpack(packed, len, 12, NULL) != 0);
    len = pack(FORM_GZIP, text, 0, packed);
    CHECK_INT(unpack(packed, len, 0, ""), 0);
}

static void bomb(void)
{
    static uint8_t packed[PACKED_MAX];
    enum { BIG = 32 * 1024 * 1024 };
    test("what expands beyond its cap is refused at the cap");
    uint8_t *zeros = calloc(1, BIG);
    if (!zeros)
        abort();
    size_t len = pack(FORM_GZIP, zeros, BIG, packed);
    free(zeros);
    CHECK(len < 40000);
    CHECK_INT(unpack(packed, len, BIG, NULL), 0);
    CHECK_INT(unpack(packed, len, BIG - 1, NULL), E_LIMIT);
    CHECK_INT(unpack(packed, len, 1000, NULL), E_LIMIT);
}

static void both_ways(void)
{
    static uint8_t bytes[200000];
    struct buf packed, plain;
    test("what is packed unpacks to the same, and never exceeds its cap");
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i % 300 < 150 ? (uint8_t)(i % 300) : (uint8_t)(i * i >> 7);
    for (size_t len = 0; len <= sizeof bytes; len = len * 3 + 1) {
        buf_init(&packed, sizeof bytes + 1024);
        buf_init(&plain, len);
        CHECK_INT(gzip(&packed, span_of(bytes, len)), 0);
        CHECK_INT(gunzip(&plain, buf_view(&packed)), 0);
        CHECK(span_eq(buf_view(&plain), span_of(bytes, len)));
        size_t needed = packed.len;
        buf_free(&packed);
        buf_init(&packed, needed - 1);
        CHECK_INT(gzip(&packed, span_of(bytes, len)), E_LIMIT);
        buf_free(&packed);
        buf_free(&plain);
    }
}

int main(void)
{
    forms();
    bomb();
    both_ways();
    return test_end();
}
