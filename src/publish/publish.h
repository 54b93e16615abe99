/* What may be published openly, and under which subject. Pure. */
#ifndef COMITY_PUBLISH_PUBLISH_H
#define COMITY_PUBLISH_PUBLISH_H

#include "format/advisory.h"
#include "store/store.h"

struct publication {
    char media[64];
    char subject[256]; /* the advisory's id: the statement's sub */
    enum label label;  /* LABEL_OPEN or LABEL_MEMBERS */
    struct advisory advisory;
};
/* The TLP rules: CLEAR/WHITE open; GREEN members; AMBER, AMBER+STRICT, RED refused (E_LABEL: must be sealed); unlabelled only when
   `open` was said explicitly. E_MISSING when the advisory has no id. */
int publication_check(struct publication *out, struct span document, bool open, struct arena *arena,
                      struct fault *fault);

/* The label under which a mirror serves a document that was stated as `media`: by its content, for what we can read; statements of
   the circle itself (accession and the like) are open; what cannot be read is LABEL_CLOSED. E_NOMEM: nothing was read, and no label may
   be made of that. */
int document_label(struct span media, struct span document, enum label *label);

#endif
