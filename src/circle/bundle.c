/* What an offline verifier needs of a circle: its founding charter, and later the receipts of its roster changes. */
#include "circle/roster.h"
#include "format/json.h"

int bundle_parse_charter(struct span bytes, struct roster *out, struct arena *arena, struct fault *fault)
{
    static const char *const allowed[] = {"comity", "charter", "roster_changes", NULL};
    const struct json *json = NULL, *changes;
    struct span format, charter;
    int rc = json_parse(&json, bytes, 2 * CHARTER_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_text(json, "comity", &format, fault);
    if (rc == 0 && span_is(format, "charter/1"))
        return charter_parse(out, bytes, arena, fault); /* the bare charter is a bundle without changes */
    if (rc == 0 && !span_is(format, "bundle/1"))
        rc = fail(fault, E_UNSUPPORTED, "\"comity\" must be \"bundle/1\" or \"charter/1\"");
    rc = rc ? rc : json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "charter", &charter, fault);
    rc = rc ? rc : json_need_array(json, "roster_changes", &changes, fault);
    if (rc == 0 && changes->count)
        rc = fail(fault, E_UNSUPPORTED, "roster changes are not known to this release");
    return rc ? fail_at(fault, rc, "bundle") : charter_parse(out, charter, arena, fault);
}

void bundle_write(struct buf *out, struct span charter)
{
    buf_text(out, "{\"comity\":\"bundle/1\",\"charter\":");
    buf_json(out, charter);
    buf_text(out, ",\"roster_changes\":[]}\n");
}
