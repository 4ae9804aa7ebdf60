#include "storage/spool_recovery.h"

#include "storage/spool_mend.h"
#include "storage/spool_scan.h"
#include "storage/storage_error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The order:
 * 1. list the log files and open them; anything that only looks like one is refused;
 * 2. from the newest back, find the first whose checkpoint is whole: what is older only holds
 * bytes;
 * 3. apply its records, then those of newer files. There are such only if a checkpoint was cut
 * while it was made, or damaged since; what is left of it says again what is known, which changes
 * nothing;
 * 4. find the bytes of each segment that an older file holds;
 * 5. set aside what is damaged, close what was open (spool_mend). */

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
    const SpoolFile *first = *(SpoolFile *const *) a;
    const SpoolFile *second = *(SpoolFile *const *) b;

    return (first->number > second->number) - (first->number < second->number);
}

static bool
read_number(const char *name, uint64_t *number)
{
    g_autofree char *again = NULL;

    *number = g_ascii_strtoull(name, NULL, 10);
    again = spool_file_name(*number);
    return strcmp(again, name) == 0;
}

static bool
open_entries(Spool *self, DIR *entries, GError **error)
{
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        uint64_t number = 0;
        SpoolFile *file = NULL;

        if (!read_number(entry->d_name, &number))
            continue;
        file = spool_file_open(self->dir, number, error);
        if (file == NULL)
            return false;
        g_ptr_array_add(self->locked.files, file);
        self->locked.last_file = MAX(self->locked.last_file, number);
    }
    g_ptr_array_sort(self->locked.files, compare_numbers);
    return true;
}

static bool
open_files(Spool *self, GError **error)
{
    const int own = openat(self->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = own < 0 ? NULL : fdopendir(own);
    bool is_done = false;

    if (entries == NULL)
        return storage_fail_errno(error, "list", self->path);
    is_done = open_entries(self, entries, error);
    (void) closedir(entries); /* only read */
    return is_done;
}

static SpoolFile *
find_file(const Spool *self, uint64_t number)
{
    for (guint i = 0; i < self->locked.files->len; i++) {
        SpoolFile *file = g_ptr_array_index(self->locked.files, i);

        if (file->number == number)
            return file;
    }
    return NULL;
}

/* Turns a reference into the segment it refers to. */
static void
resolve_reference(const Spool *self, SpoolItem *item)
{
    SpoolSegment *segment = &item->record.segment;
    SpoolFile *file = NULL;

    if (item->record.type != SPOOL_RECORD_SEGMENT_REF)
        return;
    item->record.type = SPOOL_RECORD_SEGMENT;
    item->offset = segment->offset;
    file = find_file(self, segment->file);
    if (file != NULL)
        item->file = spool_file_ref(file);
    item->is_damaged = file == NULL || item->offset + segment->n_bytes > file->n_bytes;
}

/* A record whose session or track is not known (its own record was damaged) can not be listed; a
 * segment's bytes are kept for whoever looks. */
static bool
set_orphan_aside(Spool *self, const SpoolItem *item, GError **error)
{
    g_message("%s: a record of kind %d of session %s has lost its context", self->path,
              item->record.type, item->record.session);
    self->locked.n_quarantined++;
    return item->file == NULL || spool_mend_set_aside(self, item->file, item->offset,
                                                      item->record.segment.n_bytes, error);
}

static bool
apply_scan(Spool *self, const SpoolScan *scan, GError **error)
{
    for (guint i = 0; i < scan->items->len; i++) {
        SpoolItem *item = g_ptr_array_index(scan->items, i);

        self->locked.last_number = MAX(self->locked.last_number, item->record.number);
        resolve_reference(self, item);
        if (!spool_index_apply(self->locked.index, item) && !set_orphan_aside(self, item, error))
            return false;
    }
    return true;
}

static bool
quarantine_scan(Spool *self, SpoolFile *file, const SpoolScan *scan, GError **error)
{
    for (guint i = 0; i < scan->bad->len; i++) {
        const SpoolBadStretch *bad = &g_array_index(scan->bad, SpoolBadStretch, i);

        if (bad->is_tail) {
            g_message("%s: cut %" PRIu64 " bytes of an unfinished record", self->path,
                      bad->n_bytes);
        } else {
            self->locked.n_quarantined++;
        }
        if (!spool_mend_set_aside(self, file, bad->offset, bad->n_bytes, error))
            return false;
    }
    return true;
}

/* A file that says it is another one was renamed or copied: it is moved out of the way whole. */
static bool
is_foreign(const SpoolFile *file, const SpoolScan *scan)
{
    const SpoolItem *first = scan->items->len > 0 ? g_ptr_array_index(scan->items, 0) : NULL;

    return first != NULL && first->record.type == SPOOL_RECORD_BEGIN &&
           first->record.file != file->number;
}

static bool
set_foreign_aside(Spool *self, guint position, GError **error)
{
    const SpoolFile *file = g_ptr_array_index(self->locked.files, position);
    g_autofree char *name = spool_file_name(file->number);
    g_autofree char *aside = g_strdup_printf("quarantine/%s.%08x", name, g_random_int());

    if (renameat(self->dir, name, self->dir, aside) < 0)
        return storage_fail_errno(error, "set aside", name);
    g_message("%s: %s is a copy of another file; set aside", self->path, name);
    self->locked.n_quarantined++;
    g_ptr_array_remove_index(self->locked.files, position);
    return true;
}

static bool
replay(Spool *self, GError **error)
{
    g_autoptr(GPtrArray) scans =
        g_ptr_array_new_with_free_func((GDestroyNotify) spool_scan_free); /* newest first */
    guint first = self->locked.files->len;
    bool is_whole = false;

    while (first > 0 && !is_whole) {
        SpoolFile *file = g_ptr_array_index(self->locked.files, first - 1);
        SpoolScan *scan = spool_scan(file, true);

        if (is_foreign(file, scan)) {
            spool_scan_free(scan);
            if (!set_foreign_aside(self, --first, error))
                return false;
            continue;
        }
        g_ptr_array_add(scans, scan);
        is_whole = scan->is_head_whole;
        first--;
    }
    for (guint i = scans->len; i > 0; i--) {
        const SpoolScan *scan = g_ptr_array_index(scans, i - 1);
        SpoolFile *file = g_ptr_array_index(self->locked.files, first + (scans->len - i));

        if (!quarantine_scan(self, file, scan, error) || !apply_scan(self, scan, error))
            return false;
    }
    return true;
}

bool
spool_recover(Spool *self, GError **error)
{
    if (!open_files(self, error) || !replay(self, error))
        return false;
    return spool_mend(self, error);
}
