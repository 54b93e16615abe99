/* Checkpoints: one without extension lines is written again as the same bytes. */
#include "fuzz/fuzz.h"
#include "record/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct note note;
    struct checkpoint c;
    struct buf out;
    struct span bytes = span_of(data, size);
    (void)checkpoint_parse(&c, &note, bytes, NULL);
    if (checkpoint_parse_text(&c, bytes, NULL) != 0)
        return 0;
    buf_init(&out, size + 1);
    checkpoint_write_text(&out, c.origin, c.size, &c.root);
    buf_span(&out, c.extensions);
    if (!span_eq(buf_view(&out), bytes))
        abort();
    buf_free(&out);
    return 0;
}
