#include "agent/admin/time_text.h"

#include <string.h>

#define MAX_DIGITS 9 /* so that nothing overflows */

/* Takes digits off `*text`. Returns: false if there are none, or too many. */
static bool
take_number(const char **text, int64_t *number)
{
    size_t n_digits = strspn(*text, "0123456789");

    *number = 0;
    if (n_digits == 0 || n_digits > MAX_DIGITS)
        return false;
    for (size_t i = 0; i < n_digits; i++)
        *number = *number * 10 + (*text)[i] - '0';
    *text += n_digits;
    return true;
}

/* Takes `.25` off `*text`, if it starts with a point. */
static bool
take_fraction(const char **text, int64_t *fraction_us)
{
    int64_t unit_us = G_USEC_PER_SEC;
    const char *digit = *text;

    *fraction_us = 0;
    if (*digit != '.')
        return true;
    for (digit++; g_ascii_isdigit(*digit); digit++) {
        unit_us /= 10; /* 0 for what is less than a microsecond */
        *fraction_us += (*digit - '0') * unit_us;
    }
    if (digit == *text + 1)
        return false;
    *text = digit;
    return true;
}

bool
time_text_parse(const char *text, int64_t *time_us)
{
    int64_t total_s = 0, number = 0, fraction_us = 0;
    int n_fields = 0;

    do {
        text += n_fields > 0; /* the colon */
        if (!take_number(&text, &number))
            return false;
        if (n_fields > 0 && number > 59)
            return false;
        total_s = total_s * 60 + number;
        n_fields++;
    } while (*text == ':' && n_fields < 3);
    if (!take_fraction(&text, &fraction_us) || *text != '\0')
        return false;
    *time_us = total_s * G_USEC_PER_SEC + fraction_us;
    return true;
}

char *
time_text_format(int64_t time_us)
{
    int64_t tenths = (MAX(time_us, 0) + G_USEC_PER_SEC / 20) / (G_USEC_PER_SEC / 10);
    int64_t seconds = tenths / 10;
    int hours = (int) (seconds / 3600);
    int minutes = (int) (seconds / 60 % 60);

    if (hours > 0) {
        return g_strdup_printf("%d:%02d:%02d.%d", hours, minutes, (int) (seconds % 60),
                               (int) (tenths % 10));
    }
    return g_strdup_printf("%d:%02d.%d", minutes, (int) (seconds % 60), (int) (tenths % 10));
}

char *
time_text_format_unix(int64_t unix_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(unix_us / G_USEC_PER_SEC);

    return time != NULL ? g_date_time_format_iso8601(time) : g_strdup("-");
}

static bool
take_ago(const char *text, int64_t now_us, int64_t *unix_us)
{
    static const struct {
        char unit;
        int64_t us;
    } units[] = {
        {'s', G_TIME_SPAN_SECOND},
        {'m', G_TIME_SPAN_MINUTE},
        {'h', G_TIME_SPAN_HOUR  },
        {'d', G_TIME_SPAN_DAY   }
    };
    int64_t number = 0;

    if (!take_number(&text, &number) || text[0] == '\0' || text[1] != '\0' || number > 100000)
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (units[i].unit == text[0]) {
            *unix_us = MAX(now_us - number * units[i].us, 0);
            return true;
        }
    }
    return false;
}

bool
time_text_parse_moment(const char *text, int64_t now_us, int64_t *unix_us)
{
    g_autofree char *midnight = g_strconcat(text, "T00:00:00", NULL);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) day =
        strlen(text) == 10 ? g_date_time_new_from_iso8601(midnight, utc) : NULL;
    g_autoptr(GDateTime) moment = g_date_time_new_from_iso8601(text, utc);
    GDateTime *found = day != NULL ? day : moment;

    if (found == NULL)
        return take_ago(text, now_us, unix_us);
    *unix_us = g_date_time_to_unix(found) * G_USEC_PER_SEC + g_date_time_get_microsecond(found);
    return *unix_us >= 0;
}
