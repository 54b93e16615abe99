#include "format/inventory.h"

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether some line starts so; a status file begins with "Package:" in practice, but fields have no order. */
static bool has_field(struct span rest, const char *field)
{
    struct span line;
    while (span_line(&rest, &line))
        if (span_starts(line, field))
            return true;
    return span_starts(rest, field);
}

int inventory_read(struct inventory *out, struct span bytes, struct span distribution, struct arena *arena,
                   struct fault *fault)
{
    size_t at = 0;
    while (at < bytes.len && blank(bytes.data[at]))
        at++;
    *out = (struct inventory){.format = "unknown"};
    if (at < bytes.len && bytes.data[at] == '{')
        return inventory_read_cyclonedx(out, bytes, arena, fault);
    if (has_field(bytes, "Package:"))
        return inventory_read_dpkg(out, bytes, distribution, arena, fault);
    return fail(fault, E_UNSUPPORTED, "neither CycloneDX JSON nor a dpkg status file");
}
