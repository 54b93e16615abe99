/* Notes and verifier keys: what parses is written again as it stood, and nothing else verifies. */
#include "format/note.h"
#include "fuzz/fuzz.h"

static void check_lines(const struct note *note, struct span bytes)
{
    size_t at = note->text.len + 1;
    for (size_t i = 0; i < note->count; i++) {
        const struct note_signature *s = &note->signatures[i];
        if (s->line.data != bytes.data + at || s->len > sizeof s->bytes)
            abort();
        at += s->line.len;
    }
    if (at != bytes.len)
        abort();
}

static void check_vkey(struct span bytes)
{
    struct span name;
    enum note_type type;
    struct public_key key;
    struct buf out;
    if (note_vkey_parse(bytes, &name, &type, &key) != 0)
        return;
    buf_init(&out, bytes.len + 1);
    note_vkey_write(&out, name, type, &key);
    if (!span_eq(buf_view(&out), bytes))
        abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct note note;
    static const struct public_key key = {{1, 2, 3}};
    struct span bytes = span_of(data, size);
    if (note_parse(&note, bytes, NULL) == 0) {
        int64_t timestamp;
        check_lines(&note, bytes);
        for (size_t i = 0; i < note.count; i++)
            if (note_verify(&note, note.signatures[i].name, &key) == 0 ||
                note_verify_cosignature(&note, note.signatures[i].name, &key, &timestamp, NULL) == 0)
                abort();
    }
    (void)note_parse_signatures(&note, bytes, NULL);
    check_vkey(bytes);
    return 0;
}
