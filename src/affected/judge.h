/* Between the files of this room: one row against one component, and how names meet. */
#ifndef COMITY_AFFECTED_JUDGE_H
#define COMITY_AFFECTED_JUDGE_H

#include "affected/match.h"
#include "affected/words.h"

/* In ascending strength. A row that does not speak of a version (SILENT) is undecided only when no other row decides; a statement
   that this very version is fixed (EXCUSED) overrides rows that cannot tell, but not one that says it is still being looked into
   (INVESTIGATED); a row that affects overrides all. */
enum judgement {
    JUDGED_NONE,
    JUDGED_SILENT,
    JUDGED_NOT_AFFECTED,
    JUDGED_UNDECIDED,
    JUDGED_EXCUSED,
    JUDGED_INVESTIGATED,
    JUDGED_AFFECTED
};

/* How a row and a component met. */
enum bond {
    BOND_NAMED,    /* by a package's name, or a CPE name */
    BOND_PROPOSED, /* by words: at most undecided */
    BOND_DECIDED   /* by words, and a person said that they mean the same */
};
struct meeting {
    struct span version; /* of the component, as this lane has it */
    enum bond bond;
    bool broken;       /* has no version that could be compared */
    const char *doubt; /* NULL, or why nothing follows from the versions */
    unsigned weight;   /* of a proposal, and by which keys */
    enum way way_row, way_component;
};
enum judgement judge(const struct advisory *advisory, const struct affected_package *row,
                     const struct component *component, const struct meeting *meeting, struct evidence *e);
/* The version alone, without a text: of a component that is whole and of a known ecosystem. `exhaustive`: what is not listed is not
   affected (OSV). The second one when it is known not to be listed. */
enum judgement judge_version(const struct affected_package *row, bool exhaustive, struct span version);
enum judgement judge_unlisted(const struct affected_package *row, bool exhaustive, struct span version);
/* The same for lanes of lower grade. */
enum judgement judge_met(const struct affected_package *row, bool exhaustive, const struct meeting *meeting);
enum judgement judgement_of(const struct affected_package *row); /* of what the row lists */
enum verdict verdict_of(enum judgement judgement);

/* The best judgement of each lane becomes one verdict: a better grade decides, where it can; where it cannot, a lower one may still say
   that it is affected, and never that it is not. LANE_COUNT when no lane met. */
enum lane lane_of(const enum judgement judgements[static LANE_COUNT]);

/* Whether the row is about this component, and then how. */
bool names_meet(const struct affected_package *row, const struct component *component, struct meeting *meeting);

bool packages_meet(const struct affected_package *row, const struct component *component, struct span *version);

/* What a row or a component is found by, in the lanes of lower grade (faces.c). */
void row_keys(const struct affected_package *row, struct keys *out);
void component_cpe_keys(const struct component *component, struct keys *out);
bool has_words(const struct component *component); /* whether it has keys of words at all */
void component_text_keys(const struct component *component, struct keys *out);
struct span component_cpe_version(const struct component *component);
/* Versions of these are a distribution's own, which repairs without taking a new version over. */
bool is_distribution(struct span ecosystem);
/* A component as what it is kept by in each lane in which it can be met: its package's name and its source's, its CPE name without the version,
   its keys of words. */
struct face {
    enum lane lane;
    struct span ecosystem; /* in lanes of lower grade only a distribution's, else empty */
    struct span name;      /* LANE_TEXT: a line for each key, then one for each decision: "+" or "-" and its key */
    struct span version;
    bool broken; /* it has no version, or cannot be compared */
    size_t key_count;
    const struct span *keys; /* what it is found by, the first of them always */
};
typedef int face_visit(void *ctx, const struct face *face);
/* Spans of a face live until the visit returns, or with the component. Other than 0 stops and is returned; E_NOMEM, E_LIMIT. */
int component_faces(const struct component *component, face_visit *visit, void *ctx);

extern const char distribution_doubt[];
/* A CPE name of a row and one of a component whose vendors and products are equal. False when they are disjoint elsewhere; versions do not
   count. `doubt` is set where the row means only some of what the component may be. */
bool cpes_meet(struct span row, struct span component, const char **doubt);
/* A person's word on the product that the row names. */
enum bond decision_on(const struct decided *decided, size_t count, struct span key, bool *refused);

bool ecosystem_meets(struct span a, struct span b);
bool name_eq(struct span ecosystem, struct span a, struct span b);
uint8_t name_fold(uint8_t c); /* the coarsest folding under which names that meet are equal; what a hash takes */
struct span name_trim(struct span name);

#endif
