/* A growing byte buffer with a named hard maximum. The first failure sticks: write on, and ask once at the end. */
#ifndef COMITY_BASE_BUF_H
#define COMITY_BASE_BUF_H

#include "base/span.h"

struct buf {
    uint8_t *data;
    size_t len, cap, max;
    int error; /* 0, E_NOMEM or E_LIMIT; once set, nothing more is appended */
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_free(struct buf *buf);  /* accepts a zeroed buf */
void buf_reset(struct buf *buf); /* keeps the memory, drops content and error */

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_span(struct buf *buf, struct span bytes);
void buf_text(struct buf *buf, const char *text);
void buf_byte(struct buf *buf, uint8_t byte);
void buf_u16(struct buf *buf, uint16_t value); /* big-endian, as are the next two */
void buf_u64(struct buf *buf, uint64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_base64(struct buf *buf, struct span bytes); /* RFC 4648 section 4, padded */
void buf_hex(struct buf *buf, struct span bytes);    /* lower case */
/* A JSON string with its quotes, escaped by RFC 8259 section 7; invalid UTF-8 becomes U+FFFD. */
void buf_json(struct buf *buf, struct span text);
void buf_member(struct buf *buf, const char *name, struct span text); /* "name":"text", with the comma behind it */

/* 64 bits in place, big-endian. */
static inline void u64_put(uint8_t out[static 8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static inline uint64_t u64_get(const uint8_t in[static 8])
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

static inline struct span buf_view(const struct buf *buf)
{
    return span_of(buf->data, buf->len);
}

#endif
