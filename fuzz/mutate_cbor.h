/* A mutator that knows CBOR: it changes one item, or what is in one string, and sets all lengths around it right, also where encoded
   CBOR stands inside a byte string (COSE headers, receipts). Every third mutation is libFuzzer's own, so that broken input is tried too. */
#ifndef COMITY_FUZZ_MUTATE_CBOR_H
#define COMITY_FUZZ_MUTATE_CBOR_H

#include "base/error.h"
#include "format/cbor.h"
#include "fuzz/fuzz.h"

enum { MUTATE_DEPTH_MAX = 12, MUTATE_TEXT_MAX = 512 };

struct cbor_walk {
    size_t at, chosen; /* the item to be changed, by its number in reading order */
    unsigned random;
    size_t max;
};

static inline unsigned mutate_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static inline void head_put(struct buf *out, unsigned major, uint64_t argument)
{
    size_t start = out->len;
    cbor_put_uint(out, argument);
    if (!out->error)
        out->data[start] = (uint8_t)(out->data[start] | major << 5);
}

static inline bool head_take(struct span *in, unsigned *major, uint64_t *argument)
{
    if (!in->len)
        return false;
    unsigned info = in->data[0] & 31, more = info < 24 ? 0 : 1u << (info - 24);
    *major = in->data[0] >> 5;
    if (info > 27 || in->len < 1 + more)
        return false;
    *in = span_from(*in, 1);
    *argument = more ? plan_number(in, more) : info;
    return true;
}

static inline bool item_mutate(struct cbor_walk *w, struct span *in, struct buf *out, unsigned depth);

static inline void string_change(struct cbor_walk *w, unsigned major, struct span content, struct buf *out)
{
    uint8_t text[MUTATE_TEXT_MAX];
    size_t len = content.len < sizeof text ? content.len : sizeof text;
    if (len)
        memcpy(text, content.data, len);
    static const unsigned lens[] = {0, 31, 32, 33, 64, 255};
    unsigned way = mutate_random(&w->random) % 8;
    if (way < sizeof lens / sizeof lens[0]) {
        memset(text + len, 'a', sizeof text - len);
        len = way < 2 ? LLVMFuzzerMutate(text, len, sizeof text) : lens[way];
    } else {
        len = LLVMFuzzerMutate(text, len, sizeof text);
    }
    head_put(out, major, len);
    buf_add(out, text, len);
}

static inline bool string_mutate(struct cbor_walk *w, unsigned major, struct span content, bool chosen, struct buf *out)
{
    struct span rest = content;
    struct buf inner;
    bool nested = major == 2 && content.len > 1 && cbor_check(content) == 0;
    if (chosen && (!nested || mutate_random(&w->random) % 2)) {
        string_change(w, major, content, out);
        return true;
    }
    buf_init(&inner, w->max);
    if (!nested || !item_mutate(w, &rest, &inner, 0)) {
        buf_reset(&inner);
        buf_span(&inner, content);
    }
    head_put(out, major, inner.len);
    buf_span(out, buf_view(&inner));
    buf_free(&inner);
    return true;
}

/* Children of an array or map: a chosen one loses, doubles or turns round its members. */
static inline bool children_mutate(struct cbor_walk *w, struct span *in, unsigned major, uint64_t count, bool chosen,
                                   struct buf *out, unsigned depth)
{
    unsigned each = major == 5 ? 2 : 1, way = chosen ? mutate_random(&w->random) % 4 : 4;
    uint64_t victim = count ? mutate_random(&w->random) % count : 0;
    bool drop = way == 0 && count, twice = way == 1 && count;
    if (depth > MUTATE_DEPTH_MAX || count > in->len)
        return false;
    head_put(out, major, count - drop + twice);
    for (uint64_t i = 0; i < count; i++) {
        size_t start = out->len;
        for (unsigned k = 0; k < each; k++)
            if (!item_mutate(w, in, out, depth + 1))
                return false;
        size_t len = out->len - start;
        if (i == victim && drop)
            out->len = start;
        if (i == victim && twice && !out->error && len < w->max) {
            uint8_t *copy = malloc(len ? len : 1);
            must(copy != NULL);
            memcpy(copy, out->data + start, len);
            buf_add(out, copy, len);
            free(copy);
        }
    }
    return true;
}

static inline uint64_t number_change(struct cbor_walk *w, uint64_t argument)
{
    static const uint64_t edges[] = {0, 1, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, INT64_MAX, UINT64_MAX};
    unsigned way = mutate_random(&w->random) % 16;
    return way < 11 ? edges[way] : way < 13 ? argument + 1 : way < 15 ? argument - 1 : argument * 2;
}

static inline bool item_mutate(struct cbor_walk *w, struct span *in, struct buf *out, unsigned depth)
{
    unsigned major;
    uint64_t argument;
    if (depth > MUTATE_DEPTH_MAX || !head_take(in, &major, &argument))
        return false;
    bool chosen = w->at++ == w->chosen;
    switch (major) {
    case 0:
    case 1:
        head_put(out, chosen ? mutate_random(&w->random) % 2 : major, chosen ? number_change(w, argument) : argument);
        return true;
    case 2:
    case 3:
        if (argument > in->len)
            return false;
        return string_mutate(w, major, plan_bytes(in, (size_t)argument), chosen, out);
    case 4:
    case 5:
        return children_mutate(w, in, major, argument, chosen, out, depth);
    case 6:
        head_put(out, major, chosen ? number_change(w, argument) : argument);
        return item_mutate(w, in, out, depth + 1);
    default:
        head_put(out, major, chosen ? 20 + mutate_random(&w->random) % 3 : argument);
        return true;
    }
}

/* Changes one item of the whole; false when the bytes are no CBOR. */
static inline bool cbor_mutate(struct span bytes, struct buf *out, size_t max, unsigned seed)
{
    struct cbor_walk w = {.chosen = SIZE_MAX, .random = seed, .max = max};
    struct span rest = bytes;
    if (!item_mutate(&w, &rest, out, 0) || !w.at)
        return false;
    buf_reset(out);
    rest = bytes;
    w.chosen = mutate_random(&w.random) % w.at;
    w.at = 0;
    return item_mutate(&w, &rest, out, 0) && !out->error;
}

/* The whole of a custom mutator. */
static inline size_t cbor_mutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct buf out;
    size_t len;
    buf_init(&out, max);
    if (seed % 3 && cbor_mutate(span_of(data, size), &out, max, seed) && out.len && out.len <= max) {
        memcpy(data, out.data, out.len);
        len = out.len;
    } else {
        len = LLVMFuzzerMutate(data, size, max);
    }
    buf_free(&out);
    return len;
}

#endif
