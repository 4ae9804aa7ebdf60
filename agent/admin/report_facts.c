#include "agent/admin/report_facts.h"

#include "agent/admin/custody.h"
#include "agent/admin/report_audit.h"
#include "agent/admin/report_counts.h"
#include "agent/admin/report_span.h"
#include "agent/admin/retention_plan.h"
#include "agent/admin/time_text.h"
#include "agent/keys/key_ages.h"
#include "agent/keys/ring_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/key_ring_read.h"
#include "storage/catalogue_query.h"

#include <string.h>

enum { PAGE = 1000, DAY_CHARS = sizeof "2026-11-29" - 1 };

typedef struct {
    CommandContext *context;
    const Settings *settings;
    const OrgSettings *org;
    int64_t at_us;
    char *at; /* as text, UTC */
    ReportSpan span, ahead;
    json_t *form, *checks;
} Report;

static void add_check(Report *self, const char *check, bool is_ok, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void
add_check(Report *self, const char *check, bool is_ok, const char *format, ...)
{
    g_autofree char *result = NULL;
    va_list arguments;

    va_start(arguments, format);
    result = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    json_array_append_new(
        self->checks, json_pack("{s:s, s:b, s:s}", "check", check, "ok", is_ok, "result", result));
}

typedef struct {
    json_t *states, *months;
    json_int_t n_sessions, n_lost, n_bytes, duration_us;
} Sessions;

static void
count_session(const Report *report, Sessions *self, const CatalogueEntry *entry)
{
    g_autofree char *created = time_text_format_unix(entry->created_us);

    self->n_sessions++;
    self->n_bytes += (json_int_t) entry->n_bytes;
    self->duration_us += entry->duration_us;
    self->n_lost += strcmp(entry->reason, "segments-lost") == 0;
    report_counts_add(self->states, entry->state);
    report_counts_add_month(self->months, "sessions", report_span_find(&report->span, created), 1);
}

static bool
count_page(const Report *report, Sessions *self, Catalogue *catalogue, GError **error)
{
    CatalogueFilter filter = {.org = report->org->id, .until_us = report->at_us, .limit = PAGE};
    g_autoptr(GPtrArray) page = NULL;

    do {
        g_autoptr(GPtrArray) next = catalogue_list(catalogue, &filter, error);

        if (next == NULL)
            return false;
        for (guint i = 0; i < next->len; i++)
            count_session(report, self, next->pdata[i]);
        g_clear_pointer(&page, g_ptr_array_unref);
        page = g_steal_pointer(&next);
        filter.after = page->len > 0 ? page->pdata[page->len - 1] : NULL;
    } while (page->len == PAGE);
    return true;
}

static bool
add_sessions(Report *self, GError **error)
{
    g_autoptr(Catalogue) catalogue =
        catalogue_open(self->settings->catalogue_path, CATALOGUE_READ, error);
    Sessions sessions = {json_object(), json_object(), 0, 0, 0, 0};
    int64_t behind_us = 0;
    const bool is_good = catalogue != NULL && count_page(self, &sessions, catalogue, error);

    json_object_set_new(self->form, "sessions",
                        json_pack("{s:I, s:I, s:I, s:o, s:o}", "count", sessions.n_sessions,
                                  "bytes", sessions.n_bytes, "seconds",
                                  (json_int_t) (sessions.duration_us / G_USEC_PER_SEC), "states",
                                  sessions.states, "by_month", sessions.months));
    if (!is_good) {
        g_prefix_error(error, "the catalogue (`sealtape catalogue rebuild` makes it anew): ");
        return false;
    }
    add_check(self, "media lost", sessions.n_lost == 0,
              "%" JSON_INTEGER_FORMAT " recordings lack media that had arrived", sessions.n_lost);
    if (!catalogue_fact(catalogue, "behind_us", &behind_us, NULL))
        behind_us = 0;
    add_check(self, "catalogue", behind_us == 0,
              behind_us == 0 ? "complete" : "may lack sessions: the counts may be too small");
    return true;
}

static void
add_key(const Report *self, json_t *keys, const KeyRingKey *key)
{
    g_autofree char *mark = age_seal_list_mark(key->recipient);

    json_array_append_new(
        keys, json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:b}", "mark", mark, "role",
                        key_ring_roles[key->role], "state", key_ring_states[key->state], "proof",
                        key_ring_proofs[key->proof], "age_days",
                        (json_int_t) key_ages_days(key->made, self->at_us), "drilled", key->drilled,
                        "drill_due", key_ages_drill_is_due(key, self->at_us)));
}

static bool
add_keys(Report *self, GError **error)
{
    g_autoptr(RingFile) file = ring_file_open(self->settings, self->org, error);
    json_t *keys = NULL;
    unsigned n_drills = 0;
    unsigned n_rotations = 0;

    if (file == NULL)
        return false;
    keys = json_array();
    for (guint i = 0; i < file->ring->keys->len; i++) {
        const KeyRingKey *key = file->ring->keys->pdata[i];

        add_key(self, keys, key);
        n_drills += key_ages_drill_is_due(key, self->at_us);
        n_rotations += key_ages_rotation_is_due(key, self->at_us);
    }
    json_object_set_new(self->form, "keys", keys);
    json_object_set_new(self->form, "has_ring", json_boolean(!file->is_new));
    add_check(self, "break-glass drill", n_drills == 0, "%u keys not tried for %d days", n_drills,
              KEY_AGES_DRILL_DAYS);
    add_check(self, "key rotation", n_rotations == 0, "%u keys over %d days old", n_rotations,
              KEY_AGES_ROTATE_DAYS);
    return true;
}

typedef struct {
    json_t *ahead; /* month by month */
    json_int_t n_due, n_later, n_forever, n_held, n_matters, n_begun, n_faults, n_open;
} Retained;

static json_int_t
count_matters(const char *matters)
{
    g_auto(GStrv) each = g_strsplit(matters, ",", -1);

    return (json_int_t) g_strv_length(each);
}

/* As of the report's day, not of today's. */
static void
count_row(const Report *report, Retained *self, const RetentionRow *row)
{
    const bool is_asked = row->reason != NULL && strcmp(row->reason, "retention") != 0;

    if (row->fault != NULL) {
        self->n_faults++;
    } else if (row->matters != NULL) {
        self->n_held++;
        self->n_matters += count_matters(row->matters);
    } else if (row->verdict == RETENTION_OPEN) {
        self->n_open++;
    } else if (row->is_begun) {
        self->n_begun++;
    } else if (is_asked || (row->until != NULL && strncmp(row->until, report->at, DAY_CHARS) < 0)) {
        self->n_due++;
    } else if (row->until == NULL) {
        self->n_forever++;
    } else if (report_span_find(&report->ahead, row->until) < 0) {
        self->n_later++;
    } else {
        report_counts_add_month(self->ahead, "ending", report_span_find(&report->ahead, row->until),
                                1);
    }
}

static RetentionPlan *
make_plan(const Report *self, const Custody *custody, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(self->settings->path);
    g_autofree char *orgs = g_build_filename(folder, "orgs", NULL);
    g_autoptr(GError) fault = NULL;
    g_autoptr(RetentionSettings) rules = retention_settings_load(orgs, self->org->id, &fault);

    if (fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    return retention_plan_make(custody, self->org->id, rules, true, error);
}

static bool
add_retention(Report *self, GError **error)
{
    g_auto(Custody) custody = {0};
    g_autoptr(RetentionPlan) plan = NULL;
    Retained retained = {0};

    if (!custody_open(&custody, self->context, error))
        return false;
    plan = make_plan(self, &custody, error);
    if (plan == NULL)
        return false;
    retained.ahead = json_object();
    for (guint i = 0; i < plan->rows->len; i++)
        count_row(self, &retained, plan->rows->pdata[i]);
    json_object_set_new(
        self->form, "retention",
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "due", retained.n_due, "begun",
                  retained.n_begun, "later", retained.n_later, "forever", retained.n_forever,
                  "held", retained.n_held, "matters", retained.n_matters, "open", retained.n_open,
                  "months", report_span_to_json(&self->ahead), "by_month", retained.ahead));
    add_check(self, "retention", retained.n_faults == 0,
              "%" JSON_INTEGER_FORMAT " recordings of which nothing can be said",
              retained.n_faults);
    return true;
}

static bool
gather(Report *self, GError **error)
{
    json_t *told = NULL;

    if (!add_sessions(self, error) || !add_keys(self, error) || !add_retention(self, error))
        return false;
    told = report_audit_count(self->context, self->org->id, &self->span, self->checks, error);
    if (told == NULL)
        return false;
    json_object_set_new(self->form, "audit", told);
    return true;
}

json_t *
report_facts_gather(CommandContext *context, const char *org, int64_t at_us, GError **error)
{
    Report self = {.context = context, .at_us = at_us};
    g_autofree char *at = time_text_format_unix(at_us);
    g_autofree char *from = NULL;

    self.settings = command_context_settings(context, error);
    self.org = self.settings != NULL ? settings_org(self.settings, org) : NULL;
    if (self.org == NULL) {
        if (self.settings != NULL) {
            g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "there is no organisation `%s`",
                        org);
        }
        return NULL;
    }
    self.at = at;
    report_span_init(&self.span, at_us, false);
    report_span_init(&self.ahead, at_us, true);
    from = time_text_format_unix(self.span.from_us);
    self.checks = json_array();
    self.form = json_pack("{s:s, s:s, s:s, s:o}", "org", org, "at", at, "from", from, "months",
                          report_span_to_json(&self.span));
    json_object_set_new(self.form, "checks", self.checks);
    if (gather(&self, error))
        return self.form;
    json_decref(self.form);
    return NULL;
}
