#pragma once

#include "storage/spool_index.h"

/* Reads a whole log file: its records, and the stretches that are none. */
typedef struct {
    uint64_t offset;
    uint64_t n_bytes;
    bool is_tail; /* nothing genuine follows: an append that never ended */
} SpoolBadStretch;

typedef struct {
    GPtrArray *items;   /* SpoolItem, as they stand; segments have file and offset */
    GArray *bad;        /* SpoolBadStretch; what cannot be read at all is bad too */
    bool is_head_whole; /* begins with the whole of its checkpoint */
} SpoolScan;

/* `file`: borrowed, but its segments hold a reference.
 * `checks_payloads`: for the file written last, whose newest bytes may never have reached the disk.
 * Segments whose sealed bytes are wrong are marked damaged, or at the tail are a bad stretch. Else
 * that is found on reading. */
SpoolScan *spool_scan(SpoolFile *file, bool checks_payloads);
void spool_scan_free(SpoolScan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpoolScan, spool_scan_free)
