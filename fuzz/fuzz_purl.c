/* What parses has valid parts, no slash hidden in a segment, and an ecosystem. */
#include "format/purl.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct purl purl;
    struct span ecosystem, name;
    arena_init(&arena, 1 << 20);
    if (purl_parse(&purl, span_of(data, size), &arena, NULL) == 0) {
        const struct span parts[] = {purl.type, purl.namespace, purl.name, purl.version, purl.subpath};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            sound(parts[i]);
        purl_ecosystem(&purl, &ecosystem, &name, &arena);
        sound(ecosystem);
        sound(name);
        sound(purl_qualifier(&purl, "upstream", &arena));
        struct buf once, again;
        struct purl back;
        buf_init(&once, 1 << 16);
        buf_init(&again, 1 << 16);
        int checked = purl_check(&purl, &arena, NULL);
        /* The canonical form is a purl, and its own canonical form. */
        if (checked == 0 && purl_write(&once, &purl, &arena) == 0) {
            must(purl_parse(&back, buf_view(&once), &arena, NULL) == 0 || once.len > 4096 || arena.used > 1 << 19);
            if (once.len <= 4096 && purl_parse(&back, buf_view(&once), &arena, NULL) == 0 &&
                purl_write(&again, &back, &arena) == 0)
                must(span_eq(buf_view(&once), buf_view(&again)) && purl_check(&back, &arena, NULL) == 0);
        }
        buf_free(&once);
        buf_free(&again);
        if (!purl.type.len || !purl.name.len || !ecosystem.len || !name.len)
            abort();
    }
    arena_free(&arena);
    return 0;
}
