#include "agent/media/matroska_reader.h"
#include "agent/media/media_format.h"
#include "agent/media/media_pad.h"
#include "agent/media/part_writer.h"

#include <gio/gio.h>
#include <string.h>

#define YEAR_US (INT64_C(86400000000) * 365)
#define VP8     "video/x-vp8,width=64,height=48"
#define OPUS    "audio/x-opus,rate=48000,channels=2,channel-mapping-family=0"

typedef struct {
    int64_t time_us;
    size_t n_bytes;
    bool is_keyframe;
    bool starts_cluster;
} Given;

static void
on_bytes(const uint8_t *bytes, size_t n_bytes, void *user_data)
{
    g_byte_array_append(user_data, bytes, (guint) n_bytes);
}

static GstBuffer *
new_frame(const Given *given, size_t i)
{
    GstBuffer *frame = gst_buffer_new_allocate(NULL, given->n_bytes, NULL);

    gst_buffer_memset(frame, 0, (guint8) (i * 37 + 1), given->n_bytes);
    GST_BUFFER_PTS(frame) = (GstClockTime) given->time_us * 1000;
    if (!given->is_keyframe)
        GST_BUFFER_FLAG_SET(frame, GST_BUFFER_FLAG_DELTA_UNIT);
    return frame;
}

static GByteArray *
write_part(const char *caps_text, const Given *given, size_t n_given)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GstCaps) caps = gst_caps_from_string(caps_text);
    GByteArray *written = g_byte_array_new();
    g_autoptr(PartWriter) writer = part_writer_new(caps, on_bytes, written, &error);

    g_assert_no_error(error);
    for (size_t i = 0; i < n_given; i++) {
        const guint n_before = written->len;

        g_assert_true(part_writer_push(writer, new_frame(&given[i], i), given[i].starts_cluster));
        g_assert_cmpuint(written->len, >=, n_before + given[i].n_bytes);
    }
    return written;
}

static GstFlowReturn
on_reference(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GByteArray *written = gst_pad_get_element_private(pad);
    GstMapInfo map;

    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
    g_byte_array_append(written, map.data, (guint) map.size);
    gst_buffer_unmap(buffer, &map);
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

static gboolean
on_reference_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    gst_event_unref(event);
    return TRUE;
}

/* The same by matroskamux alone. */
static GByteArray *
mux_part(const char *caps_text, const Given *given, size_t n_given)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(caps_text);
    GstElement *muxer = media_pad_new_element("matroskamux", NULL);
    GByteArray *written = g_byte_array_new();
    GstPad *sink = NULL;
    GstPad *source = NULL;

    g_object_set(muxer, "streamable", TRUE, "min-cluster-duration", G_MAXINT64, "writing-app",
                 "Sealtape", NULL);
    sink = media_pad_new_sink(muxer, NULL, on_reference, on_reference_event, written);
    gst_element_set_state(muxer, GST_STATE_PAUSED);
    source = media_pad_new_source(muxer, *caps_text == 'v' ? "video_%u" : "audio_%u", caps);
    g_assert_nonnull(source);
    media_pad_set_peer_flag(source, "frame-duration", false);
    for (size_t i = 0; i < n_given; i++) {
        /* Before the first, which begins one anyway, it would count for the second. */
        if (i > 0 && given[i].starts_cluster) {
            gst_pad_push_event(source,
                               gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                                    gst_structure_new_empty("GstForceKeyUnit")));
        }
        g_assert_cmpint(gst_pad_push(source, new_frame(&given[i], i)), ==, GST_FLOW_OK);
    }
    media_pad_free(source, muxer, sink);
    return written;
}

static size_t
find_cluster(const GByteArray *part)
{
    static const uint8_t cluster[] = {0x1f, 0x43, 0xb6, 0x75};
    const uint8_t *found = memmem(part->data, part->len, cluster, sizeof(cluster));

    g_assert_nonnull(found);
    return (size_t) (found - part->data);
}

static uint64_t
read_number(const uint8_t *bytes, size_t n_bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n_bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Without the lengths of the clusters before (PrevSize), which nobody has to write. `part`: from
 * its first cluster. */
static GByteArray *
without_lengths(const uint8_t *part, size_t n_bytes)
{
    GByteArray *left = g_byte_array_new();

    for (size_t at = 0; at < n_bytes;) {
        const bool is_cluster = part[at] == 0x1f;
        const size_t n_id = is_cluster ? 4 : 1;
        const size_t n_length = (size_t) __builtin_clz(part[at + n_id]) - 23;
        const uint64_t mask = (UINT64_C(1) << (7 * n_length)) - 1;
        const uint64_t n_content = is_cluster ? 0 : read_number(part + at + n_id, n_length) & mask;
        const size_t n_all = n_id + n_length + n_content;

        if (part[at] != 0xab)
            g_byte_array_append(left, part + at, (guint) n_all);
        at += n_all;
    }
    return left;
}

/* Frames of every length of an element's length (but what is nearly too long for 2 or 3 bytes,
 * for which matroskamux takes one more), in clusters of any length, out of order as well, and at
 * whole milliseconds. */
static GArray *
make_frames(void)
{
    static const size_t sizes[] = {1,     2,     122,   123,   124,     960,     12000,
                                   16379, 16380, 65535, 65536, 2000000, 2097147, 2097148};
    GArray *frames = g_array_new(FALSE, FALSE, sizeof(Given));
    int64_t time_ms = 123456;

    for (guint i = 0; i < 400; i++) {
        const size_t n_bytes = i < G_N_ELEMENTS(sizes) ? sizes[i] : 1 + (i * 7919) % 3000;
        const bool is_back = i % 50 == 7;
        const bool is_early = i == 0;
        const Given frame = {
            .time_us = (time_ms - (is_back ? 90 : 0)) * 1000,
            .n_bytes = n_bytes,
            .is_keyframe = is_early || i % 30 == 0,
            .starts_cluster = is_early || i % 90 == 0,
        };

        g_array_append_val(frames, frame);
        time_ms += 1 + (i * 31) % 77;
    }
    return frames;
}

static void
test_muxer(gconstpointer data)
{
    const char *caps = data;
    g_autoptr(GArray) frames = make_frames();
    g_autoptr(GByteArray) written = write_part(caps, (const Given *) frames->data, frames->len);
    g_autoptr(GByteArray) muxed = mux_part(caps, (const Given *) frames->data, frames->len);
    const size_t n_head = find_cluster(muxed);
    g_autoptr(GByteArray) expected = NULL;

    /* The heads differ by their random names and their date, which have one length. */
    g_assert_cmpuint(find_cluster(written), ==, n_head);
    expected = without_lengths(muxed->data + n_head, muxed->len - n_head);
    g_assert_cmpmem(written->data + n_head, (int) (written->len - n_head), expected->data,
                    (int) expected->len);
}

typedef struct {
    const GByteArray *part; /* NULL once given */
} Input;

static bool
read_next(void *user_data, PlainBuffer *segment, GError **error)
{
    Input *self = user_data;

    if (self->part == NULL)
        return false;
    plain_buffer_clear(segment);
    *segment = (PlainBuffer){g_memdup2(self->part->data, self->part->len), self->part->len,
                             self->part->len};
    self->part = NULL;
    return true;
}

/* Reads back what was written of `given`; the times may be off by `off_us`. */
static void
check_frames(const GByteArray *part, const Given *given, size_t n_given, int64_t off_us)
{
    g_autoptr(GError) error = NULL;
    Input input = {part};
    g_autoptr(MatroskaReader) reader = matroska_reader_new(read_next, &input, &error);
    MatroskaFrame frame;

    g_assert_no_error(error);
    for (size_t i = 0; i < n_given; i++) {
        g_assert_true(matroska_reader_next(reader, &frame, &error));
        g_assert_cmpuint(frame.n_bytes, ==, given[i].n_bytes);
        g_assert_cmpint(ABS(frame.time_us - given[i].time_us), <=, i == 0 ? 999 : off_us);
        g_assert_cmpint(frame.is_keyframe, ==, given[i].is_keyframe);
        g_assert_cmpuint(frame.bytes[0], ==, (guint8) (i * 37 + 1));
    }
    g_assert_false(matroska_reader_next(reader, &frame, &error));
    g_assert_no_error(error);
}

static void
test_times(void)
{
    Given given[300];

    /* A picture lasts 33,333 us, and half of the clusters begin between two milliseconds. */
    for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
        given[i] = (Given){.time_us = 700 + (int64_t) i * 33333,
                           .n_bytes = 20,
                           .is_keyframe = i % 40 == 0,
                           .starts_cluster = i % 40 == 0};
    }
    g_autoptr(GByteArray) written = write_part(VP8, given, G_N_ELEMENTS(given));

    check_frames(written, given, G_N_ELEMENTS(given), 500);
}

/* A block's time has 16 bits, from its cluster's: what does not fit begins another. */
static void
test_far(void)
{
    static const Given given[] = {
        {1000000,  10, true,  true },
        {33767000, 11, false, false},
        {33768000, 12, false, false},
        {1000000,  13, false, false},
        {999999,   14, false, false},
        {0,        15, false, false},
        {YEAR_US,  16, true,  false},
    };
    g_autoptr(GByteArray) written = write_part(VP8, given, G_N_ELEMENTS(given));

    check_frames(written, given, G_N_ELEMENTS(given), 500);
}

static unsigned n_wiped;

static void
check_wiped(void *data)
{
    GByteArray *bytes = data;

    for (guint i = 0; i < bytes->len; i++)
        g_assert_cmpuint(bytes->data[i], ==, 0);
    n_wiped++;
    g_byte_array_unref(bytes);
}

static void
test_wiped(void)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(OPUS);
    g_autoptr(GByteArray) written = g_byte_array_new();
    g_autoptr(PartWriter) writer = part_writer_new(caps, on_bytes, written, NULL);

    n_wiped = 0;
    for (unsigned i = 0; i < 3; i++) {
        GByteArray *bytes = g_byte_array_new();
        GstBuffer *frame = NULL;

        g_byte_array_set_size(bytes, 100);
        memset(bytes->data, 0xaa, bytes->len);
        frame = gst_buffer_new_wrapped_full(0, bytes->data, bytes->len, 0, bytes->len, bytes,
                                            check_wiped);
        GST_BUFFER_PTS(frame) = i * 20 * GST_MSECOND;
        g_assert_true(part_writer_push(writer, frame, i == 0));
        g_assert_cmpuint(n_wiped, ==, i + 1);
    }
}

/* matroskamux looks at its caps when it writes the head. */
static void
test_refused(void)
{
    static const Given given = {.n_bytes = 10, .is_keyframe = true, .starts_cluster = true};
    g_autoptr(GstCaps) caps = gst_caps_from_string("audio/x-unheard-of");
    g_autoptr(GByteArray) written = g_byte_array_new();
    g_autoptr(PartWriter) writer = part_writer_new(caps, on_bytes, written, NULL);

    g_assert_true(writer == NULL || !part_writer_push(writer, new_frame(&given, 0), true));
    g_assert_cmpuint(written->len, ==, 0);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name, *caps;
    } formats[] = {
        {"/part-writer/as-matroskamux/vp8",  VP8                                 },
        {"/part-writer/as-matroskamux/vp9",  "video/x-vp9,width=64,height=48"    },
        {"/part-writer/as-matroskamux/h264",
         "video/x-h264,stream-format=avc,alignment=au,width=64,height=48,"
         "codec_data=(buffer)0142c01effe1000467420a1e01000468ce3c80"             },
        {"/part-writer/as-matroskamux/opus", OPUS                                },
        {"/part-writer/as-matroskamux/pcmu", "audio/x-mulaw,rate=8000,channels=1"},
        {"/part-writer/as-matroskamux/pcma", "audio/x-alaw,rate=8000,channels=2" },
        {"/part-writer/as-matroskamux/g722", "audio/G722,rate=16000,channels=1"  },
    };

    g_test_init(&argc, &argv, NULL);
    g_assert_true(media_start(NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        g_test_add_data_func(formats[i].name, formats[i].caps, test_muxer);
    g_test_add_func("/part-writer/keeps-times-to-half-a-millisecond", test_times);
    g_test_add_func("/part-writer/begins-a-cluster-where-a-time-does-not-fit", test_far);
    g_test_add_func("/part-writer/wipes-each-frame", test_wiped);
    g_test_add_func("/part-writer/tells-what-is-refused", test_refused);
    return g_test_run();
}
