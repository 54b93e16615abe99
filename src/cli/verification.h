/* A receipt verified offline against a charter bundle, for the commands that do so. */
#ifndef COMITY_CLI_VERIFICATION_H
#define COMITY_CLI_VERIFICATION_H

#include "circle/roster.h"
#include "cli/cli.h"

struct verification {
    struct buf charter, receipt, document; /* the files' bytes */
    struct arena arena;
    struct roster roster;
    struct standing standing; /* filled when the result is 0 or E_UNWITNESSED; its spans live until verification_free */
};
/* Reads the three files (document: NULL for none) and verifies. 0: it stands; E_UNWITNESSED: signed and logged only; else why not. */
int verification_make(struct verification *v, const char *charter, const char *receipt, const char *document,
                      struct fault *fault);
void verification_free(struct verification *v);

#endif
