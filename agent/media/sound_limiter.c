#include "agent/media/sound_limiter.h"

#include <math.h>
#include <string.h>

#define CHANNELS     2
#define BLOCK_FRAMES 480
#define BLOCK        (BLOCK_FRAMES * CHANNELS)
#define CEILING      0.89F /* -1 dBFS: AAC may overshoot a little */
#define RISE         1.02F /* each block: 6 dB in a third of a second */

/* Two blocks: the older one is scaled once the newer one's peak is known, from the gain that both
 * it and the one before it allow to the gain that both it and the newer one allow. */
struct SoundLimiter {
    float held[BLOCK];
    float filling[BLOCK];
    unsigned n_filling; /* samples */
    gboolean has_held;
    float held_allows; /* the largest gain for `held` */
    float gain;        /* where `held` begins */
};

SoundLimiter *
sound_limiter_new(void)
{
    SoundLimiter *self = g_new0(SoundLimiter, 1);

    self->gain = 1;
    self->held_allows = 1;
    return self;
}

static float
allowed_gain(const float *samples)
{
    float peak = 0;

    for (unsigned i = 0; i < BLOCK; i++)
        peak = MAX(peak, fabsf(samples[i]));
    return peak > CEILING ? CEILING / peak : 1;
}

static void
release_held(SoundLimiter *self, float next_allows, GArray *ready)
{
    const float until = MIN(MIN(self->gain * RISE, 1.0F), MIN(self->held_allows, next_allows));

    for (unsigned i = 0; i < BLOCK; i++) {
        const unsigned frame = i / CHANNELS + 1;
        const float part = (float) frame / BLOCK_FRAMES;
        const float sample = self->held[i] * (self->gain + (until - self->gain) * part);

        g_array_append_val(ready, sample);
    }
    self->gain = until;
}

static void
take_block(SoundLimiter *self, GArray *ready)
{
    const float allows = allowed_gain(self->filling);

    if (self->has_held) {
        release_held(self, allows, ready);
    } else {
        self->gain = MIN(self->gain, allows);
    }
    memcpy(self->held, self->filling, sizeof(self->held));
    self->held_allows = allows;
    self->has_held = TRUE;
    self->n_filling = 0;
}

void
sound_limiter_add(SoundLimiter *self, const float *samples, unsigned n_frames, GArray *ready)
{
    for (unsigned i = 0; i < n_frames * CHANNELS; i++) {
        self->filling[self->n_filling++] = isfinite(samples[i]) ? samples[i] : 0;
        if (self->n_filling == BLOCK)
            take_block(self, ready);
    }
}

void
sound_limiter_finish(SoundLimiter *self, GArray *ready)
{
    const unsigned n_rest = self->n_filling;

    if (n_rest > 0) {
        memset(self->filling + n_rest, 0, (BLOCK - n_rest) * sizeof(float));
        take_block(self, ready);
    }
    if (self->has_held)
        release_held(self, 1, ready);
    self->has_held = FALSE;
    if (n_rest > 0)
        g_array_set_size(ready, ready->len - (BLOCK - n_rest));
}

void
sound_limiter_free(SoundLimiter *self)
{
    if (self == NULL)
        return;
    explicit_bzero(self, sizeof(*self));
    g_free(self);
}
