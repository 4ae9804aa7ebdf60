#pragma once

#include "storage/durable_file.h"
#include "storage/spool.h"
#include "storage/spool_index.h"

enum {
    /* While the spool has no more log files, what waits to be uploaded is read from the machine's
     * memory. Beyond, it costs less to read it from the disk once more than to find ever new pages
     * for it, of which it would fill as many as there are. */
    SPOOL_FILES_IN_MEMORY = 4,
};

/* What the spool's own files share. `locked` belongs to `mutex`, as do the marked fields of its
 * items and files. */
struct Spool {
    char *path;
    Fd dir;
    Fd lock_file; /* flocked as long as we live */
    Fd heartbeat;
    SpoolOptions options;
    GMutex mutex;
    GCond flushed;
    struct {
        SpoolIndex *index;
        GPtrArray *files;        /* SpoolFile, oldest first; the last one takes what is appended */
        GPtrArray *unflushed;    /* SpoolItem: segments whose bytes are still in memory too */
        uint64_t last_number;    /* of the last record appended */
        uint64_t durable_number; /* everything up to here would survive */
        uint64_t last_file;      /* highest number a file ever had */
        uint64_t n_commits, n_recovered, n_quarantined, n_dead_files;
        uint64_t n_unflushed_bytes; /* of those segments */
        bool is_flushing;
        bool has_reserve;
    } locked;
};

/* Appends and applies one record; its number is set. `sealed`: of a segment, else NULL.
 * `is_closing`: may use the space kept back for ending things well. Errors: as the calls of
 * spool.h; NOT_FOUND - no such session or track. */
bool spool_append_locked(Spool *self, SpoolRecord *record, GBytes *sealed, bool is_closing,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A write or a flush failed: `file` is never flushed again. */
void spool_file_failed_locked(Spool *self, SpoolFile *file);

/* Goes on in a new file: it starts with all that is live, and segments that were never flushed are
 * written into it again. The way on both when a file is long enough and when it has failed. */
bool spool_rotate_locked(Spool *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the files that nothing needs any more. */
void spool_sweep_locked(Spool *self);

/* Keeps space back, or gives it up. */
bool spool_reserve_keep(Spool *self);
void spool_reserve_give_up(Spool *self);
