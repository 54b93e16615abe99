#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shell/notify.h"
#include "tests/test.h"

/* A socket as a service manager holds it, under a path or (leading NUL) without one; what one notify_manager sends to it. */
static void told(const char *name, size_t len, const char *variable)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char got[64] = "";
    memcpy(address.sun_path, name, len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
    CHECK_INT(setenv("NOTIFY_SOCKET", variable, 1), 0);
    CHECK(notify_manager("READY=1"));
    CHECK_INT(recv(fd, got, sizeof got - 1, 0), 7);
    CHECK(strcmp(got, "READY=1") == 0);
    notify_close();
    (void)close(fd);
}

int main(void)
{
    char dir[] = "/tmp/comity-notify.XXXXXX", path[64], hidden[64];
    CHECK(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/socket", dir);
    test("the service manager's socket is told, by path and by abstract name");
    told(path, strlen(path), path);
    (void)snprintf(hidden, sizeof hidden, "@%s", dir + 5);
    path[0] = 0;
    memcpy(path + 1, hidden + 1, strlen(hidden));
    told(path, strlen(hidden), hidden);

    test("no socket is no fault; one that cannot be reached is");
    (void)unsetenv("NOTIFY_SOCKET");
    CHECK(notify_manager("READY=1"));
    (void)setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    CHECK(!notify_manager("READY=1"));
    (void)setenv("NOTIFY_SOCKET", "relative", 1);
    CHECK(!notify_manager("READY=1"));

    (void)snprintf(path, sizeof path, "%s/socket", dir);
    (void)unlink(path);
    (void)rmdir(dir);
    return test_end();
}
