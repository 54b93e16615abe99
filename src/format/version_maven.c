/* Maven (POM reference, "Version Order Specification"): tokens between ".", "-" and every change between digits and other characters;
   trailing nulls are dropped at the end and before each hyphen; what is missing is a null of the other's kind. */
#include "format/version_order.h"

enum { QUALIFIER_RELEASE = 5, QUALIFIER_UNKNOWN = 7 };

struct token {
    struct span text;
    bool hyphen, number;
    int order; /* of a qualifier */
};
struct maven_version {
    struct token tokens[VERSION_PARTS_MAX];
    size_t count;
};

static int qualifier_order(struct span text, bool before_digit)
{
    static const struct {
        const char *name;
        int order;
    } known[] = {{"alpha", 0}, {"beta", 1},  {"milestone", 2}, {"rc", 3},      {"cr", 3}, {"snapshot", 4},
                 {"", 5},      {"final", 5}, {"ga", 5},        {"release", 5}, {"sp", 6}};
    static const char short_names[] = "abm"; /* of the first three, when a number follows at once */
    if (before_digit && text.len == 1 && strchr(short_names, lower(text.data[0])))
        return (int)(strchr(short_names, lower(text.data[0])) - short_names);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (text_is(text, known[i].name))
            return known[i].order;
    return QUALIFIER_UNKNOWN;
}

static bool is_null(const struct token *token)
{
    return token->number ? is_zero(token->text) : token->order == QUALIFIER_RELEASE;
}

/* Digits, or what is neither digit nor separator; empty at a separator. */
static size_t token_len(struct span text)
{
    size_t n = digits_len(text);
    while (n == 0 || !is_digit(text.data[0])) {
        if (n >= text.len || is_digit(text.data[n]) || text.data[n] == '.' || text.data[n] == '-')
            break;
        n++;
    }
    return n;
}

static bool tokens_take(struct span text, struct maven_version *out)
{
    bool hyphen = false, open = true; /* a token is due, though it may be empty */
    out->count = 0;
    while (open) {
        size_t n = token_len(text);
        struct span token = cut(text, 0, n);
        if (out->count == VERSION_PARTS_MAX)
            return false;
        bool number = n == 0 || is_digit(token.data[0]), digit = n < text.len && is_digit(text.data[n]);
        out->tokens[out->count++] = (struct token){
            .text = token, .hyphen = hyphen, .number = number, .order = number ? 0 : qualifier_order(token, digit)};
        open = n < text.len;
        bool separated = open && (text.data[n] == '.' || text.data[n] == '-');
        hyphen = open && text.data[n] != '.'; /* a change of kind is a hyphen */
        text = span_of(text.data + n + separated, text.len - n - separated);
    }
    return true;
}

/* From the end to the start: nulls before the end and before each hyphen go. */
static void nulls_drop(struct maven_version *v)
{
    size_t end = v->count;
    while (end > 0) {
        size_t from = end;
        while (from > 0 && is_null(&v->tokens[from - 1]))
            from--;
        memmove(&v->tokens[from], &v->tokens[end], (v->count - end) * sizeof v->tokens[0]);
        v->count -= end - from;
        end = from;
        while (end > 0 && !v->tokens[end - 1].hyphen)
            end--;
        end -= end > 0;
    }
}

static bool maven_split(struct span text, struct maven_version *out)
{
    if (text.len == 0 || !tokens_take(text, out))
        return false;
    nulls_drop(out);
    return true;
}

/* ".qualifier" < "-qualifier" < "-number" < ".number" */
static int token_rank(const struct token *token)
{
    return token->number ? (token->hyphen ? 2 : 3) : token->hyphen ? 1 : 0;
}

static int token_compare(const struct token *a, const struct token *b)
{
    if (token_rank(a) != token_rank(b))
        return token_rank(a) < token_rank(b) ? -1 : 1;
    if (a->number)
        return digits_compare(a->text, b->text);
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return a->order == QUALIFIER_UNKNOWN ? text_compare(a->text, b->text) : 0;
}

bool version_compare_maven(struct span a, struct span b, int *result)
{
    struct maven_version x, y;
    if (!maven_split(a, &x) || !maven_split(b, &y))
        return false;
    *result = 0;
    for (size_t i = 0; (i < x.count || i < y.count) && *result == 0; i++) {
        struct token pad = i < x.count ? x.tokens[i] : y.tokens[i];
        pad.text = span_of(NULL, 0);
        pad.order = QUALIFIER_RELEASE;
        *result = token_compare(i < x.count ? &x.tokens[i] : &pad, i < y.count ? &y.tokens[i] : &pad);
    }
    return true;
}
