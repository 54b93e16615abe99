/* What comes from the process that reads documents, were it taken over. The first byte: flat bytes as an advisory or an inventory, or a
   document that is read and flattened first. What is accepted is flattened again to the same bytes. */
#include "format/flat.h"
#include "fuzz/fuzz.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct arena arena;
    uint8_t way = plan_byte(&bytes) % 4;
    arena_init(&arena, 64 << 20);
    if (way == 0)
        advisory_again(bytes, &arena);
    else if (way == 1)
        inventory_again(bytes, &arena);
    else
        read_first(way == 2, bytes, &arena);
    arena_free(&arena);
    return 0;
}
