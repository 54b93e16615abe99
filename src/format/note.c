#include "format/note.h"

#include "base/text.h"
#include "crypto/sha256.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space start a signature line */

enum { VKEY_KEY_BYTES_MAX = 2048 }; /* ML-DSA-44 has 1312: known, though not supported */

static bool text_valid(struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] < 0x20 && bytes.data[i] != '\n')
            return false;
    return utf8_valid(bytes);
}

bool note_base64(struct span text, uint8_t *out, size_t out_max, size_t *out_len)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return false;
    return text.len > 0 && base64_parse(text, out, out_max, out_len);
}

/* Unicode White_Space beyond ASCII, which key names must not contain. */
static bool code_is_space(uint32_t c)
{
    return c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool key_name_valid(struct span name)
{
    for (size_t i = 0; i < name.len;) {
        uint32_t c;
        size_t n = utf8_unit(span_from(name, i), &c);
        if (!n || c == '+' || c < 0x20 || code_is_space(c))
            return false;
        i += n;
    }
    return name.len > 0;
}

static int signature_parse(struct note_signature *out, struct span line, struct fault *fault)
{
    uint8_t bytes[4 + NOTE_SIGNATURE_BYTES_MAX];
    size_t len = 0;
    struct span rest = span_from(line, strlen(DASH));
    const uint8_t *space = rest.len ? memchr(rest.data, ' ', rest.len) : NULL;
    if (!span_starts(line, DASH) || !space)
        return fail(fault, E_SYNTAX, "a signature line is: em dash, space, key name, space, base64");
    out->name = span_of(rest.data, (size_t)(space - rest.data));
    if (!key_name_valid(out->name))
        return fail(fault, E_SYNTAX, "bad key name in a signature line");
    struct span encoded = span_from(rest, out->name.len + 1);
    if (!note_base64(encoded, bytes, sizeof bytes, &len) || len <= 4)
        return fail(fault, E_CANONICAL, "bad base64 in a signature line, or more than %d bytes",
                    NOTE_SIGNATURE_BYTES_MAX);
    out->id = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    out->len = len - 4 <= sizeof out->bytes ? len - 4 : 0;
    memcpy(out->bytes, bytes + 4, out->len);
    out->line = span_of(line.data, line.len + 1);
    return 0;
}

int note_parse_signatures(struct note *note, struct span lines, struct fault *fault)
{
    struct span line;
    note->count = 0;
    if (lines.len > NOTE_BYTES_MAX)
        return fail(fault, E_LIMIT, "signature lines of %zu bytes", lines.len);
    if (!text_valid(lines))
        return fail(fault, E_UTF8, "signature lines");
    while (span_line(&lines, &line)) {
        if (note->count == NOTE_SIGNATURES_MAX)
            return fail(fault, E_LIMIT, "more than %d signatures", NOTE_SIGNATURES_MAX);
        int rc = signature_parse(&note->signatures[note->count], line, fault);
        if (rc)
            return rc;
        note->count++;
    }
    if (lines.len)
        return fail(fault, E_TRUNCATED, "the last line does not end in a newline");
    return note->count ? 0 : fail(fault, E_MISSING, "no signature line");
}

int note_parse(struct note *note, struct span bytes, struct fault *fault)
{
    size_t blank = 0;
    if (bytes.len > NOTE_BYTES_MAX)
        return fail(fault, E_LIMIT, "a note has at most %d bytes, this has %zu", NOTE_BYTES_MAX, bytes.len);
    if (!text_valid(bytes))
        return fail(fault, E_UTF8, "a note is UTF-8 without control characters");
    for (size_t i = 1; i + 1 < bytes.len; i++) /* the last empty line divides */
        if (bytes.data[i] == '\n' && bytes.data[i - 1] == '\n')
            blank = i;
    if (!blank)
        return fail(fault, E_SYNTAX, "no blank line between text and signatures");
    note->text = span_of(bytes.data, blank);
    return note_parse_signatures(note, span_from(bytes, blank + 1), fault);
}

uint32_t note_key_id(struct span name, enum note_type type, const struct public_key *key)
{
    const uint8_t marker[2] = {'\n', (uint8_t)type};
    const struct span parts[] = {name, span_of(marker, 2), span_of(key->b, sizeof key->b)};
    struct hash h;
    sha256_parts(parts, 3, &h);
    return (uint32_t)h.b[0] << 24 | (uint32_t)h.b[1] << 16 | (uint32_t)h.b[2] << 8 | h.b[3];
}

int note_vkey_parse(struct span vkey, struct span *name, enum note_type *type, struct public_key *key)
{
    uint8_t id[4], bytes[1 + VKEY_KEY_BYTES_MAX];
    size_t len = 0;
    const uint8_t *plus = vkey.len ? memchr(vkey.data, '+', vkey.len) : NULL;
    if (!plus)
        return E_SYNTAX;
    *name = span_of(vkey.data, (size_t)(plus - vkey.data));
    struct span rest = span_from(vkey, name->len + 1);
    if (!key_name_valid(*name) || rest.len < 10 || rest.data[8] != '+' || !hex_parse(span_of(rest.data, 8), id, 4))
        return E_SYNTAX;
    if (!note_base64(span_from(rest, 9), bytes, sizeof bytes, &len) || !len)
        return E_SYNTAX;
    if (bytes[0] != NOTE_ED25519 && bytes[0] != NOTE_COSIGNATURE)
        return E_UNSUPPORTED;
    if (len != 1 + SIGN_KEY_BYTES)
        return E_SYNTAX;
    *type = (enum note_type)bytes[0];
    memcpy(key->b, bytes + 1, sizeof key->b);
    uint32_t stated = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    return stated == note_key_id(*name, *type, key) ? 0 : E_KEY;
}

void note_vkey_write(struct buf *out, struct span name, enum note_type type, const struct public_key *key)
{
    uint8_t bytes[1 + SIGN_KEY_BYTES] = {(uint8_t)type};
    memcpy(bytes + 1, key->b, SIGN_KEY_BYTES);
    buf_span(out, name);
    buf_printf(out, "+%08x+", note_key_id(name, type, key));
    buf_base64(out, span_of(bytes, sizeof bytes));
}

/* Visits lines by (name, id). Every matching line must verify: one bad line spoils the note (signed-note,
 * "Signatures"). */
int note_verify(const struct note *note, struct span name, const struct public_key *key)
{
    uint32_t id = note_key_id(name, NOTE_ED25519, key);
    int rc = E_KEY;
    for (size_t i = 0; i < note->count; i++) {
        const struct note_signature *s = &note->signatures[i];
        struct signature signature;
        if (s->id != id || !span_eq(s->name, name))
            continue;
        if (s->len != SIGN_BYTES)
            return E_SIGNATURE;
        memcpy(signature.b, s->bytes, SIGN_BYTES);
        if (!sign_verify(key, note->text, &signature))
            return E_SIGNATURE;
        rc = 0;
    }
    return rc;
}

void note_cosigned_message(struct buf *out, int64_t timestamp, struct span text)
{
    buf_printf(out, "cosignature/v1\ntime %lld\n", (long long)timestamp);
    buf_span(out, text);
}

int cosignature_verify(const struct public_key *key, int64_t timestamp, struct span text,
                       const struct signature *signature)
{
    struct buf message;
    buf_init(&message, NOTE_BYTES_MAX + 64);
    note_cosigned_message(&message, timestamp, text);
    int rc = message.error ? message.error : sign_verify(key, buf_view(&message), signature) ? 0 : E_SIGNATURE;
    buf_free(&message);
    return rc;
}

int note_verify_cosignature(const struct note *note, struct span name, const struct public_key *key, int64_t *timestamp,
                            struct signature *signature)
{
    uint32_t id = note_key_id(name, NOTE_COSIGNATURE, key);
    int64_t earliest = 0; /* of several by one key, the earliest counts */
    int rc = E_KEY;
    for (size_t i = 0; i < note->count; i++) {
        const struct note_signature *s = &note->signatures[i];
        struct signature candidate;
        uint64_t time = 0;
        if (s->id != id || !span_eq(s->name, name))
            continue;
        if (s->len != 8 + SIGN_BYTES)
            return E_SIGNATURE;
        for (int b = 0; b < 8; b++)
            time = time << 8 | s->bytes[b];
        memcpy(candidate.b, s->bytes + 8, SIGN_BYTES);
        int verified = time > INT64_MAX ? E_SIGNATURE : cosignature_verify(key, (int64_t)time, note->text, &candidate);
        if (verified)
            return verified;
        if (rc == 0 && (int64_t)time >= earliest)
            continue;
        earliest = (int64_t)time;
        if (signature)
            *signature = candidate;
        rc = 0;
    }
    if (rc == 0 && timestamp)
        *timestamp = earliest;
    return rc;
}

static void line_write(struct buf *out, struct span name, uint32_t id, struct span bytes)
{
    uint8_t all[4 + 8 + SIGN_BYTES] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    memcpy(all + 4, bytes.data, bytes.len);
    buf_text(out, DASH);
    buf_span(out, name);
    buf_byte(out, ' ');
    buf_base64(out, span_of(all, 4 + bytes.len));
    buf_byte(out, '\n');
}

void note_signature_write(struct buf *out, struct span name, const struct public_key *key,
                          const struct signature *signature)
{
    line_write(out, name, note_key_id(name, NOTE_ED25519, key), span_of(signature->b, SIGN_BYTES));
}

void note_cosignature_write(struct buf *out, struct span name, const struct public_key *key, int64_t timestamp,
                            const struct signature *signature)
{
    uint8_t bytes[8 + SIGN_BYTES];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)timestamp >> (56 - 8 * i));
    memcpy(bytes + 8, signature->b, SIGN_BYTES);
    line_write(out, name, note_key_id(name, NOTE_COSIGNATURE, key), span_of(bytes, sizeof bytes));
}
