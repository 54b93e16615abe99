#include <stdlib.h>

#include "circle/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (crypto_start() != 0)
        abort();
    struct card card;
    char fingerprint[64];
    if (card_parse(&card, span_of(data, size), NULL) != 0)
        return 0;
    struct buf text; /* what was accepted is written again as it was read */
    struct note note;
    buf_init(&text, CARD_BYTES_MAX);
    card_write_text(&text, &card);
    if (note_parse(&note, span_of(data, size), NULL) != 0 || !span_eq(note.text, buf_view(&text)))
        abort();
    card_fingerprint(span_of(data, size), fingerprint);
    buf_free(&text);
    return 0;
}
