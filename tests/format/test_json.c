#include "format/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tests/test.h"

static int parse_len(struct span text, struct arena *arena, const struct json **out, struct fault *fault)
{
    arena_init(arena, 64 << 20);
    *out = NULL;
    /* An exact copy that is gone afterwards: the tree must not need it, nor one byte more. */
    uint8_t *exact = malloc(text.len ? text.len : 1);
    if (!exact)
        abort();
    if (text.len)
        memcpy(exact, text.data, text.len);
    int rc = json_parse(out, span_of(exact, text.len), JSON_BYTES_MAX, arena, fault);
    free(exact);
    return rc;
}

static void table_accepted(void)
{
    static const char *const good[] = {
        "null",
        "true",
        " false ",
        "0",
        "-0",
        "12",
        "-1",
        "1.5",
        "1e9",
        "1E+2",
        "2e-3",
        "0.0",
        "\"\"",
        "\"a\"",
        "[]",
        "{}",
        "\t[\r\n1 ]\n",
        "{\"a\":1,\"b\":[2,{\"a\":3}]}",
        "[[],[[]],{}]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\xc3\xa9\"",
        "{\"\":0}",
        "[1,2,3]",
        "123456789012345678901234567890",
        "1e400",
        "\"\x7f\"",
        "{\"a\":{\"a\":{\"a\":null}}}",
        "{\"a\":1,\"A\":1}",
        "\"]\"",
        "[\"}\",\"{\",\",\"]",
        "\"\\u0001\"",
    };
    test("what RFC 8259 allows is accepted");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct arena arena;
        const struct json *root;
        struct fault fault = {0};
        int rc = parse_len(span_str(good[i]), &arena, &root, &fault);
        if (rc || !root)
            printf("# %s: %s\n", good[i], fault.detail);
        CHECK(rc == 0 && root);
        arena_free(&arena);
    }
}

static void table_refused(void)
{
    static const struct {
        const char *text;
        int code;
    } bad[] = {
        {"", E_TRUNCATED},
        {"  \n", E_TRUNCATED},
        {"[", E_TRUNCATED},
        {"{", E_TRUNCATED},
        {"[1", E_TRUNCATED},
        {"[1,", E_TRUNCATED},
        {"[[1]", E_TRUNCATED},
        {"{\"a\"", E_TRUNCATED},
        {"{\"a\":", E_TRUNCATED},
        {"{\"a\":1", E_TRUNCATED},
        {"{\"a\":1,", E_TRUNCATED},
        {"\"abc", E_TRUNCATED},
        {"\"abc\\", E_TRUNCATED},
        {"\"abc\\\"", E_TRUNCATED},
        {"]", E_SYNTAX},
        {"}", E_SYNTAX},
        {"],[", E_SYNTAX},
        {",", E_SYNTAX},
        {":", E_SYNTAX},
        {"[1,]", E_SYNTAX},
        {"[,1]", E_SYNTAX},
        {"[1 2]", E_SYNTAX},
        {"\"a\":1", E_TRAILING},
        {"\"\":[}}", E_TRAILING},
        {"[\"a\":1]", E_SYNTAX},
        {"{\"a\":\"b\":1}", E_SYNTAX},
        {"{\"a\":\"\":true}", E_SYNTAX},
        {"{\"a\":\"b\":[}}}", E_SYNTAX},
        {"{\"a\":1:2}", E_SYNTAX},
        {"[true:1]", E_SYNTAX},
        {"{\"a\":null:[}}", E_SYNTAX},
        {"[1,,2]", E_SYNTAX},
        {"[1:2]", E_SYNTAX},
        {"[1}", E_SYNTAX},
        {"{\"a\":1]", E_SYNTAX},
        {"{\"a\":1,}", E_SYNTAX},
        {"{\"a\" 1}", E_SYNTAX},
        {"{\"a\",1}", E_SYNTAX},
        {"{\"a\":1 \"b\":2}", E_SYNTAX},
        {"{a:1}", E_SYNTAX},
        {"{1:1}", E_SYNTAX},
        {"{null:1}", E_SYNTAX},
        {"{\"a\":}", E_SYNTAX},
        {"{\"a\"}", E_SYNTAX},
        {"{'a':1}", E_SYNTAX},
        {"'a'", E_SYNTAX},
        {"nul", E_SYNTAX},
        {"nulll", E_SYNTAX},
        {"True", E_SYNTAX},
        {"NaN", E_SYNTAX},
        {"Infinity", E_SYNTAX},
        {"-", E_SYNTAX},
        {"+1", E_SYNTAX},
        {"01", E_SYNTAX},
        {"-01", E_SYNTAX},
        {"1.", E_SYNTAX},
        {".5", E_SYNTAX},
        {"1.e1", E_SYNTAX},
        {"1e", E_SYNTAX},
        {"1e+", E_SYNTAX},
        {"1e1.5", E_SYNTAX},
        {"0x10", E_SYNTAX},
        {"1_000", E_SYNTAX},
        {"--1", E_SYNTAX},
        {"1-", E_SYNTAX},
        {"1\v", E_SYNTAX},
        {"[1]\f", E_TRAILING},
        {"\xc2\xa0[1]", E_SYNTAX},
        {"[1] // note", E_TRAILING},
        {"[/* note */1]", E_SYNTAX},
        {"1 2", E_TRAILING},
        {"1,2", E_TRAILING},
        {"1]", E_TRAILING},
        {"[]]", E_TRAILING},
        {"{}{}", E_TRAILING},
        {"[1][2]", E_TRAILING},
        {"\"a\nb\"", E_SYNTAX},
        {"\"a\tb\"", E_SYNTAX},
        {"\"\x01\"", E_SYNTAX},
        {"\"\\a\"", E_SYNTAX},
        {"\"\\x41\"", E_SYNTAX},
        {"\"\\'\"", E_SYNTAX},
        {"\"\\u12\"", E_SYNTAX},
        {"\"\\u12g4\"", E_SYNTAX},
        {"\"\\U0041\"", E_SYNTAX},
        {"\"\\ud800\"", E_SYNTAX},
        {"\"\\ud800x\"", E_SYNTAX},
        {"\"\\ud800\\n\"", E_SYNTAX},
        {"\"\\ud800\\u0041\"", E_SYNTAX},
        {"\"\\ud800\\ud800\"", E_SYNTAX},
        {"\"\\udc00\"", E_SYNTAX},
        {"\"\\udc00\\ud800\"", E_SYNTAX},
        {"{\"\\udfff\":1}", E_SYNTAX},
        {"\"\\u0000\"", E_UTF8},
        {"\"a\\u0000b\"", E_UTF8},
        {"{\"\\u0000\":1}", E_UTF8},
        {"\"\xff\"", E_UTF8},
        {"\"\xc0\xaf\"", E_UTF8},
        {"\"\xed\xa0\x80\"", E_UTF8},
        {"\"\xf4\x90\x80\x80\"", E_UTF8},
        {"\"\xe2\x82\"", E_UTF8},
        {"[1] \xff", E_UTF8},
        {"\xef\xbb\xbf[1]", E_SYNTAX},
        {"\xff\xfe[\x01", E_UTF8},
        {"{\"a\":1,\"a\":1}", E_DUPLICATE},
        {"{\"a\":1,\"\\u0061\":2}", E_DUPLICATE},
        {"[{\"x\":{\"\":1,\"y\":2,\"\":3}}]", E_DUPLICATE},
        {"{\"\xc3\xa9\":1,\"\\u00e9\":2}", E_DUPLICATE},
        {"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,"
         "\"a\":1}",
         E_DUPLICATE},
    };
    test("what it does not allow is refused with the right code");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena arena;
        const struct json *root;
        struct fault fault = {0};
        int rc = parse_len(span_str(bad[i].text), &arena, &root, &fault);
        if (rc != bad[i].code)
            printf("# %s: %s (%s)\n", bad[i].text, rc ? error_text(rc)->id : "accepted", fault.detail);
        CHECK_INT(rc, bad[i].code);
        CHECK(!root);
        CHECK(rc == 0 || fault.detail[0]);
        arena_free(&arena);
    }
}

static void nul_bytes(void)
{
    static const struct {
        const char *text;
        size_t len;
    } bad[] = {{"[1]\0", 4}, {"\0[1]", 4}, {"\"a\0b\"", 5}, {"[1\0]", 4}};
    test("a raw NUL is refused wherever it stands");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena arena;
        const struct json *root;
        CHECK_INT(parse_len(span_of(bad[i].text, bad[i].len), &arena, &root, NULL), E_UTF8);
        arena_free(&arena);
    }
}

static void numbers(void)
{
    static const struct {
        const char *text;
        bool is_int;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"-42", true, -42},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999999", false, 0},
        {"1.0", false, 0},
        {"0.1000", false, 0},
        {"1e3", false, 0},
        {"1e99999", false, 0},
    };
    test("integers have their value, all numbers their text");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena;
        const struct json *root;
        char text[64];
        (void)snprintf(text, sizeof text, "{\"n\": %s }", rows[i].text);
        CHECK_INT(parse_len(span_str(text), &arena, &root, NULL), 0);
        const struct json *n = json_get(root, "n");
        CHECK(n && n->type == JSON_NUMBER && span_is(n->text, rows[i].text));
        CHECK(n && n->is_int == rows[i].is_int);
        CHECK_INT(n ? n->number : -1, rows[i].value);
        arena_free(&arena);
    }
}

static void tree_and_lookups(void)
{
    static const char text[] = "{\"a\":{\"b\":{\"c\":\"deep\"}},\"list\":[1,\"two\",null,{\"k\":true}],\"n\":-7,"
                               "\"q\\\"\\n\":\"\\u00fc\\ud83d\\ude00\","
                               "\"half\":0.5}";
    static const char *const allowed[] = {"a", "list", "n", NULL};
    struct arena arena;
    const struct json *root, *list;
    struct fault fault = {0};
    struct span value;
    int64_t n = 0;
    test("the tree and the lookups");
    CHECK_INT(parse_len(span_str(text), &arena, &root, NULL), 0);
    CHECK_INT(root->count, 5);
    CHECK(span_is(json_path(root, "a.b.c")->text, "deep"));
    CHECK(!json_path(root, "a.x.c") && !json_path(root, "n.b") && !json_get(NULL, "a"));
    CHECK(span_is(json_text(root, "q\"\n"), "\xc3\xbc\xf0\x9f\x98\x80"));
    CHECK(!json_text(root, "n").data && !json_text(root, "none").data);
    CHECK(json_int(root, "n", &n) && n == -7);
    CHECK(!json_int(root, "half", &n) && !json_int(root, "a", &n));
    CHECK_INT(json_need_array(root, "list", &list, &fault), 0);
    CHECK_INT(list->count, 4);
    CHECK(list->child[0].number == 1 && span_is(list->child[1].text, "two") && list->child[2].type == JSON_NULL);
    CHECK(json_get(&list->child[3], "k")->type == JSON_TRUE);
    CHECK_INT(json_need_array(root, "n", &list, &fault), E_TYPE);
    CHECK_INT(json_need_text(root, "none", &value, &fault), E_MISSING);
    CHECK(strstr(fault.detail, "none"));
    CHECK_INT(json_need_int(root, "half", &n, &fault), E_TYPE);
    CHECK_INT(json_only(root, allowed, &fault), E_SYNTAX);
    CHECK(strstr(fault.detail, "q"));
    arena_free(&arena);
}

static int parse_nested(size_t depth, char inner_open, char inner_close)
{
    struct buf text;
    struct arena arena;
    const struct json *root;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < depth; i++)
        buf_text(&text, inner_open == '{' ? "{\"a\":" : "[");
    buf_text(&text, "1");
    for (size_t i = 0; i < depth; i++)
        buf_byte(&text, (uint8_t)inner_close);
    int rc = parse_len(buf_view(&text), &arena, &root, NULL);
    arena_free(&arena);
    buf_free(&text);
    return rc;
}

static void limits(void)
{
    struct arena arena;
    const struct json *root;
    test("depth, size and memory are limited");
    CHECK_INT(parse_nested(JSON_DEPTH_MAX, '[', ']'), 0);
    CHECK_INT(parse_nested(JSON_DEPTH_MAX + 1, '[', ']'), E_LIMIT);
    CHECK_INT(parse_nested(JSON_DEPTH_MAX, '{', '}'), 0);
    CHECK_INT(parse_nested(JSON_DEPTH_MAX + 1, '{', '}'), E_LIMIT);
    CHECK_INT(parse_nested(100000, '[', ']'), E_LIMIT);
    arena_init(&arena, 4096);
    CHECK_INT(json_parse(&root, span_str("[1,2,3]"), 7, &arena, NULL), 0);
    CHECK_INT(json_parse(&root, span_str("[1,2,3]"), 6, &arena, NULL), E_LIMIT);
    arena_free(&arena);
    for (size_t max = 0; max < 700; max += 16) { /* out of memory at every step, and never a crash */
        arena_init(&arena, max);
        int rc = json_parse(&root, span_str("{\"a\":[1,2,\"x\\n\"],\"b\":{\"c\":[]},\"d\\t\":1}"), 100, &arena, NULL);
        CHECK(rc == 0 || rc == E_NOMEM);
        arena_free(&arena);
    }
}

static void faults_name_the_byte(void)
{
    static const struct {
        const char *text, *detail;
    } rows[] = {{"[1,x]", "byte 3:"},
                {"{\"a\":1,\"a\":2}", "\"a\" stands twice"},
                {"[\"a\xff\"]", "byte 3:"},
                {"[1,2", "byte 4:"},
                {"{\"k\":01}", "byte 5:"}};
    test("a fault names the byte");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena;
        const struct json *root;
        struct fault fault = {0};
        CHECK(parse_len(span_str(rows[i].text), &arena, &root, &fault) < 0);
        if (!strstr(fault.detail, rows[i].detail))
            printf("# %s: %s\n", rows[i].text, fault.detail);
        CHECK(strstr(fault.detail, rows[i].detail));
        arena_free(&arena);
    }
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void many_names(void)
{
    struct buf text;
    struct arena arena;
    const struct json *root;
    test("objects with 200,000 names that share a long start stay fast");
    for (int twice = 0; twice < 2; twice++) {
        buf_init(&text, JSON_BYTES_MAX);
        for (int i = 0; i < 200000; i++)
            buf_printf(&text, "%c\"a-rather-long-common-start-of-all-names-%d\":0", i ? ',' : '{', i);
        buf_text(&text, twice ? ",\"a-rather-long-common-start-of-all-names-777\":0}" : "}");
        double start = seconds();
        CHECK_INT(parse_len(buf_view(&text), &arena, &root, NULL), twice ? E_DUPLICATE : 0);
        CHECK(seconds() - start < 5); /* the quadratic way takes minutes */
        arena_free(&arena);
        buf_free(&text);
    }
}

/* Every prefix and every one-byte change of a valid text parses or fails, under the sanitizers without a complaint. */
static void mutations(void)
{
    static const char text[] =
        "{\"a\":[1,-2.5e3,\"\\u00e9\\ud83d\\ude00\",null],\"b\":{\"c\":true,\"d\":[{},[]]},\"e\":\"\xc3\xa9\"}";
    static const char bytes[] = "{}[]\",:\\u0-e \x80\xff\x01";
    test("prefixes and one-byte changes never crash");
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        struct arena arena;
        const struct json *root;
        char changed[sizeof text];
        CHECK(parse_len(span_of(text, n), &arena, &root, NULL) < 0);
        arena_free(&arena);
        for (size_t b = 0; b < sizeof bytes; b++) {
            memcpy(changed, text, sizeof text);
            changed[n] = bytes[b];
            (void)parse_len(span_of(changed, sizeof text - 1), &arena, &root, NULL);
            arena_free(&arena);
        }
    }
}

int main(void)
{
    table_accepted();
    table_refused();
    nul_bytes();
    numbers();
    tree_and_lookups();
    limits();
    faults_name_the_byte();
    many_names();
    mutations();
    return test_end();
}
