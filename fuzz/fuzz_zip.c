/* A whole archive: its end, its directory, and each document. What comes out is of the size that the directory says. */
#include "base/limits.h"
#include "format/zip.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct zip_end end;
    struct arena arena;
    struct listing listing;
    struct fault fault = {0};
    size_t tail = size < ZIP_TAIL_BYTES ? size : ZIP_TAIL_BYTES;
    int rc = zip_end_read(&end, span_from(bytes, size - tail), size, &fault);
    must(rc == fault.code);
    if (rc)
        return 0;
    must(end.offset <= size && end.bytes <= size - end.offset);
    arena_init(&arena, 64 << 20);
    rc = zip_directory_read(&listing, span_of(data + end.offset, (size_t)end.bytes), end.entries, &arena, NULL);
    for (size_t i = 0; rc == 0 && i < listing.count; i++) {
        const struct listed *item = &listing.items[i];
        struct buf out;
        sound(item->url);
        must(item->size <= DOCUMENT_BYTES_MAX && item->size / ZIP_RATIO_MAX <= item->packed);
        buf_init(&out, DOCUMENT_BYTES_MAX);
        if (item->offset < size && zip_document_read(&out, span_from(bytes, (size_t)item->offset), item, NULL) == 0)
            must(out.len == item->size);
        buf_free(&out);
    }
    arena_free(&arena);
    return 0;
}
