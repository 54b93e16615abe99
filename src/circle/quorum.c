#include <stdlib.h>

#include "circle/roster.h"

struct quorum quorum_for(const struct roster *roster, const struct party *writer)
{
    struct quorum q = {.m = (unsigned)roster->committee_count - (writer && writer->committee ? 1 : 0)};
    if (!q.m)
        return q; /* nothing stands: there is nobody to hold it */
    q.f = (q.m - 1) / 3;
    q.k = (q.m + q.f) / 2 + 1;
    return q;
}

static int by_time(const void *a, const void *b)
{
    const struct cosigner *ca = a, *cb = b;
    return (ca->timestamp > cb->timestamp) - (ca->timestamp < cb->timestamp);
}

static unsigned jurisdictions(const struct cosigner *list, size_t count)
{
    unsigned different = 0;
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++)
            seen = seen || strcmp(list[i].party->card.jurisdiction, list[j].party->card.jurisdiction) == 0;
        different += !seen;
    }
    return different;
}

/* One cosignature a mirror, its earliest; then the least t such that those up to t suffice. */
bool quorum_met(const struct roster *roster, const struct party *writer, const struct cosigner *cosigners, size_t count, int64_t *instant)
{
    struct cosigner list[COMMITTEE_MAX];
    struct quorum q = quorum_for(roster, writer);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;
        while (j < n && list[j].party != cosigners[i].party)
            j++;
        if (j == n && n < COMMITTEE_MAX && cosigners[i].party->committee && cosigners[i].party != writer)
            list[n++] = cosigners[i];
        else if (j < n && cosigners[i].timestamp < list[j].timestamp)
            list[j].timestamp = cosigners[i].timestamp;
    }
    qsort(list, n, sizeof *list, by_time);
    for (size_t i = q.k; q.m && i <= n; i++)
        if (jurisdictions(list, i) >= roster->jurisdictions_min) {
            *instant = list[i - 1].timestamp;
            return true;
        }
    return false;
}
