#include "store/wal.h"

#include <stdio.h>
#include <string.h>

struct sum {
    uint32_t a, b;
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void sum_add(struct sum *sum, const uint8_t *bytes, size_t len, bool big_endian)
{
    for (size_t i = 0; i < len; i += 8) {
        sum->a += (big_endian ? be32(bytes + i) : le32(bytes + i)) + sum->b;
        sum->b += (big_endian ? be32(bytes + i + 4) : le32(bytes + i + 4)) + sum->a;
    }
}

static bool sum_is(const struct sum *sum, const uint8_t *stored)
{
    return be32(stored) == sum->a && be32(stored + 4) == sum->b;
}

enum { WAL_MAGIC_LITTLE = 0x377f0682, WAL_MAGIC_BIG = 0x377f0683, WAL_VERSION = 3007000 };

static bool header_good(const uint8_t *wal)
{
    struct sum sum = {0};
    uint32_t magic = be32(wal);
    if ((magic != WAL_MAGIC_LITTLE && magic != WAL_MAGIC_BIG) || be32(wal + 4) != WAL_VERSION ||
        be32(wal + 8) != WAL_PAGE)
        return false;
    sum_add(&sum, wal, 24, magic == WAL_MAGIC_BIG);
    return sum_is(&sum, wal + 24);
}

struct reader {
    const uint8_t *salts; /* the header's */
    bool big_endian;
};

/* `sum` is the one before the frame, and becomes the one behind it. */
static bool frame_good(const struct reader *reader, const uint8_t *frame, struct sum *sum)
{
    sum_add(sum, frame, 8, reader->big_endian);
    sum_add(sum, frame + WAL_FRAME_HEADER, WAL_PAGE, reader->big_endian);
    return memcmp(frame + 8, reader->salts, 8) == 0 && sum_is(sum, frame + 16);
}

static bool header_mend(uint8_t *wal)
{
    for (size_t bit = 0; bit < WAL_HEADER * 8; bit++) {
        wal[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (header_good(wal))
            return true;
        wal[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    return false;
}

/* One wrong bit is found by trying: the checksum of 64 bits leaves no room for a second answer. */
static bool frame_mend(const struct reader *reader, uint8_t *frame, const struct sum *before)
{
    for (size_t bit = 0; bit < WAL_FRAME * 8; bit++) {
        struct sum sum = *before;
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (frame_good(reader, frame, &sum))
            return true;
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    return false;
}

static bool salts_near(const struct reader *reader, const uint8_t *frame)
{
    int bits = 0;
    for (int i = 0; i < 8; i++)
        bits += __builtin_popcount(reader->salts[i] ^ frame[8 + i]);
    return bits <= 1; /* an older log's differ in many */
}

void wal_read(struct buf *wal, size_t *frames, struct findings *findings, const char *place)
{
    char where[160];
    *frames = 0;
    if (wal->len < WAL_HEADER)
        return;
    if (!header_good(wal->data)) {
        bool mended = header_mend(wal->data);
        findings_add(findings, place,
                     mended ? "one bit of the header is wrong: SQLite would ignore all of it"
                            : "the header fails its checksum: SQLite ignores all of it");
        if (!mended)
            return;
    }
    struct reader reader = {.salts = wal->data + 16, .big_endian = be32(wal->data) == WAL_MAGIC_BIG};
    struct sum sum = {be32(wal->data + 24), be32(wal->data + 28)};
    size_t count = (wal->len - WAL_HEADER) / WAL_FRAME;
    for (size_t i = 0; i < count; i++) {
        uint8_t *frame = wal->data + WAL_HEADER + i * WAL_FRAME;
        struct sum before = sum;
        if (frame_good(&reader, frame, &sum)) {
            *frames = i + 1;
            continue;
        }
        if (!salts_near(&reader, frame))
            return;
        bool mended = frame_mend(&reader, frame, &before);
        (void)snprintf(where, sizeof where, "%.120s: frame %zu", place, i + 1);
        findings_add(findings, where,
                     mended          ? "one bit is wrong: SQLite would drop it and all behind it"
                     : i + 1 < count ? "fails its checksum: SQLite drops it and all behind it"
                                     : "fails its checksum: a write that was cut off, or damage");
        if (!mended)
            return;
        sum = (struct sum){be32(frame + 16), be32(frame + 20)};
        *frames = i + 1;
    }
}
