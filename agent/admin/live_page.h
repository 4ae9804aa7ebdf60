#pragma once

#include <glib.h>
#include <stdbool.h>

/* A page of text that is drawn again and again in the whole terminal, until the user ends it. */

/* `draw`: makes the page, owned by the caller; NULL with `error` ends it.
 * Returns: true once the user has ended it (Ctrl-C, or the terminal is gone); the screen is as it
 * was before. */
typedef char *(*LivePageFunc)(void *user_data, GError **error);
bool live_page_run(unsigned interval_s, LivePageFunc draw, void *user_data,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `page` cut to `n_columns` characters a line and `n_rows` lines, each of which erases
 * what stood there before; what is no printable character becomes `?`. Owned. Pure. */
char *live_page_fit(const char *page, unsigned n_columns, unsigned n_rows);
