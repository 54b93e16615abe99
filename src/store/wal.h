/* SQLite's write-ahead log (https://www.sqlite.org/fileformat2.html, section 4): 32 bytes of header, then frames of 24 bytes and a page,
   each with a running checksum. SQLite takes the first frame that fails for the end, and drops all behind it without a word. */
#ifndef COMITY_STORE_WAL_H
#define COMITY_STORE_WAL_H

#include "base/buf.h"
#include "base/findings.h"

enum { WAL_HEADER = 32, WAL_FRAME_HEADER = 24, WAL_PAGE = 4096, WAL_FRAME = WAL_FRAME_HEADER + WAL_PAGE };

/* Names every frame that fails in the file's bytes, and mends in place those (and the header) in which one bit is wrong. `frames` gets how
   many belong to the log: those that are whole, mended, or followed by whole ones. */
void wal_read(struct buf *wal, size_t *frames, struct findings *findings, const char *place);

#endif
