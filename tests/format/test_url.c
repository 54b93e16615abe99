#include "format/url.h"

#include "base/limits.h"
#include "tests/test.h"

static const struct {
    const char *text, *host, *path; /* host NULL: refused */
    unsigned port;
} urls[] = {
    {"https://psirt.vendor.example/csaf/provider-metadata.json", "psirt.vendor.example", "/csaf/provider-metadata.json",
     443},
    {"http://127.0.0.1:8080", "127.0.0.1", "", 8080},
    {"https://[2001:db8::1]:444/a?b=../c", "[2001:db8::1]", "/a?b=../c", 444},
    {"https://vendor.example/a%20b/..c/.d/e..", "vendor.example", "/a%20b/..c/.d/e..", 443},
    {"https://VENDOR.example/", "VENDOR.example", "/", 443},
    {"ftp://vendor.example/", NULL, NULL, 0},
    {"HTTPS://vendor.example/", NULL, NULL, 0},
    {"https://", NULL, NULL, 0},
    {"https:///a", NULL, NULL, 0},
    {"https://user@vendor.example/", NULL, NULL, 0},
    {"https://user:secret@vendor.example/", NULL, NULL, 0},
    {"https://vendor.example:secret@other.example/", NULL, NULL, 0},
    {"https://vendor.example\\@other.example/", NULL, NULL, 0},
    {"https://vendor.example:0/", NULL, NULL, 0},
    {"https://vendor.example:65536/", NULL, NULL, 0},
    {"https://vendor.example:/", NULL, NULL, 0},
    {"https://vendor.example:080/", NULL, NULL, 0},
    {"https://vendor.example?a", NULL, NULL, 0},
    {"https://vendor.example/a#b", NULL, NULL, 0},
    {"https://vendor.example/a b", NULL, NULL, 0},
    {"https://vendor.example/a\nHost: b", NULL, NULL, 0},
    {"https://vendor.example/\xc3\xa9", NULL, NULL, 0},
    {"https://vendor.example/a/../b", NULL, NULL, 0},
    {"https://vendor.example/a/%2E%2e/b", NULL, NULL, 0},
    {"https://vendor.example/a/.%2e", NULL, NULL, 0},
    {"https://vendor.example/a/%2e.", NULL, NULL, 0},
    {"https://vendor.example/./b", NULL, NULL, 0},
    {"https://vendor.example/..?a", NULL, NULL, 0},
    {"https://.vendor.example/", NULL, NULL, 0},
    {"https://-vendor.example/", NULL, NULL, 0},
    {"https://vend%6fr.example/", NULL, NULL, 0},
    {"https://[2001:db8::1/", NULL, NULL, 0},
    {"https://[]/", NULL, NULL, 0},
    {"https://[fe80::1%25eth0]/", NULL, NULL, 0},
};

static void test_parse(void)
{
    test("URLs: what is accepted and refused");
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct url url;
        struct fault fault = {0};
        int rc = url_parse(&url, span_str(urls[i].text), &fault);
        bool good = urls[i].host ? rc == 0 && span_is(url.host, urls[i].host) && span_is(url.path, urls[i].path) &&
                                       url.port == urls[i].port && url.tls == (urls[i].text[4] == 's')
                                 : rc == E_SYNTAX && fault.code == E_SYNTAX;
        CHECK(good);
        if (!good)
            printf("# %s: %d %s\n", urls[i].text, rc, fault.detail);
    }
    char text[FOLLOWED_URL_MAX + 2];
    struct url url;
    memset(text, 'a', sizeof text);
    memcpy(text, "https://a/", 10);
    CHECK_INT(url_parse(&url, span_of(text, FOLLOWED_URL_MAX), NULL), 0);
    CHECK_INT(url_parse(&url, span_of(text, FOLLOWED_URL_MAX + 1), NULL), E_LIMIT);
}

static const struct {
    const char *base, *reference, *joined; /* NULL: refused */
} joins[] = {
    {"https://a.example/x/changes.csv", "2024/b.json", "https://a.example/x/2024/b.json"},
    {"https://a.example/x/", "b.json", "https://a.example/x/b.json"},
    {"https://a.example/x/?y=/z/", "b.json", "https://a.example/x/b.json"},
    {"https://a.example", "b.json", "https://a.example/b.json"},
    {"https://a.example?", "b.json", NULL},
    {"https://a.example/x/y", "/b.json", "https://a.example/b.json"},
    {"https://a.example", "/b.json", "https://a.example/b.json"},
    {"https://a.example/x", "http://b.example:81/c", "http://b.example:81/c"},
    {"https://a.example/x", "//b.example/c", NULL},
    {"https://a.example/x", "../c", NULL},
    {"https://a.example/x", "", NULL},
    {"https://a.example/x", "c d", NULL},
    {"https://a.example/x", "file:c", "https://a.example/file:c"}, /* a path, and nothing else */
};

static void test_join(void)
{
    test("URLs: references beside a base");
    for (size_t i = 0; i < sizeof joins / sizeof joins[0]; i++) {
        struct buf out;
        buf_init(&out, 4096);
        int rc = url_join(&out, span_str(joins[i].base), span_str(joins[i].reference), NULL);
        bool good = joins[i].joined ? rc == 0 && span_is(buf_view(&out), joins[i].joined) : rc != 0;
        CHECK(good);
        if (!good)
            printf("# %s + %s: %d %.*s\n", joins[i].base, joins[i].reference, rc, (int)out.len, (const char *)out.data);
        buf_free(&out);
    }
}

static bool same(const char *a, const char *b)
{
    struct url left, right;
    return url_parse(&left, span_str(a), NULL) == 0 && url_parse(&right, span_str(b), NULL) == 0 &&
           url_same_host(&left, &right);
}

static void test_hosts(void)
{
    static const char *const inside[] = {
        "localhost",          "LOCALHOST",         "127.0.0.1",      "127.255.0.9",
        "10.1.2.3",           "172.16.0.1",        "172.31.255.255", "192.168.1.1",
        "169.254.169.254",    "100.64.0.1",        "0.0.0.0",        "224.0.0.1",
        "255.255.255.255",    "198.18.0.1",        "[::1]",          "[::]",
        "[fe80::1]",          "[fec0::1]",         "[fd00::1]",      "[ff02::1]",
        "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]",  "[64:ff9b::a00:1]",
        "[2002:a00:1::]",     "[2001:db8::1]",     "[2001::1]"};
    static const char *const outside[] = {"vendor.example",   "8.8.8.8",           "172.32.0.1",    "172.15.0.1",
                                          "100.128.0.1",      "11.0.0.1",          "192.169.0.1",   "[2a00:1450::1]",
                                          "[::ffff:8.8.8.8]", "localhost.example", "[2606:4700::1]"};
    test("hosts: which are of this machine or a private network");
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        CHECK(url_host_is_private(span_str(inside[i])));
        if (!url_host_is_private(span_str(inside[i])))
            printf("# %s\n", inside[i]);
    }
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        CHECK(!url_host_is_private(span_str(outside[i])));
        if (url_host_is_private(span_str(outside[i])))
            printf("# %s\n", outside[i]);
    }
    CHECK(address_is_private(span_str("abc"))); /* of no length that is known */
    CHECK(same("https://a.example/x", "https://A.example:443/y"));
    CHECK(!same("https://a.example/x", "http://a.example:443/x"));
    CHECK(!same("https://a.example/x", "https://a.example:444/x"));
    CHECK(!same("https://a.example/x", "https://b.example/x"));
    CHECK(!same("https://a.example/x", "https://a.example.b/x"));
}

int main(void)
{
    test_parse();
    test_join();
    test_hosts();
    return test_end();
}
