#include "format/cbor.h"

#include "base/limits.h"
#include "base/text.h"

enum major { UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

void cbor_open(struct cbor *c, struct span bytes)
{
    *c = (struct cbor){.rest = bytes};
}

static int poison(struct cbor *c, int code)
{
    if (!c->error)
        c->error = code;
    return c->error;
}

/* One item head: major type and argument, in the shortest form only (RFC 8949 section 4.2.1). Consumes it when it is good. */
static int head(struct cbor *c, enum major *major, uint64_t *argument)
{
    static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000}; /* what needs 1, 2, 4, 8 bytes */
    if (c->error)
        return c->error;
    if (!c->rest.len)
        return poison(c, E_TRUNCATED);
    if (++c->items > CBOR_ITEMS_MAX)
        return poison(c, E_LIMIT);
    unsigned info = c->rest.data[0] & 31;
    size_t more = info < 24 ? 0 : (size_t)1 << (info - 24);
    *major = (enum major)(c->rest.data[0] >> 5);
    if (info > 27)
        return poison(c, info == 31 ? E_CANONICAL : E_SYNTAX);
    if (c->rest.len < 1 + more)
        return poison(c, E_TRUNCATED);
    *argument = more ? 0 : info;
    for (size_t i = 0; i < more; i++)
        *argument = *argument << 8 | c->rest.data[1 + i];
    if (*major == SIMPLE && (more || info < 20 || info > 22))
        return poison(c, E_UNSUPPORTED); /* floats, undefined, unassigned */
    if (more && *argument < least[info - 24])
        return poison(c, E_CANONICAL);
    c->rest = span_from(c->rest, 1 + more);
    return 0;
}

static int expect(struct cbor *c, enum major want, uint64_t *argument)
{
    enum major major;
    struct cbor before = *c;
    int rc = head(c, &major, argument);
    if (rc == 0 && major != want) {
        *c = before;
        rc = poison(c, E_TYPE);
    }
    return rc;
}

int cbor_take_int(struct cbor *c, int64_t *value)
{
    enum major major;
    uint64_t argument;
    int rc = head(c, &major, &argument);
    if (rc)
        return rc;
    if (major > NINT)
        return poison(c, E_TYPE);
    if (argument > INT64_MAX)
        return poison(c, E_LIMIT);
    *value = major == UINT ? (int64_t)argument : -1 - (int64_t)argument;
    return 0;
}

int cbor_take_uint(struct cbor *c, uint64_t *value)
{
    return expect(c, UINT, value);
}

static int string(struct cbor *c, enum major major, struct span *value)
{
    uint64_t len;
    int rc = expect(c, major, &len);
    if (rc)
        return rc;
    if (len > c->rest.len)
        return poison(c, E_TRUNCATED);
    *value = span_of(c->rest.data, (size_t)len);
    c->rest = span_from(c->rest, (size_t)len);
    return 0;
}

static bool text_good(struct span text)
{
    return utf8_valid(text) && !(text.len && memchr(text.data, 0, text.len));
}

int cbor_take_bytes(struct cbor *c, struct span *value)
{
    return string(c, BYTES, value);
}

int cbor_take_text(struct cbor *c, struct span *value)
{
    int rc = string(c, TEXT, value);
    return rc == 0 && !text_good(*value) ? poison(c, E_UTF8) : rc;
}

/* A count can never exceed the bytes left: each item takes at least one. */
static int container(struct cbor *c, enum major major, uint64_t bytes_each, size_t *count)
{
    uint64_t n;
    int rc = expect(c, major, &n);
    if (rc)
        return rc;
    if (n > c->rest.len / bytes_each)
        return poison(c, E_TRUNCATED);
    *count = (size_t)n;
    return 0;
}

int cbor_take_array(struct cbor *c, size_t *count)
{
    return container(c, ARRAY, 1, count);
}

int cbor_take_map(struct cbor *c, size_t *pairs)
{
    return container(c, MAP, 2, pairs);
}

int cbor_take_tag(struct cbor *c, uint64_t *tag)
{
    return expect(c, TAG, tag);
}

bool cbor_peek_null(const struct cbor *c)
{
    return !c->error && c->rest.len && c->rest.data[0] == 0xf6;
}

int cbor_take_null(struct cbor *c)
{
    if (c->error)
        return c->error;
    if (!cbor_peek_null(c))
        return poison(c, c->rest.len ? E_TYPE : E_TRUNCATED);
    c->rest = span_from(c->rest, 1);
    return 0;
}

static int skip(struct cbor *c, unsigned depth);

static int skip_map(struct cbor *c, uint64_t pairs, unsigned depth)
{
    struct span previous = {0};
    for (uint64_t i = 0; i < pairs; i++) {
        struct span start = c->rest;
        int rc = skip(c, depth + 1);
        if (rc == 0)
            rc = cbor_key_order(c, &previous, span_of(start.data, start.len - c->rest.len));
        if (rc == 0)
            rc = skip(c, depth + 1);
        if (rc)
            return rc;
    }
    return 0;
}

static int skip_string(struct cbor *c, enum major major, uint64_t len)
{
    if (len > c->rest.len)
        return poison(c, E_TRUNCATED);
    if (major == TEXT && !text_good(span_of(c->rest.data, (size_t)len)))
        return poison(c, E_UTF8);
    c->rest = span_from(c->rest, (size_t)len);
    return 0;
}

static int skip(struct cbor *c, unsigned depth)
{
    enum major major;
    uint64_t argument;
    if (depth > CBOR_DEPTH_MAX)
        return poison(c, E_LIMIT);
    int rc = head(c, &major, &argument);
    if (rc)
        return rc;
    if (major == BYTES || major == TEXT)
        return skip_string(c, major, argument);
    if (major == MAP)
        return argument > c->rest.len / 2 ? poison(c, E_TRUNCATED) : skip_map(c, argument, depth);
    if (major == TAG)
        return skip(c, depth + 1);
    if (major == ARRAY) {
        if (argument > c->rest.len)
            return poison(c, E_TRUNCATED);
        for (uint64_t i = 0; i < argument && rc == 0; i++)
            rc = skip(c, depth + 1);
    }
    return rc;
}

int cbor_skip(struct cbor *c, struct span *item)
{
    struct span start = c->rest;
    int rc = skip(c, 0);
    if (rc == 0 && item)
        *item = span_of(start.data, start.len - c->rest.len);
    return rc;
}

int cbor_end(struct cbor *c)
{
    if (c->error)
        return c->error;
    return c->rest.len ? poison(c, E_TRAILING) : 0;
}

int cbor_key_order(struct cbor *c, struct span *previous, struct span key)
{
    if (c->error)
        return c->error;
    if (previous->data) {
        int order = span_compare(*previous, key);
        if (order >= 0)
            return poison(c, order == 0 ? E_DUPLICATE : E_CANONICAL);
    }
    *previous = key;
    return 0;
}

int cbor_take_key(struct cbor *c, struct span *previous, int64_t *key)
{
    struct span start = c->rest;
    int rc = cbor_take_int(c, key);
    return rc ? rc : cbor_key_order(c, previous, span_of(start.data, start.len - c->rest.len));
}

int cbor_check(struct span bytes)
{
    struct cbor c;
    cbor_open(&c, bytes);
    int rc = cbor_skip(&c, NULL);
    return rc ? rc : cbor_end(&c);
}

static void put_head(struct buf *out, enum major major, uint64_t argument)
{
    uint8_t lead = (uint8_t)(major << 5);
    unsigned bytes = argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x10000 ? 2 : argument < 0x100000000 ? 4 : 8;
    unsigned info = bytes == 0 ? (unsigned)argument : bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27;
    buf_byte(out, (uint8_t)(lead | info));
    for (unsigned i = bytes; i-- > 0;)
        buf_byte(out, (uint8_t)(argument >> (8 * i)));
}

void cbor_put_uint(struct buf *out, uint64_t value)
{
    put_head(out, UINT, value);
}

void cbor_put_int(struct buf *out, int64_t value)
{
    if (value >= 0)
        put_head(out, UINT, (uint64_t)value);
    else
        put_head(out, NINT, (uint64_t)(-1 - value));
}

void cbor_put_bytes(struct buf *out, struct span value)
{
    put_head(out, BYTES, value.len);
    buf_span(out, value);
}

void cbor_put_text(struct buf *out, struct span value)
{
    put_head(out, TEXT, value.len);
    buf_span(out, value);
}

void cbor_put_array(struct buf *out, size_t count)
{
    put_head(out, ARRAY, count);
}

void cbor_put_map(struct buf *out, size_t pairs)
{
    put_head(out, MAP, pairs);
}

void cbor_put_tag(struct buf *out, uint64_t tag)
{
    put_head(out, TAG, tag);
}

void cbor_put_null(struct buf *out)
{
    buf_byte(out, 0xf6);
}
