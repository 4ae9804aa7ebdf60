#include "agent/audit/syslog_message.h"
#include "tests/fakes/audit_samples.h"

#include <string.h>

static char *
message_of(const char *line)
{
    g_auto(AuditRecord) record = {0};

    audit_samples_parse(&record, line);
    return syslog_message(&record, &audit_samples_source);
}

static void
test_has_the_header_of_atna(void)
{
    g_autofree char *notice = message_of("0 2026-11-21T17:00:23.672566Z grant-issued ok");
    g_autofree char *warning = message_of("0 2026-11-21T17:00:23.672566Z access-refused refused");

    g_assert_true(g_str_has_prefix(notice,
                                   "<85>1 2026-11-21T17:00:23.672566Z host-1.example sealtape "
                                   "recorder.host-1 IHE+RFC-3881 - <?xml"));
    g_assert_true(g_str_has_prefix(warning, "<84>1 "));
}

/* In bytes, not in characters. */
static void
test_frame_counts_octets(void)
{
    g_autofree char *message = message_of("0 2026-11-21T17:00:23.672566Z grant-issued ok "
                                          "actor=%C3%A9%C3%A9");
    g_autofree char *frame = syslog_frame(message);
    char *rest = NULL;

    g_assert_nonnull(strstr(message, "UserID=\"\xc3\xa9\xc3\xa9\""));
    g_assert_cmpuint(g_ascii_strtoull(frame, &rest, 10), ==, strlen(message));
    g_assert_cmpint(*rest, ==, ' ');
    g_assert_cmpstr(rest + 1, ==, message);
}

static void
test_every_message_fits(void)
{
    g_autoptr(GPtrArray) lines = audit_samples_lines();

    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *message = message_of(lines->pdata[i]);

        g_assert_cmpuint(strlen(message), <, 32 << 10);
        g_assert_null(strchr(message, '\n'));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/syslog-message/has-the-header-of-atna", test_has_the_header_of_atna);
    g_test_add_func("/syslog-message/frame-counts-octets", test_frame_counts_octets);
    g_test_add_func("/syslog-message/every-message-fits", test_every_message_fits);
    return g_test_run();
}
