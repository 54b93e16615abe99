/* Zip archives by their central directory (PKWARE APPNOTE 6.3), so that of an archive elsewhere only the parts wanted are fetched: first its
   end, then the directory, then each document's own bytes. Stored and deflated entries, zip64; nothing encrypted, nothing in volumes. */
#ifndef COMITY_FORMAT_ZIP_H
#define COMITY_FORMAT_ZIP_H

#include "format/listing.h"

enum { ZIP_TAIL_BYTES = 66000 /* the end record with the longest comment, and zip64's before it */ };
struct zip_end {
    uint64_t offset, bytes, entries; /* of the directory */
};
/* `tail`: the last bytes of an archive of `total`. E_SYNTAX: it is none; E_UNSUPPORTED. */
int zip_end_read(struct zip_end *out, struct span tail, uint64_t total, struct fault *fault);
/* The directory's documents (*.json) as a listing of kind ARCHIVE, in the directory's order. Other files are passed over; what cannot be read is counted. */
int zip_directory_read(struct listing *out, struct span directory, uint64_t entries, struct arena *arena,
                       struct fault *fault);
/* Appends the document whose local header `bytes` begins with; what follows it is passed over. It must be what the directory says:
   E_HASH (size or CRC), E_SYNTAX, E_LIMIT, E_UNSUPPORTED. */
int zip_document_read(struct buf *out, struct span bytes, const struct listed *item, struct fault *fault);

#endif
