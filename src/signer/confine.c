#include "signer/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

/* mremap is realloc's; getpid, gettid and tgkill are abort's. The signer speaks only over what is open. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(sendto),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fsync),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(futex),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(close),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(mlock),
    SCMP_SYS(munlock),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
};

static int filter_load(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!ctx)
        return E_NOMEM;
    int rc = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && rc == 0; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
    /* Memory, but never executable. */
    const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    rc = rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec);
    rc = rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
    rc = rc ? rc : seccomp_load(ctx);
    seccomp_release(ctx);
    return rc ? E_STATE : 0;
}

/* There is no rule that allows any access that is handled, so all of it is denied. Later versions know more: 2 linking across
   folders, 3 truncation, 5 device ioctls. */
static int landlock_deny(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    unsigned bits = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
    const struct landlock_ruleset_attr attr = {.handled_access_fs = (1ull << bits) - 1};
    int fd = version < 1 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (fd < 0)
        return E_UNSUPPORTED;
    long rc = syscall(SYS_landlock_restrict_self, fd, 0);
    (void)close(fd);
    return rc == 0 ? 0 : E_UNSUPPORTED;
}

int confine_self(char degraded[static 128])
{
    degraded[0] = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return E_STATE;
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (landlock_deny() != 0)
        (void)snprintf(degraded, 128, "signer: Landlock is not available on this kernel; seccomp alone confines it");
    if (SANITIZED) {
        (void)snprintf(degraded, 128, "signer: a sanitizer build runs without its seccomp filter");
        return 0;
    }
    return filter_load();
}

static int fork_probe(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

int confine_probe(unsigned what)
{
    int result = -1;
    void *memory;
    errno = EINVAL;
    switch (what) {
    case PROBE_OPEN:
        result = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        break;
    case PROBE_SOCKET:
        result = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        break;
    case PROBE_FORK:
        return fork_probe() == 0 ? 0 : errno;
    case PROBE_EXEC_MEMORY:
        memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory != MAP_FAILED && munmap(memory, 4096) == 0 ? 0 : errno;
    default:
        break;
    }
    if (result < 0)
        return errno;
    (void)close(result);
    return 0;
}
