/* PyPI: PEP 440. What is no such version, as old packages have it, comes before all that are, and orders as setuptools once did:
   words before numbers, and "final" at every end. */
#include "format/version_order.h"

/* PEP 440 */

struct pep440 {
    struct span epoch, release, pre, post, dev, local;
    int pre_kind; /* 1 a, 2 b, 3 rc; 0 none */
    bool has_post, has_dev, has_local;
};

static bool is_separator(uint8_t c)
{
    return c == '.' || c == '-' || c == '_';
}

/* "[-_.]name[-_.]digits" off `*rest`. */
static bool mark_take(struct span *rest, const char *name, struct span *number)
{
    struct span text = *rest;
    size_t n = strlen(name);
    if (text.len > 0 && is_separator(text.data[0]))
        text = span_from(text, 1);
    if (text.len < n || !text_is(cut(text, 0, n), name))
        return false;
    text = span_from(text, n);
    struct span after = text.len > 0 && is_separator(text.data[0]) ? span_from(text, 1) : text;
    size_t digits = digits_len(after);
    *number = digits ? cut(after, 0, digits) : span_of(NULL, 0);
    *rest = digits ? span_from(after, digits) : text;
    return true;
}

static void release_take(struct span *rest, struct pep440 *out)
{
    size_t n = digits_len(*rest);
    if (n > 0 && n < rest->len && rest->data[n] == '!') {
        out->epoch = cut(*rest, 0, n);
        *rest = span_from(*rest, n + 1);
        n = digits_len(*rest);
    }
    while (n > 0 && n + 1 < rest->len && rest->data[n] == '.' && is_digit(rest->data[n + 1]))
        n += 1 + digits_len(span_from(*rest, n + 1));
    out->release = n ? cut(*rest, 0, n) : span_of(NULL, 0);
    *rest = span_from(*rest, n);
}

static void pre_take(struct span *rest, struct pep440 *out)
{
    static const struct {
        const char *name;
        int kind;
    } names[] = {{"alpha", 1}, {"a", 1}, {"beta", 2}, {"b", 2}, {"preview", 3}, {"pre", 3}, {"rc", 3}, {"c", 3}};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !out->pre_kind; i++)
        if (mark_take(rest, names[i].name, &out->pre))
            out->pre_kind = names[i].kind;
}

static void post_take(struct span *rest, struct pep440 *out)
{
    size_t n = rest->len > 1 && rest->data[0] == '-' ? digits_len(span_from(*rest, 1)) : 0;
    out->has_post = n > 0;
    if (n > 0) {
        out->post = cut(*rest, 1, 1 + n);
        *rest = span_from(*rest, 1 + n);
        return;
    }
    out->has_post =
        mark_take(rest, "post", &out->post) || mark_take(rest, "rev", &out->post) || mark_take(rest, "r", &out->post);
}

static bool local_ok(struct span local)
{
    bool open = true;
    for (size_t i = 0; i < local.len; i++) {
        if (is_separator(local.data[i]) ? open : !is_digit(local.data[i]) && !is_alpha(local.data[i]))
            return false;
        open = is_separator(local.data[i]);
    }
    return !open;
}

static bool pep440_split(struct span text, struct pep440 *out)
{
    struct span rest = without_v(text);
    *out = (struct pep440){0};
    release_take(&rest, out);
    if (out->release.len == 0)
        return false;
    pre_take(&rest, out);
    post_take(&rest, out);
    out->has_dev = mark_take(&rest, "dev", &out->dev);
    out->has_local = rest.len > 0 && rest.data[0] == '+';
    out->local = span_from(rest, 1);
    return out->has_local ? local_ok(out->local) : rest.len == 0;
}

static int release_compare(struct span a, struct span b)
{
    for (;;) {
        struct span x = {0}, y = {0};
        bool more_a = part_next(&a, '.', &x), more_b = part_next(&b, '.', &y);
        int order = digits_compare(x, y);
        if (order != 0 || (!more_a && !more_b))
            return order;
    }
}

/* Only "dev" comes before all pre-releases; without a pre-release it is after them. */
static int pre_place(const struct pep440 *v)
{
    return v->pre_kind ? v->pre_kind : !v->has_post && v->has_dev ? 0 : 4;
}

static bool local_next(struct span *rest, struct span *part)
{
    size_t n = 0;
    while (n < rest->len && !is_separator(rest->data[n]))
        n++;
    *part = span_of(rest->data, n);
    *rest = span_from(*rest, n + 1);
    return n > 0;
}

static int local_compare(struct span a, struct span b)
{
    for (;;) {
        struct span x = {0}, y = {0};
        bool more_a = local_next(&a, &x), more_b = local_next(&b, &y);
        if (!more_a || !more_b)
            return more_a - more_b;
        bool nx = numeric(x), ny = numeric(y);
        int order = nx != ny ? (nx ? 1 : -1) : nx ? digits_compare(x, y) : text_compare(x, y);
        if (order != 0)
            return order;
    }
}

static int pep440_compare(const struct pep440 *x, const struct pep440 *y)
{
    const int steps[] = {
        digits_compare(x->epoch, y->epoch),
        release_compare(x->release, y->release),
        sign_of(pre_place(x) - pre_place(y)),
        digits_compare(x->pre, y->pre),
        x->has_post - y->has_post,
        digits_compare(x->post, y->post),
        y->has_dev - x->has_dev,
        digits_compare(x->dev, y->dev),
        x->has_local - y->has_local,
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i] != 0)
            return steps[i];
    return local_compare(x->local, y->local);
}

/* Before PEP 440 */

struct legacy {
    struct span parts[VERSION_PARTS_MAX];
    size_t count;
};

static size_t legacy_len(struct span text)
{
    uint8_t c = text.data[0];
    size_t n = 1;
    if (is_digit(c))
        return digits_len(text);
    if (is_alpha(c))
        return letters_len(text);
    while (c != '.' && c != '-' && n < text.len && !is_digit(text.data[n]) && !is_alpha(text.data[n]) &&
           text.data[n] != '.' && text.data[n] != '-')
        n++;
    return n;
}

static struct span legacy_word(struct span part)
{
    static const struct {
        const char *from, *to;
    } words[] = {{"pre", "c"}, {"preview", "c"}, {"rc", "c"}, {"dev", "@"}, {"-", "final-"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (text_is(part, words[i].from))
            return span_str(words[i].to);
    return part;
}

static bool legacy_add(struct legacy *out, struct span part)
{
    if (!is_digit(part.data[0])) {
        while (text_compare(part, span_str("final")) < 0 && out->count > 0 &&
               span_is(out->parts[out->count - 1], "final-"))
            out->count--;
        while (out->count > 0 && is_digit(out->parts[out->count - 1].data[0]) && is_zero(out->parts[out->count - 1]))
            out->count--;
    }
    if (out->count == VERSION_PARTS_MAX)
        return false;
    out->parts[out->count++] = part;
    return true;
}

static bool legacy_split(struct span text, struct legacy *out)
{
    out->count = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    bool good = text.len > 0;
    for (size_t n; good && text.len > 0; text = span_from(text, n)) {
        n = legacy_len(text);
        if (text.data[0] != '.')
            good = legacy_add(out, legacy_word(cut(text, 0, n)));
    }
    return good && legacy_add(out, span_str("final"));
}

static int legacy_compare(const struct legacy *a, const struct legacy *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        struct span x = a->parts[i], y = b->parts[i];
        bool nx = is_digit(x.data[0]), ny = is_digit(y.data[0]);
        int order = nx != ny ? (nx ? 1 : -1) : nx ? digits_compare(x, y) : text_compare(x, y);
        if (order != 0)
            return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

bool version_compare_pypi(struct span a, struct span b, int *result)
{
    struct pep440 x, y;
    struct legacy old_x, old_y;
    bool good_x = pep440_split(a, &x), good_y = pep440_split(b, &y);
    if (good_x && good_y) {
        *result = pep440_compare(&x, &y);
        return true;
    }
    if ((!good_x && !legacy_split(a, &old_x)) || (!good_y && !legacy_split(b, &old_y)))
        return false;
    *result = good_x != good_y ? good_x - good_y : legacy_compare(&old_x, &old_y);
    return true;
}
