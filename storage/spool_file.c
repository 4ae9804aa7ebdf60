#include "storage/spool_file.h"

#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

char *
spool_file_name(uint64_t number)
{
    return g_strdup_printf("%010" PRIu64 ".log", number);
}

static bool
allocate(int fd, uint64_t offset, uint64_t n_bytes)
{
    int number = 0;

    if (n_bytes == 0)
        return true;
    do {
        number = posix_fallocate(fd, (off_t) offset, (off_t) n_bytes);
    } while (number == EINTR);
    errno = number;
    return number == 0;
}

bool
spool_file_reserve(SpoolFile *self, uint64_t n_more, GError **error)
{
    const uint64_t n_needed = self->n_bytes + n_more;

    if (n_needed <= self->n_allocated)
        return true;
    if (!allocate(self->fd, self->n_allocated, n_needed - self->n_allocated)) {
        g_autofree char *name = spool_file_name(self->number);

        return storage_fail_errno(error, "allocate space in", name);
    }
    self->n_allocated = n_needed;
    return true;
}

static SpoolFile *
new_file(uint64_t number, int fd)
{
    SpoolFile *self = g_atomic_rc_box_new0(SpoolFile);

    self->number = number;
    self->fd = fd;
    return self;
}

SpoolFile *
spool_file_create(int dir_fd, uint64_t number, uint64_t n_wanted, uint64_t n_needed, GError **error)
{
    g_autofree char *name = spool_file_name(number);
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int fd = openat(dir_fd, name, flags, 0600);
    g_autoptr(SpoolFile) self = NULL;

    if (fd < 0) {
        (void) storage_fail_errno(error, "create", name);
        return NULL;
    }
    self = new_file(number, fd);
    if (spool_file_reserve(self, MAX(n_wanted, n_needed), NULL) ||
        spool_file_reserve(self, n_needed, error))
        return g_steal_pointer(&self);
    (void) unlinkat(dir_fd, name, 0); /* nothing is in it yet */
    return NULL;
}

SpoolFile *
spool_file_open(int dir_fd, uint64_t number, GError **error)
{
    g_autofree char *name = spool_file_name(number);
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    g_autoptr(SpoolFile) self = new_file(number, openat(dir_fd, name, flags));
    struct stat status;

    if (self->fd < 0 || fstat(self->fd, &status) < 0) {
        (void) storage_fail_errno(error, "open", name);
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "%s is not a regular file", name);
        return NULL;
    }
    self->n_bytes = self->n_allocated = (uint64_t) status.st_size;
    self->is_head_durable = true;
    return g_steal_pointer(&self);
}

/* pwritev() may write less than asked; go on where it stopped. */
static bool
write_pieces(int fd, uint64_t offset, struct iovec *pieces, int n_pieces)
{
    while (n_pieces > 0) {
        ssize_t n = pwritev(fd, pieces, n_pieces, (off_t) offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO; /* neither written nor refused: asking for ever helps nobody */
        if (n <= 0)
            return false;
        offset += (uint64_t) n;
        while (n_pieces > 0 && (size_t) n >= pieces->iov_len) {
            n -= (ssize_t) pieces->iov_len;
            pieces++;
            n_pieces--;
        }
        if (n_pieces > 0) {
            pieces->iov_base = (uint8_t *) pieces->iov_base + n;
            pieces->iov_len -= (size_t) n;
        }
    }
    return true;
}

int64_t
spool_file_append(SpoolFile *self, GBytes *record, GBytes *payload, GError **error)
{
    struct iovec pieces[2] = {0};
    const uint64_t offset = self->n_bytes;

    pieces[0].iov_base = (void *) g_bytes_get_data(record, &pieces[0].iov_len);
    if (payload != NULL)
        pieces[1].iov_base = (void *) g_bytes_get_data(payload, &pieces[1].iov_len);
    self->n_bytes += pieces[0].iov_len + pieces[1].iov_len;
    if (!write_pieces(self->fd, offset, pieces, payload == NULL ? 1 : 2)) {
        g_autofree char *name = spool_file_name(self->number);

        self->n_bytes = offset;
        (void) storage_fail_errno(error, "write", name);
        return -1;
    }
    self->n_allocated = MAX(self->n_allocated, self->n_bytes);
    return (int64_t) offset;
}

bool
spool_file_read_into(const SpoolFile *self, uint64_t offset, uint8_t *bytes, size_t n_bytes,
                     GError **error)
{
    g_autofree char *name = spool_file_name(self->number);
    size_t n_done = 0;

    while (n_done < n_bytes) {
        const ssize_t n =
            pread(self->fd, bytes + n_done, n_bytes - n_done, (off_t) (offset + n_done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return storage_fail_errno(error, "read", name);
        if (n == 0) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "%s is cut short", name);
            return false;
        }
        n_done += (size_t) n;
    }
    return true;
}

GBytes *
spool_file_read(const SpoolFile *self, uint64_t offset, size_t n_bytes, GError **error)
{
    g_autofree uint8_t *bytes = g_try_malloc(MAX(n_bytes, 1));

    if (bytes == NULL) {
        g_autofree char *name = spool_file_name(self->number);

        errno = ENOMEM;
        (void) storage_fail_errno(error, "read", name);
        return NULL;
    }
    if (!spool_file_read_into(self, offset, bytes, n_bytes, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), n_bytes);
}

void
spool_file_let_pages_go(const SpoolFile *self, uint64_t from, uint64_t to)
{
    const uint64_t page = (uint64_t) sysconf(_SC_PAGESIZE);
    const uint64_t start = from - from % page; /* whole pages only, and this one is whole by now */

    (void) posix_fadvise(self->fd, (off_t) start, (off_t) (to - start), POSIX_FADV_DONTNEED);
}

SpoolFile *
spool_file_ref(SpoolFile *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
clear_file(void *data)
{
    fd_close(&((SpoolFile *) data)->fd);
}

void
spool_file_unref(SpoolFile *self)
{
    g_atomic_rc_box_release_full(self, clear_file);
}
