#include "storage/annotation_view.h"
#include "storage/storage_error.h"

#include <string.h>

#define MARK   "against=9070eb924f1c2d3e"
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Adds `line` (`by kind name=value...`) as the next annotation, as a writer would: only if it may.
 * Returns: whether it might. */
static bool
told(AnnotationView *view, const char *line)
{
    const char *rest = strchr(line, ' ');
    g_autofree char *by = g_strndup(line, (gsize) (rest - line));
    g_autofree char *text =
        g_strdup_printf("sealtape-annotation/v1\norg clinic-a\nsession visit-1\nnumber %u\nprev "
                        "-\nat 2026-11-29T06:40:00Z\nby %s\n%s\n",
                        view->n_notes + 1, by, rest + 1);
    GError *error = NULL;
    g_autoptr(Annotation) next = annotation_parse(text, &error);
    g_autoptr(GError) why_not = NULL;

    g_assert_no_error(error);
    if (annotation_view_may_take(view, next, &why_not)) {
        annotation_view_take(view, next);
        return true;
    }
    g_assert_error(why_not, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    g_test_message("%s: %s", line, why_not->message);
    return false;
}

/* Takes it whatever may be, as a reader does with what another wrote. */
static void
forced(AnnotationView *view, uint32_t number, const char *by, AnnotationKind kind,
       const char *request)
{
    g_autoptr(Annotation) next = annotation_new("clinic-a", "visit-1", kind);

    next->number = number;
    next->by = g_strdup(by);
    annotation_set(next, ANNOTATION_REQUEST, request);
    annotation_view_take(view, next);
}

static void
test_two_matters_need_two_releases(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();

    g_assert_true(told(view, "c hold-placed matter=m-2"));
    g_assert_true(told(view, "c hold-placed matter=m-1"));
    g_assert_false(told(view, "c hold-placed matter=m-1"));
    g_assert_cmpuint(view->matters->len, ==, 2);
    g_assert_cmpstr(view->matters->pdata[0], ==, "m-1");
    g_assert_true(told(view, "c hold-released matter=m-2"));
    g_assert_false(told(view, "c hold-released matter=m-2"));
    g_assert_false(told(view, "r erasure-begun reason=retention"));
    g_assert_true(told(view, "c hold-released matter=m-1"));
    g_assert_cmpuint(view->matters->len, ==, 0);
    g_assert_true(told(view, "r erasure-begun reason=retention"));
}

static void
test_erasure_takes_two_people(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();

    g_assert_false(told(view, "anna erasure-approved request=1"));
    g_assert_true(told(view, "anna erasure-requested reason=client-request"));
    g_assert_false(told(view, "bert erasure-requested reason=client-request"));
    g_assert_false(told(view, "anna erasure-approved request=1"));
    g_assert_false(told(view, "bert erasure-approved request=2"));
    /* Nor by a writer that does not ask. */
    forced(view, 2, "anna", ANNOTATION_ERASURE_APPROVED, "1");
    g_assert_null(view->approved_by);
    g_assert_true(told(view, "bert erasure-approved request=1"));
    g_assert_cmpstr(view->approved_by, ==, "bert");
    g_assert_cmpstr(view->requested_by, ==, "anna");
}

/* An approval is of one request, and does not outlive it. */
static void
test_approval_goes_with_its_request(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();

    g_assert_true(told(view, "anna erasure-requested reason=client-request"));
    g_assert_true(told(view, "bert erasure-approved request=1"));
    g_assert_true(told(view, "anna erasure-withdrawn request=1"));
    g_assert_null(view->approved_by);
    g_assert_cmpuint(view->request, ==, 0);
    g_assert_true(told(view, "anna erasure-requested reason=client-request"));
    g_assert_null(view->approved_by);
    g_assert_false(told(view, "bert erasure-approved request=1"));
    g_assert_true(told(view, "bert erasure-approved request=4"));
}

static void
test_nothing_stops_an_erasure_that_began(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();

    g_assert_true(told(view, "r erasure-begun reason=retention"));
    g_assert_true(view->is_erasing);
    g_assert_false(told(view, "c hold-placed matter=m-1"));
    g_assert_false(told(view, "c released"));
    g_assert_true(told(view, "r erased state=bytes-locked date=2030-01-01 certificate=" DIGEST));
    g_assert_true(view->is_erased);
    g_assert_cmpstr(view->locked_until, ==, "2030-01-01");
    g_assert_false(told(view, "c hold-placed matter=m-1"));
    /* What was locked goes later. */
    g_assert_true(told(view, "r erased state=erased certificate=" DIGEST));
    g_assert_null(view->locked_until);
}

static void
test_one_run_seals_anew(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();

    g_assert_false(told(view, "c resealed generation=3 certificate=" DIGEST));
    g_assert_true(told(view, "c hold-placed matter=m-1")); /* does not keep it from that */
    g_assert_true(told(view, "c reseal-begun reason=key-compromised generation=3 " MARK));
    g_assert_cmpuint(view->reseal_generation, ==, 3);
    /* Within its time: nobody else; it itself, or who takes over and names it. */
    g_assert_false(told(view, "d reseal-begun reason=key-compromised generation=3 " MARK));
    g_assert_false(
        told(view, "d reseal-begun reason=key-compromised request=1 generation=3 " MARK));
    g_assert_true(told(view, "c reseal-begun reason=key-compromised request=2 generation=3 " MARK));
    g_assert_false(
        told(view, "d reseal-begun reason=key-compromised request=2 generation=3 " MARK));
    g_assert_true(told(view, "c hold-released matter=m-1"));
    g_assert_false(told(view, "c amended statement=" DIGEST));
    g_assert_false(told(view, "r erasure-begun reason=retention"));
    /* Afterwards. */
    g_assert_true(told(view, "c resealed date=2030-01-01 generation=3 certificate=" DIGEST));
    g_assert_cmpuint(view->reseal_generation, ==, 0);
    g_assert_cmpstr(view->resealed, ==, DIGEST);
    g_assert_cmpstr(view->resealed_locked_until, ==, "2030-01-01");
    g_assert_true(told(view, "c reseal-begun reason=key-compromised generation=3 " MARK));
    g_assert_true(told(view, "c resealed generation=3 certificate=" DIGEST));
    g_assert_null(view->resealed_locked_until);
    g_assert_true(told(view, "r erasure-begun reason=retention"));
    g_assert_false(told(view, "c reseal-begun reason=key-compromised generation=4 " MARK));
}

/* A statement is sealed to a key that may be gone by the time it is told of. */
static void
test_a_statement_of_before_a_sealing_anew_is_refused(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();
    g_autoptr(Annotation) next = annotation_new("clinic-a", "visit-1", ANNOTATION_AMENDED);

    annotation_set(next, ANNOTATION_STATEMENT, DIGEST);
    next->n_known = view->n_notes;
    g_assert_true(annotation_view_may_take(view, next, NULL));
    g_assert_true(told(view, "c reseal-begun reason=key-compromised generation=3 " MARK));
    g_assert_true(told(view, "c resealed generation=3 certificate=" DIGEST));
    g_assert_false(annotation_view_may_take(view, next, NULL));
    next->n_known = view->n_notes;
    g_assert_true(annotation_view_may_take(view, next, NULL));
}

/* A run that died keeps nobody off for longer than its time. */
static void
test_a_sealing_anew_that_died_lapses(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();
    g_autoptr(Annotation) next = annotation_new("clinic-a", "visit-1", ANNOTATION_RESEAL_BEGUN);
    g_autoptr(Annotation) erasure = annotation_new("clinic-a", "visit-1", ANNOTATION_ERASURE_BEGUN);

    g_assert_true(told(view, "c reseal-begun reason=key-compromised generation=3 " MARK));
    next->at_unix_s = view->reseal_begun_at_unix_s + ANNOTATION_LEASE_S - 1;
    g_assert_false(annotation_view_may_take(view, next, NULL));
    next->at_unix_s++;
    erasure->at_unix_s = next->at_unix_s;
    g_assert_true(annotation_view_may_take(view, next, NULL));
    g_assert_true(annotation_view_may_take(view, erasure, NULL));
}

static void
test_retention_is_never_shortened(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();

    g_assert_true(told(view, "r retain-until date=2033-01-01 rule=adult table=t1"));
    g_assert_true(told(view, "r retain-until date=2030-01-01 rule=transient table=t2"));
    g_assert_cmpstr(view->retain_until, ==, "2033-01-01");
    g_assert_cmpstr(view->retain_rule, ==, "adult");
    g_assert_true(told(view, "r retain-until date=2041-02-28 rule=minor table=t2"));
    g_assert_cmpstr(view->retain_until, ==, "2041-02-28");
    g_assert_cmpstr(view->retain_table, ==, "t2");
}

static void
test_releases_to_all_and_to_one(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();

    g_assert_false(annotation_view_is_released_to(view, "p1"));
    g_assert_true(told(view, "c released participant=p1"));
    g_assert_true(annotation_view_is_released_to(view, "p1"));
    g_assert_false(annotation_view_is_released_to(view, "p2"));
    g_assert_true(told(view, "c released"));
    g_assert_true(annotation_view_is_released_to(view, "p2"));
    g_assert_true(told(view, "c release-withdrawn"));
    g_assert_false(annotation_view_is_released_to(view, "p1"));
}

static void
test_remembers_the_last_consent(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();

    g_assert_null(annotation_view_consent(view, "p1", "transcribe"));
    g_assert_true(told(view, "c consent participant=p1 purpose=transcribe state=granted"));
    g_assert_true(told(view, "c consent participant=p2 purpose=transcribe state=granted"));
    g_assert_true(told(view, "c consent participant=p1 purpose=transcribe state=withdrawn"));
    g_assert_cmpstr(annotation_view_consent(view, "p1", "transcribe"), ==, "withdrawn");
    g_assert_cmpstr(annotation_view_consent(view, "p2", "transcribe"), ==, "granted");
    g_assert_null(annotation_view_consent(view, "p1", "ai-note"));
    g_assert_cmpuint(view->consents->len, ==, 2);
}

static void
test_marks_of_the_recorder(void)
{
    g_autoptr(AnnotationView) view = annotation_view_new();
    g_autoptr(AnnotationView) lifted = annotation_view_new();

    g_assert_true(annotation_view_mark(view, "quarantined", "consent-withdrawn"));
    g_assert_true(annotation_view_mark(view, "erase", "consent-withdrawn"));
    g_assert_cmpstr(view->quarantine, ==, "consent-withdrawn");
    g_assert_cmpstr(view->erase_mark, ==, "consent-withdrawn");
    g_assert_false(annotation_view_mark(view, "invented", "x"));
    g_assert_null(view->label);
    g_assert_true(annotation_view_mark(view, "part2", "labelled"));
    g_assert_cmpstr(view->label, ==, "part2");
    g_assert_true(annotation_view_mark(view, "sud-notes", "labelled"));
    g_assert_true(annotation_view_mark(view, "part2", "labelled"));
    g_assert_cmpstr(view->label, ==, "sud-notes");
    g_assert_true(told(lifted, "c quarantine-lifted"));
    g_assert_true(annotation_view_mark(lifted, "quarantined", "consent-withdrawn"));
    g_assert_null(lifted->quarantine);
    g_assert_true(told(lifted, "c quarantined reason=disputed"));
    g_assert_cmpstr(lifted->quarantine, ==, "disputed");
    g_assert_true(told(lifted, "c restricted"));
    g_assert_nonnull(lifted->restriction);
    g_assert_true(told(lifted, "c restriction-lifted"));
    g_assert_null(lifted->restriction);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/annotation-view/two-matters-need-two-releases",
                    test_two_matters_need_two_releases);
    g_test_add_func("/annotation-view/erasure-takes-two-people", test_erasure_takes_two_people);
    g_test_add_func("/annotation-view/approval-goes-with-its-request",
                    test_approval_goes_with_its_request);
    g_test_add_func("/annotation-view/nothing-stops-an-erasure-that-began",
                    test_nothing_stops_an_erasure_that_began);
    g_test_add_func("/annotation-view/one-run-seals-anew", test_one_run_seals_anew);
    g_test_add_func("/annotation-view/a-statement-of-before-a-sealing-anew-is-refused",
                    test_a_statement_of_before_a_sealing_anew_is_refused);
    g_test_add_func("/annotation-view/a-sealing-anew-that-died-lapses",
                    test_a_sealing_anew_that_died_lapses);
    g_test_add_func("/annotation-view/retention-is-never-shortened",
                    test_retention_is_never_shortened);
    g_test_add_func("/annotation-view/releases-to-all-and-to-one", test_releases_to_all_and_to_one);
    g_test_add_func("/annotation-view/remembers-the-last-consent", test_remembers_the_last_consent);
    g_test_add_func("/annotation-view/marks-of-the-recorder", test_marks_of_the_recorder);
    return g_test_run();
}
