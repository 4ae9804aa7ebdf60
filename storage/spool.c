#include "storage/spool.h"

#include "storage/spool_private.h"
#include "storage/spool_recovery.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opening and closing. The order of opening:
 * 1. lock, so that nobody else replays, appends or deletes;
 * 2. replay what is there (spool_recovery.c), which changes nothing on the disk;
 * 3. start a new log file with all that is live, and flush it with its name;
 * 4. only now delete the files that nothing needs: until then a kill starts again at 1 from the
 * same state. */

#define FORMAT_NAME "format"

enum {
    FORMAT = 2, /* of the records; 2 added objects */
    DEFAULT_FILE_BYTES = 64 << 20,
    DEFAULT_RESERVE_BYTES = 8 << 20,
};

static bool
lock(Spool *self, GError **error)
{
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;

    self->lock_file = openat(self->dir, "lock", flags, 0600);
    if (self->lock_file < 0)
        return storage_fail_errno(error, "open lock of", self->path);
    if (flock(self->lock_file, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return storage_fail_errno(error, "lock", self->path);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY,
                "%s is in use by another process: each recorder needs a spool of its own",
                self->path);
    return false;
}

/* Returns: the format that the folder was last written in; that of the beginning if nobody said. */
static unsigned
read_format(const Spool *self)
{
    g_auto(Fd) file = openat(self->dir, FORMAT_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char text[16] = {0};

    if (file < 0 || read(file, text, sizeof text - 1) <= 0)
        return 1;
    return (unsigned) CLAMP(g_ascii_strtoull(text, NULL, 10), 1, UINT_MAX);
}

/* A program that does not know all kinds of records would set aside what it can not read: keys. */
static bool
check_format(const Spool *self, GError **error)
{
    const unsigned format = read_format(self);

    if (format <= FORMAT)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT,
                "%s was written by a newer version (format %u, this one reads up to %d): let that "
                "version store what is there, or name another folder",
                self->path, format, FORMAT);
    return false;
}

static bool
write_format(const Spool *self, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d\n", FORMAT);
    g_autoptr(GBytes) content = NULL;
    g_autoptr(GError) failure = NULL;

    if (read_format(self) == FORMAT)
        return true;
    content = g_bytes_new(text, strlen(text));
    if (durable_file_replace(self->dir, FORMAT_NAME, content, &failure) ||
        g_error_matches(failure, STORAGE_ERROR, STORAGE_ERROR_FULL))
        return true; /* a full disk must not keep the recorder from starting */
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool
open_folder(Spool *self, GError **error)
{
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;

    self->dir = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->dir < 0)
        return storage_fail_errno(error, "open spool", self->path);
    if (!lock(self, error) || !check_format(self, error))
        return false;
    if (mkdirat(self->dir, "quarantine", 0700) < 0 && errno != EEXIST)
        return storage_fail_errno(error, "make quarantine in", self->path);
    self->heartbeat = openat(self->dir, "heartbeat", flags, 0600);
    if (self->heartbeat < 0)
        return storage_fail_errno(error, "open heartbeat of", self->path);
    return true;
}

static Spool *
spool_new(const char *path, const SpoolOptions *options)
{
    Spool *self = g_new0(Spool, 1);

    self->path = g_strdup(path);
    self->dir = self->lock_file = self->heartbeat = -1;
    if (options != NULL)
        self->options = *options;
    if (self->options.file_bytes == 0)
        self->options.file_bytes = DEFAULT_FILE_BYTES;
    if (self->options.reserve_bytes == 0)
        self->options.reserve_bytes = DEFAULT_RESERVE_BYTES;
    g_mutex_init(&self->mutex);
    g_cond_init(&self->flushed);
    self->locked.index = spool_index_new();
    self->locked.files = g_ptr_array_new_with_free_func((GDestroyNotify) spool_file_unref);
    self->locked.unflushed = g_ptr_array_new_with_free_func((GDestroyNotify) spool_item_unref);
    return self;
}

static bool
begin(Spool *self, GError **error)
{
    bool is_begun = false;

    g_mutex_lock(&self->mutex);
    is_begun = spool_recover(self, error) && write_format(self, error);
    self->locked.last_number++; /* so that there is something to flush, even in a new spool */
    is_begun = is_begun && spool_rotate_locked(self, error);
    g_mutex_unlock(&self->mutex);
    return is_begun && spool_commit(self, error);
}

Spool *
spool_open(const char *path, const SpoolOptions *options, GError **error)
{
    g_autoptr(Spool) self = spool_new(path, options);

    if (!open_folder(self, error) || !begin(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
spool_heartbeat(Spool *self, int64_t now_unix_us)
{
    char text[32];
    const int n = snprintf(text, sizeof text, "%020" G_GINT64_FORMAT "\n", now_unix_us);

    /* Losing one makes a gap look a second shorter; no session stops for that. */
    if (pwrite(self->heartbeat, text, (size_t) n, 0) != n)
        g_debug("%s: heartbeat not written", self->path);
}

static uint64_t
count_segments_locked(const Spool *self)
{
    uint64_t n_segments = 0;

    for (guint i = 0; i < self->locked.files->len; i++) {
        const SpoolFile *file = g_ptr_array_index(self->locked.files, i);

        n_segments += file->n_live;
    }
    return n_segments;
}

void
spool_status(Spool *self, SpoolStatus *status)
{
    g_mutex_lock(&self->mutex);
    *status = (SpoolStatus){
        .n_segments = count_segments_locked(self),
        .n_commits = self->locked.n_commits,
        .n_recovered = self->locked.n_recovered,
        .n_quarantined = self->locked.n_quarantined,
        .n_dead_files = self->locked.n_dead_files,
    };
    for (guint i = 0; i < self->locked.files->len; i++)
        status->bytes += ((const SpoolFile *) g_ptr_array_index(self->locked.files, i))->n_bytes;
    g_mutex_unlock(&self->mutex);
}

void
spool_free(Spool *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->locked.unflushed);
    spool_index_free(self->locked.index);
    g_ptr_array_unref(self->locked.files);
    fd_close(&self->heartbeat);
    fd_close(&self->dir);
    fd_close(&self->lock_file);
    g_cond_clear(&self->flushed);
    g_mutex_clear(&self->mutex);
    g_free(self->path);
    g_free(self);
}
