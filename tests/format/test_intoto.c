#include "format/intoto.h"
#include "tests/test.h"

#define H "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TYPE "\"_type\":\"https://in-toto.io/Statement/v1\""
#define FILE_A "{\"name\":\"a.tar.gz\",\"digest\":{\"sha256\":\"" H "\"}}"
#define OTHER ",\"predicateType\":\"https://example.org/x\""

static const struct {
    const char *what, *text;
    int code;
} rows[] = {
    {"another's predicate", "{" TYPE ",\"subject\":[" FILE_A "]" OTHER ",\"predicate\":{\"a\":1}}", 0},
    {"no predicate at all", "{" TYPE ",\"subject\":[" FILE_A "]" OTHER "}", 0},
    {"a digest of another kind beside",
     "{" TYPE ",\"subject\":[{\"name\":\"a\",\"digest\":{\"sha512\":\"00\",\"sha256\":\"" H "\"}}]" OTHER "}", 0},
    {"version 0.1", "{\"_type\":\"https://in-toto.io/Statement/v0.1\",\"subject\":[" FILE_A "]" OTHER "}",
     E_UNSUPPORTED},
    {"no type", "{\"subject\":[" FILE_A "]" OTHER "}", E_MISSING},
    {"no predicate type", "{" TYPE ",\"subject\":[" FILE_A "]}", E_MISSING},
    {"no file", "{" TYPE ",\"subject\":[]" OTHER "}", E_MISSING},
    {"no list of files", "{" TYPE OTHER "}", E_MISSING},
    {"a list that is none", "{" TYPE ",\"subject\":" FILE_A OTHER "}", E_TYPE},
    {"a file without a name", "{" TYPE ",\"subject\":[{\"digest\":{\"sha256\":\"" H "\"}}]" OTHER "}", E_MISSING},
    {"a file with an empty name", "{" TYPE ",\"subject\":[{\"name\":\"\",\"digest\":{\"sha256\":\"" H "\"}}]" OTHER "}",
     E_MISSING},
    {"a file without a digest", "{" TYPE ",\"subject\":[{\"name\":\"a\"}]" OTHER "}", E_MISSING},
    {"a file with another digest only",
     "{" TYPE ",\"subject\":[{\"name\":\"a\",\"digest\":{\"sha1\":\"00\"}}]" OTHER "}", E_MISSING},
    {"a short digest", "{" TYPE ",\"subject\":[{\"name\":\"a\",\"digest\":{\"sha256\":\"e3b0\"}}]" OTHER "}", E_SYNTAX},
    {"a file twice", "{" TYPE ",\"subject\":[" FILE_A "," FILE_A "]" OTHER "}", E_DUPLICATE},
    {"a member twice", "{" TYPE "," TYPE ",\"subject\":[" FILE_A "]" OTHER "}", E_DUPLICATE},
    {"no object", "[]", E_MISSING},
    {"bytes that follow", "{" TYPE ",\"subject\":[" FILE_A "]" OTHER "}x", E_TRAILING},
};

static void refused(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena;
        struct release release;
        struct fault fault = {0};
        test(rows[i].what);
        arena_init(&arena, 1 << 20);
        CHECK_INT(release_parse(&release, span_str(rows[i].text), &arena, &fault), rows[i].code);
        if (rows[i].code == 0)
            CHECK(release.count == 1 && !release.version.len && !release.source.len);
        arena_free(&arena);
    }
}

static void round_trip(void)
{
    struct release_file files[2] = {{.name = span_str("a \"b\".deb")}, {.name = span_str("c.tar.gz")}};
    struct release release = {.name = span_str("comity"),
                              .version = span_str("0.1.0"),
                              .source = span_str("https://example.org/comity"),
                              .commit = span_str("0123456789abcdef0123456789abcdef01234567"),
                              .builder = span_str("urn:x"),
                              .count = 2,
                              .files = files},
                   read;
    struct arena arena;
    struct buf out;
    memset(&files[1].sha256, 7, sizeof files[1].sha256);
    test("a release that was written is read as it was");
    arena_init(&arena, 1 << 20);
    buf_init(&out, 1 << 16);
    release_write(&out, &release);
    CHECK_INT(release_parse(&read, buf_view(&out), &arena, NULL), 0);
    CHECK(span_is(read.name, "comity") && span_is(read.version, "0.1.0") && span_is(read.builder, "urn:x"));
    CHECK(span_eq(read.source, release.source) && span_eq(read.commit, release.commit));
    CHECK_INT(read.count, 2);
    for (size_t i = 0; i < 2 && read.count == 2; i++)
        CHECK(span_eq(read.files[i].name, files[i].name) && hash_eq(&read.files[i].sha256, &files[i].sha256));
    test("without a source it names none");
    buf_reset(&out);
    release.source = span_of(NULL, 0);
    release_write(&out, &release);
    CHECK_INT(release_parse(&read, buf_view(&out), &arena, NULL), 0);
    CHECK(!read.source.len && !read.commit.len);
    buf_free(&out);
    arena_free(&arena);
}

int main(void)
{
    refused();
    round_trip();
    return test_end();
}
