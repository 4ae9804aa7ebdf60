/* What a codec needs in the head of a file, matroskamux knows: it writes the head and the first
 * frame, and goes. What follows is one short element before each frame, and a cluster's head before
 * some: as an element of GStreamer's, with its events, locks and lists for each frame, that was
 * nearly two thirds of all that media cost. tests/test_part_writer.c has matroskamux write the same
 * frames, and compares. */
#include "agent/media/part_writer.h"

#include "agent/media/ebml.h"
#include "agent/media/matroska_ids.h"
#include "agent/media/media_pad.h"

#include <gio/gio.h>

enum {
    /* Track 1, the time from the cluster's, flags. */
    BLOCK_HEAD_BYTES = 4,
    HEADS_BYTES = 64,
    NS_IN_MS = 1000000,
};

struct PartWriter {
    PartWriterOnBytes on_bytes;
    void *user_data;
    bool is_video;
    GByteArray *heads; /* of the frame that is written */
    int64_t cluster_ms;
    /* Until the first frame. */
    GstPad *source;
    GstElement *muxer;
    GstPad *sink;
};

static GstFlowReturn
on_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    const PartWriter *self = gst_pad_get_element_private(pad);
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

static void
drop_muxer(PartWriter *self)
{
    media_pad_free(self->source, self->muxer, self->sink);
    self->source = self->sink = NULL;
    self->muxer = NULL;
}

PartWriter *
part_writer_new(const GstCaps *caps, PartWriterOnBytes on_bytes, void *user_data, GError **error)
{
    g_autoptr(PartWriter) self = g_new0(PartWriter, 1);

    self->is_video =
        g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "video/");
    self->on_bytes = on_bytes;
    self->user_data = user_data;
    self->heads = g_byte_array_sized_new(HEADS_BYTES);
    self->muxer = media_pad_new_element("matroskamux", error);
    if (self->muxer == NULL)
        return NULL;
    g_object_set(self->muxer, "streamable", TRUE, "writing-app", "Sealtape", NULL);
    self->sink = media_pad_new_sink(self->muxer, NULL, on_buffer, on_event, self);
    gst_element_set_state(self->muxer, GST_STATE_PAUSED);
    self->source =
        media_pad_new_source(self->muxer, self->is_video ? "video_%u" : "audio_%u", caps);
    if (self->source == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "matroskamux refused the format");
        return NULL;
    }
    media_pad_set_peer_flag(self->source, "frame-duration", false);
    return g_steal_pointer(&self);
}

/* `time_ms`: of its first frame. No length: RFC 8794 section 6.2. */
static void
put_cluster_head(PartWriter *self, int64_t time_ms)
{
    static const uint8_t head[] = {0x1f, 0x43, 0xb6, 0x75, 0x01, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    g_byte_array_append(self->heads, head, sizeof(head));
    ebml_put_uint(self->heads, MATROSKA_TIMESTAMP, (uint64_t) time_ms);
    self->cluster_ms = time_ms;
}

static void
put_block_head(PartWriter *self, const GstBuffer *frame, size_t n_bytes, int64_t relative_ms)
{
    /* Of sound matroskamux says it of no frame, and everybody knows. */
    const bool is_keyframe =
        self->is_video && !GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_DELTA_UNIT);
    uint8_t head[BLOCK_HEAD_BYTES] = {0x81};

    ebml_write_number(head + 1, 2, (uint64_t) relative_ms);
    head[3] = is_keyframe ? 0x80 : 0;
    ebml_put_head(self->heads, MATROSKA_SIMPLE_BLOCK, BLOCK_HEAD_BYTES + n_bytes);
    g_byte_array_append(self->heads, head, sizeof(head));
}

static bool
write_frame(PartWriter *self, GstBuffer *frame, bool starts_cluster)
{
    const int64_t time_ms = (int64_t) ((GST_BUFFER_PTS(frame) + NS_IN_MS / 2) / NS_IN_MS);
    const int64_t relative_ms = time_ms - self->cluster_ms;
    GstMapInfo map;

    if (!gst_buffer_map(frame, &map, GST_MAP_READ))
        return false;
    g_byte_array_set_size(self->heads, 0);
    if (starts_cluster || relative_ms < INT16_MIN || relative_ms > INT16_MAX)
        put_cluster_head(self, time_ms);
    put_block_head(self, frame, map.size, time_ms - self->cluster_ms);
    self->on_bytes(self->heads->data, self->heads->len, self->user_data);
    self->on_bytes(map.data, map.size, self->user_data);
    gst_buffer_unmap(frame, &map);
    return true;
}

/* Its cluster's time is the frame's, cut to the millisecond. */
static bool
write_first(PartWriter *self, GstBuffer *frame)
{
    bool is_good = false;

    self->cluster_ms = (int64_t) (GST_BUFFER_PTS(frame) / NS_IN_MS);
    is_good = gst_pad_push(self->source, gst_buffer_ref(frame)) == GST_FLOW_OK;
    /* With it goes all that it holds of the frame, which can be wiped then. */
    drop_muxer(self);
    return is_good;
}

bool
part_writer_push(PartWriter *self, GstBuffer *frame, bool starts_cluster)
{
    const bool is_good =
        self->muxer != NULL ? write_first(self, frame) : write_frame(self, frame, starts_cluster);

    media_pad_wipe_buffer(frame);
    return is_good;
}

void
part_writer_free(PartWriter *self)
{
    if (self == NULL)
        return;
    drop_muxer(self);
    g_byte_array_unref(self->heads);
    g_free(self);
}
