/* 1. A thread of its own does the work, so that a decoder which never returns holds up nobody but
 * itself: who asked looks at the guard meanwhile, and gives up with a sentence.
 * 2. The thread goes through the session's time, a frame of the output after the other. For each it
 * reads as far as needed of every track, so that no track is ahead, and nothing waits in memory.
 * 3. The writer's threads hold it up when the file is slower than it. */
#include "agent/media/layout_exporter.h"

#include "agent/media/layout_cast.h"
#include "agent/media/layout_mixed.h"
#include "agent/media/layout_separate.h"
#include "agent/media/movie_writer.h"
#include "agent/media/stream_encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_STALL_US INT64_C(60000000)
#define LOOK_EVERY_US    INT64_C(200000)
#define PROGRESS_STEPS   (STREAM_ENCODER_FRAME_RATE / 3)

/* Of the thread, which frees it; of who asked as well until the thread has ended or was given up.
 */
typedef struct {
    LayoutOptions options; /* `tracks` and `inputs` are read only before the thread is given up */
    int fd;                /* of its own, so that it never writes into a file that is not its */
    StallGuard *guard;
    LayoutCast *cast;
    MovieWriter *writer;
    LayoutMixed *mixed; /* one of these two */
    LayoutSeparate *separate;
    struct {
        GMutex mutex;
        GCond changed;
        GError *error;
        bool is_ended;
        bool is_given_up;
    } locked;
} Job;

bool
layout_kind_parse(const char *name, LayoutKind *kind)
{
    static const char *const names[] = {
        [LAYOUT_GRID] = "grid", [LAYOUT_SPEAKER] = "speaker", [LAYOUT_TRACKS] = "tracks"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *kind = (LayoutKind) i;
            return true;
        }
    }
    return false;
}

static void
job_free(Job *self)
{
    layout_mixed_free(self->mixed);
    layout_separate_free(self->separate);
    movie_writer_free(self->writer);
    layout_cast_free(self->cast);
    stall_guard_free(self->guard);
    if (self->fd >= 0)
        (void) close(self->fd); /* who asked flushes and closes theirs */
    g_clear_error(&self->locked.error);
    g_cond_clear(&self->locked.changed);
    g_mutex_clear(&self->locked.mutex);
    g_free(self);
}

static bool
set_up(Job *self, GError **error)
{
    const LayoutOptions *options = &self->options;

    self->writer = movie_writer_new(self->fd, options->until_us - options->from_us, error);
    if (self->writer == NULL)
        return false;
    movie_writer_set_comment(self->writer, options->notice);
    if (options->kind == LAYOUT_TRACKS) {
        self->separate = layout_separate_new(self->cast, self->writer, self->guard, error);
    } else {
        self->mixed = layout_mixed_new(options->kind, self->cast, self->writer, self->guard, error);
    }
    return self->separate != NULL || self->mixed != NULL;
}

static bool
step(Job *self, int64_t at_us, GError **error)
{
    return self->mixed != NULL ? layout_mixed_step(self->mixed, at_us, error)
                               : layout_separate_step(self->separate, at_us, error);
}

static bool
finish(Job *self)
{
    return self->mixed != NULL ? layout_mixed_finish(self->mixed)
                               : layout_separate_finish(self->separate);
}

/* Returns: false without `error` if the writer knows why. */
static bool
go_through(Job *self, GError **error)
{
    const LayoutOptions *options = &self->options;
    int64_t at_us = options->from_us;

    for (int64_t number = 0; at_us < options->until_us; number++) {
        if (stall_guard_is_given_up(self->guard) || !step(self, at_us, error))
            return false;
        if (options->on_progress != NULL && number % PROGRESS_STEPS == 0)
            options->on_progress(at_us, options->user_data);
        at_us = options->from_us + (number + 1) * G_USEC_PER_SEC / STREAM_ENCODER_FRAME_RATE;
    }
    return finish(self);
}

static void
run(Job *self, GError **error)
{
    GError *cause = NULL;
    bool is_good = false;

    if (!set_up(self, error))
        return;
    is_good = go_through(self, &cause);
    if (cause != NULL) {
        g_propagate_error(error, cause);
    } else if (movie_writer_finish(self->writer, error) && !is_good) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "an encoder failed");
    }
}

static void *
work(void *user_data)
{
    Job *self = user_data;
    GError *error = NULL;
    bool is_mine = false;

    run(self, &error);
    g_mutex_lock(&self->locked.mutex);
    self->locked.error = error;
    self->locked.is_ended = true;
    is_mine = self->locked.is_given_up;
    g_cond_signal(&self->locked.changed);
    g_mutex_unlock(&self->locked.mutex);
    if (is_mine)
        job_free(self);
    return NULL;
}

/* Returns: what the thread hangs in, owned; NULL once it has ended. */
static char *
wait_for_end(Job *self)
{
    char *stuck = NULL;

    g_mutex_lock(&self->locked.mutex);
    while (!self->locked.is_ended && stuck == NULL) {
        (void) g_cond_wait_until(&self->locked.changed, &self->locked.mutex,
                                 g_get_monotonic_time() + LOOK_EVERY_US);
        if (!self->locked.is_ended)
            stuck = stall_guard_stuck(self->guard);
    }
    self->locked.is_given_up = stuck != NULL;
    g_mutex_unlock(&self->locked.mutex);
    return stuck;
}

static Job *
job_new(const LayoutOptions *options, GError **error)
{
    Job *self = NULL;
    const int fd = fcntl(options->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(errno),
                    "cannot write the exported file: %s", g_strerror(errno));
        return NULL;
    }
    self = g_new0(Job, 1);
    self->options = *options;
    self->fd = fd;
    self->guard = stall_guard_new(options->stall_us > 0 ? options->stall_us : DEFAULT_STALL_US);
    self->cast = layout_cast_new(options, self->guard);
    g_mutex_init(&self->locked.mutex);
    g_cond_init(&self->locked.changed);
    return self;
}

bool
layout_exporter_run(const LayoutOptions *options, GError **error)
{
    g_autofree char *stuck = NULL;
    Job *job = NULL;
    GThread *thread = NULL;
    bool is_good = false;

    g_assert(options->until_us > options->from_us);
    if (options->tracks->len == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "there is no track to export");
        return false;
    }
    job = job_new(options, error);
    if (job == NULL)
        return false;
    thread = g_thread_new("layout", work, job);
    stuck = wait_for_end(job);
    if (stuck != NULL) {
        g_thread_unref(thread);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                    "%s does not come to an end; leave that track out with --tracks", stuck);
        return false;
    }
    g_thread_join(thread);
    is_good = job->locked.error == NULL;
    if (!is_good)
        g_propagate_error(error, g_steal_pointer(&job->locked.error));
    job_free(job);
    return is_good;
}
