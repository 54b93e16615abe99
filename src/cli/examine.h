/* The whole folder of a stopped node, read with suspicion: what is whole, and what is damaged, by name. Nothing is changed. */
#ifndef COMITY_CLI_EXAMINE_H
#define COMITY_CLI_EXAMINE_H

#include "base/findings.h"
#include "circle/roster.h"
#include "cli/cli.h"
#include "node/engine.h"
#include "shell/config.h"
#include "signer/signer.h"
#include "store/store.h"

struct examined {
    const char *dir;
    int lock_fd;
    struct findings findings;
    struct arena arena;
    /* The best that is known of each, from its file, or from what the node last ran with. */
    struct buf config_text, charter, card_note;
    struct buf config_kept, charter_kept; /* as the database remembers them; empty when it does not */
    bool config_good, charter_good, card_good;
    bool config_parses; /* as it stands in its file */
    struct config config;
    struct card card;
    struct roster founding; /* the charter's */
    struct node *node;      /* opened on the store, for its roster and folds; NULL when it does not open: then why */
    int engine_code;
    struct fault engine_fault;
    const struct roster *roster; /* the engine's, else the charter's; NULL outside a circle, or when neither reads */
    const struct party *self;
    struct store *store;
    struct signer_position own;
    bool signer_whole, database_readable;
};
/* E_LOCKED while a node runs; other errors: nothing could be looked at. */
int examine(struct examined *e, const char *dir, struct fault *fault);
void examined_store_close(struct examined *e); /* what was found stays; of the roster, the charter's */
void examined_free(struct examined *e);
/* Takes the folder's lock alone, before anything is examined. */
int folder_lock(const char *dir, int *fd, struct fault *fault);

/* The passphrase's text; an error names the file. To be wiped by buf_wipe. */
int passphrase_read(const struct config *config, struct buf *out, struct fault *fault);
struct span passphrase_text(const struct buf *passphrase);
void buf_wipe(struct buf *secret);

#endif
