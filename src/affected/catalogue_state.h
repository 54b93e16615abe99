/* The catalogue's arrays, shared by its files only. Numbers count from 1; 0 is none. */
#ifndef COMITY_AFFECTED_CATALOGUE_STATE_H
#define COMITY_AFFECTED_CATALOGUE_STATE_H

#include <sodium.h>

#include "affected/catalogue.h"
#include "affected/judge.h"
#include "affected/lists.h"
#include "base/error.h"
#include "format/version.h"

enum { CATALOGUE_IDS_MAX = 1 << 30 };

struct slots {
    uint32_t *heads;
    size_t mask;
};
struct name_row {
    uint32_t folded, next;      /* string; next of its slot */
    struct list packages, rows; /* in no order */
};
struct package_row {
    uint32_t name_id, name, ecosystem; /* name and ecosystem: strings. name_id: of the first of its keys */
    enum order order : 8;
    enum lane lane : 8;
    struct list ordered, loose; /* releases: in version order; and those that are no version of that order, or broken */
};
struct release_row {
    uint32_t package, version, next; /* package 0: free, and next leads to the next free one */
    uint32_t broken;                 /* or 0; whole words only, so that the array can be written out */
    struct list assets, findings;    /* ascending; a finding is advisory << 1 | affected, else undecided */
};
struct advisory_row {
    uint32_t advisory, name; /* name 0: free, and advisory leads to the next free one */
    struct list words;       /* packed, catalogue_rows.c */
};
struct rows_of {
    struct list rows;
};
struct releases_of {
    struct list releases; /* ascending */
};

struct scratch { /* an unpacked row, and what its evaluation needs; kept from one to the next */
    struct affected_package row;
    struct span second; /* LANE_CPE: the row's CPE name; LANE_TEXT: the key of its product */
    uint8_t second_bytes[KEY_BYTES_MAX];
    struct range *ranges;
    struct range_event *events;
    struct span *versions;
    size_t range_cap, event_cap, version_cap;
    uint32_t *bounds;
    size_t bound_cap;
    struct stretch *stretches;
    size_t stretch_cap;
};
void scratch_free(struct scratch *);

struct catalogue {
    uint8_t key[crypto_shorthash_KEYBYTES];
    uint8_t *text;
    size_t text_used, text_cap, string_count;
    struct lists lists;
    struct slots strings, name_slots, release_slots;
    struct name_row *names;
    struct package_row *packages;
    struct release_row *releases;
    struct advisory_row *rows;
    struct rows_of *advisories;
    struct releases_of *assets;
    size_t name_count, name_cap, package_count, package_cap, release_count, release_cap, row_count, row_cap,
        advisory_cap, asset_cap;
    uint32_t release_free, row_free;
    struct scratch scratch;
};

struct teller {
    finding_visit *visit;
    void *ctx;
    int rc;
};
void finding_tell(struct teller *, const struct finding *);

struct span string_get(const struct catalogue *, uint32_t string);
int string_put(struct catalogue *, struct span, uint32_t *out); /* E_NOMEM, E_LIMIT */
uint32_t name_find(const struct catalogue *, struct span name); /* 0 */
int name_put(struct catalogue *, struct span name, uint32_t *out);
enum verdict judgement_told(enum judgement); /* AFFECTED, UNDECIDED, or NONE */
uint32_t release_find(const struct catalogue *, uint32_t package, struct span version); /* a whole one, or 0 */
void release_unplace(struct catalogue *, uint32_t release);
/* In the package's order: the first release at or above the version, or (`above`) above it. */
size_t package_bound(const struct catalogue *, const struct package_row *, struct span version, bool above);

/* catalogue_rows.c */
int row_put(struct catalogue *, uint32_t advisory, uint32_t name, const struct affected_package *, bool exhaustive,
            uint32_t *out);
void row_drop(struct catalogue *, uint32_t row); /* from its name too; not from its advisory */
enum lane row_lane(const struct catalogue *, uint32_t row);
size_t row_ranges(const struct catalogue *, uint32_t row);
/* The next key by which a text package is kept, off the front of its name. */
bool package_key(struct span *rest, struct span *key);
/* What an advisory's rows say of the releases that are here: release << 8 | judgement, ascending, one a release, the greatest. */
struct pairs {
    uint64_t *items;
    size_t count, cap;
};
int advisory_pairs(struct catalogue *, uint32_t advisory, struct pairs *out);
int asked_pairs(struct catalogue *, const struct advisory *,
                struct pairs *out); /* of one that is not in the catalogue */
/* Fills in the findings of a new release. */
int release_judge(struct catalogue *, uint32_t release);
/* Are they what the rows say? E_CORRUPT. */
int release_check(struct catalogue *c, uint32_t release);

#endif
