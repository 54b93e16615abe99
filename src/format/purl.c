#include "format/purl.h"

#include <stdlib.h>
#include <strings.h>

#include "base/text.h"

enum { PURL_BYTES_MAX = 4096 };

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

/* Decoded text is valid UTF-8 without control characters. */
static bool percent_decode(struct span in, struct arena *arena, struct span *out)
{
    uint8_t *bytes = arena_alloc(arena, in.len + 1);
    size_t n = 0;
    if (!bytes)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        if (c == '%') {
            int high = in.len - i > 2 ? hex_digit(in.data[i + 1]) : -1;
            int low = in.len - i > 2 ? hex_digit(in.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return false;
        bytes[n++] = c;
    }
    *out = span_of(bytes, n);
    return utf8_valid(*out);
}

/* Splits once from the right: `*text` keeps the left side. */
static bool cut_last(struct span *text, uint8_t at, struct span *after)
{
    const uint8_t *found = text->len ? memrchr(text->data, at, text->len) : NULL;
    if (!found)
        return false;
    size_t n = (size_t)(found - text->data);
    *after = span_of(found + 1, text->len - n - 1);
    text->len = n;
    return true;
}

/* Splits once from the left: `*text` keeps the right side. */
static bool cut_first(struct span *text, uint8_t at, struct span *before)
{
    const uint8_t *found = text->len ? memchr(text->data, at, text->len) : NULL;
    if (!found)
        return false;
    *before = span_of(text->data, (size_t)(found - text->data));
    *text = span_of(found + 1, text->len - before->len - 1);
    return true;
}

static struct span take_part(struct span *rest, uint8_t separator)
{
    struct span part;
    if (cut_first(rest, separator, &part))
        return part;
    part = *rest;
    *rest = span_of(NULL, 0);
    return part;
}

static struct span trim(struct span text, uint8_t c)
{
    while (text.len && text.data[0] == c)
        text = span_from(text, 1);
    while (text.len && text.data[text.len - 1] == c)
        text.len--;
    return text;
}

static struct span lowered(struct span text, struct arena *arena)
{
    uint8_t *bytes = arena_alloc(arena, text.len + 1);
    for (size_t i = 0; bytes && i < text.len; i++)
        bytes[i] = lower(text.data[i]);
    return span_of(bytes, bytes ? text.len : 0);
}

static bool type_take(struct span raw, struct arena *arena, struct span *out)
{
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t c = lower(raw.data[i]);
        bool digit = c >= '0' && c <= '9';
        if (!(c >= 'a' && c <= 'z') && !(digit && i > 0) && !(c == '.' && i > 0) && !(c == '-' && i > 0))
            return false;
    }
    *out = lowered(raw, arena);
    return out->len > 0;
}

/* Segments between slashes: empty ones are dropped, each is decoded, and none may hide a slash. */
static bool segments_take(struct span raw, bool path, struct arena *arena, struct span *out)
{
    uint8_t *bytes = arena_alloc(arena, raw.len + 1);
    size_t n = 0;
    if (!bytes)
        return false;
    while (raw.len) {
        struct span segment, part = take_part(&raw, '/');
        if (!percent_decode(part, arena, &segment) || (segment.len && memchr(segment.data, '/', segment.len)))
            return false;
        if (segment.len == 0 || (path && (span_is(segment, ".") || span_is(segment, ".."))))
            continue;
        if (n)
            bytes[n++] = '/';
        memcpy(bytes + n, segment.data, segment.len);
        n += segment.len;
    }
    *out = span_of(bytes, n);
    return true;
}

static bool key_ok(struct span key)
{
    for (size_t i = 0; i < key.len; i++) {
        uint8_t c = lower(key.data[i]);
        bool digit = c >= '0' && c <= '9';
        if (!(c >= 'a' && c <= 'z') && !(digit && i > 0) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return key.len > 0;
}

static bool qualifiers_ok(struct span rest, struct arena *arena)
{
    while (rest.len) {
        struct span key, value, pair = take_part(&rest, '&');
        if (pair.len && (!cut_first(&pair, '=', &key) || !key_ok(key) || !percent_decode(pair, arena, &value)))
            return false;
    }
    return true;
}

/* The version's '@' is the last one; but one that opens a segment before another is an npm scope written without encoding. */
static void version_cut(struct span *rest, struct span *version)
{
    const uint8_t *at = rest->len ? memrchr(rest->data, '@', rest->len) : NULL;
    bool opens = at && (at == rest->data || at[-1] == '/');
    if (at && !(opens && memchr(at, '/', (size_t)(rest->data + rest->len - at))))
        (void)cut_last(rest, '@', version);
}

int purl_parse(struct purl *out, struct span text, struct arena *arena, struct fault *fault)
{
    struct span rest = text, subpath = {0}, scheme, type, version = {0}, name;
    memset(out, 0, sizeof *out);
    if (text.len > PURL_BYTES_MAX)
        return fail(fault, E_LIMIT, "a purl has at most %d bytes", PURL_BYTES_MAX);
    (void)cut_last(&rest, '#', &subpath);
    (void)cut_last(&rest, '?', &out->qualifiers);
    if (!cut_first(&rest, ':', &scheme) || scheme.len != 3 || strncasecmp((const char *)scheme.data, "pkg", 3) != 0)
        return fail(fault, E_SYNTAX, "a purl starts with \"pkg:\"");
    rest = trim(rest, '/');
    if (!cut_first(&rest, '/', &type) || !type_take(type, arena, &out->type))
        return fail(fault, E_SYNTAX, "a purl's type is a letter, then letters, digits, '.' and '-'");
    version_cut(&rest, &version);
    rest = trim(rest, '/');
    if (!cut_last(&rest, '/', &name)) {
        name = rest;
        rest = span_of(NULL, 0);
    }
    if (!percent_decode(name, arena, &out->name) || out->name.len == 0)
        return fail(fault, E_SYNTAX, "a purl's name is missing or badly encoded");
    if (!percent_decode(version, arena, &out->version) || !segments_take(rest, false, arena, &out->namespace))
        return fail(fault, E_SYNTAX, "a purl's version or namespace is badly encoded");
    if (!segments_take(subpath, true, arena, &out->subpath) || !qualifiers_ok(out->qualifiers, arena))
        return fail(fault, E_SYNTAX, "a purl's qualifiers or subpath are badly encoded");
    return purl_fold(out, arena) == 0 && out->name.len ? 0 : fail(fault, E_NOMEM, "a purl");
}

struct span purl_qualifier(const struct purl *purl, const char *key, struct arena *arena)
{
    struct span rest = purl->qualifiers, name, value;
    while (rest.len) {
        struct span pair = take_part(&rest, '&');
        if (cut_first(&pair, '=', &name) && name.len == strlen(key) &&
            strncasecmp((const char *)name.data, key, name.len) == 0)
            return percent_decode(pair, arena, &value) ? value : span_of(NULL, 0);
    }
    return span_of(NULL, 0);
}

static int by_key(const void *a, const void *b)
{
    return span_compare(((const struct purl_pair *)a)->key, ((const struct purl_pair *)b)->key);
}

int purl_qualifiers(const struct purl *purl, struct purl_pair out[static PURL_QUALIFIERS_MAX], size_t *count,
                    struct arena *arena, struct fault *fault)
{
    struct span rest = purl->qualifiers;
    *count = 0;
    while (rest.len) {
        struct span key, value, pair = take_part(&rest, '&');
        if (!cut_first(&pair, '=', &key) || !pair.len)
            continue;
        if (*count == PURL_QUALIFIERS_MAX)
            return fail(fault, E_LIMIT, "a purl has at most %d qualifiers", PURL_QUALIFIERS_MAX);
        struct span folded = lowered(key, arena);
        if (!folded.len || !percent_decode(pair, arena, &value))
            return fail(fault, E_NOMEM, "a purl's qualifiers");
        out[(*count)++] = (struct purl_pair){folded, value};
    }
    if (*count)
        qsort(out, *count, sizeof *out, by_key);
    for (size_t i = 1; i < *count; i++)
        if (span_eq(out[i - 1].key, out[i].key))
            return fail(fault, E_DUPLICATE, "the qualifier \"%.*s\" stands twice", (int)out[i].key.len,
                        (const char *)out[i].key.data);
    return 0;
}

/* ---- ecosystems, named as the OSV schema names them ---- */

static const struct {
    const char *type, *namespace, *ecosystem, *joint; /* namespace NULL: any; joint NULL: the name stands alone */
} ecosystems[] = {
    {"deb", "ubuntu", "Ubuntu", NULL},
    {"deb", "debian", "Debian", NULL},
    {"deb", "", "Debian", NULL},
    {"apk", "wolfi", "Wolfi", NULL},
    {"apk", "chainguard", "Chainguard", NULL},
    {"apk", "minimos", "MinimOS", NULL},
    {"apk", "alpine", "Alpine", NULL},
    {"apk", "", "Alpine", NULL},
    {"alpine", NULL, "Alpine", NULL}, /* older generators */
    {"rpm", "redhat", "Red Hat", NULL},
    {"rpm", "rhel", "Red Hat", NULL},
    {"rpm", "almalinux", "AlmaLinux", NULL},
    {"rpm", "rocky-linux", "Rocky Linux", NULL},
    {"rpm", "rocky", "Rocky Linux", NULL},
    {"rpm", "suse", "SUSE", NULL},
    {"rpm", "sles", "SUSE", NULL},
    {"rpm", "opensuse", "openSUSE", NULL},
    {"rpm", "opensuse-leap", "openSUSE", NULL},
    {"rpm", "opensuse-tumbleweed", "openSUSE", NULL},
    {"rpm", "photon", "Photon OS", NULL},
    {"rpm", "mageia", "Mageia", NULL},
    {"rpm", "openeuler", "openEuler", NULL},
    {"rpm", "azurelinux", "Azure Linux", NULL},
    {"golang", NULL, "Go", "/"},
    {"npm", NULL, "npm", "/"},
    {"cargo", NULL, "crates.io", NULL},
    {"pypi", NULL, "PyPI", NULL},
    {"maven", NULL, "Maven", ":"},
    {"gem", NULL, "RubyGems", NULL},
    {"nuget", NULL, "NuGet", NULL},
    {"composer", NULL, "Packagist", "/"},
    {"hex", NULL, "Hex", "/"},
    {"pub", NULL, "Pub", NULL},
    {"cran", NULL, "CRAN", NULL},
    {"hackage", NULL, "Hackage", NULL},
    {"swift", NULL, "SwiftURL", "/"},
    {"conan", NULL, "ConanCenter", NULL},
    {"bitnami", NULL, "Bitnami", NULL},
    {"julia", NULL, "Julia", NULL},
    {"opam", NULL, "opam", NULL},
    {"vscode-extension", NULL, "VSCode", "."},
};

static struct span joined(struct span a, const char *joint, struct span b, struct arena *arena)
{
    size_t n = strlen(joint);
    uint8_t *bytes = arena_alloc(arena, a.len + n + b.len + 1);
    if (!bytes)
        return span_of(NULL, 0);
    memcpy(bytes, a.data, a.len);
    memcpy(bytes + a.len, joint, n);
    memcpy(bytes + a.len + n, b.data, b.len);
    return span_of(bytes, a.len + n + b.len);
}

/* "debian-12.5" and "bookworm" mean "12". A release that is not known by number gives nothing: then every release is meant. */
static struct span debian_release(struct span distro)
{
    static const struct {
        const char *name, *number;
    } names[] = {{"stretch", "9"},   {"buster", "10"}, {"bullseye", "11"},
                 {"bookworm", "12"}, {"trixie", "13"}, {"forky", "14"}};
    if (span_starts(distro, "debian-"))
        distro = span_from(distro, 7);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_is(distro, names[i].name))
            return span_str(names[i].number);
    size_t n = 0;
    while (n < distro.len && distro.data[n] >= '0' && distro.data[n] <= '9')
        n++;
    bool whole = n > 0 && n < 4 && (n == distro.len || distro.data[n] == '.');
    return span_of(distro.data, whole ? n : 0);
}

/* "alpine-3.16.2" and "3.16.2" mean "v3.16", "rocky-linux-9.3" means "9": as OSV writes releases of each. */
static struct span numbered_release(struct span distro, const char *prefix, unsigned numbers, struct arena *arena)
{
    size_t from = 0, n = 0;
    while (from < distro.len && !(distro.data[from] >= '0' && distro.data[from] <= '9'))
        from++;
    struct span rest = span_from(distro, from);
    while (n < rest.len && ((rest.data[n] >= '0' && rest.data[n] <= '9') || (rest.data[n] == '.' && numbers > 1))) {
        numbers -= rest.data[n] == '.';
        n++;
    }
    bool whole = n > 0 && rest.data[n - 1] != '.' && (n == rest.len || rest.data[n] == '.');
    return whole ? joined(span_str(prefix), "", span_of(rest.data, n), arena) : span_of(NULL, 0);
}

static struct span release_of(struct span ecosystem, struct span distro, struct arena *arena)
{
    static const struct {
        const char *ecosystem, *prefix;
        unsigned numbers;
    } numbered[] = {{"Alpine", "v", 2},   {"AlmaLinux", "", 1}, {"Rocky Linux", "", 1},
                    {"Photon OS", "", 2}, {"Mageia", "", 1},    {"Azure Linux", "", 1}};
    if (span_is(ecosystem, "Debian"))
        return debian_release(distro);
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++)
        if (distro.len && span_is(ecosystem, numbered[i].ecosystem))
            return numbered_release(distro, numbered[i].prefix, numbered[i].numbers, arena);
    if (span_is(ecosystem, "Ubuntu") && span_starts(distro, "ubuntu-") && distro.len == 12)
        return span_from(distro, 7);
    return span_of(NULL, 0);
}

void purl_ecosystem(const struct purl *purl, struct span *ecosystem, struct span *name, struct arena *arena)
{
    *ecosystem = purl->type;
    *name = purl->namespace.len ? joined(purl->namespace, "/", purl->name, arena) : purl->name;
    for (size_t i = 0; i < sizeof ecosystems / sizeof *ecosystems; i++) {
        const char *joint = ecosystems[i].joint;
        if (!span_is(purl->type, ecosystems[i].type) ||
            (ecosystems[i].namespace && !span_is(purl->namespace, ecosystems[i].namespace)))
            continue;
        *ecosystem = span_str(ecosystems[i].ecosystem);
        *name = joint && purl->namespace.len ? joined(purl->namespace, joint, purl->name, arena) : purl->name;
        break;
    }
    struct span release = release_of(*ecosystem, purl_qualifier(purl, "distro", arena), arena);
    struct span named = release.len ? joined(*ecosystem, ":", release, arena) : *ecosystem;
    *ecosystem = named.len ? named : *ecosystem;
}
