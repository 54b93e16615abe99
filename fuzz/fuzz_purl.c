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
        if (!purl.type.len || !purl.name.len || !ecosystem.len || !name.len)
            abort();
    }
    arena_free(&arena);
    return 0;
}
