#pragma once

#include "config/transcription_settings.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Has the organisation's recogniser write down what one participant said. Sound goes through a pipe
 * and lies nowhere; what comes back is in memory alone. */

typedef struct {
    const TranscriptionSettings *settings;
    const GArray *inputs; /* of ExporterInput: all parts of the participant's audio tracks */
    int64_t until_us;     /* where the session ends on its timeline */
    int64_t from_us;      /* for what comes without times: from when to when they were there */
    int64_t gone_us;
    const char *voice; /* who speaks: `Provider p1` */
} TranscribeWork;

/* Appends what was said to `cues` (GPtrArray of WebVttCue). Blocks.
 * Errors: as worker_command_run(), http_upload_run(), voice_feed_end(); G_IO_ERROR_INVALID_DATA -
 * the answer is not what `transcription.format` says. */
bool transcribe_worker_run(const TranscribeWork *work, GPtrArray *cues,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
