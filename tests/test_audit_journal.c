#include "agent/trail/audit_journal.h"
#include "storage/audit_log.h"
#include "storage/storage_error.h"
#include "tests/fakes/trail_fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static void
test_writes_signs_and_anchors(TrailFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    AuditJournal *journal = audit_journal_new(fixture->settings, fixture->store, &error);
    const AuditEvent event = {.kind = AUDIT_HOLD_PLACED, .session = "s1", .matter = "m-7"};
    g_autofree char *text = NULL;
    g_autofree char *wanted = NULL;

    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(audit_journal_actor(journal), "unix:"));
    g_assert_true(audit_journal_write(journal, "clinic-a", &event, &error));
    g_assert_no_error(error);

    text = trail_fixture_log(fixture, "admin.host-1");
    wanted = g_strdup_printf("hold-placed ok session=s1 actor=%s matter=m-7\n",
                             audit_journal_actor(journal));
    g_assert_nonnull(strstr(text, wanted));
    g_assert_cmpuint(trail_fixture_anchors(fixture, "admin.host-1"), ==, 0);
    audit_journal_free(journal);
    g_assert_cmpuint(trail_fixture_anchors(fixture, "admin.host-1"), ==, 1);
}

static void
test_two_share_one_log(TrailFixture *fixture, gconstpointer unused)
{
    g_autoptr(AuditJournal) one = audit_journal_new(fixture->settings, NULL, NULL);
    g_autoptr(AuditJournal) other = audit_journal_new(fixture->settings, NULL, NULL);
    const AuditEvent event = {.kind = AUDIT_LOG_READ};
    g_autofree char *text = NULL;

    for (int i = 0; i < 3; i++) {
        g_assert_true(audit_journal_write(one, "clinic-a", &event, NULL));
        g_assert_true(audit_journal_write(other, "clinic-a", &event, NULL));
    }
    text = trail_fixture_log(fixture, "admin.host-1");
    g_assert_true(g_str_has_prefix(strrchr(g_strchomp(text), '\n'), "\n5 "));
}

static void
test_nothing_is_done_that_can_not_be_told(TrailFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AuditJournal) journal = audit_journal_new(fixture->settings, NULL, &error);
    const AuditEvent event = {.kind = AUDIT_ERASED};

    g_assert_true(g_file_set_contents(fixture->settings->audit_path, "no folder", -1, NULL));
    g_assert_false(audit_journal_write(journal, "clinic-a", &event, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "is not done"));
}

static void
test_says_how_to_get_a_key(TrailFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&fixture->settings->keys->signing_key_path, g_free);
    g_assert_null(audit_journal_new(fixture->settings, NULL, &error));
    g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "sealtape audit keygen admin"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    trail_fixture_start();
    trail_fixture_add("audit-journal", "writes-signs-and-anchors", test_writes_signs_and_anchors);
    trail_fixture_add("audit-journal", "two-share-one-log", test_two_share_one_log);
    trail_fixture_add("audit-journal", "nothing-is-done-that-can-not-be-told",
                      test_nothing_is_done_that_can_not_be_told);
    trail_fixture_add("audit-journal", "says-how-to-get-a-key", test_says_how_to_get_a_key);
    return g_test_run();
}
