#include "format/advisory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/limits.h"
#include "format/vers.h"
#include "format/version_text.h"
#include "tests/test.h"

#define HEAD "\"document\":{\"csaf_version\":\"2.0\",\"title\":\"t\",\"tracking\":{\"id\":\"EX-1\"}}"
#define STATUS(lists) ",\"vulnerabilities\":[{\"product_status\":{" lists "}}]"
#define PURL(text) ",\"product_identification_helper\":{\"purl\":\"" text "\"}"

static bool is(struct span text, const char *want)
{
    if (span_is(text, want))
        return true;
    printf("# got \"%.*s\", want \"%s\"\n", (int)text.len, (const char *)text.data, want);
    return false;
}

static void aside(const struct affected_package *p, struct buf *out)
{
    static const char *const claims[CLAIM_COUNT] = {"", " unaffected", " unknown"};
    const struct span texts[] = {p->version_text, p->impact, p->remedy};
    static const char *const marks[] = {" ~", " because ", " then "};
    buf_text(out, claims[p->claim]);
    buf_text(out, p->open ? " open" : "");
    if (p->justification)
        buf_printf(out, " %s", justification_names[p->justification]);
    for (size_t i = 0; i < 3; i++)
        if (texts[i].len)
            buf_printf(out, "%s%.*s", marks[i], (int)texts[i].len, (const char *)texts[i].data);
}

/* A row as text: "Debian xz-utils [introduced 0, fixed 2] =1.0 !1.1", one a line, with what it says beside; then "? undecided", and
   "# path: problem". */
static void show(const struct advisory *a, struct buf *out)
{
    static const char *const kinds[] = {"introduced", "fixed", "last", "limit"};
    buf_init(out, 1 << 20);
    for (size_t i = 0; i < a->package_count; i++) {
        const struct affected_package *p = &a->packages[i];
        struct span kind = p->lane == LANE_PURL ? p->ecosystem : span_str(lane_names[p->lane]);
        buf_printf(out, "%.*s ", (int)kind.len, (const char *)kind.data);
        if (p->lane == LANE_TEXT)
            buf_printf(out, "%.*s/", (int)p->vendor.len, (const char *)p->vendor.data);
        buf_printf(out, "%.*s", (int)p->name.len, (const char *)p->name.data);
        if (p->lane == LANE_TEXT && p->model.len)
            buf_printf(out, " (%.*s)", (int)p->model.len, (const char *)p->model.data);
        for (size_t j = 0; j < p->range_count; j++)
            for (size_t k = 0; k < p->ranges[j].count; k++)
                buf_printf(out, "%s%s %.*s%s", k ? ", " : " [", kinds[p->ranges[j].events[k].kind],
                           (int)p->ranges[j].events[k].version.len, (const char *)p->ranges[j].events[k].version.data,
                           k + 1 == p->ranges[j].count ? "]" : "");
        for (size_t j = 0; j < p->version_count; j++)
            buf_printf(out, " =%.*s", (int)p->versions[j].len, (const char *)p->versions[j].data);
        for (size_t j = 0; j < p->fixed_count; j++)
            buf_printf(out, " !%.*s", (int)p->fixed_versions[j].len, (const char *)p->fixed_versions[j].data);
        aside(p, out);
        buf_text(out, "\n");
    }
    for (size_t i = 0; i < a->undecided_count; i++)
        buf_printf(out, "? %.*s\n", (int)a->undecided[i].len, (const char *)a->undecided[i].data);
    for (size_t i = 0; i < a->problem_count; i++)
        buf_printf(out, "# %.*s: %.*s\n", (int)a->problems[i].path.len, (const char *)a->problems[i].path.data,
                   (int)a->problems[i].text.len, (const char *)a->problems[i].text.data);
    CHECK(!a->contradictory || a->problem_count);
}

struct reading {
    const char *text;
    int code;
    const char *shown; /* all of it; or a part of the fault */
};

static void readings(const char *media, const struct reading *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        struct advisory a;
        struct fault fault = {0};
        struct buf out;
        arena_init(&arena, 16 << 20);
        int rc = advisory_read(&a, span_str(media), span_str(rows[i].text), &arena, &fault);
        CHECK_INT(rc, rows[i].code);
        if (rc) {
            if (rows[i].shown && !strstr(fault.detail, rows[i].shown))
                printf("# row %zu: %s %s\n", i, fault.where, fault.detail);
            CHECK(rows[i].shown && strstr(fault.detail, rows[i].shown));
        } else {
            show(&a, &out);
            bool same = rows[i].shown && is(buf_view(&out), rows[i].shown);
            if (!same)
                printf("# row %zu\n", i);
            CHECK(same);
            buf_free(&out);
        }
        arena_free(&arena);
    }
}

static const char csaf_xz[] =
    "{\"document\":{\"category\":\"csaf_security_advisory\",\"csaf_version\":\"2.0\",\"title\":\"Malicious code in "
    "xz-utils\","
    "\"publisher\":{\"category\":\"coordinator\",\"name\":\"CERT Example\",\"namespace\":\"https://cert.example\"},"
    "\"distribution\":{\"tlp\":{\"label\":\"WHITE\"}},\"tracking\":{\"id\":\"EX-2024-3094\",\"version\":\"2\","
    "\"status\":\"final\","
    "\"initial_release_date\":\"2024-03-29T16:00:00Z\",\"current_release_date\":\"2024-03-30T08:00:00Z\"}},"
    "\"product_tree\":{\"branches\":[{\"category\":\"vendor\",\"name\":\"Debian\",\"branches\":[{\"category\":"
    "\"product_name\","
    "\"name\":\"xz-utils\",\"branches\":["
    "{\"category\":\"product_version_range\",\"name\":\"vers:deb/"
    ">=5.5.1alpha-0.1|<5.6.1+really5.4.5-1\",\"product\":{\"product_id\":\"P1\","
    "\"name\":\"xz-utils from 5.5.1alpha-0.1\"" PURL(
        "pkg:deb/debian/xz-utils") "}},"
                                   "{\"category\":\"product_version\",\"name\":\"5.6.1+really5.4.5-1\",\"product\":{"
                                   "\"product_id\":\"P2\",\"name\":\"xz-utils repaired\"" PURL(
                                       "pkg:deb/debian/xz-utils@5.6.1%2Breally5.4.5-1") "}}]}]},"
                                                                                        "{\"category\":\"vendor\","
                                                                                        "\"name\":\"Other\","
                                                                                        "\"branches\":[{\"category\":"
                                                                                        "\"product_name\",\"name\":"
                                                                                        "\"Appliance\",\"product\":"
                                                                                        "{\"product_id\":\"P3\","
                                                                                        "\"name\":\"Other "
                                                                                        "Appliance\"}}]}]},"
                                                                                        "\"vulnerabilities\":[{\"cve\":"
                                                                                        "\"CVE-2024-3094\",\"ids\":[{"
                                                                                        "\"system_name\":\"x\","
                                                                                        "\"text\":\"GHSA-rxwq-x6h5-"
                                                                                        "x02r\"}],"
                                                                                        "\"product_status\":{\"known_"
                                                                                        "affected\":[\"P1\",\"P3\"],"
                                                                                        "\"fixed\":[\"P2\"]}}]}";

static void csaf_whole(void)
{
    struct arena arena;
    struct advisory a;
    struct fault fault = {0};
    struct buf out;
    test("a CSAF advisory is read whole");
    arena_init(&arena, 1 << 20);
    CHECK_INT(advisory_read_csaf(&a, span_str(csaf_xz), &arena, &fault), 0);
    CHECK(is(a.id, "EX-2024-3094") && is(a.title, "Malicious code in xz-utils") && is(a.publisher, "CERT Example"));
    CHECK(is(a.version, "2") && is(a.modified, "2024-03-30T08:00:00Z") && a.tlp == TLP_CLEAR && !a.withdrawn);
    CHECK(a.alias_count == 2 && is(a.aliases[0], "CVE-2024-3094") && is(a.aliases[1], "GHSA-rxwq-x6h5-x02r"));
    show(&a, &out);
    CHECK(is(buf_view(&out), "Debian xz-utils [introduced 5.5.1alpha-0.1, fixed 5.6.1+really5.4.5-1]\n"
                             "Debian xz-utils !5.6.1+really5.4.5-1 unaffected\n"
                             "text Other/Appliance\n? Other Appliance (product_tree.branches[1].branches[0])\n"));
    CHECK(a.packages[0].order == ORDER_DEBIAN && is(a.packages[0].purl, "pkg:deb/debian/xz-utils"));
    CHECK(is(a.packages[0].path, "product_tree.branches[0].branches[0].branches[0]"));
    buf_free(&out);
    arena_free(&arena);
}

#define STRAY "# not in product_tree: a status names a product that is not in the product tree\n"

static void csaf_rows(void)
{
    static const struct reading rows[] = {
        {"{" HEAD "}", 0, ""},
        {"{" HEAD ",\"product_tree\":{}" STATUS("") "}", 0, ""},
        /* statuses */
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL(
             "pkg:npm/left@1.0.0") "}]}" STATUS("\"known_affected\":[\"a\"]") "}",
         0, "npm left =1.0.0\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL(
             "pkg:npm/left@1.0.0") "}]}" STATUS("\"known_not_affected\":[\"a\"]") "}",
         0, "npm left !1.0.0 unaffected\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL(
             "pkg:npm/left@1.0.0") "}]}" STATUS("\"under_investigation\":[\"a\"]") "}",
         0, "npm left =1.0.0 unknown\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL(
             "pkg:npm/left@1.0.0") "}]}" STATUS("\"last_affected\":[\"a\"]") "}",
         0, "npm left =1.0.0\nnpm left\n? A (product_tree.full_product_names[0])\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL(
             "pkg:npm/left@1.0.0") "}]}" STATUS("\"fixed\":[\"a\"],\"known_affected\":[\"a\"]") "}",
         0, "npm left =1.0.0\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL(
             "pkg:npm/left@1.0.0") "}]}" STATUS("\"recommended\":[\"a\"]") "}",
         0, "npm left !1.0.0 unaffected\n"},
        /* no identity, no version, unknown ids: undecided */
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL(
             "no purl") "}]}" STATUS("\"known_affected\":[\"a\"]") "}",
         0,
         "? A (product_tree.full_product_names[0])\n# product_tree.full_product_names[0]: its purl "
         "does not parse\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL(
             "pkg:npm/left") "}]}" STATUS("\"known_affected\":[\"a\"]") "}",
         0, "npm left\n? A (product_tree.full_product_names[0])\n"},
        {"{" HEAD STATUS("\"known_affected\":[\"z\",\"b\",\"z\"],\"fixed\":[\"c\"]") "}", 0,
         "? b (not in product_tree)\n? z (not in product_tree)\n" STRAY STRAY},
        /* relationships lend the purl of the part */
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"os\",\"name\":\"OS\"},{"
         "\"product_id\":\"xz\","
         "\"name\":\"xz\"" PURL(
             "pkg:deb/debian/xz-utils@5.6.0-0.1") "}],\"relationships\":[{\"category\":\"default_"
                                                  "component_of\","
                                                  "\"product_reference\":"
                                                  "\"xz\",\"relates_to_product_reference\":\"os\","
                                                  "\"full_product_"
                                                  "name\":{\"product_id\":\"os:xz\",\"name\":\"xz of "
                                                  "OS\"}}]}" STATUS("\"known_affected\":[\"os:xz\"]") "}",
         0, "Debian xz-utils =5.6.0-0.1\n"},
        {"{" HEAD ",\"product_tree\":{\"relationships\":[{\"product_reference\":\"gone\",\"full_product_name\":{"
         "\"product_id\":\"r\",\"name\":"
         "\"R\"}}]}" STATUS("\"known_affected\":[\"r\"]") "}",
         0,
         "text /R\n? R (product_tree.relationships[0])\n"
         "# product_tree.relationships[0]: its relationship names a product that is not there\n"},
        /* what is wrong with a part of the record */
        {"{" HEAD ",\"product_tree\":{\"relationships\":[{\"product_reference\":\"s\",\"full_product_"
         "name\":{\"product_"
         "id\":\"r\",\"name\":\"R\"}},{\"product_reference\":\"r\",\"full_product_name\":{\"product_"
         "id\":\"s\"}}],"
         "\"full_product_names\":[{\"product_id\":\"a\",\"name\":\"A\"" PURL("pkg:npm/left@1.0.0") "}]}" STATUS(
             "\"known_affected\":[\"r\",\"a\"]") "}",
         0,
         "npm left =1.0.0\ntext /R\n? R (product_tree.relationships[0])\n"
         "# product_tree.relationships[0]: its relationships go in a circle, or too deep\n"
         "# product_tree.relationships[1]: its relationships go in a circle, or too deep\n"},
        {"{" HEAD ",\"product_tree\":{\"relationships\":[{\"product_reference\":\"r\",\"full_product_"
         "name\":{\"product_"
         "id\":\"r\"}}]}}",
         0, "# product_tree.relationships[0]: its relationships go in a circle, or too deep\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":"
         "\"A\"" PURL("pkg:npm/left@1.0.0") "},{\"product_id\":\"a\",\"name\":\"B\"" PURL(
             "pkg:npm/right@2.0.0") "}]}" STATUS("\"known_affected\":[\"a\"]") "}",
         0,
         "npm left\nnpm right\n? A (product_tree.full_product_names[0])\n? B "
         "(product_tree.full_product_names[1])\n"
         "# product_tree.full_product_names[1]: another product has the same product_id\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[{\"product_id\":\"a\",\"name\":"
         "\"A\"" PURL("pkg:npm/left@1.0.0") "},{\"product_id\":\"a\",\"name\":\"B\"" PURL(
             "pkg:npm/left@2.0.0") "}]}" STATUS("\"fixed\":[\"a\"]") "}",
         0, "# product_tree.full_product_names[1]: another product has the same product_id\n"},
        {"{" HEAD ",\"product_tree\":{\"branches\":[{\"product\":{\"name\":\"A\"}}]}}", 0,
         "# product_tree.branches[0]: a product has a \"product_id\"\n"},
        {"{" HEAD ",\"product_tree\":{\"branches\":[{\"product\":7}]}}", 0,
         "# product_tree.branches[0]: a product has a \"product_id\"\n"},
        /* refused */
        {"{" HEAD ",\"product_tree\":{\"branches\":{}}}", E_TYPE, "branches"},
        {"{" HEAD ",\"product_tree\":{\"relationships\":3}}", E_TYPE, "relationships"},
        {"{" HEAD ",\"vulnerabilities\":{}}", E_TYPE, "vulnerabilities"},
        {"{" HEAD STATUS("\"known_affected\":\"a\"") "}", E_TYPE, "known_affected"},
        {"{" HEAD STATUS("\"known_affected\":[1]") "}", E_TYPE, "known_affected"},
        {"{\"document\":{\"csaf_version\":\"2.1\",\"tracking\":{\"id\":\"x\"}}}", E_UNSUPPORTED, "csaf_version"},
        {"{\"document\":{\"csaf_version\":\"2.0\",\"tracking\":{\"id\":7}}}", E_MISSING, "id"},
        {"{\"document\":{\"csaf_version\":\"2.0\"}}", E_MISSING, "id"},
        {"{\"document\":[]}", E_UNSUPPORTED, "csaf_version"},
        {"[]", E_UNSUPPORTED, "csaf_version"},
        {"7", E_UNSUPPORTED, "csaf_version"},
        {"{", E_TRUNCATED, ""},
    };
    test("CSAF: statuses, relationships, and what is refused");
    readings("application/csaf+json", rows, sizeof rows / sizeof rows[0]);
}

#define PRODUCT(id, more) "{\"product_id\":\"" id "\",\"name\":\"" id "\"" more "}"
#define TWO                                                                                                            \
    "\"full_product_names\":[" PRODUCT("a", PURL("pkg:npm/left@1.0.0")) "," PRODUCT(                                   \
        "b",                                                                                                           \
        PURL("pkg:npm/right")) "],\"product_groups\":[{\"group_id\":\"g\",\"product_ids\":[\"a\",\"b\",\"gone\"]}]"
#define VEX(members) "{" HEAD ",\"product_tree\":{" TWO "},\"vulnerabilities\":[{" members "}]}"
#define BRANCH(category, name, inner) "\"branches\":[{\"category\":\"" category "\",\"name\":\"" name "\"," inner "}]"
#define RANGE(text, purl, lists)                                                                                       \
    "{" HEAD ",\"product_tree\":{" BRANCH(                                                                             \
        "vendor", "V",                                                                                                 \
        BRANCH("product_name", "N",                                                                                    \
               BRANCH("product_version_range", text, "\"product\":" PRODUCT("a", PURL(purl))))) "}" STATUS(lists) "}"

static void csaf_vex(void)
{
    static const struct reading rows[] = {
        {VEX("\"product_status\":{\"known_not_affected\":[\"a\",\"b\"]},\"flags\":[{\"label\":\"component_not_"
             "present\","
             "\"product_ids\":[\"a\"]},{\"label\":\"vulnerable_code_not_present\",\"group_ids\":[\"g\"]}],\"threats\":["
             "{"
             "\"category\":\"impact\",\"details\":\"never built "
             "in\",\"group_ids\":[\"g\"]},{\"category\":\"exploit_status\","
             "\"details\":\"none seen\",\"product_ids\":[\"a\"]}]"),
         0,
         "npm left !1.0.0 unaffected component_not_present because never built in\n"
         "npm right [introduced 0] unaffected vulnerable_code_not_present because never built in\n"},
        {VEX("\"product_status\":{\"known_affected\":[\"a\"],\"known_not_affected\":[\"a\"]},\"flags\":[{\"label\":"
             "\"component_not_present\",\"product_ids\":[\"a\"]}]"),
         0, "npm left =1.0.0\n"},
        {VEX("\"product_status\":{\"known_not_affected\":[\"a\"]},\"flags\":[{\"label\":\"of_no_standard\",\"product_"
             "ids\":["
             "\"a\"]},7]"),
         0, "npm left !1.0.0 unaffected\n"},
        {VEX("\"product_status\":{\"under_investigation\":[\"b\"]}"), 0, "npm right [introduced 0] unknown\n"},
        {VEX("\"product_status\":{\"fixed\":[\"b\"]}"), 0, ""},
        {VEX("\"product_status\":{\"known_affected\":[\"a\"]},\"remediations\":[{\"category\":\"none_available\","
             "\"details\":"
             "\"wait\",\"product_ids\":[\"a\"]},{\"category\":\"vendor_fix\",\"details\":\"take "
             "1.0.1\",\"group_ids\":[\"g\"]},"
             "{\"category\":\"mitigation\",\"details\":\"pull the plug\",\"product_ids\":[\"a\"]}]"),
         0, "npm left =1.0.0 then vendor_fix: take 1.0.1\n"},
        {VEX("\"product_status\":{\"known_affected\":[\"a\"]},\"flags\":{}"), E_TYPE, "flags"},
        {VEX("\"product_status\":{\"known_affected\":[\"a\"]},\"threats\":{}"), E_TYPE, "threats"},
        {VEX("\"product_status\":{\"known_affected\":[\"a\"]},\"remediations\":{}"), E_TYPE, "remediations"},
        /* ranges, as vers and as people write them */
        {RANGE("vers:npm/>=1.0.0|<2.0.0", "pkg:npm/left", "\"known_affected\":[\"a\"]"), 0,
         "npm left [introduced 1.0.0, fixed 2.0.0]\n"},
        {RANGE("vers:npm/>=2.0.0", "pkg:npm/left", "\"fixed\":[\"a\"]"), 0, "npm left [introduced 2.0.0] unaffected\n"},
        {RANGE("< 2.0.0", "pkg:npm/left", "\"known_affected\":[\"a\"]"), 0, "npm left [introduced 0, fixed 2.0.0]\n"},
        {RANGE("> 1.0.0 | <= 2.0.0", "pkg:npm/left", "\"known_affected\":[\"a\"]"), 0,
         "npm left [introduced 1.0.0, last 2.0.0] !1.0.0\n"},
        {RANGE("> 1.0.0", "pkg:npm/left", "\"fixed\":[\"a\"]"), 0, ""},
        {RANGE("vers:deb/<2.0", "pkg:npm/left", "\"known_affected\":[\"a\"]"), 0,
         "npm left ~vers:deb/<2.0\n? a (product_tree.branches[0].branches[0].branches[0])\n"},
        {RANGE("some of them", "pkg:npm/left", "\"known_affected\":[\"a\"]"), 0,
         "npm left ~some of them\n? a (product_tree.branches[0].branches[0].branches[0])\n"},
        {RANGE("some of them", "pkg:npm/left@1.5.0", "\"known_affected\":[\"a\"]"), 0,
         "npm left =1.5.0 ~some of them\nnpm left ~some of them\n"
         "? a (product_tree.branches[0].branches[0].branches[0])\n"},
    };
    test("CSAF: VEX, remediations, groups, ranges in words");
    readings("application/csaf+json", rows, sizeof rows / sizeof rows[0]);
}

/* Groups that name one another's products again and again must not cost more than their text. */
#define HELPED(id, helper) PRODUCT(id, ",\"product_identification_helper\":{" helper "}")
static void csaf_lanes(void)
{
    static const struct reading rows[] = {
        {"{" HEAD ",\"product_tree\":{" BRANCH(
             "vendor", "V Inc.",
             BRANCH("product_family", "F",
                    BRANCH("product_name", "N 7",
                           BRANCH("product_version_range", "<= V3.1",
                                  "\"product\":" HELPED(
                                      "a", "\"cpe\":\"cpe:2.3:h:v:n_7:-:*:*:*:*:*:*:*\",\"model_numbers\":[\"M-1\",\"M-"
                                           "2\",7]"))))) "}" STATUS("\"known_affected\":[\"a\"]") "}",
         0, "cpe v:n_7 [introduced 0, last V3.1]\ntext V Inc./N 7 (M-1\nM-2) [introduced 0, last V3.1]\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[" HELPED("a", "\"cpe\":\"cpe:/a:v:n:1.0\"") "]}" STATUS(
             "\"fixed\":[\"a\"]") "}",
         0, "cpe v:n !1.0 unaffected\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[" HELPED("a", "\"cpe\":\"cpe:/a:v\"") "]}" STATUS(
             "\"known_affected\":[\"a\"]") "}",
         0, "text /a\n? a (product_tree.full_product_names[0])\n"},
        {"{" HEAD ",\"product_tree\":{\"full_product_names\":[" HELPED("a", "\"cpe\":\"cpe:/x:v:n\"") "]}" STATUS(
             "\"known_affected\":[\"a\"]") "}",
         0,
         "text /a\n? a (product_tree.full_product_names[0])\n# product_tree.full_product_names[0]: its CPE name does "
         "not parse\n"},
        {"{" HEAD ",\"product_tree\":{" BRANCH(
             "vendor", "V",
             BRANCH("product_name", "N",
                    BRANCH("product_version", "1 | 2",
                           "\"product\":" PRODUCT("a", "")))) "}" STATUS("\"last_affected\":[\"a\"]") "}",
         0, "text V/N =1 =2\ntext V/N\n? a (product_tree.branches[0].branches[0].branches[0])\n"},
        {"{" HEAD ",\"product_tree\":{" BRANCH(
             "vendor", "V",
             BRANCH("product_name", "N",
                    BRANCH("product_version_range", "vers:semver/<2.0.0",
                           "\"product\":" PRODUCT("a", "")))) "}" STATUS("\"known_affected\":[\"a\"]") "}",
         0, "text V/N [introduced 0, fixed 2.0.0]\n? a (product_tree.branches[0].branches[0].branches[0])\n"},
        /* firmware on a device: by the firmware's name, and by the device's with the firmware's version */
        {"{" HEAD ",\"product_tree\":{" BRANCH(
             "vendor", "V",
             "\"branches\":[{\"category\":\"product_name\",\"name\":\"Firmware\"," BRANCH(
                 "product_version_range", "< 3",
                 "\"product\":" PRODUCT(
                     "fw",
                     "")) "},"
                          "{\"category\":\"product_name\",\"name\":\"Valve\",\"product\":" HELPED(
                              "hw",
                              "\"model_numbers\":[\"VX-100\"]") "}]") ",\"relationships\":[{\"category\":\"installed_"
                                                                      "on\",\"product_reference\":\"fw\",\"relates_to_"
                                                                      "product_reference\":\"hw\",\"full_product_"
                                                                      "name\":" PRODUCT("r",
                                                                                        "") "}]}" STATUS("\"known_"
                                                                                                         "affected\":["
                                                                                                         "\"r\"]") "}",
         0,
         "text V/Firmware [introduced 0, fixed 3]\ntext V/Valve (VX-100) [introduced 0, fixed 3]\n? r "
         "(product_tree.relationships[0])\n"},
    };
    test("CSAF: CPE names and words");
    readings("application/csaf+json", rows, sizeof rows / sizeof rows[0]);
}

static void csaf_groups(void)
{
    struct buf text;
    struct arena arena;
    struct advisory a;
    struct fault fault = {0};
    test("CSAF: the work that groups ask for has a limit");
    arena_init(&arena, 512 << 20);
    buf_init(&text, 64 << 20);
    buf_text(&text, "{" HEAD ",\"product_tree\":{\"full_product_names\":[" PRODUCT(
                        "a", "") "],\"product_groups\":[{"
                                 "\"group_id\":\"g\",\"product_ids\":[\"a\"");
    for (int i = 0; i < 5000; i++)
        buf_text(&text, ",\"a\"");
    buf_text(&text, "]}]},\"vulnerabilities\":[{\"flags\":[{}");
    for (int i = 0; i < 5000; i++)
        buf_text(&text, ",{\"label\":\"component_not_present\",\"group_ids\":[\"g\"]}");
    buf_text(&text, "]}]}");
    CHECK_INT(advisory_read_csaf(&a, buf_view(&text), &arena, &fault), E_LIMIT);
    buf_free(&text);
    arena_free(&arena);
}

static void version_texts(void)
{
    static const struct {
        const char *text;
        bool single;
        const char *shown; /* NULL: left as text */
    } rows[] = {
        {"<= 3.0", false, "[introduced 0, last 3.0]"},
        {"<=firmware_05", false, "[introduced 0, last firmware_05]"},
        {"< V1.2 HF2", false, "[introduced 0, fixed V1.2 HF2]"},
        {" <1.8.15.4.7", false, "[introduced 0, fixed 1.8.15.4.7]"},
        {"\xe2\x89\xa4 2.0", false, "[introduced 0, last 2.0]"},
        {">= 3.0 | <= 3.1", false, "[introduced 3.0, last 3.1]"},
        {">=6.0.202", false, "[introduced 6.0.202]"},
        {"> V1.1 and < V1.3.2", false, "[introduced V1.1, fixed V1.3.2] !V1.1"},
        {"All versions < V4.7 HF31", false, "[introduced 0, fixed V4.7 HF31]"},
        {"All versions >= V2.0 < V2.9", false, "[introduced V2.0, fixed V2.9]"},
        {"All versions prior to 7.4 SP1", false, "[introduced 0, fixed 7.4 SP1]"},
        {"Versions 3.2 and earlier", false, "[introduced 0, last 3.2]"},
        {"version 3.2 or later", false, "[introduced 3.2]"},
        {"vers:all/*", false, "[introduced 0]"},
        {"vers:all/<V5.5.2", false, "[introduced 0, fixed V5.5.2]"},
        {"*", false, "[introduced 0]"},
        {"All Versions", false, "[introduced 0]"},
        {"= 1.2", false, "=1.2"},
        {"<= 9.5.0.1 | 9.6.0.0 | 9.7.1.0", false, "[introduced 0, last 9.5.0.1] =9.6.0.0 =9.7.1.0"},
        {"1.1 | 1.2", true, "=1.1 =1.2"},
        {"1.1 | 1.2", false, "=1.1 =1.2"},
        {"2016 R2", true, "=2016 R2"},
        {"2016 R2", false, NULL},
        {"", true, NULL},
        {"all but one", true, NULL},
        {"<=V", false, NULL},
        {"<", false, NULL},
        {"< < 2", false, NULL},
        {"< 2 < 3", false, NULL},
        {">= 1 | 2", false, NULL},
        {"<= 9.6 (excluding 9.4.2.6 and 9.5.3.2)", false, NULL},
        {"< 2.15 (Firmware versions prior to 8.26.4)", false, NULL},
        {"<= 1.0, 2.0", false, NULL},
        {"!= 1.0", false, NULL},
        {"<V10.12.2_only_if_the_basic_authentication_mechanism_is_used_by_the_application", false, NULL},
        {"vers:npm/<2.0.0", false, NULL},
        {"< 1.0 and", false, "[introduced 0, fixed 1.0]"},
        {"before and after", false, NULL},
        {"beforehand 2", false, NULL},
    };
    test("versions in words");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena;
        struct buf out;
        struct affected_package p = {.order = ORDER_GENERIC};
        struct advisory a = {.packages = &p, .package_count = 1};
        arena_init(&arena, 1 << 20);
        bool good = version_text_read(span_str(rows[i].text), rows[i].single, &p, &arena);
        show(&a, &out);
        struct span shown = span_from(buf_view(&out), 2); /* behind the two empty names */
        shown.len -= shown.len > 0;
        bool same = rows[i].shown ? good && span_is(shown, rows[i].shown)
                                  : !good && !p.range_count && !p.version_count && !p.fixed_count;
        if (!same)
            printf("# \"%s\": %d \"%.*s\"\n", rows[i].text, good, (int)shown.len, (const char *)shown.data);
        CHECK(same);
        buf_free(&out);
        arena_free(&arena);
    }
}

static void csaf_depth(void)
{
    test("CSAF: branches nest to a limit");
    for (size_t depth = 25; depth < 40; depth++) {
        struct buf text;
        struct arena arena;
        struct advisory a;
        buf_init(&text, 1 << 20);
        buf_text(&text, "{" HEAD ",\"product_tree\":{");
        for (size_t i = 0; i < depth; i++)
            buf_text(&text, "\"branches\":[{");
        buf_text(&text, "\"product\":{\"product_id\":\"deep\",\"name\":\"D\"}");
        for (size_t i = 0; i < depth; i++)
            buf_text(&text, "}]");
        buf_text(&text, "}" STATUS("\"known_affected\":[\"deep\"]") "}");
        arena_init(&arena, 1 << 20);
        int rc = advisory_read_csaf(&a, buf_view(&text), &arena, NULL);
        CHECK_INT(rc, depth <= 30 ? 0 : E_LIMIT);
        CHECK(rc || a.undecided_count == 1);
        arena_free(&arena);
        buf_free(&text);
    }
}

static void tlp_labels(void)
{
    static const struct {
        const char *label;
        enum tlp tlp;
    } rows[] = {{"WHITE", TLP_CLEAR},
                {"CLEAR", TLP_CLEAR},
                {"GREEN", TLP_GREEN},
                {"AMBER", TLP_AMBER},
                {"AMBER+STRICT", TLP_AMBER_STRICT},
                {"RED", TLP_RED}};
    test("CSAF: labels");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena;
        struct advisory a;
        char text[256];
        (void)snprintf(text, sizeof text,
                       "{\"document\":{\"csaf_version\":\"2.0\",\"distribution\":{\"tlp\":{\"label\":\"%s\"}},"
                       "\"tracking\":{\"id\":\"x\"}}}",
                       rows[i].label);
        arena_init(&arena, 1 << 20);
        CHECK_INT(advisory_read_csaf(&a, span_str(text), &arena, NULL), 0);
        CHECK_INT(a.tlp, rows[i].tlp);
        arena_free(&arena);
    }
}

static void vers_rows(void)
{
    static const struct {
        const char *text;
        enum order order;
        const char *shown; /* NULL: refused */
    } rows[] = {
        {"vers:deb/>=5.6.0-0.1|<5.6.1+really5.4.5-1", ORDER_DEBIAN,
         " [introduced 5.6.0-0.1, fixed 5.6.1+really5.4.5-1]\n"},
        {"vers:deb/>=1%3A2.0-1|<=1%3A2.0-9", ORDER_DEBIAN, " [introduced 1:2.0-1, last 1:2.0-9]\n"},
        {"vers:deb/<2.0", ORDER_DEBIAN, " [introduced 0, fixed 2.0]\n"},
        {"vers:deb/<=2.0|>=3.0|<4.0", ORDER_DEBIAN, " [introduced 0, last 2.0, introduced 3.0, fixed 4.0]\n"},
        {"vers:deb/*", ORDER_DEBIAN, " [introduced 0]\n"},
        {"vers:deb/1.0|2.0", ORDER_DEBIAN, " =1.0 =2.0\n"},
        {"vers:deb/=1.0|>=2.0", ORDER_DEBIAN, " [introduced 2.0] =1.0\n"},
        {"vers:npm/>=1.0.0|<2.0.0", ORDER_SEMVER, " [introduced 1.0.0, fixed 2.0.0]\n"},
        {"vers:pypi/>=1.0|<2.0", ORDER_UNKNOWN, " [introduced 1.0, fixed 2.0]\n"},
        {"vers:semver/>=1.0.0", ORDER_UNKNOWN, " [introduced 1.0.0]\n"},
        {"vers:deb/>1.0", ORDER_DEBIAN, NULL},
        {"vers:deb/!=1.0", ORDER_DEBIAN, NULL},
        {"vers:deb/>=3.0|<2.0", ORDER_DEBIAN, NULL},
        {"vers:deb/1.0|1.0", ORDER_DEBIAN, NULL},
        {"vers:npm/>=1.0.0", ORDER_DEBIAN, NULL},
        {"vers:deb/>=1.0", ORDER_SEMVER, NULL},
        {"vers:deb/", ORDER_DEBIAN, NULL},
        {"vers:deb/>=", ORDER_DEBIAN, NULL},
        {"vers:deb/>=1.0|", ORDER_DEBIAN, NULL},
        {"vers:deb/|>=1.0", ORDER_DEBIAN, NULL},
        {"vers:deb/>=1.0||<2.0", ORDER_DEBIAN, NULL},
        {"vers:deb/>= 1.0", ORDER_DEBIAN, NULL},
        {"vers:deb/>=1.0|*", ORDER_DEBIAN, NULL},
        {"vers:deb/>=1%2", ORDER_DEBIAN, NULL},
        {"vers:deb/>=1%zz", ORDER_DEBIAN, NULL},
        {"vers:deb/>=1%00", ORDER_DEBIAN, NULL},
        {"vers:deb/>=1%e0", ORDER_DEBIAN, NULL},
        {"vers:deb", ORDER_DEBIAN, NULL},
        {"vers:", ORDER_DEBIAN, NULL},
        {"< 3.3", ORDER_DEBIAN, NULL},
        {"", ORDER_DEBIAN, NULL},
    };
    test("vers ranges");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena;
        struct buf out;
        struct affected_package p = {.order = rows[i].order};
        struct advisory a = {.packages = &p, .package_count = 1};
        arena_init(&arena, 1 << 20);
        bool good = vers_read(span_str(rows[i].text), &p, &arena);
        CHECK(good == (rows[i].shown != NULL));
        show(&a, &out);
        struct span shown = span_from(buf_view(&out), 1); /* behind the two empty names */
        bool same = !rows[i].shown || span_is(shown, rows[i].shown);
        if (good != (rows[i].shown != NULL) || !same)
            printf("# %s: %.*s\n", rows[i].text, (int)shown.len, (const char *)shown.data);
        CHECK(same);
        CHECK(good || (!p.range_count && !p.version_count));
        buf_free(&out);
        arena_free(&arena);
    }
}

/* Thousands of products may share one range, and each reads it: so it has a limit, and what is over it stays undecided. */
static void vers_limit(void)
{
    test("vers ranges have a limit");
    for (size_t over = 0; over < 2; over++) {
        struct affected_package p = {.order = ORDER_DEBIAN};
        struct arena arena;
        struct buf text;
        arena_init(&arena, 1 << 20);
        buf_init(&text, 2 * VERS_BYTES_MAX);
        buf_text(&text, "vers:deb/1");
        while (text.len < VERS_BYTES_MAX + over)
            buf_byte(&text, '0');
        CHECK(vers_read(buf_view(&text), &p, &arena) == !over);
        CHECK(p.version_count == !over);
        buf_free(&text);
        arena_free(&arena);
    }
}

#define RECORD(rest) "{\"id\":\"EX-1\",\"modified\":\"2026-01-01T00:00:00Z\"" rest "}"
#define AFFECTED(ecosystem, name, rest)                                                                                \
    ",\"affected\":[{\"package\":{\"ecosystem\":\"" ecosystem "\",\"name\":\"" name "\"}" rest "}]"

static void osv_rows(void)
{
    static const struct reading rows[] = {
        {RECORD(""), 0, ""},
        {RECORD(",\"affected\":null,\"aliases\":null"), 0, ""},
        {RECORD(",\"affected\":[]"), 0, ""},
        {RECORD(AFFECTED(
             "Debian:12", "xz-utils",
             ",\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"5.4.1-1\"}]}]")),
         0, "Debian:12 xz-utils [introduced 0, fixed 5.4.1-1]\n"},
        {RECORD(AFFECTED("Go", "example.org/m",
                         ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"1.0.0\"},{\"last_affected\":"
                         "\"1.2.0\"},{\"introduced\":"
                         "\"2.0.0\"},{\"limit\":\"2.1.0\"},{\"limit\":\"*\"}]}],\"versions\":[\"0.9.0\"]")),
         0, "Go example.org/m [introduced 1.0.0, last 1.2.0, introduced 2.0.0, limit 2.1.0] =0.9.0\n"},
        {RECORD(
             AFFECTED("npm", "a",
                      ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"1.0.0\",\"fixed\":\"1.1.0\"}]},"
                      "{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"3.0.0\"}]}]")),
         0, "npm a [introduced 1.0.0, fixed 1.1.0] [introduced 3.0.0]\n"},
        {RECORD(AFFECTED("npm", "a",
                         ",\"ranges\":[{\"type\":\"GIT\",\"repo\":\"https://git.example/"
                         "a\",\"events\":[{\"introduced\":\"0\"}]}]")),
         0, "npm a\n? npm a (affected[0])\n"},
        {RECORD(
             AFFECTED("npm", "a",
                      ",\"ranges\":[{\"type\":\"GIT\",\"events\":[{\"introduced\":\"0\"}]}],\"versions\":[\"1.0.0\"]")),
         0, "npm a =1.0.0\n"},
        {RECORD(AFFECTED("npm", "a", ",\"ranges\":[{\"type\":\"LUNAR\",\"events\":[]}],\"versions\":[\"1.0.0\"]")), 0,
         "npm a =1.0.0\nnpm a\n? npm a (affected[0])\n"},
        {RECORD(AFFECTED("npm", "a", "")), 0, "npm a\n? npm a (affected[0])\n"},
        {RECORD(",\"affected\":[{\"ranges\":[]},7]"), 0, "? affected[0]\n? affected[1]\n"},
        {RECORD(",\"affected\":[{\"package\":{\"purl\":\"pkg:deb/debian/xz-utils\"},\"versions\":[\"1\"]}]"), 0,
         "Debian xz-utils =1\n"},
        {RECORD(",\"affected\":{}"), E_TYPE, "affected"},
        {RECORD(",\"aliases\":\"CVE-1\""), E_TYPE, "aliases"},
        {RECORD(AFFECTED("npm", "a", ",\"versions\":[1]")), E_TYPE, "versions"},
        {RECORD(AFFECTED("npm", "a", ",\"ranges\":{}")), E_TYPE, "ranges"},
        {RECORD(AFFECTED("npm", "a", ",\"ranges\":[{\"type\":\"SEMVER\"}]")), E_MISSING, "events"},
        {RECORD(AFFECTED("npm", "a", ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{}]}]")), E_SYNTAX, "event"},
        {RECORD(AFFECTED("npm", "a", ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"intruded\":\"1\"}]}]")),
         E_SYNTAX, "event"},
        {RECORD(AFFECTED("npm", "a", ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"fixed\":1}]}]")), E_TYPE,
         "fixed"},
        {RECORD(AFFECTED("npm", "a", ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"fixed\":\"\"}]}]")), E_TYPE,
         "fixed"},
        {"{\"modified\":\"x\"}", E_MISSING, "id"},
        {"{\"id\":\"x\"}", E_MISSING, "modified"},
        {"{\"id\":\"\",\"modified\":\"x\"}", E_MISSING, "id"},
        {"{\"id\":1,\"modified\":\"x\"}", E_TYPE, "id"},
        {"[]", E_MISSING, "id"},
    };
    test("OSV: all kinds of events and ranges, and what is refused");
    readings("application/osv+json", rows, sizeof rows / sizeof rows[0]);
}

#define CVE(containers)                                                                                                \
    "{\"dataType\":\"CVE_RECORD\",\"dataVersion\":\"5.1\",\"cveMetadata\":{\"cveId\":\"CVE-2026-1\"},\"containers\":"  \
    "{" containers "}}"
#define CNA(object) CVE("\"cna\":{\"affected\":[{" object "}]}")
#define LEFT "\"collectionURL\":\"https://registry.npmjs.org\",\"packageName\":\"left\""
#define VERSIONS(list) ",\"versions\":[" list "]"
#define FROM(from, end, to, status, more)                                                                              \
    "{\"version\":\"" from "\",\"" end "\":\"" to "\",\"status\":\"" status "\",\"versionType\":\"semver\"" more "}"
#define ONE(version, status) "{\"version\":\"" version "\",\"status\":\"" status "\"}"
#define CHANGE(at, status) "{\"at\":\"" at "\",\"status\":\"" status "\"}"
#define DEFAULT(status) ",\"defaultStatus\":\"" status "\""

static void cve_rows(void)
{
    static const struct reading rows[] = {
        {CVE(""), 0, ""},
        {CNA(LEFT DEFAULT("unaffected") VERSIONS(FROM("1.0.0", "lessThan", "2.0.0", "affected", ""))), 0,
         "npm left [introduced 1.0.0, fixed 2.0.0]\n"},
        {CNA(LEFT VERSIONS(FROM("1.0.0", "lessThan", "2.0.0", "affected", "") "," ONE("3.0.0", "unaffected"))), 0,
         "npm left [introduced 1.0.0, fixed 2.0.0] open\nnpm left =3.0.0 unaffected\n"},
        {CNA(LEFT DEFAULT("unaffected") VERSIONS(FROM("0", "lessThanOrEqual", "2.0.0", "affected",
                                                      "") "," ONE("3.0.0", "affected") "," ONE("4.0.0", "unknown"))),
         0, "npm left [introduced 0, last 2.0.0] =3.0.0\nnpm left =4.0.0 unknown\n"},
        /* changes within a range, and ends of series */
        {CNA(LEFT DEFAULT("unaffected") VERSIONS(FROM("2.0.0", "lessThan", "2.*", "affected",
                                                      ",\"changes\":[" CHANGE("2.5.2", "unaffected") "," CHANGE(
                                                          "2.6.0", "affected") "," CHANGE("2.6.3", "unaffected") "]"))),
         0,
         "npm left [introduced 2.0.0, fixed 2.5.2] [introduced 2.6.0, fixed 2.6.3]\n"
         "npm left [introduced 2.5.2, fixed 2.6.0] [introduced 2.6.3, fixed 3.0.0-0] unaffected\n"},
        {CNA(LEFT DEFAULT("unaffected") VERSIONS(FROM("1.0.0", "lessThan", "*", "affected", ""))), 0,
         "npm left [introduced 1.0.0]\n"},
        {CNA(LEFT DEFAULT("unaffected") VERSIONS(FROM("1.0.0", "lessThanOrEqual", "1.9.*", "affected", ""))), 0,
         "npm left [introduced 1.0.0, fixed 1.10.0-0]\n"},
        /* all but */
        {CNA(LEFT DEFAULT("affected")), 0, "npm left [introduced 0]\n"},
        {CNA(LEFT DEFAULT("affected") VERSIONS(FROM("0", "lessThan", "4.9.0", "unaffected", "") "," FROM(
             "6.5.0", "lessThanOrEqual", "*", "unaffected", "") "," FROM("5.10.189", "lessThanOrEqual", "5.10.*",
                                                                         "unaffected", ""))),
         0,
         "npm left [introduced 4.9.0, fixed 5.10.189, introduced 5.11.0-0, fixed 6.5.0]\n"
         "npm left [introduced 0, fixed 4.9.0] [introduced 6.5.0] [introduced 5.10.189, fixed 5.11.0-0] unaffected\n"},
        {CNA(LEFT DEFAULT("affected") VERSIONS(FROM("1.0.0", "lessThanOrEqual", "1.2.0", "unknown", "") "," FROM(
             "2.0.0", "lessThan", "3.0.0", "unaffected", "") "," FROM("3.0.0", "lessThan", "4.0.0", "unaffected", ""))),
         0,
         "npm left [introduced 0, fixed 1.0.0, introduced 1.2.0, fixed 2.0.0, introduced 4.0.0] !1.2.0\n"
         "npm left [introduced 2.0.0, fixed 3.0.0] [introduced 3.0.0, fixed 4.0.0] unaffected\n"
         "npm left [introduced 1.0.0, last 1.2.0] unknown\n"},
        {CNA(LEFT DEFAULT("affected") VERSIONS(FROM("1.0.0", "lessThan", "2.0.0", "unaffected",
                                                    "") "," FROM("1.5.0", "lessThan", "3.0.0", "unaffected", ""))),
         0,
         "npm left [introduced 1.0.0, fixed 2.0.0] [introduced 1.5.0, fixed 3.0.0] unaffected\nnpm left open ~1.0.0\n"},
        /* what cannot be read leaves its row open */
        {CNA(LEFT), 0, "npm left open\n"},
        {CNA(LEFT VERSIONS(ONE("n/a", "affected"))), 0, "npm left open ~n/a\n"},
        {CNA(LEFT DEFAULT("unaffected") VERSIONS(FROM("2.0.0", "lessThan", "1.0.0", "affected", ""))), 0,
         "npm left open ~1.0.0\n"},
        {CNA(LEFT DEFAULT("unaffected") VERSIONS(
             FROM("1.0.0", "lessThan", "2.0.0", "affected", ",\"changes\":[" CHANGE("0.5.0", "unaffected") "]"))),
         0, "npm left open ~0.5.0\n"},
        {CNA(LEFT DEFAULT("unaffected")
                 VERSIONS("{\"version\":\"0\",\"lessThan\":\"abc\",\"status\":\"affected\",\"versionType\":\"git\"}")),
         0, "npm left open ~commits only\n"},
        {CNA(LEFT DEFAULT("unaffected") VERSIONS(
             FROM("1.0.0", "lessThan", "2.0.0", "affected",
                  "") ",{\"version\":\"1\",\"lessThan\":\"2\",\"status\":\"affected\",\"versionType\":\"rpm\"}")),
         0, "npm left [introduced 1.0.0, fixed 2.0.0] [introduced 1, fixed 2] open\nnpm left open ~rpm\n"},
        {CNA(LEFT ",\"platforms\":[\"Windows\"]" VERSIONS(
             FROM("1.0.0", "lessThan", "2.0.0", "affected", "") "," ONE("3.0.0", "unaffected"))),
         0, "npm left [introduced 1.0.0, fixed 2.0.0] open\n"},
        /* words in place of versions */
        {CNA(LEFT DEFAULT("unaffected")
                 VERSIONS(ONE("< 2.0.0", "affected") "," ONE("4.0.0 and later", "affected") "," ONE("*", "unknown"))),
         0, "npm left [introduced 0, fixed 2.0.0] [introduced 4.0.0]\nnpm left [introduced 0] unknown\n"},
        /* other identities */
        {CNA("\"packageURL\":\"pkg:deb/debian/xz-utils\"" DEFAULT("unaffected") VERSIONS(ONE("5.6.0-0.2", "affected"))),
         0, "Debian xz-utils =5.6.0-0.2\n"},
        {CNA("\"packageURL\":\"pkg:\"" DEFAULT("unaffected") VERSIONS(ONE("1", "affected"))), 0,
         "?   (containers.cna.affected[0])\n# containers.cna.affected[0]: its purl does not parse\n"},
        {CNA("\"vendor\":\"V\",\"product\":\"P\",\"cpes\":[\"cpe:2.3:a:v:p:*:*:*:*:*:*:*:*\",\"cpe:\",7]" DEFAULT(
             "unaffected") VERSIONS(ONE("1.0", "affected"))),
         0,
         "cpe v:p =1.0\ntext V/P =1.0\n"
         "# containers.cna.affected[0]: one of its CPE names does not parse, or names no product\n"
         "# containers.cna.affected[0]: one of its CPE names does not parse, or names no product\n"},
        {CNA("\"cpes\":[\"cpe:2.3:a:v:p:1.5:*:*:*:*:*:*:*\",\"cpe:2.3:h:v:q:-:*:*:*:*:*:*:*\"]" DEFAULT("affected")), 0,
         "cpe v:p =1.5 open\ncpe v:q [introduced 0] open\n"},
        {CVE("\"adp\":[{},{\"affected\":[{" LEFT VERSIONS(ONE("1.0.0", "affected")) "}]}]"), 0,
         "npm left =1.0.0 open\n"},
        /* CPE applicability */
        {CVE("\"cna\":{\"cpeApplicability\":[{\"nodes\":[{\"operator\":\"OR\",\"cpeMatch\":["
             "{\"vulnerable\":true,\"criteria\":\"cpe:2.3:a:v:p:*:*:*:*:*:*:*:*\",\"versionStartExcluding\":\"1.0\","
             "\"versionEndIncluding\":\"2.0\"},"
             "{\"vulnerable\":true,\"criteria\":\"cpe:2.3:a:v:q:3.0:*:*:*:*:*:*:*\"},"
             "{\"vulnerable\":true,\"criteria\":\"cpe:2.3:a:v:r:3.*:*:*:*:*:*:*:*\"},"
             "{\"vulnerable\":true,\"criteria\":\"cpe:2.3:a:v:*:*:*:*:*:*:*:*:*\"},"
             "{\"vulnerable\":false,\"criteria\":\"cpe:2.3:o:v:os:*:*:*:*:*:*:*:*\"}]}]}]}"),
         0,
         "cpe v:p [introduced 1.0, last 2.0] !1.0\ncpe v:q =3.0\ncpe v:r open ~cpe:2.3:a:v:r:3.*:*:*:*:*:*:*:*\n"
         "# containers.cna.cpeApplicability: one of its CPE names does not parse, or names no product\n"},
        {CVE("\"cna\":{\"cpeApplicability\":[{\"operator\":\"AND\",\"nodes\":[{\"operator\":\"OR\",\"cpeMatch\":["
             "{\"vulnerable\":true,\"criteria\":\"cpe:2.3:a:v:p:*:*:*:*:*:*:*:*\",\"versionEndExcluding\":\"2.0\"}]},{}"
             "]}]}"),
         0, "cpe v:p [introduced 0, fixed 2.0] unknown\n"},
        /* refused */
        {CVE("\"cna\":{\"affected\":{}}"), E_TYPE, "affected"},
        {CNA(LEFT ",\"versions\":{}"), E_TYPE, "versions"},
        {CNA(LEFT VERSIONS("{\"version\":\"1\",\"lessThan\":\"2\",\"changes\":7}")), E_TYPE, "changes"},
        {"{\"dataType\":\"CVE_RECORD\",\"dataVersion\":\"4.0\"}", E_UNSUPPORTED, "dataVersion"},
        {"{\"dataType\":\"CVE_RECORD\",\"dataVersion\":\"5.2.0\"}", E_MISSING, "cveId"},
        {"{\"dataType\":\"CVE\"}", E_UNSUPPORTED, "dataType"},
        {"[]", E_UNSUPPORTED, "dataType"},
    };
    test("CVE records: statuses of versions, identities, applicability, and what is refused");
    readings(MEDIA_CVE, rows, sizeof rows / sizeof rows[0]);
}

static void cve_head(void)
{
    struct arena arena;
    struct advisory a;
    test("CVE records: head members, and a rejected one");
    arena_init(&arena, 1 << 20);
    CHECK_INT(advisory_read_cve(&a,
                                span_str("{\"dataType\":\"CVE_RECORD\",\"dataVersion\":\"5.1\",\"cveMetadata\":{"
                                         "\"cveId\":\"CVE-2026-9\",\"state\":"
                                         "\"REJECTED\",\"assignerShortName\":\"northmark\",\"dateRejected\":\"2026-03-"
                                         "01T00:00:00Z\",\"datePublished\":"
                                         "\"2026-01-01T00:00:00Z\"},\"containers\":{\"cna\":{\"descriptions\":[{"
                                         "\"lang\":\"en\",\"value\":\"told\"}]}}}"),
                                &arena, NULL),
              0);
    CHECK(is(a.id, "CVE-2026-9") && is(a.publisher, "northmark") && is(a.modified, "2026-03-01T00:00:00Z"));
    CHECK(is(a.title, "told") && a.withdrawn && a.tlp == TLP_NONE && a.version.len == 0);
    CHECK_INT(advisory_read_cve(&a, span_str(CVE("\"cna\":{\"title\":\"t\",\"descriptions\":[]}")), &arena, NULL), 0);
    CHECK(is(a.title, "t") && !a.withdrawn);
    arena_free(&arena);
}

static void osv_heads_and_orders(void)
{
    static const struct {
        const char *ecosystem, *types;
        enum order order;
    } rows[] = {{"Debian:12", "E", ORDER_DEBIAN}, {"Go", "S", ORDER_SEMVER},         {"PyPI", "E", ORDER_PYPI},
                {"Homemade", "S", ORDER_SEMVER},  {"Homemade", "SE", ORDER_UNKNOWN}, {"Debian:12", "S", ORDER_UNKNOWN},
                {"npm", "SE", ORDER_SEMVER}};
    struct arena arena;
    struct advisory a;
    test("OSV: head members, and the order of each package");
    arena_init(&arena, 1 << 20);
    CHECK_INT(
        advisory_read_osv(
            &a,
            span_str(RECORD(",\"summary\":\"S\",\"withdrawn\":\"2026-02-01T00:00:00Z\",\"aliases\":[\"CVE-1\",\"B\"]")),
            &arena, NULL),
        0);
    CHECK(is(a.id, "EX-1") && is(a.title, "S") && is(a.modified, "2026-01-01T00:00:00Z") && a.withdrawn &&
          a.tlp == TLP_NONE);
    CHECK(a.alias_count == 2 && is(a.aliases[1], "B"));
    arena_free(&arena);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text;
        buf_init(&text, 4096);
        buf_printf(&text,
                   "{\"id\":\"x\",\"modified\":\"m\",\"affected\":[{\"package\":{\"ecosystem\":\"%s\",\"name\":\"n\"},"
                   "\"ranges\":[",
                   rows[i].ecosystem);
        for (size_t j = 0; rows[i].types[j]; j++)
            buf_printf(&text, "%s{\"type\":\"%s\",\"events\":[{\"introduced\":\"0\"}]}", j ? "," : "",
                       rows[i].types[j] == 'S' ? "SEMVER" : "ECOSYSTEM");
        buf_text(&text, "]}]}");
        CHECK_INT(advisory_read_osv(&a, buf_view(&text), &arena, NULL), 0);
        CHECK_INT(a.package_count ? (int)a.packages[0].order : -1, rows[i].order);
        arena_free(&arena);
        buf_free(&text);
    }
}

static void kinds(void)
{
    struct arena arena;
    struct advisory a;
    const struct json *root;
    test("the kind of an advisory is told by media type, or guessed");
    arena_init(&arena, 1 << 20);
    CHECK_INT(advisory_read(&a, span_str("application/json"), span_str("{}"), &arena, NULL), E_UNSUPPORTED);
    CHECK(json_parse(&root, span_str(csaf_xz), 1 << 20, &arena, NULL) == 0 &&
          !strcmp(advisory_media(root), "application/csaf+json"));
    CHECK(json_parse(&root, span_str(RECORD("")), 1 << 20, &arena, NULL) == 0 &&
          !strcmp(advisory_media(root), "application/osv+json"));
    CHECK(json_parse(&root, span_str("[{\"id\":1}]"), 1 << 20, &arena, NULL) == 0 && !advisory_media(root));
    arena_free(&arena);
}

/* Whatever memory is allowed, reading fails cleanly or succeeds. */
static void memory(void)
{
    bool done[2] = {false, false};
    test("out of memory at every step");
    for (size_t max = 0; max < 40000; max += 48) {
        struct arena arena;
        struct advisory a;
        static const char osv[] =
            RECORD(AFFECTED("npm", "a",
                            ",\"ranges\":[{\"type\":\"GIT\",\"events\":[]},{\"type\":\"SEMVER\",\"events\":"
                            "[{\"introduced\":\"0\"}]}],\"versions\":[\"1\"]"));
        for (int kind = 0; kind < 2; kind++) {
            arena_init(&arena, max);
            int rc = kind ? advisory_read_osv(&a, span_str(osv), &arena, NULL)
                          : advisory_read_csaf(&a, span_str(csaf_xz), &arena, NULL);
            CHECK(rc == 0 || rc == E_NOMEM);
            CHECK(rc == 0 || !done[kind]); /* more memory never makes it fail */
            done[kind] = done[kind] || rc == 0;
            arena_free(&arena);
        }
    }
    CHECK(done[0] && done[1]);
}

static bool file_read(const char *path, struct buf *out)
{
    uint8_t piece[65536];
    size_t n;
    FILE *file = fopen(path, "rb");
    buf_init(out, DOCUMENT_BYTES_MAX);
    while (file && (n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(out, piece, n);
    if (file)
        (void)fclose(file);
    return file && !out->error;
}

struct tally {
    size_t files, bad, packages, undecided;
};

static void corpus_file(const char *path, const char *media, struct tally *tally)
{
    struct buf text;
    struct arena arena;
    struct advisory a = {0};
    struct fault fault = {0};
    arena_init(&arena, 256 << 20);
    int rc = file_read(path, &text) ? advisory_read(&a, span_str(media), buf_view(&text), &arena, &fault) : E_IO;
    if (rc)
        printf("# %s: %s\n", path, fault.detail);
    tally->files++;
    tally->bad += rc != 0;
    tally->packages += rc ? 0 : a.package_count;
    tally->undecided += rc ? 0 : a.undecided_count;
    arena_free(&arena);
    buf_free(&text);
}

static void corpus_walk(const char *path, const char *media, struct tally *tally)
{
    DIR *dir = opendir(path);
    char name[4096];
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat st;
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || stat(name, &st) != 0)
            continue;
        size_t len = strlen(name);
        if (S_ISDIR(st.st_mode))
            corpus_walk(name, media, tally);
        else if (len > 5 && !strcmp(name + len - 5, ".json"))
            corpus_file(name, media, tally);
    }
    if (dir)
        (void)closedir(dir);
}

static void corpora(void)
{
    static const struct {
        const char *name, *media;
    } sets[] = {{"csaf-cisa", "application/csaf+json"},
                {"osv-go", "application/osv+json"},
                {"osv-almalinux", "application/osv+json"}};
    const char *data = getenv("COMITY_DATA");
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct tally tally = {0};
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", data ? data : "", sets[i].name);
        if (data)
            corpus_walk(path, sets[i].media, &tally);
        if (!tally.files) {
            test_skip(sets[i].name, "COMITY_DATA names no folder with it");
            continue;
        }
        test(sets[i].name);
        CHECK_INT(tally.bad, 0);
        printf("# %s: %zu files, %zu packages, %zu undecided\n", sets[i].name, tally.files, tally.packages,
               tally.undecided);
    }
}

int main(void)
{
    csaf_whole();
    csaf_rows();
    csaf_vex();
    csaf_lanes();
    csaf_groups();
    version_texts();
    csaf_depth();
    tlp_labels();
    vers_rows();
    vers_limit();
    osv_rows();
    cve_rows();
    cve_head();
    osv_heads_and_orders();
    kinds();
    memory();
    corpora();
    return test_end();
}
