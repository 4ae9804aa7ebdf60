#include "agent/admin/input_file.h"

#include "agent/admin/stream_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PEEK_BYTES 4096

struct InputFile {
    int fd;
    char *name;
    size_t n_taken; /* of `peeked` */
    size_t n_peeked;
    uint8_t peeked[PEEK_BYTES];
};

InputFile *
input_file_open(const char *path, GError **error)
{
    const int fd = path == NULL ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        stream_fd_fail_errno(error, "open", path);
        return NULL;
    }
    stream_fd_widen_pipe(fd);
    InputFile *self = g_new0(InputFile, 1);
    self->fd = fd;
    self->name = g_strdup(path == NULL ? "standard input" : path);
    return self;
}

const char *
input_file_name(const InputFile *self)
{
    return self->name;
}

int
input_file_fd(const InputFile *self)
{
    return self->fd;
}

static bool
read_some(InputFile *self, uint8_t *buffer, size_t n_bytes, size_t *n_read, GError **error)
{
    ssize_t n_got = 0;

    do {
        n_got = read(self->fd, buffer, n_bytes);
    } while (n_got < 0 && errno == EINTR);
    if (n_got < 0)
        return stream_fd_fail_errno(error, "read", self->name);
    *n_read = (size_t) n_got;
    return true;
}

bool
input_file_peek(InputFile *self, const uint8_t **bytes, size_t *n_bytes, GError **error)
{
    size_t n_read = 1;

    while (self->n_peeked < PEEK_BYTES && n_read > 0) {
        if (!read_some(self, self->peeked + self->n_peeked, PEEK_BYTES - self->n_peeked, &n_read,
                       error))
            return false;
        self->n_peeked += n_read;
    }
    *bytes = self->peeked;
    *n_bytes = self->n_peeked;
    return true;
}

bool
input_file_read(void *data, uint8_t *buffer, size_t n_bytes, size_t *n_read, GError **error)
{
    InputFile *self = data;
    const size_t n_kept = MIN(n_bytes, self->n_peeked - self->n_taken);

    if (n_kept == 0)
        return read_some(self, buffer, n_bytes, n_read, error);
    memcpy(buffer, self->peeked + self->n_taken, n_kept);
    self->n_taken += n_kept;
    *n_read = n_kept;
    return true;
}

void
input_file_free(InputFile *self)
{
    if (self == NULL)
        return;
    if (self->fd != STDIN_FILENO)
        (void) close(self->fd); /* only read from */
    g_free(self->name);
    g_free(self);
}
