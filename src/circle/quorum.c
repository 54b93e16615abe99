#include <stdlib.h>

#include "base/mutant.h"
#include "circle/roster.h"

struct quorum quorum_for(const struct roster *roster, const struct party *writer)
{
    struct quorum q = {.m = (unsigned)roster->committee_count - (writer && writer->committee ? 1 : 0)};
    if (!q.m)
        return q; /* nothing stands: there is nobody to hold it */
    q.f = (q.m - 1) / 3;
    q.k = (q.m + q.f) / 2 + (MUTANT(QUORUM_LESS) ? 0 : 1);
    return q;
}

static int by_time(const void *a, const void *b)
{
    const struct cosigner *ca = a, *cb = b;
    return (ca->timestamp > cb->timestamp) - (ca->timestamp < cb->timestamp);
}

static uint8_t fold_case(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); /* never by the locale: every node must count alike */
}

static bool same_jurisdiction(const struct party *a, const struct party *b)
{
    const char *x = a->card.jurisdiction, *y = b->card.jurisdiction;
    while (*x && fold_case(*x) == fold_case(*y)) {
        x++;
        y++;
    }
    return fold_case(*x) == fold_case(*y);
}

static unsigned jurisdictions(const struct cosigner *list, size_t count)
{
    unsigned different = 0;
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++)
            seen = seen || same_jurisdiction(list[i].party, list[j].party);
        different += !seen;
    }
    return different;
}

unsigned roster_jurisdictions(const struct roster *roster, const struct party *writer)
{
    struct cosigner all[COMMITTEE_MAX];
    size_t count = 0;
    for (size_t i = 0; i < roster->count && count < COMMITTEE_MAX; i++)
        if (roster->parties[i].committee && &roster->parties[i] != writer)
            all[count++] = (struct cosigner){.party = &roster->parties[i]};
    return jurisdictions(all, count);
}

/* One cosignature a mirror, its earliest; then the least t such that those up to t suffice. */
bool quorum_met(const struct roster *roster, const struct party *writer, const struct cosigner *cosigners, size_t count,
                int64_t *instant)
{
    struct cosigner list[COMMITTEE_MAX];
    struct quorum q = quorum_for(roster, writer);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;
        while (j < n && (list[j].party != cosigners[i].party || MUTANT(QUORUM_TWICE)))
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
