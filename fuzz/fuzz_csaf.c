#include "fuzz/advisory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_advisory("application/csaf+json", span_of(data, size));
}
