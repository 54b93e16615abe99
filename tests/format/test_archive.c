/* Archives, made here by libarchive's writer, or by hand where no writer would make them. */
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "format/archive.h"
#include "tests/test.h"

enum { ROOM = 4 << 20, DOCUMENT_MAX = 100000 };

struct file {
    const char *path, *text;
};
static const struct file good[] = {
    {"a.json", "{\"id\":1}"}, {"deep/b.json", "{}"}, {"README", "none"}, {"z\xc3\xa4.json", "[]"}};

struct make {
    int (*format)(struct archive *), (*filter)(struct archive *);
    const char *name;
};
static int no_filter(struct archive *a)
{
    return archive_write_add_filter_none(a);
}
static int stored_zip(struct archive *a)
{
    (void)archive_write_set_format_zip(a);
    return archive_write_set_format_option(a, "zip", "compression", "store");
}
static const struct make makes[] = {
    {archive_write_set_format_zip, no_filter, "zip"},
    {archive_write_set_format_ustar, no_filter, "tar"},
    {archive_write_set_format_pax_restricted, archive_write_add_filter_gzip, "tar.gz"},
    {archive_write_set_format_gnutar, archive_write_add_filter_zstd, "tar.zst"},
    {archive_write_set_format_ustar, archive_write_add_filter_xz, "tar.xz"},
};

static uint8_t room[ROOM];

static void put(struct archive *a, const char *path, const void *bytes, size_t len, unsigned type, const char *link)
{
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname_utf8(e, path);
    archive_entry_set_filetype(e, type);
    archive_entry_set_size(e, (la_int64_t)len);
    archive_entry_set_perm(e, 0644);
    if (link)
        archive_entry_set_symlink(e, link);
    CHECK(archive_write_header(a, e) >= ARCHIVE_WARN);
    if (len)
        CHECK_INT(archive_write_data(a, bytes, len), len);
    archive_entry_free(e);
}

static struct archive *start(const struct make *make, size_t *used)
{
    struct archive *a = archive_write_new();
    CHECK(make->format(a) == ARCHIVE_OK && make->filter(a) == ARCHIVE_OK);
    (void)archive_write_set_bytes_in_last_block(a, 1);
    CHECK(archive_write_open_memory(a, room, sizeof room, used) == ARCHIVE_OK);
    return a;
}

static struct span finish(struct archive *a, const size_t *used)
{
    CHECK(archive_write_close(a) == ARCHIVE_OK);
    archive_write_free(a);
    return span_of(room, *used);
}

static struct span make_files(const struct make *make, const struct file *files, size_t count)
{
    size_t used = 0;
    struct archive *a = start(make, &used);
    for (size_t i = 0; i < count; i++)
        put(a, files[i].path, files[i].text, strlen(files[i].text), AE_IFREG, NULL);
    return finish(a, &used);
}

/* What a visit saw, as lines: "path=bytes" or "path!problem". */
struct seen {
    struct buf text;
    struct archive_counts counts;
    struct fault fault;
    int stop;
};

static bool wants_json(void *ctx, struct span path)
{
    (void)ctx;
    return path.len > 5 && memcmp(path.data + path.len - 5, ".json", 5) == 0;
}

static int take(void *ctx, const struct archive_member *m)
{
    struct seen *seen = ctx;
    buf_span(&seen->text, m->path);
    buf_byte(&seen->text, m->problem ? '!' : '=');
    if (m->problem)
        buf_text(&seen->text, m->problem);
    else if (m->bytes.len > 100)
        buf_printf(&seen->text, "%zu bytes", m->bytes.len);
    else
        buf_span(&seen->text, m->bytes);
    buf_byte(&seen->text, '\n');
    return seen->stop;
}

static int visit(struct seen *seen, struct span bytes, bool piped)
{
    struct span_source memory = {.bytes = bytes};
    struct archive_source source = archive_of_span(&memory);
    const struct archive_visitor visitor = {.wanted = wants_json, .take = take, .ctx = seen, .bytes_max = DOCUMENT_MAX};
    if (piped)
        source.seek = NULL;
    buf_free(&seen->text);
    buf_init(&seen->text, 1 << 20);
    seen->fault = (struct fault){0};
    return archive_members(&source, &visitor, &seen->counts, &seen->fault);
}

static bool saw(const struct seen *seen, const char *want)
{
    bool same = span_is(buf_view(&seen->text), want);
    if (!same)
        printf("# saw %.*s\n# want %s\n", (int)seen->text.len, seen->text.len ? (const char *)seen->text.data : "",
               want);
    return same;
}

static const char good_seen[] = "a.json={\"id\":1}\ndeep/b.json={}\nz\xc3\xa4.json=[]\n";

static void formats(struct seen *seen)
{
    for (size_t i = 0; i < sizeof makes / sizeof makes[0]; i++) {
        struct span bytes = make_files(&makes[i], good, sizeof good / sizeof good[0]);
        test(makes[i].name);
        CHECK(archive_begins(bytes));
        for (int piped = 0; piped < 2; piped++) {
            CHECK_INT(visit(seen, bytes, piped), 0);
            CHECK(saw(seen, good_seen));
            CHECK_INT(seen->counts.members, 4);
            CHECK_INT(seen->counts.taken, 3);
            CHECK_INT(seen->counts.problems, 0);
        }
        CHECK_INT(visit(seen, span_of(bytes.data, bytes.len / 3), true) != 0 || seen->counts.members < 4, 1);
    }
    for (size_t i = 2; i < sizeof makes / sizeof makes[0]; i++) {
        struct make one = {archive_write_set_format_raw, makes[i].filter, ""};
        test("one compressed file");
        CHECK_INT(visit(seen, make_files(&one, good, 1), i % 2), 0);
        CHECK(saw(seen, "data={\"id\":1}\n"));
    }
}

static void names(struct seen *seen)
{
    static const struct file bad[] = {{"/etc/x.json", "1"},   {"a/../../x.json", "1"},   {"..", "1"},
                                      {"a\\..\\x.json", "1"}, {"C:x.json", "1"},         {"inner.zip", "1"},
                                      {"b.TAR.gz", "1"},      {"line\nbreak.json", "1"}, {"..a/b..json", "2"}};
    static const char want[] = "/etc/x.json!its name is an absolute path\n"
                               "a/../../x.json!its name climbs out of the archive by \"..\"\n"
                               "..!its name climbs out of the archive by \"..\"\n"
                               "a\\..\\x.json!its name climbs out of the archive by \"..\"\n"
                               "C:x.json!its name is an absolute path\n"
                               "inner.zip!an archive in an archive is not opened\n"
                               "b.TAR.gz!an archive in an archive is not opened\n"
                               "line\nbreak.json!its name is no line of UTF-8\n"
                               "..a/b..json=2\n";
    for (int i = 1; i < 3; i++) {
        test(i == 1 ? "names that mean harm" : "names that mean harm, compressed");
        CHECK_INT(visit(seen, make_files(&makes[i], bad, sizeof bad / sizeof bad[0]), false), 0);
        CHECK(saw(seen, want));
        CHECK_INT(seen->counts.problems, 8);
    }
    size_t used = 0;
    char path[ARCHIVE_PATH_MAX + 100];
    struct archive *a = start(&makes[2], &used);
    memset(path, 'p', sizeof path);
    memcpy(path + sizeof path - 6, ".json", 6);
    put(a, path, "1", 1, AE_IFREG, NULL);
    put(a, "link.json", NULL, 0, AE_IFLNK, "/etc/passwd");
    put(a, "folder.json", NULL, 0, AE_IFDIR, NULL);
    put(a, "pipe.json", NULL, 0, AE_IFIFO, NULL);
    put(a, "last.json", "9", 1, AE_IFREG, NULL);
    test("a name that is too long; links, folders and pipes are no files");
    CHECK_INT(visit(seen, finish(a, &used), true), 0);
    CHECK(seen->text.len > ARCHIVE_PATH_MAX &&
          strstr((const char *)seen->text.data, "!its name is too long\nlast.json=9\n"));
    CHECK_INT(seen->counts.problems, 1);
}

static void sizes(struct seen *seen)
{
    static const size_t lengths[] = {DOCUMENT_MAX, DOCUMENT_MAX + 1};
    char *text = malloc(DOCUMENT_MAX + 1);
    if (!text)
        return;
    for (size_t i = 0; i < DOCUMENT_MAX + 1; i++)
        text[i] = (char)('a' + i * i % 23);
    for (size_t m = 0; m < sizeof makes / sizeof makes[0]; m++) {
        size_t used = 0;
        struct archive *a = start(&makes[m], &used);
        for (size_t i = 0; i < 2; i++)
            put(a, i ? "over.json" : "just.json", text, lengths[i], AE_IFREG, NULL);
        put(a, "after.json", "3", 1, AE_IFREG, NULL);
        test("the largest member, and one byte more");
        CHECK_INT(visit(seen, finish(a, &used), m % 2), 0);
        CHECK(saw(seen, "just.json=100000 bytes\nover.json!it is larger than one document may be\nafter.json=3\n"));
    }
    free(text);
}

/* Zeroes: in each format a few kB become more than ARCHIVE_RATIO_FREE. */
static void bombs(struct seen *seen)
{
    static const uint8_t zeroes[1 << 16];
    for (size_t m = 0; m < sizeof makes / sizeof makes[0]; m++) {
        size_t used = 0, pieces = ARCHIVE_RATIO_FREE / sizeof zeroes * 4;
        if (m == 1)
            continue; /* nothing is smaller in a plain tar */
        for (int wanted = 0; wanted < 2; wanted++) {
            struct archive *a = start(&makes[m], &used);
            struct archive_entry *e = archive_entry_new();
            archive_entry_set_pathname(e, wanted ? "bomb.json" : "bomb.bin");
            archive_entry_set_filetype(e, AE_IFREG);
            archive_entry_set_size(e, (la_int64_t)(pieces * sizeof zeroes));
            CHECK(archive_write_header(a, e) == ARCHIVE_OK);
            for (size_t i = 0; i < pieces; i++)
                (void)archive_write_data(a, zeroes, sizeof zeroes);
            archive_entry_free(e);
            struct span bytes = finish(a, &used);
            test(wanted ? "a bomb" : "a bomb that nobody wants");
            bool free_of_charge = m == 0 && !wanted; /* a zip is passed over without unpacking */
            CHECK_INT(visit(seen, bytes, false), free_of_charge ? 0 : E_LIMIT);
            CHECK(seen->counts.unpacked < 2 * ARCHIVE_RATIO_FREE);
        }
    }
}

static void damage(struct seen *seen)
{
    static const char *const nothing[] = {"", "{\"id\":1}", "PK", "\x1f\x8b"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        test("what is no archive");
        CHECK_INT(visit(seen, span_str(nothing[i]), i % 2), E_UNSUPPORTED);
        CHECK_INT(seen->text.len, 0);
        CHECK(seen->fault.code == E_UNSUPPORTED);
    }
    struct make twice = {archive_write_set_format_raw, archive_write_add_filter_gzip, ""};
    struct span once = make_files(&twice, good, 1);
    uint8_t inner[512];
    size_t used = 0, len = once.len;
    CHECK(len < sizeof inner);
    memcpy(inner, once.data, len);
    struct archive *a = start(&twice, &used);
    put(a, "x", inner, len, AE_IFREG, NULL);
    test("what is compressed twice");
    CHECK_INT(visit(seen, finish(a, &used), false), E_UNSUPPORTED);
    const struct make stored = {stored_zip, no_filter, ""};
    a = start(&stored, &used);
    for (size_t i = 0; i < 3; i++)
        put(a, good[i % 2].path, good[i].text, strlen(good[i].text), AE_IFREG, NULL);
    struct span zip = finish(a, &used);
    uint8_t *byte = memmem(room, zip.len, good[0].text, strlen(good[0].text));
    test("a member of a zip that fails its checksum");
    CHECK(byte != NULL);
    if (byte)
        byte[6] ^= 1;
    CHECK_INT(visit(seen, zip, false), 0);
    CHECK(seen->counts.problems == 1 && seen->counts.taken == 2);
    struct span tar = make_files(&makes[1], good, sizeof good / sizeof good[0]);
    room[512 + 512 + 3] ^= 0x55; /* the name of the second member: its header's checksum does not hold */
    test("a tar that is damaged behind its first member");
    CHECK_INT(visit(seen, tar, true), E_SYNTAX);
    CHECK(saw(seen, "a.json={\"id\":1}\n"));
    test("a visit that stops");
    seen->stop = -7;
    CHECK_INT(visit(seen, make_files(&makes[3], good, 4), true), -7);
    CHECK_INT(seen->counts.taken, 1);
    seen->stop = 0;
}

static ssize_t broken_read(void *ctx, uint8_t *to, size_t size)
{
    struct span_source *s = ctx;
    size_t n = s->bytes.len - s->at;
    if (!n)
        return -1;
    n = n < size ? n : size;
    memcpy(to, s->bytes.data + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static void source_fails(struct seen *seen)
{
    const struct archive_visitor visitor = {.take = take, .ctx = seen, .bytes_max = DOCUMENT_MAX};
    struct span tar = make_files(&makes[1], good, sizeof good / sizeof good[0]);
    struct span_source memory = {.bytes = span_of(tar.data, 1024)};
    const struct archive_source source = {.read = broken_read, .ctx = &memory};
    test("a source that fails is no damage");
    CHECK_INT(archive_members(&source, &visitor, NULL, &seen->fault), E_IO);
}

int main(void)
{
    struct seen seen = {0};
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* for the writer */
    archive_prepare();
    formats(&seen);
    names(&seen);
    sizes(&seen);
    bombs(&seen);
    damage(&seen);
    source_fails(&seen);
    test("names of archives");
    CHECK(archive_named(span_str("x.zip")) && archive_named(span_str("A.TGZ")) && !archive_named(span_str(".zip")) &&
          !archive_named(span_str("zip.json")));
    buf_free(&seen.text);
    return test_end();
}
