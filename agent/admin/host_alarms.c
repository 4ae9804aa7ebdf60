#include "agent/admin/host_alarms.h"

#include <glib.h>
#include <stdbool.h>

/* What can be told of one look, without a history. */
static const struct {
    const char *severity, *alarm, *metric;
    double above;
    const char *message;
} alarms[] = {
    {"critical", "ThreadStalled",     "thread_stalled",             0,
     "A thread of the recorder stands still; the watchdog restarts it."                                    },
    {"critical", "SegmentsLost",      "lost_segments",              0,
     "Media arrived and was lost to overload or a failing disk."                                           },
    {"critical", "SpoolScarce",       "spool_level",                1,
     "The spool's disk is nearly full: new sessions are refused."                                          },
    {"critical", "SpoolDiskFailing",  "spool_failed_files_total",   0,
     "The spool's disk did not keep what was written."                                                     },
    {"critical", "UploadParked",      "upload_parked",              0,
     "The store holds other bytes under a name than ours: somebody has to look."                           },
    {"critical", "AuditFailing",      "audit_failing_logs",         0,
     "An audit log takes nothing: nothing of its organisation is recorded."                                },
    {"critical", "KeyRingUnreadable", "key_rings_unreadable",       0,
     "A key ring does not count: `sealtape config check` says why."                                        },
    {"warning",  "SpoolLow",          "spool_level",                0,   "The spool's disk fills up."      },
    {"warning",  "UploadLate",        "spool_oldest_seconds",       900,
     "Something has waited for the store for over 15 minutes."                                             },
    {"warning",  "AuditLag",          "audit_unanchored_records",   256,
     "Audit records are not vouched for by a checkpoint in the store."                                     },
    {"warning",  "PacketsDropped",    "rtp_kernel_dropped_packets", 0,
     "The kernel dropped packets because the recorder was too slow."                                       },
    {"warning",  "CatalogueBehind",   "catalogue_behind",           0,   "The catalogue may lack sessions."},
    {"warning",  "ErasuresFailed",    "erasures_failed",            0,
     "Retention can not say what becomes of recordings, or could not erase them."                          },
};

static bool
is_told(const json_t *list, const char *metric)
{
    size_t i = 0;
    const json_t *row = NULL;

    json_array_foreach(list, i, row)
    {
        if (g_strcmp0(json_string_value(json_object_get(row, "metric")), metric) == 0)
            return true;
    }
    return false;
}

json_t *
host_alarms_find(const MetricPage *page)
{
    json_t *list = json_array();

    for (gsize i = 0; i < G_N_ELEMENTS(alarms); i++) {
        const double value = metric_page_value(page, alarms[i].metric);

        /* Low is no news where it is scarce already. */
        if (value <= alarms[i].above || is_told(list, alarms[i].metric))
            continue;
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:f}", "severity", alarms[i].severity,
                                        "alarm", alarms[i].alarm, "message", alarms[i].message,
                                        "metric", alarms[i].metric, "value", value));
    }
    return list;
}

json_t *
host_alarms_down(const char *reason)
{
    return json_pack("[{s:s, s:s, s:s, s:s}]", "severity", "critical", "alarm", "RecorderDown",
                     "message",
                     "The recorder does not answer: sessions that begin now are not recorded.",
                     "reason", reason);
}
