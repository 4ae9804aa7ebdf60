#include "agent/recorder/session_withdrawal.h"

#include "agent/recorder/session_audit.h"
#include "agent/recorder/session_internal.h"

#include <string.h>

/* What a withdrawal does to what was recorded before it: the organisation's `on_withdrawal`. */

static const struct {
    const char *text, *mark; /* the manifest's; NULL: none */
    AuditKind kind;          /* of the mark */
    unsigned rank;           /* a stricter one is never taken back */
} effects[] = {
    [ORG_WITHDRAWAL_KEEP] = {"keep",       NULL,          N_AUDIT_KINDS,           0},
    [ORG_WITHDRAWAL_QUARANTINE] = {"quarantine", "quarantined", AUDIT_QUARANTINED,       1},
    [ORG_WITHDRAWAL_ERASE] = {"erase",      "erase",       AUDIT_ERASURE_REQUESTED, 2},
};

#define REASON "consent-withdrawn"

void
session_note_withdrawal(Session *self, const json_t *form)
{
    const char *purpose = json_string_value(json_object_get(form, "purpose"));
    const char *participant = json_string_value(json_object_get(form, "participant"));
    OrgWithdrawal effect = ORG_WITHDRAWAL_QUARANTINE;
    bool is_recorded = false;

    for (int i = 0; i < N_PURPOSES; i++)
        is_recorded = is_recorded || strcmp(session_purposes[i], purpose) == 0;
    if (!is_recorded || !self->is_begun ||
        !participants_take_back(self->participants, participant, purpose))
        return;
    effect = self->settings->consent->on_withdrawal;
    if (self->has_withdrawal && effects[effect].rank <= effects[self->withdrawal].rank)
        return;
    self->has_withdrawal = true;
    self->withdrawal = effect;
    self->is_mark_told = false;
    if (effects[effect].mark != NULL)
        session_audit_mark(self, effects[effect].kind, participant, purpose);
}

const char *
session_withdrawal_text(const Session *self)
{
    return self->has_withdrawal ? effects[self->withdrawal].text : NULL;
}

bool
session_is_apart(const Session *self)
{
    return self->has_withdrawal && effects[self->withdrawal].mark != NULL;
}

bool
session_is_marked_durably(const Session *self, GError **error)
{
    if (!session_is_apart(self) || self->is_mark_told)
        return true;
    g_set_error(error, RECORDER_ERROR, RECORDER_ERROR_STORE,
                "the withdrawal is obeyed, and nothing more is recorded; but what was recorded "
                "before it is not yet marked, for the disk fails: say it again");
    return false;
}

char *
session_policy_lines(const Session *self, const char *end_reason)
{
    GString *lines = g_string_new(NULL);

    g_string_append_printf(lines, "policy %s", self->settings->digest);
    for (int i = 0; i < N_PURPOSES; i++) {
        g_string_append_printf(lines, " %s=%s", session_purposes[i],
                               consent_reason_text(self->decisions[i]));
    }
    if (end_reason != NULL)
        g_string_append_printf(lines, " ended=%s", end_reason);
    g_string_append_c(lines, '\n');
    if (self->label != PART2_NONE)
        g_string_append_printf(lines, "mark %s labelled\n", part2_label_text(self->label));
    if (session_is_apart(self))
        g_string_append_printf(lines, "mark %s " REASON "\n", effects[self->withdrawal].mark);
    return g_string_free(lines, false);
}

bool
session_append_policy(Session *self, const char *end_reason, GError **error)
{
    g_autofree char *lines = session_policy_lines(self, end_reason);

    /* A session that only begins will tell its first decision by itself. */
    return !self->is_begun || spool_add_policy(self->services.spool, self->id, lines, error);
}

bool
session_tell_manifest(Session *self, const char *end_reason, GError **error)
{
    if (!session_append_policy(self, end_reason, error) ||
        (self->is_begun && !spool_commit(self->services.spool, error)))
        return false;
    self->is_mark_told = session_is_apart(self);
    return true;
}

void
session_tell_mark(Session *self)
{
    g_autoptr(GError) error = NULL;

    if (session_is_marked_durably(self, NULL) || session_tell_manifest(self, NULL, &error))
        return;
    g_critical("session %s: a withdrawal's mark `%s` is not in the manifest: %s", self->id,
               effects[self->withdrawal].mark, error->message);
}
