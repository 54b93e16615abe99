/* Between the files of this room: one row against one component, and how names meet. */
#ifndef COMITY_AFFECTED_JUDGE_H
#define COMITY_AFFECTED_JUDGE_H

#include "affected/match.h"

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

enum judgement judge(const struct advisory *advisory, const struct affected_package *row,
                     const struct component *component, struct span version, struct evidence *e);
/* The version alone, without a text: of a component that is whole and of a known ecosystem. `exhaustive`: what is not listed is not
   affected (OSV). The second one when it is known not to be listed. */
enum judgement judge_version(const struct affected_package *row, bool exhaustive, struct span version);
enum judgement judge_unlisted(const struct affected_package *row, bool exhaustive, struct span version);
enum judgement judgement_of(const struct affected_package *row); /* of what the row lists */
enum verdict verdict_of(enum judgement judgement);

/* Whether the row is about this component, and then which of its versions counts. */
bool names_meet(const struct affected_package *row, const struct component *component, struct span *version);
bool ecosystem_meets(struct span a, struct span b);
bool name_eq(struct span ecosystem, struct span a, struct span b);
uint8_t name_fold(uint8_t c); /* the coarsest folding under which names that meet are equal; what a hash takes */
struct span name_trim(struct span name);

#endif
