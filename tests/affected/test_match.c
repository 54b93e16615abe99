/* Rows against components: a table, then random advisories and inventories against a brute-force reading of the OSV algorithm. */
#include <stdio.h>
#include <stdlib.h>

#include "affected/match.h"
#include "base/limits.h"
#include "tests/test.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- one row, one component, both in short notation ---- */

enum { ITEMS = 8 };
struct row_text {
    const char *ecosystem, *name;
    const char *ranges[2]; /* "i1 f2 l3 m4": introduced, fixed, last affected, limit */
    const char *versions, *fixed;
};
struct row {
    struct affected_package package;
    struct range ranges[2];
    struct range_event events[2][ITEMS];
    struct span versions[ITEMS], fixed[ITEMS];
};

static size_t split(const char *text, struct span *out)
{
    size_t count = 0;
    while (text && *text && count < ITEMS) {
        size_t n = strcspn(text, " ");
        out[count++] = span_of(text, n);
        text += n + (text[n] == ' ');
    }
    return count;
}

static enum order order_for(const char *ecosystem)
{
    if (strncmp(ecosystem, "Debian", 6) == 0 || strncmp(ecosystem, "Ubuntu", 6) == 0)
        return ORDER_DEBIAN;
    return strcmp(ecosystem, "npm") == 0 || strcmp(ecosystem, "Go") == 0 || !*ecosystem ? ORDER_SEMVER : ORDER_UNKNOWN;
}

static void row_make(struct row *row, const struct row_text *text)
{
    *row = (struct row){0};
    struct affected_package *p = &row->package;
    p->ecosystem = span_str(text->ecosystem);
    p->name = span_str(text->name);
    p->order = order_for(text->ecosystem);
    p->versions = row->versions;
    p->version_count = split(text->versions, row->versions);
    p->fixed_versions = row->fixed;
    p->fixed_count = split(text->fixed, row->fixed);
    p->ranges = row->ranges;
    for (size_t r = 0; r < 2 && text->ranges[r]; r++) {
        struct span words[ITEMS];
        size_t count = split(text->ranges[r], words);
        for (size_t i = 0; i < count; i++) {
            const char *kinds = "iflm";
            row->events[r][i].kind = (enum event_kind)(strchr(kinds, words[i].data[0]) - kinds);
            row->events[r][i].version = span_from(words[i], 1);
        }
        row->ranges[r] = (struct range){count, row->events[r]};
        p->range_count++;
    }
}

static struct component component_make(const char *ecosystem, const char *name, const char *version, const char *source,
                                       const char *source_version)
{
    return (struct component){.ecosystem = span_str(ecosystem),
                              .name = span_str(name),
                              .version = span_str(version),
                              .source = span_str(source),
                              .source_version = span_str(source_version)};
}

#define DEB(...)                                                                                                       \
    {                                                                                                                  \
        .ecosystem = "Debian:12", .name = "xz-utils", .ranges = __VA_ARGS__                                            \
    }
#define NPM(...)                                                                                                       \
    {                                                                                                                  \
        .ecosystem = "npm", .name = "left", .ranges = __VA_ARGS__                                                      \
    }
static const struct {
    struct row_text row;
    const char *ecosystem, *name, *version, *source, *source_version;
    enum verdict want;
    const char *reason; /* a part of it, or NULL */
} cases[] = {
    /* who is meant */
    {DEB({"i0"}), "Debian:12", "xz-utils", "1", "", "", VERDICT_AFFECTED, "1 is in [0, ...) by Debian order"},
    {DEB({"i0"}), "Debian", "xz-utils", "1", "", "", VERDICT_AFFECTED, NULL},
    {DEB({"i0"}), "Debian:13", "xz-utils", "1", "", "", VERDICT_NONE, NULL},
    {DEB({"i0"}), "Debian:1", "xz-utils", "1", "", "", VERDICT_NONE, NULL},
    {DEB({"i0"}), "Debian:123", "xz-utils", "1", "", "", VERDICT_NONE, NULL},
    {DEB({"i0"}), "Ubuntu:22.04", "xz-utils", "1", "", "", VERDICT_NONE, NULL},
    {DEB({"i0"}), "debian:12", "XZ-utils", "1", "", "", VERDICT_AFFECTED, NULL},
    {DEB({"i0"}), "Debian:12", "xz", "1", "", "", VERDICT_NONE, NULL},
    {DEB({"i0"}), "Debian:12", "liblzma5", "1", "xz-utils", "", VERDICT_AFFECTED, NULL},
    {DEB({"i0"}), "Debian:12", "xz-utils", "1", "other", "", VERDICT_AFFECTED, NULL},
    {DEB({"i0 f2"}), "Debian:12", "liblzma5", "1", "xz-utils", "2", VERDICT_NOT_AFFECTED, NULL},
    {DEB({"i0 f2"}), "Debian:12", "liblzma5", "2+b1", "xz-utils", "1", VERDICT_AFFECTED, NULL},
    {{"Debian", "xz-utils", {"i0"}, NULL, NULL}, "Debian:12", "xz-utils", "1", "", "", VERDICT_AFFECTED, NULL},
    {{"Ubuntu:22.04:LTS", "a", {"i0"}, NULL, NULL}, "Ubuntu:22.04", "a", "1", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"i0"}), "Go", "left", "1.0.0", "", "", VERDICT_NONE, NULL},
    {NPM({"i0"}), "", "left", "1.0.0", "", "", VERDICT_UNDECIDED, "its ecosystem is not stated"},
    {{"", "left", {"i0"}, NULL, NULL}, "npm", "left", "1.0.0", "", "", VERDICT_UNDECIDED, NULL},
    {{"Maven", "org.x:core", {NULL}, "1", NULL}, "Maven", "org.x:core", "1", "", "", VERDICT_AFFECTED, NULL},
    {{"Maven", "org.x:core", {NULL}, "1", NULL}, "", "org.x/core", "1", "", "", VERDICT_UNDECIDED, NULL},
    {{"PyPI", "a-b", {NULL}, "1", NULL}, "PyPI", "A_b", "1", "", "", VERDICT_AFFECTED, NULL},
    {{"npm", "a-b", {NULL}, "1", NULL}, "npm", "a_b", "1", "", "", VERDICT_NONE, NULL},
    {{"SwiftURL", "https://example.org/a.git", {NULL}, "1", NULL},
     "SwiftURL",
     "example.org/a",
     "1",
     "",
     "",
     VERDICT_AFFECTED,
     NULL},
    /* ranges */
    {NPM({"i1.0.0 f2.0.0"}), "npm", "left", "0.9.0", "", "", VERDICT_NOT_AFFECTED, "outside every affected range"},
    {NPM({"i1.0.0 f2.0.0"}), "npm", "left", "1.0.0-rc.1", "", "", VERDICT_NOT_AFFECTED, NULL},
    {NPM({"i1.0.0 f2.0.0"}), "npm", "left", "1.0.0", "", "", VERDICT_AFFECTED,
     "1.0.0 is in [1.0.0, 2.0.0) by SemVer order"},
    {NPM({"i1.0.0 f2.0.0"}), "npm", "left", "2.0.0-rc.1", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"i1.0.0 f2.0.0"}), "npm", "left", "2.0.0", "", "", VERDICT_NOT_AFFECTED, NULL},
    {NPM({"f2.0.0 i1.0.0"}), "npm", "left", "1.5.0", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"i1.0.0 l2.0.0"}), "npm", "left", "2.0.0", "", "", VERDICT_AFFECTED, "[1.0.0, 2.0.0]"},
    {NPM({"i1.0.0 l2.0.0"}), "npm", "left", "2.0.1", "", "", VERDICT_NOT_AFFECTED, NULL},
    {NPM({"l1.0.0 i1.0.0"}), "npm", "left", "1.0.0", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"l1.0.0 i1.0.0"}), "npm", "left", "1.0.1", "", "", VERDICT_NOT_AFFECTED, NULL},
    {NPM({"i0 m2.0.0"}), "npm", "left", "2.0.0", "", "", VERDICT_NOT_AFFECTED, NULL},
    {NPM({"i0 m2.0.0 m3.0.0"}), "npm", "left", "2.0.0", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"i0 m*"}), "npm", "left", "2.0.0", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"i0 f1.0.0 i2.0.0 f3.0.0"}), "npm", "left", "1.5.0", "", "", VERDICT_NOT_AFFECTED, NULL},
    {NPM({"i0 f1.0.0 i2.0.0 f3.0.0"}), "npm", "left", "2.5.0", "", "", VERDICT_AFFECTED, "[2.0.0, 3.0.0)"},
    {NPM({"i0 f1.0.0", "i2.0.0 f3.0.0"}), "npm", "left", "2.5.0", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"i0"}), "npm", "left", "0.0.0-alpha", "", "", VERDICT_AFFECTED, NULL},
    {DEB({"i0 f5.6.1+really5.4.5-1"}), "Debian:12", "xz-utils", "5.6.0-0.2", "", "", VERDICT_AFFECTED, NULL},
    {DEB({"i0 f1:1"}), "Debian:12", "xz-utils", "9", "", "", VERDICT_AFFECTED, NULL},
    /* what cannot be told */
    {NPM({"i0"}), "npm", "left", "latest", "", "", VERDICT_UNDECIDED, "is no SemVer version"},
    {NPM({"i0"}), "npm", "left", "", "", "", VERDICT_UNDECIDED, "it has no version"},
    {DEB({"i0"}), "Debian:12", "xz-utils", "unknown", "", "", VERDICT_UNDECIDED, "is no Debian version"},
    {NPM({"i1.x f2.0.0"}), "npm", "left", "1.0.0", "", "", VERDICT_UNDECIDED, NULL},
    {NPM({"i0 f2.x"}), "npm", "left", "1.0.0", "", "", VERDICT_UNDECIDED, NULL},
    {NPM({"i0 f2.x", "i0 f2.0.0"}), "npm", "left", "1.0.0", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"i0 f2.x", "i3.0.0"}), "npm", "left", "1.0.0", "", "", VERDICT_UNDECIDED, NULL},
    {NPM({"f2.0.0"}), "npm", "left", "1.0.0", "", "", VERDICT_UNDECIDED, NULL},
    {NPM({""}), "npm", "left", "1.0.0", "", "", VERDICT_UNDECIDED, NULL},
    {NPM({NULL}), "npm", "left", "1.0.0", "", "", VERDICT_UNDECIDED, NULL},
    {{"PyPI", "left", {"i0 f2"}, "1.0", NULL},
     "PyPI",
     "left",
     "1.0",
     "",
     "",
     VERDICT_AFFECTED,
     "is listed as affected"},
    {{"PyPI", "left", {"i0 f2"}, "1.0", NULL}, "PyPI", "left", "3.0", "", "", VERDICT_UNDECIDED, "not known"},
    /* lists */
    {NPM({NULL}, "1.0.0 1.0.1"), "npm", "left", "v1.0.1", "", "", VERDICT_AFFECTED, NULL},
    {NPM({NULL}, "1.0.0 1.0.1"), "npm", "left", "1.0.2", "", "", VERDICT_NOT_AFFECTED, NULL},
    {NPM({NULL}, "weird"), "npm", "left", "weird", "", "", VERDICT_AFFECTED, NULL},
    {NPM({"i0"}, NULL, "1.0.1"), "npm", "left", "1.0.1", "", "", VERDICT_NOT_AFFECTED, "stated as fixed"},
    {NPM({"i0"}, NULL, "1.0.1"), "npm", "left", "1.0.2", "", "", VERDICT_AFFECTED, NULL},
    {NPM({NULL}, "1.0.1", "1.0.1"), "npm", "left", "1.0.1", "", "", VERDICT_AFFECTED, NULL},
    {NPM({NULL}, NULL, "1.0.1"), "npm", "left", "1.0.0", "", "", VERDICT_UNDECIDED, NULL},
};

static void table(void)
{
    test("one row against one component");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct row row;
        struct evidence e;
        row_make(&row, &cases[i].row);
        struct advisory advisory = {.package_count = 1, .packages = &row.package};
        struct component c = component_make(cases[i].ecosystem, cases[i].name, cases[i].version, cases[i].source,
                                            cases[i].source_version);
        enum verdict got = match_component(&advisory, &c, &e);
        bool said = got == VERDICT_NONE ? !e.reason[0]
                                        : e.reason[0] && strstr(e.reason, cases[i].reason ? cases[i].reason : "");
        if (got != cases[i].want || !said)
            printf("# case %zu: %s \"%s\", want %s\n", i, verdict_names[got], e.reason, verdict_names[cases[i].want]);
        CHECK_INT(got, cases[i].want);
        CHECK(said);
        CHECK_INT(match_component(&advisory, &c, NULL), cases[i].want);
    }
}

/* ---- rows together ---- */

static enum verdict together(const struct row_text *texts, size_t count, const char *revision, bool withdrawn,
                             const char *version)
{
    struct row row[4];
    struct affected_package packages[4];
    for (size_t i = 0; i < count; i++) {
        row_make(&row[i], &texts[i]);
        packages[i] = row[i].package;
    }
    struct advisory advisory = {
        .version = span_str(revision), .withdrawn = withdrawn, .package_count = count, .packages = packages};
    struct component c = component_make("npm", "left", version, "", "");
    return match_component(&advisory, &c, NULL);
}

static void rows(void)
{
    static const struct row_text listed[] = {NPM({NULL}, "1.0.0"), NPM({NULL}, NULL, "1.0.1"),
                                             NPM({NULL}, NULL, "1.0.2")};
    static const struct row_text ranged[] = {NPM({"i0 f1.0.0"}), NPM({"i2.0.0 f3.x"}), NPM({NULL}, NULL, "1.5.0"),
                                             NPM({"i4.0.0"})};
    test("affected beats undecided beats not affected");
    CHECK_INT(together(ranged, 4, "", false, "0.5.0"), VERDICT_AFFECTED);
    CHECK_INT(together(ranged, 4, "", false, "4.5.0"), VERDICT_AFFECTED);
    CHECK_INT(together(ranged, 4, "", false, "1.2.0"), VERDICT_UNDECIDED);
    CHECK_INT(together(ranged, 4, "", false, "1.5.0"), VERDICT_NOT_AFFECTED);
    CHECK_INT(together(ranged, 1, "", false, "1.2.0"), VERDICT_NOT_AFFECTED);
    test("a CSAF advisory is silent on versions it does not name, an OSV list is exhaustive");
    CHECK_INT(together(listed, 3, "1", false, "1.0.0"), VERDICT_AFFECTED);
    CHECK_INT(together(listed, 3, "1", false, "1.0.1"), VERDICT_NOT_AFFECTED);
    CHECK_INT(together(listed, 3, "1", false, "1.0.2"), VERDICT_NOT_AFFECTED);
    CHECK_INT(together(listed, 3, "1", false, "0.9.0"), VERDICT_UNDECIDED);
    CHECK_INT(together(listed, 1, "", false, "0.9.0"), VERDICT_NOT_AFFECTED);
    test("a withdrawn advisory affects nothing");
    CHECK_INT(together(listed, 3, "1", true, "1.0.0"), VERDICT_NOT_AFFECTED);
    test("reasons are short printable ASCII");
    static const char foreign[] =
        "1.0.0-\x1b[31m\xe2\x80\xae-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on";
    struct row row;
    struct evidence e;
    row_make(&row, &(struct row_text)NPM({NULL}, foreign));
    struct advisory advisory = {.package_count = 1, .packages = &row.package};
    struct component c = component_make("npm", "left", foreign, "", "");
    CHECK_INT(match_component(&advisory, &c, &e), VERDICT_AFFECTED);
    for (const char *p = e.reason; *p; p++)
        CHECK(*p >= 0x20 && *p < 0x7f);
    CHECK(strlen(e.reason) < 80);
}

/* A row may state what is not affected, or not known; or say nothing of what is outside. */
static void stated(void)
{
    static const struct {
        enum row_claim claim;
        bool open;
        const char *version;
        enum verdict want;
        const char *reason;
    } rows[] = {
        {CLAIM_AFFECTED, false, "1.5.0", VERDICT_AFFECTED, "1.5.0 is in [1.0.0, 2.0.0)"},
        {CLAIM_AFFECTED, false, "3.0.0", VERDICT_NOT_AFFECTED, "outside every affected range"},
        {CLAIM_AFFECTED, true, "1.5.0", VERDICT_AFFECTED, "is in"},
        {CLAIM_AFFECTED, true, "3.0.0", VERDICT_UNDECIDED, "outside every range that the advisory names"},
        {CLAIM_UNAFFECTED, false, "1.5.0", VERDICT_NOT_AFFECTED, "not affected: vulnerable_code_not_present"},
        {CLAIM_UNAFFECTED, false, "0.1.0", VERDICT_NOT_AFFECTED, "not affected: vulnerable_code_not_present"},
        {CLAIM_UNAFFECTED, false, "3.0.0", VERDICT_UNDECIDED, "outside every range that the advisory names"},
        {CLAIM_UNKNOWN, false, "1.5.0", VERDICT_UNDECIDED, "under investigation"},
        {CLAIM_UNKNOWN, false, "0.1.0", VERDICT_UNDECIDED, "under investigation"},
        {CLAIM_UNKNOWN, false, "0.2.0", VERDICT_UNDECIDED, "under investigation"},
        {CLAIM_UNKNOWN, false, "0.3.0", VERDICT_NOT_AFFECTED, "fixed or not affected"},
        {CLAIM_UNKNOWN, false, "3.0.0", VERDICT_UNDECIDED, "outside every range that the advisory names"},
    };
    test("what is stated as not affected, as under investigation, and what is left open");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row row;
        struct evidence e;
        row_make(&row, &(struct row_text)NPM({"i1.0.0 f2.0.0"}, "0.1.0 0.2.0", "0.2.0 0.3.0"));
        row.package.claim = rows[i].claim;
        row.package.open = rows[i].open;
        row.package.justification = VULNERABLE_CODE_NOT_PRESENT;
        struct advisory advisory = {.package_count = 1, .packages = &row.package};
        struct component c = component_make("npm", "left", rows[i].version, "", "");
        CHECK_INT(match_component(&advisory, &c, &e), rows[i].want);
        if (!strstr(e.reason, rows[i].reason))
            printf("# row %zu: %s\n", i, e.reason);
        CHECK(strstr(e.reason, rows[i].reason) != NULL && e.lane == LANE_PURL);
        CHECK_INT(e.justification, strstr(rows[i].reason, "fixed or not") || strstr(rows[i].reason, "affected: vul")
                                       ? VULNERABLE_CODE_NOT_PRESENT
                                       : JUSTIFICATION_NONE);
    }
}

/* ---- lanes of lower grade ---- */

#define CPE(name) "cpe:2.3:a:acme:" name
static const char valve_key[] = "\x02"
                                "acmevalve7";

static void low_row(struct row *row, enum lane lane, const char *range)
{
    row_make(row, &(struct row_text){"", "", {range}, NULL, NULL});
    row->package.lane = lane;
    row->package.order = ORDER_GENERIC;
    row->package.vendor = span_str("Acme Inc.");
    row->package.product = span_str("Valve 7");
    row->package.cpe = span_str(CPE("valve:*:*:*:*:*:linux:*:*"));
}

static void lanes(void)
{
    static const struct decided same = {{(const uint8_t *)valve_key, sizeof valve_key - 1}, true},
                                other = {{(const uint8_t *)valve_key, sizeof valve_key - 1}, false};
    static const struct {
        enum lane lane;
        enum row_claim claim;
        const char *range, *cpe, *ecosystem, *version;
        const struct decided *decided;
        enum verdict want;
        const char *reason;
    } rows[] = {
        {LANE_CPE, 0, "i0 f2.0", CPE("valve:*:*:*:*:*:linux:*:*"), "", "1.0", NULL, VERDICT_AFFECTED, "(grade cpe)"},
        {LANE_CPE, 0, "i0 f2.0", CPE("valve:*:*:*:*:*:linux:*:*"), "", "2.1", NULL, VERDICT_NOT_AFFECTED, "outside"},
        {LANE_CPE, 0, "i0 f2.0", CPE("valve:1.5:*:*:*:*:linux:*:*"), "", "9", NULL, VERDICT_AFFECTED, "1.5 is in"},
        {LANE_CPE, 0, "i0 f2.0", CPE("valve:*:*:*:*:*:*:*:*"), "", "1.0", NULL, VERDICT_UNDECIDED, "says more"},
        {LANE_CPE, 0, "i0 f2.0", CPE("valve:*:*:*:*:*:windows:*:*"), "", "1.0", NULL, VERDICT_NONE, ""},
        {LANE_CPE, 0, "i0 f2.0", CPE("pump:*:*:*:*:*:linux:*:*"), "", "1.0", NULL, VERDICT_NONE, ""},
        {LANE_CPE, 0, "i0 f2.0", CPE("valve:*:*:*:*:*:linux:*:*"), "", "", NULL, VERDICT_UNDECIDED, "no version"},
        {LANE_CPE, 0, "i0 f2.0", CPE("valve:*:*:*:*:*:linux:*:*"), "Debian:12", "1.0", NULL, VERDICT_UNDECIDED,
         "distribution"},
        {LANE_CPE, 0, "i0 f2.0", "cpe:nonsense", "", "1.0", NULL, VERDICT_NONE, ""},
        {LANE_TEXT, 0, "i0 f2.0", "", "", "1.0", NULL, VERDICT_UNDECIDED, "in words only"},
        {LANE_TEXT, 0, "i0 f2.0", "", "", "2.1", NULL, VERDICT_UNDECIDED, "in words only"},
        {LANE_TEXT, CLAIM_UNAFFECTED, "i0 f2.0", "", "", "1.0", NULL, VERDICT_NONE, ""},
        {LANE_TEXT, 0, "i0 f2.0", "", "", "1.0", &same, VERDICT_AFFECTED, "(grade text)"},
        {LANE_TEXT, 0, "i0 f2.0", "", "", "2.1", &same, VERDICT_NOT_AFFECTED, "(grade text)"},
        {LANE_TEXT, CLAIM_UNAFFECTED, "i0 f2.0", "", "", "1.0", &same, VERDICT_NOT_AFFECTED, "(grade text)"},
        {LANE_TEXT, 0, "i0 f2.0", "", "Debian:12", "1.0", &same, VERDICT_UNDECIDED, "distribution"},
        {LANE_TEXT, 0, "i0 f2.0", "", "", "1.0", &other, VERDICT_NONE, ""},
    };
    test("CPE names and words: what each lane may say");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row row;
        struct evidence e;
        low_row(&row, rows[i].lane, rows[i].range);
        row.package.claim = rows[i].claim;
        struct advisory advisory = {.package_count = 1, .packages = &row.package};
        struct component c = component_make(rows[i].ecosystem, "", rows[i].version, "", "");
        c.cpe = span_str(rows[i].cpe);
        c.vendor = span_str("ACME");
        c.product = span_str("Valve-7");
        c.decided = rows[i].decided;
        c.decided_count = rows[i].decided != NULL;
        enum verdict got = match_component(&advisory, &c, &e);
        if (got != rows[i].want || !strstr(e.reason, rows[i].reason))
            printf("# row %zu: %s \"%s\"\n", i, verdict_names[got], e.reason);
        CHECK_INT(got, rows[i].want);
        CHECK(strstr(e.reason, rows[i].reason) && (got == VERDICT_NONE || e.lane == rows[i].lane));
    }
}

/* A decision brings together what no word does. */
static void decided_far(void)
{
    static const struct decided same = {{(const uint8_t *)valve_key, sizeof valve_key - 1}, true};
    struct row row;
    test("a decision brings together names that share no word");
    low_row(&row, LANE_TEXT, "i0 f2.0");
    struct advisory advisory = {.package_count = 1, .packages = &row.package};
    struct component c = component_make("generic", "stop-cock", "1.0", "", "");
    CHECK_INT(match_component(&advisory, &c, NULL), VERDICT_NONE);
    c.decided = &same;
    c.decided_count = 1;
    CHECK_INT(match_component(&advisory, &c, NULL), VERDICT_AFFECTED);
}

/* A better grade decides where it can; a lower one may only add that something is affected. */
static void grades(void)
{
    static const struct {
        const char *purl_range, *cpe_range, *version;
        enum verdict want;
        enum lane lane;
    } rows[] = {
        {"i0 f1.0.0", "i0 f9.0.0", "2.0.0", VERDICT_NOT_AFFECTED, LANE_PURL},
        {"i0 f9.0.0", "i0 f1.0.0", "2.0.0", VERDICT_AFFECTED, LANE_PURL},
        {"i0 f2.x", "i0 f9.0.0", "2.0.0", VERDICT_AFFECTED, LANE_CPE},
        {"i0 f2.x", "i0 f1.0.0", "2.0.0", VERDICT_UNDECIDED, LANE_PURL},
        {NULL, "i0 f1.0.0", "2.0.0", VERDICT_UNDECIDED, LANE_PURL},
    };
    test("a better grade decides where it can, and a lower one never says safe where it cannot");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row purl, cpe, text;
        row_make(&purl, &(struct row_text)NPM({rows[i].purl_range}));
        low_row(&cpe, LANE_CPE, rows[i].cpe_range);
        low_row(&text, LANE_TEXT, "i0");
        struct affected_package packages[] = {text.package, cpe.package, purl.package};
        struct advisory advisory = {.package_count = 3, .packages = packages};
        struct component c = component_make("npm", "left", rows[i].version, "", "");
        struct evidence e;
        c.cpe = span_str(CPE("valve:*:*:*:*:*:linux:*:*"));
        c.vendor = span_str("Acme");
        c.product = span_str("Valve 7");
        CHECK_INT(match_component(&advisory, &c, &e), rows[i].want);
        CHECK_INT(e.lane, rows[i].lane);
    }
}

/* ---- random advisories, by brute force ---- */

static uint64_t seed_state;

static unsigned below(unsigned n)
{
    seed_state = seed_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed_state >> 33) % n;
}

/* Versions are numbers 0..19 here, written "N.0.0"; 0 as an event is "0". */
enum { RANDOM_ROWS = 6, RANDOM_COMPONENTS = 40, VERSIONS = 20 };
static const char *const names[] = {"a", "b", "c", "d"};
static char version_texts[VERSIONS][8];

struct number_row {
    unsigned name, range_count, counts[2], values[2][ITEMS], listed_count, listed[3];
    enum event_kind kinds[2][ITEMS];
};
struct random_case {
    struct number_row numbers[RANDOM_ROWS];
    struct row rows[RANDOM_ROWS];
    struct affected_package packages[RANDOM_ROWS];
    struct component components[RANDOM_COMPONENTS];
    unsigned component_names[RANDOM_COMPONENTS], component_sources[RANDOM_COMPONENTS],
        component_versions[RANDOM_COMPONENTS];
};

static struct span event_text(unsigned value)
{
    return value ? span_str(version_texts[value]) : span_str("0");
}

static void random_row(struct number_row *n, struct row *row)
{
    *n = (struct number_row){.name = below(COUNT(names)), .range_count = below(3), .listed_count = below(3)};
    *row =
        (struct row){.package = {.ecosystem = span_str("Go"), .order = ORDER_SEMVER, .name = span_str(names[n->name])}};
    for (unsigned r = 0; r < n->range_count; r++) {
        n->counts[r] = 1 + below(ITEMS);
        for (unsigned i = 0; i < n->counts[r]; i++) {
            n->kinds[r][i] = i == 0 ? EVENT_INTRODUCED : (enum event_kind)below(below(4) ? 3 : 4);
            n->values[r][i] = n->kinds[r][i] == EVENT_INTRODUCED ? below(VERSIONS) : 1 + below(VERSIONS - 1);
            row->events[r][i] = (struct range_event){n->kinds[r][i], event_text(n->values[r][i])};
        }
        row->ranges[r] = (struct range){n->counts[r], row->events[r]};
    }
    for (unsigned i = 0; i < n->listed_count; i++) {
        n->listed[i] = below(VERSIONS);
        row->versions[i] = span_str(version_texts[n->listed[i]]);
    }
}

static void random_make(struct random_case *all)
{
    for (unsigned i = 0; i < RANDOM_ROWS; i++) {
        struct row *row = &all->rows[i];
        random_row(&all->numbers[i], row);
        row->package.range_count = all->numbers[i].range_count;
        row->package.version_count = all->numbers[i].listed_count;
        row->package.ranges = row->ranges;
        row->package.versions = row->versions;
        all->packages[i] = row->package;
    }
    for (unsigned i = 0; i < RANDOM_COMPONENTS; i++) {
        all->component_names[i] = below(COUNT(names));
        all->component_sources[i] = below(COUNT(names) + 3);
        all->component_versions[i] = below(VERSIONS);
        const char *source = all->component_sources[i] < COUNT(names) ? names[all->component_sources[i]] : "";
        all->components[i] =
            component_make("Go", names[all->component_names[i]], version_texts[all->component_versions[i]], source, "");
    }
}

/* As the schema writes it: sort the events, walk them, and ask the limits. */
static bool brute_inside(const struct number_row *n, unsigned r, unsigned version)
{
    unsigned order[ITEMS], count = n->counts[r];
    bool vulnerable = false, limits = false, before = false;
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;
        unsigned key = 2 * n->values[r][i] + (n->kinds[r][i] == EVENT_LAST_AFFECTED);
        for (; at > 0; at--) {
            unsigned other = order[at - 1];
            if (2 * n->values[r][other] + (n->kinds[r][other] == EVENT_LAST_AFFECTED) <= key)
                break;
            order[at] = other;
        }
        order[at] = i;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned value = n->values[r][order[i]];
        switch (n->kinds[r][order[i]]) {
        case EVENT_INTRODUCED:
            vulnerable = version >= value ? true : vulnerable;
            break;
        case EVENT_FIXED:
            vulnerable = version >= value ? false : vulnerable;
            break;
        case EVENT_LAST_AFFECTED:
            vulnerable = version > value ? false : vulnerable;
            break;
        case EVENT_LIMIT:
            limits = true;
            before = before || version < value;
            break;
        }
    }
    return vulnerable && (!limits || before);
}

static enum verdict brute_row(const struct number_row *n, unsigned version)
{
    for (unsigned i = 0; i < n->listed_count; i++)
        if (n->listed[i] == version)
            return VERDICT_AFFECTED;
    if (n->range_count == 0 && n->listed_count == 0)
        return VERDICT_UNDECIDED;
    for (unsigned r = 0; r < n->range_count; r++)
        if (brute_inside(n, r, version))
            return VERDICT_AFFECTED;
    return VERDICT_NOT_AFFECTED;
}

static enum verdict brute(const struct random_case *all, unsigned component)
{
    enum verdict best = VERDICT_NONE;
    for (unsigned i = 0; i < RANDOM_ROWS; i++) {
        const struct number_row *n = &all->numbers[i];
        if (n->name != all->component_names[component] && n->name != all->component_sources[component])
            continue;
        enum verdict verdict = brute_row(n, all->component_versions[component]);
        bool silent = verdict == VERDICT_UNDECIDED; /* the only undecided rows here name no version at all */
        if (verdict == VERDICT_AFFECTED || best == VERDICT_NONE || (best == VERDICT_UNDECIDED && !silent))
            best = best == VERDICT_AFFECTED ? best : verdict;
    }
    return best;
}

struct visits {
    const struct component *components, *last;
    enum verdict verdicts[RANDOM_COMPONENTS];
    unsigned count, stop_after;
    bool ordered;
};

static int visit(void *ctx, enum verdict verdict, const struct evidence *evidence)
{
    struct visits *v = ctx;
    v->ordered = v->ordered && (!v->last || evidence->component > v->last);
    v->last = evidence->component;
    v->verdicts[evidence->component - v->components] = verdict;
    v->count++;
    return v->stop_after && v->count == v->stop_after ? E_STATE : 0;
}

static void random_rounds(void)
{
    static struct random_case all;
    struct match_index *index = NULL;
    for (unsigned round = 0; round < 2000; round++) {
        random_make(&all);
        struct advisory advisory = {.package_count = RANDOM_ROWS, .packages = all.packages};
        struct inventory inventory = {.count = RANDOM_COMPONENTS, .components = all.components};
        struct visits once = {.components = all.components, .ordered = true}, again = once;
        CHECK_INT(match_inventory(&advisory, &inventory, visit, &once), 0);
        CHECK_INT(match_index_new(&index, &inventory), 0);
        CHECK_INT(match_index_run(index, &advisory, visit, &again), 0);
        again = (struct visits){.components = all.components, .ordered = true};
        CHECK_INT(match_index_run(index, &advisory, visit, &again), 0);
        match_index_free(index);
        CHECK(once.ordered && again.ordered && once.count == again.count);
        for (unsigned i = 0; i < RANDOM_COMPONENTS; i++) {
            enum verdict want = brute(&all, i);
            CHECK_INT(match_component(&advisory, &all.components[i], NULL), want);
            CHECK_INT(once.verdicts[i], want);
            CHECK_INT(again.verdicts[i], want);
        }
    }
}

/* An index finds what brute force finds, in every lane. */
static void random_lanes(void)
{
    static const char *const cpes[] = {CPE("valve:*:*:*:*:*:*:*:*"), CPE("valve:3:*:*:*:*:*:*:*"),
                                       CPE("pump:*:*:*:*:*:linux:*:*"), ""};
    static const char *const vendors[] = {"Acme", "Acme AG", "Volt", ""};
    static const char *const products[] = {"Valve 7", "Valve 7 firmware", "Pump AB-123456", ""};
    static const struct decided decided[] = {{{(const uint8_t *)valve_key, sizeof valve_key - 1}, true},
                                             {{(const uint8_t *)valve_key, sizeof valve_key - 1}, false}};
    struct match_index *index = NULL;
    static struct random_case all;
    unsigned told = 0;
    for (unsigned round = 0; round < 500; round++) {
        random_make(&all);
        for (unsigned i = 0; i < RANDOM_ROWS; i++) {
            struct affected_package *p = &all.packages[i];
            p->lane = (enum lane)below(LANE_COUNT);
            p->cpe = span_str(cpes[below(4)]);
            p->vendor = span_str(vendors[below(4)]);
            p->product = span_str(products[below(4)]);
        }
        for (unsigned i = 0; i < RANDOM_COMPONENTS; i++) {
            struct component *c = &all.components[i];
            c->cpe = span_str(cpes[below(4)]);
            c->vendor = span_str(vendors[below(4)]);
            c->product = span_str(products[below(4)]);
            c->decided = &decided[below(2)];
            c->decided_count = below(4) == 0;
        }
        struct advisory advisory = {.package_count = RANDOM_ROWS, .packages = all.packages};
        struct inventory inventory = {.count = RANDOM_COMPONENTS, .components = all.components};
        struct visits v = {.components = all.components, .ordered = true};
        CHECK_INT(match_index_new(&index, &inventory), 0);
        CHECK_INT(match_index_run(index, &advisory, visit, &v), 0);
        match_index_free(index);
        for (unsigned i = 0; i < RANDOM_COMPONENTS; i++)
            CHECK_INT(v.verdicts[i], match_component(&advisory, &all.components[i], NULL));
        CHECK(v.ordered);
        told += v.count;
    }
    CHECK(told > 1000);
}

static void edges(void)
{
    static struct random_case all;
    random_make(&all);
    struct advisory none = {0}, advisory = {.package_count = RANDOM_ROWS, .packages = all.packages};
    struct inventory empty = {0}, inventory = {.count = RANDOM_COMPONENTS, .components = all.components};
    struct visits v = {.components = all.components, .ordered = true, .stop_after = 1};
    test("empty sides, an early stop, too many components");
    CHECK_INT(match_inventory(&none, &inventory, visit, &v), 0);
    CHECK_INT(match_inventory(&advisory, &empty, visit, &v), 0);
    CHECK_INT(v.count, 0);
    CHECK_INT(match_inventory(&advisory, &inventory, visit, &v), E_STATE);
    CHECK_INT(v.count, 1);
    inventory.count = COMPONENTS_MAX + 1;
    CHECK_INT(match_inventory(&advisory, &inventory, visit, &v), E_LIMIT);
    match_index_free(NULL);
}

int main(void)
{
    const char *seed = getenv("COMITY_SEED");
    seed_state = seed ? strtoull(seed, NULL, 10) : 20240329;
    printf("# seed %llu\n", (unsigned long long)seed_state);
    for (unsigned i = 0; i < VERSIONS; i++)
        (void)snprintf(version_texts[i], sizeof version_texts[i], "%u.0.0", i);
    table();
    rows();
    stated();
    lanes();
    decided_far();
    grades();
    test("random advisories and inventories, against brute force");
    random_rounds();
    test("random lanes, an index against brute force");
    random_lanes();
    edges();
    return test_end();
}
