#include "base/text.h"

#include <sodium.h>

bool span_line(struct span *rest, struct span *line)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!end)
        return false;
    *line = span_of(rest->data, (size_t)(end - rest->data));
    *rest = span_of(end + 1, rest->len - line->len - 1);
    return true;
}

/* Bytes of a unit by its lead byte, and the least code point that may take that many. */
static size_t utf8_length(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead < 0xe0)
        return 2;
    if (lead >= 0xe0 && lead < 0xf0)
        return 3;
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

size_t utf8_unit(struct span text, uint32_t *code_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t n = text.len ? utf8_length(text.data[0]) : 0;
    if (!n || n > text.len)
        return 0;
    uint32_t value = text.data[0] & lead_mask[n];
    for (size_t i = 1; i < n; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text.data[i] & 0x3f);
    }
    if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    if (code_point)
        *code_point = value;
    return n;
}

bool utf8_valid(struct span text)
{
    for (size_t i = 0; i < text.len;) {
        size_t n = text.data[i] < 0x80 ? 1 : utf8_unit(span_from(text, i), NULL);
        if (!n)
            return false;
        i += n;
    }
    return true;
}

struct span text_cut(struct span text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max && (text.data[max] & 0xc0) == 0x80) /* what would come next continues a unit */
        max--;
    return span_of(text.data, max);
}

bool decimal_parse(struct span text, uint64_t *value)
{
    if (!text.len || text.len > 20 || (text.data[0] == '0' && text.len > 1))
        return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = text.data[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool hex_parse(struct span text, uint8_t *out, size_t out_len)
{
    if (text.len != out_len * 2)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        unsigned digit = c >= '0' && c <= '9' ? c - (unsigned)'0' : c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 : 16;
        if (digit > 15)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | digit : digit << 4);
    }
    return true;
}

bool base64_parse(struct span text, uint8_t *out, size_t out_max, size_t *out_len)
{
    const char *end = NULL;
    *out_len = 0;
    if (!text.len)
        return true;
    /* libsodium 1.0.18 reads bytes from 0x80 on as '/': without this, one value would have many spellings. */
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return false;
    /* It does refuse wrong padding and non-zero trailing bits; the end pointer shows what it did not consume. */
    if (sodium_base642bin(out, out_max, (const char *)text.data, text.len, NULL, out_len, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    return end == (const char *)text.data + text.len;
}

bool base64_hash(struct span text, struct hash *out)
{
    size_t n;
    return text.len == 44 && base64_parse(text, out->b, sizeof out->b, &n) && n == sizeof out->b;
}

bool hash_parse(struct span hex, struct hash *out)
{
    return hex_parse(hex, out->b, sizeof out->b);
}

void hash_hex(const struct hash *h, char out[static 65])
{
    sodium_bin2hex(out, 65, h->b, sizeof h->b);
}

static bool code_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void text_show(struct buf *out, struct span foreign)
{
    for (size_t i = 0; i < foreign.len;) {
        uint32_t c = 0;
        size_t n = utf8_unit(span_from(foreign, i), &c);
        if (!n)
            buf_printf(out, "<0x%02x>", foreign.data[i]);
        else if (c == '\n' || c == '\t')
            buf_byte(out, ' ');
        else if (code_hidden(c))
            buf_printf(out, "<U+%04X>", c);
        else
            buf_add(out, foreign.data + i, n);
        i += n ? n : 1;
    }
}

bool text_is_line(struct span text)
{
    while (text.len) {
        uint32_t c = 0;
        size_t unit = utf8_unit(text, &c);
        if (!unit || c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
            return false;
        text = span_from(text, unit);
    }
    return true;
}

bool name_valid(struct span name)
{
    if (!name.len || name.len > 63)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool edge = i == 0 || i + 1 == name.len || name.data[i - 1] == '.' || name.data[i + 1] == '.';
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (edge || (c != '-' && c != '.')))
            return false;
    }
    return true;
}
