/* Views on bytes. A span never owns; whoever made the bytes must outlive it. Foreign text is a span, never NUL-terminated. */
#ifndef COMITY_BASE_SPAN_H
#define COMITY_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data;
    size_t len;
};

/* A SHA-256 value: of a document, a key, a tree node. */
struct hash {
    uint8_t b[32];
};

static inline struct span span_of(const void *data, size_t len)
{
    struct span view; /* no compound literal: the one C++ file includes this too */
    view.data = (const uint8_t *)data;
    view.len = len;
    return view;
}

/* A span over a C string of ours (a literal, a formatted buffer), without its NUL. */
static inline struct span span_str(const char *text)
{
    return span_of(text, strlen(text));
}

static inline struct span span_hash(const struct hash *h)
{
    return span_of(h->b, sizeof h->b);
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
    return span_eq(a, span_str(text));
}

static inline bool span_starts(struct span a, const char *text)
{
    size_t n = strlen(text);
    return a.len >= n && memcmp(a.data, text, n) == 0;
}

/* The part from `from` on; empty when `from` is past the end. */
static inline struct span span_from(struct span a, size_t from)
{
    return from >= a.len ? span_of(NULL, 0) : span_of(a.data + from, a.len - from);
}

/* Bytewise order, a prefix first. */
static inline int span_compare(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.data, b.data, n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool hash_eq(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* Cuts the text up to the next newline off `*rest` (the newline is consumed, not returned).
   False when no newline is left: the last unterminated piece stays in `*rest`. */
bool span_line(struct span *rest, struct span *line);

#endif
