/* Up to three lines are versions: comparison is reflexive, antisymmetric and transitive in both orders. */
#include "format/version.h"
#include "fuzz/fuzz.h"

static int compare(enum order order, struct span a, struct span b, bool *good)
{
    int result = 0, back = 0;
    bool there = version_compare(order, a, b, &result), here = version_compare(order, b, a, &back);
    if (there != here || (result < 0) != (back > 0) || (result > 0) != (back < 0))
        abort();
    *good = *good && there;
    return result;
}

static void laws(enum order order, const struct span v[3])
{
    bool good = true;
    int ab = compare(order, v[0], v[1], &good), bc = compare(order, v[1], v[2], &good),
        ac = compare(order, v[0], v[2], &good);
    if (good && ((ab <= 0 && bc <= 0 && ac > 0) || (ab >= 0 && bc >= 0 && ac < 0)))
        abort();
    for (size_t i = 0; good && i < 3; i++)
        if (compare(order, v[i], v[i], &good) != 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size), v[3] = {0};
    size_t count = 0;
    while (count < 2 && span_line(&rest, &v[count]))
        count++;
    v[count] = rest;
    laws(ORDER_DEBIAN, v);
    laws(ORDER_SEMVER, v);
    return 0;
}
