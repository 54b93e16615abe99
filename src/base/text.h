/* Text of foreign origin: checked, decoded strictly, and shown so that nothing in it can deceive a reader. */
#ifndef COMITY_BASE_TEXT_H
#define COMITY_BASE_TEXT_H

#include "base/buf.h"
#include "base/span.h"

/* Length of the UTF-8 unit at the start (1..4), 0 when it is not valid UTF-8 (RFC 3629: no surrogates, no overlong). */
size_t utf8_unit(struct span text, uint32_t *code_point);
bool utf8_valid(struct span text);

/* The longest whole part of at most `max` bytes: no UTF-8 unit is cut in two. */
struct span text_cut(struct span text, size_t max);

/* Canonical decimal without leading zeroes, as notes and tile paths want it. False on anything else or overflow. */
bool decimal_parse(struct span text, uint64_t *value);

/* Strict: exact length, lower case for hex; padded standard base64 with zero trailing bits. False on anything else. */
bool hex_parse(struct span text, uint8_t *out, size_t out_len);
bool base64_parse(struct span text, uint8_t *out, size_t out_max, size_t *out_len);
bool base64_hash(struct span text, struct hash *out);
bool hash_parse(struct span hex, struct hash *out); /* 64 hex digits */
void hash_hex(const struct hash *h, char out[static 65]);

/* Appends foreign text for a terminal: control characters and bidirectional controls (U+202A..E, U+2066..9, U+200E/F,
   U+061C) become visible as <U+202E>; invalid bytes as <0x80>; newlines and tabs become spaces. */
void text_show(struct buf *out, struct span foreign);

/* One line of UTF-8: no control character (C0, DEL, C1) and no line or paragraph separator (U+2028, U+2029). */
bool text_is_line(struct span text);

/* A party name: 1 to 63 characters of a-z 0-9 and inner '-', labels joined by '.', as in DNS (RFC 1035, LDH). */
bool name_valid(struct span name);

#endif
