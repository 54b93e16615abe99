#include "shell/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

pid_t child_fork(const char *name, int death_signal, int *control)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, death_signal);
        if (getppid() != parent)
            _exit(1);
        (void)prctl(PR_SET_NAME, name);
        (void)signal(SIGINT, SIG_IGN); /* a terminal's ^C is for the supervisor, which ends its children in order */
        (void)signal(SIGPIPE, SIG_IGN);
    }
    (void)close(pair[pid == 0 ? 0 : 1]);
    *control = pair[pid == 0 ? 1 : 0];
    if (pid < 0)
        (void)close(*control);
    return pid;
}

void child_report(int control, int code, const struct fault *fault, const char *degraded)
{
    struct child_report report = {.code = code, .fault = *fault};
    (void)snprintf(report.degraded, sizeof report.degraded, "%s", degraded);
    if (code && !report.fault.code)
        (void)fail(&report.fault, code, "%s", "it could not start");
    if (!send_all(control, &report, sizeof report) || code)
        _exit(1);
}

void serve_path(const char *dir, const char *name, char out[static 4096])
{
    (void)snprintf(out, 4096, "%s/%s", dir, name);
}

void serve_file(const struct serve *serve, const char *name, char out[static 4096])
{
    (void)snprintf(out, 4096, "%s%s%s", name[0] == '/' ? "" : serve->dir, name[0] == '/' ? "" : "/", name);
}

int serve_secret(const struct serve *serve, const char *name, size_t max, struct buf *out, struct fault *fault)
{
    struct stat info;
    char path[4096];
    serve_file(serve, name, path);
    buf_init(out, max);
    if (stat(path, &info) == 0 && (info.st_mode & 077) != 0)
        return fail_at(fault, fail(fault, E_CONFIG, "others may read or change it: chmod 600"), "%s", path);
    return serve_read(path, max, out, fault);
}

int serve_read(const char *path, size_t max, struct buf *out, struct fault *fault)
{
    uint8_t block[65536];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buf_init(out, max);
    if (fd < 0)
        return fail_at(fault, fail(fault, errno == ENOENT ? E_NOTFOUND : E_IO, "%s", strerror(errno)), "%s", path);
    while ((n = read(fd, block, sizeof block)) > 0)
        buf_add(out, block, (size_t)n);
    (void)close(fd);
    if (n < 0 || out->error)
        return fail_at(fault, fail(fault, n < 0 ? E_IO : out->error, "reading"), "%s", path);
    return 0;
}
