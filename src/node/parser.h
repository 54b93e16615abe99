/* Who reads documents that others wrote: a process of its own in `comity serve` (shell/parser.c), plain calls in the simulator, tests and
   tools. Spans of what comes back live in the arena or in the document. */
#ifndef COMITY_NODE_PARSER_H
#define COMITY_NODE_PARSER_H

#include "circle/faces.h"
#include "format/advisory.h"
#include "format/inventory.h"
#include "format/openpgp.h"
#include "format/zip.h"
#include "publish/publish.h"
#include "record/wire.h"

struct texts { /* of a member of a JSON object: its text, or those of its list */
    size_t count;
    const struct span *list;
};
struct parser {
    const struct parser_ops *ops;
};
/* Each returns what format/ and publish/ return. E_PARSER: reading this ended the reader, twice; E_IO: there is no reader. */
struct parser_ops {
    int (*advisory)(struct parser *, struct span media, struct span document, struct advisory *, struct arena *);
    int (*inventory)(struct parser *, struct span bytes, struct span distribution, struct inventory *, struct arena *,
                     struct fault *);
    int (*label)(struct parser *, struct span media, struct span document, enum label *);
    /* Fills media, subject and label only. */
    int (*publication)(struct parser *, struct span document, bool open, struct publication *, struct fault *);
    /* MEDIA_CSAF, MEDIA_OSV, MEDIA_CVE, or empty when it is no advisory. */
    int (*media)(struct parser *, struct span document, char out[static MEDIA_BYTES_MAX]);
    /* What peers send and answer. Of the first two the caller knows that they are what the bytes say, whoever has read them. */
    int (*checkpoint)(struct parser *, struct span note_bytes, struct checkpoint *, struct note *);
    int (*add_checkpoint)(struct parser *, struct span body, struct add_checkpoint *);
    int (*texts)(struct parser *, struct span json, const char *member, struct texts *, struct arena *);
    int (*faces)(struct parser *, struct span document, struct faces_proof *, struct arena *);
    /* Lists of sources, and archives elsewhere (format/listing.h, format/zip.h). */
    int (*listing)(struct parser *, struct span bytes, struct listing *, struct arena *, struct fault *);
    int (*archive_end)(struct parser *, struct span tail, uint64_t total, struct zip_end *, struct fault *);
    int (*archive_listing)(struct parser *, struct span directory, uint64_t entries, struct listing *, struct arena *,
                           struct fault *);
    /* A detached signature (format/openpgp.h); with an empty one: the key's fingerprint. */
    int (*signature)(struct parser *, struct span document, struct span signature, struct span key,
                     char fingerprint[static FINGERPRINT_BYTES], struct fault *);
    int (*archive_document)(struct parser *, struct span bytes, const struct listed *, struct buf *out, struct fault *);
};
/* In this process. */
struct parser *parser_here(void);

#endif
