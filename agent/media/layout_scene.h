#pragma once

#include "agent/media/layout_cast.h"
#include "agent/media/layout_exporter.h"
#include "agent/media/picture_canvas.h"
#include "agent/media/text_font.h"

#include <stdbool.h>
#include <stdint.h>

/* The picture of everyone: who has which tile, and what is in it. A person has a tile for each
 * picture they send, or one that says that there is sound only. Who joins or leaves changes the
 * tiles of all. */
typedef struct LayoutScene LayoutScene;

/* `cast` and `font` are borrowed; `kind`: grid or speaker. */
LayoutScene *layout_scene_new(const LayoutCast *cast, LayoutKind kind, TextFont *font);

/* Paints the moment `at_us`, to where all decoders of pictures have gone. `speaker`: whose tile is
 * large, if there is a large one. */
void layout_scene_paint(LayoutScene *self, PictureCanvas *canvas, int64_t at_us, unsigned speaker);

void layout_scene_free(LayoutScene *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutScene, layout_scene_free)
