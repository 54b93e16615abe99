/* Notes with their checkpoints, and add-checkpoint bodies, as they cross from the process that reads them to the node: numbers, and lengths
   of what stands in the body. Whoever takes them writes the body anew from them, and takes them only if that gives the very bytes: so they
   say what the body says, whoever made them. Structs of fixed size, in the machine's own byte order. */
#ifndef COMITY_RECORD_FLAT_H
#define COMITY_RECORD_FLAT_H

#include "record/wire.h"

struct flat_line {
    uint32_t line_len, name_len, id, len; /* as in struct note_signature */
    uint8_t bytes[72];
};
struct flat_checkpoint {
    uint64_t size;
    struct hash root;
    uint32_t text_len, origin_len, extensions_len, count;
    struct flat_line lines[NOTE_SIGNATURES_MAX]; /* `count` of them cross */
};
struct flat_add_checkpoint {
    uint64_t old_size;
    struct hash proof[PROOF_HASHES_MAX];
    uint32_t count, unused;
    struct flat_checkpoint checkpoint;
};

void flat_put_checkpoint(struct buf *out, const struct checkpoint *checkpoint, const struct note *note);
void flat_put_add_checkpoint(struct buf *out, const struct add_checkpoint *request);
/* Spans point into `body`. E_PARSER: it is not what the body says. */
int flat_get_checkpoint(struct checkpoint *checkpoint, struct note *note, struct span flat, struct span body);
int flat_get_add_checkpoint(struct add_checkpoint *request, struct span flat, struct span body);

#endif
