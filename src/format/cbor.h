/* Deterministic CBOR (RFC 8949 section 4.2.1) for what we read and write: shortest integers and lengths, definite lengths,
   map keys in bytewise order without duplicates, no floats, no simple values but false, true and null. A tag is
   taken only where a schema asks for it; cbor_skip and cbor_check pass over one.
   Reading is a cursor without allocation: each take_ consumes exactly one item head or fails and poisons the cursor. */
#ifndef COMITY_FORMAT_CBOR_H
#define COMITY_FORMAT_CBOR_H

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

struct cbor {
    struct span rest;
    int error; /* first error; later takes return it unchanged */
    unsigned items;
};

void cbor_open(struct cbor *c, struct span bytes);
int cbor_take_int(struct cbor *c, int64_t *value); /* major 0 or 1, within int64 */
int cbor_take_uint(struct cbor *c, uint64_t *value);
int cbor_take_bytes(struct cbor *c, struct span *value);
int cbor_take_text(struct cbor *c, struct span *value); /* valid UTF-8, no NUL */
int cbor_take_array(struct cbor *c, size_t *count);
int cbor_take_map(struct cbor *c, size_t *pairs);
int cbor_take_tag(struct cbor *c, uint64_t *tag);
int cbor_take_null(struct cbor *c);
bool cbor_peek_null(const struct cbor *c);
int cbor_skip(struct cbor *c, struct span *item); /* one whole well-formed deterministic item; its bytes, if wanted */
int cbor_end(struct cbor *c);                     /* E_TRAILING when bytes are left */

/* Map keys must ascend: give each key's encoded bytes in turn (`previous` starts empty). */
int cbor_key_order(struct cbor *c, struct span *previous, struct span key);
/* Takes an integer map key and checks the order. */
int cbor_take_key(struct cbor *c, struct span *previous, int64_t *key);

/* The whole input is one well-formed deterministic item. */
int cbor_check(struct span bytes);

void cbor_put_int(struct buf *out, int64_t value);
void cbor_put_uint(struct buf *out, uint64_t value);
void cbor_put_bytes(struct buf *out, struct span value);
void cbor_put_text(struct buf *out, struct span value);
void cbor_put_array(struct buf *out, size_t count);
void cbor_put_map(struct buf *out, size_t pairs); /* the caller writes the pairs in key order */
void cbor_put_tag(struct buf *out, uint64_t tag);
void cbor_put_null(struct buf *out);

#endif
