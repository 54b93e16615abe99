/* Whatever parses is walked whole: every span it names must be readable, every text valid. */
#include "format/json.h"
#include "fuzz/fuzz.h"

static void walk(const struct json *node, unsigned depth)
{
    if (depth > 70 || !utf8_valid(node->key))
        abort();
    if ((node->type == JSON_STRING || node->type == JSON_NUMBER) &&
        (!utf8_valid(node->text) || (node->text.len && memchr(node->text.data, 0, node->text.len))))
        abort();
    for (uint32_t i = 0; (node->type == JSON_ARRAY || node->type == JSON_OBJECT) && i < node->count; i++)
        walk(&node->child[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    const struct json *root = NULL;
    arena_init(&arena, 16 << 20);
    if (json_parse(&root, span_of(data, size), 1 << 20, &arena, NULL) == 0)
        walk(root, 0);
    arena_free(&arena);
    return 0;
}
