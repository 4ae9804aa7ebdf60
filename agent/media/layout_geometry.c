#include "agent/media/layout_geometry.h"

#include <glib.h>
#include <stdint.h>

/* Between two tiles, and around all. */
#define MARGIN 8

static int
even(int number)
{
    return number & ~1;
}

/* The area of a 4:3 picture in a tile of this many columns and rows. */
static int64_t
picture_area(unsigned columns, unsigned rows, int width, int height)
{
    const int64_t tile_width = (width - MARGIN) / (int) columns - MARGIN;
    const int64_t tile_height = (height - MARGIN) / (int) rows - MARGIN;
    const int64_t picture_width = MIN(tile_width, tile_height * 4 / 3);

    return tile_width > 0 && tile_height > 0 ? picture_width * picture_width : 0;
}

void
layout_geometry_grid(LayoutRect *tiles, unsigned n_tiles, int width, int height)
{
    unsigned columns = 1;

    for (unsigned i = 2; i <= n_tiles; i++) {
        if (picture_area(i, (n_tiles + i - 1) / i, width, height) >
            picture_area(columns, (n_tiles + columns - 1) / columns, width, height))
            columns = i;
    }

    const unsigned rows = (n_tiles + columns - 1) / columns;
    const int tile_width = even((width - MARGIN) / (int) columns - MARGIN);
    const int tile_height = even((height - MARGIN) / (int) rows - MARGIN);

    for (unsigned i = 0; i < n_tiles; i++) {
        const unsigned row = i / columns;
        const unsigned n_in_row = MIN(columns, n_tiles - row * columns);
        const int row_width = (int) n_in_row * (tile_width + MARGIN) - MARGIN;

        tiles[i] = (LayoutRect){
            .x = even((width - row_width) / 2 + (int) (i % columns) * (tile_width + MARGIN)),
            .y = even(MARGIN + (int) row * (tile_height + MARGIN)),
            .width = tile_width,
            .height = tile_height,
        };
    }
}

void
layout_geometry_speaker(LayoutRect *tiles, unsigned n_tiles, unsigned large, int width, int height)
{
    const int n_small = (int) n_tiles - 1;
    const int strip_height = n_small > 0 ? even(height / 5) : 0;
    const int large_height = height - 2 * MARGIN - (n_small > 0 ? strip_height + MARGIN : 0);
    int small_width = 0;
    int x = 0;

    tiles[large] = (LayoutRect){MARGIN, MARGIN, even(width - 2 * MARGIN), even(large_height)};
    if (n_small == 0)
        return;
    small_width = even(MIN(strip_height * 4 / 3, (width - MARGIN) / n_small - MARGIN));
    x = even((width - n_small * (small_width + MARGIN) + MARGIN) / 2);
    for (unsigned i = 0; i < n_tiles; i++) {
        if (i == large)
            continue;
        tiles[i] = (LayoutRect){x, even(height - MARGIN - strip_height), small_width, strip_height};
        x += small_width + MARGIN;
    }
}

LayoutRect
layout_geometry_fit(const LayoutRect *tile, unsigned width, unsigned height)
{
    LayoutRect fit = *tile;

    if ((int64_t) tile->width * height > (int64_t) tile->height * width) {
        fit.width = MAX(2, even((int) ((int64_t) tile->height * width / height)));
    } else {
        fit.height = MAX(2, even((int) ((int64_t) tile->width * height / width)));
    }
    fit.x += even((tile->width - fit.width) / 2);
    fit.y += even((tile->height - fit.height) / 2);
    return fit;
}

bool
layout_geometry_is_equal(const LayoutRect *a, const LayoutRect *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}
