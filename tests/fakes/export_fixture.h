#pragma once

#include "agent/media/exporter.h"
#include "tests/fakes/track_outcome.h"

#include <glib.h>

/* Gives the segments of one part of `outcome` to the exporter, one after the other. */
typedef struct {
    const TrackOutcome *outcome;
    uint32_t part;
    guint next;
    guint fail_at; /* this segment can not be read; 0: all can */
} ExportReader;

GArray *export_fixture_new_inputs(void);
void export_fixture_add(GArray *inputs, const char *title, const char *codec, ExportReader *reader);

/* Exports into a file, to the end where `options` says 0. Returns: what is in it; NULL with
 * `error`. */
GByteArray *export_fixture_run(const GArray *inputs, ExporterOptions options, GError **error);
