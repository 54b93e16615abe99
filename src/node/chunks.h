/* A long stream of bytes as rows of the store (kept): chunks of a fixed size, each packed when that pays and with a sum of its own. */
#ifndef COMITY_NODE_CHUNKS_H
#define COMITY_NODE_CHUNKS_H

#include "crypto/storage.h"
#include "store/store.h"

enum { CHUNK_BYTES = 1024 * 1024, CHUNKS_A_COMMIT = 16 };

struct chunks {
    struct store *store;
    struct span space;
    const struct storage_key *key; /* NULL: in clear */
    struct buf buf;
    size_t at;     /* reading: what of `buf` is taken */
    uint32_t next; /* chunk */
    uint64_t bytes;
};
void chunks_open(struct chunks *chunks, struct store *store, struct span space);
void chunks_close(struct chunks *chunks);
/* In a batch of the store, which ends and begins anew now and then: a reader must not be led here before the end. */
int chunks_write(void *ctx, struct span bytes);
int chunks_end(struct chunks *chunks);
/* E_CORRUPT: it ends before. */
int chunks_read(void *ctx, void *to, size_t len);

#endif
