#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Synthetic media as RTP packets, made by real encoders and payloaders in one go, and the way back:
 * frames of a Matroska or MP4 file as an independent demuxer reads them. */

typedef struct {
    int64_t time_us;
    size_t n_bytes;
    uint64_t hash; /* of its bytes; H.264: of its slices */
    bool is_keyframe;
} RtpSourceFrame;

typedef struct {
    GPtrArray *packets; /* of GBytes */
    GArray *times_us;   /* int64_t, one for each packet */
    GArray *frames;     /* RtpSourceFrame, as they left the encoder */
} RtpSource;

/* Loads the encoders, before media_start(). */
void rtp_source_start(void);

/* Runs `description`, a pipeline that ends in an RTP payloader. */
RtpSource *rtp_source_new(const char *description);

/* Noise as the codecs of RFC 3551 carry it, where every byte means something: packets of 20 ms. */
RtpSource *rtp_source_new_sound(unsigned n_packets, size_t n_bytes);

/* Without a packet. */
RtpSource *rtp_source_new_empty(void);

const uint8_t *rtp_source_packet(const RtpSource *self, unsigned i, size_t *n_bytes);
void rtp_source_free(RtpSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RtpSource, rtp_source_free)

/* Demuxes `bytes`. Returns: the tracks in order of the file, GPtrArray of GArray of RtpSourceFrame;
 * fails the test if the demuxer finds a fault. */
GPtrArray *rtp_source_demux(const uint8_t *bytes, size_t n_bytes);

/* Fails the test unless `got` is what left the encoder from frame `first` on, `n_frames` of it, its
 * times moved by `offset_us` and rounded to milliseconds. */
void rtp_source_check_frames(const RtpSource *self, const GArray *got, guint first, guint n_frames,
                             int64_t offset_us);

/* Runs ffprobe over `bytes` and lets it decode everything. Returns: the `entries` of the streams
 * `which` as lines of values, to be freed; NULL: there is no ffprobe here. Fails the test if it
 * complains of anything. */
char *rtp_source_probe(const uint8_t *bytes, size_t n_bytes, const char *which,
                       const char *entries);

/* Runs ffprobe over `bytes` and lets it decode everything. Returns: decoded frames of the stream
 * `which`; fails the test if ffprobe complains of anything. -1: there is no ffprobe here. */
int rtp_source_count_decoded(const uint8_t *bytes, size_t n_bytes, const char *which);
