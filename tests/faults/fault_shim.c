#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* Loaded into the recorder by LD_PRELOAD:
 *   FAULT_SHORT_WRITE=N    pwritev() takes at most N bytes at a time
 *   FAULT_MALLOC_FILE=PATH while that file is there, malloc() and posix_memalign() of 64 KiB and
 * more fail
 *   FAULT_COUNT_FILE=PATH  two numbers of 8 bytes: how many calls that change a disk were made, by
 * all threads together; and the one before which the process is killed (0: none) Built without
 * _FILE_OFFSET_BITS, so that both names of a call can be told apart. */

enum { LARGE = 64 << 10 };

typedef struct {
    uint64_t n_calls, kill_at;
} Counter;

#pragma GCC visibility push(default)
ssize_t pwritev64(int fd, const struct iovec *pieces, int n_pieces, off64_t offset);
int posix_fallocate64(int fd, off64_t offset, off64_t n_bytes);
int syncfs(int fd);
void *malloc(size_t n_bytes);
int posix_memalign(void **place, size_t alignment, size_t n_bytes);
#pragma GCC visibility pop

extern void *__libc_malloc(size_t n_bytes);
extern void *__libc_memalign(size_t alignment, size_t n_bytes);

static Counter *
find_counter(void)
{
    static Counter *counter = NULL;
    const char *path = secure_getenv("FAULT_COUNT_FILE");
    int fd = -1;
    void *place = NULL;

    if (counter != NULL || path == NULL)
        return counter;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    place = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void) close(fd); /* the map stays */
    if (place != MAP_FAILED)
        counter = place;
    return counter;
}

/* Returns: the real function behind `name`, after it was counted. */
static void *
counted(const char *name)
{
    Counter *counter = find_counter();

    if (counter != NULL &&
        __atomic_add_fetch(&counter->n_calls, 1, __ATOMIC_SEQ_CST) == counter->kill_at) {
        (void) kill(getpid(), SIGKILL); /* it does not come back */
        for (;;)
            (void) pause(); /* as above */
    }
    return dlsym(RTLD_NEXT, name);
}

#define REAL(function, name)                                                                       \
    void *symbol = counted(name);                                                                  \
    __typeof__(function) *real = NULL;                                                             \
    memcpy(&real, &symbol, sizeof symbol)

ssize_t
pwritev64(int fd, const struct iovec *pieces, int n_pieces, off64_t offset)
{
    REAL(pwritev64, "pwritev64");
    const char *text = secure_getenv("FAULT_SHORT_WRITE");
    const size_t most = text == NULL ? 0 : strtoul(text, NULL, 10);
    struct iovec piece;

    if (most == 0 || n_pieces == 0)
        return real(fd, pieces, n_pieces, offset);
    piece = pieces[0];
    for (int i = 1; i < n_pieces && piece.iov_len == 0; i++)
        piece = pieces[i];
    if (piece.iov_len > most)
        piece.iov_len = most;
    return real(fd, &piece, 1, offset);
}

int
fdatasync(int fd)
{
    REAL(fdatasync, "fdatasync");
    return real(fd);
}

int
fsync(int fd)
{
    REAL(fsync, "fsync");
    return real(fd);
}

int
syncfs(int fd)
{
    REAL(syncfs, "syncfs");
    return real(fd);
}

int
posix_fallocate64(int fd, off64_t offset, off64_t n_bytes)
{
    REAL(posix_fallocate64, "posix_fallocate64");
    return real(fd, offset, n_bytes);
}

int
linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    REAL(linkat, "linkat");
    return real(from_fd, from, to_fd, to, flags);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    REAL(renameat, "renameat");
    return real(from_fd, from, to_fd, to);
}

int
unlinkat(int fd, const char *path, int flags)
{
    REAL(unlinkat, "unlinkat");
    return real(fd, path, flags);
}

int
mkdirat(int fd, const char *path, mode_t mode)
{
    REAL(mkdirat, "mkdirat");
    return real(fd, path, mode);
}

static int
has_no_memory(size_t n_bytes)
{
    const char *path = n_bytes < LARGE ? NULL : secure_getenv("FAULT_MALLOC_FILE");

    return path != NULL && access(path, F_OK) == 0;
}

void *
malloc(size_t n_bytes)
{
    if (has_no_memory(n_bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(n_bytes);
}

int
posix_memalign(void **place, size_t alignment, size_t n_bytes)
{
    void *bytes = has_no_memory(n_bytes) ? NULL : __libc_memalign(alignment, n_bytes);

    if (bytes == NULL)
        return ENOMEM;
    *place = bytes;
    return 0;
}
