#include "agent/media/layout_mixed.h"

#include "agent/media/layout_scene.h"
#include "agent/media/sound_limiter.h"
#include "agent/media/speaker_choice.h"
#include "agent/media/stream_encoder.h"

#include <math.h>
#include <string.h>

#define WIDTH  1280
#define HEIGHT 720

#define STEP_US      (G_USEC_PER_SEC / STREAM_ENCODER_FRAME_RATE)
#define STEP_FRAMES  (SOUND_DECODER_RATE / STREAM_ENCODER_FRAME_RATE)
#define STEP_SAMPLES (STEP_FRAMES * SOUND_DECODER_CHANNELS)

struct LayoutMixed {
    const LayoutCast *cast;
    TextFont *font;
    PictureCanvas *canvas;
    LayoutScene *scene;
    SpeakerChoice *choice;
    double *levels; /* one for each person */
    SoundLimiter *limiter;
    GArray *ready; /* of float */
    StreamEncoder *pictures;
    StreamEncoder *sound; /* NULL: no track has any */
    float mix[STEP_SAMPLES];
    float voice[STEP_SAMPLES];
};

static bool
has_sound(const LayoutCast *cast)
{
    for (guint i = 0; i < cast->tracks->len; i++) {
        if (((const CastTrack *) cast->tracks->pdata[i])->sound != NULL)
            return true;
    }
    return false;
}

LayoutMixed *
layout_mixed_new(LayoutKind kind, const LayoutCast *cast, MovieWriter *writer, StallGuard *guard,
                 GError **error)
{
    g_autoptr(LayoutMixed) self = g_new0(LayoutMixed, 1);

    self->cast = cast;
    self->font = text_font_open(error);
    if (self->font == NULL)
        return NULL;
    self->canvas = picture_canvas_new(WIDTH, HEIGHT);
    self->scene = layout_scene_new(cast, kind, self->font);
    self->choice = speaker_choice_new(cast->people->len);
    self->levels = g_new0(double, cast->people->len);
    self->limiter = sound_limiter_new();
    self->ready = g_array_new(FALSE, FALSE, sizeof(float));
    self->pictures = stream_encoder_new_video(writer, kind == LAYOUT_GRID ? "everyone" : "speaker",
                                              self->canvas, guard, error);
    if (self->pictures == NULL)
        return NULL;
    if (has_sound(cast)) {
        self->sound = stream_encoder_new_audio(writer, "everyone", guard, error);
        if (self->sound == NULL)
            return NULL;
    }
    return g_steal_pointer(&self);
}

static double
loudness(const float *samples)
{
    const unsigned n_samples = STEP_SAMPLES;
    double sum = 0;

    for (unsigned i = 0; i < STEP_SAMPLES; i++)
        sum += (double) samples[i] * (double) samples[i];
    return sqrt(sum / n_samples);
}

static bool
mix_voice(LayoutMixed *self, const CastTrack *track, GError **error)
{
    if (!sound_decoder_read(track->sound, self->voice, STEP_FRAMES, error))
        return false;
    for (unsigned i = 0; i < STEP_SAMPLES; i++)
        self->mix[i] += self->voice[i];
    self->levels[track->person] = MAX(self->levels[track->person], loudness(self->voice));
    return true;
}

static bool
encode_ready(LayoutMixed *self)
{
    const bool is_good =
        stream_encoder_add_sound(self->sound, (const float *) (const void *) self->ready->data,
                                 self->ready->len / SOUND_DECODER_CHANNELS);

    g_array_set_size(self->ready, 0);
    return is_good;
}

static bool
step_sound(LayoutMixed *self, int64_t at_us, GError **error)
{
    memset(self->mix, 0, sizeof(self->mix));
    for (guint i = 0; i < self->cast->people->len; i++) {
        self->levels[i] =
            cast_person_is_there(self->cast->people->pdata[i], at_us) ? 0 : SPEAKER_CHOICE_ABSENT;
    }
    for (guint i = 0; i < self->cast->tracks->len; i++) {
        const CastTrack *track = self->cast->tracks->pdata[i];

        if (track->sound != NULL && !mix_voice(self, track, error))
            return false;
    }
    if (self->sound == NULL)
        return true;
    sound_limiter_add(self->limiter, self->mix, STEP_FRAMES, self->ready);
    return encode_ready(self);
}

static bool
step_pictures(LayoutMixed *self, int64_t at_us, GError **error)
{
    const unsigned speaker = speaker_choice_add(self->choice, self->levels, STEP_US);

    for (guint i = 0; i < self->cast->tracks->len; i++) {
        const CastTrack *track = self->cast->tracks->pdata[i];

        /* The nearest picture, not the last: half a frame less out of step. */
        if (track->pictures != NULL &&
            !picture_decoder_go_to(track->pictures, at_us + STEP_US / 2, error))
            return false;
    }
    layout_scene_paint(self->scene, self->canvas, at_us, speaker);
    return stream_encoder_add_picture(self->pictures, self->canvas);
}

bool
layout_mixed_step(LayoutMixed *self, int64_t at_us, GError **error)
{
    return step_sound(self, at_us, error) && step_pictures(self, at_us, error);
}

bool
layout_mixed_finish(LayoutMixed *self)
{
    if (self->sound != NULL) {
        sound_limiter_finish(self->limiter, self->ready);
        if (!encode_ready(self) || !stream_encoder_finish(self->sound))
            return false;
    }
    return stream_encoder_finish(self->pictures);
}

void
layout_mixed_free(LayoutMixed *self)
{
    if (self == NULL)
        return;
    stream_encoder_free(self->pictures);
    stream_encoder_free(self->sound);
    layout_scene_free(self->scene);
    picture_canvas_free(self->canvas);
    text_font_free(self->font);
    speaker_choice_free(self->choice);
    sound_limiter_free(self->limiter);
    g_clear_pointer(&self->ready, g_array_unref);
    g_free(self->levels);
    g_free(self);
}
