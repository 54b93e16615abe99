/* A party card: what was accepted is written again as it was read. The mutator signs a changed card anew with the keys that it names. */
#include "fuzz/mutate_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct card card;
    char fingerprint[64];
    struct buf text;
    struct note note;
    must(crypto_start() == 0);
    card_fingerprint(span_of(data, size), fingerprint);
    if (card_parse(&card, span_of(data, size), NULL) != 0)
        return 0;
    buf_init(&text, CARD_BYTES_MAX);
    card_write_text(&text, &card);
    must(note_parse(&note, span_of(data, size), NULL) == 0 && strlen(fingerprint) == 59);
    same(&text, note.text);
    must(span_is(span_str(card.name), card.name) && name_valid(span_str(card.name)));
    buf_free(&text);
    return 0;
}

/* A line "key ROLE BASE64" whose key is a made-up party's. */
static const struct secret_key *secret_of(const struct subject *s, struct span line, int role)
{
    struct hash key;
    if (line.len < 44 || !base64_hash(span_from(line, line.len - 44), &key))
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (memcmp(s->cards[i].keys[role].b, key.b, sizeof key.b) == 0)
            return s->secret[i][role];
    return NULL;
}

static void signatures_add(struct buf *out, struct span text)
{
    struct subject *s = mutate_subject();
    struct span rest = text, line, name = span_str("nobody");
    while (span_line(&rest, &line)) {
        if (span_starts(line, "name "))
            name = span_from(line, 5);
        for (int role = 0; role < KEY_SEAL; role++) {
            char prefix[32];
            struct signature signature;
            struct hash key;
            (void)snprintf(prefix, sizeof prefix, "key %s ", key_role_names[role]);
            const struct secret_key *secret = span_starts(line, prefix) ? secret_of(s, line, role) : NULL;
            if (!secret)
                continue;
            (void)base64_hash(span_from(line, line.len - 44), &key);
            sign(secret, text, &signature);
            note_signature_write(out, name, (const struct public_key *)&key, &signature);
        }
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static uint8_t text[CARD_BYTES_MAX];
    size_t len = seed % 3 ? note_text_mutate(span_of(data, size), text, sizeof text / 2) : 0;
    struct buf out;
    if (!len)
        return LLVMFuzzerMutate(data, size, max);
    buf_init(&out, max);
    buf_add(&out, text, len);
    buf_byte(&out, '\n');
    signatures_add(&out, span_of(text, len));
    len = out.error ? LLVMFuzzerMutate(data, size, max) : out.len;
    if (!out.error)
        memcpy(data, out.data, out.len);
    buf_free(&out);
    return len;
}
