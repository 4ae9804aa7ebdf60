#include "agent/opener/media_job.h"

#include "agent/media/exporter.h"
#include "agent/playback/opened_tracks.h"
#include "agent/playback/statements.h"
#include "agent/playback/track_keys.h"
#include "crypto/age_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <unistd.h>

/* The order of an opening, in the job's thread:
 *  1. The record of it is durable; without, nothing is opened.
 *  2. The manifest is read again and checked; the envelopes are opened, and their keys must be
 * those that the manifest names.
 *  3. Segments are opened one by one, each in its place, until there are no more or somebody says
 *     stop.
 *  4. The keys are wiped, the pipe closed, and only then is said how it went. */

#define PIPE_BYTES (1 << 20)

struct MediaJob {
    SessionSource source;
    char *org, *session;
    char **tracks;
    unsigned part;
    int64_t from_us, until_us;
    MediaJobForm form;
    const char *notice;
    bool (*may_open)(void *user_data, GError **error);
    void (*on_ready)(int fd, void *user_data);
    void (*on_done)(const GError *error, void *user_data);
    void *user_data;
    int ready_fd; /* the pipe's end to read from, until it is handed over; then -1 */
    int fd;       /* the pipe's end to write to */
    GThread *thread;
    GError *error;
    gint is_stopped; /* atomic */
};

/* An input of the exporter's that ends when the job is stopped. */
typedef struct {
    MediaJob *job;
    const ExporterInput *input;
} Gate;

static bool
on_read_next(void *user_data, PlainBuffer *segment, GError **error)
{
    const Gate *gate = user_data;

    if (g_atomic_int_get(&gate->job->is_stopped)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the grant has ended");
        return false;
    }
    return gate->input->read_next(gate->input->user_data, segment, error);
}

static bool
on_wants_track(const char *track, void *user_data)
{
    const MediaJob *self = user_data;

    return g_strv_contains((const char *const *) self->tracks, track);
}

static bool
write_all(int fd, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    while (n_bytes > 0) {
        const ssize_t n = write(fd, bytes, n_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(errno), "%s",
                        g_strerror(errno));
            return false;
        }
        bytes += n;
        n_bytes -= (size_t) n;
    }
    return true;
}

static bool
write_segment(int fd, const PlainBuffer *segment, GError **error)
{
    const uint32_t length = g_htonl((uint32_t) segment->n_bytes);

    return write_all(fd, (const uint8_t *) &length, sizeof(length), error) &&
           write_all(fd, segment->bytes, segment->n_bytes, error);
}

/* The part's segments, and a length of zero behind them. */
static bool
write_segments(MediaJob *self, const OpenedTracks *opened, GError **error)
{
    const ExporterInput *input = opened_tracks_part(opened, self->tracks[0], self->part);
    Gate gate = {self, input};
    g_auto(PlainBuffer) segment = {0};
    GError *fault = NULL;
    bool is_good = true;

    while (is_good && input != NULL && on_read_next(&gate, &segment, &fault))
        is_good = write_segment(self->fd, &segment, error);
    if (fault != NULL) {
        g_propagate_error(error, fault);
        return false;
    }
    plain_buffer_resize(&segment, 0);
    return is_good && write_segment(self->fd, &segment, error);
}

static bool
write_file(MediaJob *self, const OpenedTracks *opened, GError **error)
{
    const GArray *inputs = opened_tracks_inputs(opened);
    g_autofree Gate *gates = g_new0(Gate, MAX(inputs->len, 1));
    g_autoptr(GArray) gated = g_array_new(FALSE, FALSE, sizeof(ExporterInput));
    const ExporterOptions options = {
        .container = self->form == MEDIA_JOB_WEBM ? EXPORTER_WEBM : EXPORTER_MATROSKA,
        .from_us = self->from_us,
        .until_us = self->until_us,
        .fd = self->fd,
        .notice = self->notice,
    };

    for (guint i = 0; i < inputs->len; i++) {
        ExporterInput input = g_array_index(inputs, ExporterInput, i);

        gates[i] = (Gate){self, &g_array_index(inputs, ExporterInput, i)};
        input.read_next = on_read_next;
        input.user_data = &gates[i];
        g_array_append_val(gated, input);
    }
    return exporter_run(gated, &options, error);
}

/* Behind the thread's back, in the order of the calls. */
static void
tell_main(MediaJob *self, GSourceFunc call)
{
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, call, self, NULL);
    (void) g_source_attach(source, NULL); /* removes itself */
}

static gboolean
on_ready(gpointer data)
{
    MediaJob *self = data;
    const int fd = self->ready_fd;

    self->ready_fd = -1;
    self->on_ready(fd, self->user_data);
    return G_SOURCE_REMOVE;
}

static bool
write_amendments(MediaJob *self, const Recording *recording, const TrackKeys *keys, GError **error)
{
    ObjectStore *store = self->source.store;
    const ManifestPart *manifest = recording_manifest(recording);
    g_autoptr(AnnotationLog) notes =
        recording_read_marked(store, manifest, self->source.annotators, error);
    GByteArray *lines = notes != NULL ? statements_open(recording, keys, notes, error) : NULL;
    bool is_written = false;

    if (lines == NULL)
        return false;
    tell_main(self, on_ready);
    is_written = write_all(self->fd, lines->data, lines->len, error);
    age_file_wipe(lines);
    return is_written;
}

static bool
write_media(MediaJob *self, Recording *recording, const TrackKeys *keys, GError **error)
{
    const OpenedTracksOptions options = {.wants_track = on_wants_track,
                                         .user_data = self,
                                         .from_us = self->from_us,
                                         .until_us = self->until_us};
    g_autoptr(OpenedTracks) opened = opened_tracks_new(recording, keys, &options, error);

    if (opened == NULL)
        return false;
    if (self->form != MEDIA_JOB_SEGMENTS && opened_tracks_inputs(opened)->len == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "nothing was recorded then");
        return false;
    }
    tell_main(self, on_ready);
    return self->form == MEDIA_JOB_SEGMENTS ? write_segments(self, opened, error)
                                            : write_file(self, opened, error);
}

static bool
open_media(MediaJob *self, GError **error)
{
    g_autoptr(Recording) recording = NULL;
    g_autoptr(TrackKeys) keys = NULL;

    if (!self->may_open(self->user_data, error))
        return false;
    recording = session_case_recording(&self->source, self->org, self->session, error);
    if (recording == NULL)
        return false;
    keys = track_keys_open(self->source.store, recording_manifest(recording),
                           self->source.identities, error);
    if (keys == NULL)
        return false;
    return self->form == MEDIA_JOB_AMENDMENTS ? write_amendments(self, recording, keys, error)
                                              : write_media(self, recording, keys, error);
}

static gboolean
on_ended(gpointer data)
{
    MediaJob *self = data;

    g_thread_join(self->thread);
    if (self->ready_fd >= 0)
        (void) close(self->ready_fd); /* nothing was written */
    self->on_done(self->error, self->user_data);
    g_free(self->org);
    g_free(self->session);
    g_strfreev(self->tracks);
    g_clear_error(&self->error);
    g_free(self);
    return G_SOURCE_REMOVE;
}

static gpointer
run(gpointer data)
{
    MediaJob *self = data;
    (void) open_media(self, &self->error); /* `error` says whether it went well */
    (void) close(self->fd);                /* written to the end, or nobody reads it any more */
    tell_main(self, on_ended);
    return NULL;
}

MediaJob *
media_job_start(const MediaJobOptions *options, GError **error)
{
    int ends[2] = {-1, -1};
    MediaJob *self = NULL;

    if (!g_unix_open_pipe(ends, FD_CLOEXEC, error))
        return NULL;
    (void) fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* smaller is slower, and as good */
    self = g_new0(MediaJob, 1);
    self->source = *options->source;
    self->org = g_strdup(options->org);
    self->session = g_strdup(options->session);
    self->tracks = g_strdupv(options->tracks);
    self->part = options->part;
    self->from_us = options->from_us;
    self->until_us = options->until_us;
    self->form = options->form;
    self->notice = options->notice;
    self->may_open = options->may_open;
    self->on_ready = options->on_ready;
    self->on_done = options->on_done;
    self->user_data = options->user_data;
    self->fd = ends[1];
    self->ready_fd = ends[0];
    self->thread = g_thread_new("opening", run, self);
    return self;
}

void
media_job_stop(MediaJob *self)
{
    g_atomic_int_set(&self->is_stopped, 1);
}
