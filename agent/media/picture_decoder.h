#pragma once

#include "agent/media/encoded_track.h"
#include "agent/media/picture_size.h"
#include "agent/media/stall_guard.h"

#include <gst/video/video.h>
#include <stdbool.h>
#include <stdint.h>

/* The pictures of one track, moment by moment. Whatever can not be decoded is passed over: the
 * picture before it stays. Decodes a tenth of a second ahead, so a few pictures are in memory. One
 * thread. */
typedef struct PictureDecoder PictureDecoder;

typedef struct {
    GstBuffer *buffer;
    GstVideoInfo info;
    int64_t time_us;
} Picture;

/* `track` is taken, `guard` borrowed. */
PictureDecoder *picture_decoder_new(EncodedTrack *track, StallGuard *guard);

/* Goes forward to `time_us`. Returns: false if the track can not be read (as encoded_track_peek()),
 * or a decoder is missing. */
bool picture_decoder_go_to(PictureDecoder *self, int64_t time_us, GError **error);

/* Returns: the newest picture not after where it went; borrowed until it goes on; NULL before the
 * first. */
const Picture *picture_decoder_picture(const PictureDecoder *self);

/* Whether frames are there at `time_us`, but for a while nothing could be made of them. */
bool picture_decoder_is_blind(const PictureDecoder *self, int64_t time_us);

/* How large the first picture is, as its keyframe or header says; goes nowhere. Returns: false if
 * the track has none; `error` as picture_decoder_go_to(). */
bool picture_decoder_first_size(PictureDecoder *self, PictureSize *size, GError **error);

void picture_decoder_free(PictureDecoder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PictureDecoder, picture_decoder_free)
