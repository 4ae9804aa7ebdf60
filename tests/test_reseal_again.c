#include "crypto/crypto_error.h"
#include "tests/fakes/cut_store.h"
#include "tests/fakes/leaked_visit.h"
#include "tests/fakes/visit_keys.h"

/* A session that was sealed anew, or was going to be, is sealed anew again. */

enum { ALL = 2 * LEAKED_VISIT_SEGMENTS };

/* The recorder's signature is handed on. */
static void
test_a_second_leak_is_answered_as_well(void)
{
    g_autoptr(LeakedVisit) visit = leaked_visit_new();
    const ResealJob first = leaked_visit_job(visit, NULL);
    g_auto(ResealResult) result = {0};
    g_auto(ResealResult) again = {0};
    g_autoptr(GPtrArray) old = NULL;
    ResealJob second;

    leaked_visit_run(&first, &result);
    old = leaked_visit_envelope(visit, 2, visit->fresh);
    second = leaked_visit_second_job(visit);
    leaked_visit_run(&second, &again);

    g_assert_true(again.is_resealed);
    leaked_visit_assert_findings(visit, "");
    g_assert_cmpint(leaked_visit_opens(visit, visit->fresher), ==, ALL);
    g_assert_cmpint(leaked_visit_opens(visit, visit->fresh), ==, -1);
    g_assert_cmpuint(leaked_visit_opened_by(visit, old), ==, 0);
}

/* A run against one key does not go on with what one against another left: that may be sealed to
 * it. */
static void
test_another_key_begins_anew(void)
{
    g_autoptr(LeakedVisit) visit = leaked_visit_new();
    g_autoptr(ObjectStore) cut = cut_store_new(visit->store, 7);
    const ResealJob killed = leaked_visit_job(visit, cut);
    g_auto(ResealResult) result = {0};
    g_auto(ResealResult) again = {0};
    g_autoptr(GPtrArray) old = NULL;
    ResealJob second;

    g_assert_false(reseal_run(&killed, &result, NULL));
    old = leaked_visit_envelope(visit, 2, visit->fresh);
    second = leaked_visit_second_job(visit);
    second.takes_over = true;
    /* What opens the first envelope is the key that was leaked first. */
    g_ptr_array_add(second.keys.identities, visit->leaked);
    leaked_visit_run(&second, &again);

    leaked_visit_assert_findings(visit, "");
    g_assert_cmpint(leaked_visit_opens(visit, visit->fresher), ==, ALL);
    g_assert_cmpuint(leaked_visit_opened_by(visit, old), ==, 0);
}

/* A transcript that came since may be sealed to the key that was leaked: a later run takes it
 * along, and what the recorder signed of the rest is handed on. */
static void
test_a_transcript_that_came_since_is_sealed_anew_too(void)
{
    g_autoptr(LeakedVisit) visit = leaked_visit_new();
    const ResealJob job = leaked_visit_job(visit, NULL);
    g_auto(ResealResult) result = {0};
    g_auto(ResealResult) again = {0};
    g_auto(ResealResult) third = {0};
    g_autoptr(GPtrArray) old = NULL;

    leaked_visit_run(&job, &result);
    leaked_visit_add_text(visit, 3, visit->leaked);
    leaked_visit_assert_findings(visit, "");
    old = leaked_visit_envelope(visit, 3, visit->leaked);
    g_assert_cmpuint(leaked_visit_opened_by(visit, old), >, 0);
    leaked_visit_run(&job, &again);

    g_assert_true(again.is_resealed);
    g_assert_cmpuint(again.n_objects, ==, 6);
    leaked_visit_assert_findings(visit, "");
    g_assert_cmpint(leaked_visit_opens(visit, visit->fresh), ==, ALL + LEAKED_VISIT_SEGMENTS);
    g_assert_cmpint(leaked_visit_opens(visit, visit->leaked), ==, -1);
    g_assert_cmpuint(leaked_visit_opened_by(visit, old), ==, 0);
    leaked_visit_run(&job, &third);
    g_assert_true(third.is_current);
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/reseal-again/a-second-leak-is-answered-as-well",
                    test_a_second_leak_is_answered_as_well);
    g_test_add_func("/reseal-again/another-key-begins-anew", test_another_key_begins_anew);
    g_test_add_func("/reseal-again/a-transcript-that-came-since-is-sealed-anew-too",
                    test_a_transcript_that_came_since_is_sealed_anew_too);
    status = g_test_run();
    visit_keys_free();
    return status;
}
