/* One list of errors and one catalogue of messages. A function returns 0 or a negative `enum error`, and tells the
   particulars (which file, which field, which limit) through an optional `struct fault`. Nothing below cli/ prints. */
#ifndef COMITY_BASE_ERROR_H
#define COMITY_BASE_ERROR_H

#include <stddef.h>

struct buf;

/* code, stable id, message, rule, remedy. Ids never change, so that messages can be translated and scripts can match. */
#define ERROR_LIST(X)                                                                                                  \
    X(E_NOMEM, "no-memory", "memory is exhausted", "every allocation has a limit", "free memory, or lower the load")   \
    X(E_LIMIT, "over-limit", "a size, count or depth is over its limit", "base/limits.h", "send less, or split it")    \
    X(E_TRUNCATED, "truncated", "the input ends too early", "the format's own lengths", "fetch it again, whole")       \
    X(E_TRAILING, "trailing-bytes", "bytes follow the end of the input", "one input is one object",                    \
      "remove what follows")                                                                                           \
    X(E_CANONICAL, "not-canonical", "the encoding is not the one canonical form", "RFC 8949 section 4.2.1; RFC 4648",  \
      "re-encode it with a deterministic encoder")                                                                     \
    X(E_SYNTAX, "bad-syntax", "the input does not follow its format", "the format's grammar", "correct the input")     \
    X(E_UTF8, "bad-utf8", "text is not valid UTF-8, or holds a NUL", "RFC 3629", "re-encode the text as UTF-8")        \
    X(E_DUPLICATE, "duplicate", "a name or item stands twice", "names are unique", "remove one of the two")            \
    X(E_TYPE, "wrong-type", "a value has another type than its field wants", "the format's schema",                    \
      "correct the field")                                                                                             \
    X(E_MISSING, "missing", "a required field or item is missing", "the format's schema", "add it")                    \
    X(E_UNSUPPORTED, "unsupported", "this kind, version or algorithm is not supported", "docs/formats.md",             \
      "convert it, or use a newer release")                                                                            \
    X(E_SIGNATURE, "bad-signature", "a signature does not verify",                                                     \
      "the stated key must have signed these exact bytes", "get the original; if it is the original, tell its issuer") \
    X(E_KEY, "wrong-key", "the key is unknown, revoked, or of another role, party or epoch",                           \
      "each role has its key in the roster", "check the roster and who signed")                                        \
    X(E_CIRCLE, "other-circle", "this belongs to another circle", "a statement names its circle",                      \
      "use that circle's charter")                                                                                     \
    X(E_ISSUER, "other-issuer", "a statement stands in a log that is not its issuer's",                                \
      "a statement counts only in its issuer's log", "do not copy statements between logs")                            \
    X(E_HASH, "hash-mismatch", "the bytes do not hash to the stated value", "a document is named by its SHA-256",      \
      "get the original bytes")                                                                                        \
    X(E_PROOF, "bad-proof", "a Merkle proof does not lead to the root", "RFC 6962 section 2.1",                        \
      "fetch the proof again; if it persists, the server lies")                                                        \
    X(E_QUORUM, "no-quorum", "too few mirrors of the committee have cosigned",                                         \
      "k of the m mirrors must cosign one checkpoint", "wait for more mirrors, and fetch the receipt again")           \
    X(E_UNWITNESSED, "not-standing", "logged, but no quorum of mirrors holds it yet",                                  \
      "a statement stands with a quorum's receipt", "wait; comity status says which mirror is missing")                \
    X(E_BACKWARDS, "going-back", "this would take a log back to an earlier or other state", "a log only grows",        \
      "recover from the mirrors; never reset the signer's state")                                                      \
    X(E_TWO_FACES, "two-faces", "a log has signed two inconsistent trees", "one log, one tree",                        \
      "keep the proof; the face with a quorum goes on")                                                                \
    X(E_RECOVERING, "recovering", "the node has not yet heard its newest checkpoints from the committee",              \
      "a node that starts signs nothing until it has", "start the mirrors, or name the absent explicitly")             \
    X(E_LABEL, "label-refused", "the document's label forbids this",                                                   \
      "TLP:AMBER, AMBER+STRICT and RED are sealed; unlabelled needs --open",                                           \
      "seal it to its recipients, or have its author relabel it")                                                      \
    X(E_REFUSED, "refused", "a rule refuses this", "docs/architecture.md", "see the rule")                             \
    X(E_NOTFOUND, "not-found", "there is no such thing here", "names are exact", "check the name or the hash")         \
    X(E_EXISTS, "exists", "this exists already", "nothing is overwritten", "choose another name")                      \
    X(E_LOCKED, "locked", "another process uses this data", "one node, one data folder",                               \
      "stop the other process first")                                                                                  \
    X(E_IO, "io", "reading, writing or sending failed", "what is acknowledged is durable", "check disk and network")   \
    X(E_FULL, "disk-full", "the disk is full", "nothing is acknowledged that is not durable",                          \
      "free space; nothing acknowledged is lost")                                                                      \
    X(E_CORRUPT, "corrupt", "stored data fails its own check", "stored data is checked when read",                     \
      "stop the node, then comity check names it and comity repair brings it back from the peers")                     \
    X(E_PASSPHRASE, "bad-passphrase", "the passphrase does not open the key", "keys are encrypted at rest",            \
      "check the passphrase file")                                                                                     \
    X(E_CONFIG, "bad-config", "the configuration has an error", "key = value; an unknown key is fatal",                \
      "correct the line")                                                                                              \
    X(E_USAGE, "usage", "the command line has an error", "see --help", "see --help for an example")                    \
    X(E_BUSY, "busy", "a quota or limit for this peer is used up", "limits per peer and per log", "try again later")   \
    X(E_PEER, "peer", "another node answered with an error or not at all", "peers are not trusted to answer",          \
      "it is tried again; see comity status")                                                                          \
    X(E_STATE, "wrong-state", "this cannot be done in the present state", "the state's rule", "see comity status")     \
    X(E_LEFT, "left", "the party has left this circle", "a leaving statement is the last of its log",                  \
      "only a new party, or a new circle, can speak again")                                                            \
    X(E_PARSER, "reader-ended", "reading this ended the process that reads documents, twice",                          \
      "such a document is written down, and not read again", "report it, with the document; publish another")          \
    X(E_AHEAD, "signer-ahead", "the signer has signed more of the own log than anybody holds",                         \
      "a signer never signs a second tree", "comity log ahead says what is missing, and what can be done")

enum error {
    E_OK = 0,
    E_BASE_ = -1000, /* all codes are negative, and count up from here in the order of the list */
#define ERROR_CODE(code, id, message, rule, remedy) code,
    ERROR_LIST(ERROR_CODE)
#undef ERROR_CODE
};

/* What went wrong, in particular. `where` is a path such as "charter.json: /parties/3/card". */
struct fault {
    int code;
    char where[192];
    char detail[256];
};

struct error_text {
    const char *id, *message, *rule, *remedy;
};

/* Never NULL; an unknown code gets the text of an unknown error. */
const struct error_text *error_text(int code);

/* Records code and a formatted detail in `fault` (may be NULL) and returns the code. An earlier `where` stays. */
int fail(struct fault *fault, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts a place in front of the place already recorded ("file" then "file: field"), and returns fault->code. */
int fail_at(struct fault *fault, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The one shape of an error as JSON (docs/formats.md, "Errors"), with a line end. `fault` may be NULL: then no particulars. */
void fault_json(struct buf *out, const struct fault *fault, int code);

#endif
