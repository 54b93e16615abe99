#include "format/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <iconv.h>
#include <locale.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

enum { PIECE_BYTES = 65536, FILTERS_MAX = 2 /* one compression, and none at all below it */ };

struct reader {
    struct archive *archive;
    const struct archive_source *source;
    const struct archive_visitor *visitor;
    struct archive_counts *counts;
    struct fault *fault;
    struct buf bytes;
    uint64_t at; /* in the source */
    bool source_failed;
    uint8_t piece[PIECE_BYTES];
};

/* Sources */

static ssize_t span_read(void *ctx, uint8_t *to, size_t size)
{
    struct span_source *s = ctx;
    size_t left = s->bytes.len - s->at, n = size < left ? size : left;
    if (n)
        memcpy(to, s->bytes.data + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static int64_t span_seek(void *ctx, int64_t offset, int whence)
{
    struct span_source *s = ctx;
    int64_t len = (int64_t)s->bytes.len;
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)s->at : len;
    if (offset < -base || offset > len - base)
        return -1;
    s->at = (size_t)(base + offset);
    return base + offset;
}

struct archive_source archive_of_span(struct span_source *bytes)
{
    return (struct archive_source){.read = span_read, .seek = span_seek, .ctx = bytes};
}

static la_ssize_t on_read(struct archive *archive, void *ctx, const void **out)
{
    struct reader *r = ctx;
    ssize_t n = r->source->read(r->source->ctx, r->piece, sizeof r->piece);
    *out = r->piece;
    if (n < 0) {
        r->source_failed = true;
        archive_set_error(archive, errno, "its bytes cannot be read");
        return ARCHIVE_FATAL;
    }
    r->at += (uint64_t)n;
    r->counts->packed = r->at > r->counts->packed ? r->at : r->counts->packed;
    return n;
}

static la_int64_t on_seek(struct archive *archive, void *ctx, la_int64_t offset, int whence)
{
    struct reader *r = ctx;
    int64_t at = r->source->seek(r->source->ctx, offset, whence);
    (void)archive;
    r->at = at < 0 ? r->at : (uint64_t)at;
    return at < 0 ? ARCHIVE_FATAL : at;
}

/* Errors */

/* What libarchive says may hold bytes of the archive. `code` when neither the source nor memory is to blame. */
static int failed(struct reader *r, int code, const char *what)
{
    const char *text = archive_error_string(r->archive);
    struct buf shown;
    if (r->source_failed)
        return fail(r->fault, E_IO, "%s", what);
    if (archive_errno(r->archive) == ENOMEM) {
        memory_exhausted();
        return fail(r->fault, E_NOMEM, "%s", what);
    }
    buf_init(&shown, 4096);
    text_show(&shown, text_cut(span_str(text ? text : ""), 160));
    (void)fail(r->fault, code, "%s: %.*s", what, (int)shown.len, shown.len ? (const char *)shown.data : "");
    buf_free(&shown);
    return code;
}

static int damaged(struct reader *r)
{
    return failed(r, E_SYNTAX, "the archive is damaged");
}

/* A bomb is known by what comes out of what went in. */
static int unpacked_add(struct reader *r, size_t bytes)
{
    struct archive_counts *c = r->counts;
    c->unpacked += bytes;
    if (c->unpacked >> 20 >= ARCHIVE_MIB_MAX)
        return fail(r->fault, E_LIMIT, "more than %d MiB come out of the archive", ARCHIVE_MIB_MAX);
    if (c->unpacked > ARCHIVE_RATIO_FREE && c->unpacked / ARCHIVE_RATIO_MAX > c->packed)
        return fail(r->fault, E_LIMIT, "more than %d times its bytes come out of the archive", ARCHIVE_RATIO_MAX);
    return 0;
}

/* Members */

static bool is_slash(uint8_t c)
{
    return c == '/' || c == '\\';
}

static bool climbs(struct span path)
{
    while (path.len) {
        size_t n = 0;
        while (n < path.len && !is_slash(path.data[n]))
            n++;
        if (n == 2 && memcmp(path.data, "..", 2) == 0)
            return true;
        path = span_from(path, n + 1);
    }
    return false;
}

/* Nothing is written under these names; but who makes such ones means harm, and people are shown them. */
static const char *path_problem(struct span path)
{
    if (path.len == 0)
        return "it has no name, or one that cannot be read";
    if (path.len > ARCHIVE_PATH_MAX)
        return "its name is too long";
    if (!text_is_line(path))
        return "its name is no line of UTF-8";
    if (is_slash(path.data[0]) || (path.len > 1 && path.data[1] == ':'))
        return "its name is an absolute path";
    if (climbs(path))
        return "its name climbs out of the archive by \"..\"";
    return archive_named(path) ? "an archive in an archive is not opened" : NULL;
}

static int tell(struct reader *r, struct span path, const char *problem)
{
    const struct archive_member member = {.path = path, .problem = problem};
    r->counts->problems++;
    return r->visitor->take(r->visitor->ctx, &member);
}

/* All of the member's bytes, or with `problem` why not; what is over the limit is read to its end, for the next one stands behind it. */
static int bytes_read(struct reader *r, bool keep, const char **problem)
{
    for (;;) {
        const void *piece;
        size_t size;
        la_int64_t offset;
        int got = archive_read_data_block(r->archive, &piece, &size, &offset);
        if (got == ARCHIVE_EOF)
            return 0;
        if (got == ARCHIVE_FATAL || got == ARCHIVE_RETRY)
            return damaged(r);
        if (got == ARCHIVE_FAILED || got == ARCHIVE_WARN) {
            *problem = "it is damaged, encrypted, or packed by an unknown method";
            return 0;
        }
        int rc = unpacked_add(r, size);
        if (rc)
            return rc;
        if (!keep || *problem)
            continue;
        if (offset < 0 || (uint64_t)offset != r->bytes.len)
            *problem = "it is a file with holes";
        else
            buf_add(&r->bytes, piece, size);
        if (r->bytes.error == E_NOMEM)
            return fail(r->fault, E_NOMEM, "a member of the archive");
        if (r->bytes.error)
            *problem = "it is larger than one document may be";
    }
}

static int member_take(struct reader *r, struct span path)
{
    const char *problem = NULL;
    buf_reset(&r->bytes);
    int rc = bytes_read(r, true, &problem);
    if (rc == 0 && problem)
        return tell(r, path, problem);
    const struct archive_member member = {.path = path, .bytes = buf_view(&r->bytes)};
    r->counts->taken += rc == 0;
    return rc ? rc : r->visitor->take(r->visitor->ctx, &member);
}

/* In a plain archive what is passed over is not even read; in a compressed one it must be unpacked, and counts. */
static int member_pass(struct reader *r)
{
    const char *ignored = NULL;
    if (archive_filter_count(r->archive) > 1)
        return bytes_read(r, false, &ignored);
    return archive_read_data_skip(r->archive) == ARCHIVE_FATAL ? damaged(r) : 0;
}

static int member_visit(struct reader *r, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    struct span path = span_str(name ? name : "");
    bool named = archive_format(r->archive) != ARCHIVE_FORMAT_RAW; /* else it is what the whole archive is */
    if (++r->counts->members > ARCHIVE_MEMBERS_MAX)
        return fail(r->fault, E_LIMIT, "an archive has at most %d members", ARCHIVE_MEMBERS_MAX);
    bool file = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
    if (!file)
        return member_pass(r);
    const char *problem = path_problem(path);
    if (problem) {
        int rc = tell(r, text_cut(path, ARCHIVE_PATH_MAX), problem);
        return rc ? rc : member_pass(r);
    }
    bool wanted = !named || !r->visitor->wanted || r->visitor->wanted(r->visitor->ctx, path);
    return wanted ? member_take(r, path) : member_pass(r);
}

/* What is in no archive at all would be read as one file: only compressed ones are meant. */
static int form_check(struct reader *r)
{
    if (archive_filter_count(r->archive) > FILTERS_MAX)
        return fail(r->fault, E_UNSUPPORTED, "it is compressed more than once");
    if (archive_format(r->archive) == ARCHIVE_FORMAT_RAW && archive_filter_count(r->archive) == 1)
        return fail(r->fault, E_UNSUPPORTED, "no zip, no tar, and nothing that gzip, zstd or xz made");
    return 0;
}

static int members_visit(struct reader *r)
{
    struct archive_entry *entry;
    for (bool first = true;; first = false) {
        int got = archive_read_next_header(r->archive, &entry);
        if (got == ARCHIVE_EOF)
            return 0;
        if (got == ARCHIVE_FATAL || got == ARCHIVE_RETRY)
            return first ? failed(r, E_UNSUPPORTED, "no archive") : damaged(r);
        int rc = first ? form_check(r) : 0;
        rc = rc ? rc : member_visit(r, entry); /* a warning is about what we do not use: owners, times */
        if (rc)
            return rc;
    }
}

static int reader_open(struct reader *r)
{
    struct archive *a = r->archive;
    int (*const parts[])(struct archive *) = {archive_read_support_filter_gzip, archive_read_support_filter_zstd,
                                              archive_read_support_filter_xz,   archive_read_support_format_zip,
                                              archive_read_support_format_tar,  archive_read_support_format_raw};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i](a) != ARCHIVE_OK) /* a library that would start a program for it is of no use */
            return fail(r->fault, E_UNSUPPORTED, "libarchive was built without a format that is needed");
    (void)archive_read_set_callback_data(a, r);
    (void)archive_read_set_read_callback(a, on_read);
    if (r->source->seek)
        (void)archive_read_set_seek_callback(a, on_seek);
    return archive_read_open1(a) == ARCHIVE_OK ? 0 : failed(r, E_UNSUPPORTED, "no archive");
}

/* Member names come in many character sets, and libarchive turns them into that of the process: UTF-8, where the system has such a locale. */
static locale_t utf8_locale;

void archive_prepare(void)
{
    iconv_t loaded = iconv_open("UTF-8", "CP437"); /* loads the list of character sets */
    if (loaded != (iconv_t)-1)
        (void)iconv_close(loaded);
    (void)setenv("TZ", ":/etc/localtime",
                 0); /* what it would be; but unnamed, the file is read again for each time that a zip has */
    tzset();
    if (!utf8_locale)
        utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

int archive_members(const struct archive_source *source, const struct archive_visitor *visitor,
                    struct archive_counts *counts, struct fault *fault)
{
    struct archive_counts own;
    struct reader *r = calloc(1, sizeof *r);
    if (!r || !(r->archive = archive_read_new())) {
        free(r);
        memory_exhausted();
        return fail(fault, E_NOMEM, "an archive");
    }
    r->source = source;
    r->visitor = visitor;
    r->counts = counts ? counts : &own;
    r->fault = fault;
    *r->counts = (struct archive_counts){0};
    buf_init(&r->bytes, visitor->bytes_max);
    locale_t before = utf8_locale ? uselocale(utf8_locale) : (locale_t)0;
    int rc = reader_open(r);
    rc = rc ? rc : members_visit(r);
    if (before)
        (void)uselocale(before);
    (void)archive_read_free(r->archive);
    buf_free(&r->bytes);
    free(r);
    return rc;
}

/* What it is, by its first bytes */

bool archive_begins(struct span head)
{
    static const struct {
        size_t at;
        const char *bytes;
        size_t len;
    } signs[] = {{0, "PK\3\4", 4},           {0, "PK\5\6", 4},        {0, "\x1f\x8b", 2},
                 {0, "\x28\xb5\x2f\xfd", 4}, {0, "\xfd\x37zXZ\0", 6}, {257, "ustar", 5}};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (head.len >= signs[i].at + signs[i].len &&
            memcmp(head.data + signs[i].at, signs[i].bytes, signs[i].len) == 0)
            return true;
    return false;
}

bool archive_named(struct span path)
{
    static const char *const ends[] = {".zip", ".tar", ".gz",  ".tgz", ".zst", ".tzst",
                                       ".xz",  ".txz", ".bz2", ".7z",  ".rar", ".jar"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t n = strlen(ends[i]);
        if (path.len > n && strncasecmp((const char *)path.data + path.len - n, ends[i], n) == 0)
            return true;
    }
    return false;
}
