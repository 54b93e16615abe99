/* Who reads documents that others wrote: a process of its own in `comity serve` (shell/parser.c), plain calls in the simulator, tests and
   tools. Spans of what comes back live in the arena or in the document. */
#ifndef COMITY_NODE_PARSER_H
#define COMITY_NODE_PARSER_H

#include "format/advisory.h"
#include "format/inventory.h"
#include "publish/publish.h"

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
};
/* In this process. */
struct parser *parser_here(void);

#endif
