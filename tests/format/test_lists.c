/* SPDX, package lists of rpm and apk, tables of assets. */
#include <stdlib.h>

#include "base/limits.h"
#include "tests/format/components.h"

static const char spdx[] =
    "{\"spdxVersion\":\"SPDX-2.3\",\"SPDXID\":\"SPDXRef-DOCUMENT\",\"files\":[{\"fileName\":\"./a\"}],\"packages\":["
    "{\"name\":\"openssl-libs\",\"versionInfo\":\"3.0.7-24.el9\",\"supplier\":\"Organization: Northland Linux "
    "(mail@example.org)\","
    "\"externalRefs\":[{\"referenceCategory\":\"SECURITY\",\"referenceType\":\"cpe23Type\",\"referenceLocator\":\"cpe:"
    "2.3:a:o:o:3:*:*:*:*:*:*:*\"},"
    "{\"referenceCategory\":\"PACKAGE-MANAGER\",\"referenceType\":\"purl\","
    "\"referenceLocator\":\"pkg:rpm/almalinux/"
    "openssl-libs@3.0.7-24.el9?epoch=1&upstream=openssl-3.0.7-24.el9.src.rpm&distro=almalinux-9.3\"}]},"
    "{\"name\":\"openssl-libs\",\"externalRefs\":[{\"referenceCategory\":\"PACKAGE_MANAGER\",\"referenceType\":"
    "\"purl\","
    "\"referenceLocator\":\"pkg:rpm/rocky/"
    "openssl-libs@3.0.7-24.el9?epoch=1&upstream=openssl-3.0.7-24.el9.src.rpm&distro=rocky-9.3\"}]},"
    "{\"name\":\"bind-libs\",\"externalRefs\":[{\"referenceType\":\"purl\","
    "\"referenceLocator\":\"pkg:rpm/rocky/bind-libs@1.0-1?upstream=bind-9.16-1.el9.src.rpm\"}]},"
    "{\"name\":\"ssl_client\",\"externalRefs\":[{\"referenceType\":\"purl\","
    "\"referenceLocator\":\"pkg:alpine/ssl_client@1.35.0-r17?arch=x86_64&upstream=busybox&distro=alpine-3.16.2\"}]},"
    "{\"name\":\"musl\",\"externalRefs\":[{\"referenceType\":\"purl\",\"referenceLocator\":\"pkg:apk/alpine/"
    "musl@1.2.3-r0?distro=3.16.2\"}]},"
    "{\"name\":\"libssl3\",\"versionInfo\":\"NOASSERTION\",\"externalRefs\":[{\"referenceType\":\"purl\","
    "\"referenceLocator\":\"pkg:deb/ubuntu/libssl3@3.0.2-0ubuntu1?distro=ubuntu-22.04&upstream=openssl\"}]},"
    "{\"name\":\"busybox\",\"versionInfo\":\"1.24.2\",\"supplier\":\"NOASSERTION\",\"externalRefs\":[{"
    "\"referenceType\":\"cpe23Type\","
    "\"referenceLocator\":\"cpe:2.3:a:busybox:busybox:1.24.2:*:*:*:*:*:*:*\"}]},"
    "{\"name\":\"layer\",\"versionInfo\":\"\"},"
    "{\"name\":\"adduser\",\"versionInfo\":\"3.118\",\"supplier\":\"Person: A. Clerk\"},"
    "{\"name\":\"x\",\"versionInfo\":\"NOASSERTION\",\"externalRefs\":7},"
    "{\"name\":\"broken\",\"versionInfo\":\"1\",\"externalRefs\":[{\"referenceType\":\"purl\",\"referenceLocator\":"
    "\"pkg:\"}]},"
    "{\"name\":\"odd\",\"externalRefs\":[{\"referenceType\":\"purl\",\"referenceLocator\":\"pkg:npm/odd@one\"}]},"
    "{\"name\":\"etc/passwd\",\"primaryPackagePurpose\":\"FILE\"},"
    "{\"name\":\"musl\",\"externalRefs\":[{\"referenceType\":\"purl\",\"referenceLocator\":\"pkg:apk/alpine/"
    "musl@1.2.3-r0?distro=3.16.2\"}]},"
    "null]}";
static const struct want spdx_wants[] = {
    {"packages[0] openssl-libs", "AlmaLinux:9", "openssl-libs", "1:3.0.7-24.el9", "", "", ""},
    {"packages[1] openssl-libs", "Rocky Linux:9", "openssl-libs", "1:3.0.7-24.el9", "openssl", "", ""},
    {"packages[2] bind-libs", "Rocky Linux", "bind-libs", "1.0-1", "bind", "9.16-1.el9", ""},
    {"packages[3] ssl_client", "Alpine:v3.16", "ssl_client", "1.35.0-r17", "busybox", "", ""},
    {"packages[4] musl", "Alpine:v3.16", "musl", "1.2.3-r0", "", "", ""},
    {"packages[5] libssl3", "Ubuntu:22.04", "libssl3", "3.0.2-0ubuntu1", "openssl", "", ""},
    {"packages[6] busybox", "", "busybox", "1.24.2", "", "", ""},
    {"packages[7] layer", "", "layer", "", "", "", "it has no purl"},
    {"packages[8] adduser", "", "adduser", "3.118", "", "", "it has no purl"},
    {"packages[9] x", "", "x", "", "", "", "it has no purl"},
    {"packages[10] broken", "", "broken", "1", "", "", "its purl does not parse"},
    {"packages[11] odd", "npm", "odd", "one", "", "", "its version is none of its ecosystem"},
    {"packages[14]", "", "", "", "", "", "it has no name"},
};

static const char rpm_tabs[] = "gpg-pubkey\t(none)\t5a6340b3\t6229229e\t(none)\t(none)\n"
                               "openssl-libs\t1\t3.0.7\t24.el9\tx86_64\topenssl-3.0.7-24.el9.src.rpm\n"
                               "bash\t(none)\t5.1.8\t6.el9_1\tx86_64\tbash-5.1.8-6.el9_1.src.rpm\r\n"
                               "perl-IO\t0\t1.43\t480.el9\tx86_64\tperl-5.32.1-480.el9.src.rpm\n"
                               "\n"
                               "short\t1\t2\n"
                               "local\t(none)\t1\t(none)\tnoarch\t(none)\n"
                               "home-made\t(none)\t1~rc1\t1\tnoarch\tno source";
static const struct want rpm_tabs_wants[] = {
    {"line 2", "Rocky Linux:9", "openssl-libs", "1:3.0.7-24.el9", "openssl", "", ""},
    {"line 3", "Rocky Linux:9", "bash", "5.1.8-6.el9_1", "", "", ""},
    {"line 4", "Rocky Linux:9", "perl-IO", "1.43-480.el9", "perl", "5.32.1-480.el9", ""},
    {"line 6", "Rocky Linux:9", "", "", "", "", "it has no name"},
    {"line 7", "Rocky Linux:9", "local", "", "", "", "it has no version or no release"},
    {"line 8", "Rocky Linux:9", "home-made", "1~rc1-1", "", "", ""},
};

static const char rpm_plain[] = "gpg-pubkey-5a6340b3-6229229e\n"
                                "python3-pip-wheel-21.2.3-7.el9.noarch\n"
                                "glibc-2.34-83.el9_3.7.x86_64\n"
                                "glibc-2.34-83.el9_3.7.i686\n"
                                "warning: a word from rpm\n"
                                "a-b.x86_64\n";
static const struct want rpm_plain_wants[] = {
    {"line 2", "AlmaLinux:9", "python3-pip-wheel", "21.2.3-7.el9", "", "", ""},
    {"line 3", "AlmaLinux:9", "glibc", "2.34-83.el9_3.7", "", "", ""}, /* and its twin of another architecture */
    {"line 5", "AlmaLinux:9", "warning: a word from rpm", "", "", "", "its line is not NAME-VERSION-RELEASE.ARCH"},
    {"line 6", "AlmaLinux:9", "a-b.x86_64", "", "", "", "its line is not NAME-VERSION-RELEASE.ARCH"},
};

static const char apk[] =
    "C:Q1x=\nP:ssl_client\nV:1.36.1-r15\nA:x86_64\no:busybox\nF:usr/bin\nR:ssl_client\na:0:0:755\nZ:Q1y=\n\n\n"
    "P:musl\nV:1.2.4_git20230717-r4\no:musl\n\n"
    "V:1\n\n"
    "P:bare\n\n"
    "P:twice\nV:1-r0\nV:2-r0\n\n"
    "P:odd\nV:1_x\n\n"
    "P:rough\nV:1-r0\nno field\n\n"
    "P:last\r\nV:3-r0";
static const struct want apk_wants[] = {
    {"P:ssl_client", "Alpine:v3.19", "ssl_client", "1.36.1-r15", "busybox", "", ""},
    {"P:musl", "Alpine:v3.19", "musl", "1.2.4_git20230717-r4", "", "", ""},
    {"P:", "Alpine:v3.19", "", "1", "", "", "it has no name"},
    {"P:bare", "Alpine:v3.19", "bare", "", "", "", "it has no version"},
    {"P:twice", "Alpine:v3.19", "twice", "1-r0", "", "", "a field of its stanza stands twice"},
    {"P:odd", "Alpine:v3.19", "odd", "1_x", "", "", ""},
    {"P:rough", "Alpine:v3.19", "rough", "1-r0", "", "", "its stanza has a line without a field"},
    {"P:last", "Alpine:v3.19", "last", "3-r0", "", "", ""},
};

static const char csv[] = "\xef\xbb\xbfHersteller;Produkt;Version;Anlage;PURL\r\n"
                          "\"Werk; Nord\";\"Steuerung \"\"S\"\"\";1.2.3;Pumpe 7;\r\n"
                          ";;;;\r\n"
                          ";openssl;;;pkg:deb/debian/openssl@3.0.11-1?distro=debian-12\r\n"
                          "\"two\nlines\";box;1;;\r\n"
                          "short;row\r\n"
                          "long;row;1;;;more\r\n"
                          "Werk;;2;;\r\n"
                          "Werk;Ventil;;;\r\n"
                          ";nobody's;1;;\r\n"
                          "\"shut\"it;x;1;;\r\n"
                          "\"open;x;1;;\r\nnever;read;1;;";
static const struct want csv_wants[] = {
    {"row 2 (Pumpe 7)", "", "Steuerung \"S\"", "1.2.3", "", "", ""},
    {"row 4", "Debian:12", "openssl", "3.0.11-1", "", "", ""},
    {"row 5", "", "box", "1", "", "", ""},
    {"row 6", "", "row", "", "", "", "its row is shorter than the header"},
    {"row 7", "", "row", "1", "", "", "its row is longer than the header"},
    {"row 8", "", "", "2", "", "", "it has no name"},
    {"row 9", "", "Ventil", "", "", "", "it has no version"},
    {"row 10", "", "nobody's", "1", "", "", "it has neither a purl, a CPE, an ecosystem nor a vendor"},
    {"row 11", "", "x", "1", "", "", "text follows a closing quote"},
    {"row 12", "", "", "", "", "", "it has no name"},
};

static const char csv_named[] =
    "name,Version,ecosystem,model,vendor\nlodash,4.17.20,npm,,\n,2.1,,CPU 1515,Works\nx,1,,,\n";
static const struct want csv_named_wants[] = {
    {"row 2", "npm", "lodash", "4.17.20", "", "", ""},
    {"row 3", "", "CPU 1515", "2.1", "", "", ""},
    {"row 4", "", "x", "1", "", "", "it has neither a purl, a CPE, an ecosystem nor a vendor"},
};

static const struct {
    const char *what, *text, *about, *format;
    const struct want *wants;
    size_t count, twins;
} reads[] = {
    {"SPDX", spdx, "", "spdx", spdx_wants, sizeof spdx_wants / sizeof *spdx_wants, 1},
    {"rpm, six fields", rpm_tabs, "Rocky Linux:9", "rpm", rpm_tabs_wants,
     sizeof rpm_tabs_wants / sizeof *rpm_tabs_wants, 0},
    {"rpm -qa", rpm_plain, "AlmaLinux:9", "rpm", rpm_plain_wants, sizeof rpm_plain_wants / sizeof *rpm_plain_wants, 1},
    {"apk", apk, "Alpine:v3.19", "apk", apk_wants, sizeof apk_wants / sizeof *apk_wants, 0},
    {"CSV with its columns told", csv, "Debian:12;vendor=Hersteller,product=produkt,asset=Anlage", "csv", csv_wants,
     sizeof csv_wants / sizeof *csv_wants, 0},
    {"CSV whose columns have our names", csv_named, "", "csv", csv_named_wants,
     sizeof csv_named_wants / sizeof *csv_named_wants, 0},
};

static void all_formats(struct arena *arena)
{
    struct inventory inventory;
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        test(reads[i].what);
        CHECK_INT(inventory_read(&inventory, span_str(reads[i].text), span_str(reads[i].about), arena, NULL), 0);
        CHECK(strcmp(inventory.format, reads[i].format) == 0);
        check_all(&inventory, reads[i].wants, reads[i].count);
        CHECK_INT(inventory.twin_count, reads[i].twins);
        CHECK((inventory.caveat != NULL) == (reads[i].text == rpm_plain));
    }
}

static void words(struct arena *arena)
{
    struct inventory inventory;
    test("vendor, product, model and CPE");
    CHECK_INT(inventory_read(&inventory, span_str(spdx), span_of(NULL, 0), arena, NULL), 0);
    check_text("0", "vendor", inventory.components[0].vendor, "Northland Linux");
    check_text("0", "cpe", inventory.components[0].cpe, "cpe:2.3:a:o:o:3:*:*:*:*:*:*:*");
    check_text("6", "vendor", inventory.components[6].vendor, "");
    check_text("8", "vendor", inventory.components[8].vendor, "A. Clerk");
    CHECK_INT(inventory_read(&inventory, span_str(csv), span_str(";vendor=Hersteller,product=Produkt"), arena, NULL),
              0);
    check_text("row 2", "vendor", inventory.components[0].vendor, "Werk; Nord");
    check_text("row 2", "product", inventory.components[0].product, "Steuerung \"S\"");
    CHECK_INT(inventory_read(&inventory, span_str(csv_named), span_of(NULL, 0), arena, NULL), 0);
    check_text("row 3", "model", inventory.components[1].model, "CPU 1515");
}

static void refused(struct arena *arena)
{
    static const struct {
        const char *text, *about;
        int want;
    } bads[] = {
        {"bash-5.1.8-6.el9_1.x86_64\n", "", E_MISSING},
        {"bash-5.1.8-6.el9_1.x86_64\n", "Debian:12", E_UNSUPPORTED},
        {"bash-5.1.8-6.el9_1.x86_64\n", "Atlantis:1", E_UNSUPPORTED},
        {"bash-5.1.8-6.el9_1.sparrow\n", "AlmaLinux:9", E_UNSUPPORTED},
        {"a\tb\tc\td\te\tf\n", "AlmaLinux:9", E_UNSUPPORTED},
        {"P:a\nV:1-r0\n", "AlmaLinux:9", E_UNSUPPORTED},
        {"P:a\nnothing\nV:1-r0\n", "", E_UNSUPPORTED},
        {"Package: a\nVersion: 1\n", "Alpine:v3.19", E_UNSUPPORTED},
        {"bash-5.1.8-6.el9_1.x86_64\n\xff\n", "AlmaLinux:9", E_UTF8},
        {"P:a\nV:1-r0\nT:\xff", "", E_UTF8},
        {"a,b\n\xff,1\n", ";name=a", E_UTF8},
        {"vendor,product\n", ";vendor=vendor,colour=product", E_USAGE},
        {"vendor,product\n", ";vendor", E_USAGE},
        {"vendor,product\n", ";vendor=vendor,vendor=product", E_DUPLICATE},
        {"vendor,product\n", ";vendor=Hersteller", E_NOTFOUND},
        {"vendor,version\n", ";vendor=vendor", E_MISSING},
        {"vendor,product\n", ";\"vendor=vendor", E_SYNTAX},
        {"", ";vendor=vendor", E_SYNTAX},
        {"name\n", "", E_UNSUPPORTED},
        {"colour,weight\nred,1\n", "", E_UNSUPPORTED},
    };
    struct inventory inventory;
    struct fault fault;
    test("refused lists");
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        fault = (struct fault){0};
        int rc = inventory_read(&inventory, span_str(bads[i].text), span_str(bads[i].about), arena, &fault);
        if (rc != bads[i].want || fault.code != rc || !fault.detail[0])
            printf("# %zu: %d %s\n", i, rc, fault.detail);
        CHECK(rc == bads[i].want && fault.code == rc && fault.detail[0]);
    }
    test("an empty table, and separators");
    CHECK_INT(inventory_read(&inventory, span_str("purl\tname\n"), span_of(NULL, 0), arena, NULL), 0);
    CHECK_INT(inventory.count, 0);
    CHECK_INT(inventory_read(&inventory, span_str("a,b;version;x\n1,5;2;y"), span_str(";name=x"), arena, NULL), 0);
    CHECK(inventory.count == 1 && span_is(inventory.components[0].name, "y") &&
          span_is(inventory.components[0].version, "2"));
    CHECK_INT(inventory_read(&inventory, span_str("\"a,b\",version\nz,2\n"), span_str(";\"name=a,b\""), arena, NULL),
              0);
    CHECK(inventory.count == 1 && span_is(inventory.components[0].name, "z"));
}

static void too_many(const char *head, const char *row, const char *about)
{
    struct arena arena;
    struct inventory inventory;
    size_t n = strlen(row), len = strlen(head);
    char *text = malloc(len + (COMPONENTS_MAX + 1) * n);
    arena_init(&arena, (size_t)1 << 30);
    test("more rows than the limit");
    for (size_t i = 0; text && i < COMPONENTS_MAX + 1; i++)
        memcpy(text + len + i * n, row, n);
    if (text) {
        memcpy(text, head, len);
        len += (COMPONENTS_MAX + 1) * n;
        CHECK_INT(inventory_read(&inventory, span_of(text, len), span_str(about), &arena, NULL), E_LIMIT);
        CHECK_INT(inventory_read(&inventory, span_of(text, len - n), span_str(about), &arena, NULL), 0);
        CHECK_INT(inventory.count, 1);
        CHECK_INT(inventory.twin_count, COMPONENTS_MAX - 1);
    }
    arena_free(&arena);
    free(text);
}

/* Every cap on memory gives an error or the whole result, never a part of it. */
static void scarce(void)
{
    test("scarce memory");
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
        for (size_t max = 0; max < 60000; max += 397) {
            struct arena arena;
            struct inventory inventory;
            arena_init(&arena, max);
            int rc = inventory_read(&inventory, span_str(reads[i].text), span_str(reads[i].about), &arena, NULL);
            bool whole = rc == 0 && inventory.count == reads[i].count;
            for (size_t k = 0; whole && k < reads[i].count; k++)
                whole = inventory.components[k].name.len || inventory.components[k].problem;
            CHECK(rc != 0 || whole);
            arena_free(&arena);
        }
}

int main(void)
{
    struct arena arena;
    arena_init(&arena, 64 << 20);
    all_formats(&arena);
    words(&arena);
    refused(&arena);
    too_many("", "bash-5.1.8-6.el9_1.x86_64\n", "AlmaLinux:9");
    too_many("", "P:a\nV:1-r0\n\n", "");
    too_many("ecosystem,name,version\n", "npm,\"a\n\",1\n", "");
    scarce();
    arena_free(&arena);
    return test_end();
}
