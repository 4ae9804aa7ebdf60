#include "agent/policy/consent.h"

#include <glib.h>

/* A field that a case is not about is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define HOUR_US ((int64_t) 3600 * G_USEC_PER_SEC)
#define NOW_US  ((int64_t) 1795300000 * G_USEC_PER_SEC)
#define AUDIO   "record-audio"
#define VIDEO   "record-video"

static const char *const both_purposes[] = {AUDIO, VIDEO, NULL};
static const char *const audio_only[] = {AUDIO, NULL};

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

static void
test_permits_when_everyone_granted(void)
{
    const ConsentParticipant all[] = {
        {"p1", "provider",    &yes, 1},
        {"p2", "client",      &yes, 1},
        {"p3", "guardian",    &yes, 1},
        {"p4", "interpreter", &yes, 1},
        {"p5", "observer",    &yes, 1},
    };
    ConsentDecision decision = decide(&strict_policy, all, G_N_ELEMENTS(all));

    assert_reason(decision, CONSENT_OK);
    g_assert_null(decision.participant);
}

/* One record that differs from `yes` in one point. */
static void
test_names_what_is_wrong_with_a_record(void)
{
    const struct {
        ConsentRecord record;
        ConsentReason reason;
    } rows[] = {
        {{AUDIO, "refused", "2026-01", "ev-1", NOW_US - HOUR_US, 0},          CONSENT_REFUSED         },
        {{AUDIO, "withdrawn", "2026-01", "ev-1", NOW_US - HOUR_US, 0},        CONSENT_WITHDRAWN       },
        {{VIDEO, "granted", "2026-01", "ev-1", NOW_US - HOUR_US, 0},          CONSENT_MISSING         },
        {{NULL, "granted", "2026-01", "ev-1", NOW_US - HOUR_US, 0},           CONSENT_MISSING         },
        {{AUDIO, "Granted", "2026-01", "ev-1", NOW_US - HOUR_US, 0},          CONSENT_MISSING         },
        {{AUDIO, "granted ", "2026-01", "ev-1", NOW_US - HOUR_US, 0},         CONSENT_MISSING         },
        {{AUDIO, "", "2026-01", "ev-1", NOW_US - HOUR_US, 0},                 CONSENT_MISSING         },
        {{AUDIO, NULL, "2026-01", "ev-1", NOW_US - HOUR_US, 0},               CONSENT_MISSING         },
        {{AUDIO, "granted", "2026-01", "ev-1", NOW_US - HOUR_US, NOW_US},     CONSENT_EXPIRED         },
        {{AUDIO, "granted", "2026-01", "ev-1", NOW_US - HOUR_US, -1},         CONSENT_EXPIRED         },
        {{AUDIO, "granted", "2026-01", "ev-1", NOW_US - HOUR_US, NOW_US + 1}, CONSENT_OK              },
        {{AUDIO, "granted", "2025-12", "ev-1", NOW_US - HOUR_US, 0},          CONSENT_TEXT_STALE      },
        {{AUDIO, "granted", NULL, "ev-1", NOW_US - HOUR_US, 0},               CONSENT_TEXT_STALE      },
        {{AUDIO, "granted", "2026-01", NULL, NOW_US - HOUR_US, 0},            CONSENT_EVIDENCE_MISSING},
        {{AUDIO, "granted", "2026-01", "", NOW_US - HOUR_US, 0},              CONSENT_EVIDENCE_MISSING},
        {{AUDIO, "granted", "2026-01", "ev-1", NOW_US + HOUR_US, 0},          CONSENT_CLOCK_UNTRUSTED },
        {{AUDIO, "granted", "2026-01", "ev-1", G_MAXINT64, 0},                CONSENT_CLOCK_UNTRUSTED },
        {{AUDIO, "granted", "2026-01", "ev-1", 0, 0},                         CONSENT_CLOCK_UNTRUSTED },
        {{AUDIO, "granted", "2026-01", "ev-1", G_MININT64, 0},                CONSENT_CLOCK_UNTRUSTED },
        {{AUDIO, "granted", "2026-01", "ev-1", NOW_US + G_USEC_PER_SEC, 0},   CONSENT_OK              },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ConsentDecision decision = decide_records(&strict_policy, &rows[i].record, 1);

        assert_reason(decision, rows[i].reason);
        g_assert_cmpstr(decision.participant, ==, rows[i].reason == CONSENT_OK ? NULL : "p1");
    }
}

static void
test_asks_only_what_the_policy_asks(void)
{
    static const ConsentRecord bare = {AUDIO, "granted", NULL, NULL, NOW_US - HOUR_US, 0};

    assert_reason(decide_records(&plain_policy, &bare, 1), CONSENT_OK);
}

static void
test_needs_a_policy(void)
{
    static const ConsentPolicy no_org = {NULL, both_purposes, NULL, false};
    static const ConsentPolicy no_purposes = {"clinic-a", NULL, NULL, false};

    assert_reason(decide_records(NULL, &yes, 1), CONSENT_POLICY_MISSING);
    assert_reason(decide_records(&no_org, &yes, 1), CONSENT_POLICY_MISSING);
    assert_reason(decide_records(&no_purposes, &yes, 1), CONSENT_POLICY_MISSING);
}

static void
test_policy_is_of_the_same_organisation(void)
{
    const ConsentParticipant one = {"p1", "provider", &yes, 1};
    const ConsentSession other = {"clinic-b", &one, 1};
    const ConsentSession none = {NULL, &one, 1};

    assert_reason(consent_decide(&plain_policy, &other, AUDIO, NOW_US), CONSENT_ORG_MISMATCH);
    assert_reason(consent_decide(&plain_policy, &none, AUDIO, NOW_US), CONSENT_ORG_MISMATCH);
}

static void
test_purposes_do_not_imply_each_other(void)
{
    static const ConsentPolicy audio_policy = {"clinic-a", audio_only, NULL, false};
    const ConsentParticipant one = {"p1", "provider", &yes, 1};
    const ConsentSession session = {"clinic-a", &one, 1};

    assert_reason(consent_decide(&audio_policy, &session, VIDEO, NOW_US), CONSENT_PURPOSE_DISABLED);
    assert_reason(consent_decide(&plain_policy, &session, VIDEO, NOW_US), CONSENT_MISSING);
    assert_reason(consent_decide(&plain_policy, &session, "record-*", NOW_US),
                  CONSENT_PURPOSE_DISABLED);
}

static void
test_participants_are_known(void)
{
    const ConsentParticipant stranger = {"p1", "passer-by", &yes, 1};
    const ConsentParticipant no_role = {"p1", NULL, &yes, 1};
    const ConsentParticipant no_id = {NULL, "client", &yes, 1};
    const ConsentParticipant twice[] = {
        {"p1", "provider", &yes, 1},
        {"p1", "client",   &yes, 1}
    };

    assert_reason(decide(&plain_policy, NULL, 0), CONSENT_PARTICIPANT_UNKNOWN);
    assert_reason(decide(&plain_policy, &stranger, 1), CONSENT_PARTICIPANT_UNKNOWN);
    assert_reason(decide(&plain_policy, &no_role, 1), CONSENT_PARTICIPANT_UNKNOWN);
    assert_reason(decide(&plain_policy, &no_id, 1), CONSENT_CONSENTER_INVALID);
    assert_reason(decide(&plain_policy, twice, 2), CONSENT_CONSENTER_INVALID);
}

static void
test_newest_record_decides(void)
{
    const ConsentRecord withdrawn_later[] = {
        {AUDIO, "withdrawn", NULL, NULL, NOW_US - HOUR_US,     0},
        {AUDIO, "granted",   NULL, NULL, NOW_US - 2 * HOUR_US, 0},
    };
    const ConsentRecord same_moment[] = {
        {AUDIO, "granted",   NULL, NULL, NOW_US - HOUR_US, 0},
        {AUDIO, "withdrawn", NULL, NULL, NOW_US - HOUR_US, 0},
    };
    const ConsentRecord granted_again[] = {
        {AUDIO, "refused", NULL, NULL, NOW_US - 2 * HOUR_US, 0},
        {AUDIO, "granted", NULL, NULL, NOW_US - HOUR_US,     0},
    };
    const ConsentRecord withdrawn_without_time[] = {
        {AUDIO, "granted",   NULL, NULL, NOW_US - HOUR_US, 0},
        {AUDIO, "withdrawn", NULL, NULL, 0,                0},
    };

    assert_reason(decide_records(&plain_policy, withdrawn_later, 2), CONSENT_WITHDRAWN);
    assert_reason(decide_records(&plain_policy, same_moment, 2), CONSENT_WITHDRAWN);
    assert_reason(decide_records(&plain_policy, granted_again, 2), CONSENT_OK);
    assert_reason(decide_records(&plain_policy, withdrawn_without_time, 2),
                  CONSENT_CLOCK_UNTRUSTED);
}

static void
test_first_reason_of_the_list_wins(void)
{
    static const ConsentRecord refused = {AUDIO, "refused", NULL, NULL, NOW_US - HOUR_US, 0};
    static const ConsentRecord expired = {AUDIO, "granted", NULL, NULL, NOW_US - HOUR_US, NOW_US};
    const ConsentParticipant people[] = {
        {"p1", "provider", &expired, 1},
        {"p2", "client",   NULL,     0},
        {"p3", "client",   &refused, 1},
    };
    ConsentDecision decision = decide(&plain_policy, people, 3);

    assert_reason(decision, CONSENT_REFUSED);
    g_assert_cmpstr(decision.participant, ==, "p3");
    assert_reason(decide(&plain_policy, people, 2), CONSENT_MISSING);
}

static void
test_nonsense_denies(void)
{
    const ConsentParticipant one = {"p1", "provider", &yes, 1};
    const ConsentSession session = {"clinic-a", &one, 1};
    const ConsentSession broken = {"clinic-a", NULL, 1};

    assert_reason(consent_decide(&plain_policy, NULL, AUDIO, NOW_US), CONSENT_INTERNAL_ERROR);
    assert_reason(consent_decide(&plain_policy, &session, NULL, NOW_US), CONSENT_INTERNAL_ERROR);
    assert_reason(consent_decide(&plain_policy, &broken, AUDIO, NOW_US), CONSENT_INTERNAL_ERROR);
    assert_reason(consent_decide(&plain_policy, &session, AUDIO, 0), CONSENT_CLOCK_UNTRUSTED);
    g_assert_cmpstr(consent_reason_text((ConsentReason) 99), ==, "internal-error");
}

/* Random sessions, of which many are permitted. */

#define MAX_PEOPLE  4
#define MAX_RECORDS 3

typedef struct {
    ConsentRecord records[MAX_PEOPLE][MAX_RECORDS];
    ConsentParticipant people[MAX_PEOPLE];
    size_t n_people;
} RandomSession;

static const char *
pick(const char *const *list, int n)
{
    return list[g_test_rand_int_range(0, n)];
}

static ConsentRecord
random_record(void)
{
    static const char *const states[] = {"granted", "granted",   "granted", "granted",
                                         "refused", "withdrawn", "maybe"};
    static const char *const purposes[] = {AUDIO, AUDIO, AUDIO, VIDEO};
    static const char *const versions[] = {"2026-01", "2026-01", "2026-01", "2025-12", NULL};
    static const char *const proofs[] = {"ev-1", "ev-2", "ev-3", NULL};
    ConsentRecord record = {
        pick(purposes, 4), pick(states, 7), pick(versions, 5), pick(proofs, 4), 0, 0};

    record.at_us = NOW_US + g_test_rand_int_range(-50, 2) * HOUR_US;
    if (g_test_rand_int_range(0, 4) == 0)
        record.until_us = NOW_US + g_test_rand_int_range(-2, 9) * HOUR_US;
    return record;
}

static void
fill_person(RandomSession *self, size_t i)
{
    static const char *const ids[MAX_PEOPLE] = {"p1", "p2", "p3", "p4"};
    static const char *const roles[] = {"provider", "client", "guardian", "observer", "nobody"};

    for (size_t k = 0; k < MAX_RECORDS; k++)
        self->records[i][k] = random_record();
    self->people[i] = (ConsentParticipant){ids[i], pick(roles, 5), self->records[i],
                                           (size_t) g_test_rand_int_range(0, MAX_RECORDS + 1)};
}

static bool
permits(const RandomSession *self)
{
    return decide(&strict_policy, self->people, self->n_people).reason == CONSENT_OK;
}

/* Most people need most of their words to be right, so permitted sessions are made on purpose as
 * well. */
static void
fill_session(RandomSession *self, size_t n_people)
{
    self->n_people = n_people;
    for (size_t i = 0; i < n_people; i++) {
        fill_person(self, i);
        if (g_test_rand_bit()) {
            self->records[i][0] = yes;
            self->people[i].role = "client";
            self->people[i].n_consents = 1;
        }
    }
}

static void
test_adding_a_person_never_permits(void)
{
    unsigned n_permitted = 0;

    for (int round = 0; round < 20000; round++) {
        RandomSession session;
        bool before = false;

        fill_session(&session, (size_t) g_test_rand_int_range(1, MAX_PEOPLE));
        before = permits(&session);
        n_permitted += before;
        fill_person(&session, session.n_people++);
        g_assert_true(before || !permits(&session));
    }
    g_assert_cmpuint(n_permitted, >, 1000);
}

static void
test_removing_a_persons_consent_never_permits(void)
{
    unsigned n_turned = 0;

    for (int round = 0; round < 20000; round++) {
        RandomSession session;
        bool before = false;
        size_t who = 0;

        fill_session(&session, (size_t) g_test_rand_int_range(1, MAX_PEOPLE + 1));
        before = permits(&session);
        who = (size_t) g_test_rand_int_range(0, (int) session.n_people);
        session.people[who].n_consents = 0;
        n_turned += before;
        g_assert_false(permits(&session));
    }
    g_assert_cmpuint(n_turned, >, 1000);
}

static void
test_a_newer_no_never_permits(void)
{
    static const char *const noes[] = {"refused", "withdrawn", "whatever", NULL};

    for (int round = 0; round < 20000; round++) {
        RandomSession session;
        ConsentRecord *last = NULL;
        size_t who = 0;

        fill_session(&session, (size_t) g_test_rand_int_range(1, MAX_PEOPLE + 1));
        who = (size_t) g_test_rand_int_range(0, (int) session.n_people);
        last = &session.records[who][MAX_RECORDS - 1];
        *last = yes;
        last->state = pick(noes, 4);
        last->at_us = NOW_US;
        session.people[who].n_consents = MAX_RECORDS;
        g_assert_false(permits(&session));
    }
}

static void
test_every_reason_has_its_own_word(void)
{
    for (ConsentReason a = CONSENT_OK; a <= CONSENT_INTERNAL_ERROR; a++)
        for (ConsentReason b = CONSENT_OK; b < a; b++)
            g_assert_cmpstr(consent_reason_text(a), !=, consent_reason_text(b));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/consent/permits-when-everyone-granted", test_permits_when_everyone_granted);
    g_test_add_func("/consent/names-what-is-wrong-with-a-record",
                    test_names_what_is_wrong_with_a_record);
    g_test_add_func("/consent/asks-only-what-the-policy-asks", test_asks_only_what_the_policy_asks);
    g_test_add_func("/consent/needs-a-policy", test_needs_a_policy);
    g_test_add_func("/consent/policy-is-of-the-same-organisation",
                    test_policy_is_of_the_same_organisation);
    g_test_add_func("/consent/purposes-do-not-imply-each-other",
                    test_purposes_do_not_imply_each_other);
    g_test_add_func("/consent/participants-are-known", test_participants_are_known);
    g_test_add_func("/consent/newest-record-decides", test_newest_record_decides);
    g_test_add_func("/consent/first-reason-of-the-list-wins", test_first_reason_of_the_list_wins);
    g_test_add_func("/consent/nonsense-denies", test_nonsense_denies);
    g_test_add_func("/consent/adding-a-person-never-permits", test_adding_a_person_never_permits);
    g_test_add_func("/consent/removing-a-persons-consent-never-permits",
                    test_removing_a_persons_consent_never_permits);
    g_test_add_func("/consent/a-newer-no-never-permits", test_a_newer_no_never_permits);
    g_test_add_func("/consent/every-reason-has-its-own-word", test_every_reason_has_its_own_word);
    return g_test_run();
}
