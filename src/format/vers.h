/* Version ranges as "vers:deb/>=1.0|<2.0" (vers-spec): their constraints as the ranges and versions of a package. */
#ifndef COMITY_FORMAT_VERS_H
#define COMITY_FORMAT_VERS_H

#include "format/advisory.h"

/* Sets ranges and versions of `package`, whose ecosystem and order are known; an unknown order may be learned from the
   scheme. False, and the package unchanged, when the text is no vers, contradicts the ecosystem's order, is not sorted,
   or says what our events cannot: then nothing may be concluded from it. */
bool vers_read(struct span text, struct affected_package *package, struct arena *arena);

/* A range as such, with everything that the specification has, held to its canonical form. */
enum vers_sign { VERS_EQUAL, VERS_NOT, VERS_BELOW, VERS_UP_TO, VERS_ABOVE, VERS_FROM };
struct vers_constraint {
    enum vers_sign sign;
    struct span version; /* decoded */
};
enum vers_compare {
    VERS_BY_ORDER, /* `order` */
    VERS_BY_BYTES, /* vers:lexicographic */
    VERS_BY_NAME,  /* a type whose order is not known here: only equality can be told */
};
struct vers_range {
    enum vers_compare compare;
    enum order order;
    bool every, none; /* "*", and vers:none */
    size_t count;
    const struct vers_constraint *constraints; /* in ascending order of versions, each once */
};
/* E_SYNTAX with the constraint that is wrong, E_CANONICAL (order, encoding, capitals), E_DUPLICATE, E_LIMIT, E_NOMEM. */
int vers_parse(struct vers_range *out, struct span text, struct arena *arena, struct fault *fault);
enum vers_answer { VERS_OUTSIDE, VERS_INSIDE, VERS_CANNOT_TELL };
/* CANNOT_TELL: it is no version of the range's type, or the type's order is not known and no constraint names this very version. */
enum vers_answer vers_contains(const struct vers_range *range, struct span version);
/* For both: undoes percent-encoding; false when it is wrong, or a separator stands there plain. */
bool vers_version_decode(struct span text, struct span *out, struct arena *arena);

#endif
