#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/limits.h"
#include "base/mutant.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "store/sqlite.h"

/* Large documents are files blobs/ab/<hash>, compressed like the others and durable before the batch commits. */
static int blob_path(const struct sqlite_store *s, const struct hash *hash, char folder[static 4096],
                     char path[static 4096])
{
    char hex[65];
    hash_hex(hash, hex);
    int a = snprintf(folder, 4096, "%s/%.2s", s->blobs, hex);
    int b = snprintf(path, 4096, "%s/%.2s/%s", s->blobs, hex, hex);
    return a > 0 && a < 4096 && b > 0 && b < 4096 ? 0 : E_LIMIT;
}

static int file_error(void)
{
    return errno == ENOSPC || errno == EDQUOT ? E_FULL : E_IO;
}

int folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return E_IO;
    int rc = fsync(fd) == 0 ? 0 : file_error();
    (void)close(fd);
    return rc;
}

static int blob_bytes(int fd, struct span bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return file_error();
        bytes = span_from(bytes, (size_t)n);
    }
    return fdatasync(fd) == 0 ? 0 : file_error();
}

static int blob_write(struct sqlite_store *s, const struct hash *hash, struct span bytes)
{
    char folder[4096], path[4096], temporary[4104];
    int rc = blob_path(s, hash, folder, path);
    if (rc)
        return rc;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return file_error();
    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_error();
    rc = blob_bytes(fd, bytes);
    (void)close(fd);
    if (rc == 0 && rename(temporary, path) != 0)
        rc = file_error();
    if (rc)
        (void)unlink(temporary);
    rc = rc ? rc : folder_sync(folder);
    return rc ? rc : folder_sync(s->blobs);
}

static int row_put(struct sqlite_store *s, const struct hash *hash, enum label label, size_t size,
                   const struct span *zstd)
{
    sqlite3_stmt *q = query(s, Q_DOC_PUT);
    if (!q)
        return no_query(s);
    bind_span(q, 1, span_hash(hash));
    (void)sqlite3_bind_int(q, 2, (int)label);
    (void)sqlite3_bind_int64(q, 3, (int64_t)size);
    if (zstd)
        bind_span(q, 4, *zstd);
    return step_done(s, q);
}

int sd_info(struct store *store, const struct hash *hash, struct stored_document *out)
{
    struct sqlite_store *s = self_of(store);
    sqlite3_stmt *q = query(s, Q_DOC_INFO);
    if (!q)
        return no_query(s);
    bind_span(q, 1, span_hash(hash));
    int rc = step_row(s, q);
    if (rc == 0 && !sqlite3_column_int(q, 2))
        rc = E_CORRUPT; /* a label that decayed must not open a document to everybody */
    if (rc == 0) {
        out->label = (enum label)sqlite3_column_int(q, 0);
        out->size = (size_t)sqlite3_column_int64(q, 1);
    }
    (void)sqlite3_reset(q);
    return rc;
}

static int blob_read(struct sqlite_store *s, const struct hash *hash, struct buf *out)
{
    char folder[4096], path[4096];
    uint8_t block[65536];
    ssize_t n = 0;
    int rc = s->blobs ? blob_path(s, hash, folder, path) : E_CORRUPT;
    int fd = rc ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rc ? rc : errno == ENOENT ? E_CORRUPT : store_failed(s, E_IO);
    while (!out->error && (n = read(fd, block, sizeof block)) > 0)
        buf_add(out, block, (size_t)n);
    (void)close(fd);
    return store_failed(s, n < 0 ? E_IO : out->error);
}

/* Large documents are rare: what packing them takes is given back at once. In small ones there is little to find: a third of the time for a
   tenth more bytes. */
enum { PACKER_KEPT_MAX = 65536, PACK_QUICK_MAX = 1024, PACK_QUICK = -1, PACK_LEVEL = 3 };

static size_t pack(struct sqlite_store *s, uint8_t *space, size_t bound, struct span bytes)
{
    if (!s->packer && bytes.len <= PACKER_KEPT_MAX)
        s->packer = ZSTD_createCCtx();
    return s->packer && bytes.len <= PACKER_KEPT_MAX
               ? ZSTD_compressCCtx(s->packer, space, bound, bytes.data, bytes.len,
                                   bytes.len <= PACK_QUICK_MAX ? PACK_QUICK : PACK_LEVEL)
               : ZSTD_compress(space, bound, bytes.data, bytes.len, PACK_LEVEL);
}

/* Unpacks and checks against the name: what is stored is never trusted to be what was stored. */
static int unpack(struct sqlite_store *s, struct span packed, size_t size, const struct hash *hash, struct buf *out)
{
    struct hash got;
    if (size > DOCUMENT_BYTES_MAX || ZSTD_getFrameContentSize(packed.data, packed.len) != size)
        return E_CORRUPT;
    if (!s->unpacker)
        s->unpacker = ZSTD_createDCtx();
    uint8_t *space = s->unpacker ? malloc(size ? size : 1) : NULL;
    if (!space)
        return store_failed(s, E_NOMEM);
    size_t n = ZSTD_decompressDCtx(s->unpacker, space, size, packed.data, packed.len);
    int rc = ZSTD_isError(n) || n != size ? E_CORRUPT : 0;
    if (rc == 0) {
        sha256(span_of(space, size), &got);
        rc = hash_eq(&got, hash) || MUTANT(DOCUMENT_UNCHECKED) ? 0 : E_CORRUPT;
    }
    if (rc == 0)
        buf_add(out, space, size);
    free(space);
    return rc ? rc : store_failed(s, out->error);
}

int sd_get(struct store *store, const struct hash *hash, struct buf *out)
{
    struct sqlite_store *s = self_of(store);
    struct buf packed;
    sqlite3_stmt *q = query(s, Q_DOC_GET);
    if (!q)
        return no_query(s);
    bind_span(q, 1, span_hash(hash));
    int rc = step_row(s, q);
    size_t size = rc == 0 ? (size_t)sqlite3_column_int64(q, 0) : 0;
    buf_init(&packed, 2 * (size_t)DOCUMENT_BYTES_MAX);
    if (rc == 0 && sqlite3_column_type(q, 1) == SQLITE_NULL)
        rc = blob_read(s, hash, &packed);
    else if (rc == 0)
        buf_span(&packed, column(q, 1));
    (void)sqlite3_reset(q);
    rc = rc ? rc : packed.error;
    rc = rc ? rc : unpack(s, buf_view(&packed), size, hash, out);
    buf_free(&packed);
    return rc;
}

/* A damaged copy is replaced by the next good one. */
static bool intact(struct sqlite_store *s, const struct hash *hash)
{
    struct buf bytes;
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    int rc = sd_get(&s->base, hash, &bytes);
    buf_free(&bytes);
    return rc == 0;
}

int sd_put(struct store *store, const struct hash *hash, enum label label, struct span bytes)
{
    struct sqlite_store *s = self_of(store);
    struct stored_document known;
    struct hash got;
    if (bytes.len > DOCUMENT_BYTES_MAX)
        return E_LIMIT;
    sha256(bytes, &got);
    if (!hash_eq(&got, hash))
        return E_HASH;
    int rc = sd_info(store, hash, &known);
    if (rc && rc != E_NOTFOUND && rc != E_CORRUPT)
        return rc;
    if (rc == 0 && known.label == label && known.size == bytes.len && intact(s, hash))
        return 0;
    size_t bound = ZSTD_compressBound(bytes.len);
    uint8_t *space = malloc(bound ? bound : 1);
    if (!space)
        return E_NOMEM;
    size_t n = pack(s, space, bound, bytes);
    rc = ZSTD_isError(n) ? E_NOMEM : 0;
    struct span packed = span_of(space, rc ? 0 : n);
    bool as_file = s->blobs && bytes.len > DOCUMENT_INLINE_MAX;
    if (rc == 0 && as_file)
        rc = blob_write(s, hash, packed);
    if (as_file && rc)
        s->dead = true; /* as with a failed commit: after a failed sync nobody knows what the disk holds */
    rc = rc ? rc : row_put(s, hash, label, bytes.len, as_file ? NULL : &packed);
    free(space);
    return rc;
}
