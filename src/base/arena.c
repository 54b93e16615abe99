#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

enum { BLOCK_BYTES = 16384, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(ALIGN) uint8_t bytes[];
};

void arena_init(struct arena *arena, size_t max_bytes)
{
    *arena = (struct arena){.max = max_bytes};
}

void arena_free(struct arena *arena)
{
    for (struct arena_block *block = arena->head, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->head = NULL;
    arena->used = 0;
}

static struct arena_block *block_add(struct arena *arena, size_t need)
{
    size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (!block) {
        memory_exhausted();
        arena->exhausted = true;
        return NULL;
    }
    block->size = size;
    block->next = arena->head;
    arena->head = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGN || size > arena->max)
        return NULL;
    size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (need > arena->max - arena->used)
        return NULL;
    struct arena_block *block = arena->head;
    if (!block || block->size - block->used < need)
        block = block_add(arena, need);
    if (!block)
        return NULL;
    void *result = block->bytes + block->used;
    block->used += need;
    arena->used += need;
    return result;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : arena_alloc(arena, total);
}

struct span arena_copy(struct arena *arena, struct span bytes)
{
    uint8_t *copy = arena_alloc(arena, bytes.len + 1);
    if (!copy)
        return span_of(NULL, 0);
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return span_of(copy, bytes.len);
}

char *arena_text(struct arena *arena, struct span text)
{
    return (char *)(uintptr_t)arena_copy(arena, text).data;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : arena_alloc(arena, (size_t)n + 1);
    if (text)
        (void)vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}
