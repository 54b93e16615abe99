/* Vendors, products and models as people write them, folded to keys: two texts that mean one product mostly fold to one key, and a key that
   both sides have proposes that they do. It proposes and decides nothing: a person decides, once. Pure. */
#ifndef COMITY_AFFECTED_WORDS_H
#define COMITY_AFFECTED_WORDS_H

#include "base/span.h"

enum { KEYS_MAX = 24, KEY_BYTES_MAX = 200, KEYS_BYTES_MAX = KEYS_MAX * (KEY_BYTES_MAX + 2) };

/* By what a key was made, with the weight that it lends to a proposal: words.c has the table. */
enum way {
    WAY_PRODUCT, /* vendor and the whole name of the product */
    WAY_SHORT,   /* ... without remarks in parentheses and words like "firmware" at its end */
    WAY_MODEL,   /* vendor and a model number that is stated as such */
    WAY_WORD,    /* vendor and a word of the product's name that looks like a model number */
    WAY_COUNT
};
extern const char *const way_names[WAY_COUNT];

/* Keys of one side. A key begins with a byte that no name of a package has, so that they share tables with names. */
struct keys {
    size_t count, used;
    struct span list[KEYS_MAX]; /* into bytes: do not copy the struct */
    enum way ways[KEYS_MAX];
    uint8_t bytes[KEYS_BYTES_MAX];
};
/* `models`: one a line. Past KEYS_MAX the rest is left out. */
void text_keys(struct span vendor, struct span product, struct span models, struct keys *out);
/* The key by which decisions are remembered: vendor and whole product. Empty when there is no product. */
struct span product_key(struct span vendor, struct span product, uint8_t out[static KEY_BYTES_MAX]);
/* "vendor:product" of a CPE name. */
void cpe_keys(struct span cpe, struct keys *out);

/* The weight of the heaviest pair of equal keys, and by which ways; 0 when they share none. */
unsigned keys_meet(const struct keys *a, const struct keys *b, enum way *way_a, enum way *way_b);

#endif
