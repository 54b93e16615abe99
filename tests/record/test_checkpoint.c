#include "tests/test.h"

#include "base/text.h"
#include "record/checkpoint.h"

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define ORIGIN_127                                                                                                     \
    "a23456789a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789i123456789j123456789"    \
    "k123456789l1234567"

static void test_texts(void)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t size;
    } cases[] = {
        {"example.com/behind-the-sofa\n20852163\n" ROOT "\n", 0, 20852163}, /* c2sp tlog-checkpoint */
        {"a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", 0, 0},
        {"a b+c\n1\n" ROOT "\n", 0, 1}, /* the origin's form is only recommended */
        {"a\n9223372036854775807\n" ROOT "\n", 0, INT64_MAX},
        {"a\n1\n" ROOT "\nextension\nanother one\n", 0, 1},
        {ORIGIN_127 "\n1\n" ROOT "\n", 0, 1},
        {ORIGIN_127 "8\n1\n" ROOT "\n", E_LIMIT, 0},
        {"a\n9223372036854775808\n" ROOT "\n", E_CANONICAL, 0},
        {"a\n18446744073709551616\n" ROOT "\n", E_CANONICAL, 0},
        {"a\n01\n" ROOT "\n", E_CANONICAL, 0},
        {"a\n+1\n" ROOT "\n", E_CANONICAL, 0},
        {"a\n-1\n" ROOT "\n", E_CANONICAL, 0},
        {"a\n 1\n" ROOT "\n", E_CANONICAL, 0},
        {"a\n1 \n" ROOT "\n", E_CANONICAL, 0},
        {"a\n0x1\n" ROOT "\n", E_CANONICAL, 0},
        {"a\n\n" ROOT "\n", E_CANONICAL, 0},
        {"\n1\n" ROOT "\n", E_LIMIT, 0},
        {"a\n1\n\n", E_CANONICAL, 0},
        {"a\n1\n" ROOT, E_TRUNCATED, 0},
        {"a\n1\n", E_TRUNCATED, 0},
        {"a\n", E_TRUNCATED, 0},
        {"", E_TRUNCATED, 0},
        {"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", E_CANONICAL, 0}, /* trailing bits */
        {"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n", E_CANONICAL, 0},
        {"a\n1\nCsUYapGGPo4dkMgIAUqom_Xajj7h2fB2MPA3j2jxq2I=\n", E_CANONICAL, 0},
        {"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n", E_CANONICAL, 0},
        {"a\n1\n" ROOT " \n", E_CANONICAL, 0},
        {"a\n1\nCsUYapGGP\xd2\x91odkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", E_CANONICAL, 0}, /* not ASCII */
        {"a\n1\n" ROOT "\n\n", E_SYNTAX, 0},
        {"a\n1\n" ROOT "\nx\n\ny\n", E_SYNTAX, 0},
        {"a\n1\n" ROOT "\nx", E_TRUNCATED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct checkpoint c;
        struct fault fault = {0};
        int rc = checkpoint_parse_text(&c, span_str(cases[i].text), &fault);
        CHECK_INT(rc, cases[i].rc);
        if (rc == 0)
            CHECK(c.size == cases[i].size);
        if (rc != cases[i].rc)
            printf("# case %zu: %s\n", i, fault.detail);
    }
}

/* c2sp tlog-cosignature's example: a log's signature and a witness's cosignature. */
static void test_published(void)
{
    static struct note note;
    struct checkpoint c;
    static const char bytes[] =
        "example.com/behind-the-sofa\n20852163\n" ROOT "\n\n"
        "\xe2\x80\x94 example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "\xe2\x80\x94 witness.example.com/w1 "
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    CHECK_INT(checkpoint_parse(&c, &note, span_str(bytes), NULL), 0);
    CHECK(span_is(c.origin, "example.com/behind-the-sofa") && c.size == 20852163 && c.extensions.len == 0);
    CHECK_INT(note.count, 2);
    CHECK_INT(note.signatures[0].len, 64);
    CHECK_INT(note.signatures[1].len, 72);
    CHECK_INT(note.signatures[1].id, 0x8d66cf3f);
    CHECK_INT(checkpoint_parse(&c, &note, span_of(bytes, 40), NULL), E_SYNTAX);
}

static void test_write(void)
{
    struct checkpoint c;
    struct hash root, circle;
    struct buf out;
    char origin[ORIGIN_BYTES_MAX], longest[NAME_BYTES_MAX + 1];
    memset(&root, 0xa5, sizeof root);
    memset(&circle, 0x3c, sizeof circle);
    origin_write(origin, &circle, span_str("cert.example"));
    CHECK(strcmp(origin, "comity/3c3c3c3c3c3c3c3c/cert.example") == 0);
    buf_init(&out, 1000);
    checkpoint_write_text(&out, span_str(origin), INT64_MAX, &root);
    CHECK_INT(checkpoint_parse_text(&c, buf_view(&out), NULL), 0);
    CHECK(span_is(c.origin, origin) && c.size == INT64_MAX && hash_eq(&c.root, &root) && c.extensions.len == 0);
    memset(longest, 'a', NAME_BYTES_MAX);
    longest[NAME_BYTES_MAX] = 0;
    origin_write(origin, &circle, span_str(longest));
    CHECK_INT(strlen(origin), 7 + 16 + 1 + NAME_BYTES_MAX);
    buf_free(&out);
}

int main(void)
{
    test("accepted and refused texts");
    test_texts();
    test("the published example");
    test_published();
    test("written and read again");
    test_write();
    return test_end();
}
