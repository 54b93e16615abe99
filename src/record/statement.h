/* A statement: a signed envelope around a document's hash (COSE_Sign1, hash envelope; docs/formats.md). Its id is its leaf hash. */
#ifndef COMITY_RECORD_STATEMENT_H
#define COMITY_RECORD_STATEMENT_H

#include "base/limits.h"
#include "format/cose.h"

enum { LABEL_CIRCLE = -65801, LABEL_ANSWERS = -65802 }; /* private COSE header labels, registered in docs/formats.md */
#define STATEMENT_TYP "application/vnd.comity.statement+cose"
#define MEDIA_SEALED "application/vnd.comity.sealed"
#define MEDIA_KEY_CHANGE "application/vnd.comity.key-change+json" /* the one kind that counts in another party's log */
#define MEDIA_LEAVE "application/vnd.comity.leave+json"           /* the last statement of its log */

struct statement {
    struct hash id;       /* leaf hash of `bytes`: SHA-256(0x00 || bytes) */
    struct hash document; /* the payload */
    struct hash kid;      /* SHA-256 of the public key that signed */
    struct hash circle;   /* founding charter's hash */
    struct span issuer, subject, media;
    int64_t issued_at; /* iat, seconds: what the issuer claims; deadlines never use it */
    size_t answer_count;
    struct hash answers[STATEMENT_ANSWERS_MAX];
    struct span bytes;
    struct cose_sign1 cose;
};

/* Checks everything that needs no key: form, limits, canonical order, headers, types. Spans point into `bytes`. */
int statement_parse(struct statement *out, struct span bytes, struct fault *fault);
int statement_verify(const struct statement *s, const struct public_key *key); /* 0, E_KEY (kid differs), E_SIGNATURE */

/* Writes the protected header; the signer signs cose_to_be_signed(protected, document) and calls cose_write. */
void statement_protected(struct buf *out, const struct statement *fields);
/* The whole of it, signed; `fields->kid` is the key's. What statement_parse would refuse is not made. */
int statement_compose(struct buf *out, const struct statement *fields, const struct secret_key *key);

#endif
