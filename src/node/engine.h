/* One party's engine: step(node, event, now) -> actions. It opens no socket, reads no clock and knows no SQL: storage, the signer and
   randomness come in through one environment, and everything for the network goes out as actions whose results come back as events.
   Store and signer calls are made inside a step, synchronously: they are local, and a step that has returned has committed. */
#ifndef COMITY_NODE_ENGINE_H
#define COMITY_NODE_ENGINE_H

#include "base/limits.h"
#include "circle/roster.h"
#include "notify/route.h"
#include "signer/signer.h"
#include "store/store.h"

struct parser;

struct env {
    struct store *store;
    struct signer *signer;
    struct parser *parser;         /* node/parser.h; NULL: documents are read in this process */
    uint64_t (*random)(void *ctx); /* for jitter only */
    int64_t (*clock)(void *ctx); /* wall clock in seconds, for what is recorded; it may jump. NULL: that of node_step */
    void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t all); /* of what takes long; may be NULL */
    void *ctx;
};

/* Requests of peers that change something, already read whole by the shell; reading requests are served by node/serve.h. */
enum request_kind {
    REQ_MIRROR_ADD_CHECKPOINT,  /* POST /mirror/add-checkpoint */
    REQ_MIRROR_ADD_ENTRIES,     /* POST /mirror/add-entries */
    REQ_WITNESS_ADD_CHECKPOINT, /* POST /witness/add-checkpoint */
    REQ_PUT_DOCUMENT,           /* PUT /documents/{sha256}; `hash` is set */
    REQ_ANNOUNCE,               /* POST /announce: a checkpoint note with whatever cosignatures the sender has */
    REQ_KEY_CHANGE,             /* POST /key-change: a statement by a recovery key, with its document */
    REQ_HOSTED                  /* PUT /hosted/...: an EVENT_HOSTED, once its signature is checked */
};

enum event_kind_node {
    EVENT_START,     /* first event of a process */
    EVENT_TICK,      /* nothing happened, but `now` has reached the due instant */
    EVENT_FLUSH,     /* end of a round of events: commit what was submitted (group commit) */
    EVENT_SUBMIT,    /* the owner states documents: `submissions` */
    EVENT_REQUEST,   /* a peer's request: answered by ACTION_REPLY with the same token */
    EVENT_RESPONSE,  /* the result of an ACTION_SEND */
    EVENT_INVENTORY, /* the owner adds or replaces an inventory: `name`, `body` = file bytes, `media` = distribution, `columns`, `critical`, `sector` */
    EVENT_DELIVERED, /* a notice or message was handed over: `name` = the channel's, `hash` = its id */
    EVENT_ACK, /* somebody takes care: `hash` = of a notice, or of a message with all of its; `name` = who, `body` = a note */
    EVENT_ABSENT,    /* the owner says that these committee members will not answer: `name` (recovery) */
    EVENT_LEAVE,     /* the owner leaves the circle: `name` = own party, as confirmation; `body` = reason */
    EVENT_BACKED_UP, /* the owner has made a backup: `hash` = its id, `body` = what is kept of it (JSON) */
    EVENT_FETCHED,   /* the result of an ACTION_FETCH: `status`, `body`, `fetched` */
    EVENT_FEED_ADD,  /* the owner follows a feed: `name`, `media` = its URL, `body` = an OpenPGP key or empty, `feed` */
    EVENT_FEED_REMOVE, /* `name` */
    EVENT_FEED_RUN,    /* now, and not when it is due: `name`, `feed` */
    EVENT_FEED_IMPORT, /* documents that the owner has at hand: `name`; `body`: as feed_import.c takes them apart */
    EVENT_HOSTING, /* the owner hosts an organisation: `body` = its key, `hash` = random; or no longer: no body, `name` */
    EVENT_HOSTED, /* an organisation's signed upload: `name` = ORGANIZATION/NAME, `media` = distribution, `body` (empty: it withdraws
                        the inventory), `signed_at` */
    EVENT_LISTED, /* the owner has been shown the notices */
    EVENT_CARRIED /* one file of a bundle that was carried here: `name` = party whose log it is of (empty: a document),
                        `media` = its path ("checkpoint", "tile/...", "documents/HASH"), `body` */
};
struct submission {
    char media[MEDIA_BYTES_MAX];
    char subject[SUBJECT_BYTES_MAX];
    enum label label;
    struct span document;
    size_t answer_count;
    struct hash answers[STATEMENT_ANSWERS_MAX];
};
enum response_status {
    RESPONSE_TOO_LARGE = -2, /* the body is larger than the action's body_max */
    RESPONSE_CUT = -1,       /* cut in mid-body (body = what arrived) */
    RESPONSE_NONE = 0        /* no connection, or no answer */
};
/* What a source said beside the body of its answer; each text may be empty. */
struct fetched {
    struct span etag, modified, location; /* ETag, Last-Modified, Location */
    uint64_t from, total; /* Content-Range: where the body begins, and the size of the whole; 0: not said */
    uint64_t retry_after_s;
};
struct feed_order {   /* of the owner */
    bool inside;      /* the feed may lie in a private network */
    bool check;       /* ask again for every document, whatever the list says */
    uint64_t every_s; /* 0: as is usual */
};
struct event {
    enum event_kind_node kind;
    uint64_t token; /* names the request or submission in the reply */
    enum request_kind request;
    struct span body; /* of a request, response or inventory; lives for the step only */
    struct hash hash;
    const struct submission *submissions;
    size_t submission_count;
    int status;                       /* EVENT_RESPONSE: HTTP status, or one of `response_status` */
    struct span content_type, header; /* EVENT_RESPONSE: Content-Type, Comity-Receipt */
    struct span name, media, sector, columns;
    bool critical;
    const struct fetched *fetched;
    const struct feed_order *feed;
    int64_t signed_at; /* EVENT_HOSTED: seconds, by the organisation's clock */
};

enum action_kind {
    ACTION_SEND,   /* an HTTP request to a peer */
    ACTION_REPLY,  /* the answer to EVENT_REQUEST (HTTP) or EVENT_SUBMIT / EVENT_INVENTORY (JSON body) */
    ACTION_FETCH,  /* a GET to a source outside of the circle: `fetch`, `body_max`, `timeout_ms` */
    ACTION_NOTICE, /* a new notice is durable: deliver it by every channel (shell), under its id */
    ACTION_MESSAGE /* so is a message: deliver it by `channel`, under its id; node_message_write gives its bytes */
};
enum { FETCH_TAG_BYTES = 128, FETCH_DATE_BYTES = 40 };
struct fetch {
    char url[FOLLOWED_URL_MAX + 1];
    char etag[FETCH_TAG_BYTES];   /* If-None-Match, or with `from` If-Range; empty: none */
    char since[FETCH_DATE_BYTES]; /* If-Modified-Since; empty: none */
    uint64_t from, to;            /* the bytes [from, to) by Range; `to` 0: to the end; both 0: all */
    uint64_t last;                /* or so many at the end; 0: not */
    bool inside;                  /* an address of this machine or of a private network will do */
};
struct action {
    enum action_kind kind;
    uint64_t token;
    const struct party *peer;     /* SEND */
    const char *method;           /* SEND: "GET", "POST", "PUT" */
    char path[160];               /* SEND: appended to the peer's base URL */
    const char *content_type;     /* SEND, REPLY */
    bool packable;                /* SEND: the receiver takes gzip (the shell decides, and sets content_encoding) */
    const char *content_encoding; /* SEND: "gzip", or NULL */
    char header[96];              /* REPLY: value of Comity-Receipt, or empty */
    uint64_t range_from;          /* SEND: ask for the bytes from here on (Range); 0 = all */
    size_t body_max;              /* SEND: largest answer accepted */
    unsigned timeout_ms;          /* SEND */
    int status;                   /* REPLY: HTTP status */
    unsigned retry_after;         /* REPLY: seconds; 0 = as the shell thinks fit */
    struct buf body;              /* SEND, REPLY, NOTICE (JSON); freed by actions_clear */
    const struct fetch *fetch;    /* FETCH: until the next step */
    struct hash hash;             /* NOTICE, MESSAGE: its id */
    uint32_t channel;             /* MESSAGE: in the configuration's routes */
};
struct actions {
    struct action *list;
    size_t count, cap;
};
void actions_clear(struct actions *actions); /* frees bodies and the list */

struct node;
struct node_config {
    const struct roster *roster;     /* as the charter file has it; NULL: in no circle yet, only inventories work */
    struct span charter;             /* the charter file's text, a charter or bundle, for node_bundle; may be empty */
    struct span party;               /* own name */
    int64_t poll_ms;                 /* how often each party is asked for news that no announcement told; 0 = POLL_MS.
                                        A call that fails is tried again at least every two of these */
    bool reader;                     /* the store only reads: nothing is matched, and no step is made */
    bool recover_alone;              /* owner's explicit act: do not wait for absent mirrors */
    const char *const *witness_logs; /* vkeys of foreign logs to witness, NULL-ended; may be NULL */
    bool state_followed;             /* in a circle: state what was seen at the feeds, and when */
    const char *const *
        channels; /* names of the notice channels that the shell serves, NULL-ended ("command", "webhook"); may be NULL */
    const struct routes *routes; /* by which messages go out; may be NULL. Must outlive the node */
};
int node_open(struct node **out, const struct env *env, const struct node_config *config, struct fault *fault);
void node_close(struct node *node);
/* Before a clean stop: keeps what makes the next start quick. Nothing is lost without it. */
int node_rest(struct node *node);
/* The roster as it stands, with the key changes that the node knows of: the same parties at the same places for the node's life. NULL in no
   circle. */
const struct roster *node_roster(const struct node *node);

/* Returns 0, or an error after which the process must stop and recover (store or signer failed). now_ms: milliseconds of a clock that
   never goes back. */
int node_step(struct node *node, const struct event *event, int64_t now_ms, struct actions *actions);
/* 0, or the error after which nothing that this node says may be trusted: the next step ends with it. To be asked after each view. */
int node_sound(const struct node *node);
/* The next instant (ms) at which a step with EVENT_TICK would do something. */
int64_t node_due(const struct node *node);
/* Submissions wait for a flush. */
bool node_wants_flush(const struct node *node);

/* Views for the API, appended as JSON. Pure reads. */
void node_status_json(struct node *node, int64_t now_ms, struct buf *out);
int node_statement_json(struct node *node, const struct hash *id, struct buf *out,
                        struct fault *fault); /* state: logged | standing, receipts' facts; E_NOTFOUND */
int node_receipt(struct node *node, const struct hash *id, bool cose, struct buf *out, struct fault *fault);
/* The charter bundle: what a verifier needs offline, roster changes included. */
int node_bundle(struct node *node, struct buf *out, struct fault *fault);
/* When the signer has signed more of the own log than anybody holds: how much (0: it has not), and its checkpoint of that, as the proof
   of what is missing. */
uint64_t node_ahead(const struct node *node);
int node_ahead_note(struct node *node, struct buf *out, struct fault *fault);
/* Reading requests of peers and anybody: checkpoints, tiles, documents, SCRAPI. `path` without query. Returns an HTTP status. */
struct served {
    int status;
    const char *content_type;
    bool immutable; /* may be cached for ever */
    char location[160];
    struct buf body;
};
void node_serve(struct node *node, struct span path, bool member, struct served *out);
/* What would be taken if it were carried here: for each log its size and the next resource, and documents (at most CARRIED_DOCUMENTS_MAX)
   behind the key `after`, 128 hex digits or empty. */
enum { CARRIED_DOCUMENTS_MAX = 1000 };
int node_wants_json(struct node *node, struct span after, struct buf *out, struct fault *fault);
/* Notices as a JSON array in the journal's order, each with what its statement is now, and what became of it. */
struct notice_filter {
    int64_t after, since;            /* journal position; instant of recording (seconds) */
    uint64_t limit;                  /* 0: all */
    struct span inventory, advisory; /* empty: any */
    int verdict;                     /* enum notice_verdict; -1: any */
    bool open;                       /* neither acknowledged nor replaced */
};
extern const struct notice_filter notice_filter_all;
int node_notices_json(struct node *node, const struct notice_filter *filter, struct buf *out);
int node_notices_atom(struct node *node, struct buf *out); /* the newest ATOM_ENTRIES_MAX, RFC 4287 */
/* The bytes of a message for a channel: JSON, or mail from this address. E_NOTFOUND. */
int node_message_write(struct node *node, const struct hash *id, uint32_t channel, const char *mail_from,
                       struct buf *out);
/* The feeds that are followed, and one with its documents behind the URL `after`; E_NOTFOUND. */
void node_feeds_json(struct node *node, struct buf *out);
int node_feed_json(struct node *node, struct span name, struct span after, struct buf *out, struct fault *fault);
void node_rebuild(struct node *node, int *result); /* drops and refolds all derived views */

#endif
