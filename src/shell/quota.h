/* What one address may ask of this node: requests by a bucket that fills evenly, and bytes that are under way. Whoever uses up the share
   of one address leaves the others theirs. Pure; of fixed size. */
#ifndef COMITY_SHELL_QUOTA_H
#define COMITY_SHELL_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUOTA_ADDRESSES = 1024 };

struct quota_row {
    uint8_t
        address[16]; /* IPv6, or IPv4 mapped into it; of IPv6 the first 64 bits, which one customer has to himself */
    bool used;
    uint32_t tokens_milli; /* thousandths of a request that may come now */
    int64_t at_ms;         /* when they were counted */
    size_t bytes;          /* under way */
    unsigned users;        /* connections; while there are any the row stays */
    bool known;            /* one of our own peers answers there */
};
struct quota {
    struct quota_row rows[QUOTA_ADDRESSES];
};

/* The row of this address, made when there is none. When all are taken, one with a full bucket and no connection makes room; NULL: there
   is none, so that a flood from everywhere at once is refused rather than forgotten. */
struct quota_row *quota_row(struct quota *quota, const uint8_t address[static 16], int64_t now_ms);
/* One more request? A known peer's bucket fills KNOWN_SHARE times as fast. False: the bucket is empty. */
bool quota_request(struct quota_row *row, int64_t now_ms);
/* More bytes under way? Each true must be followed by quota_give with as many. */
bool quota_take(struct quota_row *row, size_t bytes);
void quota_give(struct quota_row *row, size_t bytes);

#endif
