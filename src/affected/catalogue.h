/* Who is affected, at the scale of a country: all advisories and all inventories of a node in one index, in memory, in both directions.

     name      what package names fold to (names.c); the key of everything, under a keyed hash, since uploads are hostile
     package   one name as written in one ecosystem; its releases in version order, and apart those that are no version of that order. In
               the lanes of lower grade: one CPE name without its version; one set of keys of words (words.h), with what was decided of it
     release   one version of a package; who has it (assets, sorted), and which advisories speak of it (sorted)
     row       one affected[] of an advisory, packed; it hangs on its name
     asset     one inventory; the releases in it, sorted

   An advisory's rows are evaluated once for each stretch of releases between the versions that they name, not for each release: O(events
   * log releases + matches). An upload is a difference of two sorted lists, and what a known release meets is written beside it: O(changed +
   matches); a release that nobody had before is judged against all rows of its name. Every answer is that of match.h, by the same code.

   Everything lies in a few arrays of numbers and one of text, without pointers. Pure; one user at a time. */
#ifndef COMITY_AFFECTED_CATALOGUE_H
#define COMITY_AFFECTED_CATALOGUE_H

#include "affected/match.h"

struct catalogue;
int catalogue_new(struct catalogue **out); /* E_NOMEM */
void catalogue_free(struct catalogue *);   /* accepts NULL */

/* One finding came or went: this advisory about this release, with `verdict` AFFECTED or UNDECIDED, or NONE when it no longer says so.
   Other than 0 stops, is returned, and leaves the catalogue as if it had gone on. */
struct finding {
    uint32_t advisory, release;
    enum verdict verdict, before;
};
typedef int finding_visit(void *ctx, const struct finding *finding);

/* Puts an advisory in place of what `id` stood for (NULL: nothing; a withdrawn one meets nothing), and tells what changed, release by
   release. Of one that speaks of several names it also tells what was undecided and still is (`verdict` = `before`), and of one that speaks in
   lanes of lower grade all that still is: a component that stands under two names, or in two lanes, is judged by both. Ids are small numbers of the caller's. E_NOMEM, E_LIMIT: then the advisory is gone altogether.
   `visit` may be NULL. */
int catalogue_advisory(struct catalogue *, uint32_t id, const struct advisory *, finding_visit *visit, void *ctx);

/* What an advisory would find now, told with `before` NONE; nothing of it is kept. */
int catalogue_ask(struct catalogue *, const struct advisory *, finding_visit *visit, void *ctx);

/* The same for an inventory. A component has a release in each lane in which it can be met, and each release is judged for itself: how the lanes
   of one component combine match.h says, of which a release with a finding is the sign that there is something to ask. Findings are those of the releases that the asset did not have before (`before` NONE), or has no more
   (`verdict` NONE). A Debian component stands under its source, and under its own name where that is another. */
int catalogue_asset(struct catalogue *, uint32_t id, const struct inventory *, finding_visit *visit, void *ctx);

/* What there is about one component, under its names, as long as some asset has it: findings with `before` NONE. */
int catalogue_component(const struct catalogue *, const struct component *, finding_visit *visit, void *ctx);

/* Who has a release: ascending, valid until the next change. */
const uint32_t *catalogue_assets(const struct catalogue *, uint32_t release, size_t *count);
struct release_view {
    enum lane lane;
    struct span ecosystem, name, version; /* name: in lanes but LANE_PURL what the package is kept by */
    bool broken; /* has no version, or its component was read with a problem: undecided, whatever is asked */
};
void catalogue_release(const struct catalogue *, uint32_t release, struct release_view *out);

/* The whole as bytes, for this machine and this release alone: `write` gets them piece by piece, `read` gives exactly as many as asked for.
   Loading checks bounds, and judges some releases anew; that the bytes are those that were written is for whoever keeps them. E_CORRUPT:
   of another release, or not what was written; E_NOMEM; what `write` and `read` return. */
typedef int catalogue_write(void *ctx, struct span bytes);
typedef int catalogue_read(void *ctx, void *to, size_t len);
int catalogue_save(const struct catalogue *, catalogue_write *write, void *ctx);
int catalogue_load(struct catalogue **out, catalogue_read *read, void *ctx);

struct catalogue_size {
    size_t names, packages, releases, rows, ranges, assets, postings, findings, bytes;
};
void catalogue_size(const struct catalogue *, struct catalogue_size *out);

#endif
