/* Folders that are handed on (backups, exports): ordinary files and SHA256SUMS, which `sha256sum -c` reads too. One is written under a
   temporary name beside its target, made durable, and renamed: there is all of it, or none. Files have mode 0600, folders 0700. */
#ifndef COMITY_CLI_FOLDER_H
#define COMITY_CLI_FOLDER_H

#include "cli/cli.h"

/* Says on standard error how far it is, once it takes longer than two seconds. */
struct progress {
    const char *what;
    int64_t next_ms;
    bool shown;
};
void progress_begin(struct progress *progress, const char *what);
void progress_show(void *progress, uint64_t done, uint64_t total); /* `total` 0: nobody knows */
void progress_end(struct progress *progress);

struct sum {
    char *name; /* path within the folder */
    struct hash hash;
};
struct sums {
    struct sum *list;
    size_t count, cap;
    uint64_t bytes; /* of all files together */
};
void sums_free(struct sums *sums);
const struct sum *sums_find(const struct sums *sums, const char *name); /* of a sorted list; NULL */

struct folder {
    char target[4096], path[4096]; /* `path`: the temporary one, where it is written */
    struct sums sums;
};
/* E_EXISTS when there is something at `target` already. In every other case end or abandon follows. */
int folder_begin(struct folder *folder, const char *target, struct fault *fault);
/* `name` may hold folders, which are made. */
int folder_path(struct folder *folder, const char *name, char out[static 4096], struct fault *fault);
int folder_put(struct folder *folder, const char *name, struct span bytes, struct fault *fault);
int folder_copy(struct folder *folder, const char *from, const char *name, struct fault *fault);
int folder_add(struct folder *folder, const char *name,
               struct fault *fault); /* of a file that others wrote at folder_path */
/* Writes SHA256SUMS, whose own hash is `id`. */
int folder_sum(struct folder *folder, struct hash *id, struct fault *fault);
/* All of it durable under its own name. */
int folder_end(struct folder *folder, struct fault *fault);
void folder_abandon(struct folder *folder); /* removes what was written */

/* Every file that SHA256SUMS names is there and has its hash, and nothing else is there: E_MISSING, E_HASH, E_TRAILING, naming it. */
int folder_check(const char *path, struct sums *sums, struct hash *id, struct fault *fault);

/* Streams one regular file to a new one; `hash` is of the bytes that were written. Symbolic links are refused. */
int file_copy(const char *from, const char *to, struct hash *hash, uint64_t *bytes, struct fault *fault);
int file_sum(const char *path, struct hash *hash, uint64_t *bytes, struct fault *fault);
bool folder_empty(const char *path); /* there is a folder, and nothing in it */

#endif
