/* What the files of the SQLite store share. */
#ifndef COMITY_STORE_SQLITE_H
#define COMITY_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/store.h"

/* Rows that nothing else vouches for carry a sum over all their columns (row_sum, a truncated SHA-256, against decay and not against
   forgers), and each read asks whether it still fits. An entry is read against the leaf in its tile; the index is checked by whoever
   follows it, and the views can be folded again. */
#define NOTE_GOOD "sum IS row_sum('note', log, kind, size, text)"
#define TILE_GOOD "sum IS row_sum('tile', log, level, n, hashes)"
#define DOC_GOOD "sum IS row_sum('document', hash, label, size)"
#define STATE_GOOD "sum IS row_sum('state', key, value)"
#define KEPT_GOOD "sum IS row_sum('kept', space, key, size, value)"
#define JOURNAL_COLUMNS "seq, at, kind, key, body, sum IS row_sum('journal', seq, at, kind, key, body)"
#define COSIG_COLUMNS                                                                                                  \
    "size, root, kid, at, signature, cose,"                                                                            \
    " sum IS row_sum('cosignature', log, size, root, kid, at, signature, cose)"

#define STATEMENT_LIST(X)                                                                                              \
    X(LOG_FIND, "SELECT id FROM log WHERE origin = ?1")                                                                \
    X(LOG_ADD, "INSERT INTO log(origin) VALUES(?1)")                                                                   \
    X(LOG_LAST, "SELECT max(key) FROM entry WHERE key >= ?1 AND key < ?2")                                             \
    X(ENTRY_ADD, "INSERT INTO entry(key, bytes) VALUES(?1, ?2)")                                                       \
    X(ENTRY_GET, "SELECT bytes FROM entry WHERE key = ?1")                                                             \
    X(ENTRY_SCAN, "SELECT key, bytes FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key")                            \
    X(ID_ADD, "INSERT OR IGNORE INTO id_index(hash, key) VALUES(?1, ?2)")                                              \
    X(ID_FIND, "SELECT key FROM id_index WHERE hash = ?1")                                                             \
    X(TILE_PUT, "INSERT OR REPLACE INTO tile(log, level, n, hashes, sum)"                                              \
                " VALUES(?1, ?2, ?3, ?4, row_sum('tile', ?1, ?2, ?3, ?4))")                                            \
    X(TILE_GET, "SELECT hashes, " TILE_GOOD " FROM tile WHERE log = ?1 AND level = ?2 AND n = ?3")                     \
    X(NOTE_PUT, "INSERT OR REPLACE INTO note(log, kind, size, text, sum)"                                              \
                " VALUES(?1, ?2, ?3, ?4, row_sum('note', ?1, ?2, ?3, ?4))")                                            \
    X(NOTE_LATEST, "SELECT size, text, " NOTE_GOOD " FROM note WHERE log = ?1 AND kind = ?2"                           \
                   " ORDER BY size DESC LIMIT 1")                                                                      \
    X(NOTE_FROM, "SELECT size, text, " NOTE_GOOD " FROM note WHERE log = ?1 AND kind = ?2 AND size >= ?3"              \
                 " ORDER BY size LIMIT 1")                                                                             \
    X(COSIG_PUT, "INSERT OR REPLACE INTO cosignature(log, size, root, kid, at, signature, cose, sum)"                  \
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, row_sum('cosignature', ?1, ?2, ?3, ?4, ?5, ?6, ?7))")            \
    X(COSIG_GET, "SELECT " COSIG_COLUMNS " FROM cosignature WHERE log = ?1 AND size = ?2 AND root = ?3 AND kid = ?4")  \
    X(COSIG_SCAN, "SELECT " COSIG_COLUMNS " FROM cosignature"                                                          \
                  " WHERE log = ?1 AND size >= ?2 ORDER BY size, root, kid")                                           \
    X(DOC_PUT, "INSERT OR REPLACE INTO document(hash, label, size, zstd, sum)"                                         \
               " VALUES(?1, ?2, ?3, ?4, row_sum('document', ?1, ?2, ?3))")                                             \
    X(DOC_INFO, "SELECT label, size, " DOC_GOOD " FROM document WHERE hash = ?1")                                      \
    X(DOC_GET, "SELECT size, zstd FROM document WHERE hash = ?1")                                                      \
    X(JOURNAL_ADD, "INSERT INTO journal(seq, at, kind, key, body, sum)"                                                \
                   " SELECT n, ?1, ?2, ?3, ?4, row_sum('journal', n, ?1, ?2, ?3, ?4)"                                  \
                   " FROM (SELECT coalesce(max(seq), 0) + 1 AS n FROM journal)"                                        \
                   " WHERE NOT EXISTS(SELECT 1 FROM journal WHERE kind = ?2 AND key = ?3)")                            \
    X(JOURNAL_FIND, "SELECT " JOURNAL_COLUMNS " FROM journal WHERE kind = ?1 AND key = ?2")                            \
    X(JOURNAL_SCAN, "SELECT " JOURNAL_COLUMNS " FROM journal WHERE kind = ?1 AND seq > ?2 ORDER BY seq")               \
    X(STATE_PUT, "INSERT OR REPLACE INTO state(key, value, sum) VALUES(?1, ?2, row_sum('state', ?1, ?2))")             \
    X(STATE_GET, "SELECT value, " STATE_GOOD " FROM state WHERE key = ?1")                                             \
    X(VIEW_PUT, "INSERT OR REPLACE INTO d_view(view, key, value) VALUES(?1, ?2, ?3)")                                  \
    X(VIEW_GET, "SELECT value FROM d_view WHERE view = ?1 AND key = ?2")                                               \
    X(VIEW_DELETE, "DELETE FROM d_view WHERE view = ?1 AND key = ?2")                                                  \
    X(VIEW_SCAN, "SELECT key, value FROM d_view WHERE view = ?1 AND key >= ?2 ORDER BY key")                           \
    X(VIEW_DROP, "DELETE FROM d_view")                                                                                 \
    X(KEPT_PUT, "INSERT OR REPLACE INTO kept(space, key, size, value, sum)"                                            \
                " VALUES(?1, ?2, ?3, ?4, row_sum('kept', ?1, ?2, ?3, ?4))")                                            \
    X(KEPT_GET, "SELECT size, value, " KEPT_GOOD " FROM kept WHERE space = ?1 AND key = ?2")                           \
    X(KEPT_SCAN, "SELECT size, value, " KEPT_GOOD ", key FROM kept WHERE space = ?1 ORDER BY key")                     \
    X(KEPT_DROP, "DELETE FROM kept WHERE space = ?1 AND key = ?2")                                                     \
    X(KEPT_DROP_ALL, "DELETE FROM kept WHERE space = ?1")                                                              \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                        \
    X(COMMIT, "COMMIT")                                                                                                \
    X(ROLLBACK, "ROLLBACK")

enum statement_id {
#define STATEMENT_ID(id, sql) Q_##id,
    STATEMENT_LIST(STATEMENT_ID)
#undef STATEMENT_ID
        Q_COUNT
};

struct sqlite_store {
    struct store base;
    sqlite3 *db;
    sqlite3_stmt *prepared[Q_COUNT];
    struct ZSTD_CCtx_s
        *packer; /* made when first needed, and kept: to make one costs more than to pack a small document */
    struct ZSTD_DCtx_s *unpacker;
    char *blobs; /* folder for large documents; NULL = all in the database */
    int lock_fd;
    int failed;  /* the first error of disk or memory, of reading too */
    bool batch;  /* between begin and its end */
    bool dead;   /* a change failed: nothing here may be trusted any more */
    bool reader; /* opened by store_sqlite_read: one state, no batches */
};

static inline struct sqlite_store *self_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

/* Remembers an error of disk or memory for `health`, and returns it. */
int store_failed(struct sqlite_store *s, int code);
/* Why `query` gave none. */
static inline int no_query(const struct sqlite_store *s)
{
    return s->failed == E_NOMEM ? E_NOMEM : E_IO;
}
/* A prepared statement, reset and ready for binding; NULL when the store is dead. */
sqlite3_stmt *query(struct sqlite_store *s, enum statement_id id);
/* A statement of the scan's own, to be finalized: a visitor may read, write and scan here too. */
int scan_prepare(struct sqlite_store *s, const char *sql, sqlite3_stmt **q);
/* The same for a scan that is often made: the prepared one, or one of its own while that one is busy. */
int scan_begin(struct sqlite_store *s, enum statement_id id, sqlite3_stmt **q);
void scan_end(struct sqlite_store *s, enum statement_id id, sqlite3_stmt *q);
void bind_span(sqlite3_stmt *q, int at, struct span bytes); /* as a blob */
struct span column(sqlite3_stmt *q, int at);
int step_done(struct sqlite_store *s, sqlite3_stmt *q); /* runs a change: 0 or the error */
int step_row(struct sqlite_store *s, sqlite3_stmt *q);  /* 0 = a row, E_NOTFOUND = none, or the error */
int sqlite_code(int rc);
int row_sum_register(sqlite3 *db); /* gives a connection the function row_sum: 0, or SQLite's error */
int sqlite_schema_version(sqlite3 *db, int *version);           /* E_CORRUPT: not a database */
int journal_row_read(sqlite3_stmt *q, struct journal_row *row); /* of a query for JOURNAL_COLUMNS; E_CORRUPT */

bool sqlite_schema_is_ours(sqlite3 *db); /* the text of every table and index is as this release makes it */

extern const struct store_ops sqlite_ops;

/* How to open: with the lock; founding and migrating; leaving the -wal as it is when it is closed. */
enum { STORE_LOCK = 1, STORE_CREATE = 2, STORE_KEEP_WAL = 4 };
int store_open_as(struct store **out, const char *path, const char *blobs, unsigned how, struct fault *fault);

/* sqlite_log.c */
int sl_log_open(struct store *, struct span origin, bool create, log_id *);
int sl_log_size(struct store *, log_id, uint64_t *);
int sl_log_list(struct store *, int (*visit)(void *, log_id, struct span), void *);
int sl_entries_append(struct store *, log_id, const struct span *, const struct hash *, size_t);
int sl_entry_get(struct store *, log_id, uint64_t, struct buf *);
int sl_entries_scan(struct store *, log_id, uint64_t, uint64_t, entry_visit *, void *);
int sl_entry_find(struct store *, const struct hash *, log_id *, uint64_t *);
int sl_tile_get(struct store *, log_id, unsigned, uint64_t, unsigned, struct hash *);
int sl_note_put(struct store *, log_id, enum note_kind, uint64_t, struct span);
int sl_note_latest(struct store *, log_id, enum note_kind, uint64_t *, struct buf *);
int sl_note_at_least(struct store *, log_id, enum note_kind, uint64_t, uint64_t *, struct buf *);
int sl_cosignature_put(struct store *, log_id, const struct stored_cosignature *);
int sl_cosignatures(struct store *, log_id, uint64_t, cosignature_visit *, void *);
int entry_raw(struct sqlite_store *s, log_id, uint64_t index, struct buf *out); /* as it is, unchecked */
int cosignature_row(sqlite3_stmt *q, struct stored_cosignature *c);             /* of COSIG_COLUMNS; E_CORRUPT */
/* sqlite_document.c */
int folder_sync(const char *folder); /* what was made in it lasts */
int sd_put(struct store *, const struct hash *, enum label, struct span);
int sd_info(struct store *, const struct hash *, struct stored_document *);
int sd_get(struct store *, const struct hash *, struct buf *);
/* sqlite_journal.c */
int sj_append(struct store *, int64_t, struct span, struct span, struct span, int64_t *);
int sj_find(struct store *, struct span, struct span, journal_visit *, void *);
int sj_scan(struct store *, struct span, int64_t, journal_visit *, void *);
int sj_state_put(struct store *, struct span, struct span);
int sj_state_get(struct store *, struct span, struct buf *);
int sj_view_put(struct store *, struct span, struct span, struct span);
int sj_view_get(struct store *, struct span, struct span, struct buf *);
int sj_view_delete(struct store *, struct span, struct span);
int sj_view_scan(struct store *, struct span, struct span, pair_visit *, void *);
int sj_views_drop(struct store *);
int sj_views_dump(struct store *, pair_visit *, void *);
/* sqlite_kept.c */
int sk_put(struct store *, struct span, struct span, struct span);
int sk_get(struct store *, struct span, struct span, struct buf *);
int sk_scan(struct store *, struct span, pair_visit *, void *);
int sk_drop(struct store *, struct span, struct span);
int kept_row(struct sqlite_store *s, sqlite3_stmt *q, struct buf *out); /* size, value, good */

#endif
