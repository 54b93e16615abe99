/* What a reader of inventories made, against a table. */
#ifndef COMITY_TESTS_FORMAT_COMPONENTS_H
#define COMITY_TESTS_FORMAT_COMPONENTS_H

#include "format/inventory.h"
#include "tests/test.h"

struct want {
    const char *path, *ecosystem, *name, *version, *source, *source_version, *problem;
};

static inline void check_text(const char *path, const char *what, struct span got, const char *want)
{
    if (!span_is(got, want ? want : ""))
        printf("# %s of %s is \"%.*s\", want \"%s\"\n", what, path, (int)got.len, got.len ? (const char *)got.data : "",
               want);
    CHECK(span_is(got, want ? want : ""));
}

static inline void check_all(const struct inventory *inventory, const struct want *wants, size_t count)
{
    size_t problems = 0;
    CHECK_INT(inventory->count, count);
    for (size_t i = 0; i < count && i < inventory->count; i++) {
        const struct component *c = &inventory->components[i];
        const struct want *w = &wants[i];
        check_text(w->path, "path", c->path, w->path);
        check_text(w->path, "ecosystem", c->ecosystem, w->ecosystem);
        check_text(w->path, "name", c->name, w->name);
        check_text(w->path, "version", c->version, w->version);
        check_text(w->path, "source", c->source, w->source);
        check_text(w->path, "source version", c->source_version, w->source_version);
        check_text(w->path, "problem", span_str(c->problem ? c->problem : ""), w->problem);
        problems += c->problem != NULL;
    }
    CHECK_INT(inventory->problem_count, problems);
}

#endif
