#include "agent/audit/atna_message.h"
#include "agent/audit/fhir_audit_event.h"
#include "agent/audit/syslog_message.h"

#include <string.h>

/* Any line as a record: whatever is one is told as syslog takes it, in one piece, and as FHIR. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static const AuditSourceId source = {"clinic-a", "recorder.host-1", "host 1\n"};

static void
check_message(const AuditRecord *record)
{
    g_autofree char *message = syslog_message(record, &source);
    g_autofree char *frame = syslog_frame(message);
    char *rest = NULL;

    g_assert_true(g_utf8_validate(message, -1, NULL));
    for (const char *next = message; *next != '\0'; next++)
        g_assert_true((unsigned char) *next >= ' ' && *next != 0x7f);
    g_assert_cmpuint(g_ascii_strtoull(frame, &rest, 10), ==, strlen(message));
    g_assert_cmpstr(rest + 1, ==, message);
}

/* A record that is told again reads the same, but for what is too long. */
static void
check_words(const AuditRecord *record)
{
    g_autofree char *words = audit_event_words(&record->event);
    g_autofree char *line = g_strdup_printf("1 2026-11-21T17:00:00Z %s", words);
    g_auto(AuditRecord) again = {0};

    g_assert_cmpuint(strlen(words), <=, AUDIT_EVENT_MOST_BYTES);
    g_assert_true(audit_record_parse(&again, line, strlen(line)));
    g_assert_cmpint(again.event.kind, ==, record->event.kind);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_auto(AuditRecord) record = {0};

    if (n_bytes > 16384 || !audit_record_parse(&record, (const char *) data, n_bytes))
        return 0;
    check_words(&record);
    check_message(&record);
    json_decref(fhir_audit_event(&record, &source));
    return 0;
}
