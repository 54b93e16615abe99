/* libcomity: verify, offline and in a few lines, that what you are about to trust was said by whom it claims, and is held by a
   quorum of parties who could not be made to agree on a second version.

   What you ship: the charter bundle of the circle (`comity charter bundle`), which says who the parties are and what their keys
   are. It is the root of trust, so build it in, or read it from where only you can write. What you receive, from anywhere: a
   document and its receipt. Nothing here opens a file or a socket, prints, or keeps state between calls; different threads may
   call at the same time. All input may be hostile; every size is limited.

   THREE THINGS THAT NO LIBRARY CAN DECIDE FOR YOU, after COMITY_STANDS:
   - Is the issuer the one you expect? Any party of the circle may state any document. Compare COMITY_ISSUER.
   - Is it about what you expect? Compare COMITY_SUBJECT and COMITY_MEDIA.
   - Is it the newest? A receipt proves that a statement exists, never that no later one does. Compare versions, or COMITY_INDEX
     with the highest you have seen of this issuer.

   Link with `pkg-config --cflags --libs libcomity`. examples/updater.c is made to be copied. */
#ifndef COMITY_H
#define COMITY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COMITY_VERSION_MAJOR 0
#define COMITY_VERSION_MINOR 1

/* Verdicts. Trust only COMITY_STANDS: every other value is non-zero. */
enum comity_verdict {
    COMITY_STANDS = 0,      /* signed by its issuer, in its log, and a quorum of mirrors holds it */
    COMITY_INVALID = 1,     /* it is not what it claims; comity_result_error() tells the rule */
    COMITY_UNWITNESSED = 3, /* signed, but no quorum is shown to hold it: ask again later, do not act on it */
    COMITY_FAILED = 4       /* no verdict: memory is exhausted, or the machine's cryptography does not start */
};

/* The answer of one call; comity_result_free() it. All its texts live until then. */
typedef struct comity_result comity_result;

/* Verifies a receipt file (C2SP tlog-proof, or a SCITT transparent statement) against a charter bundle (or a bare charter).
   `document` NULL: only the receipt is checked, and nothing ties it to any bytes you hold but COMITY_DOCUMENT_HASH; an empty
   document is a pointer with length 0. `result` may be NULL; else it is set, or set to NULL when memory is exhausted. */
enum comity_verdict comity_verify_receipt(const void *bundle, size_t bundle_len, const void *receipt,
                                          size_t receipt_len, const void *document, size_t document_len,
                                          comity_result **result);

/* Verifies a statement alone: its form, circle, issuer and signature, and the document's hash. Nobody is shown to hold it, so the
   best verdict is COMITY_UNWITNESSED. */
enum comity_verdict comity_verify_statement(const void *bundle, size_t bundle_len, const void *statement,
                                            size_t statement_len, const void *document, size_t document_len,
                                            comity_result **result);

/* Does an entry stand at `index` of the tree of `size` with this root (RFC 6962)? `proof` is `proof_count` hashes of 32 bytes one
   after another. COMITY_STANDS: it does; whether anybody signed that root is another question. */
enum comity_verdict comity_check_inclusion(const void *entry, size_t entry_len, uint64_t index, uint64_t size,
                                           const uint8_t *proof, size_t proof_count, const uint8_t root[32]);

void comity_result_free(comity_result *result); /* accepts NULL */

/* Facts. What was not established before an error is "" and 0. The texts are foreign: valid UTF-8 without NUL, but check before
   showing them to a person. A NULL result, or a number that names no fact, gives "" and 0. */
enum comity_text {
    COMITY_CIRCLE, /* founding charter's SHA-256 in hex: compare it if your bundle could be replaced */
    COMITY_CIRCLE_NAME,
    COMITY_ISSUER, /* the party whose statement key signed */
    COMITY_SUBJECT,
    COMITY_MEDIA,         /* media type of the document */
    COMITY_DOCUMENT_HASH, /* SHA-256 in hex */
    COMITY_STATEMENT_ID   /* its leaf hash in hex */
};
const char *comity_result_text(const comity_result *result, enum comity_text which);

enum comity_number {
    COMITY_INDEX,     /* position in the issuer's log */
    COMITY_SIZE,      /* of the log, when the mirrors cosigned */
    COMITY_ISSUED_AT, /* seconds since 1970 that the issuer claims */
    COMITY_STANDING_SINCE, /* seconds since 1970 at which the quorum was complete; 0 when not standing, or in the COSE form */
    COMITY_COSIGNED,       /* mirrors of the committee that cosigned, of */
    COMITY_NEEDED,         /* so many that are needed, of */
    COMITY_MEMBERS,        /* so many that there are without the issuer */
    COMITY_DOCUMENT_CHECKED /* 1 when a document was given and is the stated one */
};
int64_t comity_result_number(const comity_result *result, enum comity_number which);

/* Why not: a stable id such as "bad-signature" or "no-quorum", "" when it stands; and a sentence for a person. */
const char *comity_result_error(const comity_result *result);
const char *comity_result_message(const comity_result *result);

const char *comity_version(void); /* "0.1.0" */

#ifdef __cplusplus
}
#endif

#endif
