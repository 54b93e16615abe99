#include "format/flat.h"

#include "base/limits.h"

enum { PACKAGE_TEXTS = 11, PACKAGE_KINDS = 5, COMPONENT_TEXTS = 11 };
enum { PACKAGE_LEAST = PACKAGE_TEXTS * 4 + PACKAGE_KINDS + 3 * 4, COMPONENT_LEAST = (COMPONENT_TEXTS + 1) * 4 };

/* Writing */

void flat_put_u32(struct buf *out, uint32_t value)
{
    buf_u16(out, (uint16_t)(value >> 16));
    buf_u16(out, (uint16_t)value);
}

void flat_put_text(struct buf *out, struct span text)
{
    flat_put_u32(out, (uint32_t)text.len);
    buf_span(out, text);
}

static void put_texts(struct buf *out, const struct span *texts, size_t count)
{
    flat_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        flat_put_text(out, texts[i]);
}

static void put_range(struct buf *out, const struct range *range)
{
    flat_put_u32(out, (uint32_t)range->count);
    for (size_t i = 0; i < range->count; i++) {
        buf_byte(out, (uint8_t)range->events[i].kind);
        flat_put_text(out, range->events[i].version);
    }
}

static void put_package(struct buf *out, const struct affected_package *p)
{
    const struct span texts[PACKAGE_TEXTS] = {p->ecosystem, p->name,  p->purl,         p->path,   p->cpe,   p->vendor,
                                              p->product,   p->model, p->version_text, p->impact, p->remedy};
    for (size_t i = 0; i < PACKAGE_TEXTS; i++)
        flat_put_text(out, texts[i]);
    const uint8_t kinds[PACKAGE_KINDS] = {(uint8_t)p->lane, (uint8_t)p->order, (uint8_t)p->claim, p->open,
                                          (uint8_t)p->justification};
    buf_add(out, kinds, sizeof kinds);
    flat_put_u32(out, (uint32_t)p->range_count);
    for (size_t i = 0; i < p->range_count; i++)
        put_range(out, &p->ranges[i]);
    put_texts(out, p->versions, p->version_count);
    put_texts(out, p->fixed_versions, p->fixed_count);
}

void flat_put_advisory(struct buf *out, const struct advisory *a)
{
    const struct span texts[] = {a->id, a->title, a->publisher, a->version, a->modified};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        flat_put_text(out, texts[i]);
    buf_byte(out, (uint8_t)a->tlp);
    buf_byte(out, a->withdrawn);
    buf_byte(out, a->contradictory);
    put_texts(out, a->aliases, a->alias_count);
    put_texts(out, a->undecided, a->undecided_count);
    flat_put_u32(out, (uint32_t)a->problem_count);
    for (size_t i = 0; i < a->problem_count; i++) {
        flat_put_text(out, a->problems[i].path);
        flat_put_text(out, a->problems[i].text);
    }
    flat_put_u32(out, (uint32_t)a->package_count);
    for (size_t i = 0; i < a->package_count; i++)
        put_package(out, &a->packages[i]);
}

void flat_put_inventory(struct buf *out, const struct inventory *inventory)
{
    flat_put_text(out, span_str(inventory->format));
    flat_put_text(out, span_str(inventory->caveat ? inventory->caveat : ""));
    flat_put_u32(out, (uint32_t)inventory->twin_count);
    flat_put_u32(out, (uint32_t)inventory->count);
    for (size_t i = 0; i < inventory->count; i++) {
        const struct component *c = &inventory->components[i];
        const struct span texts[COMPONENT_TEXTS] = {c->ecosystem,      c->name,    c->version, c->source,
                                                    c->source_version, c->purl,    c->path,    c->cpe,
                                                    c->vendor,         c->product, c->model};
        for (size_t k = 0; k < COMPONENT_TEXTS; k++)
            flat_put_text(out, texts[k]);
        flat_put_text(out, c->problem ? span_str(c->problem) : span_of(NULL, 0));
    }
}

/* Reading: a cursor that remembers its first error and from then on gives zeroes. */

struct cursor {
    struct span rest;
    struct arena *arena;
    int error;
};

static bool need(struct cursor *c, size_t bytes)
{
    if (!c->error && c->rest.len < bytes)
        c->error = E_TRUNCATED;
    return !c->error;
}

static unsigned get_u8(struct cursor *c, unsigned end)
{
    if (!need(c, 1))
        return 0;
    unsigned value = c->rest.data[0];
    c->rest = span_from(c->rest, 1);
    if (value >= end) {
        c->error = E_TYPE;
        return 0;
    }
    return value;
}

static uint32_t get_u32(struct cursor *c)
{
    if (!need(c, 4))
        return 0;
    const uint8_t *b = c->rest.data;
    c->rest = span_from(c->rest, 4);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static struct span get_text(struct cursor *c)
{
    uint32_t len = get_u32(c);
    if (!need(c, len))
        return span_of(NULL, 0);
    struct span text = span_of(c->rest.data, len);
    c->rest = span_from(c->rest, len);
    return text;
}

/* Each item takes at least `least` bytes, so that a count cannot ask for more memory than its bytes account for. */
static void *get_array(struct cursor *c, size_t *count, size_t least, size_t size)
{
    uint32_t n = get_u32(c);
    *count = 0;
    if (!need(c, (size_t)n * least) || !n)
        return NULL;
    void *items = arena_array(c->arena, n, size);
    if (!items)
        c->error = c->arena->exhausted ? E_NOMEM : E_LIMIT;
    else
        *count = n;
    return items;
}

static const struct span *get_texts(struct cursor *c, size_t *count)
{
    struct span *texts = get_array(c, count, 4, sizeof *texts);
    for (size_t i = 0; i < *count; i++)
        texts[i] = get_text(c);
    return texts;
}

static const struct range *get_ranges(struct cursor *c, size_t *count)
{
    struct range *ranges = get_array(c, count, 4, sizeof *ranges);
    for (size_t i = 0; i < *count && !c->error; i++) {
        struct range_event *events = get_array(c, &ranges[i].count, 5, sizeof *events);
        for (size_t k = 0; k < ranges[i].count; k++) {
            events[k].kind = (enum event_kind)get_u8(c, EVENT_LIMIT + 1);
            events[k].version = get_text(c);
        }
        ranges[i].events = events;
    }
    return ranges;
}

static const struct affected_package *get_packages(struct cursor *c, size_t *count)
{
    struct affected_package *packages = get_array(c, count, PACKAGE_LEAST, sizeof *packages);
    for (size_t i = 0; i < *count && !c->error; i++) {
        struct affected_package *p = &packages[i];
        struct span *const texts[PACKAGE_TEXTS] = {&p->ecosystem,    &p->name,   &p->purl,    &p->path,
                                                   &p->cpe,          &p->vendor, &p->product, &p->model,
                                                   &p->version_text, &p->impact, &p->remedy};
        for (size_t k = 0; k < PACKAGE_TEXTS; k++)
            *texts[k] = get_text(c);
        p->lane = (enum lane)get_u8(c, LANE_COUNT);
        p->order = (enum order)get_u8(c, ORDER_COUNT);
        p->claim = (enum row_claim)get_u8(c, CLAIM_COUNT);
        p->open = get_u8(c, 2) != 0;
        p->justification = (enum justification)get_u8(c, JUSTIFICATION_COUNT);
        p->ranges = get_ranges(c, &p->range_count);
        p->versions = get_texts(c, &p->version_count);
        p->fixed_versions = get_texts(c, &p->fixed_count);
    }
    return packages;
}

static const struct record_problem *get_problems(struct cursor *c, size_t *count)
{
    struct record_problem *problems = get_array(c, count, 8, sizeof *problems);
    for (size_t i = 0; i < *count; i++) {
        problems[i].path = get_text(c);
        problems[i].text = get_text(c);
    }
    return problems;
}

static int finish(const struct cursor *c)
{
    return c->error ? c->error : c->rest.len ? E_TRAILING : 0;
}

int flat_get_advisory(struct advisory *out, struct span bytes, struct arena *arena)
{
    struct cursor c = {.rest = bytes, .arena = arena};
    memset(out, 0, sizeof *out);
    out->id = get_text(&c);
    out->title = get_text(&c);
    out->publisher = get_text(&c);
    out->version = get_text(&c);
    out->modified = get_text(&c);
    out->tlp = (enum tlp)get_u8(&c, TLP_RED + 1);
    out->withdrawn = get_u8(&c, 2) != 0;
    out->contradictory = get_u8(&c, 2) != 0;
    out->aliases = get_texts(&c, &out->alias_count);
    out->undecided = get_texts(&c, &out->undecided_count);
    out->problems = get_problems(&c, &out->problem_count);
    out->packages = get_packages(&c, &out->package_count);
    return finish(&c);
}

static const char *get_problem(struct cursor *c)
{
    struct span text = get_text(c);
    const char *copy = text.len ? arena_text(c->arena, text) : NULL;
    if (text.len && !copy)
        c->error = c->error ? c->error : E_NOMEM;
    return copy;
}

int flat_get_inventory(struct inventory *out, struct span bytes, struct arena *arena)
{
    struct cursor c = {.rest = bytes, .arena = arena};
    static const char *const formats[] = {"cyclonedx", "spdx", "dpkg", "rpm", "apk", "csv"};
    memset(out, 0, sizeof *out);
    struct span format = get_text(&c);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (span_is(format, formats[i]))
            out->format = formats[i];
    if (!c.error && !out->format)
        return E_TYPE;
    out->caveat = get_problem(&c);
    out->twin_count = get_u32(&c);
    struct component *components = get_array(&c, &out->count, COMPONENT_LEAST, sizeof *components);
    if (out->count > COMPONENTS_MAX)
        return E_LIMIT;
    for (size_t i = 0; i < out->count && !c.error; i++) {
        struct component *p = &components[i];
        struct span *const texts[COMPONENT_TEXTS] = {&p->ecosystem,      &p->name,    &p->version, &p->source,
                                                     &p->source_version, &p->purl,    &p->path,    &p->cpe,
                                                     &p->vendor,         &p->product, &p->model};
        for (size_t k = 0; k < COMPONENT_TEXTS; k++)
            *texts[k] = get_text(&c);
        p->problem = get_problem(&c);
        out->problem_count += p->problem != NULL;
    }
    out->components = components;
    return finish(&c);
}

bool flat_take_text(struct span *bytes, struct span *text)
{
    struct cursor c = {.rest = *bytes};
    *text = get_text(&c);
    *bytes = c.rest;
    return !c.error;
}
