#include "affected/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void lists_free(struct lists *lists)
{
    free(lists->words);
    *lists = (struct lists){0};
}

static unsigned exponent(size_t count)
{
    return count <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(count - 1);
}

static int room_grow(struct lists *lists, size_t need)
{
    size_t cap = lists->cap ? lists->cap : 1024;
    if (lists->used == 0)
        lists->used = 1;
    while (cap - lists->used < need)
        cap += cap / 4 + 1024;
    if (cap > UINT32_MAX)
        return E_LIMIT;
    if (cap == lists->cap)
        return 0;
    uint32_t *words = realloc(lists->words, cap * sizeof *words);
    if (!words)
        return E_NOMEM;
    lists->words = words;
    lists->cap = cap;
    return 0;
}

static int room_take(struct lists *lists, unsigned size, uint32_t *at)
{
    if (size >= 32)
        return E_LIMIT;
    if (lists->free[size]) {
        *at = lists->free[size];
        lists->free[size] = lists->words[*at];
        return 0;
    }
    size_t need = (size_t)1 << size;
    int rc = lists->words && lists->cap - lists->used >= need ? 0 : room_grow(lists, need);
    if (rc)
        return rc;
    *at = (uint32_t)lists->used;
    lists->used += need;
    return 0;
}

static void room_give(struct lists *lists, uint32_t at, unsigned size)
{
    lists->words[at] = lists->free[size];
    lists->free[size] = at;
}

/* Moves the list to the room of another size, when it needs one. */
static int list_fit(struct lists *lists, struct list *list, size_t count)
{
    unsigned old = exponent(list->count), new = exponent(count);
    uint32_t at = 0;
    if (list->count && count && old == new)
        return 0;
    if (count) {
        int rc = room_take(lists, new, &at);
        if (rc)
            return rc;
        memcpy(lists->words + at, lists->words + list->at,
               (list->count < count ? list->count : count) * sizeof *lists->words);
    }
    if (list->count)
        room_give(lists, list->at, old);
    list->at = count ? at : 0;
    return 0;
}

int list_insert_at(struct lists *lists, struct list *list, size_t place, uint32_t value)
{
    int rc = list_fit(lists, list, (size_t)list->count + 1);
    if (rc)
        return rc;
    uint32_t *items = lists->words + list->at;
    memmove(items + place + 1, items + place, (list->count - place) * sizeof *items);
    items[place] = value;
    list->count++;
    return 0;
}

void list_remove_at(struct lists *lists, struct list *list, size_t place)
{
    uint32_t *items = lists->words + list->at;
    memmove(items + place, items + place + 1, (list->count - place - 1) * sizeof *items);
    (void)list_fit(lists, list, list->count - 1u); /* without memory for the smaller room the old one stays */
    list->count--;
}

void list_clear(struct lists *lists, struct list *list)
{
    if (list->count)
        room_give(lists, list->at, exponent(list->count));
    *list = (struct list){0};
}

size_t list_place(const struct lists *lists, struct list list, uint32_t value)
{
    const uint32_t *items = lists->words + list.at;
    size_t low = 0, high = list.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (items[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool list_has(const struct lists *lists, struct list list, uint32_t value)
{
    size_t place = list_place(lists, list, value);
    return place < list.count && lists->words[list.at + place] == value;
}

int list_insert(struct lists *lists, struct list *list, uint32_t value)
{
    size_t place = list_place(lists, *list, value);
    if (place < list->count && lists->words[list->at + place] == value)
        return 0;
    return list_insert_at(lists, list, place, value);
}

void list_remove(struct lists *lists, struct list *list, uint32_t value)
{
    size_t place = list_place(lists, *list, value);
    if (place < list->count && lists->words[list->at + place] == value)
        list_remove_at(lists, list, place);
}

int list_set(struct lists *lists, struct list *list, const uint32_t *items, size_t count)
{
    int rc = count > UINT32_MAX ? E_LIMIT : list_fit(lists, list, count);
    if (rc)
        return rc;
    list->count = (uint32_t)count;
    if (count)
        memcpy(lists->words + list->at, items, count * sizeof *items);
    return 0;
}
