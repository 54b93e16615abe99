#include <ctype.h>

#include "common.h"

static const char *const letters = "abcdefghijkmnpqrstuvwxyz23456789";

static void test_words(const uint8_t seed[static 32])
{
    struct buf words;
    uint8_t got[32];
    char text[128];
    buf_init(&words, 256);
    recovery_words(seed, &words);
    test("words come back, in capitals and with dashes too");
    CHECK_INT(words.len, 14 * 5 - 1);
    CHECK_INT(recovery_parse(buf_view(&words), got, NULL), 0);
    CHECK(memcmp(got, seed, 32) == 0);
    for (size_t i = 0; i < words.len; i++)
        text[i] = words.data[i] == ' ' ? '-' : (char)toupper(words.data[i]);
    CHECK_INT(recovery_parse(span_of(text, words.len), got, NULL), 0);
    CHECK(memcmp(got, seed, 32) == 0);
    test("words with one changed letter, one too few or too many, or a strange one are refused");
    for (size_t i = 0; i < words.len; i++)
        for (const char *l = letters; *l && words.data[i] != ' '; l++) {
            memcpy(text, words.data, words.len);
            if (text[i] == *l)
                continue;
            text[i] = *l;
            CHECK_INT(recovery_parse(span_of(text, words.len), got, NULL), E_HASH);
        }
    memcpy(text, words.data, words.len);
    text[words.len] = 'a';
    CHECK_INT(recovery_parse(span_of(text, words.len - 1), got, NULL), E_TRUNCATED);
    CHECK_INT(recovery_parse(span_of(text, words.len + 1), got, NULL), E_SYNTAX);
    CHECK_INT(recovery_parse(span_str(""), got, NULL), E_TRUNCATED);
    text[0] = 'l';
    CHECK_INT(recovery_parse(span_of(text, words.len), got, NULL), E_SYNTAX);
    text[0] = 0;
    CHECK_INT(recovery_parse(span_of(text, words.len), got, NULL), E_SYNTAX);
    buf_free(&words);
}

static void lines_of(const struct buf *sheets, struct span *out)
{
    struct span rest = buf_view(sheets);
    while (span_line(&rest, out))
        out++;
}

static void test_sheets(const uint8_t seed[static 32])
{
    struct buf first, second;
    struct span a[5], b[5], mixed[5];
    uint8_t got[32], zero[32] = {0};
    char text[128];
    buf_init(&first, 1024);
    buf_init(&second, 1024);
    test("3 of 5 sheets in all combinations and orders give the seed back");
    CHECK_INT(recovery_split(seed, 3, 5, &first, NULL), 0);
    CHECK_INT(recovery_split(seed, 3, 5, &second, NULL), 0);
    lines_of(&first, a);
    lines_of(&second, b);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            for (int k = 0; k < 5; k++) {
                const struct span three[] = {a[i], a[j], a[k]};
                bool twice = i == j || j == k || i == k;
                CHECK_INT(recovery_join(three, 3, got, NULL), twice ? E_DUPLICATE : 0);
                CHECK(memcmp(got, twice ? zero : seed, 32) == 0);
            }
    CHECK_INT(recovery_join(a, 5, got, NULL), 0);
    CHECK(memcmp(got, seed, 32) == 0);
    test("two sheets, none, sheets of two sets, or a changed letter are refused");
    CHECK_INT(recovery_join(a, 2, got, NULL), E_MISSING);
    CHECK_INT(recovery_join(a, 0, got, NULL), E_LIMIT);
    memcpy(mixed, a, sizeof mixed);
    mixed[2] = b[2];
    CHECK_INT(recovery_join(mixed, 3, got, NULL), E_HASH);
    for (size_t i = 0; i < a[2].len; i++) {
        memcpy(text, a[2].data, a[2].len);
        if (text[i] == ' ')
            continue;
        text[i] = text[i] == 'a' ? 'b' : 'a';
        mixed[2] = span_of(text, a[2].len);
        CHECK_INT(recovery_join(mixed, 3, got, NULL), E_HASH);
    }
    buf_free(&first);
    buf_free(&second);
}

static void test_shapes(const uint8_t seed[static 32])
{
    static const struct {
        unsigned need, count;
        int want;
    } rows[] = {{2, 2, 0},       {2, 15, 0},      {15, 15, 0},     {1, 3, E_USAGE},
                {0, 0, E_USAGE}, {4, 3, E_USAGE}, {2, 16, E_USAGE}};
    test("sets from 2 of 2 to 15 of 15");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf sheets;
        struct span lines[15];
        uint8_t got[32];
        buf_init(&sheets, 4096);
        CHECK_INT(recovery_split(seed, rows[i].need, rows[i].count, &sheets, NULL), rows[i].want);
        if (rows[i].want == 0) {
            lines_of(&sheets, lines);
            CHECK_INT(recovery_join(lines + rows[i].count - rows[i].need, rows[i].need, got, NULL), 0);
            CHECK(memcmp(got, seed, 32) == 0);
            CHECK_INT(recovery_join(lines, rows[i].need - 1, got, NULL), E_MISSING);
        }
        buf_free(&sheets);
    }
}

int main(void)
{
    struct hash seed = {{0}};
    if (crypto_start() != 0)
        return 1;
    for (int round = 0; round < 3; round++) {
        test_words(seed.b);
        test_sheets(seed.b);
        sha256(span_hash(&seed), &seed);
    }
    test_shapes(seed.b);
    return test_end();
}
