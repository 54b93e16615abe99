/* What a stopped node's store says of the circle: is it signed, does it lead to the signed roots, is it folded right? The pages and sums
   below it are store/check.h's. Nothing is changed. */
#ifndef COMITY_NODE_CHECK_H
#define COMITY_NODE_CHECK_H

#include "base/findings.h"
#include "node/engine.h"

/* Every checkpoint's signature and root, every cosignature's and COSE receipt's, the statements of the own log behind its last stored
   checkpoint, and the signer's position (`own`, of size 0 when it has none). `roster` with its key changes, `self` in it. */
int record_check(struct store *store, const struct roster *roster, const struct party *self,
                 const struct signer_position *own, struct findings *findings);
/* Folds all logs anew and compares. Leaves the views so: the store is one that keeps nothing (store_check_open). */
int folds_check(struct node *node, struct findings *findings);

/* Verifying one piece, by a key that the party has or had; shared with the repair. */
int checkpoint_is_signed(const struct party *party, struct span note_bytes, struct checkpoint *checkpoint,
                         struct note *note);
/* The committee member behind it, with `key`; NULL when the key is unknown or the signature fails. `cose` tells whether its COSE receipt
   verifies, if it has one. */
const struct party *cosignature_is_good(const struct roster *roster, const struct party *writer,
                                        const struct stored_cosignature *c, bool *cose);

#endif
