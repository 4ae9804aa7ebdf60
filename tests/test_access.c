#include "tests/fakes/access_question.h"

#include <glib.h>
#include <string.h>

/* The table of roles as DESIGN and the notes on health care have it, written down a second time. */
static bool
cell(AccessRole role, AccessAction action, const char *purpose)
{
    static const char *const custodian[] = {"HOPERAT",   "HLEGAL",   "HCOMPL", "PATRQT",
                                            "RECORDMGT", "HQUALIMP", "TRAIN",  NULL};
    static const char *const provider[] = {"TREAT", "BTG", NULL};
    static const char *const client[] = {"PATRQT", NULL};
    static const char *const transcriber[] = {"HOPERAT", NULL};
    static const char *const *const media[N_ACCESS_ROLES] = {
        [ACCESS_ROLE_PROVIDER] = provider,
        [ACCESS_ROLE_CLIENT] = client,
        [ACCESS_ROLE_CUSTODIAN] = custodian,
        [ACCESS_ROLE_TRANSCRIBER] = transcriber,
    };
    static const char *const may[N_ACCESS_ACTIONS] = {
        [ACCESS_RELEASE] = "c",
        [ACCESS_SETTINGS_READ] = "pmac",
        [ACCESS_SETTINGS_CHANGE] = "m",
        [ACCESS_HOLDS_READ] = "ac",
        [ACCESS_HOLD] = "c",
        [ACCESS_ERASE_REQUEST] = "c",
        [ACCESS_ERASE_APPROVE] = "c",
        [ACCESS_AUDIT_OWN] = "p",
        [ACCESS_AUDIT_COUNTS] = "m",
        [ACCESS_AUDIT_ALL] = "a",
        [ACCESS_DISCLOSURES_OWN] = "k",
        [ACCESS_DISCLOSURES] = "c",
        [ACCESS_REVIEW] = "a",
    };

    if (action == ACCESS_PLAY)
        return media[role] != NULL && g_strv_contains(media[role], purpose);
    return strchr(may[action], "pkmact"[role]) != NULL;
}

static void
test_every_cell_of_the_table(void)
{
    static const char *const purposes[] = {
        "TREAT",     "ETREAT",    "BTG",   "HPAYMT", "HOPERAT", "HCOMPL", "HLEGAL", "HQUALIMP",
        "RECORDMGT", "HSYSADMIN", "TRAIN", "SYSDEV", "HRESCH",  "PATRQT", "FAMRQT", "PUBHLTH"};

    for (int role = 0; role < N_ACCESS_ROLES; role++) {
        for (int action = 0; action < N_ACCESS_ACTIONS; action++) {
            for (size_t i = 0; i < G_N_ELEMENTS(purposes); i++) {
                AccessQuestion q = access_question_new(role, action, purposes[i]);
                const bool is_permitted = access_question_ask(&q).reason == ACCESS_OK;

                if (is_permitted != cell(role, action, purposes[i])) {
                    g_error("%s %s %s: %s", access_role_text(role), access_action_text(action),
                            purposes[i], access_reason_text(access_question_ask(&q).reason));
                }
            }
        }
    }
}

static void
test_every_reason(void)
{
    bool is_seen[ACCESS_OK] = {false};

    for (size_t i = 0; i < n_access_faults; i++) {
        const AccessFault *row = &access_faults[i];
        AccessQuestion q = access_question_new(row->role, row->action, row->purpose);
        AccessDecision decision = {0};

        if (row->spoil != NULL)
            row->spoil(&q);
        decision = access_question_ask(&q);
        if (decision.reason != row->reason)
            g_error("%s: %s", row->what, access_reason_text(decision.reason));
        g_assert_cmpuint(decision.tracks, ==, 0);
        g_assert_cmpint(decision.most_us, ==, 0);
        is_seen[row->reason] = true;
    }
    for (int reason = 0; reason < ACCESS_OK; reason++)
        g_assert_true(is_seen[reason]);
}

/* Two faults at once, the earlier of the list made last: it is told, or one before it. */
static void
test_first_reason_of_the_list_wins(void)
{
    for (size_t i = 0; i < n_access_faults; i++) {
        for (size_t k = i + 1; k < n_access_faults; k++) {
            AccessQuestion q = access_question_new(access_faults[i].role, access_faults[i].action,
                                                   access_faults[i].purpose);

            if (access_faults[k].role != access_faults[i].role ||
                access_faults[k].action != access_faults[i].action ||
                g_strcmp0(access_faults[k].purpose, access_faults[i].purpose) != 0 ||
                access_faults[i].spoil == NULL)
                continue;
            if (access_faults[k].spoil == access_question_take_clock) /* nothing is stale then */
                continue;
            access_faults[k].spoil(&q);
            access_faults[i].spoil(&q);
            g_assert_cmpint(access_question_ask(&q).reason, <=, access_faults[i].reason);
        }
    }
}

static void
test_a_grant_has_limits(void)
{
    AccessQuestion q = access_question_new(ACCESS_ROLE_PROVIDER, ACCESS_PLAY, "TREAT");
    AccessDecision decision = {0};

    q.policy.start_us = q.policy.most_us = q.policy.idle_us = 86400 * SECOND_US;
    decision = access_question_ask(&q);
    g_assert_cmpint(decision.start_us, ==, 300 * SECOND_US);
    g_assert_cmpint(decision.most_us, ==, 3600 * SECOND_US);
    g_assert_cmpint(decision.idle_us, ==, 3600 * SECOND_US);
    g_assert_cmpuint(decision.tracks, ==, ALL_TRACKS);
    g_assert_false(decision.is_alarmed);

    q.policy.valid_until_us = NOW_US + 5 * SECOND_US;
    g_assert_cmpint(access_question_ask(&q).most_us, ==, 5 * SECOND_US);

    q = access_question_new(ACCESS_ROLE_PROVIDER, ACCESS_PLAY, "BTG");
    q.person.subject = "not of this session";
    decision = access_question_ask(&q);
    g_assert_cmpint(decision.reason, ==, ACCESS_OK);
    g_assert_cmpint(decision.most_us, ==, 1800 * SECOND_US);
    g_assert_true(decision.is_alarmed);

    q = access_question_new(ACCESS_ROLE_TRANSCRIBER, ACCESS_PLAY, "HOPERAT");
    g_assert_cmpuint(access_question_ask(&q).tracks, ==, ACCESS_TRACKS_AUDIO);
}

static void
test_a_solo_practice_works(void)
{
    AccessQuestion q = access_question_new(ACCESS_ROLE_PROVIDER, ACCESS_PLAY, "TREAT");

    q.person = (AccessPerson){.id = "operator:ann",
                              .org = "clinic-a",
                              .roles = 1U << ACCESS_ROLE_PROVIDER | 1U << ACCESS_ROLE_CUSTODIAN,
                              .is_operator = true,
                              .owns_every_session = true};
    g_assert_cmpint(access_question_ask(&q).reason, ==, ACCESS_OK);
    q.request.purpose = "HLEGAL";
    g_assert_cmpint(access_question_ask(&q).reason, ==, ACCESS_OK);
    q.request.purpose = "PATRQT";
    q.request.has_reason = false;
    g_assert_cmpint(access_question_ask(&q).reason, ==, ACCESS_REASON_MISSING);
}

static void
test_a_guardian_is_served(void)
{
    AccessQuestion q = access_question_new(ACCESS_ROLE_CLIENT, ACCESS_PLAY, "PATRQT");

    access_question_make_confidential(&q);
    q.session.is_minor_alone = false;
    g_assert_cmpint(access_question_ask(&q).reason, ==, ACCESS_OK);
}

static AccessQuestion
random_question(void)
{
    static const char *const purposes[] = {"TREAT",  "BTG",    "PATRQT",   "HOPERAT",
                                           "HLEGAL", "ETREAT", "HQUALIMP", NULL};
    AccessQuestion q = access_question_new(
        g_test_rand_int_range(0, N_ACCESS_ROLES),
        g_test_rand_bit() ? ACCESS_PLAY : g_test_rand_int_range(0, N_ACCESS_ACTIONS),
        purposes[g_test_rand_int_range(0, 8)]);

    q.person.roles |= (unsigned) g_test_rand_int_range(0, 1 << N_ACCESS_ROLES);
    for (int i = 0; i < 3; i++) {
        const AccessFault *row = &access_faults[g_test_rand_int_range(0, (int) n_access_faults)];

        if (g_test_rand_int_range(0, 4) == 0 && row->spoil != NULL)
            row->spoil(&q);
    }
    return q;
}

static void
test_taking_away_never_permits(void)
{
    unsigned n_permitted = 0;

    for (int round = 0; round < 50000; round++) {
        AccessQuestion q = random_question();
        const bool before = access_question_ask(&q).reason == ACCESS_OK;

        access_takes[g_test_rand_int_range(0, (int) n_access_takes)](&q);
        n_permitted += before;
        g_assert_true(before || access_question_ask(&q).reason != ACCESS_OK);
    }
    g_assert_cmpuint(n_permitted, >, 1000);
}

/* Whoever is added to a session can open it for themselves alone. */
static void
test_adding_a_stranger_never_permits(void)
{
    for (int round = 0; round < 20000; round++) {
        AccessQuestion q = random_question();
        const bool before = access_question_ask(&q).reason == ACCESS_OK;

        q.people[2] = (AccessParticipant){g_test_rand_bit() ? "stranger" : NULL, "provider"};
        g_assert_true(before || access_question_ask(&q).reason != ACCESS_OK);
    }
}

static void
test_another_organisation_is_never_served(void)
{
    for (int round = 0; round < 20000; round++) {
        AccessQuestion q = random_question();

        q.policy.org = "clinic-a";
        q.session.org = "clinic-b";
        g_assert_cmpint(access_question_ask(&q).reason, !=, ACCESS_OK);
    }
}

static void
test_nothing_denies(void)
{
    const AccessRequest request = {ACCESS_PLAY, "TREAT", 0, true, true, false};
    AccessQuestion q = access_question_new(ACCESS_ROLE_PROVIDER, ACCESS_PLAY, "TREAT");

    g_assert_cmpint(access_decide(NULL, NULL, NULL, NULL, 0).reason, ==, ACCESS_INTERNAL_ERROR);
    g_assert_cmpint(access_decide(NULL, &q.person, &q.session, &request, NOW_US).reason, ==,
                    ACCESS_POLICY_MISSING);
    g_assert_cmpint(access_decide(&q.policy, &q.person, NULL, &request, NOW_US).reason, ==,
                    ACCESS_INTERNAL_ERROR);
    q.session.participants = NULL;
    g_assert_cmpint(access_decide(&q.policy, &q.person, &q.session, &request, NOW_US).reason, ==,
                    ACCESS_INTERNAL_ERROR);
}

static void
test_every_reason_has_its_own_word(void)
{
    for (int a = 0; a <= ACCESS_OK; a++)
        for (int b = 0; b < a; b++)
            g_assert_cmpstr(access_reason_text(a), !=, access_reason_text(b));
    g_assert_null(access_reason_text(ACCESS_OK + 1));
    g_assert_null(access_role_text(N_ACCESS_ROLES));
    g_assert_null(access_action_text(N_ACCESS_ACTIONS));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/access/every-cell-of-the-table", test_every_cell_of_the_table);
    g_test_add_func("/access/every-reason", test_every_reason);
    g_test_add_func("/access/first-reason-of-the-list-wins", test_first_reason_of_the_list_wins);
    g_test_add_func("/access/a-grant-has-limits", test_a_grant_has_limits);
    g_test_add_func("/access/a-solo-practice-works", test_a_solo_practice_works);
    g_test_add_func("/access/a-guardian-is-served", test_a_guardian_is_served);
    g_test_add_func("/access/taking-away-never-permits", test_taking_away_never_permits);
    g_test_add_func("/access/adding-a-stranger-never-permits",
                    test_adding_a_stranger_never_permits);
    g_test_add_func("/access/another-organisation-is-never-served",
                    test_another_organisation_is_never_served);
    g_test_add_func("/access/nothing-denies", test_nothing_denies);
    g_test_add_func("/access/every-reason-has-its-own-word", test_every_reason_has_its_own_word);
    return g_test_run();
}
