#pragma once

#include "agent/media/picture_canvas.h"
#include "agent/media/picture_decoder.h"
#include "agent/media/text_font.h"

#include <stdbool.h>

/* One tile of the picture: a participant's picture, or a card that says why there is none, with
 * their role as caption. Paints only what has changed. */
typedef struct TileView TileView;

typedef struct {
    const Picture *picture; /* NULL: a card */
    const char *reason;     /* for the card, as card_text_of_gap() */
    bool is_video;          /* what is missing */
} TileState;

/* `font` is borrowed; `caption` is copied, NULL for none. */
TileView *tile_view_new(TextFont *font, const char *caption);

/* Paints `state` into `area`, if that is not what it shows already. */
void tile_view_paint(TileView *self, PictureCanvas *canvas, const LayoutRect *area,
                     const TileState *state);

/* The canvas was painted over: the next call paints everything. */
void tile_view_forget(TileView *self);

void tile_view_free(TileView *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TileView, tile_view_free)
