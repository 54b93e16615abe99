/* A gzip file (RFC 1952) of exactly one member. */
#ifndef COMITY_SHELL_GZIP_H
#define COMITY_SHELL_GZIP_H

#include "base/buf.h"

/* Appends what it expands to; E_LIMIT beyond `out->max`, E_TRUNCATED, E_TRAILING, E_CORRUPT, E_NOMEM. */
int gunzip(struct buf *out, struct span bytes);
/* Appends the gzip file of `bytes`; E_NOMEM, E_LIMIT beyond `out->max`. Fast rather than small: half of a statement is hashes and a
   signature, which no effort makes smaller. */
int gzip(struct buf *out, struct span bytes);

#endif
