/* The bodies of the write APIs, entry bundles and mirror-info. The first byte chooses; what parses is written again. */
#include "base/arena.h"
#include "fuzz/fuzz.h"
#include "record/wire.h"

static void fuzz_add_checkpoint(struct span bytes, struct buf *out)
{
    static struct add_checkpoint request;
    if (add_checkpoint_parse(&request, bytes, NULL) != 0)
        return;
    add_checkpoint_write(out, request.old_size, request.proof, request.count, request.note_bytes);
    same(out, bytes);
}

static void fuzz_add_entries(struct span bytes, struct buf *out)
{
    static struct entry_package package;
    struct add_entries request;
    int rc = add_entries_parse(&request, bytes, NULL);
    if (rc)
        return;
    add_entries_write_head(out, request.origin, request.upload_start, request.upload_end, request.ticket);
    while ((rc = add_entries_package(&request, &package)) == 0) {
        if (package.count != package.end - package.start || package.count > TILE_WIDTH || package.count == 0)
            abort();
        add_entries_write_package(out, &package);
    }
    if (rc == E_NOTFOUND)
        same(out, bytes);
}

static void fuzz_mirror_info(struct span bytes, struct buf *out)
{
    struct mirror_info info;
    struct arena arena;
    arena_init(&arena, NOTE_BYTES_MAX);
    if (mirror_info_parse(&info, bytes, &arena) == 0) {
        mirror_info_write(out, info.size, info.next_entry, info.ticket);
        same(out, bytes);
    }
    arena_free(&arena);
}

static void fuzz_bundle(struct span bytes, struct buf *out)
{
    struct span entries[TILE_WIDTH];
    size_t count;
    if (bundle_parse(bytes, entries, TILE_WIDTH, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++)
        bundle_add(out, entries[i]);
    same(out, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct span, struct buf *) = {fuzz_add_checkpoint, fuzz_add_entries,
                                                                 fuzz_mirror_info, fuzz_bundle};
    struct buf out;
    if (!size)
        return 0;
    buf_init(&out, size + 1);
    targets[data[0] % 4](span_of(data + 1, size - 1), &out);
    buf_free(&out);
    return 0;
}
