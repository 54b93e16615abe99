/* C2SP tlog-checkpoint: origin, size, root, as the text of a signed note. We write no extension lines; foreign ones are kept. */
#ifndef COMITY_RECORD_CHECKPOINT_H
#define COMITY_RECORD_CHECKPOINT_H

#include "format/note.h"

struct checkpoint {
    struct span origin;
    uint64_t size;
    struct hash root;
    struct span extensions; /* remaining lines, usually empty */
};

int checkpoint_parse_text(struct checkpoint *out, struct span text, struct fault *fault);
/* Note and checkpoint at once; spans point into `bytes`. No signature is checked here. */
int checkpoint_parse(struct checkpoint *out, struct note *note, struct span bytes, struct fault *fault);
void checkpoint_write_text(struct buf *out, struct span origin, uint64_t size, const struct hash *root);

/* "comity/<first 16 hex of the circle>/<party>"; out holds ORIGIN_BYTES_MAX. */
void origin_write(char out[static ORIGIN_BYTES_MAX], const struct hash *circle, struct span party);
/* Key names of mirror and witness: origin + "/mirror" and "/witness". */

#endif
