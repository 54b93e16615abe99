/* RFC 9942 COSE receipts of inclusion (RFC9162_SHA256), and transparent statements that carry them. */
#include "record/receipt.h"

#include "base/text.h"

enum { VDS_RFC9162_SHA256 = 1, PROOF_INCLUSION = -1, CLAIMS = 15 };

void cose_receipt_protected(struct buf *out, const struct hash *kid, struct span mirror_name, struct span origin,
                            uint64_t size)
{
    cbor_put_map(out, 6);
    cbor_put_int(out, 1);
    cbor_put_int(out, COSE_ALG_ED25519);
    cbor_put_int(out, 4);
    cbor_put_bytes(out, span_hash(kid));
    cbor_put_int(out, CLAIMS);
    cbor_put_map(out, 1);
    cbor_put_int(out, 1);
    cbor_put_text(out, mirror_name);
    cbor_put_int(out, LABEL_VDS);
    cbor_put_int(out, VDS_RFC9162_SHA256);
    cbor_put_int(out, LABEL_ORIGIN);
    cbor_put_text(out, origin);
    cbor_put_int(out, LABEL_TREE_SIZE);
    cbor_put_uint(out, size);
}

void cose_receipt_write(struct buf *out, struct span protected_bytes, uint64_t size, uint64_t index,
                        const struct hash *proof, size_t count, const struct signature *signature)
{
    struct buf inclusion, unprotected;
    buf_init(&inclusion, STATEMENT_BYTES_MAX);
    buf_init(&unprotected, STATEMENT_BYTES_MAX);
    cbor_put_array(&inclusion, 3);
    cbor_put_uint(&inclusion, size);
    cbor_put_uint(&inclusion, index);
    cbor_put_array(&inclusion, count);
    for (size_t i = 0; i < count; i++)
        cbor_put_bytes(&inclusion, span_hash(&proof[i]));
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, LABEL_VDP);
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, PROOF_INCLUSION);
    cbor_put_array(&unprotected, 1);
    cbor_put_bytes(&unprotected, buf_view(&inclusion));
    cose_write(out, protected_bytes, buf_view(&unprotected), span_of(NULL, 0), signature);
    if (inclusion.error || unprotected.error)
        out->error = E_NOMEM;
    buf_free(&inclusion);
    buf_free(&unprotected);
}

static int take_key(struct cbor *c, struct span *previous, int64_t want)
{
    int64_t key;
    int rc = cbor_take_key(c, previous, &key);
    return rc == 0 && key != want ? E_UNSUPPORTED : rc;
}

static int take_want(struct cbor *c, int64_t want)
{
    int64_t value;
    int rc = cbor_take_int(c, &value);
    return rc == 0 && value != want ? E_UNSUPPORTED : rc;
}

static int take_hash(struct cbor *c, struct hash *out)
{
    struct span bytes;
    int rc = cbor_take_bytes(c, &bytes);
    if (rc == 0 && bytes.len != sizeof out->b)
        return E_TYPE;
    if (rc == 0)
        memcpy(out->b, bytes.data, sizeof out->b);
    return rc;
}

static int protected_parse(struct cose_receipt *out)
{
    struct cbor c;
    struct span previous = {0}, inner = {0};
    size_t pairs = 0, claims = 0;
    cbor_open(&c, out->cose.protected_bytes);
    int rc = cbor_take_map(&c, &pairs);
    if (rc == 0 && pairs != 6)
        rc = E_MISSING;
    rc = rc ? rc : take_key(&c, &previous, 1);
    rc = rc ? rc : take_want(&c, COSE_ALG_ED25519);
    rc = rc ? rc : take_key(&c, &previous, 4);
    rc = rc ? rc : take_hash(&c, &out->kid);
    rc = rc ? rc : take_key(&c, &previous, CLAIMS);
    rc = rc ? rc : cbor_take_map(&c, &claims);
    if (rc == 0 && claims != 1)
        rc = E_UNSUPPORTED;
    rc = rc ? rc : take_key(&c, &inner, 1);
    rc = rc ? rc : cbor_take_text(&c, &out->mirror_name);
    rc = rc ? rc : take_key(&c, &previous, LABEL_VDS);
    rc = rc ? rc : take_want(&c, VDS_RFC9162_SHA256);
    rc = rc ? rc : take_key(&c, &previous, LABEL_ORIGIN);
    rc = rc ? rc : cbor_take_text(&c, &out->origin);
    rc = rc ? rc : take_key(&c, &previous, LABEL_TREE_SIZE);
    rc = rc ? rc : cbor_take_uint(&c, &out->size);
    return rc ? rc : cbor_end(&c);
}

/* The path may be empty: a tree of one entry has none, whatever the CDDL's "+" says. */
static int inclusion_parse(struct cose_receipt *out, struct span bytes)
{
    struct cbor c;
    size_t three = 0;
    uint64_t size = 0;
    cbor_open(&c, bytes);
    int rc = cbor_take_array(&c, &three);
    if (rc == 0 && three != 3)
        rc = E_SYNTAX;
    rc = rc ? rc : cbor_take_uint(&c, &size);
    rc = rc ? rc : cbor_take_uint(&c, &out->index);
    rc = rc ? rc : cbor_take_array(&c, &out->count);
    if (rc == 0 && (size != out->size || out->count > PROOF_HASHES_MAX))
        rc = out->count > PROOF_HASHES_MAX ? E_LIMIT : E_PROOF;
    for (size_t i = 0; i < out->count && rc == 0; i++)
        rc = take_hash(&c, &out->proof[i]);
    return rc ? rc : cbor_end(&c);
}

static int unprotected_parse(struct cose_receipt *out)
{
    struct cbor c;
    struct span previous = {0}, inner = {0}, proof = {0};
    size_t one = 0, kinds = 0, proofs = 0;
    cbor_open(&c, out->cose.unprotected);
    int rc = cbor_take_map(&c, &one);
    rc = rc ? rc : take_key(&c, &previous, LABEL_VDP);
    rc = rc ? rc : cbor_take_map(&c, &kinds);
    rc = rc ? rc : take_key(&c, &inner, PROOF_INCLUSION);
    rc = rc ? rc : cbor_take_array(&c, &proofs);
    if (rc == 0 && (one != 1 || kinds != 1 || proofs != 1))
        rc = E_UNSUPPORTED;
    rc = rc ? rc : cbor_take_bytes(&c, &proof);
    rc = rc ? rc : cbor_end(&c);
    return rc ? rc : inclusion_parse(out, proof);
}

int cose_receipt_parse(struct cose_receipt *out, struct span bytes, struct fault *fault)
{
    memset(out, 0, sizeof *out);
    if (bytes.len > STATEMENT_BYTES_MAX)
        return fail(fault, E_LIMIT, "a COSE receipt of %zu bytes", bytes.len);
    int rc = cose_parse(&out->cose, bytes);
    if (rc == 0 && !out->cose.detached)
        rc = E_UNSUPPORTED;
    rc = rc ? rc : protected_parse(out);
    rc = rc ? rc : unprotected_parse(out);
    return rc ? fail(fault, rc, "COSE receipt") : 0;
}

int cose_receipt_verify(const struct cose_receipt *r, const struct hash *leaf, const struct public_key *mirror_key)
{
    struct hash root, kid;
    key_id(mirror_key, &kid);
    if (!hash_eq(&kid, &r->kid))
        return E_KEY;
    int rc = tree_inclusion_root(r->index, r->size, leaf, r->proof, r->count, &root);
    return rc ? rc : cose_verify(&r->cose, span_hash(&root), mirror_key);
}

void transparent_write(struct buf *out, const struct statement *s, const struct span *receipts, size_t count)
{
    struct buf unprotected;
    buf_init(&unprotected, RECEIPT_BYTES_MAX);
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, LABEL_RECEIPTS);
    cbor_put_array(&unprotected, count);
    for (size_t i = 0; i < count; i++)
        cbor_put_bytes(&unprotected, receipts[i]);
    cose_write(out, s->cose.protected_bytes, buf_view(&unprotected), s->cose.payload, &s->cose.signature);
    if (unprotected.error)
        out->error = unprotected.error;
    buf_free(&unprotected);
}

static int receipts_parse(struct span unprotected, struct span *receipts, size_t max, size_t *count)
{
    struct cbor c;
    struct span previous = {0};
    size_t one = 0;
    cbor_open(&c, unprotected);
    int rc = cbor_take_map(&c, &one);
    if (rc == 0 && one != 1)
        rc = E_MISSING;
    rc = rc ? rc : take_key(&c, &previous, LABEL_RECEIPTS);
    rc = rc ? rc : cbor_take_array(&c, count);
    if (rc == 0 && (*count == 0 || *count > max))
        rc = *count ? E_LIMIT : E_MISSING;
    for (size_t i = 0; i < *count && rc == 0; i++)
        rc = cbor_take_bytes(&c, &receipts[i]);
    return rc ? rc : cbor_end(&c);
}

int transparent_parse(struct span bytes, struct span *statement, struct span *receipts, size_t max, size_t *count,
                      struct arena *arena, struct fault *fault)
{
    struct cose_sign1 cose;
    struct buf logged;
    *count = 0;
    if (bytes.len > RECEIPT_BYTES_MAX)
        return fail(fault, E_LIMIT, "a transparent statement of %zu bytes", bytes.len);
    int rc = cose_parse(&cose, bytes);
    if (rc == 0 && cose.detached)
        rc = E_MISSING;
    rc = rc ? rc : receipts_parse(cose.unprotected, receipts, max, count);
    if (rc)
        return fail(fault, rc, "transparent statement");
    buf_init(&logged, STATEMENT_BYTES_MAX);
    cose_write(&logged, cose.protected_bytes, span_of(NULL, 0), cose.payload, &cose.signature);
    rc = logged.error;
    if (rc == 0) {
        *statement = arena_copy(arena, buf_view(&logged));
        rc = statement->data ? 0 : E_NOMEM;
    }
    buf_free(&logged);
    return rc ? fail(fault, rc, "the statement inside") : 0;
}
