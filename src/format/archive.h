/* Documents in an archive: zip, tar, and tar or one file under gzip, zstd or xz. Read as a stream, member by member; nothing is written to a
   disk, links are passed over, and an archive in an archive is not opened. libarchive takes the formats apart, and no other of its formats
   is switched on. */
#ifndef COMITY_FORMAT_ARCHIVE_H
#define COMITY_FORMAT_ARCHIVE_H

#include <sys/types.h>

#include "base/error.h"
#include "base/span.h"

/* Where its bytes come from. `read` gives up to `size` bytes, 0 at the end, -1 on an error. `seek` is as lseek, -1 on an error; NULL for a
   pipe: then a zip is read by its local headers, without its directory. */
struct archive_source {
    ssize_t (*read)(void *ctx, uint8_t *to, size_t size);
    int64_t (*seek)(void *ctx, int64_t offset, int whence);
    void *ctx;
};
/* Bytes in memory as a source; it keeps the place in `span_source`. */
struct span_source {
    struct span bytes;
    size_t at;
};
struct archive_source archive_of_span(struct span_source *bytes);

struct archive_member {
    struct span path;    /* as it stands there: foreign bytes; "data" for a compressed file that has no other name */
    struct span bytes;   /* until the visit ends; empty with a problem */
    const char *problem; /* NULL, or why it was not read: the rest of the archive is */
};
struct archive_visitor {
    /* Is this file worth unpacking? NULL: every one is. Not asked of names that are a problem. */
    bool (*wanted)(void *ctx, struct span path);
    /* Each wanted member, and each with a problem. Other than 0 stops, and is returned. */
    int (*take)(void *ctx, const struct archive_member *member);
    void *ctx;
    size_t bytes_max; /* of one member */
};
struct archive_counts {
    uint64_t members, taken, problems; /* the others were not wanted */
    uint64_t packed, unpacked;         /* bytes of the source up to where it was read, and bytes that came out */
};
/* `counts` may be NULL. E_UNSUPPORTED: no such archive. E_SYNTAX: damaged, what came before was visited. E_LIMIT: more members or bytes, or
   a greater ratio, than base/limits.h has. E_IO: the source failed. E_NOMEM. */
int archive_members(const struct archive_source *source, const struct archive_visitor *visitor,
                    struct archive_counts *counts, struct fault *fault);

/* Does a file that begins so look like an archive? 262 bytes tell. */
enum { ARCHIVE_HEAD_BYTES = 262 };
bool archive_begins(struct span head);
/* Names of archives, which are not opened inside another: "x.zip", "x.tar.gz". */
bool archive_named(struct span path);
/* To be called before a process gives up opening files: character sets and the time zone, which members may need, are
   loaded then. */
void archive_prepare(void);

#endif
