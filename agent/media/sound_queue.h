#pragma once

#include <glib.h>
#include <stdint.h>

/* Decoded sound on its way from packets, each with a time, to samples without a hole: where packets
 * are missing there is silence, what overlaps is cut, and small steps, which are a clock that
 * drifts, are stretched away. Stereo, interleaved, 48000 a second; positions count samples of one
 * channel. Pure. */
typedef struct SoundQueue SoundQueue;

/* What lies further from where it is expected is a hole or an overlap; closer, it is a clock. So
 * who takes up to a position adds everything that begins less than this behind it. */
#define SOUND_QUEUE_STEP_FRAMES 480

SoundQueue *sound_queue_new(int64_t position);

/* Where what is added next would follow without a step. */
int64_t sound_queue_end(const SoundQueue *self);

/* Adds `n_frames` of sound that begins at `position`. */
void sound_queue_add(SoundQueue *self, int64_t position, const float *samples, unsigned n_frames);

/* Takes the next `n_frames`; what is not there is silence. */
void sound_queue_take(SoundQueue *self, float *samples, unsigned n_frames);

void sound_queue_free(SoundQueue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SoundQueue, sound_queue_free)
