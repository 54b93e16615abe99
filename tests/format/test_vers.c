/* Ranges by the vers specification: what is refused, and which versions each holds. */
#include "base/limits.h"
#include "format/vers.h"
#include "tests/test.h"

static const struct {
    const char *range, *version;
    enum vers_answer want;
} held[] = {
    {"vers:npm/1.2.3|>=2.0.0|<5.0.0", "1.2.3", VERS_INSIDE},
    {"vers:npm/1.2.3|>=2.0.0|<5.0.0", "1.2.4", VERS_OUTSIDE},
    {"vers:npm/1.2.3|>=2.0.0|<5.0.0", "2.0.0", VERS_INSIDE},
    {"vers:npm/1.2.3|>=2.0.0|<5.0.0", "4.99.0", VERS_INSIDE},
    {"vers:npm/1.2.3|>=2.0.0|<5.0.0", "5.0.0", VERS_OUTSIDE},
    {"vers:npm/1.2.3|>=2.0.0|<5.0.0", "1.0.0", VERS_OUTSIDE},
    {"vers:npm/1.2.3|>=2.0.0|<5.0.0", "one", VERS_CANNOT_TELL},
    {"vers:npm/1.2.3", "", VERS_CANNOT_TELL},
    {"vers:gem/>=2.2.0|!=2.2.1|<2.3.0", "2.2.1", VERS_OUTSIDE},
    {"vers:gem/>=2.2.0|!=2.2.1|<2.3.0", "2.2.2", VERS_INSIDE},
    {"vers:deb/<1.0", "0.9", VERS_INSIDE},
    {"vers:deb/<1.0", "1.0", VERS_OUTSIDE},
    {"vers:deb/<1.0", "1.0~rc1", VERS_INSIDE},
    {"vers:deb/<=1.0", "1.0", VERS_INSIDE},
    {"vers:deb/>1.0", "1.0", VERS_OUTSIDE},
    {"vers:deb/>1.0", "1:0.1", VERS_INSIDE},
    {"vers:deb/>1.0|<=2.0|>=3.0", "2.5", VERS_OUTSIDE},
    {"vers:deb/>1.0|<=2.0|>=3.0", "9", VERS_INSIDE},
    {"vers:deb/!=0.5|<1.0|>2.0", "0.1", VERS_INSIDE},
    {"vers:deb/!=0.5|<1.0|>2.0", "1.5", VERS_OUTSIDE},
    {"vers:pypi/!=1.2", "1.3", VERS_INSIDE},
    {"vers:pypi/!=1.2", "1.2.0", VERS_OUTSIDE},
    {"vers:pypi/1.0|2.0", "1.0.0", VERS_INSIDE},
    {"vers:pypi/=1.0|!=2.0", "3.0", VERS_OUTSIDE},
    {"vers:deb/*", "7", VERS_INSIDE},
    {"vers:all/*", "whatever", VERS_INSIDE},
    {"vers:none/*", "1", VERS_OUTSIDE},
    {"vers:intdot/>=1.2|<1.10", "1.9", VERS_INSIDE},
    {"vers:lexicographic/>=b|<d", "cc", VERS_INSIDE},
    {"vers:lexicographic/>=b|<d", "e", VERS_OUTSIDE},
    {"vers:conan/1.0", "1.0", VERS_INSIDE},
    {"vers:conan/1.0", "1.1", VERS_CANNOT_TELL},
    {"vers:conan/>=1.0", "1.0", VERS_INSIDE},
    {"vers:conan/>=1.0", "2.0", VERS_CANNOT_TELL},
    {"vers:lexicographic/a%7Cb", "a|b", VERS_INSIDE},
    {"vers:maven/>=8.0.0-M1|<=8.0.1", "8.0.0", VERS_INSIDE},
};

static const struct {
    const char *range;
    int want;
} refused[] = {
    {"", E_SYNTAX},
    {"1.0", E_SYNTAX},
    {"vers:", E_SYNTAX},
    {"vers:npm", E_SYNTAX},
    {"vers:npm/", E_SYNTAX},
    {"vers:/1.0", E_SYNTAX},
    {"Vers:npm/1.0.0", E_SYNTAX},
    {"vers:NPM/1.0.0", E_CANONICAL},
    {"vers:1npm/1.0.0", E_SYNTAX},
    {"vers:n_m/1.0.0", E_SYNTAX},
    {"vers:npm/1.0.0 ", E_SYNTAX},
    {"vers:npm/1.0.0|", E_SYNTAX},
    {"vers:npm/|1.0.0", E_SYNTAX},
    {"vers:npm/>=", E_SYNTAX},
    {"vers:npm/one", E_SYNTAX},
    {"vers:npm/*|1.0.0", E_SYNTAX},
    {"vers:npm/>=*", E_SYNTAX},
    {"vers:all/1.0.0", E_SYNTAX},
    {"vers:none/1.0.0", E_SYNTAX},
    {"vers:npm/2.0.0|1.0.0", E_CANONICAL},
    {"vers:npm/1.0.0|1.0.0", E_DUPLICATE},
    {"vers:npm/>=1.0.0|<1.0.0", E_DUPLICATE},
    {"vers:pypi/1.0|1.0.0", E_DUPLICATE},
    {"vers:npm/>=1.0.0|>=2.0.0", E_SYNTAX},
    {"vers:npm/>=1.0.0|!=1.5.0|>2.0.0", E_SYNTAX},
    {"vers:npm/<1.0.0|<=2.0.0", E_SYNTAX},
    {"vers:npm/1.0.0|<2.0.0", E_SYNTAX},
    {"vers:npm/1.0.0|!=1.5.0|<2.0.0", E_SYNTAX},
    {"vers:deb/1%2e0", E_CANONICAL},
    {"vers:deb/1%2E0", E_CANONICAL},
    {"vers:deb/1%7c0", E_CANONICAL},
    {"vers:deb/1%7", E_SYNTAX},
    {"vers:deb/1%00", E_SYNTAX},
    {"vers:deb/1\xc3\xa4", E_SYNTAX},
};

static void too_long(struct arena *arena)
{
    static char text[VERS_BYTES_MAX + 2] = "vers:lexicographic/";
    struct vers_range range;
    memset(text + 19, 'a', sizeof text - 20);
    test("a range that is too long");
    CHECK_INT(vers_parse(&range, span_of(text, VERS_BYTES_MAX + 1), arena, NULL), E_LIMIT);
    CHECK_INT(vers_parse(&range, span_of(text, VERS_BYTES_MAX), arena, NULL), 0);
}

int main(void)
{
    struct arena arena;
    struct vers_range range;
    arena_init(&arena, 16 << 20);
    test("which versions a range holds");
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        struct fault fault = {0};
        int rc = vers_parse(&range, span_str(held[i].range), &arena, &fault);
        enum vers_answer got = rc ? VERS_CANNOT_TELL : vers_contains(&range, span_str(held[i].version));
        if (rc || got != held[i].want)
            printf("# %s of %s: %d %s\n", held[i].version, held[i].range, (int)got, fault.detail);
        CHECK(rc == 0 && got == held[i].want);
    }
    test("what is no range");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct fault fault = {0};
        int rc = vers_parse(&range, span_str(refused[i].range), &arena, &fault);
        if (rc != refused[i].want || fault.code != rc)
            printf("# %s: %d %s\n", refused[i].range, rc, fault.detail);
        CHECK(rc == refused[i].want && fault.code == rc);
    }
    too_long(&arena);
    arena_free(&arena);
    return test_end();
}
