#pragma once

#include <gst/gst.h>
#include <stdbool.h>

/* Where the exported file goes: the muxer's bytes, gathered into larger writes on a descriptor that
 * is not ours. A regular file is seekable, so that the muxer can go back and write its index. */
typedef struct ExportSink ExportSink;

/* Links behind `muxer`, before it is started. `fd` is borrowed. */
ExportSink *export_sink_new(GstElement *muxer, int fd);

/* Whether the muxer may go back: a regular file, not opened for appending. */
bool export_sink_is_seekable(const ExportSink *self);

/* The first write that failed, kept until freed. Returns: true if none did. */
bool export_sink_is_good(ExportSink *self, GError **error);

/* Blocks until the muxer has ended the file or a write failed, and writes what is gathered. */
bool export_sink_finish(ExportSink *self, GError **error);

/* After the muxer was stopped. */
void export_sink_free(ExportSink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExportSink, export_sink_free)
