#pragma once

#include "config/settings.h"

#include <glib.h>

/* Returns: GPtrArray of NoteVerifier (owned): the recorders whose manifests are believed, as
 * `trusted_recorders` names them. Errors: MALFORMED. */
GPtrArray *trusted_recorders(const Settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the same of the programs whose annotations are believed: openers and command lines,
 * never a recorder: a stolen one must not release a recording, nor lift a hold. */
GPtrArray *trusted_annotators(const Settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the same of every program whose audit log is believed: recorders, openers and command
 * lines. */
GPtrArray *trusted_programs(const Settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
