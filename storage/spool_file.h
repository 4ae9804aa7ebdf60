#pragma once

#include "storage/durable_file.h"
#include "storage/spool_record.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* One log file of the spool: `<number, ten digits>.log`, written at its end, read anywhere. Shared
 * by counting; its numbers belong to the spool's lock. */
typedef struct {
    uint64_t number;
    Fd fd;
    uint64_t n_bytes;     /* written */
    uint64_t n_allocated; /* space that is ours already: writing there can not find the disk full */
    uint64_t n_head_bytes; /* of its checkpoint */
    uint64_t n_flushed;    /* of whoever flushes, without the lock */
    uint32_t n_live;       /* segments here that are still needed */
    bool is_dead; /* a write or a flush failed: what the disk holds is unknown, never flush again */
    bool is_head_durable; /* its checkpoint and its name would survive a power cut */
} SpoolFile;

/* Makes file `number` and allocates `n_wanted` bytes, or, on a full disk, at least `n_needed`.
 * Errors: FULL, CONFLICT, IO. */
SpoolFile *spool_file_create(int dir_fd, uint64_t number, uint64_t n_wanted, uint64_t n_needed,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens file `number` for reading. Errors: DENIED - it is a symbolic link or no file; NOT_FOUND,
 * IO. */
SpoolFile *spool_file_open(int dir_fd, uint64_t number, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes sure that `n_more` bytes find room. Errors: FULL, IO. */
bool spool_file_reserve(SpoolFile *self, uint64_t n_more, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes `record`, then `payload` (may be NULL), at the end.
 * Returns: where the record starts; -1 sets `error` and leaves the end where it was. */
int64_t spool_file_append(SpoolFile *self, GBytes *record, GBytes *payload,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads `n_bytes` at `offset`. Returns: NULL with `error` where the file ends before: CORRUPT; IO.
 */
GBytes *spool_file_read(const SpoolFile *self, uint64_t offset, size_t n_bytes,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same into `bytes`, which has room for `n_bytes`. */
bool spool_file_read_into(const SpoolFile *self, uint64_t offset, uint8_t *bytes, size_t n_bytes,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes `from` to `to`, which are on the disk, need not stay in the machine's memory. Advice. */
void spool_file_let_pages_go(const SpoolFile *self, uint64_t from, uint64_t to);

/* Returns: `0000000012.log`, owned. */
char *spool_file_name(uint64_t number);

SpoolFile *spool_file_ref(SpoolFile *self);
void spool_file_unref(SpoolFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpoolFile, spool_file_unref)
