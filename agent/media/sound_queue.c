#include "agent/media/sound_queue.h"

#include <stdbool.h>
#include <string.h>

#define CHANNELS 2
/* The file counts milliseconds, so packets lie up to half of one beside their time. */
#define STEADY_FRAMES 96
/* One in so many frames is added or left out; nobody hears it. */
#define STRETCH 200

struct SoundQueue {
    GArray *samples;  /* of float */
    int64_t position; /* of the first */
};

SoundQueue *
sound_queue_new(int64_t position)
{
    SoundQueue *self = g_new0(SoundQueue, 1);

    self->samples = g_array_new(FALSE, TRUE, sizeof(float));
    self->position = position;
    return self;
}

int64_t
sound_queue_end(const SoundQueue *self)
{
    return self->position + (int64_t) (self->samples->len / CHANNELS);
}

/* Adds `n_frames` as `n_wanted`, between whose neighbours a straight line is drawn. */
static void
add_stretched(SoundQueue *self, const float *samples, unsigned n_frames, unsigned n_wanted)
{
    const guint at = self->samples->len;

    g_array_set_size(self->samples, at + n_wanted * CHANNELS);
    for (unsigned i = 0; i < n_wanted; i++) {
        const double source = (double) i * (n_frames - 1) / MAX(1U, n_wanted - 1);
        const unsigned first = (unsigned) source;
        const unsigned second = MIN(first + 1, n_frames - 1);
        const float part = (float) (source - first);

        for (unsigned c = 0; c < CHANNELS; c++) {
            g_array_index(self->samples, float, at + i * CHANNELS + c) =
                samples[first * CHANNELS + c] * (1 - part) + samples[second * CHANNELS + c] * part;
        }
    }
}

void
sound_queue_add(SoundQueue *self, int64_t position, const float *samples, unsigned n_frames)
{
    int64_t step = position - sound_queue_end(self);
    unsigned n_wanted = n_frames;

    if (step <= -SOUND_QUEUE_STEP_FRAMES || (step < 0 && self->samples->len == 0)) {
        const int64_t n_cut = MIN(-step, (int64_t) n_frames);

        samples += n_cut * CHANNELS;
        n_frames -= (unsigned) n_cut;
        n_wanted = n_frames;
    } else if (step >= SOUND_QUEUE_STEP_FRAMES) {
        g_array_set_size(self->samples, self->samples->len + (guint) step * CHANNELS);
    } else if (ABS(step) >= STEADY_FRAMES) {
        const int64_t most = n_frames / STRETCH;

        n_wanted = (unsigned) ((int64_t) n_frames + CLAMP(step, -most, most));
    }
    if (n_frames > 0)
        add_stretched(self, samples, n_frames, n_wanted);
}

void
sound_queue_take(SoundQueue *self, float *samples, unsigned n_frames)
{
    const guint n_there = MIN(self->samples->len, n_frames * CHANNELS);

    memset(samples, 0, (size_t) n_frames * CHANNELS * sizeof(float));
    if (n_there > 0) {
        memcpy(samples, self->samples->data, n_there * sizeof(float));
        g_array_remove_range(self->samples, 0, n_there);
    }
    self->position += n_frames;
}

void
sound_queue_free(SoundQueue *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->samples);
    g_free(self);
}
