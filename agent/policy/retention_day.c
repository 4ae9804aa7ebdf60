#include "agent/policy/retention_day.h"

#include <string.h>

GDate
retention_day_at(int64_t unix_s, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(unix_s);
    g_autoptr(GDateTime) there = utc != NULL ? g_date_time_to_timezone(utc, zone) : NULL;
    GDate day;

    g_date_clear(&day, 1);
    if (there != NULL) {
        g_date_set_dmy(&day, (GDateDay) g_date_time_get_day_of_month(there),
                       (GDateMonth) g_date_time_get_month(there),
                       (GDateYear) g_date_time_get_year(there));
    }
    return day;
}

/* Returns: 0: it is no number of `n_digits`. */
static unsigned
number_at(const char *text, size_t n_digits)
{
    unsigned number = 0;

    for (size_t i = 0; i < n_digits; i++) {
        if (!g_ascii_isdigit(text[i]))
            return 0;
        number = number * 10 + (unsigned) g_ascii_digit_value(text[i]);
    }
    return number;
}

GDate
retention_day_parse(const char *text)
{
    GDate day;
    unsigned year = 0;
    unsigned month = 0;
    unsigned number = 0;

    g_date_clear(&day, 1);
    if (text == NULL || strlen(text) != strlen("2026-11-29") || text[4] != '-' || text[7] != '-')
        return day;
    year = number_at(text, 4);
    month = number_at(text + 5, 2);
    number = number_at(text + 8, 2);
    if (g_date_valid_dmy((GDateDay) number, (GDateMonth) month, (GDateYear) year))
        g_date_set_dmy(&day, (GDateDay) number, (GDateMonth) month, (GDateYear) year);
    return day;
}

char *
retention_day_text(const GDate *day)
{
    return g_date_valid(day) ? g_strdup_printf("%04d-%02d-%02d", g_date_get_year(day),
                                               (int) g_date_get_month(day), g_date_get_day(day))
                             : NULL;
}
