#include "agent/admin/report_span.h"

#include <string.h>

enum { MONTH_CHARS = sizeof "2026-11" - 1 };

void
report_span_init(ReportSpan *self, int64_t at_us, bool is_ahead)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(at_us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) month =
        g_date_time_new_utc(g_date_time_get_year(at), g_date_time_get_month(at), 1, 0, 0, 0);
    g_autoptr(GDateTime) first = g_date_time_add_months(month, is_ahead ? 0 : 1 - REPORT_MONTHS);
    g_autoptr(GDateTime) behind = g_date_time_add_months(first, REPORT_MONTHS);

    for (int i = 0; i < REPORT_MONTHS; i++) {
        g_autoptr(GDateTime) here = g_date_time_add_months(first, i);
        g_autofree char *text = g_date_time_format(here, "%Y-%m");

        (void) g_strlcpy(self->months[i], text, sizeof self->months[i]);
    }
    self->from_us = g_date_time_to_unix(first) * G_USEC_PER_SEC;
    self->until_us = is_ahead ? g_date_time_to_unix(behind) * G_USEC_PER_SEC : at_us;
}

int
report_span_find(const ReportSpan *self, const char *time)
{
    for (int i = 0; i < REPORT_MONTHS; i++) {
        if (strncmp(self->months[i], time, MONTH_CHARS) == 0)
            return i;
    }
    return -1;
}

json_t *
report_span_to_json(const ReportSpan *self)
{
    json_t *list = json_array();

    for (int i = 0; i < REPORT_MONTHS; i++)
        json_array_append_new(list, json_string(self->months[i]));
    return list;
}
