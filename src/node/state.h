/* The engine's own state, shared by its files only. One node; a `peer` for every other party; a `held_log` for every party's log. */
#ifndef COMITY_NODE_STATE_H
#define COMITY_NODE_STATE_H

#include "affected/match.h"
#include "base/clock.h"
#include "base/text.h"
#include "format/inventory.h"
#include "node/engine.h"
#include "node/parser.h"
#include "record/wire.h"

enum { BACKOFF_MS_MIN = 200, POLL_MS = 30000, PULL_GRACE_MS = 2000, CALL_TIMEOUT_MS = 15000 };
enum { EARLY_BYTES_MAX = 16 * 1024 * 1024, EARLY_COUNT_MAX = 1024, WANTED_MAX = 1024 };

enum call_kind {
    CALL_NONE,
    CALL_PUSH_CHECKPOINT, /* our log's checkpoint to a mirror */
    CALL_PUSH_ENTRIES,
    CALL_PUSH_DOCUMENT,
    CALL_ANNOUNCE,
    CALL_POLL,      /* GET /checkpoint of a party */
    CALL_PULL_TILE, /* level-1 hashes or the last level-0 tile */
    CALL_PULL_BUNDLE,
    CALL_PULL_DOCUMENT,
    CALL_RECOVER,
    CALL_COMPARE /* GET /mirror/checkpoints of another mirror */
};
struct call {
    uint64_t token;
    enum call_kind kind;
    size_t peer;       /* index in node->peers of whom we asked */
    size_t log;        /* index in node->logs, for pulls */
    uint64_t size;     /* of the checkpoint sent or announced */
    uint64_t standing; /* our standing size when it was announced */
    struct hash hash;  /* of the document */
};

/* A retry clock: exponential back-off with jitter. */
struct retry {
    unsigned failures;
    int64_t at_ms; /* not before; 0 = now */
};

struct peer {
    const struct party *party;
    struct retry push, announce, poll, recover;
    uint64_t push_token, announce_token, poll_token, recover_token; /* 0 = nothing under way */
    bool is_mirror;                                                 /* of the committee: it mirrors our log */
    int64_t missing_since_ms; /* no connection since then; 0 = its last call was answered */
    /* our log at this mirror */
    uint64_t pending_size; /* checkpoint that it has accepted, as far as we know */
    uint64_t next_entry;   /* what it wants next; meaningful while entries are pushed */
    uint64_t target_size;  /* checkpoint that this push is about */
    uint64_t cosigned;     /* greatest size that it has cosigned */
    bool entries_phase;
    uint64_t documents_sent; /* entries below this index had their documents sent early */
    unsigned documents_under_way;
    struct hash document_asked; /* the first that it asked for last time; zero: none */
    /* announcements */
    uint64_t announced_size, announced_standing;
    /* documents that we pull from it */
    unsigned fetching;
    struct retry fetch;
    /* recovery */
    bool answered, absent;
};

/* One document on its way to us. */
struct document_pull {
    struct held_log *log; /* NULL = this place is free */
    struct hash hash;
    uint64_t token;
    uint64_t asked[(PARTIES_MAX + 63) / 64]; /* a bit for each peer that was */
    bool large;
    struct buf partial; /* what arrived before a cut */
};
enum { LARGE_KNOWN_MAX = 64 };
struct document_pulls {
    struct document_pull pulls[DOCUMENT_PULLS_MAX];
    struct hash large_known[LARGE_KNOWN_MAX]; /* the last that turned out to be large */
    size_t large_next, turn;
    uint8_t cursor[64]; /* the row of the view "wanted" that was looked at last */
    bool cursor_set;
    bool more; /* the scan stopped though there is room: it goes on at once */
};

struct pull {
    uint64_t target; /* 0 = nothing to pull */
    struct hash root;
    struct buf note;    /* the note that gave the target */
    bool checked;       /* level-1 hashes lead to the root: bundles can be checked one by one */
    uint64_t first;     /* bundle index of hashes[0] */
    struct buf hashes;  /* level-1 hashes, then the last level-0 tile */
    struct buf partial; /* what arrived of the resource that was cut */
    struct buf staged;  /* short pulls: entries not yet committed, as a bundle stream */
    uint64_t staged_count;
    uint64_t token;
    size_t source; /* rotates over owner and mirrors */
    struct retry retry;
};

/* The last cosignature of a mirror that was checked and kept. */
struct known_cosignature {
    uint64_t size; /* 0 = none */
    struct hash root;
    uint32_t epoch; /* of the mirror's keys */
    bool has_cose;
    uint8_t line[8 + SIGN_BYTES]; /* timestamp and signature, as a note has them */
};

/* What this mirror has taken of a log in one UTC day. */
struct quota_use {
    uint64_t day, entries, bytes;
    bool changed; /* since it was last kept */
};

struct held_log {
    const struct party *party;
    log_id id;
    bool own;
    uint64_t size;            /* entries held */
    struct frontier frontier; /* of size */
    /* as mirror */
    uint64_t pending_size;
    struct hash pending_root;
    uint64_t mirrored_size; /* cosigned by us */
    struct hash mirrored_root;
    uint64_t must_hold; /* once cosigned by us, as the committee remembers: no cosigning below it */
    struct hash must_root;
    struct quota_use quota;
    bool quota_waits; /* the scan that is going on has met a document for which the quota has no room */
    /* signed checkpoints that we know */
    uint64_t signed_size;   /* greatest with the log's signature, entries held */
    uint64_t standing_size; /* greatest with a quorum */
    int64_t standing_instant;
    /* by the mirror's place in the committee: polls and announcements bring the same ones again and again */
    struct known_cosignature known[COMMITTEE_MAX];
    bool two_faces;
    struct hash
        told; /* SHA-256 of the last note of it that was checked and kept: polls bring the same one again and again */
    uint32_t told_epoch;
    uint64_t told_size;
    struct buf composed_from,
        composed; /* the last note that was served, without and with the cosignatures that we have */
    uint32_t composed_epoch;
    struct pull pull;
    /* its last statement, by which its party left the circle; what stands behind it counts no more */
    bool left;
    uint64_t left_index;
    struct hash left_id;
    bool wanted;                 /* the view "wanted" may hold something of this log */
    bool wanted_seen;            /* the scan that is going on has met a row of it */
    struct retry document_retry; /* not before: the writer may be sending them, or nobody has them */
};

struct pending_submission {
    struct sign_statement request;
    struct signed_statement *ready; /* by another party's recovery key: not to be signed here; NULL for our own */
    enum label label;
    struct buf document;
    uint64_t token;
};

struct early_document {
    struct hash hash;
    struct buf bytes;
};

/* Its number is its place. The file, and its components as flat bytes, are in the store. */
struct held_inventory {
    char name[INVENTORY_NAME_MAX + 1], distribution[INVENTORY_NAME_MAX + 1], columns[COLUMNS_BYTES_MAX + 1],
        sector[SECTOR_BYTES_MAX + 1], format[32];
    struct hash hash; /* of the file */
    size_t components, problems;
    bool critical;
    int64_t listed; /* hosted: the hour in which the owner was last shown its notices, since the start */
};

enum { TOLD_PART_BYTES = 16 };

/* All inventories and the advisories that count, matched (matching.c); advisories have the place of their identity as number. */
struct matching {
    struct catalogue *catalogue; /* NULL: there is nothing to match yet */
    struct hash *identities;
    size_t count, cap;
    uint32_t *slots; /* number + 1, by a keyed hash of the identity's first TOLD_PART_BYTES */
    size_t slot_mask;
    uint8_t key[16];
    bool kept;      /* there is a snapshot, and what changes since is written down */
    size_t changes; /* since the snapshot, or the start: about so many steps of an advisory */
    bool due;       /* the views were folded: what the owner was told is compared with what is */
};

/* A key change that counts, where it stood first, and under which checkpoint: the one that a verifier can follow who knows only the changes
   before it. A later one, or another log's copy, may have its quorum by the very keys that the change brought. */
struct applied_change {
    struct hash id;
    size_t log; /* index in node->logs */
    uint64_t index, size;
};

struct node {
    struct env env;
    const struct roster *charter; /* as it was given */
    struct span charter_text;
    struct roster *roster; /* own copy, with the key changes that stand; NULL outside a circle */
    struct arena roster_arena, change_arena;
    struct applied_change changes[ROSTER_CHANGES_MAX]; /* in order */
    size_t change_count;
    bool changes_due;
    const struct party *self; /* NULL outside a circle */
    char party_name[NAME_BYTES_MAX + 1];
    const char *const *channels;
    struct messages *messages; /* NULL: no routes */
    bool notices_fresh;        /* this step has recorded some */
    struct replaced {          /* notices that a later one replaces; loaded when it is first asked for */
        struct hash *list;
        size_t count, cap;
        bool loaded, sorted;
    } replaced;
    int64_t now_ms, poll_ms;
    struct actions *actions;
    bool writing; /* a store batch is open */

    struct peer *peers;
    size_t peer_count;
    struct held_log *logs; /* one for each party, in roster order */
    size_t log_count;
    struct held_log *own;
    struct buf own_note; /* the own log's newest signed checkpoint */
    uint64_t own_note_size;

    struct call *calls;
    size_t call_count, call_cap;
    uint64_t next_token;

    struct pending_submission *pending;
    size_t pending_count, pending_cap;

    struct document_pulls documents;

    struct early_document early[EARLY_COUNT_MAX];
    size_t early_count, early_bytes;

    struct held_inventory *inventories;
    size_t inventory_count, inventory_cap;
    struct hosting *hosting;
    struct matching matching;
    bool refolding;      /* advisories meet inventories when all is folded */
    size_t notices_made; /* since the start */
    size_t handed;       /* notices among this step's actions */
    int64_t hand_after;  /* journal position behind which notices wait to be handed out, while `hand_more` */
    bool hand_more;

    bool recovering, restored, recover_alone;
    size_t recover_needed;
    uint64_t recovered_size; /* newest own checkpoint that the committee knows */
    struct hash recovered_root;
    struct signature recovered_signature;
    bool recovered_signed;           /* it is by the present log key; false: by one that was replaced since */
    struct signer_position ahead;    /* what the signer has signed and nobody holds; size 0: nothing of that kind */
    const char *const *witness_logs; /* vkeys of foreign logs that the owner added, NULL-ended; may be NULL */
    bool
        own_batch; /* the entries being taken were signed a moment ago by our own signer: their signatures need no check */
    uint64_t refused_entries, bodies_unread;
    int failed; /* E_NOMEM once memory ran out where a caller could not be told */
    struct action spare;
    struct call spare_call;

    struct feeds *feeds;
    struct exploited_all *exploited;
    bool state_followed;

    int64_t compare_at_ms; /* 0 = just started */
    uint64_t compare_token;
    size_t compare_turn;
};

/* engine.c */
int64_t now_seconds(const struct node *node);
int write_begin(struct node *node); /* opens the step's batch if none is open */
int write_commit(struct node *node);
struct action *action_add(struct node *node, enum action_kind kind);
struct action *send_add(struct node *node, enum call_kind kind, size_t peer, size_t log, const char *method);
struct call *call_last(struct node *node);
void reply(struct node *node, uint64_t token, int status, const char *content_type, const char *text);
void reply_error(struct node *node, uint64_t token, int status, const struct fault *fault);
void retry_failed(struct node *node, struct retry *retry);
void retry_ok(struct retry *retry);
bool retry_due(const struct node *node, const struct retry *retry);
size_t peer_index(const struct node *node, const struct party *party); /* SIZE_MAX for ourselves */
struct held_log *log_of(struct node *node, const struct party *party);
struct tile_reader log_tiles(struct node *node, struct held_log *log, struct store_tiles *space);
void mirror_key_name(char out[static ORIGIN_BYTES_MAX + 8], const struct party *party);

/* entries.c */
/* Entries [start, end) of a log that is held up to its size, each checked: E_CORRUPT when it is not what the tree says. */
int entries_read(struct node *node, struct held_log *log, uint64_t start, uint64_t end, entry_visit *visit, void *ctx);
/* The entry of this id into an empty `out`: E_CORRUPT when the bytes are another's. */
int entry_read(struct node *node, log_id log, uint64_t index, const struct hash *id, struct buf *out);

/* own_log.c */
void pending_free(struct pending_submission *pending);
/* Takes a statement that another party's recovery key has signed into the own log, with the next flush. */
int entry_ready(struct node *node, struct span statement, const struct hash *document, struct span bytes,
                uint64_t token);
int own_log_open(struct node *node);
int own_note_take(struct node *node, const struct buf *note); /* it is the newest signed checkpoint of the own log */
int ahead_tell(const struct node *node, struct fault *fault); /* E_AHEAD, with the sizes */
/* Leaf hashes of own entries [start, end), calloc'ed; the caller frees them, on failure too. */
int own_leaves(struct node *node, uint64_t start, uint64_t end, struct hash **leaves);
int own_log_flush(struct node *node);
int own_note_keep(struct node *node); /* stores the newest note in the open batch: it needs no fsync of its own */
int submission_take(struct node *node, const struct event *event);
int submission_add(struct node *node, const struct submission *from, uint64_t token); /* of one that may be made */
int submit_internal(struct node *node, const char *media, const char *subject, struct span document);
int note_with_cosignatures(struct node *node, struct held_log *log, struct span note, struct buf *out);

/* receipts.c */
int cosignatures_take(struct node *node, struct held_log *log, const struct note *note,
                      const struct checkpoint *checkpoint, const struct peer *from, struct span cose);
/* The note of exactly this size, signed by the log, into `out`: E_NOTFOUND. */
int note_find(struct node *node, struct held_log *log, uint64_t size, struct buf *out);
void composed_forget(struct held_log *log); /* a cosignature of it was stored */
int note_heard(struct node *node, struct held_log *log, uint64_t size, struct span note_bytes);
int standing_refresh(struct node *node, struct held_log *log);
/* What supports an entry: of the checkpoints over it the one whose quorum completed first; or, while none has a quorum, the one that most
   mirrors have cosigned (of the first such). `noted`: a quorum counts only if the signed checkpoint is held, as a receipt needs. */
struct support {
    uint64_t size;   /* of the checkpoint; 0 = the entry does not stand */
    int64_t instant; /* when its quorum was complete */
    size_t count;
    struct cosigner cosigners[COMMITTEE_MAX];
};
/* The receipt of an entry by the checkpoint of exactly this size. */
int receipt_at(struct node *node, struct held_log *log, uint64_t index, uint64_t size, struct buf *out);
int support_find(struct node *node, struct held_log *log, uint64_t index, bool noted, struct support *out);

/* push.c */
void push_start(struct node *node);
int push_response(struct node *node, const struct call *call, const struct event *event);
void announce_start(struct node *node);

/* quotas.c */
enum { WANTED_BYTES = 16 }; /* a row of the view "wanted": the log's number, the entry's index */
int quota_load(struct node *node, struct held_log *log);
int quotas_keep(struct node *node); /* what was counted in this step, in its batch */
/* Entries from `index` on, or bytes of that one's document, were taken. */
void quota_count(struct node *node, struct held_log *log, uint64_t index, uint64_t entries, uint64_t bytes);
bool quota_spent(const struct node *node, const struct held_log *log);       /* no further entry is taken today */
bool quota_bytes_spent(const struct node *node, const struct held_log *log); /* nor a document */
bool quota_allows(const struct node *node, const struct held_log *log, uint64_t size); /* to follow it up to there */
/* The log whose quota has no room for a document that is wanted; NULL: it may be taken. */
int quota_document(struct node *node, const struct hash *document, struct held_log **refuses);
void quota_refuse(struct node *node, uint64_t token, const struct held_log *log);      /* 429, with the reason */
void quota_json(const struct node *node, const struct held_log *log, struct buf *out); /* ,"quota":{...} at a mirror */
struct quota_use quota_used(const struct node *node, const struct held_log *log);

/* mirror.c */
int mirror_add_checkpoint(struct node *node, const struct event *event);
int mirror_add_entries(struct node *node, const struct event *event);
/* c2sp tlog-witness: does the request's proof lead from (old_size, old_root) to its checkpoint? 200 or 422. */
int consistency_screen(uint64_t old_size, const struct hash *old_root, const struct add_checkpoint *request);
int witness_add_checkpoint(struct node *node, const struct event *event);
int document_offered(struct node *node, const struct event *event);
int announced(struct node *node, const struct event *event);

/* A checkpoint that anybody passed on: checked, compared with what we hold, its cosignatures kept, followed. `status`: 200, or 400 no
   checkpoint, 404 no log of this circle, 403 not signed by that log. */
int checkpoint_heard(struct node *node, struct span note_bytes, int *status);

/* follow.c */
int follow_target(struct node *node, struct held_log *log, struct span note_bytes, const struct checkpoint *checkpoint);
int follow_start(struct node *node);
int follow_response(struct node *node, const struct call *call, const struct event *event);
/* Joins what arrived to what had arrived before a cut. True when it is whole now. */
bool response_join(struct buf *partial, const struct event *event);

/* The next resource that a pull of this log wants, as a path below the log's prefix; false when none is. */
bool follow_wants(const struct node *node, struct held_log *log, char path[static 64]);
/* That resource, however it came: checked like an answer. `taken`: it was the one that is wanted, and it was true. */
int follow_carried(struct node *node, struct held_log *log, struct span path, struct span bytes, bool *taken);

/* hosting.c */
int hosting_load(struct node *node);
void hosting_free(struct node *node);
int hosting_change(struct node *node, const struct event *event);
int hosted_upload(struct node *node, const struct event *event);
int hosted_listed(struct node *node);
struct span hosted_by(struct span inventory); /* the organisation's name; empty: the owner's own inventory */
/* What is kept of a hosted inventory goes through these; `what` names the row. E_NOTFOUND: its organisation is gone. */
int hosted_seal(const struct node *node, struct span inventory, struct span what, struct span plain, struct buf *out);
int hosted_open(const struct node *node, struct span inventory, struct span what, struct span sealed, struct buf *out);
/* Notes that somebody had to do with a hosted inventory; nothing for one of the owner's own. */
int access_note(struct node *node, struct span inventory, const char *what, struct span subject, struct span by);

/* carried.c: what comes on a medium, where there is no link */
int carried(struct node *node, const struct event *event);

/* documents.c */
void document_pulls_open(struct node *node);
void document_pulls_close(struct node *node);
int documents_start(struct node *node);
int64_t documents_due(const struct node *node);
int document_came(struct node *node, const struct call *call, const struct event *event);

/* recover.c */
int recover_begin(struct node *node);
bool recover_asks(const struct node *node, const struct peer *peer); /* its answer is still wanted */
int recover_start(struct node *node);
int recover_response(struct node *node, const struct call *call, const struct event *event);
int recover_check(struct node *node);
/* Signs nothing at all: it does not know yet what it had signed. A node whose signer is ahead still cosigns others' logs. */
bool recover_silent(const struct node *node);
int recover_answer(struct node *node, struct span party, struct buf *out);

/* changes.c: key changes, folded into the roster. View "change": statement id || log number -> log number || index || document hash. */
int change_note(struct node *node, struct held_log *log, uint64_t index, const struct statement *s);
int changes_refresh(struct node *node, bool refold);
int change_offered(struct node *node, const struct event *event);

/* compare.c */
void compare_start(struct node *node);
int compare_response(struct node *node, const struct event *event);
void compare_answer(struct node *node, struct buf *out);

/* fold.c */
int entries_take(struct node *node, struct held_log *log, const struct span *entries, const struct hash *ids,
                 size_t count);
int document_take(struct node *node, const struct hash *hash, enum label label, struct span bytes);
bool document_wanted(struct node *node, const struct hash *hash); /* stated, and not held */
int views_fold(struct node *node); /* drops the views and folds all logs, in the step's batch */
int views_check(struct node *node);
bool document_missing(struct node *node, const struct hash *hash);
struct early_document *early_find(struct node *node, const struct hash *hash);
void early_drop(struct node *node, struct early_document *document);

/* inventories.c. Kept rows: space "inventory" name -> JSON of what is held of it; "file" name -> the file as it came; and, derived, "flat"
   name -> its components (format/flat.h). */
int inventory_take(struct node *node, const struct event *event);
int inventories_load(struct node *node);
void inventories_free(struct node *node);
/* The one of this name, or all of an organisation: what was told of them is taken back. */
int inventories_remove(struct node *node, struct span name);
size_t inventories_of(const struct node *node, struct span organization); /* how many it has here */
/* Its components, in the arena. E_NOTFOUND: the file cannot be read any more. */
int components_read(struct node *node, const struct held_inventory *held, struct inventory *out, struct arena *arena);

/* parser.c: both return errors of the reader or the journal alone. A document that ended its reader is written down ("unread") and from
   then on neither readable nor labelled. */
int document_read(struct node *node, const struct hash *hash, struct span media, struct span document,
                  struct advisory *out, struct arena *arena, bool *readable);
int document_label_tell(struct node *node, const struct hash *hash, struct span media, struct span document,
                        enum label *out);
int document_unread(struct node *node, const struct hash *document, int code); /* writes it down */
size_t documents_unread(struct node *node);
/* The same for a two-faces document; `hash` NULL: it is no stated one. */
int document_faces(struct node *node, const struct hash *hash, struct span document, struct faces_proof *out,
                   struct arena *arena, bool *readable);
/* Bodies that peers sent or answered; those that ended their reader are counted. 0, or an error of the body, or of the reader: E_PARSER,
   E_IO, E_NOMEM. To a requester: the status of an answer (200 for 0) and its reason. */
int body_checkpoint(struct node *node, struct span bytes, struct checkpoint *out, struct note *note);
int body_add_checkpoint(struct node *node, struct span bytes, struct add_checkpoint *out);
int body_texts(struct node *node, struct span json, const char *member, struct texts *out, struct arena *arena);
int body_status(int rc);
const char *body_reason(int rc);

/* followed.c: documents of feeds that the owner follows, in a circle or in none. What a feed says is recorded in the journal ("followed") and
   never reads as a statement of the circle's: it is neither logged nor standing. */
struct followed {
    struct span feed, url, media,
        bytes; /* feed: a label as a party's name; url: of this document, one line, unique within the feed */
    const struct hash *hash; /* of `bytes` */
    int64_t seen;
    const char *hash_checked, *signature; /* by what the source's own hash was, and its signature by whom; NULL: not */
};
/* Keeps the document, which is never served, writes down that it was seen, and lets it count as the feed's. The bytes that were seen there last
   do nothing. What cannot be read as an advisory is kept, counted and written down all the same. E_SYNTAX, E_LIMIT (a field), E_HASH:
   nothing was done; all else is final. */
int advisory_followed(struct node *node, const struct followed *followed);
/* The feed has nothing there any more: the last revision goes on counting, and the record shows it. E_NOTFOUND: it never had. */
int advisory_gone(struct node *node, struct span feed, struct span url, int64_t seen);
struct sighting { /* one row of the journal */
    int64_t seq, seen;
    bool gone;
    struct span feed, url, media;
    struct hash document, id;             /* id: of this sighting, as a statement's */
    const char *hash_checked, *signature; /* while it is recorded */
};
/* What a feed had at a url. */
struct place {
    int64_t seq; /* of the row of what was there last */
    int64_t gone,
        silent; /* instants since when it is gone, and when it changed last without another revision; 0: neither */
    struct hash document, revision; /* revision: of what the advisory says of itself */
    bool readable;
};
int place_get(struct node *node, struct span feed, struct span url, struct place *out); /* E_NOTFOUND */
/* The places of a feed from this url on, in order; other than 0 stops, and counts as an error when it is below 0. */
typedef int place_visit(void *ctx, struct span url, const struct place *place);
int places_scan(struct node *node, struct span feed, struct span from, place_visit *visit, void *ctx);
int sighting_read(struct node *node, int64_t seq, struct sighting *out, struct arena *arena);
int followed_fold(struct node *node); /* all of the journal, in order */
/* 0 when the feed still has what it had at `url`. */
int followed_gone_since(struct node *node, struct span feed, struct span url, int64_t *gone);
struct feed_totals {
    uint64_t documents, unreadable, gone,
        silent; /* of the documents: not to be read, gone, changed without another revision */
};
int feed_totals(struct node *node, struct span feed, struct feed_totals *out); /* E_NOTFOUND: zeroes */
typedef int feed_totals_visit(void *ctx, struct span feed, const struct feed_totals *totals);
int feed_totals_scan(struct node *node, feed_totals_visit *visit, void *ctx);
/* The rows of the journal behind `after`, and what one says; spans live in the arena. */
int followed_scan(struct node *node, int64_t after, journal_visit *visit, void *ctx);
int sighting_parse(const struct journal_row *row, struct sighting *out, struct arena *arena);

/* feeds.c and the other feed files: sources outside of the circle */
int feeds_load(struct node *node);
void feeds_unstated(struct node *node); /* something was seen that is to be stated */
void feeds_free(struct node *node);
int feeds_go_on(struct node *node);
int64_t feeds_due(const struct node *node);
int feeds_fetched(struct node *node, const struct event *event);
int feed_add_take(struct node *node, const struct event *event);
int feed_remove_take(struct node *node, const struct event *event);
int feed_run_take(struct node *node, const struct event *event);
int feed_import_take(struct node *node, const struct event *event);
int feed_refusals_json(struct node *node, struct span feed, struct buf *out); /* an array */
void feeds_json(struct node *node, struct buf *out);                          /* an array */

/* exploited.c */
int exploited_load(struct node *node);
void exploited_free(struct node *node);
/* "known_exploited":{...} if any of these ids is; false, and nothing, when none is. */
bool exploited_json(const struct node *node, const struct span *ids, size_t count, struct buf *out);
bool feeds_known(struct node *node); /* is there one */

/* advisories.c */
int advisory_fold(struct node *node, struct held_log *log, uint64_t index, const struct statement *s,
                  struct span document);
int advisory_sighted(struct node *node, const struct sighting *sighting, const struct advisory *advisory);
/* What names an advisory through all its revisions. `source`: the issuer, or "feed:NAME". */
void advisory_identity(struct span media, struct span source, struct span id, struct hash *out);
/* Calls for each advisory that counts. */
int advisories_scan(struct node *node, int (*visit)(void *ctx, const struct hash *identity), void *ctx);

/* notices.c */
#define NOTICE_CLEARED "no longer affected" /* a notice's verdict beside verdict_names */
/* The advisory that a notice is about, and who says it: a statement in a log, or a feed's document. */
struct notice_source {
    struct held_log *log; /* NULL: of a feed */
    uint64_t index;
    struct hash id, document;  /* id: of the statement, or of the sighting */
    struct hash identity;      /* advisory_identity */
    struct span media, issuer; /* issuer: of a statement */
    struct span feed, url;     /* of a feed's document */
    int64_t seen;
    const struct advisory *advisory;
    bool asked; /* `standing` has been found out, for the first notice */
    struct support standing;
};
/* "state":"...","standing_since":"..." */
void notice_standing_write(const struct support *standing, bool followed, struct buf *out);
bool notice_exists(struct node *node, const struct hash *id);
/* What the owner is told of one component, where it differs from what was told last; NOTICE_CLEARED is VERDICT_NONE. `replaces`: the notice
   that said otherwise, or NULL. */
int notice_record(struct node *node, struct notice_source *source, const struct held_inventory *inventory,
                  enum verdict verdict, const struct evidence *evidence, const struct hash *replaces);
int notices_hand(struct node *node); /* those that wait, as many as a step may have */
/* listing.c */
int notice_replaced(struct node *node, const struct hash *id); /* a notice that replaces this one was recorded */
int notice_acknowledge(struct node *node, const struct event *event);

/* messages.c */
int messages_open(struct node *node, const struct routes *routes);
void messages_close(struct node *node);
int messages_start(struct node *node);         /* hands out what was not delivered */
int messages_step(struct node *node);          /* makes messages of new notices, and of digests that are due */
int64_t messages_due(const struct node *node); /* INT64_MAX: no digest waits */
/* False: the channel is none of the routes'. */
bool message_delivered(struct node *node, const struct event *event, int *rc);
/* The notices of a message: E_NOTFOUND. */
int node_message_notices(struct node *node, const struct hash *id, struct hash out[static MESSAGE_NOTICES_MAX],
                         size_t *count);

int notices_undelivered(struct node *node);
int notice_delivered(struct node *node, const struct event *event);

/* The revision of an advisory that counts, read whole. */
struct stated {
    struct statement statement;
    struct sighting sighting;
    struct advisory advisory;
    struct notice_source source;
    struct buf entry, document;
    struct arena arena;
    bool readable; /* a release that reads more strictly may not read what was folded before */
};
int stated_open(struct node *node, const struct hash *identity, struct stated *out); /* E_NOTFOUND */
void stated_close(struct stated *stated);                                            /* after an error, too */

/* told.c */
struct told {
    uint8_t advisory[TOLD_PART_BYTES], component[TOLD_PART_BYTES];
    enum verdict verdict; /* AFFECTED or UNDECIDED */
    struct hash id;       /* of the notice */
};
typedef int told_visit(void *ctx, const struct told *told); /* 0 or an error */
void told_inventory(struct span name, uint8_t out[static TOLD_PART_BYTES]);
void told_component(const struct component *component, uint8_t out[static TOLD_PART_BYTES]);
int told_put(struct node *node, struct span inventory, const struct hash *advisory,
             const uint8_t component[static TOLD_PART_BYTES], enum verdict verdict, const struct hash *id);
/* Of one inventory, and of one advisory or (NULL) of all: by advisory, then by component. */
int told_scan(struct node *node, struct span inventory, const struct hash *advisory, told_visit *visit, void *ctx);
/* The component that a notice is about, in the arena. */
int told_of(struct node *node, const struct hash *id, struct component *out, struct arena *arena);
int told_fold(struct node *node);

/* matching.c: after each of these, what was told is what is. */
int matching_open(struct node *node); /* of all that is held; what is told since the views were folded, too */
void matching_close(struct node *node);
int matching_refold(struct node *node);                                /* the views were folded */
int advisory_matched(struct node *node, struct notice_source *source); /* it counts now; `source->identity` is set */
struct upload {
    size_t added, removed, unchanged, notices, advisories, affected, undecided;
};
/* The inventory of this number has `now`, and had `before`. */
int inventory_matched(struct node *node, uint32_t number, const struct inventory *before, const struct inventory *now,
                      struct upload *out);

/* owner.c */
int backed_up(struct node *node, const struct event *event);
int leave(struct node *node, const struct event *event);
int leaves_load(struct node *node); /* the view "leave" */
int leave_told(struct node *node, struct held_log *log, uint64_t index,
               const struct hash *id);                                           /* folds the statement */
int own_leave_close(struct node *node);                                          /* the signer must know it, too */
void leave_json(struct node *node, const struct held_log *log, struct buf *out); /* ,"leave":{...}, or nothing */

/* witness.c */
int witness_checkpoint_get(struct node *node, const struct hash *origin_hash, struct buf *out);

/* faces.c */
int faces_check(struct node *node, struct held_log *log, const struct checkpoint *checkpoint, struct span note_bytes,
                bool *conflict);
/* `hash`: of a stated document; NULL of another. */
int faces_told(struct node *node, const struct hash *hash, struct span document);
/* The tree was followed past a checkpoint that was accepted before its entries were there: was that one of this tree? */
int faces_pending(struct node *node, struct held_log *log);
int faces_load(struct node *node); /* what the journal remembers, after a start */
int faces_proven(struct node *node, struct held_log *log, uint64_t old_size, const struct hash *old_root,
                 const struct add_checkpoint *request);

#endif
