#include "format/zip.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/limits.h"
#include "base/text.h"

enum {
    END_MARK = 0x06054b50,
    END64_MARK = 0x06064b50,
    END64_LOCATOR_MARK = 0x07064b50,
    ENTRY_MARK = 0x02014b50,
    LOCAL_MARK = 0x04034b50,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1,
    EXTRA_ZIP64 = 1
};

static uint64_t little(const uint8_t *data, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = bytes; i--;)
        value = value << 8 | data[i];
    return value;
}

static int end64_read(struct zip_end *out, struct span tail, size_t end, uint64_t total, struct fault *fault)
{
    const uint8_t *locator = end >= LOCATOR_BYTES ? tail.data + end - LOCATOR_BYTES : NULL;
    if (!locator || little(locator, 4) != END64_LOCATOR_MARK)
        return fail(fault, E_SYNTAX, "the zip64 end record is missing");
    uint64_t at = little(locator + 8, 8), before = total - tail.len;
    if (at < before || at - before > end - LOCATOR_BYTES || end - LOCATOR_BYTES - (at - before) < END64_BYTES)
        return fail(fault, E_SYNTAX, "the zip64 end record is not at the end");
    const uint8_t *record = tail.data + (at - before);
    if (little(record, 4) != END64_MARK || little(record + 16, 4) || little(record + 20, 4))
        return fail(fault, E_UNSUPPORTED, "an archive in volumes");
    out->entries = little(record + 32, 8);
    out->bytes = little(record + 40, 8);
    out->offset = little(record + 48, 8);
    return 0;
}

int zip_end_read(struct zip_end *out, struct span tail, uint64_t total, struct fault *fault)
{
    size_t end;
    *out = (struct zip_end){0};
    if (tail.len > total || tail.len < END_BYTES)
        return fail(fault, E_SYNTAX, "it is no zip archive");
    for (end = tail.len - END_BYTES;; end--) {
        const uint8_t *r = tail.data + end;
        if (little(r, 4) == END_MARK && little(r + 20, 2) == tail.len - END_BYTES - end)
            break;
        if (!end)
            return fail(fault, E_SYNTAX, "it is no zip archive");
    }
    const uint8_t *r = tail.data + end;
    if (little(r + 4, 2) || little(r + 6, 2))
        return fail(fault, E_UNSUPPORTED, "an archive in volumes");
    *out = (struct zip_end){.entries = little(r + 10, 2), .bytes = little(r + 12, 4), .offset = little(r + 16, 4)};
    bool large = out->entries == 0xffff || out->bytes == 0xffffffff || out->offset == 0xffffffff;
    int rc = large ? end64_read(out, tail, end, total, fault) : 0;
    if (rc)
        return rc;
    if (out->bytes > LISTING_BYTES_MAX || out->entries > 2 * (uint64_t)FEED_DOCUMENTS_MAX)
        return fail(fault, E_LIMIT, "an archive of %llu files", (unsigned long long)out->entries);
    if (out->offset > total || out->bytes > total - out->offset || out->entries > out->bytes / ENTRY_BYTES)
        return fail(fault, E_SYNTAX, "the archive's directory lies outside of it");
    return 0;
}

/* Sizes and offset that do not fit into 32 bits stand in the extra field, in this order, each only where its own field is full. */
static bool extra_take(struct span extra, struct listed *item)
{
    uint64_t *const values[] = {&item->size, &item->packed, &item->offset};
    while (extra.len >= 4) {
        uint64_t id = little(extra.data, 2), len = little(extra.data + 2, 2);
        struct span field = span_of(extra.data + 4, (size_t)len);
        if (len > extra.len - 4)
            return false;
        for (size_t i = 0; id == EXTRA_ZIP64 && i < 3; i++) {
            if (*values[i] != 0xffffffff)
                continue;
            if (field.len < 8)
                return false;
            *values[i] = little(field.data, 8);
            field = span_from(field, 8);
        }
        extra = span_from(extra, 4 + (size_t)len);
    }
    return true;
}

/* NULL, or why this entry is not taken. */
static const char *entry_problem(const struct listed *item, uint64_t flags, uint64_t method)
{
    if (flags & FLAG_ENCRYPTED)
        return "it is encrypted";
    if (method != METHOD_STORED && method != METHOD_DEFLATED)
        return "it is packed by a method that is not known here";
    if (item->size > DOCUMENT_BYTES_MAX || item->packed > DOCUMENT_BYTES_MAX)
        return "it is too large";
    if (item->size / ZIP_RATIO_MAX > item->packed)
        return "it would expand beyond measure";
    if (method == METHOD_STORED && item->size != item->packed)
        return "its two sizes differ";
    if (!utf8_valid(item->url) || !text_is_line(item->url) || item->url.len > FOLLOWED_URL_MAX / 2 ||
        item->url.data[0] == '/' || memchr(item->url.data, '\\', item->url.len))
        return "its name is no plain path";
    return NULL;
}

static bool is_document(struct span name)
{
    return name.len > 5 && memcmp(name.data + name.len - 5, ".json", 5) == 0;
}

static void entry_take(struct listing *out, struct listed *items, const uint8_t *e, const struct listed *item,
                       uint64_t row, struct arena *arena)
{
    const char *why = is_document(item->url) ? entry_problem(item, little(e + 8, 2), little(e + 10, 2)) : NULL;
    if (!is_document(item->url))
        return;
    if (!why && out->count < FEED_DOCUMENTS_MAX) {
        items[out->count++] = *item;
    } else if (!out->problem_count++) {
        const char *text =
            arena_printf(arena, "entry %llu: %s", (unsigned long long)row, why ? why : "there are too many");
        out->problem = text ? span_str(text) : span_of(NULL, 0);
    }
}

int zip_directory_read(struct listing *out, struct span directory, uint64_t entries, struct arena *arena,
                       struct fault *fault)
{
    *out = (struct listing){.kind = LISTING_ARCHIVE};
    if (entries > directory.len / ENTRY_BYTES)
        return fail(fault, E_TRUNCATED, "a directory of %zu bytes for %llu files", directory.len,
                    (unsigned long long)entries);
    struct listed *items = arena_array(arena, (size_t)entries + 1, sizeof *items);
    if (!items)
        return fail(fault, E_NOMEM, "entries");
    out->items = items;
    for (uint64_t i = 0; i < entries; i++) {
        const uint8_t *e = directory.data;
        if (directory.len < ENTRY_BYTES || little(e, 4) != ENTRY_MARK)
            return fail(fault, E_SYNTAX, "entry %llu of the archive's directory", (unsigned long long)i);
        size_t name = (size_t)little(e + 28, 2), extra = (size_t)little(e + 30, 2), comment = (size_t)little(e + 32, 2);
        if (directory.len - ENTRY_BYTES < name + extra + comment)
            return fail(fault, E_TRUNCATED, "entry %llu of the archive's directory", (unsigned long long)i);
        struct listed item = {.url = span_of(e + ENTRY_BYTES, name),
                              .updated = LISTED_NEVER,
                              .crc = (uint32_t)little(e + 16, 4),
                              .packed = little(e + 20, 4),
                              .size = little(e + 24, 4),
                              .offset = little(e + 42, 4)};
        if (!extra_take(span_of(e + ENTRY_BYTES + name, extra), &item))
            return fail(fault, E_SYNTAX, "entry %llu of the archive's directory: its extra field",
                        (unsigned long long)i);
        entry_take(out, items, e, &item, i, arena);
        directory = span_from(directory, ENTRY_BYTES + name + extra + comment);
    }
    return 0;
}

static int inflate_all(uint8_t *to, size_t size, struct span from)
{
    z_stream z = {0};
    if (inflateInit2(&z, -15) != Z_OK)
        return E_NOMEM;
    z.next_in = (uint8_t *)(uintptr_t)from.data;
    z.avail_in = (unsigned)from.len;
    z.next_out = to;
    z.avail_out = (unsigned)size;
    int rc = inflate(&z, Z_FINISH);
    bool whole = rc == Z_STREAM_END && !z.avail_out;
    (void)inflateEnd(&z);
    return whole ? 0 : rc == Z_MEM_ERROR ? E_NOMEM : E_HASH;
}

int zip_document_read(struct buf *out, struct span bytes, const struct listed *item, struct fault *fault)
{
    const uint8_t *h = bytes.data;
    if (item->size > DOCUMENT_BYTES_MAX || item->packed > DOCUMENT_BYTES_MAX)
        return fail(fault, E_LIMIT, "a document of %llu bytes", (unsigned long long)item->size);
    if (bytes.len < LOCAL_BYTES || little(h, 4) != LOCAL_MARK)
        return fail(fault, E_SYNTAX, "no file of the archive begins there");
    uint64_t method = little(h + 8, 2), head = LOCAL_BYTES + little(h + 26, 2) + little(h + 28, 2);
    if (little(h + 6, 2) & FLAG_ENCRYPTED || (method != METHOD_STORED && method != METHOD_DEFLATED))
        return fail(fault, E_UNSUPPORTED, "a file that is encrypted, or packed by a method that is not known here");
    if (head > bytes.len || item->packed > bytes.len - head)
        return fail(fault, E_TRUNCATED, "%llu bytes of a file are wanted", (unsigned long long)item->packed);
    if (method == METHOD_STORED && item->packed != item->size)
        return fail(fault, E_HASH, "its two sizes differ");
    struct span packed = span_of(h + head, (size_t)item->packed);
    uint8_t *made = malloc((size_t)item->size + 1);
    if (!made)
        return fail(fault, E_NOMEM, "a document");
    int rc = 0;
    if (method == METHOD_DEFLATED)
        rc = inflate_all(made, (size_t)item->size, packed);
    else if (packed.len)
        memcpy(made, packed.data, packed.len);
    if (rc == 0 && crc32(0, made, (unsigned)item->size) != item->crc)
        rc = E_HASH;
    if (rc == 0)
        buf_add(out, made, (size_t)item->size);
    free(made);
    return rc ? fail(fault, rc, "the archive's own size or CRC-32 of a file") : out->error;
}
