/* Tables, the laws of an order on random versions, dpkg as an oracle, and published lists of ordered pairs. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "format/version.h"
#include "tests/test.h"

struct pair {
    const char *a, *b;
    int want; /* sign of the comparison */
};
enum { REFUSED = 9 };

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static int compare(enum order order, const char *a, const char *b)
{
    int result = 0;
    return version_compare(order, span_str(a), span_str(b), &result) ? sign(result) : REFUSED;
}

static void check_pair(enum order order, const char *a, const char *b, int want)
{
    int got = compare(order, a, b), back = compare(order, b, a);
    if (got != want || back != (want == REFUSED ? REFUSED : -want))
        printf("# \"%s\" against \"%s\": %d and back %d, want %d\n", a, b, got, back, want);
    CHECK(got == want && back == (want == REFUSED ? REFUSED : -want));
}

static const struct pair debian[] = {
    {"1.0", "1.0", 0},
    {"1.0", "1.0-0", 0},
    {"0:1.0", "1.0", 0},
    {"00:1.0", "1.0", 0},
    {"1.0", "1.00", 0},
    {"1.0a", "1.00a", 0},
    {"1.2", "1.10", -1},
    {"1:0.1", "9.9", 1},
    {"1.0~rc1", "1.0", -1},
    {"1.0~~", "1.0~~a", -1},
    {"1.0~~a", "1.0~", -1},
    {"1.0~", "1.0", -1},
    {"1.0", "1.0a", -1},
    {"1.0a", "1.0+", -1},
    {"1.0Z", "1.0a", -1},
    {"1.0-1", "1.0-1+b1", -1},
    {"1.0-1~bpo1", "1.0-1", -1},
    {"1.0-1", "1.0-1.1", -1},
    {"1-2-3", "1-2.1-1", -1},
    {"5.6.0-0.2", "5.6.1+really5.4.5-1", -1},
    {"2:1:3", "2:1-3", 1},
    {"0.99999999999999999999999999991", "0.99999999999999999999999999992", -1},
    {"2147483647:1", "1:1", 1},
    {"", "1", REFUSED},
    {"1.0-", "1", REFUSED},
    {":1", "1", REFUSED},
    {"a:1", "1", REFUSED},
    {"-1:1", "1", REFUSED},
    {"2147483648:1", "1", REFUSED},
    {"1:", "1", REFUSED},
    {"-1", "1", REFUSED},
    {"v1.0", "1", REFUSED},
    {"1.0-1:1", "1", REFUSED},
    {"1.0_1", "1", REFUSED},
    {"1 0", "1", REFUSED},
    {"1.0\xc3\xa9", "1", REFUSED},
    {"unknown", "1", REFUSED},
};

static const struct pair semver[] = {
    {"1.0.0-alpha", "1.0.0-alpha.1", -1},
    {"1.0.0-alpha.1", "1.0.0-alpha.beta", -1},
    {"1.0.0-alpha.beta", "1.0.0-beta", -1},
    {"1.0.0-beta", "1.0.0-beta.2", -1},
    {"1.0.0-beta.2", "1.0.0-beta.11", -1},
    {"1.0.0-beta.11", "1.0.0-rc.1", -1},
    {"1.0.0-rc.1", "1.0.0", -1},
    {"1.9.0", "1.10.0", -1},
    {"v1.2.3", "1.2.3", 0},
    {"1", "1.0.0", 0},
    {"1.2", "1.2.0", 0},
    {"1.2-rc.1", "1.2.0", -1},
    {"1.0.0+a", "1.0.0+b", 0},
    {"1.0.0+001", "1.0.0", 0},
    {"1.0.0+a-b", "1.0.0", 0},
    {"1.0.0--", "1.0.0", -1},
    {"1.0.0-0", "1.0.0-00a", -1},
    {"1.0.0-A", "1.0.0-a", -1},
    {"0.0.0-20190101000000-abcdefabcdef", "0.0.0-20200101000000-000000000000", -1},
    {"1.0.0-99999999999999999999998", "1.0.0-99999999999999999999999", -1},
    {"99999999999999999999998.0.0", "99999999999999999999999.0.0", -1},
    {"", "1", REFUSED},
    {"v", "1", REFUSED},
    {"vv1", "1", REFUSED},
    {"1.", "1", REFUSED},
    {".1", "1", REFUSED},
    {"1.2.3.4", "1", REFUSED},
    {"1..2", "1", REFUSED},
    {"01.2.3", "1", REFUSED},
    {"1.2.3-", "1", REFUSED},
    {"1.2.3+", "1", REFUSED},
    {"1.2.3-a..b", "1", REFUSED},
    {"1.2.3-a.", "1", REFUSED},
    {"1.2.3-01", "1", REFUSED},
    {"1.2.3-a_b", "1", REFUSED},
    {"1.2.3+a+b", "1", REFUSED},
    {"-1.2.3", "1", REFUSED},
    {"1.2.x", "1", REFUSED},
    {"1.2.3 ", "1", REFUSED},
    {"latest", "1", REFUSED},
};

static const struct pair rpm[] = {
    {"1.0", "1.0-1", -1},      {"1.0-1", "1.0-2", -1}, {"0:1.0-1", "1.0-1", 0},
    {"1:1.0", "2.0", 1},       {"1.0~rc1", "1.0", -1}, {"1.0^git1", "1.0", 1},
    {"1.0^git1", "1.0.1", -1}, {"1.0a", "1.0.1", -1},  {"1.05", "1.5", 0},
    {"1_0", "1.0", 0},         {"el9_3", "el9.3", 0},  {"1.0~~", "1.0~", -1},
    {"", "1", REFUSED},        {"1:", "1", REFUSED},   {"4.18.0-513.5.1.el8_9", "4.18.0-513.el8", 1},
};
static const struct pair alpine[] = {
    {"1.2.3", "1.2.3-r0", 0},
    {"1.2.3-r1", "1.2.3-r10", -1},
    {"1.2_rc1", "1.2", -1},
    {"1.2_p1", "1.2", 1},
    {"1.2_alpha", "1.2_beta", -1},
    {"1.2a", "1.2b", -1},
    {"1.2", "1.2a", -1},
    {"1.02", "1.1", -1},
    {"1.2.0~ab12-r1", "1.2.0-r1", 0},
    {"1.2", "1.2.0", -1},
    {"1.2 x", "1.2", -1},
    {"abc", "1", REFUSED},
    {"", "1", REFUSED},
    {"3.0.12-r4", "3.0.12-r5", -1},
    {"1.2_rc1_p1", "1.2_rc1", 1},
};
static const struct pair pypi[] = {
    {"1.0", "1.0.0", 0},
    {"1.0.dev1", "1.0a1", -1},
    {"1.0a1", "1.0b1", -1},
    {"1.0rc1", "1.0", -1},
    {"1.0c1", "1.0rc1", 0},
    {"1.0-1", "1.0.post1", 0},
    {"1.0.post1.dev1", "1.0.post1", -1},
    {"1!0.1", "9.9", 1},
    {"1.0+a", "1.0+1", -1},
    {"1.0", "1.0+a", -1},
    {"1.0+a.b", "1.0+a-b", 0},
    {"V1.0-ALPHA_2", "1.0a2", 0},
    {"1.0a1.post1", "1.0a1", 1},
    {"1.0+", "1.0", -1},
    {"foo", "0.1", -1},
    {"foo", "bar", 1},
    {"", "1", REFUSED},
    {"1 0", "1", REFUSED},
    {"1.0.dev0", "1.0.post0", -1},
};
static const struct pair maven[] = {
    {"1", "1.0.0", 0},
    {"1.0-alpha-1", "1.0-beta-1", -1},
    {"1.0-rc1", "1.0-cr1", 0},
    {"1.0-SNAPSHOT", "1.0", -1},
    {"1.0", "1.0-sp", -1},
    {"1.0-sp", "1.0-whatever", -1},
    {"1.0-whatever", "1.0-1", -1},
    {"1.0-1", "1.0.1", -1},
    {"1.0a1", "1.0-alpha-1", 0},
    {"1.0a", "1.0-alpha", 1},
    {"1-ga", "1", 0},
    {"1.0.0-foo.0.0", "1-foo", 0},
    {"2.14.1", "2.15.0", -1},
    {"1.0.Final", "1.0", 0},
    {"", "1", REFUSED},
    {"2.9.10.8", "2.9.10", 1},
};
static const struct pair rubygems[] = {
    {"1.0", "1", 0},
    {"1.0.a", "1.0", -1},
    {"1.0.a.0", "1.0.a", 0},
    {"1.0-rc1", "1.0.pre.rc1", 0},
    {"1.0.rc2", "1.0.rc10", -1},
    {"1.0.b1", "1.0.a2", 1},
    {"", "1", REFUSED},
    {"a", "1", REFUSED},
    {"1.", "1", REFUSED},
    {"1_0", "1", REFUSED},
    {"1.10", "1.9", 1},
};
static const struct pair nuget[] = {
    {"1.0", "1.0.0.0", 0},
    {"1.0.0-Beta", "1.0.0-beta", 0},
    {"1.0.0-a.2", "1.0.0-a.10", -1},
    {"1.0.0-1", "1.0.0-a", -1},
    {"1.0.0-a", "1.0.0", -1},
    {"1.0.0+a", "1.0.0+b", 0},
    {"1.0.0.1", "1.0.0", 1},
    {"01.0", "1.0", 0},
    {"1.0.0.0.0", "1.0", REFUSED},
    {"1.x", "1.0", REFUSED},
    {"", "1", REFUSED},
    {"1.0-", "1.0", REFUSED},
};
static const struct pair packagist[] = {
    {"1.0", "1.0.0", -1},       {"v1.0", "1.0", 0},        {"1.0-dev", "1.0-alpha", -1},
    {"1.0-RC1", "1.0rc1", 0},   {"1.0-beta2", "1.0b2", 0}, {"1.0", "1.0-p1", -1},
    {"1.0-foo", "1.0-dev", -1}, {"", "1", REFUSED},        {"1.10", "1.9", 1},
};
static const struct pair pub[] = {
    {"1.0.0", "1.0.0+1", -1},   {"1.0.0+1", "1.0.0+2", -1}, {"1.0.0+9", "1.0.0+a", -1},
    {"1.0.0-a+1", "1.0.0", -1}, {"1.0.0+1", "1.0.0+1", 0},  {"1.0.0+", "1.0.0", REFUSED},
};
static const struct pair numbers[] = {
    {"1.0", "1.0.0", -1},   {"1.0-1", "1.0.1", 0}, {"1.10", "1.9", 1},  {"0.01", "0.1", 0},
    {"1..0", "1", REFUSED}, {"1.", "1", REFUSED},  {"a", "1", REFUSED}, {"", "1", REFUSED},
};
static const struct pair dotted[] = {
    {"10.0.19041.1", "10.0.19041.508", -1},
    {"V4.2", "4.2.0.0", 0},
    {"04.02.01", "4.2.1", 0},
    {"4.2-1", "4.2", REFUSED},
    {"4.2a", "4.2", REFUSED},
    {"", "1", REFUSED},
    {"v", "1", REFUSED},
};
static const struct pair generic[] = {
    {"V4.0 SP1", "V4.0 SP2", -1}, {"4.0.1", "4.0", 1},    {"4.0.0", "4.0", REFUSED},
    {"4.0 SP1", "4.0", REFUSED},  {"R2B7", "R2B10", -1},  {"R2B7", "R2C1", REFUSED},
    {"2.0rc1", "2.1beta", -1},    {"2.0", "2a", REFUSED}, {"3.5-build12", "3.5_Build12", 0},
    {"4.0.0.1", "4.0", 1},        {"*", "1", REFUSED},    {"", "1", REFUSED},
};

static const struct {
    enum order order;
    const char *name;
    const struct pair *pairs;
    size_t count;
    const char *
        bits; /* of random versions, between blanks. Maven's own rules go in a circle where a qualifier follows a dot: not here */
} orders[] = {
#define ROWS(table) table, sizeof table / sizeof *table
    {ORDER_DEBIAN, "Debian", ROWS(debian), "0 1 2 10 00 a B ~ + . . - -0 ~rc b1 :"},
    {ORDER_SEMVER, "SemVer", ROWS(semver), ".0 .1 .10 -a -1 .b - +x .2 a"},
    {ORDER_PUB, "Pub", ROWS(pub), ".0 .1 .10 -a -1 .b +x +1 .2 a"},
    {ORDER_RPM, "RPM", ROWS(rpm), "0 1 2 10 a b . . - ~ ^ _ : ~rc .el9"},
    {ORDER_ALPINE, "Alpine", ROWS(alpine), ".0 .1 .10 .01 a b _rc _p1 _alpha2 -r0 -r1 -r ~ab x"},
    {ORDER_PYPI, "PyPI", ROWS(pypi), ".0 .1 .10 a1 b rc2 .dev1 .post1 -1 -x +a +1 _ final"},
    {ORDER_MAVEN, "Maven", ROWS(maven), ".0 .1 -0 -1 b2 -alpha -rc -sp -ga -x -10"},
    {ORDER_RUBYGEMS, "RubyGems", ROWS(rubygems), ".0 .1 .10 a .a .b -rc 1 .rc1"},
    {ORDER_NUGET, "NuGet", ROWS(nuget), ".0 .1 .10 -a -A -1 .b .B +x"},
    {ORDER_PACKAGIST, "Packagist", ROWS(packagist), ".0 .1 .10 -dev -alpha a b2 RC1 pl p1 -x _ +"},
    {ORDER_NUMBERS, "numbers", ROWS(numbers), ".0 .1 .10 -1 -0 .00"},
    {ORDER_DOTTED, "dotted", ROWS(dotted), ".0 .1 .10 .00 .01"},
    {ORDER_GENERIC, "generic", ROWS(generic), ".0 .1 .10 a B -1 _x SP1 . 0"},
#undef ROWS
};

static void tables(void)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        test(orders[i].name);
        CHECK(strcmp(order_name(orders[i].order), orders[i].name) == 0);
        for (size_t k = 0; k < orders[i].count; k++)
            check_pair(orders[i].order, orders[i].pairs[k].a, orders[i].pairs[k].b, orders[i].pairs[k].want);
        int result;
        CHECK(!version_compare(orders[i].order, span_of(NULL, 0), span_of(NULL, 0), &result));
    }
    CHECK_INT(sizeof orders / sizeof *orders, ORDER_COUNT - 1);
    test("an unknown order compares nothing, and a NUL is no part of a version");
    check_pair(ORDER_UNKNOWN, "1", "1", REFUSED);
    int result;
    CHECK(!version_compare(ORDER_DEBIAN, span_of("1\0", 2), span_str("1"), &result));
    CHECK(!version_compare(ORDER_SEMVER, span_of("1\0", 2), span_str("1"), &result));
    test("orders of ecosystems");
    CHECK_INT(order_of_ecosystem(span_str("Debian")), ORDER_DEBIAN);
    CHECK_INT(order_of_ecosystem(span_str("Debian:12")), ORDER_DEBIAN);
    CHECK_INT(order_of_ecosystem(span_str("npm")), ORDER_SEMVER);
    CHECK_INT(order_of_ecosystem(span_str("Go")), ORDER_SEMVER);
    CHECK_INT(order_of_ecosystem(span_str("crates.io")), ORDER_SEMVER);
    CHECK_INT(order_of_ecosystem(span_str("PyPI")), ORDER_PYPI);
    CHECK_INT(order_of_ecosystem(span_str("Rocky Linux:9")), ORDER_RPM);
    CHECK_INT(order_of_scheme(span_str("gem")), ORDER_RUBYGEMS);
    CHECK_INT(order_of_scheme(span_str("gems")), ORDER_UNKNOWN);
    CHECK_INT(order_of_ecosystem(span_str("Gopher")), ORDER_UNKNOWN);
    CHECK_INT(order_of_ecosystem(span_str("")), ORDER_UNKNOWN);
}

/* ---- random versions ---- */

static uint64_t seed_state;

static unsigned below(unsigned n)
{
    seed_state = seed_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed_state >> 33) % n;
}

/* A number, then up to five of the order's bits. */
static void random_version(size_t order, char *out, size_t size)
{
    const char *bits[32];
    char words[128];
    size_t n = 0;
    (void)snprintf(words, sizeof words, "%s", orders[order].bits);
    for (char *rest = words, *word; (word = strsep(&rest, " ")) != NULL;)
        bits[n++] = word;
    int len = snprintf(out, size, "%s%u", orders[order].order == ORDER_DEBIAN && below(4) == 0 ? "1:" : "", below(3));
    for (unsigned count = below(6); count > 0; count--)
        len += snprintf(out + len, size - (size_t)len, "%s", bits[below((unsigned)n)]);
}

static void laws(size_t which)
{
    enum order order = orders[which].order;
    char v[3][64];
    int decided = 0;
    for (int round = 0; round < 20000; round++) {
        int c[3];
        for (int i = 0; i < 3; i++)
            random_version(which, v[i], sizeof v[i]);
        for (int i = 0; i < 3; i++) {
            c[i] = compare(order, v[i], v[(i + 1) % 3]);
            int back = compare(order, v[(i + 1) % 3], v[i]);
            CHECK(c[i] == REFUSED ? back == REFUSED : back == -c[i]);
        }
        if (c[0] == REFUSED || c[1] == REFUSED || c[2] == REFUSED)
            continue;
        bool good = (!(c[0] <= 0 && c[1] <= 0) || c[2] >= 0) && (!(c[0] >= 0 && c[1] >= 0) || c[2] <= 0);
        if (!good)
            printf("# %s, %s, %s: %d %d %d\n", v[0], v[1], v[2], c[0], c[1], c[2]);
        CHECK(good); /* a <= b <= c, then c >= a */
        decided++;
    }
    CHECK(decided > 100);
}

enum { ORACLE_PAIRS = 800 };

/* One shell asks dpkg about every pair: exit 0 for yes; a version that dpkg warns about is refused here. */
static void dpkg_oracle(void)
{
    static char pairs[ORACLE_PAIRS][2][64];
    char path[] = "/tmp/comity-test-XXXXXX", command[96];
    int fd = mkstemp(path);
    (void)snprintf(command, sizeof command, "sh >%s 2>/dev/null", path);
    FILE *shell = fd >= 0 ? popen(command, "w") : NULL;
    CHECK(shell != NULL);
    for (int i = 0; shell && i < ORACLE_PAIRS; i++) {
        random_version(ORDER_DEBIAN, pairs[i][0], sizeof pairs[i][0]);
        random_version(ORDER_DEBIAN, pairs[i][1], sizeof pairs[i][1]);
        const char *a = pairs[i][0], *b = pairs[i][1];
        (void)fprintf(shell,
                      "if [ -n \"$(dpkg --compare-versions '%s' eq '%s' 2>&1)\" ]; then echo 9; "
                      "elif dpkg --compare-versions '%s' lt '%s'; then echo -1; "
                      "elif dpkg --compare-versions '%s' eq '%s'; then echo 0; else echo 1; fi\n",
                      a, b, a, b, a, b);
    }
    if (shell)
        (void)pclose(shell);
    FILE *answers = fopen(path, "r");
    int checked = 0, refused = 0, want;
    for (; answers && checked < ORACLE_PAIRS && fscanf(answers, "%d", &want) == 1; checked++) {
        check_pair(ORDER_DEBIAN, pairs[checked][0], pairs[checked][1], want);
        refused += want == REFUSED;
    }
    printf("# %d pairs, %d of them refused by both\n", checked, refused);
    CHECK_INT(checked, ORACLE_PAIRS);
    if (answers)
        (void)fclose(answers);
    (void)close(fd);
    (void)unlink(path);
}

static void ordered_file(enum order order, const char *folder, const char *name)
{
    char path[512], line[512], a[200], b[200], sign_char;
    (void)snprintf(path, sizeof path, "%s/version-orders/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) {
        test_skip(name, "it is not unpacked below COMITY_DATA/version-orders");
        return;
    }
    test(name);
    int count = 0;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "//", 2) == 0 || line[0] == '#' || sscanf(line, "%199s %c %199s", a, &sign_char, b) != 3)
            continue;
        check_pair(order, a, b, sign_char == '<' ? -1 : sign_char == '>' ? 1 : 0);
        count++;
    }
    printf("# %d pairs\n", count);
    CHECK(count > 0);
    (void)fclose(file);
}

int main(void)
{
    const char *seed = getenv("COMITY_SEED"), *data = getenv("COMITY_DATA");
    seed_state = seed ? strtoull(seed, NULL, 10) : 20240329;
    printf("# seed %llu\n", (unsigned long long)seed_state);
    tables();
    static char names[sizeof orders / sizeof *orders][64];
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s order is an order", orders[i].name);
        test(names[i]);
        laws(i);
    }
    if (access("/usr/bin/dpkg", X_OK) == 0) {
        test("dpkg --compare-versions agrees");
        dpkg_oracle();
    } else {
        test_skip("dpkg --compare-versions agrees", "there is no dpkg here");
    }
    static const struct {
        enum order order;
        const char *name;
    } files[] = {{ORDER_DEBIAN, "debian-versions.txt"},
                 {ORDER_DEBIAN, "debian-versions-generated.txt"},
                 {ORDER_SEMVER, "semver-versions.txt"},
                 {ORDER_PUB, "pub-versions.txt"},
                 {ORDER_RPM, "redhat-versions.txt"},
                 {ORDER_ALPINE, "alpine-versions.txt"},
                 {ORDER_ALPINE, "alpine-versions-generated.txt"},
                 {ORDER_PYPI, "pypi-versions.txt"},
                 {ORDER_PYPI, "pypi-versions-generated.txt"},
                 {ORDER_MAVEN, "maven-versions.txt"},
                 {ORDER_MAVEN, "maven-versions-generated.txt"},
                 {ORDER_RUBYGEMS, "rubygems-versions.txt"},
                 {ORDER_RUBYGEMS, "rubygems-versions-generated.txt"},
                 {ORDER_NUGET, "nuget-versions.txt"},
                 {ORDER_PACKAGIST, "packagist-versions.txt"},
                 {ORDER_PACKAGIST, "packagist-versions-generated.txt"},
                 {ORDER_NUMBERS, "cran-versions.txt"},
                 {ORDER_NUMBERS, "cran-versions-generated.txt"},
                 {ORDER_NUMBERS, "hackage-versions.txt"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (data)
            ordered_file(files[i].order, data, files[i].name);
        else
            test_skip(files[i].name, "COMITY_DATA is not set");
    }
    return test_end();
}
