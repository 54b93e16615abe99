#include "signer/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "signer/signer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define CALL(name) SCMP_SYS(name)
enum { LIST_END = -10000 };

/* mremap is realloc's; getpid, gettid and tgkill are abort's. */
static const int core_calls[] = {
    CALL(read),          CALL(write),        CALL(close),  CALL(exit),   CALL(exit_group), CALL(restart_syscall),
    CALL(clock_gettime), CALL(gettimeofday), CALL(futex),  CALL(munmap), CALL(mremap),     CALL(brk),
    CALL(madvise),       CALL(getrandom),    CALL(getpid), CALL(gettid), CALL(tgkill),     CALL(rt_sigprocmask),
    CALL(rt_sigreturn),  CALL(recvmsg),      CALL(sendto), LIST_END,
};
static const int parser_calls[] = {CALL(alarm), CALL(setitimer), LIST_END};
static const int signer_calls[] = {
    CALL(pread64), CALL(pwrite64), CALL(fdatasync), CALL(fsync), CALL(mlock), CALL(munlock), LIST_END,
};
/* What libmicrohttpd, curl, the resolver and TLS use: sockets, epoll, timers, threads, and reading files, which Landlock narrows. */
static const int net_calls[] = {
    CALL(socket),
    CALL(connect),
    CALL(bind),
    CALL(accept4),
    CALL(accept),
    CALL(recvfrom),
    CALL(sendmsg),
    CALL(sendmmsg),
    CALL(recvmmsg),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(getpeername),
    CALL(shutdown),
    CALL(socketpair),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(eventfd2),
    CALL(pipe2),
    CALL(fcntl),
    CALL(ioctl),
    CALL(readv),
    CALL(writev),
    CALL(sendfile),
    CALL(open),
    CALL(openat),
    CALL(stat),
    CALL(fstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(lseek),
    CALL(pread64),
    CALL(getdents64),
    CALL(readlink),
    CALL(access),
    CALL(faccessat2),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getppid),
    CALL(uname),
    CALL(nanosleep),
    CALL(clock_nanosleep),
    CALL(clock_getres),
    CALL(sched_yield),
    CALL(rt_sigaction),
    CALL(sigaltstack),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(prlimit64),
    CALL(sched_getaffinity),
    CALL(sysinfo),
    LIST_END,
};
/* Reading files and folders, and no ioctl: one on a terminal would put words into its owner's mouth. */
static const int scanner_calls[] = {
    CALL(open),       CALL(openat), CALL(lseek),   CALL(fstat), CALL(stat),       CALL(lstat),
    CALL(newfstatat), CALL(statx),  CALL(fstatfs), CALL(fcntl), CALL(getdents64), CALL(pread64),
    CALL(readv),      CALL(writev), CALL(dup),     LIST_END,
};
/* Killed at sight, wherever they are not allowed: nothing of ours makes these by mistake. */
static const int never_calls[] = {
    CALL(execve),
    CALL(execveat),
    CALL(fork),
    CALL(vfork),
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(memfd_create),
    CALL(userfaultfd),
    CALL(bpf),
    CALL(io_uring_setup),
    CALL(keyctl),
    CALL(mount),
    CALL(unshare),
    CALL(setns),
    CALL(pidfd_getfd),
    CALL(kexec_load),
    CALL(init_module),
    CALL(finit_module),
    CALL(perf_event_open),
    CALL(listen),
    LIST_END,
};
/* The node keeps files, so it is told what not to do: beside the above no new socket, process or line to another. */
static const int node_denied[] = {
    CALL(socket), CALL(socketpair), CALL(connect),    CALL(bind),    CALL(clone),     CALL(clone3),
    CALL(kill),   CALL(tkill),      CALL(setuid),     CALL(setgid),  CALL(setreuid),  CALL(setresuid),
    CALL(setns),  CALL(chroot),     CALL(pivot_root), CALL(symlink), CALL(symlinkat), CALL(link),
    CALL(linkat), CALL(mknod),      CALL(mknodat),    CALL(chmod),   CALL(fchmodat),  LIST_END,
};

/* Paths that do not exist are passed over. */
enum { READ = 1, WRITE = 2, CREATE = 4, LIST = 8 };
struct grant {
    const char *path; /* "./": in the node's folder */
    unsigned access;
};
static const struct grant net_grants[] = {
    {"/etc/resolv.conf", READ},
    {"/etc/hosts", READ},
    {"/etc/nsswitch.conf", READ},
    {"/etc/host.conf", READ},
    {"/etc/gai.conf", READ},
    {"/etc/services", READ},
    {"/etc/protocols", READ},
    {"/etc/localtime", READ},
    {"/etc/ssl", READ | LIST},
    {"/etc/pki", READ | LIST},
    {"/etc/gnutls", READ | LIST},
    {"/etc/ca-certificates", READ | LIST},
    {"/etc/crypto-policies", READ | LIST},
    {"/usr/share/ca-certificates", READ | LIST},
    {"/usr/local/share/ca-certificates", READ | LIST},
    {"/run/systemd/resolve", READ | LIST},
    {"/run/resolvconf", READ | LIST},
    {NULL, 0},
};
/* Not the folder itself: the node must not be able to take signer.state away, nor to put another in its place. */
static const struct grant node_grants[] = {
    {"./", LIST},
    {"./state.db", READ | WRITE},
    {"./state.db-wal", READ | WRITE},
    {"./state.db-shm", READ | WRITE},
    {"./blobs", READ | WRITE | CREATE | LIST},
    {NULL, 0},
};
static const struct grant no_grants[] = {{NULL, 0}};

static const struct profile {
    const char *name;
    const int *calls[2]; /* allowed (NULL: all but the denied) */
    const int *denied;
    const struct grant *grants;
    uint32_t otherwise; /* for calls that no list names */
    bool threads;
} profiles[CONFINED_COUNT] = {
    [CONFINED_SIGNER] = {"signer", {core_calls, signer_calls}, NULL, no_grants, SCMP_ACT_KILL_PROCESS, false},
    [CONFINED_PARSER] = {"parser", {core_calls, parser_calls}, NULL, no_grants, SCMP_ACT_KILL_PROCESS, false},
    [CONFINED_NET] = {"net", {core_calls, net_calls}, never_calls, net_grants, SCMP_ACT_ERRNO(EPERM), true},
    [CONFINED_NODE] = {"node", {NULL, NULL}, node_denied, node_grants, SCMP_ACT_ALLOW, false},
    [CONFINED_SCANNER] = {"scanner", {core_calls, scanner_calls}, never_calls, no_grants, SCMP_ACT_ERRNO(EPERM), false},
};

const char *confined_name(enum confined which)
{
    return profiles[which].name;
}

static int rules_add(scmp_filter_ctx ctx, uint32_t action, const int *calls)
{
    int rc = 0;
    for (size_t i = 0; calls && calls[i] != LIST_END && rc == 0; i++)
        rc = seccomp_rule_add(ctx, action, calls[i], 0);
    return rc;
}

/* Memory, but never executable; a thread, but never a process (glibc tries clone3 first, whose flags no filter can see). */
static int rules_memory(scmp_filter_ctx ctx, const struct profile *p)
{
    const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
    const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
    int rc = 0;
    if (p->otherwise == SCMP_ACT_ALLOW) {
        rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, CALL(mmap), 1, exec);
        return rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, CALL(mprotect), 1, exec);
    }
    rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(mmap), 1, no_exec);
    rc = rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(mprotect), 1, no_exec);
    if (p->threads) {
        rc = rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(clone), 1, thread);
        rc = rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
    }
    return rc;
}

static int filter_load(const struct profile *p)
{
    scmp_filter_ctx ctx = seccomp_init(p->otherwise);
    if (!ctx)
        return E_NOMEM;
    int rc = 0;
    for (size_t i = 0; i < sizeof p->calls / sizeof p->calls[0] && rc == 0; i++)
        rc = rules_add(ctx, SCMP_ACT_ALLOW, p->calls[i]);
    rc = rc ? rc : rules_add(ctx, SCMP_ACT_KILL_PROCESS, p->denied);
    if (rc == 0 && p->otherwise == SCMP_ACT_ALLOW)
        rc = rules_add(ctx, SCMP_ACT_KILL_PROCESS, never_calls);
    rc = rc ? rc : rules_memory(ctx, p);
    rc = rc ? rc : seccomp_load(ctx);
    seccomp_release(ctx);
    return rc ? E_STATE : 0;
}

/* The kernel's own struct, which grows; later fields are left out for older kernels. */
struct ruleset {
    uint64_t files, ports;
};
enum { LANDLOCK_TRUNCATE = 1 << 14, LANDLOCK_PORTS = 3 /* bind and connect */ };

static int path_grant(int ruleset, const char *path, unsigned access, uint64_t handled)
{
    struct stat status;
    struct landlock_path_beneath_attr beneath = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (beneath.parent_fd < 0)
        return errno == ENOENT || errno == EACCES ? 0 : E_IO;
    if (fstat(beneath.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
        access &= ~(unsigned)(LIST | CREATE); /* of a file the kernel takes no others */
    if (access & READ)
        beneath.allowed_access |= LANDLOCK_ACCESS_FS_READ_FILE;
    if (access & WRITE)
        beneath.allowed_access |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_TRUNCATE;
    if (access & LIST)
        beneath.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    if (access & CREATE)
        beneath.allowed_access |= LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_REFER;
    beneath.allowed_access &= handled;
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    (void)close(beneath.parent_fd);
    return rc == 0 ? 0 : E_IO;
}

static int grant_add(int ruleset, const struct grant *grant, uint64_t handled, const char *folder)
{
    char path[4096];
    bool inside = strncmp(grant->path, "./", 2) == 0;
    (void)snprintf(path, sizeof path, "%s%s%s", inside ? folder : "", inside ? "/" : "", grant->path + 2 * inside);
    return path_grant(ruleset, path, grant->access, handled);
}

/* Beside a profile's own grants: what the process's owner named. */
struct named {
    const char *const *paths;
    size_t count;
};

/* All accesses are handled, so that what no grant names is denied. Later versions know more: 2 linking across folders, 3 truncation,
   4 TCP ports, 5 device ioctls. */
static int landlock_self(const struct profile *p, const char *folder, const struct named *named)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    unsigned bits = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
    const struct ruleset attr = {.files = (1ull << bits) - 1, .ports = p->threads ? 0 : LANDLOCK_PORTS};
    size_t size = version >= 4 ? sizeof attr : sizeof attr.files;
    int fd = version < 1 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (fd < 0)
        return E_UNSUPPORTED;
    int rc = 0;
    for (const struct grant *grant = p->grants; grant->path && rc == 0; grant++)
        rc = grant_add(fd, grant, attr.files, folder);
    for (size_t i = 0; i < named->count && rc == 0; i++)
        rc = path_grant(fd, named->paths[i], READ | LIST, attr.files);
    rc = rc ? rc : syscall(SYS_landlock_restrict_self, fd, 0) == 0 ? 0 : E_UNSUPPORTED;
    (void)close(fd);
    return rc;
}

bool confine_sanitized(void)
{
    return SANITIZED;
}

static int confine(enum confined which, const char *folder, const struct named *named, char degraded[static 128])
{
    const struct profile *p = &profiles[which];
    degraded[0] = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return E_STATE;
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    int rc = landlock_self(p, folder, named);
    if (rc == E_UNSUPPORTED)
        (void)snprintf(degraded, 128, "%s: Landlock is not available on this kernel; seccomp alone confines it",
                       p->name);
    else if (rc)
        return rc;
    if (SANITIZED) {
        (void)snprintf(degraded, 128, "%s: a sanitizer build runs without its seccomp filter", p->name);
        return 0;
    }
    return filter_load(p);
}

int confine_self(enum confined which, const char *folder, char degraded[static 128])
{
    return confine(which, folder, &(struct named){NULL, 0}, degraded);
}

int confine_scanner(const char *const *paths, size_t count, char degraded[static 128])
{
    return confine(CONFINED_SCANNER, NULL, &(struct named){paths, count}, degraded);
}

static int by_number(const void *a, const void *b)
{
    const int *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

void descriptors_keep(int *keep, size_t count)
{
    unsigned from = STDERR_FILENO + 1;
    if (count)
        qsort(keep, count, sizeof *keep, by_number);
    for (size_t i = 0; i < count; i++) {
        if (keep[i] < (int)from)
            continue;
        if ((unsigned)keep[i] > from)
            (void)syscall(SYS_close_range, from, (unsigned)keep[i] - 1, 0);
        from = (unsigned)keep[i] + 1;
    }
    (void)syscall(SYS_close_range, from, ~0u, 0);
}

static int fork_probe(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int memory_probe(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED && munmap(memory, 4096) == 0 ? 0 : -1;
}

/* To a port of this machine where nobody listens: refused by the peer means that the kernel let us try. */
static int connect_probe(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof address);
    int saved = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = saved;
    return result < 0 && errno == ECONNREFUSED ? 0 : result;
}

static int execute_probe(void)
{
    static char name[] = "/bin/true";
    char *const argv[] = {name, NULL};
    return execve(name, argv, argv + 1);
}

static const char *const probe_names[PROBE_COUNT] = {
    [PROBE_OPEN] = "open a file",      [PROBE_SOCKET] = "make a socket",
    [PROBE_FORK] = "start a process",  [PROBE_EXEC_MEMORY] = "map executable memory",
    [PROBE_CONNECT] = "connect",       [PROBE_TRACE] = "trace another process",
    [PROBE_EXECUTE] = "run a program",
};

const char *probe_name(unsigned what)
{
    return probe_names[what];
}

/* The exit code says how it went: 0 it worked, 255 it could not be confined, else the errno. */
static _Noreturn void try_child(enum confined which, const char *folder, unsigned what, int report)
{
    char degraded[128];
    int keep[] = {report};
    descriptors_keep(keep, 1);
    int rc = confine_self(which, folder, degraded);
    (void)!write(report, degraded, sizeof degraded);
    _exit(rc ? 255 : confine_probe(what));
}

int confine_try(enum confined which, const char *folder, unsigned what, struct attempt *out)
{
    int ends[2], status;
    *out = (struct attempt){.allowed = which == CONFINED_NET && (what == PROBE_SOCKET || what == PROBE_CONNECT)};
    if (pipe(ends) != 0)
        return E_IO;
    pid_t pid = fork();
    if (pid == 0)
        try_child(which, folder, what, ends[1]);
    (void)close(ends[1]);
    ssize_t n = read(ends[0], out->degraded, sizeof out->degraded);
    (void)close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || n != (ssize_t)sizeof out->degraded)
        return E_IO;
    out->degraded[sizeof out->degraded - 1] = 0;
    if (WIFSIGNALED(status))
        out->signal = WTERMSIG(status);
    else if (WEXITSTATUS(status) == 255)
        return E_STATE;
    else
        out->code = WEXITSTATUS(status);
    out->worked = WIFEXITED(status) && out->code == 0;
    return 0;
}

int confine_probe(unsigned what)
{
    int result = -1;
    errno = EINVAL;
    switch (what) {
    case PROBE_OPEN:
        result = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        break;
    case PROBE_SOCKET:
        result = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        break;
    case PROBE_FORK:
        return fork_probe() == 0 ? 0 : errno;
    case PROBE_EXEC_MEMORY:
        return memory_probe() == 0 ? 0 : errno;
    case PROBE_CONNECT:
        return connect_probe() == 0 ? 0 : errno;
    case PROBE_TRACE:
        return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ? 0 : errno;
    case PROBE_EXECUTE:
        return execute_probe() == 0 ? 0 : errno;
    default:
        break;
    }
    if (result < 0)
        return errno;
    (void)close(result);
    return 0;
}
