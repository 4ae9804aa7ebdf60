#include "agent/recorder/rtp_receiver.h"

#include <glib.h>
#include <string.h>

enum { RTX = 97, RED = 63, BESIDE = 13 };

/* Bytes become an hour of a bad network: packets with odd numbers, clocks and sources, raw
 * datagrams, pauses, waits. Whatever comes, the timeline goes forward and the gaps do not overlap.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

enum { FROM_US = 1000000 };

typedef struct {
    int64_t last_gap_end_us;
    uint64_t n_packets;
} Seen;

typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
} Input;

static unsigned
next(Input *input)
{
    if (input->n_bytes == 0)
        return 0;
    input->n_bytes--;
    return *input->bytes++;
}

static void
on_packets(const RtpReceiverPacket *packets, size_t n_packets, void *user_data)
{
    Seen *seen = user_data;

    for (size_t i = 0; i < n_packets; i++) {
        g_assert(packets[i].time_us >= FROM_US);
        g_assert(packets[i].n_bytes > 12 && packets[i].bytes[0] >> 6 == 2);
    }
    seen->n_packets += n_packets;
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    Seen *seen = user_data;

    g_assert(duration_us > 0 && start_us >= seen->last_gap_end_us && reason != NULL);
    seen->last_gap_end_us = start_us + duration_us;
}

static void
on_restart(void *user_data)
{
    const Seen *seen = user_data;

    g_assert(seen->n_packets > 0);
}

/* A packet as it should be but for what the input says. */
static void
send_packet(RtpReceiver *receiver, Input *input, unsigned n, int64_t now_us)
{
    const unsigned flags = next(input);
    const unsigned sequence = n + (flags & 1 ? next(input) << 8 | next(input) : 0);
    const unsigned timestamp =
        (unsigned) (now_us / 1000 * 48) + (flags & 2 ? next(input) << 24 | next(input) << 12 : 0);
    const uint8_t bytes[] = {
        0x80,
        96,
        (uint8_t) (sequence >> 8),
        (uint8_t) sequence,
        (uint8_t) (timestamp >> 24),
        (uint8_t) (timestamp >> 16),
        (uint8_t) (timestamp >> 8),
        (uint8_t) timestamp,
        0,
        0,
        0,
        (uint8_t) (flags & 4 ? next(input) : 1),
        'm',
    };

    rtp_receiver_take(receiver, bytes, sizeof(bytes) - (flags & 8 ? 1 : 0), now_us);
}

/* A packet of another declared type: its payload is the input's, so a retransmission's original
 * number and the headers of redundant blocks are too. */
static void
send_other(RtpReceiver *receiver, Input *input, unsigned n, int64_t now_us)
{
    static const uint8_t types[] = {RTX, RED, BESIDE, RED};
    const unsigned flags = next(input);
    const unsigned timestamp = (unsigned) (now_us / 1000 * 48);
    const size_t n_payload = MIN(flags >> 2, input->n_bytes);
    /* As long as the datagram, so that a look past its end shows. */
    g_autofree uint8_t *bytes = g_malloc0(12 + n_payload);

    bytes[0] = 0x80;
    bytes[1] = types[flags & 3];
    bytes[2] = (uint8_t) (n >> 8);
    bytes[3] = (uint8_t) n;
    bytes[4] = (uint8_t) (timestamp >> 24);
    bytes[5] = (uint8_t) (timestamp >> 16);
    bytes[6] = (uint8_t) (timestamp >> 8);
    bytes[7] = (uint8_t) timestamp;
    bytes[11] = 1;
    memcpy(bytes + 12, input->bytes, n_payload);
    input->bytes += n_payload;
    input->n_bytes -= n_payload;
    rtp_receiver_take(receiver, bytes, 12 + n_payload, now_us);
}

static void
send_raw(RtpReceiver *receiver, Input *input, int64_t now_us)
{
    const unsigned length = next(input);
    const size_t n_bytes = MIN(length, input->n_bytes);
    /* As long as the datagram, so that a look past its end shows. */
    g_autofree uint8_t *bytes = g_malloc(MAX(n_bytes, 1));

    memcpy(bytes, input->bytes, n_bytes);
    rtp_receiver_take(receiver, bytes, n_bytes, now_us);
    input->bytes += n_bytes;
    input->n_bytes -= n_bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    Seen seen = {.last_gap_end_us = FROM_US};
    Input input = {data, n_bytes};
    g_autoptr(RateLimit) rate = rate_limit_new(32);
    const RtpReceiverOptions options = {
        .payload_type = 96,
        .roles = {.of = {[RTX] = RTP_ROLE_RTX, [RED] = RTP_ROLE_RED, [BESIDE] = RTP_ROLE_BESIDE}},
        .track_rate = rate,
        .clock_rate = 48000,
        .reorder_ms = 60,
        .gap_ms = 200,
        .from_us = FROM_US,
        .on_packets = on_packets,
        .on_gap = on_gap,
        .on_restart = on_restart,
        .user_data = &seen,
    };
    g_autoptr(RtpReceiver) receiver = rtp_receiver_new(&options);
    int64_t now_us = FROM_US;
    RtpReceiverStatus status;

    for (unsigned n = 0; input.n_bytes > 0; n++) {
        const unsigned action = next(&input);
        now_us += action >> 4 == 15 ? 1500000 : (action >> 4) * 5000;
        if ((action & 15) == 15)
            send_raw(receiver, &input, now_us);
        else if ((action & 15) == 13)
            send_other(receiver, &input, n, now_us);
        else if ((action & 15) == 14)
            rtp_receiver_pause(receiver, next(&input) & 1 ? "pause" : NULL, now_us);
        else
            send_packet(receiver, &input, n, now_us);
        g_assert(rtp_receiver_expire(receiver, now_us) > now_us);
    }
    rtp_receiver_finish(receiver, now_us);
    rtp_receiver_status(receiver, &status);
    g_assert(status.n_packets == seen.n_packets && seen.n_packets <= n_bytes);
    return 0;
}
