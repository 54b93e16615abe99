#include "affected/match.h"

#include <stdio.h>

#include "affected/judge.h"
#include "format/version.h"

const char *const verdict_names[4] = {"none", "not affected", "affected", "undecided"};

/* Foreign versions in our reasons: one short piece of printable ASCII each. */
struct shown {
    char text[43];
};

static struct shown show(struct span version)
{
    struct shown out;
    size_t n = version.len < 40 ? version.len : 40;
    for (size_t i = 0; i < n; i++)
        out.text[i] = version.data[i] > 0x20 && version.data[i] < 0x7f ? (char)version.data[i] : '?';
    memcpy(out.text + n, version.len > n ? ".." : "", version.len > n ? 3 : 1);
    return out;
}

/* "0" is before all versions, of whatever order. */
static bool event_compare(enum order order, struct span a, struct span b, int *result)
{
    bool low_a = span_is(a, "0"), low_b = span_is(b, "0");
    if (low_a || low_b) {
        *result = low_b - low_a;
        return true;
    }
    return version_compare(order, a, b, result);
}

static bool version_vs_event(enum order order, struct span version, struct span event, int *result)
{
    if (!span_is(event, "0"))
        return version_compare(order, version, event, result);
    *result = 1;
    return version_compare(order, version, version, &(int){0}); /* it must be a version all the same */
}

enum inside { OUTSIDE, INSIDE, CANNOT_TELL };
struct interval {
    const struct range_event *from, *to;
};

/* Keeps the event that stands last at or below the version, and the first one above that would end the range. */
static bool interval_step(enum order order, int version_order, const struct range_event *event, struct interval *found)
{
    bool passed = event->kind == EVENT_LAST_AFFECTED ? version_order > 0 : version_order >= 0;
    const struct range_event **slot = passed ? &found->from : &found->to;
    int step = passed ? 1 : -1;
    if (!passed && event->kind == EVENT_INTRODUCED)
        return true;
    if (*slot && !event_compare(order, event->version, (*slot)->version, &step))
        return false;
    bool after = step > 0 ||
                 (step == 0 && *slot && (*slot)->kind != EVENT_LAST_AFFECTED); /* at one version: the later written */
    if (!*slot || (passed ? after : step < 0))
        *slot = event;
    return true;
}

/* The evaluation of the OSV schema: of the events in version order the last one at or below the version decides. */
static enum inside range_judge(const struct range *range, enum order order, struct span version, struct interval *found)
{
    bool introduced = false, limited = false, below_limit = false;
    *found = (struct interval){0};
    for (size_t i = 0; i < range->count; i++) {
        const struct range_event *event = &range->events[i];
        int result = -1;
        bool endless = event->kind == EVENT_LIMIT && span_is(event->version, "*");
        if (!endless && !version_vs_event(order, version, event->version, &result))
            return CANNOT_TELL;
        introduced = introduced || event->kind == EVENT_INTRODUCED;
        if (event->kind == EVENT_LIMIT) {
            limited = true;
            below_limit = below_limit || result < 0;
        } else if (!interval_step(order, result, event, found)) {
            return CANNOT_TELL;
        }
    }
    if (!introduced)
        return CANNOT_TELL;
    return found->from && found->from->kind == EVENT_INTRODUCED && (!limited || below_limit) ? INSIDE : OUTSIDE;
}

static bool listed(const struct span *list, size_t count, enum order order, struct span version)
{
    int result;
    for (size_t i = 0; i < count; i++)
        if (span_eq(list[i], version) || (version_compare(order, version, list[i], &result) && result == 0))
            return true;
    return false;
}

static void say_inside(struct evidence *e, const struct interval *in)
{
    struct shown version = show(e->version), from = show(in->from->version);
    struct shown to = in->to ? show(in->to->version) : (struct shown){"..."};
    (void)snprintf(e->reason, sizeof e->reason, "%s is in [%s, %s%c by %s order", version.text, from.text, to.text,
                   in->to && in->to->kind == EVENT_LAST_AFFECTED ? ']' : ')', order_name(e->order));
}

static enum judgement say(struct evidence *e, enum judgement judgement, const char *what)
{
    (void)snprintf(e->reason, sizeof e->reason, "%s %s", show(e->version).text, what);
    return judgement;
}

static enum judgement say_order(struct evidence *e, enum order order)
{
    (void)snprintf(e->reason, sizeof e->reason, "%s is no %s version", show(e->version).text, order_name(order));
    return JUDGED_UNDECIDED;
}

/* What the row says of a version that it lists or whose range holds it. */
enum judgement judgement_of(const struct affected_package *row)
{
    static const enum judgement judgements[CLAIM_COUNT] = {
        [CLAIM_AFFECTED] = JUDGED_AFFECTED, [CLAIM_UNAFFECTED] = JUDGED_EXCUSED, [CLAIM_UNKNOWN] = JUDGED_INVESTIGATED};
    return judgements[row->claim];
}

/* A row that tells only what is safe, or what is not known yet, says nothing of versions outside. */
static enum judgement ranges_judge(const struct affected_package *row, struct span version, struct interval *found)
{
    bool affects = row->claim == CLAIM_AFFECTED;
    enum judgement worst = affects && !row->open ? JUDGED_NOT_AFFECTED : JUDGED_SILENT;
    for (size_t i = 0; i < row->range_count; i++) {
        enum inside inside = range_judge(&row->ranges[i], row->order, version, found);
        if (inside == INSIDE)
            return judgement_of(row);
        if (inside == CANNOT_TELL && affects)
            worst = JUDGED_UNDECIDED;
    }
    return worst;
}

static enum judgement unlisted_judge(const struct affected_package *row, bool exhaustive, struct span version,
                                     struct interval *found, const char **why)
{
    int result;
    if (row->order == ORDER_UNKNOWN) {
        *why = "is not listed, and the order of its ecosystem's versions is not known here";
        return JUDGED_UNDECIDED;
    }
    if (!version_compare(row->order, version, version, &result)) {
        *why = NULL; /* say_order has the words */
        return JUDGED_UNDECIDED;
    }
    if (row->range_count == 0 && (row->version_count == 0 || !exhaustive || row->open)) {
        *why = "is not among the versions that the advisory names";
        return JUDGED_SILENT;
    }
    enum judgement judgement = ranges_judge(row, version, found);
    *why = judgement == JUDGED_SILENT ? "is outside every range that the advisory names"
           : judgement == JUDGED_UNDECIDED
               ? "cannot be placed: a range of the advisory has no start or no valid version"
           : row->range_count ? "is outside every affected range"
                              : "is not among the affected versions";
    return judgement;
}

enum judgement judge_unlisted(const struct affected_package *row, bool exhaustive, struct span version)
{
    struct interval found;
    const char *why;
    return unlisted_judge(row, exhaustive, version, &found, &why);
}

static enum judgement listed_judge(const struct affected_package *row, struct span version)
{
    if (listed(row->versions, row->version_count, row->order, version))
        return judgement_of(row);
    return listed(row->fixed_versions, row->fixed_count, row->order, version) ? JUDGED_EXCUSED : JUDGED_NONE;
}

enum judgement judge_version(const struct affected_package *row, bool exhaustive, struct span version)
{
    enum judgement judgement = listed_judge(row, version);
    return judgement ? judgement : judge_unlisted(row, exhaustive, version);
}

static enum judgement say_stated(struct evidence *e, enum judgement judgement, const struct interval *found)
{
    const char *why = justification_names[e->package->justification];
    if (judgement == JUDGED_EXCUSED) {
        e->justification = e->package->justification;
        (void)snprintf(e->reason, sizeof e->reason, "%s is stated as fixed or not affected%s%s", show(e->version).text,
                       *why ? ": " : "", why);
    } else if (judgement == JUDGED_INVESTIGATED) {
        (void)say(e, judgement, "is under investigation: whether it is affected is not known yet");
    } else if (found) {
        say_inside(e, found);
    } else {
        (void)say(e, judgement, "is listed as affected");
    }
    return judgement;
}

static enum judgement row_judge(const struct affected_package *row, bool exhaustive, struct evidence *e)
{
    struct interval found = {0};
    const char *why;
    enum judgement judgement = listed_judge(row, e->version);
    if (judgement)
        return say_stated(e, judgement, NULL);
    judgement = unlisted_judge(row, exhaustive, e->version, &found, &why);
    if (found.from && judgement == judgement_of(row))
        return say_stated(e, judgement, &found);
    return why ? say(e, judgement, why) : say_order(e, row->order);
}

/* What words propose is a question; it is asked only where there is something to fear. */
static enum judgement proposed(const struct affected_package *row)
{
    return row->claim == CLAIM_UNAFFECTED ? JUDGED_NONE : JUDGED_UNDECIDED;
}

enum judgement judge_met(const struct affected_package *row, bool exhaustive, const struct meeting *meeting)
{
    if (meeting->bond == BOND_PROPOSED)
        return proposed(row);
    if (meeting->broken || meeting->doubt)
        return row->claim == CLAIM_UNAFFECTED ? JUDGED_SILENT : JUDGED_UNDECIDED;
    return judge_version(row, exhaustive, meeting->version);
}

static enum judgement say_proposed(struct evidence *e, const struct meeting *meeting)
{
    (void)snprintf(e->reason, sizeof e->reason,
                   "names meet in words only (%s, %s; weight %u): a person must say whether they mean the same",
                   way_names[meeting->way_row], way_names[meeting->way_component], meeting->weight);
    return proposed(e->package);
}

static enum judgement low_judge(const struct affected_package *row, bool exhaustive, const struct meeting *meeting,
                                struct evidence *e)
{
    if (meeting->bond == BOND_PROPOSED)
        return say_proposed(e, meeting);
    if (meeting->broken || meeting->doubt)
        (void)snprintf(e->reason, sizeof e->reason, "the component cannot be compared: %s",
                       meeting->doubt ? meeting->doubt : "it has no version");
    else
        (void)row_judge(row, exhaustive, e);
    size_t n = strlen(e->reason);
    (void)snprintf(e->reason + n, sizeof e->reason - n, " (grade %s)", lane_names[row->lane]);
    return judge_met(row, exhaustive, meeting);
}

/* A component without an ecosystem, or read with a problem, is never called safe. */
enum judgement judge(const struct advisory *advisory, const struct affected_package *row,
                     const struct component *component, const struct meeting *meeting, struct evidence *e)
{
    bool exhaustive = advisory->version.len == 0;
    *e = (struct evidence){
        .package = row, .component = component, .version = meeting->version, .order = row->order, .lane = row->lane};
    if (advisory->withdrawn) {
        (void)snprintf(e->reason, sizeof e->reason, "the advisory is withdrawn");
        return JUDGED_EXCUSED;
    }
    if (row->lane != LANE_PURL)
        return low_judge(row, exhaustive, meeting, e);
    const char *problem = component->problem;
    if (!problem)
        problem = meeting->broken                                            ? "it has no version"
                  : component->ecosystem.len == 0 || row->ecosystem.len == 0 ? "its ecosystem is not stated"
                                                                             : NULL;
    if (problem) {
        (void)snprintf(e->reason, sizeof e->reason, "the component cannot be compared: %s", problem);
        return JUDGED_UNDECIDED;
    }
    return row_judge(row, exhaustive, e);
}

/* How the judgements of an advisory's rows about one component combine: the greater one stands, in the order of the enum. */
enum verdict verdict_of(enum judgement judgement)
{
    static const enum verdict verdicts[] = {
        [JUDGED_NONE] = VERDICT_NONE,
        [JUDGED_SILENT] = VERDICT_UNDECIDED,
        [JUDGED_NOT_AFFECTED] = VERDICT_NOT_AFFECTED,
        [JUDGED_UNDECIDED] = VERDICT_UNDECIDED,
        [JUDGED_EXCUSED] = VERDICT_NOT_AFFECTED,
        [JUDGED_INVESTIGATED] = VERDICT_UNDECIDED,
        [JUDGED_AFFECTED] = VERDICT_AFFECTED,
    };
    return verdicts[judgement];
}

enum verdict match_component(const struct advisory *advisory, const struct component *component,
                             struct evidence *evidence)
{
    enum judgement best[LANE_COUNT] = {JUDGED_NONE};
    struct evidence kept[LANE_COUNT] = {0}, e;
    for (size_t i = 0; i < advisory->package_count; i++) {
        const struct affected_package *row = &advisory->packages[i];
        struct meeting meeting;
        if (!names_meet(row, component, &meeting))
            continue;
        enum judgement judgement = judge(advisory, row, component, &meeting, &e);
        if (judgement > best[row->lane]) {
            best[row->lane] = judgement;
            kept[row->lane] = e;
        }
    }
    enum lane lane = lane_of(best);
    if (evidence)
        *evidence = lane < LANE_COUNT ? kept[lane] : (struct evidence){0};
    return lane < LANE_COUNT ? verdict_of(best[lane]) : VERDICT_NONE;
}
