/* Sends an hour of encoded flashes and clicks (files of packets as of peers/media.py, again and
 * again) to receivers, media tracks and the exporter, in virtual time: those of
 * tests/fakes/drifting_visit.h. sync_drive CLICKS.rtp FLASHES.rtp OUTPUT.mkv SECONDS PPM JITTER_US
 * REPORT_S FRAME_RATE Prints for each track what its status says at the end. */
#include "agent/recorder/rtp_receiver.h"
#include "tests/fakes/drifting_visit.h"
#include "tests/fakes/export_fixture.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOP_US = 10000000, PAUSE_FROM_S = 3000, PAUSE_UNTIL_S = 3030 };

static const char *const names[DRIFTING_STREAMS] = {"p1-audio", "p1-video", "p2-audio", "p2-video"};
static const MediaFormat formats[2] = {
    {MEDIA_CODEC_OPUS, 111, 48000, 2},
    {MEDIA_CODEC_VP8,  96,  90000, 0},
};

/* Ten seconds of encoded media: packets in order, and where each frame's begin. */
typedef struct {
    GPtrArray *packets; /* GBytes */
    GArray *first;      /* unsigned: of each frame */
    GArray *n_packets;  /* unsigned: of each frame */
} Loop;

typedef struct {
    DriftingStream source;
    const Loop *loop;
    RtpReceiver *receiver;
    MediaTrack *media;
    TrackOutcome *outcome;
    ExportReader *readers;
} Track;

static uint32_t
timestamp_of(GBytes *packet)
{
    uint32_t timestamp = 0;

    memcpy(&timestamp, (const uint8_t *) g_bytes_get_data(packet, NULL) + 4, 4);
    return GUINT32_FROM_BE(timestamp);
}

/* Takes what is before ten seconds: the encoder may have added a little. */
static void
load(Loop *loop, const char *path, unsigned n_frames)
{
    g_autofree char *content = NULL;
    gsize n_bytes = 0;
    const unsigned zero = 0;

    g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
    loop->packets = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    loop->first = g_array_new(FALSE, FALSE, sizeof(unsigned));
    loop->n_packets = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (gsize at = 0, length = 0; at + 2 <= n_bytes; at += 2 + length) {
        length = (gsize) ((uint8_t) content[at] << 8 | (uint8_t) content[at + 1]);
        g_assert_cmpuint(at + 2 + length, <=, n_bytes);
        GBytes *packet = g_bytes_new(content + at + 2, length);
        const guint n = loop->packets->len;
        const bool is_new =
            n == 0 || timestamp_of(packet) != timestamp_of(loop->packets->pdata[n - 1]);

        if (is_new && loop->first->len == n_frames) {
            g_bytes_unref(packet);
            break;
        }
        if (is_new) {
            g_array_append_val(loop->first, n);
            g_array_append_val(loop->n_packets, zero);
        }
        g_array_index(loop->n_packets, unsigned, loop->first->len - 1)++;
        g_ptr_array_add(loop->packets, packet);
    }
    g_assert_cmpuint(loop->first->len, ==, n_frames);
}

static void
on_packets(const RtpReceiverPacket *packets, size_t n_packets, void *user_data)
{
    const Track *track = user_data;

    for (size_t i = 0; i < n_packets; i++) {
        const MediaPacket packet = {packets[i].bytes, packets[i].n_bytes, packets[i].time_us,
                                    packets[i].follows_loss};
        media_track_push(track->media, &packet, 1);
    }
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
}

static void
on_restart(void *user_data)
{
    const Track *track = user_data;

    media_track_restart(track->media);
}

static void
open_track(Track *track, const DriftingVisit *visit, unsigned i, SenderClocks *clocks)
{
    const MediaFormat *format = &formats[i % 2];

    drifting_stream_init(&track->source, visit, i);
    track->source.n_packets = &g_array_index(track->loop->n_packets, unsigned, 0);
    track->source.n_frames = track->loop->first->len;
    track->source.period_us = LOOP_US / track->source.n_frames;
    track->outcome = track_outcome_new();
    track->media = track_outcome_start_track(track->outcome, format);
    track->receiver = rtp_receiver_new(&(RtpReceiverOptions){
        .payload_type = format->payload_type,
        .clock_rate = format->clock_rate,
        .reorder_ms = 250,
        .gap_ms = 200,
        .sender_clocks = clocks,
        .on_packets = on_packets,
        .on_gap = on_gap,
        .on_restart = on_restart,
        .user_data = track,
    });
}

/* All packets of a frame come at once. */
static void
take_frame(const Track *track, const DriftingFlight *flight)
{
    const unsigned first = g_array_index(track->loop->first, unsigned, flight->frame);
    const unsigned n_packets = g_array_index(track->loop->n_packets, unsigned, flight->frame);
    const uint32_t timestamp =
        GUINT32_TO_BE(drifting_stream_timestamp(&track->source, flight->made_us));
    const uint32_t ssrc = GUINT32_TO_BE(track->source.ssrc);

    for (unsigned i = 0; i < n_packets; i++) {
        gsize n_bytes = 0;
        const void *packet = g_bytes_get_data(track->loop->packets->pdata[first + i], &n_bytes);
        g_autofree uint8_t *bytes = g_memdup2(packet, n_bytes);
        const uint16_t sequence = GUINT16_TO_BE((uint16_t) (flight->sequence + i));

        memcpy(bytes + 2, &sequence, 2);
        memcpy(bytes + 4, &timestamp, 4);
        memcpy(bytes + 8, &ssrc, 4);
        rtp_receiver_take(track->receiver, bytes, n_bytes, flight->arrival_us);
    }
    (void) rtp_receiver_expire(track->receiver, flight->arrival_us);
}

/* Both of p2 are paused for a while, as by a request. */
static void
pause_when_due(Track *tracks, int64_t now_us, unsigned *n_changes)
{
    static const int due_s[2] = {PAUSE_FROM_S, PAUSE_UNTIL_S};

    if (*n_changes == 2 || now_us < due_s[*n_changes] * G_USEC_PER_SEC)
        return;
    for (unsigned i = 2; i < DRIFTING_STREAMS; i++)
        rtp_receiver_pause(tracks[i].receiver, *n_changes == 0 ? "paused-request" : NULL,
                           due_s[*n_changes] * G_USEC_PER_SEC);
    (*n_changes)++;
}

static void
send_all(Track *tracks, const DriftingVisit *visit)
{
    g_autoptr(GArray) flights = g_array_new(FALSE, FALSE, sizeof(DriftingFlight));
    unsigned n_changes = visit->has_gaps ? 0 : 2;

    for (unsigned i = 0; i < DRIFTING_STREAMS; i++)
        drifting_stream_invent(&tracks[i].source, visit, i, flights);
    drifting_visit_sort(flights);
    for (guint i = 0; i < flights->len; i++) {
        const DriftingFlight *flight = &g_array_index(flights, DriftingFlight, i);
        const Track *track = &tracks[flight->stream];

        pause_when_due(tracks, flight->arrival_us, &n_changes);
        if (flight->is_report) {
            const RtcpReport report =
                drifting_stream_report(&track->source, visit, flight->made_us);
            rtp_receiver_take_report(track->receiver, &report, flight->arrival_us);
        } else {
            take_frame(track, flight);
        }
    }
}

static void
finish_track(Track *track, const char *name, int64_t until_us)
{
    RtpReceiverStatus status;

    rtp_receiver_finish(track->receiver, until_us);
    media_track_finish(track->media);
    rtp_receiver_status(track->receiver, &status);
    (void) printf("%s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", name,
                  status.is_synced ? "reports" : "arrivals", status.n_packets, status.n_lost,
                  status.n_reports, status.n_odd_reports, track->outcome->parts->str);
    rtp_receiver_free(track->receiver);
    media_track_free(track->media);
}

static void
add_inputs(GArray *inputs, Track *track, const char *name, const char *codec)
{
    const guint n_segments = track->outcome->segments->len;
    const Segment *last = track->outcome->segments->pdata[n_segments - 1];

    track->readers = g_new0(ExportReader, last->part + 1);
    for (uint32_t part = 0; part <= last->part; part++) {
        track->readers[part] = (ExportReader){.outcome = track->outcome, .part = part};
        export_fixture_add(inputs, name, codec, &track->readers[part]);
    }
}

static void
export_all(Track *tracks, const char *path)
{
    g_autoptr(GArray) inputs = export_fixture_new_inputs();
    g_autoptr(GError) error = NULL;
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const ExporterOptions options = {.until_us = INT64_MAX, .fd = fd};

    g_assert_cmpint(fd, >=, 0);
    for (unsigned i = 0; i < DRIFTING_STREAMS; i++)
        add_inputs(inputs, &tracks[i], names[i], i % 2 == 0 ? "opus" : "vp8");
    if (!exporter_run(inputs, &options, &error))
        g_error("%s", error->message);
    g_assert_cmpint(close(fd), ==, 0);
    for (unsigned i = 0; i < DRIFTING_STREAMS; i++) {
        track_outcome_free(tracks[i].outcome);
        g_free(tracks[i].readers);
    }
}

static void
clear(Loop *loop)
{
    g_ptr_array_unref(loop->packets);
    g_array_unref(loop->first);
    g_array_unref(loop->n_packets);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SenderClocks) first = sender_clocks_new();
    g_autoptr(SenderClocks) second = sender_clocks_new();
    Track tracks[DRIFTING_STREAMS] = {0};
    Loop loops[2];

    g_assert_cmpint(argc, ==, 9);
    if (!media_start(&error))
        g_error("%s", error->message);
    const DriftingVisit visit = {
        .seconds = atoi(argv[4]),
        .drift_ppm = atoi(argv[5]),
        .jitter_us = atoi(argv[6]),
        .report_s = atoi(argv[7]),
        .has_gaps = atoi(argv[4]) >= 3600,
    };
    load(&loops[0], argv[1], 500);
    load(&loops[1], argv[2], 10 * (unsigned) atoi(argv[8]));
    for (unsigned i = 0; i < DRIFTING_STREAMS; i++) {
        tracks[i].loop = &loops[i % 2];
        open_track(&tracks[i], &visit, i, i < 2 ? first : second);
    }
    send_all(tracks, &visit);
    for (unsigned i = 0; i < DRIFTING_STREAMS; i++)
        finish_track(&tracks[i], names[i], (visit.seconds + 5) * (int64_t) G_USEC_PER_SEC);
    export_all(tracks, argv[3]);
    clear(&loops[0]);
    clear(&loops[1]);
    return 0;
}
