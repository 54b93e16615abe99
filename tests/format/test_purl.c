#include "format/purl.h"
#include "tests/test.h"

struct good {
    const char *text, *type, *namespace, *name, *version, *subpath, *ecosystem, *full_name;
};

static const struct good goods[] = {
    {"pkg:deb/debian/xz-utils@5.6.0-0.2?arch=amd64&distro=debian-12", "deb", "debian", "xz-utils", "5.6.0-0.2", "",
     "Debian:12", "xz-utils"},
    {"pkg:deb/debian/Curl@7.50.3-1?distro=bookworm", "deb", "debian", "curl", "7.50.3-1", "", "Debian:12", "curl"},
    {"pkg:deb/debian/curl@7.50.3-1?distro=debian-12.5", "deb", "debian", "curl", "7.50.3-1", "", "Debian:12", "curl"},
    {"pkg:deb/debian/curl@7.50.3-1?distro=sid", "deb", "debian", "curl", "7.50.3-1", "", "Debian", "curl"},
    {"pkg:deb/debian/curl?distro=debian-1234", "deb", "debian", "curl", "", "", "Debian", "curl"},
    {"pkg:deb/ubuntu/curl@1?distro=ubuntu-22.04", "deb", "ubuntu", "curl", "1", "", "Ubuntu:22.04", "curl"},
    {"pkg:deb/debian/dpkg@1%3A1.2", "deb", "debian", "dpkg", "1:1.2", "", "Debian", "dpkg"},
    {"pkg:deb/debian/libstdc%2B%2B6@14.2.0", "deb", "debian", "libstdc++6", "14.2.0", "", "Debian", "libstdc++6"},
    {"pkg:deb/debian/libstdc++6@14.2.0", "deb", "debian", "libstdc++6", "14.2.0", "", "Debian", "libstdc++6"},
    {"pkg:deb/kali/tool@1", "deb", "kali", "tool", "1", "", "deb", "kali/tool"},
    {"pkg:golang/example.org/A/b@v1.2.3#sub/./pkg/", "golang", "example.org/A", "b", "v1.2.3", "sub/pkg", "Go",
     "example.org/A/b"},
    {"pkg:npm/%40scope/Left@1.0.0", "npm", "@scope", "left", "1.0.0", "", "npm", "@scope/left"},
    {"pkg:npm/@scope/left@1.0.0", "npm", "@scope", "left", "1.0.0", "", "npm", "@scope/left"},
    {"pkg:npm/@scope/left", "npm", "@scope", "left", "", "", "npm", "@scope/left"},
    {"pkg:npm/left", "npm", "", "left", "", "", "npm", "left"},
    {"pkg:cargo/serde@1.0.1", "cargo", "", "serde", "1.0.1", "", "crates.io", "serde"},
    {"pkg:maven/org.example/core@1?type=jar", "maven", "org.example", "core", "1", "", "Maven", "org.example:core"},
    {"pkg:pypi/Django_X@1", "pypi", "", "django_x", "1", "", "PyPI", "django_x"},
    {"pkg:rpm/almalinux/Xorg@1", "rpm", "almalinux", "Xorg", "1", "", "AlmaLinux", "Xorg"},
    {"PKG:NPM/left@1", "npm", "", "left", "1", "", "npm", "left"},
    {"pkg://npm//left/@1", "npm", "", "left", "1", "", "npm", "left"},
    {"pkg:generic/a//b/c@1", "generic", "a/b", "c", "1", "", "generic", "a/b/c"},
    {"pkg:generic/c@a%40b", "generic", "", "c", "a@b", "", "generic", "c"},
    {"pkg:generic/c@", "generic", "", "c", "", "", "generic", "c"},
    {"pkg:generic/%C3%A9@1", "generic", "", "\xc3\xa9", "1", "", "generic", "\xc3\xa9"},
};

static const char *const bads[] = {
    "",
    "pkg",
    "pkg:",
    "pkg:npm",
    "pkg:npm/",
    "pkg:npm/@1",
    "npm/left@1",
    "http://example.org/a",
    "pkg:1npm/a",
    "pkg:n_m/a",
    "pkg:/a",
    "pkg:npm/a%",
    "pkg:npm/a%4",
    "pkg:npm/a%4g",
    "pkg:npm/a%00",
    "pkg:npm/a@%0a1",
    "pkg:npm/%ff",
    "pkg:npm/\xff",
    "pkg:npm/a%2Fb/c@1",
    "pkg:npm/a@1?=x",
    "pkg:npm/a@1?a",
    "pkg:npm/a@1?a=%zz",
    "pkg:npm/a@1?a b=c",
    "pkg:npm/a@1#b%2Fc",
};

static void check_text(const char *what, const char *purl, struct span got, const char *want)
{
    if (!span_is(got, want))
        printf("# %s of %s is \"%.*s\", want \"%s\"\n", what, purl, (int)got.len, got.len ? (const char *)got.data : "",
               want);
    CHECK(span_is(got, want));
}

static void accepted(struct arena *arena)
{
    test("accepted, with their parts and ecosystems");
    for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
        const struct good *g = &goods[i];
        struct purl p;
        struct span ecosystem, name;
        CHECK_INT(purl_parse(&p, span_str(g->text), arena, NULL), 0);
        check_text("type", g->text, p.type, g->type);
        check_text("namespace", g->text, p.namespace, g->namespace);
        check_text("name", g->text, p.name, g->name);
        check_text("version", g->text, p.version, g->version);
        check_text("subpath", g->text, p.subpath, g->subpath);
        purl_ecosystem(&p, &ecosystem, &name, arena);
        check_text("ecosystem", g->text, ecosystem, g->ecosystem);
        check_text("full name", g->text, name, g->full_name);
    }
}

static void refused(struct arena *arena)
{
    static char longest[5000] = "pkg:npm/";
    struct purl p;
    struct fault fault;
    test("refused, with a reason");
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        memset(&fault, 0, sizeof fault);
        int rc = purl_parse(&p, span_str(bads[i]), arena, &fault);
        if (rc != E_SYNTAX)
            printf("# \"%s\" gives %d\n", bads[i], rc);
        CHECK_INT(rc, E_SYNTAX);
        CHECK(fault.detail[0] != 0);
    }
    memset(longest + 8, 'a', sizeof longest - 9);
    CHECK_INT(purl_parse(&p, span_str(longest), arena, &fault), E_LIMIT);
}

int main(void)
{
    struct arena arena;
    struct purl p;
    arena_init(&arena, 1 << 20);
    accepted(&arena);
    refused(&arena);
    test("qualifiers");
    CHECK_INT(purl_parse(&p, span_str("pkg:deb/debian/a@1?Arch=amd64&upstream=b%2Bb%401%3A2&&empty="), &arena, NULL),
              0);
    CHECK(span_is(purl_qualifier(&p, "arch", &arena), "amd64"));
    CHECK(span_is(purl_qualifier(&p, "upstream", &arena), "b+b@1:2"));
    CHECK_INT(purl_qualifier(&p, "empty", &arena).len, 0);
    CHECK_INT(purl_qualifier(&p, "up", &arena).len, 0);
    test("an exhausted arena is an error, not an empty name");
    struct arena small;
    arena_init(&small, 64);
    CHECK(purl_parse(&p, span_str("pkg:npm/%40aaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
                     &small, NULL) != 0);
    arena_free(&small);
    arena_free(&arena);
    return test_end();
}
