/* What the fuzz targets share. A target is one file fuzz_NAME.c with LLVMFuzzerTestOneInput: it aborts when what must hold does not.
   Where random bytes would never get past a signature, a hash or a length, it brings a mutator of its own, or reads the input as a
   plan of what to build. Everything is deterministic: an input tells the same story in every run. */
#ifndef COMITY_FUZZ_FUZZ_H
#define COMITY_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Changes the input in place, up to `max` bytes; returns its new length. Optional; also replayed by standalone.c. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max); /* libFuzzer's own */

static inline void must_tell(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, what);
    abort();
}
#define must(...) must_tell((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

/* Reads every byte that a result names, so that a sanitizer sees a bad one. */
static inline void touch(struct span s)
{
    static volatile uint8_t seen;
    for (size_t i = 0; i < s.len; i++)
        seen = (uint8_t)(seen ^ s.data[i]);
}

/* What was accepted has one spelling: written again, it gives the same bytes. */
static inline void same(const struct buf *out, struct span bytes)
{
    must(!out->error && span_eq(buf_view(out), bytes));
}

/* Text of ours is valid UTF-8 without NUL. */
static inline void sound(struct span text)
{
    must(utf8_valid(text) && !(text.len && memchr(text.data, 0, text.len)));
}

/* The input as a plan: numbers and pieces off its front. Past its end everything is zero or empty. */
static inline uint8_t plan_byte(struct span *plan)
{
    uint8_t b = plan->len ? plan->data[0] : 0;
    *plan = span_from(*plan, 1);
    return b;
}

static inline uint64_t plan_number(struct span *plan, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes--)
        value = value << 8 | plan_byte(plan);
    return value;
}

static inline struct span plan_bytes(struct span *plan, size_t len)
{
    struct span piece = span_of(plan->data, len < plan->len ? len : plan->len);
    *plan = span_from(*plan, piece.len);
    return piece;
}

/* A piece behind its own length of two bytes. */
static inline struct span plan_piece(struct span *plan)
{
    return plan_bytes(plan, (size_t)plan_number(plan, 2));
}

/* The next line, or the last unfinished one. */
static inline struct span plan_line(struct span *plan)
{
    struct span line;
    if (span_line(plan, &line))
        return line;
    line = *plan;
    *plan = span_of(NULL, 0);
    return line;
}

#endif
