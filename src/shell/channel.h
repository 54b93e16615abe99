/* Whole messages over a socketpair between two of the node's processes: a fixed struct, then bytes, both of a length that the kind of
   message limits. Nothing waits: what does not fit into the socket is queued, and the loop writes on when it can. */
#ifndef COMITY_SHELL_CHANNEL_H
#define COMITY_SHELL_CHANNEL_H

#include "base/buf.h"

struct message_shape { /* of one kind */
    size_t fixed;      /* bytes of its struct */
    size_t body_max;
};
struct channel {
    int fd;                            /* -1: there is nobody */
    const struct message_shape *takes; /* kinds that may come, by number; a kind with fixed = 0 may not */
    unsigned kinds;
    /* what is being read */
    struct frame {
        uint32_t kind, reserved;
        uint64_t body;
    } frame;
    size_t got; /* of frame, struct and body together */
    uint8_t fixed[2048];
    struct buf body;
    /* what waits to be written */
    struct outbound *first, **last;
    size_t queued; /* bytes */
};
/* Called for each message that came whole. `fixed` is of the kind's size, at least as aligned as malloc's; the body may be taken over
   (then put an empty one in its place). */
typedef void channel_visit(void *ctx, uint32_t kind, const void *fixed, struct buf *body);

void channel_open(struct channel *channel, int fd, const struct message_shape *takes, unsigned kinds);
void channel_close(struct channel *channel); /* drops what is queued; accepts a closed one */
/* Takes `body` over (may be NULL). Without memory the process ends: it could not go on. */
void channel_send(struct channel *channel, uint32_t kind, const void *fixed, size_t fixed_size, struct buf *body);
/* Hands over at most `most` messages. 0; E_IO: the other side is gone; E_SYNTAX: it sends what is none of its kinds, or too long. */
int channel_read(struct channel *channel, channel_visit *visit, void *ctx, unsigned most);
/* Writes what the socket takes; E_IO. */
int channel_write(struct channel *channel);

#endif
