/* Both spellings of each call are defined here: none may be an alias of the other. */
#undef _FILE_OFFSET_BITS
#include "tests/faults/interpose.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FDS_MAX = 1024, NAMES_MAX = 512, STEPS_MAX = 65536, PATH_BYTES = 256, OWN_FRAMES = 6 };
enum { ARENA_BYTES = 256 << 20 };

static struct {
    char folder[PATH_BYTES];
    size_t folder_len;
    bool inside, allocations, counting, busy;
    struct interposed_call *calls;
    size_t cap, count, fail_at;
    enum failing how;
    int error;
    bool fired;
    bool recording, powerless, frozen;
    size_t end;
} state;

static struct {
    struct trace_step *steps;
    size_t count;
    uint8_t *arena;
    size_t used;
    unsigned files;
    struct {
        const char *path;
        unsigned file;
    } names[NAMES_MAX];
    size_t name_count;
} record;

static struct {
    unsigned char watched; /* 1 file, 2 folder */
    unsigned file;
    const char *path;
} fds[FDS_MAX];

static void *next_symbol(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}
#define REAL(name, type)                                                                                               \
    static __typeof__(type) real_;                                                                                     \
    if (!real_)                                                                                                        \
    *(void **)&real_ = next_symbol(name)

void interpose_watch(const char *folder)
{
    (void)snprintf(state.folder, sizeof state.folder, "%s", folder);
    state.folder_len = strlen(state.folder);
    memset(fds, 0, sizeof fds);
}

static void begin(bool allocations)
{
    void *warm[4];
    (void)backtrace(warm, 4); /* its first call allocates */
    state.allocations = allocations;
    state.counting = true;
    state.count = 0;
    state.calls = NULL;
    state.fail_at = SIZE_MAX;
    state.fired = false;
}

void interpose_list(bool allocations, struct interposed_call *calls, size_t cap)
{
    begin(allocations);
    state.calls = calls;
    state.cap = cap;
}

void interpose_fail(bool allocations, size_t number, enum failing how, int error)
{
    begin(allocations);
    state.fail_at = number;
    state.how = how;
    state.error = error;
}

void interpose_stop(void)
{
    state.counting = false;
    state.recording = false;
    state.powerless = false;
}

void interpose_enter(void)
{
    state.inside = true;
}

void interpose_leave(void)
{
    state.inside = false;
}

size_t interpose_count(void)
{
    return state.count;
}

bool interpose_fired(void)
{
    return state.fired;
}

bool interpose_powerless(void)
{
    return state.powerless;
}

/* Where this library lies, so that its own frames can be left out. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

void interpose_freeze(bool frozen)
{
    state.frozen = frozen;
}

static void site_note(enum interposed call)
{
    void *frames[SITE_FRAMES + OWN_FRAMES];
    struct interposed_call *out = &state.calls[state.count];
    state.busy = true;
    int n = backtrace(frames, SITE_FRAMES + OWN_FRAMES), from = 0;
    state.busy = false;
    while (from < n && (const char *)frames[from] >= __ehdr_start && (const char *)frames[from] < _end)
        from++;
    out->call = call;
    out->step = record.count;
    out->depth = (unsigned)(n - from < SITE_FRAMES ? n - from : SITE_FRAMES);
    memcpy(out->frames, frames + from, out->depth * sizeof *frames);
}

static bool needs_space(enum interposed call)
{
    return call == ON_CREATE || call == ON_WRITE || call == ON_MKDIR || call == ON_RENAME;
}

/* Counts a call; true: it is to fail, in the way of state.how. */
static bool __attribute__((noinline)) struck(enum interposed call)
{
    if (!state.counting || !state.inside || state.busy || state.allocations != (call == ON_ALLOCATE))
        return false;
    if (state.calls && state.count < state.cap)
        site_note(call);
    size_t number = state.count++;
    bool strikes =
        number == state.fail_at || (state.how == FAIL_LASTING && number > state.fail_at && needs_space(call));
    if (strikes) {
        state.fired = true;
        errno = state.error;
    }
    return strikes;
}

/* Recording */

void interpose_record(size_t end)
{
    if (!record.steps) {
        record.steps = mmap(NULL, STEPS_MAX * sizeof *record.steps, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        record.arena =
            mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    record.count = record.used = record.name_count = 0;
    record.files = 0;
    state.recording = true;
    state.powerless = false;
    state.end = end;
}

struct trace interpose_trace(void)
{
    return (struct trace){.steps = record.steps, .count = record.count, .files = record.files};
}

static void *keep(const void *bytes, size_t len)
{
    if (len > ARENA_BYTES - record.used)
        abort();
    void *copy = memcpy(record.arena + record.used, bytes, len);
    record.used += len;
    return copy;
}

static const char *keep_path(const char *path)
{
    return keep(path, strlen(path) + 1);
}

static unsigned name_file(const char *path)
{
    for (size_t i = 0; i < record.name_count; i++)
        if (strcmp(record.names[i].path, path) == 0)
            return record.names[i].file;
    return 0;
}

static void name_set(const char *path, unsigned file)
{
    size_t i = 0;
    while (i < record.name_count && strcmp(record.names[i].path, path) != 0)
        i++;
    if (i == NAMES_MAX)
        abort();
    record.names[i].path = path;
    record.names[i].file = file;
    record.name_count += i == record.name_count;
}

/* True: the power is gone, and this call is not carried out. */
static bool power_gone(void)
{
    if (state.frozen && state.inside) {
        errno = EIO;
        return true;
    }
    if (!state.recording || !state.inside)
        return false;
    if (record.count >= state.end)
        state.powerless = true;
    if (state.powerless)
        errno = EIO;
    return state.powerless;
}

static void trace_add(struct trace_step step)
{
    if (!state.recording || !state.inside)
        return;
    if (record.count == STEPS_MAX)
        abort();
    record.steps[record.count++] = step;
}

static bool path_watched(const char *path)
{
    return state.folder_len && strncmp(path, state.folder, state.folder_len) == 0;
}

static bool fd_watched(int fd)
{
    return fd >= 0 && fd < FDS_MAX && fds[fd].watched;
}

/* The index of a WAL is rebuilt after a crash: its contents are never a question of durability. */
static bool is_index(const char *path)
{
    size_t len = strlen(path);
    return len > 4 && strcmp(path + len - 4, "-shm") == 0;
}

static int real_fstat(int fd, struct stat *st)
{
    REAL("fstat", int (*)(int, struct stat *));
    return real_(fd, st);
}

static int opened(int fd, const char *path, int flags, bool existed)
{
    if (fd < 0 || fd >= FDS_MAX)
        return fd;
    struct stat st;
    bool folder = real_fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    fds[fd].watched = folder ? 2 : 1;
    fds[fd].file = 0;
    if (!state.recording || !state.inside || is_index(path))
        return fd;
    const char *kept = keep_path(path);
    fds[fd].path = kept;
    if (folder)
        return fd;
    unsigned file = existed ? name_file(kept) : 0;
    if (!file) {
        file = ++record.files;
        name_set(kept, file);
        trace_add((struct trace_step){.kind = TRACE_CREATE, .file = file, .path = kept});
    } else if (flags & O_TRUNC) {
        trace_add((struct trace_step){.kind = TRACE_TRUNCATE, .file = file});
    }
    fds[fd].file = file;
    return fd;
}

typedef int open_call(const char *, int, ...);

static int open_any(open_call *real, const char *path, int flags, mode_t mode)
{
    if (!path_watched(path))
        return real(path, flags, mode);
    if (struck(flags & O_CREAT ? ON_CREATE : ON_OPEN) || power_gone())
        return -1;
    bool existed = access(path, F_OK) == 0;
    return opened(real(path, flags, mode), path, flags, existed);
}

#define MODE_TAKE(flags)                                                                                               \
    mode_t mode = 0;                                                                                                   \
    if ((flags)&O_CREAT) {                                                                                             \
        va_list args;                                                                                                  \
        va_start(args, flags);                                                                                         \
        mode = (mode_t)va_arg(args, int);                                                                              \
        va_end(args);                                                                                                  \
    }

#undef open
#undef open64
int open(const char *path, int flags, ...)
{
    REAL("open", open_call *);
    MODE_TAKE(flags)
    return open_any(real_, path, flags, mode);
}
int open64(const char *path, int flags, ...)
{
    REAL("open64", open_call *);
    MODE_TAKE(flags)
    return open_any(real_, path, flags, mode);
}

int close(int fd)
{
    REAL("close", int (*)(int));
    if (fd >= 0 && fd < FDS_MAX)
        fds[fd].watched = 0;
    return real_(fd);
}

/* Half the bytes when that is how it fails; false: the call fails outright. */
static bool shortened(size_t *len)
{
    if (state.how != FAIL_SHORT)
        return false;
    *len /= 2;
    return true;
}

static bool reading(int fd, size_t *len)
{
    if (!fd_watched(fd))
        return true;
    return (!struck(ON_READ) || shortened(len)) && !power_gone();
}

ssize_t read(int fd, void *data, size_t len)
{
    REAL("read", ssize_t(*)(int, void *, size_t));
    return reading(fd, &len) ? real_(fd, data, len) : -1;
}
ssize_t pread(int fd, void *data, size_t len, off_t at)
{
    REAL("pread", ssize_t(*)(int, void *, size_t, off_t));
    return reading(fd, &len) ? real_(fd, data, len, at) : -1;
}
ssize_t pread64(int fd, void *data, size_t len, off64_t at)
{
    REAL("pread64", ssize_t(*)(int, void *, size_t, off64_t));
    return reading(fd, &len) ? real_(fd, data, len, at) : -1;
}

static bool writing(int fd, size_t *len)
{
    if (!fd_watched(fd))
        return true;
    return (!struck(ON_WRITE) || shortened(len)) && !power_gone();
}

static ssize_t written(int fd, const void *data, ssize_t n, off_t at)
{
    if (n > 0 && fd_watched(fd) && fds[fd].file && state.recording && state.inside)
        trace_add((struct trace_step){.kind = TRACE_WRITE,
                                      .file = fds[fd].file,
                                      .at = (uint64_t)at,
                                      .len = (uint64_t)n,
                                      .data = keep(data, (size_t)n)});
    return n;
}

ssize_t write(int fd, const void *data, size_t len)
{
    REAL("write", ssize_t(*)(int, const void *, size_t));
    if (!writing(fd, &len))
        return -1;
    off_t at = fd_watched(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    return written(fd, data, real_(fd, data, len), at);
}
ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t));
    return writing(fd, &len) ? written(fd, data, real_(fd, data, len, at), at) : -1;
}
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t));
    return writing(fd, &len) ? written(fd, data, real_(fd, data, len, at), at) : -1;
}

/* Nothing needs to reach a real disk: what a sync makes durable is decided when the power goes. */
static int synced(int fd, int (*real)(int))
{
    if (!fd_watched(fd))
        return real(fd);
    if (struck(fds[fd].watched == 2 ? ON_FOLDER_SYNC : ON_SYNC)) {
        int saved = errno;
        if (fds[fd].file)
            trace_add((struct trace_step){.kind = TRACE_SYNC_FAILED, .file = fds[fd].file});
        errno = saved;
        return -1;
    }
    if (power_gone())
        return -1;
    if (fds[fd].watched == 2)
        trace_add((struct trace_step){.kind = TRACE_FOLDER_SYNC, .path = fds[fd].path});
    else if (fds[fd].file)
        trace_add((struct trace_step){.kind = TRACE_SYNC, .file = fds[fd].file});
    return 0;
}

int fsync(int fd)
{
    REAL("fsync", int (*)(int));
    return synced(fd, real_);
}
int fdatasync(int fd)
{
    REAL("fdatasync", int (*)(int));
    return synced(fd, real_);
}

static int truncated(int fd, off_t len, int (*real)(int, off_t))
{
    if (fd_watched(fd) && (struck(ON_TRUNCATE) || power_gone()))
        return -1;
    int rc = real(fd, len);
    if (rc == 0 && fd_watched(fd) && fds[fd].file)
        trace_add((struct trace_step){.kind = TRACE_TRUNCATE, .file = fds[fd].file, .len = (uint64_t)len});
    return rc;
}
int ftruncate(int fd, off_t len)
{
    REAL("ftruncate", int (*)(int, off_t));
    return truncated(fd, len, real_);
}
int ftruncate64(int fd, off64_t len)
{
    REAL("ftruncate64", int (*)(int, off_t));
    return truncated(fd, len, real_);
}

int rename(const char *from, const char *to)
{
    REAL("rename", int (*)(const char *, const char *));
    if (path_watched(from) && (struck(ON_RENAME) || power_gone()))
        return -1;
    int rc = real_(from, to);
    if (rc == 0 && path_watched(from) && state.recording && state.inside) {
        const char *a = keep_path(from), *b = keep_path(to);
        unsigned file = name_file(a);
        name_set(b, file);
        name_set(a, 0);
        trace_add((struct trace_step){.kind = TRACE_RENAME, .file = file, .path = a, .to = b});
    }
    return rc;
}

int unlink(const char *path)
{
    REAL("unlink", int (*)(const char *));
    if (path_watched(path) && (struck(ON_UNLINK) || power_gone()))
        return -1;
    int rc = real_(path);
    if (rc == 0 && path_watched(path) && state.recording && state.inside && !is_index(path)) {
        const char *kept = keep_path(path);
        trace_add((struct trace_step){.kind = TRACE_UNLINK, .file = name_file(kept), .path = kept});
        name_set(kept, 0);
    }
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    REAL("mkdir", int (*)(const char *, mode_t));
    if (path_watched(path) && (struck(ON_MKDIR) || power_gone()))
        return -1;
    int rc = real_(path, mode);
    if (rc == 0 && path_watched(path) && state.recording && state.inside)
        trace_add((struct trace_step){.kind = TRACE_MKDIR, .path = keep_path(path)});
    return rc;
}

static bool statting(bool watched)
{
    return !watched || (!struck(ON_STAT) && !power_gone());
}
int fstat(int fd, struct stat *st)
{
    REAL("fstat", int (*)(int, struct stat *));
    return statting(fd_watched(fd)) ? real_(fd, st) : -1;
}
int fstat64(int fd, struct stat64 *st)
{
    REAL("fstat64", int (*)(int, struct stat64 *));
    return statting(fd_watched(fd)) ? real_(fd, st) : -1;
}
int stat(const char *path, struct stat *st)
{
    REAL("stat", int (*)(const char *, struct stat *));
    return statting(path_watched(path)) ? real_(path, st) : -1;
}
int stat64(const char *path, struct stat64 *st)
{
    REAL("stat64", int (*)(const char *, struct stat64 *));
    return statting(path_watched(path)) ? real_(path, st) : -1;
}
int lstat64(const char *path, struct stat64 *st)
{
    REAL("lstat64", int (*)(const char *, struct stat64 *));
    return statting(path_watched(path)) ? real_(path, st) : -1;
}

int flock(int fd, int how)
{
    REAL("flock", int (*)(int, int));
    return fd_watched(fd) && struck(ON_LOCK) ? -1 : real_(fd, how);
}

typedef int control_call(int, int, ...);
static int control(control_call *real, int fd, int command, void *argument)
{
    bool locks = command == F_SETLK || command == F_SETLKW;
    return locks && fd_watched(fd) && struck(ON_LOCK) ? -1 : real(fd, command, argument);
}
#define ARGUMENT_TAKE                                                                                                  \
    va_list args;                                                                                                      \
    va_start(args, command);                                                                                           \
    void *argument = va_arg(args, void *);                                                                             \
    va_end(args);
int fcntl(int fd, int command, ...)
{
    REAL("fcntl", control_call *);
    ARGUMENT_TAKE
    return control(real_, fd, command, argument);
}
int fcntl64(int fd, int command, ...)
{
    REAL("fcntl64", control_call *);
    ARGUMENT_TAKE
    return control(real_, fd, command, argument);
}

typedef void *map_call(void *, size_t, int, int, int, off_t);
static void *mapped(map_call *real, void *at, size_t len, int protection, int flags, int fd, off_t from)
{
    return fd_watched(fd) && (struck(ON_MAP) || power_gone()) ? MAP_FAILED : real(at, len, protection, flags, fd, from);
}
void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t from)
{
    REAL("mmap", map_call *);
    return mapped(real_, at, len, protection, flags, fd, from);
}
void *mmap64(void *at, size_t len, int protection, int flags, int fd, off64_t from)
{
    REAL("mmap64", map_call *);
    return mapped(real_, at, len, protection, flags, fd, from);
}

/* SQLite waits, in all up to ten seconds, for a lock that it could not get. */
int usleep(useconds_t time)
{
    REAL("usleep", int (*)(useconds_t));
    return state.counting && state.inside ? 0 : real_(time);
}

/* Allocations. Under a sanitizer, whose own allocator stands here, they are left alone. */
#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size)
{
    return struck(ON_ALLOCATE) ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    return struck(ON_ALLOCATE) ? NULL : __libc_calloc(count, size);
}
void *realloc(void *old, size_t size)
{
    return struck(ON_ALLOCATE) ? NULL : __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size)
{
    return struck(ON_ALLOCATE) ? NULL : __libc_memalign(alignment, size);
}
int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *got = struck(ON_ALLOCATE) ? NULL : __libc_memalign(alignment, size);
    if (!got)
        return ENOMEM;
    *out = got;
    return 0;
}

/* By LD_PRELOAD: from the begin of main on, for what the loader and the libraries do before is not the program's. */
static int (*main_real)(int, char **, char **);
static const char *count_file;

static void count_tell(void)
{
    state.inside = false;
    FILE *file = count_file ? fopen(count_file, "w") : NULL;
    if (file) {
        (void)fprintf(file, "%zu\n", state.count);
        (void)fclose(file);
    }
}

static int main_entered(int argc, char **argv, char **environment)
{
    const char *number = getenv("INTERPOSE_ALLOCATION");
    count_file = getenv("INTERPOSE_COUNT");
    if (number || count_file) {
        interpose_fail(true, number ? strtoul(number, NULL, 10) : SIZE_MAX, FAIL_ERRNO, ENOMEM);
        (void)atexit(count_tell);
        interpose_enter();
    }
    int rc = main_real(argc, argv, environment);
    interpose_leave(); /* what libraries do at the exit is not the program's either */
    return rc;
}

int __libc_start_main(int (*start)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*linker_fini)(void), void *stack_end)
{
    REAL("__libc_start_main",
         int (*)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *));
    main_real = start;
    return real_(main_entered, argc, argv, init, fini, linker_fini, stack_end);
}
#endif
