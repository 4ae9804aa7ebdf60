#include "agent/media/audio_packet.h"

#include "agent/media/opus_packet.h"

/* For each channel: 8 bits 8000 times a second; G.722 puts two samples of its 16000 into one. */
#define BYTES_PER_SECOND 8000

int64_t
audio_packet_duration_us(MediaCodec codec, unsigned channels, const uint8_t *bytes, size_t n_bytes)
{
    if (media_codec_is_video(codec))
        return 0;
    if (codec == MEDIA_CODEC_OPUS)
        return opus_packet_duration_us(bytes, n_bytes);
    if (channels == 0)
        return 0;
    return (int64_t) n_bytes * G_USEC_PER_SEC / (BYTES_PER_SECOND * (int64_t) channels);
}
