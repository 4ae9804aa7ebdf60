#include "agent/media/audio_packet.h"

/* 20 ms of 48 kHz, and a packet that says nothing. */
static const uint8_t opus[] = {0xfc, 0x01, 0x02};

static const struct {
    MediaCodec codec;
    unsigned channels;
    const uint8_t *bytes;
    size_t n_bytes;
    int64_t duration_us;
} rows[] = {
    {MEDIA_CODEC_OPUS, 2, opus, sizeof(opus), 20000},
    {MEDIA_CODEC_OPUS, 1, opus, 0,            0    },
    {MEDIA_CODEC_PCMU, 1, NULL, 160,          20000},
    {MEDIA_CODEC_PCMU, 2, NULL, 320,          20000},
    {MEDIA_CODEC_PCMA, 1, NULL, 80,           10000},
    {MEDIA_CODEC_PCMA, 1, NULL, 1,            125  },
    {MEDIA_CODEC_G722, 1, NULL, 160,          20000},
    {MEDIA_CODEC_PCMA, 0, NULL, 160,          0    },
    {MEDIA_CODEC_VP8,  0, NULL, 160,          0    },
};

static void
test_says_how_long_it_plays(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(audio_packet_duration_us(rows[i].codec, rows[i].channels, rows[i].bytes,
                                                 rows[i].n_bytes),
                        ==, rows[i].duration_us);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/audio-packet/says-how-long-it-plays", test_says_how_long_it_plays);
    return g_test_run();
}
