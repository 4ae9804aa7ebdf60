#include "agent/audit/audit_event.h"
#include "tests/fakes/audit_samples.h"

#include <string.h>

static void
test_reads_in_one_order(void)
{
    const AuditEvent event = {.kind = AUDIT_CONSENT_CHANGED,
                              .outcome = AUDIT_OK,
                              .evidence = "ev-1",
                              .text_version = "2026-01",
                              .state = "withdrawn",
                              .purpose = "record-video",
                              .participant = "p1",
                              .session = "s1",
                              .policy = "0a",
                              .count = 3};
    g_autofree char *words = audit_event_words(&event);

    g_assert_cmpstr(words, ==,
                    "consent-changed ok session=s1 participant=p1 purpose=record-video "
                    "state=withdrawn text_version=2026-01 evidence=ev-1 policy=0a count=3");
}

static void
test_leaves_out_what_is_not_set(void)
{
    const AuditEvent event = {.kind = AUDIT_RECORDER_STARTED};
    g_autofree char *words = audit_event_words(&event);

    g_assert_cmpstr(words, ==, "recorder-started ok");
}

/* Nothing from outside can end a word or a line, or pass for another field. */
static void
test_encodes_what_could_be_more_than_a_value(void)
{
    const AuditEvent event = {.kind = AUDIT_RECORDING_REFUSED,
                              .outcome = AUDIT_REFUSED,
                              .evidence = "a b\n9 x=%\x7f\xc3\xa9"};
    g_autofree char *words = audit_event_words(&event);

    g_assert_cmpstr(words, ==, "recording-refused refused evidence=a%20b%0A9%20x%3D%25%7F%C3%A9");
}

static void
test_is_never_too_long_for_the_log(void)
{
    g_autofree char *value = g_strnfill(100000, '\n');
    const AuditEvent event = audit_samples_full_of(AUDIT_EVENTS_LEFT_OUT, value);
    g_autofree char *words = audit_event_words(&event);

    g_assert_cmpuint(strlen(words), >, 10000);
    g_assert_cmpuint(strlen(words), <=, AUDIT_EVENT_MOST_BYTES);
}

static void
test_is_read_back_as_it_was(void)
{
    const AuditEvent event = audit_samples_full_of(AUDIT_EVENTS_LEFT_OUT, "a b%\n=\xc3\xa9");
    g_autofree char *words = audit_event_words(&event);
    g_autofree char *line = g_strdup_printf("17 2026-11-21T17:00:23.672566Z %s", words);
    g_autofree char *again = NULL;
    g_auto(AuditRecord) record = {0};

    g_assert_true(audit_record_parse(&record, line, strlen(line)));

    again = audit_event_words(&record.event);
    g_assert_cmpstr(again, ==, words);
    g_assert_cmpuint(record.number, ==, 17);
    g_assert_cmpstr(record.time, ==, "2026-11-21T17:00:23.672566Z");
    g_assert_cmpstr(record.event.detail, ==, "a b%\n=\xc3\xa9");
}

static void
test_reads_what_a_later_version_wrote(void)
{
    static const char line[] =
        "0 2026-11-21T17:00:00Z grant-issued ok session=s1 unheard=of count=2";
    g_auto(AuditRecord) record = {0};

    g_assert_true(audit_record_parse(&record, line, strlen(line)));
    g_assert_cmpstr(record.event.session, ==, "s1");
    g_assert_cmpuint(record.event.count, ==, 2);
}

static void
test_is_no_record(void)
{
    static const char *const lines[] = {
        "",
        "0 2026-11-21T17:00:00Z grant-issued",
        "x 2026-11-21T17:00:00Z grant-issued ok",
        "0 2026-11-21T17:00:00Z grant-unheard ok",
        "0 2026-11-21T17:00:00Z grant-issued perhaps",
        "0 2026-11-21T17:00:00Z grant-issued ok session",
        "0 2026-11-21T17:00:00Z grant-issued ok session=%",
        "0 2026-11-21T17:00:00Z grant-issued ok session=%4",
        "0 2026-11-21T17:00:00Z grant-issued ok session=%zz",
        "0 2026-11-21T17:00:00Z grant-issued ok session=a%00b",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_auto(AuditRecord) record = {0};

        g_assert_false(audit_record_parse(&record, lines[i], strlen(lines[i])));
    }
}

static void
test_every_kind_has_a_name_of_its_own(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (int kind = 0; kind < N_AUDIT_KINDS; kind++) {
        const char *text = audit_kind_text((AuditKind) kind);

        g_assert_nonnull(text);
        g_assert_cmpuint(strspn(text, "abcdefghijklmnopqrstuvwxyz-"), ==, strlen(text));
        g_assert_true(g_hash_table_add(seen, (gpointer) text));
        g_assert_cmpint(audit_kind_of(text), ==, kind);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/audit-event/reads-in-one-order", test_reads_in_one_order);
    g_test_add_func("/audit-event/leaves-out-what-is-not-set", test_leaves_out_what_is_not_set);
    g_test_add_func("/audit-event/encodes-what-could-be-more-than-a-value",
                    test_encodes_what_could_be_more_than_a_value);
    g_test_add_func("/audit-event/is-never-too-long-for-the-log",
                    test_is_never_too_long_for_the_log);
    g_test_add_func("/audit-event/every-kind-has-a-name-of-its-own",
                    test_every_kind_has_a_name_of_its_own);
    g_test_add_func("/audit-event/is-read-back-as-it-was", test_is_read_back_as_it_was);
    g_test_add_func("/audit-event/reads-what-a-later-version-wrote",
                    test_reads_what_a_later_version_wrote);
    g_test_add_func("/audit-event/is-no-record", test_is_no_record);
    return g_test_run();
}
