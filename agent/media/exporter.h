#pragma once

#include "crypto/plain_buffer.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Puts a session's opened tracks into one file that plays, in step, without transcoding. Each input
 * is one part of one track: parts of a track with equal codec settings are joined (VP8 and VP9 may
 * differ in size, which their keyframes say), others become a track of their own. Time zero of the
 * file is `from_us`, or the keyframe before it that video starts at; in MP4, the first frame. Gaps
 * stay gaps. The output is plaintext by intent of who asked, written to a descriptor of theirs and
 * nowhere else. In memory: one segment of each input. */

typedef enum {
    EXPORTER_MATROSKA, /* into a pipe: without an index */
    EXPORTER_MP4,  /* into a regular file only: its index goes to the end, then its head is set */
    EXPORTER_WEBM, /* Matroska for browsers' codecs: VP8, VP9 and Opus */
} ExporterContainer;

typedef struct {
    const char *title; /* of the track in the file: `p1-video` */
    const char *codec; /* as media_codec_name() */
    /* Puts the next segment's plaintext, in order, into `segment`, which the exporter owns and
     * clears. Returns: false at the end or with `error` set. Called from a thread of the
     * exporter's, one at a time for each input. */
    bool (*read_next)(void *user_data, PlainBuffer *segment, GError **error);
    void *user_data;
} ExporterInput;

typedef struct {
    ExporterContainer container;
    int64_t from_us;    /* start at the last keyframe not after this */
    int64_t until_us;   /* INT64_MAX: to the end */
    const char *notice; /* borrowed: what the file says of itself, as its comment; NULL: nothing */
    int fd;             /* borrowed; a regular file from where it stands, or a pipe for Matroska */
    /* Takes the file's bytes in their order instead of `fd`, as a pipe would: not for MP4. NULL:
     * they go to `fd`. */
    bool (*write)(void *user_data, const uint8_t *bytes, size_t n_bytes, GError **error);
    /* `done_us` of the session's timeline is written; may be NULL; any thread. */
    void (*on_progress)(int64_t done_us, void *user_data);
    void *user_data;
} ExporterOptions;

/* Runs to the end. `inputs`: GArray of ExporterInput. Blocks.
 * Errors: what read_next gave; G_IO_ERROR_NO_SPACE and other write failures;
 * G_IO_ERROR_NOT_SUPPORTED - the container can not hold a track's codec, or go into a pipe (the
 * sentence says which track, and what to do); G_IO_ERROR_INVALID_DATA - not a segment. */
bool exporter_run(const GArray *inputs, const ExporterOptions *options,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
