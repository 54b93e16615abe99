/* Up to three lines are versions: in every order a comparison is reflexive and antisymmetric, and transitive but for Maven's, whose own
   rules go in a circle where a qualifier follows a dot. */
#include "format/version.h"
#include "fuzz/fuzz.h"

static int compare(enum order order, struct span a, struct span b, bool *good)
{
    int result = 0, back = 0;
    bool there = version_compare(order, a, b, &result), here = version_compare(order, b, a, &back);
    must(there == here);
    must(!there || ((result < 0) == (back > 0) && (result > 0) == (back < 0)));
    *good = *good && there;
    return result;
}

static void laws(enum order order, const struct span v[3])
{
    bool good = true;
    int ab = compare(order, v[0], v[1], &good), bc = compare(order, v[1], v[2], &good),
        ac = compare(order, v[0], v[2], &good);
    if (good && order != ORDER_MAVEN)
        must(!(ab <= 0 && bc <= 0 && ac > 0) && !(ab >= 0 && bc >= 0 && ac < 0));
    for (size_t i = 0; good && i < 3; i++)
        must(compare(order, v[i], v[i], &good) == 0);
}

static void known(void *ctx, const char *ecosystem, enum order order)
{
    (void)ctx;
    must(order > ORDER_UNKNOWN && order < ORDER_COUNT && order_of_ecosystem(span_str(ecosystem)) == order);
    must(order_name(order)[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size), v[3];
    v[0] = plan_line(&rest);
    v[1] = plan_line(&rest);
    v[2] = rest;
    for (int order = ORDER_UNKNOWN; order < ORDER_COUNT; order++)
        laws((enum order)order, v);
    order_ecosystems(known, NULL);
    (void)order_of_ecosystem(v[0]);
    (void)order_of_scheme(v[0]);
    return 0;
}
