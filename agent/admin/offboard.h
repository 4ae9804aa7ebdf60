#pragma once

#include "storage/annotation_log.h"
#include "storage/recording.h"

#include <glib.h>
#include <stdbool.h>

/* What an organisation is handed when it leaves, or asks for all it has: a folder, and in it a
 * folder for each session, whose last file says which files it has, and up to where the recording's
 * manifest and annotations went when it was written. */

#define OFFBOARD_COMPLETE "complete"
#define OFFBOARD_FACTS    "session.json"

typedef enum {
    OFFBOARD_CURRENT,   /* all there is was handed over */
    OFFBOARD_OLD_FACTS, /* something was told since: OFFBOARD_FACTS is to be written again */
    OFFBOARD_OLD,       /* something was recorded or said since, or a file is not what it was */
    OFFBOARD_MISSING,   /* never handed over to its end */
} OffboardState;

/* What of `recording`, of which `log` was told, lies in `folder`. What only concerns its erasure by
 * two people counts for nothing here: they come after. `why`: out, owned, for all but
 * OFFBOARD_CURRENT: one sentence without an end. */
OffboardState offboard_compare(const char *folder, const Recording *recording,
                               const AnnotationLog *log, char **why);

/* Writes OFFBOARD_COMPLETE for what lies in `folder` now, once it would survive a power cut. */
bool offboard_complete(const char *folder, const Recording *recording, const AnnotationLog *log,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes a file of the export, readable for its owner alone. */
bool offboard_write(const char *path, const void *bytes, size_t n_bytes,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
