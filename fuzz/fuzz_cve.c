#include "fuzz/advisory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_advisory(MEDIA_CVE, span_of(data, size));
}
