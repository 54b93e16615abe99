/* A receipt file against a charter: everything that can be known offline. */
#include "circle/roster.h"
#include "crypto/sha256.h"

static int statement_check(const struct roster *roster, struct span bytes, const struct span *document, struct standing *out,
                           struct fault *fault)
{
    struct statement *s = &out->statement;
    int rc = statement_parse(s, bytes, fault);
    if (rc)
        return fail_at(fault, rc, "statement");
    if (!hash_eq(&s->circle, &roster->circle))
        return fail_at(fault, fail(fault, E_CIRCLE, "the statement names another circle"), "statement");
    rc = roster_statement_key(roster, s->issuer, &s->kid, &out->issuer, fault);
    if (rc == 0 && statement_verify(s, &out->issuer->card.keys[KEY_STATEMENT]) != 0)
        rc = fail(fault, E_SIGNATURE, "by the statement key of %s", out->issuer->card.name);
    if (rc)
        return fail_at(fault, rc, "statement");
    struct quorum q = quorum_for(roster, out->issuer);
    out->needed = q.k;
    out->members = q.m;
    if (document && document->data) {
        struct hash hash;
        sha256(*document, &hash);
        if (!hash_eq(&hash, &s->document))
            return fail_at(fault, fail(fault, E_HASH, "the document is not the one that was stated"), "document");
        out->document_checked = true;
    }
    return 0;
}

static int short_of(const struct standing *out, struct fault *fault)
{
    return fail(fault, E_UNWITNESSED, "%u of %u mirrors have cosigned, %u are needed", out->cosigned, out->members, out->needed);
}

static int tlog_verify(const struct roster *roster, struct span bytes, const struct span *document, struct standing *out,
                       struct arena *arena, struct fault *fault)
{
    struct receipt *receipt = arena_alloc(arena, sizeof *receipt);
    struct cosigner cosigners[COMMITTEE_MAX];
    size_t count = 0;
    int rc = receipt ? receipt_parse(receipt, bytes, arena, fault) : fail(fault, E_NOMEM, "receipt");
    if (rc == 0 && !receipt->extra.len)
        rc = fail(fault, E_MISSING, "the receipt carries no statement (extra line)");
    rc = rc ? rc : statement_check(roster, receipt->extra, document, out, fault);
    if (rc)
        return rc;
    if (!span_is(receipt->checkpoint.origin, out->issuer->origin))
        return fail(fault, E_ISSUER, "the checkpoint is not of the log of %s", out->issuer->card.name);
    if (receipt_check_inclusion(receipt, &out->statement.id) != 0)
        return fail(fault, E_PROOF, "the inclusion proof of index %llu", (unsigned long long)receipt->index);
    rc = note_verify(&receipt->note, span_str(out->issuer->origin), &out->issuer->card.keys[KEY_LOG]);
    if (rc)
        return fail(fault, rc, "the checkpoint's signature by the log key of %s", out->issuer->card.name);
    rc = roster_cosigners(roster, out->issuer, &receipt->note, cosigners, &count);
    if (rc)
        return fail(fault, rc, "a mirror's cosignature");
    out->index = receipt->index;
    out->size = receipt->checkpoint.size;
    out->cosigned = (unsigned)count;
    return quorum_met(roster, out->issuer, cosigners, count, &out->instant) ? 0 : short_of(out, fault);
}

static int mirror_receipt(const struct roster *roster, struct span bytes, struct standing *out, struct cosigner *cosigner, bool first,
                          struct fault *fault)
{
    struct cose_receipt r;
    int rc = cose_receipt_parse(&r, bytes, fault);
    if (rc)
        return rc;
    cosigner->party = NULL;
    for (size_t i = 0; i < roster->count; i++)
        if (hash_eq(&roster->parties[i].kids[KEY_MIRROR], &r.kid))
            cosigner->party = &roster->parties[i];
    if (!cosigner->party || !cosigner->party->committee || cosigner->party == out->issuer)
        return fail(fault, E_KEY, "a receipt by a key that is no mirror of this log");
    if (!span_is(r.origin, out->issuer->origin))
        return fail(fault, E_ISSUER, "a receipt of another log");
    if (!first && (r.size != out->size || r.index != out->index))
        return fail(fault, E_PROOF, "the receipts speak of different trees");
    out->size = r.size;
    out->index = r.index;
    rc = cose_receipt_verify(&r, &out->statement.id, &cosigner->party->card.keys[KEY_MIRROR]);
    return rc ? fail(fault, rc, "the receipt of %s", cosigner->party->card.name) : 0;
}

static int cose_verify_all(const struct roster *roster, struct span bytes, const struct span *document, struct standing *out,
                           struct arena *arena, struct fault *fault)
{
    struct span statement, receipts[COMMITTEE_MAX];
    struct cosigner cosigners[COMMITTEE_MAX] = {{0}};
    size_t count = 0;
    int64_t unused;
    int rc = transparent_parse(bytes, &statement, receipts, COMMITTEE_MAX, &count, arena, fault);
    rc = rc ? rc : statement_check(roster, statement, document, out, fault);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = mirror_receipt(roster, receipts[i], out, &cosigners[i], i == 0, fault);
    out->cosigned = (unsigned)count;
    if (rc)
        return rc;
    return quorum_met(roster, out->issuer, cosigners, count, &unused) ? 0 : short_of(out, fault);
}

int receipt_verify(const struct roster *roster, struct span receipt, const struct span *document, struct standing *out,
                   struct arena *arena, struct fault *fault)
{
    memset(out, 0, sizeof *out);
    bool cose = receipt.len && receipt.data[0] == 0xd2; /* tag 18 */
    int rc = cose ? cose_verify_all(roster, receipt, document, out, arena, fault)
                  : tlog_verify(roster, receipt, document, out, arena, fault);
    return rc ? fail_at(fault, rc, "receipt") : 0;
}
