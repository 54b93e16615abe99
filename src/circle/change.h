/* Key changes: how a party that lost its keys, or lost control of them, takes its log up again with new ones (docs/formats.md). The
   document is stated with the party's recovery key, in the log of a committee member; once it stands it opens an epoch without a vote.
   Pure. Every function that changes a roster wants one of its own: the strings and lists go to `arena`. */
#ifndef COMITY_CIRCLE_CHANGE_H
#define COMITY_CIRCLE_CHANGE_H

#include "circle/roster.h"

struct key_change {
    const struct party *party;
    uint32_t epoch;   /* of this party's keys: the charter's are 0 */
    struct card card; /* with the new keys, signed by each of them */
    struct cut *cuts; /* one for each party of the roster, in its order; size 0 where nothing is named */
};
/* The document alone, against the roster as it stands: circle, party, card, cuts. */
int key_change_parse(struct key_change *out, const struct roster *roster, struct span document, struct arena *arena,
                     struct fault *fault);
struct key_change_draft {
    const struct roster *roster;
    const struct party *party;
    struct span card_note;
    const struct cut *cuts; /* one for each party */
};
void key_change_write(struct buf *out, const struct key_change_draft *draft);

/* May this statement open an epoch, if it stands in the log of `host`? By a recovery key that its issuer has or had, and by no other. */
int key_change_screen(const struct roster *roster, const struct statement *s, const struct party *host,
                      struct fault *fault);

/* Takes the change in: `s` stands since `instant`. It must be signed by the issuer's present recovery key, and be the next epoch. */
int key_change_apply(struct roster *roster, const struct statement *s, struct span document, int64_t instant,
                     struct arena *arena, struct fault *fault);

/* A receipt of a key change, with its document, as a bundle carries them. */
int key_change_verify(struct roster *roster, struct span receipt, struct span document, struct arena *arena,
                      struct fault *fault);

/* A roster of one's own: same parties in the same order, none of their keys changed yet. */
int roster_copy(struct roster *out, const struct roster *charter, struct arena *arena);

#endif
