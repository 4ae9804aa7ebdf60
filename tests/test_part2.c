#include "agent/policy/part2.h"

#include <glib.h>
#include <string.h>

#define NOW_US ((int64_t) 1795300000 * G_USEC_PER_SEC)
#define DAY_US ((int64_t) 86400 * G_USEC_PER_SEC)

static const char *const enabled[] = {"record-audio", "sud-tpo",   "sud-other",
                                      "sud-legal",    "sud-notes", NULL};

/* Nothing of what is asked of being recorded is asked here: the text, the age, who says yes. */
static const char *const providers[] = {"provider", NULL};
static const ConsentPolicy policy = {.org = "clinic-a",
                                     .purposes = enabled,
                                     .text_version = "2026-01",
                                     .max_age_us = DAY_US,
                                     .roles = providers};

static ConsentRecord
yes(const char *purpose, const char *recipient)
{
    return (ConsentRecord){.purpose = purpose,
                           .state = "granted",
                           .evidence = "form-1",
                           .recipient = recipient,
                           .at_us = NOW_US - 400 * DAY_US};
}

/* Of a provider who has said nothing, and one client with these records. */
static unsigned
given(const ConsentRecord *records, size_t n_records, const char *recipient)
{
    const ConsentParticipant people[] = {
        {.id = "p1",           .role = "provider"     },
        { .id = "p2", .role = "client", .consents = records, .n_consents = n_records},
    };
    const ConsentSession session = {.org = "clinic-a", .participants = people, .n_participants = 2};

    return part2_consents(&policy, &session, recipient, NOW_US);
}

static void
test_what_each_opening_needs(void)
{
    const unsigned legal = PART2_CONSENT_LEGAL, notes = PART2_CONSENT_NOTES;
    const struct {
        const char *use;
        unsigned inside, outside, notes_inside, notes_outside;
    } rows[] = {
        {"TREAT",     0,     PART2_CONSENT_TPO,   0,             notes        },
        {"ETREAT",    0,     PART2_CONSENT_TPO,   notes,         notes        },
        {"BTG",       0,     0,                   0,             0            },
        {"HPAYMT",    0,     PART2_CONSENT_TPO,   notes,         notes        },
        {"HOPERAT",   0,     PART2_CONSENT_TPO,   notes,         notes        },
        {"HCOMPL",    0,     PART2_CONSENT_TPO,   notes,         notes        },
        {"HQUALIMP",  0,     PART2_CONSENT_TPO,   notes,         notes        },
        {"HLEGAL",    legal, legal,               legal | notes, legal | notes},
        {"RECORDMGT", 0,     PART2_CONSENT_OTHER, 0,             notes        },
        {"TRAIN",     0,     PART2_CONSENT_OTHER, 0,             notes        },
        {"PATRQT",    0,     PART2_CONSENT_OTHER, 0,             notes        },
        {"HRESCH",    0,     PART2_CONSENT_OTHER, notes,         notes        },
        {"nothing",   0,     PART2_CONSENT_OTHER, notes,         notes        },
        {NULL,        0,     PART2_CONSENT_OTHER, notes,         notes        },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpuint(part2_needs(PART2_NONE, rows[i].use, true), ==, 0);
        g_assert_cmpuint(part2_needs(PART2_RECORD, rows[i].use, false), ==, rows[i].inside);
        g_assert_cmpuint(part2_needs(PART2_RECORD, rows[i].use, true), ==, rows[i].outside);
        g_assert_cmpuint(part2_needs(PART2_NOTES, rows[i].use, false), ==, rows[i].notes_inside);
        g_assert_cmpuint(part2_needs(PART2_NOTES, rows[i].use, true), ==, rows[i].notes_outside);
        g_assert_cmpuint(part2_needs((Part2Label) 7, rows[i].use, true), ==, rows[i].notes_outside);
    }
}

/* None stands in for another. */
static void
test_each_consent_is_one(void)
{
    for (size_t i = 0; i < PART2_N_CONSENTS; i++) {
        const ConsentRecord record = yes(part2_purpose(i), "court-3");

        g_assert_cmpuint(given(&record, 1, "court-3"), ==, 1U << i);
        g_assert_cmpuint(given(&record, 1, "court-4"), ==, 0);
        g_assert_cmpuint(given(&record, 1, NULL), ==, 0);
    }
    g_assert_null(part2_purpose(PART2_N_CONSENTS));
}

static void
test_one_that_names_nobody(void)
{
    for (size_t i = 0; i < PART2_N_CONSENTS; i++) {
        const ConsentRecord record = yes(part2_purpose(i), NULL);
        const unsigned bit = 1U << i;

        g_assert_cmpuint(given(&record, 1, "payer-9"), ==, bit == PART2_CONSENT_TPO ? bit : 0);
        g_assert_cmpuint(given(&record, 1, NULL), ==, bit);
    }
}

static void
test_what_is_no_consent(void)
{
    ConsentRecord records[6];

    for (size_t i = 0; i < G_N_ELEMENTS(records); i++)
        records[i] = yes("sud-tpo", NULL);
    records[0].evidence = NULL;
    records[1].state = "refused";
    records[2].until_us = NOW_US;
    records[3].at_us = NOW_US + DAY_US;
    records[4].purpose = "record-audio";
    records[5].is_guardians = true; /* of an adult */
    for (size_t i = 0; i < G_N_ELEMENTS(records); i++)
        g_assert_cmpuint(given(&records[i], 1, "payer-9"), ==, 0);
    g_assert_cmpuint(given(NULL, 0, NULL), ==, 0);
    g_assert_cmpuint(part2_consents(NULL, NULL, NULL, NOW_US), ==, 0);
}

/* The newest for that recipient decides, and a withdrawal that names nobody is one for all. */
static void
test_withdrawals(void)
{
    ConsentRecord records[] = {yes("sud-other", "court-3"), yes("sud-other", "court-4"),
                               yes("sud-other", "court-3")};

    records[2].state = "withdrawn";
    records[2].at_us += DAY_US;
    g_assert_cmpuint(given(records, 3, "court-3"), ==, 0);
    g_assert_cmpuint(given(records, 3, "court-4"), ==, PART2_CONSENT_OTHER);
    records[2].recipient = NULL;
    g_assert_cmpuint(given(records, 3, "court-4"), ==, 0);
    g_assert_cmpuint(given(records, 2, "court-4"), ==, PART2_CONSENT_OTHER);
}

/* Every client, and clients alone: of nobody's session nothing is given. */
static void
test_every_client(void)
{
    const ConsentRecord record = yes("sud-tpo", NULL);
    const ConsentParticipant people[] = {
        {.id = "p2",           .role = "client", .consents = &record, .n_consents = 1},
        {.id = "p3",           .role = "client"},
        {.id = "p4", .role = "provider",  .consents = &record,                    .n_consents = 1                         },
    };
    ConsentSession session = {.org = "clinic-a", .participants = people, .n_participants = 1};

    g_assert_cmpuint(part2_consents(&policy, &session, NULL, NOW_US), ==, PART2_CONSENT_TPO);
    session.n_participants = 2;
    g_assert_cmpuint(part2_consents(&policy, &session, NULL, NOW_US), ==, 0);
    session.participants = people + 2;
    session.n_participants = 1;
    g_assert_cmpuint(part2_consents(&policy, &session, NULL, NOW_US), ==, 0);
}

static void
test_enabled_by_the_organisation(void)
{
    static const char *const others[] = {"record-audio", "sud-legal", NULL};
    const ConsentRecord record = yes("sud-tpo", NULL);
    const ConsentParticipant client = {
        .id = "p2", .role = "client", .consents = &record, .n_consents = 1};
    const ConsentSession session = {
        .org = "clinic-a", .participants = &client, .n_participants = 1};
    ConsentPolicy narrow = policy;

    narrow.purposes = others;
    g_assert_cmpuint(part2_consents(&narrow, &session, NULL, NOW_US), ==, 0);
}

static void
test_bound(void)
{
    const ConsentRecord records[] = {yes("sud-other", "court-3"), yes("sud-other", "court-4")};
    const ConsentParticipant client = {
        .id = "p2", .role = "client", .consents = records, .n_consents = 2};

    g_assert_true(part2_bound(&client, "sud-other", "court-3") == &records[0]);
    g_assert_true(part2_bound(&client, "sud-other", "court-4") == &records[1]);
    g_assert_null(part2_bound(&client, "sud-other", "court-5"));
    g_assert_null(part2_bound(&client, "sud-tpo", "court-3"));
}

static void
test_labels_and_notices(void)
{
    g_assert_cmpint(part2_label("part2"), ==, PART2_RECORD);
    g_assert_cmpint(part2_label("sud-notes"), ==, PART2_NOTES);
    g_assert_cmpint(part2_label("part3"), ==, PART2_NONE);
    g_assert_cmpint(part2_label(NULL), ==, PART2_NONE);
    g_assert_cmpstr(part2_label_text(PART2_NOTES), ==, "sud-notes");
    g_assert_null(part2_label_text((Part2Label) 9));
    g_assert_nonnull(strstr(part2_notice(), "(42 CFR part 2)"));
    g_assert_nonnull(strstr(part2_short_notice(), "42 CFR part 2"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/part2/what-each-opening-needs", test_what_each_opening_needs);
    g_test_add_func("/part2/each-consent-is-one", test_each_consent_is_one);
    g_test_add_func("/part2/one-that-names-nobody", test_one_that_names_nobody);
    g_test_add_func("/part2/what-is-no-consent", test_what_is_no_consent);
    g_test_add_func("/part2/withdrawals", test_withdrawals);
    g_test_add_func("/part2/every-client", test_every_client);
    g_test_add_func("/part2/enabled-by-the-organisation", test_enabled_by_the_organisation);
    g_test_add_func("/part2/bound", test_bound);
    g_test_add_func("/part2/labels-and-notices", test_labels_and_notices);
    return g_test_run();
}
