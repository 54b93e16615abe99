/* What is left of the disk under a folder, and when that is too little: for status, which many watch, and doctor. */
#ifndef COMITY_CLI_DISK_H
#define COMITY_CLI_DISK_H

#include "cli/cli.h"

/* Low: a warning. Full: the node will stop soon, for it acknowledges nothing that it cannot write. */
enum {
    DISK_LOW_PERCENT = 5,
    DISK_LOW_MIB = 512,
    DISK_FULL_MIB = 64, /* a large document, its log entries and SQLite's WAL */
};
enum disk_level { DISK_OK, DISK_LOW, DISK_FULL };
struct disk {
    uint64_t bytes_free, bytes, inodes_free, inodes; /* inodes 0: this file system does not count them */
    enum disk_level level;
};
int disk_look(const char *dir, struct disk *out); /* E_IO */

#endif
