/* One lower and one upper bound, or a list of versions, or everything. A version begins behind its comparison and ends before the next one;
   it has a digit, and no remark in it. */
#include "format/version_text.h"

#include <strings.h>

#include "base/limits.h"

enum { WORDS_MAX = 64, VERSION_TEXT_MAX = 512, BARE_LETTERS_MAX = 12 };
enum sign { SIGN_NONE, SIGN_BELOW, SIGN_UPTO, SIGN_FROM, SIGN_ABOVE, SIGN_EXACT, SIGN_AND };

/* Longer ones stand before those that they begin with. Words count only where no letter or digit touches them. */
static const struct {
    const char *text;
    enum sign sign;
} signs[] = {
    {"<=", SIGN_UPTO},
    {"\xe2\x89\xa4", SIGN_UPTO},
    {"<", SIGN_BELOW},
    {">=", SIGN_FROM},
    {"\xe2\x89\xa5", SIGN_FROM},
    {">", SIGN_ABOVE},
    {"=", SIGN_EXACT},
    {"|", SIGN_AND},
    {"up to and including", SIGN_UPTO},
    {"prior to and including", SIGN_UPTO},
    {"prior to", SIGN_BELOW},
    {"earlier than", SIGN_BELOW},
    {"lower than", SIGN_BELOW},
    {"before", SIGN_BELOW},
    {"and", SIGN_AND},
};
/* Behind a version, at the end of the text. */
static const struct {
    const char *text;
    enum sign sign;
} tails[] = {
    {"and prior versions", SIGN_UPTO}, {"and earlier versions", SIGN_UPTO},
    {"and prior", SIGN_UPTO},          {"and earlier", SIGN_UPTO},
    {"and below", SIGN_UPTO},          {"or prior", SIGN_UPTO},
    {"or earlier", SIGN_UPTO},         {"and older", SIGN_UPTO},
    {"and later versions", SIGN_FROM}, {"and later", SIGN_FROM},
    {"or later", SIGN_FROM},           {"and newer", SIGN_FROM},
    {"and above", SIGN_FROM},
};
static const char *const everything[] = {"*", "all", "all versions", "any", "any version", "vers:all/*", "all version"};
static const char *const heads[] = {
    "all versions", "all firmware versions", "firmware versions", "firmware version", "versions", "version"};

struct bounds {
    struct span low, high, exact[WORDS_MAX];
    enum sign low_sign, high_sign;
    size_t exact_count;
};

static struct span trim(struct span text)
{
    while (text.len && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = span_from(text, 1);
    while (text.len && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool starts(struct span text, const char *word)
{
    size_t n = strlen(word);
    bool same = text.len >= n && strncasecmp((const char *)text.data, word, n) == 0;
    return same && (!is_word((uint8_t)word[n - 1]) || text.len == n || !is_word(text.data[n]));
}

static struct span head_drop(struct span text)
{
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (starts(text, heads[i]))
            return trim(span_from(text, strlen(heads[i])));
    return text;
}

/* The sign at the front, and how long it is written. */
static enum sign sign_at(struct span text, bool fresh, size_t *len)
{
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if ((fresh || !is_word((uint8_t)signs[i].text[0])) && starts(text, signs[i].text)) {
            *len = strlen(signs[i].text);
            return signs[i].sign;
        }
    return SIGN_NONE;
}

/* A digit, no remark, and no long words: "19_Update_2" is one, "the_first_5_digits_of_serial_number_22031" is none. */
static bool is_version(struct span text)
{
    size_t letters = 0, digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool letter = is_word(c) && (c < '0' || c > '9');
        digits += is_word(c) && !letter;
        letters = letter ? letters + 1 : is_word(c) ? 0 : letters;
        if (c < ' ' || c >= 0x7f || memchr(",;<>=!|*?()[]{}", c, 15) || letters > BARE_LETTERS_MAX)
            return false;
    }
    return digits > 0 && text.len <= VERSION_TEXT_MAX;
}

static bool bound_take(struct bounds *b, enum sign sign, struct span version)
{
    bool low = sign == SIGN_FROM || sign == SIGN_ABOVE, high = sign == SIGN_UPTO || sign == SIGN_BELOW;
    version = head_drop(trim(version));
    if (!is_version(version) || (low && b->low.len) || (high && b->high.len))
        return false;
    if (low) {
        b->low = version;
        b->low_sign = sign;
    } else if (high) {
        b->high = version;
        b->high_sign = sign;
    } else {
        if (b->exact_count == WORDS_MAX)
            return false;
        b->exact[b->exact_count++] = version;
    }
    return true;
}

/* Cuts at every sign; what stands between two is the version of the first. */
static bool bounds_read(struct bounds *b, struct span rest)
{
    enum sign sign = SIGN_NONE;
    struct span word;
    size_t n = 0, skip = 0;
    bool any = false;
    while (n <= rest.len) {
        bool fresh = n == 0 || !is_word(rest.data[n - 1]);
        enum sign next = n < rest.len ? sign_at(span_from(rest, n), fresh, &skip) : SIGN_AND;
        if (next == SIGN_NONE) {
            n++;
            continue;
        }
        word = trim(span_of(rest.data, n));
        bool bare = !head_drop(word).len;
        if (!bare && !bound_take(b, sign, word))
            return false;
        if (bare && sign != SIGN_NONE && sign != SIGN_AND)
            return false; /* a comparison with nothing */
        if (n == rest.len)
            return any || !bare;
        any = any || !bare;
        sign = next;
        rest = span_from(rest, n + skip);
        n = 0;
    }
    return any;
}

static bool tail_read(struct bounds *b, struct span text)
{
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        size_t n = strlen(tails[i].text);
        if (text.len > n && !is_word(text.data[text.len - n - 1]) &&
            strncasecmp((const char *)text.data + text.len - n, tails[i].text, n) == 0) {
            struct span version = head_drop(trim(span_of(text.data, text.len - n)));
            return bound_take(b, tails[i].sign, version);
        }
    }
    return false;
}

static bool range_set(const struct bounds *b, struct affected_package *package, struct arena *arena)
{
    struct range *range = arena_array(arena, 1, sizeof *range);
    struct range_event *events = arena_array(arena, 2, sizeof *events);
    struct span *fixed = arena_array(arena, 1, sizeof *fixed);
    if (!range || !events || !fixed)
        return false;
    events[0] = (struct range_event){EVENT_INTRODUCED, b->low.len ? b->low : span_str("0")};
    events[1] = (struct range_event){b->high_sign == SIGN_UPTO ? EVENT_LAST_AFFECTED : EVENT_FIXED, b->high};
    *range = (struct range){.count = b->high.len ? 2 : 1, .events = events};
    if (b->low_sign == SIGN_ABOVE) {
        if (package->claim != CLAIM_AFFECTED)
            return false; /* "safe above 2" does not say that 2 itself is */
        *fixed = b->low;
        package->fixed_versions = fixed;
        package->fixed_count = 1;
    }
    package->ranges = range;
    package->range_count = 1;
    return true;
}

static bool set(const struct bounds *b, struct affected_package *package, struct arena *arena)
{
    struct span *exact = arena_array(arena, b->exact_count + 1, sizeof *exact);
    struct affected_package made = *package;
    if (!exact || (b->low.len && b->exact_count))
        return false; /* "> 1.0 | 2.0" may mean a range or two versions */
    memcpy(exact, b->exact, b->exact_count * sizeof *exact);
    if ((b->low.len || b->high.len) && !range_set(b, &made, arena))
        return false;
    made.versions = exact;
    made.version_count = b->exact_count;
    *package = made;
    return true;
}

/* "vers:all/<V5.5.2", which is no vers: the scheme "all" knows no versions but "*". */
static struct span scheme_drop(struct span text)
{
    static const char *const schemes[] = {"vers:all/", "vers:generic/", "vers:unknown/", "vers:intdot/"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (span_starts(text, schemes[i]))
            return span_from(text, strlen(schemes[i]));
    return text;
}

bool version_text_read(struct span text, bool single, struct affected_package *package, struct arena *arena)
{
    struct bounds b = {0};
    text = trim(text);
    if (!text.len || text.len > VERS_BYTES_MAX)
        return false;
    for (size_t i = 0; i < sizeof everything / sizeof everything[0]; i++)
        if (text.len == strlen(everything[i]) && starts(text, everything[i])) {
            b.low = span_str("0");
            return range_set(&b, package, arena);
        }
    text = head_drop(scheme_drop(text));
    if (span_starts(text, "vers:"))
        return false;
    if (!tail_read(&b, text) && (b = (struct bounds){0}, !bounds_read(&b, text)))
        return false;
    if (!single && !b.low.len && !b.high.len && b.exact_count == 1 && !memchr(text.data, '=', text.len))
        return false;
    return set(&b, package, arena);
}
