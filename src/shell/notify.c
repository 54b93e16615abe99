#include "shell/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;

int notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    if (manager >= 0 || !path || (path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof address.sun_path)
        return manager;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* a name without a file (unix(7)) */
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return manager = fd;
}

void notify_close(void)
{
    if (manager >= 0)
        (void)close(manager);
    manager = -1;
}

bool notify_manager(const char *state)
{
    if (!getenv("NOTIFY_SOCKET"))
        return true;
    return notify_open() >= 0 && send(manager, state, strlen(state), MSG_NOSIGNAL) == (ssize_t)strlen(state);
}
