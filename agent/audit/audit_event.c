#include "agent/audit/audit_event.h"

#include <string.h>

enum { MAX_VALUE_BYTES = 128 };

static const char *const kind_texts[N_AUDIT_KINDS] = {
    [AUDIT_RECORDER_STARTED] = "recorder-started",
    [AUDIT_RECORDER_STOPPED] = "recorder-stopped",
    [AUDIT_STORE_PROBED] = "store-probed",
    [AUDIT_RECORDING_STARTED] = "recording-started",
    [AUDIT_RECORDING_REFUSED] = "recording-refused",
    [AUDIT_RECORDING_PAUSED] = "recording-paused",
    [AUDIT_RECORDING_RESUMED] = "recording-resumed",
    [AUDIT_RECORDING_ENDED] = "recording-ended",
    [AUDIT_RECORDING_STORED] = "recording-stored",
    [AUDIT_RECORDING_INCOMPLETE] = "recording-incomplete",
    [AUDIT_RECORDING_FAILED] = "recording-failed",
    [AUDIT_PARTICIPANT_JOINED] = "participant-joined",
    [AUDIT_PARTICIPANT_LEFT] = "participant-left",
    [AUDIT_CONSENT_CHANGED] = "consent-changed",
    [AUDIT_DECIDED] = "decided",
    [AUDIT_HEARTBEAT] = "heartbeat",
    [AUDIT_EVENTS_LEFT_OUT] = "events-left-out",
};

static const char *const outcome_texts[] = {
    [AUDIT_OK] = "ok",
    [AUDIT_REFUSED] = "refused",
    [AUDIT_FAILED] = "failed",
};

/* Everything that could end a word, or a line, or be no ASCII, is encoded as in a URL. */
static void
append_value(GString *words, const char *name, const char *value)
{
    static const char *const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._:/@+,-";
    size_t n_bytes = 0;

    if (value == NULL)
        return;
    g_string_append_printf(words, " %s=", name);
    for (const char *next = value; *next != '\0' && n_bytes < MAX_VALUE_BYTES; next++, n_bytes++) {
        if (strchr(plain, *next) != NULL) {
            g_string_append_c(words, *next);
        } else {
            g_string_append_printf(words, "%%%02X", (unsigned char) *next);
        }
    }
}

char *
audit_event_words(const AuditEvent *self)
{
    GString *words = g_string_new(kind_texts[self->kind]);

    g_string_append_printf(words, " %s", outcome_texts[self->outcome]);
    append_value(words, "session", self->session);
    append_value(words, "participant", self->participant);
    append_value(words, "purpose", self->purpose);
    append_value(words, "state", self->state);
    append_value(words, "reason", self->reason);
    append_value(words, "text_version", self->text_version);
    append_value(words, "evidence", self->evidence);
    append_value(words, "policy", self->policy);
    append_value(words, "detail", self->detail);
    if (self->count != 0)
        g_string_append_printf(words, " count=%" G_GUINT64_FORMAT, self->count);
    return g_string_free(words, FALSE);
}

const char *
audit_kind_text(AuditKind kind)
{
    return kind_texts[kind];
}
