/* A bump allocator with a hard cap, for what one parse or one request produces. Freed as a whole; never shrinks in between. */
#ifndef COMITY_BASE_ARENA_H
#define COMITY_BASE_ARENA_H

#include "base/span.h"

struct arena {
    struct arena_block *head;
    size_t used, max; /* bytes handed out, and the most that may be */
    bool exhausted;   /* memory itself was wanting, not only the cap reached: the input is not to blame */
};

void arena_init(struct arena *arena, size_t max_bytes);
void arena_free(struct arena *arena); /* accepts a zeroed arena; leaves it empty and usable */

/* Zeroed memory aligned for any type; NULL when the cap or memory is exhausted. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size); /* as calloc: overflow gives NULL */

/* Copies into the arena. A failed copy has data NULL and len 0; copies of text are NUL-terminated beyond len. */
struct span arena_copy(struct arena *arena, struct span bytes);
char *arena_text(struct arena *arena, struct span text);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
