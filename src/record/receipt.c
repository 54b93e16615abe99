#include "record/receipt.h"

#include "base/text.h"

static const char first_line[] = "c2sp.org/tlog-proof@v1";

static int extra_parse(struct receipt *out, struct span encoded, struct arena *arena, struct fault *fault)
{
    size_t len = 0;
    uint8_t *bytes = arena_alloc(arena, encoded.len + 1);
    if (!bytes)
        return fail(fault, E_NOMEM, "extra");
    if (!note_base64(encoded, bytes, encoded.len, &len) || !len)
        return fail(fault, E_CANONICAL, "the extra line is base64, and left out when there is nothing in it");
    out->extra = span_of(bytes, len);
    return 0;
}

static int proof_line(struct receipt *out, struct span line, struct fault *fault)
{
    size_t len = 0;
    if (out->count == PROOF_HASHES_MAX)
        return fail(fault, E_LIMIT, "more than %d proof lines", PROOF_HASHES_MAX);
    struct hash *hash = &out->proof[out->count++];
    if (!note_base64(line, hash->b, sizeof hash->b, &len) || len != sizeof hash->b)
        return fail(fault, E_CANONICAL, "a proof line is the base64 of 32 bytes");
    return 0;
}

int receipt_parse(struct receipt *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    struct span rest = bytes, line = {0};
    memset(out, 0, sizeof *out);
    if (bytes.len > RECEIPT_BYTES_MAX)
        return fail(fault, E_LIMIT, "a receipt has at most %d bytes, this has %zu", RECEIPT_BYTES_MAX, bytes.len);
    if (!span_line(&rest, &line) || !span_is(line, first_line))
        return fail(fault, E_SYNTAX, "the first line must be %s", first_line);
    bool more = span_line(&rest, &line);
    if (more && span_starts(line, "extra ")) {
        int rc = extra_parse(out, span_from(line, 6), arena, fault);
        if (rc)
            return rc;
        more = span_line(&rest, &line);
    }
    if (!more || !span_starts(line, "index ") || !decimal_parse(span_from(line, 6), &out->index))
        return fail(fault, E_SYNTAX, "the line \"index N\" is missing");
    while ((more = span_line(&rest, &line)) && line.len) {
        int rc = proof_line(out, line, fault);
        if (rc)
            return rc;
    }
    if (!more)
        return fail(fault, E_TRUNCATED, "no empty line after the proof");
    out->note_bytes = rest;
    return checkpoint_parse(&out->checkpoint, &out->note, rest, fault);
}

void receipt_write(struct buf *out, struct span extra, uint64_t index, const struct hash *proof, size_t count,
                   struct span note_bytes)
{
    buf_printf(out, "%s\n", first_line);
    if (extra.len) {
        buf_text(out, "extra ");
        buf_base64(out, extra);
        buf_byte(out, '\n');
    }
    buf_printf(out, "index %llu\n", (unsigned long long)index);
    proof_write(out, proof, count);
    buf_byte(out, '\n');
    buf_span(out, note_bytes);
}

int receipt_check_inclusion(const struct receipt *receipt, const struct hash *leaf)
{
    return tree_verify_inclusion(receipt->index, receipt->checkpoint.size, leaf, receipt->proof, receipt->count,
                                 &receipt->checkpoint.root);
}
