#include "storage/storage_error.h"
#include "storage/upload_retry.h"

static void
test_waits_longer_each_time_but_never_over_a_minute(void)
{
    g_autoptr(UploadRetry) retry = upload_retry_new();
    g_autoptr(GError) error = g_error_new_literal(STORAGE_ERROR, STORAGE_ERROR_TRANSIENT, "later");
    int64_t ceiling_us = 200000;

    g_assert_true(upload_retry_is_due(retry, "visit-1", 0));
    for (int i = 0; i < 20; i++) {
        g_assert_true(upload_retry_note_failure(retry, "visit-1", error, 0));
        g_assert_false(upload_retry_is_due(retry, "visit-1", 0));
        g_assert_true(upload_retry_is_due(retry, "visit-1", ceiling_us));
        g_assert_true(upload_retry_is_due(retry, "visit-2", 0));
        ceiling_us = MIN(2 * ceiling_us, 60000000);
    }
    upload_retry_note_success(retry, "visit-1");
    g_assert_true(upload_retry_is_due(retry, "visit-1", 0));
}

/* Recorders that lost the store together must not come back together. */
static void
test_waits_are_spread(void)
{
    g_autoptr(UploadRetry) retry = upload_retry_new();
    g_autoptr(GError) error = g_error_new_literal(STORAGE_ERROR, STORAGE_ERROR_IO, "later");
    int n_early = 0;

    for (int i = 0; i < 400; i++) {
        g_autofree char *session = g_strdup_printf("visit-%d", i);

        (void) upload_retry_note_failure(retry, session, error, 0);
        n_early += upload_retry_is_due(retry, session, 100000);
    }
    g_assert_cmpint(n_early, >, 100);
    g_assert_cmpint(n_early, <, 300);
}

static void
test_conflict_parks_for_good(void)
{
    g_autoptr(UploadRetry) retry = upload_retry_new();
    g_autoptr(GError) error = g_error_new_literal(STORAGE_ERROR, STORAGE_ERROR_CONFLICT, "taken");

    g_assert_false(upload_retry_has_parked(retry));
    g_assert_false(upload_retry_note_failure(retry, "visit-1", error, 0));
    g_assert_false(upload_retry_is_due(retry, "visit-1", INT64_MAX));
    g_assert_true(upload_retry_is_parked(retry, "visit-1"));
    g_assert_true(upload_retry_has_parked(retry));
}

static void
test_denial_is_asked_again_seldom(void)
{
    g_autoptr(UploadRetry) retry = upload_retry_new();
    g_autoptr(GError) error = g_error_new_literal(STORAGE_ERROR, STORAGE_ERROR_DENIED, "no");

    g_assert_true(upload_retry_note_failure(retry, "visit-1", error, 0));
    g_assert_false(upload_retry_is_due(retry, "visit-1", 59999999));
    g_assert_true(upload_retry_is_due(retry, "visit-1", 60000000));
}

/* The first success after an outage tells that the store is back; one session's own trouble is
 * not an outage. */
static void
test_all_are_due_when_the_store_is_back(void)
{
    g_autoptr(UploadRetry) retry = upload_retry_new();
    g_autoptr(GError) error = g_error_new_literal(STORAGE_ERROR, STORAGE_ERROR_DENIED, "no");
    g_autoptr(GError) conflict =
        g_error_new_literal(STORAGE_ERROR, STORAGE_ERROR_CONFLICT, "taken");

    (void) upload_retry_note_failure(retry, "visit-1", error, 0);
    upload_retry_note_success(retry, "visit-2");
    g_assert_false(upload_retry_is_due(retry, "visit-1", 1));

    (void) upload_retry_note_failure(retry, "visit-2", error, 0);
    (void) upload_retry_note_failure(retry, "visit-3", error, 0);
    (void) upload_retry_note_failure(retry, "visit-4", conflict, 0);
    upload_retry_note_success(retry, "visit-2");
    g_assert_true(upload_retry_is_due(retry, "visit-1", 1));
    g_assert_true(upload_retry_is_due(retry, "visit-3", 1));
    g_assert_false(upload_retry_is_due(retry, "visit-4", 1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/upload-retry/waits-longer-each-time-but-never-over-a-minute",
                    test_waits_longer_each_time_but_never_over_a_minute);
    g_test_add_func("/upload-retry/waits-are-spread", test_waits_are_spread);
    g_test_add_func("/upload-retry/conflict-parks-for-good", test_conflict_parks_for_good);
    g_test_add_func("/upload-retry/denial-is-asked-again-seldom",
                    test_denial_is_asked_again_seldom);
    g_test_add_func("/upload-retry/all-are-due-when-the-store-is-back",
                    test_all_are_due_when_the_store_is_back);
    return g_test_run();
}
