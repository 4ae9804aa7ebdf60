#include "agent/audit/audit_event.h"

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
    const AuditEvent event = {AUDIT_EVENTS_LEFT_OUT,
                              AUDIT_FAILED,
                              value,
                              value,
                              value,
                              value,
                              value,
                              value,
                              value,
                              value,
                              value,
                              G_MAXUINT64};
    g_autofree char *words = audit_event_words(&event);

    g_assert_cmpuint(strlen(words), <=, 4096);
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
    return g_test_run();
}
