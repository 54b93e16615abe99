#include "record/wire.h"

#include "base/text.h"

static int proof_lines(struct span *rest, struct hash *proof, size_t *count, struct fault *fault)
{
    struct span line;
    size_t n = 0;
    *count = 0;
    while (span_line(rest, &line)) {
        if (!line.len)
            return 0;
        if (*count == PROOF_HASHES_MAX)
            return fail(fault, E_LIMIT, "more than %d proof lines", PROOF_HASHES_MAX);
        uint8_t *bytes = proof[(*count)++].b;
        if (!note_base64(line, bytes, sizeof proof->b, &n) || n != sizeof proof->b)
            return fail(fault, E_CANONICAL, "a proof line is the base64 of 32 bytes");
    }
    return fail(fault, E_TRUNCATED, "no empty line after the proof");
}

int add_checkpoint_parse(struct add_checkpoint *out, struct span body, struct fault *fault)
{
    struct span rest = body, line;
    if (body.len > 2 * (size_t)NOTE_BYTES_MAX)
        return fail(fault, E_LIMIT, "a body of %zu bytes", body.len);
    if (!span_line(&rest, &line) || !span_starts(line, "old ") || !decimal_parse(span_from(line, 4), &out->old_size))
        return fail(fault, E_SYNTAX, "the first line is: old SIZE");
    int rc = proof_lines(&rest, out->proof, &out->count, fault);
    out->note_bytes = rest;
    return rc ? rc : checkpoint_parse(&out->checkpoint, &out->note, rest, fault);
}

void add_checkpoint_write(struct buf *out, uint64_t old_size, const struct hash *proof, size_t count,
                          struct span note_bytes)
{
    buf_printf(out, "old %llu\n", (unsigned long long)old_size);
    proof_write(out, proof, count);
    buf_byte(out, '\n');
    buf_span(out, note_bytes);
}

/* Binary cursor */

static bool take(struct span *rest, size_t n, struct span *out)
{
    if (rest->len < n)
        return false;
    *out = span_of(rest->data, n);
    *rest = span_from(*rest, n);
    return true;
}

static bool take_number(struct span *rest, size_t bytes, uint64_t *out)
{
    struct span raw;
    if (!take(rest, bytes, &raw))
        return false;
    *out = 0;
    for (size_t i = 0; i < bytes; i++)
        *out = *out << 8 | raw.data[i];
    return true;
}

static bool take_string(struct span *rest, struct span *out)
{
    uint64_t len;
    return take_number(rest, 2, &len) && take(rest, (size_t)len, out);
}

int add_entries_parse(struct add_entries *out, struct span body, struct fault *fault)
{
    struct span rest = body;
    *out = (struct add_entries){0};
    if (!take_string(&rest, &out->origin) || !take_number(&rest, 8, &out->upload_start) ||
        !take_number(&rest, 8, &out->upload_end) || !take_string(&rest, &out->ticket))
        return fail(fault, E_TRUNCATED, "the head of add-entries");
    if (out->upload_start > out->upload_end || out->upload_end > INT64_MAX)
        return fail(fault, E_SYNTAX, "upload_start must not be above upload_end");
    out->packages = rest;
    return 0;
}

static int package_entries(struct span *rest, struct entry_package *out)
{
    for (size_t i = 0; i < out->count; i++)
        if (!take_string(rest, &out->entries[i]))
            return E_TRUNCATED;
    return 0;
}

static int package_proof(struct span *rest, struct entry_package *out)
{
    uint64_t count;
    struct span raw;
    if (!take_number(rest, 1, &count))
        return E_TRUNCATED;
    if (count > PROOF_HASHES_MAX)
        return E_LIMIT;
    out->proof_count = (size_t)count;
    if (!take(rest, out->proof_count * 32, &raw))
        return E_TRUNCATED;
    if (raw.len)
        memcpy(out->proof, raw.data, raw.len);
    return 0;
}

int add_entries_package(struct add_entries *request, struct entry_package *out)
{
    uint64_t base = request->upload_start / TILE_WIDTH * TILE_WIDTH + (uint64_t)request->package * TILE_WIDTH;
    if (request->upload_start == request->upload_end || base >= request->upload_end)
        return request->packages.len ? E_TRAILING : E_NOTFOUND;
    if (!request->packages.len)
        return E_NOTFOUND;
    out->start = base > request->upload_start ? base : request->upload_start;
    out->end = base + TILE_WIDTH < request->upload_end ? base + TILE_WIDTH : request->upload_end;
    out->count = (size_t)(out->end - out->start);
    int rc = package_entries(&request->packages, out);
    if (rc == 0)
        rc = package_proof(&request->packages, out);
    request->package += rc == 0;
    return rc;
}

/* What the length prefix cannot tell is refused, never cut. */
static void put_string(struct buf *out, struct span bytes)
{
    if (bytes.len > UINT16_MAX && !out->error)
        out->error = E_LIMIT;
    buf_u16(out, (uint16_t)bytes.len);
    buf_span(out, bytes);
}

void add_entries_write_head(struct buf *out, struct span origin, uint64_t start, uint64_t end, struct span ticket)
{
    put_string(out, origin);
    buf_u64(out, start);
    buf_u64(out, end);
    put_string(out, ticket);
}

void add_entries_write_package(struct buf *out, const struct entry_package *package)
{
    for (size_t i = 0; i < package->count; i++)
        bundle_add(out, package->entries[i]);
    if (package->proof_count > PROOF_HASHES_MAX && !out->error)
        out->error = E_LIMIT;
    buf_byte(out, (uint8_t)package->proof_count);
    buf_add(out, package->proof, package->proof_count * 32);
}

int mirror_info_parse(struct mirror_info *out, struct span body, struct arena *arena)
{
    struct span rest = body, size, next, ticket;
    if (body.len > NOTE_BYTES_MAX)
        return E_LIMIT;
    if (!span_line(&rest, &size) || !span_line(&rest, &next) || !span_line(&rest, &ticket))
        return E_TRUNCATED;
    if (rest.len)
        return E_TRAILING;
    if (!decimal_parse(size, &out->size) || !decimal_parse(next, &out->next_entry) || out->size > INT64_MAX ||
        out->next_entry > INT64_MAX)
        return E_SYNTAX;
    uint8_t *bytes = arena_alloc(arena, ticket.len + 1);
    size_t len = 0;
    if (!bytes)
        return E_NOMEM;
    if (ticket.len && !note_base64(ticket, bytes, ticket.len, &len))
        return E_CANONICAL;
    out->ticket = span_of(bytes, len);
    return 0;
}

void mirror_info_write(struct buf *out, uint64_t size, uint64_t next_entry, struct span ticket)
{
    buf_printf(out, "%llu\n%llu\n", (unsigned long long)size, (unsigned long long)next_entry);
    buf_base64(out, ticket);
    buf_byte(out, '\n');
}

int bundle_parse(struct span bytes, struct span *entries, size_t max, size_t *count)
{
    *count = 0;
    while (bytes.len) {
        if (*count == max)
            return E_LIMIT;
        if (!take_string(&bytes, &entries[*count]))
            return E_TRUNCATED;
        (*count)++;
    }
    return 0;
}

void bundle_add(struct buf *out, struct span entry)
{
    put_string(out, entry);
}
