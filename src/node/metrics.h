/* What a monitoring system asks: is this node well, and its figures as Prometheus text (exposition format 0.0.4). Pure. No name of an
   inventory, component or notice is in them: figures may be read by machines that those must not reach. */
#ifndef COMITY_NODE_METRICS_H
#define COMITY_NODE_METRICS_H

#include "node/engine.h"

enum listener { LISTENER_PUBLIC, LISTENER_PRIVATE, LISTENER_METRICS, LISTENERS_ };
enum { HTTP_CODES = 600, COMMIT_BUCKETS = 13, METRIC_CHANNELS_MAX = CHANNEL_KINDS, METRICS_BYTES_MAX = 1 << 20 };

/* Counted by the shell since the node's process started; all of it zero at first. */
struct shell_counters {
    uint64_t answers[LISTENERS_][HTTP_CODES];
    uint64_t commits[COMMIT_BUCKETS + 1]; /* by the bucket that each falls in; the last: slower than all */
    double commit_seconds;
    struct {
        const char *name; /* of the kind, whatever the addresses; NULL: no such channel */
        uint64_t taken, refused, pending;
    } channels[METRIC_CHANNELS_MAX];
    uint64_t connections, body_bytes; /* of HTTP, now */
    uint64_t restarts;                /* of the node's process by its supervisor */
    int64_t started_ms;
    uint64_t resident_bytes;
    double cpu_seconds;
};
void counters_commit(struct shell_counters *counters, double seconds);

void node_metrics(struct node *node, const struct shell_counters *counters, struct buf *out);
/* Is the node well? If not, `reason` says why, in words that anybody may read. */
bool node_health(const struct node *node, const char **reason);

#endif
