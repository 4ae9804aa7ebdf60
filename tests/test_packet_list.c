#include "agent/media/frame_source.h"
#include "agent/media/packet_list.h"

#include <string.h>

#define MAX_PACKET_BYTES 1500

/* One VP8 packet at a time, as a sender might make them. */
typedef struct {
    GRand *rand;
    uint16_t sequence;
    uint32_t timestamp;
    bool follows_loss;
    uint8_t bytes[MAX_PACKET_BYTES];
    size_t n_bytes;
} Sender;

static size_t
add_descriptor(Sender *self, uint8_t *at, bool starts)
{
    const uint8_t more = (uint8_t) (g_rand_int(self->rand) & 0xf0);
    size_t n_bytes = 2;

    at[0] = (uint8_t) ((starts ? 0x10 : 0) | (g_rand_int(self->rand) & 0x20));
    if (g_rand_boolean(self->rand))
        return 1;
    at[0] |= 0x80;
    at[1] = more;
    if ((more & 0x80) != 0) {
        const bool is_long = g_rand_boolean(self->rand);

        at[n_bytes++] = is_long ? 0x81 : 0x01;
        if (is_long)
            at[n_bytes++] = 7;
    }
    if ((more & 0x40) != 0)
        at[n_bytes++] = 3;
    if ((more & 0x30) != 0)
        at[n_bytes++] = 4;
    return n_bytes;
}

static size_t
add_picture(Sender *self, uint8_t *at, bool starts, bool is_keyframe, size_t n_bytes)
{
    static const uint8_t key[] = {0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 64, 0, 48, 0};

    for (size_t i = 0; i < n_bytes; i++)
        at[i] = (uint8_t) g_rand_int(self->rand);
    if (starts && is_keyframe) {
        n_bytes = MAX(n_bytes, sizeof(key));
        memcpy(at, key, sizeof(key));
    } else if (starts) {
        at[0] |= 0x01;
    }
    return n_bytes;
}

static MediaPacket
send_packet(Sender *self, bool starts, bool is_keyframe, bool is_last)
{
    const bool is_padded = g_rand_int_range(self->rand, 0, 20) == 0;
    const size_t n_picture = (size_t) g_rand_int_range(self->rand, 1, 1200);
    uint8_t *bytes = self->bytes;
    size_t n = 12;

    memset(bytes, 0, 12);
    bytes[0] = is_padded ? 0xa0 : 0x80;
    bytes[1] = is_last ? 0x80 | 96 : 96;
    bytes[2] = (uint8_t) (self->sequence >> 8);
    bytes[3] = (uint8_t) self->sequence;
    for (unsigned i = 0; i < 4; i++)
        bytes[4 + i] = (uint8_t) (self->timestamp >> (24 - 8 * i));
    n += add_descriptor(self, bytes + n, starts);
    n += add_picture(self, bytes + n, starts, is_keyframe, n_picture);
    if (is_padded) {
        memset(bytes + n, 0, 5);
        n += 5;
        bytes[n - 1] = 5;
    }
    self->n_bytes = n;
    self->sequence++;
    return (MediaPacket){.bytes = bytes,
                         .n_bytes = n,
                         .time_us = (int64_t) self->timestamp * 100 / 9,
                         .follows_loss = self->follows_loss};
}

static void
on_frame(const Frame *frame, void *user_data)
{
    GString *log = user_data;
    GstMapInfo map;
    g_autofree char *digest = NULL;

    g_assert_true(gst_buffer_map(frame->buffer, &map, GST_MAP_READ));
    digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, map.data, map.size);
    g_string_append_printf(log, "%" G_GINT64_FORMAT " %zu %s%s\n", frame->start_us, frame->n_bytes,
                           digest, frame->is_keyframe ? " key" : "");
    gst_buffer_unmap(frame->buffer, &map);
    gst_buffer_unref(frame->buffer);
}

typedef struct {
    FrameSource *alone; /* goes on with each packet by itself */
    FrameSource *joined;
    GString *alone_log;
    GString *joined_log;
} Pair;

static void
give(Pair *self, Sender *sender, const MediaPacket *packet)
{
    (void) frame_source_add(self->alone, packet); /* both say the same */
    (void) frame_source_flush(self->alone);
    (void) frame_source_add(self->joined, packet);
    if (g_rand_int_range(sender->rand, 0, 40) == 0)
        (void) frame_source_flush(self->joined);
}

static void
give_picture(Pair *self, Sender *sender, bool is_keyframe)
{
    const int n_packets = g_rand_int_range(sender->rand, 1, is_keyframe ? 40 : 9);
    const bool has_marker = g_rand_int_range(sender->rand, 0, 30) != 0;

    for (int i = 0; i < n_packets; i++) {
        const bool is_last = has_marker && i == n_packets - 1;
        const MediaPacket packet = send_packet(sender, i == 0, is_keyframe && i == 0, is_last);

        if (g_rand_int_range(sender->rand, 0, 100) == 0) {
            sender->follows_loss = true;
            continue;
        }
        give(self, sender, &packet);
        sender->follows_loss = false;
    }
    sender->timestamp += 3000;
}

/* Whatever is lost, padded or sent without a marker: the same frames come out whether packets are
 * joined or not. */
static void
test_same_frames(void)
{
    static const MediaFormat format = {MEDIA_CODEC_VP8, 96, 90000, 0};
    unsigned n_frames = 0;

    for (guint32 seed = 0; seed < 40; seed++) {
        Sender sender = {.rand = g_rand_new_with_seed(seed), .sequence = 65500, .timestamp = 9000};
        Pair pair = {.alone_log = g_string_new(NULL), .joined_log = g_string_new(NULL)};

        pair.alone = frame_source_new(&format, on_frame, pair.alone_log, NULL);
        pair.joined = frame_source_new(&format, on_frame, pair.joined_log, NULL);
        for (unsigned i = 0; i < 100; i++)
            give_picture(&pair, &sender, i % 25 == 0);
        frame_source_finish(pair.alone);
        frame_source_finish(pair.joined);
        g_assert_cmpstr(pair.joined_log->str, ==, pair.alone_log->str);
        for (const char *at = pair.alone_log->str; (at = strchr(at, '\n')) != NULL; at++)
            n_frames++;
        frame_source_free(pair.alone);
        frame_source_free(pair.joined);
        g_string_free(pair.alone_log, TRUE);
        g_string_free(pair.joined_log, TRUE);
        g_rand_free(sender.rand);
    }
    g_test_message("%u frames", n_frames);
    g_assert_cmpuint(n_frames, >, 3000); /* of 4000: most are whole */
}

static uint16_t
sequence_of(GstBuffer *buffer)
{
    uint8_t bytes[2];

    g_assert_cmpuint(gst_buffer_extract(buffer, 2, bytes, sizeof(bytes)), ==, sizeof(bytes));
    return (uint16_t) (bytes[0] << 8 | bytes[1]);
}

static void
add(PacketList *list, const uint8_t *picture, uint16_t sequence, uint8_t marker, int64_t time_us,
    bool follows)
{
    uint8_t bytes[1012] = {0x80, (uint8_t) (marker | 96), (uint8_t) (sequence >> 8),
                           (uint8_t) sequence};
    const MediaPacket packet = {.bytes = bytes, .n_bytes = sizeof(bytes), .time_us = time_us};
    RtpPayload payload;

    memcpy(bytes + 12, picture, 1000);
    g_assert_cmpint(rtp_payload_read(&payload, MEDIA_CODEC_VP8, bytes, sizeof(bytes)), ==,
                    RTP_PAYLOAD_GOOD);
    packet_list_add(list, &packet, &payload, follows);
}

/* A picture of ten packets, of which seven find room in one, then one of two. */
static void
test_numbers(void)
{
    PacketList list = {0};
    uint8_t picture[1000] = {0x10};
    g_autoptr(GstBufferList) taken = NULL;

    memset(picture + 1, 0xcc, sizeof(picture) - 1);
    for (uint16_t i = 0; i < 10; i++) {
        add(&list, picture, (uint16_t) (65533 + i), i == 9 ? 0x80 : 0, 1000, true);
        picture[0] = 0;
    }
    picture[0] = 0x10;
    add(&list, picture, 7, 0, 2000, true);
    picture[0] = 0;
    add(&list, picture, 8, 0x80, 2000, true);
    g_assert_cmpuint(list.n_packets, ==, 12);
    taken = packet_list_take(&list);
    g_assert_cmpuint(gst_buffer_list_length(taken), ==, 3);
    g_assert_null(packet_list_take(&list));

    static const struct {
        uint16_t sequence;
        size_t n_bytes;
        uint8_t marked;
    } expected[] = {
        {65533, 12 + 1 + 7 * 999, 0   },
        {65534, 12 + 1 + 3 * 999, 0x80},
        {65535, 12 + 1 + 2 * 999, 0x80}
    };

    for (guint i = 0; i < 3; i++) {
        GstBuffer *buffer = gst_buffer_list_get(taken, i);
        uint8_t second = 0;

        g_assert_cmpuint(sequence_of(buffer), ==, expected[i].sequence);
        g_assert_cmpuint(gst_buffer_get_size(buffer), ==, expected[i].n_bytes);
        g_assert_cmpuint(gst_buffer_extract(buffer, 1, &second, 1), ==, 1);
        g_assert_cmpuint(second & 0x80, ==, expected[i].marked);
        g_assert_cmpint(gst_buffer_memcmp(buffer, expected[i].n_bytes - 999, picture + 1, 999), ==,
                        0);
    }
}

/* A packet behind the first one of a picture. */
typedef struct {
    uint8_t first_marker, second_byte;
    int64_t second_us;
    bool follows;
    guint n_buffers;
} Second;

static void
test_belongs(void)
{
    static const Second cases[] = {
        {0,    0x00, 1000, true,  1},
        {0,    0x00, 1000, false, 2}, /* something is missing before it */
        {0,    0x10, 1000, true,  2}, /* it begins a picture */
        {0,    0x00, 2000, true,  2}, /* it is of another */
        {0x80, 0x00, 1000, true,  2}, /* the first was the last of its picture */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        PacketList list = {0};
        uint8_t picture[1000] = {0x10};
        g_autoptr(GstBufferList) taken = NULL;

        add(&list, picture, 1, cases[i].first_marker, 1000, true);
        picture[0] = cases[i].second_byte;
        add(&list, picture, 2, 0, cases[i].second_us, cases[i].follows);
        taken = packet_list_take(&list);
        g_assert_cmpuint(gst_buffer_list_length(taken), ==, cases[i].n_buffers);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(media_start(NULL));
    g_test_add_func("/packet-list/gives-the-same-frames-joined-or-not", test_same_frames);
    g_test_add_func("/packet-list/numbers-what-follows-and-keeps-to-its-room", test_numbers);
    g_test_add_func("/packet-list/joins-what-belongs-together", test_belongs);
    return g_test_run();
}
