/* An hour of a visit whose clocks drift apart, in virtual time: wherever a packet of sound and one
 * of picture were made together, they lie together on the timeline. */
#include "agent/recorder/rtp_receiver.h"
#include "tests/fakes/drifting_visit.h"

#include <glib.h>
#include <string.h>

#define SECOND G_GINT64_CONSTANT(1000000)

enum { IN_STEP_US = 40000 };

static const DriftingVisit visits[] = {
    {"calm",           3600, 100,  5000,   0, 0,      5, true },
    {"jitter",         3600, 100,  300000, 0, 0,      5, true },
    {"slow",           3600, -100, 300000, 0, 0,      5, true },
    {"reports",        3600, 100,  5000,   5, 120000, 5, true },
    {"reports-jitter", 3600, 100,  300000, 5, 120000, 5, true },
    {"reports-slow",   3600, -100, 80000,  5, 120000, 5, true },
    {"minute",         60,   1000, 20000,  0, 0,      0, false},
    {"reports-minute", 60,   1000, 20000,  1, 60000,  0, false},
};

typedef struct Stage Stage;

typedef struct {
    Stage *stage;
    DriftingStream source;
    RtpReceiver *receiver;
    int64_t last_time_us;
    int64_t offset_us; /* of the last packet: its place minus when it was made */
    unsigned n_packets;
} Track;

struct Stage {
    const DriftingVisit *visit;
    Track tracks[DRIFTING_STREAMS];
    int64_t worst_us;       /* of one participant */
    int64_t worst_apart_us; /* of two */
};

static void
check_place(Stage *stage, const Track *track)
{
    const bool is_settled = stage->visit->picture_late_us == 0 || track->last_time_us > 30 * SECOND;

    /* Where pictures are late, it takes reports to know it, and some time to make up for it. */
    for (unsigned i = 0; i < DRIFTING_STREAMS && is_settled; i++) {
        const Track *other = &stage->tracks[i];
        const bool is_same = (other - stage->tracks) / 2 == (track - stage->tracks) / 2;
        int64_t *worst_us = is_same ? &stage->worst_us : &stage->worst_apart_us;

        if (other->n_packets > 0)
            *worst_us = MAX(*worst_us, ABS(track->offset_us - other->offset_us));
    }
}

static void
on_packets(const RtpReceiverPacket *packets, size_t n_packets, void *user_data)
{
    Track *track = user_data;

    for (size_t i = 0; i < n_packets; i++) {
        const int64_t made_us = drifting_stream_made_us(&track->source, packets[i].rtp_timestamp);

        g_assert_cmpint(packets[i].time_us, >, track->last_time_us);
        track->last_time_us = packets[i].time_us;
        track->offset_us = packets[i].time_us - made_us;
        track->n_packets++;
        check_place(track->stage, track);
    }
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
}

static void
on_restart(void *user_data)
{
    g_assert_not_reached(); /* the source is the same all the time */
}

static void
take(const Track *track, const DriftingVisit *visit, const DriftingFlight *flight)
{
    uint8_t bytes[16] = {0x80, 96};
    const uint16_t sequence = GUINT16_TO_BE(flight->sequence);
    const uint32_t timestamp =
        GUINT32_TO_BE(drifting_stream_timestamp(&track->source, flight->made_us));
    const uint32_t ssrc = GUINT32_TO_BE(track->source.ssrc);

    if (flight->is_report) {
        const RtcpReport report = drifting_stream_report(&track->source, visit, flight->made_us);
        rtp_receiver_take_report(track->receiver, &report, flight->arrival_us);
        return;
    }
    memcpy(bytes + 2, &sequence, 2);
    memcpy(bytes + 4, &timestamp, 4);
    memcpy(bytes + 8, &ssrc, 4);
    rtp_receiver_take(track->receiver, bytes, sizeof(bytes), flight->arrival_us);
    (void) rtp_receiver_expire(track->receiver, flight->arrival_us);
}

static void
open_track(Stage *stage, unsigned i, SenderClocks *clocks)
{
    Track *track = &stage->tracks[i];

    *track = (Track){.stage = stage, .last_time_us = -1};
    drifting_stream_init(&track->source, stage->visit, i);
    track->receiver = rtp_receiver_new(&(RtpReceiverOptions){
        .payload_type = 96,
        .clock_rate = track->source.rate,
        .reorder_ms = 250,
        .gap_ms = 200,
        .sender_clocks = clocks,
        .on_packets = on_packets,
        .on_gap = on_gap,
        .on_restart = on_restart,
        .user_data = track,
    });
}

static void
close_track(const Stage *stage, Track *track)
{
    RtpReceiverStatus status;
    const int64_t n_frames = stage->visit->seconds * SECOND / track->source.period_us;

    rtp_receiver_finish(track->receiver, (stage->visit->seconds + 5) * SECOND);
    rtp_receiver_status(track->receiver, &status);
    g_test_message("%x: %" G_GUINT64_FORMAT " packets, %" G_GUINT64_FORMAT
                   " late, %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT
                   " reports, %" G_GUINT64_FORMAT " odd",
                   track->source.ssrc, status.n_packets, status.n_late, status.n_lost,
                   status.n_reports, status.n_odd_reports);
    g_assert_cmpuint(status.n_packets, >, n_frames * 3 / 4);
    g_assert_cmpint(status.is_synced, ==, stage->visit->report_s > 0);
    rtp_receiver_free(track->receiver);
}

static void
test_stays_in_step(gconstpointer data)
{
    Stage stage = {.visit = data};
    g_autoptr(SenderClocks) first = sender_clocks_new();
    g_autoptr(SenderClocks) second = sender_clocks_new();
    g_autoptr(GArray) flights = g_array_new(FALSE, FALSE, sizeof(DriftingFlight));

    for (unsigned i = 0; i < DRIFTING_STREAMS; i++) {
        open_track(&stage, i, i < 2 ? first : second);
        drifting_stream_invent(&stage.tracks[i].source, stage.visit, i, flights);
    }
    drifting_visit_sort(flights);
    for (guint i = 0; i < flights->len; i++) {
        const DriftingFlight *flight = &g_array_index(flights, DriftingFlight, i);
        take(&stage.tracks[flight->stream], stage.visit, flight);
    }
    for (unsigned i = 0; i < DRIFTING_STREAMS; i++)
        close_track(&stage, &stage.tracks[i]);

    g_test_message("%s: sound and picture %.1f ms, participants %.1f ms", stage.visit->name,
                   (double) stage.worst_us / 1e3, (double) stage.worst_apart_us / 1e3);
    g_assert_cmpint(stage.worst_us, >, 0);
    g_assert_cmpint(stage.worst_us, <=, IN_STEP_US);
    g_assert_cmpint(stage.worst_apart_us, <=, IN_STEP_US);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(visits); i++) {
        g_autofree char *path = g_strconcat("/sync_hour/stays-in-step/", visits[i].name, NULL);
        g_test_add_data_func(path, &visits[i], test_stays_in_step);
    }
    return g_test_run();
}
