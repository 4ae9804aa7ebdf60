#pragma once

#include "agent/admin/recover_keys.h"
#include "agent/media/exporter.h"
#include "storage/recording.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Opens a recording segment by segment for the exporter: one input for each part of each wanted
 * track. The exporter reads inputs from threads of its own; the recording is read by one at a time.
 */
typedef struct RecoverSource RecoverSource;

typedef struct {
    bool (*wants_track)(const char *track, void *user_data);
    void *user_data;
    int64_t from_us;
    int64_t until_us;
    bool is_partial; /* leave out what does not open, and note it */
} RecoverSourceOptions;

/* All borrowed until recover_source_free(). Errors: as recover_keys_track(). */
RecoverSource *recover_source_new(Recording *recording, const RecoverKeys *keys,
                                  const RecoverSourceOptions *options,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: GArray of ExporterInput, borrowed. */
const GArray *recover_source_inputs(const RecoverSource *self);

/* Returns: GPtrArray of char *, what was left out, one sentence each, borrowed; once the exporter
 * has ended. */
const GPtrArray *recover_source_left_out(const RecoverSource *self);
void recover_source_free(RecoverSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecoverSource, recover_source_free)
