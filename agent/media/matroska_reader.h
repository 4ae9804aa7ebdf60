#pragma once

#include "crypto/plain_buffer.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the frames of one part out of its segments, in order and one segment in memory at a time.
 * Knows what part_writer writes: one track, whole elements in each segment. Pulls, so that a caller
 * who waits holds up whoever opens the segments. One thread at a time. */
typedef struct MatroskaReader MatroskaReader;

/* Puts the next segment's plaintext into `segment`. Returns: false at the end or with `error` set.
 */
typedef bool (*MatroskaReaderReadNext)(void *user_data, PlainBuffer *segment, GError **error);

typedef struct {
    char codec_id[32];     /* `V_VP8` */
    GBytes *codec_private; /* NULL if there is none */
    unsigned width;
    unsigned height;
    unsigned channels;
    unsigned rate; /* of samples, Hz; for the writer: it is not read from a part */
} MatroskaTrack;

typedef struct {
    const uint8_t *bytes; /* borrowed until the next call */
    size_t n_bytes;
    int64_t time_us;
    bool is_keyframe;
} MatroskaFrame;

/* Reads the first segment. Errors: what read_next gave; G_IO_ERROR_INVALID_DATA - not the start of
 * a part. */
MatroskaReader *matroska_reader_new(MatroskaReaderReadNext read_next, void *user_data,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

const MatroskaTrack *matroska_reader_track(const MatroskaReader *self);

/* Returns: false at the end or with `error` set (as above). */
bool matroska_reader_next(MatroskaReader *self, MatroskaFrame *frame, GError **error);

void matroska_reader_free(MatroskaReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MatroskaReader, matroska_reader_free)
