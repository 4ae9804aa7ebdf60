#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

/* An MP4 file with its index in front, so that it plays while it is still being fetched. Streams
 * are declared first; what is pushed waits until each has begun, and from then on whoever is ahead
 * waits for the muxer. Pushed to by one thread, which must feed all streams about evenly. */
typedef struct MovieWriter MovieWriter;

/* `fd`: borrowed; a regular file, open for reading too. `length_us`: what the file will last; room
 * for its index is kept free by it. Errors: G_IO_ERROR_NOT_SUPPORTED - `fd` is no regular file. */
MovieWriter *movie_writer_new(int fd, int64_t length_us, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before anything is pushed: as media_pad_set_comment(). */
void movie_writer_set_comment(MovieWriter *self, const char *comment);

/* Returns: the stream's number. */
unsigned movie_writer_declare(MovieWriter *self, const char *title, bool is_video);

/* `buffer` is taken; `caps` are borrowed, of the stream's first buffer. Blocks. Returns: false if
 * the file can not be written any further: movie_writer_finish() says why. */
bool movie_writer_push(MovieWriter *self, unsigned stream, GstBuffer *buffer, const GstCaps *caps);

/* Ends the file. Errors: G_IO_ERROR_NO_SPACE and other write failures; FAILED - the muxer. */
bool movie_writer_finish(MovieWriter *self, GError **error);

/* An unfinished file is left as it is. */
void movie_writer_free(MovieWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MovieWriter, movie_writer_free)
