#include "tests/fakes/receiver_log.h"

#include <string.h>

static uint8_t
payload_byte(unsigned sequence, size_t i)
{
    return (uint8_t) (sequence * 31 + i * 7 + 1);
}

SentPacket
sent_packet(unsigned n)
{
    return (SentPacket){SENT_SSRC, 50000 + n * SENT_TICKS, (uint16_t) (1000 + n), SENT_TYPE, 20};
}

size_t
sent_packet_write(const SentPacket *packet, uint8_t *bytes)
{
    const uint32_t timestamp = GUINT32_TO_BE(packet->timestamp);
    const uint32_t ssrc = GUINT32_TO_BE(packet->ssrc);
    const uint16_t sequence = GUINT16_TO_BE(packet->sequence);

    bytes[0] = 0x80;
    bytes[1] = packet->payload_type;
    memcpy(bytes + 2, &sequence, 2);
    memcpy(bytes + 4, &timestamp, 4);
    memcpy(bytes + 8, &ssrc, 4);
    for (size_t i = 0; i < packet->n_payload; i++)
        bytes[12 + i] = payload_byte(packet->sequence, i);
    return 12 + (size_t) packet->n_payload;
}

void
sent_packet_send(const SentPacket *packet, RtpReceiver *receiver, int64_t now_us)
{
    g_autofree uint8_t *bytes = g_malloc(12 + (size_t) packet->n_payload);

    rtp_receiver_take(receiver, bytes, sent_packet_write(packet, bytes), now_us);
}

static void
on_packets(const RtpReceiverPacket *packets, size_t n_packets, void *user_data)
{
    ReceiverLog *self = user_data;

    g_assert_cmpuint(n_packets, >, 0);
    self->n_batches++;
    for (size_t i = 0; i < n_packets; i++) {
        const uint8_t *bytes = packets[i].bytes;
        const LoggedPacket logged = {
            .sequence = (uint16_t) (bytes[2] << 8 | bytes[3]),
            .ssrc = (uint32_t) bytes[8] << 24 | (uint32_t) bytes[9] << 16 |
                    (uint32_t) bytes[10] << 8 | bytes[11],
            .time_us = packets[i].time_us,
            .follows_loss = packets[i].follows_loss,
        };

        g_assert_cmpuint(packets[i].n_bytes, >, 12);
        for (size_t at = 12; bytes[0] == 0x80 && at < packets[i].n_bytes; at++)
            g_assert_cmpuint(bytes[at], ==, payload_byte(logged.sequence, at - 12));
        g_array_append_val(self->packets, logged);
    }
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
    ReceiverLog *self = user_data;
    const LoggedGap gap = {start_us, start_us + duration_us, g_intern_string(reason)};

    g_assert_cmpint(duration_us, >, 0);
    g_array_append_val(self->gaps, gap);
}

static void
on_restart(void *user_data)
{
    ReceiverLog *self = user_data;

    self->n_restarts++;
    self->restart_at = self->packets->len;
}

ReceiverLog *
receiver_log_new(void)
{
    ReceiverLog *self = g_new0(ReceiverLog, 1);

    self->packets = g_array_new(FALSE, FALSE, sizeof(LoggedPacket));
    self->gaps = g_array_new(FALSE, FALSE, sizeof(LoggedGap));
    return self;
}

RtpReceiverOptions
receiver_log_options(ReceiverLog *self, int64_t from_us)
{
    return (RtpReceiverOptions){
        .payload_type = SENT_TYPE,
        .clock_rate = SENT_RATE,
        .reorder_ms = 60,
        .gap_ms = 200,
        .from_us = from_us,
        .on_packets = on_packets,
        .on_gap = on_gap,
        .on_restart = on_restart,
        .user_data = self,
    };
}

RtpReceiver *
receiver_log_receiver(ReceiverLog *self, int64_t from_us)
{
    const RtpReceiverOptions options = receiver_log_options(self, from_us);

    return rtp_receiver_new(&options);
}

const LoggedPacket *
receiver_log_packet(const ReceiverLog *self, unsigned i)
{
    g_assert_cmpuint(i, <, self->packets->len);
    return &g_array_index(self->packets, LoggedPacket, i);
}

const LoggedGap *
receiver_log_gap(const ReceiverLog *self, unsigned i)
{
    g_assert_cmpuint(i, <, self->gaps->len);
    return &g_array_index(self->gaps, LoggedGap, i);
}

void
receiver_log_assert_gap(const ReceiverLog *self, unsigned i, const LoggedGap *expected)
{
    const LoggedGap *gap = receiver_log_gap(self, i);

    g_assert_cmpint(gap->start_us, ==, expected->start_us);
    g_assert_cmpint(gap->end_us, ==, expected->end_us);
    g_assert_cmpstr(gap->reason, ==, expected->reason);
}

void
receiver_log_free(ReceiverLog *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->packets);
    g_array_unref(self->gaps);
    g_free(self);
}
