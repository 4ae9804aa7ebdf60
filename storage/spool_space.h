#pragma once

#include "storage/spool.h"

#include <stdbool.h>
#include <stdint.h>

/* How much room the spool's file system has, and what that means. Pure but for
 * spool_space_measure().
 */
typedef enum {
    SPOOL_SPACE_OK,
    SPOOL_SPACE_LOW,      /* an alarm */
    SPOOL_SPACE_SCARCE,   /* no new session */
    SPOOL_SPACE_CRITICAL, /* what is being recorded may soon be lost */
} SpoolSpaceLevel;

typedef struct {
    uint64_t n_bytes, n_free_bytes;
    uint64_t n_files, n_free_files; /* inodes; 0 where the file system does not count them */
} SpoolSpace;

/* Where a level begins: free space below `bytes`, or below `percent` of all. */
typedef struct {
    uint64_t bytes;
    uint32_t percent;
} SpoolMark;

typedef struct {
    SpoolMark low, scarce, critical;
} SpoolMarks;

/* Returns: false if the file system does not say. */
bool spool_space_measure(Spool *spool, SpoolSpace *space);

/* `before`: the level so far. It is left only a tenth of its mark above it, so that nobody is told
 * the same twice a minute. */
SpoolSpaceLevel spool_space_level(const SpoolMarks *marks, const SpoolSpace *space,
                                  SpoolSpaceLevel before);

/* Returns: ok, low, scarce, critical; static. */
const char *spool_space_word(SpoolSpaceLevel level);
