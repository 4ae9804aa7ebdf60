#include "agent/admin/audit_filter.h"

#include "agent/admin/time_text.h"

#include <string.h>

static const char *const outcome_texts[] = {"ok", "refused", "failed"};

static int64_t
time_of(const AuditRecord *record)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(record->time, NULL);

    return time == NULL
               ? 0
               : g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
}

static bool
has_client(const char *clients, const char *client)
{
    g_auto(GStrv) all = clients == NULL ? NULL : g_strsplit(clients, ",", -1);

    return all != NULL && g_strv_contains((const char *const *) all, client);
}

static bool
is_wanted(const AuditFilter *self, const AuditRecord *record)
{
    const AuditEvent *event = &record->event;
    const int64_t time_us = self->from_us != 0 || self->until_us != 0 ? time_of(record) : 0;

    return (self->session == NULL || g_strcmp0(event->session, self->session) == 0) &&
           (self->event == NULL || strcmp(audit_kind_text(event->kind), self->event) == 0) &&
           (self->client == NULL || has_client(event->client, self->client)) &&
           time_us >= self->from_us && (self->until_us == 0 || time_us < self->until_us);
}

static bool
is_for_all(const AuditFilter *self)
{
    return self->session == NULL && self->event == NULL && self->client == NULL &&
           self->from_us == 0 && self->until_us == 0;
}

typedef struct {
    const AuditFilter *filter;
    AuditFilterFunc on_record;
    void *user_data;
} Look;

/* Returns: false ends it. */
static bool
look_at(const Look *self, const AuditSource *source, const char *line, size_t n_bytes)
{
    g_auto(AuditRecord) record = {0};
    g_autofree char *text = g_strndup(line, n_bytes);

    if (!audit_record_parse(&record, line, n_bytes)) {
        return !is_for_all(self->filter) || self->on_record(source, text, NULL, self->user_data);
    }
    return !is_wanted(self->filter, &record) ||
           self->on_record(source, text, &record, self->user_data);
}

static bool
look_through(const Look *self, const AuditSource *source)
{
    gsize n_left = 0;
    const char *next = g_bytes_get_data(source->content, &n_left);
    const char *end = NULL;

    while (n_left > 0 && (end = memchr(next, '\n', n_left)) != NULL) {
        const size_t n_line = (size_t) (end - next);

        if (!look_at(self, source, next, n_line))
            return false;
        n_left -= n_line + 1;
        next = end + 1;
    }
    return true;
}

void
audit_filter_each(const AuditSources *sources, const AuditFilter *filter, AuditFilterFunc on_record,
                  void *user_data)
{
    const Look look = {filter, on_record, user_data};

    for (guint i = 0; i < sources->logs->len; i++) {
        if (!look_through(&look, sources->logs->pdata[i]))
            return;
    }
}

static void
add_field(const char *name, const char *value, void *user_data)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    json_object_set_new(user_data, name, json_string(valid));
}

json_t *
audit_filter_to_json(const AuditSource *source, const AuditRecord *record)
{
    json_t *fields = json_object();

    audit_event_each(&record->event, add_field, fields);
    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:o}", "org", source->org, "origin",
                     source->word, "number", (json_int_t) record->number, "time", record->time,
                     "event", audit_kind_text(record->event.kind), "outcome",
                     outcome_texts[record->event.outcome], "fields", fields);
}

bool
audit_filter_tell(CommandContext *context, const AuditSources *sources, const char *how,
                  const AuditFilter *filter, GError **error)
{
    const AuditEvent event = {.kind = AUDIT_LOG_READ,
                              .session = filter->session,
                              .client = filter->client,
                              .detail = how};
    const char *told = NULL;

    /* They are in the order of their organisations. */
    for (guint i = 0; i < sources->logs->len; i++) {
        const AuditSource *source = sources->logs->pdata[i];

        if (g_strcmp0(source->org, told) == 0)
            continue;
        told = source->org;
        if (!command_context_audit(context, source->org, &event, error))
            return false;
    }
    return true;
}

bool
audit_filter_parse_moment(const char *option, const char *text, int64_t *unix_us)
{
    if (text == NULL || time_text_parse_moment(text, g_get_real_time(), unix_us))
        return true;
    g_printerr("sealtape audit: %s: `%s` is no moment, as 2026-11-21, 2026-11-21T17:00:00Z or 7d\n",
               option, text);
    return false;
}
