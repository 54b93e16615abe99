/* What an owner wants to hear of when it changes, for the node's log. Pure. */
#ifndef COMITY_NODE_NEWS_H
#define COMITY_NODE_NEWS_H

#include "base/limits.h"
#include "node/engine.h"

enum news {
    NEWS_RECOVERING,   /* the node signs nothing */
    NEWS_RUNNING,      /* it signs again */
    NEWS_PEER_MISSING, /* `party` does not answer */
    NEWS_PEER_BACK,
    NEWS_QUORUM_LOST, /* so many mirrors are missing that nothing new stands */
    NEWS_QUORUM_BACK,
    NEWS_AHEAD, /* the signer has signed what nobody holds */
    NEWS_AHEAD_OVER,
    NEWS_TWO_FACES /* `party`'s log was proven to have signed two trees */
};
/* What was told last; all zero before the first call. Peers and logs by their place in the node. */
struct node_seen {
    bool begun, recovering, quorum_lost, ahead;
    bool missing[PARTIES_MAX], faces[PARTIES_MAX];
};
typedef void news_visit(void *ctx, enum news news, const char *party); /* party: NULL where none is meant */

/* Calls `visit` for each change since the last call. The first call tells whether the node recovers or runs. */
void node_news(const struct node *node, struct node_seen *seen, news_visit *visit, void *ctx);

#endif
