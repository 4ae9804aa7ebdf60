#include "agent/media/layout_cast.h"

#include "agent/media/card_text.h"

#include <string.h>

/* A shorter gap is bridged by the picture before it. A screen that stands still sends little. */
#define SHOWN_GAP_US     INT64_C(500000)
#define SHOWN_SILENCE_US INT64_C(2000000)

static void
track_free(void *data)
{
    CastTrack *self = data;

    picture_decoder_free(self->pictures);
    sound_decoder_free(self->sound);
    g_array_unref(self->gaps);
    g_free(self->id);
    g_free(self->caption);
    g_free(self);
}

static void
person_free(void *data)
{
    CastPerson *self = data;

    g_free(self->id);
    g_free(self->caption);
    g_free(self);
}

static unsigned
find_person(LayoutCast *self, const LayoutTrack *track)
{
    CastPerson *person = NULL;

    for (guint i = 0; i < self->people->len; i++) {
        person = self->people->pdata[i];
        if (strcmp(person->id, track->participant) == 0) {
            person->from_us = MIN(person->from_us, track->from_us);
            person->until_us = MAX(person->until_us, track->until_us);
            return i;
        }
    }
    person = g_new0(CastPerson, 1);
    person->id = g_strdup(track->participant);
    person->caption = g_strdup(track->caption);
    person->from_us = track->from_us;
    person->until_us = track->until_us;
    g_ptr_array_add(self->people, person);
    return self->people->len - 1;
}

static bool
is_shown(const LayoutGap *gap)
{
    const bool is_silence = strcmp(gap->reason, "silence") == 0;

    return gap->duration_us >= (is_silence ? SHOWN_SILENCE_US : SHOWN_GAP_US);
}

static GArray *
copy_gaps(const GArray *gaps)
{
    GArray *shown = g_array_new(FALSE, FALSE, sizeof(LayoutGap));

    for (guint i = 0; i < gaps->len; i++) {
        LayoutGap gap = g_array_index(gaps, LayoutGap, i);

        gap.reason = g_intern_string(gap.reason);
        if (is_shown(&gap))
            g_array_append_val(shown, gap);
    }
    return shown;
}

static EncodedTrack *
open_inputs(const GArray *inputs, const char *id, StallGuard *guard)
{
    EncodedTrack *encoded = encoded_track_new(id, guard);

    for (guint i = 0; i < inputs->len; i++) {
        const ExporterInput *input = &g_array_index(inputs, ExporterInput, i);

        if (strcmp(input->title, id) == 0)
            encoded_track_add(encoded, input);
    }
    return encoded;
}

static void
add_track(LayoutCast *self, const LayoutOptions *options, const LayoutTrack *track,
          StallGuard *guard)
{
    CastTrack *added = g_new0(CastTrack, 1);
    EncodedTrack *encoded = open_inputs(options->inputs, track->id, guard);

    added->id = g_strdup(track->id);
    added->caption = g_strdup(track->caption);
    added->gaps = copy_gaps(track->gaps);
    added->from_us = track->from_us;
    added->until_us = track->until_us;
    added->person = find_person(self, track);
    if (track->is_video) {
        added->pictures = picture_decoder_new(encoded, guard);
    } else {
        added->sound = sound_decoder_new(encoded, options->from_us, guard);
    }
    g_ptr_array_add(self->tracks, added);
}

LayoutCast *
layout_cast_new(const LayoutOptions *options, StallGuard *guard)
{
    LayoutCast *self = g_new0(LayoutCast, 1);

    self->tracks = g_ptr_array_new_with_free_func(track_free);
    self->people = g_ptr_array_new_with_free_func(person_free);
    for (guint i = 0; i < options->tracks->len; i++)
        add_track(self, options, &g_array_index(options->tracks, LayoutTrack, i), guard);
    return self;
}

bool
cast_track_is_there(const CastTrack *self, int64_t at_us)
{
    return at_us >= self->from_us && at_us < self->until_us;
}

bool
cast_person_is_there(const CastPerson *self, int64_t at_us)
{
    return at_us >= self->from_us && at_us < self->until_us;
}

/* Returns: the last gap that began not after `at_us`; NULL if none did. */
static const LayoutGap *
find_gap(const GArray *gaps, int64_t at_us)
{
    guint first = 0;
    guint behind = gaps->len;

    while (first < behind) {
        const guint middle = (first + behind) / 2;

        if (g_array_index(gaps, LayoutGap, middle).start_us <= at_us) {
            first = middle + 1;
        } else {
            behind = middle;
        }
    }
    return first > 0 ? &g_array_index(gaps, LayoutGap, first - 1) : NULL;
}

static TileState
video_state(const CastTrack *self, int64_t at_us)
{
    const Picture *picture = picture_decoder_picture(self->pictures);
    const LayoutGap *gap = find_gap(self->gaps, at_us);

    if (gap != NULL && (picture == NULL || picture->time_us < gap->start_us))
        return (TileState){NULL, gap->reason, true};
    if (picture_decoder_is_blind(self->pictures, at_us))
        return (TileState){NULL, CARD_TEXT_DAMAGED, true};
    return (TileState){picture, picture == NULL ? CARD_TEXT_NOT_YET : NULL, true};
}

static TileState
audio_state(const CastTrack *self, int64_t at_us)
{
    const LayoutGap *gap = find_gap(self->gaps, at_us);

    if (gap == NULL || at_us >= gap->start_us + gap->duration_us)
        return (TileState){NULL, CARD_TEXT_SOUND_ONLY, true};
    return (TileState){NULL, gap->reason, false};
}

TileState
cast_track_state(const CastTrack *self, int64_t at_us)
{
    return self->pictures != NULL ? video_state(self, at_us) : audio_state(self, at_us);
}

void
layout_cast_free(LayoutCast *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->tracks);
    g_ptr_array_unref(self->people);
    g_free(self);
}
