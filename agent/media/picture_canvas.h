#pragma once

#include "agent/media/layout_geometry.h"
#include "agent/media/text_font.h"

#include <gst/video/video.h>
#include <stdbool.h>
#include <stdint.h>

/* The picture that an export is painted on, frame after frame: 4:2:0, 8 bits, BT.601. */
typedef struct PictureCanvas PictureCanvas;

/* Y, U and V. */
typedef struct {
    uint8_t y, u, v;
} PictureColour;

/* `width` and `height` are even. */
PictureCanvas *picture_canvas_new(int width, int height);

/* What the encoder has to know of it, owned by the caller. */
GstCaps *picture_canvas_caps(const PictureCanvas *self, int frame_rate);

/* Returns: all of it. */
LayoutRect picture_canvas_area(const PictureCanvas *self);

/* `area` lies inside, on even numbers. */
void picture_canvas_fill(PictureCanvas *self, const LayoutRect *area, PictureColour colour);

/* Writes `text` in white with its upper left corner at `x`, `y`; what is outside is cut. */
void picture_canvas_write(PictureCanvas *self, const TextMask *text, int x, int y);

/* Puts `picture` into `area`, scaled. `scaler` is kept by the caller between calls, begins as NULL
 * and ends with picture_scaler_free(). */
typedef struct PictureScaler PictureScaler;
void picture_canvas_put(PictureCanvas *self, GstBuffer *picture, const GstVideoInfo *info,
                        const LayoutRect *area, PictureScaler **scaler);
void picture_scaler_free(PictureScaler *scaler);

/* Returns: a copy, as a frame for the encoder. */
GstBuffer *picture_canvas_snapshot(const PictureCanvas *self);

void picture_canvas_free(PictureCanvas *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PictureCanvas, picture_canvas_free)
