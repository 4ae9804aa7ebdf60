#pragma once

#include "agent/recorder/session.h"

/* What the manifest is told of decisions, and what a withdrawal does to what was recorded before
 * it: the organisation's `on_withdrawal`. For the files of a session alone. */

/* The `policy` line of the manifest, and `mark` lines of its label and where a withdrawal left one;
 * owned.
 * `end_reason`: why the recorder ended it; NULL: it did not. */
char *session_policy_lines(const Session *self, const char *end_reason);

/* Makes them durable in the spool, for the manifest; nothing where the session has not begun.
 * Errors: as spool_commit(). */
bool session_tell_manifest(Session *self, const char *end_reason,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without the flush: for many sessions at once. */
bool session_append_policy(Session *self, const char *end_reason,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes what a participant just said (`form`, added already) for a
 * withdrawal, if it is one of what is recorded, and marks the session as its organisation wants it.
 */
void session_note_withdrawal(Session *self, const json_t *form);

/* Once the manifest has been told. Errors: RECORDER_ERROR_STORE - it has not, and must be. */
bool session_is_marked_durably(const Session *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before the session's end: the last chance of a mark that the disk did not take. */
void session_tell_mark(Session *self);

/* Returns: what a withdrawal did to what was recorded, `keep` and the like, static; NULL: none. */
const char *session_withdrawal_text(const Session *self);

/* Returns: whether what is recorded is to be kept from use. */
bool session_is_apart(const Session *self);
