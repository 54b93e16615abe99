/* Making a party's folder: for a new party (init), and for one that comes back with new keys (recover). */
#ifndef COMITY_CLI_FOUNDING_H
#define COMITY_CLI_FOUNDING_H

#include "cli/cli.h"
#include "signer/signer.h"

/* From the file, or asked twice on the terminal. The caller wipes it. */
int passphrase_get(const char *file, struct buf *out, struct fault *fault);
/* Signs the card with the keys in `dir` and the recovery seed, and writes DIR/card.note. */
int card_make(const char *dir, struct card *card, struct span passphrase, const uint8_t seed[static 32],
              struct buf *note, struct fault *fault);
int config_make(const char *dir, const struct card *card, const char *listen, const char *passphrase_file,
                struct fault *fault);
/* Prints the card's fingerprint and the recovery key, as words, or as sheets when `sheets` is "NEED/COUNT". */
void recovery_tell(const struct cli *cli, const struct card *card, struct span note, const uint8_t seed[static 32],
                   const char *sheets);

#endif
