#include "cli/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto/sha256.h"

static const char sums_name[] = "SHA256SUMS";
enum { SUMS_BYTES_MAX = 1 << 30, OPEN_FOLDERS_MAX = 16 };

/* Progress */

static int64_t monotonic_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, const char *what)
{
    *progress = (struct progress){.what = what, .next_ms = monotonic_ms() + 2000};
}

void progress_show(void *ctx, uint64_t done, uint64_t total)
{
    struct progress *progress = ctx;
    int64_t now = monotonic_ms();
    if (now < progress->next_ms)
        return;
    progress->next_ms = now + 1000;
    progress->shown = true;
    (void)fprintf(stderr, "\r%s: %llu", progress->what, (unsigned long long)done);
    if (total)
        (void)fprintf(stderr, " of %llu", (unsigned long long)total);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        (void)fputc('\n', stderr);
    progress->shown = false;
}

/* Sums */

void sums_free(struct sums *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        free(sums->list[i].name);
    free(sums->list);
    *sums = (struct sums){0};
}

static int sums_add(struct sums *sums, struct span name, const struct hash *hash)
{
    if (sums->count == sums->cap) {
        size_t cap = sums->cap ? sums->cap * 2 : 64;
        struct sum *list = realloc(sums->list, cap * sizeof *list);
        if (!list)
            return E_NOMEM;
        sums->list = list;
        sums->cap = cap;
    }
    char *copy = strndup((const char *)name.data, name.len);
    if (!copy)
        return E_NOMEM;
    sums->list[sums->count++] = (struct sum){.name = copy, .hash = *hash};
    return 0;
}

static int sum_order(const void *a, const void *b)
{
    return strcmp(((const struct sum *)a)->name, ((const struct sum *)b)->name);
}

const struct sum *sums_find(const struct sums *sums, const char *name)
{
    char copy[4096];
    (void)snprintf(copy, sizeof copy, "%s", name);
    const struct sum key = {.name = copy};
    return sums->count ? bsearch(&key, sums->list, sums->count, sizeof key, sum_order) : NULL;
}

/* Files */

static int system_code(void)
{
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? E_FULL
           : errno == ENOENT                                    ? E_NOTFOUND
           : errno == EEXIST                                    ? E_EXISTS
                                                                : E_IO;
}

static int system_fail(struct fault *fault, const char *path)
{
    int code = fail(fault, system_code(), "%s", strerror(errno));
    return fail_at(fault, code, "%s", path);
}

static bool write_whole(int fd, struct span bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = span_from(bytes, (size_t)n);
    }
    return true;
}

/* To `to`, unless it is negative. */
static int stream(int from, int to, struct hash *hash, uint64_t *bytes)
{
    static uint8_t block[1 << 17];
    struct sha256 *state = sha256_new();
    ssize_t n = 0;
    if (!state)
        return E_NOMEM;
    int rc = 0;
    while (rc == 0 && ((n = read(from, block, sizeof block)) > 0 || (n < 0 && errno == EINTR))) {
        struct span part = span_of(block, n > 0 ? (size_t)n : 0);
        sha256_add(state, part);
        *bytes += part.len;
        if (to >= 0 && !write_whole(to, part))
            rc = system_code();
    }
    sha256_end(state, hash);
    return rc ? rc : n < 0 ? system_code() : 0;
}

static int regular_open(const char *path, struct fault *fault)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? fail_at(fault, fail(fault, E_TYPE, "a symbolic link"), "%s", path)
                              : system_fail(fault, path);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)close(fd);
    return fail_at(fault, fail(fault, E_TYPE, "not an ordinary file"), "%s", path);
}

int file_sum(const char *path, struct hash *hash, uint64_t *bytes, struct fault *fault)
{
    int fd = regular_open(path, fault);
    if (fd < 0)
        return fd;
    int rc = stream(fd, -1, hash, bytes);
    (void)close(fd);
    return rc ? fail_at(fault, fail(fault, rc, "reading it"), "%s", path) : 0;
}

int file_copy(const char *from, const char *to, struct hash *hash, uint64_t *bytes, struct fault *fault)
{
    int in = regular_open(from, fault), out = -1;
    if (in < 0)
        return in;
    int rc = 0;
    if ((out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        rc = system_fail(fault, to);
    else if ((rc = stream(in, out, hash, bytes)) != 0)
        (void)fail_at(fault, fail(fault, rc, "copying %.180s", from), "%s", to);
    (void)close(in);
    if (out >= 0 && close(out) != 0 && rc == 0)
        rc = system_fail(fault, to);
    return rc;
}

bool folder_empty(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool empty = folder != NULL;
    while (empty && (entry = readdir(folder)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (folder)
        (void)closedir(folder);
    return empty;
}

/* Writing a folder */

int folder_begin(struct folder *folder, const char *target, struct fault *fault)
{
    struct stat st;
    size_t len = strlen(target);
    *folder = (struct folder){0};
    while (len > 1 && target[len - 1] == '/')
        len--;
    if (!len || len > 3900)
        return fail(fault, E_USAGE, "the target's path has 1 to 3900 bytes");
    (void)snprintf(folder->target, sizeof folder->target, "%.*s", (int)len, target);
    if (lstat(folder->target, &st) == 0)
        return fail_at(fault, fail(fault, E_EXISTS, "nothing is overwritten"), "%s", folder->target);
    (void)snprintf(folder->path, sizeof folder->path, "%s.partial-XXXXXX", folder->target);
    if (!mkdtemp(folder->path)) {
        folder->path[0] = 0;
        int code = system_code() == E_FULL ? E_FULL : E_IO;
        return fail_at(fault, fail(fault, code, "no folder can be made there: %s", strerror(errno)), "%s",
                       folder->target);
    }
    return 0;
}

int folder_path(struct folder *folder, const char *name, char out[static 4096], struct fault *fault)
{
    int n = snprintf(out, 4096, "%s/%s", folder->path, name);
    if (n < 0 || n >= 4096)
        return fail(fault, E_LIMIT, "the path is too long");
    for (char *p = out + strlen(folder->path) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        if (mkdir(out, 0700) != 0 && errno != EEXIST)
            return system_fail(fault, out);
        *p = '/';
    }
    return 0;
}

int folder_put(struct folder *folder, const char *name, struct span bytes, struct fault *fault)
{
    char path[4096];
    struct hash hash;
    int rc = folder_path(folder, name, path, fault), fd;
    if (rc)
        return rc;
    if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        return system_fail(fault, path);
    if (!write_whole(fd, bytes))
        rc = system_fail(fault, path);
    if (close(fd) != 0 && rc == 0)
        rc = system_fail(fault, path);
    sha256(bytes, &hash);
    folder->sums.bytes += bytes.len;
    return rc ? rc : sums_add(&folder->sums, span_str(name), &hash);
}

int folder_copy(struct folder *folder, const char *from, const char *name, struct fault *fault)
{
    char path[4096];
    struct hash hash;
    int rc = folder_path(folder, name, path, fault);
    rc = rc ? rc : file_copy(from, path, &hash, &folder->sums.bytes, fault);
    return rc ? rc : sums_add(&folder->sums, span_str(name), &hash);
}

int folder_add(struct folder *folder, const char *name, struct fault *fault)
{
    char path[4096];
    struct hash hash;
    int rc = folder_path(folder, name, path, fault);
    rc = rc ? rc : file_sum(path, &hash, &folder->sums.bytes, fault);
    return rc ? rc : sums_add(&folder->sums, span_str(name), &hash);
}

int folder_sum(struct folder *folder, struct hash *id, struct fault *fault)
{
    struct buf text;
    char path[4096];
    struct sums *sums = &folder->sums;
    qsort(sums->list, sums->count, sizeof *sums->list, sum_order);
    buf_init(&text, SUMS_BYTES_MAX);
    for (size_t i = 0; i < sums->count; i++) {
        buf_hex(&text, span_hash(&sums->list[i].hash));
        buf_printf(&text, "  %s\n", sums->list[i].name);
    }
    sha256(buf_view(&text), id);
    int rc = text.error ? fail(fault, text.error, "%s", sums_name) : folder_path(folder, sums_name, path, fault);
    rc = rc ? rc : file_write(path, buf_view(&text), 0600, true, fault);
    buf_free(&text);
    return rc;
}

/* All files at once, by one syncfs: a million small ones take a million waits otherwise. It reports what could not be written. */
int folder_end(struct folder *folder, struct fault *fault)
{
    char parent[4096];
    (void)snprintf(parent, sizeof parent, "%s", folder->target);
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = 0;
    int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    if (fd < 0 || syncfs(fd) != 0)
        rc = system_fail(fault, folder->path);
    if (fd >= 0)
        (void)close(fd);
    if (rc == 0 && rename(folder->path, folder->target) != 0)
        rc = errno == ENOTEMPTY || errno == ENOTDIR
                 ? fail_at(fault, fail(fault, E_EXISTS, "nothing is overwritten"), "%s", folder->target)
                 : system_fail(fault, folder->target);
    if (rc)
        return rc;
    folder->path[0] = 0; /* nothing is left to be removed */
    fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        rc = system_fail(fault, slash ? parent : ".");
    if (fd >= 0)
        (void)close(fd);
    sums_free(&folder->sums);
    return rc;
}

static int remove_visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void folder_abandon(struct folder *folder)
{
    if (folder->path[0])
        (void)nftw(folder->path, remove_visit, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS);
    folder->path[0] = 0;
    sums_free(&folder->sums);
}

/* Checking one */

/* Plain relative paths only: what is restored must stay below its folder. */
static bool name_good(struct span name)
{
    struct span rest = name;
    if (!name.len || name.len > 1024 || name.data[0] == '/' || name.data[name.len - 1] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < 0x21 || name.data[i] > 0x7e || name.data[i] == '\\')
            return false;
    while (rest.len) {
        const uint8_t *slash = memchr(rest.data, '/', rest.len);
        size_t n = slash ? (size_t)(slash - rest.data) : rest.len;
        if (!n || (n == 1 && rest.data[0] == '.') || (n == 2 && rest.data[0] == '.' && rest.data[1] == '.'))
            return false;
        rest = span_from(rest, n + 1);
    }
    return true;
}

static int sums_parse(struct sums *sums, struct span text, struct fault *fault)
{
    struct span line;
    struct hash hash;
    while (text.len) {
        if (!span_line(&text, &line))
            return fail(fault, E_TRUNCATED, "the last line has no end");
        struct span name = span_from(line, 66);
        if (line.len < 67 || !hash_parse(span_of(line.data, 64), &hash) || line.data[64] != ' ' ||
            line.data[65] != ' ' || !name_good(name))
            return fail(fault, E_SYNTAX, "line %zu is not a SHA-256, two spaces and a path within the folder",
                        sums->count + 1);
        if (sums->count && span_compare(span_str(sums->list[sums->count - 1].name), name) >= 0)
            return fail(fault, E_CANONICAL, "line %zu is not after the one before", sums->count + 1);
        int rc = sums_add(sums, name, &hash);
        if (rc)
            return fail(fault, rc, "%s", sums_name);
    }
    return sums->count ? 0 : fail(fault, E_MISSING, "it names no file");
}

static int files_check(const char *path, struct sums *sums, struct fault *fault)
{
    struct progress progress;
    char file[4096];
    int rc = 0;
    progress_begin(&progress, "checking files");
    for (size_t i = 0; i < sums->count && rc == 0; i++) {
        struct hash hash;
        (void)snprintf(file, sizeof file, "%s/%s", path, sums->list[i].name);
        rc = file_sum(file, &hash, &sums->bytes, fault);
        if (rc == E_NOTFOUND)
            rc = fail(fault, E_MISSING, "%s names it", sums_name);
        else if (rc == 0 && !hash_eq(&hash, &sums->list[i].hash))
            rc = fail_at(fault, fail(fault, E_HASH, "it is damaged, or was changed"), "%s", file);
        progress_show(&progress, i + 1, sums->count);
    }
    progress_end(&progress);
    return rc;
}

/* nftw has no context: one check at a time. */
static struct {
    const struct sums *sums;
    size_t skip;
    struct fault *fault;
    int code;
} walk;

static int extra_visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    const char *name = path + walk.skip;
    if (type == FTW_D ||
        (type == FTW_F && (sums_find(walk.sums, name) || (at->level == 1 && strcmp(name, sums_name) == 0))))
        return 0;
    walk.code = fail_at(walk.fault, fail(walk.fault, E_TRAILING, "%s does not name it", sums_name), "%s", path);
    return 1;
}

int folder_check(const char *given, struct sums *sums, struct hash *id, struct fault *fault)
{
    char path[2048], file[4096];
    struct buf text;
    struct stat st;
    size_t len = strlen(given);
    *sums = (struct sums){0};
    while (len > 1 && given[len - 1] == '/')
        len--;
    (void)snprintf(path, sizeof path, "%.*s", (int)len, given);
    if (stat(path, &st) != 0)
        return system_fail(fault, path);
    if (!S_ISDIR(st.st_mode) || len >= sizeof path)
        return fail_at(fault, fail(fault, E_TYPE, "not a folder, or its path is too long"), "%s", path);
    (void)snprintf(file, sizeof file, "%s/%s", path, sums_name);
    int rc = file_read(file, SUMS_BYTES_MAX, &text, fault);
    sha256(buf_view(&text), id);
    if (rc == 0 && (rc = sums_parse(sums, buf_view(&text), fault)) != 0)
        (void)fail_at(fault, rc, "%s", file);
    buf_free(&text);
    rc = rc ? rc : files_check(path, sums, fault);
    if (rc)
        return rc;
    walk = (typeof(walk)){.sums = sums, .skip = strlen(path) + 1, .fault = fault};
    if (nftw(path, extra_visit, OPEN_FOLDERS_MAX, FTW_PHYS) < 0)
        rc = system_fail(fault, path);
    return rc ? rc : walk.code;
}
