#pragma once

#include "config/settings.h"

#include <glib.h>

/* Returns: GPtrArray of NoteVerifier (owned): the recorders whose manifests are believed, as
 * `trusted_recorders` names them. Errors: MALFORMED. */
GPtrArray *trusted_recorders(const Settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the same of every program whose audit log is believed: recorders, openers and command
 * lines. */
GPtrArray *trusted_programs(const Settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
