#include "storage/spool_space.h"

#include "storage/spool_private.h"

#include <sys/statvfs.h>

/* Fewer names than this, and the next log file or its reserve may find none. */
enum { MIN_FILES = 16 };

bool
spool_space_measure(Spool *spool, SpoolSpace *space)
{
    struct statvfs status;

    if (fstatvfs(spool->dir, &status) < 0)
        return false;
    *space = (SpoolSpace){
        .n_bytes = (uint64_t) status.f_blocks * status.f_frsize,
        .n_free_bytes = (uint64_t) status.f_bavail * status.f_frsize,
        .n_files = status.f_files,
        .n_free_files = status.f_favail,
    };
    return true;
}

static uint64_t
share_of(uint64_t all, uint32_t percent)
{
    return all / 100 * percent;
}

/* `is_left`: asks whether the mark is far enough away again. */
static bool
is_below(const SpoolMark *mark, const SpoolSpace *space, bool is_left)
{
    const uint64_t bytes = mark->bytes + share_of(space->n_bytes, mark->percent);
    uint64_t files = share_of(space->n_files, mark->percent);

    if (space->n_files > 0)
        files = MAX(files, MIN_FILES);
    return space->n_free_bytes < bytes + (is_left ? bytes / 10 : 0) ||
           space->n_free_files < files + (is_left ? files / 10 : 0);
}

SpoolSpaceLevel
spool_space_level(const SpoolMarks *marks, const SpoolSpace *space, SpoolSpaceLevel before)
{
    if (is_below(&marks->critical, space, before >= SPOOL_SPACE_CRITICAL))
        return SPOOL_SPACE_CRITICAL;
    if (is_below(&marks->scarce, space, before >= SPOOL_SPACE_SCARCE))
        return SPOOL_SPACE_SCARCE;
    return is_below(&marks->low, space, before >= SPOOL_SPACE_LOW) ? SPOOL_SPACE_LOW
                                                                   : SPOOL_SPACE_OK;
}

const char *
spool_space_word(SpoolSpaceLevel level)
{
    static const char *const words[] = {"ok", "low", "scarce", "critical"};

    g_assert(level < G_N_ELEMENTS(words));
    return words[level];
}
