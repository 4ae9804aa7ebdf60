#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Puts a session's opened tracks into one file that plays, in step, without transcoding. Each input
 * is one part of one track: parts of a track with equal codec settings are joined, others become a
 * track of their own. Timestamps are the session's, minus `from_us`; gaps stay gaps. The output is
 * plaintext by intent of who asked, written to a descriptor of theirs and nowhere else. */

typedef enum {
    EXPORTER_MATROSKA,
    EXPORTER_MP4, /* fragmented, so that no temporary file and no second pass are needed */
} ExporterContainer;

typedef struct {
    const char *title; /* of the track in the file: `p1-video` */
    const char *codec; /* as media_codec_name() */
    /* Gives the next segment's plaintext in order, NULL at the end or with `error` set. Called from
     * a thread of the exporter's, one at a time for each input. The exporter wipes what it gets
     * with age_file_wipe(). */
    GByteArray *(*read_next)(void *user_data, GError **error);
    void *user_data;
} ExporterInput;

typedef struct {
    ExporterContainer container;
    int64_t from_us;  /* start at the last keyframe not after this */
    int64_t until_us; /* INT64_MAX: to the end */
    int fd;           /* borrowed; regular file or pipe (a pipe for Matroska or fragmented MP4) */
    /* `done_us` of the session's timeline is written; may be NULL; any thread. */
    void (*on_progress)(int64_t done_us, void *user_data);
    void *user_data;
} ExporterOptions;

/* Runs to the end. `inputs`: GArray of ExporterInput. Blocks.
 * Errors: what read_next gave; G_IO_ERROR_NO_SPACE and other write failures;
 * G_IO_ERROR_INVALID_DATA - not a segment. */
bool exporter_run(const GArray *inputs, const ExporterOptions *options,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
