/* What one of the node's processes may get from another that was taken over: frames over a socketpair. The first byte says who reads
   from whom. Messages that are good cross again and arrive as they were. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "fuzz/fuzz.h"
#include "shell/messages.h"

struct crossing {
    const struct message_shape *takes;
    struct channel *to; /* NULL: only look */
    unsigned count;
};

static void visit(void *ctx, uint32_t kind, const void *fixed, struct buf *body)
{
    struct crossing *c = ctx;
    must(kind < MESSAGE_KINDS && c->takes[kind].fixed > 0 && body->len <= c->takes[kind].body_max);
    touch(span_of(fixed, c->takes[kind].fixed));
    touch(buf_view(body));
    c->count++;
    if (message_good(kind, fixed) && c->to)
        channel_send(c->to, kind, fixed, c->takes[kind].fixed, body);
}

static void read_all(struct channel *channel, struct crossing *c)
{
    while (channel_read(channel, visit, c, 4) == 0)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct message_shape *const tables[] = {node_takes_of_net, net_takes, node_takes_of_commands, commands_takes};
    struct span plan = span_of(data, size);
    const struct message_shape *takes = tables[plan_byte(&plan) % 4];
    struct channel in, out, again;
    int first[2], second[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, first) == 0);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, second) == 0);
    channel_open(&in, first[0], takes, MESSAGE_KINDS);
    channel_open(&out, second[1], takes, MESSAGE_KINDS);
    channel_open(&again, second[0], takes, MESSAGE_KINDS);
    struct crossing there = {.takes = takes, .to = &out}, back = {.takes = takes};
    plan = plan_bytes(&plan, 65536);
    must(send(first[1], plan.data, plan.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)plan.len);
    must(close(first[1]) == 0);
    read_all(&in, &there);
    channel_close(&in);
    must(shutdown(second[1], SHUT_WR) == 0);
    read_all(&again, &back);
    must(back.count <= there.count);
    channel_close(&again);
    channel_close(&out);
    return 0;
}
