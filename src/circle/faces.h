/* The proof that a log showed two faces (docs/formats.md): two checkpoints that it signed and that no tree satisfies. Pure. */
#ifndef COMITY_CIRCLE_FACES_H
#define COMITY_CIRCLE_FACES_H

#include "circle/roster.h"

#define MEDIA_TWO_FACES "application/vnd.comity.two-faces+json"

/* `older_root`, at the smaller size, leads by `proof` to the root of the larger one, and is not the root that was signed there; NULL and
   count 0 when the sizes are equal. */
struct faces_proof {
    struct span first, second; /* checkpoint notes, in any order */
    const struct hash *older_root;
    const struct hash *proof;
    size_t count;
};
int faces_write(struct buf *out, const struct faces_proof *proof);
/* Reads such a document; the notes in it are still text. Spans and hashes live in the arena. */
int faces_read(struct faces_proof *out, struct span document, struct arena *arena, struct fault *fault);

/* Its notes, in the same order, read by checkpoint_parse. */
struct face {
    struct note note;
    struct checkpoint checkpoint;
};
/* Does this convict a log of the circle? 0 and the party, or E_PROOF, E_SIGNATURE, E_KEY. */
int faces_judge(const struct roster *roster, const struct faces_proof *proof, const struct face faces[static 2],
                const struct party **party, struct fault *fault);

/* As it crosses between processes (format/flat.h). What is taken points into `bytes`. */
void faces_flat_put(struct buf *out, const struct faces_proof *proof);
int faces_flat_get(struct faces_proof *out, struct span bytes);

#endif
