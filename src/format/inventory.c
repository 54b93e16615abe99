/* Which format an inventory has is told by its content alone: names of files say little, and pipes have none. */
#include "format/inventory.h"

#include "base/limits.h"
#include "format/component.h"

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

static int json_read(struct inventory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL;
    int rc = json_parse(&root, bytes, INVENTORY_BYTES_MAX, arena, fault);
    if (rc)
        return rc;
    if (json_get(root, "spdxVersion"))
        return inventory_read_spdx(out, root, arena, fault);
    if (json_get(root, "bomFormat"))
        return inventory_read_cyclonedx(out, root, arena, fault);
    if (json_get(root, "@context"))
        return fail(fault, E_UNSUPPORTED, "JSON-LD, as SPDX 3 is, cannot be read: SPDX 2.2 or 2.3, or CycloneDX");
    return fail(fault, E_UNSUPPORTED, "JSON with neither \"bomFormat\" (CycloneDX) nor \"spdxVersion\" (SPDX)");
}

int inventory_read(struct inventory *out, struct span bytes, struct span about, struct arena *arena,
                   struct fault *fault)
{
    struct about said = about_split(about);
    size_t at = 0;
    while (at < bytes.len && blank(bytes.data[at]))
        at++;
    *out = (struct inventory){.format = "unknown"};
    if (at < bytes.len && bytes.data[at] == '{')
        return json_read(out, bytes, arena, fault);
    if (said.columns.len)
        return inventory_read_csv(out, bytes, said.columns, arena, fault);
    if (has_field(bytes, "Package:"))
        return inventory_read_dpkg(out, bytes, said.distribution, arena, fault);
    if (inventory_is_apk(bytes))
        return inventory_read_apk(out, bytes, said.distribution, arena, fault);
    if (inventory_is_rpm(bytes))
        return inventory_read_rpm(out, bytes, said.distribution, arena, fault);
    if (inventory_is_csv(bytes))
        return inventory_read_csv(out, bytes, said.columns, arena, fault);
    return fail(fault, E_UNSUPPORTED,
                "neither CycloneDX nor SPDX JSON, a list of dpkg, rpm or apk, nor a CSV whose columns are named");
}
