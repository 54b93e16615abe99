#include <stdlib.h>

#include "base/limits.h"
#include "shell/quota.h"
#include "tests/test.h"

static struct quota quota;

static struct quota_row *row_of(unsigned number, int64_t now)
{
    uint8_t address[16] = {(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    return quota_row(&quota, address, now);
}

static unsigned burst(struct quota_row *row, int64_t now)
{
    unsigned n = 0;
    while (quota_request(row, now))
        n++;
    return n;
}

static void buckets(void)
{
    struct quota_row *row = row_of(1, 1000);
    test("a bucket is full at first, and fills evenly");
    CHECK_INT(burst(row, 1000), REQUESTS_PER_ADDRESS_BURST);
    CHECK_INT(burst(row, 1000), 0);
    CHECK_INT(burst(row, 2000), REQUESTS_PER_ADDRESS_SECOND);
    CHECK_INT(burst(row, 2001), REQUESTS_PER_ADDRESS_SECOND / 1000);
    CHECK_INT(burst(row, 1500), 0); /* a clock that goes back gives nothing */
    CHECK_INT(burst(row, 3600000), REQUESTS_PER_ADDRESS_BURST);
    CHECK_INT(burst(row, INT64_MAX), REQUESTS_PER_ADDRESS_BURST);
    test("a known peer's fills faster, to the same height");
    row = row_of(2, 0);
    row->known = true;
    CHECK_INT(burst(row, 0), REQUESTS_PER_ADDRESS_BURST);
    CHECK_INT(burst(row, 100), KNOWN_SHARE * REQUESTS_PER_ADDRESS_SECOND / 10);
    test("another address has its own");
    CHECK(row_of(3, 0) != row && row_of(2, 0) == row);
    CHECK_INT(burst(row_of(3, 0), 0), REQUESTS_PER_ADDRESS_BURST);
}

static void bytes(void)
{
    struct quota_row *row = row_of(1, 0);
    test("bytes under way have their limit");
    CHECK(quota_take(row, ADDRESS_BYTES_MAX - 1) && quota_take(row, 1) && !quota_take(row, 1));
    CHECK(!quota_take(row, SIZE_MAX));
    quota_give(row, 10);
    CHECK(quota_take(row, 10) && !quota_take(row, 1));
    quota_give(row, ADDRESS_BYTES_MAX);
    CHECK_INT(row->bytes, 0);
}

static void room(void)
{
    test("a full table makes room for a new address, but never of one that is under way, known or just asked");
    memset(&quota, 0, sizeof quota);
    for (unsigned i = 0; i < QUOTA_ADDRESSES; i++) {
        struct quota_row *row = row_of(i, 0);
        CHECK(row != NULL);
        if (!row)
            return;
        row->users = i % 4 == 0;
        row->known = i % 4 == 1;
        row->bytes = i % 4 == 2;
        if (i % 4 == 3)
            CHECK(quota_request(row, 0));
    }
    CHECK(row_of(90000, 0) == NULL);
    CHECK(row_of(5, 0) != NULL);
    struct quota_row *made = row_of(90000, 1000);
    CHECK(made && made->users == 0 && !made->known && made->bytes == 0);
    CHECK_INT(burst(made, 1000), REQUESTS_PER_ADDRESS_BURST);
    for (unsigned i = 0; i < QUOTA_ADDRESSES; i++)
        if (i % 4 != 3) {
            const struct quota_row *row = row_of(i, 0);
            CHECK(row && (row->users || row->known || row->bytes));
        }
}

int main(void)
{
    buckets();
    bytes();
    room();
    return test_end();
}
