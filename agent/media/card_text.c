#include "agent/media/card_text.h"

#include <string.h>

#define PAUSED "paused"

typedef enum {
    NOTHING_TO_SHOW, /* it was recorded; there is just none */
    LOST,
    PAUSED_BY_RULE,
} CardKind;

/* Every reason that this version's recorder writes, and those that its consent rules know. */
static const struct {
    const char *reason;
    const char *detail;
    CardKind kind;
} rows[] = {
    {CARD_TEXT_SOUND_ONLY,          "sound only",                                    NOTHING_TO_SHOW},
    {CARD_TEXT_NOT_YET,             "there is none yet",                             NOTHING_TO_SHOW},
    {CARD_TEXT_DAMAGED,             "what was recorded can not be shown",            NOTHING_TO_SHOW},
    {CARD_TEXT_NOT_THERE,           "not in the session at this time",               NOTHING_TO_SHOW},
    {CARD_TEXT_NOBODY,              "nobody was recorded at this time",              NOTHING_TO_SHOW},
    {"no-media",                    "nothing was sent",                              NOTHING_TO_SHOW},
    {"silence",                     "switched off or muted",                         NOTHING_TO_SHOW},
    {"loss",                        "connection lost",                               NOTHING_TO_SHOW},
    {"no-keyframe",                 "waiting for a whole picture",                   NOTHING_TO_SHOW},
    {"source-restart",              "the connection was made again",                 NOTHING_TO_SHOW},
    {"overload",                    "the recorder was overloaded",                   LOST           },
    {"disk-full",                   "the recorder's disk was full",                  LOST           },
    {"disk-failed",                 "the recorder's disk failed",                    LOST           },
    {"sealing-failed",              "it could not be encrypted",                     LOST           },
    {"part-broken",                 "its beginning was lost",                        LOST           },
    {"interrupted",                 "the recorder stopped and was started again",    LOST           },
    {"corrupt",                     "it was damaged on the recorder's disk",         LOST           },
    {"paused",                      "not everyone present had consented",            PAUSED_BY_RULE },
    {"paused-by-request",           "on request",                                    PAUSED_BY_RULE },
    {"paused-not-in-session",       "this person was not announced for the session", PAUSED_BY_RULE },
    {"paused-consent-withdrawn",    "consent withdrawn",                             PAUSED_BY_RULE },
    {"paused-consent-refused",      "consent refused",                               PAUSED_BY_RULE },
    {"paused-consent-missing",      "consent missing",                               PAUSED_BY_RULE },
    {"paused-consent-expired",      "consent expired",                               PAUSED_BY_RULE },
    {"paused-consent-text-stale",   "consent was given to an older text",            PAUSED_BY_RULE },
    {"paused-evidence-missing",     "no evidence of the consent",                    PAUSED_BY_RULE },
    {"paused-consenter-invalid",    "consent came from someone who may not give it", PAUSED_BY_RULE },
    {"paused-participant-unknown",  "someone unknown was present",                   PAUSED_BY_RULE },
    {"paused-prerequisite-purpose", "a consent it depends on is missing",            PAUSED_BY_RULE },
    {"paused-purpose-disabled",     "switched off for this organisation",            PAUSED_BY_RULE },
    {"paused-policy-missing",       "the organisation has no policy",                PAUSED_BY_RULE },
    {"paused-policy-invalid",       "the organisation's policy can not be read",     PAUSED_BY_RULE },
    {"paused-policy-stale",         "the organisation's policy is out of date",      PAUSED_BY_RULE },
    {"paused-org-mismatch",         "policy of another organisation",                PAUSED_BY_RULE },
    {"paused-org-disabled",         "the organisation does not record",              PAUSED_BY_RULE },
    {"paused-region-forbidden",     "not allowed to be stored in this region",       PAUSED_BY_RULE },
    {"paused-clock-untrusted",      "the recorder's clock was not to be trusted",    PAUSED_BY_RULE },
    {"paused-audit-unavailable",    "the audit log could not be written",            PAUSED_BY_RULE },
    {"paused-internal-error",       "the recorder could not decide",                 PAUSED_BY_RULE },
};

static const char *
headline_of(CardKind kind, bool is_video)
{
    switch (kind) {
    case LOST:
        return "Not recorded";
    case PAUSED_BY_RULE:
        return "Recording paused";
    case NOTHING_TO_SHOW:
    default:
        return is_video ? "No picture" : "No sound";
    }
}

/* Its own words: `paused-lunch-break` as `lunch break`. */
static void
take_words(CardText *self, const char *reason)
{
    const bool is_paused = g_str_has_prefix(reason, PAUSED "-");

    self->headline = g_strdup(headline_of(is_paused ? PAUSED_BY_RULE : LOST, true));
    self->detail = g_strdup(is_paused ? reason + strlen(PAUSED "-") : reason);
    g_strdelimit(self->detail, "-", ' ');
}

void
card_text_of_gap(CardText *self, const char *reason, bool is_video)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].reason, reason) == 0) {
            self->headline = g_strdup(headline_of(rows[i].kind, is_video));
            self->detail = g_strdup(rows[i].detail);
            return;
        }
    }
    take_words(self, reason);
}

void
card_text_clear(CardText *self)
{
    g_clear_pointer(&self->headline, g_free);
    g_clear_pointer(&self->detail, g_free);
}
