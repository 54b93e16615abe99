#include <stdlib.h>

#include "circle/member.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two lines: Signature-Input and Signature. What is accepted has one spelling. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size), line;
    struct member_input input;
    struct signature signature;
    struct buf again;
    char authority[MEMBER_AUTHORITY_BYTES_MAX + 1];
    if (!span_line(&rest, &line))
        line = span_of(NULL, 0);
    buf_init(&again, MEMBER_BASE_BYTES_MAX);
    if (member_input_parse(&input, line) == 0) {
        member_input_write(&again, input.created, &input.kid);
        if (!span_eq(buf_view(&again), line))
            abort();
    }
    buf_reset(&again);
    if (member_signature_parse(&signature, rest) == 0) {
        member_signature_write(&again, &signature);
        if (!span_eq(buf_view(&again), rest))
            abort();
    }
    buf_free(&again);
    if (member_authority(authority, rest) == 0 && strpbrk(authority, "\n\" /@"))
        abort();
    return 0;
}
