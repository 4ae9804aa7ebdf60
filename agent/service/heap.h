#pragma once

#include <glib.h>
#include <stdint.h>

/* The memory that malloc manages for a daemon that runs for months. Segments of all sizes come from
 * one thread and are freed by another, so what is free lies in pieces between what is not, and
 * malloc keeps it; the process would look as if it grew with the hours. Any thread. */
typedef struct {
    uint64_t used_bytes;
    uint64_t spare_bytes; /* kept for later; resident only as far as it was touched */
} HeapStatus;

/* Before the first thread: has blocks from HEAP_MAPPED_BYTES on mapped each for itself, so that
 * they are gone when they are freed. Left to itself malloc learns from the first object of several
 * megabytes that is freed to take such blocks from arenas, where they leave holes. Segments of a
 * usual size are smaller: a mapping for each makes sealing far dearer. */
enum { HEAP_MAPPED_BYTES = 1 << 20 };
void heap_start(void);

/* Blocks each arena of malloc in turn, as heap_give_back() does. */
void heap_status(HeapStatus *status);

/* Gives all whole pages that nobody uses back to the system. */
void heap_give_back(void);

/* Does so once a minute, in the main loop. Returns: the source to remove. */
guint heap_tend(void);
