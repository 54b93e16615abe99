#include "tests/circle/subject.h"
#include "tests/test.h"

static struct subject s;
static struct standing standing;
static struct fault fault;

static int verify(struct span receipt, const struct span *document)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    memset(&fault, 0, sizeof fault);
    int rc = receipt_verify(&s.roster, receipt, document, &standing, &arena, &fault);
    standing.statement.subject = standing.statement.issuer = span_of(NULL, 0); /* gone with the arena */
    arena_free(&arena);
    if (rc && (fault.code != rc || !fault.detail[0] || strncmp(fault.where, "receipt", 7) != 0))
        return 1;
    return rc;
}

static int tlog(size_t index, uint32_t cosigners, uint32_t broken)
{
    struct buf receipt;
    subject_receipt(&s, index, cosigners, broken, &receipt);
    int rc = verify(buf_view(&receipt), NULL);
    buf_free(&receipt);
    return rc;
}

enum { ALL = 63, OTHER = 64 }; /* parties 0 to 5 mirror, in jurisdictions X0 X1 X2 X0 X1 X2; 6 does not; 7 writes */

/* The rule from its words: four of six, from three jurisdictions; and when. */
static int64_t stands_at(uint32_t set)
{
    unsigned n = 0, seen = 0;
    for (unsigned i = 0; i < 6; i++)
        if (set >> i & 1) {
            n++;
            seen |= 1u << i % 3;
            if (n >= 4 && seen == 7)
                return subject_time(i);
        }
    return 0;
}

static void every_set(void)
{
    test("tlog-proofs with every set of cosignatures");
    for (uint32_t set = 0; set < 128; set++) {
        CHECK_INT(tlog(set % s.size, set, 0), stands_at(set) ? 0 : E_UNWITNESSED);
        CHECK_INT(standing.cosigned, __builtin_popcount(set & ALL));
        CHECK_INT(standing.needed, 4);
        CHECK_INT(standing.members, 6);
        CHECK_INT(standing.index, set % s.size);
        CHECK_INT(standing.size, s.size);
        CHECK_INT(standing.instant, stands_at(set));
    }
    test("COSE receipts with every set of mirrors");
    for (uint32_t set = 1; set < 128; set++) {
        struct buf receipt;
        subject_transparent(&s, set % s.size, set, -1, (struct subject_mirror_twist){0}, &receipt);
        CHECK_INT(verify(buf_view(&receipt), NULL), stands_at(set) ? 0 : E_UNWITNESSED);
        CHECK_INT(standing.cosigned, __builtin_popcount(set & ALL));
        CHECK_INT(standing.instant, 0);
        CHECK_INT(standing.index, set & ALL ? set % s.size : 0);
        buf_free(&receipt);
    }
}

static void documents(void)
{
    static const uint8_t nothing[1];
    struct span good = span_str(subject_document), bad = span_str("other"), empty = span_of(nothing, 0),
                none = span_of(NULL, 0);
    struct buf forms[2];
    test("the document is compared when it is given, an empty one too");
    subject_receipt(&s, 2, ALL, 0, &forms[0]);
    subject_transparent(&s, 2, ALL, -1, (struct subject_mirror_twist){0}, &forms[1]);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(verify(buf_view(&forms[i]), &good), 0);
        CHECK(standing.document_checked);
        CHECK_INT(verify(buf_view(&forms[i]), &bad), E_HASH);
        CHECK(!standing.document_checked);
        CHECK_INT(verify(buf_view(&forms[i]), &empty), E_HASH);
        CHECK_INT(verify(buf_view(&forms[i]), &none), 0);
        CHECK(!standing.document_checked);
        CHECK_INT(verify(buf_view(&forms[i]), NULL), 0);
        CHECK(!standing.document_checked);
    }
    test("every cut and every flipped byte of both forms is refused");
    for (int i = 0; i < 2; i++) {
        struct span whole = buf_view(&forms[i]);
        for (size_t at = 0; at < whole.len; at++) {
            CHECK(verify(span_of(whole.data, at), NULL) != 0 ||
                  (at && whole.data[at - 1] == '\n' && standing.cosigned >= 4));
            forms[i].data[at] ^= 1;
            int rc = verify(whole, NULL);
            /* in a note a line by a name or id that nobody has is passed over */
            CHECK(rc != 0 || standing.cosigned == 5);
            forms[i].data[at] ^= 1;
        }
        buf_free(&forms[i]);
    }
}

static void signatures(void)
{
    test("a known key with a bad signature spoils the receipt, whoever else has signed");
    for (unsigned i = 0; i < 6; i++)
        CHECK_INT(tlog(0, ALL, 1u << i), E_SIGNATURE);
    CHECK_INT(tlog(0, ALL | OTHER, OTHER), 0); /* party 6 is in no committee */
    CHECK_INT(tlog(0, ALL, 1u << 31), E_SIGNATURE);
    static const struct {
        struct subject_mirror_twist twist;
        int rc;
    } twists[] = {
        {{.broken = true}, E_SIGNATURE},
        {{.other_name = true}, E_KEY},
        {{.other_origin = true}, E_ISSUER},
    };
    test("a mirror's COSE receipt: signature, name, origin");
    for (size_t i = 0; i < sizeof twists / sizeof *twists; i++)
        for (int odd = 0; odd < 6; odd++) {
            struct buf receipt;
            subject_transparent(&s, 1, ALL, odd, twists[i].twist, &receipt);
            CHECK_INT(verify(buf_view(&receipt), NULL), twists[i].rc);
            buf_free(&receipt);
        }
    test("mirrors that each signed another tree of one size make no quorum");
    struct hash other[SUBJECT_ENTRIES_MAX];
    memcpy(other, s.leaves, sizeof other);
    other[4].b[0] ^= 1;
    for (int odd = 0; odd < 6; odd++) {
        struct buf receipt;
        subject_transparent(&s, 1, ALL, odd, (struct subject_mirror_twist){.leaves = other}, &receipt);
        CHECK_INT(verify(buf_view(&receipt), NULL), E_PROOF);
        buf_free(&receipt);
    }
    test("one mirror twice is not two");
    struct buf one, twice;
    struct statement statement;
    subject_mirror_receipt(&s, 1, 0, (struct subject_mirror_twist){0}, &one);
    struct span list[] = {buf_view(&one), buf_view(&one), buf_view(&one), buf_view(&one)};
    buf_init(&twice, RECEIPT_BYTES_MAX);
    CHECK_INT(statement_parse(&statement, buf_view(&s.entries[1]), NULL), 0);
    transparent_write(&twice, &statement, list, 4);
    CHECK_INT(verify(buf_view(&twice), NULL), E_DUPLICATE);
    buf_free(&one);
    buf_free(&twice);
}

/* A statement that should not be in this log, in this log. */
static void statements(void)
{
    static const struct {
        struct subject_twist twist;
        int rc;
    } twists[] = {
        {{.other_circle = true}, E_CIRCLE},
        {{.other_issuer = true}, E_ISSUER},
        {{.wrong_role = true}, E_KEY},
        {{.broken = true}, E_SIGNATURE},
    };
    test("statements of another circle, issuer, key or hand");
    for (size_t i = 0; i < sizeof twists / sizeof *twists; i++) {
        size_t at = s.size;
        subject_entry(&s, "EX-2026-odd", twists[i].twist);
        CHECK_INT(tlog(at, ALL, 0), twists[i].rc);
        struct buf receipt;
        subject_transparent(&s, at, ALL, -1, (struct subject_mirror_twist){0}, &receipt);
        CHECK_INT(verify(buf_view(&receipt), NULL), twists[i].rc);
        buf_free(&receipt);
        buf_free(&s.entries[--s.size]);
    }
    test("a proof for another index, and a receipt without a statement");
    struct hash proof[PROOF_HASHES_MAX];
    struct buf note, receipt;
    size_t count = subject_proof(s.leaves, s.size, 3, proof);
    subject_note(&s, ALL, 0, &note);
    buf_init(&receipt, RECEIPT_BYTES_MAX);
    receipt_write(&receipt, buf_view(&s.entries[2]), 3, proof, count, buf_view(&note));
    CHECK_INT(verify(buf_view(&receipt), NULL), E_PROOF);
    buf_reset(&receipt);
    receipt_write(&receipt, buf_view(&s.entries[3]), 2, proof, count, buf_view(&note));
    CHECK_INT(verify(buf_view(&receipt), NULL), E_PROOF);
    buf_reset(&receipt);
    receipt_write(&receipt, span_of(NULL, 0), 3, proof, count, buf_view(&note));
    CHECK_INT(verify(buf_view(&receipt), NULL), E_MISSING);
    buf_free(&receipt);
    buf_free(&note);
    test("a bare statement is no receipt");
    CHECK(verify(buf_view(&s.entries[0]), NULL) != 0);
    CHECK(verify(span_of(NULL, 0), NULL) != 0);
}

static void alone(void)
{
    test("a circle of one: signed and logged, never standing");
    subject_free(&s);
    CHECK_INT(subject_make(&s, 1, 1, 1, 1, 0), 0);
    subject_log(&s, 1);
    CHECK_INT(tlog(0, 1, 0), E_UNWITNESSED);
    CHECK_INT(standing.members, 0);
    CHECK_INT(standing.needed, 0);
}

int main(void)
{
    if (crypto_start() != 0 || subject_make(&s, 8, 6, 3, 3, 7) != 0)
        return 1;
    subject_log(&s, 5);
    every_set();
    documents();
    signatures();
    statements();
    alone();
    subject_free(&s);
    return test_end();
}
