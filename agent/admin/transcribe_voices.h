#pragma once

#include "config/transcription_settings.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Voice by voice, the worker hears what was opened of a session. */
typedef struct {
    const TranscriptionSettings *settings; /* borrowed */
    GPtrArray *cues;                       /* WebVttCue, owned: what was said so far */
    unsigned n_voices;                     /* participants who were listened to */
} TranscribeVoices;

/* What is open now: GArrays of LayoutTrack and ExporterInput, sound alone. */
typedef struct {
    const GArray *tracks, *inputs;
    int64_t end_us; /* where the session ends on its timeline */
} TranscribeSound;

void transcribe_voices_init(TranscribeVoices *self, const TranscriptionSettings *settings);

/* Returns: GPtrArray of char *, owned: whose tracks these are, each once, as they come. */
GPtrArray *transcribe_voices_list(const GArray *tracks);

/* Has the worker write down what `participant` said; of whom nothing was recorded, nothing. Blocks.
 * Errors: as transcribe_worker_run(), and which participant it was. */
bool transcribe_voices_hear(TranscribeVoices *self, const TranscribeSound *sound,
                            const char *participant, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: all that was said, by time, as one WebVTT; owned, to be wiped. */
char *transcribe_voices_write(TranscribeVoices *self);

void transcribe_voices_clear(TranscribeVoices *self);
