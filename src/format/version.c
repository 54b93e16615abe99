/* The table of orders: which function, which name, which ecosystems and vers schemes. */
#include "format/version.h"

#include <strings.h>

#include "format/version_order.h"

static const struct {
    const char *name; /* for people, in evidence */
    bool (*compare)(struct span, struct span, int *);
} orders[ORDER_COUNT] = {
    [ORDER_UNKNOWN] = {"unknown", NULL},
    [ORDER_DEBIAN] = {"Debian", version_compare_debian},
    [ORDER_SEMVER] = {"SemVer", version_compare_semver},
    [ORDER_PUB] = {"Pub", version_compare_pub},
    [ORDER_RPM] = {"RPM", version_compare_rpm},
    [ORDER_ALPINE] = {"Alpine", version_compare_alpine},
    [ORDER_PYPI] = {"PyPI", version_compare_pypi},
    [ORDER_MAVEN] = {"Maven", version_compare_maven},
    [ORDER_RUBYGEMS] = {"RubyGems", version_compare_rubygems},
    [ORDER_NUGET] = {"NuGet", version_compare_nuget},
    [ORDER_PACKAGIST] = {"Packagist", version_compare_packagist},
    [ORDER_NUMBERS] = {"numbers", version_compare_numbers},
    [ORDER_DOTTED] = {"dotted", version_compare_dotted},
    [ORDER_GENERIC] = {"generic", version_compare_generic},
};

struct name {
    const char *name;
    enum order order;
};

/* As the OSV schema names them, then the plain names of orders that have no ecosystem of their own. */
static const struct name ecosystems[] = {
    {"Debian", ORDER_DEBIAN},     {"Ubuntu", ORDER_DEBIAN},
    {"Echo", ORDER_DEBIAN},       {"Red Hat", ORDER_RPM},
    {"AlmaLinux", ORDER_RPM},     {"Rocky Linux", ORDER_RPM},
    {"SUSE", ORDER_RPM},          {"openSUSE", ORDER_RPM},
    {"Mageia", ORDER_RPM},        {"openEuler", ORDER_RPM},
    {"Azure Linux", ORDER_RPM},   {"Photon OS", ORDER_RPM},
    {"Alpine", ORDER_ALPINE},     {"Wolfi", ORDER_ALPINE},
    {"Chainguard", ORDER_ALPINE}, {"MinimOS", ORDER_ALPINE},
    {"Alpaquita", ORDER_ALPINE},  {"BellSoft Hardened Containers", ORDER_ALPINE},
    {"Go", ORDER_SEMVER},         {"npm", ORDER_SEMVER},
    {"Hex", ORDER_SEMVER},        {"crates.io", ORDER_SEMVER},
    {"SwiftURL", ORDER_SEMVER},   {"Julia", ORDER_SEMVER},
    {"Bitnami", ORDER_SEMVER},    {"SemVer", ORDER_SEMVER},
    {"Pub", ORDER_PUB},           {"PyPI", ORDER_PYPI},
    {"Maven", ORDER_MAVEN},       {"RubyGems", ORDER_RUBYGEMS},
    {"NuGet", ORDER_NUGET},       {"Packagist", ORDER_PACKAGIST},
    {"CRAN", ORDER_NUMBERS},      {"Bioconductor", ORDER_NUMBERS},
    {"Hackage", ORDER_NUMBERS},   {"GHC", ORDER_NUMBERS},
    {"RPM", ORDER_RPM},           {"Windows", ORDER_DOTTED},
    {"dotted", ORDER_DOTTED},     {"generic", ORDER_GENERIC},
};

/* Schemes of vers ranges are types of purls. */
static const struct name schemes[] = {
    {"deb", ORDER_DEBIAN},    {"rpm", ORDER_RPM},         {"apk", ORDER_ALPINE},    {"alpine", ORDER_ALPINE},
    {"semver", ORDER_SEMVER}, {"npm", ORDER_SEMVER},      {"golang", ORDER_SEMVER}, {"cargo", ORDER_SEMVER},
    {"hex", ORDER_SEMVER},    {"swift", ORDER_SEMVER},    {"pub", ORDER_PUB},       {"pypi", ORDER_PYPI},
    {"maven", ORDER_MAVEN},   {"gem", ORDER_RUBYGEMS},    {"nuget", ORDER_NUGET},   {"composer", ORDER_PACKAGIST},
    {"cran", ORDER_NUMBERS},  {"hackage", ORDER_NUMBERS},
};

bool version_compare(enum order order, struct span a, struct span b, int *result)
{
    return orders[order].compare && orders[order].compare(a, b, result);
}

const char *order_name(enum order order)
{
    return orders[order].name;
}

enum order order_of_ecosystem(struct span ecosystem)
{
    const uint8_t *colon = ecosystem.len ? memchr(ecosystem.data, ':', ecosystem.len) : NULL;
    size_t n = colon ? (size_t)(colon - ecosystem.data) : ecosystem.len;
    for (size_t i = 0; i < sizeof ecosystems / sizeof ecosystems[0]; i++)
        if (strlen(ecosystems[i].name) == n && n > 0 &&
            strncasecmp((const char *)ecosystem.data, ecosystems[i].name, n) == 0)
            return ecosystems[i].order;
    return ORDER_UNKNOWN;
}

enum order order_of_scheme(struct span scheme)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (span_is(scheme, schemes[i].name))
            return schemes[i].order;
    return ORDER_UNKNOWN;
}

void order_ecosystems(void (*visit)(void *ctx, const char *ecosystem, enum order order), void *ctx)
{
    for (size_t i = 0; i < sizeof ecosystems / sizeof ecosystems[0]; i++)
        visit(ctx, ecosystems[i].name, ecosystems[i].order);
}
