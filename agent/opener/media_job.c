#include "agent/opener/media_job.h"

#include "agent/media/exporter.h"
#include "agent/playback/opened_tracks.h"
#include "agent/playback/statements.h"
#include "agent/playback/track_keys.h"
#include "crypto/age_file.h"

#include <gio/gio.h>

/* The order of an opening, in the job's thread:
 *  1. The record of it is durable; without, nothing is opened.
 *  2. The manifest is read again and checked; the envelopes are opened, and their keys must be
 * those that the manifest names.
 *  3. The main thread is told, and has an answer begun when the first of them comes.
 *  4. Segments are opened one by one, each in its place, until there are no more or somebody says
 *     stop.
 *  5. The keys are wiped, and only then is said how it went. */

struct MediaJob {
    MediaJobOptions options; /* with copies of what they borrow */
    SessionSource source;
    GThread *thread;
    GError *error;
    gint is_stopped; /* atomic */
    struct {
        GMutex mutex;
        GCond changed;
        bool is_ready; /* the main thread knows that media follow */
    } locked;
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

    return g_strv_contains((const char *const *) self->options.tracks, track);
}

static bool
write_bytes(void *user_data, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    const MediaJob *self = user_data;
    const struct iovec piece = {(void *) (uintptr_t) bytes, n_bytes};

    return self->options.on_media(self->options.user_data, &piece, 1, error);
}

static bool
write_segment(const MediaJob *self, const PlainBuffer *segment, GError **error)
{
    uint32_t length = g_htonl((uint32_t) segment->n_bytes);
    const struct iovec pieces[] = {
        {&length,        sizeof(length)  },
        {segment->bytes, segment->n_bytes}
    };

    return self->options.on_media(self->options.user_data, pieces, G_N_ELEMENTS(pieces), error);
}

/* The part's segments, and a length of zero behind them. */
static bool
write_segments(MediaJob *self, const OpenedTracks *opened, GError **error)
{
    const ExporterInput *input =
        opened_tracks_part(opened, self->options.tracks[0], self->options.part);
    Gate gate = {self, input};
    g_auto(PlainBuffer) segment = {0};
    GError *fault = NULL;
    bool is_good = true;

    while (is_good && input != NULL && on_read_next(&gate, &segment, &fault))
        is_good = write_segment(self, &segment, error);
    if (fault != NULL) {
        g_propagate_error(error, fault);
        return false;
    }
    plain_buffer_resize(&segment, 0);
    return is_good && write_segment(self, &segment, error);
}

static bool
write_file(MediaJob *self, const OpenedTracks *opened, GError **error)
{
    const GArray *inputs = opened_tracks_inputs(opened);
    g_autofree Gate *gates = g_new0(Gate, MAX(inputs->len, 1));
    g_autoptr(GArray) gated = g_array_new(FALSE, FALSE, sizeof(ExporterInput));
    const ExporterOptions options = {
        .container = self->options.form == MEDIA_JOB_WEBM ? EXPORTER_WEBM : EXPORTER_MATROSKA,
        .from_us = self->options.from_us,
        .until_us = self->options.until_us,
        .fd = -1,
        .write = write_bytes,
        .notice = self->options.notice,
        .user_data = self,
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

    self->options.on_ready(self->options.user_data);
    g_mutex_lock(&self->locked.mutex);
    self->locked.is_ready = true;
    g_cond_signal(&self->locked.changed);
    g_mutex_unlock(&self->locked.mutex);
    return G_SOURCE_REMOVE;
}

static void
begin_answer(MediaJob *self)
{
    tell_main(self, on_ready);
    g_mutex_lock(&self->locked.mutex);
    while (!self->locked.is_ready)
        g_cond_wait(&self->locked.changed, &self->locked.mutex);
    g_mutex_unlock(&self->locked.mutex);
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
    begin_answer(self);
    is_written = write_bytes(self, lines->data, lines->len, error);
    age_file_wipe(lines);
    return is_written;
}

static bool
write_media(MediaJob *self, Recording *recording, const TrackKeys *keys, GError **error)
{
    const OpenedTracksOptions options = {.wants_track = on_wants_track,
                                         .user_data = self,
                                         .from_us = self->options.from_us,
                                         .until_us = self->options.until_us};
    g_autoptr(OpenedTracks) opened = opened_tracks_new(recording, keys, &options, error);

    if (opened == NULL)
        return false;
    if (self->options.form != MEDIA_JOB_SEGMENTS && opened_tracks_inputs(opened)->len == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "nothing was recorded then");
        return false;
    }
    begin_answer(self);
    return self->options.form == MEDIA_JOB_SEGMENTS ? write_segments(self, opened, error)
                                                    : write_file(self, opened, error);
}

static bool
open_media(MediaJob *self, GError **error)
{
    g_autoptr(Recording) recording = NULL;
    g_autoptr(TrackKeys) keys = NULL;

    if (!self->options.may_open(self->options.user_data, error))
        return false;
    recording =
        session_case_recording(&self->source, self->options.org, self->options.session, error);
    if (recording == NULL)
        return false;
    keys = track_keys_open(self->source.store, recording_manifest(recording),
                           self->source.identities, error);
    if (keys == NULL)
        return false;
    return self->options.form == MEDIA_JOB_AMENDMENTS
               ? write_amendments(self, recording, keys, error)
               : write_media(self, recording, keys, error);
}

static gboolean
on_ended(gpointer data)
{
    MediaJob *self = data;

    g_thread_join(self->thread);
    self->options.on_done(self->error, self->options.user_data);
    g_free((char *) self->options.org);
    g_free((char *) self->options.session);
    g_strfreev(self->options.tracks);
    g_clear_error(&self->error);
    g_mutex_clear(&self->locked.mutex);
    g_cond_clear(&self->locked.changed);
    g_free(self);
    return G_SOURCE_REMOVE;
}

static gpointer
run(gpointer data)
{
    MediaJob *self = data;

    if (open_media(self, &self->error))
        (void) self->options.on_end(self->options.user_data, &self->error);
    /* `error` says whether it went well */
    tell_main(self, on_ended);
    return NULL;
}

MediaJob *
media_job_start(const MediaJobOptions *options)
{
    MediaJob *self = g_new0(MediaJob, 1);

    self->options = *options;
    self->source = *options->source;
    self->options.source = &self->source;
    self->options.org = g_strdup(options->org);
    self->options.session = g_strdup(options->session);
    self->options.tracks = g_strdupv(options->tracks);
    g_mutex_init(&self->locked.mutex);
    g_cond_init(&self->locked.changed);
    self->thread = g_thread_new("opening", run, self);
    return self;
}

void
media_job_stop(MediaJob *self)
{
    g_atomic_int_set(&self->is_stopped, 1);
}
