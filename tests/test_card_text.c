#include "agent/media/card_text.h"

typedef struct {
    const char *reason;
    bool is_video;
    const char *headline;
    const char *detail;
} TextCase;

/* Every reason that the recorder writes, as a person reads it. */
static const TextCase cases[] = {
    {"no-media",                    true,  "No picture",       "nothing was sent"                          },
    {"no-media",                    false, "No sound",         "nothing was sent"                          },
    {"silence",                     true,  "No picture",       "switched off or muted"                     },
    {"silence",                     false, "No sound",         "switched off or muted"                     },
    {"loss",                        true,  "No picture",       "connection lost"                           },
    {"no-keyframe",                 true,  "No picture",       "waiting for a whole picture"               },
    {"source-restart",              true,  "No picture",       "the connection was made again"             },
    {"overload",                    true,  "Not recorded",     "the recorder was overloaded"               },
    {"disk-full",                   true,  "Not recorded",     "the recorder's disk was full"              },
    {"disk-failed",                 true,  "Not recorded",     "the recorder's disk failed"                },
    {"sealing-failed",              true,  "Not recorded",     "it could not be encrypted"                 },
    {"part-broken",                 true,  "Not recorded",     "its beginning was lost"                    },
    {"interrupted",                 true,  "Not recorded",     "the recorder stopped and was started again"},
    {"corrupt",                     true,  "Not recorded",     "it was damaged on the recorder's disk"     },
    {"paused",                      true,  "Recording paused", "not everyone present had consented"        },
    {"paused-by-request",           true,  "Recording paused", "on request"                                },
    {"paused-not-in-session",       true,  "Recording paused",
     "this person was not announced for the session"                                                       },
    {"paused-consent-withdrawn",    true,  "Recording paused", "consent withdrawn"                         },
    {"paused-consent-withdrawn",    false, "Recording paused", "consent withdrawn"                         },
    {"paused-consent-refused",      true,  "Recording paused", "consent refused"                           },
    {"paused-consent-missing",      true,  "Recording paused", "consent missing"                           },
    {"paused-consent-expired",      true,  "Recording paused", "consent expired"                           },
    {"paused-consent-text-stale",   true,  "Recording paused", "consent was given to an older text"        },
    {"paused-evidence-missing",     true,  "Recording paused", "no evidence of the consent"                },
    {"paused-consenter-invalid",    true,  "Recording paused",
     "consent came from someone who may not give it"                                                       },
    {"paused-participant-unknown",  true,  "Recording paused", "someone unknown was present"               },
    {"paused-prerequisite-purpose", true,  "Recording paused", "a consent it depends on is missing"        },
    {"paused-purpose-disabled",     true,  "Recording paused", "switched off for this organisation"        },
    {"paused-policy-missing",       true,  "Recording paused", "the organisation has no policy"            },
    {"paused-policy-invalid",       true,  "Recording paused",
     "the organisation's policy can not be read"                                                           },
    {"paused-policy-stale",         true,  "Recording paused", "the organisation's policy is out of date"  },
    {"paused-org-mismatch",         true,  "Recording paused", "policy of another organisation"            },
    {"paused-org-disabled",         true,  "Recording paused", "the organisation does not record"          },
    {"paused-region-forbidden",     true,  "Recording paused",
     "not allowed to be stored in this region"                                                             },
    {"paused-clock-untrusted",      true,  "Recording paused",
     "the recorder's clock was not to be trusted"                                                          },
    {"paused-audit-unavailable",    true,  "Recording paused", "the audit log could not be written"        },
    {"paused-internal-error",       true,  "Recording paused", "the recorder could not decide"             },
    {"paused-lunch-break",          true,  "Recording paused", "lunch break"                               },
    {"something-of-a-later-time",   true,  "Not recorded",     "something of a later time"                 },
    {CARD_TEXT_SOUND_ONLY,          true,  "No picture",       "sound only"                                },
    {CARD_TEXT_NOT_YET,             true,  "No picture",       "there is none yet"                         },
    {CARD_TEXT_DAMAGED,             true,  "No picture",       "what was recorded can not be shown"        },
    {CARD_TEXT_NOT_THERE,           true,  "No picture",       "not in the session at this time"           },
    {CARD_TEXT_NOBODY,              true,  "No picture",       "nobody was recorded at this time"          },
};

static void
test_says_why(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        CardText text;

        card_text_of_gap(&text, cases[i].reason, cases[i].is_video);

        g_assert_cmpstr(text.headline, ==, cases[i].headline);
        g_assert_cmpstr(text.detail, ==, cases[i].detail);
        card_text_clear(&text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/card_text/says-why", test_says_why);
    return g_test_run();
}
