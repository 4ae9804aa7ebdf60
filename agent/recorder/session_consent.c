#include "agent/recorder/session_audit.h"
#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_meta.h"
#include "agent/recorder/session_rules.h"
#include "agent/recorder/session_withdrawal.h"
#include "agent/recorder/shown_text.h"
#include "agent/rules/org_policy.h"
#include "storage/storage_error.h"

#include <string.h>

const char *const session_purposes[N_PURPOSES] = {
    [PURPOSE_AUDIO] = "record-audio",
    [PURPOSE_VIDEO] = "record-video",
};

void
session_decide(Session *self)
{
    const ConsentSession session = {
        .org = self->org,
        .region = org_policy_region(self->settings, &self->services.settings->store),
        .service = self->service,
    };
    const OrgSettings *org = self->is_org_gone ? NULL : self->settings;

    for (int i = 0; i < N_PURPOSES; i++) {
        const ConsentDecision decision = participants_decide(
            self->participants, org, &session, session_purposes[i], g_get_real_time());

        if (self->decisions[i] != decision.reason) {
            session_audit_decision(self, session_purposes[i], decision.reason,
                                   decision.participant);
        }
        self->decisions[i] = decision.reason;
        g_free(self->decided_for[i]);
        self->decided_for[i] = g_strdup(decision.participant);
    }
    if (org != NULL)
        participants_note_minors(self->participants, org, self->service);
}

ConsentReason
session_reason(const Session *self)
{
    bool is_needed[N_PURPOSES] = {false};
    ConsentReason denial = CONSENT_OK;

    for (guint i = 0; i < self->tracks->len; i++) {
        const SessionTrack *track = g_ptr_array_index(self->tracks, i);

        is_needed[purpose_of(track->request)] = true;
    }
    for (int i = 0; i < N_PURPOSES; i++) {
        if (!is_needed[i] && self->tracks->len > 0)
            continue;
        if (self->decisions[i] == CONSENT_OK)
            return CONSENT_OK;
        if (denial == CONSENT_OK)
            denial = self->decisions[i];
    }
    return denial;
}

static void
on_late_tracks_ready(Session *self, const char *reason, const GError *error, void *user_data)
{
    if (error != NULL) {
        g_warning("session %s: a track that is now permitted can not begin: %s", self->id,
                  error->message);
    }
}

/* Tracks that were not permitted when they were asked for, and are now. */
static void
begin_permitted(Session *self)
{
    g_autoptr(GPtrArray) late = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < self->tracks->len; i++) {
        SessionTrack *track = g_ptr_array_index(self->tracks, i);

        if (track->track == NULL && !track->is_keying && !track->is_ended &&
            self->decisions[purpose_of(track->request)] == CONSENT_OK)
            g_ptr_array_add(late, track);
    }
    if (late->len == 0)
        return;
    if (session_may_open_tracks(self, late->len, &error)) {
        session_key_tracks(self, late, on_late_tracks_ready, NULL);
    } else {
        on_late_tracks_ready(self, NULL, error, NULL);
    }
}

static void
tell_manifest(Session *self)
{
    g_autoptr(GError) error = NULL;

    if (!session_tell_manifest(self, NULL, &error)) {
        g_warning("session %s: the new decision is not in the manifest: %s", self->id,
                  error->message);
    }
}

void
session_hold_tracks(Session *self)
{
    for (guint i = 0; i < self->tracks->len; i++) {
        const SessionTrack *track = g_ptr_array_index(self->tracks, i);

        if (track->track != NULL)
            track_pause(track->track, session_hold(self, track));
    }
}

/* Whether capture of everything is held back. */
static bool
is_all_held(const Session *self)
{
    return self->pause_reason != NULL || session_reason(self) != CONSENT_OK;
}

void
session_go_on(Session *self)
{
    begin_permitted(self);
    session_update_meta(self);
    g_message("session %s: decided again: %s", self->id, consent_reason_text(session_reason(self)));
    session_move(self, is_all_held(self) ? SESSION_EVENT_PAUSED : SESSION_EVENT_RESUMED);
}

void
session_apply_decision(Session *self)
{
    session_hold_tracks(self);
    tell_manifest(self);
    session_go_on(self);
}

static bool
must_be_open(const Session *self, GError **error)
{
    if (!session_is_open(self)) {
        g_set_error(error, RECORDER_ERROR, RECORDER_ERROR_CONFLICT, "session %s has ended",
                    self->id);
    }
    return session_is_open(self);
}

static bool
change_pause(Session *self, char *reason, GError **error)
{
    if (!must_be_open(self, error)) {
        g_free(reason);
        return false;
    }
    g_free(self->pause_reason);
    self->pause_reason = reason;
    session_hold_tracks(self);
    g_message("session %s: %s", self->id, reason != NULL ? "paused" : "resumed");
    session_move(self, is_all_held(self) ? SESSION_EVENT_PAUSED : SESSION_EVENT_RESUMED);
    return true;
}

bool
session_pause(Session *self, const char *reason, GError **error)
{
    for (const char *at = reason != NULL && *reason != '\0' ? reason : " "; *at != '\0'; at++) {
        if (!g_ascii_islower(*at) && *at != '-') {
            g_set_error(error, RECORDER_ERROR, RECORDER_ERROR_INVALID,
                        "\"reason\" must be one word of a-z and hyphens");
            return false;
        }
    }
    return change_pause(self, g_strdup(reason), error);
}

bool
session_resume(Session *self, GError **error)
{
    return change_pause(self, NULL, error);
}

/* Decides again after a change; `fault` (taken) is what forbade it. */
static bool
after_change(Session *self, char *fault, GError **error)
{
    if (fault != NULL) {
        g_set_error_literal(error, RECORDER_ERROR, RECORDER_ERROR_INVALID, fault);
        g_free(fault);
        return false;
    }
    session_decide(self);
    session_apply_decision(self);
    return true;
}

bool
session_add_participant(Session *self, const json_t *form, GError **error)
{
    char *fault = NULL;

    if (!must_be_open(self, error) || !session_may_add_participant(self, error))
        return false;
    fault = participants_add(self->participants, form);
    if (fault == NULL)
        session_audit_participant(self, form);
    return after_change(self, fault, error);
}

bool
session_add_consent(Session *self, const json_t *form, GError **error)
{
    char *fault = NULL;

    if (!must_be_open(self, error))
        return false;
    fault = participants_add_consent(self->participants, form);
    if (fault == NULL) {
        session_audit_consent(self, form);
        session_note_withdrawal(self, form);
    }
    return after_change(self, fault, error) && session_is_marked_durably(self, error);
}

bool
session_remove_participant(Session *self, const char *id, GError **error)
{
    char *fault = NULL;

    if (!must_be_open(self, error))
        return false;
    if (!participants_remove(self->participants, id)) {
        g_autofree char *shown = shown_text(id);
        fault = g_strdup_printf("there is no participant %s in this session", shown);
    } else {
        session_audit_left(self, id);
    }
    return after_change(self, fault, error);
}
