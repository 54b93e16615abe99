/* Instants are int64_t seconds since 1970-01-01T00:00:00Z; milliseconds where a name ends in _ms. The core never reads a clock. */
#ifndef COMITY_BASE_CLOCK_H
#define COMITY_BASE_CLOCK_H

#include "base/span.h"

/* "2026-11-25T04:52:55Z" (RFC 3339, always UTC with its Z). Outside the years 0..9999 it writes "----------". */
void time_format(int64_t seconds, char out[static 21]);

/* RFC 3339 date-time with any offset, fractions ignored. False on anything else, a leap second included as :60 -> :59. */
bool time_parse(struct span text, int64_t *seconds);

#endif
