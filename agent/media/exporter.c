/* 1. Read the first segment of every input, and join the parts whose settings are equal.
 * 2. Seek each video track to its keyframe; the earliest of them is where the file begins.
 * 3. Matroska and WebM: export_merge takes the earliest frame of all tracks, again and again.
 * 4. MP4: a thread for each track feeds its pad of the muxer, which blocks who is ahead: so tracks
 * interleave. The muxer ends the file when every pad has ended. A fault ends all of them early.
 * Either way never more than a segment for each input is in memory. */
#include "agent/media/exporter.h"

#include "agent/media/export_merge.h"
#include "agent/media/export_sink.h"
#include "agent/media/export_track.h"
#include "agent/media/media_pad.h"

#include <gio/gio.h>
#include <gst/gst.h>

#define PROGRESS_STEP_US 200000

typedef struct {
    const ExporterOptions *options;
    GPtrArray *tracks; /* of ExportTrack */
    GPtrArray *pads;   /* of GstPad, one for each track */
    GstElement *muxer;
    ExportSink *sink;
    int64_t origin_us;
    struct {
        GMutex mutex;
        GError *error; /* the first; no thread feeds on once it is set */
        int64_t done_us;
    } locked;
} Exporter;

typedef struct {
    Exporter *exporter;
    guint i;
} Feeder;

static void
fail(Exporter *self, GError *error)
{
    g_mutex_lock(&self->locked.mutex);
    if (self->locked.error == NULL)
        self->locked.error = g_steal_pointer(&error);
    g_mutex_unlock(&self->locked.mutex);
    g_clear_error(&error);
}

static bool
has_failed(Exporter *self)
{
    bool result = false;

    g_mutex_lock(&self->locked.mutex);
    result = self->locked.error != NULL;
    g_mutex_unlock(&self->locked.mutex);
    return result;
}

static void
report(Exporter *self, int64_t done_us)
{
    bool is_step = false;

    if (self->options->on_progress == NULL)
        return;
    g_mutex_lock(&self->locked.mutex);
    is_step = done_us >= self->locked.done_us + PROGRESS_STEP_US;
    if (is_step)
        self->locked.done_us = done_us;
    g_mutex_unlock(&self->locked.mutex);
    if (is_step)
        self->options->on_progress(done_us, self->options->user_data);
}

/* Joins `reader` to a track that takes it, or makes one of it. `reader` is taken. */
static bool
place_part(Exporter *self, const char *title, MatroskaReader *reader, GError **error)
{
    ExportTrack *track = NULL;

    for (guint i = 0; i < self->tracks->len; i++) {
        if (export_track_join(self->tracks->pdata[i], title, reader))
            return true;
    }
    track = export_track_new(title, reader, self->options->container, error);
    if (track != NULL)
        g_ptr_array_add(self->tracks, track);
    return track != NULL;
}

static bool
open_inputs(Exporter *self, const GArray *inputs, GError **error)
{
    for (guint i = 0; i < inputs->len; i++) {
        const ExporterInput *input = &g_array_index(inputs, ExporterInput, i);
        MatroskaReader *reader = matroska_reader_new(input->read_next, input->user_data, error);

        if (reader == NULL) {
            g_prefix_error(error, "track %s: ", input->title);
            return false;
        }
        if (!place_part(self, input->title, reader, error))
            return false;
    }
    return true;
}

static bool
find_start(Exporter *self, GError **error)
{
    self->origin_us = self->options->from_us;
    for (guint i = 0; i < self->tracks->len; i++) {
        int64_t first_us = 0;

        if (!export_track_seek(self->tracks->pdata[i], self->options->from_us, &first_us, error))
            return false;
        self->origin_us = MIN(self->origin_us, first_us);
    }
    for (guint i = 0; i < self->tracks->len; i++)
        export_track_set_range(self->tracks->pdata[i], self->origin_us, self->options->until_us);
    return true;
}

static bool
make_muxer(Exporter *self, GError **error)
{
    g_assert(self->options->write == NULL); /* it goes back in its file */
    self->muxer = media_pad_new_element("mp4mux", error);
    if (self->muxer == NULL)
        return false;
    self->sink = export_sink_new(self->muxer, self->options->fd);
    /* Not in fragments: mp4mux 1.22 then lets each track start at zero, however late it began. */
    if (!export_sink_is_seekable(self->sink)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "MP4 can not be written into a pipe: export to a file, or to Matroska (.mkv)");
        return false;
    }
    media_pad_set_comment(self->muxer, self->options->notice);
    gst_element_set_state(self->muxer, GST_STATE_PAUSED);
    return true;
}

static bool
add_pad(Exporter *self, const ExportTrack *track, GError **error)
{
    const bool is_video = export_track_is_video(track);
    GstPad *pad = media_pad_new_source(self->muxer, is_video ? "video_%u" : "audio_%u",
                                       export_track_caps(track));
    GstTagList *tags = NULL;

    if (pad == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the muxer refused track %s",
                    export_track_title(track));
        return false;
    }
    tags = gst_tag_list_new(GST_TAG_TITLE, export_track_title(track), NULL);
    gst_tag_list_set_scope(tags, GST_TAG_SCOPE_STREAM);
    gst_pad_push_event(pad, gst_event_new_tag(tags));
    g_ptr_array_add(self->pads, pad);
    return true;
}

static void *
feed(void *user_data)
{
    g_autofree Feeder *feeder = user_data;
    Exporter *self = feeder->exporter;
    ExportTrack *track = self->tracks->pdata[feeder->i];
    GstPad *pad = self->pads->pdata[feeder->i];
    GError *error = NULL;
    GstBuffer *frame = NULL;

    while (!has_failed(self) && (frame = export_track_next(track, &error)) != NULL) {
        const int64_t done_us = (int64_t) (GST_BUFFER_PTS(frame) / 1000) + self->origin_us;

        if (gst_pad_push(pad, frame) != GST_FLOW_OK) {
            if (export_sink_is_good(self->sink, &error)) {
                g_set_error(&error, G_IO_ERROR, G_IO_ERROR_FAILED, "the muxer refused track %s",
                            export_track_title(track));
            }
            break;
        }
        report(self, done_us);
    }
    if (error != NULL)
        fail(self, error);
    /* Even after a fault, so that nobody waits for this track. */
    gst_pad_push_event(pad, gst_event_new_eos());
    return NULL;
}

static bool
run_feeders(Exporter *self, GError **error)
{
    g_autofree GThread **threads = g_new(GThread *, self->tracks->len);

    for (guint i = 0; i < self->tracks->len; i++) {
        Feeder *feeder = g_new(Feeder, 1);

        *feeder = (Feeder){self, i};
        threads[i] = g_thread_new("export", feed, feeder);
    }
    for (guint i = 0; i < self->tracks->len; i++)
        g_thread_join(threads[i]);
    if (self->locked.error != NULL) {
        g_propagate_error(error, g_steal_pointer(&self->locked.error));
        return false;
    }
    return export_sink_finish(self->sink, error);
}

static bool
write_mp4(Exporter *self, GError **error)
{
    if (!make_muxer(self, error))
        return false;
    for (guint i = 0; i < self->tracks->len; i++) {
        if (!add_pad(self, self->tracks->pdata[i], error))
            return false;
    }
    return run_feeders(self, error);
}

static bool
run(Exporter *self, const GArray *inputs, GError **error)
{
    if (!open_inputs(self, inputs, error) || !find_start(self, error))
        return false;
    if (self->tracks->len == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "there is no track to export");
        return false;
    }
    return self->options->container == EXPORTER_MP4
               ? write_mp4(self, error)
               : export_merge_run(self->tracks, self->origin_us, self->options, error);
}

static void
free_pad(void *pad)
{
    media_pad_free(pad, NULL, NULL);
}

bool
exporter_run(const GArray *inputs, const ExporterOptions *options, GError **error)
{
    Exporter self = {.options = options};
    bool is_good = false;

    self.tracks = g_ptr_array_new_with_free_func((GDestroyNotify) export_track_free);
    self.pads = g_ptr_array_new_with_free_func(free_pad);
    g_mutex_init(&self.locked.mutex);
    is_good = run(&self, inputs, error);
    g_ptr_array_unref(self.pads);
    media_pad_free(NULL, self.muxer, NULL);
    export_sink_free(self.sink);
    g_ptr_array_unref(self.tracks);
    g_mutex_clear(&self.locked.mutex);
    return is_good;
}
