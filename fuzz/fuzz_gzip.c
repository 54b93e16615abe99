/* Compressed bodies: never more than the cap comes out, and what zlib packs comes out as it went in. */
#include <zlib.h>

#include "base/error.h"
#include "fuzz/fuzz.h"
#include "shell/gzip.h"

enum { CAP = 1 << 16 };

static void packed(struct span bytes)
{
    static uint8_t room[2 * CAP];
    z_stream z = {0};
    struct buf out;
    must(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)bytes.data;
    z.avail_in = (uInt)bytes.len;
    z.next_out = room;
    z.avail_out = sizeof room;
    must(deflate(&z, Z_FINISH) == Z_STREAM_END);
    size_t len = sizeof room - z.avail_out;
    (void)deflateEnd(&z);
    buf_init(&out, CAP);
    must(gunzip(&out, span_of(room, len)) == 0 && span_eq(buf_view(&out), bytes));
    buf_reset(&out);
    must(gunzip(&out, span_of(room, len - 1)) == E_TRUNCATED);
    room[len] = 0;
    buf_reset(&out);
    must(gunzip(&out, span_of(room, len + 1)) == E_TRAILING);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;
    buf_init(&out, CAP);
    int rc = gunzip(&out, span_of(data, size));
    must(out.len <= CAP && (rc == 0) == (out.error == 0 && rc == 0));
    buf_free(&out);
    if (size <= CAP)
        packed(span_of(data, size));
    return 0;
}
