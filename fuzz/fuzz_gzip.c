/* Compressed bodies: never more than the cap comes out, and what is packed comes out as it went in. */
#include "base/error.h"
#include "fuzz/fuzz.h"
#include "shell/gzip.h"

enum { CAP = 1 << 16 };

static void packed(struct span bytes)
{
    struct buf file, out, small;
    buf_init(&file, 2 * CAP);
    must(gzip(&file, bytes) == 0);
    size_t len = file.len;
    buf_byte(&file, 0); /* a byte behind its end */
    const uint8_t *room = file.data;
    buf_init(&out, CAP);
    must(gunzip(&out, span_of(room, len)) == 0 && span_eq(buf_view(&out), bytes));
    buf_reset(&out);
    must(gunzip(&out, span_of(room, len - 1)) == E_TRUNCATED);
    buf_reset(&out);
    must(gunzip(&out, buf_view(&file)) == E_TRAILING);
    buf_init(&small, 8);
    must(gzip(&small, bytes) == E_LIMIT);
    buf_free(&small);
    buf_free(&file);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;
    buf_init(&out, CAP);
    int rc = gunzip(&out, span_of(data, size));
    must(out.len <= CAP && (rc != 0 || !out.error));
    buf_free(&out);
    if (size <= CAP)
        packed(span_of(data, size));
    return 0;
}
