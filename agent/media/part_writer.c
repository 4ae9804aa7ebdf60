#include "agent/media/part_writer.h"

#include "agent/media/media_pad.h"

#include <gio/gio.h>

struct PartWriter {
    PartWriterOnBytes on_bytes;
    void *user_data;
    GstPad *source;
    GstElement *muxer;
    GstPad *sink;
};

static GstFlowReturn
on_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    PartWriter *self = gst_pad_get_element_private(pad);
    GstMapInfo map;

    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        gst_buffer_unref(buffer);
        return GST_FLOW_ERROR;
    }
    self->on_bytes(map.data, map.size, self->user_data);
    gst_buffer_unmap(buffer, &map);
    media_pad_wipe_buffer(buffer);
    return GST_FLOW_OK;
}

static gboolean
on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    gst_event_unref(event);
    return TRUE;
}

PartWriter *
part_writer_new(const GstCaps *caps, PartWriterOnBytes on_bytes, void *user_data, GError **error)
{
    g_autoptr(PartWriter) self = g_new0(PartWriter, 1);
    const bool is_video =
        g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "video/");

    self->on_bytes = on_bytes;
    self->user_data = user_data;
    self->muxer = media_pad_new_element("matroskamux", error);
    if (self->muxer == NULL)
        return NULL;
    /* No cluster but where we ask for one. */
    g_object_set(self->muxer, "streamable", TRUE, "min-cluster-duration", G_MAXINT64, "writing-app",
                 "Sealtape", NULL);
    self->sink = media_pad_new_sink(self->muxer, NULL, on_buffer, on_event, self);
    gst_element_set_state(self->muxer, GST_STATE_PAUSED);
    self->source = media_pad_new_source(self->muxer, is_video ? "video_%u" : "audio_%u", caps);
    if (self->source == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "matroskamux refused the format");
        return NULL;
    }
    media_pad_set_peer_flag(self->source, "frame-duration", false);
    return g_steal_pointer(&self);
}

bool
part_writer_push(PartWriter *self, GstBuffer *frame, bool starts_cluster)
{
    if (starts_cluster) {
        gst_pad_push_event(self->source,
                           gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                                gst_structure_new_empty("GstForceKeyUnit")));
    }
    return gst_pad_push(self->source, frame) == GST_FLOW_OK;
}

void
part_writer_finish(PartWriter *self)
{
    gst_pad_push_event(self->source, gst_event_new_eos());
}

void
part_writer_free(PartWriter *self)
{
    if (self == NULL)
        return;
    media_pad_free(self->source, self->muxer, self->sink);
    g_free(self);
}
