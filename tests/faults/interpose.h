/* A library that stands between a program and its C library: it counts the calls that touch a watched folder, or the allocations, and
   makes one of them fail; it can also write down every change to the folder, so that a power loss can be played from it. One thread.
   A program links it in front of the C library, or gets it by LD_PRELOAD; then the environment says what fails:
     INTERPOSE_ALLOCATION=N  the N-th allocation after main began gives nothing
     INTERPOSE_COUNT=FILE    how many allocations there were is written there at the end */
#ifndef COMITY_TESTS_INTERPOSE_H
#define COMITY_TESTS_INTERPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTERPOSED_LIST(X)                                                                                             \
    X(OPEN, "open")                                                                                                    \
    X(CREATE, "open(O_CREAT)")                                                                                         \
    X(READ, "read")                                                                                                    \
    X(WRITE, "write")                                                                                                  \
    X(SYNC, "fsync")                                                                                                   \
    X(FOLDER_SYNC, "fsync of a folder")                                                                                \
    X(TRUNCATE, "ftruncate")                                                                                           \
    X(RENAME, "rename")                                                                                                \
    X(UNLINK, "unlink")                                                                                                \
    X(MKDIR, "mkdir")                                                                                                  \
    X(STAT, "stat")                                                                                                    \
    X(LOCK, "lock")                                                                                                    \
    X(MAP, "mmap")                                                                                                     \
    X(ALLOCATE, "allocate")
enum interposed {
#define INTERPOSED_NAME(name, text) ON_##name,
    INTERPOSED_LIST(INTERPOSED_NAME)
#undef INTERPOSED_NAME
        ON_COUNT
};

enum { SITE_FRAMES = 24 };
struct interposed_call {
    enum interposed call;
    unsigned depth;
    size_t step;               /* of the recording, if there is one */
    void *frames[SITE_FRAMES]; /* innermost first, without this library's own */
};

/* How a call fails. */
enum failing {
    FAIL_ERRNO,
    FAIL_SHORT,  /* half of the bytes, and no error */
    FAIL_LASTING /* this one and all that need space after it, until `interpose_stop` */
};

/* What is watched: a folder's calls, or allocations. Nothing happens but between `interpose_enter` and `interpose_leave`. */
void interpose_watch(const char *folder);
/* Lists the calls into `calls` (NULL: only counts them). */
void interpose_list(bool allocations, struct interposed_call *calls, size_t cap);
void interpose_fail(bool allocations, size_t number, enum failing how, int error);
void interpose_stop(void);
void interpose_enter(void);
void interpose_leave(void);
size_t interpose_count(void);
bool interpose_fired(void);

/* Recording. File contents are known by the number of their file; names belong to folders and change only with them. */
enum trace_kind {
    TRACE_CREATE, /* a name for a new file */
    TRACE_WRITE,
    TRACE_TRUNCATE,
    TRACE_SYNC,
    TRACE_SYNC_FAILED,
    TRACE_FOLDER_SYNC,
    TRACE_RENAME,
    TRACE_UNLINK,
    TRACE_MKDIR
};
struct trace_step {
    enum trace_kind kind;
    unsigned file; /* 0: none */
    uint64_t at, len;
    const uint8_t *data;
    const char *path, *to;
};
struct trace {
    const struct trace_step *steps;
    size_t count;
    unsigned files; /* numbers 1..files are in use */
};
/* Records from an empty folder on; at step `end` the power goes (SIZE_MAX: never): from then on every watched call fails. */
void interpose_record(size_t end);
bool interpose_powerless(void);
void interpose_freeze(bool frozen); /* as when the process is killed: no watched call does anything any more */
struct trace interpose_trace(void);

#endif
