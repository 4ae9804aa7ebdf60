#include "storage/spool_private.h"
#include "storage/spool_restate.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* How appended records become durable:
 * 1. whoever commits first flushes, without the lock, so that appending goes on; everybody who
 * comes meanwhile waits, and the next flush serves them all;
 * 2. fdatasync() the log, whose blocks were allocated ahead; a new log's folder too, for its name;
 * 3. if that fails, the log is dead: what it holds is unknown, and asking again would claim success
 *    (fsync reports an error once). Go on in a new log: all that is live is restated, what was
 * never flushed is written again from memory, and then that log is flushed;
 * 4. after a good flush let its pages go if the spool is long, drop the bytes held in memory, sweep
 * logs that nothing needs, and start a new log if this one is long enough. */

static SpoolFile *
current_file(const Spool *self)
{
    g_assert(self->locked.files->len > 0);
    return g_ptr_array_index(self->locked.files, self->locked.files->len - 1);
}

bool
spool_reserve_keep(Spool *self)
{
    const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    g_auto(Fd) file = -1;

    if (self->locked.has_reserve)
        return true;
    file = openat(self->dir, "reserve", flags, 0600);
    self->locked.has_reserve =
        file >= 0 && posix_fallocate(file, 0, (off_t) self->options.reserve_bytes) == 0;
    return self->locked.has_reserve;
}

void
spool_reserve_give_up(Spool *self)
{
    (void) unlinkat(self->dir, "reserve", 0); /* if it fails, the next append tells */
    self->locked.has_reserve = false;
}

void
spool_file_failed_locked(Spool *self, SpoolFile *file)
{
    self->locked.n_dead_files += !file->is_dead;
    file->is_dead = true;
}

static bool
rewrite_unflushed(Spool *self, SpoolFile *file, GArray *offsets, GError **error)
{
    for (guint i = 0; i < self->locked.unflushed->len; i++) {
        const SpoolItem *item = g_ptr_array_index(self->locked.unflushed, i);
        const int64_t at = spool_file_append(file, item->bytes, item->sealed, error);
        const uint64_t offset = (uint64_t) at + g_bytes_get_size(item->bytes);

        if (at < 0)
            return false;
        g_array_append_val(offsets, offset);
    }
    return true;
}

static void
move_item(SpoolItem *item, SpoolFile *file, uint64_t offset)
{
    item->file->n_live--;
    spool_file_unref(item->file);
    item->file = spool_file_ref(file);
    item->offset = offset;
    file->n_live++;
}

static uint64_t
unflushed_bytes(const Spool *self)
{
    uint64_t n_bytes = 0;

    for (guint i = 0; i < self->locked.unflushed->len; i++) {
        const SpoolItem *item = g_ptr_array_index(self->locked.unflushed, i);

        n_bytes += g_bytes_get_size(item->bytes) + g_bytes_get_size(item->sealed);
    }
    return n_bytes;
}

static SpoolFile *
make_file(Spool *self, uint64_t n_needed, GError **error)
{
    const uint64_t number = self->locked.last_file;
    const uint64_t n_wanted = self->options.file_bytes;
    SpoolFile *file = spool_file_create(self->dir, number, n_wanted, n_needed, NULL);

    if (file == NULL) {
        spool_reserve_give_up(self);
        file = spool_file_create(self->dir, number, n_wanted, n_needed, error);
    }
    return file;
}

/* A file that died before it was ever durable promised nothing, and all it held is in the new one:
 * if it stayed, a disk that fails for long would fill up with them. */
static void
drop_empty_dead_locked(Spool *self)
{
    const guint n_files = self->locked.files->len;
    const SpoolFile *last = n_files > 0 ? g_ptr_array_index(self->locked.files, n_files - 1) : NULL;
    g_autofree char *name = NULL;

    if (last == NULL || !last->is_dead || last->is_head_durable || last->n_live > 0)
        return;
    name = spool_file_name(last->number);
    (void) unlinkat(self->dir, name, 0); /* if it stays, the next start sweeps it */
    g_ptr_array_remove_index(self->locked.files, n_files - 1);
}

bool
spool_rotate_locked(Spool *self, GError **error)
{
    g_autoptr(SpoolFile) file = NULL;
    g_autoptr(GBytes) head = NULL;
    g_autoptr(GArray) offsets = g_array_new(false, false, sizeof(uint64_t));
    GByteArray *log = g_byte_array_new();

    self->locked.last_file++;
    spool_restate(self->locked.index, self->locked.last_file, log);
    head = g_byte_array_free_to_bytes(log);
    file = make_file(self, g_bytes_get_size(head) + unflushed_bytes(self), error);
    if (file == NULL)
        return false;
    if (spool_file_append(file, head, NULL, error) < 0 ||
        !rewrite_unflushed(self, file, offsets, error)) {
        g_autofree char *name = spool_file_name(file->number);

        (void) unlinkat(self->dir, name, 0); /* nobody was promised anything that only it holds */
        return false;
    }
    file->n_head_bytes = g_bytes_get_size(head);
    for (guint i = 0; i < offsets->len; i++) {
        move_item(g_ptr_array_index(self->locked.unflushed, i), file,
                  g_array_index(offsets, uint64_t, i));
    }
    drop_empty_dead_locked(self);
    g_ptr_array_add(self->locked.files, g_steal_pointer(&file));
    (void) spool_reserve_keep(self); /* segments are refused until it is there */
    return true;
}

void
spool_sweep_locked(Spool *self)
{
    const SpoolFile *current = current_file(self);

    if (!current->is_head_durable)
        return;
    for (guint i = self->locked.files->len - 1; i > 0; i--) {
        const SpoolFile *file = g_ptr_array_index(self->locked.files, i - 1);
        g_autofree char *name = spool_file_name(file->number);

        if (file->n_live > 0)
            continue;
        (void) unlinkat(self->dir, name, 0); /* if it stays, the next start sweeps it */
        g_ptr_array_remove_index(self->locked.files, i - 1);
    }
}

static bool
flush(Spool *self, const SpoolFile *file, GError **error)
{
    g_autofree char *name = spool_file_name(file->number);

    if (fdatasync(file->fd) < 0)
        return storage_fail_errno(error, "flush", name);
    if (!file->is_head_durable && fsync(self->dir) < 0)
        return storage_fail_errno(error, "flush directory of", name);
    return true;
}

static void
drop_flushed_locked(Spool *self, uint64_t number)
{
    GPtrArray *unflushed = self->locked.unflushed;
    guint n_flushed = 0;

    while (n_flushed < unflushed->len) {
        SpoolItem *item = g_ptr_array_index(unflushed, n_flushed);

        if (item->record.number > number)
            break;
        self->locked.n_unflushed_bytes -= g_bytes_get_size(item->sealed);
        g_clear_pointer(&item->sealed, g_bytes_unref);
        n_flushed++;
    }
    if (n_flushed > 0)
        g_ptr_array_remove_range(unflushed, 0, n_flushed);
}

/* Long enough, and nothing in it waits for a flush; or far too long. */
static void
rotate_if_long_locked(Spool *self)
{
    const SpoolFile *file = current_file(self);
    const bool is_settled = self->locked.last_number == self->locked.durable_number;
    const uint64_t enough = MAX(self->options.file_bytes, 8 * file->n_head_bytes);
    g_autoptr(GError) error = NULL;

    /* A long backlog has a long checkpoint; files grow with it, or we would write little else. */
    if (file->n_bytes < enough || (!is_settled && file->n_bytes < 2 * enough))
        return;
    if (!spool_rotate_locked(self, &error))
        g_message("%s: goes on in a long log: %s", self->path, error->message);
}

static bool
flush_once_locked(Spool *self, GError **error)
{
    g_autoptr(SpoolFile) file = NULL;
    g_autoptr(GError) failure = NULL;
    uint64_t number = 0;
    uint64_t n_bytes = 0;
    bool is_long = false;
    bool is_flushed = false;

    if (current_file(self)->is_dead && !spool_rotate_locked(self, error))
        return false;
    file = spool_file_ref(current_file(self));
    number = self->locked.last_number;
    n_bytes = file->n_bytes;
    is_long = self->locked.files->len > SPOOL_FILES_IN_MEMORY;
    self->locked.is_flushing = true;
    g_mutex_unlock(&self->mutex);
    is_flushed = flush(self, file, &failure);
    if (is_flushed) {
        if (is_long)
            spool_file_let_pages_go(file, file->n_flushed, n_bytes);
        file->n_flushed = n_bytes;
    }
    g_mutex_lock(&self->mutex);
    self->locked.is_flushing = false;
    self->locked.n_commits++;
    if (is_flushed && file == current_file(self)) {
        file->is_head_durable = true;
        self->locked.durable_number = MAX(self->locked.durable_number, number);
        drop_flushed_locked(self, number);
        rotate_if_long_locked(self);
        spool_sweep_locked(self);
    } else if (!is_flushed) {
        g_message("%s: %s; going on in a new file", self->path, failure->message);
        spool_file_failed_locked(self, file);
    }
    return true;
}

bool
spool_commit(Spool *self, GError **error)
{
    enum { MAX_DEAD_FILES = 3 };
    uint64_t n_dead = 0;
    uint64_t wanted = 0;
    bool is_good = true;

    g_mutex_lock(&self->mutex);
    wanted = self->locked.last_number;
    while (is_good && self->locked.durable_number < wanted) {
        if (self->locked.is_flushing) {
            g_cond_wait(&self->flushed, &self->mutex);
            continue;
        }
        is_good = flush_once_locked(self, error);
        if (is_good && current_file(self)->is_dead && ++n_dead == MAX_DEAD_FILES) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_IO,
                        "%s: the disk does not keep what is written", self->path);
            is_good = false;
        }
        g_cond_broadcast(&self->flushed);
    }
    g_mutex_unlock(&self->mutex);
    return is_good;
}
