#include "format/cpe.h"

#include "tests/test.h"

/* The formatted string of what was read; NULL: refused. */
static const struct {
    const char *text, *formatted;
} names[] = {
    {"cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*",
     "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*"},
    {"CPE:2.3:A:Microsoft:Internet_Explorer:8.*:SP?:*:*:*:*:*:*",
     "cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*"},
    {"cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*",
     "cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*"},
    {"cpe:2.3:a:foo\\\\bar:big\\$money:2010:*:*:*:special:ipod_touch:80gb:*",
     "cpe:2.3:a:foo\\\\bar:big\\$money:2010:*:*:*:special:ipod_touch:80gb:*"},
    {"cpe:2.3:o:a\\:b:c\\*d:\\?:\\-:x\\-y:*:*:*:*:*", "cpe:2.3:o:a\\:b:c\\*d:\\?:\\-:x-y:*:*:*:*:*"},
    {"cpe:2.3:h:*:??a??:*b*:?:*:*:*:*:*:*", "cpe:2.3:h:*:??a??:*b*:?:*:*:*:*:*:*"},
    {"cpe:2.3:*:*:*:*:*:*:*:*:*:*:*", "cpe:2.3:*:*:*:*:*:*:*:*:*:*:*"},
    {"cpe:2.3:-:-:-:-:-:-:-:-:-:-:-", "cpe:2.3:-:-:-:-:-:-:-:-:-:-:-"},
    {"cpe:2.3:a:b:c:**:?*:*:*:*:*:*:*", "cpe:2.3:a:b:c:*:*:*:*:*:*:*:*"},
    {"cpe:/a:microsoft:internet_explorer:8.0.6001:beta",
     "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*"},
    {"cpe:/a:microsoft:internet_explorer:8.%02:sp%01", "cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*"},
    {"cpe:/a:hp:insight_diagnostics:7.4.0.1570:-:~~online~win2003~x64~",
     "cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*"},
    {"cpe:/a:hp:openview_network_manager:7.51::~~~linux~~",
     "cpe:2.3:a:hp:openview_network_manager:7.51:*:*:*:*:linux:*:*"},
    {"cpe:/a:foo%5cbar:big%24money_manager_2010:::~~special~ipod_touch~80gb~",
     "cpe:2.3:a:foo\\\\bar:big\\$money_manager_2010:*:*:*:*:special:ipod_touch:80gb:*"},
    {"cpe:/a:foo~bar:big%7emoney_2010", "cpe:2.3:a:foo\\~bar:big\\~money_2010:*:*:*:*:*:*:*:*"},
    {"cpe:/o:vendor:os:1.0:::en-us", "cpe:2.3:o:vendor:os:1.0:*:*:en-us:*:*:*:*"},
    {"cpe:/a:b:%02:%02%02:%01%02", "cpe:2.3:a:b:*:*:*:*:*:*:*:*:*"},
    {"cpe:/:b", "cpe:2.3:*:b:*:*:*:*:*:*:*:*:*"},
    {"cpe:/H", "cpe:2.3:h:*:*:*:*:*:*:*:*:*:*"},
    {"cpe:/a:x%3A%3ay:%41", "cpe:2.3:a:x\\:\\:y:a:*:*:*:*:*:*:*:*"},
    {"", NULL},
    {"cpe", NULL},
    {"cpe:/", NULL},
    {"cpe:2.3:", NULL},
    {"cpe:2.2:a:b:c:*:*:*:*:*:*:*:*", NULL},
    {"cpe:2.3:a:b:c:*:*:*:*:*:*:*", NULL},     /* ten */
    {"cpe:2.3:a:b:c:*:*:*:*:*:*:*:*:*", NULL}, /* twelve */
    {"cpe:2.3:a:b:c::*:*:*:*:*:*:*", NULL},    /* empty */
    {"cpe:2.3:x:b:c:*:*:*:*:*:*:*:*", NULL},   /* no part */
    {"cpe:2.3:ao:b:c:*:*:*:*:*:*:*:*", NULL},
    {"cpe:2.3:a?:b:c:*:*:*:*:*:*:*:*", NULL},
    {"cpe:2.3:?a:b:c:*:*:*:*:*:*:*:*", NULL},
    {"cpe:2.3:a:b:c:1*2:*:*:*:*:*:*:*", NULL}, /* a wildcard inside */
    {"cpe:2.3:a:b:c:1?2:*:*:*:*:*:*:*", NULL},
    {"cpe:2.3:a:b:c:*?1:*:*:*:*:*:*:*", NULL},
    {"cpe:2.3:a:b c:d:*:*:*:*:*:*:*:*", NULL},
    {"cpe:2.3:a:b$c:d:*:*:*:*:*:*:*:*", NULL},  /* not quoted */
    {"cpe:2.3:a:b\\c:d:*:*:*:*:*:*:*:*", NULL}, /* a letter needs no quote */
    {"cpe:2.3:a:b:c:*:*:*:*:*:*:*:\\", NULL},
    {"cpe:2.3:a:\xc3\xa9:c:*:*:*:*:*:*:*:*", NULL},
    {"cpe:/x", NULL},
    {"cpe:/a:b:c:d:e:f:g:h", NULL},
    {"cpe:/a:b%", NULL},
    {"cpe:/a:b%4", NULL},
    {"cpe:/a:b%zz", NULL},
    {"cpe:/a:b%00", NULL},
    {"cpe:/a:b%20", NULL},
    {"cpe:/a:b%7f", NULL},
    {"cpe:/a:b\\:c", NULL},
    {"cpe:/a:b:c:1::~a~b~c~d", NULL},
    {"cpe:/a:b:c:1::~a~b~c~d~e~f", NULL},
    {"cpe:/a:b:c:1::~", NULL},
};

static void parsed(struct arena *arena)
{
    static char longest[3000] = "cpe:/a:";
    struct cpe cpe;
    struct fault fault;
    struct buf out;
    buf_init(&out, 4096);
    test("both bindings are read to one name, and it is written in one way");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fault = (struct fault){0};
        int rc = cpe_parse(&cpe, span_str(names[i].text), arena, &fault);
        CHECK_INT(rc, names[i].formatted ? 0 : E_SYNTAX);
        CHECK(rc == 0 || fault.detail[0]);
        if (rc || !names[i].formatted) {
            if (!rc != !!names[i].formatted)
                printf("# %s\n", names[i].text);
            continue;
        }
        buf_reset(&out);
        cpe_write(&out, &cpe);
        if (!span_is(buf_view(&out), names[i].formatted))
            printf("# %s is written %.*s\n", names[i].text, (int)out.len, (const char *)out.data);
        CHECK(span_is(buf_view(&out), names[i].formatted));
        CHECK_INT(cpe_parse(&cpe, span_str(names[i].formatted), arena, NULL), 0);
        buf_reset(&out);
        cpe_write(&out, &cpe);
        CHECK(span_is(buf_view(&out), names[i].formatted));
    }
    memset(longest + 7, 'a', sizeof longest - 8);
    CHECK_INT(cpe_parse(&cpe, span_str(longest), arena, &fault), E_LIMIT);
    buf_free(&out);
}

/* NISTIR 7696, table 6-2: relations of attribute values. "i" and "k" are texts without wildcards, "m" has some. */
static const struct {
    unsigned row;
    const char *source, *target;
    enum cpe_relation want;
} values[] = {
    {1, "*", "*", CPE_EQUAL},
    {2, "*", "-", CPE_SUPERSET},
    {3, "*", "i", CPE_SUPERSET},
    {4, "*", "m*", CPE_UNDEFINED},
    {5, "-", "*", CPE_SUBSET},
    {6, "-", "-", CPE_EQUAL},
    {7, "-", "i", CPE_DISJOINT},
    {8, "-", "m*", CPE_UNDEFINED},
    {9, "i", "i", CPE_EQUAL},
    {9, "I", "i", CPE_EQUAL},
    {10, "i", "k", CPE_DISJOINT},
    {11, "i", "m*", CPE_UNDEFINED},
    {12, "i", "-", CPE_DISJOINT},
    {13, "i", "*", CPE_SUBSET},
    {14, "m*", "middle", CPE_SUPERSET},
    {14, "m*", "m", CPE_SUPERSET}, /* "*": zero or more */
    {14, "m*", "k", CPE_DISJOINT},
    {14, "*dle", "middle", CPE_SUPERSET},
    {14, "*dle", "middles", CPE_DISJOINT},
    {14, "*dd*", "middle", CPE_SUPERSET},
    {14, "?iddle", "middle", CPE_SUPERSET},
    {14, "?iddle", "iddle", CPE_SUPERSET}, /* "?": zero or one */
    {14, "?iddle", "mmiddle", CPE_DISJOINT},
    {14, "??iddle", "mmiddle", CPE_SUPERSET},
    {14, "midd??", "middle", CPE_SUPERSET},
    {14, "midd??", "midd", CPE_SUPERSET},
    {14, "midd?", "middle", CPE_DISJOINT},
    {14, "?ddl*", "middle", CPE_DISJOINT},
    {14, "??ddl*", "middle", CPE_SUPERSET},
    {14, "*1?", "1.1.11", CPE_SUPERSET}, /* not the first place where the text stands */
    {14, "?1", "111", CPE_DISJOINT},
    {14, "??", "ab", CPE_SUPERSET},
    {14, "??", "abc", CPE_DISJOINT},
    {15, "m*", "*", CPE_SUBSET},
    {16, "m*", "-", CPE_DISJOINT},
    {17, "m*", "n*", CPE_UNDEFINED},
    {17, "m*", "m*", CPE_UNDEFINED},
};

static void compared(struct arena *arena)
{
    test("values relate as in table 6-2 of NISTIR 7696");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char source[128], target[128];
        struct cpe a, b;
        (void)snprintf(source, sizeof source, "cpe:2.3:a:v:p:%s:*:*:*:*:*:*:*", values[i].source);
        (void)snprintf(target, sizeof target, "cpe:2.3:a:v:p:%s:*:*:*:*:*:*:*", values[i].target);
        CHECK_INT(cpe_parse(&a, span_str(source), arena, NULL), 0);
        CHECK_INT(cpe_parse(&b, span_str(target), arena, NULL), 0);
        enum cpe_relation got = cpe_value_compare(&a.values[CPE_VERSION], &b.values[CPE_VERSION]);
        if (got != values[i].want)
            printf("# row %u: %s to %s is %s\n", values[i].row, values[i].source, values[i].target,
                   cpe_relation_names[got]);
        CHECK_INT(got, values[i].want);
        CHECK_INT(cpe_compare(&a, &b), values[i].want); /* all else is equal */
    }
}

/* NISTIR 7696, table 6-4: how names relate by their attributes' relations. */
static void names_compared(struct arena *arena)
{
    static const struct {
        const char *source, *target;
        enum cpe_relation want;
    } rows[] = {
        {"cpe:2.3:a:adobe:*:9.*:*:palmos:*:*:*:*:*", "cpe:2.3:a:-:reader:9.3.2:-:-:*:*:*:*:*", CPE_DISJOINT},
        {"cpe:2.3:a:adobe:reader:9.*:*:-:*:*:*:*:*", "cpe:2.3:a:adobe:reader:9.3.2:-:-:*:*:*:*:*", CPE_SUPERSET},
        {"cpe:2.3:a:adobe:reader:9.3.2:-:-:*:*:*:*:*", "cpe:2.3:a:adobe:reader:*:*:-:*:*:*:*:*", CPE_SUBSET},
        {"cpe:2.3:a:adobe:reader:9.3.2:*:-:*:*:*:*:*", "cpe:2.3:a:adobe:reader:*:-:-:*:*:*:*:*", CPE_UNDEFINED},
        {"cpe:2.3:a:adobe:reader:9.3.2:*:*:*:*:*:*:*", "cpe:2.3:a:Adobe:Reader:9.3.2:*:*:*:*:*:*:*", CPE_EQUAL},
        {"cpe:2.3:a:adobe:reader:9.3.2:*:*:*:*:*:*:*", "cpe:2.3:a:adobe:reader:9*:*:*:*:*:*:*:*", CPE_UNDEFINED},
        {"cpe:2.3:a:adobe:reader:9.3.2:*:*:*:*:*:*:*", "cpe:2.3:o:adobe:reader:9*:*:*:*:*:*:*:*", CPE_DISJOINT},
        {"cpe:/a:adobe:reader", "cpe:2.3:a:adobe:reader:9.3.2:*:*:*:*:*:*:*", CPE_SUPERSET},
    };
    test("names relate by all their attributes");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cpe a, b;
        CHECK_INT(cpe_parse(&a, span_str(rows[i].source), arena, NULL), 0);
        CHECK_INT(cpe_parse(&b, span_str(rows[i].target), arena, NULL), 0);
        if (cpe_compare(&a, &b) != rows[i].want)
            printf("# row %zu: %s\n", i, cpe_relation_names[cpe_compare(&a, &b)]);
        CHECK_INT(cpe_compare(&a, &b), rows[i].want);
    }
}

int main(void)
{
    struct arena arena, small;
    struct cpe cpe;
    arena_init(&arena, 1 << 20);
    parsed(&arena);
    compared(&arena);
    names_compared(&arena);
    test("an exhausted arena is an error");
    arena_init(&small, 32);
    CHECK_INT(cpe_parse(&cpe, span_str("cpe:/a:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), &small, NULL), E_NOMEM);
    arena_free(&small);
    arena_free(&arena);
    return test_end();
}
