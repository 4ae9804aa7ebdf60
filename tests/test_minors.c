#include "agent/policy/consent.h"

#include <glib.h>

#define NOW_US ((int64_t) 1795300000 * G_USEC_PER_SEC)
#define AUDIO  "record-audio"

enum { BOTH = CONSENT_MINORS_BOTH, GUARDIAN, ALONE, NEVER, N_RULES };

/* A clinic in two states. */
static const MinorsRow rows[] = {
    {"US-CA", "mental-health", 12, CONSENT_MINORS_ALONE   },
    {NULL,    "sud",           14, CONSENT_MINORS_ALONE   },
    {"US-CA", NULL,            0,  CONSENT_MINORS_BOTH    },
    {"US",    NULL,            16, CONSENT_MINORS_ALONE   },
    {"US",    NULL,            0,  CONSENT_MINORS_GUARDIAN},
};
static const MinorsRules clinic = {rows, G_N_ELEMENTS(rows), CONSENT_MINORS_NEVER};

static void
test_first_row_that_fits_decides(void)
{
    static const struct {
        MinorsFacts facts;
        ConsentMinors who;
    } cases[] = {
        {{"US-CA", "mental-health", true, 13}, CONSENT_MINORS_ALONE   },
        {{"US-CA", "mental-health", true, 12}, CONSENT_MINORS_ALONE   },
        {{"US-CA", "mental-health", true, 11}, CONSENT_MINORS_BOTH    },
        {{"US-CA", "dermatology", true, 17},   CONSENT_MINORS_BOTH    },
        {{"US-CA", "sud", true, 14},           CONSENT_MINORS_ALONE   },
        {{"US-CA", "sud", true, 13},           CONSENT_MINORS_BOTH    },
        {{"US-OR", "mental-health", true, 13}, CONSENT_MINORS_GUARDIAN},
        {{"US-OR", "mental-health", true, 16}, CONSENT_MINORS_ALONE   },
        {{"US-OR", "sud", true, 15},           CONSENT_MINORS_ALONE   },
        {{"DE-BE", "sud", true, 15},           CONSENT_MINORS_ALONE   },
        {{"DE-BE", "mental-health", true, 15}, CONSENT_MINORS_NEVER   },
        {{"DE", "mental-health", true, 15},    CONSENT_MINORS_NEVER   },
 /* Something is not said. */
        {{"US", "mental-health", true, 13},    CONSENT_MINORS_BOTH    },
        {{"US", "sud", true, 13},              CONSENT_MINORS_BOTH    },
        {{"US", "sud", true, 15},              CONSENT_MINORS_ALONE   },
        {{NULL, "sud", true, 15},              CONSENT_MINORS_ALONE   },
        {{NULL, "mental-health", true, 15},    CONSENT_MINORS_NEVER   },
        {{"US-CA", "mental-health", false, 0}, CONSENT_MINORS_BOTH    },
        {{"US-CA", NULL, true, 15},            CONSENT_MINORS_BOTH    },
        {{"US-OR", "mental-health", false, 0}, CONSENT_MINORS_BOTH    },
        {{"US-OR", NULL, true, 13},            CONSENT_MINORS_GUARDIAN},
        {{"US-OR", NULL, true, 17},            CONSENT_MINORS_ALONE   },
        {{"", "", false, 0},                   CONSENT_MINORS_NEVER   },
        {{NULL, NULL, false, 0},               CONSENT_MINORS_NEVER   },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %zu", i);
        g_assert_cmpstr(minors_text(minors_decide(&clinic, &cases[i].facts)), ==,
                        minors_text(cases[i].who));
    }
}

static void
test_without_rows_the_general_rule_decides(void)
{
    const MinorsFacts facts = {"US-CA", "sud", true, 15};

    for (unsigned who = 0; who < N_RULES; who++) {
        const MinorsRules rules = {NULL, 0, (ConsentMinors) who};

        g_assert_cmpint(minors_decide(&rules, &facts), ==, who);
    }
    g_assert_cmpint(minors_decide(&(MinorsRules){NULL, 0, (ConsentMinors) 9}, &facts), ==, NEVER);
}

/* Small worlds: `US-XX` and `GB` are places, and "other" a service, that no row names. */
static const char *const row_places[] = {NULL, "US", "US-CA", "US-OR"};
static const char *const row_services[] = {NULL, "sud", "mental-health"};
static const char *const places[] = {"US-CA", "US-OR", "US-XX", "GB"};
static const char *const services[] = {"sud", "mental-health", "other"};
static const unsigned ages[] = {5, 12, 13, 14, 15, 16, 17};

#define PICK(list) ((list)[g_test_rand_int_range(0, G_N_ELEMENTS(list))])
#define MAX_ROWS   6

static MinorsRules
random_rules(MinorsRow *space)
{
    static const unsigned from_ages[] = {0, 12, 14, 16};
    const size_t n_rows = (size_t) g_test_rand_int_range(0, MAX_ROWS + 1);

    for (size_t i = 0; i < n_rows; i++) {
        space[i] = (MinorsRow){PICK(row_places), PICK(row_services), PICK(from_ages),
                               (ConsentMinors) g_test_rand_int_range(0, N_RULES)};
    }
    return (MinorsRules){space, n_rows, (ConsentMinors) g_test_rand_int_range(0, N_RULES)};
}

static MinorsFacts
random_facts(void)
{
    return (MinorsFacts){PICK(places), PICK(services), true, PICK(ages)};
}

/* Leaves something unsaid, or nothing. */
static MinorsFacts
forget(MinorsFacts facts)
{
    if (g_test_rand_bit())
        facts.has_age = false;
    if (g_test_rand_bit())
        facts.service = NULL;
    if (g_test_rand_bit()) {
        facts.jurisdiction =
            g_str_has_prefix(facts.jurisdiction, "US") && g_test_rand_bit() ? "US" : NULL;
    }
    return facts;
}

static bool
may_be_in(const char *place, const char *said)
{
    return said == NULL || g_strcmp0(place, said) == 0 ||
           (g_strcmp0(said, "US") == 0 && g_str_has_prefix(place, "US-"));
}

/* Of 1 << ConsentMinors: all that it comes to, whatever the truth is of what was not said. */
static unsigned
all_outcomes(const MinorsRules *rules, const MinorsFacts *said)
{
    unsigned outcomes = 0;

    for (size_t p = 0; p < G_N_ELEMENTS(places); p++) {
        for (size_t s = 0; s < G_N_ELEMENTS(services); s++) {
            for (size_t a = 0; a < G_N_ELEMENTS(ages); a++) {
                const MinorsFacts truth = {places[p], services[s], true, ages[a]};

                if (may_be_in(truth.jurisdiction, said->jurisdiction) &&
                    (said->service == NULL || g_strcmp0(said->service, truth.service) == 0) &&
                    (!said->has_age || said->age == truth.age))
                    outcomes |= 1U << minors_decide(rules, &truth);
            }
        }
    }
    return outcomes;
}

/* The strictest of what it can come to, and of nothing else. */
static void
test_what_is_not_said_is_the_strictest_it_could_be(void)
{
    unsigned n_forgotten = 0;

    for (int round = 0; round < 20000; round++) {
        MinorsRow space[MAX_ROWS];
        const MinorsRules rules = random_rules(space);
        const MinorsFacts said = forget(random_facts());
        const unsigned outcomes = all_outcomes(&rules, &said);
        const ConsentMinors who = minors_decide(&rules, &said);

        if ((outcomes & 1U << NEVER) != 0) {
            g_assert_cmpint(who, ==, NEVER);
        } else if (outcomes == 1U << ALONE || outcomes == 1U << GUARDIAN) {
            g_assert_cmpuint(1U << who, ==, outcomes);
        } else {
            g_assert_cmpint(who, ==, BOTH);
        }
        n_forgotten += (outcomes & (outcomes - 1)) != 0;
    }
    g_assert_cmpuint(n_forgotten, >, 1000);
}

/* A minor's own word and a guardian's; each is there, a yes, or neither. */
typedef struct {
    ConsentRecord records[2];
    ConsentParticipant minor;
} Visit;

static void
fill_visit(Visit *self, MinorsFacts facts)
{
    static const char *const states[] = {"granted", "granted", "granted", "refused", "maybe"};
    size_t n = 0;

    for (int who = 0; who < 2; who++) {
        if (g_test_rand_int_range(0, 4) == 0)
            continue;
        self->records[n++] = (ConsentRecord){
            .purpose = AUDIO, .state = PICK(states), .at_us = NOW_US - 1, .is_guardians = who == 1};
    }
    self->minor = (ConsentParticipant){.id = "p1",
                                       .role = "client",
                                       .consents = self->records,
                                       .n_consents = n,
                                       .is_minor = true,
                                       .has_age = facts.has_age,
                                       .age = facts.age,
                                       .jurisdiction = facts.jurisdiction};
}

static bool
is_permitted(const MinorsRules *rules, const Visit *visit, const char *service)
{
    static const char *const purposes[] = {AUDIO, NULL};
    const ConsentPolicy policy = {.org = "clinic-a", .purposes = purposes, .minors = *rules};
    const ConsentSession session = {
        .org = "clinic-a", .participants = &visit->minor, .n_participants = 1, .service = service};

    return consent_decide(&policy, &session, AUDIO, NOW_US).reason == CONSENT_OK;
}

static void
test_leaving_out_never_permits(void)
{
    unsigned n_turned = 0;

    for (int round = 0; round < 20000; round++) {
        MinorsRow space[MAX_ROWS];
        const MinorsRules rules = random_rules(space);
        const MinorsFacts facts = random_facts();
        const MinorsFacts said = forget(facts);
        Visit visit;
        bool before = false;
        bool after = false;

        fill_visit(&visit, facts);
        before = is_permitted(&rules, &visit, facts.service);
        visit.minor.has_age = said.has_age;
        visit.minor.jurisdiction = said.jurisdiction;
        after = is_permitted(&rules, &visit, said.service);
        g_assert_true(before || !after);
        n_turned += before && !after;
    }
    g_assert_cmpuint(n_turned, >, 500);
}

static void
test_what_both_permit_each_permits(void)
{
    unsigned n_permitted = 0;

    for (int round = 0; round < 20000; round++) {
        const MinorsRules by[] = {
            {NULL, 0, CONSENT_MINORS_BOTH    },
            {NULL, 0, CONSENT_MINORS_GUARDIAN},
            {NULL, 0, CONSENT_MINORS_ALONE   },
            {NULL, 0, CONSENT_MINORS_NEVER   },
            {NULL, 0, (ConsentMinors) 9      },
        };
        Visit visit;
        bool permits[G_N_ELEMENTS(by)];

        fill_visit(&visit, random_facts());
        for (size_t i = 0; i < G_N_ELEMENTS(by); i++)
            permits[i] = is_permitted(&by[i], &visit, NULL);
        g_assert_true(!permits[BOTH] || (permits[GUARDIAN] && permits[ALONE]));
        g_assert_false(permits[NEVER] || permits[NEVER + 1]);
        n_permitted += permits[BOTH];
    }
    g_assert_cmpuint(n_permitted, >, 1000);
}

/* For an adult the rows say nothing. */
static void
test_an_adult_speaks_for_themselves(void)
{
    static const MinorsRow never = {NULL, NULL, 0, CONSENT_MINORS_NEVER};
    const MinorsRules rules = {&never, 1, CONSENT_MINORS_NEVER};
    const ConsentRecord yes = {.purpose = AUDIO, .state = "granted", .at_us = NOW_US - 1};
    Visit visit = {
        .minor = {.id = "p1", .role = "client", .consents = &yes, .n_consents = 1}
    };

    g_assert_true(is_permitted(&rules, &visit, NULL));
    visit.minor.is_minor = true;
    g_assert_false(is_permitted(&rules, &visit, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/minors/first-row-that-fits-decides", test_first_row_that_fits_decides);
    g_test_add_func("/minors/without-rows-the-general-rule-decides",
                    test_without_rows_the_general_rule_decides);
    g_test_add_func("/minors/what-is-not-said-is-the-strictest-it-could-be",
                    test_what_is_not_said_is_the_strictest_it_could_be);
    g_test_add_func("/minors/leaving-out-never-permits", test_leaving_out_never_permits);
    g_test_add_func("/minors/what-both-permit-each-permits", test_what_both_permit_each_permits);
    g_test_add_func("/minors/an-adult-speaks-for-themselves", test_an_adult_speaks_for_themselves);
    return g_test_run();
}
