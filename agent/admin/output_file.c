#include "agent/admin/output_file.h"

#include "agent/admin/stream_fd.h"
#include "agent/admin/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct OutputFile {
    int fd;
    char *name;    /* where it goes, for messages too */
    char *partial; /* what it is called until complete; NULL if written directly */
    OutputFileRule rule;
    bool is_forced; /* standard output was asked for as `-` */
    bool is_finished;
};

/* A device or a named pipe has no content to replace. */
static bool
open_directly(OutputFile *self, const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0 || S_ISREG(status.st_mode))
        return false;
    self->fd = open(path, O_WRONLY | O_CLOEXEC);
    return true;
}

/* A file of its own beside `path`, so that a rename puts it in place. A link is followed first, as
 * opening it would. */
static bool
open_partial(OutputFile *self, const char *path, mode_t mode)
{
    g_autofree char *target = NULL;
    char *resolved = realpath(path, NULL);

    target = g_strdup(resolved == NULL ? path : resolved);
    free(resolved);
    if (self->rule == OUTPUT_FILE_NEW && access(target, F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    g_autofree char *folder = g_path_get_dirname(target);
    g_autofree char *name = g_path_get_basename(target);
    self->partial = g_strdup_printf("%s/.%s.partial-%08x", folder, name, g_random_int());
    g_free(self->name);
    self->name = g_steal_pointer(&target);
    self->fd = open(self->partial, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (self->fd < 0) {
        g_clear_pointer(&self->partial, g_free);
    } else {
        undo_remove_file(self->partial);
    }
    return self->fd >= 0;
}

OutputFile *
output_file_open(const char *path, OutputFileRule rule, mode_t mode, GError **error)
{
    g_autoptr(OutputFile) self = g_new0(OutputFile, 1);

    self->rule = rule;
    self->is_forced = path != NULL && strcmp(path, "-") == 0;
    if (path == NULL || self->is_forced) {
        self->fd = STDOUT_FILENO;
        self->name = g_strdup("standard output");
    } else {
        self->fd = -1;
        self->name = g_strdup(path);
        if (!open_directly(self, path))
            (void) open_partial(self, path, mode); /* seen in fd */
    }
    if (self->fd < 0) {
        stream_fd_fail_errno(error, "create", self->name);
        return NULL;
    }
    stream_fd_widen_pipe(self->fd);
    return g_steal_pointer(&self);
}

bool
output_file_is_terminal(const OutputFile *self)
{
    return !self->is_forced && isatty(self->fd) == 1;
}

int
output_file_fd(const OutputFile *self)
{
    return self->fd;
}

bool
output_file_write(void *data, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    OutputFile *self = data;

    while (n_bytes > 0) {
        const ssize_t n_written = write(self->fd, bytes, n_bytes);
        if (n_written < 0 && errno == EINTR)
            continue;
        if (n_written < 0)
            return stream_fd_fail_errno(error, "write", self->name);
        bytes += n_written;
        n_bytes -= (size_t) n_written;
    }
    return true;
}

/* A rename would overwrite what appeared meanwhile; a link does not. */
static bool
put_in_place(const OutputFile *self)
{
    if (self->rule == OUTPUT_FILE_REPLACE)
        return rename(self->partial, self->name) == 0;
    return link(self->partial, self->name) == 0 && unlink(self->partial) == 0;
}

bool
output_file_finish(OutputFile *self, GError **error)
{
    if (self->partial == NULL)
        return true;
    /* A key may be the only copy there will ever be; all else can be made again, as with cp. */
    if (self->rule == OUTPUT_FILE_NEW && fsync(self->fd) != 0)
        return stream_fd_fail_errno(error, "flush", self->name);
    if (!put_in_place(self))
        return stream_fd_fail_errno(error, "create", self->name);
    self->is_finished = true;
    undo_remove_file(NULL);
    return true;
}

void
output_file_free(OutputFile *self)
{
    if (self == NULL)
        return;
    if (self->fd >= 0 && self->fd != STDOUT_FILENO)
        (void) close(self->fd); /* flushed, or given up */
    if (self->partial != NULL && !self->is_finished) {
        (void) unlink(self->partial); /* given up */
        undo_remove_file(NULL);
    }
    g_free(self->partial);
    g_free(self->name);
    g_free(self);
}
