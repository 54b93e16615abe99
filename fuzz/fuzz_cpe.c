/* Two names, a line each: what parses is written so that it parses to the same, every name equals itself unless it has wildcards, and
   disjoint or equal is so both ways. */
#include "format/cpe.h"
#include "fuzz/fuzz.h"

static bool read_back(struct span text, struct cpe *out, struct arena *arena)
{
    struct buf once, again;
    struct cpe back;
    if (cpe_parse(out, text, arena, NULL) != 0)
        return false;
    buf_init(&once, 1 << 14);
    buf_init(&again, 1 << 14);
    cpe_write(&once, out);
    must(!once.error);
    if (once.len <= 2048) {
        must(cpe_parse(&back, buf_view(&once), arena, NULL) == 0);
        cpe_write(&again, &back);
        must(span_eq(buf_view(&once), buf_view(&again)));
        bool wild = false;
        for (int i = 0; i < CPE_ATTRIBUTES; i++) {
            sound(out->values[i].text);
            wild = wild || out->values[i].before || out->values[i].after;
        }
        must(cpe_compare(out, &back) == (wild ? CPE_UNDEFINED : CPE_EQUAL));
    }
    buf_free(&once);
    buf_free(&again);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size), line;
    struct cpe a, b;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    if (span_line(&rest, &line) && read_back(line, &a, &arena) && read_back(rest, &b, &arena)) {
        static const enum cpe_relation mirrored[] = {CPE_UNDEFINED, CPE_DISJOINT, CPE_EQUAL, CPE_SUPERSET, CPE_SUBSET};
        enum cpe_relation there = cpe_compare(&a, &b), back = cpe_compare(&b, &a);
        bool wild = false; /* then the two ways are not alike: wildcards count in the source alone */
        for (int i = 0; i < CPE_ATTRIBUTES; i++)
            wild = wild || a.values[i].before || a.values[i].after || b.values[i].before || b.values[i].after;
        must(wild || back == mirrored[there]);
    }
    arena_free(&arena);
    return 0;
}
