#pragma once

#include <glib.h>

/* Keeps the sum of several voices below full scale without distorting it: turns everything down
 * just before it would be too loud, and slowly up again. Looks a hundredth of a second ahead, so
 * what comes out is that much behind what went in; nothing else moves. Stereo at 48 kHz. Pure. */
typedef struct SoundLimiter SoundLimiter;

SoundLimiter *sound_limiter_new(void);

/* Takes `n_frames`, and appends what is ready to `ready` (GArray of float). */
void sound_limiter_add(SoundLimiter *self, const float *samples, unsigned n_frames, GArray *ready);

/* Appends the rest. */
void sound_limiter_finish(SoundLimiter *self, GArray *ready);

void sound_limiter_free(SoundLimiter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SoundLimiter, sound_limiter_free)
