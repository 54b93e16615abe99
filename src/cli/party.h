/* A party's folder, read by commands beside its node or without one: configuration, card, charter, signer's state, database. */
#ifndef COMITY_CLI_PARTY_H
#define COMITY_CLI_PARTY_H

#include "circle/roster.h"
#include "cli/cli.h"
#include "shell/config.h"
#include "signer/signer.h"
#include "store/store.h"

struct party_folder {
    const char *dir;
    struct config config;
    struct buf card_note, charter;
    struct card card;
    bool in_circle;
    struct roster roster;
    const struct party *self; /* in the roster; NULL outside a circle */
    struct arena arena;
    struct store *store; /* a reader; NULL until party_store */
};
/* Configuration, card and charter, and that they belong together. The faults name the file. */
int party_read(struct party_folder *party, const char *dir, struct fault *fault);
/* The database as it is at this moment; `immutable` for a copy that no node uses. */
int party_store(struct party_folder *party, bool immutable, struct fault *fault);
void party_free(struct party_folder *party);

/* Where the signer stands in the own log, by a signer.state file at `path`. E_NOTFOUND: no such file. */
int party_signer(const struct party_folder *party, const char *path, struct signer_position *position,
                 struct fault *fault);
/* The signer's own tree is the beginning of the database's: E_STATE when it is ahead, E_TWO_FACES when it is another one. */
int party_agrees(struct party_folder *party, const struct signer_position *position, uint64_t *size,
                 struct fault *fault);
/* Do the keys open with this passphrase file, and are they the card's? */
int party_keys(const struct party_folder *party, const char *passphrase_file, struct fault *fault);

#endif
