#include "format/vers.h"

#include "base/limits.h"
#include "base/text.h"
#include "format/version.h"

struct vers {
    struct range_event *events;
    struct span *exact;
    size_t event_count, exact_count;
    enum order order;
    struct span last; /* version of the previous constraint */
};

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* Versions are percent-encoded where they hold one of the separators. */
bool vers_version_decode(struct span text, struct span *out, struct arena *arena)
{
    uint8_t *to = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; to && i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '%') {
            int high = text.len - i > 2 ? hex_digit(text.data[i + 1]) : -1,
                low = high < 0 ? -1 : hex_digit(text.data[i + 2]);
            if (low < 0 || high * 16 + low == 0)
                return false;
            c = (uint8_t)(high * 16 + low);
            i += 2;
        } else if (c <= ' ' || memchr("<>=!*|", c, 6)) {
            return false;
        }
        to[n++] = c;
    }
    *out = span_of(to, n);
    return to && n > 0 && utf8_valid(*out);
}

/* ">" and "!=" have no event of ours that says the same: the whole range is then left undecided. */
static bool constraint(struct vers *v, struct span text, struct arena *arena)
{
    static const struct {
        const char *sign;
        enum event_kind kind;
    } signs[] = {{">=", EVENT_INTRODUCED}, {"<=", EVENT_LAST_AFFECTED}, {"<", EVENT_FIXED}};
    struct span version;
    int order = 0;
    size_t i = 0;
    while (i < 3 && !span_starts(text, signs[i].sign))
        i++;
    size_t skip = i < 3 ? strlen(signs[i].sign) : span_starts(text, "=");
    if (!vers_version_decode(span_from(text, skip), &version, arena))
        return false;
    if (v->last.len && v->order != ORDER_UNKNOWN &&
        (!version_compare(v->order, v->last, version, &order) || order >= 0))
        return false;
    v->last = version;
    if (i == 3)
        v->exact[v->exact_count++] = version;
    else if (v->event_count == 0 && signs[i].kind != EVENT_INTRODUCED) /* "<2.0" alone: from the beginning */
        v->events[v->event_count++] = (struct range_event){.kind = EVENT_INTRODUCED, .version = span_str("0")};
    if (i < 3)
        v->events[v->event_count++] = (struct range_event){.kind = signs[i].kind, .version = version};
    return true;
}

static bool constraints(struct vers *v, struct span rest, struct arena *arena)
{
    size_t count = 1;
    for (size_t i = 0; i < rest.len; i++)
        count += rest.data[i] == '|';
    if (rest.len == 0)
        return false;
    v->events = arena_array(arena, count + 1, sizeof *v->events);
    v->exact = arena_array(arena, count, sizeof *v->exact);
    if (!v->events || !v->exact)
        return false;
    if (span_is(rest, "*")) {
        v->events[v->event_count++] = (struct range_event){.kind = EVENT_INTRODUCED, .version = span_str("0")};
        return true;
    }
    for (; count > 0; count--) {
        const uint8_t *bar = rest.len ? memchr(rest.data, '|', rest.len) : NULL;
        struct span part = bar ? span_of(rest.data, (size_t)(bar - rest.data)) : rest;
        rest = span_from(rest, part.len + 1);
        if (!constraint(v, part, arena))
            return false;
    }
    return true;
}

bool vers_read(struct span text, struct affected_package *package, struct arena *arena)
{
    struct vers v = {0};
    struct span rest = span_from(text, 5);
    const uint8_t *slash = rest.len && rest.len < VERS_BYTES_MAX ? memchr(rest.data, '/', rest.len) : NULL;
    if (text.len > VERS_BYTES_MAX || !span_starts(text, "vers:") || !slash)
        return false;
    struct span scheme = span_of(rest.data, (size_t)(slash - rest.data));
    v.order = order_of_scheme(scheme);
    if (package->order == ORDER_UNKNOWN && !span_is(scheme, "semver"))
        v.order = ORDER_UNKNOWN; /* a foreign scheme on another ecosystem orders nothing */
    if (package->order != ORDER_UNKNOWN && v.order != package->order)
        return false;
    struct range *range = arena_array(arena, 1, sizeof *range);
    if (!range || !constraints(&v, span_from(rest, scheme.len + 1), arena))
        return false;
    *range = (struct range){.count = v.event_count, .events = v.events};
    package->ranges = range;
    package->range_count = v.event_count > 0;
    package->versions = v.exact;
    package->version_count = v.exact_count;
    package->order = v.order;
    return true;
}
