#include "shell/gzip.h"

#include <limits.h>
#include <zlib.h>

#include "base/error.h"

enum { WINDOW_GZIP_ONLY = 16 + MAX_WBITS };

/* Runs zlib's inflate or deflate over all of the input. The cap is on what comes out, piece by piece: a small body cannot take more memory
   than a large one may. Returns zlib's last answer; out->error goes before it. */
static int run_all(z_stream *z, int (*run)(z_stream *, int), int flush, struct buf *out)
{
    uint8_t piece[65536];
    int rc;
    do {
        z->next_out = piece;
        z->avail_out = sizeof piece;
        rc = run(z, flush);
        buf_add(out, piece, sizeof piece - z->avail_out);
    } while (rc == Z_OK && !out->error);
    return rc;
}

static int inflate_all(z_stream *z, struct buf *out)
{
    int rc = run_all(z, inflate, Z_NO_FLUSH, out);
    if (out->error)
        return out->error;
    if (rc == Z_STREAM_END)
        return z->avail_in ? E_TRAILING : 0;
    return rc == Z_BUF_ERROR ? E_TRUNCATED : rc == Z_MEM_ERROR ? E_NOMEM : E_CORRUPT;
}

int gunzip(struct buf *out, struct span bytes)
{
    z_stream z = {0};
    if (!bytes.len)
        return E_TRUNCATED;
    if (bytes.len > UINT_MAX)
        return E_LIMIT;
    if (inflateInit2(&z, WINDOW_GZIP_ONLY) != Z_OK)
        return E_NOMEM;
    z.next_in = (Bytef *)(uintptr_t)bytes.data; /* zlib does not write to it */
    z.avail_in = (uInt)bytes.len;
    int rc = inflate_all(&z, out);
    (void)inflateEnd(&z);
    return rc;
}

static int deflate_all(z_stream *z, struct buf *out)
{
    int rc = run_all(z, deflate, Z_FINISH, out);
    return out->error ? out->error : rc == Z_STREAM_END ? 0 : E_NOMEM;
}

int gzip(struct buf *out, struct span bytes)
{
    z_stream z = {0};
    if (bytes.len > UINT_MAX)
        return E_LIMIT;
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_GZIP_ONLY, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return E_NOMEM;
    z.next_in = (Bytef *)(uintptr_t)bytes.data; /* zlib does not write to it */
    z.avail_in = (uInt)bytes.len;
    int rc = deflate_all(&z, out);
    (void)deflateEnd(&z);
    return rc;
}
