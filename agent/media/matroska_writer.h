#pragma once

#include "agent/media/exporter.h"
#include "agent/media/matroska_reader.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Writes a Matroska or WebM file (RFC 9559) of frames that come in the order of their times. A
 * regular file gets its duration and an index of its keyframes; a pipe gets neither. In memory: one
 * cluster, wiped when it is written, and the index. One thread. */
typedef struct MatroskaWriter MatroskaWriter;

typedef struct {
    unsigned track;
    MatroskaFrame frame;
    int64_t duration_us; /* 0: not known */
} MatroskaBlock;

/* `options`: copied; its container, notice, and where the file goes: `fd` from where it stands. */
MatroskaWriter *matroska_writer_new(const ExporterOptions *options);

/* Before the first block. `title` and the track's codec_private are
 * borrowed until the writer is freed. Returns: the track's number, from 0. */
unsigned matroska_writer_add_track(MatroskaWriter *self, const char *title,
                                   const MatroskaTrack *track);

/* Blocks. Errors: G_IO_ERROR_NO_SPACE and other write failures; the file is then of no use. */
bool matroska_writer_push(MatroskaWriter *self, const MatroskaBlock *block,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes what is gathered, and the index. Errors: as matroska_writer_push(). */
bool matroska_writer_finish(MatroskaWriter *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An unfinished file is left as it is. */
void matroska_writer_free(MatroskaWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MatroskaWriter, matroska_writer_free)
