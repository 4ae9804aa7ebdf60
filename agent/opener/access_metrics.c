#include "agent/opener/access_metrics.h"

static void
add(GString *text, const char *name, const char *type, const char *help, uint64_t value)
{
    g_string_append_printf(text,
                           "# HELP sealtape_access_%s %s\n# TYPE sealtape_access_%s %s\n"
                           "sealtape_access_%s %" G_GUINT64_FORMAT "\n",
                           name, help, name, type, name, value);
}

char *
access_metrics_text(Opener *opener)
{
    GString *text = g_string_new(NULL);
    const OpenerCounts *counts = &opener->counts;
    AuditTrailStatus audit = {0};

    audit_trail_status(opener->audit, &audit);
    add(text, "grants_total", "counter", "Grants given since start.", counts->n_granted);
    add(text, "refusals_total", "counter", "Requests of known people refused.", counts->n_refused);
    add(text, "strangers_total", "counter", "Requests of people nobody knows.", counts->n_unknown);
    add(text, "browsers_total", "counter", "Requests refused as a browser's.", counts->n_browsers);
    add(text, "break_glass_total", "counter", "Grants for break-glass.", counts->n_break_glass);
    add(text, "revocations_total", "counter", "Grants revoked before their end.",
        counts->n_revoked);
    add(text, "streams", "gauge", "Media being streamed.", opener->streams->len);
    add(text, "streams_total", "counter", "Media streamed since start.", counts->n_streams);
    add(text, "bytes_total", "counter", "Bytes of media given out.", counts->n_bytes);
    add(text, "grants_room", "gauge", "Grants that may still be given.",
        grant_table_room(opener->grants));
    add(text, "audit_records", "gauge", "Records of the opener's audit logs.", audit.n_records);
    add(text, "audit_unanchored_records", "gauge",
        "Records that no checkpoint in the store vouches for.", audit.n_unanchored);
    add(text, "audit_unsent_records", "gauge",
        "Records that wait for the receiver of audit messages, of the log with most of them.",
        audit.n_unsent);
    add(text, "audit_unsent_limit", "gauge",
        "How many may wait before nothing new is opened; 0 without a receiver.", audit.most_unsent);
    add(text, "audit_failing_logs", "gauge",
        "Audit logs that take nothing, so that nothing of their organisations is opened.",
        audit.n_failing);
    return g_string_free(text, FALSE);
}
