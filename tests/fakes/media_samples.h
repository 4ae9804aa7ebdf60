#pragma once

/* Pipelines for rtp_source_new(), to go behind videotestsrc or audiotestsrc: 30 frames a second
 * with a keyframe each second, 50 Opus packets a second, and the formats that go with them. */
#define SAMPLE_SIZE(width, height)                                                                 \
    "video/x-raw,width=" #width ",height=" #height ",framerate=30/1 ! "
#define SAMPLE_VP8_SIZED(width, height)                                                            \
    SAMPLE_SIZE(width, height)                                                                     \
    "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=30 target-bitrate=300000 ! "                   \
    "rtpvp8pay mtu=600 picture-id-mode=2"
#define SAMPLE_H264_SIZED(width, height)                                                           \
    SAMPLE_SIZE(width, height)                                                                     \
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=300 "                  \
    "byte-stream=false ! video/x-h264,profile=constrained-baseline ! "                             \
    "rtph264pay mtu=600 config-interval=-1"
#define SAMPLE_VP8  SAMPLE_VP8_SIZED(320, 240)
#define SAMPLE_H264 SAMPLE_H264_SIZED(320, 240)
#define SAMPLE_VP9  SAMPLE_VP9_SIZED(320, 240)
#define SAMPLE_VP9_SIZED(width, height)                                                            \
    SAMPLE_SIZE(width, height)                                                                     \
    "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=30 target-bitrate=300000 ! rtpvp9pay mtu=600"
#define SAMPLE_OPUS "audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=32000 ! rtpopuspay"

#define SAMPLE_VP8_FORMAT                                                                          \
    {                                                                                              \
        MEDIA_CODEC_VP8, 96, 90000, 0                                                              \
    }
#define SAMPLE_VP9_FORMAT                                                                          \
    {                                                                                              \
        MEDIA_CODEC_VP9, 96, 90000, 0                                                              \
    }
#define SAMPLE_H264_FORMAT                                                                         \
    {                                                                                              \
        MEDIA_CODEC_H264, 96, 90000, 0                                                             \
    }
#define SAMPLE_OPUS_FORMAT                                                                         \
    {                                                                                              \
        MEDIA_CODEC_OPUS, 96, 48000, 2                                                             \
    }
