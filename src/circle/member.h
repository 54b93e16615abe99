/* Signed requests: RFC 9421 HTTP Message Signatures in one fixed profile (docs/formats.md). A key signs method, authority and path, the
   body's digest when there is a body (RFC 9530), and the instant; every header is of exactly this form, or it counts for nothing. Members
   sign GETs of documents with their statement key; organisations that a node hosts sign their uploads with keys of their own. */
#ifndef COMITY_CIRCLE_MEMBER_H
#define COMITY_CIRCLE_MEMBER_H

#include "circle/roster.h"

enum {
    MEMBER_SKEW_MAX = 300, /* seconds between the asker's clock and ours */
    MEMBER_CREATED_DIGITS_MAX = 12,
    MEMBER_INPUT_BYTES_MAX = 160, /* Signature-Input's value */
    MEMBER_SIGNATURE_BYTES = 97,  /* Signature's value: comity=:88 characters: */
    MEMBER_AUTHORITY_BYTES_MAX = URL_BYTES_MAX,
    MEMBER_PATH_BYTES = 11 + 64, /* /documents/HASH */
    MEMBER_BASE_BYTES_MAX = 1024,
};

struct member_input {
    int64_t created;
    struct hash kid;
    bool digest;        /* the body's is signed, too */
    struct span params; /* as it is signed: everything behind "comity=" */
};
int member_input_parse(struct member_input *out, struct span header);
int member_signature_parse(struct signature *out, struct span header);
void member_input_write(struct buf *out, int64_t created, const struct hash *kid);
void hosted_input_write(struct buf *out, int64_t created, const struct hash *kid, bool digest);
void member_signature_write(struct buf *out, const struct signature *signature);

/* What may be signed: GET of /documents/HASH at an authority of letters, digits and "-._:[]". E_REFUSED otherwise. */
int member_request_check(struct span method, struct span authority, struct span path);
/* RFC 9421 section 2.5, the signature base. */
void member_base_write(struct buf *out, struct span authority, struct span path, struct span params);

/* The same of any request; `digest`: SHA-256 of the body as it is sent, or NULL. */
void hosted_base_write(struct buf *out, struct span method, struct span authority, struct span path,
                       const struct hash *digest, struct span params);
void hosted_digest_write(struct buf *out, const struct hash *digest); /* Content-Digest's value: sha-256=:...: */

/* host[:port] of a party's URL as @authority wants it: lower case, without the scheme's own port. E_SYNTAX, E_LIMIT. */
int member_authority(char out[static MEMBER_AUTHORITY_BYTES_MAX + 1], struct span url);

struct member_request {
    struct span host;    /* the Host header, as it came */
    struct span own_url; /* of the party that is asked */
    struct span path;
    struct span input, signature; /* headers */
    int64_t now;
};
/* The party that asks. E_SYNTAX, E_REFUSED (other host, or not this path), E_STATE (clock), E_KEY, E_SIGNATURE: then nobody does. */
int member_verify(const struct roster *roster, const struct member_request *request, const struct party **party);

struct hosted_request {
    struct span method;
    struct member_request head;
    const struct hash *digest; /* of the body; NULL: it has none */
    const struct public_key *key;
    int64_t created; /* out: when it was signed */
};
/* Is it by this key? The same errors. */
int hosted_verify(struct hosted_request *request);

#endif
