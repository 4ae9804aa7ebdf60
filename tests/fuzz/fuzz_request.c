#include "agent/recorder/session_request.h"
#include "crypto/crypto_error.h"

#include <string.h>

/* Bodies of requests to the control API, one a line, in the order in which a backend sends them: a
 * session, then people who join and what they say. What is refused changes nothing; what is taken
 * comes out again as it went in; and the decision is one of the codes, whatever was said. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

enum { NOW_US = 1000000 };

static void
check_fault(const char *fault)
{
    g_assert_true(g_utf8_validate(fault, -1, NULL));
    g_assert_true(fault[0] != '\0' && strchr(fault, '\n') == NULL);
}

/* What the sealed metadata says of the participants can be read back, and says the same again. */
static void
check_round_trip(const Participants *participants)
{
    json_t *list = participants_to_json(participants);
    g_autoptr(Participants) again = participants_new();
    const json_t *form = NULL;
    size_t i = 0;

    json_array_foreach(list, i, form)
    {
        g_autofree char *fault = participants_add(again, form);
        g_assert_cmpstr(fault, ==, NULL);
    }
    json_t *list_again = participants_to_json(again);
    g_assert_true(json_equal(list, list_again));
    json_decref(list_again);
    json_decref(list);
}

static void
check_refusal(Participants *participants, const json_t *form,
              char *(*take)(Participants *, const json_t *) )
{
    json_t *before = participants_to_json(participants);
    g_autofree char *fault = take(participants, form);

    if (fault != NULL) {
        json_t *after = participants_to_json(participants);
        check_fault(fault);
        g_assert_true(json_equal(before, after));
        json_decref(after);
    }
    json_decref(before);
}

/* Without a policy nothing may ever be permitted. */
static void
check_decision(const Participants *participants)
{
    const ConsentDecision decision = participants_decide(
        participants, NULL, &(ConsentSession){.org = "clinic-a"}, "record-audio", NOW_US);

    g_assert_cmpint(decision.reason, ==, CONSENT_POLICY_MISSING);
}

static void
take_body(SessionRequest **session, json_t *body)
{
    g_autofree char *fault = NULL;

    if (*session == NULL) {
        *session = session_request_parse(body, &fault);
        g_assert_true((*session == NULL) == (fault != NULL));
        if (fault != NULL)
            check_fault(fault);
    } else if (json_object_get(body, "participant") != NULL) {
        check_refusal((*session)->participants, body, participants_add_consent);
    } else {
        check_refusal((*session)->participants, body, participants_add);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    SessionRequest *session = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(crypto_start(&error));
    for (unsigned i = 0; lines[i] != NULL; i++) {
        json_t *body = json_loads(lines[i], JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(body))
            take_body(&session, body);
        json_decref(body);
    }
    if (session != NULL) {
        check_round_trip(session->participants);
        check_decision(session->participants);
        session_request_free(session);
    }
    return 0;
}
