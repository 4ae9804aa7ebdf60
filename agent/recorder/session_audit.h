#pragma once

#include "agent/audit/audit_kind.h"
#include "agent/recorder/session.h"

#include <jansson.h>

/* What a session tells the auditors. For the files of a session alone; main thread, but for the
 * first. */

/* Writes, durably and now, that keys are about to be made for `n_tracks` tracks of this permitted
 * session, by the rules with the digest `policy`: the record that stands before any capture.
 * Thread: any; reads nothing that changes while keys are made. Blocks. Errors: STORAGE_ERROR -
 * nothing may be recorded. */
bool session_audit_start(const Session *self, const char *policy, uint32_t generation,
                         unsigned n_tracks, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The state has changed from `before`. */
void session_audit_state(const Session *self, SessionState before);

/* The decision on `purpose` is another than it was. `decided_for`: id of a participant, or NULL. */
void session_audit_decision(const Session *self, const char *purpose, ConsentReason reason,
                            const char *decided_for);

/* Everyone who is present, and what they have said: at the beginning. */
void session_audit_present(const Session *self);

/* Somebody joined, or said something: `form` as the API took it. */
void session_audit_participant(const Session *self, const json_t *form);
void session_audit_consent(const Session *self, const json_t *form);
void session_audit_left(const Session *self, const char *id);

/* What is to become of what was recorded, after `participant` took back its consent to `purpose`.
 */
void session_audit_mark(const Session *self, AuditKind kind, const char *participant,
                        const char *purpose);
