/* All three forms of receipts over the same bytes: a tlog-proof, one mirror's COSE receipt, a transparent statement. */
#include "record/receipt.h"
#include "fuzz/mutate_cbor.h"

static void fuzz_tlog(struct span bytes)
{
    static const struct hash leaf;
    static struct receipt r;
    struct arena arena;
    struct buf out;
    arena_init(&arena, RECEIPT_BYTES_MAX);
    if (receipt_parse(&r, bytes, &arena, NULL) == 0) {
        buf_init(&out, RECEIPT_BYTES_MAX);
        receipt_write(&out, r.extra, r.index, r.proof, r.count, r.note_bytes);
        same(&out, bytes);
        (void)receipt_check_inclusion(&r, &leaf);
        buf_free(&out);
    }
    arena_free(&arena);
}

static void fuzz_cose(struct span bytes)
{
    static const struct public_key key;
    struct hash leaf = {{0}};
    struct cose_receipt r;
    struct buf header, out;
    if (cose_receipt_parse(&r, bytes, NULL) != 0)
        return;
    buf_init(&header, STATEMENT_BYTES_MAX);
    buf_init(&out, STATEMENT_BYTES_MAX);
    cose_receipt_protected(&header, &r.kid, r.mirror_name, r.origin, r.size);
    cose_receipt_write(&out, buf_view(&header), r.size, r.index, r.proof, r.count, &r.cose.signature);
    same(&out, bytes);
    if (cose_receipt_verify(&r, &leaf, &key) == 0)
        abort();
    buf_free(&header);
    buf_free(&out);
}

static void fuzz_transparent(struct span bytes)
{
    struct span logged, receipts[COMMITTEE_MAX];
    struct statement s;
    struct arena arena;
    struct buf out;
    size_t count;
    arena_init(&arena, RECEIPT_BYTES_MAX);
    if (transparent_parse(bytes, &logged, receipts, COMMITTEE_MAX, &count, &arena, NULL) == 0 &&
        statement_parse(&s, logged, NULL) == 0) {
        buf_init(&out, RECEIPT_BYTES_MAX);
        transparent_write(&out, &s, receipts, count);
        same(&out, bytes);
        buf_free(&out);
    }
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    fuzz_tlog(bytes);
    fuzz_cose(bytes);
    fuzz_transparent(bytes);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return cbor_mutator(data, size, max, seed);
}
