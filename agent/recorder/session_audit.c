#include "agent/recorder/session_audit.h"

#include "agent/recorder/session_internal.h"
#include "agent/trail/audit_trail.h"

static const char *
text_of(const json_t *form, const char *name)
{
    return json_string_value(json_object_get(form, name));
}

static void
note(const Session *self, AuditEvent event)
{
    event.session = self->id;
    event.policy = self->settings == NULL ? NULL : self->settings->digest;
    /* Of a session that never begins nobody keeps more than that there were so many. */
    if (!self->is_begun && event.outcome != AUDIT_OK) {
        audit_trail_note_bounded(self->services.audit, self->org, &event);
    } else {
        audit_trail_note(self->services.audit, self->org, &event);
    }
}

bool
session_audit_start(const Session *self, const char *policy, uint32_t generation, unsigned n_tracks,
                    GError **error)
{
    const char *label = part2_label_text(self->label);
    g_autofree char *detail = g_strdup_printf("generation-%u%s%s", generation,
                                              label != NULL ? "," : "", label != NULL ? label : "");
    const AuditEvent event = {.kind = AUDIT_RECORDING_STARTED,
                              .session = self->id,
                              .reason = consent_reason_text(CONSENT_OK),
                              .policy = policy,
                              .detail = detail,
                              .count = n_tracks};

    return audit_trail_write(self->services.audit, self->org, &event, error);
}

/* Why it is as it is now. */
static const char *
reason_of(const Session *self)
{
    if (self->state == SESSION_STATE_PAUSED && self->pause_reason != NULL)
        return self->pause_reason;
    if (self->state == SESSION_STATE_STORED || self->state == SESSION_STATE_INCOMPLETE)
        return NULL;
    if (self->state == SESSION_STATE_FINALISING)
        return self->end_reason == NULL ? "asked-for" : self->end_reason;
    return consent_reason_text(session_reason(self));
}

void
session_audit_state(const Session *self, SessionState before)
{
    static const struct {
        SessionState state;
        AuditKind kind;
        AuditOutcome outcome;
    } rows[] = {
        {SESSION_STATE_PAUSED,       AUDIT_RECORDING_PAUSED,     AUDIT_OK     },
        {SESSION_STATE_FINALISING,   AUDIT_RECORDING_ENDED,      AUDIT_OK     },
        {SESSION_STATE_STORED,       AUDIT_RECORDING_STORED,     AUDIT_OK     },
        {SESSION_STATE_QUARANTINED,  AUDIT_RECORDING_STORED,     AUDIT_OK     },
        {SESSION_STATE_INCOMPLETE,   AUDIT_RECORDING_INCOMPLETE, AUDIT_FAILED },
        {SESSION_STATE_FAILED,       AUDIT_RECORDING_FAILED,     AUDIT_FAILED },
        {SESSION_STATE_NOT_RECORDED, AUDIT_RECORDING_REFUSED,    AUDIT_REFUSED},
    };

    if (self->state == before)
        return;
    /* A limit, a full disk: nothing was recorded that could have failed. */
    if (self->state == SESSION_STATE_FAILED && !self->is_begun) {
        note(self, (AuditEvent){.kind = AUDIT_RECORDING_REFUSED,
                                .outcome = AUDIT_FAILED,
                                .reason = "not-begun"});
        return;
    }
    if (self->state == SESSION_STATE_RECORDING && before == SESSION_STATE_PAUSED)
        note(self, (AuditEvent){.kind = AUDIT_RECORDING_RESUMED});
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].state == self->state) {
            note(self, (AuditEvent){.kind = rows[i].kind,
                                    .outcome = rows[i].outcome,
                                    .reason = reason_of(self)});
        }
    }
}

void
session_audit_decision(const Session *self, const char *purpose, ConsentReason reason,
                       const char *decided_for)
{
    note(self, (AuditEvent){.kind = AUDIT_DECIDED,
                            .outcome = reason == CONSENT_OK ? AUDIT_OK : AUDIT_REFUSED,
                            .participant = decided_for,
                            .purpose = purpose,
                            .reason = consent_reason_text(reason)});
}

/* One consent of `participant`, as the form has it. */
static void
note_consent(const Session *self, const char *participant, const json_t *form)
{
    note(self, (AuditEvent){.kind = AUDIT_CONSENT_CHANGED,
                            .participant = participant,
                            .purpose = text_of(form, "purpose"),
                            .state = text_of(form, "state"),
                            .text_version = text_of(form, "text_version"),
                            .evidence = text_of(form, "evidence")});
}

void
session_audit_participant(const Session *self, const json_t *form)
{
    const char *id = text_of(form, "id");
    size_t i = 0;
    json_t *consent = NULL;

    note(self, (AuditEvent){.kind = AUDIT_PARTICIPANT_JOINED,
                            .participant = id,
                            .detail = text_of(form, "role")});
    json_array_foreach(json_object_get(form, "consents"), i, consent)
        note_consent(self, id, consent);
}

void
session_audit_present(const Session *self)
{
    json_t *present = participants_to_json(self->participants);
    size_t i = 0;
    json_t *participant = NULL;

    json_array_foreach(present, i, participant) session_audit_participant(self, participant);
    json_decref(present);
}

void
session_audit_mark(const Session *self, AuditKind kind, const char *participant,
                   const char *purpose)
{
    note(self, (AuditEvent){.kind = kind,
                            .participant = participant,
                            .purpose = purpose,
                            .reason = consent_reason_text(CONSENT_WITHDRAWN)});
}

void
session_audit_consent(const Session *self, const json_t *form)
{
    note_consent(self, text_of(form, "participant"), form);
}

void
session_audit_left(const Session *self, const char *id)
{
    note(self, (AuditEvent){.kind = AUDIT_PARTICIPANT_LEFT, .participant = id});
}
