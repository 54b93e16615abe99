/* Zip archives: made by this test, and by Python where there is one; and what is wrong with them. */
#include "format/zip.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/limits.h"
#include "tests/test.h"

static void little_put(struct buf *out, uint64_t value, unsigned bytes)
{
    while (bytes--) {
        buf_byte(out, (uint8_t)value);
        value >>= 8;
    }
}

struct file {
    const char *name, *text;
    unsigned method, flags;
    bool zip64;
    uint32_t crc_off, size_off;
    struct span packed;
    uint64_t offset;
    uint8_t space[4096];
};

static void file_pack(struct file *f)
{
    z_stream z = {0};
    f->packed = span_str(f->text);
    if (f->method != 8)
        return;
    (void)deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (uint8_t *)(uintptr_t)f->text;
    z.avail_in = (unsigned)strlen(f->text);
    z.next_out = f->space;
    z.avail_out = sizeof f->space;
    (void)deflate(&z, Z_FINISH);
    f->packed = span_of(f->space, z.total_out);
    (void)deflateEnd(&z);
}

static uint32_t crc_of(const struct file *f)
{
    return (uint32_t)crc32(0, (const uint8_t *)f->text, (unsigned)strlen(f->text)) + f->crc_off;
}

static void local_put(struct buf *out, struct file *f)
{
    f->offset = out->len;
    little_put(out, 0x04034b50, 4);
    little_put(out, 20, 2);
    little_put(out, f->flags, 2);
    little_put(out, f->method, 2);
    little_put(out, 0, 4);
    little_put(out, crc_of(f), 4);
    little_put(out, f->packed.len, 4);
    little_put(out, strlen(f->text), 4);
    little_put(out, strlen(f->name), 2);
    little_put(out, 0, 2);
    buf_text(out, f->name);
    buf_span(out, f->packed);
}

static void entry_put(struct buf *out, const struct file *f)
{
    little_put(out, 0x02014b50, 4);
    little_put(out, 20, 2);
    little_put(out, 20, 2);
    little_put(out, f->flags, 2);
    little_put(out, f->method, 2);
    little_put(out, 0, 4);
    little_put(out, crc_of(f), 4);
    little_put(out, f->zip64 ? 0xffffffff : f->packed.len, 4);
    little_put(out, f->zip64 ? 0xffffffff : strlen(f->text) + f->size_off, 4);
    little_put(out, strlen(f->name), 2);
    little_put(out, f->zip64 ? 28 : 0, 2);
    little_put(out, 0, 2);
    little_put(out, 0, 8);
    little_put(out, f->zip64 ? 0xffffffff : f->offset, 4);
    buf_text(out, f->name);
    if (f->zip64) {
        little_put(out, 1, 2);
        little_put(out, 24, 2);
        little_put(out, strlen(f->text), 8);
        little_put(out, f->packed.len, 8);
        little_put(out, f->offset, 8);
    }
}

static void archive_make(struct buf *out, struct file *files, size_t count, bool zip64, const char *comment)
{
    for (size_t i = 0; i < count; i++) {
        file_pack(&files[i]);
        local_put(out, &files[i]);
    }
    uint64_t directory = out->len;
    for (size_t i = count; i--;)
        entry_put(out, &files[i]);
    uint64_t end = out->len, bytes = end - directory;
    if (zip64) {
        little_put(out, 0x06064b50, 4);
        little_put(out, 44, 8);
        little_put(out, 45, 2);
        little_put(out, 45, 2);
        little_put(out, 0, 8);
        little_put(out, count, 8);
        little_put(out, count, 8);
        little_put(out, bytes, 8);
        little_put(out, directory, 8);
        little_put(out, 0x07064b50, 4);
        little_put(out, 0, 4);
        little_put(out, end, 8);
        little_put(out, 1, 4);
    }
    little_put(out, 0x06054b50, 4);
    little_put(out, 0, 4);
    little_put(out, zip64 ? 0xffff : count, 2);
    little_put(out, zip64 ? 0xffff : count, 2);
    little_put(out, zip64 ? 0xffffffff : bytes, 4);
    little_put(out, zip64 ? 0xffffffff : directory, 4);
    little_put(out, strlen(comment), 2);
    buf_text(out, comment);
}

/* End, directory and each document; the first error, and how many documents came out right. */
static int archive_read(struct span bytes, const struct file *files, size_t count, struct listing *listing,
                        struct arena *arena, size_t *right)
{
    struct zip_end end;
    struct fault fault = {0};
    size_t tail = bytes.len < ZIP_TAIL_BYTES ? bytes.len : ZIP_TAIL_BYTES;
    *right = 0;
    int rc = zip_end_read(&end, span_from(bytes, bytes.len - tail), bytes.len, &fault);
    rc = rc ? rc
            : zip_directory_read(listing, span_of(bytes.data + end.offset, (size_t)end.bytes), end.entries, arena,
                                 &fault);
    for (size_t i = 0; rc == 0 && i < listing->count; i++) {
        const struct listed *item = &listing->items[i];
        struct buf out;
        buf_init(&out, DOCUMENT_BYTES_MAX);
        rc = item->offset > bytes.len ? E_SYNTAX
                                      : zip_document_read(&out, span_from(bytes, (size_t)item->offset), item, &fault);
        for (size_t k = 0; rc == 0 && k < count; k++)
            *right += span_is(item->url, files[k].name) && span_is(buf_view(&out), files[k].text);
        buf_free(&out);
    }
    CHECK(rc == fault.code || rc == E_SYNTAX);
    return rc;
}

static void test_good(void)
{
    for (int form = 0; form < 3; form++) {
        struct file files[] = {{.name = "a.json",
                                .text = "{\"id\":\"A-1\",\"more\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
                                .method = 8,
                                .zip64 = form == 1},
                               {.name = "README", .text = "no document"},
                               {.name = "2024/b.json", .text = "{}", .zip64 = form == 1},
                               {.name = "empty.json", .text = ""}};
        struct buf bytes;
        struct arena arena;
        struct listing listing = {0};
        size_t right;
        test(form == 0 ? "an archive" : form == 1 ? "an archive with zip64 fields" : "an archive with a comment");
        buf_init(&bytes, 1 << 20);
        arena_init(&arena, 1 << 20);
        archive_make(&bytes, files, 4, form == 1, form == 2 ? "PK\x05\x06 is no end here" : "");
        CHECK_INT(archive_read(buf_view(&bytes), files, 4, &listing, &arena, &right), 0);
        CHECK_INT(listing.count, 3);
        CHECK_INT(right, 3);
        CHECK_INT(listing.problem_count, 0);
        /* Cut anywhere, it is refused, or says less than it did. */
        for (size_t i = 0; i < bytes.len; i++)
            CHECK(archive_read(span_of(bytes.data, i), files, 4, &listing, &arena, &right) != 0 || right < 3);
        buf_free(&bytes);
        arena_free(&arena);
    }
}

static void test_refused(void)
{
    static char zeroes[3000];
    memset(zeroes, ' ', sizeof zeroes - 1);
    static const char much[] = "it would expand beyond measure";
    static const struct {
        const char *what;
        struct file file;
        int code;
        const char *problem; /* of the entry, which is passed over */
    } bad[] = {
        {"a wrong CRC is refused", {.name = "a.json", .text = "{}", .method = 8, .crc_off = 1}, E_HASH, NULL},
        {"a wrong size is refused", {.name = "a.json", .text = "{}", .method = 8, .size_off = 1}, E_HASH, NULL},
        {"... a smaller one too",
         {.name = "a.json", .text = "{   }", .method = 8, .size_off = (uint32_t)-1},
         E_HASH,
         NULL},
        {"an encrypted file is passed over", {.name = "a.json", .text = "{}", .flags = 1}, 0, "it is encrypted"},
        {"a method that is not known is passed over",
         {.name = "a.json", .text = "{}", .method = 12},
         0,
         "it is packed by a method that is not known here"},
        {"a stored file of two sizes is passed over",
         {.name = "a.json", .text = "{}", .size_off = 1},
         0,
         "its two sizes differ"},
        {"a bomb is passed over", {.name = "a.json", .text = zeroes, .method = 8, .size_off = 9000}, 0, much},
        {"a file beyond the limit is passed over",
         {.name = "a.json", .text = "{}", .method = 8, .size_off = DOCUMENT_BYTES_MAX},
         0,
         "it is too large"},
        {"a path from the root is passed over", {.name = "/a.json", .text = "{}"}, 0, "its name is no plain path"},
        {"a name of other bytes is passed over", {.name = "\xff.json", .text = "{}"}, 0, "its name is no plain path"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct file file = bad[i].file;
        struct buf bytes;
        struct arena arena;
        struct listing listing = {0};
        size_t right;
        test(bad[i].what);
        buf_init(&bytes, 1 << 20);
        arena_init(&arena, 1 << 20);
        archive_make(&bytes, &file, 1, false, "");
        CHECK_INT(archive_read(buf_view(&bytes), &file, 1, &listing, &arena, &right), bad[i].code);
        CHECK_INT(listing.problem_count, bad[i].problem != NULL);
        const char *colon = listing.problem.len ? strchr((const char *)listing.problem.data, ':') : NULL;
        CHECK(!bad[i].problem || (colon && strcmp(colon + 2, bad[i].problem) == 0));
        if (bad[i].problem && !(colon && strcmp(colon + 2, bad[i].problem) == 0))
            printf("# %s\n", colon ? colon : "none");
        buf_free(&bytes);
        arena_free(&arena);
    }
}

static void test_ends(void)
{
    struct file file = {.name = "a.json", .text = "{}"};
    struct buf bytes;
    struct zip_end end;
    struct listing listing;
    struct arena arena;
    test("ends that lie are refused");
    arena_init(&arena, 1 << 20);
    buf_init(&bytes, 1 << 20);
    archive_make(&bytes, &file, 1, false, "");
    uint8_t *e = bytes.data + bytes.len - 22;
    e[4] = 1;
    CHECK_INT(zip_end_read(&end, buf_view(&bytes), bytes.len, NULL), E_UNSUPPORTED);
    e[4] = 0;
    e[19] = 0x7f; /* an offset beyond the end */
    CHECK_INT(zip_end_read(&end, buf_view(&bytes), bytes.len, NULL), E_SYNTAX);
    e[19] = 0;
    e[10] = e[8] = 200; /* more files than the directory has room for */
    CHECK_INT(zip_end_read(&end, buf_view(&bytes), bytes.len, NULL), E_SYNTAX);
    CHECK_INT(zip_directory_read(&listing, span_of(bytes.data, 40), 1, &arena, NULL), E_TRUNCATED);
    CHECK_INT(zip_directory_read(&listing, span_of(bytes.data, bytes.len), 1, &arena, NULL), E_SYNTAX);
    e[10] = e[8] = 0xff;
    e[11] = e[9] = 0xff;
    CHECK_INT(zip_end_read(&end, buf_view(&bytes), bytes.len, NULL), E_SYNTAX); /* zip64, without its record */
    CHECK_INT(zip_end_read(&end, span_str("PK"), 2, NULL), E_SYNTAX);
    CHECK_INT(zip_end_read(&end, buf_view(&bytes), 3, NULL), E_SYNTAX);
    buf_free(&bytes);
    arena_free(&arena);
}

int main(void)
{
    test_good();
    test_refused();
    test_ends();
    return test_end();
}
