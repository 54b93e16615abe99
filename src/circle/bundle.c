/* What an offline verifier needs of a circle: its founding charter, and the receipts of its roster changes. */
#include "circle/change.h"
#include "format/json.h"

struct parts {
    struct span charter;
    const struct json *changes; /* NULL: a bare charter */
};

static int parts_parse(struct parts *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    static const char *const allowed[] = {"comity", "charter", "roster_changes", NULL};
    const struct json *json = NULL;
    struct span format;
    *out = (struct parts){.charter = bytes};
    int rc = json_parse(&json, bytes, BUNDLE_JSON_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_text(json, "comity", &format, fault);
    if (rc == 0 && span_is(format, "charter/1"))
        return 0; /* the bare charter is a bundle without changes */
    if (rc == 0 && !span_is(format, "bundle/1"))
        rc = fail(fault, E_UNSUPPORTED, "\"comity\" must be \"bundle/1\" or \"charter/1\"");
    rc = rc ? rc : json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "charter", &out->charter, fault);
    rc = rc ? rc : json_need_array(json, "roster_changes", &out->changes, fault);
    if (rc == 0 && out->changes->count > ROSTER_CHANGES_MAX)
        rc = fail(fault, E_LIMIT, "at most %d roster changes", ROSTER_CHANGES_MAX);
    return rc ? fail_at(fault, rc, "bundle") : 0;
}

static int change_take(struct roster *roster, const struct json *json, struct arena *arena, struct fault *fault)
{
    static const char *const allowed[] = {"receipt", "document", NULL};
    struct span receipt, document;
    int rc = json_only(json, allowed, fault);
    rc = rc ? rc : json_need_text(json, "receipt", &receipt, fault);
    rc = rc ? rc : json_need_text(json, "document", &document, fault);
    return rc ? rc : key_change_verify(roster, receipt, document, arena, fault);
}

int bundle_parse_charter(struct span bytes, struct roster *out, struct arena *arena, struct fault *fault)
{
    struct parts parts;
    int rc = parts_parse(&parts, bytes, arena, fault);
    rc = rc ? rc : charter_parse(out, parts.charter, arena, fault);
    for (uint32_t i = 0; rc == 0 && parts.changes && i < parts.changes->count; i++)
        if ((rc = change_take(out, &parts.changes->child[i], arena, fault)) != 0)
            (void)fail_at(fault, rc, "bundle: /roster_changes/%u", i);
    return rc;
}

int bundle_charter(struct span bytes, struct span *charter, struct arena *arena, struct fault *fault)
{
    struct parts parts;
    int rc = parts_parse(&parts, bytes, arena, fault);
    *charter = parts.charter;
    return rc;
}

int bundle_extend(struct buf *out, struct span base, const struct bundle_change *changes, size_t count,
                  struct fault *fault)
{
    struct parts parts;
    struct arena arena;
    arena_init(&arena, 16 * (size_t)CHARTER_BYTES_MAX);
    int rc = parts_parse(&parts, base, &arena, fault);
    size_t old = rc || !parts.changes ? 0 : parts.changes->count;
    struct bundle_change *all = arena_array(&arena, old + count + 1, sizeof *all);
    if (rc == 0 && !all)
        rc = fail(fault, E_NOMEM, "bundle");
    for (size_t i = 0; rc == 0 && i < old + count; i++)
        all[i] = i >= old ? changes[i - old]
                          : (struct bundle_change){.receipt = json_text(&parts.changes->child[i], "receipt"),
                                                   .document = json_text(&parts.changes->child[i], "document")};
    if (rc == 0)
        bundle_write(out, parts.charter, all, old + count);
    arena_free(&arena);
    return rc ? rc : out->error;
}

void bundle_write(struct buf *out, struct span charter, const struct bundle_change *changes, size_t count)
{
    buf_text(out, "{\"comity\":\"bundle/1\",\"charter\":");
    buf_json(out, charter);
    buf_text(out, ",\"roster_changes\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i ? ",\n{\"receipt\":" : "\n{\"receipt\":");
        buf_json(out, changes[i].receipt);
        buf_text(out, ",\"document\":");
        buf_json(out, changes[i].document);
        buf_byte(out, '}');
    }
    buf_text(out, "]}\n");
}
