/* The small readers that all others stand on: UTF-8, numbers, hex, base64, names, times, and what is shown on a terminal. */
#include "base/clock.h"
#include "fuzz/fuzz.h"

static void encodings(struct span bytes)
{
    static uint8_t room[4096];
    struct hash hash;
    struct buf out;
    size_t len = 0;
    buf_init(&out, 2 * bytes.len + 64);
    if (base64_parse(bytes, room, sizeof room, &len)) {
        buf_base64(&out, span_of(room, len));
        same(&out, bytes);
    }
    buf_reset(&out);
    if (hash_parse(bytes, &hash)) {
        buf_hex(&out, span_hash(&hash));
        same(&out, bytes);
    }
    buf_reset(&out);
    if (bytes.len % 2 == 0 && bytes.len / 2 <= sizeof room && hex_parse(bytes, room, bytes.len / 2)) {
        buf_hex(&out, span_of(room, bytes.len / 2));
        same(&out, bytes);
    }
    (void)base64_hash(bytes, &hash);
    buf_free(&out);
}

static void numbers(struct span bytes)
{
    char text[32];
    uint64_t number;
    int64_t seconds, again;
    if (decimal_parse(bytes, &number)) {
        struct buf out;
        buf_init(&out, sizeof text);
        buf_printf(&out, "%llu", (unsigned long long)number);
        same(&out, bytes);
        buf_free(&out);
    }
    if (time_parse(bytes, &seconds)) {
        time_format(seconds, text);
        must(text[0] == '-' || (time_parse(span_str(text), &again) && again == seconds));
    }
}

/* No control character, no bidirectional control and no broken byte reaches a terminal. */
static void shown(struct span bytes)
{
    struct buf out;
    uint32_t c;
    buf_init(&out, 16 * bytes.len + 64);
    text_show(&out, bytes);
    struct span rest = buf_view(&out);
    must(!out.error);
    for (size_t n; rest.len; rest = span_from(rest, n)) {
        must((n = utf8_unit(rest, &c)) != 0);
        must(c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && !(c >= 0x202a && c <= 0x202e) &&
             !(c >= 0x2066 && c <= 0x2069) && c != 0x200e && c != 0x200f && c != 0x61c);
    }
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    encodings(bytes);
    numbers(bytes);
    shown(bytes);
    if (name_valid(bytes))
        must(bytes.len <= 63 && utf8_valid(bytes));
    return 0;
}
