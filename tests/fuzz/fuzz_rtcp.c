#include "agent/recorder/rtp_receiver.h"

#include <glib.h>
#include <string.h>

/* Bytes become a visit over a good network whose RTCP is anything: raw datagrams, and sender
 * reports that are more or less true. Whatever they say, media goes on in order, and lies no
 * further from where it arrived than reports may move it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

enum {
    N_TRACKS = 2,
    RATE = 48000,
    PACKET_US = 20000,
    MAX_PACKETS = 20000,
    /* A clock waits for its first packets, and moves by and by. */
    NEAR_US = SENDER_CLOCKS_MAX_SKEW_US + 20000,
};

typedef struct {
    RtpReceiver *receiver;
    uint32_t ssrc;
    int64_t last_us;
    unsigned n_given;
} Track;

typedef struct {
    Track tracks[N_TRACKS]; /* of one participant */
    unsigned n;             /* packets sent on each */
    const uint8_t *bytes;
    size_t n_bytes;
} Visit;

static unsigned
next(Visit *visit)
{
    if (visit->n_bytes == 0)
        return 0;
    visit->n_bytes--;
    return *visit->bytes++;
}

static void
on_packets(const RtpReceiverPacket *packets, size_t n_packets, void *user_data)
{
    Track *track = user_data;

    for (size_t i = 0; i < n_packets; i++) {
        const int64_t arrival_us = (int64_t) track->n_given * PACKET_US;
        g_assert(packets[i].time_us > track->last_us);
        g_assert(ABS(packets[i].time_us - arrival_us) <= NEAR_US);
        track->last_us = packets[i].time_us;
        track->n_given++;
    }
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    g_assert(duration_us > 0 && reason != NULL);
}

static void
on_restart(void *user_data)
{
    g_assert_not_reached();
}

/* `n` packets on each track. */
static void
send_media(Visit *visit, unsigned n)
{
    for (; n > 0 && visit->n < MAX_PACKETS; n--, visit->n++) {
        const int64_t now_us = (int64_t) visit->n * PACKET_US;

        for (unsigned i = 0; i < N_TRACKS; i++) {
            uint8_t bytes[13] = {0x80, 96};
            const uint16_t sequence = GUINT16_TO_BE((uint16_t) visit->n);
            const uint32_t timestamp = GUINT32_TO_BE((uint32_t) (visit->n * (RATE / 50)));
            const uint32_t ssrc = GUINT32_TO_BE(visit->tracks[i].ssrc);

            memcpy(bytes + 2, &sequence, 2);
            memcpy(bytes + 4, &timestamp, 4);
            memcpy(bytes + 8, &ssrc, 4);
            rtp_receiver_take(visit->tracks[i].receiver, bytes, sizeof(bytes), now_us);
            g_assert(rtp_receiver_expire(visit->tracks[i].receiver, now_us) > now_us);
        }
    }
}

static void
send_raw(Visit *visit, const Track *track, int64_t now_us)
{
    const unsigned length = next(visit);
    const size_t n_bytes = MIN(length, visit->n_bytes);
    /* As long as the datagram, so that a look past its end shows. */
    g_autofree uint8_t *bytes = g_malloc(MAX(n_bytes, 1));
    RtcpReport report;

    memcpy(bytes, visit->bytes, n_bytes);
    visit->bytes += n_bytes;
    visit->n_bytes -= n_bytes;
    if (rtcp_parse(bytes, n_bytes, track->ssrc, &report))
        rtp_receiver_take_report(track->receiver, &report, now_us);
    g_assert(report.n_cname == 0 ||
             (report.cname > bytes && report.cname + report.n_cname <= bytes + n_bytes));
}

/* True, but for what the input adds to its time, in milliseconds, and to its timestamp. */
static void
send_report(Visit *visit, const Track *track, int64_t now_us)
{
    const int64_t off_ms = (int16_t) (next(visit) << 8 | next(visit));
    const int64_t sender_us = INT64_C(3900000000) * G_USEC_PER_SEC + now_us + off_ms * 1000;
    const unsigned name = next(visit);
    const RtcpReport report = {
        .has_sender_report = true,
        .ssrc = track->ssrc,
        .ntp_time = ((uint64_t) (sender_us / G_USEC_PER_SEC) << 32) +
                    ((uint64_t) (sender_us % G_USEC_PER_SEC) << 32) / G_USEC_PER_SEC,
        .rtp_timestamp = (uint32_t) (now_us * RATE / G_USEC_PER_SEC) + next(visit) * 100,
        .cname = (const uint8_t *) "camera",
        .n_cname = (uint8_t) (name % 3),
    };

    rtp_receiver_take_report(track->receiver, &report, now_us);
}

static void
run(Visit *visit)
{
    while (visit->n_bytes > 0) {
        const unsigned action = next(visit);
        const Track *track = &visit->tracks[action & 1];

        send_media(visit, 1 + (action >> 2));
        const int64_t now_us = (int64_t) (visit->n - 1) * PACKET_US;
        if ((action & 2) != 0) {
            send_report(visit, track, now_us);
        } else {
            send_raw(visit, track, now_us);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    Visit visit = {.bytes = data, .n_bytes = n_bytes};
    g_autoptr(SenderClocks) clocks = sender_clocks_new();

    for (unsigned i = 0; i < N_TRACKS; i++) {
        visit.tracks[i] = (Track){.ssrc = 0x61626364 + i, .last_us = -1};
        visit.tracks[i].receiver = rtp_receiver_new(&(RtpReceiverOptions){
            .payload_type = 96,
            .clock_rate = RATE,
            .reorder_ms = 60,
            .gap_ms = 200,
            .sender_clocks = clocks,
            .on_packets = on_packets,
            .on_gap = on_gap,
            .on_restart = on_restart,
            .user_data = &visit.tracks[i],
        });
    }
    run(&visit);
    for (unsigned i = 0; i < N_TRACKS; i++) {
        rtp_receiver_finish(visit.tracks[i].receiver, (int64_t) visit.n * PACKET_US);
        g_assert(visit.tracks[i].n_given == visit.n);
        rtp_receiver_free(visit.tracks[i].receiver);
    }
    return 0;
}
