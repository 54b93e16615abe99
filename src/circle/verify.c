/* A receipt file against a charter: everything that can be known offline. */
#include "circle/roster.h"
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

int standing_check_statement(const struct roster *roster, struct span bytes, const struct span *document,
                             struct standing *out, struct fault *fault)
{
    struct statement *s = &out->statement;
    int rc = statement_parse(s, bytes, fault);
    if (rc == 0 && !hash_eq(&s->circle, &roster->circle))
        rc = fail(fault, E_CIRCLE, "the statement names another circle");
    rc = rc ? rc : roster_statement_key(roster, s->issuer, &s->kid, &out->issuer, fault);
    if (rc == 0 && statement_verify(s, &out->issuer->card.keys[KEY_STATEMENT]) != 0)
        rc = fail(fault, E_SIGNATURE, "by the statement key of %s", out->issuer->card.name);
    if (rc)
        return fail_at(fault, rc, "statement");
    struct quorum q = quorum_for(roster, out->issuer);
    out->needed = q.k;
    out->members = q.m;
    return document_check(s, document, &out->document_checked, fault);
}

static int quorum_check(const struct roster *roster, const struct cosigner *cosigners, size_t count,
                        struct standing *out, struct fault *fault)
{
    out->cosigned = (unsigned)count;
    if (quorum_met(roster, out->issuer, cosigners, count, &out->instant))
        return 0;
    if (!out->members)
        return fail(fault, E_UNWITNESSED, "no mirror but the writer is in this committee: nothing can stand");
    if (out->cosigned < out->needed)
        return fail(fault, E_UNWITNESSED, "%u of %u mirrors have cosigned, %u are needed", out->cosigned, out->members,
                    out->needed);
    return fail(fault, E_UNWITNESSED, "%u of %u mirrors have cosigned, from fewer than %u jurisdictions", out->cosigned,
                out->members, roster->jurisdictions_min);
}

static int tlog_check(const struct roster *roster, const struct receipt *receipt, struct standing *out,
                      struct fault *fault)
{
    struct cosigner cosigners[COMMITTEE_MAX];
    size_t count = 0;
    if (!span_is(receipt->checkpoint.origin, out->issuer->origin))
        return fail(fault, E_ISSUER, "the checkpoint is not of the log of %s", out->issuer->card.name);
    if (receipt_check_inclusion(receipt, &out->statement.id) != 0)
        return fail(fault, E_PROOF, "the inclusion proof of index %llu", (unsigned long long)receipt->index);
    int rc = note_verify(&receipt->note, span_str(out->issuer->origin), &out->issuer->card.keys[KEY_LOG]);
    if (rc)
        return fail(fault, rc, "the checkpoint's signature by the log key of %s", out->issuer->card.name);
    rc = roster_cosigners(roster, out->issuer, &receipt->note, cosigners, &count);
    if (rc)
        return fail(fault, rc, "a mirror's cosignature");
    out->index = receipt->index;
    out->size = receipt->checkpoint.size;
    return quorum_check(roster, cosigners, count, out, fault);
}

static int tlog_verify(const struct roster *roster, struct span bytes, const struct span *document,
                       struct standing *out, struct arena *arena, struct fault *fault)
{
    struct receipt *receipt = arena_alloc(arena, sizeof *receipt);
    int rc = receipt ? receipt_parse(receipt, bytes, arena, fault) : fail(fault, E_NOMEM, "receipt");
    if (rc == 0 && !receipt->extra.len)
        rc = fail(fault, E_MISSING, "the receipt carries no statement (extra line)");
    rc = rc ? rc : standing_check_statement(roster, receipt->extra, document, out, fault);
    return rc ? rc : tlog_check(roster, receipt, out, fault);
}

static const struct party *mirror_of(const struct roster *roster, const struct party *writer, const struct hash *kid)
{
    for (size_t i = 0; i < roster->count; i++)
        if (hash_eq(&roster->parties[i].kids[KEY_MIRROR], kid))
            return roster->parties[i].committee && &roster->parties[i] != writer ? &roster->parties[i] : NULL;
    return NULL;
}

/* Receipts that each verify could still be of different trees: all must lead to one root. */
struct mirror_receipts {
    struct cosigner cosigners[COMMITTEE_MAX];
    size_t count;
    struct hash root;
};

static int same_tree(const struct cose_receipt *r, const struct standing *out, struct mirror_receipts *all,
                     struct fault *fault)
{
    struct hash root;
    if (tree_inclusion_root(r->index, r->size, &out->statement.id, r->proof, r->count, &root) != 0)
        return fail(fault, E_PROOF, "the inclusion proof of index %llu", (unsigned long long)r->index);
    if (all->count && (r->size != out->size || r->index != out->index || !hash_eq(&root, &all->root)))
        return fail(fault, E_PROOF, "the receipts speak of different trees");
    all->root = root;
    return 0;
}

static int mirror_receipt(const struct roster *roster, struct span bytes, struct standing *out,
                          struct mirror_receipts *all, struct fault *fault)
{
    struct cose_receipt r;
    char name[MIRROR_NAME_BYTES];
    int rc = cose_receipt_parse(&r, bytes, fault);
    const struct party *mirror = rc ? NULL : mirror_of(roster, out->issuer, &r.kid);
    if (rc || !mirror)
        return rc; /* a key that does not count here is passed over, as in a note */
    mirror_name(name, mirror);
    if (!span_is(r.mirror_name, name))
        return fail(fault, E_KEY, "the mirror key of %s under another name", mirror->card.name);
    if (!span_is(r.origin, out->issuer->origin))
        return fail(fault, E_ISSUER, "the receipt of %s is of another log", mirror->card.name);
    for (size_t i = 0; i < all->count; i++)
        if (all->cosigners[i].party == mirror)
            return fail(fault, E_DUPLICATE, "two receipts of %s", mirror->card.name);
    rc = same_tree(&r, out, all, fault);
    if (rc == 0 && (rc = cose_receipt_verify(&r, &out->statement.id, &mirror->card.keys[KEY_MIRROR])) != 0)
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
    int rc = transparent_parse(bytes, &statement, receipts, COMMITTEE_MAX, &count, arena, fault);
    rc = rc ? rc : standing_check_statement(roster, statement, document, out, fault);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if ((rc = mirror_receipt(roster, receipts[i], out, &all, fault)) != 0)
            (void)fail_at(fault, rc, "/%zu", i);
    return rc ? rc
              : quorum_check(roster, all.cosigners, all.count, out,
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
