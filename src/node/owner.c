/* What the owner does with the party as a whole. */
#include "node/state.h"

/* The journal remembers when there was last a copy; whoever restores one older than that knows what it lacks. */
int backed_up(struct node *node, const struct event *event)
{
    char id[65];
    int64_t seq;
    hash_hex(&event->hash, id);
    int rc = write_begin(node);
    if (rc == 0)
        rc = node->env.store->ops->journal_append(node->env.store, now_seconds(node), span_str("backup"), span_str(id),
                                                  event->body, &seq);
    if (rc == 0 || rc == E_EXISTS)
        reply(node, event->token, 201, "application/json", "{\"recorded\":true}\n");
    return rc == E_EXISTS ? 0 : rc;
}
