#include "agent/trail/audit_trail.h"
#include "storage/storage_error.h"
#include "tests/fakes/trail_fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static AuditTrail *
open_trail(const TrailFixture *fixture)
{
    return audit_trail_new(&(AuditTrailOptions){
        .folder = fixture->settings->audit_path,
        .orgs = fixture->settings->orgs,
        .store = fixture->store,
        .signer = fixture->signer,
        .started = AUDIT_OPENER_STARTED,
        .stopped = AUDIT_OPENER_STOPPED,
    });
}

static void
test_tells_of_itself_and_is_anchored(TrailFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    AuditTrail *trail = open_trail(fixture);
    const AuditEvent event = {.kind = AUDIT_GRANT_ISSUED, .session = "s1", .use = "TREAT"};
    g_autofree char *text = NULL;

    g_assert_true(audit_trail_write(trail, "clinic-a", &event, &error));
    g_assert_no_error(error);
    audit_trail_free(trail);

    text = trail_fixture_log(fixture, "access.host-1");
    g_assert_nonnull(strstr(text, " opener-started ok policy=0a "));
    g_assert_nonnull(strstr(text, " grant-issued ok session=s1 use=TREAT\n"));
    g_assert_true(g_str_has_suffix(text, " opener-stopped ok\n"));
    g_assert_cmpuint(trail_fixture_anchors(fixture, "access.host-1"), >=, 1);
}

/* Whoever reads the log learns who had consented before it learns that recording began. */
static void
test_a_record_is_behind_what_was_noted_before(TrailFixture *fixture, gconstpointer unused)
{
    AuditTrail *trail = open_trail(fixture);
    const AuditEvent noted = {.kind = AUDIT_CONSENT_CHANGED};
    const AuditEvent written = {.kind = AUDIT_RECORDING_STARTED};
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    for (int i = 0; i < 100; i++) {
        audit_trail_note(trail, "clinic-a", &noted);
        audit_trail_note(trail, "clinic-a", &noted);
        g_assert_true(audit_trail_write(trail, "clinic-a", &written, NULL));
    }
    audit_trail_free(trail);

    text = trail_fixture_log(fixture, "access.host-1");
    lines = g_strsplit(text, "\n", -1);
    for (int i = 0; i < 300; i++) {
        const char *event = i % 3 == 2 ? " recording-started ok" : " consent-changed ok";

        g_assert_true(g_str_has_suffix(lines[i + 1], event));
    }
}

static void
test_a_flood_of_refusals_is_bounded(TrailFixture *fixture, gconstpointer unused)
{
    AuditTrail *trail = open_trail(fixture);
    g_autofree char *text = NULL;
    g_auto(GStrv) pieces = NULL;

    for (int i = 0; i < 500; i++) {
        audit_trail_note_bounded(trail, "clinic-a",
                                 &(AuditEvent){.kind = AUDIT_PERSON_REFUSED,
                                               .outcome = AUDIT_REFUSED,
                                               .reason = "token-expired"});
    }
    audit_trail_free(trail);

    text = trail_fixture_log(fixture, "access.host-1");
    pieces = g_strsplit(text, " person-refused refused", -1);
    g_assert_cmpuint(g_strv_length(pieces) - 1, ==, 10);
    g_assert_nonnull(strstr(
        text, " events-left-out refused reason=token-expired detail=person-refused count=490\n"));
}

static void
test_refuses_what_no_log_takes(TrailFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AuditTrail) trail = NULL;
    AuditTrailStatus status = {0};
    const AuditEvent event = {.kind = AUDIT_MEDIA_OPENED};

    g_assert_true(g_file_set_contents(fixture->settings->audit_path, "no folder", -1, NULL));
    g_test_expect_message("sealtape-audit", G_LOG_LEVEL_WARNING, "*without an audit log*");
    trail = open_trail(fixture);
    g_test_assert_expected_messages();
    g_assert_false(audit_trail_write(trail, "clinic-a", &event, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_false(audit_trail_write(trail, "clinic-b", &event, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    audit_trail_status(trail, &status);
    g_assert_cmpuint(status.n_failing, ==, 1);
}

static void
limit_files(rlim_t n_bytes)
{
    const struct rlimit limit = {n_bytes, RLIM_INFINITY};

    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* What happens while the disk is full is counted, and told before anything else once it is not. */
static void
test_a_full_disk_is_told_of_afterwards(TrailFixture *fixture, gconstpointer unused)
{
    AuditTrail *trail = open_trail(fixture);
    const AuditEvent noted = {.kind = AUDIT_MEDIA_CLOSED};
    const AuditEvent written = {.kind = AUDIT_MEDIA_OPENED, .session = "s1"};
    AuditTrailStatus status = {0};
    g_autofree char *full = NULL;
    g_autofree char *text = NULL;

    /* So long that checkpoints still fit below the limit. */
    for (int i = 0; i < 50; i++)
        g_assert_true(audit_trail_write(trail, "clinic-a", &written, NULL));
    full = trail_fixture_log(fixture, "access.host-1");
    g_test_expect_message("sealtape-audit", G_LOG_LEVEL_WARNING, "*nothing new is recorded*");
    g_test_expect_message("sealtape-audit", G_LOG_LEVEL_MESSAGE, "*takes records again*");
    limit_files(strlen(full));
    for (int i = 0; i < 3; i++)
        audit_trail_note(trail, "clinic-a", &noted);
    g_assert_false(audit_trail_write(trail, "clinic-a", &written, NULL));
    audit_trail_status(trail, &status);
    g_assert_cmpuint(status.n_failing, ==, 1);
    limit_files(RLIM_INFINITY);
    g_assert_true(audit_trail_write(trail, "clinic-a", &written, NULL));
    audit_trail_status(trail, &status);
    g_assert_cmpuint(status.n_failing, ==, 0);
    g_test_assert_expected_messages();

    text = trail_fixture_log(fixture, "access.host-1");
    g_assert_true(g_str_has_prefix(text, full));
    g_assert_nonnull(strstr(text + strlen(full),
                            " events-left-out failed reason=log-failed detail=media-closed "
                            "count=3\n"));
    g_assert_true(g_str_has_suffix(text, " media-opened ok session=s1\n"));
    audit_trail_free(trail);
}

int
main(int argc, char **argv)
{
    (void) signal(SIGXFSZ, SIG_IGN); /* as daemons do: the write fails instead */
    g_test_init(&argc, &argv, NULL);
    trail_fixture_start();
    trail_fixture_add("audit-trail", "tells-of-itself-and-is-anchored",
                      test_tells_of_itself_and_is_anchored);
    trail_fixture_add("audit-trail", "a-record-is-behind-what-was-noted-before",
                      test_a_record_is_behind_what_was_noted_before);
    trail_fixture_add("audit-trail", "a-flood-of-refusals-is-bounded",
                      test_a_flood_of_refusals_is_bounded);
    trail_fixture_add("audit-trail", "refuses-what-no-log-takes", test_refuses_what_no_log_takes);
    trail_fixture_add("audit-trail", "a-full-disk-is-told-of-afterwards",
                      test_a_full_disk_is_told_of_afterwards);
    return g_test_run();
}
