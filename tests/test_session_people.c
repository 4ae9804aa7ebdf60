#include "agent/playback/session_people.h"

#include <string.h>

#define OWN "{\"purpose\":\"record-audio\",\"state\":\"granted\",\"at\":\"2026-11-21T17:00:00Z\"}"
#define GUARDIAN                                                                                   \
    "{\"purpose\":\"record-audio\",\"state\":\"granted\",\"by\":\"guardian\",\"at\":\"2026-11-"    \
    "21T17:00:00Z\"}"
#define META(members, consents)                                                                    \
    "{\"org\":\"clinic-a\",\"service\":\"mental-health\",\"participants\":[{\"id\":\"p1\","        \
    "\"role\":\"provider\",\"consents\":[" OWN "]},{\"id\":\"p2\",\"role\":\"client\"," members    \
    "\"consents\":[" consents "]}]}"

static SessionPeople *
parse(const char *text)
{
    SessionPeople *people = session_people_parse(text, strlen(text));

    g_assert_nonnull(people);
    return people;
}

/* A guardian is kept out by the rule that was kept; where none was, by who said yes. */
static void
test_a_minor_alone_is_known_by_the_rule_that_was_kept(void)
{
    static const struct {
        const char *text;
        bool is_alone;
    } rows[] = {
        {META("\"minor\":true,\"minor_rule\":\"alone\",",    OWN),              true },
        {META("\"minor\":true,\"minor_rule\":\"alone\",",    OWN "," GUARDIAN), true },
        {META("\"minor\":true,\"minor_rule\":\"alone\",",    ""),               true },
        {META("\"minor_rule\":\"alone\",",                   OWN),              true },
        {META("\"minor\":true,\"minor_rule\":\"both\",",     OWN "," GUARDIAN), false},
        {META("\"minor\":true,\"minor_rule\":\"guardian\",", GUARDIAN),         false},
        {META("\"minor\":true,",                             OWN),              true },
        {META("\"minor\":true,",                             OWN "," GUARDIAN), false},
        {META("\"minor\":true,",                             GUARDIAN),         false},
        {META("",                                            OWN),              false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(SessionPeople) people = parse(rows[i].text);

        g_test_message("row %zu", i);
        g_assert_true(session_people_have_minor_alone(people) == rows[i].is_alone);
    }
}

/* What is no age is one that nobody said. */
static void
test_reads_what_rules_look_at(void)
{
    g_autoptr(SessionPeople) people =
        parse(META("\"minor\":true,\"age\":13,\"jurisdiction\":\"US-CA\",", OWN));
    g_autoptr(SessionPeople) odd =
        parse(META("\"minor\":true,\"age\":4294967309,\"jurisdiction\":7,", OWN));
    const SessionPerson *person = session_people_list(people)->pdata[1];

    g_assert_cmpstr(session_people_service(people), ==, "mental-health");
    g_assert_true(person->is_minor && person->has_age);
    g_assert_cmpuint(person->age, ==, 13);
    g_assert_cmpstr(person->jurisdiction, ==, "US-CA");
    person = session_people_list(odd)->pdata[1];
    g_assert_false(person->has_age);
    g_assert_null(person->jurisdiction);
}

/* Who decides by them must know that somebody, or something that was said, is not among them. */
static void
test_says_whether_all_was_read(void)
{
    static const struct {
        const char *text;
        bool is_whole;
    } rows[] = {
        {META("",                                              OWN),                               true},
        {META("",                                                    ""),                                                                                true},
        {META("",                                                OWN "," GUARDIAN),   true},
        {META("","{\"purpose\":\"transcribe\",\"at\":\"2026-11-21T17:00:00Z\"}"),                false},
        {META("",                                              OWN ",{\"state\":\"refused\"}"),                              false},
        {META("",                                                    OWN ",7"),                                                                                false},
        {"{\"participants\":[]}",                                               true                                                   },
        {"{\"participants\":[{\"id\":\"p1\"}]}",false},
        {"{\"participants\":[{\"id\":\"p1\",\"role\":\"\"}]}",                              false             },
        {"{\"participants\":[{\"role\":\"client\"}]}",               false                                                    },
        {"{\"participants\":[\"p1\"]}", false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(SessionPeople) people = parse(rows[i].text);

        g_test_message("row %zu", i);
        g_assert_true(session_people_are_whole(people) == rows[i].is_whole);
    }
}

/* What was said and what rules look at comes to the decision. */
static void
test_hands_over_what_is_asked(void)
{
    g_autoptr(SessionPeople) people =
        parse(META("\"minor\":true,\"age\":13,\"jurisdiction\":\"US-CA\",", OWN "," GUARDIAN));
    const ConsentParticipant one = session_people_asked(session_people_list(people)->pdata[1]);

    g_assert_cmpstr(one.id, ==, "p2");
    g_assert_cmpstr(one.role, ==, "client");
    g_assert_cmpuint(one.n_consents, ==, 2);
    g_assert_false(one.consents[0].is_guardians);
    g_assert_true(one.consents[1].is_guardians);
    g_assert_true(one.is_minor && one.has_age);
    g_assert_cmpuint(one.age, ==, 13);
    g_assert_cmpstr(one.jurisdiction, ==, "US-CA");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session-people/a-minor-alone-is-known-by-the-rule-that-was-kept",
                    test_a_minor_alone_is_known_by_the_rule_that_was_kept);
    g_test_add_func("/session-people/reads-what-rules-look-at", test_reads_what_rules_look_at);
    g_test_add_func("/session-people/says-whether-all-was-read", test_says_whether_all_was_read);
    g_test_add_func("/session-people/hands-over-what-is-asked", test_hands_over_what_is_asked);
    return g_test_run();
}
