#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* Sets in a finished MP4 file what mp4mux has no setting for: each track's handler is named by its
 * title, which is where players look for it (cut to the twelve bytes there are), and the moment of
 * muxing goes out of it, so that the same recording gives the same file.
 * `fd`: borrowed, open for reading and writing; the file begins at `base`. `titles`: one for each
 * track, in order.
 * Errors: G_IO_ERROR_INVALID_DATA - no such file; what reading and writing gave. */
bool movie_index_mend(int fd, off_t base, const GPtrArray *titles,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
