#pragma once

#include "agent/media/encoded_track.h"
#include "agent/media/stall_guard.h"

#include <stdbool.h>
#include <stdint.h>

/* The sound of one track as stereo samples at 48 kHz on the session's timeline: silence where there
 * is none. A packet stands where its time says; a sender's clock that drifts is followed by
 * stretching packets a little. What can not be decoded is silence. One thread. */
typedef struct SoundDecoder SoundDecoder;

#define SOUND_DECODER_RATE     48000
#define SOUND_DECODER_CHANNELS 2

/* `track` is taken, `guard` borrowed; `from_us` is where reading will begin. */
SoundDecoder *sound_decoder_new(EncodedTrack *track, int64_t from_us, StallGuard *guard);

/* Gives the next `n_frames` samples of each channel, interleaved, into `samples`.
 * Returns: false if the track can not be read (as encoded_track_peek()), or a decoder is missing.
 */
bool sound_decoder_read(SoundDecoder *self, float *samples, unsigned n_frames, GError **error);

void sound_decoder_free(SoundDecoder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SoundDecoder, sound_decoder_free)
