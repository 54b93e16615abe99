/* Paths of tiles and entry bundles (c2sp tlog-tiles, "Merkle Tree"). */
#include <stdio.h>

#include "base/text.h"
#include "record/tree.h"

void tile_path(char out[static 64], int level, uint64_t index, unsigned width)
{
    uint64_t groups[7];
    int count = 0;
    do {
        groups[count++] = index % 1000;
        index /= 1000;
    } while (index && count < 7);
    int n = level < 0 ? snprintf(out, 64, "tile/entries") : snprintf(out, 64, "tile/%d", level);
    while (count-- > 0)
        n += snprintf(out + n, 64 - (size_t)n, count ? "/x%03u" : "/%03u", (unsigned)groups[count]);
    if (width < TILE_WIDTH)
        (void)snprintf(out + n, 64 - (size_t)n, ".p/%u", width);
}

static bool part_cut(struct span *rest, struct span *part)
{
    if (!rest->len)
        return false;
    const uint8_t *slash = memchr(rest->data, '/', rest->len);
    *part = slash ? span_of(rest->data, (size_t)(slash - rest->data)) : *rest;
    *rest = span_from(*rest, part->len + 1);
    return true;
}

static bool group_parse(struct span digits, uint64_t *index)
{
    if (digits.len != 3)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
    unsigned value = (digits.data[0] - '0') * 100u + (digits.data[1] - '0') * 10u + (unsigned)(digits.data[2] - '0');
    return !__builtin_mul_overflow(*index, 1000, index) && !__builtin_add_overflow(*index, value, index);
}

int tile_path_parse(struct span path, int *level, uint64_t *index, unsigned *width)
{
    struct span part, rest = span_from(path, 5);
    uint64_t number;
    char canonical[64];
    if (!span_starts(path, "tile/") || path.len >= sizeof canonical || !part_cut(&rest, &part))
        return E_SYNTAX;
    if (span_is(part, "entries"))
        *level = -1;
    else if (decimal_parse(part, &number) && number <= 63)
        *level = (int)number;
    else
        return E_SYNTAX;
    *index = 0;
    *width = TILE_WIDTH;
    while (part_cut(&rest, &part) && part.len == 4 && part.data[0] == 'x')
        if (!group_parse(span_from(part, 1), index))
            return E_SYNTAX;
    if (part.len == 5 && memcmp(part.data + 3, ".p", 2) == 0) {
        struct span digits;
        if (!part_cut(&rest, &digits) || !decimal_parse(digits, &number) || number < 1 || number >= TILE_WIDTH)
            return E_SYNTAX;
        *width = (unsigned)number;
        part.len = 3;
    }
    if (!group_parse(part, index) || *index > INT64_MAX)
        return E_SYNTAX;
    tile_path(canonical, *level, *index, *width); /* refuses superfluous groups such as x000/001 */
    return span_is(path, canonical) ? 0 : E_CANONICAL;
}
