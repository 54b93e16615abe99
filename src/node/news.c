#include "node/news.h"

#include "node/state.h"

static void flip(bool *seen, bool now, news_visit *visit, void *ctx, enum news on, enum news off, const char *party)
{
    if (*seen != now)
        visit(ctx, now ? on : off, party);
    *seen = now;
}

static bool quorum_lost(const struct node *node)
{
    struct quorum q = quorum_for(node->roster, node->self);
    unsigned answering = 0;
    for (size_t i = 0; i < node->peer_count; i++)
        answering += node->peers[i].is_mirror && !node->peers[i].missing_since_ms;
    return q.m && answering < q.k;
}

void node_news(const struct node *node, struct node_seen *seen, news_visit *visit, void *ctx)
{
    if (!node->roster)
        return;
    if (!seen->begun)
        seen->recovering = !node->recovering;
    seen->begun = true;
    flip(&seen->recovering, node->recovering, visit, ctx, NEWS_RECOVERING, NEWS_RUNNING, NULL);
    flip(&seen->ahead, node->ahead.size != 0, visit, ctx, NEWS_AHEAD, NEWS_AHEAD_OVER, NULL);
    for (size_t i = 0; i < node->peer_count && i < PARTIES_MAX; i++)
        flip(&seen->missing[i], node->peers[i].missing_since_ms != 0, visit, ctx, NEWS_PEER_MISSING, NEWS_PEER_BACK,
             node->peers[i].party->card.name);
    flip(&seen->quorum_lost, quorum_lost(node), visit, ctx, NEWS_QUORUM_LOST, NEWS_QUORUM_BACK, NULL);
    for (size_t i = 0; i < node->log_count && i < PARTIES_MAX; i++)
        if (node->logs[i].two_faces && !seen->faces[i]) {
            seen->faces[i] = true; /* a proof is for ever */
            visit(ctx, NEWS_TWO_FACES, node->logs[i].party->card.name);
        }
}
