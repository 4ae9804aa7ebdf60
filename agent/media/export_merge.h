#pragma once

#include "agent/media/exporter.h"

/* Puts tracks into one Matroska or WebM file, in the order of their frames' times, in the thread
 * that calls. A muxer of GStreamer's wants a thread for each track, which hand over at each frame:
 * two changes of threads for it cost more than all else.
 * `tracks`: GPtrArray of ExportTrack, set to their range. `origin_us`: the file's time zero on the
 * session's timeline, for `options->on_progress`.
 * Errors: as exporter_run(). */
bool export_merge_run(GPtrArray *tracks, int64_t origin_us, const ExporterOptions *options,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
