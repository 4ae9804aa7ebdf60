#include "agent/admin/host_alarms.h"
#include "agent/admin/metric_page.h"

#include <string.h>

static const char quiet[] = "# HELP sealtape_sessions Sessions known, by state.\n"
                            "# TYPE sealtape_sessions gauge\n"
                            "sealtape_sessions{state=\"recording\"} 2\n"
                            "sealtape_sessions{state=\"paused\"} 1\n"
                            "sealtape_spool_bytes 123456789012\n"
                            "sealtape_spool_oldest_seconds 900\n"
                            "other_spool_level 3\n"
                            "sealtape_broken x\n"
                            "sealtape_cut\n"
                            "\n";

static void
test_reads_samples(void)
{
    g_autoptr(MetricPage) page = metric_page_parse(quiet);
    json_t *states = metric_page_by_label(page, "sessions");

    g_assert_cmpfloat(metric_page_value(page, "sessions"), ==, 3);
    g_assert_cmpfloat(metric_page_value(page, "spool_bytes"), ==, 123456789012.0);
    g_assert_cmpfloat(metric_page_value(page, "spool_level"), ==, 0);
    g_assert_cmpfloat(metric_page_value(page, "broken"), ==, 0);
    g_assert_cmpuint(json_object_size(states), ==, 2);
    g_assert_cmpint(json_integer_value(json_object_get(states, "recording")), ==, 2);
    json_decref(states);
}

static const char *
alarm_name(const json_t *alarms, size_t i)
{
    return json_string_value(json_object_get(json_array_get(alarms, i), "alarm"));
}

static void
test_finds_alarms(void)
{
    static const struct {
        const char *text, *alarm;
    } rows[] = {
        {"sealtape_thread_stalled{thread=\"a\"} 0\nsealtape_thread_stalled{thread=\"b\"} 1\n",
         "ThreadStalled"                                                                                          },
        {"sealtape_lost_segments 1\n",                                                         "SegmentsLost"     },
        {"sealtape_spool_level 1\n",                                                           "SpoolLow"         },
        {"sealtape_spool_level 2\n",                                                           "SpoolScarce"      },
        {"sealtape_spool_oldest_seconds 901\n",                                                "UploadLate"       },
        {"sealtape_upload_parked 1\n",                                                         "UploadParked"     },
        {"sealtape_audit_failing_logs 1\n",                                                    "AuditFailing"     },
        {"sealtape_key_rings_unreadable 1\n",                                                  "KeyRingUnreadable"},
        {"sealtape_erasures_failed 1\n",                                                       "ErasuresFailed"   },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MetricPage) page = metric_page_parse(rows[i].text);
        json_t *alarms = host_alarms_find(page);

        g_assert_cmpuint(json_array_size(alarms), ==, 1);
        g_assert_cmpstr(alarm_name(alarms, 0), ==, rows[i].alarm);
        json_decref(alarms);
    }
}

static void
test_is_quiet_where_nothing_is_amiss(void)
{
    g_autoptr(MetricPage) page = metric_page_parse(quiet);
    json_t *alarms = host_alarms_find(page);

    g_assert_cmpuint(json_array_size(alarms), ==, 0);
    json_decref(alarms);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metric-page/reads-samples", test_reads_samples);
    g_test_add_func("/metric-page/finds-alarms", test_finds_alarms);
    g_test_add_func("/metric-page/quiet-where-nothing-is-amiss",
                    test_is_quiet_where_nothing_is_amiss);
    return g_test_run();
}
