#pragma once

#include "agent/admin/command_context.h"
#include "agent/admin/transcribe_voices.h"

#include <stdbool.h>

/* A recording that is to be written down without the opener, with identities in hand. All
 * borrowed. */
typedef struct {
    CommandContext *context;
    Recording *recording; /* whose manifest is genuine and whole */
    const OrgSettings *org;
    char **identity_paths;
} TranscribeOffline;

/* Tells the auditors first, then looks for everyone's consent, then opens and has `voices` hear.
 * Errors: no record can be written - nothing was opened; as transcribe_consent_check(); what can
 * not be opened. */
bool transcribe_offline_hear(const TranscribeOffline *self, TranscribeVoices *voices,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
