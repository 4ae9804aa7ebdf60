#pragma once

#include <glib.h>
#include <stdint.h>

/* Days as rules of retention count them: where the organisation is. Pure, as retention.h: the zone
 * and the time are brought. */

/* Returns: the day of that moment in `zone`; not valid: beyond what dates reach. */
GDate retention_day_at(int64_t unix_s, GTimeZone *zone);

/* Returns: the day that `text` (YYYY-MM-DD) names; not valid: NULL, or no day. */
GDate retention_day_parse(const char *text);

/* Returns: YYYY-MM-DD, owned; NULL: `day` is not valid. */
char *retention_day_text(const GDate *day);
