#include "agent/media/opus_packet.h"

int64_t
opus_packet_duration_us(const uint8_t *bytes, size_t n_bytes)
{
    static const int silk_us[] = {10000, 20000, 40000, 60000};
    static const int celt_us[] = {2500, 5000, 10000, 20000};
    int64_t frame_us = 0;

    if (n_bytes == 0)
        return 0;

    const unsigned config = bytes[0] >> 3;
    const unsigned code = bytes[0] & 3;

    if (config < 12) {
        frame_us = silk_us[config & 3];
    } else if (config < 16) {
        frame_us = silk_us[config & 1];
    } else {
        frame_us = celt_us[config & 3];
    }
    if (code == 0)
        return frame_us;
    if (code < 3)
        return 2 * frame_us;
    return n_bytes > 1 ? frame_us * (bytes[1] & 0x3f) : 0;
}
