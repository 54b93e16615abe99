#include "shell/quota.h"

#include <string.h>

#include "base/limits.h"

enum { MILLI = 1000 };

static void fill(struct quota_row *row, int64_t now_ms)
{
    const uint64_t full = (uint64_t)REQUESTS_PER_ADDRESS_BURST * MILLI;
    const uint64_t rate = (uint64_t)REQUESTS_PER_ADDRESS_SECOND * (row->known ? KNOWN_SHARE : 1);
    int64_t passed = now_ms > row->at_ms ? now_ms - row->at_ms : 0;
    /* REQUESTS_PER_ADDRESS_SECOND a second is as many thousandths a millisecond. */
    uint64_t tokens = row->tokens_milli + (passed > 60000 ? full : (uint64_t)passed * rate);
    row->tokens_milli = (uint32_t)(tokens < full ? tokens : full);
    row->at_ms = now_ms > row->at_ms ? now_ms : row->at_ms;
}

static bool idle(struct quota_row *row, int64_t now_ms)
{
    if (row->users || row->bytes || row->known)
        return false;
    fill(row, now_ms);
    return row->tokens_milli == (uint32_t)REQUESTS_PER_ADDRESS_BURST * MILLI;
}

struct quota_row *quota_row(struct quota *quota, const uint8_t address[static 16], int64_t now_ms)
{
    struct quota_row *room = NULL;
    for (size_t i = 0; i < QUOTA_ADDRESSES; i++) {
        struct quota_row *row = &quota->rows[i];
        if (row->used && memcmp(row->address, address, sizeof row->address) == 0)
            return row;
        if (!row->used && (!room || room->used))
            room = row;
    }
    for (size_t i = 0; !room && i < QUOTA_ADDRESSES; i++)
        if (idle(&quota->rows[i], now_ms))
            room = &quota->rows[i];
    if (!room)
        return NULL;
    *room =
        (struct quota_row){.used = true, .at_ms = now_ms, .tokens_milli = (uint32_t)REQUESTS_PER_ADDRESS_BURST * MILLI};
    memcpy(room->address, address, sizeof room->address);
    return room;
}

bool quota_request(struct quota_row *row, int64_t now_ms)
{
    fill(row, now_ms);
    if (row->tokens_milli < MILLI)
        return false;
    row->tokens_milli -= MILLI;
    return true;
}

bool quota_take(struct quota_row *row, size_t bytes)
{
    if (bytes > ADDRESS_BYTES_MAX - row->bytes)
        return false;
    row->bytes += bytes;
    return true;
}

void quota_give(struct quota_row *row, size_t bytes)
{
    row->bytes -= bytes;
}
