#include "agent/media/layout_separate.h"

#include "agent/media/card_text.h"
#include "agent/media/stream_encoder.h"

#define STEP_US     (G_USEC_PER_SEC / STREAM_ENCODER_FRAME_RATE)
#define STEP_FRAMES (SOUND_DECODER_RATE / STREAM_ENCODER_FRAME_RATE)

/* No stream is larger or smaller; what is, is scaled. */
#define MOST_WIDTH  1920
#define MOST_HEIGHT 1080
#define LEAST_SIDE  160

typedef struct {
    const CastTrack *track;
    StreamEncoder *encoder;
    PictureCanvas *canvas; /* of video, as view */
    TileView *view;
} Output;

struct LayoutSeparate {
    TextFont *font;
    GArray *outputs; /* of Output */
    float voice[STEP_FRAMES * SOUND_DECODER_CHANNELS];
};

static void
output_clear(void *data)
{
    Output *output = data;

    stream_encoder_free(output->encoder);
    tile_view_free(output->view);
    picture_canvas_free(output->canvas);
}

/* The first picture's size, which a player makes its window of; others are fitted into it. */
static bool
make_canvas(Output *output, GError **error)
{
    const LayoutRect most = {0, 0, MOST_WIDTH, MOST_HEIGHT};
    PictureSize size = {640, 360};
    GError *cause = NULL;
    LayoutRect area;

    if (!picture_decoder_first_size(output->track->pictures, &size, &cause) && cause != NULL) {
        g_propagate_error(error, cause);
        return false;
    }
    area =
        (LayoutRect){0, 0, (int) MIN(size.width, 16384U) & ~1, (int) MIN(size.height, 16384U) & ~1};
    if (size.width > MOST_WIDTH || size.height > MOST_HEIGHT)
        area = layout_geometry_fit(&most, size.width, size.height);
    output->canvas = picture_canvas_new(MAX(area.width, LEAST_SIDE), MAX(area.height, LEAST_SIDE));
    return true;
}

static bool
add_output(LayoutSeparate *self, const CastTrack *track, MovieWriter *writer, StallGuard *guard,
           GError **error)
{
    Output output = {.track = track};
    Output *added = NULL;

    g_array_append_val(self->outputs, output);
    added = &g_array_index(self->outputs, Output, self->outputs->len - 1);
    if (track->sound != NULL) {
        added->encoder = stream_encoder_new_audio(writer, track->caption, guard, error);
        return added->encoder != NULL;
    }
    if (!make_canvas(added, error))
        return false;
    added->view = tile_view_new(self->font, NULL);
    added->encoder = stream_encoder_new_video(writer, track->caption, added->canvas, guard, error);
    return added->encoder != NULL;
}

LayoutSeparate *
layout_separate_new(const LayoutCast *cast, MovieWriter *writer, StallGuard *guard, GError **error)
{
    g_autoptr(LayoutSeparate) self = g_new0(LayoutSeparate, 1);

    self->outputs = g_array_new(FALSE, TRUE, sizeof(Output));
    g_array_set_clear_func(self->outputs, output_clear);
    self->font = text_font_open(error);
    if (self->font == NULL)
        return NULL;
    for (guint i = 0; i < cast->tracks->len; i++) {
        if (!add_output(self, cast->tracks->pdata[i], writer, guard, error))
            return NULL;
    }
    return g_steal_pointer(&self);
}

static bool
step_picture(const Output *output, int64_t at_us, GError **error)
{
    const LayoutRect whole = picture_canvas_area(output->canvas);
    TileState state;

    if (!picture_decoder_go_to(output->track->pictures, at_us + STEP_US / 2, error))
        return false;
    state = cast_track_is_there(output->track, at_us)
                ? cast_track_state(output->track, at_us)
                : (TileState){NULL, CARD_TEXT_NOT_THERE, true};
    tile_view_paint(output->view, output->canvas, &whole, &state);
    return stream_encoder_add_picture(output->encoder, output->canvas);
}

bool
layout_separate_step(LayoutSeparate *self, int64_t at_us, GError **error)
{
    for (guint i = 0; i < self->outputs->len; i++) {
        const Output *output = &g_array_index(self->outputs, Output, i);

        if (output->canvas != NULL) {
            if (!step_picture(output, at_us, error))
                return false;
        } else if (!sound_decoder_read(output->track->sound, self->voice, STEP_FRAMES, error) ||
                   !stream_encoder_add_sound(output->encoder, self->voice, STEP_FRAMES)) {
            return false;
        }
    }
    return true;
}

bool
layout_separate_finish(LayoutSeparate *self)
{
    for (guint i = 0; i < self->outputs->len; i++) {
        if (!stream_encoder_finish(g_array_index(self->outputs, Output, i).encoder))
            return false;
    }
    return true;
}

void
layout_separate_free(LayoutSeparate *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->outputs);
    text_font_free(self->font);
    explicit_bzero(self->voice, sizeof(self->voice));
    g_free(self);
}
