#pragma once

#include "agent/media/layout_exporter.h"
#include "agent/media/picture_decoder.h"
#include "agent/media/sound_decoder.h"
#include "agent/media/stall_guard.h"
#include "agent/media/tile_view.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Who is in a session, with their tracks opened for decoding, and what there is to be seen of each
 * at a moment. One thread. */

typedef struct {
    char *id;
    char *caption;
    GArray *gaps; /* of LayoutGap, long enough to be shown; their reasons are interned */
    int64_t from_us;
    int64_t until_us;
    unsigned person;          /* index of whose it is */
    PictureDecoder *pictures; /* of video */
    SoundDecoder *sound;      /* of audio */
} CastTrack;

typedef struct {
    char *id;
    char *caption;
    int64_t from_us; /* of all their tracks */
    int64_t until_us;
} CastPerson;

typedef struct {
    GPtrArray *tracks; /* of CastTrack */
    GPtrArray *people; /* of CastPerson, by their first track */
} LayoutCast;

/* Copies what it needs of `options`, but for what the inputs' user_data point to. `guard` is
 * borrowed. */
LayoutCast *layout_cast_new(const LayoutOptions *options, StallGuard *guard);

bool cast_track_is_there(const CastTrack *self, int64_t at_us);
bool cast_person_is_there(const CastPerson *self, int64_t at_us);

/* What is to be seen of the track at `at_us`, to where its decoder has gone already: a gap's card
 * stays until there is a newer picture. For audio, a card in any case. */
TileState cast_track_state(const CastTrack *self, int64_t at_us);

void layout_cast_free(LayoutCast *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutCast, layout_cast_free)
