/* Rows of advisories: packed into numbers, unpacked again for the judgement of match.c, and run over the releases of a package a stretch at
   a time: between two neighbouring versions that a row names, all releases fare alike. */
#include <stdlib.h>

#include "affected/catalogue_state.h"

/* [ecosystem, name, order and bits, ranges, versions, fixed], then for each range its count and (kind, version) each, then the
   versions, then the fixed ones, then in lanes of lower grade the second name; all texts as strings of the catalogue. */
enum { WORD_ECOSYSTEM, WORD_NAME, WORD_ORDER, WORD_RANGES, WORD_VERSIONS, WORD_FIXED, WORD_HEAD };

struct words {
    uint32_t *items;
    size_t count, cap;
};

static int fit(void **items, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return 0;
    size_t more = count + count / 2 + 64;
    void *bigger = realloc(*items, more * size);
    if (!bigger)
        return E_NOMEM;
    *items = bigger;
    *cap = more;
    return 0;
}

static int word_add(struct words *w, uint32_t value)
{
    int rc = fit((void **)&w->items, &w->cap, w->count + 1, sizeof *w->items);
    if (rc == 0)
        w->items[w->count++] = value;
    return rc;
}

static int text_add(struct catalogue *c, struct words *w, struct span text)
{
    uint32_t string;
    int rc = string_put(c, text, &string);
    return rc ? rc : word_add(w, string);
}

static int texts_add(struct catalogue *c, struct words *w, const struct span *texts, size_t count)
{
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = text_add(c, w, texts[i]);
    return rc;
}

enum { BIT_EXHAUSTIVE = 8, BIT_OPEN, BITS_CLAIM = 12, BITS_LANE = 14 };
static uint32_t row_bits(const struct affected_package *row, bool exhaustive)
{
    return (uint32_t)row->order | (uint32_t)exhaustive << BIT_EXHAUSTIVE | (uint32_t)row->open << BIT_OPEN |
           (uint32_t)row->claim << BITS_CLAIM | (uint32_t)row->lane << BITS_LANE;
}

/* What a row of a lower lane is compared by once it is found. */
static struct span second_name(const struct affected_package *row, uint8_t room[static KEY_BYTES_MAX])
{
    return row->lane == LANE_CPE    ? row->cpe
           : row->lane == LANE_TEXT ? product_key(row->vendor, row->product, room)
                                    : span_of(NULL, 0);
}

static int row_pack(struct catalogue *c, const struct affected_package *row, bool exhaustive, struct words *w)
{
    if (row->range_count > UINT16_MAX || row->version_count > UINT32_MAX / 2 || row->fixed_count > UINT32_MAX / 2)
        return E_LIMIT;
    int rc = text_add(c, w, row->ecosystem);
    rc = rc ? rc : text_add(c, w, row->name);
    rc = rc ? rc : word_add(w, row_bits(row, exhaustive));
    rc = rc ? rc : word_add(w, (uint32_t)row->range_count);
    rc = rc ? rc : word_add(w, (uint32_t)row->version_count);
    rc = rc ? rc : word_add(w, (uint32_t)row->fixed_count);
    for (size_t i = 0; i < row->range_count && rc == 0; i++) {
        const struct range *range = &row->ranges[i];
        rc = range->count > UINT16_MAX ? E_LIMIT : word_add(w, (uint32_t)range->count);
        for (size_t e = 0; e < range->count && rc == 0; e++) {
            rc = word_add(w, range->events[e].kind);
            rc = rc ? rc : text_add(c, w, range->events[e].version);
        }
    }
    rc = rc ? rc : texts_add(c, w, row->versions, row->version_count);
    rc = rc ? rc : texts_add(c, w, row->fixed_versions, row->fixed_count);
    return rc || row->lane == LANE_PURL ? rc : text_add(c, w, second_name(row, c->scratch.second_bytes));
}

int row_put(struct catalogue *c, uint32_t advisory, uint32_t name, const struct affected_package *row, bool exhaustive,
            uint32_t *out)
{
    struct words w = {0};
    bool reused = c->row_free != 0;
    int rc = row_pack(c, row, exhaustive, &w);
    if (rc == 0 && !reused) {
        size_t old = c->row_cap;
        rc = fit((void **)&c->rows, &c->row_cap, c->row_count + 1, sizeof *c->rows);
        if (rc == 0 && c->row_cap > old)
            memset(c->rows + old, 0, (c->row_cap - old) * sizeof *c->rows);
    }
    if (rc == 0) {
        struct advisory_row made = {.advisory = advisory, .name = name};
        rc = list_set(&c->lists, &made.words, w.items, w.count);
        if (rc == 0) {
            *out = reused ? c->row_free : (uint32_t)c->row_count++;
            c->row_free = reused ? c->rows[*out].advisory : c->row_free;
            c->rows[*out] = made;
        }
    }
    free(w.items);
    return rc;
}

void row_drop(struct catalogue *c, uint32_t row)
{
    struct list *rows = &c->names[c->rows[row].name].rows;
    for (uint32_t i = 0; i < rows->count; i++)
        if (list_items(&c->lists, *rows)[i] == row) {
            list_remove_at(&c->lists, rows, i);
            break;
        }
    list_clear(&c->lists, &c->rows[row].words);
    c->rows[row] = (struct advisory_row){.advisory = c->row_free};
    c->row_free = row;
}

size_t row_ranges(const struct catalogue *c, uint32_t row)
{
    return list_items(&c->lists, c->rows[row].words)[WORD_RANGES];
}

enum lane row_lane(const struct catalogue *c, uint32_t row)
{
    return (enum lane)(list_items(&c->lists, c->rows[row].words)[WORD_ORDER] >> BITS_LANE & 3);
}

void scratch_free(struct scratch *s)
{
    free(s->ranges);
    free(s->events);
    free(s->versions);
    free(s->bounds);
    free(s->stretches);
    *s = (struct scratch){0};
}

/* Into the scratch, where it stays until the next one. */
static int row_unpack(struct catalogue *c, uint32_t row, bool *exhaustive)
{
    struct scratch *s = &c->scratch;
    const uint32_t *w = list_items(&c->lists, c->rows[row].words), *at = w + WORD_HEAD;
    size_t ranges = w[WORD_RANGES], versions = (size_t)w[WORD_VERSIONS] + w[WORD_FIXED];
    enum lane lane = (enum lane)(w[WORD_ORDER] >> BITS_LANE & 3);
    size_t events = (c->rows[row].words.count - WORD_HEAD - ranges - versions - (lane != LANE_PURL)) / 2;
    int rc = fit((void **)&s->ranges, &s->range_cap, ranges, sizeof *s->ranges);
    rc = rc ? rc : fit((void **)&s->events, &s->event_cap, events, sizeof *s->events);
    rc = rc ? rc : fit((void **)&s->versions, &s->version_cap, versions, sizeof *s->versions);
    if (rc)
        return rc;
    struct range_event *event = s->events;
    for (size_t i = 0; i < ranges; i++) {
        s->ranges[i] = (struct range){.count = *at++, .events = event};
        for (size_t e = 0; e < s->ranges[i].count; e++, at += 2)
            *event++ = (struct range_event){.kind = (enum event_kind)at[0], .version = string_get(c, at[1])};
    }
    for (size_t i = 0; i < versions; i++)
        s->versions[i] = string_get(c, *at++);
    s->second = lane == LANE_PURL ? span_of(NULL, 0) : string_get(c, *at);
    s->row = (struct affected_package){.lane = lane,
                                       .ecosystem = string_get(c, w[WORD_ECOSYSTEM]),
                                       .name = string_get(c, w[WORD_NAME]),
                                       .order = (enum order)(w[WORD_ORDER] & 0xff),
                                       .open = w[WORD_ORDER] >> BIT_OPEN & 1,
                                       .claim = (enum row_claim)(w[WORD_ORDER] >> BITS_CLAIM & 3),
                                       .range_count = ranges,
                                       .version_count = w[WORD_VERSIONS],
                                       .fixed_count = w[WORD_FIXED],
                                       .ranges = s->ranges,
                                       .versions = s->versions,
                                       .fixed_versions = s->versions + w[WORD_VERSIONS]};
    *exhaustive = w[WORD_ORDER] >> BIT_EXHAUSTIVE & 1;
    return 0;
}

static int pair_add(struct pairs *pairs, uint32_t number, enum judgement judgement)
{
    int rc = fit((void **)&pairs->items, &pairs->cap, pairs->count + 1, sizeof *pairs->items);
    if (rc == 0)
        pairs->items[pairs->count++] = (uint64_t)number << 8 | (uint64_t)judgement;
    return rc;
}

static int by_pair(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Ascending, and of each number the greatest judgement. */
static void pairs_settle(struct pairs *pairs)
{
    size_t n = 0;
    if (pairs->count)
        qsort(pairs->items, pairs->count, sizeof *pairs->items, by_pair);
    for (size_t i = 0; i < pairs->count; i++) {
        if (n && pairs->items[n - 1] >> 8 == pairs->items[i] >> 8)
            n--;
        pairs->items[n++] = pairs->items[i];
    }
    pairs->count = n;
}

size_t package_bound(const struct catalogue *c, const struct package_row *p, struct span version, bool above)
{
    const uint32_t *items = list_items(&c->lists, p->ordered);
    size_t low = 0, high = p->ordered.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int result = 0;
        (void)version_compare(p->order, string_get(c, c->releases[items[middle]].version), version, &result);
        if (result < 0 || (above && result == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct stretch {
    uint32_t from;
    enum judgement judgement; /* of all releases from here to the next stretch */
};

static int bounds_add(struct catalogue *c, const struct package_row *p, struct span version, size_t *count)
{
    struct scratch *s = &c->scratch;
    int result;
    if (!version_compare(p->order, version, version, &result))
        return 0; /* its row says undecided, or it is found by its text */
    int rc = fit((void **)&s->bounds, &s->bound_cap, *count + 2, sizeof *s->bounds);
    if (rc)
        return rc;
    s->bounds[(*count)++] = (uint32_t)package_bound(c, p, version, false);
    s->bounds[(*count)++] = (uint32_t)package_bound(c, p, version, true);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int stretches_cut(struct catalogue *c, const struct package_row *p, size_t *count)
{
    struct scratch *s = &c->scratch;
    const struct affected_package *row = &s->row;
    size_t bounds = 0, n = 0;
    int rc = fit((void **)&s->bounds, &s->bound_cap, 1, sizeof *s->bounds);
    if (rc == 0)
        s->bounds[bounds++] = 0;
    for (size_t i = 0; i < row->range_count && rc == 0; i++)
        for (size_t e = 0; e < row->ranges[i].count && rc == 0; e++)
            rc = bounds_add(c, p, row->ranges[i].events[e].version, &bounds);
    for (size_t i = 0; i < row->version_count + row->fixed_count && rc == 0; i++)
        rc = bounds_add(c, p, s->versions[i], &bounds);
    rc = rc ? rc : fit((void **)&s->stretches, &s->stretch_cap, bounds, sizeof *s->stretches);
    if (rc)
        return rc;
    qsort(s->bounds, bounds, sizeof *s->bounds, by_number);
    for (size_t i = 0; i < bounds; i++)
        if (s->bounds[i] < p->ordered.count && (i == 0 || s->bounds[i] != s->bounds[i - 1]))
            s->stretches[n++] = (struct stretch){.from = s->bounds[i]};
    *count = n;
    return 0;
}

/* The releases that equal a listed version are a stretch of their own. */
static void stretch_mark(struct catalogue *c, const struct package_row *p, size_t count, struct span version,
                         enum judgement judgement)
{
    struct stretch *stretches = c->scratch.stretches;
    int result;
    if (!version_compare(p->order, version, version, &result))
        return;
    size_t from = package_bound(c, p, version, false), low = 0, high = count;
    if (from == package_bound(c, p, version, true))
        return;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (stretches[middle].from < from)
            low = middle + 1;
        else
            high = middle;
    }
    if (judgement > stretches[low].judgement)
        stretches[low].judgement = judgement;
}

/* A row alone with its name need not tell of what it does not affect. */
static bool worth(enum judgement judgement, bool alone)
{
    enum verdict verdict = verdict_of(judgement);
    return !alone || verdict == VERDICT_AFFECTED || verdict == VERDICT_UNDECIDED;
}

static int ordered_find(struct catalogue *c, const struct package_row *p, bool exhaustive, bool alone,
                        struct pairs *out)
{
    struct scratch *s = &c->scratch;
    size_t count = 0;
    int rc = stretches_cut(c, p, &count);
    for (size_t i = 0; i < s->row.version_count && rc == 0; i++)
        stretch_mark(c, p, count, s->row.versions[i], judgement_of(&s->row));
    for (size_t i = 0; i < s->row.fixed_count && rc == 0; i++)
        stretch_mark(c, p, count, s->row.fixed_versions[i], JUDGED_EXCUSED);
    const uint32_t *items = list_items(&c->lists, p->ordered);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct stretch *stretch = &s->stretches[i];
        uint32_t to = i + 1 < count ? stretch[1].from : p->ordered.count;
        if (stretch->judgement == JUDGED_NONE)
            stretch->judgement =
                judge_unlisted(&s->row, exhaustive, string_get(c, c->releases[items[stretch->from]].version));
        for (uint32_t at = stretch->from; at < to && rc == 0 && worth(stretch->judgement, alone); at++)
            rc = pair_add(out, items[at], stretch->judgement);
    }
    return rc;
}

static int exact_find(struct catalogue *c, uint32_t package, const struct span *versions, size_t count,
                      enum judgement judgement, struct pairs *out)
{
    const struct package_row *p = &c->packages[package];
    int rc = 0, result;
    for (size_t i = 0; i < count && rc == 0; i++) {
        uint32_t release = release_find(c, package, versions[i]);
        if (release && !version_compare(p->order, versions[i], versions[i], &result))
            rc = pair_add(out, release, judgement);
    }
    return rc;
}

static int all_undecided(const struct catalogue *c, struct list list, struct pairs *out)
{
    int rc = 0;
    for (uint32_t i = 0; i < list.count && rc == 0; i++)
        rc = pair_add(out, list_items(&c->lists, list)[i], JUDGED_UNDECIDED);
    return rc;
}

/* The decisions that a text package is kept with. */
static enum bond package_decision(struct span rest, struct span key, bool *refused)
{
    struct span line;
    *refused = false;
    while (span_line(&rest, &line))
        if (line.len && line.data[0] >= ' ' && span_eq(span_from(line, 1), key)) {
            *refused = line.data[0] == '-';
            return *refused ? BOND_PROPOSED : BOND_DECIDED;
        }
    return BOND_PROPOSED;
}

/* In lanes of lower grade; keys have led here. */
static bool low_meets(const struct catalogue *c, const struct package_row *p, struct meeting *meeting)
{
    const struct scratch *s = &c->scratch;
    bool refused = false;
    *meeting = (struct meeting){.bond = BOND_NAMED};
    if (p->lane != s->row.lane)
        return false;
    if (p->lane == LANE_CPE && !cpes_meet(s->second, string_get(c, p->name), &meeting->doubt))
        return false;
    if (p->lane == LANE_TEXT)
        meeting->bond = package_decision(string_get(c, p->name), s->second, &refused);
    if (meeting->bond != BOND_PROPOSED && is_distribution(string_get(c, p->ecosystem)))
        meeting->doubt = distribution_doubt;
    return !refused;
}

static enum judgement low_release(const struct catalogue *c, const struct release_row *r, bool exhaustive,
                                  struct meeting *meeting)
{
    meeting->version = string_get(c, r->version);
    meeting->broken = r->broken;
    return judge_met(&c->scratch.row, exhaustive, meeting);
}

static int low_find(struct catalogue *c, const struct package_row *p, bool exhaustive, struct pairs *out)
{
    struct meeting meeting;
    int rc = 0;
    for (uint32_t i = 0; i < p->loose.count && rc == 0 && (i || low_meets(c, p, &meeting)); i++) {
        uint32_t release = list_items(&c->lists, p->loose)[i];
        enum judgement judgement = low_release(c, &c->releases[release], exhaustive, &meeting);
        if (judgement != JUDGED_NONE)
            rc = pair_add(out, release, judgement);
    }
    return rc;
}

static bool package_meets(const struct catalogue *c, const struct package_row *p, const struct affected_package *row)
{
    return p->lane == LANE_PURL && ecosystem_meets(row->ecosystem, string_get(c, p->ecosystem)) &&
           name_eq(row->ecosystem, row->name, string_get(c, p->name));
}

static bool ecosystems_known(const struct catalogue *c, const struct package_row *p, const struct affected_package *row)
{
    return row->ecosystem.len && string_get(c, p->ecosystem).len;
}

static int package_find(struct catalogue *c, uint32_t package, bool exhaustive, bool alone, struct pairs *out)
{
    const struct affected_package *row = &c->scratch.row;
    const struct package_row *p = &c->packages[package];
    if (row->lane != LANE_PURL)
        return low_find(c, p, exhaustive, out);
    if (!package_meets(c, p, row))
        return 0;
    int rc = all_undecided(c, p->loose, out);
    if (!ecosystems_known(c, p, row))
        return rc ? rc : all_undecided(c, p->ordered, out);
    rc = rc ? rc : exact_find(c, package, row->fixed_versions, row->fixed_count, JUDGED_EXCUSED, out);
    rc = rc ? rc : exact_find(c, package, row->versions, row->version_count, judgement_of(row), out);
    return rc ? rc : ordered_find(c, p, exhaustive, alone, out);
}

static bool row_alone(const struct catalogue *c, struct list rows, uint32_t row)
{
    for (uint32_t i = 0; i < rows.count; i++) {
        uint32_t other = list_items(&c->lists, rows)[i];
        if (other != row && c->rows[other].name == c->rows[row].name)
            return false;
    }
    return true;
}

int advisory_pairs(struct catalogue *c, uint32_t advisory, struct pairs *out)
{
    struct list rows = c->advisories[advisory].rows;
    int rc = 0;
    for (uint32_t i = 0; i < rows.count && rc == 0; i++) {
        uint32_t row = list_items(&c->lists, rows)[i];
        bool exhaustive, alone = rows.count <= 64 && row_alone(c, rows, row);
        struct list packages = c->names[c->rows[row].name].packages;
        rc = row_unpack(c, row, &exhaustive);
        for (uint32_t p = 0; p < packages.count && rc == 0; p++)
            rc = package_find(c, list_items(&c->lists, packages)[p], exhaustive, alone, out);
    }
    pairs_settle(out);
    return rc;
}

/* A row that is not packed, in the scratch. */
static int row_borrow(struct catalogue *c, const struct affected_package *row)
{
    struct scratch *s = &c->scratch;
    size_t versions = row->version_count, fixed = row->fixed_count;
    int rc = fit((void **)&s->versions, &s->version_cap, versions + fixed, sizeof *s->versions);
    if (rc)
        return rc;
    if (versions)
        memcpy(s->versions, row->versions, versions * sizeof *s->versions);
    if (fixed)
        memcpy(s->versions + versions, row->fixed_versions, fixed * sizeof *s->versions);
    s->row = *row;
    s->second = second_name(row, s->second_bytes);
    s->row.versions = s->versions;
    s->row.fixed_versions = s->versions + versions;
    return 0;
}

static int asked_key(struct catalogue *c, const struct advisory *advisory, const struct affected_package *row,
                     struct span key, struct pairs *out)
{
    uint32_t name = name_find(c, key);
    struct list packages = name ? c->names[name].packages : (struct list){0};
    int rc = packages.count ? row_borrow(c, row) : 0;
    for (uint32_t p = 0; p < packages.count && rc == 0; p++)
        rc = package_find(c, list_items(&c->lists, packages)[p], advisory->version.len == 0,
                          advisory->package_count == 1, out);
    return rc;
}

int asked_pairs(struct catalogue *c, const struct advisory *advisory, struct pairs *out)
{
    int rc = 0;
    for (size_t i = 0; i < advisory->package_count && rc == 0; i++) {
        const struct affected_package *row = &advisory->packages[i];
        struct keys keys;
        if (row->lane == LANE_PURL) {
            rc = asked_key(c, advisory, row, row->name, out);
            continue;
        }
        row_keys(row, &keys);
        for (size_t k = 0; k < keys.count && rc == 0; k++)
            rc = asked_key(c, advisory, row, keys.list[k], out);
    }
    pairs_settle(out);
    return rc;
}

static enum judgement release_against(struct catalogue *c, const struct release_row *r, bool exhaustive)
{
    const struct package_row *p = &c->packages[r->package];
    const struct affected_package *row = &c->scratch.row;
    struct meeting meeting;
    if (row->lane != LANE_PURL)
        return low_meets(c, p, &meeting) ? low_release(c, r, exhaustive, &meeting) : JUDGED_NONE;
    if (!package_meets(c, p, row))
        return JUDGED_NONE;
    if (r->broken || !ecosystems_known(c, p, row))
        return JUDGED_UNDECIDED;
    return judge_version(row, exhaustive, string_get(c, r->version));
}

static int name_judge(struct catalogue *c, const struct release_row *r, struct list rows, struct pairs *pairs)
{
    int rc = 0;
    for (uint32_t i = 0; i < rows.count && rc == 0; i++) {
        uint32_t row = list_items(&c->lists, rows)[i];
        bool exhaustive;
        rc = row_unpack(c, row, &exhaustive);
        enum judgement judgement = rc ? JUDGED_NONE : release_against(c, r, exhaustive);
        if (judgement != JUDGED_NONE)
            rc = pair_add(pairs, c->rows[row].advisory, judgement);
    }
    return rc;
}

/* By all names on which its package hangs. */
static int names_judge(struct catalogue *c, const struct release_row *r, struct pairs *pairs)
{
    const struct package_row *p = &c->packages[r->package];
    struct span rest = string_get(c, p->name), key;
    int rc = 0;
    if (p->lane != LANE_TEXT)
        return name_judge(c, r, c->names[p->name_id].rows, pairs);
    while (rc == 0 && package_key(&rest, &key))
        rc = name_judge(c, r, c->names[name_find(c, key)].rows, pairs);
    return rc;
}

/* What all rows of its names say: advisory << 8 | judgement, ascending. */
static int release_pairs(struct catalogue *c, uint32_t release, struct pairs *out)
{
    int rc = names_judge(c, &c->releases[release], out);
    pairs_settle(out);
    return rc;
}

/* False when it is nothing to tell. */
static bool finding_of(uint64_t pair, uint32_t *item)
{
    enum verdict verdict = verdict_of((enum judgement)(pair & 0xff));
    *item = (uint32_t)(pair >> 8) << 1 | (verdict == VERDICT_AFFECTED);
    return verdict == VERDICT_AFFECTED || verdict == VERDICT_UNDECIDED;
}

int release_judge(struct catalogue *c, uint32_t release)
{
    struct list *findings = &c->releases[release].findings;
    struct pairs pairs = {0};
    uint32_t item;
    int rc = release_pairs(c, release, &pairs);
    for (size_t i = 0; i < pairs.count && rc == 0; i++)
        if (finding_of(pairs.items[i], &item))
            rc = list_insert_at(&c->lists, findings, findings->count, item);
    free(pairs.items);
    return rc;
}

int release_check(struct catalogue *c, uint32_t release)
{
    struct list findings = c->releases[release].findings;
    struct pairs pairs = {0};
    uint32_t item, n = 0;
    bool same = true;
    int rc = release_pairs(c, release, &pairs);
    for (size_t i = 0; i < pairs.count && rc == 0; i++)
        if (finding_of(pairs.items[i], &item)) {
            same = same && n < findings.count && list_items(&c->lists, findings)[n] == item;
            n++;
        }
    free(pairs.items);
    return rc ? rc : same && n == findings.count ? 0 : E_CORRUPT;
}
