#include "agent/admin/report_audit.h"

#include "agent/admin/audit_filter.h"
#include "agent/admin/report_counts.h"
#include "agent/audit/disclosure.h"

#include <string.h>

typedef struct {
    const ReportSpan *span;
    json_t *openings; /* by purpose of use, month by month */
    json_t *events;   /* by name */
    json_t *disclosed;
    GHashTable *grants; /* those that were counted: what one permits is one opening, however often
                           and of however many tracks it is read */
    unsigned n_countable;
} Counting;

/* What is counted by the name of its event, and what that is called here. */
static const struct {
    AuditKind kind;
    const char *name;
} counted[] = {
    {AUDIT_RECORDING_REFUSED,   "recordings refused"    },
    {AUDIT_RECORDING_FAILED,    "recordings failed"     },
    {AUDIT_CONSENT_CHANGED,     "consents changed"      },
    {AUDIT_PERSON_REFUSED,      "unknown people refused"},
    {AUDIT_ACCESS_REFUSED,      "openings refused"      },
    {AUDIT_BREAK_GLASS_STARTED, "break-glass openings"  },
    {AUDIT_REVIEW_CLOSED,       "break-glass reviewed"  },
    {AUDIT_RECOVERED,           "opened offline"        },
    {AUDIT_HOLD_PLACED,         "holds placed"          },
    {AUDIT_HOLD_RELEASED,       "holds released"        },
    {AUDIT_RESTRICTED,          "uses restricted"       },
    {AUDIT_ERASURE_REQUESTED,   "erasures requested"    },
    {AUDIT_ERASED,              "recordings erased"     },
    {AUDIT_AMENDED,             "amendments"            },
    {AUDIT_KEY_ROTATED,         "keys rotated"          },
    {AUDIT_KEY_DESTROYED,       "keys destroyed"        },
    {AUDIT_KEY_DRILLED,         "break-glass drills"    },
    {AUDIT_FEED_FULL,           "audit feed full"       },
};

static void
count_opening(Counting *self, const AuditRecord *record)
{
    const AuditEvent *event = &record->event;
    const int month = report_span_find(self->span, record->time);

    if (event->grant != NULL && !g_hash_table_add(self->grants, g_strdup(event->grant)))
        return;
    report_counts_add_month(self->openings, event->use != NULL ? event->use : "unknown", month, 1);
    if (month < 0 || !disclosure_is_countable(event->basis))
        return;
    report_counts_add_month(self->disclosed, "months", month, 1);
    self->n_countable++;
}

static bool
count_record(const AuditSource *source, const char *line, const AuditRecord *record,
             void *user_data)
{
    Counting *self = user_data;
    const AuditEvent *event = record != NULL ? &record->event : NULL;

    if (event == NULL)
        return true;
    if (event->outcome == AUDIT_OK &&
        (event->kind == AUDIT_MEDIA_OPENED || event->kind == AUDIT_MEDIA_EXPORTED ||
         event->kind == AUDIT_MEDIA_DISCLOSED))
        count_opening(self, record);
    for (gsize i = 0; i < G_N_ELEMENTS(counted); i++) {
        if (counted[i].kind == event->kind)
            report_counts_add(self->events, counted[i].name);
    }
    return true;
}

/* Findings may name files, but no people: how many there are is enough here. */
static void
check_log(const AuditSource *source, json_t *checks)
{
    const AuditEvidence evidence = {source->origin == NULL ? source->word : source->origin,
                                    source->content, source->notes, source->verifiers};
    AuditVerdict *verdict = audit_check(&evidence);
    g_autofree char *name = g_strdup_printf("audit log of %s", source->word);
    g_autofree char *result =
        verdict->findings->len == 0
            ? g_strdup("unbroken, under its signed checkpoints")
            : g_strdup_printf("%u findings: run `sealtape audit verify`", verdict->findings->len);

    json_array_append_new(checks,
                          json_pack("{s:s, s:b, s:s}", "check", name, "ok",
                                    verdict->findings->len == 0 && source->fault == NULL, "result",
                                    source->fault == NULL ? result : "the store was not asked"));
    audit_verdict_free(verdict);
}

static json_t *
to_json(Counting *self)
{
    json_t *events = json_object();

    /* In the order of the table, zeros too: that nothing happened is news as well. */
    for (gsize i = 0; i < G_N_ELEMENTS(counted); i++) {
        json_object_set_new(
            events, counted[i].name,
            json_integer(json_integer_value(json_object_get(self->events, counted[i].name))));
    }
    json_decref(self->events);
    return json_pack("{s:o, s:o, s:o, s:i}", "openings", self->openings, "events", events,
                     "disclosures", self->disclosed, "disclosures_countable",
                     (int) self->n_countable);
}

json_t *
report_audit_count(CommandContext *context, const char *org, const ReportSpan *span, json_t *checks,
                   GError **error)
{
    const AuditFilter filter = {.from_us = span->from_us, .until_us = span->until_us};
    g_autoptr(AuditSources) sources = audit_sources_load(context, org, true, error);
    Counting self = {.span = span};

    if (sources == NULL)
        return NULL;
    for (guint i = 0; i < sources->logs->len; i++)
        check_log(sources->logs->pdata[i], checks);
    if (!audit_filter_tell(context, sources, "report", &filter, error))
        return NULL;
    self.openings = json_object();
    self.events = json_object();
    self.disclosed = json_object();
    self.grants = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    audit_filter_each(sources, &filter, count_record, &self);
    g_hash_table_unref(self.grants);
    return to_json(&self);
}
