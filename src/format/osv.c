#include "base/limits.h"
#include "format/advisory.h"
#include "format/purl.h"
#include "format/version.h"

static bool event_take(const struct json *json, struct range_event *out)
{
    static const struct {
        const char *name;
        enum event_kind kind;
    } kinds[] = {{"introduced", EVENT_INTRODUCED}, {"fixed", EVENT_FIXED}, {"last_affected", EVENT_LAST_AFFECTED}, {"limit", EVENT_LIMIT}};
    for (size_t i = 0; i < 4; i++) {
        out->version = json_text(json, kinds[i].name);
        out->kind = kinds[i].kind;
        if (out->version.data)
            return true;
    }
    return false;
}

static int range_read(const struct json *json, struct range *out, struct arena *arena, struct fault *fault)
{
    const struct json *events;
    int rc = json_need_array(json, "events", &events, fault);
    struct range_event *list = rc ? NULL : arena_array(arena, events->count ? events->count : 1, sizeof *list);
    if (rc || !list)
        return rc ? rc : fail(fault, E_NOMEM, "events");
    for (uint32_t i = 0; i < events->count; i++)
        out->count += event_take(&events->child[i], &list[out->count]);
    out->events = list;
    return 0;
}

/* GIT ranges are about commits: no component here carries one, so they say nothing and hide nothing that versions would show. */
static int ranges_read(const struct json *json, struct affected_package *out, struct arena *arena, struct fault *fault)
{
    const struct json *ranges = json_get(json, "ranges");
    if (!ranges || ranges->type != JSON_ARRAY)
        return 0;
    struct range *list = arena_array(arena, ranges->count ? ranges->count : 1, sizeof *list);
    if (!list)
        return fail(fault, E_NOMEM, "ranges");
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct span type = json_text(&ranges->child[i], "type");
        if (span_is(type, "GIT"))
            continue;
        if (span_is(type, "SEMVER"))
            out->order = ORDER_SEMVER;
        int rc = range_read(&ranges->child[i], &list[out->range_count], arena, fault);
        if (rc)
            return fail_at(fault, rc, "ranges[%u]", i);
        out->range_count++;
    }
    out->ranges = list;
    return 0;
}

static int package_read(const struct json *json, struct affected_package *out, struct arena *arena, struct fault *fault)
{
    const struct json *package = json_get(json, "package");
    struct purl purl;
    out->ecosystem = json_text(package, "ecosystem");
    out->name = json_text(package, "name");
    out->purl = json_text(package, "purl");
    if (!out->name.len && out->purl.len && purl_parse(&purl, out->purl, arena, NULL) == 0)
        purl_ecosystem(&purl, &out->ecosystem, &out->name, arena);
    out->order = order_of_ecosystem(out->ecosystem);
    int rc = ranges_read(json, out, arena, fault);
    if (rc == 0)
        rc = advisory_texts(json_get(json, "versions"), &out->versions, &out->version_count, arena);
    return rc;
}

int advisory_read_osv(struct advisory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL, *affected;
    memset(out, 0, sizeof *out);
    int rc = json_parse(&root, bytes, DOCUMENT_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_text(root, "id", &out->id, fault);
    rc = rc ? rc : json_need_text(root, "modified", &out->modified, fault);
    if (rc)
        return rc;
    if (!out->id.len)
        return fail(fault, E_MISSING, "\"id\" is empty");
    out->title = json_text(root, "summary");
    out->withdrawn = json_text(root, "withdrawn").len > 0;
    rc = advisory_texts(json_get(root, "aliases"), &out->aliases, &out->alias_count, arena);
    affected = json_get(root, "affected");
    if (rc || !affected || affected->type != JSON_ARRAY)
        return rc;
    struct affected_package *list = arena_array(arena, affected->count ? affected->count : 1, sizeof *list);
    struct span *undecided = arena_array(arena, affected->count ? affected->count : 1, sizeof *undecided);
    if (!list || !undecided)
        return fail(fault, E_NOMEM, "affected");
    for (uint32_t i = 0; i < affected->count && rc == 0; i++) {
        struct affected_package *package = &list[out->package_count];
        char *path = arena_printf(arena, "affected[%u]", i);
        package->path = path ? span_str(path) : span_of(NULL, 0);
        rc = package_read(&affected->child[i], package, arena, fault);
        if (package->name.len)
            out->package_count++;
        else
            undecided[out->undecided_count++] = package->path;
    }
    out->packages = list;
    out->undecided = undecided;
    return rc;
}
