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

/* Does this document convict a log of the circle? 0 and the party, or E_PROOF, E_SIGNATURE, E_KEY and what a parser says. */
int faces_verify(const struct roster *roster, struct span document, const struct party **party, struct arena *arena,
                 struct fault *fault);

#endif
