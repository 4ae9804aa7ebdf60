#include "tests/fakes/rtp_source.h"

#include "tests/fakes/rtp_packets.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <string.h>
#include <unistd.h>

/* A scan of all that is installed would take longer than the tests. */
void
rtp_source_start(void)
{
    static const char *const plugins[] = {
        "app",          "audioconvert", "audiotestsrc", "coreelements",      "isomp4",
        "matroska",     "opus",         "rtp",          "typefindfunctions", "videoconvertscale",
        "videotestsrc", "vpx",          "x264",         "audioresample",
    };

    g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
    gst_init(NULL, NULL);
    g_unsetenv("GST_REGISTRY_DISABLE");
    for (size_t i = 0; i < G_N_ELEMENTS(plugins); i++) {
        g_autofree char *path = g_strconcat(GST_PLUGINS_DIR, "/libgst", plugins[i], ".so", NULL);
        g_autoptr(GError) error = NULL;
        GstPlugin *plugin = gst_plugin_load_file(path, &error);

        g_assert_no_error(error);
        gst_object_unref(plugin);
    }
}

/* FNV-1a: tells frames apart, no more. */
static uint64_t
hash_bytes(const uint8_t *bytes, size_t n_bytes)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < n_bytes; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

/* Pictures alone: parameter sets move into the header, delimiters and messages come and go. */
static uint64_t
hash_slices(const uint8_t *bytes, size_t n_bytes)
{
    uint64_t hash = 0;

    for (size_t at = 0; at + 5 <= n_bytes;) {
        const size_t n_nal = (size_t) bytes[at] << 24 | (size_t) bytes[at + 1] << 16 |
                             (size_t) bytes[at + 2] << 8 | bytes[at + 3];
        const unsigned type = bytes[at + 4] & 0x1f;

        at += 4;
        g_assert_cmpuint(n_nal, <=, n_bytes - at);
        if (type >= 1 && type <= 5)
            hash = hash * 31 + hash_bytes(bytes + at, n_nal);
        at += n_nal;
    }
    return hash;
}

static bool
carries_h264(GstPad *pad)
{
    GstCaps *caps = gst_pad_get_current_caps(pad);
    const bool result =
        caps != NULL && gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-h264");

    g_clear_pointer(&caps, gst_caps_unref);
    return result;
}

static void
add_frame(GArray *frames, GstBuffer *buffer, bool is_h264)
{
    GstMapInfo map;
    RtpSourceFrame frame = {0};

    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
    frame.time_us = (int64_t) (GST_BUFFER_PTS(buffer) / 1000);
    frame.n_bytes = map.size;
    frame.hash = is_h264 ? hash_slices(map.data, map.size) : hash_bytes(map.data, map.size);
    frame.is_keyframe = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    gst_buffer_unmap(buffer, &map);
    g_array_append_val(frames, frame);
}

static GstPadProbeReturn
on_encoded(GstPad *pad, GstPadProbeInfo *info, void *user_data)
{
    add_frame(user_data, GST_PAD_PROBE_INFO_BUFFER(info), carries_h264(pad));
    return GST_PAD_PROBE_OK;
}

static void
add_packet(RtpSource *self, GstBuffer *buffer)
{
    GstMapInfo map;
    const int64_t time_us = (int64_t) (GST_BUFFER_PTS(buffer) / 1000);

    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
    g_ptr_array_add(self->packets, g_bytes_new(map.data, map.size));
    g_array_append_val(self->times_us, time_us);
    gst_buffer_unmap(buffer, &map);
}

static void
stop(GstElement *pipeline)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);

    if (message != NULL) {
        g_autoptr(GError) error = NULL;
        g_autofree char *details = NULL;

        gst_message_parse_error(message, &error, &details);
        g_error("%s (%s)", error->message, details);
    }
    gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

/* x264enc begins at 1000 hours. */
static void
count_from_zero(RtpSource *self)
{
    const int64_t start_us = g_array_index(self->times_us, int64_t, 0);

    for (guint i = 0; i < self->times_us->len; i++)
        g_array_index(self->times_us, int64_t, i) -= start_us;
    for (guint i = 0; i < self->frames->len; i++)
        g_array_index(self->frames, RtpSourceFrame, i).time_us -= start_us;
}

RtpSource *
rtp_source_new_empty(void)
{
    RtpSource *self = g_new0(RtpSource, 1);

    self->packets = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    self->times_us = g_array_new(FALSE, FALSE, sizeof(int64_t));
    self->frames = g_array_new(FALSE, FALSE, sizeof(RtpSourceFrame));
    return self;
}

RtpSource *
rtp_source_new(const char *description)
{
    RtpSource *self = rtp_source_new_empty();
    g_autofree char *full =
        g_strconcat(description, " name=pay ! appsink name=out sync=false", NULL);
    g_autoptr(GError) error = NULL;
    GstElement *pipeline = gst_parse_launch(full, &error);
    GstElement *pay = NULL;
    GstElement *out = NULL;
    GstPad *pad = NULL;
    GstSample *sample = NULL;

    g_assert_no_error(error);
    pay = gst_bin_get_by_name(GST_BIN(pipeline), "pay");
    out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
    pad = gst_element_get_static_pad(pay, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_encoded, self->frames, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    while ((sample = gst_app_sink_pull_sample(GST_APP_SINK(out))) != NULL) {
        GstBufferList *list = gst_sample_get_buffer_list(sample);

        for (guint i = 0; list != NULL && i < gst_buffer_list_length(list); i++)
            add_packet(self, gst_buffer_list_get(list, i));
        if (gst_sample_get_buffer(sample) != NULL)
            add_packet(self, gst_sample_get_buffer(sample));
        gst_sample_unref(sample);
    }
    count_from_zero(self);
    gst_object_unref(pad);
    gst_object_unref(pay);
    gst_object_unref(out);
    stop(pipeline);
    return self;
}

RtpSource *
rtp_source_new_sound(unsigned n_packets, size_t n_bytes)
{
    RtpSource *self = rtp_source_new_empty();
    g_autofree uint8_t *packet = g_malloc0(12 + n_bytes);
    uint32_t noise = 1;

    packet[0] = 0x80;
    for (unsigned i = 0; i < n_packets; i++) {
        RtpSourceFrame frame = {.time_us = 20000 * (int64_t) i, .n_bytes = n_bytes};

        for (size_t j = 0; j < n_bytes; j++, noise = noise * 1664525 + 1013904223)
            packet[12 + j] = (uint8_t) (noise >> 24);
        rtp_packets_number(packet, (uint16_t) i, 160 * i);
        frame.hash = hash_bytes(packet + 12, n_bytes);
        frame.is_keyframe = true;
        g_ptr_array_add(self->packets, g_bytes_new(packet, 12 + n_bytes));
        g_array_append_val(self->times_us, frame.time_us);
        g_array_append_val(self->frames, frame);
    }
    return self;
}

const uint8_t *
rtp_source_packet(const RtpSource *self, unsigned i, size_t *n_bytes)
{
    return g_bytes_get_data(self->packets->pdata[i], n_bytes);
}

void
rtp_source_free(RtpSource *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->packets);
    g_array_unref(self->times_us);
    g_array_unref(self->frames);
    g_free(self);
}

static char *
write_file(const uint8_t *bytes, size_t n_bytes)
{
    char *path = NULL;
    g_autoptr(GError) error = NULL;
    const int fd = g_file_open_tmp("media-XXXXXX", &path, &error);

    g_assert_no_error(error);
    close(fd);
    g_file_set_contents(path, (const char *) bytes, (gssize) n_bytes, &error);
    g_assert_no_error(error);
    return path;
}

typedef struct {
    GstElement *pipeline;
    GPtrArray *tracks;
    bool is_mp4;
} Demux;

static GstFlowReturn
on_sample(GstAppSink *sink, void *user_data)
{
    GArray *frames = user_data;
    GstSample *sample = gst_app_sink_pull_sample(sink);
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    const GstSegment *segment = gst_sample_get_segment(sample);

    add_frame(frames, buffer, carries_h264(GST_BASE_SINK_PAD(sink)));
    /* An edit list of MP4 shows in the segment alone. */
    if (g_object_get_data(G_OBJECT(sink), "is-mp4") != NULL) {
        g_array_index(frames, RtpSourceFrame, frames->len - 1).time_us =
            (int64_t) (gst_segment_to_stream_time(segment, GST_FORMAT_TIME,
                                                  GST_BUFFER_PTS(buffer)) /
                       1000);
    }
    gst_sample_unref(sample);
    return GST_FLOW_OK;
}

static void
on_pad(GstElement *element, GstPad *pad, void *user_data)
{
    Demux *demux = user_data;
    GArray *frames = g_array_new(FALSE, FALSE, sizeof(RtpSourceFrame));
    GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
    GstElement *sink = gst_element_factory_make("appsink", NULL);
    GstPad *peer = gst_element_get_static_pad(sink, "sink");

    g_ptr_array_add(demux->tracks, frames);
    g_object_set(sink, "sync", FALSE, "async", FALSE, NULL);
    g_object_set_data(G_OBJECT(sink), "is-mp4", demux->is_mp4 ? demux : NULL);
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, frames, NULL);
    gst_bin_add(GST_BIN(demux->pipeline), sink);
    gst_element_sync_state_with_parent(sink);
    g_assert_cmpint(gst_pad_link(pad, peer), ==, GST_PAD_LINK_OK);
    gst_object_unref(peer);
}

GPtrArray *
rtp_source_demux(const uint8_t *bytes, size_t n_bytes)
{
    g_autofree char *path = write_file(bytes, n_bytes);
    const bool is_mp4 = n_bytes > 8 && memcmp(bytes + 4, "ftyp", 4) == 0;
    Demux demux = {.is_mp4 = is_mp4,
                   .tracks = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref)};
    GstElement *source = gst_element_factory_make("filesrc", NULL);
    GstElement *demuxer = gst_element_factory_make(is_mp4 ? "qtdemux" : "matroskademux", NULL);
    GstBus *bus = NULL;
    GstMessage *message = NULL;

    demux.pipeline = gst_pipeline_new(NULL);
    g_object_set(source, "location", path, NULL);
    gst_bin_add_many(GST_BIN(demux.pipeline), source, demuxer, NULL);
    g_assert_true(gst_element_link(source, demuxer));
    g_signal_connect(demuxer, "pad-added", G_CALLBACK(on_pad), &demux);
    gst_element_set_state(demux.pipeline, GST_STATE_PLAYING);
    bus = gst_element_get_bus(demux.pipeline);
    message = gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull(message);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        gst_bus_post(bus, gst_message_ref(message));
    gst_message_unref(message);
    gst_object_unref(bus);
    stop(demux.pipeline);
    unlink(path);
    return demux.tracks;
}

void
rtp_source_check_frames(const RtpSource *self, const GArray *got, guint first, guint n_frames,
                        int64_t offset_us)
{
    g_assert_cmpuint(got->len, ==, n_frames);
    for (guint i = 0; i < n_frames; i++) {
        const RtpSourceFrame *a = &g_array_index(got, RtpSourceFrame, i);
        const RtpSourceFrame *b = &g_array_index(self->frames, RtpSourceFrame, first + i);

        g_assert_cmpuint(a->hash, ==, b->hash);
        g_assert_cmpint(ABS(a->time_us - b->time_us - offset_us), <=, 501);
    }
}

char *
rtp_source_probe(const uint8_t *bytes, size_t n_bytes, const char *which, const char *entries)
{
    g_autofree char *path = write_file(bytes, n_bytes);
    g_autofree char *complaints = NULL;
    char *out = NULL;
    int status = 0;
    const char *argv[] = {"ffprobe",
                          "-v",
                          "error",
                          "-count_frames",
                          "-select_streams",
                          which,
                          "-show_entries",
                          entries,
                          "-of",
                          "csv=p=0",
                          path,
                          NULL};

    if (!g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                      &complaints, &status, NULL)) {
        unlink(path);
        return NULL;
    }
    unlink(path);
    g_assert_cmpstr(complaints, ==, "");
    g_assert_cmpint(status, ==, 0);
    return g_strchomp(out);
}

int
rtp_source_count_decoded(const uint8_t *bytes, size_t n_bytes, const char *which)
{
    g_autofree char *out = rtp_source_probe(bytes, n_bytes, which, "stream=nb_read_frames");

    return out != NULL ? (int) g_ascii_strtoll(out, NULL, 10) : -1;
}
