#include "signer/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

bool ask_items(const struct ask *ask, size_t *bytes)
{
    static const struct {
        size_t size;
        uint32_t least, most;
    } shapes[ASK_TYPES] = {
        [ASK_STATEMENTS] = {sizeof(struct sign_statement), 0, BATCH_STATEMENTS_MAX},
        [ASK_CHECKPOINT] = {sizeof(struct hash), 0, BATCH_STATEMENTS_MAX},
        [ASK_FEED] = {sizeof(struct hash), 0, FEED_LEAVES_MAX},
        [ASK_COSIGN] = {sizeof(struct sign_cosignature), 1, 1},
        [ASK_HTTP] = {sizeof(struct ask_http), 1, 1},
    };
    if (ask->type < ASK_STATEMENTS || ask->type >= ASK_TYPES || !memchr(ask->origin, 0, sizeof ask->origin) ||
        ask->count < shapes[ask->type].least || ask->count > shapes[ask->type].most)
        return false;
    *bytes = shapes[ask->type].size * ask->count;
    return true;
}

bool send_all(int fd, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool receive_all(int fd, void *data, size_t len)
{
    uint8_t *at = data;
    while (len) {
        ssize_t n = read(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool fd_send(int socket, uint8_t what, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {0};
    struct iovec byte = {.iov_base = &what, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    ssize_t n;
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

int fd_receive(int socket, uint8_t *what)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec byte = {.iov_base = what, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    int fd = -1;
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *head = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        return -1;
    size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof fd; /* alignment leaves room for a second one */
    for (size_t i = 0; i < count; i++) {
        memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
        if (count > 1)
            (void)close(fd); /* none of ours: nothing of it stays open here */
    }
    fd = count == 1 ? fd : -1;
    return fd;
}
