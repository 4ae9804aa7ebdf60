#include "agent/recorder/metrics.h"

#include "agent/recorder/duty_metrics.h"
#include "agent/service/heap.h"
#include "storage/storage_error.h"

static void
add(GString *text, const char *name, const char *type, const char *help, uint64_t value)
{
    g_string_append_printf(text,
                           "# HELP sealtape_%s %s\n# TYPE sealtape_%s %s\nsealtape_%s "
                           "%" G_GUINT64_FORMAT "\n",
                           name, help, name, type, name, value);
}

static void
add_sessions(GString *text, const GPtrArray *sessions)
{
    unsigned n[SESSION_STATE_NOT_RECORDED + 1] = {0};

    for (guint i = 0; i < sessions->len; i++)
        n[session_state(g_ptr_array_index(sessions, i))]++;
    g_string_append(text, "# HELP sealtape_sessions Sessions known, by state.\n"
                          "# TYPE sealtape_sessions gauge\n");
    for (int i = 0; i <= SESSION_STATE_NOT_RECORDED; i++) {
        g_string_append_printf(text, "sealtape_sessions{state=\"%s\"} %u\n",
                               session_state_text((SessionState) i), n[i]);
    }
}

static void
add_media(GString *text, const GPtrArray *sessions)
{
    SessionCounts counts = {0};

    for (guint i = 0; i < sessions->len; i++)
        session_add_counts(g_ptr_array_index(sessions, i), &counts);
    add(text, "tracks", "gauge", "Tracks being recorded.", counts.n_tracks);
    add(text, "rtp_packets", "gauge", "RTP packets taken, of the sessions known.",
        counts.n_packets);
    add(text, "rtp_bytes", "gauge", "Bytes of those packets.", counts.n_bytes);
    add(text, "rtp_lost_packets", "gauge", "RTP packets that never came.", counts.n_lost);
    add(text, "rtp_limited_packets", "gauge", "RTP packets dropped above a limit of bit rate.",
        counts.n_limited);
    add(text, "rtp_foreign_packets", "gauge", "Datagrams that were not the track's RTP.",
        counts.n_foreign);
    add(text, "srtp_unauthentic_packets", "gauge", "SRTP packets whose authentication failed.",
        counts.n_unauthentic);
    add(text, "srtp_replayed_packets", "gauge", "SRTP packets that came before.",
        counts.n_replayed);
    add(text, "rtp_kernel_dropped_packets", "gauge",
        "Packets the kernel dropped because the recorder was too slow.", counts.n_kernel_dropped);
    add(text, "segments", "gauge", "Segments sealed and durable.", counts.n_segments);
    add(text, "lost_segments", "gauge", "Segments lost to overload or a failing disk.",
        counts.n_lost_segments);
}

static void
add_threads(GString *text, const Watchdog *watchdog)
{
    g_string_append(text, "# HELP sealtape_thread_stalled 1 while this thread does not turn.\n"
                          "# TYPE sealtape_thread_stalled gauge\n");
    for (unsigned i = 0; i < watchdog_count(watchdog); i++) {
        const char *name = NULL;
        const bool is_stalled = watchdog_is_stalled(watchdog, i, &name);

        g_string_append_printf(text, "sealtape_thread_stalled{thread=\"%s\"} %d\n", name,
                               is_stalled ? 1 : 0);
    }
}

static void
add_audit(GString *text, AuditTrail *audit)
{
    AuditTrailStatus status = {0};

    audit_trail_status(audit, &status);
    add(text, "audit_records", "gauge", "Records of all audit logs of this recorder.",
        status.n_records);
    add(text, "audit_unanchored_records", "gauge",
        "Records that no checkpoint in the store vouches for.", status.n_unanchored);
    add(text, "audit_unsent_records", "gauge",
        "Records that wait for the receiver of audit messages, of the log with most of them.",
        status.n_unsent);
    add(text, "audit_unsent_limit", "gauge",
        "How many may wait before nothing new is recorded; 0 without a receiver.",
        status.most_unsent);
    add(text, "audit_failing_logs", "gauge",
        "Audit logs that take nothing, so that nothing of their organisations is recorded.",
        status.n_failing);
}

static void
add_heap(GString *text)
{
    HeapStatus status = {0};

    heap_status(&status);
    add(text, "heap_used_bytes", "gauge", "Memory from malloc in use.", status.used_bytes);
    add(text, "heap_spare_bytes", "gauge", "Memory that malloc keeps for later.",
        status.spare_bytes);
}

static void
add_errors(GString *text, const RecorderStatus *status)
{
    g_string_append(text, "# HELP sealtape_errors_total What failed since start, by kind: of the "
                          "store by what it answered, of the spool.\n"
                          "# TYPE sealtape_errors_total counter\n");
    for (unsigned i = 0; i < N_STORAGE_ERRORS; i++) {
        g_string_append_printf(text,
                               "sealtape_errors_total{kind=\"store-%s\"} %" G_GUINT64_FORMAT "\n",
                               storage_error_words[i], status->uploader.n_failures_by[i]);
    }
    g_string_append_printf(text, "sealtape_errors_total{kind=\"spool\"} %" G_GUINT64_FORMAT "\n",
                           status->n_troubles);
}

char *
metrics_text(Recorder *recorder)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GPtrArray) sessions = recorder_sessions(recorder);
    RecorderStatus status = {0};
    int64_t age_us = 0;

    recorder_status(recorder, &status);
    if (status.uploader.oldest_unix_us != 0)
        age_us = MAX(0, g_get_real_time() - status.uploader.oldest_unix_us);
    add_sessions(text, sessions);
    add_media(text, sessions);
    add_threads(text, status.watchdog);
    add_audit(text, recorder_audit(recorder));
    add_heap(text);
    add(text, "seal_queue_bytes", "gauge", "Media in memory that waits to be sealed.",
        status.queued_bytes);
    add(text, "spool_bytes", "gauge", "Size of the spool.", status.spool.bytes);
    add(text, "spool_segments", "gauge", "Segments waiting in the spool.", status.spool.n_segments);
    add(text, "spool_flushes_total", "counter", "Flushes of the spool since start.",
        status.spool.n_commits);
    add(text, "spool_free_bytes", "gauge", "Free on the spool's disk.", status.spool_free_bytes);
    add(text, "spool_level", "gauge",
        "0 ok, 1 low, 2 scarce: no new session, 3 critical: gaps are near.", status.spool_level);
    add(text, "spool_failed_files_total", "counter",
        "Log files given up because the disk did not keep them.", status.spool.n_dead_files);
    add(text, "spool_quarantined", "gauge", "Records set aside as corrupt.",
        status.spool.n_quarantined);
    add(text, "spool_oldest_seconds", "gauge", "Age of the oldest thing that waits for the store.",
        (uint64_t) (age_us / G_USEC_PER_SEC));
    add(text, "objects_stored_total", "counter", "Objects stored since start.",
        status.uploader.n_objects);
    add(text, "manifest_parts_stored_total", "counter", "Manifest parts stored since start.",
        status.uploader.n_parts);
    add(text, "upload_failures_total", "counter", "Attempts to store that failed.",
        status.uploader.n_failures);
    add(text, "upload_parked", "gauge", "1 while something needs an administrator.",
        status.uploader.is_parked ? 1 : 0);
    add(text, "catalogue_waiting", "gauge", "Things stored that the catalogue does not have yet.",
        status.catalogue.n_waiting);
    add(text, "catalogue_behind", "gauge", "1 while the catalogue may lack sessions.",
        status.catalogue.is_behind ? 1 : 0);
    add_errors(text, &status);
    add(text, "troubles_total", "counter", "Failures to make media durable.", status.n_troubles);
    duty_metrics_add(text, status.settings);
    return g_string_free(text, FALSE);
}
