/* Archives are read where documents are: in a process that can open no file. What libarchive wants of the system must be there before. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/archive.h"
#include "signer/confine.h"
#include "tests/test.h"

static int count(void *ctx, const struct archive_member *member)
{
    unsigned *files = ctx;
    *files += !member->problem && member->bytes.len > 0;
    return 0;
}

static int read_all(const char *corpus, const char *name, uint8_t *room, size_t size)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/fuzz/corpus/archive/%s", corpus, name);
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(room, 1, size, file) : 0;
    if (file)
        (void)fclose(file);
    return (int)n;
}

/* The exit code is how many members were read, or 99. */
static _Noreturn void child(struct span bytes)
{
    char degraded[128];
    unsigned files = 0;
    archive_prepare();
    if (confine_self(CONFINED_PARSER, NULL, degraded) != 0)
        _exit(99);
    struct span_source memory = {.bytes = bytes};
    const struct archive_source source = archive_of_span(&memory);
    const struct archive_visitor visitor = {.take = count, .ctx = &files, .bytes_max = 1 << 16};
    _exit(archive_members(&source, &visitor, NULL, NULL) == 0 ? (int)files : 99);
}

int main(void)
{
    static const char *const names[] = {"zip", "zip-stored", "tar-gz", "tar-zst-pax", "tar-xz-gnu", "one-gz"};
    static const int members[] = {3, 3, 3, 3, 4, 1};
    static uint8_t room[65536];
    const char *source = getenv("COMITY_SOURCE");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int status = -1, n = read_all(source ? source : ".", names[i], room, sizeof room);
        test(names[i]);
        CHECK(n > 1);
        pid_t pid = fork();
        if (pid == 0)
            child(span_of(room + 1, (size_t)n - 1)); /* the first byte is the fuzz target's */
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status));
        CHECK_INT(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), members[i]);
    }
    return test_end();
}
