/* The seam to storage. One writer. Reads see what the current batch has written. Nothing is durable before `commit` returns 0;
   after an error from commit the store must be closed and recovered, never retried. Keys: a log is a small number for an origin. */
#ifndef COMITY_STORE_STORE_H
#define COMITY_STORE_STORE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "crypto/sign.h"
#include "record/tree.h"

typedef int64_t log_id; /* > 0 */

enum note_kind {
    NOTE_SIGNED, /* a checkpoint with the log's own signature, of a log we follow or own: entries up to its size are held */
    NOTE_PENDING,  /* as mirror: accepted by add-checkpoint, entries not all held yet */
    NOTE_MIRRORED, /* as mirror: the mirror checkpoint, cosigned by us */
    NOTE_HEARD /* signed, and with cosignatures that we keep; whether it is of the tree that we hold shows when we do */
};
struct stored_cosignature {
    uint64_t size;
    struct hash root, kid; /* kid of the mirror key */
    int64_t timestamp;
    struct signature signature;
    bool has_cose; /* a COSE receipt signature by the same mirror over the same (origin, size, root) */
    struct signature cose;
};
enum label { LABEL_OPEN, LABEL_MEMBERS, LABEL_CLOSED, LABEL_SEALED }; /* who may be served a document */
struct stored_document {
    enum label label;
    size_t size;
};
struct journal_row {
    int64_t seq, at;
    struct span kind, key, body;
};
typedef int entry_visit(void *ctx, uint64_t index, struct span bytes); /* non-zero stops and is returned */
typedef int cosignature_visit(void *ctx, const struct stored_cosignature *c);
typedef int journal_visit(void *ctx, const struct journal_row *row);
typedef int pair_visit(void *ctx, struct span key, struct span value);

struct store {
    const struct store_ops *ops;
};
struct store_ops {
    void (*close)(struct store *);
    /* 0, or the first error of disk, memory or SQLite since it was opened, of any call, reading too: who passed over it hears of it
       here. A row or document that fails its own check is not one: the call says so, and others can still be read. */
    int (*health)(struct store *);
    int (*begin)(struct store *);
    int (*commit)(struct store *); /* durable when it returns 0; E_FULL and E_IO are final for this store */
    int (*rollback)(struct store *);

    int (*log_open)(struct store *, struct span origin, bool create, log_id *id); /* E_NOTFOUND unless create */
    int (*log_size)(struct store *, log_id, uint64_t *size);                      /* entries held, contiguous from 0 */
    int (*log_list)(struct store *, int (*visit)(void *ctx, log_id, struct span origin), void *ctx);

    /* Appends at the log's size: entries, the hash index (first index of an id wins) and the tiles, all in the batch. */
    int (*entries_append)(struct store *, log_id, const struct span *entries, const struct hash *ids, size_t count);
    int (*entry_get)(struct store *, log_id, uint64_t index, struct buf *out);
    int (*entries_scan)(struct store *, log_id, uint64_t start, uint64_t end, entry_visit *, void *ctx);
    int (*entry_find)(struct store *, const struct hash *id, log_id *log,
                      uint64_t *index); /* lowest index of that id */
    int (*tile_get)(struct store *, log_id, unsigned level, uint64_t index, unsigned width, struct hash *out);

    int (*note_put)(struct store *, log_id, enum note_kind, uint64_t size,
                    struct span note); /* replaces the same size */
    int (*note_latest)(struct store *, log_id, enum note_kind, uint64_t *size, struct buf *out); /* greatest size */
    int (*note_at_least)(struct store *, log_id, enum note_kind, uint64_t size, uint64_t *found,
                         struct buf *out); /* least size >= */

    /* The earliest timestamp of a mirror for one (size, root) stays; a COSE signature is added to an existing row. */
    int (*cosignature_put)(struct store *, log_id, const struct stored_cosignature *);
    int (*cosignatures)(struct store *, log_id, uint64_t from_size, cosignature_visit *,
                        void *ctx); /* ordered by size, root, kid */

    int (*document_put)(struct store *, const struct hash *, enum label, struct span bytes);
    int (*document_info)(struct store *, const struct hash *, struct stored_document *); /* E_NOTFOUND */
    int (*document_get)(struct store *, const struct hash *, struct buf *out); /* checked against the hash: E_CORRUPT */

    /* Private record. `key` is unique within `kind`: a second append with the same key is E_EXISTS and changes nothing. */
    int (*journal_append)(struct store *, int64_t at, struct span kind, struct span key, struct span body,
                          int64_t *seq);
    int (*journal_find)(struct store *, struct span kind, struct span key, journal_visit *, void *ctx); /* E_NOTFOUND */
    int (*journal_scan)(struct store *, struct span kind, int64_t after_seq, journal_visit *, void *ctx);

    /* Small durable state of the node that is neither log nor journal (peers' positions); and derived views (rebuilt at will). */
    int (*state_put)(struct store *, struct span key, struct span value);
    int (*state_get)(struct store *, struct span key, struct buf *out); /* E_NOTFOUND */
    int (*view_put)(struct store *, struct span view, struct span key, struct span value);
    int (*view_get)(struct store *, struct span view, struct span key, struct buf *out);
    int (*view_delete)(struct store *, struct span view, struct span key);
    int (*view_scan)(struct store *, struct span view, struct span from_key, pair_visit *,
                     void *ctx); /* keys >= from, in order */
    int (*views_drop)(struct store *);
    int (*views_dump)(struct store *, pair_visit *, void *ctx); /* every (view \0 key, value) in order */

    /* What is private, large, and replaced as a whole, packed (zstd): an inventory's file; and what is derived from such, but no view. */
    int (*kept_put)(struct store *, struct span space, struct span key,
                    struct span value);                                                   /* E_LIMIT: KEPT_BYTES_MAX */
    int (*kept_get)(struct store *, struct span space, struct span key, struct buf *out); /* E_NOTFOUND, E_CORRUPT */
    int (*kept_scan)(struct store *, struct span space, pair_visit *, void *ctx);         /* all of a space, by key */
    int (*kept_drop)(struct store *, struct span space, struct span key);                 /* data NULL: the space */
};

/* SQLite: `path` of state.db and the folder for large documents. Takes an exclusive lock: E_LOCKED. Migrates forward; a newer
   schema is E_UNSUPPORTED. */
int store_sqlite_open(struct store **out, const char *path, const char *blobs, struct fault *fault);
int store_sqlite_schema(void); /* the version that this release writes */

/* Reading beside a running node (SQLite): every read sees the one state that was durable at the opening, and the node goes on
   writing. Takes no lock and changes nothing; a change is E_IO. `immutable`: the file is nobody's, such as a copy on a medium that
   is read-only. E_UNSUPPORTED when the schema is not this release's. The reads of store_ops work, batches are empty. */
int store_sqlite_read(struct store **out, const char *path, const char *blobs, bool immutable, struct fault *fault);
typedef void store_progress(void *ctx, uint64_t done, uint64_t total);
/* Copies what a reader sees to a new file, as one plain durable database (SQLite's online backup). Blobs are not copied. */
int store_sqlite_copy(struct store *reader, const char *path, store_progress *progress, void *ctx, struct fault *fault);
/* SQLite's own check of the file that a reader has open: `quick` leaves out the indices. E_CORRUPT with what it found first. */
int store_sqlite_check(struct store *reader, bool quick, struct fault *fault);
/* The documents that are files in the blobs folder, by hash; and the whole journal, in order. */
typedef int file_visit(void *ctx, const struct hash *hash);
int store_sqlite_files(struct store *reader, file_visit *visit, void *ctx);
int store_sqlite_journal(struct store *reader, journal_visit *visit, void *ctx);

/* In memory, for the simulator and tests: `crash` returns to the last commit. */
int store_memory_open(struct store **out);
void store_memory_crash(struct store *);

/* A tile reader over one stored log. */
struct store_tiles {
    struct store *store;
    log_id log;
};
struct tile_reader store_tile_reader(struct store_tiles *tiles);

#endif
