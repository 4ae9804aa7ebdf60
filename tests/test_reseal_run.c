#include "agent/reseal/reseal_run.h"
#include "crypto/crypto_error.h"
#include "storage/storage_error.h"
#include "tests/fakes/cut_store.h"
#include "tests/fakes/effort.h"
#include "tests/fakes/flaky_store.h"
#include "tests/fakes/leaked_visit.h"
#include "tests/fakes/visit_keys.h"

#include <string.h>

enum { ALL = 2 * LEAKED_VISIT_SEGMENTS };

static void
assert_refused(const ResealJob *job, int code, const char *words)
{
    g_auto(ResealResult) result = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(reseal_run(job, &result, &error));
    g_test_message("%s", error->message);
    g_assert_error(error, STORAGE_ERROR, code);
    g_assert_nonnull(strstr(error->message, words));
}

static GBytes *
object(LeakedVisit *visit, const char *relative)
{
    g_autofree char *key = g_strconcat("clinic-a/visit-1/", relative, NULL);

    return object_store_get(visit->store, key, NULL);
}

/* What holds once a session was sealed anew. `old`: the keys that were leaked with it. */
static void
assert_resealed(LeakedVisit *visit, GPtrArray *old)
{
    leaked_visit_assert_findings(visit, "");
    g_assert_cmpint(leaked_visit_opens(visit, visit->fresh), ==, ALL);
    g_assert_cmpint(leaked_visit_opens(visit, visit->glass), ==, ALL);
    g_assert_cmpint(leaked_visit_opens(visit, visit->leaked), ==, -1);
    g_assert_cmpuint(leaked_visit_opened_by(visit, old), ==, 0);
}

static void
test_leaked_keys_open_nothing_and_the_media_are_the_same(void)
{
    g_autoptr(LeakedVisit) visit = leaked_visit_new();
    g_autoptr(GPtrArray) old = leaked_visit_envelope(visit, 1, visit->leaked);
    const ResealJob job = leaked_visit_job(visit, NULL);
    g_auto(ResealResult) result = {0};

    g_assert_cmpint(leaked_visit_opens(visit, visit->leaked), ==, ALL);
    g_assert_cmpuint(leaked_visit_opened_by(visit, old), >, 0);
    leaked_visit_run(&job, &result);

    g_assert_true(result.is_resealed);
    g_assert_cmpuint(result.n_objects, ==, 4);
    /* An envelope, a statement, four objects. */
    g_assert_cmpuint(result.removal.n_removed, ==, 6);
    assert_resealed(visit, old);
}

static void
test_a_second_run_does_nothing(void)
{
    g_autoptr(LeakedVisit) visit = leaked_visit_new();
    const ResealJob job = leaked_visit_job(visit, NULL);
    g_auto(ResealResult) result = {0};
    g_auto(ResealResult) again = {0};
    g_autoptr(GPtrArray) before = NULL;
    g_autoptr(GPtrArray) after = NULL;

    leaked_visit_run(&job, &result);
    before = object_store_list(visit->store, "", NULL);
    leaked_visit_run(&job, &again);
    after = object_store_list(visit->store, "", NULL);

    g_assert_true(again.is_current);
    g_assert_cmpuint(before->len, ==, after->len);
}

/* Cut off behind each change that a run makes, it goes on to the same end; and at no moment is
 * there less than one whole recording that opens. */
static void
test_cut_off_anywhere_it_goes_on(void)
{
    /* Under a sanitizer, which makes each of them last seconds, behind every fourth. */
    const unsigned step = effort_step(4);
    bool was_cut = true;
    unsigned n_changes = 0;

    for (; was_cut; n_changes += step) {
        g_autoptr(LeakedVisit) visit = leaked_visit_new();
        g_autoptr(GPtrArray) old = leaked_visit_envelope(visit, 1, visit->leaked);
        g_autoptr(ObjectStore) cut = cut_store_new(visit->store, n_changes);
        ResealJob job = leaked_visit_job(visit, cut);
        g_auto(ResealResult) result = {0};
        g_auto(ResealResult) again = {0};
        g_autoptr(GError) error = NULL;

        was_cut = !reseal_run(&job, &result, &error);
        g_assert_true(was_cut == cut_store_was_cut(cut));
        g_assert_cmpint(
            MAX(leaked_visit_opens(visit, visit->leaked), leaked_visit_opens(visit, visit->fresh)),
            ==, ALL);

        job.keys.store = visit->store;
        job.takes_over = true;
        leaked_visit_run(&job, &again);
        assert_resealed(visit, old);
    }
    /* An envelope, four objects and what they were made with, a statement, a note, metadata, and
     * what is removed. */
    g_assert_cmpuint(n_changes, >, 4 + 4 + 4 + 6);
}

static void
test_another_run_is_kept_off(void)
{
    g_autoptr(LeakedVisit) visit = leaked_visit_new();
    g_autoptr(ObjectStore) cut = cut_store_new(visit->store, 3);
    const ResealJob killed = leaked_visit_job(visit, cut);
    ResealJob job = leaked_visit_job(visit, NULL);
    g_auto(ResealResult) result = {0};
    g_auto(ResealResult) taken_over = {0};

    g_assert_false(reseal_run(&killed, &result, NULL));
    assert_refused(&job, STORAGE_ERROR_BUSY, "--take-over");
    leaked_visit_assert_findings(visit, "reseal-unfinished ");
    job.takes_over = true;
    leaked_visit_run(&job, &taken_over);
    leaked_visit_assert_findings(visit, "");
}

static void
test_a_hold_does_not_keep_it(void)
{
    g_autoptr(LeakedVisit) visit = leaked_visit_new();
    const ResealJob job = leaked_visit_job(visit, NULL);
    g_auto(ResealResult) result = {0};

    g_assert_true(leaked_visit_annotate(visit, ANNOTATION_HOLD_PLACED, ANNOTATION_MATTER, "m-1"));
    leaked_visit_run(&job, &result);

    g_assert_cmpuint(result.matters->len, ==, 1);
    g_assert_cmpstr(result.matters->pdata[0], ==, "m-1");
    g_assert_cmpint(leaked_visit_opens(visit, visit->fresh), ==, ALL);
}

static void
test_an_erasure_that_has_begun_does(void)
{
    g_autoptr(LeakedVisit) visit = leaked_visit_new();
    const ResealJob job = leaked_visit_job(visit, NULL);

    g_assert_true(
        leaked_visit_annotate(visit, ANNOTATION_ERASURE_BEGUN, ANNOTATION_REASON, "retention"));
    assert_refused(&job, STORAGE_ERROR_DENIED, "its erasure has begun");
}

/* Changes a byte in the middle of what lies under that name. */
static void
flip(LeakedVisit *visit, const char *relative)
{
    g_autofree char *key = g_strconcat("clinic-a/visit-1/", relative, NULL);
    GBytes *there = g_hash_table_lookup(visit->objects, key);
    gsize n_bytes = 0;
    uint8_t *bytes = NULL;

    g_assert_nonnull(there);
    bytes = g_memdup2(g_bytes_get_data(there, NULL), g_bytes_get_size(there));
    n_bytes = g_bytes_get_size(there);
    bytes[n_bytes / 2] ^= 1;
    g_hash_table_insert(visit->objects, g_steal_pointer(&key), g_bytes_new_take(bytes, n_bytes));
}

/* Nothing is removed of a session of which anything is in doubt. */
static void
test_what_is_in_doubt_stays(void)
{
    static const char *const names[] = {"tp1-video/0-2.tape", "manifest/1.note", "notes/1.note"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(LeakedVisit) visit = leaked_visit_new();
        const ResealJob job = leaked_visit_job(visit, NULL);
        g_autoptr(GBytes) envelope = NULL;
        g_autoptr(GBytes) media = NULL;

        flip(visit, names[i]);
        assert_refused(&job, STORAGE_ERROR_CORRUPT, "");
        envelope = object(visit, "env/1.age");
        media = object(visit, "tp1-audio/0-0.tape");
        g_assert_nonnull(envelope);
        g_assert_nonnull(media);
    }
}

/* What a run before left is believed no more than anything else. */
static void
test_what_lies_in_the_new_place_is_looked_at(void)
{
    static const char *const names[] = {"r2/tp1-audio/0-0.tape", "r2/tp1-audio/0-0.past"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(LeakedVisit) visit = leaked_visit_new();
        g_autoptr(ObjectStore) cut = cut_store_new(visit->store, 5);
        const ResealJob killed = leaked_visit_job(visit, cut);
        ResealJob job = leaked_visit_job(visit, NULL);
        g_auto(ResealResult) result = {0};
        g_auto(ResealResult) again = {0};
        g_autoptr(GBytes) envelope = NULL;

        g_assert_false(reseal_run(&killed, &result, NULL));
        flip(visit, names[i]);
        job.takes_over = true;
        g_assert_false(reseal_run(&job, &again, NULL));
        envelope = object(visit, "env/1.age");
        g_assert_nonnull(envelope);
        g_assert_cmpint(leaked_visit_opens(visit, visit->leaked), ==, ALL);
    }
}

/* Swaps two sealed segments' objects after the fact: the digests of the note name it, and so does
 * what the recorder signed. */
static void
test_what_was_changed_afterwards_does_not_open(void)
{
    static const char *const names[] = {"r2/tp1-audio/0-2.tape", "r2/tp1-audio/0-2.past"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(LeakedVisit) visit = leaked_visit_new();
        const ResealJob job = leaked_visit_job(visit, NULL);
        g_auto(ResealResult) result = {0};

        leaked_visit_run(&job, &result);
        flip(visit, names[i]);
        g_assert_cmpint(leaked_visit_opens(visit, visit->fresh), ==, ALL - 1);
    }
}

/* Who may put objects sees what generation is claimed, and to whom envelopes are sealed: nothing is
 * sealed to keys that he slips in, whether the run had come to say which its own are or not. */
static void
test_an_envelope_that_was_slipped_in_is_not_taken(void)
{
    for (unsigned n_changes = 1; n_changes <= 3; n_changes++) {
        g_autoptr(LeakedVisit) visit = leaked_visit_new();
        g_autoptr(ObjectStore) cut = cut_store_new(visit->store, n_changes);
        const ResealJob killed = leaked_visit_job(visit, cut);
        ResealJob job = leaked_visit_job(visit, NULL);
        g_auto(ResealResult) result = {0};
        g_auto(ResealResult) again = {0};
        g_autoptr(GPtrArray) slipped = NULL;

        g_assert_false(reseal_run(&killed, &result, NULL));
        slipped = leaked_visit_slip_envelope(visit, 2);
        job.takes_over = true;
        leaked_visit_run(&job, &again);
        assert_resealed(visit, slipped);
    }
}

/* Nor does anything of before go where the envelope was exchanged since. */
static void
test_without_its_envelope_nothing_of_before_goes(void)
{
    g_autoptr(LeakedVisit) visit = NULL;
    g_autoptr(GBytes) note = NULL;
    g_autoptr(GBytes) envelope = NULL;
    g_autoptr(GPtrArray) slipped = NULL;
    ResealJob job;

    for (unsigned n_changes = 1; note == NULL; n_changes++) {
        g_autoptr(ObjectStore) cut = NULL;
        g_auto(ResealResult) result = {0};

        g_clear_pointer(&visit, leaked_visit_free);
        visit = leaked_visit_new();
        cut = cut_store_new(visit->store, n_changes);
        job = leaked_visit_job(visit, cut);
        g_assert_false(reseal_run(&job, &result, NULL));
        note = object(visit, "resealed/1.note");
    }
    slipped = leaked_visit_slip_envelope(visit, 2);
    job = leaked_visit_job(visit, NULL);
    job.takes_over = true;
    assert_refused(&job, STORAGE_ERROR_CORRUPT, "does not hold the key");
    envelope = object(visit, "env/1.age");
    g_assert_nonnull(envelope);
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/reseal-run/leaked-keys-open-nothing-and-the-media-are-the-same",
                    test_leaked_keys_open_nothing_and_the_media_are_the_same);
    g_test_add_func("/reseal-run/a-second-run-does-nothing", test_a_second_run_does_nothing);
    g_test_add_func("/reseal-run/cut-off-anywhere-it-goes-on", test_cut_off_anywhere_it_goes_on);
    g_test_add_func("/reseal-run/another-run-is-kept-off", test_another_run_is_kept_off);
    g_test_add_func("/reseal-run/a-hold-does-not-keep-it", test_a_hold_does_not_keep_it);
    g_test_add_func("/reseal-run/an-erasure-that-has-begun-does",
                    test_an_erasure_that_has_begun_does);
    g_test_add_func("/reseal-run/what-is-in-doubt-stays", test_what_is_in_doubt_stays);
    g_test_add_func("/reseal-run/what-lies-in-the-new-place-is-looked-at",
                    test_what_lies_in_the_new_place_is_looked_at);
    g_test_add_func("/reseal-run/what-was-changed-afterwards-does-not-open",
                    test_what_was_changed_afterwards_does_not_open);
    g_test_add_func("/reseal-run/an-envelope-that-was-slipped-in-is-not-taken",
                    test_an_envelope_that_was_slipped_in_is_not_taken);
    g_test_add_func("/reseal-run/without-its-envelope-nothing-of-before-goes",
                    test_without_its_envelope_nothing_of_before_goes);
    status = g_test_run();
    visit_keys_free();
    return status;
}
