/* Receipts: C2SP tlog-proof with the statement as `extra`, and RFC 9942 COSE receipts (RFC9162_SHA256), one from each mirror. */
#ifndef COMITY_RECORD_RECEIPT_H
#define COMITY_RECORD_RECEIPT_H

#include "record/checkpoint.h"
#include "record/statement.h"
#include "record/tree.h"

struct receipt {
    struct span extra; /* decoded into the arena; the statement's bytes, or what another log put there; empty if none */
    uint64_t index;
    size_t count;
    struct hash proof[PROOF_HASHES_MAX];
    struct span note_bytes;
    struct note note;
    struct checkpoint checkpoint;
};

int receipt_parse(struct receipt *out, struct span bytes, struct arena *arena, struct fault *fault);
/* `note_bytes` is the checkpoint with its signature lines, verbatim. */
void receipt_write(struct buf *out, struct span extra, uint64_t index, const struct hash *proof, size_t count,
                   struct span note_bytes);
/* Does the entry (leaf hash) stand at receipt->index under the checkpoint's root? Signatures are the caller's. */
int receipt_check_inclusion(const struct receipt *receipt, const struct hash *leaf);

/* COSE receipt by one mirror over (origin, size, root): protected {1: -19, 4: kid, 15: {1: mirror name}, 395: 1, LABEL_ORIGIN: origin,
   LABEL_TREE_SIZE: size}; payload (the root) detached; unprotected {396: {-1: [bstr [size, index, path]]}}. */
enum { LABEL_VDS = 395, LABEL_VDP = 396, LABEL_RECEIPTS = 394, LABEL_ORIGIN = -65803, LABEL_TREE_SIZE = -65804 };
void cose_receipt_protected(struct buf *out, const struct hash *kid, struct span mirror_name, struct span origin,
                            uint64_t size);
void cose_receipt_write(struct buf *out, struct span protected_bytes, uint64_t size, uint64_t index,
                        const struct hash *proof, size_t count, const struct signature *signature);
struct cose_receipt {
    struct cose_sign1 cose;
    struct hash kid;
    struct span mirror_name, origin;
    uint64_t size, index;
    size_t count;
    struct hash proof[PROOF_HASHES_MAX];
};
int cose_receipt_parse(struct cose_receipt *out, struct span bytes, struct fault *fault);
/* 0, E_PROOF, E_SIGNATURE. */
int cose_receipt_verify(const struct cose_receipt *r, const struct hash *leaf, const struct public_key *mirror_key);

/* A transparent statement: the statement with receipts in its unprotected header (394). `receipts` are whole COSE receipts. */
void transparent_write(struct buf *out, const struct statement *s, const struct span *receipts, size_t count);
/* Splits it again: `statement` gets the bytes as logged (empty unprotected header), rebuilt in the arena. */
int transparent_parse(struct span bytes, struct span *statement, struct span *receipts, size_t max, size_t *count,
                      struct arena *arena, struct fault *fault);

#endif
