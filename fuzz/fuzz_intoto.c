/* A release that parses, written again, says the same. */
#include "format/intoto.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct release release, again;
    struct buf out;
    arena_init(&arena, 1 << 24);
    buf_init(&out, 1 << 24);
    if (release_parse(&release, span_of(data, size), &arena, NULL) == 0) {
        const struct span texts[] = {release.name, release.version, release.source, release.commit, release.builder};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            sound(texts[i]);
        must(release.count > 0);
        release_write(&out, &release);
        must(!out.error && release_parse(&again, buf_view(&out), &arena, NULL) == 0 && again.count == release.count);
        for (size_t i = 0; i < release.count; i++)
            must(span_eq(again.files[i].name, release.files[i].name) &&
                 hash_eq(&again.files[i].sha256, &release.files[i].sha256));
        must(span_eq(again.name, release.name) && span_eq(again.builder, release.builder));
    }
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
