/* A software release as an in-toto Statement v1 (https://in-toto.io/Statement/v1): files by name and SHA-256, with SLSA provenance v1
   (https://slsa.dev/provenance/v1) as predicate. The statement that carries it is what is signed: no DSSE envelope is needed. */
#ifndef COMITY_FORMAT_INTOTO_H
#define COMITY_FORMAT_INTOTO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define MEDIA_INTOTO "application/vnd.in-toto+json"

struct release_file {
    struct span name;
    struct hash sha256;
};
struct release {
    struct span name, version;  /* what our own predicate says; empty in others' */
    struct span source, commit; /* URI of the source, and its git commit; may be empty */
    struct span builder;        /* URI of who built it */
    size_t count;
    const struct release_file *files; /* in the arena; names are unique */
};

/* Any predicate is accepted; each subject needs a name and a sha256. E_DUPLICATE for a name that stands twice. Spans live in the
   arena or in `text`. */
int release_parse(struct release *out, struct span text, struct arena *arena, struct fault *fault);
void release_write(struct buf *out, const struct release *release);

#endif
