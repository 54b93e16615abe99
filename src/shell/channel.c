#include "base/memory.h"
#include "shell/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"

struct outbound {
    struct outbound *next;
    size_t head_bytes, written; /* head: frame and struct; written: of head and body together */
    struct buf body;
    uint8_t head[];
};

void channel_open(struct channel *channel, int fd, const struct message_shape *takes, unsigned kinds)
{
    memset(channel, 0, sizeof *channel);
    channel->fd = fd;
    channel->takes = takes;
    channel->kinds = kinds;
    channel->last = &channel->first;
}

static void outbound_drop(struct channel *channel)
{
    struct outbound *out = channel->first;
    channel->first = out->next;
    channel->last = channel->first ? channel->last : &channel->first;
    channel->queued -= out->head_bytes + out->body.len;
    buf_free(&out->body);
    free(out);
}

void channel_close(struct channel *channel)
{
    while (channel->first)
        outbound_drop(channel);
    if (channel->fd >= 0)
        (void)close(channel->fd);
    buf_free(&channel->body);
    channel->fd = -1;
    channel->got = 0;
}

void channel_send(struct channel *channel, uint32_t kind, const void *fixed, size_t fixed_size, struct buf *body)
{
    const struct frame frame = {.kind = kind, .body = body ? body->len : 0};
    struct outbound *out = calloc(1, sizeof *out + sizeof frame + fixed_size);
    if (!out) {
        memory_exhausted(); /* ends the process, which is started again */
        abort();
    }
    out->head_bytes = sizeof frame + fixed_size;
    memcpy(out->head, &frame, sizeof frame);
    memcpy(out->head + sizeof frame, fixed, fixed_size);
    if (body) {
        out->body = *body;
        buf_init(body, body->max);
    }
    if (channel->fd < 0) {
        buf_free(&out->body);
        free(out);
        return;
    }
    *channel->last = out;
    channel->last = &out->next;
    channel->queued += out->head_bytes + out->body.len;
    if (channel->first == out)
        (void)channel_write(channel); /* an error is seen again when it is read */
}

/* The rest of one message; the bytes that the socket took, or less than 0. */
static ssize_t outbound_write(int fd, const struct outbound *out)
{
    size_t in_head = out->written < out->head_bytes ? out->head_bytes - out->written : 0;
    size_t in_body = out->written > out->head_bytes ? out->written - out->head_bytes : 0;
    struct iovec parts[2] = {{(void *)(uintptr_t)(out->head + out->head_bytes - in_head), in_head},
                             {out->body.data + (out->body.data ? in_body : 0), out->body.len - in_body}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int channel_write(struct channel *channel)
{
    while (channel->first) {
        struct outbound *out = channel->first;
        ssize_t n = outbound_write(channel->fd, out);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : E_IO;
        out->written += (size_t)n;
        if (out->written == out->head_bytes + out->body.len)
            outbound_drop(channel);
    }
    return 0;
}

/* One read towards `want` more bytes at `at`. 1: they are there; 0: not yet; E_IO. */
static int take(struct channel *channel, uint8_t *at, size_t want)
{
    ssize_t n;
    do
        n = recv(channel->fd, at, want, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : E_IO;
    if (n == 0)
        return E_IO;
    channel->got += (size_t)n;
    return (size_t)n == want;
}

/* A kind that may come, whose struct we have room for, and a body within its limit. */
static bool frame_good(const struct channel *channel)
{
    const struct frame *f = &channel->frame;
    return f->kind < channel->kinds && channel->takes[f->kind].fixed &&
           channel->takes[f->kind].fixed <= sizeof channel->fixed && f->body <= channel->takes[f->kind].body_max;
}

static int body_take(struct channel *channel, size_t before)
{
    size_t want = (size_t)channel->frame.body, have = channel->got - before;
    if (!channel->body.data && want) {
        buf_init(&channel->body, want);
        channel->body.data = malloc(want);
        if (!channel->body.data)
            return E_NOMEM;
        channel->body.cap = want;
    }
    int rc = want > have ? take(channel, channel->body.data + have, want - have) : 1;
    channel->body.len = channel->got - before;
    return rc;
}

/* 1: a message is whole. */
static int message_take(struct channel *channel)
{
    int rc = 1;
    if (channel->got < sizeof channel->frame) {
        rc = take(channel, (uint8_t *)&channel->frame + channel->got, sizeof channel->frame - channel->got);
        if (rc == 1 && !frame_good(channel))
            return E_SYNTAX;
    }
    if (rc != 1)
        return rc;
    size_t fixed = channel->takes[channel->frame.kind].fixed, before = sizeof channel->frame + fixed;
    if (channel->got < before)
        rc = take(channel, channel->fixed + (channel->got - sizeof channel->frame), before - channel->got);
    return rc == 1 ? body_take(channel, before) : rc;
}

int channel_read(struct channel *channel, channel_visit *visit, void *ctx, unsigned most)
{
    int rc = 1;
    for (unsigned n = 0; n < most && channel->fd >= 0; n++) {
        _Alignas(16) uint8_t fixed[sizeof channel->fixed];
        rc = message_take(channel);
        if (rc == 0 || rc < 0)
            return rc;
        struct buf body = channel->body;
        memcpy(fixed, channel->fixed, channel->takes[channel->frame.kind].fixed);
        buf_init(&channel->body, 0);
        channel->got = 0;
        visit(ctx, channel->frame.kind, fixed, &body);
        buf_free(&body);
    }
    return 0;
}
