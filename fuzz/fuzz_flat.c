/* What comes from the process that reads documents, were it taken over. The first byte: flat bytes as an advisory or an inventory, or a
   document that is read and flattened first. What is accepted is flattened again to the same bytes. From 0xf0 on: bodies of peers. */
#include "format/flat.h"
#include "circle/faces.h"
#include "fuzz/fuzz.h"
#include "record/flat.h"

static void touch_all(const struct span *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        touch(list[i]);
}

static void advisory_again(struct span bytes, struct arena *arena)
{
    struct advisory a;
    struct buf out;
    if (flat_get_advisory(&a, bytes, arena) != 0)
        return;
    touch_all(a.aliases, a.alias_count);
    touch_all(a.undecided, a.undecided_count);
    for (size_t i = 0; i < a.problem_count; i++) {
        touch(a.problems[i].path);
        touch(a.problems[i].text);
    }
    buf_init(&out, bytes.len + 1);
    flat_put_advisory(&out, &a);
    same(&out, bytes);
    buf_free(&out);
}

static void inventory_again(struct span bytes, struct arena *arena)
{
    struct inventory inventory;
    struct buf out;
    if (flat_get_inventory(&inventory, bytes, arena) != 0)
        return;
    for (size_t i = 0; i < inventory.count; i++)
        touch(inventory.components[i].name);
    buf_init(&out, bytes.len + 1);
    flat_put_inventory(&out, &inventory);
    same(&out, bytes);
    buf_free(&out);
}

static void read_first(bool advisory, struct span document, struct arena *arena)
{
    struct advisory a;
    struct inventory inventory;
    struct buf flat;
    buf_init(&flat, 16 << 20);
    if (advisory &&
        (advisory_read_csaf(&a, document, arena, NULL) == 0 || advisory_read_osv(&a, document, arena, NULL) == 0 ||
         advisory_read_cve(&a, document, arena, NULL) == 0)) {
        flat_put_advisory(&flat, &a);
        must(!flat.error && flat_get_advisory(&a, buf_view(&flat), arena) == 0);
        advisory_again(buf_view(&flat), arena);
    }
    if (!advisory && inventory_read(&inventory, document, span_of(NULL, 0), arena, NULL) == 0) {
        flat_put_inventory(&flat, &inventory);
        must(!flat.error && flat_get_inventory(&inventory, buf_view(&flat), arena) == 0);
        inventory_again(buf_view(&flat), arena);
    }
    buf_free(&flat);
}

/* Bodies: what is accepted in the flat form is what reading the body gives. */

struct body {
    struct add_checkpoint request;
    struct faces_proof proof;
};

static bool same_note(const struct add_checkpoint *a, const struct add_checkpoint *b)
{
    bool good = span_eq(a->checkpoint.origin, b->checkpoint.origin) && a->checkpoint.size == b->checkpoint.size &&
                hash_eq(&a->checkpoint.root, &b->checkpoint.root) &&
                span_eq(a->checkpoint.extensions, b->checkpoint.extensions) && span_eq(a->note.text, b->note.text) &&
                a->note.count == b->note.count;
    for (size_t i = 0; good && i < a->note.count; i++)
        good = span_eq(a->note.signatures[i].line, b->note.signatures[i].line) &&
               span_eq(a->note.signatures[i].name, b->note.signatures[i].name) &&
               a->note.signatures[i].len == b->note.signatures[i].len &&
               memcmp(a->note.signatures[i].bytes, b->note.signatures[i].bytes, a->note.signatures[i].len) == 0;
    return good;
}

/* Two bytes say which byte of the flat form is changed, a third how. */
static void note_crosses(bool request, struct span bytes)
{
    static struct body truth, got;
    struct buf flat;
    size_t at = (size_t)plan_byte(&bytes) << 8;
    at |= plan_byte(&bytes);
    uint8_t change = plan_byte(&bytes);
    memset(&truth, 0, sizeof truth);
    memset(&got, 0, sizeof got);
    int rc = request ? add_checkpoint_parse(&truth.request, bytes, NULL)
                     : checkpoint_parse(&truth.request.checkpoint, &truth.request.note, bytes, NULL);
    if (rc)
        return;
    buf_init(&flat, 1 << 20);
    if (request)
        flat_put_add_checkpoint(&flat, &truth.request);
    else
        flat_put_checkpoint(&flat, &truth.request.checkpoint, &truth.request.note);
    for (int round = 0; round < 2; round++) {
        rc = request ? flat_get_add_checkpoint(&got.request, buf_view(&flat), bytes)
                     : flat_get_checkpoint(&got.request.checkpoint, &got.request.note, buf_view(&flat), bytes);
        must(rc == 0 || (round && rc == E_PARSER));
        must(rc || (same_note(&truth.request, &got.request) && truth.request.old_size == got.request.old_size &&
                    truth.request.count == got.request.count));
        flat.data[at % flat.len] ^= change;
    }
    buf_free(&flat);
}

/* Both sides made up: two bytes of length, the flat form, the body. */
static void note_made_up(struct span bytes)
{
    static struct body truth, got;
    size_t len = (size_t)plan_byte(&bytes) << 8;
    len |= plan_byte(&bytes);
    len = len < bytes.len ? len : bytes.len;
    struct span body = span_from(bytes, len);
    if (flat_get_checkpoint(&got.request.checkpoint, &got.request.note, span_of(bytes.data, len), body) == 0)
        must(checkpoint_parse(&truth.request.checkpoint, &truth.request.note, body, NULL) == 0 &&
             same_note(&truth.request, &got.request));
}

static void faces_cross(struct span bytes, struct arena *arena)
{
    static struct body body;
    struct buf flat;
    buf_init(&flat, 1 << 20);
    if (faces_read(&body.proof, bytes, arena, NULL) == 0) {
        faces_flat_put(&flat, &body.proof);
        bytes = buf_view(&flat);
        must(faces_flat_get(&body.proof, bytes) == 0);
    }
    if (faces_flat_get(&body.proof, bytes) == 0) {
        struct buf again;
        touch(body.proof.first);
        touch(body.proof.second);
        buf_init(&again, bytes.len + 1);
        faces_flat_put(&again, &body.proof);
        same(&again, bytes);
        buf_free(&again);
    }
    buf_free(&flat);
}

enum { BODIES = 0xf0 };

static void body_crosses(uint8_t way, struct span bytes, struct arena *arena)
{
    if (way == BODIES || way == BODIES + 1)
        note_crosses(way != BODIES, bytes);
    else if (way == BODIES + 2)
        note_made_up(bytes);
    else
        faces_cross(bytes, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct arena arena;
    uint8_t first = plan_byte(&bytes), way = first % 4;
    arena_init(&arena, 64 << 20);
    if (first >= BODIES)
        body_crosses(first, bytes, &arena);
    else if (way == 0)
        advisory_again(bytes, &arena);
    else if (way == 1)
        inventory_again(bytes, &arena);
    else
        read_first(way == 2, bytes, &arena);
    arena_free(&arena);
    return 0;
}
