/* Sources outside of the circle that the owner follows: what is known of each, and the run that asks it. Only the feed files include this.

   A run reads the lists that the owner's URL leads to, one after another; then it fetches the documents that are new or changed there, a few
   at once; then it writes down what is gone. What was taken is remembered at once, so that a run that ends in the middle is no loss: the next
   one finds less to do. Whatever a list names is asked for only on a host that the owner, or the metadata of the feed, has named. */
#ifndef COMITY_NODE_FEEDS_H
#define COMITY_NODE_FEEDS_H

#include "format/url.h"
#include "node/state.h"

enum {
    FEED_EVERY_S = 3600,
    FEED_EVERY_S_MIN = 60,
    FEED_EVERY_S_MAX = 30 * 86400,
    FEED_BACKOFF_S_MIN = 60,
    FEED_TITLE_BYTES = 128,
    FEED_PROBLEM_BYTES = 320,
    FEED_TRIES_MAX = 4,             /* of one request in a run */
    FEED_FAILURES_MAX = 8,          /* of documents one after another; then the run ends */
    FEED_RECHECK_MAX = 16,          /* documents asked for again in each run although the list shows no change */
    FEED_STEP_DOCUMENTS = 64,       /* of an archive, taken in one step */
    FEED_CHUNK_BYTES = 1024 * 1024, /* of an archive, fetched at once */
    FEED_DOCUMENT_MS = 120000,
    FEED_LIST_MS = 120000,
    FEED_SMALL_BYTES = 4096, /* a hash file */
    LISTING_UNKNOWN = -1
};

/* What a run has met. */
struct feed_counts {
    uint64_t listed, asked, taken, same, gone, refused, failed,
        problems; /* problems: rows of lists that could not be read */
};

struct feed {
    char name[NAME_BYTES_MAX + 1], url[FOLLOWED_URL_MAX + 1];
    bool inside; /* may lie in a private network */
    char fingerprint
        [FINGERPRINT_BYTES]; /* of the OpenPGP key that the owner gave (state "feed-key/NAME"); empty: none */
    bool url_inside;         /* its URL names an address of one */
    int64_t every_s, added, tried, succeeded, due; /* instants; 0: never */
    unsigned failures;                             /* runs since the last good one */
    int kind;                                      /* enum listing_kind of what the URL has, or LISTING_UNKNOWN */
    char title[FEED_TITLE_BYTES];
    uint64_t taken, refused;          /* since it was added */
    struct feed_counts last;          /* of the last run that ended */
    char problem[FEED_PROBLEM_BYTES]; /* the first of that run; empty: none */
    struct feed_run *run;             /* NULL: none is going on */
};

/* What is kept of a URL between runs: which of it we have. */
struct feed_tag {
    uint64_t
        stamp; /* the list's own word on the document's state: its instant, or an archive's CRC and size; 0: none */
    char etag[FETCH_TAG_BYTES], modified[FETCH_DATE_BYTES];
};

struct feed_source {      /* one list */
    struct span tries[5]; /* URLs, the first that answers with a list counts */
    size_t try_count, at;
    unsigned depth;
    bool trusted;       /* its documents all have hashes */
    bool unconditional; /* what it has is wanted even if it has not changed */
    bool same, read;
    int kind;
    struct feed_tag tag; /* of what was read */
};
struct feed_item { /* one document */
    struct span url, hash_url, signature_url;
    uint64_t stamp;
    uint32_t source;
    bool guess_hash;      /* no list names its hash file, but there may be one beside it */
    bool wanted, again;   /* again: the list shows no change; only what is not as it was is taken */
    struct listed listed; /* of an archive */
};
enum feed_stage {
    FEED_FREE,
    FEED_LIST,
    FEED_DOCUMENT,
    FEED_HASH,
    FEED_SIGNATURE,
    FEED_TAIL,
    FEED_DIRECTORY,
    FEED_CHUNK
};
struct feed_task { /* one request, or what it brought */
    enum feed_stage stage;
    uint64_t token; /* under way; 0: it is to be sent when `at_ms` has come */
    int64_t at_ms;
    struct fetch fetch;
    size_t body_max;
    unsigned tries, redirects;
    size_t item, end; /* an archive's chunk: [item, end) */
    uint64_t base;    /* where `body` begins in the archive */
    bool whole;       /* the chunk is here, and is being taken */
    struct buf partial, document;
    bool signed_well;   /* by the key that the owner gave */
    struct fetched got; /* spans into `tag` */
    struct feed_tag tag;
    uint8_t hash[64];
    size_t hash_len;
};
struct feed_run {
    struct arena arena;
    bool check;
    struct feed_counts counts;
    char problem[FEED_PROBLEM_BYTES];
    struct feed_source *sources;
    size_t source_count, source_at;
    struct url hosts[FEED_HOSTS_MAX];
    size_t host_count;
    struct feed_item *items;
    size_t item_count, item_cap, item_next;
    bool listed;       /* all lists are read */
    bool broken;       /* a list, or too many documents, could not be had */
    bool full;         /* more documents were named than one feed may have */
    bool no_hashes;    /* a document had no hash file beside it: the others are not asked for theirs */
    unsigned failures; /* of documents, one after another */
    uint64_t archive_total;
    struct feed_tag archive_tag;
    struct zip_end archive_end;
    struct feed_task tasks[FEED_CALLS_MAX];
};
struct feeds {
    struct feed *list[FEEDS_MAX];
    size_t count;
    uint64_t next_token;
    bool unstated;   /* there may be more in the journal than is stated */
    int64_t stated;  /* journal position up to which a statement of ours tells what was seen */
    int64_t stating; /* ... once the statements that wait are in the log; 0: none wait */
};

/* feeds.c */
struct feed *feed_of(struct node *node, struct span name);
int feed_save(struct node *node, const struct feed *feed);
int feed_tag_get(struct node *node, const struct feed *feed, struct span url, struct feed_tag *out);
int feed_tag_put(struct node *node, const struct feed *feed, struct span url, const struct feed_tag *tag);

int feed_key_get(struct node *node, const struct feed *feed, struct buf *out);

/* feed_run.c */
int feed_run_begin(struct node *node, struct feed *feed, bool check);
void feed_run_free(struct feed *feed);
int feed_run_go_on(struct node *node, struct feed *feed);
int feed_run_fetched(struct node *node, struct feed *feed, struct feed_task *task, const struct event *event);
int64_t feed_run_due(const struct node *node, const struct feed *feed); /* ms; INT64_MAX: it waits for answers */
unsigned feed_run_calls(const struct feed *feed);                       /* under way */
void feed_problem(struct feed_run *run, struct span url, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool feed_host_allowed(const struct feed *feed, const struct url *url);
/* Makes the task ask for this URL, now. */
void feed_task_ask(struct node *node, struct feed_task *task, enum feed_stage stage, struct span url, size_t body_max);
void feed_task_free(struct feed_task *task);
struct feed_item *feed_item_add(struct feed_run *run); /* NULL: no memory, or too many */

int feed_root_add(struct feed *feed); /* where the owner's URL leads */
/* feed_list.c: what an answer to FEED_LIST says */
int feed_list_take(struct node *node, struct feed *feed, struct feed_task *task, struct span body);
int feed_items_settle(struct node *node, struct feed *feed); /* once all lists are read: what is wanted */
int feed_sweep(struct node *node, struct feed *feed);        /* what is gone */

/* feed_archive.c */
bool feed_is_archive(struct span url);
void feed_archive_begin(struct node *node, struct feed_task *task, struct span url);
int feed_archive_came(struct node *node, struct feed *feed, struct feed_task *task, const struct event *event);
void feed_chunk_ask(struct node *node, struct feed *feed, struct feed_task *task); /* of the next wanted items */
int feed_chunk_take(struct node *node, struct feed *feed, struct feed_task *task); /* some of what it holds */

/* feed_take.c */
struct feed_document {
    struct span url, bytes;
    const char *hash_checked, *signature;
};
enum feed_taken { FEED_TAKEN, FEED_SAME };
int feed_take(struct node *node, struct span feed, const struct feed_document *document, enum feed_taken *taken);
/* Writes down, once, that what is at `url` was not taken, and why. `document`: NULL when there was none. */
int feed_refuse(struct node *node, struct span feed, struct span url, const struct hash *document, int code,
                const char *format, ...) __attribute__((format(printf, 6, 7)));

/* exploited.c */
int exploited_take(struct node *node, struct span feed, struct span url, struct span bytes,
                   const struct listing *listing, enum feed_taken *taken);

/* seen.c */
int seen_state(struct node *node);

#endif
