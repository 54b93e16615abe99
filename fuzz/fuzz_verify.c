/* Any bytes as a receipt, against a fixed circle with real keys: what stands must be a statement of that circle. */
#include "tests/circle/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct subject s;
    struct arena arena;
    struct standing standing;
    struct fault fault = {0};
    struct span document = span_str(subject_document);
    if (!s.count && (crypto_start() != 0 || subject_make(&s, 5, 4, 2, 2, 4) != 0))
        abort();
    arena_init(&arena, 1 << 20);
    int rc = receipt_verify(&s.roster, span_of(data, size), &document, &standing, &arena, &fault);
    if (rc == 0 && (standing.cosigned < standing.needed || !standing.document_checked ||
                    standing.index >= standing.size || !hash_eq(&standing.statement.circle, &s.roster.circle)))
        abort();
    if (rc && fault.code != rc)
        abort();
    arena_free(&arena);
    return 0;
}
