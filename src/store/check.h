/* Checking a whole store that nobody uses, and reading what can still be read of a damaged one. Nothing here repairs in place: a repair
   copies what is good into a new database (node/repair.h). */
#ifndef COMITY_STORE_CHECK_H
#define COMITY_STORE_CHECK_H

#include "base/findings.h"
#include "store/store.h"

/* The frames of PATH-wal, read as SQLite will read them: it silently ignores a damaged frame and all that follow. Call it before the
   database is opened. */
int wal_check(const char *path, struct findings *findings);

/* Pages, row sums, the tree of every log (entries against tiles), the index, the documents and their files, the journal's sequence.
   Derived views and signatures are checked above. */
int store_check(struct store *store, struct findings *findings);
/* Opens without migrating; nothing that is done with this store outlives it, and closing leaves the -wal as it is. E_CORRUPT: SQLite
   itself cannot read it. */
int store_check_open(struct store **out, const char *path, const char *blobs, struct fault *fault);

/* Set the derived views aside, and later compare with what was folded anew since. */
int views_keep(struct store *store);
int views_compare(struct store *store, struct findings *findings);

/* A damaged database, read as far as it goes: a copy in `scratch` to which the -wal's frames are applied one by one, and whose first page
   is replaced if SQLite cannot read it. Scans skip what cannot be read and what fails its sum. */
struct salvage {
    struct store *store; /* of the copy; NULL when nothing can be read */
    char scratch[4096];
    bool first_page_replaced;
};
int salvage_open(struct salvage *out, const char *path, const char *blobs, struct fault *fault);
void salvage_close(struct salvage *salvage);                                  /* removes the copy */
int salvage_entry(struct salvage *, log_id, uint64_t index, struct buf *out); /* unchecked */
int salvage_notes(struct salvage *, log_id, int (*visit)(void *ctx, enum note_kind, uint64_t size, struct span note),
                  void *ctx);
int salvage_cosignatures(struct salvage *, log_id, cosignature_visit *visit, void *ctx);
int salvage_documents(struct salvage *, int (*visit)(void *ctx, const struct hash *, enum label), void *ctx);
/* Of the rows that are kept as wholes, those of this space that fit their sum. */
int salvage_kept(struct salvage *salvage, struct span space, pair_visit *visit, void *ctx);
int salvage_state(struct salvage *, pair_visit *visit, void *ctx);
/* Every row, good or not, in order of seq; `row` is NULL when it cannot be read or fails its sum. */
int salvage_journal(struct salvage *, int (*visit)(void *ctx, int64_t seq, const struct journal_row *row), void *ctx);

#endif
