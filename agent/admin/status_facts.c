#include "agent/admin/status_facts.h"

#include "agent/admin/host_alarms.h"
#include "agent/admin/keys_due.h"
#include "agent/admin/metric_page.h"
#include "agent/admin/recorder_client.h"
#include "agent/admin/time_text.h"
#include "agent/service/http_client.h"
#include "storage/due_file.h"

/* Names of the answer and of the metrics they are. */
typedef struct {
    const char *name, *metric;
} Figure;

static const Figure media[] = {
    {"tracks",         "tracks"                    },
    {"packets",        "rtp_packets"               },
    {"bytes",          "rtp_bytes"                 },
    {"lost",           "rtp_lost_packets"          },
    {"kernel_dropped", "rtp_kernel_dropped_packets"},
    {"segments",       "segments"                  },
    {"lost_segments",  "lost_segments"             },
    {NULL,             NULL                        },
};
static const Figure spool[] = {
    {"bytes",          "spool_bytes"         },
    {"segments",       "spool_segments"      },
    {"free_bytes",     "spool_free_bytes"    },
    {"level",          "spool_level"         },
    {"oldest_seconds", "spool_oldest_seconds"},
    {"queued_bytes",   "seal_queue_bytes"    },
    {"quarantined",    "spool_quarantined"   },
    {NULL,             NULL                  },
};
static const Figure upload[] = {
    {"lag_seconds",       "spool_oldest_seconds" },
    {"objects",           "objects_stored_total" },
    {"failures",          "upload_failures_total"},
    {"parked",            "upload_parked"        },
    {"catalogue_waiting", "catalogue_waiting"    },
    {NULL,                NULL                   },
};
static const Figure audit[] = {
    {"records",      "audit_records"           },
    {"unanchored",   "audit_unanchored_records"},
    {"failing_logs", "audit_failing_logs"      },
    {NULL,           NULL                      },
};

static json_t *
figures_to_json(const MetricPage *page, const Figure *figures)
{
    json_t *form = json_object();

    for (; figures->name != NULL; figures++) {
        json_object_set_new(form, figures->name,
                            json_integer((json_int_t) metric_page_value(page, figures->metric)));
    }
    return form;
}

static json_int_t
sum_of(const json_t *tracks, const char *member)
{
    json_int_t sum = 0;
    size_t i = 0;
    const json_t *track = NULL;

    json_array_foreach(tracks, i, track) sum += json_integer_value(json_object_get(track, member));
    return sum;
}

static const char *
text_of(const json_t *form, const char *member)
{
    return json_string_value(json_object_get(form, member));
}

/* Returns: the sessions that the recorder has open or on their way, newest last; owned. */
static json_t *
sessions_to_json(const json_t *answer)
{
    json_t *list = json_array();
    size_t i = 0;
    const json_t *row = NULL;

    json_array_foreach(json_object_get(answer, "sessions"), i, row)
    {
        const json_t *tracks = json_object_get(row, "tracks");

        /* A reference is what somebody outside calls it: not shown. */
        json_array_append_new(
            list, json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I}", "session",
                            text_of(row, "session"), "org", text_of(row, "org"), "state",
                            text_of(row, "state"), "reason", text_of(row, "reason"), "created",
                            text_of(row, "created"), "tracks", (json_int_t) json_array_size(tracks),
                            "packets", sum_of(tracks, "packets"), "lost", sum_of(tracks, "lost")));
    }
    return list;
}

static void
add_recorder(CommandContext *context, const Settings *settings, json_t *form)
{
    g_autoptr(GError) fault = NULL;
    unsigned status = 0;
    g_autofree char *text =
        http_client_get_text(settings->socket_path, "/metrics", &status, &fault);
    g_autoptr(MetricPage) page = NULL;
    json_t *answer = NULL;

    json_object_set_new(form, "socket", json_string(settings->socket_path));
    json_object_set_new(form, "answers", json_boolean(text != NULL && status == 200));
    if (text == NULL || status != 200) {
        json_object_set_new(
            form, "alarms",
            host_alarms_down(fault != NULL ? fault->message : "it gives no metrics"));
        return;
    }
    page = metric_page_parse(text);
    answer = recorder_client_get(context, "/v1/sessions");
    json_object_set_new(form, "sessions", metric_page_by_label(page, "sessions"));
    json_object_set_new(form, "open", sessions_to_json(answer));
    json_object_set_new(form, "media", figures_to_json(page, media));
    json_object_set_new(form, "spool", figures_to_json(page, spool));
    json_object_set_new(form, "upload", figures_to_json(page, upload));
    json_object_set_new(form, "audit", figures_to_json(page, audit));
    json_object_set_new(form, "errors", metric_page_by_label(page, "errors_total"));
    json_object_set_new(form, "alarms", host_alarms_find(page));
    json_decref(answer);
}

/* What the last look at retention found. */
static void
add_erasures(const Settings *settings, const OrgSettings *org, json_t *list)
{
    DueFile due;

    if (!due_file_read(settings->keys->ledger_path, org->id, &due))
        return;
    if (due.n_due > 0) {
        g_autofree char *what = g_strdup_printf("%" G_GUINT64_FORMAT " recording%s to erase",
                                                due.n_due, due.n_due == 1 ? "" : "s");

        keys_due_add(list, org->id, what, "sealtape retention run");
    }
    if (due.n_failed > 0) {
        g_autofree char *what =
            g_strdup_printf("%" G_GUINT64_FORMAT " recording%s that retention leaves alone",
                            due.n_failed, due.n_failed == 1 ? "" : "s");

        keys_due_add(list, org->id, what, "sealtape retention plan");
    }
}

json_t *
status_facts_gather(CommandContext *context, GError **error)
{
    const Settings *settings = command_context_settings(context, error);
    g_autofree char *at = time_text_format_unix(g_get_real_time());
    json_t *keys = NULL;
    json_t *due = NULL;
    json_t *form = NULL;

    if (settings == NULL)
        return NULL;
    keys = json_array();
    due = keys_due_find(settings, keys);
    for (guint i = 0; i < settings->orgs->len; i++)
        add_erasures(settings, settings->orgs->pdata[i], due);
    form = json_pack("{s:s}", "at", at);
    add_recorder(context, settings, form);
    json_object_set_new(form, "keys", keys);
    json_object_set_new(form, "due", due);
    return form;
}
