#pragma once

#include "agent/media/movie_writer.h"
#include "agent/media/picture_canvas.h"
#include "agent/media/stall_guard.h"

#include <stdbool.h>

/* Encodes one stream of an export into its MovieWriter: H.264 (High, 4:2:0, no B-frames, so that
 * what goes in first comes out first) or AAC-LC at 48 kHz. Times are counted, not given: frame
 * after frame from zero. One thread. */
typedef struct StreamEncoder StreamEncoder;

#define STREAM_ENCODER_FRAME_RATE 30

/* Both borrow `writer` and `guard`. Errors: G_IO_ERROR_FAILED - an element is missing. */
StreamEncoder *stream_encoder_new_video(MovieWriter *writer, const char *title,
                                        const PictureCanvas *canvas, StallGuard *guard,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
StreamEncoder *stream_encoder_new_audio(MovieWriter *writer, const char *title, StallGuard *guard,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Encodes what `canvas` shows as the next frame, or the next `n_frames` of stereo samples.
 * Returns: false if the encoder failed or nothing can be written any more: movie_writer_finish()
 * may say why. */
bool stream_encoder_add_picture(StreamEncoder *self, const PictureCanvas *canvas);
bool stream_encoder_add_sound(StreamEncoder *self, const float *samples, unsigned n_frames);

/* The last frames come out. Returns: as above. */
bool stream_encoder_finish(StreamEncoder *self);

void stream_encoder_free(StreamEncoder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamEncoder, stream_encoder_free)
