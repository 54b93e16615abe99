/* The registered types of the purl specification: what each demands of its parts, and how they are folded. And the canonical form. Folding of
   case is of ASCII letters; other letters stay as they are. */
#include <stdlib.h>

#include "format/purl.h"

enum need { OPTIONAL, REQUIRED, PROHIBITED };
enum fold {
    AS_IS,
    LOWER,
    UPPER,
    DASHED,       /* '_' becomes '-' */
    LOWER_DASHED, /* PyPI: lower case, '_' becomes '-' */
    LOWER_SCORED, /* Pub: lower case, all but letters and digits become '_' */
    BY_SERVER     /* MLflow: lower case on Databricks, which does not mind case; as it is elsewhere */
};
struct type {
    const char *name;
    enum need space;
    enum fold space_fold, name_fold, version_fold;
    const char *required; /* a qualifier that must be there, or NULL */
};

/* In bytewise order, for bsearch. "gitlab" is not registered, but written. */
static const struct type types[] = {
    {"alpm", REQUIRED, LOWER, LOWER, AS_IS, NULL},
    {"apk", REQUIRED, LOWER, LOWER, AS_IS, NULL},
    {"bazel", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"bitbucket", REQUIRED, LOWER, LOWER, AS_IS, NULL},
    {"bitnami", PROHIBITED, AS_IS, LOWER, AS_IS, NULL},
    {"brew", OPTIONAL, LOWER, LOWER, AS_IS, NULL},
    {"cargo", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"chrome-extension", PROHIBITED, AS_IS, LOWER, AS_IS, NULL},
    {"cocoapods", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"composer", REQUIRED, LOWER, LOWER, AS_IS, NULL},
    {"conan", OPTIONAL, AS_IS, AS_IS, AS_IS, NULL},
    {"conda", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"cpan", OPTIONAL, UPPER, AS_IS, AS_IS, NULL},
    {"cran", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"deb", REQUIRED, LOWER, LOWER, AS_IS, NULL},
    {"docker", OPTIONAL, AS_IS, AS_IS, AS_IS, NULL},
    {"gem", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"generic", OPTIONAL, AS_IS, AS_IS, AS_IS, NULL},
    {"git", REQUIRED, AS_IS, AS_IS, AS_IS, NULL},
    {"github", REQUIRED, LOWER, LOWER, AS_IS, NULL},
    {"golang", REQUIRED, LOWER, LOWER, AS_IS, NULL},
    {"hackage", PROHIBITED, AS_IS, DASHED, AS_IS, NULL},
    {"hex", OPTIONAL, LOWER, LOWER, AS_IS, NULL},
    {"huggingface", REQUIRED, AS_IS, AS_IS, LOWER, NULL},
    {"julia", PROHIBITED, AS_IS, AS_IS, AS_IS, "uuid"},
    {"luarocks", OPTIONAL, LOWER, LOWER, LOWER, NULL},
    {"maven", REQUIRED, AS_IS, AS_IS, AS_IS, NULL},
    {"mlflow", PROHIBITED, AS_IS, BY_SERVER, AS_IS, NULL},
    {"npm", OPTIONAL, AS_IS, AS_IS, AS_IS, NULL},
    {"nuget", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"oci", PROHIBITED, AS_IS, LOWER, AS_IS, NULL},
    {"opam", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"otp", PROHIBITED, AS_IS, LOWER, AS_IS, NULL},
    {"pub", PROHIBITED, AS_IS, LOWER_SCORED, AS_IS, NULL},
    {"pypi", PROHIBITED, AS_IS, LOWER_DASHED, AS_IS, NULL},
    {"qpkg", REQUIRED, LOWER, AS_IS, AS_IS, NULL},
    {"rpm", REQUIRED, LOWER, AS_IS, AS_IS, NULL},
    {"swid", OPTIONAL, AS_IS, AS_IS, AS_IS, "tag_id"},
    {"swift", REQUIRED, AS_IS, AS_IS, AS_IS, NULL},
    {"vcpkg", PROHIBITED, AS_IS, AS_IS, AS_IS, NULL},
    {"vscode-extension", REQUIRED, AS_IS, AS_IS, AS_IS, NULL},
    {"yocto", OPTIONAL, AS_IS, AS_IS, AS_IS, NULL},
};

static int by_name(const void *key, const void *row)
{
    return span_compare(*(const struct span *)key, span_str(((const struct type *)row)->name));
}

static const struct type *type_find(struct span name)
{
    return bsearch(&name, types, sizeof types / sizeof *types, sizeof *types, by_name);
}

bool purl_registered(const struct purl *purl)
{
    return type_find(purl->type) != NULL;
}

static uint8_t folded(uint8_t c, enum fold fold)
{
    bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
    switch (fold) {
    case LOWER:
        return upper ? c | 32 : c;
    case UPPER:
        return lower ? c & ~32 : c;
    case DASHED:
        return c == '_' ? '-' : c;
    case LOWER_DASHED:
        return upper ? c | 32 : c == '_' ? '-' : c;
    case LOWER_SCORED:
        return upper ? c | 32 : lower || digit || c >= 0x80 ? c : '_';
    default:
        return c;
    }
}

static bool fold_part(struct span *part, enum fold fold, struct arena *arena)
{
    if (fold == AS_IS || !part->len)
        return true;
    uint8_t *bytes = arena_alloc(arena, part->len + 1);
    for (size_t i = 0; bytes && i < part->len; i++)
        bytes[i] = folded(part->data[i], fold);
    *part = span_of(bytes, bytes ? part->len : 0);
    return bytes != NULL;
}

int purl_fold(struct purl *purl, struct arena *arena)
{
    const struct type *type = type_find(purl->type);
    if (!type)
        return 0;
    enum fold name = type->name_fold;
    if (name == BY_SERVER) {
        struct span url = purl_qualifier(purl, "repository_url", arena);
        name = url.len && memmem(url.data, url.len, "databricks", 10) ? LOWER : AS_IS;
    }
    bool good = fold_part(&purl->namespace, type->space_fold, arena) && fold_part(&purl->name, name, arena) &&
                fold_part(&purl->version, type->version_fold, arena);
    return good ? 0 : E_NOMEM;
}

/* What a type demands beyond the tables */

static int chrome_check(const struct purl *p, struct fault *fault)
{
    for (size_t i = 0; i < p->name.len; i++)
        if (p->name.data[i] < 'a' || p->name.data[i] > 'p')
            return fail(fault, E_SYNTAX, "a chrome-extension's name is 32 letters of a to p");
    if (p->name.len != 32)
        return fail(fault, E_SYNTAX, "a chrome-extension's name is 32 letters of a to p");
    unsigned dots = 0, digits = 0;
    for (size_t i = 0; i < p->version.len; i++) {
        bool digit = p->version.data[i] >= '0' && p->version.data[i] <= '9';
        if (!digit && (p->version.data[i] != '.' || !digits))
            return fail(fault, E_SYNTAX, "a chrome-extension's version is one to four numbers with dots between");
        dots += !digit;
        digits = digit ? digits + 1 : 0;
    }
    return p->version.len && (dots > 3 || !digits)
               ? fail(fault, E_SYNTAX, "a chrome-extension's version is one to four numbers with dots between")
               : 0;
}

static int cocoapods_check(const struct purl *p, struct fault *fault)
{
    bool bad = p->name.data[0] == '.';
    for (size_t i = 0; i < p->name.len; i++)
        bad = bad || p->name.data[i] == ' ' || p->name.data[i] == '+';
    return bad ? fail(fault, E_SYNTAX, "a pod's name has no space and no \"+\", and does not begin with a dot") : 0;
}

static int cpan_check(const struct purl *p, struct fault *fault)
{
    return memmem(p->name.data, p->name.len, "::", 2)
               ? fail(fault, E_SYNTAX, "a CPAN name is a distribution's, without \"::\"")
               : 0;
}

static int swid_check(const struct purl *p, struct fault *fault)
{
    unsigned slashes = 0;
    for (size_t i = 0; i < p->namespace.len; i++)
        slashes += p->namespace.data[i] == '/';
    return slashes > 1 ? fail(fault, E_SYNTAX, "a swid namespace has at most two segments") : 0;
}

static const struct {
    const char *type;
    int (*check)(const struct purl *, struct fault *);
} checks[] = {
    {"chrome-extension", chrome_check}, {"cocoapods", cocoapods_check}, {"cpan", cpan_check}, {"swid", swid_check}};

int purl_check(const struct purl *purl, struct arena *arena, struct fault *fault)
{
    struct purl_pair pairs[PURL_QUALIFIERS_MAX];
    size_t count;
    int rc = purl_qualifiers(purl, pairs, &count, arena, fault);
    const struct type *type = rc ? NULL : type_find(purl->type);
    if (!type)
        return rc;
    if (type->space == REQUIRED && !purl->namespace.len)
        return fail(fault, E_MISSING, "the type %s wants a namespace", type->name);
    if (type->space == PROHIBITED && purl->namespace.len)
        return fail(fault, E_SYNTAX, "the type %s has no namespace", type->name);
    if (type->required && !purl_qualifier(purl, type->required, arena).len)
        return fail(fault, E_MISSING, "the type %s wants the qualifier \"%s\"", type->name, type->required);
    for (size_t i = 0; i < sizeof checks / sizeof *checks && rc == 0; i++)
        if (span_is(purl->type, checks[i].type))
            rc = checks[i].check(purl, fault);
    return rc;
}

/* Everything but letters, digits and ".-_~:" is encoded; in a namespace and a subpath slashes stand between segments. */
static void encode(struct buf *out, struct span part, bool segments)
{
    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = part.data[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     (c && strchr(".-_~:", c)) || (segments && c == '/');
        if (plain)
            buf_byte(out, c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

int purl_write(struct buf *out, const struct purl *purl, struct arena *arena)
{
    struct purl_pair pairs[PURL_QUALIFIERS_MAX];
    size_t count;
    int rc = purl_qualifiers(purl, pairs, &count, arena, NULL);
    if (rc)
        return rc;
    buf_text(out, "pkg:");
    buf_span(out, purl->type);
    buf_byte(out, '/');
    encode(out, purl->namespace, true);
    buf_text(out, purl->namespace.len ? "/" : "");
    encode(out, purl->name, false);
    buf_text(out, purl->version.len ? "@" : "");
    encode(out, purl->version, false);
    for (size_t i = 0; i < count; i++) {
        buf_byte(out, i ? '&' : '?');
        buf_span(out, pairs[i].key);
        buf_byte(out, '=');
        encode(out, pairs[i].value, false);
    }
    buf_text(out, purl->subpath.len ? "#" : "");
    encode(out, purl->subpath, true);
    return out->error;
}
