/* A statement that parses is the one encoding of what was read from it: written again it is the same bytes. */
#include "record/statement.h"
#include "fuzz/mutate_cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct statement s;
    struct fault fault = {0};
    struct buf header, out;
    int rc = statement_parse(&s, span_of(data, size), &fault);
    if (rc != 0) {
        if (fault.code != rc)
            abort(); /* every refusal says why */
        return 0;
    }
    if (s.answer_count > STATEMENT_ANSWERS_MAX || s.subject.len >= SUBJECT_BYTES_MAX ||
        s.media.len >= MEDIA_BYTES_MAX || s.issuer.len > NAME_BYTES_MAX)
        abort();
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&out, STATEMENT_BYTES_MAX);
    statement_protected(&header, &s);
    cose_write(&out, buf_view(&header), span_of(NULL, 0), span_hash(&s.document), &s.cose.signature);
    if (header.error || out.error || !span_eq(buf_view(&out), span_of(data, size)))
        abort();
    buf_free(&header);
    buf_free(&out);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return cbor_mutator(data, size, max, seed);
}
