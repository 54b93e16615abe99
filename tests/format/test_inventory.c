#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "format/inventory.h"
#include "tests/format/components.h"

static const char bom[] =
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"metadata\":{\"component\":{\"type\":\"application\","
    "\"name\":\"shop\","
    "\"version\":\"2\",\"components\":[{\"type\":\"library\",\"name\":\"in\",\"purl\":\"pkg:npm/in@1.0.0\"}]}},"
    "\"components\":["
    "{\"type\":\"library\",\"name\":\"liblzma5\",\"version\":\"5.6.0-0.2\","
    "\"purl\":\"pkg:deb/debian/liblzma5@5.6.0-0.2?arch=amd64&distro=debian-12&upstream=xz-utils\"},"
    "{\"type\":\"library\",\"name\":\"gcc\",\"version\":\"9\","
    "\"purl\":\"pkg:deb/debian/gcc@4%3A14.2.0-1?upstream=gcc-defaults%401.220\",\"components\":["
    "{\"type\":\"library\",\"name\":\"deep\",\"purl\":\"pkg:cargo/deep@0.1.0\",\"components\":["
    "{\"type\":\"library\",\"name\":\"deeper\",\"purl\":\"pkg:golang/example.org/deeper@v1.0.0\"}]}]},"
    "{\"type\":\"library\",\"group\":\"org.example\",\"name\":\"core\",\"version\":\"1\"},"
    "{\"type\":\"library\",\"name\":\"broken\",\"version\":\"1\",\"purl\":\"pkg:npm\"},"
    "{\"type\":\"library\",\"name\":\"unversioned\",\"purl\":\"pkg:npm/unversioned\"},"
    "{\"type\":\"library\",\"name\":\"x\",\"version\":\"3.0.0\",\"purl\":\"pkg:npm/y\"},"
    "{\"type\":\"file\",\"name\":\"/etc/passwd\"},"
    "{\"type\":\"library\",\"name\":\"libssl3\",\"version\":\"3.0\",\"purl\":\"pkg:deb/debian/"
    "libssl3@3.0.11-1?epoch=1\","
    "\"properties\":[{\"name\":\"aquasecurity:trivy:SrcName\",\"value\":\"openssl\"},"
    "{\"name\":\"aquasecurity:trivy:SrcEpoch\",\"value\":\"1\"},"
    "{\"name\":\"aquasecurity:trivy:SrcVersion\",\"value\":\"3.0.10\"},{\"name\":\"aquasecurity:trivy:SrcRelease\","
    "\"value\":\"2\"}]},"
    "{\"type\":\"library\",\"name\":\"same\",\"purl\":\"pkg:deb/debian/same@1-1?upstream=same\"},"
    "7]}";

static const struct want bom_wants[] = {
    {"metadata.component", "", "shop", "2", "", "", "it has no purl"},
    {"metadata.component.components[0]", "npm", "in", "1.0.0", "", "", ""},
    {"components[0]", "Debian:12", "liblzma5", "5.6.0-0.2", "xz-utils", "", ""},
    {"components[1]", "Debian", "gcc", "4:14.2.0-1", "gcc-defaults", "1.220", ""},
    {"components[1].components[0]", "crates.io", "deep", "0.1.0", "", "", ""},
    {"components[1].components[0].components[0]", "Go", "example.org/deeper", "v1.0.0", "", "", ""},
    {"components[2]", "", "org.example/core", "1", "", "", "it has no purl"},
    {"components[3]", "", "broken", "1", "", "", "its purl does not parse"},
    {"components[4]", "npm", "unversioned", "", "", "", "it has no version"},
    {"components[5]", "npm", "y", "3.0.0", "", "", ""},
    {"components[7]", "Debian", "libssl3", "1:3.0.11-1", "openssl", "1:3.0.10-2", ""},
    {"components[8]", "Debian", "same", "1-1", "", "", ""},
    {"components[9]", "", "", "", "", "", "it has no name"},
};

static const char status[] =
    "Package: liblzma5\nStatus: install ok installed\nSource: xz-utils\nVersion: 5.6.0-0.2\nDescription: one\n .\n "
    "Package: no\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
    "\n"
    "Package: libgcc-s1\nStatus: hold ok installed\nSource: gcc-14 (14.2.0-3)\nVersion: 14.2.0-3+b1\n\n"
    "Package: half\nStatus: install ok half-configured\nVersion: 1\n\n"
    "Package: none\nStatus: purge ok not-installed\n\n"
    "Package: bare\nStatus: install ok installed\n\n"
    "Package: silent\nVersion: 1\n\n"
    "package: lower\nSTATUS: install ok installed\nVERSION: 2\nSource: odd (1\n\n"
    "Status: install ok installed\nVersion: 1\n\n"
    "Package: twice\nVersion: 1\nVersion: 2\nStatus: install ok installed\n\n"
    "Package: rough\nVersion: 1\nStatus: install ok installed\nno colon here\n\n"
    "Package: windows\r\nVersion: 1\r\nStatus: install ok installed\r\n\r\n"
    "Package: last\nStatus: install ok installed\nVersion: 3";

static const struct want status_wants[] = {
    {"Package: liblzma5", "Debian:13", "liblzma5", "5.6.0-0.2", "xz-utils", "", ""},
    {"Package: libgcc-s1", "Debian:13", "libgcc-s1", "14.2.0-3+b1", "gcc-14", "14.2.0-3", ""},
    {"Package: half", "Debian:13", "half", "1", "", "", ""},
    {"Package: bare", "Debian:13", "bare", "", "", "", "it has no version"},
    {"Package: silent", "Debian:13", "silent", "1", "", "", "it has no status"},
    {"Package: lower", "Debian:13", "lower", "2", "", "", "its source's version is not closed"},
    {"Package: ", "Debian:13", "", "1", "", "", "it has no name"},
    {"Package: twice", "Debian:13", "twice", "1", "", "", "a field of its stanza stands twice"},
    {"Package: rough", "Debian:13", "rough", "1", "", "", "its stanza has a line without a field name"},
    {"Package: windows", "Debian:13", "windows", "1", "", "", ""},
    {"Package: last", "Debian:13", "last", "3", "", "", ""},
};

static int read_text(struct inventory *out, const char *text, struct arena *arena)
{
    return inventory_read(out, span_str(text), span_str("Debian:13"), arena, NULL);
}

static void refused(struct arena *arena)
{
    static const struct {
        const char *text;
        int want;
    } bads[] = {
        {"", E_UNSUPPORTED},
        {"hello\n", E_UNSUPPORTED},
        {"[]", E_UNSUPPORTED},
        {"{}", E_UNSUPPORTED},
        {"{\"spdxVersion\":\"SPDX-2.1\"}", E_UNSUPPORTED},
        {"{\"spdxVersion\":\"SPDX-2.3.1\"}", E_UNSUPPORTED},
        {"{\"spdxVersion\":2.3}", E_TYPE},
        {"{\"spdxVersion\":\"SPDX-2.3\",\"packages\":{}}", E_TYPE},
        {"{\"@context\":\"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\"}", E_UNSUPPORTED},
        {"{\"bomFormat\":\"CycloneDX\"}", E_MISSING},
        {"{\"bomFormat\":\"CycloneDX\",\"specVersion\":1.5}", E_TYPE},
        {"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.1\"}", E_UNSUPPORTED},
        {"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.50\"}", E_UNSUPPORTED},
        {"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":{}}", E_TYPE},
        {"Package: \xff\n", E_UTF8},
    };
    struct inventory inventory;
    test("refused inventories");
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++)
        CHECK_INT(read_text(&inventory, bads[i].text, arena), bads[i].want);
    CHECK_INT(inventory_read(&inventory, span_of("Package: a\0b\n", 13), span_str(""), arena, NULL), E_UTF8);
    CHECK(read_text(&inventory, "{\"bomFormat\":\"CycloneDX\",", arena) != 0);
    test("an empty bill of materials is an inventory");
    CHECK_INT(read_text(&inventory, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\"}", arena), 0);
    CHECK_INT(inventory.count, 0);
}

static void makers(struct arena *arena)
{
    static const struct {
        const char *members, *vendor;
    } rows[] = {
        {"\"manufacturer\":{\"name\":\"A\"},\"supplier\":{\"name\":\"B\"},\"publisher\":\"C\"", "A"},
        {"\"supplier\":{\"name\":\"B\"},\"publisher\":\"C\"", "B"},
        {"\"supplier\":{\"url\":[]},\"publisher\":\"C\"", "C"},
        {"\"publisher\":7", ""},
    };
    struct inventory inventory;
    test("CycloneDX: who makes a component, what it is called, and its CPE");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[{\"type\":\"device\","
                       "\"group\":\"g\",\"name\":\"Valve 7\",\"cpe\":\"cpe:2.3:h:a:valve_7:-:*:*:*:*:*:*:*\",%s}]}",
                       rows[i].members);
        CHECK_INT(read_text(&inventory, text, arena), 0);
        const struct component *c = inventory.components;
        check_text("vendor", rows[i].vendor, c->vendor, rows[i].vendor);
        CHECK(span_is(c->product, "Valve 7") && span_is(c->name, "g/Valve 7"));
        CHECK(span_is(c->cpe, "cpe:2.3:h:a:valve_7:-:*:*:*:*:*:*:*"));
    }
}

static void too_many(void)
{
    struct arena arena;
    struct inventory inventory;
    size_t count = COMPONENTS_MAX + 1, len = 0;
    char *text = malloc(count * 12 + 1);
    arena_init(&arena, (size_t)1 << 30);
    test("more components than the limit");
    for (size_t i = 0; text && i < count; i++, len += 12)
        memcpy(text + len, "Package: a\n\n", 12);
    CHECK_INT(text ? inventory_read(&inventory, span_of(text, len), span_str(""), &arena, NULL) : 0, E_LIMIT);
    CHECK_INT(text ? inventory_read(&inventory, span_of(text, len - 12), span_str(""), &arena, NULL) : 1, 0);
    CHECK_INT(inventory.count, COMPONENTS_MAX);
    CHECK(span_is(inventory.components[0].ecosystem, "Debian"));
    arena_free(&arena);
    free(text);
}

/* Every cap on memory gives an error or the whole result, never a part of it. */
static void scarce(const char *text, size_t count)
{
    for (size_t max = 0; max < 40000; max += 97) {
        struct arena arena;
        struct inventory inventory;
        arena_init(&arena, max);
        int rc = read_text(&inventory, text, &arena);
        bool whole = rc == 0 && inventory.count == count;
        for (size_t i = 0; whole && i < count; i++)
            whole = inventory.components[i].name.len || inventory.components[i].problem;
        CHECK(rc != 0 || whole);
        arena_free(&arena);
    }
}

int main(void)
{
    struct arena arena;
    struct inventory inventory;
    arena_init(&arena, 64 << 20);
    test("CycloneDX components, nested ones and broken ones");
    CHECK_INT(read_text(&inventory, bom, &arena), 0);
    CHECK(strcmp(inventory.format, "cyclonedx") == 0);
    check_all(&inventory, bom_wants, sizeof bom_wants / sizeof *bom_wants);
    test("dpkg stanzas, installed ones and broken ones");
    CHECK_INT(read_text(&inventory, status, &arena), 0);
    CHECK(strcmp(inventory.format, "dpkg") == 0);
    check_all(&inventory, status_wants, sizeof status_wants / sizeof *status_wants);
    refused(&arena);
    makers(&arena);
    too_many();
    test("scarce memory");
    scarce(bom, sizeof bom_wants / sizeof *bom_wants);
    scarce(status, sizeof status_wants / sizeof *status_wants);
    arena_free(&arena);
    return test_end();
}
