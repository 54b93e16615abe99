/* Many small lists of numbers in one array: a list is two numbers, its room is the power of two at or above its count, and the array can be
   written out and read back as it is. Pure. */
#ifndef COMITY_AFFECTED_LISTS_H
#define COMITY_AFFECTED_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lists {
    uint32_t *words; /* words[0] belongs to nobody */
    size_t used, cap;
    uint32_t free[32]; /* heads of chains of freed rooms, by the exponent of their size */
};
struct list {
    uint32_t at, count; /* words[at .. at + count) */
};

void lists_free(struct lists *);
static inline const uint32_t *list_items(const struct lists *lists, struct list list)
{
    return lists->words + list.at;
}
/* E_NOMEM, E_LIMIT (2^32 words): the list is as it was. */
int list_insert_at(struct lists *, struct list *, size_t place, uint32_t value);
void list_remove_at(struct lists *, struct list *, size_t place);
void list_clear(struct lists *, struct list *);
/* For lists in ascending order. The place of the first item >= value. */
size_t list_place(const struct lists *, struct list, uint32_t value);
bool list_has(const struct lists *, struct list, uint32_t value);
int list_insert(struct lists *, struct list *, uint32_t value); /* nothing when it is there */
void list_remove(struct lists *, struct list *, uint32_t value);
/* As a whole: the list becomes these items. */
int list_set(struct lists *, struct list *, const uint32_t *items, size_t count);

#endif
