#include "affected/match.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/version.h"

const char *const verdict_names[4] = {"none", "not affected", "affected", "undecided"};

/* "Debian" and "Debian:12" agree; "Debian:12" and "Debian:13" do not. */
static bool ecosystem_eq(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    if (n && memcmp(a.data, b.data, n) != 0)
        return false;
    struct span longer = a.len > b.len ? a : b;
    return a.len == b.len || longer.data[n] == ':';
}

static bool say(struct evidence *e, const char *what, struct span a, const char *between, struct span b)
{
    (void)snprintf(e->reason, sizeof e->reason, "%s%.*s%s%.*s", what, (int)(a.len < 50 ? a.len : 50), (const char *)a.data, between,
                   (int)(b.len < 50 ? b.len : 50), (const char *)b.data);
    return true;
}

static bool zero(struct span version)
{
    return span_is(version, "0");
}

/* Whether `version` lies in one range: the greatest event at or below it decides (osv-schema, "Evaluation"). False: cannot tell. */
static bool range_decide(const struct range *range, enum order order, struct span version, bool *inside, struct span *since)
{
    const struct range_event *last = NULL;
    *inside = false;
    for (size_t i = 0; i < range->count; i++) {
        const struct range_event *event = &range->events[i];
        int to_version = 1, to_last = 1;
        if (!zero(event->version) && !version_compare(order, version, event->version, &to_version))
            return false;
        if (event->kind == EVENT_LIMIT && to_version >= 0) {
            *inside = false;
            return true;
        }
        bool passed = event->kind == EVENT_LAST_AFFECTED ? to_version > 0 : to_version >= 0;
        if (event->kind == EVENT_LIMIT || !passed)
            continue;
        if (last && !zero(last->version) && (zero(event->version) || !version_compare(order, event->version, last->version, &to_last)))
            to_last = zero(event->version) ? -1 : 0;
        if (!last || to_last >= 0)
            last = event;
    }
    *inside = last && last->kind == EVENT_INTRODUCED;
    *since = last ? last->version : span_of(NULL, 0);
    return true;
}

static bool listed(const struct span *list, size_t count, struct span version, enum order order)
{
    int result;
    for (size_t i = 0; i < count; i++)
        if (span_eq(list[i], version) || (version_compare(order, list[i], version, &result) && result == 0))
            return true;
    return false;
}

static enum verdict row_decide(const struct affected_package *row, struct span version, struct evidence *e)
{
    bool unknown = false;
    if (!version.len) {
        (void)say(e, "the component has no version", span_of(NULL, 0), "", span_of(NULL, 0));
        return VERDICT_UNDECIDED;
    }
    if (listed(row->fixed_versions, row->fixed_count, version, row->order))
        return say(e, "", version, " is stated as fixed or not affected", span_of(NULL, 0)) ? VERDICT_NOT_AFFECTED : VERDICT_NONE;
    if (listed(row->versions, row->version_count, version, row->order))
        return say(e, "", version, " is listed as affected", span_of(NULL, 0)) ? VERDICT_AFFECTED : VERDICT_NONE;
    for (size_t i = 0; i < row->range_count; i++) {
        bool inside;
        struct span since = {0};
        if (!range_decide(&row->ranges[i], row->order, version, &inside, &since))
            unknown = true;
        else if (inside)
            return say(e, "", version, " is affected since ", since) ? VERDICT_AFFECTED : VERDICT_NONE;
    }
    if (unknown)
        (void)say(e, "", version, " cannot be ordered against the advisory's versions", span_of(NULL, 0));
    else
        (void)say(e, "", version, row->range_count ? " lies outside every affected range" : " is not among the listed versions",
                  span_of(NULL, 0));
    return unknown ? VERDICT_UNDECIDED : row->range_count || row->version_count ? VERDICT_NOT_AFFECTED : VERDICT_UNDECIDED;
}

/* Debian advisories speak of source packages: a binary is found by its source, with the source's version. */
static bool names_meet(const struct affected_package *row, const struct component *c, struct span *version)
{
    if (!ecosystem_eq(row->ecosystem, c->ecosystem))
        return false;
    if (c->source.len && span_eq(row->name, c->source)) {
        *version = c->source_version.len ? c->source_version : c->version;
        return true;
    }
    *version = c->version;
    return span_eq(row->name, c->name);
}

static int weight(enum verdict verdict)
{
    static const int weights[] = {[VERDICT_NONE] = 0, [VERDICT_NOT_AFFECTED] = 1, [VERDICT_UNDECIDED] = 2, [VERDICT_AFFECTED] = 3};
    return weights[verdict];
}

enum verdict match_component(const struct advisory *advisory, const struct component *component, struct evidence *evidence)
{
    enum verdict best = VERDICT_NONE;
    bool excused = false;
    for (size_t i = 0; i < advisory->package_count; i++) {
        const struct affected_package *row = &advisory->packages[i];
        struct evidence e = {.package = row, .component = component, .order = row->order};
        if (!names_meet(row, component, &e.version))
            continue;
        enum verdict verdict = component->problem && !component->version.len ? VERDICT_UNDECIDED : row_decide(row, e.version, &e);
        if (component->problem && !e.reason[0])
            (void)snprintf(e.reason, sizeof e.reason, "the component cannot be compared: %s", component->problem);
        excused = excused || (row->fixed_count && verdict == VERDICT_NOT_AFFECTED);
        if (weight(verdict) > weight(best)) {
            best = verdict;
            *evidence = e;
        }
    }
    return best == VERDICT_UNDECIDED && excused ? VERDICT_NOT_AFFECTED : best;
}

/* A keyed index of the advisory's names: inventories are large and advisories small, and both may be hostile. */
struct name_index {
    uint8_t key[crypto_shorthash_KEYBYTES];
    size_t mask;
    bool *slots;
};

static size_t slot_of(const struct name_index *index, struct span name)
{
    uint64_t h;
    (void)crypto_shorthash((uint8_t *)&h, name.data, name.len, index->key);
    return (size_t)h & index->mask;
}

static bool index_build(struct name_index *index, const struct advisory *advisory)
{
    size_t size = 64;
    while (size < 4 * advisory->package_count)
        size *= 2;
    index->mask = size - 1;
    index->slots = calloc(size, sizeof *index->slots);
    crypto_shorthash_keygen(index->key);
    for (size_t i = 0; index->slots && i < advisory->package_count; i++)
        index->slots[slot_of(index, advisory->packages[i].name)] = true;
    return index->slots != NULL;
}

int match_inventory(const struct advisory *advisory, const struct inventory *inventory, match_visit *visit, void *ctx)
{
    struct name_index index;
    int rc = index_build(&index, advisory) ? 0 : E_NOMEM;
    for (size_t i = 0; i < inventory->count && rc == 0; i++) {
        const struct component *c = &inventory->components[i];
        struct evidence evidence = {0};
        if (!index.slots[slot_of(&index, c->name)] && !(c->source.len && index.slots[slot_of(&index, c->source)]))
            continue;
        enum verdict verdict = match_component(advisory, c, &evidence);
        if (verdict != VERDICT_NONE)
            rc = visit(ctx, verdict, &evidence);
    }
    free(index.slots);
    return rc;
}
