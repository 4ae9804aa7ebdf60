#include "agent/media/layout_scene.h"

#include "agent/media/card_text.h"

#include <string.h>

static const PictureColour background = {22, 130, 126};

/* One that may be shown: a track's, or a person's who sends no picture. */
typedef struct {
    const CastTrack *track; /* the picture; NULL: none */
    const CastTrack *sound; /* of one without picture; NULL: none either */
    unsigned person;
    TileView *view;
} Tile;

struct LayoutScene {
    const LayoutCast *cast;
    LayoutKind kind;
    GArray *tiles;    /* of Tile: all there may ever be */
    TileView *nobody; /* shown if there is none */
    guint shown[LAYOUT_GEOMETRY_MAX_TILES];
    LayoutRect areas[LAYOUT_GEOMETRY_MAX_TILES];
    unsigned n_shown;
    unsigned large;
    bool is_arranged;
};

static const CastTrack *
find_sound(const LayoutCast *cast, unsigned person)
{
    for (guint i = 0; i < cast->tracks->len; i++) {
        const CastTrack *track = cast->tracks->pdata[i];

        if (track->person == person && track->sound != NULL)
            return track;
    }
    return NULL;
}

LayoutScene *
layout_scene_new(const LayoutCast *cast, LayoutKind kind, TextFont *font)
{
    LayoutScene *self = g_new0(LayoutScene, 1);

    self->cast = cast;
    self->kind = kind;
    self->tiles = g_array_new(FALSE, FALSE, sizeof(Tile));
    self->nobody = tile_view_new(font, NULL);
    for (unsigned person = 0; person < cast->people->len; person++) {
        const CastPerson *one = cast->people->pdata[person];
        const Tile plain = {NULL, find_sound(cast, person), person,
                            tile_view_new(font, one->caption)};

        for (guint i = 0; i < cast->tracks->len; i++) {
            const CastTrack *track = cast->tracks->pdata[i];

            if (track->person == person && track->pictures != NULL) {
                const Tile tile = {track, NULL, person, tile_view_new(font, one->caption)};

                g_array_append_val(self->tiles, tile);
            }
        }
        g_array_append_val(self->tiles, plain);
    }
    return self;
}

static bool
sends_picture(const LayoutScene *self, unsigned person, int64_t at_us)
{
    for (guint i = 0; i < self->tiles->len; i++) {
        const Tile *tile = &g_array_index(self->tiles, Tile, i);

        if (tile->person == person && tile->track != NULL &&
            cast_track_is_there(tile->track, at_us))
            return true;
    }
    return false;
}

static bool
is_shown(const LayoutScene *self, const Tile *tile, int64_t at_us)
{
    if (tile->track != NULL)
        return cast_track_is_there(tile->track, at_us);
    return cast_person_is_there(self->cast->people->pdata[tile->person], at_us) &&
           !sends_picture(self, tile->person, at_us);
}

static void
arrange(LayoutScene *self, PictureCanvas *canvas)
{
    const LayoutRect whole = picture_canvas_area(canvas);

    self->is_arranged = true;
    picture_canvas_fill(canvas, &whole, background);
    tile_view_forget(self->nobody);
    for (guint i = 0; i < self->tiles->len; i++)
        tile_view_forget(g_array_index(self->tiles, Tile, i).view);
    if (self->n_shown == 0)
        return;
    if (self->kind == LAYOUT_SPEAKER) {
        layout_geometry_speaker(self->areas, self->n_shown, self->large, whole.width, whole.height);
    } else {
        layout_geometry_grid(self->areas, self->n_shown, whole.width, whole.height);
    }
}

/* Who is there now, and which of them is large. Returns: whether that has changed. */
static bool
look_around(LayoutScene *self, int64_t at_us, unsigned speaker)
{
    guint shown[LAYOUT_GEOMETRY_MAX_TILES];
    unsigned n_shown = 0;
    unsigned large = 0;
    bool has_large = false;
    bool has_changed = !self->is_arranged;

    for (guint i = 0; i < self->tiles->len && n_shown < LAYOUT_GEOMETRY_MAX_TILES; i++) {
        const Tile *tile = &g_array_index(self->tiles, Tile, i);

        if (!is_shown(self, tile, at_us))
            continue;
        if (tile->person == speaker && !has_large) {
            large = n_shown;
            has_large = true;
        }
        shown[n_shown++] = i;
    }
    has_changed |= n_shown != self->n_shown ||
                   memcmp(shown, self->shown, n_shown * sizeof(shown[0])) != 0 ||
                   (self->kind == LAYOUT_SPEAKER && large != self->large);
    memcpy(self->shown, shown, n_shown * sizeof(shown[0]));
    self->n_shown = n_shown;
    self->large = large;
    return has_changed;
}

static TileState
state_of(const Tile *tile, int64_t at_us)
{
    if (tile->track != NULL)
        return cast_track_state(tile->track, at_us);
    if (tile->sound != NULL)
        return cast_track_state(tile->sound, at_us);
    return (TileState){NULL, CARD_TEXT_NOT_YET, true};
}

void
layout_scene_paint(LayoutScene *self, PictureCanvas *canvas, int64_t at_us, unsigned speaker)
{
    if (look_around(self, at_us, speaker))
        arrange(self, canvas);
    if (self->n_shown == 0) {
        const LayoutRect whole = picture_canvas_area(canvas);
        const TileState state = {NULL, CARD_TEXT_NOBODY, true};

        tile_view_paint(self->nobody, canvas, &whole, &state);
    }
    for (unsigned i = 0; i < self->n_shown; i++) {
        const Tile *tile = &g_array_index(self->tiles, Tile, self->shown[i]);
        const TileState state = state_of(tile, at_us);

        tile_view_paint(tile->view, canvas, &self->areas[i], &state);
    }
}

void
layout_scene_free(LayoutScene *self)
{
    if (self == NULL)
        return;
    for (guint i = 0; i < self->tiles->len; i++)
        tile_view_free(g_array_index(self->tiles, Tile, i).view);
    g_array_unref(self->tiles);
    tile_view_free(self->nobody);
    g_free(self);
}
