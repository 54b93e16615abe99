/* Notes and add-checkpoint bodies as they cross between processes: what was read comes back as it was; and of what anybody else writes in
   their place nothing is taken that the body does not say, tried with every bit of it. */
#include <stdlib.h>

#include "record/flat.h"
#include "tests/test.h"

/* Lines that a parser takes; one signature is longer than any of ours. */
static void body_write(struct buf *out, unsigned lines, bool extensions, bool long_line)
{
    struct hash root = {.b = {1, 2, 3}};
    struct public_key key = {.b = {9}};
    struct signature signature = {.b = {4, 5}};
    static uint8_t large[2420 + 4] = {7};
    checkpoint_write_text(out, span_str("example.org/log"), 1234567, &root);
    buf_text(out, extensions ? "extension one\nanother\n" : "");
    buf_byte(out, '\n');
    for (unsigned i = 0; i < lines; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "example.org/key-%u", i);
        if (i % 2)
            note_cosignature_write(out, span_str(name), &key, 1700000000 + i, &signature);
        else
            note_signature_write(out, span_str(name), &key, &signature);
    }
    if (long_line) {
        buf_text(out, "\xe2\x80\x94 quantum ");
        buf_base64(out, span_of(large, sizeof large));
        buf_byte(out, '\n');
    }
}

static bool same_checkpoint(const struct checkpoint *a, const struct note *n, const struct checkpoint *b,
                            const struct note *m)
{
    bool same = span_eq(a->origin, b->origin) && a->size == b->size && hash_eq(&a->root, &b->root) &&
                span_eq(a->extensions, b->extensions) && span_eq(n->text, m->text) && n->count == m->count;
    for (size_t i = 0; same && i < n->count; i++) {
        const struct note_signature *s = &n->signatures[i], *t = &m->signatures[i];
        same = span_eq(s->name, t->name) && span_eq(s->line, t->line) && s->len == t->len &&
               memcmp(s->bytes, t->bytes, s->len) == 0 && (!s->len || s->id == t->id);
    }
    return same;
}

struct read {
    struct checkpoint checkpoint;
    struct note note;
};

/* Every bit of the flat bytes turned, every shorter length: refused, or the same is taken. */
static void lies(struct span body, const struct buf *flat, const struct read *truth)
{
    static struct read lie;
    uint8_t *bytes = malloc(flat->len + 1);
    unsigned taken = 0, refused = 0;
    if (!bytes)
        abort();
    memcpy(bytes, flat->data, flat->len);
    bytes[flat->len] = 0;
    for (size_t bit = 0; bit < 8 * flat->len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int rc = flat_get_checkpoint(&lie.checkpoint, &lie.note, span_of(bytes, flat->len), body);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refused += rc != 0;
        taken += rc == 0;
        if (rc == 0 && !same_checkpoint(&truth->checkpoint, &truth->note, &lie.checkpoint, &lie.note))
            CHECK_INT((int64_t)bit, -1);
    }
    for (size_t len = 0; len <= flat->len + 1; len++)
        if (len != flat->len)
            CHECK_INT(flat_get_checkpoint(&lie.checkpoint, &lie.note, span_of(bytes, len), body), E_PARSER);
    CHECK(refused > 500);
    printf("# %u bits refused, %u without a meaning\n", refused, taken);
    free(bytes);
}

static void checkpoints(void)
{
    static struct read truth, got;
    struct buf body, flat;
    test("a note comes back as it was read, and no bit of its flat form can be turned into another note");
    for (unsigned kind = 0; kind < 8; kind++) {
        buf_init(&body, NOTE_BYTES_MAX);
        buf_init(&flat, 1 << 20);
        body_write(&body, 1 + kind, kind & 1, kind & 2);
        CHECK_INT(checkpoint_parse(&truth.checkpoint, &truth.note, buf_view(&body), NULL), 0);
        flat_put_checkpoint(&flat, &truth.checkpoint, &truth.note);
        CHECK_INT(flat_get_checkpoint(&got.checkpoint, &got.note, buf_view(&flat), buf_view(&body)), 0);
        CHECK(same_checkpoint(&truth.checkpoint, &truth.note, &got.checkpoint, &got.note));
        lies(buf_view(&body), &flat, &truth);
        buf_free(&body);
        buf_free(&flat);
    }
}

/* A body that no parser takes is not taken because somebody describes it well. */
static void described(void)
{
    static struct read truth, got;
    struct buf body, flat;
    test("what is no note is none, however it is described");
    buf_init(&body, NOTE_BYTES_MAX);
    buf_init(&flat, 1 << 20);
    body_write(&body, 2, true, false);
    CHECK_INT(checkpoint_parse(&truth.checkpoint, &truth.note, buf_view(&body), NULL), 0);
    flat_put_checkpoint(&flat, &truth.checkpoint, &truth.note);
    for (size_t at = 0; at < body.len; at++) {
        static const uint8_t others[] = {0, '\n', 0x7f, 0xff, '0'};
        uint8_t kept = body.data[at];
        for (size_t o = 0; o < sizeof others; o++) {
            body.data[at] = others[o];
            int rc = flat_get_checkpoint(&got.checkpoint, &got.note, buf_view(&flat), buf_view(&body));
            static struct read parsed;
            if (rc == 0 && (checkpoint_parse(&parsed.checkpoint, &parsed.note, buf_view(&body), NULL) != 0 ||
                            !same_checkpoint(&parsed.checkpoint, &parsed.note, &got.checkpoint, &got.note)))
                CHECK_INT((int64_t)at, -1);
        }
        body.data[at] = kept;
    }
    buf_free(&body);
    buf_free(&flat);
}

static void requests(void)
{
    static struct add_checkpoint truth, got;
    struct hash proof[PROOF_HASHES_MAX];
    struct buf body, note, flat;
    test("an add-checkpoint body, the same");
    for (size_t count = 0; count <= PROOF_HASHES_MAX; count += 7) {
        buf_init(&body, ADD_CHECKPOINT_BYTES_MAX);
        buf_init(&note, NOTE_BYTES_MAX);
        buf_init(&flat, 1 << 20);
        for (size_t i = 0; i < count; i++)
            memset(proof[i].b, (int)i, sizeof proof[i].b);
        body_write(&note, 2, false, false);
        add_checkpoint_write(&body, count * 1000, proof, count, buf_view(&note));
        CHECK_INT(add_checkpoint_parse(&truth, buf_view(&body), NULL), 0);
        flat_put_add_checkpoint(&flat, &truth);
        CHECK_INT(flat_get_add_checkpoint(&got, buf_view(&flat), buf_view(&body)), 0);
        CHECK(got.old_size == count * 1000 && got.count == count && span_eq(got.note_bytes, buf_view(&note)) &&
              memcmp(got.proof, proof, count * sizeof *proof) == 0 &&
              same_checkpoint(&truth.checkpoint, &truth.note, &got.checkpoint, &got.note));
        size_t head = offsetof(struct flat_add_checkpoint, checkpoint);
        for (size_t bit = 0; bit < 8 * head; bit++) {
            flat.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            int rc = flat_get_add_checkpoint(&got, buf_view(&flat), buf_view(&body));
            flat.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            bool same = rc == 0 && got.old_size == truth.old_size && got.count == count &&
                        memcmp(got.proof, proof, count * sizeof *proof) == 0;
            if (rc == 0 && !same)
                CHECK_INT((int64_t)bit, -1);
        }
        CHECK_INT(flat_get_add_checkpoint(&got, span_of(flat.data, head - 1), buf_view(&body)), E_PARSER);
        buf_free(&body);
        buf_free(&note);
        buf_free(&flat);
    }
}

int main(void)
{
    checkpoints();
    described();
    requests();
    return test_end();
}
