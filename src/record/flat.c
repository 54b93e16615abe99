#include "record/flat.h"

#include <stddef.h>

#include "base/text.h"

static const char dash[] = "\xe2\x80\x94 ";
enum { DASH_BYTES = sizeof dash - 1 };

/* Writing */

static size_t checkpoint_bytes(uint32_t count)
{
    return offsetof(struct flat_checkpoint, lines) + (size_t)count * sizeof(struct flat_line);
}

static void checkpoint_fill(struct flat_checkpoint *flat, const struct checkpoint *checkpoint, const struct note *note)
{
    flat->size = checkpoint->size;
    flat->root = checkpoint->root;
    flat->text_len = (uint32_t)note->text.len;
    flat->origin_len = (uint32_t)checkpoint->origin.len;
    flat->extensions_len = (uint32_t)checkpoint->extensions.len;
    flat->count = (uint32_t)note->count;
    for (size_t i = 0; i < note->count; i++) {
        const struct note_signature *s = &note->signatures[i];
        struct flat_line *line = &flat->lines[i];
        *line = (struct flat_line){
            .line_len = (uint32_t)s->line.len, .name_len = (uint32_t)s->name.len, .id = s->id, .len = (uint32_t)s->len};
        memcpy(line->bytes, s->bytes, s->len);
    }
}

void flat_put_checkpoint(struct buf *out, const struct checkpoint *checkpoint, const struct note *note)
{
    struct flat_checkpoint flat = {0};
    checkpoint_fill(&flat, checkpoint, note);
    buf_add(out, &flat, checkpoint_bytes(flat.count));
}

void flat_put_add_checkpoint(struct buf *out, const struct add_checkpoint *request)
{
    struct flat_add_checkpoint flat = {.old_size = request->old_size, .count = (uint32_t)request->count};
    memcpy(flat.proof, request->proof, request->count * sizeof *request->proof);
    checkpoint_fill(&flat.checkpoint, &request->checkpoint, &request->note);
    buf_add(out, &flat, offsetof(struct flat_add_checkpoint, checkpoint) + checkpoint_bytes(flat.checkpoint.count));
}

/* Reading */

static bool starts(struct span bytes, const struct buf *with)
{
    return !with->error && bytes.len >= with->len && memcmp(bytes.data, with->data, with->len) == 0;
}

static bool has_line_end(struct span bytes)
{
    return bytes.len && memchr(bytes.data, '\n', bytes.len);
}

/* A signature too long to be one of ours is kept as its line alone. */
static bool is_long(struct span encoded)
{
    uint8_t bytes[4 + NOTE_SIGNATURE_BYTES_MAX];
    size_t len = 0;
    return note_base64(encoded, bytes, sizeof bytes, &len) && len > 4 + sizeof((struct note_signature *)0)->bytes;
}

static bool line_is(const struct note_signature *s)
{
    struct buf line;
    uint8_t raw[4 + sizeof s->bytes] = {(uint8_t)(s->id >> 24), (uint8_t)(s->id >> 16), (uint8_t)(s->id >> 8),
                                        (uint8_t)s->id};
    struct span encoded = span_from(s->line, DASH_BYTES + s->name.len + 1);
    encoded.len--;
    buf_init(&line, NOTE_BYTES_MAX);
    buf_text(&line, dash);
    buf_span(&line, s->name);
    buf_byte(&line, ' ');
    memcpy(raw + 4, s->bytes, s->len);
    if (s->len)
        buf_base64(&line, span_of(raw, 4 + s->len));
    bool good = starts(s->line, &line) && (s->len ? s->line.len == line.len + 1 : is_long(encoded)) &&
                s->line.data[s->line.len - 1] == '\n' && !has_line_end(span_of(s->line.data, s->line.len - 1));
    buf_free(&line);
    return good;
}

static bool line_take(struct note_signature *s, const struct flat_line *flat, struct span *rest)
{
    if (flat->line_len > rest->len || flat->len > sizeof s->bytes ||
        (uint64_t)flat->name_len + DASH_BYTES + 2 > flat->line_len)
        return false;
    *s = (struct note_signature){.name = span_of(rest->data + DASH_BYTES, flat->name_len),
                                 .id = flat->id,
                                 .line = span_of(rest->data, flat->line_len),
                                 .len = flat->len};
    memcpy(s->bytes, flat->bytes, flat->len);
    *rest = span_from(*rest, flat->line_len);
    return line_is(s);
}

/* UTF-8 without control characters, as every note. */
static bool text_valid(struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] < 0x20 && bytes.data[i] != '\n')
            return false;
    return utf8_valid(bytes);
}

/* Whole lines, none of them empty. */
static bool lines_whole(struct span text)
{
    struct span line;
    while (span_line(&text, &line))
        if (!line.len)
            return false;
    return !text.len;
}

static bool text_take(struct checkpoint *out, struct note *note, const struct flat_checkpoint *flat, struct span body)
{
    struct buf text;
    if (flat->text_len >= body.len || (uint64_t)flat->origin_len + flat->extensions_len > flat->text_len ||
        !flat->origin_len || flat->origin_len >= ORIGIN_BYTES_MAX || flat->size > INT64_MAX)
        return false;
    note->text = span_of(body.data, flat->text_len);
    *out = (struct checkpoint){.origin = span_of(body.data, flat->origin_len),
                               .size = flat->size,
                               .root = flat->root,
                               .extensions =
                                   span_of(body.data + flat->text_len - flat->extensions_len, flat->extensions_len)};
    buf_init(&text, NOTE_BYTES_MAX);
    checkpoint_write_text(&text, out->origin, out->size, &out->root);
    buf_span(&text, out->extensions);
    bool good = starts(note->text, &text) && note->text.len == text.len && !has_line_end(out->origin) &&
                lines_whole(out->extensions) && text_valid(body) && body.data[flat->text_len] == '\n';
    buf_free(&text);
    return good;
}

int flat_get_checkpoint(struct checkpoint *checkpoint, struct note *note, struct span flat_bytes, struct span body)
{
    struct flat_checkpoint flat = {0};
    if (flat_bytes.len < checkpoint_bytes(0) || flat_bytes.len > sizeof flat || body.len > NOTE_BYTES_MAX)
        return E_PARSER;
    memcpy(&flat, flat_bytes.data, flat_bytes.len);
    if (!flat.count || flat.count > NOTE_SIGNATURES_MAX || flat_bytes.len != checkpoint_bytes(flat.count) ||
        !text_take(checkpoint, note, &flat, body))
        return E_PARSER;
    struct span rest = span_from(body, flat.text_len + (size_t)1);
    note->count = flat.count;
    for (size_t i = 0; i < note->count; i++)
        if (!line_take(&note->signatures[i], &flat.lines[i], &rest))
            return E_PARSER;
    return rest.len ? E_PARSER : 0;
}

int flat_get_add_checkpoint(struct add_checkpoint *request, struct span flat_bytes, struct span body)
{
    enum { HEAD = offsetof(struct flat_add_checkpoint, checkpoint) };
    struct flat_add_checkpoint flat = {0};
    struct buf head;
    if (flat_bytes.len < HEAD)
        return E_PARSER;
    memcpy(&flat, flat_bytes.data, HEAD);
    if (flat.count > PROOF_HASHES_MAX)
        return E_PARSER;
    request->old_size = flat.old_size;
    request->count = flat.count;
    memcpy(request->proof, flat.proof, flat.count * sizeof *flat.proof);
    buf_init(&head, ADD_CHECKPOINT_BYTES_MAX);
    add_checkpoint_write(&head, request->old_size, request->proof, request->count, span_of(NULL, 0));
    int rc = starts(body, &head) ? 0 : E_PARSER;
    request->note_bytes = span_from(body, rc ? body.len : head.len);
    buf_free(&head);
    return rc ? rc
              : flat_get_checkpoint(&request->checkpoint, &request->note, span_from(flat_bytes, HEAD),
                                    request->note_bytes);
}
