#include "tests/fakes/audit_samples.h"

#include <string.h>

const AuditSourceId audit_samples_source = {"clinic-a", "recorder.host-1", "host-1.example"};

AuditEvent
audit_samples_full_of(AuditKind kind, const char *value)
{
    AuditEvent event = {.kind = kind, .outcome = AUDIT_FAILED};
    const char **const texts[] = {
        &event.session,      &event.participant, &event.purpose, &event.state,     &event.reason,
        &event.text_version, &event.evidence,    &event.policy,  &event.actor,     &event.role,
        &event.use,          &event.token,       &event.grant,   &event.address,   &event.approver,
        &event.review,       &event.client,      &event.tracks,  &event.recipient, &event.basis,
        &event.key,          &event.new_key,     &event.matter,  &event.rule,      &event.until,
        &event.certificate,  &event.object,      &event.detail,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = value;
    event.from_us = G_MININT64;
    event.to_us = G_MAXINT64;
    event.count = G_MAXUINT64;
    return event;
}

static void
add(GPtrArray *lines, const AuditEvent *event)
{
    g_autofree char *words = audit_event_words(event);

    g_ptr_array_add(lines, g_strdup_printf("%u 2026-11-21T17:00:23.672566Z %s", lines->len, words));
}

GPtrArray *
audit_samples_lines(void)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *long_value = g_strnfill(4000, '&');

    for (int kind = 0; kind < N_AUDIT_KINDS; kind++) {
        const AuditEvent alone = {.kind = (AuditKind) kind};
        const AuditEvent plain = audit_samples_full_of((AuditKind) kind, "p1");
        const AuditEvent odd = audit_samples_full_of(
            (AuditKind) kind, "<a b=\"1\">&'\n\t\x01\x7f]]>\xc3\xa9\xff\xe2\x82\xef\xbf\xbf");
        const AuditEvent longest = audit_samples_full_of((AuditKind) kind, long_value);

        add(lines, &alone);
        add(lines, &plain);
        add(lines, &odd);
        add(lines, &longest);
    }
    return lines;
}

void
audit_samples_parse(AuditRecord *record, const char *line)
{
    g_assert_true(audit_record_parse(record, line, strlen(line)));
}
