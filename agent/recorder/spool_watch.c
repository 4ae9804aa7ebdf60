#include "agent/recorder/spool_watch.h"

#include "agent/recorder/session.h"

struct SpoolWatch {
    Spool *spool;
    SpoolMarks marks;
    SpoolSpace space;
    SpoolSpaceLevel level;
    uint64_t n_dead_files; /* told of */
};

static SpoolMark
mark_of(const FreeSpace *setting)
{
    return (SpoolMark){.bytes = setting->bytes, .percent = setting->percent};
}

SpoolWatch *
spool_watch_new(Spool *spool, const SpoolFreeSettings *settings)
{
    SpoolWatch *self = g_new0(SpoolWatch, 1);

    self->spool = spool;
    self->marks.low = mark_of(&settings->warn);
    self->marks.scarce = mark_of(&settings->refuse);
    self->marks.critical = mark_of(&settings->critical);
    (void) spool_watch_look(self); /* it is logged, and nobody else asks yet */
    return self;
}

static void
tell(const SpoolWatch *self)
{
    static const char *const consequences[] = {
        [SPOOL_SPACE_OK] = "there is room again",
        [SPOOL_SPACE_LOW] = "make room, or see why the store does not take what waits",
        [SPOOL_SPACE_SCARCE] = "new sessions are refused, those that run go on: make room",
        [SPOOL_SPACE_CRITICAL] = "what runs will soon be lost in gaps: make room now",
    };
    g_autofree char *size = g_format_size(self->space.n_free_bytes);

    g_log(G_LOG_DOMAIN, self->level == SPOOL_SPACE_OK ? G_LOG_LEVEL_MESSAGE : G_LOG_LEVEL_WARNING,
          "the spool's disk is %s, %s and %" G_GUINT64_FORMAT " inodes are free: %s",
          spool_space_word(self->level), size, self->space.n_free_files, consequences[self->level]);
}

static void
tell_dead_files(SpoolWatch *self)
{
    SpoolStatus status;

    spool_status(self->spool, &status);
    if (status.n_dead_files > self->n_dead_files) {
        g_warning("the spool's disk did not keep %" G_GUINT64_FORMAT
                  " log files, which were written anew from memory: look after the disk",
                  status.n_dead_files - self->n_dead_files);
    }
    self->n_dead_files = status.n_dead_files;
}

bool
spool_watch_look(SpoolWatch *self)
{
    const SpoolSpaceLevel before = self->level;

    tell_dead_files(self);
    /* A file system that does not answer shows as failed writes soon enough. */
    if (!spool_space_measure(self->spool, &self->space))
        return false;
    self->level = spool_space_level(&self->marks, &self->space, before);
    if (self->level != before)
        tell(self);
    return self->level != before;
}

SpoolSpaceLevel
spool_watch_level(const SpoolWatch *self)
{
    return self->level;
}

uint64_t
spool_watch_free_bytes(const SpoolWatch *self)
{
    return self->space.n_free_bytes;
}

bool
spool_watch_has_room(SpoolWatch *self, GError **error)
{
    g_autofree char *size = NULL;

    (void) spool_watch_look(self); /* the level counts, changed or not */
    if (self->level < SPOOL_SPACE_SCARCE)
        return true;
    size = g_format_size(self->space.n_free_bytes);
    g_set_error(error, RECORDER_ERROR, RECORDER_ERROR_FULL,
                "the spool's disk is nearly full (%s free, less than recorder.spool_free.refuse): "
                "sessions that run go on, a new one is not recorded",
                size);
    return false;
}

void
spool_watch_free(SpoolWatch *self)
{
    g_free(self);
}
