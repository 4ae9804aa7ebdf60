#pragma once

#include <stdbool.h>

/* Where each participant's tile lies in the picture. Pure; every number is even, as 4:2:0 wants. */

typedef struct {
    int x, y, width, height;
} LayoutRect;

/* More are not drawn: a tile would be too small to see anybody in. */
#define LAYOUT_GEOMETRY_MAX_TILES 25

/* Equal tiles, as large as `n_tiles` (1 to LAYOUT_GEOMETRY_MAX_TILES) 4:3 pictures can be; the last
 * row is centred. Writes `n_tiles` of `tiles`. */
void layout_geometry_grid(LayoutRect *tiles, unsigned n_tiles, int width, int height);

/* The one of index `large` above, the others in a strip below. */
void layout_geometry_speaker(LayoutRect *tiles, unsigned n_tiles, unsigned large, int width,
                             int height);

/* Returns: the largest rectangle of the shape `width` x `height` (> 0) in the middle of `tile`. */
LayoutRect layout_geometry_fit(const LayoutRect *tile, unsigned width, unsigned height);

bool layout_geometry_is_equal(const LayoutRect *a, const LayoutRect *b);
