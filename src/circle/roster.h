/* Who is in the circle: parties, their keys by role, the committee and its arithmetic. Pure. */
#ifndef COMITY_CIRCLE_ROSTER_H
#define COMITY_CIRCLE_ROSTER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"
#include "crypto/sign.h"
#include "record/checkpoint.h"
#include "record/receipt.h"

enum party_role { ROLE_STATE, ROLE_ORGANIZATION, ROLE_VENDOR, ROLE_OPERATOR, ROLE_OBSERVER, ROLE_COUNT };
extern const char *const party_role_names[ROLE_COUNT];

enum key_role { KEY_STATEMENT, KEY_LOG, KEY_MIRROR, KEY_WITNESS, KEY_RECOVERY, KEY_SEAL, KEY_COUNT };
extern const char *const key_role_names[KEY_COUNT];

/* A party card: a signed note (docs/formats.md), its text signed by each of its Ed25519 keys (all but the X25519 seal key). */
struct card {
    char name[NAME_BYTES_MAX + 1];
    enum party_role role;
    char jurisdiction[64];             /* ASCII, best an ISO 3166 code */
    char url[URL_BYTES_MAX];           /* base URL, no trailing slash */
    struct public_key keys[KEY_COUNT]; /* KEY_SEAL holds an X25519 public key */
    int64_t made_at;
};
int card_parse(struct card *out, struct span note, struct fault *fault); /* checks every signature */
void card_write_text(struct buf *out, const struct card *card);          /* the text to be signed by each key */
/* SHA-256 of the card's text as ten groups of five digits, to be read over the telephone. */
void card_fingerprint(struct span note, char out[static 64]);

/* How a party's identity was proven before it was taken into the charter. */
struct proof_of_identity {
    bool letter;         /* a letter on paper, by an accredited authority */
    unsigned call_backs; /* calls to a number from an independent directory: 0..2 count */
    bool has_evidence;
    struct hash evidence; /* SHA-256 of the evidence file */
};
/* 0 none, 1 call-back or letter, 2 letter and a call-back, 3 letter, two call-backs and evidence. */
unsigned identity_level(const struct proof_of_identity *proof);

/* The state of one log up to which something counts. */
struct cut {
    uint64_t size;
    struct hash root;
};
/* Keys that a party has replaced by a key change. They count up to the cuts that it named: the statement key for the party's own entries
   below the cut, the log key for its checkpoints up to it, the mirror key for what it had cosigned of each log. What a quorum, or for the
   mirror key this mirror, had cosigned before the change stood counts as well. */
struct former_keys {
    struct public_key keys[KEY_COUNT];
    struct hash kids[KEY_COUNT];
    struct hash change;     /* id of the statement */
    int64_t instant;        /* since when the change stands */
    const struct cut *cuts; /* by the parties' order in the roster */
};
enum { KEY_EPOCHS_MAX = 64 }; /* key changes of one party */

struct party {
    struct card card; /* as it is now */
    struct hash kids[KEY_COUNT];
    struct former_keys *former; /* oldest first */
    uint32_t former_count;      /* so the party's key epoch */
    size_t number;              /* its place in the roster */
    struct proof_of_identity proof;
    bool committee;
    char origin[ORIGIN_BYTES_MAX];
    struct hash origin_hash; /* SHA-256 of the origin: names its mirror prefixes */
};

struct roster {
    struct hash circle; /* founding charter's hash */
    char circle_name[128];
    uint32_t epoch;
    size_t count, committee_count;
    struct party *parties;                       /* sorted by name; in the arena that the roster was parsed into */
    unsigned jurisdictions_min;                  /* least number of jurisdictions in a quorum, 0 = no rule */
    uint64_t quota_entries_day, quota_bytes_day; /* per log; 0 = no limit */
};

/* The charter's exact bytes; its hash names the circle. Fault paths such as "charter: /parties/2/card". */
int charter_parse(struct roster *out, struct span json, struct arena *arena, struct fault *fault);
struct charter_party {
    struct span card_note;
    struct proof_of_identity proof;
    bool committee;
};
struct charter_draft {
    struct span name;
    int64_t founded_at;
    uint8_t nonce[32];
    unsigned jurisdictions_min;
    uint64_t quota_entries_day, quota_bytes_day;
    const struct charter_party *parties;
    size_t count;
};
void charter_write(struct buf *out, const struct charter_draft *draft);
/* A charter bundle: charter text and the receipts of roster changes, in their order: all that an offline verifier needs. */
int bundle_parse_charter(struct span json, struct roster *out, struct arena *arena, struct fault *fault);
struct bundle_change {
    struct span receipt, document;
};
void bundle_write(struct buf *out, struct span charter, const struct bundle_change *changes, size_t count);
/* `base`, a charter or a bundle, with further changes behind its own. */
int bundle_extend(struct buf *out, struct span base, const struct bundle_change *changes, size_t count,
                  struct fault *fault);
/* The charter's text inside a bundle, or the bundle itself if it is a bare charter; in the arena. */
int bundle_charter(struct span json, struct span *charter, struct arena *arena, struct fault *fault);

/* The note key name of a party's mirror: its origin + "/mirror". */
enum { MIRROR_NAME_BYTES = ORIGIN_BYTES_MAX + 8 };
void mirror_name(char out[static MIRROR_NAME_BYTES], const struct party *party);

const struct party *roster_party(const struct roster *roster, struct span name);
const struct party *roster_origin(const struct roster *roster, struct span origin);
const struct party *roster_origin_hash(const struct roster *roster, const struct hash *origin_hash);
/* The key that `issuer` states with now: E_KEY with the reason when kid is unknown, foreign, of another role, or replaced. */
int roster_statement_key(const struct roster *roster, struct span issuer, const struct hash *kid,
                         const struct party **party, struct fault *fault);
/* The same for an entry at `index` of its log: the key of that epoch. */
int roster_entry_key(const struct roster *roster, struct span issuer, const struct hash *kid, uint64_t index,
                     const struct party **party, const struct public_key **key, struct fault *fault);
/* The log's own signature on a checkpoint, by the key of that epoch. `instant`: since when a quorum holds it; 0 = not known.
   0, E_SIGNATURE, or E_KEY: by nobody, or by a replaced key past its cut. */
int party_log_signed(const struct party *party, const struct note *note, const struct checkpoint *checkpoint,
                     int64_t instant);
/* Is the signature line the log's own, by whatever key it had or has? */
bool party_log_line(const struct party *party, const struct note_signature *line);
/* The committee mirror behind a kid, and the key; NULL when there is none, or when that key no longer counts for this state of the
   writer's log, cosigned at `timestamp` (0 = not known). */
const struct party *roster_mirror(const struct roster *roster, const struct hash *kid, const struct party *writer,
                                  const struct cut *cosigned, int64_t timestamp, const struct public_key **key);

/* m committee members other than the writer; f may fail or lie; k must cosign. m = 0: no quorum exists. */
struct quorum {
    unsigned m, f, k;
};
struct quorum quorum_for(const struct roster *roster, const struct party *writer);
/* Different jurisdictions among the committee without the writer: the most that a quorum can have. Case does not count. */
unsigned roster_jurisdictions(const struct roster *roster, const struct party *writer);
struct cosigner {
    const struct party *party;
    int64_t timestamp;
};
/* Which committee mirrors (never the writer) validly cosigned this note. A known key with a bad signature is E_SIGNATURE. */
int roster_cosigners(const struct roster *roster, const struct party *writer, const struct note *note,
                     const struct checkpoint *checkpoint, struct cosigner out[static COMMITTEE_MAX], size_t *count);
/* Do they satisfy k and the jurisdictions rule? If so `instant` gets the least t such that those up to t do. */
bool quorum_met(const struct roster *roster, const struct party *writer, const struct cosigner *cosigners, size_t count,
                int64_t *instant);
/* C2SP tlog-policy for one log, from k alone; E_QUORUM when m = 0 (never "quorum none"). */
int policy_write(struct buf *out, const struct roster *roster, const struct party *writer);

/* Verifies a receipt file (tlog-proof or transparent COSE statement) offline. `document` NULL, or its data
   NULL, means not given; of an empty document the data points somewhere.
   0 standing; E_UNWITNESSED: valid, signed, but no quorum; or the error. */
struct standing {
    struct statement statement;
    const struct party *issuer;
    uint64_t index, size;
    int64_t instant; /* quorum-completing; 0 when unwitnessed or COSE (which carries no time) */
    unsigned cosigned, needed, members;
    bool document_checked;
};
/* The part that needs no log: form, circle, issuer, key, signature, and the document's hash if it is given (data not NULL). */
int standing_check_statement(const struct roster *roster, struct span bytes, const struct span *document,
                             struct standing *out, struct fault *fault);
int receipt_verify(const struct roster *roster, struct span receipt, const struct span *document, struct standing *out,
                   struct arena *arena, struct fault *fault);

#endif
