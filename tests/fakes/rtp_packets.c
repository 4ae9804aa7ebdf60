#include "tests/fakes/rtp_packets.h"

#include <string.h>

void
rtp_packets_number(uint8_t *packet, uint16_t sequence, uint32_t timestamp)
{
    const uint8_t numbers[10] = {(uint8_t) (sequence >> 8),   (uint8_t) sequence,
                                 (uint8_t) (timestamp >> 24), (uint8_t) (timestamp >> 16),
                                 (uint8_t) (timestamp >> 8),  (uint8_t) timestamp};

    memcpy(packet + 2, numbers, sizeof(numbers)); /* and an SSRC of 0 */
}

/* One sender's numbers all through. */
static void
number_packets(RtpSource *self)
{
    for (guint i = 0; i < self->packets->len; i++) {
        gsize n_bytes = 0;
        uint8_t *packet =
            g_bytes_unref_to_data(g_steal_pointer(&self->packets->pdata[i]), &n_bytes);

        rtp_packets_number(packet, (uint16_t) i,
                           (uint32_t) (g_array_index(self->times_us, int64_t, i) * 9 / 100));
        self->packets->pdata[i] = g_bytes_new_take(packet, n_bytes);
    }
}

void
rtp_packets_append(RtpSource *self, const RtpSource *other, int64_t offset_us)
{
    for (guint i = 0; i < other->packets->len; i++) {
        const int64_t time_us = g_array_index(other->times_us, int64_t, i) + offset_us;

        g_ptr_array_add(self->packets, g_bytes_ref(other->packets->pdata[i]));
        g_array_append_val(self->times_us, time_us);
    }
    for (guint i = 0; i < other->frames->len; i++) {
        g_array_append_vals(self->frames, &g_array_index(other->frames, RtpSourceFrame, i), 1);
        g_array_index(self->frames, RtpSourceFrame, self->frames->len - 1).time_us += offset_us;
    }
    number_packets(self);
}

/* `content` is the packet's payload behind its FU header; the marker is the last piece's. */
static void
add_piece(RtpSource *self, const uint8_t *packet, const uint8_t *content, size_t n_bytes,
          bool is_last)
{
    uint8_t *piece = g_malloc(14 + n_bytes);

    memcpy(piece, packet, 14);
    if (n_bytes > 0)
        memcpy(piece + 14, content, n_bytes);
    if (!is_last) {
        piece[1] &= 0x7f;
        piece[13] &= 0xbf;
    }
    g_ptr_array_add(self->packets, g_bytes_new_take(piece, 14 + n_bytes));
}

unsigned
rtp_packets_cut_last_pieces(RtpSource *self)
{
    g_autoptr(RtpSource) cut = rtp_source_new_empty();
    unsigned n_cut = 0;

    for (guint i = 0; i < self->packets->len; i++) {
        const int64_t time_us = g_array_index(self->times_us, int64_t, i);
        size_t n_bytes = 0;
        const uint8_t *packet = rtp_source_packet(self, i, &n_bytes);
        const bool is_last_piece =
            n_bytes > 15 && (packet[12] & 0x1f) == 28 && (packet[13] & 0xc0) == 0x40;

        if (is_last_piece) {
            add_piece(cut, packet, packet + 14, n_bytes - 15, false);
            add_piece(cut, packet, NULL, 0, false);
            add_piece(cut, packet, packet + n_bytes - 1, 1, true);
            n_cut++;
        } else {
            g_ptr_array_add(cut->packets, g_bytes_ref(self->packets->pdata[i]));
        }
        while (cut->times_us->len < cut->packets->len)
            g_array_append_val(cut->times_us, time_us);
    }
    g_clear_pointer(&self->packets, g_ptr_array_unref);
    g_clear_pointer(&self->times_us, g_array_unref);
    self->packets = g_ptr_array_ref(cut->packets);
    self->times_us = g_array_ref(cut->times_us);
    number_packets(self);
    return n_cut;
}
