/* Between the files of the CSAF reader: the product tree, flat. */
#ifndef COMITY_FORMAT_CSAF_TREE_H
#define COMITY_FORMAT_CSAF_TREE_H

#include "format/advisory.h"

enum { PRODUCTS_MAX = 100000, BRANCH_DEPTH_MAX = 30, RELATION_DEPTH_MAX = 16 };
enum status {
    STATUS_AFFECTED = 1,
    STATUS_FIXED = 2,
    STATUS_UNKNOWN = 4,
    STATUS_BOUND = 8,    /* first or last affected: says something about other versions too, which no list holds */
    STATUS_EXCUSED = 16, /* known_not_affected */
};

struct product {
    struct span id, name, path;
    struct span purl, cpe, models; /* of its identification helper, or its part's; one model number a line */
    struct span vendor, title;     /* title: the branch "product_name", or the family's, else the product's own name */
    struct span version, range;    /* names of the branches "product_version" and "product_version_range" */
    struct span part, whole;       /* of a relationship: what is put onto what */
    bool installed;                /* ... and the inventory may know the whole by the part's version */
    bool doubtful;                 /* it cannot be told which product is meant: nothing is concluded */
    unsigned status;
    enum justification justification;
    struct span impact, remedy;
    unsigned remedy_rank; /* the best kind of remedy so far, from 1; 0 is none */
};
struct products {
    struct product *list;
    size_t count, cap;
};
struct problems {
    struct record_problem *list;
    size_t count, cap;
};
struct csaf_reader {
    struct products tree, strays; /* sorted by id; strays: ids with a status that the tree does not define */
    struct problems problems;
    bool contradictory;
    size_t marks; /* products named by flags, threats and remediations so far */
    struct arena *arena;
    struct fault *fault;
};

/* An array, or NULL when it is absent. E_TYPE. */
int csaf_list(struct csaf_reader *, const struct json *parent, const char *key, const struct json **list);
int csaf_problem(struct csaf_reader *, struct span path, const char *text); /* E_NOMEM, E_LIMIT */
int csaf_product_push(struct csaf_reader *, struct products *to, const struct product *);
/* Branches, full product names and relationships, with what a relationship's product has from its part. Twice the same id, and circles, are
   problems of the record. */
int csaf_tree_read(struct csaf_reader *, const struct json *root);
/* The products with this id: `*count` of them, almost always one. */
struct product *csaf_product(const struct csaf_reader *, struct span id, size_t *count);

#endif
