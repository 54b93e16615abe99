/* For the targets of advisories: every byte that a result names is read, and what must hold of any advisory is checked. */
#ifndef COMITY_FUZZ_ADVISORY_H
#define COMITY_FUZZ_ADVISORY_H

#include "format/advisory.h"
#include "fuzz/fuzz.h"

static inline void sound_all(const struct span *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sound(list[i]);
}

static inline void sound_package(const struct affected_package *p)
{
    const struct span texts[] = {p->ecosystem, p->name,  p->purl,         p->path,   p->cpe,   p->vendor,
                                 p->product,   p->model, p->version_text, p->impact, p->remedy};
    sound_all(texts, sizeof texts / sizeof texts[0]);
    sound_all(p->versions, p->version_count);
    sound_all(p->fixed_versions, p->fixed_count);
    for (size_t i = 0; i < p->range_count; i++)
        for (size_t j = 0; j < p->ranges[i].count; j++)
            sound(p->ranges[i].events[j].version);
    must(p->name.len > 0 && p->path.len > 0);
}

/* A document read as `media`; it may say of itself that it is something else. */
static inline int fuzz_advisory(const char *media, struct span bytes)
{
    struct arena arena;
    struct advisory a;
    struct fault fault = {0};
    const struct json *root = NULL;
    arena_init(&arena, 64 << 20);
    if (json_parse(&root, bytes, bytes.len, &arena, NULL) == 0)
        (void)advisory_media(root);
    must(advisory_read(&a, span_str("text/plain"), bytes, &arena, &fault) == E_UNSUPPORTED);
    int rc = advisory_read(&a, span_str(media), bytes, &arena, &fault);
    if (rc == 0) {
        const struct span texts[] = {a.id, a.title, a.publisher, a.version, a.modified};
        must(a.id.len > 0);
        /* A revision is as late as itself, and of two of one version the later instant decides. */
        must(advisory_revision_order(a.version, 1, a.version, 1) == 0);
        must(advisory_revision_order(a.version, 1, a.version, 2) < 0);
        int after = advisory_revision_order(a.version, 1, span_str("1.0.0"), 2);
        must((after < 0) == (advisory_revision_order(span_str("1.0.0"), 2, a.version, 1) > 0));
        sound_all(texts, sizeof texts / sizeof texts[0]);
        sound_all(a.aliases, a.alias_count);
        sound_all(a.undecided, a.undecided_count);
        for (size_t i = 0; i < a.package_count; i++)
            sound_package(&a.packages[i]);
        for (size_t i = 0; i < a.problem_count; i++) {
            sound(a.problems[i].path);
            sound(a.problems[i].text);
            must(a.problems[i].path.len > 0 && a.problems[i].text.len > 0);
        }
    }
    must(rc == 0 || fault.code == rc);
    arena_free(&arena);
    return 0;
}

#endif
