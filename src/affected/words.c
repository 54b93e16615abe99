#include "affected/words.h"

#include <strings.h>

#include "format/cpe.h"

enum { KEY_CPE = 0x01, KEY_PRODUCT = 0x02, KEY_MODEL = 0x03 };
enum { WORDS_MAX = 48, WORD_MODEL_MIN = 8, MODEL_MIN = 4 };

const char *const way_names[WAY_COUNT] = {"product", "product without remarks", "model number",
                                          "model number in the name"};

/* What each way weighs. Only equal keys count, and keys of models and of products never equal each other: so the least weight of a proposal
   is that of two words which look like model numbers, of one vendor. */
static const unsigned weights[WAY_COUNT] = {[WAY_PRODUCT] = 60, [WAY_SHORT] = 50, [WAY_MODEL] = 60, [WAY_WORD] = 40};

/* Words at the end of a vendor's name that say only which kind of company it is. */
static const char *const company_words[] = {
    "ab",    "ag",  "as",           "asa", "bv",   "co",      "company", "corp",     "corporation",  "gmbh",
    "group", "inc", "incorporated", "kg",  "kgaa", "limited", "llc",     "llp",      "ltd",          "mbh",
    "nv",    "oy",  "oyj",          "plc", "pte",  "pty",     "sa",      "sarl",     "sas",          "se",
    "spa",   "srl", "sro",          "the", "tm",   "kk",      "holding", "holdings", "technologies",
};
/* Words at the end of a product's name that say nothing of which product it is. */
static const char *const tail_words[] = {"family",  "firmware", "series",   "software",
                                         "devices", "device",   "products", "product"};

struct words {
    struct span list[WORDS_MAX];
    size_t count;
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

/* Letters, digits and all that is not ASCII. */
static bool is_letter(uint8_t c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c >= 0x80;
}

/* Cuts where no letter stands; with `bare`, what stands in parentheses is left out. */
static void words_cut(struct span text, bool bare, struct words *out)
{
    int depth = 0;
    size_t from = 0;
    bool inside = false;
    out->count = 0;
    for (size_t i = 0; i <= text.len; i++) {
        uint8_t c = i < text.len ? text.data[i] : ' ';
        depth += bare && c == '(';
        depth -= bare && c == ')' && depth > 0;
        bool letter = is_letter(c) && depth == 0;
        if (letter && !inside)
            from = i;
        if (!letter && inside && out->count < WORDS_MAX)
            out->list[out->count++] = span_of(text.data + from, i - from);
        inside = letter;
    }
}

static bool word_eq(struct span a, struct span b)
{
    return a.len == b.len && strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
}

static bool word_in(struct span word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (word_eq(word, span_str(list[i])))
            return true;
    return false;
}

#define IN(word, list) word_in(word, list, sizeof(list) / sizeof *(list))

/* "S.A." and "A/S" are cut into letters: how many words at the end are such, if together they say which kind of company it is. */
static size_t initials(const struct words *w)
{
    uint8_t joined[4];
    size_t n = 0;
    while (n < sizeof joined && n + 1 < w->count && w->list[w->count - 1 - n].len == 1)
        n++;
    for (size_t i = 0; i < n; i++)
        joined[i] = w->list[w->count - n + i].data[0];
    return n > 1 && IN(span_of(joined, n), company_words) ? n : 0;
}

static void vendor_words(struct span vendor, struct words *out)
{
    words_cut(vendor, true, out);
    out->count -= initials(out);
    while (out->count > 1 && IN(out->list[out->count - 1], company_words))
        out->count--;
}

/* The vendor's name once more before the product's. */
static size_t repeated(const struct words *vendor, const struct words *product)
{
    size_t n = 0;
    while (n < vendor->count && n < product->count && word_eq(vendor->list[n], product->list[n]))
        n++;
    return vendor->count && n == vendor->count && n < product->count ? n : 0;
}

/* "V5.X", "V4.7" */
static bool is_release(struct span word, struct span before)
{
    return word.len >= 2 && lower(word.data[0]) == 'v' && word.data[1] >= '0' && word.data[1] <= '9' && before.len;
}

static void tail_drop(struct words *w)
{
    size_t count = w->count;
    while (w->count > 1 && IN(w->list[w->count - 1], tail_words))
        w->count--;
    for (size_t i = w->count; i-- > 1 && w->count - i <= 3;)
        if (is_release(w->list[i], w->list[i - 1])) {
            w->count = i;
            break;
        }
    while (w->count > 1 && IN(w->list[w->count - 1], tail_words))
        w->count--;
    if (w->count == 0)
        w->count = count;
}

static size_t append(const struct words *w, size_t from, uint8_t *out, size_t at)
{
    for (size_t i = from; i < w->count; i++)
        for (size_t k = 0; k < w->list[i].len && at < KEY_BYTES_MAX; k++)
            if (is_letter(w->list[i].data[k]))
                out[at++] = lower(w->list[i].data[k]);
    return at;
}

/* Words are joined without gaps: "S7-1500" and "S7 1500" are one, and so are "CC-Link" and "CCLink". */
static struct span key_make(uint8_t kind, const struct words *vendor, const struct words *what, uint8_t *out)
{
    size_t at = 0;
    out[at++] = kind;
    at = append(vendor, 0, out, at);
    size_t start = at;
    at = append(what, repeated(vendor, what), out, at);
    return at > start ? span_of(out, at) : span_of(NULL, 0);
}

struct span product_key(struct span vendor, struct span product, uint8_t out[static KEY_BYTES_MAX])
{
    struct words v, p;
    vendor_words(vendor, &v);
    words_cut(product, false, &p);
    return key_make(KEY_PRODUCT, &v, &p, out);
}

static void key_add(struct keys *out, uint8_t kind, enum way way, const struct words *vendor, const struct words *what)
{
    if (out->count == KEYS_MAX || KEYS_BYTES_MAX - out->used < KEY_BYTES_MAX)
        return;
    struct span key = key_make(kind, vendor, what, out->bytes + out->used);
    for (size_t i = 0; i < out->count; i++)
        if (span_eq(out->list[i], key))
            return;
    if (!key.len)
        return;
    out->used += key.len;
    out->ways[out->count] = way;
    out->list[out->count++] = key;
}

/* How many letters and digits; 0 unless it has a digit. */
static size_t model_letters(struct span text)
{
    size_t n = 0;
    bool digit = false;
    for (size_t i = 0; i < text.len; i++) {
        n += is_letter(text.data[i]);
        digit = digit || (text.data[i] >= '0' && text.data[i] <= '9');
        if (text.data[i] == '*' || text.data[i] == '?')
            return 0; /* some of its characters are left open */
    }
    return digit ? n : 0;
}

static void model_add(struct keys *out, enum way way, const struct words *vendor, struct span model)
{
    struct words w;
    words_cut(model, false, &w);
    if (vendor->count && model_letters(model) >= (way == WAY_MODEL ? (size_t)MODEL_MIN : (size_t)WORD_MODEL_MIN))
        key_add(out, KEY_MODEL, way, vendor, &w);
}

static bool is_gap(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '(' || c == ')' || c == ',' || c == ';';
}

/* Words between blanks, with their hyphens: "(6ES7511-1AK00-0AB0)". */
static void models_in(struct span text, const struct words *vendor, struct keys *out)
{
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++)
        if (i == text.len || is_gap(text.data[i])) {
            model_add(out, WAY_WORD, vendor, span_of(text.data + from, i - from));
            from = i + 1;
        }
}

void text_keys(struct span vendor, struct span product, struct span models, struct keys *out)
{
    struct words v, p;
    struct span line;
    out->count = out->used = 0;
    vendor_words(vendor, &v);
    words_cut(product, false, &p);
    key_add(out, KEY_PRODUCT, WAY_PRODUCT, &v, &p);
    if (!v.count)
        return; /* a name alone is weak: only all of it counts */
    words_cut(product, true, &p);
    tail_drop(&p);
    key_add(out, KEY_PRODUCT, WAY_SHORT, &v, &p);
    while (span_line(&models, &line))
        model_add(out, WAY_MODEL, &v, line);
    model_add(out, WAY_MODEL, &v, models);
    models_in(product, &v, out);
}

void cpe_keys(struct span cpe, struct keys *out)
{
    out->bytes[0] = KEY_CPE;
    size_t n = cpe_product(cpe, out->bytes + 1, KEY_BYTES_MAX - 1);
    out->count = n > 0;
    out->used = n + 1;
    out->ways[0] = WAY_PRODUCT;
    out->list[0] = span_of(out->bytes, n + 1);
}

unsigned keys_meet(const struct keys *a, const struct keys *b, enum way *way_a, enum way *way_b)
{
    unsigned best = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++) {
            unsigned weight = weights[a->ways[i]] + weights[b->ways[k]];
            if (weight <= best || !span_eq(a->list[i], b->list[k]))
                continue;
            best = weight;
            *way_a = a->ways[i];
            *way_b = b->ways[k];
        }
    return best;
}
