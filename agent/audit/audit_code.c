#include "agent/audit/audit_code.h"

#include <string.h>

#define APPLICATION_ACTIVITY "110100"
#define AUDIT_LOG_USED       "110101"
#define EXPORT               "110106"
#define PATIENT_RECORD       "110110"
#define SECURITY_ALERT       "110113"
#define USER_AUTHENTICATION  "110114"

#define STARTED           "110120"
#define STOPPED           "110121"
#define LOGIN             "110122"
#define OVERRIDE_STARTED  "110127"
#define SECURITY_CONFIG   "110129"
#define RESTRICTED        "110132"
#define OBJECT_ATTRIBUTES "110135"
#define OVERRIDE_STOPPED  "110138"

/* clang-format off */
static const AuditCode codes[N_AUDIT_KINDS] = {
    [AUDIT_RECORDER_STARTED] = {"recorder-started", APPLICATION_ACTIVITY, STARTED, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RECORDER_STOPPED] = {"recorder-stopped", APPLICATION_ACTIVITY, STOPPED, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_STORE_PROBED] = {"store-probed", APPLICATION_ACTIVITY, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RECORDING_STARTED] = {"recording-started", PATIENT_RECORD, NULL, 'C', LIFE_CYCLE_ORIGINATION, "originate"},
    [AUDIT_RECORDING_REFUSED] = {"recording-refused", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RECORDING_PAUSED] = {"recording-paused", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_AMENDMENT, NULL},
    [AUDIT_RECORDING_RESUMED] = {"recording-resumed", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_AMENDMENT, NULL},
    [AUDIT_RECORDING_ENDED] = {"recording-ended", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_AMENDMENT, NULL},
    [AUDIT_RECORDING_STORED] = {"recording-stored", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_ARCHIVING, "archive"},
    [AUDIT_RECORDING_INCOMPLETE] = {"recording-incomplete", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_ARCHIVING, "archive"},
    [AUDIT_RECORDING_FAILED] = {"recording-failed", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_NONE, NULL},
    [AUDIT_PARTICIPANT_JOINED] = {"participant-joined", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_AMENDMENT, NULL},
    [AUDIT_PARTICIPANT_LEFT] = {"participant-left", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_AMENDMENT, NULL},
    [AUDIT_CONSENT_CHANGED] = {"consent-changed", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_AMENDMENT, NULL},
    [AUDIT_DECIDED] = {"decided", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_OPENER_STARTED] = {"opener-started", APPLICATION_ACTIVITY, STARTED, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_OPENER_STOPPED] = {"opener-stopped", APPLICATION_ACTIVITY, STOPPED, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_PERSON_REFUSED] = {"person-refused", USER_AUTHENTICATION, LOGIN, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_ACCESS_ASKED] = {"access-asked", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_ACCESS_REFUSED] = {"access-refused", SECURITY_ALERT, RESTRICTED, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_GRANT_ISSUED] = {"grant-issued", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_GRANT_ENDED] = {"grant-ended", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_MEDIA_OPENED] = {"media-opened", PATIENT_RECORD, NULL, 'R', LIFE_CYCLE_ACCESS, "access"},
    [AUDIT_MEDIA_EXPORTED] = {"media-exported", EXPORT, NULL, 'R', LIFE_CYCLE_EXPORT, "extract"},
    [AUDIT_MEDIA_DISCLOSED] = {"media-disclosed", EXPORT, NULL, 'R', LIFE_CYCLE_DISCLOSURE, "disclose"},
    [AUDIT_MEDIA_CLOSED] = {"media-closed", PATIENT_RECORD, NULL, 'R', LIFE_CYCLE_ACCESS, "access"},
    [AUDIT_BREAK_GLASS_STARTED] = {"break-glass-started", SECURITY_ALERT, OVERRIDE_STARTED, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_BREAK_GLASS_ENDED] = {"break-glass-ended", SECURITY_ALERT, OVERRIDE_STOPPED, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_REVIEW_CLOSED] = {"review-closed", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RELEASED] = {"recording-released", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RELEASE_WITHDRAWN] = {"release-withdrawn", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_KEY_CREATED] = {"key-created", SECURITY_ALERT, SECURITY_CONFIG, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_KEY_ROTATED] = {"key-rotated", SECURITY_ALERT, SECURITY_CONFIG, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_KEY_REWRAPPED] = {"key-rewrapped", SECURITY_ALERT, SECURITY_CONFIG, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_KEY_RETIRED] = {"key-retired", SECURITY_ALERT, SECURITY_CONFIG, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_KEY_DESTROYED] = {"key-destroyed", SECURITY_ALERT, SECURITY_CONFIG, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_KEY_DRILLED] = {"key-drilled", SECURITY_ALERT, SECURITY_CONFIG, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_HOLD_PLACED] = {"hold-placed", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, "hold"},
    [AUDIT_HOLD_RELEASED] = {"hold-released", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, "unhold"},
    [AUDIT_QUARANTINED] = {"recording-quarantined", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_QUARANTINE_LIFTED] = {"quarantine-lifted", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RESTRICTED] = {"recording-restricted", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RESTRICTION_LIFTED] = {"restriction-lifted", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RETENTION_SET] = {"retention-set", SECURITY_ALERT, OBJECT_ATTRIBUTES, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_RETENTION_RUN] = {"retention-run", APPLICATION_ACTIVITY, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_DELETED] = {"recording-deleted", PATIENT_RECORD, NULL, 'D', LIFE_CYCLE_ERASURE, "destroy"},
    [AUDIT_ERASURE_REQUESTED] = {"erasure-requested", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_ERASURE_APPROVED] = {"erasure-approved", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_ERASED] = {"recording-erased", PATIENT_RECORD, NULL, 'D', LIFE_CYCLE_ERASURE, "destroy"},
    [AUDIT_AMENDED] = {"recording-amended", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_AMENDMENT, "amend"},
    [AUDIT_RESEALED] = {"recording-resealed", PATIENT_RECORD, NULL, 'U', LIFE_CYCLE_AMENDMENT, "encrypt"},
    [AUDIT_RECOVERED] = {"recording-recovered", PATIENT_RECORD, NULL, 'R', LIFE_CYCLE_ACCESS, "decrypt"},
    [AUDIT_CHART_LINKED] = {"chart-linked", PATIENT_RECORD, NULL, 'R', LIFE_CYCLE_ACCESS, "link"},
    [AUDIT_SETTINGS_LOADED] = {"settings-loaded", SECURITY_ALERT, SECURITY_CONFIG, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_LOG_READ] = {"audit-read", AUDIT_LOG_USED, NULL, 'R', LIFE_CYCLE_NONE, NULL},
    [AUDIT_FEED_BEHIND] = {"audit-feed-behind", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_FEED_FULL] = {"audit-feed-full", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_FEED_CAUGHT_UP] = {"audit-feed-caught-up", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_HEARTBEAT] = {"heartbeat", APPLICATION_ACTIVITY, NULL, 'E', LIFE_CYCLE_NONE, NULL},
    [AUDIT_EVENTS_LEFT_OUT] = {"events-left-out", SECURITY_ALERT, NULL, 'E', LIFE_CYCLE_NONE, NULL},
};
/* clang-format on */

/* As DICOM PS3.16 calls them, CID 400 to 403. */
static const char *const meanings[][2] = {
    {APPLICATION_ACTIVITY, "Application Activity"              },
    {AUDIT_LOG_USED,       "Audit Log Used"                    },
    {EXPORT,               "Export"                            },
    {PATIENT_RECORD,       "Patient Record"                    },
    {SECURITY_ALERT,       "Security Alert"                    },
    {USER_AUTHENTICATION,  "User Authentication"               },
    {STARTED,              "Application Start"                 },
    {STOPPED,              "Application Stop"                  },
    {LOGIN,                "Login"                             },
    {OVERRIDE_STARTED,     "Emergency Override Started"        },
    {SECURITY_CONFIG,      "Security Configuration"            },
    {RESTRICTED,           "Use of Restricted Function"        },
    {OBJECT_ATTRIBUTES,    "Object Security Attributes Changed"},
    {OVERRIDE_STOPPED,     "Emergency Override Stopped"        },
};

const AuditCode *
audit_code(AuditKind kind)
{
    return &codes[kind];
}

const char *
audit_code_meaning(const char *dcm)
{
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++) {
        if (strcmp(meanings[i][0], dcm) == 0)
            return meanings[i][1];
    }
    g_assert_not_reached(); /* every code of the table has a row, which a test looks at */
}

/* The first that is heard of a consent makes it; whatever comes later changes it. */
static bool
is_new_consent(const AuditEvent *event)
{
    return event->kind == AUDIT_CONSENT_CHANGED && g_strcmp0(event->state, "granted") == 0;
}

char
audit_code_action(const AuditEvent *event)
{
    if (is_new_consent(event))
        return 'C';
    return codes[event->kind].action;
}

LifeCycle
audit_code_life_cycle(const AuditEvent *event)
{
    return is_new_consent(event) ? LIFE_CYCLE_ORIGINATION : codes[event->kind].life_cycle;
}

unsigned
audit_code_outcome(const AuditEvent *event)
{
    static const unsigned outcomes[] = {[AUDIT_OK] = 0, [AUDIT_FAILED] = 4, [AUDIT_REFUSED] = 8};

    return outcomes[event->outcome];
}

bool
audit_code_is_warning(const AuditEvent *event)
{
    return event->outcome != AUDIT_OK || event->kind == AUDIT_BREAK_GLASS_STARTED ||
           event->kind == AUDIT_FEED_BEHIND || event->kind == AUDIT_FEED_FULL;
}

const char *
audit_kind_text(AuditKind kind)
{
    return codes[kind].text;
}

AuditKind
audit_kind_of(const char *text)
{
    int kind = 0;

    while (kind < N_AUDIT_KINDS && strcmp(codes[kind].text, text) != 0)
        kind++;
    return (AuditKind) kind;
}
