/* What a check found: a list of damages, each with its place (file, table, log, index) and what is wrong there. */
#ifndef COMITY_BASE_FINDINGS_H
#define COMITY_BASE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

enum { FINDINGS_MAX = 1000 };

struct finding {
    char place[192];
    char what[192];
};
/* Zero it first; at most FINDINGS_MAX are kept, all are counted. */
struct findings {
    struct finding *list;
    size_t kept, count;
};
/* Adds a damage. `place` and `format` are whole sentences' parts: "state.db: journal row 7", "fails its sum". */
void findings_add(struct findings *findings, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool findings_has(const struct findings *findings, const char *place_starts);
void findings_free(struct findings *findings);

#endif
