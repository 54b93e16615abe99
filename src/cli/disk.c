#include "cli/disk.h"

#include <sys/statvfs.h>

static bool scarce(uint64_t left, uint64_t all)
{
    return left * 100 < all * DISK_LOW_PERCENT;
}

int disk_look(const char *dir, struct disk *out)
{
    struct statvfs v;
    *out = (struct disk){0};
    if (statvfs(dir, &v) != 0)
        return E_IO;
    out->bytes = (uint64_t)v.f_blocks * v.f_frsize;
    out->bytes_free = (uint64_t)v.f_bavail * v.f_frsize;
    out->inodes = v.f_files;
    out->inodes_free = v.f_favail;
    if (scarce(out->bytes_free, out->bytes) || out->bytes_free >> 20 < DISK_LOW_MIB ||
        (out->inodes && scarce(out->inodes_free, out->inodes)))
        out->level = DISK_LOW;
    if (out->bytes_free >> 20 < DISK_FULL_MIB || (out->inodes && !out->inodes_free))
        out->level = DISK_FULL;
    return 0;
}
