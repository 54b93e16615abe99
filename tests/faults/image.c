/* From a recording to a disk after a power loss. A file's steps up to its last sync are there; of those since, chance decides. A failed
   sync leaves its writes in memory as if they were written, and no later sync writes them: they are lost unless written again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/faults/driver.h"

enum { SECTOR = 512, NAMES_MAX = 512 };
enum fate { PENDING, DURABLE, DOOMED };

struct disk {
    struct trace trace;
    enum loss loss;
    uint64_t random;
    size_t turn; /* LOSE_LAST, LOSE_FIRST: the step that divides */
    unsigned char *fates;
};
struct content {
    uint8_t *bytes;
    uint64_t len, cap;
};
struct name {
    const char *path;
    unsigned file;
    bool folder;
};

static uint64_t chance(struct disk *disk, uint64_t below)
{
    uint64_t z = disk->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
}

/* Is this part of a step, which was not synced, on the disk? */
static bool kept(struct disk *disk, size_t step)
{
    switch (disk->loss) {
    case LOSE_ALL:
        return false;
    case LOSE_NOTHING:
        return disk->fates[step] != DOOMED;
    case LOSE_LAST:
        return step < disk->turn && disk->fates[step] != DOOMED;
    case LOSE_FIRST:
        return step >= disk->turn && disk->fates[step] != DOOMED;
    default:
        return chance(disk, 2);
    }
}

static bool in_folder(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t len = strlen(folder);
    len -= len && folder[len - 1] == '/';
    return slash && (size_t)(slash - path) == len && strncmp(path, folder, len) == 0;
}

static bool names(const struct trace_step *step)
{
    return step->kind == TRACE_CREATE || step->kind == TRACE_RENAME || step->kind == TRACE_UNLINK ||
           step->kind == TRACE_MKDIR;
}

static bool fills(const struct trace_step *step)
{
    return step->kind == TRACE_WRITE || step->kind == TRACE_TRUNCATE;
}

static void fates_decide(struct disk *disk)
{
    for (size_t i = 0; i < disk->trace.count; i++) {
        const struct trace_step *sync = &disk->trace.steps[i];
        if (sync->kind != TRACE_SYNC && sync->kind != TRACE_SYNC_FAILED && sync->kind != TRACE_FOLDER_SYNC)
            continue;
        for (size_t k = 0; k < i; k++) {
            const struct trace_step *step = &disk->trace.steps[k];
            bool covered = sync->kind == TRACE_FOLDER_SYNC ? names(step) && in_folder(step->path, sync->path)
                                                           : fills(step) && step->file == sync->file;
            if (covered && disk->fates[k] == PENDING)
                disk->fates[k] = sync->kind == TRACE_SYNC_FAILED ? DOOMED : DURABLE;
        }
    }
}

static void content_room(struct content *c, uint64_t len)
{
    if (len > c->cap) {
        c->bytes = realloc(c->bytes, len * 2);
        if (!c->bytes)
            abort();
        memset(c->bytes + c->cap, 0, len * 2 - c->cap);
        c->cap = len * 2;
    }
    if (len > c->len)
        c->len = len;
}

static void content_resize(struct content *c, uint64_t len)
{
    if (len < c->len)
        memset(c->bytes + len, 0, c->len - len);
    content_room(c, len);
    c->len = len;
}

static void content_write(struct disk *disk, struct content *c, size_t number)
{
    const struct trace_step *step = &disk->trace.steps[number];
    bool whole = disk->fates[number] == DURABLE;
    for (uint64_t at = step->at; at < step->at + step->len;) {
        uint64_t end = (at / SECTOR + 1) * SECTOR;
        end = end < step->at + step->len ? end : step->at + step->len;
        if (whole || kept(disk, number)) {
            content_room(c, end);
            memcpy(c->bytes + at, step->data + (at - step->at), end - at);
        }
        at = end;
    }
    if (!whole && disk->loss == LOSE_SECTORS && chance(disk, 4) == 0)
        content_room(c, step->at + step->len); /* the length is there, the bytes are not */
}

static void content_make(struct disk *disk, unsigned file, struct content *c)
{
    for (size_t i = 0; i < disk->trace.count; i++) {
        const struct trace_step *step = &disk->trace.steps[i];
        if (step->file != file)
            continue;
        if (step->kind == TRACE_WRITE)
            content_write(disk, c, i);
        else if (step->kind == TRACE_TRUNCATE && (disk->fates[i] == DURABLE || kept(disk, i)))
            content_resize(c, step->len);
    }
}

static struct name *name_find(struct name *list, size_t *count, const char *path)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].path, path) == 0)
            return &list[i];
    if (*count == NAMES_MAX)
        abort();
    list[*count] = (struct name){.path = path};
    return &list[(*count)++];
}

static size_t names_make(struct disk *disk, struct name *list)
{
    size_t count = 0;
    for (size_t i = 0; i < disk->trace.count; i++) {
        const struct trace_step *step = &disk->trace.steps[i];
        if (!names(step) || (disk->fates[i] != DURABLE && !kept(disk, i)))
            continue;
        struct name *name = name_find(list, &count, step->path);
        name->folder = step->kind == TRACE_MKDIR;
        name->file = step->kind == TRACE_CREATE ? step->file : 0;
        if (step->kind == TRACE_RENAME)
            name_find(list, &count, step->to)->file = step->file;
    }
    return count;
}

static void file_make(const char *path, const uint8_t *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return; /* its folder is lost, and the file with it */
    if (len && write(fd, bytes, len) != (ssize_t)len)
        abort();
    (void)close(fd);
}

/* The WAL's index is no file to trust after a crash: missing, or full of anything. */
static void index_make(struct disk *disk, const char *folder)
{
    uint8_t noise[32768];
    char path[256];
    if (chance(disk, 2))
        return;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)chance(disk, 256);
    (void)snprintf(path, sizeof path, "%s/state.db-shm", folder);
    file_make(path, noise, sizeof noise);
}

void image_make(const char *folder, struct trace trace, enum loss loss, uint64_t seed)
{
    static struct name list[NAMES_MAX];
    struct disk disk = {.trace = trace, .loss = loss, .random = seed, .fates = calloc(trace.count + 1, 1)};
    if (!disk.fates)
        abort();
    size_t recent = trace.count < 24 ? trace.count : 24;
    disk.turn = trace.count - (recent ? chance(&disk, recent) : 0);
    fates_decide(&disk);
    size_t count = names_make(&disk, list);
    folder_empty(folder);
    for (size_t i = 0; i < count; i++)
        if (list[i].folder)
            (void)mkdir(list[i].path, 0700);
    for (size_t i = 0; i < count; i++) {
        struct content content = {0};
        if (!list[i].file)
            continue;
        content_make(&disk, list[i].file, &content);
        file_make(list[i].path, content.bytes, content.len);
        free(content.bytes);
    }
    index_make(&disk, folder);
    free(disk.fates);
}
