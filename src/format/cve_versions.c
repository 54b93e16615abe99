/* CVE Record Format 5, "versions" (its document "CVE 5.0 Product and Version Encodings"): an entry is one version or a range, with a status
   that may change within; what no entry names has the default status. "0" as a start has no version below it, "*" as an end none above, and
   "2.*" is the end of that series. Where everything else is affected, the ranges are what lies between the entries. */
#include "format/cve_versions.h"

#include <strings.h>

#include "format/version.h"
#include "format/version_text.h"

enum end { END_NONE, END_BEFORE, END_WITH };
struct segment {
    struct span from, to; /* "0": from the beginning; empty with END_NONE */
    enum end end;
    enum row_claim claim;
};
struct sweep {
    struct segment *segments;
    struct span *exact[CLAIM_COUNT];
    size_t count, exact_count[CLAIM_COUNT];
    struct cve_versions *out;
    struct arena *arena;
    struct fault *fault;
};

static bool is_any(struct span text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (text.len == strlen(words[i]) && strncasecmp((const char *)text.data, words[i], text.len) == 0)
            return true;
    return false;
}

/* Says nothing: writers who had to fill in something. */
static bool is_blank(struct span text)
{
    static const char *const words[] = {"", "n/a", "unspecified", "unknown", "-", "none", NULL};
    return is_any(text, words);
}

static bool is_everything(struct span text)
{
    static const char *const words[] = {"*", "all", "all versions", "any", NULL};
    return is_any(text, words);
}

static enum row_claim claim_of(struct span status)
{
    return span_is(status, "affected")     ? CLAIM_AFFECTED
           : span_is(status, "unaffected") ? CLAIM_UNAFFECTED
                                           : CLAIM_UNKNOWN;
}

static void vague(struct sweep *s, struct span text)
{
    s->out->vague = true;
    if (!s->out->text.len)
        s->out->text = text;
}

/* Versions of two kinds in one object: none of them can be trusted. Commits tell nothing that other entries would not. */
static bool type_take(struct sweep *s, struct span type)
{
    static const struct {
        const char *name;
        enum order order;
    } types[] = {{"semver", ORDER_SEMVER},
                 {"python", ORDER_PYPI},
                 {"maven", ORDER_MAVEN},
                 {"rpm", ORDER_RPM},
                 {"deb", ORDER_DEBIAN},
                 {"dpkg", ORDER_DEBIAN},
                 {"gem", ORDER_RUBYGEMS},
                 {"nuget", ORDER_NUGET},
                 {"rubygems", ORDER_RUBYGEMS},
                 {"pypi", ORDER_PYPI},
                 {"npm", ORDER_SEMVER},
                 {"apk", ORDER_ALPINE},
                 {"original_commit_for_fix", ORDER_SEMVER}};
    static const char *const commits[] = {"git", "hg", "svn", NULL};
    if (is_any(type, commits))
        return false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (span_is(type, types[i].name)) {
            if (s->out->order == ORDER_UNKNOWN || s->out->order == ORDER_GENERIC)
                s->out->order = types[i].order;
            else if (s->out->order != types[i].order)
                vague(s, type);
        }
    return true;
}

/* "2.*" ends where 3 begins, and before its pre-releases. */
static bool series_end(struct sweep *s, struct span text, struct span *out)
{
    struct span rest = span_of(text.data, text.len - 2);
    size_t at = rest.len, dots = 0;
    unsigned long long number = 0;
    while (at > 0 && rest.data[at - 1] >= '0' && rest.data[at - 1] <= '9')
        at--;
    if (at == rest.len || rest.len - at > 15)
        return false;
    for (size_t i = at; i < rest.len; i++)
        number = number * 10 + (rest.data[i] - '0');
    for (size_t i = 0; i < rest.len; i++)
        dots += rest.data[i] == '.';
    const char *tail = s->out->order != ORDER_SEMVER ? "" : dots == 0 ? ".0.0-0" : dots == 1 ? ".0-0" : "-0";
    char *end = arena_printf(s->arena, "%.*s%llu%s", (int)at, (const char *)rest.data, number + 1, tail);
    *out = end ? span_str(end) : span_of(NULL, 0);
    return end != NULL;
}

static bool end_take(struct sweep *s, const struct json *entry, struct segment *segment)
{
    struct span below = json_text(entry, "lessThan"), with = json_text(entry, "lessThanOrEqual");
    segment->to = below.len ? below : with;
    segment->end = below.len ? END_BEFORE : END_WITH;
    if (is_everything(segment->to)) {
        segment->end = END_NONE;
        return true;
    }
    if (segment->to.len > 2 && memcmp(segment->to.data + segment->to.len - 2, ".*", 2) == 0) {
        segment->end = END_BEFORE;
        return series_end(s, segment->to, &segment->to);
    }
    return !is_blank(segment->to) && !memchr(segment->to.data, '*', segment->to.len);
}

static void push(struct sweep *s, struct segment segment)
{
    s->segments[s->count++] = segment;
}

static bool before(const struct sweep *s, struct span a, struct span b, bool *result)
{
    int order = 0;
    bool low_a = span_is(a, "0"), low_b = span_is(b, "0");
    if (!low_a && !low_b && !version_compare(s->out->order, a, b, &order))
        return false;
    *result = low_a || low_b ? low_a && !low_b : order < 0;
    return true;
}

/* A range, cut where its status changes. Changes stand in ascending order, as the format has them; others are not guessed at. */
static int range_take(struct sweep *s, const struct json *entry, struct span version)
{
    const struct json *changes = json_get(entry, "changes");
    struct segment whole = {.from = is_blank(version) || is_everything(version) ? span_str("0") : version,
                            .claim = claim_of(json_text(entry, "status"))};
    if (changes && changes->type != JSON_ARRAY)
        return fail(s->fault, E_TYPE, "\"changes\" must be an array");
    if (!end_take(s, entry, &whole)) {
        vague(s, whole.to);
        return 0;
    }
    for (uint32_t i = 0; changes && i < changes->count; i++) {
        struct span at = json_text(&changes->child[i], "at");
        bool ascends = false;
        if (is_blank(at) || !before(s, whole.from, at, &ascends) || !ascends) {
            vague(s, at);
            return 0;
        }
        push(s, (struct segment){whole.from, at, END_BEFORE, whole.claim});
        whole.from = at;
        whole.claim = claim_of(json_text(&changes->child[i], "status"));
    }
    bool ascends = whole.end == END_NONE;
    if (!ascends && (!before(s, whole.from, whole.to, &ascends) || (!ascends && whole.end == END_BEFORE))) {
        vague(s, whole.to);
        return 0;
    }
    push(s, whole);
    return 0;
}

static void exact_push(struct sweep *s, enum row_claim claim, struct span version)
{
    s->exact[claim][s->exact_count[claim]++] = version;
}

/* One version; or what some write there instead: "< 2.0", "all", "1.2 and earlier". */
static void single_take(struct sweep *s, struct span version, enum row_claim claim)
{
    struct affected_package words = {.order = s->out->order};
    if (is_blank(version)) {
        vague(s, version);
    } else if (is_everything(version)) {
        push(s, (struct segment){.from = span_str("0"), .claim = claim});
    } else if (!version_text_read(version, true, &words, s->arena)) {
        exact_push(s, claim, version); /* an odd name is a name all the same */
    } else if (words.range_count == 0 && words.version_count == 1) {
        exact_push(s, claim, version);
    } else if (words.range_count == 1 && words.version_count == 0 && words.fixed_count == 0) {
        const struct range *range = &words.ranges[0];
        struct segment segment = {.from = range->events[0].version, .claim = claim};
        if (range->count > 1) {
            segment.to = range->events[1].version;
            segment.end = range->events[1].kind == EVENT_FIXED ? END_BEFORE : END_WITH;
        }
        push(s, segment);
    } else {
        vague(s, version);
    }
}

static int entry_take(struct sweep *s, const struct json *entry, bool *useful)
{
    struct span version = json_text(entry, "version");
    if (!type_take(s, json_text(entry, "versionType")))
        return 0;
    *useful = true;
    if (json_get(entry, "lessThan") || json_get(entry, "lessThanOrEqual"))
        return range_take(s, entry, version);
    single_take(s, version, claim_of(json_text(entry, "status")));
    return 0;
}

/* Ranges */

static size_t segment_events(const struct segment *segment, struct range_event *events)
{
    events[0] = (struct range_event){EVENT_INTRODUCED, segment->from};
    if (segment->end == END_NONE)
        return 1;
    events[1] = (struct range_event){segment->end == END_WITH ? EVENT_LAST_AFFECTED : EVENT_FIXED, segment->to};
    return 2;
}

static int ranges_make(struct sweep *s)
{
    struct range *ranges = arena_array(s->arena, s->count + 1, sizeof *ranges);
    struct range_event *events = arena_array(s->arena, 2 * s->count + 1, sizeof *events);
    size_t n = 0;
    if (!ranges || !events)
        return fail(s->fault, E_NOMEM, "versions");
    for (unsigned claim = 0; claim < CLAIM_COUNT; claim++)
        for (size_t i = 0; i < s->count; i++) {
            struct claimed *to = &s->out->claims[claim];
            if (s->segments[i].claim != claim)
                continue;
            ranges[n] =
                (struct range){.count = segment_events(&s->segments[i], events + 2 * n), .events = events + 2 * n};
            if (to->range_count++ == 0)
                to->ranges = &ranges[n];
            n++;
        }
    return 0;
}

/* By insertion: lists are short, and almost always in order. False when two cannot be compared. */
static bool sort_by_start(const struct sweep *s, struct segment *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct segment one = list[i];
        size_t at = i;
        for (bool is_before; at > 0; at--) {
            if (!before(s, one.from, list[at - 1].from, &is_before))
                return false;
            if (!is_before)
                break;
            list[at] = list[at - 1];
        }
        list[at] = one;
    }
    return true;
}

struct gaps {
    struct range_event *events;
    struct span *excluded;
    size_t count, excluded_count;
};

/* From the end of one to the start of the next. */
static bool gap_open(const struct sweep *s, struct gaps *gaps, const struct segment *last)
{
    int same;
    if (last->end == END_NONE || !version_compare(s->out->order, last->to, last->to, &same))
        return false;
    gaps->events[gaps->count++] = (struct range_event){EVENT_INTRODUCED, last->to};
    if (last->end == END_WITH)
        gaps->excluded[gaps->excluded_count++] = last->to;
    return true;
}

static bool gaps_find(const struct sweep *s, struct gaps *gaps, struct segment *list, size_t count)
{
    if (!sort_by_start(s, list, count))
        return false;
    if (!count || !span_is(list[0].from, "0"))
        gaps->events[gaps->count++] = (struct range_event){EVENT_INTRODUCED, span_str("0")};
    for (size_t i = 0; i < count; i++) {
        bool apart = true;
        int step;
        if (gaps->count && gaps->events[gaps->count - 1].kind == EVENT_INTRODUCED)
            gaps->events[gaps->count++] = (struct range_event){EVENT_FIXED, list[i].from};
        if (i + 1 < count && (list[i].end == END_NONE || !before(s, list[i].to, list[i + 1].from, &apart)))
            return false;
        if (i + 1 < count && !apart && (!version_compare(s->out->order, list[i].to, list[i + 1].from, &step) || step))
            return false; /* they overlap */
        if (apart && list[i].end != END_NONE && !gap_open(s, gaps, &list[i]))
            return false;
    }
    return true;
}

/* Everything is affected but what the entries except. */
static int rest_make(struct sweep *s)
{
    struct gaps gaps = {.events = arena_array(s->arena, 2 * s->count + 2, sizeof *gaps.events),
                        .excluded = arena_array(s->arena, s->count + 1, sizeof *gaps.excluded)};
    struct segment *others = arena_array(s->arena, s->count + 1, sizeof *others);
    struct claimed *affected = &s->out->claims[CLAIM_AFFECTED];
    struct range *ranges = arena_array(s->arena, affected->range_count + 1, sizeof *ranges);
    size_t count = 0;
    if (!gaps.events || !gaps.excluded || !others || !ranges)
        return fail(s->fault, E_NOMEM, "versions");
    for (size_t i = 0; i < s->count; i++)
        if (s->segments[i].claim != CLAIM_AFFECTED)
            others[count++] = s->segments[i];
    if (!gaps_find(s, &gaps, others, count)) {
        vague(s, others[0].from);
        return 0;
    }
    for (size_t i = 0; i < affected->range_count; i++)
        ranges[i] = affected->ranges[i];
    ranges[affected->range_count] = (struct range){.count = gaps.count, .events = gaps.events};
    affected->ranges = ranges;
    affected->range_count += gaps.count > 0;
    s->out->excluded = gaps.excluded;
    s->out->excluded_count = gaps.excluded_count;
    return 0;
}

static int room_make(struct sweep *s, const struct json *list)
{
    size_t most = 1;
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct json *changes = json_get(&list->child[i], "changes");
        most += 1 + (changes && changes->type == JSON_ARRAY ? changes->count : 0);
    }
    s->segments = arena_array(s->arena, most, sizeof *s->segments);
    bool good = s->segments != NULL;
    for (unsigned i = 0; i < CLAIM_COUNT; i++) {
        s->exact[i] = arena_array(s->arena, (list ? list->count : 0) + 1, sizeof *s->exact[i]);
        good = good && s->exact[i];
    }
    return good ? 0 : fail(s->fault, E_NOMEM, "versions");
}

int cve_versions_read(struct cve_versions *out, const struct json *affected, enum order order, struct arena *arena,
                      struct fault *fault)
{
    struct sweep s = {.out = out, .arena = arena, .fault = fault};
    struct span status = json_text(affected, "defaultStatus");
    const struct json *list = json_get(affected, "versions");
    bool useful = false;
    *out = (struct cve_versions){.order = order};
    if (list && list->type != JSON_ARRAY)
        return fail(fault, E_TYPE, "\"versions\" must be an array");
    int rc = room_make(&s, list);
    for (uint32_t i = 0; rc == 0 && list && i < list->count; i++)
        rc = entry_take(&s, &list->child[i], &useful);
    rc = rc ? rc : ranges_make(&s);
    for (unsigned i = 0; i < CLAIM_COUNT; i++) {
        out->claims[i].versions = s.exact[i];
        out->claims[i].version_count = s.exact_count[i];
    }
    out->open = claim_of(status) == CLAIM_UNKNOWN;
    if (list && list->count && !useful)
        vague(&s, span_str("commits only"));
    return rc || claim_of(status) != CLAIM_AFFECTED || out->vague ? rc : rest_make(&s);
}
