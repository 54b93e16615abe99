/* Between the readers of inventories: what they share. Each format is one file; inventory.c tells which one it is. */
#ifndef COMITY_FORMAT_COMPONENT_H
#define COMITY_FORMAT_COMPONENT_H

#include "format/advisory.h"
#include "format/inventory.h"

/* Components as they are found; the room was counted before. */
struct collect {
    struct component *list;
    size_t count, cap;
    struct arena *arena;
    struct fault *fault;
};
/* Room for `most`; E_LIMIT over COMPONENTS_MAX. */
int collect_start(struct collect *, size_t most, struct arena *, struct fault *);
/* The next one, zeroed. */
struct component *collect_add(struct collect *);
/* Every component without a name, a version, or with a version that its ecosystem does not know gets its problem, unless it has one; what
   stands there twice is taken out. Fills `out`. */
int collect_end(struct collect *, const char *format, struct inventory *out);

/* By the purl: ecosystem, name, version, and the source package that generators put into its qualifiers. NULL, or the problem. */
const char *component_take_purl(struct component *, struct arena *);
/* The source, where the ecosystem's advisories name source packages and it is another than the binary's name and version. */
void component_take_source(struct component *, struct span source, struct span version);
/* "xz-5.2.5-8.el9.src.rpm"; nothing when it is none. The epoch is not in it: that of the binary counts when version and release are its. */
void component_take_source_rpm(struct component *, struct span file);
/* NAME-VERSION-RELEASE: false when it is none. */
bool rpm_name_split(struct span text, struct span *name, struct span *version);
/* a, joint and b as one text; data NULL when memory is wanting. */
struct span text_joined(struct span a, const char *joint, struct span b, struct arena *arena);

/* What the owner says of the file, in one line: the distribution, then perhaps ";" and the columns of a CSV. */
struct about {
    struct span distribution, columns;
};
struct about about_split(struct span about);
/* The ecosystem of a package list. E_USAGE when the distribution's versions are of another order. */
int distribution_take(struct span *ecosystem, struct span distribution, const char *otherwise, enum order order,
                      struct fault *fault);
/* The file as lines of text: E_LIMIT, E_UTF8. `kind` for the message. */
int text_check(struct span bytes, const char *kind, struct fault *fault);
bool text_line(struct span *rest, struct span *line); /* the last one may lack its newline; "\r" goes */
struct span text_trim(struct span text);

bool inventory_is_rpm(struct span bytes);
bool inventory_is_apk(struct span bytes);
bool inventory_is_csv(struct span bytes);

#endif
