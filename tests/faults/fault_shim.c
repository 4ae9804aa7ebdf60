#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Loaded into the recorder by LD_PRELOAD:
 *   FAULT_SHORT_WRITE=N    pwritev() takes at most N bytes at a time
 *   FAULT_MALLOC_FILE=PATH while that file is there, malloc() of 64 KiB and more fails
 * Built without _FILE_OFFSET_BITS, so that both names of the call can be told apart. */

enum { LARGE = 64 << 10 };

#pragma GCC visibility push(default)
ssize_t pwritev64(int fd, const struct iovec *pieces, int n_pieces, off64_t offset);
void *malloc(size_t n_bytes);
#pragma GCC visibility pop

extern void *__libc_malloc(size_t n_bytes);

ssize_t
pwritev64(int fd, const struct iovec *pieces, int n_pieces, off64_t offset)
{
    ssize_t (*real)(int, const struct iovec *, int, off64_t) = NULL;
    const char *text = secure_getenv("FAULT_SHORT_WRITE");
    const size_t most = text == NULL ? 0 : strtoul(text, NULL, 10);
    void *symbol = dlsym(RTLD_NEXT, "pwritev64");
    struct iovec piece;

    memcpy(&real, &symbol, sizeof symbol);
    if (most == 0 || n_pieces == 0)
        return real(fd, pieces, n_pieces, offset);
    piece = pieces[0];
    for (int i = 1; i < n_pieces && piece.iov_len == 0; i++)
        piece = pieces[i];
    if (piece.iov_len > most)
        piece.iov_len = most;
    return real(fd, &piece, 1, offset);
}

void *
malloc(size_t n_bytes)
{
    const char *path = n_bytes < LARGE ? NULL : secure_getenv("FAULT_MALLOC_FILE");

    if (path != NULL && access(path, F_OK) == 0) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(n_bytes);
}
