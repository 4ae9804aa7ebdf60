#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Moments on a session's timeline as people write and read them. Pure. */

/* Reads seconds (`5`, `5.25`) or `[HH:]MM:SS[.mmm]`.
 * Returns: false for anything else, also for 60 seconds and negative times. */
bool time_text_parse(const char *text, int64_t *time_us) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `0:04.2`, `1:02:03.0`, owned. */
char *time_text_format(int64_t time_us);

/* Returns: `2026-11-21T17:00:00Z`, owned. */
char *time_text_format_unix(int64_t unix_us);

/* Reads a moment as people name one: `2026-11-21`, `2026-11-21T17:00:00Z` (UTC where no zone is
 * given), or how long before `now_us`: `90m`, `24h`, `7d`.
 * `unix_us`: microseconds since 1970. Returns: false for anything else. */
bool time_text_parse_moment(const char *text, int64_t now_us,
                            int64_t *unix_us) G_GNUC_WARN_UNUSED_RESULT;
