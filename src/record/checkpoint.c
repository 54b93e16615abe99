#include "record/checkpoint.h"

#include <stdio.h>

#include "base/text.h"

int checkpoint_parse_text(struct checkpoint *out, struct span text, struct fault *fault)
{
    struct span rest = text, size, root;
    size_t n = 0;
    *out = (struct checkpoint){0};
    if (!span_line(&rest, &out->origin) || !span_line(&rest, &size) || !span_line(&rest, &root))
        return fail(fault, E_TRUNCATED, "a checkpoint has at least three lines");
    if (!out->origin.len || out->origin.len >= ORIGIN_BYTES_MAX)
        return fail(fault, E_LIMIT, "an origin has 1 to %d bytes", ORIGIN_BYTES_MAX - 1);
    if (!decimal_parse(size, &out->size) || out->size > INT64_MAX)
        return fail(fault, E_CANONICAL, "line 2: the tree size is a decimal without leading zeroes");
    if (!note_base64(root, out->root.b, sizeof out->root.b, &n) || n != sizeof out->root.b)
        return fail(fault, E_CANONICAL, "line 3: the root is the base64 of 32 bytes");
    out->extensions = rest;
    for (struct span line; span_line(&rest, &line);)
        if (!line.len)
            return fail(fault, E_SYNTAX, "an extension line is empty");
    return rest.len ? fail(fault, E_TRUNCATED, "the last line does not end in a newline") : 0;
}

int checkpoint_parse(struct checkpoint *out, struct note *note, struct span bytes, struct fault *fault)
{
    int rc = note_parse(note, bytes, fault);
    return rc ? rc : checkpoint_parse_text(out, note->text, fault);
}

void checkpoint_write_text(struct buf *out, struct span origin, uint64_t size, const struct hash *root)
{
    buf_span(out, origin);
    buf_printf(out, "\n%llu\n", (unsigned long long)size);
    buf_base64(out, span_hash(root));
    buf_byte(out, '\n');
}

void origin_write(char out[static ORIGIN_BYTES_MAX], const struct hash *circle, struct span party)
{
    char hex[65];
    hash_hex(circle, hex);
    (void)snprintf(out, ORIGIN_BYTES_MAX, "comity/%.16s/%.*s", hex, (int)party.len, (const char *)party.data);
}
