/* Advisories, inventories and lists of sources as flat bytes, to cross from the process that reads documents to the node. The reader trusts nothing: every
   count and length must fit what is left, every enum its list, and nothing may follow the end. Numbers are big-endian. */
#ifndef COMITY_FORMAT_FLAT_H
#define COMITY_FORMAT_FLAT_H

#include "base/buf.h"
#include "format/advisory.h"
#include "format/inventory.h"
#include "format/listing.h"

/* Of what flat_put_inventory writes, for flat bytes that are kept: to be counted up with every change of its form, or of what the readers
   make of a file. */
enum { FLAT_INVENTORY_VERSION = 1 };

void flat_put_u32(struct buf *out, uint32_t value);
void flat_put_text(struct buf *out, struct span text);
void flat_put_advisory(struct buf *out, const struct advisory *advisory);
void flat_put_inventory(struct buf *out, const struct inventory *inventory);
void flat_put_listing(struct buf *out, const struct listing *listing);

/* Spans of the result point into `bytes`. E_TRUNCATED, E_TRAILING, E_TYPE (a number outside its list), E_NOMEM, E_LIMIT. */
int flat_get_advisory(struct advisory *out, struct span bytes, struct arena *arena);
int flat_get_inventory(struct inventory *out, struct span bytes, struct arena *arena);
int flat_get_listing(struct listing *out, struct span bytes, struct arena *arena);
/* Takes a text off the front. False when it is cut. */
bool flat_take_text(struct span *bytes, struct span *text);

#endif
