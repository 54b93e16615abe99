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

static void tables(void)
{
    test("Debian order, accepted and refused");
    for (size_t i = 0; i < sizeof debian / sizeof *debian; i++)
        check_pair(ORDER_DEBIAN, debian[i].a, debian[i].b, debian[i].want);
    test("SemVer precedence, accepted and refused");
    for (size_t i = 0; i < sizeof semver / sizeof *semver; i++)
        check_pair(ORDER_SEMVER, semver[i].a, semver[i].b, semver[i].want);
    test("an unknown order compares nothing, and a NUL is no part of a version");
    check_pair(ORDER_UNKNOWN, "1", "1", REFUSED);
    int result;
    CHECK(!version_compare_debian(span_of("1\0", 2), span_str("1"), &result));
    CHECK(!version_compare_semver(span_of("1\0", 2), span_str("1"), &result));
    CHECK(!version_compare_semver(span_of(NULL, 0), span_of(NULL, 0), &result));
    CHECK(!version_compare_debian(span_of(NULL, 0), span_of(NULL, 0), &result));
    test("orders of ecosystems");
    CHECK_INT(order_of_ecosystem(span_str("Debian")), ORDER_DEBIAN);
    CHECK_INT(order_of_ecosystem(span_str("Debian:12")), ORDER_DEBIAN);
    CHECK_INT(order_of_ecosystem(span_str("npm")), ORDER_SEMVER);
    CHECK_INT(order_of_ecosystem(span_str("Go")), ORDER_SEMVER);
    CHECK_INT(order_of_ecosystem(span_str("crates.io")), ORDER_SEMVER);
    CHECK_INT(order_of_ecosystem(span_str("PyPI")), ORDER_UNKNOWN);
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

static void random_version(enum order order, char *out, size_t size)
{
    static const char *const debian_bits[] = {"0", "1", "2", "10", "00", "a",   "B", "~",
                                              "+", ".", ".", "-",  "-0", "~rc", "b1"};
    static const char *const semver_bits[] = {".0", ".1", ".10", "-a", "-1", ".b", "-", "+x", ".2", "a"};
    size_t n =
        order == ORDER_DEBIAN ? sizeof debian_bits / sizeof *debian_bits : sizeof semver_bits / sizeof *semver_bits;
    int len = snprintf(out, size, "%s%u", order == ORDER_DEBIAN && below(4) == 0 ? "1:" : "", below(3));
    for (unsigned bits = below(6); bits > 0; bits--)
        len += snprintf(out + len, size - (size_t)len, "%s",
                        (order == ORDER_DEBIAN ? debian_bits : semver_bits)[below((unsigned)n)]);
}

static void laws(enum order order)
{
    char v[3][64];
    for (int round = 0; round < 20000; round++) {
        int c[3];
        for (int i = 0; i < 3; i++)
            random_version(order, v[i], sizeof v[i]);
        for (int i = 0; i < 3; i++) {
            c[i] = compare(order, v[i], v[(i + 1) % 3]);
            int back = compare(order, v[(i + 1) % 3], v[i]);
            CHECK(c[i] == REFUSED ? back == REFUSED : back == -c[i]);
        }
        if (c[0] == REFUSED || c[1] == REFUSED || c[2] == REFUSED)
            continue;
        CHECK(!(c[0] <= 0 && c[1] <= 0) || c[2] >= 0); /* a <= b <= c, then c >= a */
        CHECK(!(c[0] >= 0 && c[1] >= 0) || c[2] <= 0);
    }
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
        if (strncmp(line, "//", 2) == 0 || sscanf(line, "%199s %c %199s", a, &sign_char, b) != 3)
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
    test("Debian order is an order");
    laws(ORDER_DEBIAN);
    test("SemVer order is an order");
    laws(ORDER_SEMVER);
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
                 {ORDER_SEMVER, "semver-versions.txt"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (data)
            ordered_file(files[i].order, data, files[i].name);
        else
            test_skip(files[i].name, "COMITY_DATA is not set");
    }
    return test_end();
}
