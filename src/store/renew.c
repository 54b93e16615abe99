#include "store/renew.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "base/error.h"

static int disk_error(void)
{
    return errno == ENOSPC || errno == EDQUOT ? E_FULL : E_IO;
}

static int block_write(int fd, const uint8_t *bytes, size_t len, off_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, bytes + done, len - done, at + (off_t)done);
        if (n <= 0 && (n == 0 || errno != EINTR))
            return disk_error();
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int file_renew(int fd)
{
    uint8_t block[65536];
    off_t at = 0;
    for (;;) {
        ssize_t n = pread(fd, block, sizeof block, at);
        if (n < 0 && errno != EINTR)
            return disk_error();
        if (n == 0)
            break;
        int rc = n > 0 ? block_write(fd, block, (size_t)n, at) : 0;
        if (rc)
            return rc;
        at += n > 0 ? n : 0;
    }
    return fdatasync(fd) == 0 ? 0 : disk_error();
}
