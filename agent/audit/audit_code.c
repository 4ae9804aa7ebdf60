#include "agent/audit/audit_kind.h"

#include <string.h>

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
    [AUDIT_OPENER_STARTED] = "opener-started",
    [AUDIT_OPENER_STOPPED] = "opener-stopped",
    [AUDIT_PERSON_REFUSED] = "person-refused",
    [AUDIT_ACCESS_ASKED] = "access-asked",
    [AUDIT_ACCESS_REFUSED] = "access-refused",
    [AUDIT_GRANT_ISSUED] = "grant-issued",
    [AUDIT_GRANT_ENDED] = "grant-ended",
    [AUDIT_MEDIA_OPENED] = "media-opened",
    [AUDIT_MEDIA_EXPORTED] = "media-exported",
    [AUDIT_MEDIA_DISCLOSED] = "media-disclosed",
    [AUDIT_MEDIA_CLOSED] = "media-closed",
    [AUDIT_BREAK_GLASS_STARTED] = "break-glass-started",
    [AUDIT_BREAK_GLASS_ENDED] = "break-glass-ended",
    [AUDIT_REVIEW_CLOSED] = "review-closed",
    [AUDIT_RELEASED] = "recording-released",
    [AUDIT_RELEASE_WITHDRAWN] = "release-withdrawn",
    [AUDIT_TRANSCRIPTION_STARTED] = "transcription-started",
    [AUDIT_TRANSCRIPTION_ENDED] = "transcription-ended",
    [AUDIT_KEY_CREATED] = "key-created",
    [AUDIT_KEY_ROTATED] = "key-rotated",
    [AUDIT_KEY_REWRAPPED] = "key-rewrapped",
    [AUDIT_KEY_RETIRED] = "key-retired",
    [AUDIT_KEY_DESTROYED] = "key-destroyed",
    [AUDIT_KEY_DRILLED] = "key-drilled",
    [AUDIT_HOLD_PLACED] = "hold-placed",
    [AUDIT_HOLD_RELEASED] = "hold-released",
    [AUDIT_QUARANTINED] = "recording-quarantined",
    [AUDIT_QUARANTINE_LIFTED] = "quarantine-lifted",
    [AUDIT_RESTRICTED] = "recording-restricted",
    [AUDIT_RESTRICTION_LIFTED] = "restriction-lifted",
    [AUDIT_RETENTION_SET] = "retention-set",
    [AUDIT_RETENTION_RUN] = "retention-run",
    [AUDIT_DELETED] = "recording-deleted",
    [AUDIT_ERASURE_REQUESTED] = "erasure-requested",
    [AUDIT_ERASURE_APPROVED] = "erasure-approved",
    [AUDIT_ERASED] = "recording-erased",
    [AUDIT_AMENDED] = "recording-amended",
    [AUDIT_RECOVERED] = "recording-recovered",
    [AUDIT_CHART_LINKED] = "chart-linked",
    [AUDIT_SETTINGS_LOADED] = "settings-loaded",
    [AUDIT_LOG_READ] = "audit-read",
    [AUDIT_FEED_BEHIND] = "audit-feed-behind",
    [AUDIT_FEED_FULL] = "audit-feed-full",
    [AUDIT_FEED_CAUGHT_UP] = "audit-feed-caught-up",
    [AUDIT_HEARTBEAT] = "heartbeat",
    [AUDIT_EVENTS_LEFT_OUT] = "events-left-out",
};

const char *
audit_kind_text(AuditKind kind)
{
    return kind_texts[kind];
}

AuditKind
audit_kind_of(const char *text)
{
    int kind = 0;

    while (kind < N_AUDIT_KINDS && strcmp(kind_texts[kind], text) != 0)
        kind++;
    return (AuditKind) kind;
}
