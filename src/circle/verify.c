/* A receipt file against a charter: everything that can be known offline. */
#include "circle/change.h"
#include "crypto/sha256.h"

enum { COSE_TAG_BYTE = 0xd2 }; /* tag 18: no tlog-proof starts so */

static int document_check(const struct statement *s, const struct span *document, bool *checked, struct fault *fault)
{
    struct hash hash;
    if (!document || !document->data)
        return 0;
    sha256(*document, &hash);
    if (!hash_eq(&hash, &s->document))
        return fail_at(fault, fail(fault, E_HASH, "the document is not the one that was stated"), "document");
    *checked = true;
    return 0;
}

static void quorum_tell(const struct roster *roster, const struct party *writer, struct standing *out)
{
    struct quorum q = quorum_for(roster, writer);
    out->needed = q.k;
    out->members = q.m;
}

/* `index` NULL: of a statement by itself, which only the issuer's present key can have signed as far as one can see. */
static int statement_check(const struct roster *roster, struct span bytes, const uint64_t *index,
                           const struct span *document, struct standing *out, struct fault *fault)
{
    struct statement *s = &out->statement;
    const struct public_key *key = NULL;
    int rc = statement_parse(s, bytes, fault);
    if (rc == 0 && !hash_eq(&s->circle, &roster->circle))
        rc = fail(fault, E_CIRCLE, "the statement names another circle");
    if (rc == 0 && index) {
        rc = roster_entry_key(roster, s->issuer, &s->kid, *index, &out->issuer, &key, fault);
    } else if (rc == 0) {
        rc = roster_statement_key(roster, s->issuer, &s->kid, &out->issuer, fault);
        key = rc ? NULL : &out->issuer->card.keys[KEY_STATEMENT];
    }
    if (rc == 0 && (rc = statement_verify(s, key)) != 0)
        rc = fail(fault, rc == E_NOMEM ? rc : E_SIGNATURE, "by the statement key of %s", out->issuer->card.name);
    if (rc)
        return fail_at(fault, rc, "statement");
    quorum_tell(roster, out->issuer, out);
    return document_check(s, document, &out->document_checked, fault);
}

int standing_check_statement(const struct roster *roster, struct span bytes, const struct span *document,
                             struct standing *out, struct fault *fault)
{
    return statement_check(roster, bytes, NULL, document, out, fault);
}

static int quorum_check(const struct roster *roster, const struct party *writer, const struct cosigner *cosigners,
                        size_t count, struct standing *out, struct fault *fault)
{
    out->cosigned = (unsigned)count;
    if (quorum_met(roster, writer, cosigners, count, &out->instant))
        return 0;
    if (!out->members)
        return fail(fault, E_UNWITNESSED, "no mirror but the writer is in this committee: nothing can stand");
    if (out->cosigned < out->needed)
        return fail(fault, E_UNWITNESSED, "%u of %u mirrors have cosigned, %u are needed", out->cosigned, out->members,
                    out->needed);
    return fail(fault, E_UNWITNESSED, "%u of %u mirrors have cosigned, from fewer than %u jurisdictions", out->cosigned,
                out->members, roster->jurisdictions_min);
}

/* The statement in the log of `writer`: proof, the log's own signature, the quorum. */
static int log_check(const struct roster *roster, const struct receipt *receipt, const struct party *writer,
                     struct standing *out, struct fault *fault)
{
    struct cosigner cosigners[COMMITTEE_MAX];
    size_t count = 0;
    int64_t instant = 0;
    if (!span_is(receipt->checkpoint.origin, writer->origin))
        return fail(fault, E_ISSUER, "the checkpoint is not of the log of %s", writer->card.name);
    if (receipt_check_inclusion(receipt, &out->statement.id) != 0)
        return fail(fault, E_PROOF, "the inclusion proof of index %llu", (unsigned long long)receipt->index);
    int cosigned = roster_cosigners(roster, writer, &receipt->note, &receipt->checkpoint, cosigners, &count);
    (void)quorum_met(roster, writer, cosigners, count, &instant);
    int rc = party_log_signed(writer, &receipt->note, &receipt->checkpoint, instant);
    if (rc)
        return fail(fault, rc, "the checkpoint's signature by the log key of %s", writer->card.name);
    if (cosigned)
        return fail(fault, cosigned, "a mirror's cosignature");
    out->index = receipt->index;
    out->size = receipt->checkpoint.size;
    quorum_tell(roster, writer, out);
    return quorum_check(roster, writer, cosigners, count, out, fault);
}

/* A key change stands in another party's log, and is signed by a recovery key. */
static int change_check(const struct roster *roster, const struct receipt *receipt, const struct span *document,
                        struct standing *out, struct fault *fault)
{
    const struct party *host = roster_origin(roster, receipt->checkpoint.origin);
    int rc = key_change_screen(roster, &out->statement, host, fault);
    if (rc)
        return fail_at(fault, rc, "statement");
    out->issuer = roster_party(roster, out->statement.issuer);
    rc = document_check(&out->statement, document, &out->document_checked, fault);
    return rc ? rc : log_check(roster, receipt, host, out, fault);
}

static int tlog_parse(struct receipt **out, struct span bytes, struct statement *s, struct arena *arena,
                      struct fault *fault)
{
    struct receipt *receipt = *out = arena_alloc(arena, sizeof *receipt);
    int rc = receipt ? receipt_parse(receipt, bytes, arena, fault) : fail(fault, E_NOMEM, "receipt");
    if (rc == 0 && !receipt->extra.len)
        rc = fail(fault, E_MISSING, "the receipt carries no statement (extra line)");
    if (rc == 0 && (rc = statement_parse(s, receipt->extra, fault)) != 0)
        (void)fail_at(fault, rc, "statement");
    return rc;
}

static int tlog_verify(const struct roster *roster, struct span bytes, const struct span *document,
                       struct standing *out, struct arena *arena, struct fault *fault)
{
    struct receipt *receipt;
    int rc = tlog_parse(&receipt, bytes, &out->statement, arena, fault);
    if (rc == 0 && span_is(out->statement.media, MEDIA_KEY_CHANGE))
        return change_check(roster, receipt, document, out, fault);
    rc = rc ? rc : statement_check(roster, receipt->extra, &receipt->index, document, out, fault);
    return rc ? rc : log_check(roster, receipt, out->issuer, out, fault);
}

int key_change_verify(struct roster *roster, struct span bytes, struct span document, struct arena *arena,
                      struct fault *fault)
{
    struct standing standing = {0};
    struct receipt *receipt;
    int rc = tlog_parse(&receipt, bytes, &standing.statement, arena, fault);
    rc = rc ? rc : change_check(roster, receipt, &document, &standing, fault);
    if (rc == E_UNWITNESSED) { /* about a bundle there is nothing to wait for */
        rc = E_QUORUM;
        if (fault)
            fault->code = rc;
    }
    return rc ? rc : key_change_apply(roster, &standing.statement, document, standing.instant, arena, fault);
}

/* Receipts that each verify could still be of different trees: all must lead to one root. */
struct mirror_receipts {
    struct cosigner cosigners[COMMITTEE_MAX];
    size_t count;
    struct hash root;
};

static int same_tree(const struct cose_receipt *r, const struct hash *root, const struct standing *out,
                     struct mirror_receipts *all, struct fault *fault)
{
    if (all->count && (r->size != out->size || r->index != out->index || !hash_eq(root, &all->root)))
        return fail(fault, E_PROOF, "the receipts speak of different trees");
    all->root = *root;
    return 0;
}

/* Is it, or was it, a mirror key of the committee? */
static bool committee_kid(const struct roster *roster, const struct party *writer, const struct hash *kid)
{
    for (size_t i = 0; i < roster->count; i++) {
        const struct party *party = &roster->parties[i];
        bool found = hash_eq(&party->kids[KEY_MIRROR], kid);
        for (uint32_t e = 0; e < party->former_count; e++)
            found = found || hash_eq(&party->former[e].kids[KEY_MIRROR], kid);
        if (found)
            return party->committee && party != writer;
    }
    return false;
}

static int mirror_receipt(const struct roster *roster, struct span bytes, struct standing *out,
                          struct mirror_receipts *all, struct fault *fault)
{
    struct cose_receipt r;
    char name[MIRROR_NAME_BYTES];
    int rc = cose_receipt_parse(&r, bytes, fault);
    if (rc || !committee_kid(roster, out->issuer, &r.kid))
        return rc; /* a key that is no mirror's here is passed over, as in a note */
    struct cut state = {.size = r.size};
    const struct public_key *key = NULL;
    if (tree_inclusion_root(r.index, r.size, &out->statement.id, r.proof, r.count, &state.root) != 0)
        return fail(fault, E_PROOF, "the inclusion proof of index %llu", (unsigned long long)r.index);
    const struct party *mirror = roster_mirror(roster, &r.kid, out->issuer, &state, 0, &key);
    if (!mirror)
        return 0; /* replaced, and past its cut */
    mirror_name(name, mirror);
    if (!span_is(r.mirror_name, name))
        return fail(fault, E_KEY, "the mirror key of %s under another name", mirror->card.name);
    if (!span_is(r.origin, out->issuer->origin))
        return fail(fault, E_ISSUER, "the receipt of %s is of another log", mirror->card.name);
    for (size_t i = 0; i < all->count; i++)
        if (all->cosigners[i].party == mirror)
            return fail(fault, E_DUPLICATE, "two receipts of %s", mirror->card.name);
    rc = same_tree(&r, &state.root, out, all, fault);
    if (rc == 0 && (rc = cose_receipt_verify(&r, &out->statement.id, key)) != 0)
        rc = fail(fault, rc, "the receipt of %s", mirror->card.name);
    if (rc)
        return rc;
    out->size = r.size;
    out->index = r.index;
    all->cosigners[all->count++] = (struct cosigner){.party = mirror};
    return 0;
}

static int cose_verify_all(const struct roster *roster, struct span bytes, const struct span *document,
                           struct standing *out, struct arena *arena, struct fault *fault)
{
    struct span statement, receipts[COMMITTEE_MAX];
    struct mirror_receipts all = {.count = 0};
    size_t count = 0;
    struct cose_receipt first;
    int rc = transparent_parse(bytes, &statement, receipts, COMMITTEE_MAX, &count, arena, fault);
    if (rc == 0 && count && (rc = cose_receipt_parse(&first, receipts[0], fault)) != 0)
        (void)fail_at(fault, rc, "/0");
    rc = rc ? rc : statement_check(roster, statement, count ? &first.index : NULL, document, out, fault);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if ((rc = mirror_receipt(roster, receipts[i], out, &all, fault)) != 0)
            (void)fail_at(fault, rc, "/%zu", i);
    return rc ? rc
              : quorum_check(roster, out->issuer, all.cosigners, all.count, out,
                             fault); /* the instant stays 0: these carry no time */
}

int receipt_verify(const struct roster *roster, struct span receipt, const struct span *document, struct standing *out,
                   struct arena *arena, struct fault *fault)
{
    memset(out, 0, sizeof *out);
    bool cose = receipt.len && receipt.data[0] == COSE_TAG_BYTE;
    int rc = cose ? cose_verify_all(roster, receipt, document, out, arena, fault)
                  : tlog_verify(roster, receipt, document, out, arena, fault);
    return rc ? fail_at(fault, rc, "receipt") : 0;
}
