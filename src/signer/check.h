/* Checking and mending what the signer keeps in the folder, while nobody uses it. */
#ifndef COMITY_SIGNER_CHECK_H
#define COMITY_SIGNER_CHECK_H

#include "base/findings.h"
#include "signer/state.h"

/* Header, both slots of every record, and that what is unused is empty. An empty file is good: nothing was signed yet. */
int state_check(int fd, const char *party, const struct hash *circle, struct findings *findings);
/* Every record of which a slot is whole, as it stands; the header may be damaged. */
int state_records(int fd, int (*visit)(void *ctx, const struct signer_record *record), void *ctx);
/* Each key file by itself: does it open, and does it hold the key of the card? An E_PASSPHRASE of all of them is the passphrase's. */
void keys_check(const char *dir, struct span passphrase, const struct card *card, struct findings *findings);

#endif
