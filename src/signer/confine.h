/* Confining the signer's process: no file, no socket, no child can be opened or made any more; what is open stays. */
#ifndef COMITY_SIGNER_CONFINE_H
#define COMITY_SIGNER_CONFINE_H

/* Returns 0, or an error; `degraded` gets text when the kernel or a sanitizer build cannot give part of it. */
int confine_self(char degraded[static 128]);
/* Attempts what is forbidden (PROBE_ in signer.h): 0 if it worked, or its errno; confined, it does not return. */
int confine_probe(unsigned what);

#endif
