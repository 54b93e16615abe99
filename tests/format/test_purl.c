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
    {"pkg:golang/example.org/A/b@v1.2.3#sub/./pkg/", "golang", "example.org/a", "b", "v1.2.3", "sub/pkg", "Go",
     "example.org/a/b"},
    {"pkg:npm/%40scope/Left@1.0.0", "npm", "@scope", "Left", "1.0.0", "", "npm", "@scope/Left"},
    {"pkg:npm/@scope/left@1.0.0", "npm", "@scope", "left", "1.0.0", "", "npm", "@scope/left"},
    {"pkg:npm/@scope/left", "npm", "@scope", "left", "", "", "npm", "@scope/left"},
    {"pkg:npm/left", "npm", "", "left", "", "", "npm", "left"},
    {"pkg:cargo/serde@1.0.1", "cargo", "", "serde", "1.0.1", "", "crates.io", "serde"},
    {"pkg:maven/org.example/core@1?type=jar", "maven", "org.example", "core", "1", "", "Maven", "org.example:core"},
    {"pkg:pypi/Django_X@1", "pypi", "", "django-x", "1", "", "PyPI", "django-x"},
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
    "pkg:.npm/a",
    "pkg:-npm/a",
    "pkg:n+m/a",
    "pkg:n%70m/a",
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

/* The type's rule decides, and then there is one spelling. */
static const struct {
    const char *text, *canonical; /* NULL: refused with `code` */
    int code;
} forms[] = {
    {"pkg:alpm/Arch/Pacman@6.0.1-1?arch=x86_64", "pkg:alpm/arch/pacman@6.0.1-1?arch=x86_64", 0},
    {"pkg:alpm/pacman", NULL, E_MISSING},
    {"pkg:apk/Alpine/Curl@7.83.0-r0?arch=x86", "pkg:apk/alpine/curl@7.83.0-r0?arch=x86", 0},
    {"pkg:apk/curl", NULL, E_MISSING},
    {"pkg:bazel/rules_java@7.8.0", "pkg:bazel/rules_java@7.8.0", 0},
    {"pkg:bazel/a/b", NULL, E_SYNTAX},
    {"pkg:bitbucket/Birkenfeld/Pygments-Main@244fd47e", "pkg:bitbucket/birkenfeld/pygments-main@244fd47e", 0},
    {"pkg:bitbucket/a", NULL, E_MISSING},
    {"pkg:bitnami/WordPress@6.2.0?distro=debian-12", "pkg:bitnami/wordpress@6.2.0?distro=debian-12", 0},
    {"pkg:bitnami/a/b", NULL, E_SYNTAX},
    {"pkg:brew/Homebrew/Core/PostgreSQL@12@12.1", "pkg:brew/homebrew/core/postgresql%4012@12.1", 0},
    {"pkg:cargo/Rand@0.7.2", "pkg:cargo/Rand@0.7.2", 0},
    {"pkg:cargo/a/b", NULL, E_SYNTAX},
    {"pkg:chrome-extension/ABCDEFGHIJKLMNOPabcdefghijklmnop@1.2.3.4",
     "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.2.3.4", 0},
    {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop", "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop",
     0},
    {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnoq", NULL, E_SYNTAX},
    {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmno", NULL, E_SYNTAX},
    {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.2.3.4.5", NULL, E_SYNTAX},
    {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1.", NULL, E_SYNTAX},
    {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1..2", NULL, E_SYNTAX},
    {"pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop@1a", NULL, E_SYNTAX},
    {"pkg:cocoapods/ShareKit@2.0#Twitter", "pkg:cocoapods/ShareKit@2.0#Twitter", 0},
    {"pkg:cocoapods/.a", NULL, E_SYNTAX},
    {"pkg:cocoapods/a+b", NULL, E_SYNTAX},
    {"pkg:cocoapods/a%20b", NULL, E_SYNTAX},
    {"pkg:composer/Laravel/Laravel@5.5.0", "pkg:composer/laravel/laravel@5.5.0", 0},
    {"pkg:composer/laravel", NULL, E_MISSING},
    {"pkg:conan/bincrafters/Boost@1.78.0?rrev=1&channel=stable&user=bincrafters",
     "pkg:conan/bincrafters/Boost@1.78.0?channel=stable&rrev=1&user=bincrafters", 0},
    {"pkg:conda/absl-py@0.4.1?build=py36h06a4308_0&channel=main&subdir=linux-64&type=tar.bz2",
     "pkg:conda/absl-py@0.4.1?build=py36h06a4308_0&channel=main&subdir=linux-64&type=tar.bz2", 0},
    {"pkg:conda/a/b", NULL, E_SYNTAX},
    {"pkg:cpan/drolsky/DateTime@1.55", "pkg:cpan/DROLSKY/DateTime@1.55", 0},
    {"pkg:cpan/DateTime@1.55", "pkg:cpan/DateTime@1.55", 0},
    {"pkg:cpan/Perl::Version", NULL, E_SYNTAX},
    {"pkg:cran/A3@1.0.0", "pkg:cran/A3@1.0.0", 0},
    {"pkg:cran/a/b", NULL, E_SYNTAX},
    {"pkg:deb/Debian/Curl@7.50.3-1?distro=jessie&arch=i386", "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie", 0},
    {"pkg:deb/curl", NULL, E_MISSING},
    {"pkg:docker/cassandra@sha256:244fd47e07d1004f0aed9c", "pkg:docker/cassandra@sha256:244fd47e07d1004f0aed9c", 0},
    {"pkg:docker/customer/image@1?repository_url=gcr.io/a", "pkg:docker/customer/image@1?repository_url=gcr.io%2Fa", 0},
    {"pkg:gem/jruby-launcher@1.1.2?Platform=java", "pkg:gem/jruby-launcher@1.1.2?platform=java", 0},
    {"pkg:gem/a/b", NULL, E_SYNTAX},
    {"pkg:generic/openssl@1.1.10g?download_url=https://openssl.org/source/openssl-1.1.0g.tar.gz&checksum=sha256:de4d",
     "pkg:generic/openssl@1.1.10g?checksum=sha256:de4d&download_url=https:%2F%2Fopenssl.org%2Fsource%2Fopenssl-1.1.0g"
     ".tar.gz",
     0},
    {"pkg:git/git.example/Group/Repo@1", "pkg:git/git.example/Group/Repo@1", 0},
    {"pkg:git/repo", NULL, E_MISSING},
    {"pkg:github/Package-URL/purl-Spec@244fd47e", "pkg:github/package-url/purl-spec@244fd47e", 0},
    {"pkg:github/a", NULL, E_MISSING},
    {"pkg:GOLANG/google.golang.org/genproto@abcdedf#/googleapis/api/annotations/",
     "pkg:golang/google.golang.org/genproto@abcdedf#googleapis/api/annotations", 0},
    {"pkg:golang/context", NULL, E_MISSING},
    {"pkg:hackage/a_b@1", "pkg:hackage/a-b@1", 0},
    {"pkg:hackage/a/b", NULL, E_SYNTAX},
    {"pkg:hex/Acme/Foo@2.3.", "pkg:hex/acme/foo@2.3.", 0},
    {"pkg:huggingface/Microsoft/deberta-V3@559062AD", "pkg:huggingface/Microsoft/deberta-V3@559062ad", 0},
    {"pkg:huggingface/distilbert", NULL, E_MISSING},
    {"pkg:julia/Dates?uuid=ade2ca70-3891-5945-98fb-dc099432e06a",
     "pkg:julia/Dates?uuid=ade2ca70-3891-5945-98fb-dc099432e06a", 0},
    {"pkg:julia/Dates", NULL, E_MISSING},
    {"pkg:luarocks/Hisham/LuaFileSystem@1.8.0-1", "pkg:luarocks/hisham/luafilesystem@1.8.0-1", 0},
    {"pkg:maven/org.apache.XMLgraphics/batik-anim@1.9.1?packaging=sources",
     "pkg:maven/org.apache.XMLgraphics/batik-anim@1.9.1?packaging=sources", 0},
    {"pkg:maven/batik-anim", NULL, E_MISSING},
    {"pkg:mlflow/CreditFraud@3?repository_url=https://adb-524.0.azuredatabricks.net/api",
     "pkg:mlflow/creditfraud@3?repository_url=https:%2F%2Fadb-524.0.azuredatabricks.net%2Fapi", 0},
    {"pkg:mlflow/CreditFraud@3?repository_url=https://westus2.api.azureml.ms/mlflow",
     "pkg:mlflow/CreditFraud@3?repository_url=https:%2F%2Fwestus2.api.azureml.ms%2Fmlflow", 0},
    {"pkg:npm/@angular/Animation@12.3.1", "pkg:npm/%40angular/Animation@12.3.1", 0},
    {"pkg:nuget/EnterpriseLibrary.Common@6.0.1304", "pkg:nuget/EnterpriseLibrary.Common@6.0.1304", 0},
    {"pkg:nuget/a/b", NULL, E_SYNTAX},
    {"pkg:oci/Debian@sha256%3A244fd47e?tag=latest&repository_url=docker.io/library/debian&arch=amd64",
     "pkg:oci/debian@sha256:244fd47e?arch=amd64&repository_url=docker.io%2Flibrary%2Fdebian&tag=latest", 0},
    {"pkg:oci/library/debian", NULL, E_SYNTAX},
    {"pkg:opam/0install@2.18", "pkg:opam/0install@2.18", 0},
    {"pkg:opam/a/b", NULL, E_SYNTAX},
    {"pkg:otp/Cowboy@2.12", "pkg:otp/cowboy@2.12", 0},
    {"pkg:otp/a/b", NULL, E_SYNTAX},
    {"pkg:pub/Flutter-Local.Notifications@1", "pkg:pub/flutter_local_notifications@1", 0},
    {"pkg:pub/a/b", NULL, E_SYNTAX},
    {"pkg:pypi/Django_package@1.11.1.dev1", "pkg:pypi/django-package@1.11.1.dev1", 0},
    {"pkg:pypi/a/b", NULL, E_SYNTAX},
    {"pkg:qpkg/BlackBerry/com.qnx.sdp@7.0.0.SGA201702151847", "pkg:qpkg/blackberry/com.qnx.sdp@7.0.0.SGA201702151847",
     0},
    {"pkg:qpkg/a", NULL, E_MISSING},
    {"pkg:Rpm/Fedora/Curl@7.50.3-1.fc25?Arch=i386&Distro=fedora-25",
     "pkg:rpm/fedora/Curl@7.50.3-1.fc25?arch=i386&distro=fedora-25", 0},
    {"pkg:rpm/curl", NULL, E_MISSING},
    {"pkg:swid/Acme/example.com/Enterprise+Server@1.0.0?tag_id=75b8c285-fa7b",
     "pkg:swid/Acme/example.com/Enterprise%2BServer@1.0.0?tag_id=75b8c285-fa7b", 0},
    {"pkg:swid/a@1", NULL, E_MISSING},
    {"pkg:swid/a@1?tag_id=", NULL, E_MISSING},
    {"pkg:swid/a/b/c/d@1?tag_id=1", NULL, E_SYNTAX},
    {"pkg:swift/github.com/Alamofire/Alamofire@5.4.3", "pkg:swift/github.com/Alamofire/Alamofire@5.4.3", 0},
    {"pkg:swift/Alamofire", NULL, E_MISSING},
    {"pkg:vcpkg/zlib@1.3", "pkg:vcpkg/zlib@1.3", 0},
    {"pkg:vcpkg/a/b", NULL, E_SYNTAX},
    {"pkg:vscode-extension/golang/go@0.39.1?platform=win32-x64",
     "pkg:vscode-extension/golang/go@0.39.1?platform=win32-x64", 0},
    {"pkg:vscode-extension/go", NULL, E_MISSING},
    {"pkg:yocto/core/Glibc@2.35", "pkg:yocto/core/Glibc@2.35", 0},
    {"pkg:unheard-of/A/B@1?z=1&a=2", "pkg:unheard-of/A/B@1?a=2&z=1", 0},
    /* encoding */
    {"pkg:generic/a%2fb@c%20d%2Be?x=%26%3D#%23/%3f", "pkg:generic/a%2Fb@c%20d%2Be?x=%26%3D#%23/%3F", 0},
    {"pkg:generic/%7Ea%2D%2Eb_c%3Ad", "pkg:generic/~a-.b_c:d", 0},
    {"pkg:generic/\xc3\xa9", "pkg:generic/%C3%A9", 0},
    {"pkg:///generic//a///b/@1?c=&d=1#..//./e", "pkg:generic/a/b@1?d=1#e", 0},
    {"pkg:generic/a?b=1&B=2", NULL, E_DUPLICATE},
    {"pkg:generic/a?b=1&b=", "pkg:generic/a?b=1", 0},
};

static void canonical(struct arena *arena)
{
    test("every registered type by its definition, and one canonical form, which is its own");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct purl p;
        struct fault fault = {0};
        struct buf once, again;
        buf_init(&once, 8192);
        buf_init(&again, 8192);
        CHECK_INT(purl_parse(&p, span_str(forms[i].text), arena, NULL), 0);
        int rc = purl_check(&p, arena, &fault);
        if (rc != forms[i].code)
            printf("# %s: %d %s\n", forms[i].text, rc, fault.detail);
        CHECK_INT(rc, forms[i].code);
        CHECK(rc == 0 || fault.detail[0]);
        if (forms[i].canonical) {
            CHECK_INT(purl_write(&once, &p, arena), 0);
            check_text("canonical form", forms[i].text, buf_view(&once), forms[i].canonical);
            CHECK_INT(purl_parse(&p, buf_view(&once), arena, NULL), 0);
            CHECK_INT(purl_write(&again, &p, arena), 0);
            CHECK(span_eq(buf_view(&once), buf_view(&again)));
            CHECK(purl_registered(&p) == !span_is(p.type, "unheard-of"));
        }
        buf_free(&once);
        buf_free(&again);
    }
}

int main(void)
{
    struct arena arena;
    struct purl p;
    arena_init(&arena, 1 << 20);
    accepted(&arena);
    refused(&arena);
    canonical(&arena);
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
