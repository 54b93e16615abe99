/* The smallest harness that fits: every CHECK counts, a failed one names its place and goes on. One executable per room;
   `./check` adds up the "ok"/"not ok" lines (TAP). Call `test(name)` before a group and `return test_end()` from main. */
#ifndef COMITY_TEST_H
#define COMITY_TEST_H

#include <stdio.h>
#include <string.h>

static int test_number, test_bad, test_failures_all;
static const char *test_name;

static inline void test_close(void)
{
    if (!test_name)
        return;
    printf("%s %d - %s\n", test_bad ? "not ok" : "ok", ++test_number, test_name);
    test_failures_all += test_bad != 0;
}

static inline void test(const char *name)
{
    test_close();
    test_name = name;
    test_bad = 0;
}

/* Use it where something the machine lacks stands in the way; a skip is always said. */
static inline void test_skip(const char *name, const char *why)
{
    test_close();
    test_name = NULL;
    printf("ok %d - %s # SKIP %s\n", ++test_number, name, why);
}

static inline int test_end(void)
{
    test_close();
    printf("1..%d\n", test_number);
    return test_failures_all != 0;
}

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            test_bad++;                                                                                                \
            printf("# %s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                                           \
        }                                                                                                              \
    } while (0)

#define CHECK_INT(got, want)                                                                                           \
    do {                                                                                                               \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                  \
        if (got_ != want_) {                                                                                           \
            test_bad++;                                                                                                \
            printf("# %s:%d: %s is %lld, want %lld\n", __FILE__, __LINE__, #got, got_, want_);                         \
        }                                                                                                              \
    } while (0)

#endif
