#include "agent/policy/consent.h"

#include <glib.h>

/* A field that a case is not about is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define HOUR_US ((int64_t) 3600 * G_USEC_PER_SEC)
#define NOW_US  ((int64_t) 1795300000 * G_USEC_PER_SEC)
#define AUDIO   "record-audio"
#define VIDEO   "record-video"

static const char *const both_purposes[] = {AUDIO, VIDEO, NULL};

static const ConsentPolicy plain_policy = {"clinic-a", both_purposes, NULL, false};
static const ConsentPolicy strict_policy = {"clinic-a", both_purposes, "2026-01", true};

/* What strict_policy accepts. */
static const ConsentRecord yes = {AUDIO, "granted", "2026-01", "ev-1", NOW_US - HOUR_US, 0};

static ConsentDecision
decide(const ConsentPolicy *policy, const ConsentParticipant *participants, size_t n)
{
    const ConsentSession session = {"clinic-a", participants, n};

    return consent_decide(policy, &session, AUDIO, NOW_US);
}

/* One provider with exactly these records. */
static ConsentDecision
decide_records(const ConsentPolicy *policy, const ConsentRecord *records, size_t n)
{
    const ConsentParticipant one = {"p1", "provider", records, n};

    return decide(policy, &one, 1);
}

static void
assert_reason(ConsentDecision decision, ConsentReason reason)
{
    g_assert_cmpstr(consent_reason_text(decision.reason), ==, consent_reason_text(reason));
}

/* A participant's words, each with what the rule for minors makes of them. */
static void
test_minors_need_whom_the_rule_names(void)
{
    const ConsentRecord own = yes;
    ConsentRecord guardians = yes;
    const struct {
        bool is_minor;
        ConsentMinors rule;
        bool has_own, has_guardians;
        ConsentReason reason;
    } rows[] = {
        {false, CONSENT_MINORS_BOTH,     true,  false, CONSENT_OK               },
        {false, CONSENT_MINORS_BOTH,     false, true,  CONSENT_CONSENTER_INVALID},
        {true,  CONSENT_MINORS_BOTH,     true,  true,  CONSENT_OK               },
        {true,  CONSENT_MINORS_BOTH,     true,  false, CONSENT_CONSENTER_INVALID},
        {true,  CONSENT_MINORS_BOTH,     false, true,  CONSENT_CONSENTER_INVALID},
        {true,  CONSENT_MINORS_BOTH,     false, false, CONSENT_MISSING          },
        {true,  CONSENT_MINORS_GUARDIAN, false, true,  CONSENT_OK               },
        {true,  CONSENT_MINORS_GUARDIAN, true,  false, CONSENT_CONSENTER_INVALID},
        {true,  CONSENT_MINORS_ALONE,    true,  false, CONSENT_OK               },
        {true,  CONSENT_MINORS_ALONE,    false, true,  CONSENT_CONSENTER_INVALID},
        {true,  CONSENT_MINORS_NEVER,    true,  true,  CONSENT_CONSENTER_INVALID},
        {true,  (ConsentMinors) 9,       true,  true,  CONSENT_CONSENTER_INVALID},
    };

    guardians.is_guardians = true;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ConsentPolicy policy = strict_policy;
        ConsentRecord records[2];
        ConsentParticipant one = {"p1", "client", records, 0, rows[i].is_minor};

        policy.minors.otherwise = rows[i].rule;
        if (rows[i].has_own)
            records[one.n_consents++] = own;
        if (rows[i].has_guardians)
            records[one.n_consents++] = guardians;
        assert_reason(decide(&policy, &one, 1), rows[i].reason);
    }
}

static void
test_a_no_counts_whoever_says_it(void)
{
    static const char *const roles[] = {"provider", "client", "guardian", NULL};
    ConsentPolicy policy = strict_policy;
    ConsentRecord no = yes;
    ConsentParticipant two[] = {
        {"p1", "client",      &yes, 1, false},
        {"p2", "interpreter", NULL, 0, false}
    };

    policy.roles = roles;
    assert_reason(decide(&policy, two, 2), CONSENT_OK);
    assert_reason(decide(&strict_policy, two, 2), CONSENT_MISSING);
    no.state = "withdrawn";
    two[1].consents = &no;
    two[1].n_consents = 1;
    assert_reason(decide(&policy, two, 2), CONSENT_WITHDRAWN);
    no.is_guardians = true;
    no.state = "refused";
    assert_reason(decide(&policy, two, 2), CONSENT_REFUSED);
}

static void
test_a_consent_ages(void)
{
    ConsentPolicy policy = strict_policy;

    policy.max_age_us = HOUR_US;
    assert_reason(decide_records(&policy, &yes, 1), CONSENT_EXPIRED);
    policy.max_age_us = HOUR_US + 1;
    assert_reason(decide_records(&policy, &yes, 1), CONSENT_OK);
}

static void
test_evidence_is_one_line(void)
{
    ConsentRecord record = yes;

    record.evidence = "ev-1\nstate granted";
    assert_reason(decide_records(&plain_policy, &record, 1), CONSENT_EVIDENCE_MISSING);
}

static void
test_ai_note_needs_transcribe(void)
{
    static const char *const purposes[] = {"ai-note", "transcribe", NULL};
    ConsentPolicy policy = strict_policy;
    ConsentRecord records[] = {yes, yes};
    const ConsentParticipant one = {"p1", "client", records, 2, false};
    const ConsentSession session = {"clinic-a", &one, 1, NULL, false};

    policy.purposes = purposes;
    records[0].purpose = "ai-note";
    records[1].purpose = "transcribe";
    assert_reason(consent_decide(&policy, &session, "ai-note", NOW_US), CONSENT_OK);
    records[1].state = "refused";
    assert_reason(consent_decide(&policy, &session, "ai-note", NOW_US),
                  CONSENT_PREREQUISITE_PURPOSE);
    policy.purposes = purposes + 1;
    assert_reason(consent_decide(&policy, &session, "ai-note", NOW_US), CONSENT_PURPOSE_DISABLED);
}

static void
test_an_organisation_may_deny_by_itself(void)
{
    static const char *const regions[] = {"us-east-1", NULL};
    const ConsentParticipant one = {"p1", "client", &yes, 1, false};
    ConsentSession session = {"clinic-a", &one, 1, "us-east-1", false};
    ConsentPolicy policy = strict_policy;

    policy.regions = regions;
    policy.valid_until_us = NOW_US + 1;
    assert_reason(consent_decide(&policy, &session, AUDIO, NOW_US), CONSENT_OK);
    assert_reason(consent_decide(&policy, &session, AUDIO, NOW_US + 1), CONSENT_POLICY_STALE);
    session.region = "eu-west-1";
    assert_reason(consent_decide(&policy, &session, AUDIO, NOW_US), CONSENT_REGION_FORBIDDEN);
    session.region = NULL;
    assert_reason(consent_decide(&policy, &session, AUDIO, NOW_US), CONSENT_REGION_FORBIDDEN);
    policy.is_disabled = true;
    assert_reason(consent_decide(&policy, &session, AUDIO, NOW_US), CONSENT_ORG_DISABLED);
    policy.is_invalid = true;
    assert_reason(consent_decide(&policy, &session, AUDIO, NOW_US), CONSENT_POLICY_INVALID);

    session.is_audit_unavailable = true;
    assert_reason(consent_decide(&strict_policy, &session, AUDIO, NOW_US),
                  CONSENT_AUDIT_UNAVAILABLE);
}

/* What was recorded is touched by whoever takes a word back, and by nobody who never gave it. */
static void
test_knows_what_is_taken_back(void)
{
    static const struct {
        const char *first, *last; /* states, in their order; NULL: not said */
        bool by_guardian;         /* the last one */
        bool is_taken_back;
    } rows[] = {
        {"granted",   NULL,        false, false},
        {"granted",   "withdrawn", false, true },
        {"granted",   "refused",   false, true },
        {"granted",   "withdrawn", true,  true },
        {"withdrawn", "granted",   false, false},
        {"refused",   NULL,        false, false},
        {"withdrawn", NULL,        false, true },
        {NULL,        NULL,        false, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const ConsentRecord records[] = {
            {.purpose = "record-audio", .state = rows[i].first, .at_us = 1},
            { .purpose = "record-audio",
             .state = rows[i].last,
             .at_us = 2,
             .is_guardians = rows[i].by_guardian},
        };
        const ConsentParticipant one = {.id = "p1",
                                        .role = "client",
                                        .consents = records,
                                        .n_consents = (rows[i].first != NULL) +
                                                      (size_t) (rows[i].last != NULL)};

        g_assert_true(consent_is_taken_back(&one, "record-audio") == rows[i].is_taken_back);
        g_assert_false(consent_is_taken_back(&one, "record-video"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/consent-rules/minors-need-whom-the-rule-names",
                    test_minors_need_whom_the_rule_names);
    g_test_add_func("/consent-rules/a-no-counts-whoever-says-it", test_a_no_counts_whoever_says_it);
    g_test_add_func("/consent-rules/a-consent-ages", test_a_consent_ages);
    g_test_add_func("/consent-rules/evidence-is-one-line", test_evidence_is_one_line);
    g_test_add_func("/consent-rules/ai-note-needs-transcribe", test_ai_note_needs_transcribe);
    g_test_add_func("/consent-rules/an-organisation-may-deny-by-itself",
                    test_an_organisation_may_deny_by_itself);
    g_test_add_func("/consent-rules/knows-what-is-taken-back", test_knows_what_is_taken_back);
    return g_test_run();
}
