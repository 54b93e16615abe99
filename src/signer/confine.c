#include "signer/confine.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static const int allowed[] = {
    SCMP_SYS(read),        SCMP_SYS(write),        SCMP_SYS(pread64),   SCMP_SYS(pwrite64),   SCMP_SYS(fdatasync),
    SCMP_SYS(fsync),       SCMP_SYS(exit),         SCMP_SYS(exit_group), SCMP_SYS(clock_gettime), SCMP_SYS(futex),
    SCMP_SYS(munmap),      SCMP_SYS(brk),          SCMP_SYS(madvise),   SCMP_SYS(getrandom),  SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(close),     SCMP_SYS(restart_syscall), SCMP_SYS(mlock), SCMP_SYS(munlock),
    SCMP_SYS(getpid),      SCMP_SYS(gettid),       SCMP_SYS(tgkill),
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

/* All file system access that this kernel's Landlock knows (first version) is denied: there is no rule that allows any. */
static int landlock_deny(void)
{
    const struct landlock_ruleset_attr attr = {.handled_access_fs = (1ull << 13) - 1};
    int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
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
