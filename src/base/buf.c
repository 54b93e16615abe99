#include "base/buf.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max = max_bytes};
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.max = buf->max};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->error = 0;
}

/* Room for `need` more bytes, or NULL with the error set. */
static uint8_t *buf_room(struct buf *buf, size_t need)
{
    if (buf->error)
        return NULL;
    if (need > buf->max - buf->len) {
        buf->error = E_LIMIT;
        return NULL;
    }
    if (buf->cap - buf->len < need) {
        size_t cap = buf->cap ? buf->cap * 2 : 256;
        while (cap < buf->len + need)
            cap *= 2;
        if (cap > buf->max)
            cap = buf->max;
        uint8_t *data = realloc(buf->data, cap);
        if (!data) {
            memory_exhausted();
            buf->error = E_NOMEM;
            return NULL;
        }
        buf->data = data;
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    if (!len)
        return;
    uint8_t *room = buf_room(buf, len);
    if (room) {
        memcpy(room, data, len);
        buf->len += len;
    }
}

void buf_span(struct buf *buf, struct span bytes)
{
    buf_add(buf, bytes.data, bytes.len);
}

void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_byte(struct buf *buf, uint8_t byte)
{
    buf_add(buf, &byte, 1);
}

void buf_u16(struct buf *buf, uint16_t value)
{
    buf_add(buf, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

void buf_u64(struct buf *buf, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    buf_add(buf, bytes, sizeof bytes);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *room = n < 0 ? NULL : buf_room(buf, (size_t)n + 1);
    if (room) {
        (void)vsnprintf((char *)room, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
}

void buf_base64(struct buf *buf, struct span bytes)
{
    size_t need = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    uint8_t *room = buf_room(buf, need);
    if (room) {
        sodium_bin2base64((char *)room, need, bytes.data, bytes.len, sodium_base64_VARIANT_ORIGINAL);
        buf->len += need - 1; /* without the NUL */
    }
}

void buf_hex(struct buf *buf, struct span bytes)
{
    uint8_t *room = buf_room(buf, bytes.len * 2 + 1);
    if (room) {
        sodium_bin2hex((char *)room, bytes.len * 2 + 1, bytes.data, bytes.len);
        buf->len += bytes.len * 2;
    }
}

static void json_char(struct buf *buf, struct span unit)
{
    uint8_t c = unit.data[0];
    if (c == '"' || c == '\\')
        buf_printf(buf, "\\%c", c);
    else if (c == '\n')
        buf_text(buf, "\\n");
    else if (c < 0x20 || c == 0x7f)
        buf_printf(buf, "\\u%04x", c);
    else
        buf_span(buf, unit);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void buf_json(struct buf *buf, struct span text)
{
    buf_byte(buf, '"');
    for (size_t i = 0; i < text.len;) {
        size_t plain = i;
        while (plain < text.len && is_plain(text.data[plain]))
            plain++;
        buf_add(buf, text.data + i, plain - i);
        i = plain;
        if (i == text.len)
            break;
        size_t n = utf8_unit(span_from(text, i), NULL);
        if (n)
            json_char(buf, span_of(text.data + i, n));
        else
            buf_text(buf, "\xef\xbf\xbd");
        i += n ? n : 1;
    }
    buf_byte(buf, '"');
}

void buf_member(struct buf *buf, const char *name, struct span text)
{
    buf_json(buf, span_str(name));
    buf_byte(buf, ':');
    buf_json(buf, text);
    buf_byte(buf, ',');
}
