#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A track's timeline as a row of characters for a terminal. Pure. */

typedef struct {
    int64_t start_us;
    int64_t duration_us;
    const char *reason; /* why there is no whole media; NULL: there is */
} TimelineSpan;

/* Draws `n_cells` characters for the time from 0 to `until_us` (> 0). In each cell: media alone,
 * media with a gap in it however short, the gap's reason where it fills most of the cell, or a
 * blank where the track is not. `spans`: GArray of TimelineSpan, in any order; a gap over media
 * wins. Returns: UTF-8, owned. */
char *timeline_draw(const GArray *spans, int64_t until_us, unsigned n_cells, bool is_ascii);

/* Returns: a line for each sign in `rows` (NULL-terminated, as drawn) that says what it stands for,
 * owned. */
char *timeline_legend(const char *const *rows, bool is_ascii);

/* Returns: a scale of `n_cells` characters, with its times, owned. */
char *timeline_scale(int64_t until_us, unsigned n_cells);
