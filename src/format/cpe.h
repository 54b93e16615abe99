/* CPE 2.3 names: the formatted string and the URI of NISTIR 7695, and how two names relate by NISTIR 7696. A name says less than a package
   URL: vendors and products are texts that somebody once chose. */
#ifndef COMITY_FORMAT_CPE_H
#define COMITY_FORMAT_CPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum cpe_kind { CPE_ANY /* no restriction */, CPE_NA /* not applicable */, CPE_TEXT };
struct cpe_value {
    enum cpe_kind kind;
    struct span text; /* without escapes, in lower case: names do not mind case. Empty only beside wildcards */
    /* Wildcards before and after the text: WILD_MANY for any number of characters, else so many at most, each of which may be absent */
    int before, after;
};
enum { WILD_MANY = -1 };

enum cpe_attribute {
    CPE_PART, /* a, o, h */
    CPE_VENDOR,
    CPE_PRODUCT,
    CPE_VERSION,
    CPE_UPDATE,
    CPE_EDITION,
    CPE_LANGUAGE,
    CPE_SW_EDITION,
    CPE_TARGET_SW,
    CPE_TARGET_HW,
    CPE_OTHER,
    CPE_ATTRIBUTES
};
extern const char *const cpe_attribute_names[CPE_ATTRIBUTES];
struct cpe {
    struct cpe_value values[CPE_ATTRIBUTES];
};

/* "cpe:2.3:a:vendor:..." (eleven attributes) or "cpe:/a:vendor:..." (up to seven, the rest ANY; an edition of five packed by "~").
   E_SYNTAX, E_LIMIT, E_NOMEM. Texts live in the arena. */
int cpe_parse(struct cpe *out, struct span text, struct arena *arena, struct fault *fault);
/* "vendor:product" in lower case, by which names find each other, and its length. 0 when the text is no CPE name, leaves one of the two open,
   or has more than `max` bytes there. It does not say that the rest of the name is good. */
size_t cpe_product(struct span text, uint8_t *out, size_t max);
/* The version as the name writes it, a part of the text; empty where it has none, or one with escapes or wildcards. */
struct span cpe_version(struct span text);
/* The text with its version left open: what remains the same from one version to the next. Its length; 0 as above. */
size_t cpe_versionless(struct span text, uint8_t *out, size_t max);
/* The formatted string, which is one for one name. */
void cpe_write(struct buf *out, const struct cpe *cpe);

/* What `source` (which may have wildcards) is to `target`: the same, a part of it, more than it, or nothing in common. UNDEFINED where
   NISTIR 7696 leaves it open: a target with wildcards, or attributes that pull both ways. */
enum cpe_relation { CPE_UNDEFINED, CPE_DISJOINT, CPE_EQUAL, CPE_SUBSET, CPE_SUPERSET };
extern const char *const cpe_relation_names[5];
enum cpe_relation cpe_value_compare(const struct cpe_value *source, const struct cpe_value *target);
enum cpe_relation cpe_compare(const struct cpe *source, const struct cpe *target);

#endif
