/* What cbor_check takes, taking and putting item by item must give back byte for byte: there is one encoding of each value. */
#include "base/limits.h"
#include "format/cbor.h"
#include "fuzz/mutate_cbor.h"

static void copy_item(struct cbor *c, struct buf *out);

static void copy_items(struct cbor *c, struct buf *out, size_t count)
{
    for (size_t i = 0; i < count && !c->error; i++)
        copy_item(c, out);
}

static void copy_string(struct cbor *c, struct buf *out, bool text)
{
    struct span value;
    if (text ? cbor_take_text(c, &value) == 0 : cbor_take_bytes(c, &value) == 0)
        text ? cbor_put_text(out, value) : cbor_put_bytes(out, value);
}

static void copy_integer(struct cbor *c, struct buf *out)
{
    struct cbor before = *c;
    struct span raw;
    int64_t value;
    uint64_t large;
    if (cbor_take_int(c, &value) == 0) {
        cbor_put_int(out, value);
        return;
    }
    *c = before;
    if (cbor_take_uint(c, &large) == 0) {
        cbor_put_uint(out, large);
        return;
    }
    *c = before; /* below int64: no value of ours, but well-formed */
    if (cbor_skip(c, &raw) == 0)
        buf_span(out, raw);
}

static void copy_item(struct cbor *c, struct buf *out)
{
    unsigned major = c->rest.len ? c->rest.data[0] >> 5 : 8;
    struct span raw;
    size_t count;
    uint64_t tag;
    switch (major) {
    case 0:
    case 1:
        copy_integer(c, out);
        break;
    case 2:
    case 3:
        copy_string(c, out, major == 3);
        break;
    case 4:
        if (cbor_take_array(c, &count) == 0) {
            cbor_put_array(out, count);
            copy_items(c, out, count);
        }
        break;
    case 5:
        if (cbor_take_map(c, &count) == 0) {
            cbor_put_map(out, count);
            copy_items(c, out, count * 2);
        }
        break;
    case 6:
        if (cbor_take_tag(c, &tag) == 0) {
            cbor_put_tag(out, tag);
            copy_item(c, out);
        }
        break;
    default:
        if (cbor_skip(c, &raw) == 0)
            buf_span(out, raw);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cbor c;
    struct buf out;
    if (cbor_check(span_of(data, size)) != 0)
        return 0;
    buf_init(&out, size + 1);
    cbor_open(&c, span_of(data, size));
    copy_item(&c, &out);
    if (cbor_end(&c) != 0 || out.error || !span_eq(buf_view(&out), span_of(data, size)))
        abort();
    buf_free(&out);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return cbor_mutator(data, size, max, seed);
}
