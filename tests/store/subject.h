/* What the store's tests share: a folder of their own, and made-up entries. */
#ifndef COMITY_TESTS_SUBJECT_H
#define COMITY_TESTS_SUBJECT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/store.h"

static char folder[64], database[128], blobs[128];

static inline void folder_make(void)
{
    (void)snprintf(folder, sizeof folder, "store-test-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    (void)snprintf(database, sizeof database, "%s/state.db", folder);
    (void)snprintf(blobs, sizeof blobs, "%s/blobs", folder);
}

static inline void folder_drop(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        abort();
}

static inline void entry_make(uint64_t number, char text[static 64], struct span *entry, struct hash *id)
{
    (void)snprintf(text, 64, "entry number %llu", (unsigned long long)number);
    *entry = span_str(text);
    tree_leaf(*entry, id);
}

/* Appends entries numbered first..first+count-1 in one call (count <= 1024). */
static inline int entries_add(struct store *store, log_id log, uint64_t first, size_t count)
{
    static char text[1024][64];
    static struct span entries[1024];
    static struct hash ids[1024];
    for (size_t i = 0; i < count; i++)
        entry_make(first + i, text[i], &entries[i], &ids[i]);
    return store->ops->entries_append(store, log, entries, ids, count);
}

#endif
