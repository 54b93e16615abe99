#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "tests/test.h"

static void test_base64(void)
{
    static const char *const good[] = {"", "AA==", "AAA=", "AAAA", "+/+/"};
    static const char *const bad[] = {
        "A", "AA", "AAA", "AA=", "AB==", "AAB=", "AAAA=", "AA==\n", " AAAA", "AA-_", "\x80\x80\x80\x80", "AAA\xff"};
    uint8_t out[16];
    size_t n;
    test("base64 has one spelling for one value");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(base64_parse(span_str(good[i]), out, sizeof out, &n));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!base64_parse(span_str(bad[i]), out, sizeof out, &n));
}

static void test_decimal(void)
{
    static const char *const bad[] = {
        "", "00", "01", "-1", "+1", " 1", "1 ", "1a", "18446744073709551616", "99999999999999999999"};
    uint64_t value = 1;
    test("decimals have no leading zeroes and fit 64 bits");
    CHECK(decimal_parse(span_str("0"), &value) && value == 0);
    CHECK(decimal_parse(span_str("18446744073709551615"), &value) && value == UINT64_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!decimal_parse(span_str(bad[i]), &value));
}

static void test_cut(void)
{
    static const char text[] = "a\xc3\xa9\xf0\x9f\x9a\xa2"; /* 1, 2 and 4 bytes */
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 3, 7, 7};
    test("text is cut between letters");
    for (size_t max = 0; max < sizeof want / sizeof want[0]; max++)
        CHECK_INT(text_cut(span_str(text), max).len, want[max]);
    CHECK(text_cut(span_of("\x80\x80\x80", 3), 2).len == 0);
}

static void test_utf8(void)
{
    static const char *const bad[] = {
        "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
        "\xf5", "\xe2\x80", "a\xff"};
    test("UTF-8 is RFC 3629: nothing overlong, no surrogates, nothing cut");
    CHECK(utf8_valid(span_str("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa2")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!utf8_valid(span_str(bad[i])));
}

static void test_show(void)
{
    struct buf out;
    test("bidirectional and control characters are made visible");
    buf_init(&out, 256);
    text_show(&out, span_str("a\x1b[2J\xe2\x80\xae"
                             "b\xff\n"));
    CHECK(span_is(buf_view(&out), "a<U+001B>[2J<U+202E>b<0xff> "));
    buf_reset(&out);
    buf_json(&out, span_str("q\"\\\x01\xff"));
    CHECK(span_is(buf_view(&out), "\"q\\\"\\\\\\u0001\xef\xbf\xbd\""));
    buf_free(&out);
}

static void test_time(void)
{
    static const char *const bad[] = {
        "2026-11-25",          "2026-13-01T00:00:00Z",  "2026-02-29T00:00:00Z",     "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+0100", "2026-01-01 00:00:00Z"};
    char text[21];
    int64_t t = 0;
    test("times are RFC 3339 and shown in UTC");
    CHECK(time_parse(span_str("1970-01-01T00:00:00Z"), &t) && t == 0);
    CHECK(time_parse(span_str("2024-02-29T12:00:00.5+01:30"), &t) && t == 1709202600);
    time_format(-31556905201, text);
    CHECK(strcmp(text, "0970-01-01T00:59:59Z") == 0); /* years of three digits have a zero before them */
    time_format(1709202600, text);
    CHECK(strcmp(text, "2024-02-29T10:30:00Z") == 0);
    CHECK(time_parse(span_str("2016-12-31T23:59:60Z"), &t) && t == 1483228799);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!time_parse(span_str(bad[i]), &t));
}

static void test_names(void)
{
    static const char *const good[] = {"a", "csirt.northland", "a-b.c9", "9"};
    static const char *const bad[] = {"",     ".", "a.",  ".a",  "a..b", "-a",      "a-",
                                      "a.-b", "A", "a_b", "a/b", "a b",  "\xc3\xa9"};
    test("party names are DNS-like labels");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(name_valid(span_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!name_valid(span_str(bad[i])));
}

static void test_memory(void)
{
    struct arena arena;
    struct buf buf;
    test("arenas and buffers keep to their caps");
    arena_init(&arena, 1000);
    CHECK(arena_alloc(&arena, 500) != NULL);
    CHECK(arena_alloc(&arena, 600) == NULL);
    CHECK(arena_array(&arena, SIZE_MAX, 8) == NULL);
    arena_free(&arena);
    buf_init(&buf, 4);
    buf_text(&buf, "abcd");
    buf_text(&buf, "e");
    CHECK_INT(buf.error, E_LIMIT);
    buf_text(&buf, "");
    CHECK_INT(buf.len, 4);
    buf_free(&buf);
}

static void test_errors(void)
{
    struct fault fault = {0};
    test("every error has its text, and faults keep their places");
    for (int code = E_NOMEM; code <= E_STATE; code++)
        CHECK(strcmp(error_text(code)->id, "unknown") != 0);
    CHECK(strcmp(error_text(0)->id, "unknown") == 0);
    CHECK(strcmp(error_text(-5000)->id, "unknown") == 0);
    (void)fail(&fault, E_TYPE, "field %d", 3);
    CHECK_INT(fail_at(&fault, E_TYPE, "inner"), E_TYPE);
    (void)fail_at(&fault, E_TYPE, "outer");
    CHECK(strcmp(fault.where, "outer: inner") == 0);
}

static void test_fault_json(void)
{
    struct fault fault = {.where = "a\"b", .detail = "line\nline"};
    struct buf out;
    buf_init(&out, 1024);
    test("an error as JSON has the same members, known particulars or not");
    for (int known = 0; known < 2; known++) {
        char want[512];
        (void)snprintf(want, sizeof want,
                       "{\"error\":{\"id\":\"locked\",\"message\":\"another process uses this data\","
                       "\"rule\":\"one node, one data folder\",\"remedy\":\"stop the other process first\","
                       "\"where\":\"%s\",\"detail\":\"%s\",\"code\":%d}}\n",
                       known ? "a\\\"b" : "", known ? "line\\nline" : "", E_LOCKED);
        buf_reset(&out);
        fault_json(&out, known ? &fault : NULL, E_LOCKED);
        CHECK(span_is(buf_view(&out), want));
    }
    buf_free(&out);
}

int main(void)
{
    test_base64();
    test_decimal();
    test_utf8();
    test_cut();
    test_show();
    test_time();
    test_names();
    test_memory();
    test_errors();
    test_fault_json();
    return test_end();
}
