#include "crypto/crypto_error.h"
#include "storage/annotation_log.h"
#include "storage/erasure.h"
#include "storage/erasure_note.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"
#include "tests/fakes/catalogue_fixture.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/visit_keys.h"

#include <errno.h>
#include <string.h>

static ErasureOrder
order_on(const CatalogueFixture *fixture)
{
    return (ErasureOrder){
        .store = fixture->store,
        .signer = visit_keys_signer(),
        .annotators = visit_keys_verifiers(),
        .recorders = visit_keys_verifiers(),
        .org = "clinic-a",
        .session = "visit-1",
        .by = "unix:retention",
        .software = "sealtape/test",
        .reason = "retention",
        .rule = "adult",
        .table = "2026-1",
    };
}

/* When a run began it last. */
static int64_t
begun_at(const CatalogueFixture *fixture)
{
    g_autoptr(AnnotationLog) log =
        annotation_log_read(fixture->store, "clinic-a", "visit-1", visit_keys_verifiers(), NULL);

    return log->view->begun_at_unix_s;
}

static guint
n_objects(const CatalogueFixture *fixture, const char *prefix)
{
    g_autoptr(GPtrArray) keys = object_store_list(fixture->store, prefix, NULL);

    return keys->len;
}

static void
annotate(const CatalogueFixture *fixture, AnnotationKind kind, const char *matter)
{
    const AnnotationWriter writer = {fixture->store, visit_keys_signer(), visit_keys_verifiers(),
                                     NULL, NULL};
    g_autoptr(Annotation) next = annotation_new("clinic-a", "visit-1", kind);
    GError *error = NULL;

    next->by = g_strdup("unix:custodian");
    annotation_set(next, ANNOTATION_MATTER, matter);
    g_assert_true(annotation_log_add(&writer, next, &error));
    g_assert_no_error(error);
}

static void
assert_erased(const CatalogueFixture *fixture)
{
    const ErasureOrder order = order_on(fixture);
    GError *error = NULL;
    g_autoptr(AnnotationLog) log =
        annotation_log_read(fixture->store, "clinic-a", "visit-1", visit_keys_verifiers(), &error);
    g_autoptr(GPtrArray) read = NULL;
    const ErasureNote *last = NULL;

    g_assert_no_error(error);
    read = erasure_read_notes(&order, NULL, &error);
    g_assert_no_error(error);
    last = read->pdata[read->len - 1];
    g_assert_true(log->view->is_erasing && log->view->is_erased);
    g_assert_null(log->view->locked_until);
    g_assert_cmpuint(n_objects(fixture, "clinic-a/visit-1/"), ==, log->view->n_notes);
    g_assert_cmpint(last->part, ==, ERASURE_CERTIFICATE);
    g_assert_cmpstr(last->until, ==, "-");
}

static void
test_leaves_nothing_and_says_so(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) one = catalogue_fixture_record(fixture, "visit-1");
    g_autoptr(GPtrArray) two = catalogue_fixture_record(fixture, "visit-2");
    const guint n_two = n_objects(fixture, "clinic-a/visit-2/");
    const guint n_one = n_objects(fixture, "clinic-a/visit-1/");
    const ErasureOrder order = order_on(fixture);
    g_auto(ErasureResult) result = {0};
    g_autoptr(GPtrArray) read = NULL;
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GString) facts = g_string_new(NULL);
    const ErasureNote *first = NULL;
    GError *error = NULL;

    g_assert_true(erasure_run(&order, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(result.n_removed, ==, n_one);
    g_assert_cmpuint(result.n_locked, ==, 0);
    g_assert_null(result.until);
    assert_erased(fixture);
    g_assert_cmpuint(n_objects(fixture, "clinic-a/visit-2/"), ==, n_two);
    read = erasure_read_notes(&order, NULL, &error);
    g_assert_cmpuint(read->len, ==, 2);
    first = read->pdata[0];
    for (guint i = 0; i < first->lines->len; i++)
        g_string_append_printf(facts, "%s\n", (char *) first->lines->pdata[i]);
    g_assert_nonnull(strstr(facts->str, "manifest 2 parts\n"));
    g_assert_nonnull(strstr(facts->str, "segment tp1-audio/0-0.tape 0 "));
    g_assert_nonnull(strstr(facts->str, "object clinic-a/visit-1/env/1.age - "));
    /* What is kept of it is no session of the store's. */
    names = session_list_names(fixture->store, "clinic-a", NULL);
    for (guint i = 0; i < names->len; i++)
        g_assert_cmpstr(((SessionName *) names->pdata[i])->session, !=, "erased");
}

static void
test_a_hold_beats_it(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) one = catalogue_fixture_record(fixture, "visit-1");
    const guint n_one = n_objects(fixture, "clinic-a/visit-1/");
    const ErasureOrder order = order_on(fixture);
    g_auto(ErasureResult) result = {0};
    g_autoptr(GError) error = NULL;

    annotate(fixture, ANNOTATION_HOLD_PLACED, "m-1");
    annotate(fixture, ANNOTATION_HOLD_PLACED, "m-2");
    annotate(fixture, ANNOTATION_HOLD_RELEASED, "m-1");
    g_assert_false(erasure_run(&order, &result, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "it is on hold for m-2"));
    g_assert_cmpuint(n_objects(fixture, "clinic-a/visit-1/"), ==, n_one + 3);
    g_assert_cmpuint(n_objects(fixture, "clinic-a/erased/"), ==, 0);
    annotate(fixture, ANNOTATION_HOLD_RELEASED, "m-2");
    g_assert_true(erasure_run(&order, &result, NULL));
    assert_erased(fixture);
}

/* Cut short at each removal: what said that it was done is done, the envelope is the first to go,
 * and the next run ends it. */
static void
test_goes_on_where_it_stopped(void)
{
    for (unsigned nth = 1; nth < 9; nth++) {
        g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
        g_autoptr(GPtrArray) one = catalogue_fixture_record(fixture, "visit-1");
        ErasureOrder order = order_on(fixture);
        g_auto(ErasureResult) result = {0};
        g_autoptr(GError) error = NULL;
        bool is_done = false;

        failing_calls_arm(CALL_UNLINKAT, nth, 1000, EACCES);
        is_done = erasure_run(&order, &result, &error);
        failing_calls_disarm();
        g_assert_false(is_done);
        g_assert_cmpuint(n_objects(fixture, "clinic-a/visit-1/env/"), ==, nth == 1 ? 1 : 0);
        erasure_result_clear(&result);
        g_clear_error(&error);
        order.begun_at_unix_s = begun_at(fixture);
        g_assert_true(erasure_run(&order, &result, &error));
        g_assert_no_error(error);
        assert_erased(fixture);
    }
}

/* A backup of the store from before comes back: readers refuse it, and another run ends it. */
static void
test_a_backup_does_not_bring_it_back(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) one = catalogue_fixture_record(fixture, "visit-1");
    ErasureOrder order = order_on(fixture);
    g_auto(ErasureResult) result = {0};
    g_auto(ErasureResult) again = {0};
    g_autoptr(AnnotationLog) log = NULL;
    GError *error = NULL;

    g_assert_true(erasure_run(&order, &result, &error));
    visit_keys_put_envelope(fixture->store, "visit-1");
    log =
        annotation_log_read(fixture->store, "clinic-a", "visit-1", visit_keys_verifiers(), &error);
    g_assert_true(log->view->is_erasing);
    order.begun_at_unix_s = log->view->begun_at_unix_s;
    g_assert_true(erasure_run(&order, &again, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(again.n_removed, ==, 1);
    assert_erased(fixture);
}

/* Two runs decided alike before either began. The first has it; the other one removes nothing. */
static void
test_two_runs_do_nothing_twice(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) one = catalogue_fixture_record(fixture, "visit-1");
    const ErasureOrder order = order_on(fixture);
    g_auto(ErasureResult) result = {0};
    g_auto(ErasureResult) second = {0};
    g_autoptr(GError) error = NULL;
    bool is_done = false;

    failing_calls_arm(CALL_UNLINKAT, 2, 1000, EACCES);
    is_done = erasure_run(&order, &result, &error);
    failing_calls_disarm();
    g_assert_false(is_done);
    g_clear_error(&error);
    g_assert_false(erasure_run(&order, &second, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY);
    g_assert_cmpuint(second.n_removed, ==, 0);
    g_assert_cmpuint(n_objects(fixture, "clinic-a/erased/visit-1/"), ==, 1);
}

/* Two go on at once with what was left lying for long: one more beginning, by one of them. */
static void
test_two_runs_do_not_go_on_twice(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) one = catalogue_fixture_record(fixture, "visit-1");
    const AnnotationWriter writer = {fixture->store, visit_keys_signer(), visit_keys_verifiers(),
                                     NULL, NULL};
    g_autoptr(Annotation) begun = annotation_new("clinic-a", "visit-1", ANNOTATION_ERASURE_BEGUN);
    ErasureOrder order = order_on(fixture);
    g_auto(ErasureResult) result = {0};
    g_auto(ErasureResult) second = {0};
    g_autoptr(GError) error = NULL;

    begun->by = g_strdup("unix:retention");
    begun->at_unix_s = g_get_real_time() / G_USEC_PER_SEC - ANNOTATION_LEASE_S;
    annotation_set(begun, ANNOTATION_REASON, "retention");
    g_assert_true(annotation_log_add(&writer, begun, NULL));
    order.begun_at_unix_s = begun->at_unix_s;
    g_assert_true(erasure_run(&order, &result, &error));
    g_assert_no_error(error);
    g_assert_false(erasure_run(&order, &second, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY);
    assert_erased(fixture);
}

static void
test_an_altered_certificate_is_noticed(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) one = catalogue_fixture_record(fixture, "visit-1");
    const ErasureOrder order = order_on(fixture);
    g_auto(ErasureResult) result = {0};
    g_autoptr(GBytes) note = NULL;
    gsize n_bytes = 0;
    const char *bytes = NULL;

    g_assert_true(erasure_run(&order, &result, NULL));
    note = object_store_get(fixture->store, "clinic-a/erased/visit-1/2.note", NULL);
    bytes = g_bytes_get_data(note, &n_bytes);
    for (gsize i = 0; i < n_bytes; i += 7) {
        char *changed = g_memdup2(bytes, n_bytes);
        g_autoptr(GBytes) body = g_bytes_new_take(changed, n_bytes);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) read = NULL;

        changed[i] ^= 1;
        g_assert_true(
            object_store_replace(fixture->store, "clinic-a/erased/visit-1/2.note", body, NULL));
        read = erasure_read_notes(&order, NULL, &error);
        g_assert_null(read);
        g_assert_nonnull(strstr(error->message, "clinic-a/erased/visit-1/2.note: "));
    }
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/erasure/leaves-nothing-and-says-so", test_leaves_nothing_and_says_so);
    g_test_add_func("/erasure/a-hold-beats-it", test_a_hold_beats_it);
    g_test_add_func("/erasure/goes-on-where-it-stopped", test_goes_on_where_it_stopped);
    g_test_add_func("/erasure/a-backup-does-not-bring-it-back",
                    test_a_backup_does_not_bring_it_back);
    g_test_add_func("/erasure/two-runs-do-nothing-twice", test_two_runs_do_nothing_twice);
    g_test_add_func("/erasure/two-runs-do-not-go-on-twice", test_two_runs_do_not_go_on_twice);
    g_test_add_func("/erasure/an-altered-certificate-is-noticed",
                    test_an_altered_certificate_is_noticed);
    status = g_test_run();
    visit_keys_free();
    return status;
}
