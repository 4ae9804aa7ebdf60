#pragma once

#include "agent/media/exporter.h"
#include "agent/media/matroska_reader.h"

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

/* One track of the exported file: the parts that are joined in it, one after the other, cut to what
 * was asked for. Made and set up by the exporter's thread, then pulled by one thread: the same,
 * or the one that feeds its pad of the muxer. */
typedef struct ExportTrack ExportTrack;

/* `reader` is taken. Errors: G_IO_ERROR_NOT_SUPPORTED - `container` can not hold its codec. */
ExportTrack *export_track_new(const char *title, MatroskaReader *reader,
                              ExporterContainer container,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Joins one more part if its codec settings are equal. VP8 and VP9 say the size in each keyframe,
 * so it may differ. Returns: false if not joined; `reader` is then the caller's still. */
bool export_track_join(ExportTrack *self, const char *title, MatroskaReader *reader);

/* Goes to the last keyframe not after `from_us` (audio: goes nowhere).
 * `first_us`: where the track then starts; INT64_MAX for audio and if there is nothing. */
bool export_track_seek(ExportTrack *self, int64_t from_us, int64_t *first_us, GError **error);

/* What is before `from_us` (unless export_track_seek kept it) or from `until_us` on is left out;
 * times count from `origin_us`. */
void export_track_set_range(ExportTrack *self, int64_t origin_us, int64_t until_us);

/* Returns: the next frame, owned by the caller; NULL at the end or with `error` set. Its bytes are
 * the track's until the next call, unless `container` is MP4, whose muxer keeps frames. */
GstBuffer *export_track_next(ExportTrack *self, GError **error);

const char *export_track_title(const ExportTrack *self);
/* What Matroska's head says of it, borrowed; what GStreamer's muxers want to know. */
const MatroskaTrack *export_track_format(const ExportTrack *self);
const GstCaps *export_track_caps(const ExportTrack *self);
bool export_track_is_video(const ExportTrack *self);

void export_track_free(ExportTrack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExportTrack, export_track_free)
