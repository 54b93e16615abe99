#include "node/chunks.h"

void chunks_open(struct chunks *chunks, struct store *store, struct span space)
{
    *chunks = (struct chunks){.store = store, .space = space};
    buf_init(&chunks->buf, CHUNK_BYTES);
}

void chunks_close(struct chunks *chunks)
{
    buf_free(&chunks->buf);
}

static struct span key_of(uint32_t number, uint8_t out[static 4])
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(number >> (24 - 8 * i));
    return span_of(out, 4);
}

static int row_put(struct chunks *c)
{
    uint8_t number[4];
    struct span key = key_of(c->next, number);
    struct buf sealed;
    if (!c->key)
        return c->store->ops->kept_put(c->store, c->space, key, buf_view(&c->buf));
    buf_init(&sealed, CHUNK_BYTES + STORAGE_OVERHEAD_BYTES);
    storage_seal(c->key, key, buf_view(&c->buf), &sealed);
    int rc = sealed.error ? sealed.error : c->store->ops->kept_put(c->store, c->space, key, buf_view(&sealed));
    buf_free(&sealed);
    return rc;
}

static int row_get(struct chunks *c)
{
    uint8_t number[4];
    struct span key = key_of(c->next, number);
    struct buf sealed;
    if (!c->key)
        return c->store->ops->kept_get(c->store, c->space, key, &c->buf);
    buf_init(&sealed, CHUNK_BYTES + STORAGE_OVERHEAD_BYTES);
    int rc = c->store->ops->kept_get(c->store, c->space, key, &sealed);
    rc = rc ? rc : storage_open(c->key, key, buf_view(&sealed), &c->buf);
    buf_free(&sealed);
    return rc;
}

static int chunk_put(struct chunks *c)
{
    const struct store_ops *ops = c->store->ops;
    int rc = c->buf.error ? c->buf.error : row_put(c);
    buf_reset(&c->buf);
    if (rc == 0 && ++c->next % CHUNKS_A_COMMIT == 0) { /* so that the write-ahead log stays small */
        rc = ops->commit(c->store);
        rc = rc ? rc : ops->begin(c->store);
    }
    return rc;
}

int chunks_write(void *ctx, struct span bytes)
{
    struct chunks *c = ctx;
    int rc = 0;
    c->bytes += bytes.len;
    while (bytes.len && rc == 0) {
        size_t room = CHUNK_BYTES - c->buf.len, n = bytes.len < room ? bytes.len : room;
        buf_add(&c->buf, bytes.data, n);
        bytes = span_from(bytes, n);
        if (c->buf.error || c->buf.len == CHUNK_BYTES)
            rc = chunk_put(c);
    }
    return rc;
}

int chunks_end(struct chunks *c)
{
    return c->buf.len ? chunk_put(c) : 0;
}

int chunks_read(void *ctx, void *to, size_t len)
{
    struct chunks *c = ctx;
    uint8_t *out = to;
    while (len) {
        if (c->at == c->buf.len) {
            buf_reset(&c->buf);
            c->at = 0;
            int rc = row_get(c);
            c->next++;
            if (rc || !c->buf.len)
                return rc && rc != E_NOTFOUND && rc != E_LIMIT ? rc : E_CORRUPT;
        }
        size_t left = c->buf.len - c->at, n = len < left ? len : left;
        memcpy(out, c->buf.data + c->at, n);
        c->at += n;
        c->bytes += n;
        out += n;
        len -= n;
    }
    return 0;
}
