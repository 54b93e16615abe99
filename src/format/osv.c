/* OSV schema 1.x. What no event of ours expresses (GIT ranges, unknown range types) leaves its package undecided, never
 * safe. */
#include "base/limits.h"
#include "format/advisory.h"
#include "format/purl.h"
#include "format/version.h"

enum { EVENT_NAMES = 4 };
static const struct {
    const char *name;
    enum event_kind kind;
} event_names[EVENT_NAMES] = {{"introduced", EVENT_INTRODUCED},
                              {"fixed", EVENT_FIXED},
                              {"last_affected", EVENT_LAST_AFFECTED},
                              {"limit", EVENT_LIMIT}};

struct reader {
    struct arena *arena;
    struct fault *fault;
    bool open; /* the package at hand has something that we cannot decide by */
};

static int list_get(struct reader *r, const struct json *parent, const char *key, const struct json **list)
{
    *list = json_get(parent, key);
    if (*list && (*list)->type == JSON_NULL) /* how some writers put an empty list */
        *list = NULL;
    if (*list && (*list)->type != JSON_ARRAY)
        return fail(r->fault, E_TYPE, "\"%s\" must be an array", key);
    return 0;
}

/* An object has one event; old records hold an introduction and its fix in one. */
static int events_take(struct reader *r, const struct json *json, struct range *range, struct range_event *list)
{
    bool any = false;
    for (size_t i = 0; i < EVENT_NAMES; i++) {
        const struct json *version = json_get(json, event_names[i].name);
        if (!version)
            continue;
        if (version->type != JSON_STRING || !version->text.len)
            return fail(r->fault, E_TYPE, "\"%s\" must be a version", event_names[i].name);
        any = true;
        if (event_names[i].kind != EVENT_LIMIT || !span_is(version->text, "*")) /* "*" is no limit */
            list[range->count++] = (struct range_event){.kind = event_names[i].kind, .version = version->text};
    }
    return any ? 0 : fail(r->fault, E_SYNTAX, "an event is introduced, fixed, last_affected or limit");
}

static int range_read(struct reader *r, const struct json *json, struct range *out)
{
    const struct json *events;
    int rc = json_need_array(json, "events", &events, r->fault);
    struct range_event *list = rc ? NULL : arena_array(r->arena, EVENT_NAMES * (size_t)events->count + 1, sizeof *list);
    if (rc == 0 && !list)
        rc = fail(r->fault, E_NOMEM, "events");
    for (uint32_t i = 0; rc == 0 && i < events->count; i++) {
        rc = events_take(r, &events->child[i], out, list);
        if (rc)
            return fail_at(r->fault, rc, "events[%u]", (unsigned)i);
    }
    out->events = list;
    return rc;
}

static int ranges_read(struct reader *r, const struct json *json, struct affected_package *out)
{
    const struct json *ranges;
    bool semver = false, own = false;
    int rc = list_get(r, json, "ranges", &ranges);
    struct range *list = rc || !ranges ? NULL : arena_array(r->arena, ranges->count + (size_t)1, sizeof *list);
    if (rc || !ranges)
        return rc;
    if (!list)
        return fail(r->fault, E_NOMEM, "ranges");
    out->ranges = list;
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct span type = json_text(&ranges->child[i], "type");
        bool is_semver = span_is(type, "SEMVER"), is_own = span_is(type, "ECOSYSTEM");
        if (!is_semver && !is_own) {
            r->open = r->open || !span_is(type, "GIT"); /* commits tell nothing that other ranges beside would not */
            continue;
        }
        semver = semver || is_semver;
        own = own || is_own;
        rc = range_read(r, &ranges->child[i], &list[out->range_count++]);
        if (rc)
            return fail_at(r->fault, rc, "ranges[%u]", (unsigned)i);
    }
    if (semver && out->order != ORDER_SEMVER) /* two orders in one row: none of them can be trusted */
        out->order = own || out->order != ORDER_UNKNOWN ? ORDER_UNKNOWN : ORDER_SEMVER;
    return 0;
}

static int package_read(struct reader *r, const struct json *json, struct affected_package *out)
{
    const struct json *package = json_get(json, "package"), *versions;
    struct purl purl;
    out->ecosystem = json_text(package, "ecosystem");
    out->name = json_text(package, "name");
    out->purl = json_text(package, "purl");
    if (!out->name.len && out->purl.len && purl_parse(&purl, out->purl, r->arena, NULL) == 0)
        purl_ecosystem(&purl, &out->ecosystem, &out->name, r->arena);
    out->order = order_of_ecosystem(out->ecosystem);
    r->open = false;
    int rc = ranges_read(r, json, out);
    rc = rc ? rc : list_get(r, json, "versions", &versions);
    rc = rc ? rc : advisory_texts(versions, &out->versions, &out->version_count, r->arena);
    if (rc == 0 && versions && out->version_count != versions->count)
        rc = fail(r->fault, E_TYPE, "\"versions\" lists strings");
    r->open = r->open || !out->name.len || (!out->range_count && !out->version_count);
    return rc;
}

static int undecided_add(struct reader *r, const struct affected_package *p, struct span *list, struct advisory *out)
{
    char *text = p->name.len ? arena_printf(r->arena, "%.*s %.*s (%.*s)", (int)p->ecosystem.len,
                                            (const char *)p->ecosystem.data, (int)p->name.len,
                                            (const char *)p->name.data, (int)p->path.len, (const char *)p->path.data)
                             : arena_text(r->arena, p->path);
    if (!text)
        return fail(r->fault, E_NOMEM, "affected");
    list[out->undecided_count++] = span_str(text);
    return 0;
}

static int affected_read(struct reader *r, const struct json *affected, struct advisory *out)
{
    struct affected_package *list = arena_array(r->arena, 2 * (size_t)affected->count + 1, sizeof *list);
    struct span *undecided = arena_array(r->arena, affected->count + (size_t)1, sizeof *undecided);
    int rc = list && undecided ? 0 : fail(r->fault, E_NOMEM, "affected");
    for (uint32_t i = 0; rc == 0 && i < affected->count; i++) {
        struct affected_package p = {0};
        char *path = arena_printf(r->arena, "affected[%u]", (unsigned)i);
        if (!path)
            return fail(r->fault, E_NOMEM, "affected");
        p.path = span_str(path);
        rc = package_read(r, &affected->child[i], &p);
        if (rc)
            return fail_at(r->fault, rc, "%s", path);
        if (p.name.len)
            list[out->package_count++] = p;
        if (p.name.len && r->open && (p.range_count || p.version_count)) /* a bare row beside it: no version is safe */
            list[out->package_count++] = (struct affected_package){
                .ecosystem = p.ecosystem, .name = p.name, .purl = p.purl, .order = p.order, .path = p.path};
        rc = r->open ? undecided_add(r, &p, undecided, out) : 0;
    }
    out->packages = list;
    out->undecided = undecided;
    return rc;
}

int advisory_read_osv(struct advisory *out, struct span bytes, struct arena *arena, struct fault *fault)
{
    const struct json *root = NULL, *affected, *aliases;
    struct reader r = {.arena = arena, .fault = fault};
    memset(out, 0, sizeof *out);
    int rc = json_parse(&root, bytes, DOCUMENT_BYTES_MAX, arena, fault);
    rc = rc ? rc : json_need_text(root, "id", &out->id, fault);
    rc = rc ? rc : json_need_text(root, "modified", &out->modified, fault);
    if (rc == 0 && !out->id.len)
        rc = fail(fault, E_MISSING, "\"id\" is empty");
    rc = rc ? rc : list_get(&r, root, "aliases", &aliases);
    rc = rc ? rc : advisory_texts(aliases, &out->aliases, &out->alias_count, arena);
    rc = rc ? rc : list_get(&r, root, "affected", &affected);
    if (rc)
        return rc;
    out->title = json_text(root, "summary");
    out->withdrawn = json_text(root, "withdrawn").len > 0;
    return affected ? affected_read(&r, affected, out) : 0;
}
