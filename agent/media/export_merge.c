#include "agent/media/export_merge.h"

#include "agent/media/export_track.h"
#include "agent/media/matroska_writer.h"

#include <gst/gst.h>

#define PROGRESS_STEP_US 200000

typedef struct {
    GPtrArray *tracks; /* of ExportTrack */
    GPtrArray *next;   /* of GstBuffer: each track's next frame; NULL at its end */
    MatroskaWriter *writer;
    const ExporterOptions *options;
    int64_t origin_us;
    int64_t told_us; /* how far progress was told */
} Merge;

static void
buffer_free(void *data)
{
    gst_clear_buffer((GstBuffer **) &data);
}

static bool
fetch(Merge *self, guint track, GError **error)
{
    GError *fault = NULL;

    self->next->pdata[track] = export_track_next(self->tracks->pdata[track], &fault);
    if (fault != NULL)
        g_propagate_error(error, fault);
    return fault == NULL;
}

/* Returns: whose frame is the earliest; the number of tracks when all have ended. */
static guint
find_earliest(const Merge *self)
{
    guint found = self->next->len;

    for (guint i = 0; i < self->next->len; i++) {
        const GstBuffer *frame = self->next->pdata[i];

        if (frame != NULL && (found == self->next->len ||
                              GST_BUFFER_DTS(frame) < GST_BUFFER_DTS(self->next->pdata[found])))
            found = i;
    }
    return found;
}

static void
report(Merge *self, int64_t file_us)
{
    const int64_t done_us = file_us + self->origin_us;

    if (self->options->on_progress == NULL || done_us < self->told_us + PROGRESS_STEP_US)
        return;
    self->told_us = done_us;
    self->options->on_progress(done_us, self->options->user_data);
}

static bool
write_frame(Merge *self, guint track, GError **error)
{
    GstBuffer *frame = self->next->pdata[track];
    MatroskaBlock block = {.track = track};
    GstMapInfo map;
    gboolean is_mapped = gst_buffer_map(frame, &map, GST_MAP_READ);
    bool is_good = false;

    g_assert(is_mapped); /* memory of our own */
    block.frame = (MatroskaFrame){
        .bytes = map.data,
        .n_bytes = map.size,
        .time_us = (int64_t) (GST_BUFFER_PTS(frame) / 1000),
        .is_keyframe = !GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_DELTA_UNIT),
    };
    if (GST_BUFFER_DURATION_IS_VALID(frame))
        block.duration_us = (int64_t) (GST_BUFFER_DURATION(frame) / 1000);
    is_good = matroska_writer_push(self->writer, &block, error);
    gst_buffer_unmap(frame, &map);
    gst_clear_buffer((GstBuffer **) &self->next->pdata[track]);
    if (is_good)
        report(self, block.frame.time_us);
    return is_good;
}

static bool
merge(Merge *self, GError **error)
{
    guint track = 0;

    for (guint i = 0; i < self->tracks->len; i++) {
        if (!fetch(self, i, error))
            return false;
    }
    while ((track = find_earliest(self)) < self->tracks->len) {
        if (!write_frame(self, track, error) || !fetch(self, track, error))
            return false;
    }
    return matroska_writer_finish(self->writer, error);
}

bool
export_merge_run(GPtrArray *tracks, int64_t origin_us, const ExporterOptions *options,
                 GError **error)
{
    g_autoptr(MatroskaWriter) writer = matroska_writer_new(options);
    g_autoptr(GPtrArray) next = g_ptr_array_new_full(tracks->len, buffer_free);
    Merge self = {tracks, next, writer, options, origin_us, 0};

    g_ptr_array_set_size(next, (gint) tracks->len);
    for (guint i = 0; i < tracks->len; i++) {
        const ExportTrack *track = tracks->pdata[i];

        (void) matroska_writer_add_track(writer, export_track_title(track),
                                         export_track_format(track)); /* numbered as here */
    }
    return merge(&self, error);
}
