#include "publish/publish.h"

#include <stdio.h>

#include "base/limits.h"
#include "record/statement.h"
#include "tests/test.h"

#define CSAF(tlp) "{\"document\":{\"csaf_version\":\"2.0\",\"title\":\"t\"" tlp ",\"tracking\":{\"id\":\"EX-2026-1\"}}}"
#define TLP(label) ",\"distribution\":{\"tlp\":{\"label\":\"" label "\"}}"
#define CVE "{\"dataType\":\"CVE_RECORD\",\"dataVersion\":\"5.1\",\"cveMetadata\":{\"cveId\":\"CVE-2026-1\"}}"
#define OSV "{\"id\":\"EX-2026-2\",\"modified\":\"2026-11-01T00:00:00Z\"}"

static void rules(void)
{
    static const struct {
        const char *text;
        bool open;
        int code;
        enum label label;
        const char *media, *subject;
    } rows[] = {
        {CSAF(TLP("WHITE")), false, 0, LABEL_OPEN, "application/csaf+json", "EX-2026-1"},
        {CSAF(TLP("CLEAR")), true, 0, LABEL_OPEN, "application/csaf+json", "EX-2026-1"},
        {CSAF(TLP("GREEN")), false, 0, LABEL_MEMBERS, "application/csaf+json", "EX-2026-1"},
        {CSAF(TLP("GREEN")), true, 0, LABEL_MEMBERS, "application/csaf+json", "EX-2026-1"},
        {CSAF(""), true, 0, LABEL_OPEN, "application/csaf+json", "EX-2026-1"},
        {CSAF(",\"distribution\":{\"text\":\"all\"}"), true, 0, LABEL_OPEN, "application/csaf+json", "EX-2026-1"},
        {OSV, true, 0, LABEL_OPEN, "application/osv+json", "EX-2026-2"},
        {CVE, true, 0, LABEL_OPEN, "application/vnd.comity.cve+json", "CVE-2026-1"},
        {CVE, false, E_LABEL, LABEL_OPEN, NULL, NULL},
        {CSAF(TLP("AMBER")), false, E_LABEL, LABEL_OPEN, NULL, NULL},
        {CSAF(TLP("AMBER")), true, E_LABEL, LABEL_OPEN, NULL, NULL},
        {CSAF(TLP("AMBER+STRICT")), true, E_LABEL, LABEL_OPEN, NULL, NULL},
        {CSAF(TLP("RED")), true, E_LABEL, LABEL_OPEN, NULL, NULL},
        {CSAF(""), false, E_LABEL, LABEL_OPEN, NULL, NULL},
        {OSV, false, E_LABEL, LABEL_OPEN, NULL, NULL},
        {CSAF(TLP("red")), true, E_UNSUPPORTED, LABEL_OPEN, NULL, NULL},
        {CSAF(",\"distribution\":{\"tlp\":\"RED\"}"), true, E_UNSUPPORTED, LABEL_OPEN, NULL, NULL},
        {CSAF(",\"distribution\":{\"tlp\":{}}"), true, E_UNSUPPORTED, LABEL_OPEN, NULL, NULL},
        {CSAF(",\"distribution\":[]"), true, E_TYPE, LABEL_OPEN, NULL, NULL},
        {CSAF(TLP("WHITE") TLP("RED")), true, E_DUPLICATE, LABEL_OPEN, NULL, NULL},
        {"{\"document\":{\"csaf_version\":\"2.0\",\"tracking\":{\"id\":\"a\"}},\"product_tree\":{\"full_product_"
         "names\":[{"
         "\"product_id\":\"a\"},{\"product_id\":\"a\"}]}}",
         true, E_SYNTAX, LABEL_OPEN, NULL, NULL},
        {"{\"document\":{\"csaf_version\":\"2.0\",\"title\":\"t\"}}", true, E_MISSING, LABEL_OPEN, NULL, NULL},
        {"{\"modified\":\"x\",\"affected\":[]}", true, E_MISSING, LABEL_OPEN, NULL, NULL},
        {"{\"id\":\"\",\"modified\":\"x\"}", true, E_MISSING, LABEL_OPEN, NULL, NULL},
        {"{\"document\":{\"csaf_version\":\"1.2\",\"tracking\":{\"id\":\"a\"}}}", true, E_UNSUPPORTED, LABEL_OPEN, NULL,
         NULL},
        {"{\"bomFormat\":\"CycloneDX\"}", true, E_UNSUPPORTED, LABEL_OPEN, NULL, NULL},
        {"[]", true, E_UNSUPPORTED, LABEL_OPEN, NULL, NULL},
        {"", true, E_TRUNCATED, LABEL_OPEN, NULL, NULL},
        {"<xml/>", true, E_SYNTAX, LABEL_OPEN, NULL, NULL},
    };
    test("what may be published openly");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct publication p;
        struct arena arena;
        struct fault fault = {0};
        arena_init(&arena, 1 << 20);
        int rc = publication_check(&p, span_str(rows[i].text), rows[i].open, &arena, &fault);
        if (rc != rows[i].code)
            printf("# row %zu: %s: %s\n", i, rows[i].text, fault.detail);
        CHECK_INT(rc, rows[i].code);
        CHECK_INT(rc ? (int)rows[i].label : (int)p.label, rows[i].label);
        CHECK(rc || (!strcmp(p.media, rows[i].media) && !strcmp(p.subject, rows[i].subject)));
        CHECK(rc == 0 || fault.detail[0]);
        arena_free(&arena);
    }
}

static void subject_length(void)
{
    test("an id that fills a subject, and one that does not fit");
    for (size_t len = SUBJECT_BYTES_MAX - 1; len <= SUBJECT_BYTES_MAX; len++) {
        struct publication p;
        struct arena arena;
        char text[512], id[SUBJECT_BYTES_MAX + 1];
        memset(id, 'x', len);
        id[len] = 0;
        (void)snprintf(text, sizeof text, "{\"id\":\"%s\",\"modified\":\"m\"}", id);
        arena_init(&arena, 1 << 20);
        CHECK_INT(publication_check(&p, span_str(text), true, &arena, NULL), len < SUBJECT_BYTES_MAX ? 0 : E_LIMIT);
        CHECK(len == SUBJECT_BYTES_MAX || !strcmp(p.subject, id));
        arena_free(&arena);
    }
}

static void mirrors(void)
{
    static const struct {
        const char *media, *text;
        enum label label;
    } rows[] = {
        {"application/csaf+json", CSAF(TLP("WHITE")), LABEL_OPEN},
        {"application/csaf+json", CSAF(""), LABEL_OPEN},
        {"application/csaf+json", CSAF(TLP("GREEN")), LABEL_MEMBERS},
        {"application/csaf+json", CSAF(TLP("AMBER")), LABEL_CLOSED},
        {"application/csaf+json", CSAF(TLP("AMBER+STRICT")), LABEL_CLOSED},
        {"application/csaf+json", CSAF(TLP("RED")), LABEL_CLOSED},
        {"application/csaf+json", CSAF(TLP("PINK")), LABEL_CLOSED},
        {"application/csaf+json", "not JSON", LABEL_CLOSED},
        {"application/csaf+json", OSV, LABEL_CLOSED},
        {"application/osv+json", OSV, LABEL_OPEN},
        {"application/osv+json", "{}", LABEL_CLOSED},
        {"application/csaf+json; charset=utf-8", CSAF(TLP("RED")), LABEL_CLOSED},
        {"application/CSAF+json", CSAF(TLP("RED")), LABEL_CLOSED},
        {"application/stix+json;version=2.1", "{}", LABEL_CLOSED},
        {"", "", LABEL_CLOSED},
        {"application/vnd.comity.accession+json", "{}", LABEL_OPEN},
        {"application/vnd.comity.two-faces+json", "{}", LABEL_OPEN},
        {"text/plain", "the gateway is patched", LABEL_OPEN},
        {"text/plain", CSAF(TLP("AMBER")), LABEL_CLOSED},
        {"application/json", CSAF(TLP("GREEN")), LABEL_MEMBERS},
        {MEDIA_SEALED, "age", LABEL_SEALED},
    };
    test("the label under which a mirror serves");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum label label;
        CHECK_INT(document_label(span_str(rows[i].media), span_str(rows[i].text), &label), 0);
        if (label != rows[i].label)
            printf("# row %zu: %s %s\n", i, rows[i].media, rows[i].text);
        CHECK_INT(label, rows[i].label);
    }
}

int main(void)
{
    rules();
    subject_length();
    mirrors();
    return test_end();
}
