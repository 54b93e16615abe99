/* SemVer 2.0.0: major.minor.patch[-pre][+build]; a leading "v" and missing parts are allowed. npm, Go, Cargo and others use it as it
   is, Pub with builds. */
#include "format/version_order.h"

struct semver {
    struct span core[3];    /* a missing part is empty, and counts as 0 */
    struct span pre, build; /* data NULL: none */
};

static bool leading_zero(struct span text)
{
    return text.len > 1 && text.data[0] == '0';
}

static bool identifiers_ok(struct span text, bool zeroes_allowed)
{
    struct span identifier;
    while (part_next(&text, '.', &identifier))
        if (identifier.len == 0 || !chars_ok(identifier, "-") ||
            (!zeroes_allowed && numeric(identifier) && leading_zero(identifier)))
            return false;
    return true;
}

static bool semver_core(struct span core, struct semver *out)
{
    struct span identifier;
    for (size_t i = 0; part_next(&core, '.', &identifier); i++) {
        if (i == 3 || !numeric(identifier) || leading_zero(identifier))
            return false;
        out->core[i] = identifier;
    }
    return out->core[0].len > 0;
}

static bool semver_split(struct span text, struct semver *out)
{
    *out = (struct semver){0};
    if (text.len > 0 && text.data[0] == 'v')
        text = span_from(text, 1);
    if (text.len == 0)
        return false;
    const uint8_t *plus = memchr(text.data, '+', text.len);
    if (plus) {
        size_t at = (size_t)(plus - text.data);
        out->build = span_of(plus + 1, text.len - at - 1);
        if (!identifiers_ok(out->build, true))
            return false;
        text.len = at;
    }
    const uint8_t *dash = text.len ? memchr(text.data, '-', text.len) : NULL;
    if (dash) {
        size_t at = (size_t)(dash - text.data);
        out->pre = span_of(dash + 1, text.len - at - 1);
        if (!identifiers_ok(out->pre, false))
            return false;
        text.len = at;
    }
    return text.len > 0 && semver_core(text, out);
}

static int identifier_compare(struct span a, struct span b)
{
    bool na = numeric(a), nb = numeric(b);
    if (na != nb)
        return na ? -1 : 1;
    return na ? digits_compare(a, b) : sign_of(span_compare(a, b));
}

int identifiers_compare(struct span a, struct span b)
{
    for (;;) {
        struct span x = {0}, y = {0};
        bool more_a = part_next(&a, '.', &x), more_b = part_next(&b, '.', &y);
        if (!more_a || !more_b)
            return more_a - more_b;
        int order = identifier_compare(x, y);
        if (order != 0)
            return order;
    }
}

static int semver_compare(const struct semver *x, const struct semver *y)
{
    for (size_t i = 0; i < 3; i++) {
        int order = digits_compare(x->core[i], y->core[i]);
        if (order != 0)
            return order;
    }
    if (!x->pre.data || !y->pre.data)
        return (x->pre.data == NULL) - (y->pre.data == NULL); /* a release follows its pre-releases */
    return identifiers_compare(x->pre, y->pre);
}

bool version_compare_semver(struct span a, struct span b, int *result)
{
    struct semver x, y;
    if (!semver_split(a, &x) || !semver_split(b, &y))
        return false;
    *result = semver_compare(&x, &y);
    return true;
}

/* Dart's Pub: where all else is equal, the build counts too, and one without build comes first. */
bool version_compare_pub(struct span a, struct span b, int *result)
{
    struct semver x, y;
    if (!semver_split(a, &x) || !semver_split(b, &y))
        return false;
    *result = semver_compare(&x, &y);
    if (*result == 0)
        *result = identifiers_compare(x.build, y.build);
    return true;
}
