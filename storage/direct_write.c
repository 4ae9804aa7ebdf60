#include "storage/direct_write.h"

#include "storage/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

static bool
set_direct(int fd, bool is_direct)
{
    const int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return false;
    return fcntl(fd, F_SETFL, is_direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

/* Writes whole blocks from the start, as many as are taken, and adds them to `n_done`. Some file
 * systems know O_DIRECT and refuse the write (EINVAL), and a disk that ran short may have stopped
 * inside a block: the rest is then left to the page cache. */
static bool
write_blocks(int fd, const uint8_t *bytes, size_t n_bytes, size_t *n_done)
{
    while (n_bytes - *n_done >= DIRECT_WRITE_BLOCK && *n_done % DIRECT_WRITE_BLOCK == 0) {
        const size_t n_left = n_bytes - *n_done;
        const ssize_t n = write(fd, bytes + *n_done, n_left - n_left % DIRECT_WRITE_BLOCK);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EINVAL;
        if (n == 0)
            break; /* neither taken nor refused: the page cache tells */
        *n_done += (size_t) n;
    }
    return true;
}

bool
direct_write_all(int fd, const void *bytes, size_t n_bytes)
{
    const bool is_worth_it =
        n_bytes >= DIRECT_WRITE_LARGE && (uintptr_t) bytes % DIRECT_WRITE_BLOCK == 0;
    size_t n_done = 0;

    /* Where the flag is refused, the page cache it is. */
    if (is_worth_it && set_direct(fd, true)) {
        if (!write_blocks(fd, bytes, n_bytes, &n_done) || !set_direct(fd, false))
            return false;
    }
    /* What is empty may have no address, to which nothing may be added. */
    return durable_file_write_all(fd, n_done > 0 ? (const uint8_t *) bytes + n_done : bytes,
                                  n_bytes - n_done);
}
